//! Puts the aggregate, its tables and its gRPC service together.

use crate::{Visits, proto::visit_service_server::VisitServiceServer, service::VisitDesk};
use concord_chassis::{
    config::Settings,
    edge::Desk,
    grpc::Server,
    reference::Tables,
    service::{self, Serving, StartError},
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Opens the log and serves it until `shutdown`.
///
/// # Errors
/// [`StartError`], in sentences that say what to do.
pub async fn start(settings: &Settings, shutdown: CancellationToken) -> Result<Serving, StartError> {
    let tables = Tables::of(settings)?;
    let regions = tables.regions.clone();
    let opened = service::open(Arc::new(Visits::new(tables)), settings).await?;
    let desk = Desk::new(opened.log.clone(), opened.personal.clone(), regions);
    let mut server = Server::new();
    server.add_service(VisitServiceServer::new(VisitDesk { desk })).await;
    opened.serve(server, settings, shutdown).await
}
