//! The database goes away and comes back.

use std::time::Duration;

use reqwest::Method;

use super::{
    load::Load,
    proxy::Proxy,
    scene::{Deployed, TRUTH_TIMEOUT},
};
use crate::support::{Runtime, Setup, eventually_within, free_port, postgres_address};

/// Long enough that everything which asks the database by itself has failed more than once.
const DURATION: Duration = Duration::from_secs(25);
/// Actors whose start failed are started again with growing pauses.
const RETURN_TIMEOUT: Duration = Duration::from_secs(30);

/// How a database goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outage {
    /// Its port is closed.
    Refusing,
    /// It takes connections and never says a word.
    Silent,
}

async fn an_outage_is_waited_for(kind: Outage) {
    let port = free_port();
    let mut database = Proxy::tcp(port, &postgres_address()).await;
    let world = Setup::new(Runtime::Process)
        .postgres_through(&format!("127.0.0.1:{port}"))
        .start()
        .await;
    let deployed = Deployed::running(&world, "steady").await;
    let before = deployed.is_truly_running(&world).await;
    let instances = deployed.really_there(&world).await;
    let load = Load::on(deployed.port);

    match kind {
        Outage::Refusing => database.cut().await,
        Outage::Silent => database.silence(),
    }
    let outage = tokio::time::sleep(DURATION);
    eventually_within(TRUTH_TIMEOUT, "the service is said to be unwell", async || {
        let health = world.get("/health").await;
        if health.status == 503 { Ok(()) } else { Err(health) }
    })
    .await;
    let refused = world.get("/api/v1/projects").await;
    let hint = refused.header("retry-after").to_owned();
    assert_eq!(refused.expect(503)["code"], "DATABASE_UNAVAILABLE");
    assert!(hint.parse::<u32>().is_ok(), "Retry-After: {hint}");
    outage.await;

    database.restore().await;
    eventually_within(RETURN_TIMEOUT, "everything is well again", async || {
        for path in [
            "/health",
            "/api/v1/projects",
            &format!("/api/v1/actors/deployment/{}", deployed.id),
        ] {
            let answer = world.try_send(Method::GET, path, None).await;
            match answer {
                Ok(answer) if answer.status == 200 && answer.json["state"] != "backing_off" => {}
                other => return Err(other),
            }
        }
        Ok(())
    })
    .await;
    let after = deployed.is_truly_running(&world).await;
    assert_eq!(deployed.really_there(&world).await, instances);
    assert_eq!(
        (&after["generation"], &after["restarts"]),
        (&before["generation"], &before["restarts"])
    );
    load.finish().await;
    let another = Deployed::running(&world, "another").await;
    another.assert_answers().await;
    // Ends the server in order: it is still the one that was started first.
    world.close().await;
}

#[tokio::test]
async fn a_database_that_goes_away_is_waited_for() {
    an_outage_is_waited_for(Outage::Refusing).await;
}

#[tokio::test]
async fn a_database_that_hangs_is_waited_for() {
    an_outage_is_waited_for(Outage::Silent).await;
}
