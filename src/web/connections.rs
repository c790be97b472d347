//! How many connections there are, and who must leave when there is no place.
//!
//! Promises: (1) never more than the limit; (2) a newcomer finds a place as
//! long as one connection is waiting for its sender: the one that has waited
//! longest leaves, so slow senders cannot keep a true delivery out; (3) a
//! connection whose request is being worked on is never sent away.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// The places for connections. A cheap handle.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    places: Arc<Semaphore>,
    waiting: Arc<Mutex<Waiting>>,
}

/// Connections that wait for their sender, by the order in which they began to.
#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    by_turn: BTreeMap<u64, CancellationToken>,
}

/// One connection and its place. Handlers find it among the extensions of the
/// request.
#[derive(Debug, Clone)]
pub(super) struct Connection(Arc<Place>);

#[derive(Debug)]
struct Place {
    _permit: OwnedSemaphorePermit,
    waiting: Arc<Mutex<Waiting>>,
    turn: Mutex<Option<u64>>,
    sent_away: CancellationToken,
}

impl Connections {
    /// `limit` places.
    pub(super) fn new(limit: usize) -> Connections {
        Connections { places: Arc::new(Semaphore::new(limit)), waiting: Arc::default() }
    }

    /// A place for a newcomer, who begins by waiting for its sender.
    pub(super) async fn admit(&self) -> Connection {
        let permit = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                if let Some((_, longest)) = lock(&self.waiting).by_turn.pop_first() {
                    longest.cancel();
                }
                Arc::clone(&self.places).acquire_owned().await.expect("the semaphore is never closed")
            }
        };
        let place = Place {
            _permit: permit,
            waiting: Arc::clone(&self.waiting),
            turn: Mutex::new(None),
            sent_away: CancellationToken::new(),
        };
        let connection = Connection(Arc::new(place));
        connection.wait();
        connection
    }
}

impl Connection {
    /// Its request is whole and being worked on: it stays until [`Self::wait`].
    pub(super) fn work(&self) {
        if let Some(turn) = lock(&self.0.turn).take() {
            lock(&self.0.waiting).by_turn.remove(&turn);
        }
    }

    /// It waits for its sender, from now.
    pub(super) fn wait(&self) {
        self.work();
        let mut waiting = lock(&self.0.waiting);
        let turn = waiting.next;
        waiting.next += 1;
        waiting.by_turn.insert(turn, self.0.sent_away.clone());
        *lock(&self.0.turn) = Some(turn);
    }

    /// Returns once the connection must leave.
    pub(super) async fn sent_away(&self) {
        self.0.sent_away.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(turn) = lock(&self.turn).take() {
            lock(&self.waiting).by_turn.remove(&turn);
        }
    }
}

/// Every change under these locks is whole, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn the_one_that_waited_longest_leaves() {
        let connections = Connections::new(2);
        let (first, second) = (connections.admit().await, connections.admit().await);
        first.wait();
        let mut newcomer = pin!(connections.admit());
        assert!(poll!(&mut newcomer).is_pending());
        second.sent_away().await;
        assert!(poll!(pin!(first.sent_away())).is_pending());
        drop(second);
        newcomer.await;
    }

    #[tokio::test]
    async fn work_is_never_sent_away() {
        let connections = Connections::new(1);
        let only = connections.admit().await;
        only.work();
        let mut newcomer = pin!(connections.admit());
        assert!(poll!(&mut newcomer).is_pending());
        assert!(poll!(pin!(only.sent_away())).is_pending());
        drop(only);
        newcomer.await;
    }

    #[tokio::test]
    async fn a_place_is_free_again_when_its_connection_ends() {
        let connections = Connections::new(1);
        for _ in 0..3 {
            connections.admit().await.wait();
        }
        assert!(lock(&connections.waiting).by_turn.is_empty());
    }
}
