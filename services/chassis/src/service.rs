//! Starts and stops a service, in the same order for each.
//!
//! Start: settings, telemetry, database and schema, the log and its writer, the relay, process managers, the gRPC server.
//! Stop: the server first, so that nothing new comes in; then the process managers, which may be stopped anywhere; then the
//! writer, which answers what it has; then the relay, which publishes what is committed.

use crate::config::{self, ConfigError, EX_USAGE, Settings};
use crate::grpc::{self, Server};
use crate::log::{Domain, Gate, Log, LogOptions, LogService, OpenError, RELAY_LOCK};
use crate::personal::PersonalData;
use crate::process::{self, ProcessManager};
use crate::projection::ProjectionOptions;
use crate::relay::{self, Relay, RelayOptions, RelayState};
use crate::telemetry::{self, Telemetry, TelemetryError};
use concord_proto::log::v1::log_service_client::LogServiceClient;
use concord_proto::log::v1::{GetLogStatusRequest, GetLogStatusResponse};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

/// Connections of a service beside the writer's and the relay's own.
const POOL_SIZE: usize = 8;

/// First and longest pause before the owner of a log is asked again who it is.
const OWNER_PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(2));

/// How long it may take to answer. One that stands still is asked again like one that is away.
const OWNER_ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// A service that could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong, or the schema could not be migrated.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// PostgreSQL did not answer.
    #[error("PostgreSQL cannot be reached; check that it runs and that the database address is right")]
    Postgres(#[source] tokio_postgres::Error),
    /// The log could not be opened.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// NATS did not take the connection's options.
    #[error("NATS cannot be reached; check the address")]
    Nats(#[from] async_nats::ConnectError),
    /// Logs or metrics could not be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The server could not listen or serve.
    #[error(transparent)]
    Grpc(#[from] grpc::GrpcError),
    /// Rulebooks, regions or calendars could not be read.
    #[error("{0}")]
    Reference(String),
}

/// A channel to the service that owns the log which this one follows (`--log-owner`); `None` where the settings name none.
/// The service need not be there yet.
///
/// # Errors
/// Where the address is not one.
pub fn owner(settings: &Settings) -> Result<Option<Channel>, ConfigError> {
    let Some(owner) = settings.log_owner.clone() else { return Ok(None) };
    let endpoint = Endpoint::from_shared(owner)
        .map_err(|error| ConfigError::Usage(format!("--log-owner is not an address: {error}")))?;
    Ok(Some(endpoint.connect_timeout(Duration::from_secs(5)).tcp_nodelay(true).connect_lazy()))
}

/// Asks the owner which log it has, for as long as it takes: services may start in any order. An owner of another log than
/// `log` is asked again: nothing of that one is taken for it.
///
/// # Errors
/// Where `shutdown` comes first.
pub async fn identify(
    owner: Channel,
    log: &str,
    shutdown: &CancellationToken,
) -> Result<GetLogStatusResponse, StartError> {
    let mut client = LogServiceClient::new(owner);
    let mut pause = OWNER_PAUSE.0;
    // An owner that is away for an hour is told of once.
    let mut told = false;
    loop {
        let asked = tokio::time::timeout(OWNER_ANSWERS_WITHIN, client.get_log_status(GetLogStatusRequest {}));
        let late = |_| Err(tonic::Status::deadline_exceeded("no answer in time"));
        match asked.await.unwrap_or_else(late).map(tonic::Response::into_inner) {
            Ok(status) if status.log == log => return Ok(status),
            Ok(status) if !told => {
                told = true;
                let found = status.log;
                tracing::error!(
                    log,
                    found,
                    "--log-owner leads to another log; give the address of its owner"
                );
            }
            Err(status) if !told => {
                told = true;
                tracing::warn!(log, %status, "the owner of the log does not answer yet");
            }
            Ok(_) | Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(OWNER_PAUSE.1),
            () = shutdown.cancelled() => {
                return Err(StartError::Reference("stopped before the owner of the log answered".to_owned()));
            }
        }
    }
}

/// An opened log with all that runs behind it.
pub struct Opened<D: Domain> {
    /// Takes commands.
    pub log: Log<D>,
    /// The erasable tables of personal data.
    pub personal: PersonalData,
    pool: deadpool_postgres::Pool,
    nats: async_nats::Client,
    following: Vec<JoinHandle<()>>,
    writer: JoinHandle<()>,
    relay: Relay,
    following_closing: CancellationToken,
    closing: CancellationToken,
    relay_closing: CancellationToken,
}

/// A service that serves.
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    done: JoinHandle<Result<(), grpc::GrpcError>>,
}

impl Serving {
    /// Waits until the service has stopped and all that ran behind it has ended.
    ///
    /// # Errors
    /// Where the server broke.
    pub async fn stopped(self) -> Result<(), StartError> {
        match self.done.await {
            Ok(ended) => Ok(ended?),
            Err(panic) => Err(StartError::Reference(format!("the service ended abnormally: {panic}"))),
        }
    }
}

/// Connects to NATS. The server need not be there yet: everything but publishing goes on without it.
///
/// # Errors
/// Where the address is not one.
pub async fn nats(url: &str, name: &str) -> Result<async_nats::Client, StartError> {
    Ok(async_nats::ConnectOptions::new()
        .name(name)
        .retry_on_initial_connect()
        .connection_timeout(Duration::from_secs(5))
        .connect(url)
        .await?)
}

/// Migrates the database, opens the log, and starts its writer and its relay. A log that must not be written is opened to
/// be read: [`Log::standstill`] says why.
///
/// # Errors
/// [`StartError`], in sentences that say what to do.
pub async fn open<D: Domain>(domain: Arc<D>, settings: &Settings) -> Result<Opened<D>, StartError> {
    let (mut client, connection) = config::database(&settings.database_url)?
        .connect(tokio_postgres::NoTls)
        .await
        .map_err(StartError::Postgres)?;
    let connection = tokio::spawn(connection);
    config::migrate_log(&mut client).await?;
    drop(client);
    let _ = connection.await;

    let closing = CancellationToken::new();
    let relay_closing = CancellationToken::new();
    let pool = config::pool(&settings.database_url, POOL_SIZE, D::LOG)?;
    let options = LogOptions {
        database_url: settings.database_url.clone(),
        pool: pool.clone(),
        cell: settings.cell.clone(),
        played_from: settings.played_from,
        cache_bytes_max: settings.cache_bytes(),
    };
    let prepared = crate::log::prepare(domain, options).await?;
    let (identity, gate) = (prepared.log().identity(), prepared.gate().clone());
    let nats = nats(&settings.nats_url, D::LOG).await?;
    let mut relaying = RelayOptions::new(identity.stream(), identity.subject_prefix(), RELAY_LOCK);
    relaying.hold = gate.token();
    if let Some(divergence) = relay::compare(&nats, &prepared.log().reader(), &relaying).await {
        gate.close(divergence.into());
    }
    let running = prepared.start(closing.clone());
    let relay = relay::spawn(
        nats.clone(),
        running.log.reader(),
        pool.clone(),
        running.batches,
        running.log.head(),
        relaying,
        relay_closing.clone(),
    );
    tokio::spawn(close_on_divergence(relay.state(), gate));
    Ok(Opened {
        personal: PersonalData::new(pool.clone()),
        log: running.log,
        pool,
        nats,
        following: Vec::new(),
        following_closing: CancellationToken::new(),
        writer: running.task,
        relay,
        closing,
        relay_closing,
    })
}

/// A divergence that shows while the service runs stops the writer at once.
async fn close_on_divergence(mut state: watch::Receiver<RelayState>, gate: Gate) {
    let halted = state.wait_for(|state| matches!(state, RelayState::Halted(_))).await;
    if let Ok(RelayState::Halted(divergence)) = halted.as_deref() {
        gate.close(divergence.clone().into());
    }
}

impl<D: Domain> Opened<D> {
    /// Reacts to another service's log, where the settings name its owner. Without one nothing of it is ever verified, and
    /// what rests on it fails closed.
    ///
    /// # Errors
    /// Where the owner's address is not one.
    pub fn follow<M>(&mut self, manager: M, settings: &Settings) -> Result<(), StartError>
    where
        M: ProcessManager<Domain = D>,
    {
        let Some(owner) = owner(settings)? else {
            tracing::warn!(log = M::FOLLOWS, "no --log-owner (LOG_OWNER) is given: this log is not followed");
            return Ok(());
        };
        let (log, pool, nats) = (self.log.clone(), self.pool.clone(), self.nats.clone());
        let (cell, shutdown) = (settings.cell.clone(), self.following_closing.clone());
        self.following.push(tokio::spawn(async move {
            let Ok(status) = identify(owner.clone(), M::FOLLOWS, &shutdown).await else { return };
            let schema = process::schema_name::<M>(status.generation);
            let options = ProjectionOptions::new(cell, M::FOLLOWS, status.stream, schema);
            process::spawn(manager, log, pool, owner, nats, options, shutdown).join().await;
        }));
        Ok(())
    }

    /// Serves the aggregates with `server`, the log's own service beside them, until `shutdown`.
    ///
    /// # Errors
    /// Where the address is taken or not loopback.
    pub async fn serve(
        self,
        mut server: Server,
        settings: &Settings,
        shutdown: CancellationToken,
    ) -> Result<Serving, StartError> {
        let service = LogService::new(self.log.clone(), self.relay.published());
        server.add_service(service.into_server()).await;
        let Self { log, writer, relay, closing, relay_closing, following, following_closing, .. } = self;
        serve(server, settings, shutdown, async move {
            drop(log);
            following_closing.cancel();
            for manager in following {
                if let Err(panic) = manager.await {
                    tracing::error!(%panic, "a process manager ended abnormally");
                }
            }
            closing.cancel();
            if let Err(panic) = writer.await {
                tracing::error!(%panic, "the writer ended abnormally");
            }
            relay_closing.cancel();
            relay.join().await;
        })
        .await
    }
}

/// Serves with `server` until `shutdown`, and then ends what ran behind them with `after`.
///
/// # Errors
/// Where the address is taken or not loopback.
pub async fn serve(
    server: Server,
    settings: &Settings,
    shutdown: CancellationToken,
    after: impl Future<Output = ()> + Send + 'static,
) -> Result<Serving, StartError> {
    let listener = grpc::bind(settings.listen).await?;
    let address = listener.local_addr().unwrap_or(settings.listen);
    let server = server.serve(listener, shutdown, settings.drain());
    let done = tokio::spawn(async move {
        let ended = server.await;
        after.await;
        ended.unwrap_or(Ok(()))
    });
    Ok(Serving { address, done })
}

/// The whole of a service's `main`: settings from flags and environment, telemetry, `start`, and a graceful end on
/// SIGTERM or Ctrl-C. Returns the exit code.
pub fn main<Start, Started>(name: &'static str, start: Start) -> std::process::ExitCode
where
    Start: FnOnce(Settings, CancellationToken) -> Started,
    Started: Future<Output = Result<Serving, StartError>>,
{
    let settings = Settings::from_args(name);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{name}: no runtime: {error}");
            return std::process::ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(async {
        let telemetry =
            telemetry::init(name, &settings.cell, settings.log_format, settings.otlp_endpoint.as_deref())?;
        let shutdown = CancellationToken::new();
        let metrics = serve_metrics(&settings, &telemetry, &shutdown).await?;
        tokio::spawn(cancel_on_signal(shutdown.clone()));
        let serving = start(settings, shutdown).await?;
        tracing::info!(address = %serving.address, "{name} serves");
        let ended = serving.stopped().await;
        if let Some(metrics) = metrics {
            let _ = metrics.await;
        }
        telemetry.shutdown().await;
        ended
    });
    match ended {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(StartError::Config(ConfigError::Usage(why))) => {
            eprintln!("{name}: {why}");
            std::process::ExitCode::from(EX_USAGE as u8)
        }
        Err(error) => {
            eprintln!("{name}: {}", in_full(&error));
            std::process::ExitCode::FAILURE
        }
    }
}

/// Serves metrics where an address is set.
async fn serve_metrics(
    settings: &Settings,
    telemetry: &Telemetry,
    shutdown: &CancellationToken,
) -> Result<Option<JoinHandle<Result<(), TelemetryError>>>, StartError> {
    let Some(address) = settings.metrics_listen else {
        return Ok(None);
    };
    let (address, task) = telemetry::serve_metrics(address, telemetry.metrics(), shutdown.clone()).await?;
    tracing::info!(%address, "metrics are served");
    Ok(Some(task))
}

/// Cancels `shutdown` at the first SIGTERM or SIGINT.
pub async fn cancel_on_signal(shutdown: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be listened for: stop this process by its id");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    shutdown.cancel();
}

/// An error with all its causes, in one line.
#[must_use]
pub fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
