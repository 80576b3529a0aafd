//! Puts the aggregates, their tables and their gRPC services together.

use crate::{
    Fund,
    follow::FollowAgreements,
    service::{Closings, GrantSpending, Grants, MatchingMoney, Programmes, Recoveries, Rectifications},
};
use concord_chassis::{
    config::Settings,
    edge::Desk,
    grpc::{BULK_MESSAGE_BYTES_MAX, Server},
    reference::Tables,
    service::{self, Serving, StartError},
};
use concord_proto::fund::v1::{
    closing_service_server::ClosingServiceServer, grant_service_server::GrantServiceServer,
    matching_service_server::MatchingServiceServer, programme_service_server::ProgrammeServiceServer,
    recovery_service_server::RecoveryServiceServer, rectification_service_server::RectificationServiceServer,
    spending_service_server::SpendingServiceServer,
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding;

/// Opens the log and serves it until `shutdown`.
///
/// # Errors
/// [`StartError`], in sentences that say what to do.
pub async fn start(settings: &Settings, shutdown: CancellationToken) -> Result<Serving, StartError> {
    let tables = Tables::of(settings)?;
    let regions = tables.regions.clone();
    let mut opened = service::open(Arc::new(Fund::new(tables)), settings).await?;
    opened.follow(FollowAgreements, settings)?;
    let desk = Desk::new(opened.log.clone(), opened.personal.clone(), regions);
    let grants = GrantServiceServer::new(Grants::new(desk.clone()))
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(BULK_MESSAGE_BYTES_MAX);
    let programmes = ProgrammeServiceServer::new(Programmes::new(desk.clone()));
    let matching = MatchingServiceServer::new(MatchingMoney::new(desk.clone()));
    let spending = SpendingServiceServer::new(GrantSpending::new(desk.clone()));
    let closings = ClosingServiceServer::new(Closings::new(desk.clone()));
    let recoveries = RecoveryServiceServer::new(Recoveries::new(desk.clone()));
    let rectifications = RectificationServiceServer::new(Rectifications::new(desk));
    let mut server = Server::new();
    server.add_service(grants).await.add_service(programmes).await;
    server.add_service(matching).await.add_service(spending).await.add_service(closings).await;
    server.add_service(recoveries).await.add_service(rectifications).await;
    opened.serve(server, settings, shutdown).await
}
