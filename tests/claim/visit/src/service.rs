//! The gRPC service: one line an RPC. What it does with it, the chassis says.

use crate::{Visits, events::VisitId, proto, proto::visit_service_server::VisitService, wire};
use concord_chassis::{commands, edge::Desk, grpc, log::Domain};
use tonic::{Request, Response, Status};

/// `concord.visit.v1.VisitService`.
#[derive(Clone)]
pub(crate) struct VisitDesk {
    pub(crate) desk: Desk<Visits>,
}

#[tonic::async_trait]
impl VisitService for VisitDesk {
    commands! {
        proto:
            arrange_visit(ArrangeVisitRequest) -> ArrangeVisitResponse;
            minute_visit(MinuteVisitRequest) -> MinuteVisitResponse;
            close_visit(CloseVisitRequest) -> CloseVisitResponse;
    }

    async fn get_visit(
        &self,
        request: Request<proto::GetVisitRequest>,
    ) -> Result<Response<proto::GetVisitResponse>, Status> {
        let asked = request.get_ref();
        let (id, min_position) = (&asked.visit_id, asked.min_position);
        let seen = self
            .desk
            .see(request.metadata(), "visit_id", id, |id| VisitId(id).stream(), min_position)
            .await?;
        let visit = seen.state.ok_or_else(|| grpc::not_found(Visits::error_domain(), "visit", id))?;
        let visit = Some(wire::visit(&visit, seen.version));
        Ok(Response::new(proto::GetVisitResponse { visit, position: seen.head }))
    }
}
