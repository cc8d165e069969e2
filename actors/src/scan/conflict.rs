//! The markers of a merge that nobody finished.

use super::finding::{Issue, Kind};

/// Finds the first place where all three markers stand in order.
pub(super) fn find(content: &[u8], is_fixture: bool) -> Option<Issue> {
    let mut opened = None;
    let mut is_divided = false;
    for (index, line) in content.split(|&byte| byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b"<<<<<<< ") {
            (opened, is_divided) = (Some(index), false);
        } else if line == b"=======" {
            is_divided = opened.is_some();
        } else if line.starts_with(b">>>>>>> ") && is_divided {
            return opened.map(|index| issue(index, is_fixture));
        }
    }
    None
}

fn issue(index: usize, is_fixture: bool) -> Issue {
    Issue {
        kind: Kind::MergeConflict,
        line: u32::try_from(index + 1).unwrap_or(u32::MAX),
        message: "A merge was left unfinished here".to_owned(),
        is_fixture,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_all_three_markers_in_order_are_a_conflict() {
        let line = |content: &str| find(content.as_bytes(), false).map(|issue| issue.line);
        assert_eq!(line("a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> main\n"), Some(2));
        assert_eq!(line("<<<<<<< HEAD\r\nb\r\n=======\r\nc\r\n>>>>>>> main\r\n"), Some(1));
        assert_eq!(line("Title\n=======\n>>>>>>> quoted\n"), None);
        assert_eq!(line("<<<<<<< HEAD\n>>>>>>> main\n=======\n"), None);
        assert_eq!(line(" <<<<<<< HEAD\n=======\n>>>>>>> main\n"), None);
    }
}
