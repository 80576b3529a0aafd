//! Puts the projection and its queries together.

use crate::{Audit, FundingAudit, LOG, LogClock};
use concord_chassis::{
    config::{self, ConfigError, Settings},
    grpc::Server,
    projection::{self, ProjectionOptions},
    reference,
    service::{self, Serving, StartError},
};
use concord_proto::log::v1::{
    GetLogStatusRequest, GetLogStatusResponse, log_service_client::LogServiceClient,
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

/// Connections for queries; the runner takes one more for good.
const POOL_SIZE: usize = 8;
/// Pause before the owner of the log is asked again who it is.
const OWNER_PAUSE: Duration = Duration::from_millis(500);

/// Starts the projection and serves the queries until `shutdown`.
///
/// # Errors
/// [`StartError`], in sentences that say what to do.
pub async fn start(settings: &Settings, shutdown: CancellationToken) -> Result<Serving, StartError> {
    let owner = settings.log_owner.clone().ok_or_else(|| {
        let missing = "--log-owner (LOG_OWNER) is missing; give the gRPC address of the fund-grant service, for example http://127.0.0.1:7001";
        ConfigError::Usage(missing.to_owned())
    })?;
    let owner = Endpoint::from_shared(owner)
        .map_err(|error| ConfigError::Usage(format!("--log-owner is not an address: {error}")))?
        .connect_timeout(Duration::from_secs(5))
        .tcp_nodelay(true)
        .connect_lazy();
    // Before anything is waited for: a file that cannot be read is told at once.
    let regions = reference::regions(settings)?;
    let log = identify(owner.clone(), &shutdown).await?;
    let clock = match log.played_from.parse() {
        Ok(from) => LogClock::Played { from },
        Err(_) => LogClock::System,
    };
    let pool = config::pool(&settings.database_url, POOL_SIZE, "funding-audit")?;
    let schema = FundingAudit::schema_name(log.generation);
    let closing = CancellationToken::new();
    let runner = projection::spawn(
        FundingAudit::new(),
        pool.clone(),
        owner,
        service::nats(&settings.nats_url, "funding-audit").await?,
        ProjectionOptions::new(settings.cell.clone(), LOG, log.stream, schema.clone()),
        closing.clone(),
    );
    let (applied, head, stopped) = (runner.applied(), runner.head(), runner.stopped());
    let audit = Audit::new(pool, &schema, applied, head, stopped, clock, regions);
    let mut server = Server::new();
    server.add_service(audit.into_server()).await;
    service::serve(server, settings, shutdown, async move {
        closing.cancel();
        runner.join().await;
    })
    .await
}

/// Asks the owner which log it has, for as long as it takes: services may start in any order.
async fn identify(owner: Channel, shutdown: &CancellationToken) -> Result<GetLogStatusResponse, StartError> {
    let mut client = LogServiceClient::new(owner);
    loop {
        match client.get_log_status(GetLogStatusRequest {}).await {
            Ok(status) => return Ok(status.into_inner()),
            Err(status) => tracing::warn!(%status, "the owner of the log does not answer yet"),
        }
        tokio::select! {
            () = tokio::time::sleep(OWNER_PAUSE) => {}
            () = shutdown.cancelled() => {
                return Err(StartError::Reference("stopped before the owner of the log answered".to_owned()));
            }
        }
    }
}
