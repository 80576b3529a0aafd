//! Puts the projection and its queries together.

use crate::{Audit, FundingAudit, LOG, LogClock, Progress};
use concord_chassis::{
    config::{self, ConfigError, Settings},
    grpc::Server,
    projection::{self, ProjectionOptions},
    reference::Tables,
    service::{self, Serving, StartError},
};
use tokio_util::sync::CancellationToken;

/// Connections for queries; the runner takes one more for good.
const POOL_SIZE: usize = 8;

/// Starts the projection and serves the queries until `shutdown`.
///
/// # Errors
/// [`StartError`], in sentences that say what to do.
pub async fn start(settings: &Settings, shutdown: CancellationToken) -> Result<Serving, StartError> {
    let owner = service::owner(settings)?.ok_or_else(|| {
        let missing = "--log-owner (LOG_OWNER) is missing; give the gRPC address of the fund-grant service, for example http://127.0.0.1:7001";
        ConfigError::Usage(missing.to_owned())
    })?;
    // Before anything is waited for: a file that cannot be read is told at once.
    let tables = Tables::of(settings)?;
    let log = service::identify(owner.clone(), LOG, &shutdown).await?;
    let clock = LogClock::of(&log.played_from);
    let pool = config::pool(&settings.database_url, POOL_SIZE, "funding-audit")?;
    let schema = FundingAudit::schema_name(log.generation);
    let closing = CancellationToken::new();
    let runner = projection::spawn(
        FundingAudit::new(clock),
        pool.clone(),
        owner,
        service::nats(&settings.nats_url, "funding-audit").await?,
        ProjectionOptions::new(settings.cell.clone(), LOG, log.stream, schema.clone()),
        closing.clone(),
    );
    let audit = Audit::new(pool, &schema, Progress::of(&runner), clock, tables);
    let mut server = Server::new();
    server.add_service(audit.findings_server()).await.add_service(audit.into_server()).await;
    service::serve(server, settings, shutdown, async move {
        closing.cancel();
        runner.join().await;
    })
    .await
}
