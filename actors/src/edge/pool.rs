//! The targets of one route: which of them a connection goes to.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};

use super::{
    handover::Departure,
    protocol::TargetStats,
    target::{Lease, Target},
};

/// How long a connection waits for a target that can be reached: a restart in between costs time and no error.
const PATIENCE: Duration = Duration::from_secs(1);
const RETRY_PAUSE: Duration = Duration::from_millis(20);
/// How long one target may take. More than a second, after which the kernel repeats what a busy target has dropped.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);

/// What becomes of connections that need no target at the moment.
#[derive(Debug, Clone)]
pub(super) enum Standing {
    /// They wait for what their clients say next.
    Open,
    /// They are closed: the route is no more.
    Closed,
    /// They go to the process that takes over.
    Moving(mpsc::Sender<Departure>),
}

/// The targets of one route.
#[derive(Debug)]
pub(super) struct Pool {
    targets: Mutex<Targets>,
    standing: watch::Sender<Standing>,
}

#[derive(Debug, Default)]
struct Targets {
    current: Vec<Arc<Target>>,
    /// Those that the route has left, while connections to them are open.
    retired: Vec<Arc<Target>>,
    /// Where the search begins, so that equals take turns.
    next: usize,
}

impl Pool {
    pub(super) fn new(addresses: &[SocketAddr]) -> Arc<Self> {
        let pool = Self {
            targets: Mutex::default(),
            standing: watch::Sender::new(Standing::Open),
        };
        pool.replace(addresses);
        Arc::new(pool)
    }

    pub(super) fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    pub(super) fn set_standing(&self, standing: Standing) {
        self.standing.send_replace(standing);
    }

    /// Sends new connections to these addresses. Those that are open go on.
    pub(super) fn replace(&self, addresses: &[SocketAddr]) {
        let mut targets = self.lock();
        let Targets { current, retired, .. } = &mut *targets;
        retired.append(current);
        for address in addresses {
            let known = retired.iter().position(|target| target.address() == *address);
            let target = known.map_or_else(|| Target::new(*address), |index| retired.swap_remove(index));
            target.revive();
            current.push(target);
        }
        retired.retain(|target| target.num_open() > 0);
    }

    /// Returns all targets to which connections are or may be open.
    pub(super) fn all(&self) -> Vec<Arc<Target>> {
        let targets = self.lock();
        targets.current.iter().chain(&targets.retired).cloned().collect()
    }

    /// Finds a target that the route has left and that still has connections.
    pub(super) fn retired(&self, address: SocketAddr) -> Option<Arc<Target>> {
        let mut targets = self.lock();
        targets.retired.retain(|target| target.num_open() > 0);
        targets
            .retired
            .iter()
            .find(|target| target.address() == address)
            .cloned()
    }

    pub(super) fn stats(&self) -> Vec<TargetStats> {
        let targets = self.lock();
        let current = targets.current.iter().map(|target| target.stats(true));
        let retired = targets.retired.iter().filter(|target| target.num_open() > 0);
        current.chain(retired.map(|target| target.stats(false))).collect()
    }

    /// Connects to the target with the fewest connections that can be reached.
    pub(super) async fn connect(&self) -> Option<(TcpStream, Lease)> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut tried = Vec::new();
            while let Some(lease) = self.choose(&tried) {
                match connect_to(lease.target().address()).await {
                    Some(stream) => {
                        lease.connected();
                        return Some((stream, lease));
                    }
                    None => {
                        lease.failed();
                        tried.push(lease.target().address());
                    }
                }
            }
            if Instant::now() >= deadline || !matches!(*self.standing.borrow(), Standing::Open) {
                return None;
            }
            sleep(RETRY_PAUSE).await;
        }
    }

    fn choose(&self, tried: &[SocketAddr]) -> Option<Lease> {
        let mut targets = self.lock();
        let start = targets.next;
        targets.next = start.wrapping_add(1);
        let num_targets = targets.current.len();
        let in_turn =
            (0..num_targets).filter_map(|offset| targets.current.get((start % num_targets + offset) % num_targets));
        let untried = in_turn.filter(|target| !tried.contains(&target.address()));
        untried.min_by_key(|target| target.burden()).map(Target::lease)
    }

    /// Nothing that is guarded can be left half changed by a panic.
    fn lock(&self) -> MutexGuard<'_, Targets> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn connect_to(address: SocketAddr) -> Option<TcpStream> {
    let connected = timeout(CONNECT_DEADLINE, TcpStream::connect(address)).await;
    let refused = match connected {
        Ok(Ok(stream)) => match stream.set_nodelay(true) {
            Ok(()) => return Some(stream),
            Err(cause) => cause.to_string(),
        },
        Ok(Err(cause)) => cause.to_string(),
        Err(_) => format!("no answer within {CONNECT_DEADLINE:?}"),
    };
    tracing::debug!(target.address = %address, error = refused, "a target cannot be connected to");
    None
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[tokio::test]
    async fn the_target_with_the_fewest_connections_is_next_and_equals_take_turns() {
        let listeners = [listener(), listener(), listener()];
        let addresses = listeners.each_ref().map(|(_, address)| *address);
        let pool = Pool::new(&addresses);
        let mut held = Vec::new();
        for _ in 0..6 {
            held.push(pool.connect().await.unwrap());
        }
        assert!(
            pool.stats().iter().all(|target| target.num_open == 2),
            "{:?}",
            pool.stats()
        );
        held.retain(|(_, lease)| lease.target().address() != addresses[1]);
        for _ in 0..2 {
            let next = pool.connect().await.unwrap();
            assert_eq!(next.1.target().address(), addresses[1]);
            held.push(next);
        }
    }

    #[tokio::test]
    async fn a_target_that_refuses_is_passed_over_and_then_comes_last() {
        let (dead, dead_address) = listener();
        drop(dead);
        let (_alive, alive_address) = listener();
        let pool = Pool::new(&[dead_address, alive_address]);
        let mut held = Vec::new();
        for _ in 0..10 {
            held.push(pool.connect().await.unwrap());
        }
        assert!(held.iter().all(|(_, lease)| lease.target().address() == alive_address));
        assert_eq!(pool.stats()[0].num_failures, 1, "{:?}", pool.stats());
    }

    #[tokio::test]
    async fn a_target_that_comes_back_in_time_costs_no_connection() {
        let (absent, address) = listener();
        drop(absent);
        let pool = Pool::new(&[address]);
        let come_back = async {
            while pool.stats()[0].num_failures == 0 {
                tokio::task::yield_now().await;
            }
            TcpListener::bind(address).unwrap()
        };
        let (connected, _listener) = tokio::join!(pool.connect(), come_back);
        assert!(connected.is_some());
    }

    #[tokio::test]
    async fn a_target_that_the_route_left_is_known_while_it_has_connections() {
        let (_old, old) = listener();
        let (_new, new) = listener();
        let pool = Pool::new(&[old]);
        let held = pool.connect().await.unwrap();
        pool.replace(&[new]);
        assert_eq!(pool.retired(old).map(|target| target.num_open()), Some(1));
        drop(held);
        assert!(pool.retired(old).is_none());
        assert_eq!(pool.stats().len(), 1);
    }
}
