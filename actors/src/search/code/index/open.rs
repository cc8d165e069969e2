//! Opens the index of one project, as a crash or damage may have left it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    id::ProjectId,
    search::code::{
        Damaged,
        manifest::Manifest,
        project::{LiveShard, Project},
    },
};

/// Opens the index of a project and deletes what a crash has left in its folder; `None` if there was never a whole one.
pub(super) fn project(id: ProjectId, folder: &Path, damaged: &mut Vec<Damaged>) -> io::Result<Option<Project>> {
    let mut report = |file: PathBuf, damage| {
        damaged.push(Damaged {
            project: id,
            file,
            damage,
        });
    };
    let manifest = match Manifest::find(folder) {
        Ok(Some(manifest)) => manifest,
        Ok(None) => {
            fs::remove_dir_all(folder)?;
            return Ok(None);
        }
        Err(damage) => {
            report(folder.to_owned(), damage);
            return Ok(Some(Project {
                next: next_free_number(folder)?,
                is_damaged: true,
                ..Project::default()
            }));
        }
    };
    manifest.delete_others(folder)?;
    let mut project = Project {
        next: manifest.next,
        ..Project::default()
    };
    for entry in &manifest.shards {
        match LiveShard::open(folder, entry) {
            Ok(shard) => project.shards.push(shard),
            Err(damage) => {
                project.is_damaged = true;
                report(folder.join(entry.file_name()), damage);
            }
        }
    }
    Ok(Some(project))
}

/// What the manifest would say, had it survived.
fn next_free_number(folder: &Path) -> io::Result<u64> {
    let mut next = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .and_then(|stem| stem.parse::<u64>().ok());
        next = next.max(number.map_or(0, |number| number + 1));
    }
    Ok(next)
}
