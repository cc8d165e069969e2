//! The build context: the project's directory as a tar stream, made while it is sent, so that its size does not matter.

use std::{
    fs::{self, File, Metadata},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;

use super::dockerignore::Rules;
use crate::plan::open_regular;

const CHUNK_BYTES: usize = 64 * 1024;
const NUM_CHUNKS: usize = 8;
const MAX_ENTRIES: usize = 1_000_000;
const MAX_BYTES: u64 = 16 * 1024 * 1024 * 1024;
const MAX_IGNORE_FILE_BYTES: u64 = 1024 * 1024;
const DOCKERFILE: &str = "Dockerfile";
const IGNORE_FILE: &str = ".dockerignore";
/// Sent whatever the rules say: the engine needs the first, and expects the second.
const ALWAYS_SENT: [&str; 2] = [DOCKERFILE, IGNORE_FILE];
/// The name of a Dockerfile that was written, which the directory itself has not.
const WRITTEN: &str = ".borgos.Dockerfile";
/// What never belongs into an image, when the project says nothing about that.
const USUALLY_IGNORED: [&str; 4] = [".git", ".env", ".env.local", ".env.*.local"];

/// What is sent to the builder.
#[derive(Debug, Clone)]
pub(super) struct Context {
    root: PathBuf,
    written: Option<Written>,
}

/// What is sent beside the files of the directory.
#[derive(Debug, Clone)]
struct Written {
    dockerfile: String,
    ignored: &'static [&'static str],
}

impl Context {
    /// A directory with a Dockerfile of its own.
    pub(super) fn own(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            written: None,
        }
    }

    /// A directory with a Dockerfile that was written for it.
    pub(super) fn written(root: &Path, dockerfile: &str, ignored: &'static [&'static str]) -> Self {
        Self {
            root: root.to_owned(),
            written: Some(Written {
                dockerfile: dockerfile.to_owned(),
                ignored,
            }),
        }
    }

    /// Returns the name of the Dockerfile in it.
    pub(super) fn dockerfile(&self) -> &'static str {
        self.written.as_ref().map_or(DOCKERFILE, |_| WRITTEN)
    }

    /// Sends the context in chunks. Blocks, and ends early when nobody takes them any more.
    ///
    /// # Errors
    /// Says which file could not be sent; the receiver gets the error too, so that half a context is not taken for a whole.
    pub(super) fn send(&self, chunks: mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
        let sent = send_tree(&self.root, self.written.as_ref(), chunks.clone());
        report(sent, &chunks)
    }
}

fn report(sent: io::Result<()>, chunks: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    if let Err(cause) = &sent
        && chunks
            .blocking_send(Err(io::Error::new(cause.kind(), cause.to_string())))
            .is_err()
    {
        tracing::debug!(error = %cause, "a build context was no longer wanted");
    }
    sent
}

fn send_tree(root: &Path, written: Option<&Written>, chunks: mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let own_rules = read_rules(root)?;
    let rules = match written {
        None => own_rules.unwrap_or_default(),
        Some(written) => written.rules(own_rules),
    };
    let mut sender = Sender {
        root,
        rules: Rules::parse(&rules).map_err(io::Error::other)?,
        always_sent: if written.is_some() { &[] } else { &ALWAYS_SENT },
        archive: Builder::new(Chunks {
            buffer: Vec::with_capacity(CHUNK_BYTES),
            chunks,
        }),
        num_entries: 0,
        num_bytes: 0,
    };
    sender.append_tree()?;
    if let Some(written) = written {
        sender.append_text(WRITTEN, &written.dockerfile)?;
        sender.append_text(IGNORE_FILE, &rules)?;
    }
    sender.archive.into_inner()?.flush()
}

/// Makes the channel that [`send`] fills: a bounded one, so that a slow engine slows the reading.
pub(super) fn channel() -> (mpsc::Sender<io::Result<Bytes>>, mpsc::Receiver<io::Result<Bytes>>) {
    mpsc::channel(NUM_CHUNKS)
}

/// Reads the directory's rules, if it has some.
fn read_rules(root: &Path) -> io::Result<Option<String>> {
    let file = match open_regular(&root.join(IGNORE_FILE)) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut content = String::new();
    file.take(MAX_IGNORE_FILE_BYTES).read_to_string(&mut content)?;
    Ok(Some(content))
}

impl Written {
    /// Adds to the directory's rules, or to the usual ones, that what is written for the builder stays with it. The engine
    /// reads them as well, and takes out what it has read.
    fn rules(&self, own: Option<String>) -> String {
        let usual = || [&USUALLY_IGNORED, self.ignored].concat().join("\n");
        format!("{}\n{WRITTEN}\n{IGNORE_FILE}\n", own.unwrap_or_else(usual))
    }
}

struct Sender<'a> {
    root: &'a Path,
    rules: Rules,
    always_sent: &'static [&'static str],
    archive: Builder<Chunks>,
    num_entries: usize,
    num_bytes: u64,
}

impl Sender<'_> {
    /// Walks the tree, each directory in the order of its names, so that the same tree makes the same stream.
    fn append_tree(&mut self) -> io::Result<()> {
        let mut waiting = vec![PathBuf::new()];
        while let Some(directory) = waiting.pop() {
            let mut names = fs::read_dir(self.root.join(&directory))?
                .map(|entry| entry.map(|entry| entry.file_name()))
                .collect::<io::Result<Vec<_>>>()?;
            names.sort();
            for name in names {
                let path = directory.join(name);
                let appended = self.append(&path, &mut waiting);
                appended.map_err(|cause| io::Error::new(cause.kind(), format!("{}: {cause}", path.display())))?;
            }
        }
        Ok(())
    }

    /// Appends what is at the path, and puts a directory that must be walked into `waiting`.
    fn append(&mut self, path: &Path, waiting: &mut Vec<PathBuf>) -> io::Result<()> {
        let metadata = match fs::symlink_metadata(self.root.join(path)) {
            // Gone since the directory was read.
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(()),
            metadata => metadata?,
        };
        let text = path.to_string_lossy();
        let is_ignored = self.rules.is_ignored(&text) && !self.always_sent.contains(&&*text);
        if metadata.is_dir() && (!is_ignored || self.rules.has_exceptions()) {
            waiting.push(path.to_owned());
        }
        if is_ignored {
            return Ok(());
        }
        self.num_entries += 1;
        if self.num_entries > MAX_ENTRIES {
            return Err(io::Error::other(format!(
                "the project has more than {MAX_ENTRIES} files"
            )));
        }
        self.append_entry(path, &metadata)
    }

    /// Links are sent as links; sockets, pipes and devices are not sent at all.
    fn append_entry(&mut self, path: &Path, metadata: &Metadata) -> io::Result<()> {
        if metadata.is_dir() {
            let mut header = header(metadata, EntryType::Directory, 0);
            self.archive.append_data(&mut header, path, io::empty())
        } else if metadata.is_symlink() {
            let target = fs::read_link(self.root.join(path))?;
            let mut header = header(metadata, EntryType::Symlink, 0);
            self.archive.append_link(&mut header, path, target)
        } else if metadata.is_file() {
            self.append_file(path)
        } else {
            Ok(())
        }
    }

    /// Appends a file that is not in the directory.
    fn append_text(&mut self, name: &str, text: &str) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        self.archive.append_data(&mut header, name, text.as_bytes())
    }

    fn append_file(&mut self, path: &Path) -> io::Result<()> {
        let file = open_regular(&self.root.join(path))?;
        let metadata = file.metadata()?;
        self.num_bytes += metadata.len();
        if self.num_bytes > MAX_BYTES {
            return Err(io::Error::other(format!("the project has more than {MAX_BYTES} bytes")));
        }
        let mut header = header(&metadata, EntryType::Regular, metadata.len());
        let content = Exactly {
            file,
            num_left: metadata.len(),
        };
        self.archive.append_data(&mut header, path, content)
    }
}

/// Owners are left out, since the builder gives everything to root.
fn header(metadata: &Metadata, kind: EntryType, num_bytes: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(metadata.mode() & 0o7777);
    header.set_mtime(metadata.mtime().try_into().unwrap_or(0));
    header.set_size(num_bytes);
    header
}

/// Reads as much as the header promised: a file that grows is cut, one that shrinks is an error.
struct Exactly {
    file: File,
    num_left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.num_left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let num_read = self.file.read(&mut buffer[..wanted])?;
        if num_read == 0 && wanted > 0 {
            return Err(io::Error::other("the file became shorter while it was read"));
        }
        self.num_left -= num_read as u64;
        Ok(num_read)
    }
}

/// Collects small writes into chunks.
struct Chunks {
    buffer: Vec<u8>,
    chunks: mpsc::Sender<io::Result<Bytes>>,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK_BYTES));
        let sent = self.chunks.blocking_send(Ok(Bytes::from(chunk)));
        sent.map_err(|_| io::Error::new(ErrorKind::BrokenPipe, "the engine takes no more of it"))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, os::unix::fs::symlink};

    use super::*;

    /// Lists the entries of a context: their type and the size of what they hold.
    fn entries(context: Context) -> BTreeMap<String, (EntryType, u64)> {
        let (sender, mut receiver) = channel();
        let sending = std::thread::spawn(move || context.send(sender));
        let mut stream = Vec::new();
        while let Some(chunk) = receiver.blocking_recv() {
            stream.extend_from_slice(&chunk.unwrap());
        }
        sending.join().unwrap().unwrap();
        let mut archive = tar::Archive::new(stream.as_slice());
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let path = entry.path().unwrap().to_string_lossy().trim_end_matches('/').to_owned();
            (path, (entry.header().entry_type(), entry.size()))
        });
        entries.collect()
    }

    #[test]
    fn the_tree_is_sent_with_links_as_links_and_without_what_is_ignored() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, content: &str| fs::write(root.path().join(path), content).unwrap();
        fs::create_dir_all(root.path().join("node_modules/x")).unwrap();
        fs::create_dir_all(root.path().join("src")).unwrap();
        write("Dockerfile", "FROM scratch");
        write(".dockerignore", "*\n!src\n!node_modules/x/keep\nsrc/*.tmp");
        write("node_modules/x/drop", "1");
        write("node_modules/x/keep", "22");
        write("src/a", &"x".repeat(200_000));
        write("src/b.tmp", "");
        symlink("/etc/passwd", root.path().join("src/link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.path().join("src/socket")).unwrap();

        let expected = BTreeMap::from([
            (".dockerignore".to_owned(), (EntryType::Regular, 37)),
            ("Dockerfile".to_owned(), (EntryType::Regular, 12)),
            ("node_modules/x/keep".to_owned(), (EntryType::Regular, 2)),
            ("src".to_owned(), (EntryType::Directory, 0)),
            ("src/a".to_owned(), (EntryType::Regular, 200_000)),
            ("src/link".to_owned(), (EntryType::Symlink, 0)),
        ]);
        assert_eq!(entries(Context::own(root.path())), expected);
    }

    #[test]
    fn a_dockerfile_that_was_written_is_sent_and_not_written_into_the_tree() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, content: &str| fs::write(root.path().join(path), content).unwrap();
        fs::create_dir_all(root.path().join("venv/x")).unwrap();
        write("app.py", "1");
        write(".env", "SECRET=1");
        write("venv/x/y", "1");
        let names = |context: Context| entries(context).into_keys().collect::<Vec<_>>();
        let context = || Context::written(root.path(), "FROM scratch", &["venv"]);
        assert_eq!(context().dockerfile(), ".borgos.Dockerfile");
        assert_eq!(names(context()), [".borgos.Dockerfile", ".dockerignore", "app.py"]);
        write(".dockerignore", "app.py\n!.dockerignore");
        assert_eq!(
            names(context()),
            [
                ".borgos.Dockerfile",
                ".dockerignore",
                ".env",
                "venv",
                "venv/x",
                "venv/x/y"
            ]
        );
        assert!(!root.path().join(".borgos.Dockerfile").exists());
    }

    #[test]
    fn sending_ends_when_nobody_listens() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("large"), vec![0; 4 * CHUNK_BYTES * NUM_CHUNKS]).unwrap();
        let (sender, receiver) = channel();
        drop(receiver);
        let failure = Context::own(root.path()).send(sender).unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::BrokenPipe, "{failure}");
    }
}
