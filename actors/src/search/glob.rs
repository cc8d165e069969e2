//! Patterns of paths, as searches and lists of files take them.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// A pattern of paths inside a project. Without a slash it is about the file's name.
#[derive(Debug, Clone)]
pub struct PathGlob(GlobSet);

impl PathGlob {
    /// Reads a pattern such as `src/**/*.rs`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        let anywhere = match pattern.contains('/') {
            true => pattern.trim_start_matches('/').to_owned(),
            false => format!("**/{pattern}"),
        };
        let glob = GlobBuilder::new(&anywhere).literal_separator(true).build();
        // A set says so where a single pattern would panic: when it is nested too deep.
        let set = glob.and_then(|glob| GlobSetBuilder::new().add(glob).build());
        set.map(Self).map_err(|error| error.kind().to_string())
    }

    /// Tells whether a path inside a project matches.
    pub fn is_match(&self, path: impl AsRef<Path>) -> bool {
        self.0.is_match(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_about_the_name_or_about_the_path() {
        for (pattern, path, expected) in [
            ("*.rs", "src/main.rs", true),
            ("src/*.rs", "src/a/main.rs", false),
            ("/src/**/*.rs", "src/a/main.rs", true),
            ("{a,b}.txt", "x/b.txt", true),
        ] {
            assert_eq!(
                PathGlob::parse(pattern).unwrap().is_match(path),
                expected,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_however_deep_it_is() {
        let deep = format!("{}a{}", "{".repeat(400), "}".repeat(400));
        for bad in ["[", "{a", "a**b[", &deep] {
            assert!(PathGlob::parse(bad).is_err(), "{bad}");
        }
    }
}
