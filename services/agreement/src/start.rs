//! Puts the aggregates, their tables and their gRPC services together.

use crate::{
    Agreements,
    service::{AgreementDesk, PartyDesk},
};
use concord_chassis::{
    config::Settings,
    edge::Desk,
    grpc::{BULK_MESSAGE_BYTES_MAX, Server},
    reference::Tables,
    service::{self, Serving, StartError},
};
use concord_proto::agreement::v1::{
    agreement_service_server::AgreementServiceServer, party_service_server::PartyServiceServer,
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
    let opened = service::open(Arc::new(Agreements::new(tables.clone())), settings).await?;
    let desk = Desk::new(opened.log.clone(), opened.personal.clone(), tables.regions);
    let agreements = AgreementServiceServer::new(AgreementDesk::new(desk.clone()))
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(BULK_MESSAGE_BYTES_MAX);
    let parties = PartyServiceServer::new(PartyDesk::new(desk));
    let mut server = Server::new();
    server.add_service(agreements).await.add_service(parties).await;
    opened.serve(server, settings, shutdown).await
}
