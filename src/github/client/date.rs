//! GitHub's time, and what the client does when ours differs.

use std::sync::{MutexGuard, PoisonError};

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

use super::Client;
use crate::github::{
    error::{Error, Result},
    needs,
    skew::{self, Skew, Standing},
    transport::{Answer, Request},
};

impl Client {
    pub(super) fn skew(&self) -> MutexGuard<'_, Skew> {
        self.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares our clock with the date of an answer, and says what is new.
    pub(super) fn compare_clocks(&self, sent: Timestamp, answer: &Answer) {
        self.learn_version(&answer.headers);
        let Some(date) = skew::date(&answer.headers) else { return };
        let news = self.skew().note(sent, self.clock.now(), date);
        let Some((standing, ahead)) = news else { return };
        let shown = skew::shown(ahead);
        match standing {
            Standing::Right => tracing::info!("this machine's clock agrees with GitHub's again"),
            Standing::Corrected => {
                tracing::warn!("this machine's clock is {shown} GitHub's: set it by a time server")
            }
            Standing::Off => tracing::error!(
                "this machine's clock is {shown} GitHub's: set it by a time server; until then the work rests"
            ),
        }
    }

    /// What to take from our time to have GitHub's. While the clock is off,
    /// GitHub is asked for the time once a minute, without credentials, so
    /// that a clock put right is noticed.
    ///
    /// # Errors
    /// [`Error::ClockOff`].
    pub(in crate::github) async fn correction(&self) -> Result<SignedDuration> {
        let asks = self.skew().asks(self.clock.now());
        if asks {
            let request = Request {
                method: needs::RATE_LIMIT.method.clone(),
                uri: self.endpoints.rest(needs::RATE_LIMIT.template),
                token: None,
                body: None,
                follows: false,
            };
            let sent = self.clock.now();
            // Any answer has a date; without one nothing is known anew.
            if let Ok(answer) = self.transport.send(request).await {
                self.compare_clocks(sent, &answer);
            }
        }
        let correction = self.skew().correction();
        correction.map_err(|ahead| Error::ClockOff {
            ahead,
            again: self.clock.now() - ahead + std::time::Duration::from_secs(60),
        })
    }

    /// How far our clock is ahead, if GitHub has answered yet.
    pub(in crate::github) fn clock_ahead(&self) -> Option<SignedDuration> {
        self.skew().measured()
    }

    /// The version of an Enterprise Server, once it has answered.
    pub(in crate::github) fn server_version(&self) -> Option<String> {
        self.version.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// At most 40 plain characters: it is shown to people.
    fn learn_version(&self, headers: &HeaderMap) {
        let Some(value) = headers.get("x-github-enterprise-version").and_then(|v| v.to_str().ok()) else {
            return;
        };
        let plain = |c: &char| c.is_ascii_alphanumeric() || ['.', '-'].contains(c);
        let shown: String = value.chars().filter(plain).take(40).collect();
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
    }
}
