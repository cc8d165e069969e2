use super::{engines::each_store, samples::ALL};
use crate::store::audit;

#[tokio::test]
async fn audit_entries_are_listed_newest_first() {
    each_store(async |store| {
        let new = audit::NewEntry {
            actor: "token:ci".to_owned(),
            action: "deployment.stop".to_owned(),
            target: "deployment/7".to_owned(),
            source_address: Some("127.0.0.1".to_owned()),
            request_id: None,
            result: "ok".to_owned(),
        };
        let first = audit::record(store, &new).await.unwrap();
        let second = audit::record(store, &new).await.unwrap();
        assert_eq!(first.target, "deployment/7");
        let listed = audit::list(store, ALL).await.unwrap();
        assert_eq!((listed.rows, listed.total), (vec![second, first], 2));
    })
    .await;
}
