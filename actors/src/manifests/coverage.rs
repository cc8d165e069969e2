//! Coverage reports, whoever wrote them, and which of several counts.
//!
//! One run often leaves the same figures in several formats, and a project with two halves has a report for each. The
//! file's age is not known here, so the report that knows most counts: first those that count lines before those that
//! only state a rate, then more lines before fewer, then the format in the order of [`Format`], then the path.

mod json;

use std::str::FromStr;

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::{findings::Coverage, part::Part, place, syntax::Broken, xml};

/// How a report is written, the most precise first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Format {
    /// The JSON of coverage.py or tarpaulin.
    Json,
    /// Jest's and Istanbul's coverage-summary.json.
    Summary,
    /// lcov's tracefile.
    Lcov,
    /// Cobertura's XML, which coverage.py writes too.
    Cobertura,
}

/// What a report says.
#[derive(Debug)]
pub(super) struct Report {
    format: Format,
    coverage: Coverage,
}

impl Format {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "coverage.json" | "tarpaulin-report.json" | "tarpaulin.json" => Some(Self::Json),
            "coverage-summary.json" => Some(Self::Summary),
            "lcov.info" | "coverage.info" | "coverage.lcov" => Some(Self::Lcov),
            "coverage.xml" | "cobertura.xml" | "cobertura-coverage.xml" | "coverage.cobertura.xml" => {
                Some(Self::Cobertura)
            }
            _ => None,
        }
    }
}

pub(super) fn read(format: Format, path: &str, source: &str) -> Result<Part, Broken> {
    let counts = match format {
        Format::Json | Format::Summary => json::read(format, source)?,
        Format::Lcov => lcov(source),
        Format::Cobertura => cobertura(source)?,
    };
    let found = counts.and_then(|counts| report(format, path, &counts));
    Ok(found.map_or(Part::Nothing, Part::Report))
}

/// Returns the report that counts.
pub(super) fn best(reports: Vec<Report>) -> Option<Coverage> {
    let order = |report: &Report| {
        let Coverage { lines, source, .. } = &report.coverage;
        (
            std::cmp::Reverse(*lines),
            report.format,
            place::depth(source),
            source.clone(),
        )
    };
    reports.into_iter().min_by_key(order).map(|report| report.coverage)
}

/// What a report states: lines or only a share of them.
struct Counts {
    covered: Option<u64>,
    lines: Option<u64>,
    percent: Option<f64>,
}

impl Counts {
    fn of_lines(covered: u64, lines: u64) -> Self {
        Self {
            covered: Some(covered),
            lines: Some(lines),
            percent: None,
        }
    }
}

fn report(format: Format, path: &str, counts: &Counts) -> Option<Report> {
    let counted = counts
        .covered
        .zip(counts.lines)
        .filter(|(covered, lines)| *lines > 0 && covered <= lines);
    #[expect(clippy::cast_precision_loss, reason = "a count of lines is far below 2^52")]
    let percent = match counted {
        Some((covered, lines)) => covered as f64 / lines as f64 * 100.0,
        None => counts.percent?,
    };
    if !(0.0..=100.0).contains(&percent) {
        return None;
    }
    let coverage = Coverage {
        percent: (percent * 100.0).round() / 100.0,
        source: path.to_owned(),
        covered: counted.map(|(covered, _)| covered),
        lines: counted.map(|(_, lines)| lines),
    };
    Some(Report { format, coverage })
}

/// Adds up what is found (`LF`) and hit (`LH`) in each file of a tracefile.
fn lcov(source: &str) -> Option<Counts> {
    let sum = |key: &str| -> u64 {
        let values = source
            .lines()
            .filter_map(|line| line.strip_prefix(key)?.trim().parse::<u64>().ok());
        values.fold(0, u64::saturating_add)
    };
    source
        .contains("end_of_record")
        .then(|| Counts::of_lines(sum("LH:"), sum("LF:")))
}

/// Reads the attributes of the root element; the rest of the file is not looked at.
fn cobertura(source: &str) -> Result<Option<Counts>, Broken> {
    let mut reader = Reader::from_str(source);
    loop {
        match reader
            .read_event()
            .map_err(|cause| xml::broken(source, &reader, &cause.to_string()))?
        {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "coverage" => {
                return Ok(Some(Counts {
                    covered: attribute(&tag, "lines-covered"),
                    lines: attribute(&tag, "lines-valid"),
                    percent: attribute(&tag, "line-rate").map(|rate: f64| rate * 100.0),
                }));
            }
            // Another report in XML, such as Clover's or JaCoCo's.
            Event::Start(_) | Event::Empty(_) | Event::Eof => return Ok(None),
            _ => {}
        }
    }
}

fn attribute<T: FromStr>(tag: &BytesStart<'_>, name: &str) -> Option<T> {
    let found = tag.try_get_attribute(name).ok().flatten()?;
    found.value.trim().parse().ok()
}
