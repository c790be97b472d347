//! The log: on standard error, as JSON for machines and as lines for a person
//! who watches.
//!
//! Promises: (1) what looks like a secret, and what the settings say is one,
//! never reaches it, whatever the level and whoever wrote the line (threats §4,
//! Log redaction); (2) a panic tells its place, never its words (W7); (3) ids
//! stand for names from `info` up (N9): that is in the hands of whoever writes
//! a line, and tested with canaries.

mod redact;

#[cfg(feature = "otel")]
mod otel;

use std::{
    io::{self, IsTerminal, Write},
    panic,
};

use tracing_subscriber::{
    EnvFilter, Layer,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

pub use redact::Redactor;

use crate::{config::Config, traces};

/// What has to be done at the end.
#[derive(Debug, Default)]
pub struct Log {
    #[cfg(feature = "otel")]
    exporter: Option<otel::Exporter>,
}

impl Log {
    /// Sends what is not sent yet.
    pub async fn finish(self) {
        #[cfg(feature = "otel")]
        if let Some(exporter) = self.exporter {
            exporter.finish().await;
        }
    }
}

/// What must not be told, by the settings.
#[must_use]
pub fn redactor(config: &Config) -> Redactor {
    Redactor::new(config.hidden().iter())
}

/// Starts the log. A filter that cannot be understood is reported by the
/// command that reads the settings; until then everything from `info` is
/// logged.
///
/// # Errors
/// Why there is none.
pub fn start(config: &Config, redactor: &Redactor) -> Result<Log, String> {
    let writer = Redacting { redactor: redactor.clone(), out: io::stderr };
    let log = layer(writer, &config.log(), io::stderr().is_terminal());
    let subscriber = tracing_subscriber::registry().with(log);
    let started = match config.traces() {
        #[cfg(feature = "otel")]
        Ok(Some(traces)) => {
            let (exporter, spans) = otel::start(&traces)?;
            subscriber.with(spans).try_init().map(|()| Log { exporter: Some(exporter) })
        }
        // Without the feature there are none; a problem is told by the command.
        #[cfg(not(feature = "otel"))]
        Ok(Some(_)) => subscriber.try_init().map(|()| Log::default()),
        Ok(None) | Err(_) => subscriber.try_init().map(|()| Log::default()),
    };
    panic::set_hook(Box::new(|panic| {
        // The words of a panic may hold what a sender wrote.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a defect of muster was met: please report the place");
    }));
    started.map_err(|error| error.to_string())
}

/// What writes the lines: without the spans, which are for traces alone.
fn layer<S, W>(writer: W, filter: &str, watched: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    use tracing_subscriber::filter::{FilterExt as _, filter_fn};
    let filter = EnvFilter::new(filter).and(filter_fn(|meta| meta.target() != traces::TARGET));
    let lines = fmt::layer().with_writer(writer);
    if watched {
        lines.compact().with_ansi(false).with_filter(filter).boxed()
    } else {
        lines.json().flatten_event(true).with_filter(filter).boxed()
    }
}

/// Hands each line on without what must not be told.
#[derive(Debug, Clone)]
struct Redacting<M> {
    redactor: Redactor,
    out: M,
}

impl<'a, M: Fn() -> W + 'a, W: Write> MakeWriter<'a> for Redacting<M> {
    type Writer = Line<W>;

    fn make_writer(&'a self) -> Line<W> {
        Line { redactor: self.redactor.clone(), out: (self.out)() }
    }
}

/// One line: it comes in one piece.
struct Line<W> {
    redactor: Redactor,
    out: W,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.out.write_all(self.redactor.redact(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use secrecy::SecretString;
    use serde_json::Value;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A secret of the operator's that no pattern would know, with what JSON
    /// and Rust write otherwise.
    const OURS: &str = "canary-\"ours\"\\ä-of-the-operator";

    fn logged(watched: bool, log: impl FnOnce()) -> String {
        let kept = Kept::default();
        let out = kept.clone();
        let redactor = Redactor::new([&SecretString::from(OURS)].into_iter());
        let writer = Redacting { redactor, out: move || out.clone() };
        let subscriber = tracing_subscriber::registry().with(layer(writer, "trace", watched));
        tracing::subscriber::with_default(subscriber, log);
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    #[derive(Debug, thiserror::Error)]
    #[error("the database refused")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("cannot reach postgres://muster:canary-password@db/muster as {OURS}")]
    struct Inner;

    #[test]
    fn no_line_tells_a_secret_in_whatever_form_it_comes() {
        let token = "ghs_canary0123456789abcdefghij";
        for watched in [false, true] {
            let text = logged(watched, || {
                tracing::info!("plain {OURS}");
                tracing::info!(secret = OURS, "a field");
                tracing::error!(error = ?Outer(Inner), "debug of a chain");
                tracing::error!(error = &Outer(Inner) as &dyn std::error::Error, "a chain");
                tracing::warn!(error = format!("{:#}", anyhow::Error::from(Outer(Inner))), "its text");
                tracing::debug!(headers = ?[("authorization", "Bearer canary-bearer-12345")], "headers");
                tracing::trace!(debug = ?format!("{:?}", Some(OURS)), token, "debug of debug");
                tracing::info!("-----BEGIN RSA PRIVATE KEY-----\ncanarykey\n-----END RSA PRIVATE KEY-----");
            });
            assert!(!text.contains("canary"), "{text}");
            assert!(text.contains("[redacted]"), "{text}");
            if !watched {
                let lines: Vec<Value> =
                    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
                assert_eq!(lines.len(), 8);
                assert_eq!(lines[0]["message"], "plain [redacted]");
            }
        }
    }

    #[test]
    fn spans_of_traces_are_not_the_logs() {
        let text = logged(false, || {
            let _in = tracing::info_span!(target: traces::TARGET, "job", kind = "x").entered();
            tracing::info!("a line");
        });
        assert!(text.contains("a line") && !text.contains("kind"), "{text}");
    }
}
