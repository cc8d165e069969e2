//! One span per message, whatever the actor does.

use std::{
    fmt::Debug,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use super::support::{Journal, Order, Subject, root, runs_as, start};
use crate::supervision::lock;

/// How often nothing may be heard.
const MAX_DEAF: usize = 20;

/// Collects the spans named `message`, each as its fields in one line.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<String>>>,
    next_id: Arc<AtomicU64>,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!("{field}={value:?} ");
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.name() == "message"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(String::new());
        span.record(&mut line);
        lock(&self.spans).push(line.0.trim_end().to_owned());
        Id::from_u64(self.next_id.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn event(&self, _event: &Event<'_>) {}
    fn enter(&self, _span: &Id) {}
    fn exit(&self, _span: &Id) {}
}

/// Runs an actor that fails once and answers, and returns the spans that were seen meanwhile.
async fn heard() -> Vec<String> {
    let collector = Collector::default();
    let _collecting = tracing::subscriber::set_default(collector.clone());
    tracing::callsite::rebuild_interest_cache();
    let subject = Subject::new("deployment/7", &Journal::default());
    let tree = start(root(vec![subject.spec()])).await;
    subject.tell(Order::Fail);
    runs_as(&tree, "deployment/7", 2).await;
    subject
        .handle
        .call(Duration::from_secs(1), Order::Answer)
        .await
        .expect("it answers");
    tree.stop(Duration::from_secs(1)).await;
    lock(&collector.spans).clone()
}

#[tokio::test(start_paused = true)]
async fn each_message_has_a_span_with_path_kind_message_and_generation() {
    // A span that another test is the first to meet just now, on its own thread, is deaf to every collector until the
    // interest in it is asked for again: then nothing at all is heard.
    let mut spans = heard().await;
    for _ in 0..MAX_DEAF {
        if spans.is_empty() {
            spans = heard().await;
        }
    }
    for (message, generation) in [("pre_start", 1), ("fail", 1), ("answer", 2)] {
        let expected =
            format!(r#"actor.path="deployment/7" actor.kind="probe" message="{message}" generation={generation}"#);
        assert_eq!(
            spans.iter().filter(|span| **span == expected).count(),
            1,
            "{expected} in {spans:#?}"
        );
    }
}
