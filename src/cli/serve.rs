//! `muster serve`: takes deliveries in and does the work they ask for.

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::Context;
use tokio::time::timeout;

use super::{Invocation, doctor, output::note};
use crate::{
    app::{self, App},
    config,
    jobs::{
        self,
        doctor::{Depth, Doctor},
        worker::Worker,
    },
    store::Store,
    web::{Limits, Receiver},
};

const EXAMPLES: &str = "\
Examples:
  $ muster serve
  $ MUSTER_DRY_RUN=1 muster serve
  $ MUSTER_INTAKE=poll muster serve
  $ MUSTER_LISTEN=127.0.0.1:9000 MUSTER_LOG=debug muster serve

Needs MUSTER_CLIENT_ID (or MUSTER_APP_ID), MUSTER_PRIVATE_KEY_FILE,
MUSTER_WEBHOOK_SECRET, MUSTER_INSTANCE_KEY and MUSTER_ORGANIZATIONS.
With MUSTER_INTAKE=poll it fetches deliveries, and needs no webhook secret.
Stops at Ctrl-C or SIGTERM, when it has finished what it has begun.";

/// How long giving tokens back may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// Take deliveries in and do the work they ask for, until told to stop.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// Settings, the database, an address that is taken, or a worker that ended.
pub async fn run(Args {}: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let server = invocation.config.server()?;
    let (listen, work) = (server.listen, server.work);
    let store = Store::open(work.database.expose()).await?;
    let context = app::context(&work, store.clone(), invocation.clock.clone())?;
    let (intake, limits) = (context.intake.clone(), Limits::default());
    let (bound, what) = match server.webhook_secrets {
        Some(secrets) => {
            (App::bind(listen, Receiver::new(intake, secrets), limits).await, "webhooks go to /webhook")
        }
        None => (App::bind_health(listen, intake, limits).await, "deliveries are fetched from GitHub"),
    };
    let app = bound
        .with_context(|| format!("cannot listen on {listen}: choose another address in MUSTER_LISTEN"))?;
    let app = app.and_inventories(work.agencies.clone());
    note(&format!("Listening on http://{}; {what}.", app.address()));
    let app = match server.metrics_listen {
        Some(listen) => {
            let bound = app.and_metrics(listen).await;
            let (app, address) = bound.with_context(|| {
                format!("cannot listen on {listen}: choose another address in MUSTER_METRICS_LISTEN")
            })?;
            note(&format!("Metrics are at http://{address}/metrics."));
            app
        }
        None => app,
    };
    if work.dry_run {
        note("This is a dry run: nothing is written to GitHub.");
    }
    if !store.pauses().await?.is_empty() {
        note("Writing is paused: muster pause says where and why.");
    }
    let worker = Worker::new(context.clone(), replica(app.address()));
    let looking = tokio::spawn(look_around(invocation, context.clone(), work));
    let ended = app.run(|stop| worker.run(stop), invocation.stop.clone()).await;
    looking.abort();
    if timeout(FAREWELL, context.github.revoke_all()).await.is_err() {
        tracing::warn!("GitHub was not reached to give the tokens back; they end within the hour");
    }
    store.close().await;
    ended?;
    Ok(ExitCode::SUCCESS)
}

/// The name of this replica in leases. No two processes listen on one address
/// of a host, so whoever listens there now has taken the place of whoever did
/// before, and goes on with its jobs at once.
fn replica(address: SocketAddr) -> String {
    let system = rustix::system::uname();
    format!("{} {address}", system.nodename().to_string_lossy())
}

/// Logs what is not as Muster needs it. It takes as long as GitHub takes, and
/// nothing waits for it.
fn look_around(
    invocation: &Invocation,
    context: jobs::Context,
    work: config::Work,
) -> impl Future<Output = ()> + use<> {
    let (secrets, now) = (doctor::secrets(invocation), invocation.clock.now());
    async move {
        let examined = Store::examine(work.database.expose()).await;
        let doctor = Doctor {
            github: &context.github,
            store: Some(&context.store),
            organizations: &work.organizations,
            policy: work.policy.as_ref(),
            way: work.way,
            public_url: work.public_url.as_deref(),
            web: &work.hosts.web,
            secrets: &secrets,
            depth: Depth::Brief,
            now,
        };
        doctor.log(&examined).await;
    }
}
