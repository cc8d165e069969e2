//! The edge itself: takes its directory, carries out requests, and ends.

use std::{fs::File, sync::Arc, time::Duration};

use tokio::{
    net::UnixStream,
    signal::unix::Signal,
    sync::mpsc,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

use super::{
    build,
    connection::Connections,
    control::{Order, Outcome, converse, deadline, duration},
    directory::{self, Control, Directory},
    handover::{self, Arrivals, Bequest, Departure, Inheritance},
    pool::Standing,
    protocol::{Answer, Identity, Refusal, Request},
    server::{Error, Start},
    table::{Table, drain},
    target::Target,
};
use crate::lock_file;

const MAX_CONVERSATIONS: usize = 64;
const MAX_ORDERS: usize = 64;
/// As many connections may wait to be handed over.
const MAX_DEPARTURES: usize = 64;
/// How often ports that could not be listened on are tried again.
const TICK: Duration = Duration::from_secs(1);
/// How long open connections may go on after SIGTERM, and after a handover.
const GRACE: Duration = Duration::from_secs(30);
/// How long the rest may take after the connections were cut, and clients of the control socket to read their answers.
const LAST_DEADLINE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);

/// All that the process has.
pub(super) struct Edge {
    directory: Directory,
    lock: File,
    control: Control,
    table: Table,
    connections: Arc<Connections>,
    conversations: JoinSet<()>,
    order_sender: mpsc::Sender<Order>,
    orders: mpsc::Receiver<Order>,
    /// While another process is about to take over, nothing is changed.
    is_handing_over: bool,
}

/// How the process ends.
enum Ending {
    Stopped { deadline: Instant },
    Moved { stream: UnixStream, grace: Duration },
}

impl Edge {
    /// Takes the directory, or takes over from who has it, and listens on all ports.
    pub(super) async fn start(directory: Directory, start: Start, max_connections: usize) -> Result<Self, Error> {
        let connections = Connections::new(max_connections);
        let mut table = Table::new(directory.clone(), connections.clone());
        let (order_sender, orders) = mpsc::channel(MAX_ORDERS);
        let (lock, control) = match directory.take() {
            Ok(lock) => {
                directory.redirect_output()?;
                table.adopt(directory.routes()?, [].into()).await;
                (lock, directory.bind_control()?)
            }
            Err(directory::Error::Held { .. }) if start == Start::TakeOver => {
                let inheritance = handover::inherit(&directory, GRACE).await.map_err(Error::TakeOver)?;
                directory.redirect_output()?;
                let Inheritance {
                    estate,
                    mut lock,
                    lines,
                } = inheritance;
                table.adopt(estate.routes, estate.listeners).await;
                let control = directory.bind_control()?;
                let arrivals = handover::confirm(lines).await.map_err(Error::TakeOver)?;
                lock_file::sign(&mut lock)?;
                connections.tasks.spawn(welcome_all(arrivals, order_sender.clone()));
                (lock, control)
            }
            Err(error) => return Err(Error::Directory(error.into())),
        };
        tracing::info!(num_routes = table.num_routes(), "edge {} runs", build::VERSION);
        Ok(Self {
            directory,
            lock,
            control,
            table,
            connections,
            conversations: JoinSet::new(),
            order_sender,
            orders,
            is_handing_over: false,
        })
    }

    /// Does what is asked until it is told to end.
    pub(super) async fn run(mut self, terminate: &mut Signal) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ending = loop {
            tokio::select! {
                accepted = self.control.listener.accept() => match accepted {
                    Ok((stream, _)) => self.converse(stream),
                    Err(error) => {
                        tracing::error!(%error, "the control socket takes no connections");
                        sleep(PAUSE).await;
                    }
                },
                Some(order) = self.orders.recv() => {
                    if let Some(ending) = self.obey(order).await {
                        break ending;
                    }
                }
                _ = ticks.tick() => self.tick(),
                _ = terminate.recv() => break Ending::Stopped { deadline: Instant::now() + GRACE },
            }
        };
        self.end(ending).await;
    }

    fn converse(&mut self, stream: UnixStream) {
        while self.conversations.try_join_next().is_some() {}
        if self.conversations.len() < MAX_CONVERSATIONS {
            self.conversations.spawn(converse(stream, self.order_sender.clone()));
        } else {
            tracing::warn!("more than {MAX_CONVERSATIONS} clients on the control socket");
        }
    }

    fn tick(&mut self) {
        self.table.retry();
        if let Err(error) = self.directory.trim_log() {
            tracing::debug!(%error, "the log cannot be trimmed");
        }
    }

    async fn obey(&mut self, order: Order) -> Option<Ending> {
        match order {
            Order::Welcome(departure) => self.welcome(departure),
            Order::Moved { stream, grace } => return Some(Ending::Moved { stream, grace }),
            Order::Stay => self.stay(),
            Order::Request { request, reply } => {
                let outcome = match request {
                    _ if self.is_handing_over => Outcome::Done(Err(Refusal::Leaving)),
                    Request::Stop { deadline_ms } => {
                        let _ = reply.send(Outcome::Done(Ok(Answer::Stopping)));
                        return Some(Ending::Stopped {
                            deadline: deadline(deadline_ms),
                        });
                    }
                    request => self.carry_out(request).await,
                };
                // An error means that whoever asked has left.
                let _ = reply.send(outcome);
            }
        }
        None
    }

    async fn carry_out(&mut self, request: Request) -> Outcome {
        let reply = match request {
            Request::Identify => Ok(Answer::Identity(self.identity())),
            Request::Set(route) => self.table.set(route).await.map(|()| Answer::Set),
            Request::List => Ok(Answer::Routes(self.table.stats())),
            Request::Remove {
                deployment,
                deadline_ms,
            } => match self.table.remove(deployment).await {
                Ok(targets) => Ok(self.part_from(targets, deadline(deadline_ms))),
                Err(refusal) => Err(refusal),
            },
            Request::Drain {
                deployment,
                target,
                deadline_ms,
            } => match self.table.retired(deployment, target) {
                Ok(targets) => {
                    let deadline = deadline(deadline_ms);
                    return Outcome::Drain { targets, deadline };
                }
                Err(refusal) => Err(refusal),
            },
            Request::TakeOver { format, grace_ms } => match self.bequest(format) {
                Ok(bequest) => {
                    let grace = duration(grace_ms);
                    return Outcome::HandOver { bequest, grace };
                }
                Err(refusal) => Err(refusal),
            },
            Request::Ready | Request::TakenOver | Request::Stop { .. } => {
                Err(Refusal::Malformed("nothing is being handed over".to_owned()))
            }
        };
        Outcome::Done(reply)
    }

    fn identity(&self) -> Identity {
        Identity {
            pid: std::process::id(),
            version: build::VERSION.to_owned(),
            build: build::of_this_process(),
        }
    }

    /// Drains what a removed route has left, beside everything else.
    fn part_from(&self, targets: Vec<Arc<Target>>, deadline: Instant) -> Answer {
        self.connections.tasks.spawn(async move {
            drain(&targets, deadline).await;
        });
        Answer::Removed {
            num_routes: self.table.num_routes(),
        }
    }

    fn bequest(&mut self, format: u32) -> Result<Box<Bequest>, Refusal> {
        handover::check_format(format)?;
        let lock = self
            .lock
            .try_clone()
            .map_err(|cause| Refusal::NotKept(cause.to_string()))?;
        self.is_handing_over = true;
        Ok(Box::new(Bequest {
            estate: self.table.estate(),
            lock,
        }))
    }

    /// Goes on after a handover that was begun and not finished. The control socket may be the other process's by now.
    fn stay(&mut self) {
        self.is_handing_over = false;
        if self.directory.leads_to(&self.control) {
            return;
        }
        match self.directory.bind_control() {
            Ok(control) => self.control = control,
            Err(error) => tracing::error!(%error, "the control socket cannot be taken back"),
        }
        if let Err(error) = lock_file::sign(&mut self.lock) {
            tracing::warn!(%error, "the lock does not say who holds it");
        }
    }

    /// Serves a connection that another edge had.
    fn welcome(&self, departure: Departure) {
        let Departure {
            deployment,
            need,
            client,
        } = departure;
        let Some(pool) = self.table.pool(deployment) else {
            return;
        };
        let connections = self.connections.clone();
        self.connections.tasks.spawn(async move {
            // It was counted by the other edge, so there is no reason to refuse it where there is no room.
            let _permit = connections.room.clone().try_acquire_owned().ok();
            connections.serve(client, need, deployment, &pool).await;
        });
    }

    async fn end(mut self, ending: Ending) {
        let tasks = self.connections.clone();
        drop((self.control, self.orders));
        tasks.tasks.close();
        match ending {
            Ending::Stopped { deadline } => {
                tracing::info!("the edge stops");
                let targets = self.table.close(&Standing::Closed).await;
                // The ports are free, so another edge may begin while the last connections end here.
                drop(self.lock);
                drain(&targets, deadline).await;
            }
            Ending::Moved { stream, grace } => {
                drop(self.lock);
                let (departures, departing) = mpsc::channel(MAX_DEPARTURES);
                let targets = self.table.close(&Standing::Moving(departures)).await;
                let (num_moved, num_cut) = tokio::join!(
                    handover::see_off(departing, stream),
                    outlast(targets, Instant::now() + grace)
                );
                tracing::info!(num_moved, num_cut, "another process has taken over");
            }
        }
        if timeout(LAST_DEADLINE, tasks.tasks.wait()).await.is_err() {
            tracing::warn!("connections are left at the end");
        }
        let answered = async { while self.conversations.join_next().await.is_some() {} };
        if timeout(LAST_DEADLINE, answered).await.is_err() {
            tracing::warn!("a client of the control socket did not read its answer");
        }
    }
}

/// Lets connections go where they can and go on where they cannot, until the deadline. Returns how many were cut.
async fn outlast(targets: Vec<Arc<Target>>, deadline: Instant) -> usize {
    let outlasting = targets.iter().map(|target| async move {
        target.part();
        target.outlast(deadline).await
    });
    futures_util::future::join_all(outlasting).await.into_iter().sum()
}

/// Passes on the connections that the old edge hands over.
async fn welcome_all(arrivals: Arrivals, orders: mpsc::Sender<Order>) {
    loop {
        match arrivals.next().await {
            Ok(Some(departure)) => {
                if orders.send(Order::Welcome(departure)).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => return tracing::warn!(%error, "connections that were to be handed over may be lost"),
        }
    }
}
