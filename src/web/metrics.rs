//! `GET /metrics`, on an address of its own that only this machine reaches
//! (threats N8).

use std::time::Duration;

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use http::{StatusCode, header};
use tokio::time::timeout;

use crate::{
    clock::Clock,
    metrics::{CONTENT_TYPE, Metrics, Standing},
    store::{Scope, Store, StoreError},
};

/// How long the database may take to tell how it stands.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the page is made of.
#[derive(Debug, Clone)]
pub(crate) struct Scraped {
    pub(crate) metrics: Metrics,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
}

/// The one route; whatever else is asked for is not there.
pub(crate) fn router(scraped: Scraped) -> Router {
    let nothing = || async { (StatusCode::NOT_FOUND, "There is nothing here but /metrics.\n") };
    Router::new().route("/metrics", get(scrape)).fallback(nothing).with_state(scraped)
}

async fn scrape(State(scraped): State<Scraped>) -> impl IntoResponse {
    let standing = match timeout(PATIENCE, standing(&scraped)).await {
        Ok(Ok(standing)) => Some(standing),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database does not tell how the queue stands");
            None
        }
        Err(_) => {
            tracing::warn!("the database does not tell in time how the queue stands");
            None
        }
    };
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], scraped.metrics.text(standing))
}

async fn standing(scraped: &Scraped) -> Result<Standing, StoreError> {
    let (store, now) = (&scraped.store, scraped.clock.now());
    let queue = store.queue_standing(now).await?;
    let pauses = store.pauses().await?;
    let everywhere = pauses.iter().filter(|pause| pause.scope == Scope::All).count();
    let accounts = pauses.len() - everywhere;
    Ok(Standing {
        ready: queue.ready,
        waiting: queue.waiting,
        running: queue.running,
        parked: queue.parked,
        dead: queue.dead,
        oldest: queue.oldest_ready.map_or(Duration::ZERO, |since| {
            Duration::try_from(now.duration_since(since)).unwrap_or_default()
        }),
        paused_everywhere: everywhere > 0,
        paused_accounts: u64::try_from(accounts).unwrap_or(u64::MAX),
        held_changes: store.held(Scope::All).await?.changes,
    })
}
