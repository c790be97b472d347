//! What the App is and holds, for `muster doctor`. Only reads.
//!
//! Promises: (1) nothing here changes anything at GitHub; (2) what an account
//! has granted is told as GitHub tells it, also permissions that Muster has no
//! use for.

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{
    Access, GitHub, Installed,
    client::{Kind, Who},
    error::{Error, Result},
    needs::{self, Granted},
    read::{Installation, Reader},
};

/// The App as it is registered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Registration {
    /// Its name in URLs.
    pub slug: String,
    /// Its page.
    pub html_url: String,
    /// What it asks for.
    pub permissions: Granted,
    /// The events it subscribes to.
    pub events: Vec<String>,
}

/// The App's webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hook {
    /// Where deliveries go; empty if the App has no webhook.
    pub url: String,
    /// Whether the body is JSON.
    pub json: bool,
    /// Whether GitHub verifies the certificate of the receiver.
    pub verified: bool,
    /// Whether deliveries are signed.
    pub signed: bool,
}

/// One delivery, as GitHub remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Delivered {
    /// When it was sent.
    pub delivered_at: Timestamp,
    /// The status of the answer; 0 if there was none.
    pub status_code: u16,
    /// Which event.
    pub event: String,
}

/// Which repositories an account lets the App see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Selection {
    /// All, also those to come.
    All,
    /// Those that somebody chose.
    Selected,
}

impl std::fmt::Display for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Selection::All => "all repositories",
            Selection::Selected => "only selected repositories",
        })
    }
}

/// An installation as its account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// Which, and where.
    pub installation: Installation,
    /// The page on which the account changes it.
    pub html_url: String,
    /// Which repositories.
    pub selection: Selection,
}

/// What is left of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Left {
    /// Points an hour.
    pub limit: u64,
    /// Points left.
    pub remaining: u64,
}

/// What is left of both purses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct RateLimit {
    /// REST.
    pub core: Left,
    /// GraphQL.
    pub graphql: Left,
}

impl GitHub {
    /// The App, as its signature proves it to be.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Unauthorized`] if GitHub takes none of its keys.
    pub async fn registration(&self) -> Result<Registration> {
        self.client.rest_json(&Who::App, &needs::APP, &[], None, Kind::Read).await
    }

    /// Which of the App's keys GitHub took last, from 1, and how many there are.
    #[must_use]
    pub fn key(&self) -> (usize, usize) {
        let keys = match &self.client.access {
            Access::App(app) => app.keys(),
            Access::Token(_) => 0,
        };
        (self.client.key.load(Ordering::Relaxed) + 1, keys)
    }

    /// The App's webhook.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn hook(&self) -> Result<Hook> {
        #[derive(Deserialize)]
        struct Config {
            #[serde(default)]
            url: Option<String>,
            content_type: Option<String>,
            /// A text or a number ("REST API endpoints for GitHub App webhooks").
            insecure_ssl: Option<serde_json::Value>,
            secret: Option<String>,
        }
        let config: Config =
            self.client.rest_json(&Who::App, &needs::HOOK_CONFIG, &[], None, Kind::Read).await?;
        Ok(Hook {
            url: config.url.unwrap_or_default(),
            // A form is GitHub's default.
            json: config.content_type.as_deref() == Some("json"),
            verified: config.insecure_ssl.is_none_or(|value| value == "0" || value == 0),
            signed: config.secret.is_some_and(|secret| !secret.is_empty()),
        })
    }

    /// The last delivery that GitHub remembers.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn last_delivery(&self) -> Result<Option<Delivered>> {
        let route = &needs::HOOK_DELIVERIES;
        let path = format!("{}?per_page=1", route.path(&[]));
        let answer = self.client.rest(&Who::App, route, &path, None, Kind::Read).await?;
        let page: Vec<Delivered> = serde_json::from_slice(&answer.body)
            .map_err(|_| Error::Permanent(format!("{route}: the answer is not as documented")))?;
        Ok(page.into_iter().next())
    }

    /// Everywhere the App is installed, with what was granted there.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn examine_installations(&self) -> Result<Vec<Examined>> {
        #[derive(Deserialize)]
        struct Whole {
            #[serde(flatten)]
            installed: Installed,
            #[serde(default)]
            html_url: String,
            repository_selection: Selection,
        }
        let all = self.client.list(&Who::App, &needs::INSTALLATIONS, &[], |page: Vec<Whole>| page).await?;
        let examined = |whole: Whole| {
            Some(Examined {
                installation: whole.installed.into_installation()?,
                html_url: whole.html_url,
                selection: whole.repository_selection,
            })
        };
        Ok(all.into_iter().filter_map(examined).collect())
    }

    /// How far our clock is ahead of GitHub's; `None` before the first answer.
    #[must_use]
    pub fn clock_ahead(&self) -> Option<SignedDuration> {
        self.client.clock_ahead()
    }

    /// The product, and of an Enterprise Server that has answered the version.
    #[must_use]
    pub fn product(&self) -> String {
        let product = self.client.endpoints.product().as_str();
        match self.client.server_version() {
            Some(version) => format!("GitHub Enterprise Server {version}"),
            None => product.to_owned(),
        }
    }

    /// Host and port of the proxy on the way there, if there is one.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        self.client.endpoints.network().proxy()
    }
}

impl Reader {
    /// What is left of the hour; `None` where GitHub sets no limit (an
    /// Enterprise Server as it comes).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn rate_limit(&self) -> Result<Option<RateLimit>> {
        #[derive(Deserialize)]
        struct Answer {
            resources: RateLimit,
        }
        let answer: Result<Answer> =
            self.client.rest_json(&self.who, &needs::RATE_LIMIT, &[], None, Kind::Read).await;
        match answer {
            Ok(answer) => Ok(Some(answer.resources)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
