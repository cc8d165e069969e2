//! Push to deploy.

use serde_json::json;

use super::{operation::Operation, parameter::Parameter};
use crate::routes::{
    hooks::{Delivered, HookBody, Set},
    outcome::Told,
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("hooks.show", "Shows the hook of a project").answers::<HookBody>(200, "The hook."),
        Operation::new("hooks.set", "Makes or changes the hook of a project")
            .describe("Without `secret` a new hook gets one that is shown this once, and a known one keeps its own.")
            .body::<Set>(json!({"branch": "main", "deployments": [1]}))
            .answers::<HookBody>(200, "The hook as it is now.")
            .refuses(400, &["INVALID_FIELD"]),
        Operation::new("hooks.remove", "Removes the hook of a project").answers::<Told>(200, "It is removed."),
        Operation::new("hooks.receive", "Takes a push to the repository of a project")
            .describe(
                "For GitHub, Gitea and GitLab, whose signature or token shows who they are. What follows from a push is on \
                disk before it is answered.",
            )
            .takes(["X-Hub-Signature-256", "X-Gitea-Signature", "X-Gitlab-Token"].map(signature))
            .any_body(json!({"ref": "refs/heads/main", "after": "0123456789abcdef0123456789abcdef01234567"}))
            .answers::<Delivered>(202, "What was pushed will be built.")
            .answers::<Delivered>(200, "Nothing follows, for the reason that is told.")
            .refuses(400, &["INVALID_PUSH"])
            .refuses(401, &["INVALID_SIGNATURE"]),
    ]
}

fn signature(name: &'static str) -> Parameter {
    Parameter::header(
        name,
        "Shows that the sender knows the secret.",
        json!({"type": "string"}),
    )
}
