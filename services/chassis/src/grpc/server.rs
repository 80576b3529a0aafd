//! One listener of a process, and everything that is served on it.

use super::calls::{Calls, CallsLayer};
use super::linger::Lingering;
use super::routes::RoutesBuilder;
use crate::config::require_loopback;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::BoxFuture;
use tonic::codegen::http::{Request, Response};
use tonic::server::NamedService;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, HealthService};
use tower::Service;

/// Longest message that a service accepts, in bytes: tonic's own default, so nothing has to be set for it.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Longest message that a bulk service accepts, in bytes; set with `max_decoding_message_size` on its server type.
pub const BULK_MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Calls that one server works on at once. One more is answered with `RESOURCE_EXHAUSTED`; health is always answered.
pub const CALLS_AT_ONCE_MAX: usize = 8192;

/// Calls at once on one connection; HTTP/2 makes the client wait with more.
const CALLS_PER_CONNECTION_MAX: u32 = 2048;

/// Longest head of a request, in bytes.
const HEAD_BYTES_MAX: u32 = 16 * 1024;

/// How long the last answers are given to leave, once their calls have been ended.
const LAST_WORD: Duration = Duration::from_secs(1);

/// The gRPC server could not begin, or failed.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// The address can be reached from other machines.
    #[error("{0}")]
    NotLoopback(String),
    /// The address could not be bound.
    #[error("gRPC cannot be served on {address}; choose another --listen")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The listener does not know its own address.
    #[error("the gRPC listener is not usable")]
    Listener(#[source] std::io::Error),
    /// The descriptors that were compiled in cannot be read.
    #[error("the descriptors of the interface cannot be read; build the program again")]
    Descriptors(#[from] prost::DecodeError),
    /// The descriptors that were compiled in do not go together.
    #[error("the descriptors of the interface cannot be served; build the program again")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The server failed.
    #[error("the gRPC server failed")]
    Transport(#[from] tonic::transport::Error),
}

/// Binds a loopback address; port 0 takes a free one, which `local_addr` tells.
///
/// # Errors
/// [`GrpcError::NotLoopback`] and [`GrpcError::Bind`].
pub async fn bind(address: SocketAddr) -> Result<TcpListener, GrpcError> {
    require_loopback(address).map_err(GrpcError::NotLoopback)?;
    TcpListener::bind(address).await.map_err(|source| GrpcError::Bind { address, source })
}

/// Services that share one listener, with health and reflection.
///
/// Compression and the limits of messages belong to a service's own server type, so they are set before it is added:
///
/// ```
/// # use concord_chassis::grpc::{self, GrpcError, BULK_MESSAGE_BYTES_MAX};
/// # use concord_proto::fund::v1::grant_service_server::{GrantService, GrantServiceServer};
/// # use tonic::codec::CompressionEncoding;
/// # use tokio_util::sync::CancellationToken;
/// # async fn run(grants: impl GrantService, shutdown: CancellationToken) -> Result<(), GrpcError> {
/// let mut server = grpc::Server::new();
/// server
///     .add_service(
///         GrantServiceServer::new(grants)
///             .accept_compressed(CompressionEncoding::Gzip)
///             .max_decoding_message_size(BULK_MESSAGE_BYTES_MAX),
///     )
///     .await;
/// let listener = grpc::bind(([127, 0, 0, 1], 0).into()).await?;
/// let served = server.serve(listener, shutdown, std::time::Duration::from_secs(10));
/// # drop(served);
/// # Ok(())
/// # }
/// ```
pub struct Server {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    health: HealthReporter,
    at_once_max: usize,
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// A server with health and reflection only.
    #[must_use]
    pub fn new() -> Self {
        Self {
            routes: RoutesBuilder::default(),
            names: Vec::new(),
            health: HealthReporter::new(),
            at_once_max: CALLS_AT_ONCE_MAX,
        }
    }

    /// Adds a service. Health reports it as serving from now on; who is not ready yet says so through
    /// [`Server::health`] before [`Server::serve`].
    pub async fn add_service<S>(&mut self, service: S) -> &mut Self
    where
        S: Service<
                Request<Body>,
                Response = Response<Body>,
                Error = Infallible,
                Future = BoxFuture<Response<Body>, Infallible>,
            > + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.routes.add(service);
        self.names.push(S::NAME);
        self.health.set_service_status(S::NAME, ServingStatus::Serving).await;
        self
    }

    /// Works on at most so many calls at once, in place of [`CALLS_AT_ONCE_MAX`].
    pub fn calls_at_once_max(&mut self, max: usize) -> &mut Self {
        self.at_once_max = max;
        self
    }

    /// Where services report whether they can serve. The empty name stands for the process as a whole.
    #[must_use]
    pub fn health(&self) -> HealthReporter {
        self.health.clone()
    }

    /// Serves on `listener` until `shutdown`: then health reports that nothing is served, no connection is accepted
    /// any more, and calls in flight have `drain` to finish. What is left is answered with `OUTCOME_UNKNOWN`.
    ///
    /// The task ends once all connections are closed, at the latest about a second after `drain`.
    ///
    /// # Errors
    /// The task ends with a [`GrpcError`] where the listener is not on a loopback address, or the server fails.
    #[must_use]
    pub fn serve(
        self,
        listener: TcpListener,
        shutdown: CancellationToken,
        drain: Duration,
    ) -> JoinHandle<Result<(), GrpcError>> {
        tokio::spawn(self.run(listener, shutdown, drain))
    }

    async fn run(
        self,
        listener: TcpListener,
        shutdown: CancellationToken,
        drain: Duration,
    ) -> Result<(), GrpcError> {
        let Self { mut routes, names, health, at_once_max } = self;
        let address = listener.local_addr().map_err(GrpcError::Listener)?;
        require_loopback(address).map_err(GrpcError::NotLoopback)?;

        let calls = Calls::new(
            &[
                concord_proto::DESCRIPTORS,
                tonic_health::pb::FILE_DESCRIPTOR_SET,
                tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
                tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
            ],
            at_once_max,
        )?;
        routes.add(tonic_health::pb::health_server::HealthServer::new(HealthService::from_health_reporter(
            health.clone(),
        )));
        routes.add(reflection(&names).build_v1()?);
        // Python's client, and tools built on it, still ask for v1alpha.
        routes.add(reflection(&names).build_v1alpha()?);

        let incoming = TcpIncoming::from(listener)
            .with_nodelay(Some(true))
            .with_keepalive(Some(Duration::from_secs(60)))
            .map(|stream| stream.map(Lingering::new));
        let stopping = {
            let (shutdown, calls) = (shutdown.clone(), calls.clone());
            async move {
                shutdown.cancelled().await;
                // The empty name stands for the process.
                for name in names.into_iter().chain([""]) {
                    health.set_service_status(name, ServingStatus::NotServing).await;
                }
                calls.end_watches();
            }
        };
        let server = tonic::transport::Server::builder()
            .max_concurrent_streams(CALLS_PER_CONNECTION_MAX)
            .http2_max_header_list_size(HEAD_BYTES_MAX)
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .http2_keepalive_timeout(Some(Duration::from_secs(10)))
            .layer(CallsLayer(calls.clone()))
            .serve_with_incoming_shutdown(routes.build(), incoming, stopping);
        let mut server = pin!(server);
        tracing::info!(%address, "gRPC is served");

        let patience = async {
            shutdown.cancelled().await;
            tokio::time::sleep(drain).await;
        };
        tokio::select! {
            ended = &mut server => return Ok(ended?),
            () = patience => {}
        }
        let left = calls.in_flight();
        if left > 0 {
            tracing::warn!(calls = left, "calls are cut short, the time to drain is over");
        }
        calls.end_all();
        // A client that does not read keeps its connection; the process does not wait for it.
        match tokio::time::timeout(LAST_WORD, server).await {
            Ok(ended) => Ok(ended?),
            Err(_) => Ok(()),
        }
    }
}

/// Reflection over the services that are here, out of all that the descriptors know.
fn reflection(names: &[&'static str]) -> tonic_reflection::server::Builder<'static> {
    let builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(concord_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name("grpc.health.v1.Health")
        .with_service_name("grpc.reflection.v1.ServerReflection");
    names.iter().fold(builder, |builder, name| builder.with_service_name(*name))
}
