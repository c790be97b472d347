//! The published files, for everybody.
//!
//! Promises: (1) what is served is what was published, to the byte; its
//! validators come from these bytes alone (threats N7); (2) an agency that is
//! not the operator's is as unknown as any other path; (3) without a database
//! the last file that was served is served on.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use jiff::{Timestamp, fmt::rfc2822};

use crate::{
    domain::{inventory::Agency, policy::Published},
    store::{Store, StoreError},
};

/// How long others may keep a file without asking again (threats N5).
const CACHE: &str = "public, max-age=300";

#[derive(Clone)]
struct Files(Arc<Parts>);

struct Parts {
    store: Store,
    /// The agencies by their names in addresses.
    slugs: Vec<String>,
    kept: RwLock<HashMap<(String, &'static str), Kept>>,
}

/// A file in memory.
#[derive(Clone)]
struct Kept {
    body: Bytes,
    sha256: String,
    published_at: Timestamp,
}

/// The routes of the published files; of the main agency, the first, also
/// without its name.
pub(super) fn router(store: Store, agencies: &[Agency]) -> Router {
    if agencies.is_empty() {
        return Router::new();
    }
    let slugs: Vec<String> = agencies.iter().map(Agency::slug).collect();
    let files = Files(Arc::new(Parts { store, slugs, kept: RwLock::default() }));
    let mut router = Router::new();
    for published in Published::ALL {
        let file = published.file();
        let main = move |State(files): State<Files>, headers: HeaderMap| async move {
            let slug = files.0.slugs.first().cloned().unwrap_or_default();
            files.answer(slug, file, &headers).await
        };
        let named = move |State(files): State<Files>, Path(agency): Path<String>, headers: HeaderMap| async move {
            files.answer(agency.to_ascii_lowercase(), file, &headers).await
        };
        router = router
            .route(&format!("/{file}"), get(main))
            .route(&format!("/agencies/{{agency}}/{file}"), get(named));
    }
    router.with_state(files)
}

impl Files {
    async fn answer(&self, agency: String, file: &'static str, asked: &HeaderMap) -> Response {
        if !self.0.slugs.contains(&agency) {
            return nothing();
        }
        match self.current(agency, file).await {
            Ok(Some(kept)) => kept.answer(asked),
            Ok(None) => nothing(),
            Err(error) => {
                tracing::error!(%error, "a published file could not be read");
                let later = [(header::RETRY_AFTER, "60")];
                (StatusCode::SERVICE_UNAVAILABLE, later, "Not now. Ask again in a minute.\n").into_response()
            }
        }
    }

    /// The file as it is published now; the one in memory if the database does
    /// not answer.
    async fn current(&self, agency: String, file: &'static str) -> Result<Option<Kept>, StoreError> {
        let key = (agency, file);
        let kept = self.0.kept.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let hash = match self.0.store.published_hash(&key.0, file).await {
            Ok(hash) => hash,
            Err(error) => return kept.map(Some).ok_or(error),
        };
        let Some(hash) = hash else { return Ok(None) };
        if kept.as_ref().is_some_and(|kept| kept.sha256 == hash) {
            return Ok(kept);
        }
        let Some(read) = self.0.store.published(&key.0, file).await? else { return Ok(None) };
        let kept =
            Kept { body: Bytes::from(read.body), sha256: read.sha256, published_at: read.published_at };
        self.0.kept.write().unwrap_or_else(PoisonError::into_inner).insert(key, kept.clone());
        Ok(Some(kept))
    }
}

impl Kept {
    fn answer(self, asked: &HeaderMap) -> Response {
        let tag = format!("\"{}\"", self.sha256);
        let mut headers = HeaderMap::new();
        let mut put = |name, value: &str| {
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        };
        put(header::ETAG, &tag);
        put(header::CACHE_CONTROL, CACHE);
        put(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        put(header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
        if let Ok(at) = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&self.published_at) {
            put(header::LAST_MODIFIED, &at);
        }
        let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let mut known = known.flat_map(|tags| tags.split(','));
        // Weak comparison (RFC 9110 §13.1.2).
        if known.any(|one| one.trim() == "*" || one.trim().trim_start_matches("W/") == tag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        put_type(&mut headers);
        (headers, self.body).into_response()
    }
}

fn put_type(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
}

/// As whatever is not a route.
fn nothing() -> Response {
    (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response()
}
