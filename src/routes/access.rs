//! What changes of tokens and users have in common.

use std::sync::Arc;

use borgos_actors::{Error, credentials::Identity, value::Scope};

use crate::{app::App, guard::auth::Caller};

/// Refuses a first credential that could not make another: it closes the API to everybody who has none.
pub(super) fn check_first(caller: &Caller, scope: Scope) -> Result<(), Error> {
    if caller.identity == Identity::Local && scope != Scope::Admin {
        return Err(Error::Conflict {
            code: "ADMIN_FIRST",
            reason: "the first credential must have the scope `admin`, as it closes the API to whoever has none"
                .to_owned(),
        });
    }
    Ok(())
}

/// Has a change in force before it is answered, and told to who listens.
pub(super) async fn changed(app: &Arc<App>) {
    app.system.credentials.sync().await;
    app.nudge_events();
}
