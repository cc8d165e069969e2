//! Reports in JSON: coverage.py's, tarpaulin's and Istanbul's. They hold a number for each line, or the sources
//! themselves, so only the totals are kept while reading.

use serde::{Deserialize, de::DeserializeOwned};

use super::{Counts, Format};
use crate::manifests::syntax::{self, Broken};

/// coverage.py's totals, and those of newer versions of tarpaulin.
#[derive(Deserialize)]
struct Totals {
    totals: Option<PythonTotals>,
    covered: Option<u64>,
    coverable: Option<u64>,
}

#[derive(Deserialize)]
struct PythonTotals {
    covered_lines: u64,
    num_statements: u64,
}

/// What older versions of tarpaulin leave to be added up.
#[derive(Deserialize)]
struct Files {
    files: Vec<CountedFile>,
}

#[derive(Deserialize)]
struct CountedFile {
    covered: u64,
    coverable: u64,
}

#[derive(Deserialize)]
struct Summary {
    total: SummaryTotal,
}

#[derive(Deserialize)]
struct SummaryTotal {
    lines: SummaryLines,
}

#[derive(Deserialize)]
struct SummaryLines {
    total: u64,
    covered: u64,
}

pub(super) fn read(format: Format, source: &str) -> Result<Option<Counts>, Broken> {
    if format == Format::Summary {
        let summary = parse::<Summary>(source)?.map(|summary| summary.total.lines);
        return Ok(summary.map(|lines| Counts::of_lines(lines.covered, lines.total)));
    }
    let Some(stated) = parse::<Totals>(source)? else {
        return Ok(None);
    };
    if let Some(totals) = stated.totals {
        return Ok(Some(Counts::of_lines(totals.covered_lines, totals.num_statements)));
    }
    if let Some((covered, lines)) = stated.covered.zip(stated.coverable) {
        return Ok(Some(Counts::of_lines(covered, lines)));
    }
    Ok(parse::<Files>(source)?.map(|Files { files }| {
        let sum = |count: fn(&CountedFile) -> u64| files.iter().map(count).fold(0, u64::saturating_add);
        Counts::of_lines(sum(|file| file.covered), sum(|file| file.coverable))
    }))
}

/// Reads what has the wanted form; other programs write JSON files of the same names.
fn parse<T: DeserializeOwned>(source: &str) -> Result<Option<T>, Broken> {
    match serde_json::from_str(source) {
        Ok(value) => Ok(Some(value)),
        Err(cause) if cause.is_data() => Ok(None),
        Err(cause) => Err(syntax::broken_json(&cause)),
    }
}
