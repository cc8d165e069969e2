//! HTTP load on a deployed program.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::Client;
use tokio::task::JoinSet;

use crate::support::{eventually, install_tls_provider};

/// An answer that takes longer counts as none.
const TIMEOUT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);
/// As many answers show that there was a load at all.
const MIN_ANSWERS: usize = 20;

/// Clients that ask one after the other until [`Load::finish`]: half of them over a connection that is kept, half of
/// them over a new one each time.
#[derive(Debug)]
pub(super) struct Load {
    is_over: Arc<AtomicBool>,
    clients: JoinSet<Vec<String>>,
    num_answers: Arc<AtomicUsize>,
}

impl Load {
    /// Starts four clients.
    pub(super) fn on(port: u16) -> Self {
        install_tls_provider();
        let mut load = Self {
            is_over: Arc::default(),
            clients: JoinSet::new(),
            num_answers: Arc::default(),
        };
        for num_kept in [1, 1, 0, 0] {
            let client = Client::builder()
                .no_proxy()
                .timeout(TIMEOUT)
                .pool_max_idle_per_host(num_kept)
                .build()
                .expect("a client without options");
            let (is_over, num_answers) = (load.is_over.clone(), load.num_answers.clone());
            load.clients.spawn(async move {
                let mut failures = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    match ask(&client, port).await {
                        Ok(()) => drop(num_answers.fetch_add(1, Ordering::Relaxed)),
                        Err(failure) => failures.push(failure),
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                failures
            });
        }
        load
    }

    /// Waits until some more requests were answered.
    pub(super) async fn goes_on(&self) {
        let enough = self.num_answers.load(Ordering::Relaxed) + MIN_ANSWERS;
        eventually("requests are answered", async || {
            match self.num_answers.load(Ordering::Relaxed) {
                count if count >= enough => Ok(()),
                count => Err(count),
            }
        })
        .await;
    }

    /// Ends the load; fails the test if a single request failed or hardly any was sent.
    pub(super) async fn finish(mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let mut failures = Vec::new();
        while let Some(ended) = self.clients.join_next().await {
            failures.extend(ended.expect("a client does not panic"));
        }
        let num_answers = self.num_answers.load(Ordering::Relaxed);
        assert!(
            failures.is_empty(),
            "{} of {} requests failed, such as {:?}",
            failures.len(),
            num_answers + failures.len(),
            failures.first()
        );
        assert!(num_answers >= MIN_ANSWERS, "only {num_answers} requests were sent");
    }
}

async fn ask(client: &Client, port: u16) -> Result<(), String> {
    let answer = client.get(format!("http://127.0.0.1:{port}/health")).send().await;
    let answer = answer.map_err(|error| format!("{error:?}"))?;
    let status = answer.status();
    match answer.text().await {
        Ok(text) if status == 200 && text == "ok" => Ok(()),
        other => Err(format!("{status}: {other:?}")),
    }
}
