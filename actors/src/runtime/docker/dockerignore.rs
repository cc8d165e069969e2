//! The rules of a `.dockerignore` file, which are not those of a `.gitignore`: patterns are anchored at the root of the
//! context, a pattern that fits a directory covers all that is below it, and the last one that fits decides.

use regex::{Regex, RegexBuilder};

/// A pattern needs no more than this. A larger one is refused, since it would cost memory.
const MAX_PATTERN_BYTES: usize = 64 * 1024;
const MAX_RULES: usize = 10_000;

/// Rules in their order.
#[derive(Debug, Default)]
pub(super) struct Rules {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    /// Fits the path itself or anything below it.
    pattern: Regex,
    is_exception: bool,
}

impl Rules {
    /// Parses the file's content.
    ///
    /// # Errors
    /// Says which line cannot be understood.
    pub(super) fn parse(content: &str) -> Result<Self, String> {
        let content = content.strip_prefix('\u{feff}').unwrap_or(content);
        let mut rules = Vec::new();
        for (index, line) in content.lines().enumerate() {
            let unusable = |reason: &str| format!(".dockerignore line {}: {reason}", index + 1);
            if rules.len() >= MAX_RULES {
                return Err(unusable("too many lines"));
            }
            rules.extend(Rule::parse(line).map_err(|reason| unusable(&reason))?);
        }
        Ok(Self { rules })
    }

    /// Tells whether a path, relative to the root and with `/` between its parts, is left out.
    pub(super) fn is_ignored(&self, path: &str) -> bool {
        let deciding = self.rules.iter().rev().find(|rule| rule.pattern.is_match(path));
        deciding.is_some_and(|rule| !rule.is_exception)
    }

    /// Tells whether something below an ignored directory may still be wanted.
    pub(super) fn has_exceptions(&self) -> bool {
        self.rules.iter().any(|rule| rule.is_exception)
    }
}

impl Rule {
    /// Parses a line; empty lines and comments are no rules.
    fn parse(line: &str) -> Result<Option<Self>, String> {
        if line.starts_with('#') {
            return Ok(None);
        }
        let line = line.trim();
        let (line, is_exception) = match line.strip_prefix('!') {
            Some(rest) => (rest.trim_start(), true),
            None => (line, false),
        };
        let parts = normal_parts(line);
        if parts.is_empty() {
            return match is_exception && line.is_empty() {
                true => Err("`!` must be followed by a pattern".to_owned()),
                false => Ok(None),
            };
        }
        let text = format!("^{}(?:/.*)?$", translate(&parts.join("/"))?);
        let pattern = RegexBuilder::new(&text)
            .dot_matches_new_line(true)
            .size_limit(MAX_PATTERN_BYTES * 16)
            .build();
        let pattern = pattern.map_err(|_| "the pattern is malformed or too large".to_owned())?;
        Ok(Some(Self { pattern, is_exception }))
    }
}

/// Splits a pattern at its slashes and resolves `.` and `..`, as far as the root allows.
fn normal_parts(pattern: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts
}

/// Writes a pattern as a regular expression: `*` and `?` stay within a part, `**` spans any number of parts, `[…]` is a
/// set of characters, and `\` takes the next character as it is.
fn translate(pattern: &str) -> Result<String, String> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err("the pattern is too long".to_owned());
    }
    let mut regex = String::new();
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '*' if rest.next_if_eq(&'*').is_some() => match rest.next_if_eq(&'/') {
                Some(_) => regex.push_str("(?:.*/)?"),
                None => regex.push_str(".*"),
            },
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => regex.push_str(&set(&mut rest)?),
            '\\' => {
                let literal = rest.next().ok_or("`\\` must be followed by a character")?;
                regex.push_str(&regex::escape(literal.encode_utf8(&mut [0; 4])));
            }
            literal => regex.push_str(&regex::escape(literal.encode_utf8(&mut [0; 4]))),
        }
    }
    Ok(regex)
}

/// Reads a set up to its bracket.
fn set(rest: &mut impl Iterator<Item = char>) -> Result<String, String> {
    let unclosed = "`[` must be closed";
    let mut set = String::from("[");
    let mut is_first = true;
    loop {
        match rest.next().ok_or(unclosed)? {
            '^' | '!' if is_first => set.push('^'),
            ']' if !is_first => break,
            '-' => set.push('-'),
            '\\' => push_literal(&mut set, rest.next().ok_or(unclosed)?),
            character => push_literal(&mut set, character),
        }
        is_first = false;
    }
    set.push(']');
    Ok(set)
}

fn push_literal(set: &mut String, character: char) {
    if !character.is_alphanumeric() {
        set.push('\\');
    }
    set.push(character);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rules: &str, ignored: &[&str], sent: &[&str]) {
        let parsed = Rules::parse(rules).unwrap();
        for path in ignored {
            assert!(parsed.is_ignored(path), "{path} must be ignored by {rules:?}");
        }
        for path in sent {
            assert!(!parsed.is_ignored(path), "{path} must be sent by {rules:?}");
        }
    }

    #[test]
    fn patterns_are_anchored_at_the_root() {
        check("temp", &["temp", "temp/a/b"], &["a/temp", "temporary"]);
        check("/temp/", &["temp", "temp/a"], &["a/temp"]);
        check("./a/../b", &["b"], &["a"]);
        check("*/temp*", &["a/temporary.txt", "a/temp"], &["temp", "a/b/temp"]);
        check("temp?", &["tempa"], &["temp", "temp/", "tempab"]);
    }

    #[test]
    fn two_stars_span_directories() {
        check("**/*.go", &["a.go", "b/a.go", "b/c/a.go"], &["a.goo"]);
        check("a/**", &["a/b", "a/b/c"], &["b/a"]);
        check("a/**/z", &["a/z", "a/b/z", "a/b/c/z"], &["a/bz", "z"]);
        check(
            "**/node_modules",
            &["node_modules/x", "web/node_modules/x/y"],
            &["node_modules2"],
        );
        check("**", &["a", "a/b"], &[]);
    }

    #[test]
    fn the_last_rule_that_fits_decides() {
        check("*.md\n!README.md", &["a.md"], &["README.md"]);
        check("!README.md\n*.md", &["README.md"], &[]);
        check(
            "*.md\n!README*.md\nREADME-secret.md",
            &["README-secret.md"],
            &["README.md"],
        );
        check("dist\n!dist/keep", &["dist/a"], &["dist/keep", "dist/keep/x"]);
        check("!dist/keep\ndist", &["dist/keep"], &[]);
    }

    #[test]
    fn comments_and_blank_lines_are_nothing_and_special_characters_are_themselves() {
        check("\u{feff}# a\n\n  \n.\n/\n b ", &["b"], &["a", "# a"]);
        check("a.b\n{x,y}\n(z)|", &["a.b", "{x,y}", "(z)|"], &["axb", "x", "z"]);
        check("[a-c]1\n[^x]2\n\\*", &["b1", "a2", "*"], &["d1", "x2", "y"]);
        check("[]a]", &["]", "a"], &["b"]);
    }

    #[test]
    fn a_malformed_line_is_named() {
        for rules in ["ok\n!", "ok\n[a", "ok\na\\"] {
            let reason = Rules::parse(rules).unwrap_err();
            assert!(reason.contains("line 2"), "{reason}");
        }
    }
}
