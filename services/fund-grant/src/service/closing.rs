//! `concord.fund.v1.ClosingService`: one line an RPC.

use crate::Fund;
use concord_chassis::{commands, edge::Desk};
use concord_proto::fund::v1::{self as fund, closing_service_server::ClosingService};

/// `concord.fund.v1.ClosingService`.
#[derive(Clone)]
pub struct Closings {
    desk: Desk<Fund>,
}

impl Closings {
    /// Serves the later life of the grants of the desk's log.
    #[must_use]
    pub fn new(desk: Desk<Fund>) -> Self {
        Self { desk }
    }
}

#[tonic::async_trait]
impl ClosingService for Closings {
    commands! {
        fund:
            extend_project(ExtendProjectRequest) -> ExtendProjectResponse;
            record_midterm_check(RecordMidtermCheckRequest) -> RecordMidtermCheckResponse;
            report_completion(ReportCompletionRequest) -> ReportCompletionResponse;
            conclude_final_acceptance(ConcludeFinalAcceptanceRequest) -> ConcludeFinalAcceptanceResponse;
            refund_balance(RefundBalanceRequest) -> RefundBalanceResponse;
            retain_balance(RetainBalanceRequest) -> RetainBalanceResponse;
            transfer_balance(TransferBalanceRequest) -> TransferBalanceResponse;
            close_grant(CloseGrantRequest) -> CloseGrantResponse;
            evaluate_grant(EvaluateGrantRequest) -> EvaluateGrantResponse;
            terminate_grant(TerminateGrantRequest) -> TerminateGrantResponse;
            cancel_grant(CancelGrantRequest) -> CancelGrantResponse;
    }
}
