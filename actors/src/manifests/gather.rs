//! Reads each file by itself and sorts what they say by kind.

use super::{
    File,
    coverage::Report,
    docker::{Image, Services},
    findings::{EntryPoint, Invalid},
    format::Format,
    marker::Marker,
    part::{Lock, Manifest, Part},
    place::{self, Place},
    syntax::Broken,
};

/// What the files say, nearest to the project's own directory first.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) manifests: Vec<Manifest>,
    pub(super) locks: Vec<Lock>,
    pub(super) images: Vec<Image>,
    pub(super) services: Vec<Services>,
    pub(super) processes: Vec<EntryPoint>,
    pub(super) reports: Vec<Report>,
    pub(super) licences: Vec<&'static str>,
    /// Each with its path.
    pub(super) markers: Vec<(Marker, String)>,
    pub(super) invalid: Vec<Invalid>,
}

impl Gathered {
    pub(super) fn read(files: &[File]) -> Self {
        let mut ordered: Vec<&File> = files.iter().collect();
        ordered.sort_by_key(|file| (place::depth(&file.path), &file.path));
        ordered.dedup_by_key(|file| &file.path);
        let mut gathered = Self::default();
        for file in ordered {
            if let Some(format) = Format::of(&file.path) {
                match format.read(&file.path, &file.content) {
                    Ok(part) => gathered.add(&file.path, &file.content, part),
                    Err(broken) => gathered.refuse(&file.path, &file.content, broken),
                }
            }
        }
        gathered
    }

    fn add(&mut self, path: &str, content: &[u8], part: Part) {
        match part {
            Part::Manifest(mut manifest) => {
                if let Some(broken) = manifest.problem.take() {
                    self.refuse(path, content, broken);
                }
                self.manifests.push(*manifest);
            }
            Part::Lock(lock) => self.locks.push(lock),
            Part::Image(image) => self.images.push(image),
            Part::Services(services) => self.services.push(services),
            Part::Processes(processes) => self.processes.extend(processes),
            Part::Report(report) => self.reports.push(report),
            Part::Licence(licence) => self.licences.push(licence),
            Part::Marker(marker) => self.markers.push((marker, path.to_owned())),
            Part::Nothing => {}
        }
    }

    /// Notes a file that cannot be read. Samples among tests may be broken on purpose, and a template becomes a
    /// manifest only once it is filled in.
    fn refuse(&mut self, path: &str, content: &[u8], broken: Broken) {
        if Place::of(path) == Place::Product && !is_template(content) {
            self.invalid.push(Invalid {
                file: path.to_owned(),
                line: broken.line,
                message: broken.message,
            });
        }
    }

    /// Returns the languages' and tools' manifests that are part of the product.
    pub(super) fn products(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests.iter().filter(|manifest| !manifest.is_aside)
    }

    pub(super) fn has(&self, wanted: Marker) -> bool {
        self.markers.iter().any(|(marker, _)| *marker == wanted)
    }
}

/// Tells the placeholders of template languages; `${{ .. }}` is no template but an expression of GitHub's.
fn is_template(content: &[u8]) -> bool {
    let mut previous = b' ';
    content.windows(2).any(|pair| {
        let is_mark = pair == b"{%" || (pair == b"{{" && previous != b'$');
        previous = pair[0];
        is_mark
    })
}
