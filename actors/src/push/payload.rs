//! What a delivery tells: the few parts of the JSON that count, which GitHub, Gitea and GitLab name almost alike.

use serde::Deserialize;

use super::Delivery;
use crate::value::GitRef;

const BRANCH: &str = "refs/heads/";

/// Why a body is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// It is not sent as JSON.
    NotJson,
    /// It is no push, though the headers say so.
    NoPush,
}

/// What a delivery is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A test that says nothing.
    Ping,
    /// A push to a branch.
    Push(Pushed),
    /// Something from which nothing follows, and why.
    Other(String),
}

/// A push to a branch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pushed {
    pub(super) branch: GitRef,
    pub(super) commit: GitRef,
    /// The usual branch of the repository, if it is told.
    pub(super) default_branch: Option<GitRef>,
}

#[derive(Debug, Deserialize)]
struct Body {
    #[serde(rename = "ref")]
    name: String,
    after: String,
    /// As GitHub and Gitea name it.
    repository: Option<Repository>,
    /// As GitLab names it.
    project: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    default_branch: Option<String>,
}

impl Event {
    pub(super) fn read(delivery: Delivery<'_>) -> Result<Self, Malformed> {
        let names = ["x-github-event", "x-gitea-event", "x-gogs-event", "x-gitlab-event"];
        let kind = names
            .into_iter()
            .find_map(|name| (delivery.header)(name))
            .unwrap_or_default();
        match kind.as_str() {
            "ping" => return Ok(Self::Ping),
            "push" | "Push Hook" | "" => {}
            other => return Ok(Self::Other(format!("`{other}` is no push to a branch"))),
        }
        let is_json = (delivery.header)("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        if !is_json {
            return Err(Malformed::NotJson);
        }
        let body: Body = serde_json::from_slice(delivery.body).map_err(|_| Malformed::NoPush)?;
        body.event()
    }
}

impl Body {
    fn event(self) -> Result<Event, Malformed> {
        let Some(branch) = self.name.strip_prefix(BRANCH) else {
            return Ok(Event::Other("only branches are deployed".to_owned()));
        };
        let parsed = |text: &str| GitRef::try_from(text.to_owned()).map_err(|_| Malformed::NoPush);
        let (branch, commit) = (parsed(branch)?, parsed(&self.after)?);
        if !commit.is_commit() {
            return Err(Malformed::NoPush);
        }
        if commit.as_str().bytes().all(|byte| byte == b'0') {
            return Ok(Event::Other(format!("the branch `{branch}` was removed")));
        }
        let repository = self.repository.and_then(|repository| repository.default_branch);
        let default = repository.or_else(|| self.project.and_then(|project| project.default_branch));
        Ok(Event::Push(Pushed {
            branch,
            commit,
            default_branch: default.and_then(|name| GitRef::try_from(name).ok()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "95790bf891e76fee5e1747ab589903a6a1f80f22";

    fn read(event: (&str, &str), content_type: &str, body: &str) -> Result<Event, Malformed> {
        let header = |name: &str| match name {
            "content-type" => Some(content_type.to_owned()),
            _ => (name == event.0).then(|| event.1.to_owned()),
        };
        let body = body.as_bytes();
        Event::read(Delivery { header: &header, body })
    }

    fn push(body: &str) -> Result<Event, Malformed> {
        read(("x-github-event", "push"), "application/json", body)
    }

    #[test]
    fn pushes_of_all_three_are_understood() {
        for (event, key) in [
            (("x-github-event", "push"), "repository"),
            (("x-gitea-event", "push"), "repository"),
            (("x-gitlab-event", "Push Hook"), "project"),
        ] {
            let body = format!(
                r#"{{"ref": "refs/heads/feature/x", "after": "{COMMIT}", "{key}": {{"default_branch": "main", "id": 1}}, "x": []}}"#
            );
            let Ok(Event::Push(pushed)) = read(event, "application/json; charset=utf-8", &body) else {
                panic!("{event:?}");
            };
            assert_eq!((pushed.branch.as_str(), pushed.commit.as_str()), ("feature/x", COMMIT));
            assert_eq!(pushed.default_branch.unwrap().as_str(), "main");
        }
    }

    #[test]
    fn what_is_no_push_is_told_apart() {
        assert_eq!(read(("x-github-event", "ping"), "", ""), Ok(Event::Ping));
        let other = |event: Result<Event, Malformed>| matches!(event, Ok(Event::Other(_)));
        assert!(other(read(
            ("x-gitlab-event", "Tag Push Hook"),
            "application/json",
            "{}"
        )));
        assert!(other(push(&format!(
            r#"{{"ref": "refs/tags/v1", "after": "{COMMIT}"}}"#
        ))));
        let removed = "0".repeat(40);
        assert!(other(push(&format!(
            r#"{{"ref": "refs/heads/x", "after": "{removed}"}}"#
        ))));
        for body in [
            "",
            "[]",
            "{\"ref\": 1}",
            r#"{"ref": "refs/heads/x", "after": "main"}"#,
            r#"{"ref": "refs/heads/--x", "after": "95790bf891e76fee5e1747ab589903a6a1f80f22"}"#,
        ] {
            assert_eq!(push(body), Err(Malformed::NoPush), "{body}");
        }
        let form = read(
            ("x-github-event", "push"),
            "application/x-www-form-urlencoded",
            "payload=%7B%7D",
        );
        assert_eq!(form, Err(Malformed::NotJson));
    }
}
