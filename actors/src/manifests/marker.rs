//! Files whose presence says something. Their content is not looked at.

use super::place;

/// What the presence of a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Marker {
    /// The directory holds a program in the language of the manifest above it.
    Program,
    /// The directory holds a library in the language of the manifest above it.
    Library,
    /// A package that only a script describes, which is not run.
    PythonPackage,
    RubyPackage,
    /// A page for browsers.
    Page,
    /// TypeScript is compiled.
    Typescript,
    Flutter,
    Ios,
    Terraform,
    Helm,
    Kustomize,
    Ansible,
    Mkdocs,
    Dbt,
    Make,
    CMake,
    PreCommit,
    Dotnet,
    Swift,
    Elixir,
    Deno,
}

impl Marker {
    pub(super) fn of(path: &str) -> Option<Self> {
        let directory = place::directory(path);
        let name = place::file_name(path);
        let is_in = |last: &str| directory == last || directory.ends_with(&format!("/{last}"));
        match name {
            "main.rs" if is_in("src") => Some(Self::Program),
            "lib.rs" if is_in("src") => Some(Self::Library),
            "main.go" => Some(Self::Program),
            "index.html" if matches!(directory, "" | "public" | "www" | "site") => Some(Self::Page),
            "setup.py" => Some(Self::PythonPackage),
            "tsconfig.json" => Some(Self::Typescript),
            "pubspec.yaml" => Some(Self::Flutter),
            "Podfile" => Some(Self::Ios),
            "Chart.yaml" => Some(Self::Helm),
            "kustomization.yaml" | "kustomization.yml" => Some(Self::Kustomize),
            "ansible.cfg" => Some(Self::Ansible),
            "mkdocs.yml" => Some(Self::Mkdocs),
            "dbt_project.yml" => Some(Self::Dbt),
            "Makefile" | "GNUmakefile" => Some(Self::Make),
            "CMakeLists.txt" => Some(Self::CMake),
            ".pre-commit-config.yaml" => Some(Self::PreCommit),
            "Package.swift" => Some(Self::Swift),
            "mix.exs" => Some(Self::Elixir),
            "deno.json" | "deno.jsonc" => Some(Self::Deno),
            _ if name.ends_with(".gemspec") => Some(Self::RubyPackage),
            _ if name.ends_with(".tf") => Some(Self::Terraform),
            _ if name.ends_with(".csproj") || name.ends_with(".fsproj") => Some(Self::Dotnet),
            _ if name.ends_with(".rs") && is_in("src/bin") => Some(Self::Program),
            _ => None,
        }
    }
}
