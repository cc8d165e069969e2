//! Gradle's scripts. They are programs and are never run: only plain coordinates, plugin ids and `include` are read.

use std::sync::LazyLock;

use regex::Regex;

use crate::manifests::{
    findings::{Ecosystem, Kind},
    part::{Declared, Manifest, Patterns},
    syntax::pattern,
};

/// `implementation("group:artifact:version")`, also inside of `platform(..)`.
static COORDINATES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?m)^\s*(\w+)[ (]\s*(?:(?:enforcedPlatform|platform)\s*\()?\s*["']([\w.\-]+):([\w.\-]+)(?::([^"'@:]+))?[^"']*["']"#,
    )
});

/// `id("name")`, `id 'name'`, `apply plugin: 'name'`.
static PLUGIN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?m)(?:^|[\s{;])(?:id[ (]\s*|apply\s+plugin:\s*)["']([\w.\-]+)["']"#));

/// `kotlin("jvm")`.
static KOTLIN: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?m)(?:^|[\s{;])kotlin\(\s*["'](\w+)["']"#));

/// A line of `include` with its texts.
static INCLUDE: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?m)^\s*include[ (]\s*((?:["'][^"']+["']\s*,?\s*)+)"#));

static QUOTED: LazyLock<Regex> = LazyLock::new(|| pattern(r#"["']([^"']+)["']"#));

/// Comments, and before them the texts that may look like one: an address has two slashes.
static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?s)("[^"\n]*"|'[^'\n]*')|/\*.*?\*/|//[^\n]*"#));

pub(super) fn read_build(path: &str, source: &str) -> Manifest {
    let code = COMMENT.replace_all(source, "$1");
    let mut manifest = Manifest::new(path, Ecosystem::Maven, Some("java"));
    manifest.is_lockable = false;
    manifest.dependencies = COORDINATES
        .captures_iter(&code)
        .filter_map(|parts| declared(&parts))
        .collect();
    manifest.hints = PLUGIN
        .captures_iter(&code)
        .map(|parts| format!("plugin:{}", &parts[1]))
        .collect();
    manifest.hints.extend(
        KOTLIN
            .captures_iter(&code)
            .map(|parts| format!("plugin:org.jetbrains.kotlin.{}", &parts[1])),
    );
    manifest.hints.push("manager:gradle".to_owned());
    manifest.is_library = manifest
        .hints
        .iter()
        .any(|hint| matches!(hint.as_str(), "plugin:java-library" | "plugin:com.android.library"));
    manifest
}

fn declared(parts: &regex::Captures<'_>) -> Option<Declared> {
    let kind = kind_of(&parts[1])?;
    let mut declared = Declared::new(&format!("{}:{}", &parts[2], &parts[3]), kind);
    // A version that a variable gives is not known without running the script.
    declared.requirement = parts
        .get(4)
        .map(|version| version.as_str().to_owned())
        .filter(|text| !text.contains('$'));
    declared.version = declared.requirement.clone().filter(|text| is_exact(text));
    Some(declared)
}

/// Tells from a configuration what it is for; none for what is not one.
fn kind_of(configuration: &str) -> Option<Kind> {
    let lower = configuration.to_ascii_lowercase();
    if lower.starts_with("test") || lower.starts_with("androidtest") || lower.starts_with("debug") {
        return Some(Kind::Dev);
    }
    match lower.as_str() {
        "annotationprocessor" | "kapt" | "ksp" | "classpath" => Some(Kind::Build),
        "developmentonly" => Some(Kind::Dev),
        _ => {
            let ends = [
                "implementation",
                "api",
                "compile",
                "compileonly",
                "runtime",
                "runtimeonly",
                "providedcompile",
            ];
            ends.iter().any(|end| lower.ends_with(end)).then_some(Kind::Runtime)
        }
    }
}

/// Tells one version from a range or a rule such as `[1,2)`, `1.+` and `latest.release`.
pub(super) fn is_exact(version: &str) -> bool {
    let is_range = version.contains(['[', ']', '(', ')', '+', ',', '$', ' ']);
    !is_range && !version.starts_with("latest") && !version.ends_with("-SNAPSHOT") && !version.is_empty()
}

pub(super) fn read_settings(path: &str, source: &str) -> Manifest {
    let code = COMMENT.replace_all(source, "$1");
    let mut manifest = Manifest::new(path, Ecosystem::Maven, None);
    manifest.is_package = false;
    manifest.is_lockable = false;
    let lines: Vec<String> = INCLUDE.captures_iter(&code).map(|parts| parts[1].to_owned()).collect();
    let included: Vec<String> = lines
        .iter()
        .flat_map(|line| QUOTED.captures_iter(line))
        .map(|parts| parts[1].trim_start_matches(':').replace(':', "/"))
        .collect();
    manifest.workspace = (!included.is_empty()).then_some(Patterns {
        included,
        excluded: Vec::new(),
    });
    manifest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_coordinates_of_configurations_count() {
        let script = r#"
            plugins { id("org.springframework.boot") version "3.2.0"; kotlin("jvm") version "2.0.0" }
            // implementation("com.example:commented:1.0")
            /* api 'com.example:commented:1.0' */
            repositories { maven { url = uri("https://example.org/maven") } }
            dependencies {
                implementation("com.example:plain:1.0")
                api platform('com.example:bom:2.+')
                implementation("com.example:variable:$version")
                testImplementation 'junit:junit:4.13.2'
                implementation(libs.from.catalog)
                println("a:b:c")
            }"#;
        let manifest = read_build("build.gradle.kts", script);
        let found: Vec<_> = manifest
            .dependencies
            .iter()
            .map(|declared| {
                (
                    declared.name.as_str(),
                    declared.requirement.as_deref(),
                    declared.version.as_deref(),
                    declared.kind,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("com.example:plain", Some("1.0"), Some("1.0"), Kind::Runtime),
                ("com.example:bom", Some("2.+"), None, Kind::Runtime),
                ("com.example:variable", None, None, Kind::Runtime),
                ("junit:junit", Some("4.13.2"), Some("4.13.2"), Kind::Dev),
            ]
        );
        assert_eq!(
            manifest.hints,
            [
                "plugin:org.springframework.boot",
                "plugin:org.jetbrains.kotlin.jvm",
                "manager:gradle"
            ]
        );
    }

    #[test]
    fn members_are_read_from_the_settings() {
        let settings = read_settings(
            "settings.gradle",
            "rootProject.name = 'x'\ninclude ':app', ':core:model'\ninclude(\"web\")\n",
        );
        assert_eq!(settings.workspace.unwrap().included, ["app", "core/model", "web"]);
    }
}
