//! Push to deploy: whoever hosts a project's repository tells of a push, and the project's deployments get a release of it.
//!
//! What a delivery asks for is a row before it is answered, one for each deployment, in the place of an older one; the
//! [`actor`] has it built once the deployment is not building anything else. So ten pushes during a build make one more
//! build, of the newest, and nothing is lost or doubled by a crash. A delivery is told from one that was seen before by its
//! id and by its content, since ids are not signed.

pub mod actor;
mod payload;
mod signature;

use sha2::{Digest, Sha256};

use self::payload::Event;
pub use self::payload::Malformed;
use crate::{
    Error,
    id::{DeploymentId, ProjectId},
    store::{
        Store, projects,
        push::{self, Asked, Hook, Push},
    },
    supervision::Handle,
    value::{GitRef, HookSecret},
};

/// Checks a signature when there is no secret, so that the answer takes as long as with one.
const NO_SECRET: &str = "there is no such hook";
/// Ids of deliveries are short.
const MAX_ID_CHARS: usize = 200;

/// A delivery as it came.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// Returns a header as text.
    pub header: &'a (dyn Fn(&str) -> Option<String> + Send + Sync),
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// What is said to a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The signature is missing or wrong, or there is no such hook.
    Refused,
    /// The content is none that is understood.
    Malformed(Malformed),
    /// The hook works; nothing was pushed.
    Pong,
    /// Nothing follows from it, for this reason.
    Ignored(String),
    /// This delivery has been seen before.
    Duplicate,
    /// These deployments are to get this commit; none if all have it.
    Asked {
        /// The commit.
        commit: GitRef,
        /// The deployments that do not have it yet.
        deployments: Vec<DeploymentId>,
    },
}

/// What is to be set of a hook.
#[derive(Debug, Clone, Default)]
pub struct HookRequest {
    /// The secret; without one the hook keeps its own, or gets one.
    pub secret: Option<HookSecret>,
    /// The branch that counts; the default one of the repository if there is none.
    pub branch: Option<GitRef>,
    /// The deployments that get releases; all of the project if there are none.
    pub deployments: Option<Vec<DeploymentId>>,
}

/// What people and repositories can do with hooks.
#[derive(Debug, Clone)]
pub struct Hooks {
    store: Store,
    actor: Handle<actor::Message>,
}

impl Hooks {
    /// Ties the parts together.
    pub fn new(store: Store, actor: Handle<actor::Message>) -> Self {
        Self { store, actor }
    }

    /// Sets the hook of a project. Returns it with the secret, if that was made just now: it is shown only once.
    ///
    /// # Errors
    /// `NOT_FOUND` for a project, `INVALID_FIELD` for a deployment that is none of the project's, and those of the database.
    pub async fn set(&self, project: ProjectId, request: HookRequest) -> Result<(Hook, Option<HookSecret>), Error> {
        projects::project(&self.store, project).await?;
        push::set(&self.store, project, request).await
    }

    /// Returns the hook of a project.
    ///
    /// # Errors
    /// `NOT_FOUND`, and those of the database.
    pub async fn show(&self, project: ProjectId) -> Result<Hook, Error> {
        let found = push::find(&self.store, project).await?;
        found.map(|(hook, _)| hook).ok_or_else(|| not_found(project))
    }

    /// Takes the hook of a project away; what it has asked for is built all the same.
    ///
    /// # Errors
    /// `NOT_FOUND`, and those of the database.
    pub async fn remove(&self, project: ProjectId) -> Result<(), Error> {
        match push::remove(&self.store, project).await? {
            true => Ok(()),
            false => Err(not_found(project)),
        }
    }

    /// Takes a delivery. Once this returns, what it asks for is on disk.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn receive(&self, project: ProjectId, delivery: Delivery<'_>) -> Result<Answer, Error> {
        let found = push::find(&self.store, project).await?;
        let secret = found.as_ref().map_or(NO_SECRET, |(_, secret)| secret.expose());
        let is_signed = signature::is_right(secret, delivery);
        let Some((hook, _)) = found.filter(|_| is_signed) else {
            return Ok(Answer::Refused);
        };
        match Event::read(delivery) {
            Err(malformed) => Ok(Answer::Malformed(malformed)),
            Ok(Event::Ping) => Ok(Answer::Pong),
            Ok(Event::Other(reason)) => Ok(Answer::Ignored(reason)),
            Ok(Event::Push(pushed)) => {
                let Some(branch) = hook.branch.clone().or(pushed.default_branch) else {
                    return Ok(Answer::Ignored(
                        "the hook names no branch, and the push does not tell the usual one".to_owned(),
                    ));
                };
                if pushed.branch != branch {
                    return Ok(Answer::Ignored(format!(
                        "`{}` is not the branch `{branch}`",
                        pushed.branch
                    )));
                }
                let push = Push {
                    delivery: delivery_id(delivery),
                    body_digest: digest(delivery.body),
                    branch,
                    commit: pushed.commit,
                };
                self.ask(project, &hook, push).await
            }
        }
    }

    async fn ask(&self, project: ProjectId, hook: &Hook, push: Push) -> Result<Answer, Error> {
        match push::receive(&self.store, project, hook, &push).await? {
            Asked::SeenBefore => Ok(Answer::Duplicate),
            Asked::Of(deployments) => {
                if let Err(error) = self.actor.cast(actor::Message::Look) {
                    tracing::debug!(%error, "a push waits for the next look");
                }
                Ok(Answer::Asked {
                    commit: push.commit,
                    deployments,
                })
            }
        }
    }
}

/// Returns the id that the sender gave to a delivery; the content stands in for one that is missing.
fn delivery_id(delivery: Delivery<'_>) -> String {
    let names = [
        "x-github-delivery",
        "x-gitea-delivery",
        "webhook-id",
        "x-gitlab-event-uuid",
        "idempotency-key",
    ];
    let given = names.into_iter().find_map(|name| (delivery.header)(name));
    let usable = given.filter(|id| !id.is_empty() && id.chars().count() <= MAX_ID_CHARS);
    usable.unwrap_or_else(|| digest(delivery.body))
}

fn digest(body: &[u8]) -> String {
    crate::hex::hex(&Sha256::digest(body))
}

fn not_found(project: ProjectId) -> Error {
    Error::NotFound {
        kind: "Hook of project",
        id: project.to_string(),
    }
}
