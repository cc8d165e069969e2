//! The build of a release: of the project's directory, or of a commit in a work directory that ends with the build.

use std::collections::VecDeque;

use crate::{
    checkouts::{Checkout, Checkouts},
    id::DeploymentId,
    plan::{Kind, Recipe},
    runtime::{Artifact, Error, Runtime, Wanted},
    store::releases::Origin,
    value::{GitRef, Secrets},
};

/// How many lines of a build are kept.
const KEPT_LINES: usize = 50;

/// What is built.
#[derive(Debug)]
pub(super) struct Order {
    /// The release's number within the deployment.
    pub(super) number: i64,
    pub(super) wanted: Wanted,
    /// The commit, where it is not the directory as it is.
    pub(super) source_ref: Option<GitRef>,
    pub(super) checkouts: Checkouts,
    /// Are masked in what the build says.
    pub(super) secrets: Secrets,
}

/// What a build found out and said, whatever came of it.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) origin: Origin,
    pub(super) log: VecDeque<String>,
}

impl Account {
    fn note(&mut self, line: &str) {
        if self.log.len() == KEPT_LINES {
            self.log.pop_front();
        }
        self.log.push_back(line.to_owned());
    }
}

/// Builds a release.
pub(super) async fn build(
    runtime: &dyn Runtime,
    deployment: DeploymentId,
    order: Order,
    account: &mut Account,
) -> Result<Artifact, Error> {
    let mut wanted = order.wanted;
    let checkout = match &order.source_ref {
        Some(name) => Some(checkout(&order.checkouts, &wanted, name, account).await?),
        None => None,
    };
    if let Some(checkout) = &checkout {
        wanted.directory = checkout.files();
    }
    let plan = runtime.plan(&wanted).await?;
    account.origin.recipe = Some(kept(plan.recipe.clone()));
    let mut log = |line: &str| account.note(line);
    let Order { number, secrets, .. } = order;
    runtime
        .prepare(deployment, number, plan.source()?, &secrets, &mut log)
        .await
}

async fn checkout(
    checkouts: &Checkouts,
    wanted: &Wanted,
    name: &GitRef,
    account: &mut Account,
) -> Result<Checkout, Error> {
    let made = checkouts.checkout(&wanted.directory, name).await;
    let made = made.map_err(|reason| Error::BuildFailed {
        message: format!("`{name}` cannot be checked out: {reason}"),
        log: Vec::new(),
    })?;
    account.origin.commit = Some(made.commit().to_owned());
    account.note(&format!("checked out `{name}`, commit {}", made.commit()));
    for remark in made.remarks() {
        account.note(remark);
    }
    Ok(made)
}

/// Leaves out a Dockerfile that the project itself keeps.
fn kept(recipe: Recipe) -> Recipe {
    let is_own = recipe.kind == Kind::Dockerfile;
    Recipe {
        dockerfile: recipe.dockerfile.filter(|_| !is_own),
        ..recipe
    }
}
