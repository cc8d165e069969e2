use std::{fs, path::Path};

use sea_orm::ConnectionTrait;

use super::{
    engines::{each_engine, sqlite},
    samples::{a_deployment, a_project, number},
};
use crate::{
    seal::{Key, KeyFiles, new_key},
    store::{
        OpenError, Settings, Store,
        deployments::{self, Deployment},
        releases, rotate_key, seal,
    },
};

const CANARY: &str = "canary";

async fn opened(settings: &Settings) -> (Store, Deployment) {
    let store = Store::open(settings).await.unwrap();
    let row = deployments::wanted(&store).await.unwrap().pop();
    let row = match row {
        Some(row) => row,
        None => a_deployment(&store, a_project(&store, "p").await.id, "app", 8090).await,
    };
    (store, row)
}

/// Checks that the environment opens, in the deployment and in its release.
async fn opens(store: &Store, row: &Deployment) {
    let release = releases::release(store, row.target_id).await.unwrap();
    for sealed in [&row.environment, &release.environment] {
        let environment = store.unseal(sealed).unwrap();
        assert_eq!(environment.iter().collect::<Vec<_>>(), [("TOKEN", CANARY)]);
    }
}

/// Looks for a text in all files.
fn hits(directory: &Path, text: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let has_it = |path: &std::path::PathBuf| {
        let content = fs::read(path).unwrap();
        content.windows(text.len()).any(|window| window == text.as_bytes())
    };
    entries.filter(has_it).map(|path| path.display().to_string()).collect()
}

/// Leaves the database as an older BorgOS would have.
async fn unseal(store: &Store) {
    for statement in [
        r#"UPDATE deployments SET environment = '{"TOKEN": "canary"}'"#,
        r#"UPDATE releases SET environment = '{"TOKEN": "canary"}'"#,
        "DELETE FROM meta WHERE key = 'seal_key'",
    ] {
        store.writer.execute_unprepared(statement).await.unwrap();
    }
}

#[tokio::test]
async fn environments_are_sealed_and_those_of_before_are_at_the_next_start() {
    each_engine(async |settings| {
        let (store, row) = opened(settings).await;
        opens(&store, &row).await;
        unseal(&store).await;
        assert!(deployments::deployment(&store, row.id).await.is_err());
        store.close().await.unwrap();

        let (store, row) = opened(settings).await;
        opens(&store, &row).await;
        let plain = "SELECT count(*) FROM releases WHERE CAST(environment AS TEXT) LIKE '%canary%'";
        assert_eq!(number(&store.reader, plain).await, 0);
        assert_eq!(
            number(&store.reader, "SELECT count(*) FROM meta WHERE key = 'seal_unclean'").await,
            0
        );
        store.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn nothing_of_what_was_not_sealed_is_left_in_files() {
    let directory = tempfile::tempdir().unwrap();
    let settings = sqlite(directory.path());
    let (store, _) = opened(&settings).await;
    unseal(&store).await;
    store.close().await.unwrap();
    let copy = directory.path().join("borgos.db.before-m1");
    fs::copy(directory.path().join("borgos.db"), &copy).unwrap();
    assert_eq!(hits(directory.path(), CANARY).len(), 2);

    let (store, row) = opened(&settings).await;
    assert_eq!(hits(directory.path(), CANARY), Vec::<String>::new());
    assert!(!copy.exists());
    opens(&store, &row).await;
    store.close().await.unwrap();
}

#[tokio::test]
async fn another_key_is_refused_by_name_and_so_is_none() {
    each_engine(async |settings| {
        let (store, _) = opened(settings).await;
        let wanted = store.key.id().to_owned();
        store.close().await.unwrap();
        let given = Key::parse(&new_key()).unwrap();
        let other = Settings {
            secret_key: Some(given.clone()),
            ..settings.clone()
        };
        let refused = Store::open(&other).await.unwrap_err();
        assert!(matches!(refused, OpenError::WrongKey { .. }));
        for named in [&wanted, given.id(), "BORGOS_SECRET_KEY"] {
            assert!(refused.to_string().contains(named), "{refused}");
        }
        fs::remove_file(KeyFiles::of(&settings.data_dir).path()).unwrap();
        let refused = Store::open(settings).await.unwrap_err();
        assert!(refused.to_string().contains(&wanted), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn a_key_can_be_changed_and_the_old_one_opens_nothing_any_more() {
    each_engine(async |settings| {
        let (store, before) = opened(settings).await;
        store.close().await.unwrap();
        let old = fs::read_to_string(KeyFiles::of(&settings.data_dir).path()).unwrap();
        let rotated = rotate_key(settings, None).await.unwrap();
        assert_eq!(rotated.before, Key::parse(&old).unwrap().id());
        let (store, after) = opened(settings).await;
        assert_eq!(store.key.id(), rotated.after);
        assert_ne!(after.environment, before.environment);
        opens(&store, &after).await;
        assert!(store.unseal(&before.environment).is_err());
        store.close().await.unwrap();

        let given = Key::parse(&new_key()).unwrap();
        rotate_key(settings, Some(given.clone())).await.unwrap();
        assert!(matches!(Store::open(settings).await, Err(OpenError::WrongKey { .. })));
        let with_given = Settings {
            secret_key: Some(given),
            ..settings.clone()
        };
        let (store, row) = opened(&with_given).await;
        opens(&store, &row).await;
        store.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_change_of_the_key_that_was_cut_off_loses_nothing() {
    each_engine(async |settings| {
        let files = KeyFiles::of(&settings.data_dir);
        for is_committed in [false, true] {
            let (store, _) = opened(settings).await;
            let next = files.prepare_next().unwrap();
            if is_committed {
                seal::reseal_all(&store.writer, &store.key, &next).await.unwrap();
            }
            let before = store.key.id().to_owned();
            store.close().await.unwrap();
            let (store, row) = opened(settings).await;
            assert_eq!(store.key.id() == before, !is_committed);
            opens(&store, &row).await;
            store.close().await.unwrap();
        }
    })
    .await;
}
