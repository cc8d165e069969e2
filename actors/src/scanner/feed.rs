//! Hands what a scan reads to the builder of the code index, so that no file is read twice.

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use crate::{
    scan::{self, ScannedFile, Sink},
    search::code::{self, NewShard, ShardBuilder, SourceFile},
};

/// Takes files in until one cannot be written.
pub(super) struct Feed {
    builder: ShardBuilder,
    failure: Mutex<Option<io::Error>>,
}

impl Feed {
    pub(super) fn new(builder: ShardBuilder) -> Self {
        Self {
            builder,
            failure: Mutex::default(),
        }
    }

    /// Returns what was built.
    ///
    /// # Errors
    /// Fails when anything could not be written.
    pub(super) fn finish(self) -> io::Result<Vec<NewShard>> {
        match self.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(self.builder.finish()?.shards),
        }
    }

    fn failure(&self) -> std::sync::MutexGuard<'_, Option<io::Error>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Feed {
    fn file(&self, file: &ScannedFile<'_>) {
        if self.failure().is_some() {
            return;
        }
        let added = self.builder.add(&SourceFile {
            path: file.real_path,
            size: file.size,
            mtime_ns: file.mtime_ns,
            language: file.language.unwrap_or_default(),
            class: class(file.class),
            content: file.content,
        });
        if let Err(error) = added {
            self.failure().get_or_insert(error);
        }
    }
}

fn class(class: scan::Class) -> code::Class {
    match class {
        scan::Class::Source => code::Class::Source,
        scan::Class::Test => code::Class::Test,
        scan::Class::Docs | scan::Class::Data => code::Class::Document,
        scan::Class::Vendored => code::Class::Vendored,
        scan::Class::Generated => code::Class::Generated,
    }
}
