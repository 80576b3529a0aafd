//! Tracing, Prometheus metrics and trace context.
//!
//! Log lines go to standard error, at the level that `RUST_LOG` says, else `info`. Spans are at level debug, so they
//! cost nothing unless they are wanted: with an OTLP endpoint, Concord's own are exported whatever `RUST_LOG` says.

use crate::config::{LogFormat, require_loopback};
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

/// Bounds of every histogram whose name ends in `_seconds`: from a cached read to a client's longest patience.
const SECONDS_BUCKETS: [f64; 14] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Recorded values wait in memory until they are folded into their histograms; this often.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// How long a scrape may take to finish when the service stops.
const SCRAPE_DRAIN: Duration = Duration::from_secs(2);

/// What several services in one process share.
static PROCESS: Mutex<Option<Telemetry>> = Mutex::new(None);

/// Telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `RUST_LOG` is not a filter.
    #[error("RUST_LOG cannot be read; write a level such as info, or target=level pairs separated by commas")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// `RUST_LOG` is not text.
    #[error("RUST_LOG is not UTF-8; write a level such as info")]
    FilterEncoding,
    /// The exporter of traces could not be made.
    #[error("traces cannot be sent to {endpoint}; check OTEL_EXPORTER_OTLP_ENDPOINT, or unset it")]
    Exporter {
        /// The endpoint as it was given.
        endpoint: String,
        /// What the exporter says.
        #[source]
        source: opentelemetry_otlp::ExporterBuildError,
    },
    /// The recorder of metrics could not be installed.
    #[error("metrics cannot be recorded; nothing else in this process may install a recorder")]
    Recorder(#[source] metrics_exporter_prometheus::BuildError),
    /// The address of the metrics can be reached from elsewhere.
    #[error("{0}")]
    NotLoopback(String),
    /// The address of the metrics could not be bound.
    #[error("metrics cannot be served on {address}; choose another --metrics-listen")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The server of the metrics failed.
    #[error("the server of the metrics failed")]
    Serve(#[source] std::io::Error),
}

/// The telemetry of this process. Clones are the same one.
#[derive(Clone)]
pub struct Telemetry {
    metrics: PrometheusHandle,
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Renders the metrics, for [`serve_metrics`].
    #[must_use]
    pub fn metrics(&self) -> PrometheusHandle {
        self.metrics.clone()
    }

    /// Sends the spans that are still held, waiting three seconds at most. The last thing a process does.
    pub async fn shutdown(self) {
        let Some(traces) = self.traces else { return };
        // The exporter needs the runtime, so waiting for it must not occupy one of its threads.
        let flushed =
            tokio::task::spawn_blocking(move || traces.shutdown_with_timeout(Duration::from_secs(3))).await;
        match flushed {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last spans were not sent"),
            Err(error) => tracing::warn!(%error, "the last spans were not sent"),
        }
    }
}

/// Sets up logs in this form, metrics, and traces where there is an endpoint, such as `http://127.0.0.1:4317`. Called
/// inside the Tokio runtime, before anything logs.
///
/// Where several services run in one process, the first call decides, and the others get the same telemetry. A
/// subscriber that is installed already, as tests do, is left in place.
///
/// # Errors
/// [`TelemetryError`] where `RUST_LOG` or the endpoint cannot be read, or another recorder of metrics is installed.
pub fn init(
    service: &'static str,
    cell: &str,
    log_format: LogFormat,
    otlp_endpoint: Option<&str>,
) -> Result<Telemetry, TelemetryError> {
    let mut process = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(telemetry) = &*process {
        return Ok(telemetry.clone());
    }
    let filter = filter()?;
    let traces = otlp_endpoint.map(|endpoint| exporter(service, cell, endpoint)).transpose()?;
    let metrics = recorder()?;

    let lines: Box<dyn Layer<Registry> + Send + Sync> = match log_format {
        LogFormat::Text => fmt::layer()
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr)
            .with_filter(filter)
            .boxed(),
        LogFormat::Json => {
            fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).with_filter(filter).boxed()
        }
    };
    // Only our own spans: those of the HTTP/2 library would tell of their own export, without end.
    let spans = traces.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("concord"))
            .with_filter(Targets::new().with_target("concord", LevelFilter::DEBUG))
    });
    if tracing_subscriber::registry().with(lines).with(spans).try_init().is_err() {
        tracing::debug!("a subscriber was there already; it stays");
    }
    let telemetry = Telemetry { metrics, traces };
    *process = Some(telemetry.clone());
    Ok(telemetry)
}

fn filter() -> Result<EnvFilter, TelemetryError> {
    match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(text) if !text.trim().is_empty() => EnvFilter::try_new(text).map_err(TelemetryError::Filter),
        Err(std::env::VarError::NotUnicode(_)) => Err(TelemetryError::FilterEncoding),
        _ => Ok(EnvFilter::new("info")),
    }
}

fn exporter(service: &'static str, cell: &str, endpoint: &str) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .map_err(|source| TelemetryError::Exporter { endpoint: endpoint.to_owned(), source })?;
    let resource = opentelemetry_sdk::Resource::builder()
        .with_service_name(service)
        .with_attribute(opentelemetry::KeyValue::new("service.namespace", "concord"))
        .with_attribute(opentelemetry::KeyValue::new("concord.cell", cell.to_owned()))
        .build();
    Ok(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build())
}

/// Installs the recorder of this process, which can be done once.
fn recorder() -> Result<PrometheusHandle, TelemetryError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS_BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(TelemetryError::Recorder)?;
    // A thread and not a task: it must outlive any runtime, since the recorder does.
    let upkeep = handle.clone();
    let thread = std::thread::Builder::new().name("metrics-upkeep".to_owned());
    let spawned = thread.spawn(move || {
        loop {
            std::thread::sleep(UPKEEP_EVERY);
            upkeep.run_upkeep();
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "no thread for the upkeep of metrics; they grow until they are read");
    }
    Ok(handle)
}

/// Serves `GET /metrics` (Prometheus text) and `GET /healthz` (200 while the process runs) over plain HTTP until
/// `shutdown`. Returns the address bound, and the task.
///
/// # Errors
/// [`TelemetryError::NotLoopback`] and [`TelemetryError::Bind`]; the task ends with [`TelemetryError::Serve`].
pub async fn serve_metrics(
    address: SocketAddr,
    metrics: PrometheusHandle,
    shutdown: CancellationToken,
) -> Result<(SocketAddr, JoinHandle<Result<(), TelemetryError>>), TelemetryError> {
    require_loopback(address).map_err(TelemetryError::NotLoopback)?;
    let bind = |source| TelemetryError::Bind { address, source };
    let listener = tokio::net::TcpListener::bind(address).await.map_err(bind)?;
    let bound = listener.local_addr().map_err(bind)?;
    let render = move || {
        let metrics = metrics.clone();
        async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()) }
    };
    let app = axum::Router::new().route("/metrics", get(render)).route("/healthz", get(|| async { "ok\n" }));
    let task = tokio::spawn(async move {
        let stopping = shutdown.clone();
        let server =
            axum::serve(listener, app).with_graceful_shutdown(async move { stopping.cancelled().await });
        let patience = async {
            shutdown.cancelled().await;
            tokio::time::sleep(SCRAPE_DRAIN).await;
        };
        tokio::select! {
            ended = server.into_future() => ended.map_err(TelemetryError::Serve),
            () = patience => Ok(()),
        }
    });
    Ok((bound, task))
}

/// The W3C `traceparent` of a request, where it has a valid one: version 00, 55 characters, lower-case.
///
/// An invalid one is left out, never refused: it says nothing about the command.
#[must_use]
pub fn traceparent(md: &MetadataMap) -> Option<String> {
    valid_traceparent(md.get("traceparent")?.to_str().ok()?).map(str::to_owned)
}

/// The text itself, where it is a `traceparent` of version 00 with ids that are not all zeros.
pub(crate) fn valid_traceparent(text: &str) -> Option<&str> {
    let hex = |part: &str, len: usize| {
        part.len() == len && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let some = |part: &str, len: usize| hex(part, len) && part.bytes().any(|byte| byte != b'0');
    let mut parts = text.split('-');
    let valid = parts.next() == Some("00")
        && parts.next().is_some_and(|trace| some(trace, 32))
        && parts.next().is_some_and(|span| some(span, 16))
        && parts.next().is_some_and(|flags| hex(flags, 2))
        && parts.next().is_none();
    valid.then_some(text)
}

/// The caller's span, as the parent of ours.
pub(crate) fn remote_parent(traceparent: &str) -> Option<opentelemetry::Context> {
    use opentelemetry::trace::TraceContextExt;
    let mut parts = valid_traceparent(traceparent)?.split('-').skip(1);
    let trace = TraceId::from_hex(parts.next()?).ok()?;
    let span = SpanId::from_hex(parts.next()?).ok()?;
    let flags = u8::from_str_radix(parts.next()?, 16).ok()?;
    let context = SpanContext::new(trace, span, TraceFlags::new(flags), true, TraceState::default());
    Some(opentelemetry::Context::new().with_remote_span_context(context))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn only_a_valid_traceparent_is_taken() {
        let of = |text: &str| {
            let mut md = MetadataMap::new();
            md.insert("traceparent", text.parse().unwrap());
            traceparent(&md)
        };
        assert_eq!(of(PARENT).as_deref(), Some(PARENT));
        assert_eq!(PARENT.len(), 55);
        for wrong in [
            "",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        assert_eq!(traceparent(&MetadataMap::new()), None);
    }

    #[test]
    fn the_parent_of_a_span_is_the_callers() {
        use opentelemetry::trace::TraceContextExt;
        let context = remote_parent(PARENT).unwrap();
        let parent = context.span().span_context().clone();
        assert_eq!(parent.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(parent.span_id().to_string(), "00f067aa0ba902b7");
        assert!(parent.is_remote() && parent.is_sampled());
    }

    #[tokio::test]
    async fn metrics_are_served_until_shutdown_and_init_may_be_repeated() {
        let telemetry = init("test", "local", LogFormat::Text, None).unwrap();
        init("another", "local", LogFormat::Json, None).unwrap();
        metrics::histogram!("concord_test_seconds").record(0.002);

        let stop = CancellationToken::new();
        let (address, task) =
            serve_metrics("127.0.0.1:0".parse().unwrap(), telemetry.metrics(), stop.clone()).await.unwrap();
        let page = http_get(address, "/metrics").await;
        assert!(page.contains("concord_test_seconds_bucket{le=\"0.0025\"} 1"), "{page}");
        assert!(http_get(address, "/healthz").await.ends_with("ok\n"));
        assert!(http_get(address, "/elsewhere").await.starts_with("HTTP/1.1 404"));
        stop.cancel();
        task.await.unwrap().unwrap();
        telemetry.shutdown().await;
    }

    #[tokio::test]
    async fn metrics_stay_on_this_machine() {
        let handle = PrometheusBuilder::new().build_recorder().handle();
        let address = "0.0.0.0:0".parse().unwrap();
        let refused = serve_metrics(address, handle, CancellationToken::new()).await;
        assert!(matches!(refused, Err(TelemetryError::NotLoopback(_))));
    }

    async fn http_get(address: SocketAddr, path: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}
