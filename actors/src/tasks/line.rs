//! How the worker is told what to do, and when to end: at once, while orders wait for their turn.

use tokio::sync::{
    mpsc::{self, error::TrySendError},
    watch,
};

use crate::id::TaskId;

/// What the worker is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Look for tasks now.
    Wake,
    /// End the attempt at this task.
    Cancel(TaskId),
}

/// Takes orders to the worker. Without it the worker ends, whatever it waits for.
pub(super) struct Line {
    orders: mpsc::Sender<Order>,
    _end: watch::Sender<()>,
}

/// The worker's end of the line.
pub(super) struct LineEnd {
    /// What the worker is told.
    pub(super) orders: mpsc::Receiver<Order>,
    /// Says nothing, and ends with the line.
    pub(super) end: watch::Receiver<()>,
}

impl Line {
    /// Opens a line in which as many orders may wait.
    pub(super) fn open(max_orders: usize) -> (Self, LineEnd) {
        let (sender, orders) = mpsc::channel(max_orders);
        let (_end, end) = watch::channel(());
        let line = Self { orders: sender, _end };
        (line, LineEnd { orders, end })
    }

    /// Gives an order.
    ///
    /// # Errors
    /// Fails when too many wait, and when the worker is gone.
    pub(super) fn give(&self, order: Order) -> Result<(), TrySendError<Order>> {
        self.orders.try_send(order)
    }
}
