//! `concord.fund.v1.SpendingService`.

use crate::Fund;
use concord_chassis::{commands, edge::Desk};
use concord_proto::fund::v1::{self as fund, spending_service_server::SpendingService};
use tonic::{Request, Response, Status};

/// `concord.fund.v1.SpendingService`.
#[derive(Clone)]
pub struct GrantSpending {
    desk: Desk<Fund>,
}

impl GrantSpending {
    /// Serves the spending of the desk's log.
    #[must_use]
    pub fn new(desk: Desk<Fund>) -> Self {
        Self { desk }
    }
}

#[tonic::async_trait]
impl SpendingService for GrantSpending {
    commands! {
        fund:
            transfer_share(TransferShareRequest) -> TransferShareResponse;
            report_spend(ReportSpendRequest) -> ReportSpendResponse;
            accept_spend(AcceptSpendRequest) -> AcceptSpendResponse;
    }

    async fn disallow_spend(
        &self,
        request: Request<fund::DisallowSpendRequest>,
    ) -> Result<Response<fund::DisallowSpendResponse>, Status> {
        let receipt = self.desk.execute(request).await?;
        let recovery_id = receipt.answered("recovery_id").to_owned();
        Ok(Response::new(fund::DisallowSpendResponse { receipt: Some(receipt.into()), recovery_id }))
    }
}
