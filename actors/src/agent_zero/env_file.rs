//! Reads a file of variables as Agent Zero does, which uses python-dotenv and writes values without quotes, whatever is
//! in them. The crates for such files want quotes around spaces, so they would read another password than it does.

use std::collections::BTreeMap;

/// Returns the variables; lines that are none are left out. What is after a `#` with a space before it is a comment.
pub(super) fn parse(text: &str) -> BTreeMap<String, String> {
    text.lines().filter_map(variable).collect()
}

fn variable(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    (!name.is_empty() && is_name(name)).then(|| (name.to_owned(), value_of(value.trim())))
}

fn value_of(text: &str) -> String {
    ['\'', '"']
        .into_iter()
        .find_map(|quote| quoted(text, quote))
        .unwrap_or_else(|| without_comment(text).to_owned())
}

/// Returns what is between quotes, if the text begins with one and has another.
fn quoted(text: &str, quote: char) -> Option<String> {
    let mut value = String::new();
    let mut characters = text.strip_prefix(quote)?.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next()? {
                'n' if quote == '"' => value.push('\n'),
                escaped if escaped == quote || escaped == '\\' => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            character if character == quote => return Some(value),
            character => value.push(character),
        }
    }
    None
}

fn without_comment(text: &str) -> &str {
    let begins_comment = |(position, _): &(usize, &str)| {
        let before = text.get(..*position).unwrap_or_default();
        before.is_empty() || before.ends_with(char::is_whitespace)
    };
    let comment = text.match_indices('#').find(begins_comment);
    comment.map_or(text, |(position, _)| text[..position].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_python_dotenv_does() {
        for (line, value) in [
            ("A=b", "b"),
            ("export A = b ", "b"),
            ("A=two words & more", "two words & more"),
            ("A=b#c", "b#c"),
            ("A=b # a comment", "b"),
            ("A=", ""),
            ("A=# nothing", ""),
            ("A='it\\'s' # one", "it's"),
            ("A=\"a\\n\\\"b\\\"\"", "a\n\"b\""),
            ("A='open", "'open"),
            ("A=b=c", "b=c"),
        ] {
            assert_eq!(parse(line)["A"], value, "{line}");
        }
        assert!(parse("# A=b\n\nnot a line\n=x\na b=c").is_empty());
    }
}
