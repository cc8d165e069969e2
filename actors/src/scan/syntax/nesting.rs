//! Bounds how deep recursive parsers can go into a file, before they are let into it.
//!
//! Most parsers call themselves for what is nested, and what they build is freed the same way: a megabyte of `[`, `!`,
//! `else if` or `1+1+1…` would overflow any stack and end the whole process. Nothing outside a parser can know how deep it
//! will go, but each level needs something to make it: a bracket, an operator or a keyword. So these are counted as far
//! as they can be within each other, and brackets within strings count like others: that errs on the safe side.

/// No stack of a scan's threads overflows below this, even in a build without optimisation.
const MAX_DEPTH: u32 = 4_000;
/// A bracket leads a parser through a dozen functions, an operator through a few.
const BRACKET_COST: u32 = 4;
const ANGLE_COST: u32 = 2;
/// Words that can stand before an expression or a statement of their own kind.
const NESTING_WORDS: [&str; 36] = [
    "new", "typeof", "void", "delete", "await", "yield", "not", "lambda", "if", "else", "elif", "for", "while", "do",
    "with", "return", "throw", "break", "move", "async", "unsafe", "dyn", "impl", "ref", "mut", "box", "as", "in",
    "is", "and", "or", "keyof", "infer", "extends", "const", "static",
];

/// Tells whether a recursive parser can be let into this content.
///
/// `newline_ends` says that a line's end closes all that is not in brackets, as in Python.
pub(super) fn is_safe(content: &str, newline_ends: bool) -> bool {
    let mut depth = Depth {
        newline_ends,
        ..Depth::default()
    };
    let bytes = content.as_bytes();
    let mut position = 0;
    while position < bytes.len() {
        let byte = bytes[position];
        let length = if is_word(byte) {
            word_length(&bytes[position..])
        } else {
            1
        };
        match is_word(byte) {
            true => depth.word(&content[position..position + length]),
            false => depth.sign(byte),
        }
        if depth.now > MAX_DEPTH {
            return false;
        }
        position += length;
    }
    true
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn word_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|&&byte| is_word(byte)).count()
}

/// How deep a parser may be at one point of the text.
#[derive(Default)]
struct Depth {
    now: u32,
    /// The depth at the beginning of each bracket that is open.
    bases: Vec<u32>,
    /// A statement may have ended: unless an `else` goes on with it.
    may_reset: bool,
    newline_ends: bool,
}

impl Depth {
    fn word(&mut self, word: &str) {
        let is_nesting = NESTING_WORDS.contains(&word);
        if std::mem::take(&mut self.may_reset) && !is_continuing(word) {
            self.reset();
        }
        self.now += u32::from(is_nesting);
    }

    fn sign(&mut self, sign: u8) {
        match sign {
            b'(' | b'[' | b'{' => {
                self.settle();
                self.bases.push(self.now);
                self.now += BRACKET_COST;
            }
            b')' | b']' | b'}' => {
                self.may_reset = sign == b'}';
                self.now = self.bases.pop().map_or(self.now, |base| base + 1);
            }
            b',' => self.reset(),
            b';' => self.may_reset = true,
            b'\n' => self.may_reset |= self.newline_ends && self.bases.is_empty(),
            b' ' | b'\t' | b'\r' | b'"' | b'\'' => {}
            b'<' => {
                // It may open type arguments, which are tried, given up and tried as a comparison, each within the other.
                self.may_reset = false;
                self.now += ANGLE_COST;
            }
            _ => {
                // An operator after `}` goes on with the expression that the brace ended.
                self.may_reset = false;
                self.now += 1;
            }
        }
    }

    /// A bracket at the beginning of a statement closes the one before.
    fn settle(&mut self) {
        if std::mem::take(&mut self.may_reset) && self.newline_ends {
            self.reset();
        }
    }

    fn reset(&mut self) {
        self.may_reset = false;
        self.now = self.bases.last().map_or(0, |base| base + BRACKET_COST);
    }
}

/// Tells whether the statement before goes on with this word.
fn is_continuing(word: &str) -> bool {
    matches!(
        word,
        "else" | "elif" | "while" | "catch" | "finally" | "in" | "of" | "instanceof" | "as" | "is" | "and" | "or"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_nesting_of_any_kind_is_refused() {
        let deep = [
            "(",
            "[",
            "{",
            "!",
            "-",
            "new ",
            "not ",
            "if(a)",
            "a=>",
            "if (a) b; else ",
            "if a {} else ",
            "a+",
            "a.b",
            "a()",
            "typeof\n",
            "a\n+",
            "Box<",
            "{[",
            "{}+",
            "while(1)",
            "a?b:",
        ];
        for piece in deep {
            assert!(!is_safe(&piece.repeat(100_000), false), "{piece:?}");
        }
        for piece in ["(", "-", "not ", "(\n", "a+", "lambda:"] {
            assert!(!is_safe(&piece.repeat(100_000), true), "{piece:?}");
        }
    }

    #[test]
    fn long_flat_text_is_not_deep() {
        let flat = [
            "let a = b.c(d[0]) + 1;\n",
            "fn a() { if b { c() } else { d() } }\n",
            "[1, 2, {\"a\": -1}],\n",
            "if (a) { b() } else { c() }\n",
            "function a() { return new B() }\n",
        ];
        for piece in flat {
            assert!(is_safe(&piece.repeat(10_000), false), "{piece:?}");
        }
        assert!(is_safe(
            &"a = b.c(d[0]) + 1\nif not a:\n    b(c)\n".repeat(10_000),
            true
        ));
    }
}
