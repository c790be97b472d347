//! Request bodies, bounded before they are read.
//!
//! Promises: (1) all bodies in memory together stay below [`IN_FLIGHT`];
//! (2) a body is refused by the length it announces, and one that announces
//! none is counted as it comes; (3) a body of at most [`SMALL`] bytes always
//! finds room, whatever others have announced.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// The largest body of a delivery, in bytes: GitHub sends none above 25 MB.
pub const LARGEST: usize = 25 * MIB;

/// All bodies in memory together, in bytes.
pub const IN_FLIGHT: usize = 64 * MIB;

/// Bodies up to this many bytes reserve nothing: one for each connection is
/// set aside from [`IN_FLIGHT`].
pub const SMALL: usize = 64 * 1024;

const MIB: usize = 1024 * 1024;

/// The bytes that bodies may still take. A cheap handle.
#[derive(Debug, Clone)]
pub(super) struct Budget(Arc<Semaphore>);

/// A body, and its share of the budget for as long as it is kept.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) bytes: Bytes,
    pub(super) reserved: Option<OwnedSemaphorePermit>,
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// More than [`LARGEST`].
    TooLarge,
    /// Others have taken the budget.
    Busy,
    /// It did not arrive within its time.
    Slow,
    /// The sender left, or what came is not what it announced.
    Broken,
}

impl Budget {
    /// The budget of a server with at most `connections` connections.
    pub(super) fn new(connections: usize) -> Budget {
        Budget(Arc::new(Semaphore::new(IN_FLIGHT.saturating_sub(connections * SMALL))))
    }

    /// Reads `body` whole within `within`.
    ///
    /// # Errors
    /// [`Refused`]; nothing of it is kept then.
    pub(super) async fn read(&self, body: Body, within: Duration) -> Result<Read, Refused> {
        use axum::body::HttpBody;
        let announced = body.size_hint().lower();
        let announced = usize::try_from(announced).map_err(|_| Refused::TooLarge)?;
        if announced > LARGEST {
            return Err(Refused::TooLarge);
        }
        let mut room = Room { budget: self, reserved: None, bytes: 0 };
        room.grow(announced)?;
        let bytes = timeout(within, whole(body, announced, &mut room)).await.map_err(|_| Refused::Slow)??;
        Ok(Read { bytes, reserved: room.reserved })
    }
}

/// Reads a body to its end. One that comes in one piece, as most do, is taken
/// as it is; the pieces of others are put together.
async fn whole(mut body: Body, announced: usize, room: &mut Room<'_>) -> Result<Bytes, Refused> {
    use axum::body::HttpBody;
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        // Trailers carry nothing that Muster reads.
        let Ok(data) = frame.map_err(|_| Refused::Broken)?.into_data() else { continue };
        let length = bytes.len() + data.len();
        if length > LARGEST {
            return Err(Refused::TooLarge);
        }
        if bytes.is_empty() && data.len() <= SMALL && body.is_end_stream() {
            return Ok(data);
        }
        if bytes.capacity() == 0 {
            // Untouched memory is not resident: what is announced costs nothing
            // until it comes.
            bytes.reserve_exact(announced);
        }
        if length > bytes.capacity() {
            let capacity = (length * 2).clamp(4096, LARGEST);
            room.grow(capacity)?;
            bytes.reserve_exact(capacity - bytes.len());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

/// The share of one body.
struct Room<'a> {
    budget: &'a Budget,
    reserved: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Room<'_> {
    /// Makes the share at least `bytes`.
    fn grow(&mut self, bytes: usize) -> Result<(), Refused> {
        if bytes <= SMALL {
            return Ok(());
        }
        let more = u32::try_from(bytes - self.bytes).map_err(|_| Refused::TooLarge)?;
        let permit = Arc::clone(&self.budget.0).try_acquire_many_owned(more).map_err(|_| Refused::Busy)?;
        self.bytes = bytes;
        match &mut self.reserved {
            Some(reserved) => reserved.merge(permit),
            None => self.reserved = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;

    use super::*;

    const SOON: Duration = Duration::from_secs(30);

    fn announced(length: usize) -> Body {
        Body::new(Full::new(Bytes::from(vec![b' '; length])))
    }

    fn chunked(chunks: usize, length: usize) -> Body {
        let chunk = Bytes::from(vec![b' '; length]);
        let frames = (0..chunks).map(move |_| Ok::<_, Infallible>(Frame::data(chunk.clone())));
        Body::new(StreamBody::new(stream::iter(frames)))
    }

    #[tokio::test]
    async fn what_is_announced_is_reserved_until_it_is_let_go() {
        let budget = Budget::new(64);
        let first = budget.read(announced(LARGEST), SOON).await.unwrap();
        let second = budget.read(announced(LARGEST), SOON).await.unwrap();
        assert_eq!(budget.read(announced(LARGEST), SOON).await.unwrap_err(), Refused::Busy);
        assert_eq!(budget.read(chunked(25, MIB), SOON).await.unwrap_err(), Refused::Busy);
        assert_eq!(budget.read(announced(SMALL), SOON).await.unwrap().bytes.len(), SMALL);
        assert_eq!(first.bytes.len(), LARGEST);
        drop(first);
        assert_eq!(budget.read(chunked(25, MIB), SOON).await.unwrap().bytes.len(), LARGEST);
        drop(second);
        assert_eq!(budget.0.available_permits(), IN_FLIGHT - 64 * SMALL);
    }

    #[tokio::test]
    async fn too_much_is_refused_by_what_is_announced_and_by_what_comes() {
        let budget = Budget::new(64);
        assert_eq!(budget.read(announced(LARGEST + 1), SOON).await.unwrap_err(), Refused::TooLarge);
        assert_eq!(budget.read(chunked(26, MIB), SOON).await.unwrap_err(), Refused::TooLarge);
        assert_eq!(budget.0.available_permits(), IN_FLIGHT - 64 * SMALL);
    }

    #[tokio::test]
    async fn one_that_never_comes_is_given_up() {
        let budget = Budget::new(64);
        let never = Body::new(StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>()));
        assert_eq!(budget.read(never, Duration::ZERO).await.unwrap_err(), Refused::Slow);
    }

    #[tokio::test]
    async fn many_small_chunks_arrive_whole() {
        let read = Budget::new(64).read(chunked(1000, 101), SOON).await.unwrap();
        assert_eq!(read.bytes.len(), 101_000);
        assert!(read.reserved.is_some());
    }
}
