//! Dockerfiles: which image the last stage stands on, and the ports that it exposes.

use std::collections::HashMap;

use super::{Image, variable};

/// Stages and arguments beyond this are no longer written by people.
const MAX_STAGES: usize = 100;

/// What has been read up to a line.
#[derive(Default)]
struct Progress {
    /// Each stage's name in lower case and the image that it stands on in the end.
    stages: Vec<(Option<String>, String)>,
    /// The defaults of `ARG` and the values of `ENV`.
    values: HashMap<String, String>,
    /// What the current stage exposes; a stage inherits nothing from those that it only copies from.
    ports: Vec<u16>,
}

/// Reads a Dockerfile; none when it has no stage.
pub(super) fn read(path: &str, source: &str) -> Option<Image> {
    let mut progress = Progress::default();
    for instruction in instructions(source) {
        let Some((verb, rest)) = instruction.split_once(char::is_whitespace) else {
            continue;
        };
        match verb.to_ascii_uppercase().as_str() {
            "FROM" => progress.begin_stage(rest),
            "ARG" | "ENV" => progress.set_values(rest),
            "EXPOSE" => progress.expose(rest),
            _ => {}
        }
    }
    let (_, base) = progress.stages.pop()?;
    progress.ports.sort_unstable();
    progress.ports.dedup();
    Some(Image {
        path: path.to_owned(),
        base,
        ports: progress.ports,
    })
}

impl Progress {
    fn begin_stage(&mut self, rest: &str) {
        let mut words = rest.split_whitespace().filter(|word| !word.starts_with("--"));
        let Some(image) = words.next().map(|word| self.filled(word)) else {
            return;
        };
        if self.stages.len() >= MAX_STAGES {
            return;
        }
        let name = words
            .next()
            .filter(|word| word.eq_ignore_ascii_case("as"))
            .and(words.next());
        let wanted = image.to_ascii_lowercase();
        let earlier = self.stages.iter().rfind(|(stage, _)| stage.as_ref() == Some(&wanted));
        let base = earlier.map_or(image, |(_, base)| base.clone());
        self.stages.push((name.map(str::to_ascii_lowercase), base));
        self.ports.clear();
    }

    /// Reads `NAME=value NAME2="value"` and the older `NAME value`.
    fn set_values(&mut self, rest: &str) {
        if !rest.contains('=') {
            if let Some((name, value)) = rest.trim().split_once(char::is_whitespace) {
                self.set_value(name, value);
            }
            return;
        }
        for (name, value) in rest.split_whitespace().filter_map(|word| word.split_once('=')) {
            self.set_value(name, value);
        }
    }

    fn set_value(&mut self, name: &str, value: &str) {
        let plain = self.filled(value.trim().trim_matches(['"', '\'']));
        self.values.insert(name.to_owned(), plain);
    }

    fn expose(&mut self, rest: &str) {
        for word in rest.split_whitespace() {
            let full = self.filled(word);
            let number = match full.split_once('/') {
                Some((number, protocol)) if protocol.eq_ignore_ascii_case("tcp") => number,
                Some(_) => continue,
                None => &full,
            };
            self.ports.extend(number.parse::<u16>().ok().filter(|port| *port > 0));
        }
    }

    /// Puts the values in that are known by now.
    fn filled(&self, text: &str) -> String {
        variable::filled(text, |name| self.values.get(name).map(String::as_str))
    }
}

/// Puts continued lines together, and leaves out comments and the bodies of here-documents.
fn instructions(source: &str) -> Vec<String> {
    let escape = if is_backtick_escape(source) { '`' } else { '\\' };
    let mut found: Vec<String> = Vec::new();
    let mut is_open = false;
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let code = content.strip_suffix(escape);
        match found.last_mut() {
            Some(last) if is_open => {
                last.push(' ');
                last.push_str(code.unwrap_or(content));
            }
            _ => found.push(code.unwrap_or(content).to_owned()),
        }
        is_open = code.is_some();
        if let Some(end) = here_document(content) {
            lines.by_ref().find(|body| body.trim() == end);
        }
    }
    found
}

fn is_backtick_escape(source: &str) -> bool {
    let directives = source.lines().take_while(|line| line.starts_with('#'));
    let compact = |line: &str| line.to_ascii_lowercase().replace(' ', "");
    directives.map(compact).any(|line| line == "#escape=`")
}

/// Returns the word that ends the here-document that a line begins.
fn here_document(line: &str) -> Option<&str> {
    let (_, after) = line.split_once("<<")?;
    let word = after.trim_start_matches('-').trim_start_matches(['"', '\'']);
    let end = word
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(word.len());
    let name = &word[..end];
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        .then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_is_followed_to_its_image() {
        let text = "# syntax=docker/dockerfile:1\nARG VERSION=3.12\nFROM --platform=$BUILDPLATFORM node:22 AS assets\n\
                    RUN npm ci\nFROM python:${VERSION}-slim AS Base\nENV PORT=8000\nFROM base\nCOPY --from=assets /a /a\n\
                    EXPOSE $PORT 9000/tcp \\\n  53/udp\nRUN <<EOF\nFROM nothing\nEXPOSE 1\nEOF\nCMD [\"x\"]\n";
        let image = read("Dockerfile", text).unwrap();
        assert_eq!(image.base, "python:3.12-slim");
        assert_eq!(image.ports, [8000, 9000]);
    }

    #[test]
    fn what_is_not_known_stays_as_it_is_written() {
        let image = read("Dockerfile", "FROM ${REGISTRY}/app:${TAG:-latest}\nEXPOSE ${PORT}\n").unwrap();
        assert_eq!(image.base, "${REGISTRY}/app:latest");
        assert!(image.ports.is_empty());
        assert!(read("Dockerfile", "# nothing\n").is_none());
    }
}
