//! `concord.fund.v1.RecoveryService`.

use crate::{Fund, State, wire};
use concord_chassis::{commands, edge::Desk, grpc, log::Domain};
use concord_kernel::id::RecoveryId;
use concord_proto::fund::v1::{self as fund, recovery_service_server::RecoveryService};
use tonic::{Request, Response, Status};

/// `concord.fund.v1.RecoveryService`.
#[derive(Clone)]
pub struct Recoveries {
    desk: Desk<Fund>,
}

impl Recoveries {
    /// Serves the recoveries of the desk's log.
    #[must_use]
    pub fn new(desk: Desk<Fund>) -> Self {
        Self { desk }
    }
}

#[tonic::async_trait]
impl RecoveryService for Recoveries {
    commands! {
        fund:
            determine_recovery(DetermineRecoveryRequest) -> DetermineRecoveryResponse;
            appeal_recovery(AppealRecoveryRequest) -> AppealRecoveryResponse;
            uphold_recovery(UpholdRecoveryRequest) -> UpholdRecoveryResponse;
            overturn_recovery(OverturnRecoveryRequest) -> OverturnRecoveryResponse;
            record_repayment(RecordRepaymentRequest) -> RecordRepaymentResponse;
            offset_recovery(OffsetRecoveryRequest) -> OffsetRecoveryResponse;
            write_off_recovery(WriteOffRecoveryRequest) -> WriteOffRecoveryResponse;
    }

    async fn demand_recovery(
        &self,
        request: Request<fund::DemandRecoveryRequest>,
    ) -> Result<Response<fund::DemandRecoveryResponse>, Status> {
        let receipt = self.desk.execute(request).await?;
        let due_on = receipt.answered("due_on").to_owned();
        Ok(Response::new(fund::DemandRecoveryResponse { receipt: Some(receipt.into()), due_on }))
    }

    async fn get_recovery(
        &self,
        request: Request<fund::GetRecoveryRequest>,
    ) -> Result<Response<fund::GetRecoveryResponse>, Status> {
        let asked = request.get_ref();
        let (id, min_position) = (&asked.recovery_id, asked.min_position);
        let seen = self
            .desk
            .see(request.metadata(), "recovery_id", id, |id| RecoveryId(id).stream(), min_position)
            .await?;
        match seen.state {
            Some(State::Recovery(recovery)) => Ok(Response::new(fund::GetRecoveryResponse {
                recovery: Some(wire::answers::recovery(&recovery, seen.version)),
                position: seen.head,
            })),
            Some(_) | None => Err(grpc::not_found(Fund::error_domain(), "recovery", id)),
        }
    }
}
