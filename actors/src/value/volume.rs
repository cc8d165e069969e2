//! Places that outlive the instances which write to them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Invalid;

const MAX_VOLUMES: usize = 32;
const MAX_PATH_CHARS: usize = 1024;
/// What [`Volume`] accepts, but for the length of its paths.
const PATTERN: &str = concat!(
    r"^([A-Za-z0-9][A-Za-z0-9._-]{0,62}",
    r"|(/(\.{0,2}[^/:.\u0000-\u001f\u007f-\u009f][^/:\u0000-\u001f\u007f-\u009f]*|\.{3}[^/:\u0000-\u001f\u007f-\u009f]*))+)",
    r":(/(\.{0,2}[^/:.\u0000-\u001f\u007f-\u009f][^/:\u0000-\u001f\u007f-\u009f]*|\.{3}[^/:\u0000-\u001f\u007f-\u009f]*))+",
    r"(:ro|:rw)?$",
);

/// A place, and where a program finds it: `name:/path` for a volume of the deployment, `/path/here:/path` for a directory of
/// this machine, with `:ro` at the end if the program only reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("pattern" = PATTERN))]
pub struct Volume {
    /// Where it is.
    pub source: VolumeSource,
    /// Where the program finds it.
    pub target: String,
    /// Whether the program cannot write to it.
    pub is_read_only: bool,
}

/// Where a volume is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumeSource {
    /// In the engine's keeping, made when it is first needed.
    Named(String),
    /// In a directory of this machine.
    Host(String),
}

impl TryFrom<String> for Volume {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let (rest, is_read_only) = match text.strip_suffix(":ro") {
            Some(rest) => (rest, true),
            None => (text.strip_suffix(":rw").unwrap_or(&text), false),
        };
        let parts = rest.split_once(':').filter(|(_, target)| !target.contains(':'));
        let (source, target) = parts.ok_or_else(|| Invalid::new("must be `name:/path` or `/path/here:/path`"))?;
        Ok(Self {
            source: match source.starts_with('/') {
                true => VolumeSource::Host(path(source)?),
                false => VolumeSource::Named(name(source)?),
            },
            target: path(target)?,
            is_read_only,
        })
    }
}

impl From<Volume> for String {
    fn from(volume: Volume) -> Self {
        let (VolumeSource::Named(source) | VolumeSource::Host(source)) = volume.source;
        let access = if volume.is_read_only { ":ro" } else { "" };
        format!("{source}:{}{access}", volume.target)
    }
}

fn name(text: &str) -> Result<String, Invalid> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    match begins_well && text.len() <= 63 && text.chars().all(is_allowed) {
        true => Ok(text.to_owned()),
        false => Err(Invalid::new(
            "must be named with at most 63 ASCII letters, digits, `-`, `_` and `.`",
        )),
    }
}

/// Takes a path that means the same to everybody: absolute, and without a way up or the whole tree.
fn path(text: &str) -> Result<String, Invalid> {
    let parts: Vec<&str> = text.split('/').skip(1).collect();
    let is_plain = parts.iter().all(|part| !matches!(*part, "" | "." | ".."));
    match text.starts_with('/')
        && is_plain
        && text.chars().count() <= MAX_PATH_CHARS
        && !text.chars().any(char::is_control)
    {
        true => Ok(text.to_owned()),
        false => Err(Invalid::new(
            "must have absolute paths below `/`, without `.`, `..` or empty parts",
        )),
    }
}

/// The volumes of a deployment: at most 32, each found at a place of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Volume>", into = "Vec<Volume>")]
#[schemars(inline, extend("maxItems" = MAX_VOLUMES))]
pub struct Volumes(Vec<Volume>);

impl Volumes {
    /// Iterates over them in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &Volume> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a program writes to any: then no two run beside each other.
    pub fn are_written(&self) -> bool {
        self.0.iter().any(|volume| !volume.is_read_only)
    }

    /// Whether any is a directory of this machine.
    pub fn has_host_directory(&self) -> bool {
        self.0
            .iter()
            .any(|volume| matches!(volume.source, VolumeSource::Host(_)))
    }
}

impl TryFrom<Vec<Volume>> for Volumes {
    type Error = Invalid;

    fn try_from(volumes: Vec<Volume>) -> Result<Self, Invalid> {
        if volumes.len() > MAX_VOLUMES {
            return Err(Invalid::new(format!("must be at most {MAX_VOLUMES}")));
        }
        let is_double = |place: usize| {
            volumes[..place]
                .iter()
                .any(|other| other.target == volumes[place].target)
        };
        match (0..volumes.len()).any(is_double) {
            true => Err(Invalid::new("must not have two at the same path")),
            false => Ok(Self(volumes)),
        }
    }
}

impl From<Volumes> for Vec<Volume> {
    fn from(volumes: Volumes) -> Self {
        volumes.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_volume_is_read_as_it_is_written() {
        for text in [
            "data:/var/lib/app",
            "data-2.x:/a:ro",
            "/srv/files:/files",
            "/srv/a b:/b:ro",
        ] {
            let volume = Volume::try_from(text.to_owned()).unwrap();
            assert_eq!(volume.is_read_only, text.ends_with(":ro"));
            assert_eq!(matches!(volume.source, VolumeSource::Host(_)), text.starts_with('/'));
            assert_eq!(String::from(volume), text);
        }
        let read_write: Volumes = from_value(json!(["data:/a:rw"])).unwrap();
        assert!(read_write.are_written() && !read_write.has_host_directory());
        let read_only: Volumes = from_value(json!(["/srv:/a:ro"])).unwrap();
        assert!(!read_only.are_written() && read_only.has_host_directory());
    }

    #[test]
    fn what_could_mean_something_else_is_refused() {
        for bad in [
            "",
            "data",
            ":/a",
            "data:",
            "data:a",
            "data:/",
            "data:/a/../b",
            "data:/a//b",
            "data:/a/",
            "../x:/a",
            "a/b:/a",
            "/:/a",
            "/srv/../etc:/a",
            "data:/a:rx",
            "a:b:/c",
            "-x:/a",
            "data:/a\n",
        ] {
            assert!(Volume::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        assert!(from_value::<Volumes>(json!(["a:/x", "b:/x"])).is_err());
        assert!(from_value::<Volumes>(json!((0..33).map(|n| format!("a:/{n}")).collect::<Vec<_>>())).is_err());
    }
}
