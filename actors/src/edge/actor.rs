//! The actor `edge` under `app`: keeps the edge process alive and tells it the routes.
//!
//! It owns no port and no connection; those are the process's, which outlives this actor and all of BorgOS. After a crash
//! a new incarnation finds the process by its control socket and learns the routes from it. While the actor is
//! away connections flow on, and callers get `RESTARTING`.
//!
//! It waits for nothing itself. A job, `Link`, talks to the process and takes the messages in order; so a route that is
//! set right after its deployment's was removed arrives in that order.

use std::{net::SocketAddr, panic::AssertUnwindSafe, path::PathBuf, time::Duration};

use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    task::JoinSet,
};

use super::{
    link::Link,
    protocol::{Drained, RouteStats},
    route::Route,
};
use crate::{Error, id::DeploymentId, supervision};

/// The actor's path in the tree.
pub const PATH: &str = "edge";
/// As many messages may wait for the edge process.
const MAX_WAITING: usize = 256;

/// What the actor can be asked. What changes something is answered when it is on disk and in effect.
#[derive(Debug)]
pub enum Message {
    /// Lead the connections of a deployment to these targets. Asking twice is as good as once; an older revision than
    /// the known one is refused.
    SetRoute {
        /// The route.
        route: Route,
        /// Receives [`Error::PortInUse`] where another program has the port.
        reply: RpcReplyPort<Result<(), Error>>,
    },
    /// Close the port of a deployment; its connections are drained.
    RemoveRoute {
        /// Whose port.
        deployment: DeploymentId,
        /// Receives nothing but success where there is no such route.
        reply: RpcReplyPort<Result<(), Error>>,
    },
    /// Let the connections to a target end that the route has left.
    Drain {
        /// Whose connections.
        deployment: DeploymentId,
        /// The target.
        target: SocketAddr,
        /// After this what is left is cut.
        deadline: Duration,
        /// Receives how many were cut, when none is left.
        reply: RpcReplyPort<Result<Drained, Error>>,
    },
    /// Tell all routes, and what goes through them.
    List {
        /// Receives them.
        reply: RpcReplyPort<Result<Vec<RouteStats>, Error>>,
    },
    /// Tell why the port of a deployment is not listened on although there is a route, as it was seen last.
    Problem {
        /// Whose port.
        deployment: DeploymentId,
        /// Receives nothing when all is well.
        reply: RpcReplyPort<Option<String>>,
    },
    /// Remove the routes of all deployments but these.
    Reconcile {
        /// Those that exist.
        known: Vec<DeploymentId>,
    },
    /// The job has ended, which it never should.
    LinkEnded,
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::SetRoute { .. } => "set_route",
            Self::RemoveRoute { .. } => "remove_route",
            Self::Drain { .. } => "drain",
            Self::List { .. } => "list",
            Self::Problem { .. } => "problem",
            Self::Reconcile { .. } => "reconcile",
            Self::LinkEnded => "link_ended",
        }
    }
}

impl Message {
    /// Answers with an error, where an answer is waited for.
    fn fail(self, error: Error) {
        // An error of sending means that nobody waits any more.
        match self {
            Self::SetRoute { reply, .. } | Self::RemoveRoute { reply, .. } => drop(reply.send(Err(error))),
            Self::Drain { reply, .. } => drop(reply.send(Err(error))),
            Self::List { reply } => drop(reply.send(Err(error))),
            // Who asks hears nothing, and asks again.
            Self::Problem { .. } | Self::Reconcile { .. } | Self::LinkEnded => {}
        }
    }
}

/// What the actor is given.
#[derive(Debug, Clone)]
pub struct Args {
    /// Below this the edge has its directory.
    pub data_dir: PathBuf,
    /// The program that is an edge when it is started with `edge` and the data directory: this one.
    pub program: PathBuf,
}

/// The actor.
pub struct EdgeActor;

/// What the actor holds.
pub struct State {
    /// Takes messages to the job.
    messages: mpsc::Sender<Message>,
    /// Aborts the job when the actor goes. The edge process stays.
    _job: JoinSet<()>,
}

impl Actor for EdgeActor {
    type Msg = Message;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Args) -> Result<State, ActorProcessingErr> {
        let (sender, messages) = mpsc::channel(MAX_WAITING);
        let mut job = JoinSet::new();
        job.spawn(async move {
            let ended = AssertUnwindSafe(Link::new(args).run(messages)).catch_unwind().await;
            tracing::debug!(has_panicked = ended.is_err(), "the link to the edge has ended");
            // An error means that the actor is gone.
            let _ = myself.cast(Message::LinkEnded);
        });
        Ok(State {
            messages: sender,
            _job: job,
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::LinkEnded => Err("the link to the edge has ended".into()),
            message => state.pass_on(message),
        }
    }
}

impl State {
    fn pass_on(&self, message: Message) -> Result<(), ActorProcessingErr> {
        match self.messages.try_send(message) {
            Ok(()) => {}
            Err(TrySendError::Full(message)) => message.fail(Error::Busy { actor: PATH.to_owned() }),
            Err(TrySendError::Closed(message)) => message.fail(Error::Restarting { actor: PATH.to_owned() }),
        }
        Ok(())
    }
}
