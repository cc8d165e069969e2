//! The actor `search-index` under `app`: answers searches.
//!
//! It owns the catalog of projects and the right to search; the files of the code index belong to [`CodeIndex`], which the
//! scanner changes and which outlives the actor. A crash loses the searches that are under way, whose callers get
//! `RESTARTING`, and the catalog, which the next search builds again.
//!
//! It waits for nothing itself: each search is a job. So many may run that a slow one holds up nobody, and no more, since
//! each takes a thread.

use std::{
    num::NonZeroUsize,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::task::{JoinSet, spawn_blocking};

use super::{FoundProject, catalog::Shelf};
use crate::{
    Error,
    cancel::CancelOnDrop,
    scanner,
    search::code::{self, Answer, Budget, CodeIndex, Query, Roots},
    store::Store,
    supervision::{self, Handle},
};

/// The actor's path in the tree.
pub const PATH: &str = "search-index";
/// As many searches run at once.
const MAX_JOBS: usize = 32;
/// A search that has found so many lines has found enough to choose from.
const MAX_LINES: usize = 50_000;
/// A search that takes longer says how far it got.
const DEADLINE: Duration = Duration::from_secs(5);
/// One search takes no more of the machine.
const MAX_THREADS: usize = 4;

/// What the actor can be asked.
#[derive(Debug)]
pub enum Message {
    /// Find lines of code.
    FindCode {
        /// What is looked for.
        query: Query,
        /// Where the projects are that are looked at.
        roots: Roots,
        /// Receives the lines.
        reply: RpcReplyPort<Result<Answer, Error>>,
    },
    /// Find projects.
    FindProjects {
        /// Words.
        query: String,
        /// At most so many.
        limit: usize,
        /// Receives the projects.
        reply: RpcReplyPort<Result<Vec<FoundProject>, Error>>,
    },
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::FindCode { .. } => "find_code",
            Self::FindProjects { .. } => "find_projects",
        }
    }
}

/// What the actor is given.
#[derive(Debug, Clone)]
pub struct Args {
    /// The rows of the projects.
    pub store: Store,
    /// The index of code.
    pub index: Arc<CodeIndex>,
    /// Builds what is damaged again.
    pub scanner: Handle<scanner::Message>,
}

/// The actor.
pub struct SearchIndex;

/// What the actor holds.
pub struct State {
    args: Args,
    /// The projects as they were when they were searched last.
    catalog: Shelf,
    /// The searches under way; they end with the actor.
    jobs: JoinSet<()>,
}

impl Actor for SearchIndex {
    type Msg = Message;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, _myself: ActorRef<Message>, args: Args) -> Result<State, ActorProcessingErr> {
        Ok(State {
            catalog: Shelf::new(args.store.clone()),
            args,
            jobs: JoinSet::new(),
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::FindCode { query, roots, reply } => state.find_code(query, roots, reply),
            Message::FindProjects { query, limit, reply } => state.find_projects(query, limit, reply),
        }
        Ok(())
    }
}

impl State {
    fn find_code(&mut self, query: Query, roots: Roots, reply: RpcReplyPort<Result<Answer, Error>>) {
        let Args { index, scanner, .. } = self.args.clone();
        self.answer(reply, async move {
            let answer = search(index, query, roots).await?;
            for damaged in &answer.damaged {
                tracing::warn!(
                    project.id = %damaged.project, file = %damaged.file.display(), damage = %damaged.damage,
                    "the code index of project {} is damaged and is built again", damaged.project
                );
                // An answer is none the worse for a scanner that is away; the next search meets the damage again.
                let _ = scanner.cast(scanner::Message::Rebuild {
                    project: damaged.project,
                });
            }
            Ok(answer)
        });
    }

    fn find_projects(&mut self, query: String, limit: usize, reply: RpcReplyPort<Result<Vec<FoundProject>, Error>>) {
        let shelf = self.catalog.clone();
        self.answer(reply, async move {
            let catalog = shelf.current().await?;
            let found = spawn_blocking(move || catalog.search(&query, limit));
            found
                .await
                .map_err(|cause| Error::Internal(format!("a search ended early: {cause}")))
        });
    }

    /// Lets a job find the answer, unless too many are under way.
    fn answer<T: Send + 'static>(
        &mut self,
        reply: RpcReplyPort<Result<T, Error>>,
        job: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) {
        while self.jobs.try_join_next().is_some() {}
        if self.jobs.len() >= MAX_JOBS {
            // An error of sending means, here and below, that nobody waits any more.
            let _ = reply.send(Err(Error::Busy { actor: PATH.to_owned() }));
            return;
        }
        self.jobs.spawn(async move {
            let _ = reply.send(job.await);
        });
    }
}

async fn search(index: Arc<CodeIndex>, query: Query, roots: Roots) -> Result<Answer, Error> {
    let guard = CancelOnDrop::default();
    let cancelled = guard.flag();
    let deadline = Instant::now() + DEADLINE;
    let threads = thread::available_parallelism()
        .map_or(1, NonZeroUsize::get)
        .min(MAX_THREADS);
    let searched = spawn_blocking(move || {
        let budget = Budget {
            max_lines: MAX_LINES,
            deadline: Some(deadline),
            cancelled: &cancelled,
            threads: NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN),
        };
        index.search(&query, &roots, &budget)
    });
    searched
        .await
        .map_err(|cause| Error::Internal(format!("a search ended early: {cause}")))?
        .map_err(refusal)
}

/// Says what is wrong with a query.
fn refusal(error: code::Error) -> Error {
    let field = match error {
        code::Error::InvalidGlob { .. } => "path",
        code::Error::Empty
        | code::Error::TooManyWords(_)
        | code::Error::PhraseOverLines
        | code::Error::InvalidRegex { .. } => "query",
        code::Error::NeedsRebuild { .. } | code::Error::Damaged { .. } | code::Error::Write { .. } => {
            return Error::Internal(error.to_string());
        }
    };
    Error::InvalidField {
        field: field.to_owned(),
        reason: format!("is not accepted: {error}"),
    }
}
