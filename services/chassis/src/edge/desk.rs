//! One call: a request is read, decided, committed and answered; or a state is shown.

use super::{Ask, Caller, Drafted, Edge, Malformed, bulk, read};
use crate::{
    grpc::{self, Violations},
    log::{CommandError, Domain, Followed, Log, Receipt, Seen, Submission},
    personal::PersonalData,
    position::NotReached,
};
use concord_kernel::{event::StreamId, region::Regions};
use futures::future;
use std::{sync::Arc, time::Duration};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap};
use uuid::Uuid;

/// How long a command or a query may take, where the caller does not say, and at most.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));
/// How long a chunk of a bulk stream may take.
const CHUNK_PATIENCE: Duration = Duration::from_secs(60);

/// What the gRPC services of a log work with. Cheap to clone.
pub struct Desk<D: Domain> {
    log: Log<D>,
    personal: PersonalData,
    regions: Arc<Regions>,
}

impl<D: Domain> Clone for Desk<D> {
    fn clone(&self) -> Self {
        Self { log: self.log.clone(), personal: self.personal.clone(), regions: self.regions.clone() }
    }
}

impl<D: Domain> Desk<D> {
    /// Takes commands for `log`, whose personal data lies in `personal`. Regions are read by `regions`.
    #[must_use]
    pub fn new(log: Log<D>, personal: PersonalData, regions: Arc<Regions>) -> Self {
        Self { log, personal, regions }
    }

    /// What requests are read by, today.
    #[must_use]
    pub fn edge(&self) -> Edge<'_> {
        Edge { regions: &self.regions, today: self.log.today() }
    }

    /// Reads, decides, commits, answers.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with all faults of the request; else what the log says ([`CommandError::into_status`]).
    pub async fn execute<R: Ask<D::Command>>(&self, request: Request<R>) -> Result<Receipt, Status> {
        let (metadata, _, request) = request.into_parts();
        let mut faults = Violations::new(D::error_domain());
        let caller = Caller::of_call(&metadata, &mut faults);
        let drafted = read(self.edge(), &caller, faults, request);
        self.execute_drafted(grpc::deadline(&metadata, PATIENCE.0, PATIENCE.1), drafted).await
    }

    /// What does not depend on which request it was: compiled once, and not for each of them.
    async fn execute_drafted(
        &self,
        patience: Duration,
        drafted: Drafted<D::Command>,
    ) -> Result<Receipt, Status> {
        let draft = match drafted {
            Ok(draft) => draft,
            Err(malformed) => return self.first_answer(malformed).await,
        };
        let submission = draft.seal(&self.personal, D::error_domain()).await?;
        self.log.execute(submission, patience).await.map_err(status::<D>)
    }

    /// A malformed command is not decided. But where only its dates are wrong, it may have been accepted when they
    /// were right, and then this is a repeat.
    async fn first_answer(&self, malformed: Malformed<D::Command>) -> Result<Receipt, Status> {
        let Malformed { status: fault, earlier } = malformed;
        let Some(draft) = earlier else { return Err(fault) };
        let Some(submission) = draft.seal_repeat(&self.personal, D::error_domain()).await? else {
            return Err(fault);
        };
        self.log.recall(submission).await.map_err(status::<D>)?.ok_or(fault)
    }

    /// The state of the aggregate that `of` makes of the id that the request gives in `field`, once the log has reached
    /// `min_position`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` where `id` is none; else what the log says.
    pub async fn see(
        &self,
        metadata: &MetadataMap,
        field: &str,
        id: &str,
        of: impl FnOnce(Uuid) -> StreamId,
        min_position: u64,
    ) -> Result<Seen<D::State>, Status> {
        let mut faults = Violations::new(D::error_domain());
        let read = faults.require_uuid(field, id);
        self.state(metadata, of(faults.finish(read)?), min_position).await
    }

    /// The state of this aggregate, once the log has reached `min_position`.
    ///
    /// # Errors
    /// What the log says.
    pub async fn state(
        &self,
        metadata: &MetadataMap,
        of: StreamId,
        min_position: u64,
    ) -> Result<Seen<D::State>, Status> {
        let patience = grpc::deadline(metadata, PATIENCE.0, PATIENCE.1);
        self.log.state(of, min_position, patience).await.map_err(status::<D>)
    }

    /// How far another log has been taken in, once it is so up to `min_position`; `None` where none has been verified.
    ///
    /// # Errors
    /// `UNAVAILABLE` where that takes longer than the caller has.
    pub async fn followed(
        &self,
        metadata: &MetadataMap,
        log: &str,
        min_position: u64,
    ) -> Result<Option<Followed>, Status> {
        let patience = grpc::deadline(metadata, PATIENCE.0, PATIENCE.1);
        let mut all = self.log.followed();
        let known = |all: &Arc<[Followed]>| all.iter().find(|followed| followed.log == log).cloned();
        let reached = |all: &Arc<[Followed]>| known(all).map_or(0, |followed| followed.position);
        // Out of time, or there.
        let waited = tokio::time::timeout(patience, all.wait_for(|all| reached(all) >= min_position)).await;
        drop(waited);
        let (followed, reached) = (known(&all.borrow()), reached(&all.borrow()));
        if reached < min_position {
            let late = NotReached { wanted: min_position, reached };
            return Err(grpc::not_reached(D::error_domain(), late));
        }
        Ok(followed)
    }

    /// A stream of chunks of commands, each answered in its place.
    pub fn bulk<K: bulk::Chunk<D::Command>>(
        &self,
        request: Request<Streaming<K>>,
    ) -> Response<ReceiverStream<Result<K::Answer, Status>>> {
        // A command may name its own actor, so the stream's is wanted only by those that name none.
        let mut unused = Violations::new(D::error_domain());
        let caller = Caller::of_call(request.metadata(), &mut unused);
        Response::new(bulk::answers(self.clone(), caller, request.into_inner()))
    }

    /// One chunk: what is malformed gets its error in its own place, the rest goes to the log together.
    pub(super) async fn execute_chunk(
        &self,
        drafts: Vec<Drafted<D::Command>>,
    ) -> Vec<Result<Receipt, Status>> {
        let sealed = drafts.into_iter().map(|draft| async {
            match draft {
                Ok(draft) => draft.seal(&self.personal, D::error_domain()).await.map_err(Err),
                Err(malformed) => Err(self.first_answer(malformed).await),
            }
        });
        let mut results: Vec<Option<Result<Receipt, Status>>> = Vec::new();
        let mut submissions: Vec<Submission<D::Command>> = Vec::new();
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
                    outcomes.next().map_or_else(|| Err(lost()), |outcome| outcome.map_err(status::<D>))
                })
            })
            .collect()
    }
}

fn status<D: Domain>(error: CommandError) -> Status {
    error.into_status(D::error_domain())
}
