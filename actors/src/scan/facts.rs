//! What is in a project and what is not, as the scores and people ask about it.

use std::collections::BTreeMap;

use serde::Serialize;
use tokei::LanguageType;

use super::{artefact, class::Class, function::FunctionSizes, language::Lines, record::Record, walk::Walked};

/// Files with more lines of code have more than one reason to change.
const LARGE_LINES: u64 = 500;
const MAX_NAMED: usize = 50;

/// Facts about a project's files.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Facts {
    /// The README of the project's root.
    pub readme: Option<String>,
    /// Its size; none where the README is a link.
    pub readme_bytes: Option<u64>,
    /// How many headings the README has.
    pub num_readme_headings: u32,
    /// The file with the licence.
    pub licence_file: Option<String>,
    /// The first 50 files that tell a CI service what to do.
    pub ci_files: Vec<String>,
    /// The first 50 files that tell how an image is built.
    pub dockerfiles: Vec<String>,
    /// Whether `.gitignore` is in the root.
    pub has_gitignore: bool,
    /// Files that hold tests, by their path or by what is in them.
    pub num_test_files: usize,
    /// Files with the project's own code, tests included.
    pub num_code_files: usize,
    /// Lines of the project's own code, without tests, docs, vendored and generated files.
    pub source_lines: Lines,
    /// Lines in files that hold nothing but tests.
    pub test_lines: Lines,
    /// Files of own code with more than 500 lines of it.
    pub num_large_files: usize,
    /// The lines of code of the largest of them.
    pub longest_file_lines: u64,
    /// The functions of the project's own code.
    pub functions: FunctionSizes,
    /// How often own code says TODO.
    pub num_todos: u32,
    /// How often own code says FIXME.
    pub num_fixmes: u32,
    /// Files of own code whose name is written as most of their language are.
    pub num_usual_names: usize,
    /// Files in the project's root.
    pub num_root_files: usize,
    /// Directories with own code.
    pub num_code_directories: usize,
    /// Directories that builds or installations left and no `.gitignore` names.
    pub artefact_directories: Vec<String>,
    /// Files that compilers or packagers made.
    pub num_artefact_files: usize,
    /// Their size together.
    pub artefact_bytes: u64,
    /// The size of all files.
    pub total_bytes: u64,
    /// Files and their size by what they are for.
    pub classes: BTreeMap<Class, ClassSize>,
}

/// How much there is of a class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ClassSize {
    /// Files.
    pub num_files: usize,
    /// Their size together.
    pub bytes: u64,
}

/// Gathers the facts.
#[derive(Default)]
pub(super) struct Gatherer {
    facts: Facts,
    names: BTreeMap<(LanguageType, NameStyle), usize>,
    code_directories: std::collections::HashSet<String>,
}

impl Gatherer {
    pub(super) fn new(walked: &Walked) -> Self {
        let mut gatherer = Self::default();
        gatherer.facts.artefact_directories.clone_from(&walked.artefacts);
        for link in &walked.root_links {
            gatherer.add_root_name(link, None);
        }
        gatherer
    }

    pub(super) fn add(&mut self, path: &str, record: &Record) {
        let size = record.stamp.size;
        self.facts.total_bytes += size;
        let class = self.facts.classes.entry(record.class).or_default();
        class.num_files += 1;
        class.bytes += size;
        if !path.contains('/') {
            self.facts.num_root_files += 1;
            self.add_root_name(path, Some(record));
        }
        if artefact::is_file(path) && record.class != Class::Vendored && record.class != Class::Test {
            self.facts.num_artefact_files += 1;
            self.facts.artefact_bytes += size;
        }
        if record.class != Class::Vendored {
            self.add_special(path);
        }
        if record.is_own_code() {
            self.add_code(path, record);
        }
    }

    fn add_root_name(&mut self, name: &str, record: Option<&Record>) {
        let lower = name.to_lowercase();
        let stem = lower.split_once('.').map_or(lower.as_str(), |(stem, _)| stem);
        if stem == "readme" && self.facts.readme.is_none() {
            self.facts.readme = Some(name.to_owned());
            self.facts.readme_bytes = record.map(|record| record.stamp.size);
            self.facts.num_readme_headings = record.map_or(0, |record| record.num_headings);
        }
        let is_licence = ["license", "licence", "copying", "unlicense"]
            .iter()
            .any(|word| stem.starts_with(word));
        if is_licence && self.facts.licence_file.is_none() {
            self.facts.licence_file = Some(name.to_owned());
        }
        self.facts.has_gitignore |= name == ".gitignore";
    }

    fn add_special(&mut self, path: &str) {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        if is_ci(path, name) && self.facts.ci_files.len() < MAX_NAMED {
            self.facts.ci_files.push(path.to_owned());
        }
        let is_dockerfile = name == "Dockerfile"
            || name == "Containerfile"
            || name.starts_with("Dockerfile.")
            || name.ends_with(".Dockerfile");
        if is_dockerfile && self.facts.dockerfiles.len() < MAX_NAMED {
            self.facts.dockerfiles.push(path.to_owned());
        }
    }

    fn add_code(&mut self, path: &str, record: &Record) {
        let facts = &mut self.facts;
        let own = record.counts.own;
        facts.num_code_files += 1;
        match record.class {
            Class::Test => facts.test_lines.add(own),
            _ => facts.source_lines.add(own),
        }
        facts.num_test_files += usize::from(record.has_tests || record.class == Class::Test);
        facts.num_large_files += usize::from(own.code > LARGE_LINES);
        facts.longest_file_lines = facts.longest_file_lines.max(own.code);
        facts.functions.add(record.functions);
        facts.num_todos += record.num_todos;
        facts.num_fixmes += record.num_fixmes;
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        if !self.code_directories.contains(directory) {
            self.code_directories.insert(directory.to_owned());
        }
        if let (Some(language), Some(style)) = (record.language, NameStyle::of(name)) {
            *self.names.entry((language.0, style)).or_default() += 1;
        }
    }

    pub(super) fn finish(mut self) -> Facts {
        let mut most: BTreeMap<LanguageType, usize> = BTreeMap::new();
        let mut styled: usize = 0;
        for ((language, _), count) in &self.names {
            let best = most.entry(*language).or_default();
            *best = (*best).max(*count);
            styled += count;
        }
        // A name of one lower-case word follows every style.
        let plain = self.facts.num_code_files - styled;
        self.facts.num_usual_names = plain + most.values().sum::<usize>();
        self.facts.num_code_directories = self.code_directories.len();
        self.facts
    }
}

fn is_ci(path: &str, name: &str) -> bool {
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    let is_root = !path.contains('/');
    (is_yaml
        && (path.starts_with(".github/workflows/")
            || path.starts_with(".forgejo/workflows/")
            || path.starts_with(".gitea/workflows/")))
        || path.starts_with(".circleci/")
        || path.starts_with(".buildkite/")
        || path.starts_with(".ci/")
        || (is_root
            && matches!(
                name,
                ".gitlab-ci.yml"
                    | ".travis.yml"
                    | ".drone.yml"
                    | ".woodpecker.yml"
                    | ".cirrus.yml"
                    | "azure-pipelines.yml"
                    | "bitbucket-pipelines.yml"
                    | "appveyor.yml"
                    | "Jenkinsfile"
            ))
}

/// How a name of several words is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum NameStyle {
    Snake,
    Kebab,
    Camel,
    Pascal,
}

impl NameStyle {
    /// Tells the style, or nothing for a name of one word in lower case.
    fn of(name: &str) -> Option<Self> {
        let stem = name
            .trim_start_matches(['.', '_'])
            .split_once('.')
            .map_or(name, |(stem, _)| stem);
        let has_upper = stem.chars().any(|character| character.is_ascii_uppercase());
        let starts_upper = stem.starts_with(|character: char| character.is_ascii_uppercase());
        if stem.contains('-') {
            Some(Self::Kebab)
        } else if stem.contains('_') {
            Some(Self::Snake)
        } else if starts_upper {
            Some(Self::Pascal)
        } else {
            has_upper.then_some(Self::Camel)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_of_a_name_is_told_from_its_words() {
        assert_eq!(NameStyle::of("main.rs"), None);
        assert_eq!(NameStyle::of("__init__.py"), Some(NameStyle::Snake));
        assert_eq!(NameStyle::of("my_file.rs"), Some(NameStyle::Snake));
        assert_eq!(NameStyle::of("my-file.test.ts"), Some(NameStyle::Kebab));
        assert_eq!(NameStyle::of("MyFile.java"), Some(NameStyle::Pascal));
        assert_eq!(NameStyle::of("myFile.js"), Some(NameStyle::Camel));
    }

    #[test]
    fn ci_files_are_known_by_their_place() {
        assert!(is_ci(".github/workflows/a.yml", "a.yml"));
        assert!(is_ci(".gitlab-ci.yml", ".gitlab-ci.yml"));
        assert!(!is_ci("docs/.travis.yml", ".travis.yml"));
    }
}
