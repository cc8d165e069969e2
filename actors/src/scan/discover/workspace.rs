//! Which directories a project names as members of its workspace: Cargo, npm, Yarn, pnpm, uv, Go.

use std::{fs, path::Path};

use ignore::gitignore::GitignoreBuilder;
use serde::Deserialize;

/// Manifests are written by people.
const MAX_BYTES: u64 = 1024 * 1024;

/// Tells whether the project's manifests name the directory as a member.
pub(super) fn has_member(project: &Path, directory: &Path) -> bool {
    let Ok(relative) = directory.strip_prefix(project) else {
        return false;
    };
    let patterns = patterns(project);
    // What workspaces call globs are those of `.gitignore`, the last that fits decides, and `!` excludes.
    let mut builder = GitignoreBuilder::new(project);
    for pattern in patterns {
        let (sign, pattern) = pattern
            .strip_prefix('!')
            .map_or(("", pattern.as_str()), |rest| ("!", rest));
        let pattern = pattern.trim_start_matches("./").trim_matches('/');
        // A pattern that cannot be understood names nothing.
        let _malformed = builder.add_line(None, &format!("{sign}/{pattern}"));
    }
    builder
        .build()
        .is_ok_and(|members| members.matched(relative, true).is_ignore())
}

fn patterns(project: &Path) -> Vec<String> {
    let mut patterns = Vec::new();
    patterns.extend(
        read(project, "Cargo.toml")
            .and_then(|text| toml::from_str::<Cargo>(&text).ok())
            .map(Cargo::members),
    );
    patterns.extend(
        read(project, "pyproject.toml")
            .and_then(|text| toml::from_str::<Python>(&text).ok())
            .map(Python::members),
    );
    patterns.extend(
        read(project, "package.json")
            .and_then(|text| serde_json::from_str::<Node>(&text).ok())
            .map(Node::members),
    );
    patterns.extend(read(project, "pnpm-workspace.yaml").map(|text| pnpm(&text)));
    patterns.extend(read(project, "go.work").map(|text| go(&text)));
    patterns.into_iter().flatten().collect()
}

fn read(project: &Path, name: &str) -> Option<String> {
    let path = project.join(name);
    let metadata = fs::symlink_metadata(&path).ok()?;
    (metadata.is_file() && metadata.len() <= MAX_BYTES)
        .then(|| fs::read_to_string(path).ok())
        .flatten()
}

#[derive(Deserialize)]
struct Cargo {
    workspace: Option<CargoWorkspace>,
}

#[derive(Deserialize)]
struct CargoWorkspace {
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
}

impl Cargo {
    fn members(self) -> Vec<String> {
        let workspace = self.workspace.map(|workspace| {
            let excluded = workspace.exclude.into_iter().map(|pattern| format!("!{pattern}"));
            workspace.members.into_iter().chain(excluded).collect()
        });
        workspace.unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Python {
    tool: Option<PythonTool>,
}

#[derive(Deserialize)]
struct PythonTool {
    uv: Option<Uv>,
}

#[derive(Deserialize)]
struct Uv {
    workspace: Option<CargoWorkspace>,
}

impl Python {
    fn members(self) -> Vec<String> {
        let workspace = self.tool.and_then(|tool| tool.uv).and_then(|uv| uv.workspace);
        Cargo { workspace }.members()
    }
}

#[derive(Deserialize)]
struct Node {
    workspaces: Option<NodeWorkspaces>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NodeWorkspaces {
    List(Vec<String>),
    Yarn { packages: Vec<String> },
}

impl Node {
    fn members(self) -> Vec<String> {
        match self.workspaces {
            Some(NodeWorkspaces::List(members) | NodeWorkspaces::Yarn { packages: members }) => members,
            None => Vec::new(),
        }
    }
}

/// Reads the list of a `pnpm-workspace.yaml`, which is the only list of plain strings that such a file needs.
fn pnpm(text: &str) -> Vec<String> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("packages:")).skip(1);
    let items =
        std::iter::from_fn(|| lines.find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')));
    let items = items.map_while(|line| line.trim_start().strip_prefix('-'));
    items
        .map(|item| item.trim().trim_matches(['"', '\'']).to_owned())
        .collect()
}

/// Reads the `use` directives of a `go.work`.
fn go(text: &str) -> Vec<String> {
    let mut members = Vec::new();
    let mut is_in_list = false;
    for line in text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default().trim())
    {
        match line {
            "use (" => is_in_list = true,
            ")" => is_in_list = false,
            line if is_in_list => members.push(line.to_owned()),
            line => members.extend(line.strip_prefix("use ").map(|member| member.trim().to_owned())),
        }
    }
    members.retain(|member| !member.is_empty());
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(file: &str, content: &str) {
        let project = tempfile::tempdir().unwrap();
        fs::write(project.path().join(file), content).unwrap();
        let member = project.path().join("packages/one");
        assert!(has_member(project.path(), &member), "{file}: {content}");
        assert!(
            !has_member(project.path(), &project.path().join("other")),
            "{file}: {content}"
        );
        assert!(
            !has_member(project.path(), &project.path().join("packages/excluded")),
            "{file}: {content}"
        );
    }

    #[test]
    fn members_are_read_from_each_kind_of_workspace() {
        check(
            "Cargo.toml",
            "[workspace]\nmembers = [\"packages/*\"]\nexclude = [\"packages/excluded\"]\n",
        );
        check(
            "package.json",
            r#"{"workspaces": ["packages/*", "!packages/excluded"]}"#,
        );
        check("package.json", r#"{"workspaces": {"packages": ["./packages/one"]}}"#);
        check(
            "pnpm-workspace.yaml",
            "packages:\n  # ours\n  - 'packages/*'\n  - '!packages/excluded'\ncatalog:\n  - other\n",
        );
        check("pyproject.toml", "[tool.uv.workspace]\nmembers = [\"packages/o*\"]\n");
        check("go.work", "go 1.22\n\nuse (\n\t./packages/one // first\n)\n");
        check("go.work", "use ./packages/one\n");
    }
}
