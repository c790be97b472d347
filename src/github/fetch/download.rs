//! The archive of a commit, as it streams in.
//!
//! Promises: (1) the token is sent to GitHub's API alone: the address that it
//! answers with is asked without credentials (threats O2), and only if it is of
//! a host from which this GitHub hands out archives; (2) no more than
//! [`MOST_BYTES`] come in, whatever was announced.

use bytes::Bytes;
use http::{Method, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::{Allowed, Fetcher, Refused};
use crate::{
    domain::{
        inventory::Hosts,
        repository::{ObjectId, RepositoryName},
    },
    github::{GitHub, Reader, Result, needs},
};

/// The most bytes of an archive, packed.
pub const MOST_BYTES: usize = 100 * 1024 * 1024;

/// An archive under way.
#[derive(Debug)]
pub struct Download {
    body: Incoming,
    came: usize,
}

impl Reader {
    /// Where the archive of a commit of a repository can be fetched.
    ///
    /// # Errors
    /// [`Error`](crate::github::Error); `StaleData` if the repository has
    /// another name now.
    pub async fn archive(&self, name: &RepositoryName, commit: &ObjectId) -> Result<String> {
        let values = [name.owner().as_str(), name.name(), commit.as_str()];
        self.client.rest_location(&self.who, &needs::TARBALL, &values).await
    }
}

impl GitHub {
    /// Begins to fetch an archive from where GitHub said it is.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn download(&self, url: &str) -> std::result::Result<Download, Refused> {
        self.fetcher().download(url, &self.client.endpoints.archives()).await
    }
}

impl Fetcher {
    pub(super) async fn download(&self, url: &str, hosts: &Hosts) -> std::result::Result<Download, Refused> {
        let answer = self.follow(Method::GET, url, Allowed::Archives(hosts), None).await?;
        if answer.status() != StatusCode::OK {
            return Err(Refused::Status(answer.status().as_u16()));
        }
        let announced = answer.headers().get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|announced| announced > MOST_BYTES) {
            return Err(Refused::TooLarge(MOST_BYTES));
        }
        Ok(Download { body: answer.into_body(), came: 0 })
    }
}

impl Download {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// [`Refused::TooLarge`], [`Refused::BrokenOff`].
    pub async fn next(&mut self) -> std::result::Result<Option<Bytes>, Refused> {
        loop {
            let Some(frame) = self.body.frame().await else { return Ok(None) };
            let frame = frame.map_err(|_| Refused::BrokenOff)?;
            let Ok(bytes) = frame.into_data() else { continue };
            self.came += bytes.len();
            if self.came > MOST_BYTES {
                return Err(Refused::TooLarge(MOST_BYTES));
            }
            return Ok(Some(bytes));
        }
    }
}
