//! The gRPC services: one line an RPC. What they do with it, the chassis says.

mod closing;
mod matching;
mod recovery;
mod rectification;
mod spending;

pub use closing::Closings;
pub use matching::MatchingMoney;
pub use recovery::Recoveries;
pub use rectification::Rectifications;
pub use spending::GrantSpending;

use crate::{Command, Fund, State, backing::AGREEMENT_LOG, wire};
use concord_chassis::{
    commands,
    edge::{Caller, Chunk, Desk, Edge, command_error},
    grpc,
    log::{Domain, Receipt},
};
use concord_kernel::id::{AgreementId, BackingId, GrantId, ProgrammeId};
use concord_proto::{
    fund::v1::{
        self as fund, BulkCommand, BulkError, BulkResult, ExecuteCommandsRequest, ExecuteCommandsResponse,
        bulk_result, grant_service_server::GrantService, programme_service_server::ProgrammeService,
    },
    r#type::v1::CommandError,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// `concord.fund.v1.GrantService`.
#[derive(Clone)]
pub struct Grants {
    desk: Desk<Fund>,
}

/// `concord.fund.v1.ProgrammeService`.
#[derive(Clone)]
pub struct Programmes {
    desk: Desk<Fund>,
}

impl Grants {
    /// Serves the grants of the desk's log.
    #[must_use]
    pub fn new(desk: Desk<Fund>) -> Self {
        Self { desk }
    }
}

impl Programmes {
    /// Serves the programmes of the desk's log.
    #[must_use]
    pub fn new(desk: Desk<Fund>) -> Self {
        Self { desk }
    }
}

#[tonic::async_trait]
impl ProgrammeService for Programmes {
    commands! {
        fund:
            appropriate_programme(AppropriateProgrammeRequest) -> AppropriateProgrammeResponse;
            supplement_programme(SupplementProgrammeRequest) -> SupplementProgrammeResponse;
            cut_programme(CutProgrammeRequest) -> CutProgrammeResponse;
            set_sub_limit(SetSubLimitRequest) -> SetSubLimitResponse;
    }

    async fn get_programme(
        &self,
        request: Request<fund::GetProgrammeRequest>,
    ) -> Result<Response<fund::GetProgrammeResponse>, Status> {
        let asked = request.get_ref();
        let (id, min_position) = (&asked.programme_id, asked.min_position);
        let seen = self
            .desk
            .see(request.metadata(), "programme_id", id, |id| ProgrammeId(id).stream(), min_position)
            .await?;
        match seen.state {
            Some(State::Programme(programme)) => Ok(Response::new(fund::GetProgrammeResponse {
                programme: Some(wire::answers::programme(&programme, seen.version)),
                position: seen.head,
            })),
            Some(_) | None => Err(grpc::not_found(Fund::error_domain(), "programme", id)),
        }
    }
}

#[tonic::async_trait]
impl GrantService for Grants {
    type ExecuteCommandsStream = ReceiverStream<Result<ExecuteCommandsResponse, Status>>;

    commands! {
        fund:
            apply_for_grant(ApplyForGrantRequest) -> ApplyForGrantResponse;
            recommend_grant(RecommendGrantRequest) -> RecommendGrantResponse;
            admit_grant(AdmitGrantRequest) -> AdmitGrantResponse;
            review_grant(ReviewGrantRequest) -> ReviewGrantResponse;
            approve_grants(ApproveGrantsRequest) -> ApproveGrantsResponse;
            reject_grant(RejectGrantRequest) -> RejectGrantResponse;
            withdraw_grant(WithdrawGrantRequest) -> WithdrawGrantResponse;
            sign_contract(SignContractRequest) -> SignContractResponse;
            amend_contract(AmendContractRequest) -> AmendContractResponse;
            verify_payee(VerifyPayeeRequest) -> VerifyPayeeResponse;
            request_tranche(RequestTrancheRequest) -> RequestTrancheResponse;
            authorise_tranche(AuthoriseTrancheRequest) -> AuthoriseTrancheResponse;
            reject_tranche(RejectTrancheRequest) -> RejectTrancheResponse;
            cancel_tranche(CancelTrancheRequest) -> CancelTrancheResponse;
            settle_tranche(SettleTrancheRequest) -> SettleTrancheResponse;
            return_payment(ReturnPaymentRequest) -> ReturnPaymentResponse;
            name_backing_agreement(NameBackingAgreementRequest) -> NameBackingAgreementResponse;
            hold_grant(HoldGrantRequest) -> HoldGrantResponse;
            resume_grant(ResumeGrantRequest) -> ResumeGrantResponse;
            raise_objection(RaiseObjectionRequest) -> RaiseObjectionResponse;
            reject_objection(RejectObjectionRequest) -> RejectObjectionResponse;
            uphold_objection(UpholdObjectionRequest) -> UpholdObjectionResponse;
            record_override(RecordOverrideRequest) -> RecordOverrideResponse;
            correct_fact(CorrectFactRequest) -> CorrectFactResponse;
            import_award(ImportAwardRequest) -> ImportAwardResponse;
    }

    async fn publish_notice(
        &self,
        request: Request<fund::PublishNoticeRequest>,
    ) -> Result<Response<fund::PublishNoticeResponse>, Status> {
        let receipt = self.desk.execute(request).await?;
        let approvable_from = receipt.answered("approvable_from").to_owned();
        Ok(Response::new(fund::PublishNoticeResponse { receipt: Some(receipt.into()), approvable_from }))
    }

    async fn instruct_tranche(
        &self,
        request: Request<fund::InstructTrancheRequest>,
    ) -> Result<Response<fund::InstructTrancheResponse>, Status> {
        let receipt = self.desk.execute(request).await?;
        let attempt = receipt.answered("attempt").parse().unwrap_or_default();
        Ok(Response::new(fund::InstructTrancheResponse { receipt: Some(receipt.into()), attempt }))
    }

    async fn get_grant(
        &self,
        request: Request<fund::GetGrantRequest>,
    ) -> Result<Response<fund::GetGrantResponse>, Status> {
        let asked = request.get_ref();
        let (id, min_position) = (&asked.grant_id, asked.min_position);
        let seen = self
            .desk
            .see(request.metadata(), "grant_id", id, |id| GrantId(id).stream(), min_position)
            .await?;
        match seen.state {
            Some(State::Grant(grant)) => Ok(Response::new(fund::GetGrantResponse {
                grant: Some(wire::answers::grant(&grant, seen.version)),
                position: seen.head,
            })),
            Some(_) | None => Err(grpc::not_found(Fund::error_domain(), "grant", id)),
        }
    }

    async fn get_backing(
        &self,
        request: Request<fund::GetBackingRequest>,
    ) -> Result<Response<fund::GetBackingResponse>, Status> {
        let asked = request.get_ref();
        let followed = self.desk.followed(request.metadata(), AGREEMENT_LOG, asked.min_agreement_position);
        let followed = followed.await?;
        let record = |agreement| BackingId::of(AgreementId(agreement)).stream();
        let (id, min_position) = (&asked.agreement_id, asked.min_position);
        let seen = self.desk.see(request.metadata(), "agreement_id", id, record, min_position).await?;
        match seen.state {
            Some(State::Backing(backing)) => {
                let ours = self.desk.edge().today;
                let today = followed.as_ref().map_or(ours, |followed| followed.today.max(ours));
                Ok(Response::new(fund::GetBackingResponse {
                    backing: Some(wire::answers::backing(&backing, today)),
                    position: seen.head,
                    verified_position: followed.as_ref().map_or(0, |followed| followed.position),
                    verified_at: followed
                        .map(|followed| followed.verified_at.to_string())
                        .unwrap_or_default(),
                }))
            }
            Some(_) | None => Err(grpc::not_found(Fund::error_domain(), "agreement", id)),
        }
    }

    async fn execute_commands(
        &self,
        request: Request<Streaming<ExecuteCommandsRequest>>,
    ) -> Result<Response<Self::ExecuteCommandsStream>, Status> {
        Ok(self.desk.bulk(request))
    }
}

impl Chunk<Command> for ExecuteCommandsRequest {
    type Command = BulkCommand;
    type Answer = ExecuteCommandsResponse;

    fn open(self) -> (u64, Vec<BulkCommand>) {
        (self.chunk, self.commands)
    }

    fn read(edge: Edge<'_>, caller: &Caller, command: BulkCommand) -> wire::Drafted {
        wire::read_bulk(edge, caller, command)
    }

    fn answer(chunk: u64, results: Vec<Result<Receipt, Status>>) -> ExecuteCommandsResponse {
        ExecuteCommandsResponse { chunk, results: results.into_iter().map(bulk_result).collect() }
    }
}

/// This service had messages of its own for it before all services shared them.
fn bulk_result(outcome: Result<Receipt, Status>) -> BulkResult {
    let result = match outcome {
        Ok(receipt) => bulk_result::Result::Receipt(receipt.into()),
        Err(status) => {
            let CommandError { code, message, reason, status } = command_error(&status);
            bulk_result::Result::Error(BulkError { code, message, reason, status })
        }
    };
    BulkResult { result: Some(result) }
}
