//! `borgos search`: lines of code as `file:line:content`, or projects.

mod highlight;

use clap::{Args, builder::PossibleValuesParser};
use reqwest::header::HeaderMap;
use serde::Deserialize;

use super::{
    Failure,
    client::{Client, Remote, understood},
    output::{self, Color, colored, line, note, plain, rows, sentence, table},
};

const CASES: [&str; 3] = ["smart", "sensitive", "insensitive"];

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    remote: Remote,
    /// Words, phrases in double quotes, symbol:NAME; behind `--` it may begin with a dash
    #[arg(required = true)]
    query: Vec<String>,
    /// Find projects instead of code
    #[arg(long, conflicts_with_all = ["project", "regex", "case", "lang", "path"])]
    projects: bool,
    /// Only in this project
    #[arg(long, value_name = "ID")]
    project: Option<i64>,
    /// At most so many results; 50 lines or 10 projects if not given
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
    /// QUERY is a regular expression
    #[arg(long)]
    regex: bool,
    /// Whether capitals matter; `smart` is when QUERY has some
    #[arg(long, value_parser = PossibleValuesParser::new(CASES))]
    case: Option<String>,
    /// Only in files of this language, such as rust
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<String>,
    /// Only in files whose path in the project matches, such as 'src/**/*.rs'
    #[arg(long, value_name = "GLOB")]
    path: Option<String>,
    /// Print the service's own answer
    #[arg(long)]
    json: bool,
}

/// A line that was found.
#[derive(Debug, Deserialize)]
struct Hit {
    file: String,
    line: u64,
    content: String,
    #[serde(default)]
    matches: Vec<(usize, usize)>,
    #[serde(default)]
    copies: Vec<String>,
}

/// A project that was found.
#[derive(Debug, Deserialize)]
struct Project {
    id: i64,
    name: String,
    path: String,
    relevance_score: f64,
    #[serde(default)]
    tech_stack: Vec<String>,
}

/// Searches. That nothing was found is a failure, so that scripts notice.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    let place = match arguments.projects {
        true => "/api/v1/search/projects",
        false => "/api/v1/search/code",
    };
    let parameters = parameters(&arguments);
    let borrowed: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (headers, answer) = client.find(place, &borrowed).await?;
    let is_empty = answer.as_array().is_some_and(Vec::is_empty);
    match (arguments.json, arguments.projects) {
        (true, _) => line(&output::json(&answer))?,
        (false, true) => print_projects(understood(answer)?)?,
        (false, false) => print_hits(understood(answer)?, &headers)?,
    }
    match is_empty {
        true => Err(Failure::General("nothing was found".to_owned())),
        false => Ok(()),
    }
}

fn parameters(arguments: &Arguments) -> Vec<(&'static str, String)> {
    let given = [
        ("query", Some(arguments.query.join(" "))),
        ("project_id", arguments.project.map(|id| id.to_string())),
        ("limit", arguments.limit.map(|limit| limit.to_string())),
        ("regex", arguments.regex.then(|| "true".to_owned())),
        ("case", arguments.case.clone()),
        ("lang", arguments.lang.clone()),
        ("path", arguments.path.clone()),
    ];
    given
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn print_hits(hits: Vec<Hit>, headers: &HeaderMap) -> Result<(), Failure> {
    for hit in &hits {
        line(&describe(hit))?;
    }
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let total: Option<usize> = header("x-total-count").and_then(|total| total.parse().ok());
    if let Some(total) = total.filter(|total| *total > num_lines(&hits)) {
        note(&format!("{} of {total} lines; `--limit` shows more", num_lines(&hits)));
    }
    if let Some(reason) = header("x-truncated") {
        note(&format!("not everything was looked at: {}", plain(reason)));
    }
    Ok(())
}

/// Copies of a line are shown with it.
fn num_lines(hits: &[Hit]) -> usize {
    hits.iter().map(|hit| 1 + hit.copies.len()).sum()
}

fn describe(hit: &Hit) -> String {
    let content = highlight::matches(&hit.content, &hit.matches, |text| colored(text, Color::Red));
    let copies = match hit.copies.len() {
        0 => String::new(),
        1 => "  (same in 1 other file)".to_owned(),
        number => format!("  (same in {number} other files)"),
    };
    format!(
        "{}:{}:{content}{copies}",
        colored(&sentence(&hit.file), Color::Magenta),
        colored(&hit.line.to_string(), Color::Green),
    )
}

fn print_projects(projects: Vec<Project>) -> Result<(), Failure> {
    if projects.is_empty() {
        return Ok(());
    }
    let mut table = table(&["ID", "NAME", "RELEVANCE", "STACK", "PATH"]);
    for project in &projects {
        table.add_row([
            project.id.to_string(),
            plain(&project.name),
            format!("{:.2}", project.relevance_score),
            plain(&project.tech_stack.join(" ")),
            sentence(&project.path),
        ]);
    }
    for text in rows(table) {
        line(&text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn hit(value: Value) -> Hit {
        from_value(value).unwrap()
    }

    #[test]
    fn a_hit_is_one_line_that_tools_understand() {
        let plain = hit(json!({"file": "/a/b.rs", "line": 3, "content": "fn a() {}", "matches": [[3, 4]], "new": 1}));
        assert_eq!(describe(&plain), "/a/b.rs:3:fn a() {}");
        let copied = hit(json!({"file": "/a\n.rs", "line": 3, "content": "x\u{1b}[2J", "copies": ["/b.rs"]}));
        assert_eq!(describe(&copied), "/a .rs:3:x [2J  (same in 1 other file)");
        assert_eq!(num_lines(&[plain, copied]), 3);
    }
}
