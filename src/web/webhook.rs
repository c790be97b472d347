//! `POST /webhook`: what a sender may do, in the order in which it is checked.
//!
//! Promises: (1) headers are checked before a byte of the body is read (threats
//! W2, W5); (2) an answer names the rule that was broken and what to do, and
//! repeats nothing that was sent; (3) 202 means committed.

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::time::timeout;

use super::{
    body::{Budget, LARGEST, Refused},
    connections::Connection,
    receiver::Receiver,
    server::Limits,
};
use crate::{
    github::webhook::{Delivery, EventError, Rejection, Signature},
    jobs::intake::{NotTaken, Taken},
    store::StoreError,
};

/// Seconds after which a sender may try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("10");

/// What the handler needs.
#[derive(Debug, Clone)]
pub(super) struct Intake {
    receiver: Receiver,
    budget: Budget,
    limits: Limits,
}

impl Intake {
    pub(super) fn new(receiver: Receiver, limits: Limits) -> Intake {
        Intake { receiver, budget: Budget::new(limits.connections), limits }
    }
}

/// Takes one delivery in.
pub(super) async fn deliver(
    State(intake): State<Intake>,
    connection: Option<Extension<Connection>>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    match intake.take(&head.headers, body, connection.map(|Extension(it)| it)).await {
        Ok(taken) => (StatusCode::ACCEPTED, word(taken)).into_response(),
        Err(refusal) => {
            tracing::debug!(status = refusal.status.as_u16(), why = refusal.why, "a delivery was not taken");
            refusal.into_response()
        }
    }
}

fn word(taken: Taken) -> &'static str {
    match taken {
        Taken::Stored => "Stored.\n",
        Taken::Known => "Stored before.\n",
        Taken::Unlisted => "Not for this server.\n",
    }
}

impl Intake {
    async fn take(
        &self,
        headers: &HeaderMap,
        body: Body,
        connection: Option<Connection>,
    ) -> Result<Taken, Refusal> {
        let signature = Signature::of(headers)?;
        check_content_type(headers)?;
        check_length(headers)?;
        let delivery = Delivery::headers(headers)?;
        let read = self.budget.read(body, self.limits.body).await?;
        if let Some(connection) = connection {
            connection.work();
        }
        let taken = timeout(self.limits.request, self.receiver.take(delivery, signature, read.bytes)).await;
        drop(read.reserved);
        match taken {
            Ok(taken) => Ok(taken?),
            Err(_) => Err(Refusal::later("The database takes too long. Send the delivery again later.\n")),
        }
    }
}

/// An answer that is not 202.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    why: &'static str,
    retry: bool,
}

impl Refusal {
    fn new(status: StatusCode, why: &'static str) -> Refusal {
        Refusal { status, why, retry: false }
    }

    fn later(why: &'static str) -> Refusal {
        Refusal { status: StatusCode::SERVICE_UNAVAILABLE, why, retry: true }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut answer = (self.status, self.why).into_response();
        // What the sender has begun to send may never end.
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        if self.retry {
            answer.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        answer
    }
}

const TOO_LARGE: &str = "The body is larger than 25 MiB. GitHub sends none that large.\n";

fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let only = values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok());
    let essence = only.and_then(|value| value.split(';').next()).unwrap_or("").trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            "The webhook sends a form. Choose the content type application/json in its settings.\n"
        } else {
            "The content type must be application/json.\n"
        },
    ))
}

/// The length as announced. The socket has refused lengths that are doubled or
/// no number.
fn check_length(headers: &HeaderMap) -> Result<(), Refusal> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match announced {
        Some(bytes) if bytes > LARGEST as u64 => Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE)),
        Some(_) | None => Ok(()),
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Refusal {
        match rejection {
            Rejection::SignatureForm => Refusal::new(
                StatusCode::UNAUTHORIZED,
                "Send exactly one header X-Hub-Signature-256: sha256= and 64 hexadecimal digits.\n",
            ),
            Rejection::SignatureWrong => Refusal::new(
                StatusCode::UNAUTHORIZED,
                "The signature fits none of the webhook secrets of this server.\n",
            ),
            Rejection::Header(name) => Refusal::new(
                StatusCode::BAD_REQUEST,
                match name {
                    "X-GitHub-Delivery" => "Send exactly one header X-GitHub-Delivery with a UUID.\n",
                    "X-GitHub-Event" => {
                        "Send exactly one header X-GitHub-Event with the name of the event.\n"
                    }
                    _ => "A header X-GitHub-Hook-… is doubled or malformed.\n",
                },
            ),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Refusal {
        match refused {
            Refused::TooLarge => Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE),
            Refused::Busy => {
                Refusal::later("Too many large bodies are on their way. Send the delivery again later.\n")
            }
            Refused::Slow => Refusal::new(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.\n"),
            Refused::Broken => Refusal::new(StatusCode::BAD_REQUEST, "The body broke off.\n"),
        }
    }
}

impl From<NotTaken> for Refusal {
    fn from(reason: NotTaken) -> Refusal {
        match reason {
            NotTaken::Forged(rejection) => rejection.into(),
            NotTaken::Malformed(EventError::NotJson { .. }) => {
                Refusal::new(StatusCode::BAD_REQUEST, "The body is not a JSON object.\n")
            }
            NotTaken::Malformed(EventError::Unfit { .. }) => Refusal::new(
                StatusCode::BAD_REQUEST,
                "The body is not that of the event X-GitHub-Event names.\n",
            ),
            NotTaken::Store(error @ StoreError::Unavailable { .. }) => {
                tracing::error!(%error, "a delivery could not be stored");
                Refusal::later("The database is not available. Send the delivery again later.\n")
            }
            NotTaken::Store(error @ StoreError::Newer { .. }) => {
                tracing::error!(%error, "a delivery could not be stored");
                Refusal::later(
                    "This server is being replaced by a newer one. Send the delivery again later.\n",
                )
            }
            NotTaken::Store(error) => {
                tracing::error!(%error, "a delivery could not be stored");
                Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "The delivery could not be stored.\n")
            }
            NotTaken::Broken(_) => {
                Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "The delivery could not be read.\n")
            }
        }
    }
}

const _: () = assert!(LARGEST == crate::github::webhook::MAX_BODY);
