//! How the packages of a Python project are installed.

use toml::Table;

use crate::plan::{dockerfile::Text, tree::Tree};

const PIP: &str = "pip install --no-cache-dir";

/// Which program installs packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Uv,
    Poetry,
    /// From `requirements.txt`.
    Requirements,
    /// The project itself, with what it depends on.
    Project,
    /// There is nothing to install.
    Nothing,
}

/// How packages are installed, and how that was found.
pub(super) struct Installer {
    tool: Tool,
    /// Whether packages may lie among the project's files.
    needs_all_files: bool,
    pub(super) why: Option<String>,
    pub(super) warnings: Vec<String>,
}

impl Installer {
    /// Finds the program that has written the lock file, else the manifest that pip understands.
    pub(super) fn of(tree: &Tree) -> Result<Self, String> {
        let project = tree.text("pyproject.toml")?.unwrap_or_default();
        let project: Table =
            toml::from_str(&project).map_err(|cause| format!("pyproject.toml: {}", cause.message()))?;
        if tree.has("uv.lock") {
            return Ok(Self::new(
                Tool::Uv,
                "uv.lock is there: `uv sync --frozen` installs the packages",
            ));
        }
        if tree.has("poetry.lock") {
            return Ok(Self::new(
                Tool::Poetry,
                "poetry.lock is there: Poetry installs the packages",
            ));
        }
        if let Some(requirements) = tree.text("requirements.txt")? {
            return Ok(Self {
                needs_all_files: requirements.lines().any(names_a_file),
                ..Self::new(Tool::Requirements, "pip installs what requirements.txt lists")
            });
        }
        let is_poetry = project.get("tool").is_some_and(|tool| tool.get("poetry").is_some());
        if is_poetry && !project.contains_key("project") {
            return Ok(Self::unlocked(Tool::Poetry, "Poetry installs the packages"));
        }
        if project.contains_key("project") || tree.has("setup.py") || tree.has("setup.cfg") {
            return Ok(Self::unlocked(Tool::Project, "pip installs the project"));
        }
        if tree.has("Pipfile") {
            return Err(
                "there is a Pipfile, which is not understood: add a requirements.txt or a Dockerfile".to_owned(),
            );
        }
        Ok(Self {
            why: None,
            ..Self::new(Tool::Nothing, "")
        })
    }

    fn new(tool: Tool, why: &str) -> Self {
        Self {
            tool,
            needs_all_files: false,
            why: Some(why.to_owned()),
            warnings: Vec::new(),
        }
    }

    fn unlocked(tool: Tool, why: &str) -> Self {
        let warning = "there is no lock file: versions of packages are chosen anew by each build";
        Self {
            warnings: vec![warning.to_owned()],
            ..Self::new(tool, why)
        }
    }

    /// Writes the installation, and what copies the project's files. What changes seldom comes first, so that an engine
    /// need not repeat it.
    pub(super) fn write(&self, text: &mut Text, tree: &Tree) {
        match self.tool {
            Tool::Uv => {
                text.add(format_args!("RUN {PIP} uv"));
                text.add("ENV UV_PROJECT_ENVIRONMENT=/venv UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1");
                text.add("COPY pyproject.toml uv.lock ./");
                text.add("RUN uv sync --frozen --no-dev --no-install-workspace");
                text.add("COPY . .");
                text.add("RUN uv sync --frozen --no-dev --no-editable");
            }
            Tool::Poetry => {
                // Poetry itself is no part of what runs.
                text.add("RUN python -m venv /poetry && /poetry/bin/pip install --no-cache-dir poetry");
                let files = tree.existing(&["pyproject.toml", "poetry.lock"]).join(" ");
                text.add(format_args!("COPY {files} ./"));
                text.add("RUN /poetry/bin/poetry install --only main --no-root --no-interaction --no-cache");
                text.add("COPY . .");
            }
            Tool::Requirements if self.needs_all_files => {
                text.add("COPY . .");
                text.add(format_args!("RUN {PIP} -r requirements.txt"));
            }
            Tool::Requirements => {
                text.add("COPY requirements.txt ./");
                text.add(format_args!("RUN {PIP} -r requirements.txt"));
                text.add("COPY . .");
            }
            Tool::Project => {
                text.add("COPY . .");
                text.add(format_args!("RUN {PIP} ."));
            }
            Tool::Nothing => text.add("COPY . ."),
        }
    }
}

/// Whether a line of `requirements.txt` may name a file of the project.
fn names_a_file(line: &str) -> bool {
    let line = line.trim();
    let is_option = [
        "-r",
        "-c",
        "-e",
        "--requirement",
        "--constraint",
        "--editable",
        "--find-links",
    ]
    .iter()
    .any(|option| line.starts_with(option));
    is_option || line.starts_with(['.', '/']) || line.contains("file:")
}
