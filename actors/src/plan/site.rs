//! Files for browsers, served by the web server that is in busybox.

use super::{
    DEFAULT_PORT, Draft, Images, Kind,
    dockerfile::{Text, USER},
    start::{Said, words},
    tree::Tree,
};

/// Directories that pages may be in, the project's own first.
const PLACES: [&str; 5] = [".", "public", "dist", "site", "www"];
/// A port is taken from the environment, so that a request can name another one; that takes a shell.
const SERVER: &str = "exec busybox httpd -f -p \"$PORT\" -h /site";

/// Looks for an `index.html`.
pub(super) fn detect(tree: &Tree, images: &Images, said: Option<&Said>) -> Result<Option<Draft>, String> {
    let place = PLACES
        .into_iter()
        .find(|place| tree.has(&format!("{place}/index.html")));
    let Some(place) = place.filter(|_| said.is_none_or(|said| said.is_requested)) else {
        return Ok(None);
    };
    let file = if place == "." {
        "index.html".to_owned()
    } else {
        format!("{place}/index.html")
    };
    Ok(Some(Draft {
        kind: Kind::Static,
        why: vec![format!("{file} is there: the files beside it are served as they are")],
        warnings: Vec::new(),
        dockerfile: serve(Text::for_project("files that are served as they are"), images, place),
        ignored: &[],
        command: command(),
        port: DEFAULT_PORT,
    }))
}

/// Writes the stage that serves what `COPY` takes from there.
pub(super) fn serve(mut text: Text, images: &Images, from: &str) -> String {
    text.add(format_args!("FROM {}", images.site.as_str()));
    text.add(format_args!("COPY --chown={USER} {from} /site"));
    text.finish(&command(), DEFAULT_PORT)
}

/// Returns the command that serves.
pub(super) fn command() -> Vec<String> {
    words(["sh", "-c", SERVER])
}
