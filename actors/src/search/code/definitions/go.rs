//! Go: functions with receivers, and what stands inside the brackets of a declaration.

use super::{
    Kind, Line, Spot,
    words::{Word, Words},
};

/// What the lines inside an open bracket are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    Nothing,
    /// `const (`, `var (`, `type (`.
    Group(Kind),
    /// `type name struct {`, `type name interface {`.
    Struct,
}

pub(super) fn spot(line: &Line<'_>, inside: &mut Inside) -> Option<Spot> {
    if line.indent > 0 {
        return (line.indent == 1).then(|| member(line, *inside)).flatten();
    }
    *inside = Inside::Nothing;
    let mut words = Words::new(line.text);
    let kind = match words.word()?.text {
        b"func" => Kind::Function,
        b"type" => Kind::Type,
        b"const" | b"var" => Kind::Constant,
        b"package" => Kind::Module,
        _ => return None,
    };
    words.skip_spaces();
    if words.rest() == b"(" {
        *inside = Inside::Group(kind);
        return None;
    }
    let is_method = kind == Kind::Function && words.skip_enclosed(b'(', b')');
    let name = words.word()?;
    if kind == Kind::Type && line.text.ends_with(b"{") {
        *inside = Inside::Struct;
    }
    Some(at(name, if is_method { Kind::Method } else { kind }))
}

fn member(line: &Line<'_>, inside: Inside) -> Option<Spot> {
    let mut words = Words::new(line.text);
    let name = words.word()?;
    let rest = words.rest();
    match inside {
        Inside::Nothing => None,
        Inside::Group(kind) => Some(at(name, kind)),
        Inside::Struct if rest.starts_with(b"(") => Some(at(name, Kind::Method)),
        // A lone word is an embedded type.
        Inside::Struct => (rest.starts_with(b" ") || rest.starts_with(b",")).then(|| at(name, Kind::Field)),
    }
}

fn at(name: Word<'_>, kind: Kind) -> Spot {
    Spot {
        start: name.start,
        end: name.end,
        kind,
    }
}
