//! Variables in Dockerfiles and compose files.

/// Longer values come from variables that multiply each other.
const MAX_VALUE_BYTES: usize = 512;

/// Puts `$NAME`, `${NAME}`, `${NAME-default}` and `${NAME:-default}` in; what has neither a value nor a default stays as
/// it is written.
pub(super) fn filled<'value>(text: &str, value_of: impl Fn(&str) -> Option<&'value str>) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        let (name, default, after) = split(&rest[at + 1..]);
        match value_of(name).filter(|value| !value.is_empty()).or(default) {
            Some(value) => result.push_str(value),
            None => result.push_str(&rest[at..rest.len() - after.len()]),
        }
        rest = after;
    }
    result.push_str(rest);
    if result.len() > MAX_VALUE_BYTES {
        text.to_owned()
    } else {
        result
    }
}

/// Splits what follows a `$` into the name, its default and the rest.
fn split(text: &str) -> (&str, Option<&str>, &str) {
    if let Some((inner, after)) = text.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
        let parts = inner.split_once(":-").or_else(|| inner.split_once('-'));
        let (name, default) = parts.map_or((inner, None), |(name, default)| (name, Some(default)));
        return (name, default, after);
    }
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    (&text[..end], None, &text[end..])
}
