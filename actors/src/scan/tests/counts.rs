//! Lines equal those of tokei, for each language and for what is embedded in it.

use std::{collections::BTreeMap, fs, path::Path, sync::atomic::AtomicBool};

use tokei::{CodeStats, Config, Languages};

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
    let lines = |stats: &CodeStats| Lines {
        code: stats.code as u64,
        comments: stats.comments as u64,
        blanks: stats.blanks as u64,
    };
    let mut counts = Counts::new();
    for (kind, language) in &languages {
        let reports: Vec<_> = language.reports.iter().filter(|report| is_text(&report.name)).collect();
        if reports.is_empty() {
            continue;
        }
        let (num_files, own, embedded) = counts.entry(kind.name().to_owned()).or_default();
        *num_files = reports.len() as u64;
        for report in reports {
            own.add(lines(&report.stats));
        }
        for report in language.children.values().flatten() {
            embedded.add(lines(&report.stats.summarise()));
        }
    }
    counts
}

/// Tells files apart that only have the name of a text in some language, which tokei counts too.
fn is_text(path: &Path) -> bool {
    !fs::read(path).unwrap().contains(&0)
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
