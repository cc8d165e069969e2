use futures_util::stream;

use super::*;
use crate::rotation::Writer;

const OURS: i64 = 4;

fn source(directory: &std::path::Path, since: Option<DateTime<Utc>>) -> Source {
    Source {
        logs: Logs::new(directory),
        deployment: DeploymentId(7),
        instance: InstanceRef("one".to_owned()),
        release: 1,
        generation: OURS,
        since,
    }
}

fn line(at: DateTime<Utc>, text: &str) -> Line {
    Line {
        at,
        stream: None,
        text: text.to_owned(),
    }
}

#[tokio::test]
async fn a_stream_that_breaks_has_ended_once_all_that_it_gave_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let (writer, mut batches) = mpsc::channel(8);
    let (progress, seen) = watch::channel(Progress::Reading);
    let broken = runtime::Error::Refused("gone".to_owned());
    let output: Output = Box::new(|_| stream::iter([Ok(vec![line(Utc::now(), "said")]), Err(broken)]).boxed());
    copy(source(directory.path(), None), output, writer, progress).await;
    assert!(batches.recv().await.unwrap().text.contains("said"));
    assert_eq!(*seen.borrow(), Progress::Reading);
    let (progress, how) = batches.recv().await.unwrap().end.unwrap();
    assert_eq!(how, Progress::Broken);
    progress.send_replace(how);
    assert_eq!(*seen.borrow(), Progress::Broken);
}

#[tokio::test]
async fn an_instance_is_read_on_from_its_own_last_line() {
    let directory = tempfile::tempdir().unwrap();
    let started_at = Utc::now();
    let at = |seconds| started_at + TimeDelta::seconds(seconds);
    let fresh = source(directory.path(), Some(started_at));
    assert_eq!(fresh.last().await.unwrap(), None);

    let files = fresh.logs.files(fresh.deployment, 1);
    std::fs::create_dir_all(files.newest.parent().unwrap()).unwrap();
    let mut writer = Writer::new(files);
    for (seconds, generation) in [(-9, OURS), (-8, 3), (1, OURS), (2, 3), (3, 0)] {
        writer.write(line::write(&line(at(seconds), "x"), generation).as_bytes());
    }
    assert_eq!(fresh.last().await.unwrap(), Some(at(1)));
    // Nothing of what is older than the instance can be its own.
    assert_eq!(source(directory.path(), Some(at(5))).last().await.unwrap(), None);
    assert_eq!(source(directory.path(), None).last().await.unwrap(), Some(at(1)));
}
