//! What is counted, for Prometheus.
//!
//! Promises: (1) a label's value is a word of this program (`&'static str`), so
//! nothing that was read, neither a name nor a path nor an id, becomes a series
//! (threats N8); (2) to count costs some atomic additions, and never waits for
//! anything but a short lock; (3) every handle of one instance counts the same
//! series, and two instances in one process do not mix.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, prometheus_text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::domain::{
    finding::{Outcome, Report},
    plan::Change,
};

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// Upper bounds of the time a job takes, in seconds; one is ended at 120.
const SECONDS: [f64; 9] = [0.01, 0.05, 0.2, 1.0, 3.0, 10.0, 30.0, 60.0, 120.0];

macro_rules! labels {
    ($($name:ident { $($label:ident),+ })+) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        struct $name { $($label: &'static str),+ }
    )+};
}
labels! {
    OfDelivery { event, outcome }
    OfRequest { route, status }
    OfJob { kind, outcome }
    OfKind { kind }
    OfCall { method, route, outcome }
    OfChange { change }
    OfJudgement { rule, outcome }
    OfState { state }
    OfScope { scope }
}

/// The series of one instance. A cheap handle.
#[derive(Clone)]
pub struct Metrics(Arc<Series>);

struct Series {
    registry: Registry,
    deliveries: Family<OfDelivery, Counter>,
    requests: Family<OfRequest, Counter>,
    jobs: Family<OfJob, Counter>,
    job_seconds: Family<OfKind, Histogram, fn() -> Histogram>,
    calls: Family<OfCall, Counter>,
    changes: Family<OfChange, Counter>,
    judgements: Family<OfJudgement, Counter>,
    queue: Family<OfState, Gauge>,
    oldest: Gauge<f64, AtomicU64>,
    paused: Family<OfScope, Gauge>,
    held: Gauge,
    database: Gauge,
}

/// What the database knows, as far as it is told to Prometheus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Jobs that could run now.
    pub ready: u64,
    /// Jobs whose time has not come.
    pub waiting: u64,
    /// Jobs that a worker has.
    pub running: u64,
    /// Jobs of suspended installations.
    pub parked: u64,
    /// Jobs that failed for good.
    pub dead: u64,
    /// For how long the oldest ready job could have run.
    pub oldest: Duration,
    /// Whether writing is paused everywhere.
    pub paused_everywhere: bool,
    /// In how many accounts writing is paused by itself.
    pub paused_accounts: u64,
    /// How many changes a pause holds back.
    pub held_changes: u64,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut registry = Registry::with_prefix("muster");
        macro_rules! register {
            ($name:literal, $help:literal, $metric:expr) => {{
                let metric = $metric;
                registry.register($name, $help, metric.clone());
                metric
            }};
        }
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let series = Series {
            deliveries: register!("deliveries", "Deliveries by what became of them", Family::default()),
            requests: register!("http_requests", "Requests that were answered", Family::default()),
            jobs: register!("jobs_ended", "Runs of jobs by how they ended", Family::default()),
            job_seconds: register!(
                "job_seconds",
                "How long runs of jobs took",
                Family::new_with_constructor(histogram)
            ),
            calls: register!("github_calls", "Calls to GitHub by what became of them", Family::default()),
            changes: register!("changes", "Changes made on GitHub", Family::default()),
            judgements: register!(
                "judgements",
                "Outcomes of rules, each time one is judged",
                Family::default()
            ),
            queue: register!("queue_jobs", "Jobs in the queue", Family::default()),
            oldest: register!(
                "queue_oldest_seconds",
                "For how long the oldest ready job waits",
                Gauge::default()
            ),
            paused: register!("paused", "Pauses of writing that hold", Family::default()),
            held: register!("held_changes", "Changes that a pause holds back", Gauge::default()),
            database: register!("database_up", "Whether the database answered this scrape", Gauge::default()),
            registry,
        };
        Metrics(Arc::new(series))
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Counts a delivery; both words come from closed lists.
    pub fn delivered(&self, event: &'static str, outcome: &'static str) {
        self.0.deliveries.get_or_create(&OfDelivery { event, outcome }).inc();
    }

    /// Counts a request that was answered: by its route's template, and the
    /// class of the status.
    pub fn answered(&self, route: &'static str, status: u16) {
        let status = match status / 100 {
            2 => "2xx",
            4 => "4xx",
            5 => "5xx",
            _ => "other",
        };
        self.0.requests.get_or_create(&OfRequest { route, status }).inc();
    }

    /// Counts the run of a job, and the time it took.
    pub fn worked(&self, kind: &'static str, outcome: &'static str, took: Duration) {
        self.0.jobs.get_or_create(&OfJob { kind, outcome }).inc();
        self.0.job_seconds.get_or_create(&OfKind { kind }).observe(took.as_secs_f64());
    }

    /// Counts a call to GitHub, by the template of its route.
    pub fn called(&self, method: &'static str, route: &'static str, outcome: &'static str) {
        self.0.calls.get_or_create(&OfCall { method, route, outcome }).inc();
    }

    /// Counts a change that was made.
    pub fn changed(&self, change: &Change) {
        let change = match change {
            Change::DisableAutoMerge { .. } => "disable_auto_merge",
            Change::DeleteBranch { .. } => "delete_branch",
            Change::CloseDuplicate { .. } => "close_duplicate",
            Change::RefreshPullRequest(_) => "refresh_pull_request",
            Change::DescribePullRequest(_) => "describe_pull_request",
            Change::ClosePullRequest(_) => "close_pull_request",
            Change::OpenPullRequest(_) => "open_pull_request",
            Change::AskForReview { .. } => "ask_for_review",
            Change::OpenIssue(_) => "open_issue",
            Change::EditIssue { .. } => "edit_issue",
            Change::CloseIssue { .. } => "close_issue",
        };
        self.0.changes.get_or_create(&OfChange { change }).inc();
    }

    /// Counts what the judge said of a repository.
    pub fn judged(&self, report: &Report) {
        for judgement in &report.judgements {
            let outcome = match judgement.outcome {
                Outcome::Pass(_) => "pass",
                Outcome::Fail(_) => "fail",
                Outcome::Waived { .. } => "waived",
                Outcome::Unknown { .. } => "unknown",
            };
            self.0.judgements.get_or_create(&OfJudgement { rule: judgement.rule.as_str(), outcome }).inc();
        }
    }

    /// All series in Prometheus' text format. `standing` is `None` if the
    /// database did not answer: then its series are left out.
    #[must_use]
    pub fn text(&self, standing: Option<Standing>) -> String {
        let series = &*self.0;
        series.database.set(i64::from(standing.is_some()));
        match standing {
            Some(standing) => {
                let whole = |count| i64::try_from(count).unwrap_or(i64::MAX);
                for (state, count) in [
                    ("ready", standing.ready),
                    ("waiting", standing.waiting),
                    ("running", standing.running),
                    ("parked", standing.parked),
                    ("dead", standing.dead),
                ] {
                    series.queue.get_or_create(&OfState { state }).set(whole(count));
                }
                series.oldest.set(standing.oldest.as_secs_f64());
                let everywhere = u64::from(standing.paused_everywhere);
                for (scope, count) in [("all", everywhere), ("account", standing.paused_accounts)] {
                    series.paused.get_or_create(&OfScope { scope }).set(whole(count));
                }
                series.held.set(whole(standing.held_changes));
            }
            None => {
                series.queue.clear();
                series.paused.clear();
            }
        }
        let mut text = String::new();
        prometheus_text::encode(&mut text, &series.registry).expect("a String takes everything");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_prometheus_own() {
        let metrics = Metrics::default();
        metrics.delivered("push", "stored");
        metrics.clone().delivered("push", "stored");
        metrics.answered("/webhook", 202);
        metrics.worked("inspect_repository", "done", Duration::from_millis(30));
        let text = metrics.text(Some(Standing { dead: 2, paused_everywhere: true, ..Standing::default() }));
        for line in [
            "# TYPE muster_deliveries_total counter",
            "muster_deliveries_total{event=\"push\",outcome=\"stored\"} 2",
            "muster_http_requests_total{route=\"/webhook\",status=\"2xx\"} 1",
            "muster_jobs_ended_total{kind=\"inspect_repository\",outcome=\"done\"} 1",
            "muster_job_seconds_bucket{kind=\"inspect_repository\",le=\"0.05\"} 1",
            "muster_queue_jobs{state=\"dead\"} 2",
            "muster_paused{scope=\"all\"} 1",
            "muster_database_up 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        let without = metrics.text(None);
        assert!(
            without.contains("muster_database_up 0") && !without.contains("muster_queue_jobs{"),
            "{without}"
        );
        assert!(!Metrics::default().text(None).contains("push"), "another instance");
    }
}
