//! Fetches a log's events in order: history from its owner, then live from JetStream.
//!
//! It runs ahead of what is applied by a few chunks, so that the next batch is there when one is done.

use super::ProjectionOptions;
use super::head::{Known, Owner, is_of_history};
use crate::record::Recorded;
use async_nats::connection::State;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::jetstream::context::ContextBuilder;
use concord_proto::log::v1::ReadLogRequest;
use futures::StreamExt;
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use tracing::{debug, info, warn};

/// Chunks that may wait to be applied.
const CHUNKS_AHEAD: usize = 4;
/// How long the owner may take for the next chunk.
const CHUNK_WITHIN: Duration = Duration::from_secs(10);
/// How long JetStream may take to set up a consumer. Meanwhile nothing is polled.
const CONSUMER_WITHIN: Duration = Duration::from_secs(2);
/// Closer to the head than this, in events, the rest of history comes with the live events.
const NEAR_HEAD: u64 = 1_000;
/// A chunk is handed over when it holds this many bytes.
pub(super) const CHUNK_BYTES: usize = 8 * 1024 * 1024;

/// Where events come from.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) owner: Owner,
    pub(super) nats: async_nats::Client,
    pub(super) known: Known,
    pub(super) options: ProjectionOptions,
}

/// Why fetching broke off. Each is tried again.
#[derive(Debug, thiserror::Error)]
enum FeedError {
    #[error("the log's owner did not answer")]
    Owner(#[from] tonic::Status),
    #[error("the log's owner sent position {found} where {wanted} was due")]
    OwnerGap { wanted: u64, found: u64 },
    #[error("JetStream could not {what}")]
    JetStream { what: &'static str, source: async_nats::Error },
    #[error("NATS is not connected")]
    NatsAway,
    /// Nobody takes the events any more: the projection ended or starts over.
    #[error("the projection no longer takes events")]
    Closed,
}

/// Why live events are left for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// A message came too early: those before it are missing.
    Gap,
    /// The stream holds something that is no event of the log.
    Stray,
    /// The log goes on, the stream is silent: it lost its tail, or its relay is away.
    Silent,
    /// The connection to NATS is a new one, or the consumer is not the one asked for.
    Reopen,
}

/// Starts fetching what follows `after`. Contiguous chunks arrive until the receiver is dropped.
///
/// `source` is what each event names as its log.
pub(super) fn start(
    sources: Sources,
    source: String,
    after: u64,
) -> (impl Future<Output = ()> + Send, mpsc::Receiver<Vec<Recorded>>) {
    let (chunks, receiver) = mpsc::channel(CHUNKS_AHEAD);
    let feed = Feed { sources, source, after, chunks };
    (feed.run(), receiver)
}

struct Feed {
    sources: Sources,
    source: String,
    /// Last position handed over.
    after: u64,
    chunks: mpsc::Sender<Vec<Recorded>>,
}

impl Feed {
    async fn run(mut self) {
        // Trouble is told once, not each second.
        let mut owner_told = false;
        let mut nats_told = false;
        loop {
            let before = self.after;
            match self.read_history().await {
                Ok(()) => owner_told = false,
                Err(FeedError::Closed) => return,
                Err(error) if !owner_told => {
                    self.tell(&error);
                    owner_told = true;
                }
                Err(_) => {}
            }
            let pause = match self.follow().await {
                Ok(left) => {
                    nats_told = false;
                    debug!(schema = %self.sources.options.schema, after = self.after, ?left, "left live events");
                    // The same stray would be met again at once; the relay needs a moment to recreate the stream.
                    left == Left::Stray || self.after == before
                }
                Err(FeedError::Closed) => return,
                Err(error) => {
                    if !nats_told {
                        self.tell(&error);
                        info!(schema = %self.sources.options.schema, "asking the log's owner for events instead of NATS");
                        nats_told = true;
                    }
                    true
                }
            };
            if pause {
                tokio::select! {
                    () = self.chunks.closed() => return,
                    () = tokio::time::sleep(self.sources.options.head_check) => {}
                }
            }
        }
    }

    fn tell(&self, error: &FeedError) {
        warn!(
            schema = %self.sources.options.schema, log = %self.sources.options.log, after = self.after,
            error = error as &dyn std::error::Error, "events could not be fetched; trying again"
        );
    }

    /// Reads from the owner until the head is near.
    async fn read_history(&mut self) -> Result<(), FeedError> {
        while self.sources.known.head_now() > self.after {
            let before = self.after;
            self.read_to_head().await?;
            let left = self.sources.known.head_now().saturating_sub(self.after);
            if left < NEAR_HEAD || self.after == before {
                break;
            }
        }
        Ok(())
    }

    /// One call of `ReadLog`: to the head as it is when the call begins.
    async fn read_to_head(&mut self) -> Result<(), FeedError> {
        let request = ReadLogRequest { from_position: self.after + 1, to_position: 0 };
        let mut chunks = in_time(CHUNK_WITHIN, self.sources.owner.read_log(request)).await?.into_inner();
        while let Some(chunk) = in_time(CHUNK_WITHIN, chunks.message()).await? {
            self.sources.known.head_is_at_least(chunk.head);
            let mut events = Vec::with_capacity(chunk.events.len());
            let mut last = self.after;
            for event in chunk.events {
                if event.position <= last {
                    continue;
                }
                if event.position != last + 1 {
                    return Err(FeedError::OwnerGap { wanted: last + 1, found: event.position });
                }
                last = event.position;
                events.push(Recorded { position: last, bytes: event.cloud_event });
            }
            self.hand_over(events).await?;
        }
        Ok(())
    }

    /// Follows live events, until there is a reason to ask the owner.
    async fn follow(&mut self) -> Result<Left, FeedError> {
        let nats = &self.sources.nats;
        if nats.connection_state() != State::Connected {
            return Err(FeedError::NatsAway);
        }
        let connects = nats.statistics().connects.load(Ordering::Relaxed);
        let mut messages = self.consume().await?;
        let options = self.sources.options.clone();
        let gather = Duration::from_millis(options.gather_ms);
        let mut timer = tokio::time::interval_at(Instant::now() + options.head_check, options.head_check);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // What was known of the head a check ago must have arrived by now.
        let mut due = self.sources.known.head_now();
        let mut at_last_check = self.after;
        loop {
            let first = tokio::select! {
                () = self.chunks.closed() => return Err(FeedError::Closed),
                message = messages.next() => message,
                _ = timer.tick() => {
                    let nats = &self.sources.nats;
                    if nats.statistics().connects.load(Ordering::Relaxed) != connects {
                        return Ok(Left::Reopen);
                    }
                    if due > self.after && self.after == at_last_check {
                        return Ok(Left::Silent);
                    }
                    due = self.sources.known.head_now();
                    at_last_check = self.after;
                    continue;
                }
            };
            let mut chunk = Chunk::after(self.after);
            let mut left = self.take(&mut chunk, first)?;
            let deadline = tokio::time::sleep(gather);
            tokio::pin!(deadline);
            while left.is_none() && chunk.events.len() < options.batch_max && chunk.bytes < CHUNK_BYTES {
                tokio::select! {
                    message = messages.next() => left = self.take(&mut chunk, message)?,
                    () = &mut deadline => break,
                }
            }
            self.sources.known.head_is_at_least(chunk.last);
            self.hand_over(chunk.events).await?;
            if let Some(left) = left {
                return Ok(left);
            }
        }
    }

    /// Opens an ordered consumer that begins behind what was handed over.
    async fn consume(&self) -> Result<Ordered, FeedError> {
        let context = ContextBuilder::new().timeout(CONSUMER_WITHIN).build(self.sources.nats.clone());
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.after + 1 },
            description: Some(format!("projection {}", self.sources.options.schema)),
            ..OrderedConfig::default()
        };
        let consumer = context
            .create_consumer_on_stream(config, &self.sources.options.stream)
            .await
            .map_err(|source| FeedError::JetStream { what: "make a consumer", source: Box::new(source) })?;
        consumer
            .messages()
            .await
            .map_err(|source| FeedError::JetStream { what: "deliver events", source: Box::new(source) })
    }

    /// Adds a message to the chunk where it is the next event, and says where live events must be left.
    fn take<E: std::error::Error + Send + Sync + 'static>(
        &self,
        chunk: &mut Chunk,
        message: Option<Result<async_nats::jetstream::Message, E>>,
    ) -> Result<Option<Left>, FeedError> {
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => {
                return Err(FeedError::JetStream { what: "deliver events", source: Box::new(error) });
            }
            None => return Ok(Some(Left::Reopen)),
        };
        let sequence = message
            .info()
            .map_err(|source| FeedError::JetStream { what: "number its messages", source })?
            .stream_sequence;
        let wanted = chunk.last + 1;
        if sequence < wanted {
            // An ordered consumer that is recreated before its first message begins at the stream's beginning.
            let far_back = wanted - sequence > NEAR_HEAD;
            return Ok(far_back.then_some(Left::Reopen));
        }
        if sequence > wanted {
            return Ok(Some(Left::Gap));
        }
        let payload = message.message.payload;
        if !is_event_at(&payload, sequence, &self.source) {
            warn!(
                schema = %self.sources.options.schema, stream = %self.sources.options.stream, sequence,
                "the stream holds a message that is no event of this log; asking the owner for the event"
            );
            return Ok(Some(Left::Stray));
        }
        chunk.last = sequence;
        chunk.bytes += payload.len();
        chunk.events.push(Recorded { position: sequence, bytes: payload });
        Ok(None)
    }

    async fn hand_over(&mut self, events: Vec<Recorded>) -> Result<(), FeedError> {
        let Some(last) = events.last().map(|event| event.position) else {
            return Ok(());
        };
        self.chunks.send(events).await.map_err(|_| FeedError::Closed)?;
        self.after = last;
        Ok(())
    }
}

/// Consecutive events gathered from live messages.
struct Chunk {
    last: u64,
    bytes: usize,
    events: Vec<Recorded>,
}

impl Chunk {
    fn after(last: u64) -> Self {
        Self { last, bytes: 0, events: Vec::new() }
    }
}

/// Whether the bytes are an event of this log, made for this position.
fn is_event_at(bytes: &[u8], position: u64, source: &str) -> bool {
    #[derive(Deserialize)]
    struct Place<'a> {
        #[serde(borrow)]
        source: Cow<'a, str>,
        #[serde(borrow)]
        position: Cow<'a, str>,
    }
    serde_json::from_slice::<Place<'_>>(bytes)
        .is_ok_and(|place| is_of_history(&place.source, source) && place.position.parse() == Ok(position))
}

async fn in_time<T>(
    patience: Duration,
    answer: impl Future<Output = Result<T, tonic::Status>>,
) -> Result<T, tonic::Status> {
    tokio::time::timeout(patience, answer)
        .await
        .unwrap_or_else(|_| Err(tonic::Status::deadline_exceeded("no answer in time")))
}

#[cfg(test)]
mod tests {
    use super::is_event_at;

    #[test]
    fn a_message_counts_only_at_its_own_position_of_its_own_log() {
        let bytes = br#"{"source":"/concord/local/fund-grant/1","position":"7","type":"x","data":{}}"#;
        let source = "/concord/local/fund-grant/1";
        assert!(is_event_at(bytes, 7, source));
        assert!(!is_event_at(bytes, 8, source));
        assert!(!is_event_at(bytes, 7, "/concord/local/agreement/1"));
        assert!(!is_event_at(b"stray", 7, source));
    }

    #[test]
    fn a_log_keeps_the_events_of_its_earlier_generations_and_has_none_of_later_ones() {
        let bytes = br#"{"source":"/concord/local/fund-grant/2","position":"7","type":"x","data":{}}"#;
        assert!(is_event_at(bytes, 7, "/concord/local/fund-grant/2"));
        assert!(is_event_at(bytes, 7, "/concord/local/fund-grant/10"));
        assert!(!is_event_at(bytes, 7, "/concord/local/fund-grant/1"));
    }
}
