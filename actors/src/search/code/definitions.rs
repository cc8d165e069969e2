//! Finds the lines that give something its name, with a scanner that looks at one line at a time. It knows no grammar:
//! it is to be right mostly and quick always, since it only decides what is shown first.

mod c;
mod go;
mod keyword;
mod line;
mod members;
mod script;
mod syntax;
mod words;

use line::{Line, Spot};
pub(super) use syntax::Syntax;
pub(super) use words::is_part_of_word;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A function on its own.
    Function = 0,
    /// A function of a type.
    Method = 1,
    /// A class, struct, enum, trait, interface or alias.
    Type = 2,
    /// A constant or a variable that all can see.
    Constant = 3,
    /// A part of a type.
    Field = 4,
    /// A module, namespace or package.
    Module = 5,
    /// A macro.
    Macro = 6,
}

impl Kind {
    /// Returns the kind's name in small letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Method => "method",
            Self::Type => "type",
            Self::Constant => "constant",
            Self::Field => "field",
            Self::Module => "module",
            Self::Macro => "macro",
        }
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        use Kind::{Constant, Field, Function, Macro, Method, Module, Type};
        [Function, Method, Type, Constant, Field, Module, Macro]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// A name and where it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Definition<'a> {
    /// Lines before its line.
    pub(super) line: u32,
    /// Bytes of the line before the name.
    pub(super) column: u16,
    pub(super) name: &'a [u8],
    pub(super) kind: Kind,
}

/// Machines write files with more; whoever looks for one of those finds it without the table.
const MAX_PER_FILE: usize = 2000;

/// Headers of registers hold many thousands of macros, and none is worth more than its line.
const MAX_MACROS_PER_FILE: usize = 256;

/// A name of more bytes was not written by a person.
const MAX_NAME_BYTES: usize = 120;

/// A line of more bytes neither.
const MAX_LINE_BYTES: usize = 1000;

/// Returns what the file defines, in the order of the lines.
pub(super) fn scan(syntax: Syntax, content: &[u8]) -> Vec<Definition<'_>> {
    let mut found = Vec::new();
    let mut num_macros = 0;
    let mut scanner = Scanner::new(syntax);
    for (line, number) in Line::all(content).zip(0_u32..) {
        if found.len() >= MAX_PER_FILE {
            break;
        }
        let Some(definition) = line
            .filter(|line| line.text.len() <= MAX_LINE_BYTES)
            .and_then(|line| scanner.find(&line, number))
        else {
            continue;
        };
        num_macros += usize::from(definition.kind == Kind::Macro);
        let is_wanted = definition.kind != Kind::Macro || num_macros <= MAX_MACROS_PER_FILE;
        if is_wanted && (1..=MAX_NAME_BYTES).contains(&definition.name.len()) {
            found.push(definition);
        }
    }
    found
}

/// Looks at the lines of one file, one after the other.
struct Scanner {
    syntax: Syntax,
    /// What an open bracket of Go or C makes of the lines inside.
    go: go::Inside,
    is_in_typedef: bool,
}

impl Scanner {
    fn new(syntax: Syntax) -> Self {
        Self {
            syntax,
            go: go::Inside::Nothing,
            is_in_typedef: false,
        }
    }

    fn find<'a>(&mut self, line: &Line<'a>, number: u32) -> Option<Definition<'a>> {
        let spot = self.spot(line)?;
        Some(Definition {
            line: number,
            column: u16::try_from(line.indent + spot.start).ok()?,
            name: line.text.get(spot.start..spot.end)?,
            kind: spot.kind,
        })
    }

    fn spot(&mut self, line: &Line<'_>) -> Option<Spot> {
        match self.syntax {
            Syntax::None => None,
            Syntax::C => c::spot(line, &mut self.is_in_typedef),
            Syntax::Go => go::spot(line, &mut self.go),
            Syntax::Java(grammar) => keyword::spot(line, grammar).or_else(|| members::spot(line)),
            Syntax::Script(grammar) => script::spot(line, grammar),
            Syntax::Keywords(grammar) => keyword::spot(line, grammar),
        }
    }
}

#[cfg(test)]
mod tests;
