//! Faults a test injects, by route template and count.

use crate::graphql::Measure;
use crate::state::{Node, RepositoryId};

/// One fault to inject.
///
/// ```
/// use github_sandbox::{Fault, FaultKind};
/// let lost = Fault::on("POST /repos/{owner}/{repo}/issues").kind(FaultKind::BadGatewayAfter).times(2);
/// ```
#[derive(Debug, Clone)]
pub struct Fault {
    pub(crate) on: Option<String>,
    pub(crate) kind: FaultKind,
    pub(crate) skip: u64,
    pub(crate) times: u64,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// 502, and nothing was done.
    BadGateway,
    /// 502, but it was done.
    BadGatewayAfter,
    /// The connection breaks, and nothing was done.
    Reset,
    /// The connection breaks, but it was done.
    ResetAfter,
    /// 401 Bad credentials.
    Unauthorized,
    /// 403 or 429 with this status, told in one of GitHub's three ways.
    Limited(u16, Limit),
    /// Done and answered only after [`crate::Sandbox::release`], though the
    /// caller may have hung up by then.
    Held,
    /// Done at once, and answered only after [`crate::Sandbox::release`].
    HeldAfter,
    /// A recursive tree listing is cut in half and says so.
    TruncatedTree,
    /// GraphQL: the last top-level field of `data` is null, with an error;
    /// what it was to do is done.
    PartialData,
    /// GraphQL: a mutation breaks off after this many of its fields; the others
    /// are not done, and null with an error.
    Cut(usize),
    /// GraphQL: the first element of the first list of `data` is null, with an
    /// error that names it.
    PartialElement,
    /// GraphQL: HTTP 200 with an error of type `RATE_LIMITED`.
    GraphqlRateLimited,
    /// GraphQL: 502 when the query could touch more nodes than this.
    TooManyNodes(u64),
    /// GraphQL: 502 when the query names this repository by its id.
    Names(RepositoryId),
}

/// How a limit is told (GitHub Docs, "Rate limits for the REST API").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// `retry-after` in seconds.
    RetryAfter(u32),
    /// `x-ratelimit-remaining: 0` and a reset in this many seconds.
    Exhausted(u32),
    /// Neither: only the sentence.
    Secondary,
}

impl Fault {
    /// A fault of one route, once: `GET /repos/{owner}/{repo}`, or for GraphQL
    /// `POST /graphql` and the operation's name, which may be left out.
    pub fn on(route: &str) -> Fault {
        Fault { on: Some(route.to_owned()), kind: FaultKind::BadGateway, skip: 0, times: 1 }
    }

    /// A fault of whatever is called next.
    pub fn anywhere() -> Fault {
        Fault { on: None, kind: FaultKind::BadGateway, skip: 0, times: 1 }
    }

    /// What goes wrong; [`FaultKind::BadGateway`] if not said.
    pub fn kind(mut self, kind: FaultKind) -> Fault {
        self.kind = kind;
        self
    }

    /// How many calls it hits.
    pub fn times(mut self, times: u64) -> Fault {
        self.times = times;
        self
    }

    /// How many matching calls pass before the first hit.
    pub fn after(mut self, calls: u64) -> Fault {
        self.skip = calls;
        self
    }

    fn matches(&self, route: &str, measure: Option<&Measure>) -> bool {
        let operation = measure.and_then(|measure| measure.operation.as_deref());
        let named = match &self.on {
            None => true,
            Some(on) => on == route || operation.is_some_and(|name| *on == format!("{route} {name}")),
        };
        named
            && match self.kind {
                FaultKind::TooManyNodes(most) => measure.is_some_and(|measure| measure.nodes > most),
                FaultKind::Cut(fields) => {
                    measure.is_some_and(|measure| measure.mutation && measure.fields > fields)
                }
                FaultKind::Names(id) => measure.is_some_and(|measure| {
                    let id = Node::Repository(id).encode();
                    measure.ids.contains(&id)
                }),
                FaultKind::BadGateway
                | FaultKind::BadGatewayAfter
                | FaultKind::Reset
                | FaultKind::ResetAfter
                | FaultKind::Unauthorized
                | FaultKind::Limited(..)
                | FaultKind::Held
                | FaultKind::HeldAfter
                | FaultKind::TruncatedTree
                | FaultKind::PartialData
                | FaultKind::PartialElement
                | FaultKind::GraphqlRateLimited => true,
            }
    }
}

/// Takes the fault that hits a call, if any, and counts it.
pub(crate) fn take(faults: &mut Vec<Fault>, route: &str, measure: Option<&Measure>) -> Option<FaultKind> {
    let mut hit = None;
    for fault in faults.iter_mut().filter(|fault| fault.matches(route, measure)) {
        if fault.skip > 0 {
            fault.skip -= 1;
        } else if fault.times > 0 && hit.is_none() {
            fault.times -= 1;
            hit = Some(fault.kind);
        }
    }
    faults.retain(|fault| fault.times > 0);
    hit
}
