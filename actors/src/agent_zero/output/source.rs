//! Where lines come from, read off the async threads. A look that takes too long goes on, and the next one waits for it.

use std::{io, mem, time::Duration};

use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

use crate::runtime::process::Follower;

/// Returns the next lines of an output. It blocks.
pub(super) trait Lines: Send + 'static {
    fn read(&mut self) -> io::Result<Vec<String>>;
}

impl Lines for Follower {
    fn read(&mut self) -> io::Result<Vec<String>> {
        Self::read(self)
    }
}

type Look<L> = JoinHandle<(L, io::Result<Vec<String>>)>;

/// What is read.
pub(super) enum Source<L = Follower> {
    /// Nobody prints anything.
    Nothing,
    /// It is not looked at just now.
    Idle(L),
    /// A look is under way.
    Looking(Look<L>),
}

impl<L: Lines> Source<L> {
    /// Returns the lines that are new.
    ///
    /// # Errors
    /// Fails when they cannot be read, or not in time.
    pub(super) async fn read(&mut self, patience: Duration) -> io::Result<Vec<String>> {
        if matches!(self, Self::Idle(_))
            && let Self::Idle(mut lines) = mem::replace(self, Self::Nothing)
        {
            *self = Self::Looking(spawn_blocking(move || {
                let read = lines.read();
                (lines, read)
            }));
        }
        let Self::Looking(look) = self else {
            return Ok(Vec::new());
        };
        let (lines, read) = timeout(patience, look).await?.map_err(io::Error::other)?;
        *self = Self::Idle(lines);
        read
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver};

    use super::*;

    /// As slow as its test has it.
    struct Slow(Receiver<String>);

    impl Lines for Slow {
        fn read(&mut self) -> io::Result<Vec<String>> {
            Ok(vec![self.0.recv().expect("the test says something")])
        }
    }

    #[tokio::test]
    async fn a_slow_look_is_waited_for_by_the_next_one() {
        let (sender, receiver) = mpsc::channel();
        let mut source = Source::Idle(Slow(receiver));
        for _ in 0..2 {
            let late = source.read(Duration::from_millis(5)).await.unwrap_err();
            assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        }
        for line in ["one", "two"] {
            sender.send(line.to_owned()).unwrap();
            assert_eq!(source.read(Duration::from_secs(10)).await.unwrap(), [line]);
        }
    }
}
