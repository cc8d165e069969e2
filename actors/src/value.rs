//! What strangers send, parsed once at the edge: a value of these types is known to be well formed everywhere else.

mod credentials;
mod deployment;
mod environment;
mod git_ref;
mod health;
mod hook_secret;
mod image;
mod limits;
mod network;
mod project;
mod secrets;
mod volume;
mod webhook;

pub use credentials::{Count, Password, Rate, Scope, UserName};
pub use deployment::{Command, DeploymentName, HealthPath, Port};
pub use environment::Environment;
pub use git_ref::GitRef;
pub use health::{HealthCheck, Retries, Seconds};
pub use hook_secret::HookSecret;
pub use image::ImageRef;
pub use limits::{CpuLimit, MemoryLimit};
pub use network::Network;
pub use project::{ProjectName, ProjectPath, ProjectType, ShortText, TechStack};
pub use secrets::{Secrets, has_mask, shown};
pub use volume::{Volume, VolumeSource, Volumes};
pub use webhook::{WebhookSecret, WebhookUrl};

/// Why a text was not accepted as a value; says what is allowed, never repeats the input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub(crate) String);

impl Invalid {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// What texts without control characters look like, as JSON Schema says it.
const TEXT_PATTERN: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";

/// Checks a text's length in characters and that none of them is a control character.
fn check_text(text: &str, min_chars: usize, max_chars: usize) -> Result<(), Invalid> {
    let num_chars = text.chars().count();
    if num_chars < min_chars {
        return Err(Invalid::new(match min_chars {
            1 => "must not be empty".to_owned(),
            _ => format!("must have at least {min_chars} characters"),
        }));
    }
    if num_chars > max_chars {
        return Err(Invalid::new(format!("must have at most {max_chars} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(Invalid::new("must not contain control characters"));
    }
    Ok(())
}
