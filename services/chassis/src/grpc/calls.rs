//! What happens around every call: metrics, a span, a bound on calls at once, panics, and the end of the service.
//!
//! It runs for each call, so what it needs is found once: the methods are known from the descriptors, and counters
//! and histograms are kept by method and code. Names that callers invent share one entry.

use super::{DOMAIN, status};
use crate::telemetry;
use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use metrics::{Counter, Histogram, counter, histogram};
use prost::Message;
use prost_types::FileDescriptorSet;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// gRPC codes by number, as metrics name them.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Messages that an answer may still send once the service has ended, so that a finished one goes out whole.
const LAST_MESSAGES: u8 = 4;

/// The calls of one server.
pub(super) struct Calls {
    methods: HashMap<String, Arc<Method>>,
    /// Every name that is not in the descriptors.
    other: Arc<Method>,
    at_once_max: usize,
    in_flight: AtomicUsize,
    /// Streams that never end by themselves end with the service's health, so that they do not hold up a drain.
    watches: CancellationToken,
    rest: CancellationToken,
    /// Whether `rest` has ended, without its lock.
    ended: AtomicBool,
}

/// One method, and its metrics once it has been called.
struct Method {
    name: String,
    seconds: OnceLock<Histogram>,
    codes: [OnceLock<Counter>; CODES.len()],
    is_health: bool,
}

impl Method {
    fn new(name: &str) -> Arc<Self> {
        Arc::new(Self {
            is_health: name.starts_with("grpc.health.v1.Health/"),
            name: name.to_owned(),
            seconds: OnceLock::new(),
            codes: [const { OnceLock::new() }; CODES.len()],
        })
    }

    fn record(&self, code: Code, took: Duration) {
        let number = usize::try_from(i32::from(code)).unwrap_or(2);
        if let (Some(name), Some(cell)) = (CODES.get(number), self.codes.get(number)) {
            cell.get_or_init(
                || counter!("concord_grpc_requests_total", "method" => self.name.clone(), "code" => *name),
            )
            .increment(1);
        }
        self.seconds
            .get_or_init(|| histogram!("concord_grpc_seconds", "method" => self.name.clone()))
            .record(took);
    }
}

impl Calls {
    /// For the methods in these serialized descriptor sets.
    pub(super) fn new(descriptors: &[&[u8]], at_once_max: usize) -> Result<Arc<Self>, prost::DecodeError> {
        metrics::describe_counter!(
            "concord_grpc_requests_total",
            "Calls that have ended, by method and gRPC code. CANCELLED: the caller left, or its deadline passed."
        );
        metrics::describe_histogram!(
            "concord_grpc_seconds",
            metrics::Unit::Seconds,
            "Time from the head of a call to the end of its answer, by method."
        );
        let mut methods = HashMap::new();
        for set in descriptors {
            for file in FileDescriptorSet::decode(*set)?.file {
                for service in &file.service {
                    for method in &service.method {
                        let name = format!("{}.{}/{}", file.package(), service.name(), method.name());
                        let known = Method::new(&name);
                        methods.insert(format!("/{name}"), known);
                    }
                }
            }
        }
        Ok(Arc::new(Self {
            methods,
            other: Method::new("other"),
            at_once_max,
            in_flight: AtomicUsize::new(0),
            watches: CancellationToken::new(),
            rest: CancellationToken::new(),
            ended: AtomicBool::new(false),
        }))
    }

    /// Calls that have begun and not ended.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Ends the streams that watch health.
    pub(super) fn end_watches(&self) {
        self.watches.cancel();
    }

    /// Ends every call that is left: it is answered with `OUTCOME_UNKNOWN`.
    pub(super) fn end_all(&self) {
        self.ended.store(true, Ordering::Relaxed);
        self.watches.cancel();
        self.rest.cancel();
    }

    fn begin(self: &Arc<Self>, path: &str) -> (Call, usize) {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let method = self.methods.get(path).unwrap_or(&self.other);
        let call =
            Call { calls: Arc::clone(self), method: Arc::clone(method), started: Instant::now(), code: None };
        (call, before)
    }
}

/// A call in flight. Dropping it records how it ended.
struct Call {
    calls: Arc<Calls>,
    method: Arc<Method>,
    started: Instant,
    /// `None` until it is answered; what is dropped before has been cancelled.
    code: Option<Code>,
}

impl Call {
    /// When the call ends, whether it is done or not.
    fn end(&self) -> &CancellationToken {
        if self.method.is_health { &self.calls.watches } else { &self.calls.rest }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.calls.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.method.record(self.code.unwrap_or(Code::Cancelled), self.started.elapsed());
    }
}

/// Puts [`Calls`] around a service.
#[derive(Clone)]
pub(super) struct CallsLayer(pub(super) Arc<Calls>);

impl<S> Layer<S> for CallsLayer {
    type Service = CallsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CallsService { inner, calls: Arc::clone(&self.0) }
    }
}

/// A service with [`Calls`] around it.
#[derive(Clone)]
pub(super) struct CallsService<S> {
    inner: S,
    calls: Arc<Calls>,
}

impl<S> Service<Request<Body>> for CallsService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<CallBody>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (call, before) = self.calls.begin(request.uri().path());
        let span = span(&call.method.name, request.headers());
        // Whoever watches over the service must learn that it is alive, however busy it is.
        if before >= self.calls.at_once_max && !call.method.is_health {
            let response = too_many(self.calls.at_once_max).into_http();
            return Box::pin(async move { Ok(answered(response, call, span)) });
        }
        let answer = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        let inside = span.clone();
        Box::pin(
            async move {
                let response = tokio::select! {
                    biased;
                    answer = answer => match answer {
                        Ok(response) => response?,
                        Err(panic) => panicked(&*panic).into_http(),
                    },
                    () = call.end().cancelled() => status::cut_short().into_http(),
                };
                Ok(answered(response, call, span))
            }
            .instrument(inside),
        )
    }
}

/// At level debug: a span for each call costs, and an OTLP endpoint asks for it whatever the level of the log.
fn span(method: &str, headers: &HeaderMap) -> Span {
    let span = tracing::debug_span!(
        target: "concord::grpc",
        "rpc",
        otel.name = method,
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.method = method,
        traceparent = tracing::field::Empty,
    );
    if span.is_disabled() {
        return span;
    }
    let header = headers.get("traceparent").and_then(|value| value.to_str().ok());
    if let Some(parent) = header.and_then(telemetry::valid_traceparent) {
        span.record("traceparent", parent);
        if let Some(context) = telemetry::remote_parent(parent) {
            // Fails where traces are not exported: then there is nothing to join.
            let _not_exported = span.set_parent(context);
        }
    }
    span
}

fn too_many(at_once_max: usize) -> Status {
    status::resource_exhausted(
        DOMAIN,
        "TOO_MANY_CALLS",
        format!(
            "the service is at its limit of {at_once_max} calls at once; nothing was done, retry shortly"
        ),
        Duration::from_millis(100),
    )
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Status {
    let told = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let error: Box<dyn std::error::Error> = format!("a call panicked: {told}").into();
    status::internal(DOMAIN, &*error)
}

/// The response, whose end is recorded when its body ends.
fn answered(response: Response<Body>, mut call: Call, span: Span) -> Response<CallBody> {
    // An answer without a message has its status in the head.
    call.code = code_in(response.headers());
    response.map(|inner| CallBody { inner, call, span, waiting: None, left: LAST_MESSAGES, closed: false })
}

fn code_in(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
}

/// The body of an answer. Finds the code in its trailers, and ends it when the service ends.
pub(super) struct CallBody {
    inner: Body,
    call: Call,
    span: Span,
    /// Made when the body first has to wait, which that of a unary call never does.
    waiting: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    left: u8,
    closed: bool,
}

impl CallBody {
    fn cut_short(&mut self) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.closed = true;
        self.call.code = Some(Code::Unavailable);
        let mut trailers = HeaderMap::new();
        Poll::Ready(Some(match status::cut_short().add_header(&mut trailers) {
            Ok(()) => Ok(Frame::trailers(trailers)),
            Err(status) => Err(status),
        }))
    }
}

impl http_body::Body for CallBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if this.closed {
            return Poll::Ready(None);
        }
        let polled = {
            let _entered = this.span.enter();
            Pin::new(&mut this.inner).poll_frame(cx)
        };
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.call.code = code_in(trailers).or(this.call.code);
                } else if this.call.calls.ended.load(Ordering::Relaxed) {
                    match this.left.checked_sub(1) {
                        Some(left) => this.left = left,
                        None => return this.cut_short(),
                    }
                }
            }
            Poll::Ready(Some(Err(status))) => this.call.code = Some(status.code()),
            Poll::Ready(None) => this.call.code = this.call.code.or(Some(Code::Unknown)),
            Poll::Pending => {
                let end = this.call.end();
                let waiting = this.waiting.get_or_insert_with(|| Box::pin(end.clone().cancelled_owned()));
                if waiting.as_mut().poll(cx).is_ready() {
                    return this.cut_short();
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.closed || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.inner.size_hint()
    }
}
