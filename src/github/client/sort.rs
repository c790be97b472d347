//! Every answer sorted once, by what the caller does next.

use http::StatusCode;

use super::{Call, Client, Kind, gate::Gate};
use crate::github::{
    error::{Error, Result, refusal, sentence},
    limits::{self, Purse, Verdict},
    needs::{self, Route},
    transport::{Answer, Fault},
};

impl Client {
    /// Sorts an answer by its status and headers.
    pub(super) fn sort(&self, gate: &Gate, call: &Call<'_>, answer: Answer) -> Result<Answer> {
        // 302 is the answer of whom asks for an address; 301 says that the repository
        // has another name.
        let is_address = !call.follows && answer.status == StatusCode::FOUND;
        if answer.status.is_success() || is_address {
            // A GraphQL answer says in its body whether it was refused for a
            // limit; its headers are taken in with that.
            if call.purse == Purse::Rest {
                gate.limits().answered(call.purse, Verdict::Answered, &answer.headers, self.clock.now());
            }
            return Ok(answer);
        }
        let words = answer.message();
        let verdict = limits::verdict(answer.status, &answer.headers, &words);
        let limited = gate.limits().answered(call.purse, verdict, &answer.headers, self.clock.now());
        if let Some(until) = limited {
            return Err(Error::RateLimited { until });
        }
        let label = || call.label.clone();
        Err(match answer.status {
            StatusCode::UNAUTHORIZED => Error::Unauthorized(label()),
            StatusCode::FORBIDDEN if words.to_ascii_lowercase().contains("suspended") => Error::Suspended,
            StatusCode::FORBIDDEN if words.to_ascii_lowercase().contains("archived") => {
                refusal(&call.label, &words)
            }
            StatusCode::FORBIDDEN => {
                let named = answer.headers.get("x-accepted-github-permissions").and_then(|v| v.to_str().ok());
                let needs = named.map_or_else(|| needs::shown(call.needs), sentence);
                Error::Forbidden { route: label(), needs }
            }
            StatusCode::NOT_FOUND => Error::NotFound(label()),
            StatusCode::GONE => Error::Gone(label()),
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => refusal(&call.label, &words),
            status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                let message = format!("{} answered {}", call.label, status.as_u16());
                match call.kind {
                    Kind::Read | Kind::ReadOnce => Error::Transient(message),
                    Kind::Write(..) => Error::Ambiguous(message),
                }
            }
            // A write is not followed to where a repository has moved.
            status if status.is_redirection() => Error::StaleData(label()),
            status => Error::Permanent(format!(
                "{} answered {}: this is not documented, please report it",
                call.label,
                status.as_u16()
            )),
        })
    }
}

/// Sorts a call without an answer.
pub(super) fn lost(call: &Call<'_>, fault: Fault) -> Error {
    let label = &call.label;
    match (fault, call.kind) {
        (Fault::NotSent(why), _) => Error::Transient(format!("{label}: {why}")),
        (Fault::Lost, Kind::Read | Kind::ReadOnce) => {
            Error::Transient(format!("{label}: the answer was lost"))
        }
        (Fault::Lost | Fault::TooLarge | Fault::Elsewhere, Kind::Write(..)) => {
            Error::Ambiguous(format!("{label}: the answer was lost"))
        }
        // Who asks for less may get an answer.
        (Fault::TooLarge, Kind::ReadOnce) => {
            Error::Transient(format!("{label}: the answer is larger than 32 MiB"))
        }
        (Fault::TooLarge, Kind::Read) => {
            Error::Permanent(format!("{label}: the answer is larger than 32 MiB"))
        }
        (Fault::Elsewhere, Kind::Read | Kind::ReadOnce) => {
            Error::Permanent(format!("{label}: GitHub redirects out of its API; check MUSTER_GITHUB_API_URL"))
        }
    }
}

/// An answer that is not what its route documents.
pub(super) fn unread(route: &Route, kind: Kind<'_>, error: &serde_json::Error) -> Error {
    match kind {
        // What was asked for has happened; only its description is unclear.
        Kind::Write(..) => Error::Ambiguous(format!("{route}: the answer cannot be read")),
        Kind::Read | Kind::ReadOnce if error.is_eof() => {
            Error::Transient(format!("{route}: the answer broke off"))
        }
        Kind::Read | Kind::ReadOnce => Error::Permanent(format!(
            "{route}: the answer is not as documented (line {}, column {})",
            error.line(),
            error.column()
        )),
    }
}
