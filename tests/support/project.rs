//! Projects to deploy.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::docker;

/// Serves `www` on `$PORT`: the same as busybox does in the container.
const SERVER: &str = r#"import functools, http.server, os

handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="www")
http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), handler).serve_forever()
"#;

/// A directory with a small web server that answers `/` with a version text and `/health` with `ok`. It has a
/// Dockerfile for containers and a Procfile for processes.
#[derive(Debug)]
pub(crate) struct Project {
    directory: PathBuf,
}

impl Project {
    /// Writes the project below `parent`.
    pub(crate) fn write(parent: &Path, name: &str, version: &str) -> Self {
        let directory = parent.join(name);
        fs::create_dir_all(directory.join("www")).expect("a directory can be made");
        let project = Self { directory };
        let dockerfile = format!(
            "FROM {}\nCOPY www /www\nEXPOSE 8080\nCMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n",
            docker::BASE_IMAGE
        );
        project.write_file("Dockerfile", &dockerfile);
        project.write_file("Procfile", "web: python3 server.py\n");
        project.write_file("server.py", SERVER);
        project.write_file("www/health", "ok");
        project.set_version(version);
        project
    }

    /// Changes what the next release answers on `/`.
    pub(crate) fn set_version(&self, version: &str) {
        self.write_file("www/index.html", version);
    }

    /// Writes or replaces one file.
    pub(crate) fn write_file(&self, path: &str, content: &str) {
        fs::write(self.directory.join(path), content).expect("a file of the project can be written");
    }

    /// Returns its directory.
    pub(crate) fn path(&self) -> &Path {
        &self.directory
    }
}
