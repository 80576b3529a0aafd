//! Starts and stops a service, in the same order for each.
//!
//! Start: settings, telemetry, database and schema, the log and its writer, the relay, the gRPC server. Stop: the
//! server first, so that nothing new comes in; then the writer, which answers what it has; then the relay, which
//! publishes what is committed.

use crate::config::{self, ConfigError, EX_USAGE, Settings};
use crate::grpc::{self, Server};
use crate::log::{Domain, Gate, Log, LogOptions, LogService, OpenError, RELAY_LOCK};
use crate::personal::PersonalData;
use crate::relay::{self, Relay, RelayOptions, RelayState};
use crate::telemetry::{self, Telemetry, TelemetryError};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Connections of a service beside the writer's and the relay's own.
const POOL_SIZE: usize = 8;

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

/// An opened log with all that runs behind it.
pub struct Opened<D: Domain> {
    /// Takes commands.
    pub log: Log<D>,
    /// The erasable tables of personal data.
    pub personal: PersonalData,
    writer: JoinHandle<()>,
    relay: Relay,
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
        nats,
        running.log.reader(),
        pool.clone(),
        running.batches,
        running.log.head(),
        relaying,
        relay_closing.clone(),
    );
    tokio::spawn(close_on_divergence(relay.state(), gate));
    Ok(Opened {
        personal: PersonalData::new(pool),
        log: running.log,
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
        let Self { log, writer, relay, closing, relay_closing, .. } = self;
        serve(server, settings, shutdown, async move {
            drop(log);
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
