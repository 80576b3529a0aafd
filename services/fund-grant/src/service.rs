//! The gRPC services: read a request, hand it to the log, answer.

use crate::{
    Command, Fund, State,
    wire::{self, Ask, Caller, Draft, Edge, Malformed},
};
use concord_chassis::{
    grpc::{self, Actor, Violations},
    log::{CommandError, Domain, Log, Receipt, Seen, Submission},
    personal::PersonalData,
    telemetry,
};
use concord_proto::fund::v1::{
    self as fund, BulkError, BulkResult, ExecuteCommandsRequest, ExecuteCommandsResponse, bulk_result,
    grant_service_server::GrantService, programme_service_server::ProgrammeService,
};
use futures::future;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap};

/// How long a command or a query may take, where the caller does not say, and at most.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));
/// How long a chunk of a bulk stream may take.
const CHUNK_PATIENCE: Duration = Duration::from_secs(60);
/// Commands of one chunk.
const CHUNK_COMMANDS_MAX: usize = 500;
/// Chunks read ahead while one is being committed.
const CHUNKS_AHEAD: usize = 2;

/// `concord.fund.v1.GrantService`.
#[derive(Clone)]
pub struct Grants {
    desk: Desk,
}

/// `concord.fund.v1.ProgrammeService`.
#[derive(Clone)]
pub struct Programmes {
    desk: Desk,
}

/// What both services work with.
#[derive(Clone)]
struct Desk {
    log: Log<Fund>,
    personal: PersonalData,
}

impl Grants {
    /// Serves the grants of `log`.
    #[must_use]
    pub fn new(log: Log<Fund>, personal: PersonalData) -> Self {
        Self { desk: Desk { log, personal } }
    }
}

impl Programmes {
    /// Serves the programmes of `log`.
    #[must_use]
    pub fn new(log: Log<Fund>, personal: PersonalData) -> Self {
        Self { desk: Desk { log, personal } }
    }
}

impl Desk {
    fn edge(&self) -> Edge<'_> {
        Edge { regions: self.log.domain().regions(), today: self.log.today() }
    }

    /// Reads, decides, commits, answers.
    async fn execute<R: Ask>(&self, request: Request<R>) -> Result<Receipt, Status> {
        let patience = grpc::deadline(request.metadata(), PATIENCE.0, PATIENCE.1);
        let mut faults = Violations::new(Fund::error_domain());
        let caller = Caller {
            actor: Actor::from_metadata(request.metadata(), &mut faults),
            traceparent: telemetry::traceparent(request.metadata()),
        };
        let draft = match wire::read(self.edge(), &caller, faults, request.into_inner()) {
            Ok(draft) => draft,
            Err(malformed) => return self.first_answer(malformed).await,
        };
        let submission = draft.seal(&self.personal).await?;
        self.log.execute(submission, patience).await.map_err(status)
    }

    /// A malformed command is not decided. But where only its dates are wrong, it may have been accepted when they
    /// were right, and then this is a repeat.
    async fn first_answer(&self, malformed: Malformed) -> Result<Receipt, Status> {
        let Malformed { status: fault, earlier } = malformed;
        let Some(draft) = earlier else { return Err(fault) };
        let Some(submission) = draft.seal_repeat(&self.personal).await? else { return Err(fault) };
        self.log.recall(submission).await.map_err(status)?.ok_or(fault)
    }

    /// Shows a state once the log has reached `min_position`.
    async fn see(
        &self,
        metadata: &MetadataMap,
        field: &str,
        id: &str,
        min_position: u64,
    ) -> Result<Seen<State>, Status> {
        let patience = grpc::deadline(metadata, PATIENCE.0, PATIENCE.1);
        let mut faults = Violations::new(Fund::error_domain());
        let read = faults.require_uuid(field, id);
        let id = faults.finish(read)?;
        self.log.state(id, min_position, patience).await.map_err(status)
    }

    /// One chunk: what is malformed gets its error in its own place, the rest goes to the log together.
    async fn execute_chunk(&self, drafts: Vec<Result<Draft, Malformed>>) -> Vec<BulkResult> {
        let sealed = drafts.into_iter().map(|draft| async {
            match draft {
                Ok(draft) => draft.seal(&self.personal).await.map_err(Err),
                Err(malformed) => Err(self.first_answer(malformed).await),
            }
        });
        let mut results: Vec<Option<Result<Receipt, Status>>> = Vec::new();
        let mut submissions: Vec<Submission<Command>> = Vec::new();
        for sealed in future::join_all(sealed).await {
            match sealed {
                Ok(submission) => {
                    submissions.push(submission);
                    results.push(None);
                }
                Err(answered) => results.push(Some(answered)),
            }
        }
        let mut outcomes = self.log.execute_chunk(submissions, CHUNK_PATIENCE).await.into_iter();
        let lost = || Status::internal("the log gave fewer answers than there were commands");
        results
            .into_iter()
            .map(|malformed| {
                malformed.unwrap_or_else(|| {
                    outcomes.next().map_or_else(|| Err(lost()), |outcome| outcome.map_err(status))
                })
            })
            .map(bulk_result)
            .collect()
    }
}

fn status(error: CommandError) -> Status {
    error.into_status(Fund::error_domain())
}

fn bulk_result(outcome: Result<Receipt, Status>) -> BulkResult {
    let result = match outcome {
        Ok(receipt) => bulk_result::Result::Receipt(receipt.into()),
        Err(status) => bulk_result::Result::Error(BulkError {
            code: status.code().into(),
            message: status.message().to_owned(),
            reason: grpc::reason(&status),
            status: grpc::status_bytes(&status),
        }),
    };
    BulkResult { result: Some(result) }
}

/// What the decision answered beside its receipt. It is stored with it, so a repeat gets the same.
fn answered<'a>(receipt: &'a Receipt, name: &str) -> &'a str {
    receipt.answer.get(name).map_or("", String::as_str)
}

#[tonic::async_trait]
impl ProgrammeService for Programmes {
    async fn appropriate_programme(
        &self,
        request: Request<fund::AppropriateProgrammeRequest>,
    ) -> Result<Response<fund::AppropriateProgrammeResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::AppropriateProgrammeResponse { receipt }))
    }

    async fn supplement_programme(
        &self,
        request: Request<fund::SupplementProgrammeRequest>,
    ) -> Result<Response<fund::SupplementProgrammeResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::SupplementProgrammeResponse { receipt }))
    }

    async fn cut_programme(
        &self,
        request: Request<fund::CutProgrammeRequest>,
    ) -> Result<Response<fund::CutProgrammeResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::CutProgrammeResponse { receipt }))
    }

    async fn set_sub_limit(
        &self,
        request: Request<fund::SetSubLimitRequest>,
    ) -> Result<Response<fund::SetSubLimitResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::SetSubLimitResponse { receipt }))
    }

    async fn get_programme(
        &self,
        request: Request<fund::GetProgrammeRequest>,
    ) -> Result<Response<fund::GetProgrammeResponse>, Status> {
        let asked = request.get_ref();
        let (id, min_position) = (&asked.programme_id, asked.min_position);
        let seen = self.desk.see(request.metadata(), "programme_id", id, min_position).await?;
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

    async fn apply_for_grant(
        &self,
        request: Request<fund::ApplyForGrantRequest>,
    ) -> Result<Response<fund::ApplyForGrantResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::ApplyForGrantResponse { receipt }))
    }

    async fn recommend_grant(
        &self,
        request: Request<fund::RecommendGrantRequest>,
    ) -> Result<Response<fund::RecommendGrantResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::RecommendGrantResponse { receipt }))
    }

    async fn admit_grant(
        &self,
        request: Request<fund::AdmitGrantRequest>,
    ) -> Result<Response<fund::AdmitGrantResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::AdmitGrantResponse { receipt }))
    }

    async fn review_grant(
        &self,
        request: Request<fund::ReviewGrantRequest>,
    ) -> Result<Response<fund::ReviewGrantResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::ReviewGrantResponse { receipt }))
    }

    async fn publish_notice(
        &self,
        request: Request<fund::PublishNoticeRequest>,
    ) -> Result<Response<fund::PublishNoticeResponse>, Status> {
        let receipt = self.desk.execute(request).await?;
        let approvable_from = answered(&receipt, "approvable_from").to_owned();
        Ok(Response::new(fund::PublishNoticeResponse { receipt: Some(receipt.into()), approvable_from }))
    }

    async fn approve_grants(
        &self,
        request: Request<fund::ApproveGrantsRequest>,
    ) -> Result<Response<fund::ApproveGrantsResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::ApproveGrantsResponse { receipt }))
    }

    async fn reject_grant(
        &self,
        request: Request<fund::RejectGrantRequest>,
    ) -> Result<Response<fund::RejectGrantResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::RejectGrantResponse { receipt }))
    }

    async fn withdraw_grant(
        &self,
        request: Request<fund::WithdrawGrantRequest>,
    ) -> Result<Response<fund::WithdrawGrantResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::WithdrawGrantResponse { receipt }))
    }

    async fn sign_contract(
        &self,
        request: Request<fund::SignContractRequest>,
    ) -> Result<Response<fund::SignContractResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::SignContractResponse { receipt }))
    }

    async fn verify_payee(
        &self,
        request: Request<fund::VerifyPayeeRequest>,
    ) -> Result<Response<fund::VerifyPayeeResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::VerifyPayeeResponse { receipt }))
    }

    async fn request_tranche(
        &self,
        request: Request<fund::RequestTrancheRequest>,
    ) -> Result<Response<fund::RequestTrancheResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::RequestTrancheResponse { receipt }))
    }

    async fn authorise_tranche(
        &self,
        request: Request<fund::AuthoriseTrancheRequest>,
    ) -> Result<Response<fund::AuthoriseTrancheResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::AuthoriseTrancheResponse { receipt }))
    }

    async fn reject_tranche(
        &self,
        request: Request<fund::RejectTrancheRequest>,
    ) -> Result<Response<fund::RejectTrancheResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::RejectTrancheResponse { receipt }))
    }

    async fn cancel_tranche(
        &self,
        request: Request<fund::CancelTrancheRequest>,
    ) -> Result<Response<fund::CancelTrancheResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::CancelTrancheResponse { receipt }))
    }

    async fn instruct_tranche(
        &self,
        request: Request<fund::InstructTrancheRequest>,
    ) -> Result<Response<fund::InstructTrancheResponse>, Status> {
        let receipt = self.desk.execute(request).await?;
        let attempt = answered(&receipt, "attempt").parse().unwrap_or_default();
        Ok(Response::new(fund::InstructTrancheResponse { receipt: Some(receipt.into()), attempt }))
    }

    async fn settle_tranche(
        &self,
        request: Request<fund::SettleTrancheRequest>,
    ) -> Result<Response<fund::SettleTrancheResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::SettleTrancheResponse { receipt }))
    }

    async fn return_payment(
        &self,
        request: Request<fund::ReturnPaymentRequest>,
    ) -> Result<Response<fund::ReturnPaymentResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::ReturnPaymentResponse { receipt }))
    }

    async fn import_award(
        &self,
        request: Request<fund::ImportAwardRequest>,
    ) -> Result<Response<fund::ImportAwardResponse>, Status> {
        let receipt = Some(self.desk.execute(request).await?.into());
        Ok(Response::new(fund::ImportAwardResponse { receipt }))
    }

    async fn get_grant(
        &self,
        request: Request<fund::GetGrantRequest>,
    ) -> Result<Response<fund::GetGrantResponse>, Status> {
        let asked = request.get_ref();
        let (id, min_position) = (&asked.grant_id, asked.min_position);
        let seen = self.desk.see(request.metadata(), "grant_id", id, min_position).await?;
        match seen.state {
            Some(State::Grant(grant)) => Ok(Response::new(fund::GetGrantResponse {
                grant: Some(wire::answers::grant(&grant, seen.version)),
                position: seen.head,
            })),
            Some(_) | None => Err(grpc::not_found(Fund::error_domain(), "grant", id)),
        }
    }

    /// Two tasks share a stream: one reads chunks ahead, the other commits and answers them one after the other. So the
    /// commands of a stream keep their order, and the next chunk is parsed while the last one is being committed.
    async fn execute_commands(
        &self,
        request: Request<Streaming<ExecuteCommandsRequest>>,
    ) -> Result<Response<Self::ExecuteCommandsStream>, Status> {
        // A command may name its own actor, so the stream's is wanted only by those that name none.
        let mut unused = Violations::new(Fund::error_domain());
        let caller = Caller {
            actor: Actor::from_metadata(request.metadata(), &mut unused),
            traceparent: telemetry::traceparent(request.metadata()),
        };
        let (parsed, chunks) = mpsc::channel(CHUNKS_AHEAD);
        let (answers, stream) = mpsc::channel(CHUNKS_AHEAD);
        tokio::spawn(read_chunks(self.desk.clone(), caller, request.into_inner(), parsed));
        tokio::spawn(answer_chunks(self.desk.clone(), chunks, answers));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// A chunk's number, and its commands as they could be read.
type Chunk = (u64, Vec<Result<Draft, Malformed>>);

/// Reads chunks until the stream ends; what ends it early is the last that is passed on.
async fn read_chunks(
    desk: Desk,
    caller: Caller,
    mut requests: Streaming<ExecuteCommandsRequest>,
    parsed: mpsc::Sender<Result<Chunk, Status>>,
) {
    loop {
        let chunk = match requests.message().await {
            Ok(Some(request)) => read_chunk(&desk, &caller, request),
            Ok(None) => return,
            Err(broken) => Err(broken),
        };
        let ends = chunk.is_err();
        if parsed.send(chunk).await.is_err() || ends {
            return;
        }
    }
}

fn read_chunk(desk: &Desk, caller: &Caller, request: ExecuteCommandsRequest) -> Result<Chunk, Status> {
    if request.commands.len() > CHUNK_COMMANDS_MAX {
        let mut faults = Violations::new(Fund::error_domain());
        faults.add("commands", format!("are {}; {CHUNK_COMMANDS_MAX} are the most", request.commands.len()));
        faults.finish::<()>(None)?;
    }
    let edge = desk.edge();
    let drafts = request.commands.into_iter().map(|bulk| wire::read_bulk(edge, caller, bulk)).collect();
    Ok((request.chunk, drafts))
}

/// Commits and answers chunks in order, until there are no more, or nobody listens.
async fn answer_chunks(
    desk: Desk,
    mut chunks: mpsc::Receiver<Result<Chunk, Status>>,
    answers: mpsc::Sender<Result<ExecuteCommandsResponse, Status>>,
) {
    while let Some(chunk) = chunks.recv().await {
        let answer = match chunk {
            Ok((chunk, drafts)) => {
                Ok(ExecuteCommandsResponse { chunk, results: desk.execute_chunk(drafts).await })
            }
            Err(status) => Err(status),
        };
        if answers.send(answer).await.is_err() {
            return;
        }
    }
}
