//! Lines equal those of tokei, for each language and for what is embedded in it.

use std::{collections::BTreeMap, path::Path, sync::atomic::AtomicBool};

use tokei::{Config, Languages};

use super::support::{Project, scan_directory};
use crate::scan::Lines;

/// Languages with their own lines and, summed up, those within them.
type Counts = BTreeMap<String, (u64, Lines, Lines)>;

fn by_tokei(root: &Path) -> Counts {
    let config = Config {
        hidden: Some(true),
        ..Config::default()
    };
    let mut languages = Languages::new();
    languages.get_statistics(&[root], &[], &config);
    let lines = |code: usize, comments: usize, blanks: usize| Lines {
        code: code as u64,
        comments: comments as u64,
        blanks: blanks as u64,
    };
    let counts = languages
        .iter()
        .filter(|(_, language)| !language.reports.is_empty())
        .map(|(kind, language)| {
            let mut embedded = Lines::default();
            for report in language.children.values().flatten() {
                let sum = report.stats.summarise();
                embedded.add(lines(sum.code, sum.comments, sum.blanks));
            }
            let own = lines(language.code, language.comments, language.blanks);
            (kind.name().to_owned(), (language.reports.len() as u64, own, embedded))
        });
    counts.collect()
}

fn by_scan(root: &Path) -> Counts {
    let (report, _) = scan_directory(root, None, None, &AtomicBool::new(false)).unwrap();
    let counts = report.languages.into_iter().map(|stats| {
        let mut embedded = Lines::default();
        for lines in stats.embedded.values() {
            embedded.add(*lines);
        }
        (stats.language.to_owned(), (stats.num_files, stats.lines, embedded))
    });
    counts.collect()
}

#[track_caller]
pub(super) fn check(root: &Path) {
    assert_eq!(by_scan(root), by_tokei(root), "{}", root.display());
}

#[test]
fn lines_equal_those_of_tokei() {
    let project = Project::new(&[
        ("a.rs", "//! ```\n//! let a = 1;\n//! ```\n\nfn a() { /* b */ }\n"),
        (
            "b.html",
            "<html>\n<style>\na { b: c }\n</style>\n<script>\n// d\nlet e;\n</script>\n</html>\n",
        ),
        ("c.md", "# c\n\n```python\n# d\ne = 1\n```\n"),
        ("d.py", "'''\ndoc\n'''\n# e\nf = 1\n"),
        (
            "e.vue",
            "<template>\n<a/>\n</template>\n<script lang=\"ts\">\nlet b: C;\n</script>\n",
        ),
        (".github/f.yml", "g: 1 # h\n"),
        ("Makefile", "all:\n\ttrue\n"),
        ("script", "#!/usr/bin/env python3\na = 1\n"),
        ("unknown.xyz", "a\n"),
        ("ignored.rs", "fn a() {}\n"),
        (".ignore", "ignored.rs\n"),
        (
            "g.ipynb",
            "{\"cells\": [{\"cell_type\": \"code\", \"source\": [\"a = 1\\n\"]}], \"metadata\": {\"kernelspec\": {\"language\": \"python\"}, \"language_info\": {}}}\n",
        ),
    ]);
    check(project.root());
}
