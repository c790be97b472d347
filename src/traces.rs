//! Spans for OpenTelemetry, with the feature `otel`.
//!
//! Promises: (1) without the feature each of these is the future it was handed:
//! no span is made; (2) a span carries words of this program and GitHub's ids,
//! neither names nor texts (threats N9).

/// The target of every span: by it exporter and log tell them apart.
pub const TARGET: &str = "muster::traces";

macro_rules! traced {
    ($(#[$note:meta])* $name:ident($($field:ident: $type:ty),+) as $span:literal) => {
        $(#[$note])*
        #[cfg(not(feature = "otel"))]
        #[inline]
        pub fn $name<F: Future>($(_: $type,)+ future: F) -> F {
            future
        }

        $(#[$note])*
        #[cfg(feature = "otel")]
        pub fn $name<F: Future>($($field: $type,)+ future: F) -> tracing::instrument::Instrumented<F> {
            use tracing::Instrument as _;
            future.instrument(tracing::info_span!(target: TARGET, $span, $($field),+))
        }
    };
}

traced!(
    /// A call to GitHub: one exchange, by the template of its route.
    call(method: &'static str, route: &'static str) as "github call"
);
traced!(
    /// A delivery that is read and stored, by a word of ours for its event.
    delivery(event: &'static str) as "delivery"
);
traced!(
    /// A run of a job: on what, by whose installation, and which attempt.
    job(kind: &'static str, subject: i64, installation: i64, attempt: i64) as "job"
);
