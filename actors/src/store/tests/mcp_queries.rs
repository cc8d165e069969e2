use std::time::Duration;

use serde_json::json;

use super::{engines::each_store, samples::ALL};
use crate::store::mcp_queries::{self, Filter, NewEntry};

fn new(query: &str, tool: Option<&str>, outcome: &str) -> NewEntry {
    NewEntry {
        caller: "local".to_owned(),
        query_type: "tool".to_owned(),
        query: query.to_owned(),
        tool: tool.map(str::to_owned),
        arguments: json!({"project_id": 1}),
        model: "builtin".to_owned(),
        tokens_used: 0,
        duration: Duration::from_millis(12),
        outcome: outcome.to_owned(),
    }
}

#[tokio::test]
async fn queries_are_kept_listed_and_forgotten() {
    each_store(async |store| {
        let files = mcp_queries::record(store, &new("list\0 files", Some("list_files"), "answered")).await;
        let files = files.unwrap();
        assert_eq!((files.query.as_str(), files.duration_ms), ("list\u{fffd} files", 12));
        let other = mcp_queries::record(store, &new("hm", None, "NOT_UNDERSTOOD"))
            .await
            .unwrap();

        let listed = mcp_queries::list(store, &Filter::default(), ALL).await.unwrap();
        assert_eq!(listed.rows, [other.clone(), files.clone()]);
        let filter = Filter {
            tool: Some("list_files".to_owned()),
            ..Filter::default()
        };
        assert_eq!(mcp_queries::list(store, &filter, ALL).await.unwrap().rows, [files]);

        assert_eq!(mcp_queries::prune(store, Duration::from_secs(3600)).await.unwrap(), 0);
        assert_eq!(mcp_queries::prune(store, Duration::ZERO).await.unwrap(), 2);
        assert_eq!(
            mcp_queries::list(store, &Filter::default(), ALL).await.unwrap().total,
            0
        );
    })
    .await;
}
