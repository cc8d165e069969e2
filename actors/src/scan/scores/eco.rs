//! Eco: is it sparing?
//!
//! | part | weight | score |
//! |---|---|---|
//! | dependencies | 30 | 1 up to 10, 0 at 1,000, the same less for each doubling |
//! | image | 25 | what the largest base image is: 1 for nothing or a distroless one, 0.9 Alpine, 0.7 slim, 0.3 a whole system |
//! | limits | 15 | whether memory or CPU are limited |
//! | idle | 15 | memory held while idle: 1 up to 64 MiB, 0 at 2 GiB, the same less for each doubling |
//! | artefacts | 15 | 1 when nothing that builds or installations leave lies in the tree, 0.5 down to 0 by its number |

use super::{Inputs, Part, falling_by_doubling};

const FEW_DEPENDENCIES: f64 = 10.0;
const MANY_DEPENDENCIES: f64 = 1_000.0;
const SMALL_BYTES: f64 = 64.0 * 1024.0 * 1024.0;
const LARGE_BYTES: f64 = 2.0 * 1024.0 * 1024.0 * 1024.0;
const MANY_ARTEFACTS: f64 = 1_000.0;

pub(super) fn parts(inputs: Inputs<'_>) -> Vec<Part> {
    vec![
        dependencies(inputs),
        image(inputs),
        limits(inputs),
        idle(inputs),
        artefacts(inputs),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "dependencies are far below 2^52")]
fn dependencies(inputs: Inputs<'_>) -> Part {
    match inputs.manifests.num_dependencies {
        Some(num) => {
            let score = falling_by_doubling(num as f64, FEW_DEPENDENCIES, MANY_DEPENDENCIES);
            Part::known(
                "dependencies",
                30.0,
                score,
                format!("{num} dependencies"),
                "drop dependencies that do little",
            )
        }
        None => Part::unknown("dependencies", 30.0, "no manifest names dependencies"),
    }
}

fn image(inputs: Inputs<'_>) -> Part {
    let rated = inputs.manifests.base_images.iter().map(|image| (weight(image), image));
    match rated.min_by(|left, right| left.0.total_cmp(&right.0)) {
        Some((score, image)) => {
            let advice = "start the last stage from a distroless, Alpine or slim image";
            Part::known("image", 25.0, score, format!("the image starts from `{image}`"), advice)
        }
        None => Part::unknown("image", 25.0, "no base image is known"),
    }
}

/// Rates a base image by what its name says is in it.
fn weight(image: &str) -> f64 {
    let image = image.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| image.contains(word));
    if image == "scratch" || says(&["distroless", "/static", "chainguard"]) {
        1.0
    } else if says(&["alpine", "busybox", "wolfi"]) {
        0.9
    } else if says(&["slim", "-minimal", "micro"]) {
        0.7
    } else {
        0.3
    }
}

fn limits(inputs: Inputs<'_>) -> Part {
    match inputs.running.has_limits {
        Some(true) => Part::known("limits", 15.0, 1.0, "memory or CPU are limited".to_owned(), ""),
        Some(false) => Part::known(
            "limits",
            15.0,
            0.0,
            "nothing is limited".to_owned(),
            "limit memory and CPU",
        ),
        None => Part::unknown("limits", 15.0, "it is not deployed"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few bytes more or less do not matter")]
fn idle(inputs: Inputs<'_>) -> Part {
    match inputs.running.idle_memory_bytes {
        Some(bytes) => {
            let score = falling_by_doubling(bytes as f64, SMALL_BYTES, LARGE_BYTES);
            let reason = format!("{} MiB held while idle", bytes / 1024 / 1024);
            Part::known(
                "idle",
                15.0,
                score,
                reason,
                "find out what is held while nothing is asked",
            )
        }
        None => Part::unknown("idle", 15.0, "it was not measured while idle"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "files are far below 2^52")]
fn artefacts(inputs: Inputs<'_>) -> Part {
    let facts = &inputs.report.facts;
    let num = facts.artefact_directories.len() + facts.num_artefact_files;
    if num == 0 {
        return Part::known("artefacts", 15.0, 1.0, "no build artefacts in the tree".to_owned(), "");
    }
    let score = 0.5 * falling_by_doubling(num as f64, 1.0, MANY_ARTEFACTS);
    let reason = format!(
        "{} directories and {} files that builds or installations made",
        facts.artefact_directories.len(),
        facts.num_artefact_files
    );
    Part::known(
        "artefacts",
        15.0,
        score,
        reason,
        "name them in `.gitignore` and remove them from the tree",
    )
}
