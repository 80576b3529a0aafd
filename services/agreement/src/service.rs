//! The gRPC services: one line an RPC. What they do with it, the chassis says.

use crate::{
    Agreements, Command, State,
    party::Party,
    wire::{self, answers},
};
use concord_chassis::{
    commands,
    edge::{Caller, Chunk, Desk, Edge, command_result},
    grpc::{self, Violations},
    log::{Domain, Receipt, Seen},
};
use concord_kernel::{
    Date,
    id::AgreementId,
    party::{PartyCode, PartyCodeId, PartyId},
};
use concord_proto::agreement::v1::{
    self as proto, BulkCommand, ExecuteCommandsRequest, ExecuteCommandsResponse,
    agreement_service_server::AgreementService, party_service_server::PartyService,
};
use std::collections::BTreeSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap};

/// `concord.agreement.v1.AgreementService`.
#[derive(Clone)]
pub struct AgreementDesk {
    desk: Desk<Agreements>,
}

/// `concord.agreement.v1.PartyService`.
#[derive(Clone)]
pub struct PartyDesk {
    desk: Desk<Agreements>,
}

impl AgreementDesk {
    /// Serves the agreements of the desk's log.
    #[must_use]
    pub fn new(desk: Desk<Agreements>) -> Self {
        Self { desk }
    }

    /// The agreement, and the day that a question is about: today where it does not say.
    async fn ask(
        &self,
        metadata: &MetadataMap,
        id: &str,
        on: (&str, bool),
        min_position: u64,
    ) -> Result<(Seen<State>, Date), Status> {
        let mut faults = Violations::new(Agreements::error_domain());
        let read = faults.require_uuid("agreement_id", id);
        let on = day(&self.desk, on, &mut faults);
        let (id, on) = faults.finish(read.zip(on))?;
        Ok((self.desk.state(metadata, AgreementId(id).stream(), min_position).await?, on))
    }
}

impl PartyDesk {
    /// Serves the directory of the desk's log.
    #[must_use]
    pub fn new(desk: Desk<Agreements>) -> Self {
        Self { desk }
    }

    /// A party that another state refers to, no earlier than that state was seen.
    async fn party(
        &self,
        metadata: &MetadataMap,
        id: PartyId,
        head: u64,
    ) -> Result<(Box<Party>, u64), Status> {
        let seen = self.desk.state(metadata, id.stream(), head).await?;
        match seen.state {
            Some(State::Party(party)) => Ok((party, seen.head)),
            _ => Err(no_party(&id.to_string())),
        }
    }
}

/// The day that a question is about; today where it need not be said and is not.
fn day(desk: &Desk<Agreements>, (text, required): (&str, bool), faults: &mut Violations) -> Option<Date> {
    if text.is_empty() && !required { Some(desk.edge().today) } else { faults.date("on", text) }
}

fn no_agreement(id: &str) -> Status {
    grpc::not_found(Agreements::error_domain(), "agreement", id)
}

fn no_party(id: &str) -> Status {
    grpc::not_found(Agreements::error_domain(), "party", id)
}

#[tonic::async_trait]
impl AgreementService for AgreementDesk {
    type ExecuteCommandsStream = ReceiverStream<Result<ExecuteCommandsResponse, Status>>;

    commands! {
        proto:
            draft_agreement(DraftAgreementRequest) -> DraftAgreementResponse;
            sign_agreement(SignAgreementRequest) -> SignAgreementResponse;
            cancel_draft(CancelDraftRequest) -> CancelDraftResponse;
            suspend_agreement(SuspendAgreementRequest) -> SuspendAgreementResponse;
            resume_agreement(ResumeAgreementRequest) -> ResumeAgreementResponse;
            renew_agreement(RenewAgreementRequest) -> RenewAgreementResponse;
            complete_agreement(CompleteAgreementRequest) -> CompleteAgreementResponse;
            terminate_agreement(TerminateAgreementRequest) -> TerminateAgreementResponse;
            sign_amendment(SignAmendmentRequest) -> SignAmendmentResponse;
            abandon_amendment(AbandonAmendmentRequest) -> AbandonAmendmentResponse;
            succeed_party(SucceedPartyRequest) -> SucceedPartyResponse;
            fulfil_obligation(FulfilObligationRequest) -> FulfilObligationResponse;
            close_action_item(CloseActionItemRequest) -> CloseActionItemResponse;
            submit_registration(SubmitRegistrationRequest) -> SubmitRegistrationResponse;
            register_contract(RegisterContractRequest) -> RegisterContractResponse;
            refuse_registration(RefuseRegistrationRequest) -> RefuseRegistrationResponse;
            revoke_registration(RevokeRegistrationRequest) -> RevokeRegistrationResponse;
    }

    async fn propose_amendment(
        &self,
        request: Request<proto::ProposeAmendmentRequest>,
    ) -> Result<Response<proto::ProposeAmendmentResponse>, Status> {
        let receipt = self.desk.execute(request).await?;
        let version = receipt.answered("version").parse().unwrap_or_default();
        Ok(Response::new(proto::ProposeAmendmentResponse { receipt: Some(receipt.into()), version }))
    }

    async fn minute_meeting(
        &self,
        request: Request<proto::MinuteMeetingRequest>,
    ) -> Result<Response<proto::MinuteMeetingResponse>, Status> {
        let receipt = self.desk.execute(request).await?;
        let meeting = receipt.answered("meeting").parse().unwrap_or_default();
        Ok(Response::new(proto::MinuteMeetingResponse { receipt: Some(receipt.into()), meeting }))
    }

    async fn get_agreement(
        &self,
        request: Request<proto::GetAgreementRequest>,
    ) -> Result<Response<proto::GetAgreementResponse>, Status> {
        let asked = request.get_ref();
        let id = &asked.agreement_id;
        let (seen, on) = self.ask(request.metadata(), id, (&asked.on, false), asked.min_position).await?;
        match seen.state {
            Some(State::Agreement(agreement)) => Ok(Response::new(proto::GetAgreementResponse {
                agreement: Some(answers::agreement(&agreement, on, seen.version)),
                position: seen.head,
            })),
            Some(State::Party(_) | State::Code(_)) | None => Err(no_agreement(id)),
        }
    }

    async fn get_version_in_force(
        &self,
        request: Request<proto::GetVersionInForceRequest>,
    ) -> Result<Response<proto::GetVersionInForceResponse>, Status> {
        let asked = request.get_ref();
        let id = &asked.agreement_id;
        let (seen, on) = self.ask(request.metadata(), id, (&asked.on, true), asked.min_position).await?;
        let Some(State::Agreement(agreement)) = seen.state else { return Err(no_agreement(id)) };
        let version = agreement.version_on(on).ok_or_else(|| answers::no_version(&agreement, on))?;
        Ok(Response::new(proto::GetVersionInForceResponse {
            version: Some(answers::version(version)),
            state: answers::state(agreement.standing(on)).into(),
            position: seen.head,
            period: agreement.period_on(on).map(answers::period),
        }))
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
        ExecuteCommandsResponse { chunk, results: results.into_iter().map(command_result).collect() }
    }
}

#[tonic::async_trait]
impl PartyService for PartyDesk {
    commands! {
        proto:
            add_party_code(AddPartyCodeRequest) -> AddPartyCodeResponse;
            rename_party(RenamePartyRequest) -> RenamePartyResponse;
            reclassify_party(ReclassifyPartyRequest) -> ReclassifyPartyResponse;
            relocate_party(RelocatePartyRequest) -> RelocatePartyResponse;
            enter_register(EnterRegisterRequest) -> EnterRegisterResponse;
            leave_register(LeaveRegisterRequest) -> LeaveRegisterResponse;
            record_control_link(RecordControlLinkRequest) -> RecordControlLinkResponse;
            end_control_link(EndControlLinkRequest) -> EndControlLinkResponse;
            record_representation(RecordRepresentationRequest) -> RecordRepresentationResponse;
            end_representation(EndRepresentationRequest) -> EndRepresentationResponse;
            merge_party(MergePartyRequest) -> MergePartyResponse;
            dissolve_party(DissolvePartyRequest) -> DissolvePartyResponse;
    }

    async fn record_party(
        &self,
        request: Request<proto::RecordPartyRequest>,
    ) -> Result<Response<proto::RecordPartyResponse>, Status> {
        let receipt = self.desk.execute(request).await?;
        let party_id = receipt.answered("party_id").to_owned();
        Ok(Response::new(proto::RecordPartyResponse { receipt: Some(receipt.into()), party_id }))
    }

    async fn get_party(
        &self,
        request: Request<proto::GetPartyRequest>,
    ) -> Result<Response<proto::GetPartyResponse>, Status> {
        let asked = request.get_ref();
        let (id, min_position) = (&asked.party_id, asked.min_position);
        let seen = self
            .desk
            .see(request.metadata(), "party_id", id, |id| PartyId(id).stream(), min_position)
            .await?;
        match seen.state {
            Some(State::Party(party)) => Ok(Response::new(proto::GetPartyResponse {
                party: Some(answers::party(&party, seen.version)),
                position: seen.head,
            })),
            Some(State::Agreement(_) | State::Code(_)) | None => Err(no_party(id)),
        }
    }

    async fn look_up_party(
        &self,
        request: Request<proto::LookUpPartyRequest>,
    ) -> Result<Response<proto::LookUpPartyResponse>, Status> {
        let (metadata, asked) = (request.metadata(), request.get_ref());
        let mut faults = Violations::new(Agreements::error_domain());
        // One that fails its check may have been taken from a certificate: that is told by whether it is known.
        let code = PartyCode::parse_of_certificate(&asked.code)
            .map_err(|fault| faults.add("code", fault.to_string()))
            .ok();
        let on = day(&self.desk, (&asked.on, false), &mut faults);
        let (code, on) = faults.finish(code.zip(on))?;
        let seen = self.desk.state(metadata, PartyCodeId::of(&code).stream(), asked.min_position).await?;
        let Some(State::Code(known)) = seen.state else {
            let mut faults = Violations::new(Agreements::error_domain());
            let read = PartyCode::parse(&asked.code).map_err(|fault| faults.add("code", fault.to_string()));
            return Err(faults.finish(read.ok()).err().unwrap_or_else(|| no_party(&asked.code)));
        };
        let (party, mut position) = self.party(metadata, known.party, seen.head).await?;
        let mut successor = party.clone();
        // As in a decision: a circle of mergers is refused, and followed once round where a log holds one.
        let mut passed = BTreeSet::from([party.id]);
        while let Some(into) = successor.merged_into(on).filter(|into| passed.insert(*into)) {
            (successor, position) = self.party(metadata, into, position).await?;
        }
        Ok(Response::new(answers::looked_up(&party, &successor, &code, on, position)))
    }
}
