//! `borgos scan`: asks for scans, and shows how far they are until all have ended.

mod bar;
mod board;

use std::path::PathBuf;

use clap::Args;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use tokio::{pin, time::Instant};

use self::{
    bar::Bar,
    board::{Board, Ended, Expected},
};
use super::{
    Failure,
    client::{Client, Remote, understood},
    output::{self, duration, line},
    stream::Stream,
};

/// As many projects are listed in one answer.
const PAGE: usize = 1000;
const SCAN_ZENITH: &str = "/api/v1/projects/scan-zenith";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    remote: Remote,
    /// Projects to scan, by id; all active ones if none is named
    #[arg(value_name = "ID")]
    ids: Vec<i64>,
    /// Find the projects below the service's Zenith directory first, and scan those
    #[arg(long, conflicts_with = "ids")]
    zenith: bool,
    /// Find the projects below a directory of the service's machine first, and scan those
    #[arg(long, value_name = "DIR", conflicts_with_all = ["ids", "zenith"])]
    discover: Option<PathBuf>,
    /// Print the event that ended each scan as one line of JSON
    #[arg(long)]
    json: bool,
}

/// Which scans to ask for.
enum Wanted {
    Of(Vec<i64>),
    Zenith,
    Below(PathBuf),
}

/// A project in a list.
#[derive(Deserialize)]
struct Listed {
    id: i64,
    zenith_id: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Listed>,
}

#[derive(Deserialize)]
struct SyncedZenith {
    count: usize,
}

#[derive(Deserialize)]
struct Discovered {
    projects: Vec<i64>,
}

/// Scans, and shows what came of it. A scan that failed is a failure, so that scripts notice.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    let started = Instant::now();
    let mut board = Board::default();
    let wanted = wanted(&client, &arguments).await?;
    if let Wanted::Of(ids) = &wanted {
        board.expect(Expected::all(ids));
    }
    follow(&client, &wanted, &mut board, arguments.json).await?;
    if !arguments.json {
        line(&format!(
            "{} scanned, {} failed, in {}",
            board.num_scanned(),
            board.num_failed(),
            duration(started.elapsed().as_secs())
        ))?;
    }
    match board.num_failed() {
        0 => Ok(()),
        _ => Err(Failure::Reported),
    }
}

async fn wanted(client: &Client, arguments: &Arguments) -> Result<Wanted, Failure> {
    if let Some(directory) = &arguments.discover {
        let absolute = std::path::absolute(directory).map_err(|error| {
            Failure::Usage(format!(
                "`{}` cannot be made an absolute path: {error}",
                directory.display()
            ))
        })?;
        return Ok(Wanted::Below(absolute));
    }
    if arguments.zenith {
        return Ok(Wanted::Zenith);
    }
    if !arguments.ids.is_empty() {
        return Ok(Wanted::Of(arguments.ids.clone()));
    }
    let active = active(client).await?;
    Ok(Wanted::Of(active.iter().map(|project| project.id).collect()))
}

/// Asks for the scans while it listens, so that nothing that happens meanwhile is missed.
async fn follow(client: &Client, wanted: &Wanted, board: &mut Board, is_json: bool) -> Result<(), Failure> {
    let mut stream = Stream::open(client, &["projects"]).await?;
    let bar = Bar::start(board);
    let asked = ask(client, wanted);
    pin!(asked);
    let mut is_asked = false;
    while !(is_asked && board.is_complete()) {
        tokio::select! {
            expected = &mut asked, if !is_asked => {
                is_asked = true;
                board.expect(expected?);
            }
            frame = stream.next() => board.take(frame?)?,
        }
        for ended in board.news() {
            bar.above(|| print(&ended, is_json))?;
        }
        bar.show(board);
    }
    stream.close().await;
    Ok(())
}

/// Asks for the scans and says what to wait for.
async fn ask(client: &Client, wanted: &Wanted) -> Result<Expected, Failure> {
    match wanted {
        Wanted::Of(ids) => {
            for id in ids {
                client.post(&format!("/api/v1/projects/{id}/scan")).await?;
            }
            Ok(Expected::all(ids))
        }
        Wanted::Zenith => {
            let SyncedZenith { count } = understood(client.post(SCAN_ZENITH).await?)?;
            let projects = active(client).await?.into_iter();
            let candidates = projects.filter(|project| project.zenith_id.is_some());
            Ok(Expected::some(count, candidates.map(|project| project.id)))
        }
        Wanted::Below(directory) => {
            let place = json!({"path": directory});
            let answer = client
                .request(Method::POST, "/api/v1/projects/discover", Some(&place))
                .await?;
            let Discovered { projects } = understood(answer)?;
            Ok(Expected::all(&projects))
        }
    }
}

/// Lists the active projects.
async fn active(client: &Client) -> Result<Vec<Listed>, Failure> {
    let mut projects = Vec::new();
    loop {
        let (offset, limit) = (projects.len().to_string(), PAGE.to_string());
        let parameters = [
            ("active", "true"),
            ("limit", limit.as_str()),
            ("offset", offset.as_str()),
        ];
        let (_, answer) = client.find("/api/v1/projects", &parameters).await?;
        let Page { data } = understood(answer)?;
        let is_last = data.len() < PAGE;
        projects.extend(data);
        if is_last {
            return Ok(projects);
        }
    }
}

fn print(ended: &Ended, is_json: bool) -> Result<(), Failure> {
    let text = match is_json {
        true => output::json(&ended.frame),
        false => describe(ended),
    };
    Ok(line(&text)?)
}

/// Says in one line what came of a scan.
fn describe(ended: &Ended) -> String {
    let data = &ended.frame["data"];
    let text = |key: &str| data[key].as_str().unwrap_or("?").to_owned();
    let number = |key: &str| data[key].as_i64().map_or("?".to_owned(), |number| number.to_string());
    let project = format!("{:>4}  {:<24}", ended.id, output::plain(&text("name")));
    match ended.kind() {
        board::SCANNED => format!(
            "{project}  health {:>3}  vibe {:>3}  eco {:>3}  {:>4} errors  {:>8} lines",
            number("health_score"),
            number("vibe_score"),
            number("eco_score"),
            number("num_errors"),
            number("lines_of_code"),
        ),
        board::FAILED => format!("{project}  failed: {}", output::sentence(&text("reason"))),
        _ => format!("{project}  was deleted"),
    }
    .trim_end()
    .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn described(kind: &str, data: Value) -> String {
        let frame = json!({"type": kind, "data": data});
        describe(&Ended { id: 7, frame })
    }

    #[test]
    fn what_came_of_a_scan_is_one_line() {
        let scanned = json!({
            "id": 7, "name": "shop", "health_score": 87, "vibe_score": 100, "eco_score": 5, "num_errors": 1,
            "lines_of_code": 5420
        });
        assert_eq!(
            described(board::SCANNED, scanned),
            "   7  shop                      health  87  vibe 100  eco   5     1 errors      5420 lines"
        );
        assert_eq!(
            described(board::FAILED, json!({"name": "a\u{1b}[2J", "reason": "gone\naway"})),
            "   7  a [2J                     failed: gone away"
        );
        assert!(described(board::DELETED, Value::Null).ends_with("?                         was deleted"));
    }
}
