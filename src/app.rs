//! The running server: the same for `muster serve` and for the tests.
//!
//! Promises: (1) once built it is bound: [`App::address`] is where it answers,
//! also when port 0 was asked for; (2) told to stop, it accepts nothing more,
//! finishes what is in flight and what the worker has begun, within
//! [`Limits::finish`]; (3) it does not outlive its worker: a server that only
//! listens would look healthy and do nothing.

use std::{io, net::SocketAddr};

use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    config,
    domain::inventory::Agency,
    github::{self, GitHub},
    jobs::{Context, Settings, intake::Intake},
    store::Store,
    web::{self, Limits, Receiver},
};

/// What jobs work with, by the operator's settings. A dry run gets a GitHub
/// that makes no writer. Needs a Tokio runtime.
///
/// # Errors
/// GitHub's, if no connection can be prepared.
pub fn context(work: &config::Work, store: Store, clock: Clock) -> github::Result<Context> {
    let endpoints = work.hosts.endpoints.clone();
    let github = GitHub::with_app(endpoints, work.app.clone(), clock.clone())?;
    let github = if work.dry_run { github.dry_run() } else { github };
    let settings = Settings {
        organizations: work.organizations.clone(),
        instance: work.instance.clone(),
        keys: work.instance_keys.clone(),
        policy: work.policy.clone(),
        dry_run: work.dry_run,
        way: work.way,
        agencies: work.agencies.clone(),
        public_url: work.public_url.clone(),
    };
    let mut context = Context::new(github, store, clock, settings);
    context.stop_file = Some(work.stop_file.as_path().into());
    Ok(context)
}

/// A server that is bound and not yet running.
#[derive(Debug)]
pub struct App {
    listener: TcpListener,
    address: SocketAddr,
    intake: Intake,
    receiver: Option<Receiver>,
    agencies: Vec<Agency>,
    limits: Limits,
    metrics: Option<TcpListener>,
}

/// Why a server stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The worker ended although nobody had told it to.
    #[error("the worker ended by itself; what it has not done stays in the queue, start muster again")]
    Worker,
    /// The worker panicked.
    #[error("the worker panicked; what it has not done stays in the queue, start muster again")]
    WorkerPanicked,
    /// It had to be left in the middle of something.
    #[error("the worker did not finish in time; its lease ends by itself and the job is repeated")]
    WorkerSlow,
}

impl App {
    /// Binds `listen`, for webhooks and health.
    ///
    /// # Errors
    /// The system's, if the address is taken or not ours.
    pub async fn bind(listen: SocketAddr, receiver: Receiver, limits: Limits) -> io::Result<App> {
        let intake = receiver.intake().clone();
        App::new(listen, intake, Some(receiver), limits).await
    }

    /// Binds `listen` for health alone: nothing of GitHub's comes in there.
    ///
    /// # Errors
    /// As [`App::bind`].
    pub async fn bind_health(listen: SocketAddr, intake: Intake, limits: Limits) -> io::Result<App> {
        App::new(listen, intake, None, limits).await
    }

    async fn new(
        listen: SocketAddr,
        intake: Intake,
        receiver: Option<Receiver>,
        limits: Limits,
    ) -> io::Result<App> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let agencies = Vec::new();
        Ok(App { listener, address, intake, receiver, agencies, limits, metrics: None })
    }

    /// The same, with the published files of these agencies; the first is the
    /// main one.
    #[must_use]
    pub fn and_inventories(self, agencies: Vec<Agency>) -> App {
        App { agencies, ..self }
    }

    /// The same, with metrics on an address of their own. Answers where.
    ///
    /// # Errors
    /// As [`App::bind`].
    pub async fn and_metrics(mut self, listen: SocketAddr) -> io::Result<(App, SocketAddr)> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        self.metrics = Some(listener);
        Ok((self, address))
    }

    /// Where it answers.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves, with `worker` beside it, until `stop`. The worker is handed a
    /// token that tells it to come to an end.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn run<W>(
        self,
        worker: impl FnOnce(CancellationToken) -> W,
        stop: CancellationToken,
    ) -> Result<(), Stopped>
    where
        W: Future<Output = ()> + Send + 'static,
    {
        let stop = stop.child_token();
        let alive = web::WorkerAlive::default();
        let router = web::router(&self.intake, self.receiver, alive.clone(), &self.agencies, self.limits);
        let metrics = self.metrics.map(|listener| {
            let router = web::metrics_router(&self.intake);
            web::serve(listener, router, None, self.limits, stop.clone())
        });
        alive.runs(true);
        let mut work = tokio::spawn({
            let (work, stop) = (worker(stop.clone()), stop.clone());
            async move {
                // Dropped also when the worker panics.
                let _ends = Ends { alive, stop };
                work.await;
                _ends.stop.is_cancelled()
            }
        });
        let metrics = async {
            if let Some(metrics) = metrics {
                metrics.await;
            }
        };
        let counting = Some(self.intake.metrics().clone());
        let serving = web::serve(self.listener, router, counting, self.limits, stop.clone());
        tokio::join!(serving, metrics);
        let ended = timeout(self.limits.finish, &mut work).await;
        tracing::info!(deliveries = ?self.intake.counts(), "the server has stopped");
        match ended {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Stopped::Worker),
            Ok(Err(_)) => Err(Stopped::WorkerPanicked),
            Err(_) => {
                work.abort();
                Err(Stopped::WorkerSlow)
            }
        }
    }
}

/// Notes the worker's end and stops the server with it.
struct Ends {
    alive: web::WorkerAlive,
    stop: CancellationToken,
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.alive.runs(false);
        self.stop.cancel();
    }
}
