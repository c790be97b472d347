//! Traces by OpenTelemetry: spans go out by OTLP over HTTP, in the background.
//!
//! Promises: (1) only Muster's own spans ([`crate::traces`]) leave, none of a
//! library's; (2) a collector that is away costs no work but the spans it does
//! not get.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tokio::{runtime::Handle, task::spawn_blocking, time::timeout};
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use crate::{config::Traces, github::network::Connector, traces::TARGET};

/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than any collector answers.
const LONGEST: usize = 1024 * 1024;

/// What sends the spans.
#[derive(Debug)]
pub(super) struct Exporter(SdkTracerProvider);

impl Exporter {
    /// Sends what is not sent yet.
    pub(super) async fn finish(self) {
        match spawn_blocking(move || self.0.shutdown()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last traces were not sent"),
            Err(_) => tracing::warn!("the last traces were not sent"),
        }
    }
}

/// Starts to send; needs a Tokio runtime.
///
/// # Errors
/// Why nothing can be sent.
pub(super) fn start<S>(traces: &Traces) -> Result<(Exporter, impl Layer<S> + Send + Sync), String>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let connector = traces.network.connector(traces.plain()).map_err(|error| error.to_string())?;
    let client =
        Sender { client: Client::builder(TokioExecutor::new()).build(connector), runtime: Handle::current() };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(format!("{}/v1/traces", traces.url))
        .with_timeout(PATIENCE)
        .build()
        .map_err(|error| format!("traces cannot be sent: {error}"))?;
    let resource = Resource::builder_empty().with_service_name("muster").build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("muster"))
        .with_location(false)
        .with_threads(false)
        .with_filter(filter_fn(|meta| meta.is_span() && meta.target() == TARGET));
    Ok((Exporter(provider), spans))
}

/// Sends by the way that the settings name for all of Muster. The exporter has
/// a thread of its own, so the runtime is carried along.
struct Sender {
    client: Client<Connector, Full<Bytes>>,
    runtime: Handle,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let exchange = async move {
            let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
            let body = Limited::new(body, LONGEST).collect().await?.to_bytes();
            Ok::<_, HttpError>(Response::from_parts(head, body))
        };
        self.runtime.spawn(timeout(PATIENCE, exchange)).await??
    }
}
