//! How a Python project is started.

use std::sync::LazyLock;

use regex::Regex;

use super::Packages;
use crate::plan::{
    start::{Said, in_container},
    tree::Tree,
};

/// Where people put their app, the likeliest first.
const MODULES: [&str; 13] = [
    "main.py",
    "app.py",
    "server.py",
    "api.py",
    "wsgi.py",
    "asgi.py",
    "application.py",
    "run.py",
    "app/main.py",
    "app/app.py",
    "app/__init__.py",
    "src/main.py",
    "src/app.py",
];
/// Files that are started as they are when nothing else is found.
const SCRIPTS: [&str; 5] = ["main.py", "app.py", "server.py", "run.py", "__main__.py"];

/// `app = FastAPI(`, also with a type.
static APP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?m)^(\w+)\s*(?::\s*[\w.]+\s*)?=\s*(?:\w+\.)?(FastAPI|Starlette|Litestar|Quart|Flask)\(")
});
/// `def create_app(`.
static FACTORY: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^def (create_app|make_app)\("));

fn pattern(text: &'static str) -> Regex {
    Regex::new(text).expect("a constant pattern is valid")
}

/// A start command.
pub(super) struct Way {
    pub(super) command: Vec<String>,
    pub(super) port: Option<u16>,
    pub(super) why: String,
    pub(super) warnings: Vec<String>,
}

impl Way {
    /// A line that names `$PORT`, so that a request can choose the port.
    fn line(line: &str, why: String) -> Result<Self, String> {
        Ok(Self {
            command: in_container(line)?,
            port: None,
            why,
            warnings: Vec::new(),
        })
    }

    fn warn(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }
}

/// Finds the way: what was said, a framework and its app, a program of the project, a script.
pub(super) fn find(tree: &Tree, packages: &Packages, said: Option<&Said>) -> Result<Way, String> {
    if let Some(said) = said {
        return Ok(Way {
            command: said.argv.clone(),
            port: said.port(),
            why: format!("{} starts it", said.by),
            warnings: Vec::new(),
        });
    }
    if let Some(way) = django(tree, packages)? {
        return Ok(way);
    }
    if let Some(app) = App::find(tree)? {
        return app.way(packages);
    }
    if packages.has("streamlit")
        && let Some(script) = tree.existing(&["streamlit_app.py", "app.py", "main.py"]).first()
    {
        let line =
            format!("streamlit run {script} --server.port $PORT --server.address 0.0.0.0 --server.headless true");
        return Way::line(&line, format!("streamlit is among the packages, and {script} is there"));
    }
    match packages.programs.as_slice() {
        [program] => return Way::line(program, format!("`{program}` is the project's program")),
        [] => {}
        several => {
            return Err(format!(
                "the project has several programs ({}): add a Procfile for one",
                several.join(", ")
            ));
        }
    }
    match tree.existing(&SCRIPTS).first() {
        Some(script) => Way::line(
            &format!("python {script}"),
            format!("{script} is there, and nothing else says how to start"),
        ),
        None => Err(
            "it is a Python project, and neither a known framework's app nor a script to start was found".to_owned(),
        ),
    }
}

/// Looks for Django's `manage.py`, and for the module beside it that a server imports.
fn django(tree: &Tree, packages: &Packages) -> Result<Option<Way>, String> {
    if !tree.has("manage.py") || !packages.has("django") {
        return Ok(None);
    }
    let names = tree.names(".");
    let mut sites = names
        .iter()
        .filter(|name| is_module(name) && tree.has(&format!("{name}/wsgi.py")));
    let way = match sites.next() {
        Some(site) if packages.has("gunicorn") => Way::line(
            &format!("gunicorn --bind 0.0.0.0:$PORT {site}.wsgi"),
            format!("django and gunicorn are among the packages, and {site}/wsgi.py is there"),
        )?,
        _ => Way::line(
            "python manage.py runserver --noreload 0.0.0.0:$PORT",
            "django is among the packages, and manage.py is there".to_owned(),
        )?
        .warn("gunicorn is not among the packages: Django's own server is made for work on the project"),
    };
    Ok(Some(way.warn(
        "migrations are not run: that is for a Procfile, or a `command`, to say",
    )))
}

/// An app that a server imports.
struct App {
    file: &'static str,
    /// Its name, such as `main:app`.
    name: String,
    framework: String,
}

impl App {
    fn find(tree: &Tree) -> Result<Option<Self>, String> {
        let mut factory = None;
        for file in MODULES {
            let Some(text) = tree.text(file)? else { continue };
            let module = file
                .trim_end_matches(".py")
                .trim_end_matches("/__init__")
                .replace('/', ".");
            if let Some(found) = APP.captures(&text) {
                return Ok(Some(Self {
                    file,
                    name: format!("{module}:{}", &found[1]),
                    framework: found[2].to_owned(),
                }));
            }
            if let Some(found) = FACTORY
                .captures(&text)
                .filter(|_| factory.is_none() && text.contains("Flask"))
            {
                factory = Some(Self {
                    file,
                    name: format!("{module}:{}()", &found[1]),
                    framework: "Flask".to_owned(),
                });
            }
        }
        Ok(factory)
    }

    fn way(&self, packages: &Packages) -> Result<Way, String> {
        let Self { file, name, framework } = self;
        let why = format!("{file} makes a {framework} app");
        if framework == "Flask" {
            return match packages.has("gunicorn") {
                // Quotes, since a factory has parentheses.
                true => Way::line(
                    &format!("gunicorn --bind 0.0.0.0:$PORT '{name}'"),
                    format!("{why}, and gunicorn is among the packages"),
                ),
                false => Ok(
                    Way::line(&format!("flask --app '{name}' run --host 0.0.0.0 --port $PORT"), why)?
                        .warn("gunicorn is not among the packages: Flask's own server is made for work on the project"),
                ),
            };
        }
        if packages.has("hypercorn") && !packages.has("uvicorn") {
            return Way::line(
                &format!("hypercorn --bind 0.0.0.0:$PORT {name}"),
                format!("{why}, and hypercorn is among the packages"),
            );
        }
        let way = Way::line(&format!("uvicorn {name} --host 0.0.0.0 --port $PORT"), why)?;
        Ok(match packages.has("uvicorn") {
            true => way,
            false => way.warn("uvicorn starts it, and is not named among the packages"),
        })
    }
}

fn is_module(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
