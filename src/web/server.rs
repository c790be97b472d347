//! The sockets: HTTP/1.1 behind the operator's proxy.
//!
//! Promises: (1) a connection that sends no whole header within its time is
//! closed; (2) headers nobody may read are dropped before any code of ours sees
//! the request, so they can be neither stored nor logged (threats W7); (3) a
//! refusal reaches a sender that is still sending; (4) after `stop` nothing is
//! accepted, what is in flight is finished, and it ends within
//! [`Limits::finish`].
//!
//! Deadlines here are those of sockets: they run on the runtime's own timer,
//! not on the clock of the house, which a test may hold still.

use std::{convert::Infallible, future::poll_fn, time::Duration};

use axum::{Router, body::Body};
use http::{HeaderMap, HeaderName, Request, header};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    select,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::answer::answer;
use super::connections::{Connection, Connections};
use crate::metrics::Metrics;

/// How long and how many.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Until a request's header is whole.
    pub header: Duration,
    /// Until a request's body is whole.
    pub body: Duration,
    /// Until a request whose body is whole is answered: GitHub waits 10 seconds.
    pub request: Duration,
    /// Until, after `stop`, what is in flight is given up.
    pub finish: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 64,
            header: Duration::from_secs(5),
            body: Duration::from_secs(8),
            request: Duration::from_secs(8),
            finish: Duration::from_secs(30),
        }
    }
}

/// The largest header of a request, in bytes.
const HEADER_BYTES: usize = 16 * 1024;

/// What is still read from a sender whose request was refused, so that the
/// answer is not lost to a reset, in bytes and time.
const LINGER: (usize, Duration) = (1024 * 1024, Duration::from_secs(1));

/// The headers that are read. All others are dropped.
const READ: [HeaderName; 11] = [
    header::HOST,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::ACCEPT,
    header::IF_NONE_MATCH,
    HeaderName::from_static("x-github-event"),
    HeaderName::from_static("x-github-delivery"),
    HeaderName::from_static("x-github-hook-id"),
    HeaderName::from_static("x-github-hook-installation-target-id"),
    HeaderName::from_static("x-github-hook-installation-target-type"),
    HeaderName::from_static("x-hub-signature-256"),
];

/// Serves `router` on `listener` until `stop`, counting requests if `counting`
/// says where.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    counting: Option<Metrics>,
    limits: Limits,
    stop: CancellationToken,
) {
    let connections = Connections::new(limits.connections);
    let tasks = TaskTracker::new();
    loop {
        let stream = select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors or memory, mostly: a pause lets
                    // connections end.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let connection = select! {
            () = stop.cancelled() => break,
            connection = connections.admit() => connection,
        };
        tasks.spawn(converse(stream, connection, router.clone(), counting.clone(), limits, stop.clone()));
    }
    drop(listener);
    tasks.close();
    if timeout(limits.finish, tasks.wait()).await.is_err() {
        tracing::warn!(
            connections = tasks.len(),
            "connections were still open at the end of the time to finish"
        );
    }
}

/// One connection, from its first byte to its last.
async fn converse(
    stream: TcpStream,
    connection: Connection,
    router: Router,
    counting: Option<Metrics>,
    limits: Limits,
    stop: CancellationToken,
) {
    // Answers are small and whole: there is nothing to gather.
    let _ = stream.set_nodelay(true);
    let of_requests = connection.clone();
    let service = service_fn(move |mut request: Request<hyper::body::Incoming>| {
        drop_unread(request.headers_mut());
        request.extensions_mut().insert(of_requests.clone());
        let (router, counting, connection) = (router.clone(), counting.clone(), of_requests.clone());
        Box::pin(async move {
            let answered = answer(router, counting.as_ref(), request.map(Body::new)).await;
            connection.wait();
            Ok::<_, Infallible>(answered)
        })
    });
    let mut http = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_header_size(HEADER_BYTES)
        .max_buf_size(4 * HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut finishing = false;
    loop {
        select! {
            ended = poll_fn(|context| http.poll_without_shutdown(context)) => {
                if let Err(error) = ended {
                    // The error names no byte of what was sent.
                    tracing::debug!(%error, "a connection broke");
                }
                break;
            }
            () = connection.sent_away() => {
                tracing::debug!("a connection that waited for its sender made room");
                return;
            }
            () = stop.cancelled(), if !finishing => {
                finishing = true;
                std::pin::Pin::new(&mut http).graceful_shutdown();
            }
        }
    }
    let stream = http.into_parts().io.into_inner();
    select! {
        () = linger(stream) => {}
        () = connection.sent_away() => {}
    }
}

fn drop_unread(headers: &mut HeaderMap) {
    if headers.keys().all(|name| READ.contains(name)) {
        return;
    }
    let kept = headers
        .iter()
        .filter(|(name, _)| READ.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    *headers = kept;
}

/// Closes our side and reads on for a moment: closing with unread bytes resets
/// the connection, and the reset overtakes the answer.
async fn linger(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let until = Instant::now() + LINGER.1;
    let mut bin = [0; 4096];
    let mut read = 0;
    while read < LINGER.0 {
        match timeout_at(until, stream.read(&mut bin)).await {
            Ok(Ok(more)) if more > 0 => read += more,
            Ok(Ok(_) | Err(_)) | Err(_) => return,
        }
    }
}
