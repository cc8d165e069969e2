//! The technologies of a project, from the packages that it names and the images that it runs.
//!
//! What is needed to run counts fully. What is needed to build or develop, or is optional, only brings tools and
//! languages, with one exception: bundlers put a web page's framework among the development packages of npm.

mod cargo;
mod composer;
mod gem;
mod go;
mod image;
mod maven;
mod npm;
mod pypi;

use std::collections::BTreeMap;

use super::{
    docker::short_name,
    findings::{Ecosystem, Kind, Stack},
    gather::Gathered,
    marker::Marker,
    part::{Declared, Manifest, Role},
};

/// What a technology is for. The order is that of a list of frameworks, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Category {
    /// Makes what people see in a browser.
    Web,
    /// Serves requests of programs.
    Api,
    /// Makes apps for phones.
    Mobile,
    /// Works on data, statistics or models.
    Data,
    /// Makes static sites.
    Site,
    /// Makes programs for the command line.
    Cli,
    /// Any other framework.
    Framework,
    /// Keeps data.
    Database,
    /// Builds, tests, checks or ships.
    Tool,
    /// Describes machines.
    Infra,
    /// A programming language.
    Language,
}

/// A package, also as `package[feature]` or with a `*` at the end, the technology that it tells of, and its category.
/// A package may stand in several rows.
type Rule = (&'static str, &'static str, Category);

/// The technologies found, by name.
#[derive(Debug, Default)]
pub(super) struct Technologies {
    found: BTreeMap<&'static str, Category>,
    /// How many packages are written in each language.
    num_packages: BTreeMap<&'static str, usize>,
}

impl Technologies {
    pub(super) fn find(gathered: &Gathered) -> Self {
        let mut technologies = Self::default();
        for manifest in gathered.products() {
            technologies.add_manifest(manifest);
        }
        for lock in &gathered.locks {
            technologies.extend(lock.tool, Category::Tool);
        }
        technologies.add_containers(gathered);
        for (marker, _) in &gathered.markers {
            technologies.add_marker(*marker);
        }
        technologies.join_typescript();
        technologies
    }

    /// Whether something of a category was found.
    pub(super) fn has(&self, category: Category) -> bool {
        self.found.values().any(|found| *found == category)
    }

    /// Sorts the names into lists.
    pub(super) fn stack(&self) -> Stack {
        let mut listed: Vec<(Category, &str)> = self.found.iter().map(|(name, category)| (*category, *name)).collect();
        listed.sort_unstable();
        let names = |is_wanted: fn(Category) -> bool| -> Vec<String> {
            let wanted = listed.iter().filter(|(category, _)| is_wanted(*category));
            wanted.map(|(_, name)| (*name).to_owned()).collect()
        };
        let mut languages = names(|category| category == Category::Language);
        languages.sort_by_key(|name| std::cmp::Reverse(self.num_packages.get(name.as_str()).copied().unwrap_or(0)));
        Stack {
            languages,
            frameworks: names(|category| category < Category::Database),
            databases: names(|category| category == Category::Database),
            tools: names(|category| matches!(category, Category::Tool | Category::Infra)),
        }
    }

    fn add(&mut self, name: &'static str, category: Category) {
        let known = self.found.entry(name).or_insert(category);
        *known = (*known).min(category);
    }

    fn extend(&mut self, names: impl IntoIterator<Item = &'static str>, category: Category) {
        for name in names {
            self.add(name, category);
        }
    }

    fn add_manifest(&mut self, manifest: &Manifest) {
        if let Some(language) = language(manifest) {
            self.add(language, Category::Language);
            *self.num_packages.entry(language).or_default() += 1;
        }
        let table = table(manifest.ecosystem);
        for declared in manifest
            .dependencies
            .iter()
            .filter(|declared| declared.role != Role::Indirect)
        {
            for (name, category) in technologies_of(table, declared) {
                if counts(manifest.ecosystem, declared.kind, category) {
                    self.add(name, category);
                }
            }
        }
        for hint in &manifest.hints {
            for (name, category) in matches(table, hint) {
                self.add(name, category);
            }
        }
    }

    /// Reads images: of services, and of Dockerfiles, where a language only counts when no manifest tells one.
    fn add_containers(&mut self, gathered: &Gathered) {
        self.extend(gathered.services.iter().map(|services| services.tool), Category::Tool);
        if !gathered.images.is_empty() {
            self.add("docker", Category::Tool);
        }
        let has_language = self.has(Category::Language);
        let services = gathered
            .services
            .iter()
            .flat_map(|services| &services.images)
            .map(|image| (image, true));
        let bases = gathered.images.iter().map(|image| (&image.base, has_language));
        for (image, is_language_known) in services.chain(bases) {
            for (name, category) in matches(image::RULES, short_name(image)) {
                if category != Category::Language || !is_language_known {
                    self.add(name, category);
                }
            }
        }
    }

    /// A package.json does not tell in which of the two languages its code is, so one sign of TypeScript decides.
    fn join_typescript(&mut self) {
        if self.found.contains_key("typescript") && self.found.remove("javascript").is_some() {
            let num_joined = self.num_packages.remove("javascript").unwrap_or(0);
            *self.num_packages.entry("typescript").or_default() += num_joined;
        }
    }

    fn add_marker(&mut self, marker: Marker) {
        let (name, category) = match marker {
            Marker::Program | Marker::Library | Marker::Page => return,
            Marker::PythonPackage => ("python", Category::Language),
            Marker::RubyPackage => ("ruby", Category::Language),
            Marker::Typescript => ("typescript", Category::Language),
            Marker::Flutter => {
                self.add("dart", Category::Language);
                ("flutter", Category::Mobile)
            }
            Marker::Ios => ("cocoapods", Category::Mobile),
            Marker::Terraform => ("terraform", Category::Infra),
            Marker::Helm => ("helm", Category::Infra),
            Marker::Kustomize => ("kustomize", Category::Infra),
            Marker::Ansible => ("ansible", Category::Infra),
            Marker::Mkdocs => ("mkdocs", Category::Tool),
            Marker::Dbt => ("dbt", Category::Data),
            Marker::Make => ("make", Category::Tool),
            Marker::CMake => ("cmake", Category::Tool),
            Marker::PreCommit => ("pre-commit", Category::Tool),
            Marker::Dotnet => ("dotnet", Category::Language),
            Marker::Swift => ("swift", Category::Language),
            Marker::Elixir => ("elixir", Category::Language),
            Marker::Deno => ("deno", Category::Tool),
        };
        self.add(name, category);
    }
}

/// Returns a package's language; that of the JVM and of npm shows in its plugins and tools.
fn language(manifest: &Manifest) -> Option<&'static str> {
    let uses = |text: &str| {
        let named = manifest
            .dependencies
            .iter()
            .map(|declared| &declared.name)
            .chain(&manifest.hints);
        named.into_iter().any(|name| name.contains(text))
    };
    match manifest.language {
        Some("java") if uses("org.jetbrains.kotlin") || uses("plugin:kotlin-maven-plugin") => Some("kotlin"),
        Some("java") if uses("org.scala-lang") || uses("plugin:scala") => Some("scala"),
        Some("javascript")
            if manifest
                .dependencies
                .iter()
                .any(|declared| declared.name == "typescript") =>
        {
            Some("typescript")
        }
        language => language,
    }
}

fn table(ecosystem: Ecosystem) -> &'static [Rule] {
    match ecosystem {
        Ecosystem::Cargo => cargo::RULES,
        Ecosystem::Npm => npm::RULES,
        Ecosystem::Pypi => pypi::RULES,
        Ecosystem::Go => go::RULES,
        Ecosystem::Maven => maven::RULES,
        Ecosystem::Composer => composer::RULES,
        Ecosystem::Gem => gem::RULES,
    }
}

fn technologies_of(table: &'static [Rule], declared: &Declared) -> Vec<(&'static str, Category)> {
    let name = go::without_version(&declared.name);
    let with_features = declared.features.iter().map(|feature| format!("{name}[{feature}]"));
    let keys = std::iter::once(name.to_owned()).chain(with_features);
    keys.flat_map(|key| matches(table, &key).collect::<Vec<_>>()).collect()
}

fn matches<'key>(table: &'static [Rule], key: &'key str) -> impl Iterator<Item = (&'static str, Category)> + use<'key> {
    let is_match = move |pattern: &str| match pattern.strip_suffix('*') {
        Some(prefix) => key.starts_with(prefix),
        None => key == pattern,
    };
    table
        .iter()
        .filter(move |(pattern, ..)| is_match(pattern))
        .map(|(_, name, category)| (*name, *category))
}

fn counts(ecosystem: Ecosystem, kind: Kind, category: Category) -> bool {
    match category {
        Category::Tool | Category::Infra | Category::Language => true,
        Category::Web | Category::Site if ecosystem == Ecosystem::Npm => kind != Kind::Optional,
        _ => kind == Kind::Runtime,
    }
}
