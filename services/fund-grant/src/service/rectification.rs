//! `concord.fund.v1.RectificationService`.

use crate::{Fund, State, wire};
use concord_chassis::{commands, edge::Desk, grpc, log::Domain};
use concord_kernel::id::RectificationId;
use concord_proto::fund::v1::{self as fund, rectification_service_server::RectificationService};
use tonic::{Request, Response, Status};

/// `concord.fund.v1.RectificationService`.
#[derive(Clone)]
pub struct Rectifications {
    desk: Desk<Fund>,
}

impl Rectifications {
    /// Serves the rectifications of the desk's log.
    #[must_use]
    pub fn new(desk: Desk<Fund>) -> Self {
        Self { desk }
    }
}

#[tonic::async_trait]
impl RectificationService for Rectifications {
    commands! {
        fund:
            explain_finding(ExplainFindingRequest) -> ExplainFindingResponse;
            rectify_finding(RectifyFindingRequest) -> RectifyFindingResponse;
            accept_explanation(AcceptExplanationRequest) -> AcceptExplanationResponse;
            dismiss_finding(DismissFindingRequest) -> DismissFindingResponse;
    }

    async fn assign_rectification(
        &self,
        request: Request<fund::AssignRectificationRequest>,
    ) -> Result<Response<fund::AssignRectificationResponse>, Status> {
        let receipt = self.desk.execute(request).await?;
        let rectification_id = receipt.answered("rectification_id").to_owned();
        Ok(Response::new(fund::AssignRectificationResponse {
            receipt: Some(receipt.into()),
            rectification_id,
        }))
    }

    async fn get_rectification(
        &self,
        request: Request<fund::GetRectificationRequest>,
    ) -> Result<Response<fund::GetRectificationResponse>, Status> {
        let asked = request.get_ref();
        let (id, min_position) = (&asked.rectification_id, asked.min_position);
        let seen = self
            .desk
            .see(request.metadata(), "rectification_id", id, |id| RectificationId(id).stream(), min_position)
            .await?;
        match seen.state {
            Some(State::Rectification(rectification)) => Ok(Response::new(fund::GetRectificationResponse {
                rectification: Some(wire::answers::rectification(&rectification, seen.version)),
                position: seen.head,
            })),
            Some(_) | None => Err(grpc::not_found(Fund::error_domain(), "rectification", id)),
        }
    }
}
