//! The log over gRPC: reading it, its status, its clock, and what it refused.

use super::domain::Domain;
use super::gate::{Cluster, Standstill};
use super::handle::{Log, Submission};
use super::reader::{JsonText, StoreError};
use crate::grpc::{self, Actor, PageToken, Violations};
use crate::record::Recorded;
use concord_proto::log::v1::log_service_server::{LogService as Api, LogServiceServer};
use concord_proto::log::v1::{
    AdvanceTodayRequest, AdvanceTodayResponse, GetLogStatusRequest, GetLogStatusResponse,
    ListRefusalsRequest, ListRefusalsResponse, PostgresCluster, ReadLogRequest, ReadLogResponse,
    ReadStreamRequest, ReadStreamResponse, RecordedEvent, RefusedCommand, Standstill as NotWritten,
};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

/// Events of one chunk at most.
const CHUNK_EVENTS: u32 = 1_000;
/// Stored bytes of one chunk at most: with 1,000 large events the message limit of 4 MiB would be passed.
const CHUNK_BYTES_MAX: usize = 3 << 20;
/// How long a command or a query may take where the caller does not say.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));

/// `concord.log.v1.LogService` of one log.
pub struct LogService<D: Domain> {
    log: Log<D>,
    published: watch::Receiver<u64>,
}

impl<D: Domain> LogService<D> {
    /// Serves `log`; `published` is what its relay has had acknowledged.
    #[must_use]
    pub fn new(log: Log<D>, published: watch::Receiver<u64>) -> Self {
        Self { log, published }
    }

    /// The server to add to the routes.
    #[must_use]
    pub fn into_server(self) -> LogServiceServer<Self> {
        LogServiceServer::new(self)
    }

    fn head(&self) -> u64 {
        *self.log.head().borrow()
    }
}

fn unavailable<D: Domain>(error: &StoreError) -> Status {
    tracing::warn!(error = %crate::service::in_full(error), "the log could not be read");
    let message = "the log cannot be read just now; ask again".to_owned();
    grpc::unavailable(D::error_domain(), "UNAVAILABLE", message, Duration::from_secs(1))
}

fn cluster_to_proto(cluster: &Cluster) -> PostgresCluster {
    PostgresCluster { system_id: cluster.system_id.clone(), timeline: cluster.timeline.unsigned_abs() }
}

/// The log's end is not there, though it was committed.
fn lost<D: Domain>(after: u64, committed: u64) -> Status {
    tracing::error!(after, committed, "the log lacks events that were committed");
    let message = format!(
        "the log ends at position {after}, but events up to {committed} were committed: PostgreSQL has lost them; \
         stop writing and compare the log with its stream"
    );
    let message_zh = format!(
        "日志止于位置 {after}，而已提交至 {committed}：PostgreSQL 丢失了事件，请停止写入并与消息流核对"
    );
    let facts = HashMap::from([
        ("last_position".to_owned(), after.to_string()),
        ("committed_position".to_owned(), committed.to_string()),
    ]);
    let texts = (message, Some(message_zh));
    grpc::refused_as(Code::DataLoss, D::error_domain(), "LOG_TAIL_LOST", texts, facts, Vec::new())
}

fn to_proto(recorded: Recorded) -> RecordedEvent {
    RecordedEvent { position: recorded.position, cloud_event: recorded.bytes }
}

#[tonic::async_trait]
impl<D: Domain> Api for LogService<D> {
    type ReadLogStream = ReceiverStream<Result<ReadLogResponse, Status>>;

    async fn read_log(
        &self,
        request: Request<ReadLogRequest>,
    ) -> Result<Response<Self::ReadLogStream>, Status> {
        let asked = request.into_inner();
        let (reader, head) = (self.log.reader(), self.log.head());
        let end = self.head();
        let last = if asked.to_position == 0 { end } else { asked.to_position.min(end) };
        let mut after = asked.from_position.saturating_sub(1);
        // Two chunks ahead: reading the next one and sending the last one overlap.
        let (chunks, stream) = mpsc::channel(2);
        tokio::spawn(async move {
            while after < last {
                let wanted = u32::try_from(last - after).map_or(CHUNK_EVENTS, |left| left.min(CHUNK_EVENTS));
                let events = match reader.read(after, wanted).await {
                    Ok(events) => events,
                    Err(error) => {
                        let _ = chunks.send(Err(unavailable::<D>(&error))).await;
                        return;
                    }
                };
                // The head was committed. Asking for what is gone would go on for ever.
                if events.is_empty() {
                    let _ = chunks.send(Err(lost::<D>(after, last))).await;
                    return;
                }
                for chunk in in_chunks(events) {
                    after = chunk.last().map_or(last, |event| event.position);
                    let answer = ReadLogResponse {
                        events: chunk.into_iter().map(to_proto).collect(),
                        head: *head.borrow(),
                    };
                    if chunks.send(Ok(answer)).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn read_stream(
        &self,
        request: Request<ReadStreamRequest>,
    ) -> Result<Response<ReadStreamResponse>, Status> {
        let asked = request.into_inner();
        let mut faults = Violations::new(D::error_domain());
        let stream = subject_id(&asked.subject, &mut faults);
        let size = grpc::page_size(
            "page_size",
            asked.page_size,
            CHUNK_EVENTS as usize,
            CHUNK_EVENTS as usize,
            &mut faults,
        );
        let pages = PageToken::of(
            "ReadStream",
            &ReadStreamRequest { subject: asked.subject.clone(), ..Default::default() },
        );
        let after: Option<i64> = pages.decode(&asked.page_token, &mut faults);
        let stream = faults.finish(stream)?;
        let head = self.head();
        let limit = i64::try_from(size).unwrap_or(1);
        let after = after.unwrap_or(0);
        let events = self
            .log
            .reader()
            .read_stream(stream, after, head, limit)
            .await
            .map_err(|error| unavailable::<D>(&error))?;
        let unknown = || grpc::not_found(D::error_domain(), "aggregate", &asked.subject);
        // Streams are keyed by id alone; who asks for a grant must not be shown a programme.
        let other_kind = events.first().is_some_and(|(_, first)| {
            first.envelope().is_ok_and(|envelope| envelope.subject != asked.subject)
        });
        if other_kind {
            return Err(unknown());
        }
        let Some((newest, _)) = events.last() else {
            return if after == 0 {
                Err(unknown())
            } else {
                Ok(Response::new(ReadStreamResponse {
                    events: Vec::new(),
                    next_page_token: String::new(),
                    head,
                }))
            };
        };
        let next_page_token =
            if events.len() == size { next_page::<D>(&pages, *newest)? } else { String::new() };
        let events = events.into_iter().map(|(_, recorded)| to_proto(recorded)).collect();
        Ok(Response::new(ReadStreamResponse { events, next_page_token, head }))
    }

    async fn get_log_status(
        &self,
        _: Request<GetLogStatusRequest>,
    ) -> Result<Response<GetLogStatusResponse>, Status> {
        // In this order: the head is at least the one that was confirmed, and where it went back meanwhile, the standstill
        // is already told.
        let head_age_ms = self.log.head_age().map(|age| {
            // Rounded up: it is never said to be younger than it is.
            u64::try_from(age.as_millis()).unwrap_or(u64::MAX).saturating_add(1)
        });
        let head = self.head();
        let identity = self.log.identity();
        let today = self.log.today();
        let (stored, standstill) = (self.log.cluster(), self.log.standstill());
        let found = match standstill {
            Some(Standstill::ClusterChanged { found, .. }) => found,
            _ => stored,
        };
        Ok(Response::new(GetLogStatusResponse {
            log: identity.name.clone(),
            log_id: identity.log_id.to_string(),
            generation: identity.generation,
            head,
            published: *self.published.borrow(),
            clock: identity.clock().to_owned(),
            today: today.to_string(),
            rulebook: self.log.domain().rulebook(today).unwrap_or_default().to_owned(),
            stream: identity.stream(),
            played_from: identity.played_from.map(|day| day.to_string()).unwrap_or_default(),
            cluster_stored: Some(cluster_to_proto(stored)),
            cluster_found: Some(cluster_to_proto(found)),
            standstill: standstill.map(|why| NotWritten {
                reason: why.reason().to_owned(),
                message: why.to_string(),
                message_zh: why.message_zh(),
                facts: why.facts().into_iter().collect(),
            }),
            head_age_ms,
        }))
    }

    async fn advance_today(
        &self,
        request: Request<AdvanceTodayRequest>,
    ) -> Result<Response<AdvanceTodayResponse>, Status> {
        let patience = grpc::deadline(request.metadata(), PATIENCE.0, PATIENCE.1);
        let mut faults = Violations::new(D::error_domain());
        let actor = Actor::from_metadata(request.metadata(), &mut faults);
        let asked = request.get_ref();
        let request_id = faults.require_uuid("request_id", &asked.request_id);
        let today = faults.date("today", &asked.today);
        let (actor, request_id, today) =
            faults.finish(actor.zip(request_id).zip(today).map(|((a, r), t)| (a, r, t)))?;
        let submission = Submission {
            request_id,
            expected: Vec::new(),
            effective_on: None,
            actor: actor.person_id,
            actor_organisation: actor.organisation_id,
            authority: None,
            archive_number: None,
            attachments: Vec::new(),
            causation_id: None,
            correlation_id: None,
            traceparent: crate::telemetry::traceparent(request.metadata()),
            command: today,
        };
        let receipt = self
            .log
            .advance_today(submission, patience)
            .await
            .map_err(|error| error.into_status(D::error_domain()))?;
        Ok(Response::new(AdvanceTodayResponse {
            today: self.log.today().to_string(),
            position: receipt.last_position,
        }))
    }

    async fn list_refusals(
        &self,
        request: Request<ListRefusalsRequest>,
    ) -> Result<Response<ListRefusalsResponse>, Status> {
        let asked = request.into_inner();
        let mut faults = Violations::new(D::error_domain());
        let size = grpc::page_size("page_size", asked.page_size, 50, 1_000, &mut faults);
        let pages = PageToken::of("ListRefusals", &ListRefusalsRequest::default());
        let before: Option<i64> = pages.decode(&asked.page_token, &mut faults);
        faults.finish(Some(()))?;
        let rows = self
            .log
            .reader()
            .refusals(before.unwrap_or(i64::MAX), i64::try_from(size).unwrap_or(1))
            .await
            .map_err(|error| unavailable::<D>(&error))?;
        let next_page_token = match rows.last() {
            Some(last) if rows.len() == size => next_page::<D>(&pages, last.get(0))?,
            _ => String::new(),
        };
        let refusals = rows
            .iter()
            .map(|row| RefusedCommand {
                number: row.get::<_, i64>(0).unsigned_abs(),
                recorded_at: row.get(1),
                request_id: row.get::<_, Uuid>(2).to_string(),
                head: row.get::<_, i64>(3).unsigned_abs(),
                reason: row.get(4),
                refusal_json: String::from_utf8_lossy(&row.get::<_, JsonText>(5).0).into_owned(),
                command_json: String::from_utf8_lossy(&row.get::<_, JsonText>(6).0).into_owned(),
            })
            .collect();
        Ok(Response::new(ListRefusalsResponse { refusals, next_page_token }))
    }
}

fn next_page<D: Domain>(pages: &PageToken, cursor: i64) -> Result<String, Status> {
    pages.encode(&cursor).map_err(|error| grpc::internal(D::error_domain(), &error))
}

/// The id in `<kind>/<uuid>`.
fn subject_id(subject: &str, faults: &mut Violations) -> Option<Uuid> {
    let id = subject.split_once('/').and_then(|(_, id)| id.parse().ok());
    if id.is_none() {
        faults.add(
            "subject",
            "name an aggregate as <kind>/<uuid>, for example grant/0190b1f0-0000-7000-8000-000000000000",
        );
    }
    id
}

/// Splits events so that no message passes the limit.
fn in_chunks(events: Vec<Recorded>) -> Vec<Vec<Recorded>> {
    let mut chunks = Vec::with_capacity(1);
    let (mut chunk, mut bytes) = (Vec::with_capacity(events.len()), 0);
    for event in events {
        if bytes + event.bytes.len() > CHUNK_BYTES_MAX && !chunk.is_empty() {
            chunks.push(std::mem::take(&mut chunk));
            bytes = 0;
        }
        bytes += event.bytes.len();
        chunk.push(event);
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}
