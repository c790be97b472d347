//! GitHub's own record of what it sent to the App's webhook (GitHub
//! documentation, "REST API endpoints for GitHub App webhooks").
//!
//! Promises: (1) what is handed out here came from the configured GitHub over
//! an authenticated call, so it needs no signature; (2) the record is walked by
//! GitHub's cursor, of whose address only path and query are followed; (3) a
//! redelivery is only asked for: it arrives, or not, at the webhook.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    GitHub,
    client::{Kind, Who},
    endpoints::Product,
    error::{Error, Result},
    needs,
    webhook::Authentic,
};
use crate::domain::repository::InstallationId;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Which deliveries to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Those that the receiver did not take.
    Failed,
}

/// An attempt to deliver an event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ListedDelivery {
    /// GitHub's id of the attempt.
    pub id: u64,
    /// The same for all attempts of one event.
    pub guid: String,
    /// When it was made.
    pub delivered_at: Timestamp,
    /// The event.
    pub event: String,
    /// Its action, where it has one.
    pub action: Option<String>,
    /// The installation it was sent for.
    #[serde(rename = "installation_id")]
    pub installation: Option<InstallationId>,
}

/// A page of the record, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryPage {
    /// The attempts.
    pub deliveries: Vec<ListedDelivery>,
    /// Where the next, older page is: to be handed to [`GitHub::deliveries`].
    pub next: Option<String>,
}

impl GitHub {
    /// A page of the record: the newest, or the one at `cursor`.
    ///
    /// # Errors
    /// [`Error`]; a cursor that GitHub no longer knows is refused, in whichever
    /// way GitHub likes.
    pub async fn deliveries(&self, which: Which, cursor: Option<&str>) -> Result<DeliveryPage> {
        let status = match which {
            Which::All => "",
            Which::Failed => "&status=failure",
        };
        let first = format!("{}?per_page=100{status}", needs::HOOK_DELIVERIES.template);
        let path = cursor.unwrap_or(&first);
        // It was kept meanwhile, where others may write.
        if !path.strip_prefix(needs::HOOK_DELIVERIES.template).is_some_and(|query| query.starts_with('?')) {
            return Err(Error::NotFound(format!("{}: that page", needs::HOOK_DELIVERIES)));
        }
        let (deliveries, next) = self.client.page(&Who::App, &needs::HOOK_DELIVERIES, &first, path).await?;
        Ok(DeliveryPage { deliveries, next })
    }

    /// What was sent in an attempt, as GitHub kept it; `None` if it kept the
    /// attempt without its payload.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NotFound`] if the record does not hold it any more.
    pub async fn delivery(&self, id: u64) -> Result<Option<Authentic>> {
        #[derive(Deserialize)]
        struct Whole {
            guid: String,
            event: String,
            request: Request,
        }
        #[derive(Deserialize)]
        struct Request {
            payload: Option<Box<RawValue>>,
        }
        let whole: Whole =
            self.client.rest_json(&Who::App, &needs::DELIVERY, &[&id.to_string()], None, Kind::Read).await?;
        let Some(payload) = whole.request.payload else { return Ok(None) };
        let body = Bytes::copy_from_slice(payload.get().as_bytes());
        Authentic::handed_out(&whole.guid, &whole.event, body)
            .map(Some)
            .map_err(|error| Error::Permanent(format!("{}: {error}", needs::DELIVERY)))
    }

    /// Asks GitHub to send an attempt once more, with the same GUID. Asked
    /// twice, it comes twice and counts once.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NotFound`] if the record does not hold it any more.
    pub async fn redeliver(&self, id: u64) -> Result<()> {
        let path = needs::REDELIVER.path(&[&id.to_string()]);
        self.client.rest(&Who::App, &needs::REDELIVER, &path, None, Kind::Read).await.map(|_| ())
    }

    /// How far back the record goes: 3 days on github.com and GHE.com, 30 on an
    /// Enterprise Server (GitHub documentation, "Redelivering webhooks").
    #[must_use]
    pub fn redelivery_window(&self) -> Duration {
        match self.client.endpoints.product() {
            Product::Server => 30 * DAY,
            Product::DotCom | Product::DataResidency | Product::Other => 3 * DAY,
        }
    }
}
