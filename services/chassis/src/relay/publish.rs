//! The pipeline: gathers events, publishes them in bursts without waiting for each, and confirms the bursts in order.
//!
//! A burst is one fast-ingest batch (NATS ADR-50): the server stores each message as it comes, acknowledges some hundreds
//! at once and the burst as a whole. After the first message that it refuses it takes none of the burst any more, so
//! nothing of that burst can slip in behind a stray message, although the event after it expects just the stray's
//! sequence. The next burst may be under way already; what it leaves behind a stray is found when the stream is compared.

use super::stream::failed;
use super::{ANSWER_WITHIN, RelayError, RelayOptions};
use crate::log::LogReader;
use crate::record::Recorded;
use async_nats::header::{NATS_EXPECTED_LAST_SEQUENCE, NATS_EXPECTED_STREAM};
use async_nats::jetstream::{self, Context};
use async_nats::{HeaderMap, Message, StatusCode, Subscriber};
use futures::StreamExt;
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Events read from PostgreSQL at once.
const PAGE: u32 = 1_000;
/// With fewer events than this in hand, the relay waits a moment for more.
const FEW: u64 = 256;
/// How often an idle relay looks whether the stream is as it left it.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// What a message holds: one CloudEvents document, in structured mode.
const CONTENT_TYPE: &str = "application/cloudevents+json";
/// Bursts that wait behind the one whose answer is due.
const BURSTS_AHEAD: usize = 2;
/// Bytes of one burst at most: the server takes in only so much at once, and drops what is beyond.
const BURST_BYTES_MAX: usize = 8 << 20;
/// Messages after which the server acknowledges at the latest; more is not allowed to one publisher.
const ACKNOWLEDGED_EVERY: u16 = 500;
/// How the server tells a fast-ingest batch from a single message.
const FAST_INGEST: &str = "$FI";

pub(super) struct Pipeline<'a> {
    pub(super) nats: &'a async_nats::Client,
    pub(super) context: Context,
    pub(super) reader: &'a LogReader,
    pub(super) batches: &'a mut mpsc::Receiver<Vec<Recorded>>,
    pub(super) committed: watch::Receiver<u64>,
    pub(super) options: &'a RelayOptions,
    pub(super) shutdown: &'a CancellationToken,
    pub(super) published: &'a watch::Sender<u64>,
}

impl Pipeline<'_> {
    /// Publishes what follows `cursor`, the stream's last sequence. `Ok` on shutdown, when all is acknowledged.
    pub(super) async fn run(self, cursor: u64) -> Result<(), RelayError> {
        let inbox = self.nats.new_inbox();
        let answers =
            self.nats.subscribe(format!("{inbox}.>")).await.map_err(failed("subscribe to its answers"))?;
        let (sent, bursts) = mpsc::channel(BURSTS_AHEAD);
        let confirm = Confirm { answers, inbox: inbox.clone(), published: self.published };
        let confirmed = confirm.run(bursts, &self.options.stream);
        tokio::try_join!(self.send(cursor, &inbox, sent), confirmed)?;
        Ok(())
    }

    async fn send(
        mut self,
        mut cursor: u64,
        inbox: &str,
        sent: mpsc::Sender<Burst>,
    ) -> Result<(), RelayError> {
        let gather = Duration::from_millis(self.options.gather_ms);
        // Bursts of two relays, should there ever be two, are two batches.
        let publisher = Uuid::now_v7().simple().to_string();
        let mut events = Vec::new();
        loop {
            self.collect(&mut events, cursor);
            let mut waiting = self.waiting(&events, cursor);
            if waiting == 0 {
                if self.shutdown.is_cancelled() {
                    return Ok(());
                }
                self.wait(&mut events, cursor).await?;
                waiting = self.waiting(&events, cursor);
            }
            if waiting == 0 {
                continue;
            }
            if waiting < FEW {
                tokio::time::sleep(gather).await;
                self.collect(&mut events, cursor);
            }
            if events.is_empty() {
                events = self.page(cursor).await?;
            }
            let mut left = &events[..];
            while !left.is_empty() {
                let (events, further) = left.split_at(self.burst_of(left));
                left = further;
                let burst = Burst::of(&publisher, events);
                let last = burst.last;
                // Announced first, so that its answer is waited for; and waits for those before it.
                if sent.send(burst.clone()).await.is_err() {
                    // The confirming side has failed; its error is the one to report.
                    return Ok(());
                }
                for event in events {
                    self.publish(event, &burst, inbox).await?;
                }
                cursor = last;
            }
            events.clear();
        }
    }

    /// Events of the next burst, of which there is at least one: what is being confirmed, what waits and what is being sent
    /// are in flight together.
    fn burst_of(&self, events: &[Recorded]) -> usize {
        let most = (self.options.in_flight / (BURSTS_AHEAD + 2)).max(1);
        let mut bytes = 0;
        let fits = |event: &&Recorded| {
            bytes += event.bytes.len();
            bytes <= BURST_BYTES_MAX
        };
        events.iter().take(most).take_while(fits).count().max(1)
    }

    /// Events in hand or committed after `cursor`.
    fn waiting(&mut self, events: &[Recorded], cursor: u64) -> u64 {
        let committed = self.committed.borrow_and_update().saturating_sub(cursor);
        committed.max(events.len() as u64)
    }

    /// Takes what the writer has handed over, without waiting.
    fn collect(&mut self, events: &mut Vec<Recorded>, cursor: u64) {
        while events.len() < self.options.in_flight {
            match self.batches.try_recv() {
                Ok(batch) => append(events, cursor, batch),
                Err(_) => return,
            }
        }
    }

    /// Waits until there may be something to publish. An idle relay looks after its stream meanwhile.
    async fn wait(&mut self, events: &mut Vec<Recorded>, cursor: u64) -> Result<(), RelayError> {
        let batches_open = !self.batches.is_closed();
        let committed_open = self.committed.has_changed().is_ok();
        tokio::select! {
            () = self.shutdown.cancelled() => Ok(()),
            batch = self.batches.recv(), if batches_open => {
                append(events, cursor, batch.unwrap_or_default());
                Ok(())
            }
            _ = self.committed.changed(), if committed_open => Ok(()),
            () = tokio::time::sleep(LOOK_EVERY) => self.look(cursor).await,
        }
    }

    /// Nothing fails when nothing is published, so a stream that was wiped or fed would stay unnoticed.
    async fn look(&self, cursor: u64) -> Result<(), RelayError> {
        if *self.published.borrow() != cursor {
            return Ok(());
        }
        let stream =
            self.context.get_stream(&self.options.stream).await.map_err(failed("find the stream"))?;
        let found = stream.cached_info().state.last_sequence;
        if found == cursor { Ok(()) } else { Err(RelayError::Moved { published: cursor, found }) }
    }

    /// Reads what follows `cursor` from PostgreSQL, up to the head that the writer vouches for.
    async fn page(&mut self, cursor: u64) -> Result<Vec<Recorded>, RelayError> {
        let committed = *self.committed.borrow_and_update();
        let mut page = self.reader.read(cursor, PAGE).await?;
        page.retain(|event| event.position <= committed);
        match page.first() {
            Some(first) if first.position == cursor + 1 => Ok(page),
            _ => Err(RelayError::Missing { position: cursor + 1 }),
        }
    }

    async fn publish(&self, event: &Recorded, burst: &Burst, inbox: &str) -> Result<(), RelayError> {
        let position = event.position;
        let subject = event
            .nats_subject(&self.options.subject_prefix)
            .map_err(|source| RelayError::Unreadable { position, source })?;
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SEQUENCE, (position - 1).to_string());
        if burst.first == position {
            // A relay that was left behind by a new generation must not write into its stream; the rest of a burst goes
            // where it began.
            headers.insert(NATS_EXPECTED_STREAM, self.options.stream.as_str());
        }
        headers.insert("content-type", CONTENT_TYPE);
        let reply = burst.reply(inbox, position);
        self.nats
            .publish_with_reply_and_headers(subject, reply, headers, event.bytes.clone())
            .await
            .map_err(|source| RelayError::Publish { position, source })
    }
}

/// Consecutive events that are published, and confirmed, as one batch.
#[derive(Debug, Clone)]
struct Burst {
    id: String,
    first: u64,
    last: u64,
}

impl Burst {
    /// The burst of these events, of which there is at least one.
    fn of(publisher: &str, events: &[Recorded]) -> Self {
        let first = events.first().map_or(0, |event| event.position);
        let last = events.last().map_or(first, |event| event.position);
        Self { id: format!("{publisher}-{first}"), first, last }
    }

    /// Where the server answers to the message at this position, and all that it knows of the burst:
    /// `<inbox>.<batch>.<acknowledged every>.<on a gap>.<number>.<operation>.$FI`.
    fn reply(&self, inbox: &str, position: u64) -> String {
        const BEGIN: u8 = 0;
        const APPEND: u8 = 1;
        const COMMIT: u8 = 2;
        let number = position - self.first + 1;
        let operation = match (position == self.last, number) {
            (true, _) => COMMIT,
            (false, 1) => BEGIN,
            (false, _) => APPEND,
        };
        format!("{inbox}.{}.{ACKNOWLEDGED_EVERY}.fail.{number}.{operation}.{FAST_INGEST}", self.id)
    }

    /// Position of the message with this number in the burst of this id.
    fn position_in(id: &str, number: u64) -> u64 {
        let first: u64 = id.rsplit('-').next().and_then(|first| first.parse().ok()).unwrap_or_default();
        first + number.saturating_sub(1)
    }
}

/// What the server says of a burst: so much is stored (`ack`), something is missing (`gap`), a message was refused
/// (`err`); and without a type, that the burst has ended.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Number in the burst; at its end the sequence in the stream.
    #[serde(default)]
    seq: u64,
    /// Messages of the burst that were stored, at its end.
    count: Option<u64>,
    error: Option<jetstream::Error>,
}

/// Keeps of `batch` what follows without a gap. What is left out is read from PostgreSQL when its turn comes.
fn append(events: &mut Vec<Recorded>, cursor: u64, batch: Vec<Recorded>) {
    let mut last = events.last().map_or(cursor, |event| event.position);
    for event in batch {
        if event.position == last + 1 {
            last = event.position;
            events.push(event);
        }
    }
}

/// Takes the server's answers. The first that is not as expected ends the attempt.
struct Confirm<'a> {
    answers: Subscriber,
    inbox: String,
    published: &'a watch::Sender<u64>,
}

impl Confirm<'_> {
    async fn run(mut self, mut bursts: mpsc::Receiver<Burst>, stream: &str) -> Result<(), RelayError> {
        let gauge = metrics::gauge!("concord_relay_published_position", "stream" => stream.to_owned());
        gauge.set(*self.published.borrow() as f64);
        while let Some(burst) = bursts.recv().await {
            self.confirm(&burst).await?;
            gauge.set(burst.last as f64);
        }
        Ok(())
    }

    async fn confirm(&mut self, burst: &Burst) -> Result<(), RelayError> {
        let unanswered = || RelayError::Unanswered { position: *self.published.borrow() + 1 };
        loop {
            let message = match tokio::time::timeout(ANSWER_WITHIN, self.answers.next()).await {
                Ok(Some(message)) => message,
                Ok(None) | Err(_) => return Err(unanswered()),
            };
            let id = self.burst_of(&message).to_owned();
            if message.status == Some(StatusCode::NO_RESPONDERS) {
                return Err(RelayError::NoStream);
            }
            let Ok(answer) = serde_json::from_slice::<Answer>(&message.payload) else {
                return Err(RelayError::Misunderstood { position: burst.first });
            };
            if let Some(source) = answer.error {
                let position = Burst::position_in(&id, answer.seq);
                return Err(RelayError::Refused { position, source });
            }
            match (answer.kind.as_deref(), answer.count) {
                (Some("gap"), _) => {
                    return Err(RelayError::Missed { position: Burst::position_in(&id, answer.seq) });
                }
                // The first word on a burst whose turn has not come.
                (Some("ack"), _) if id != burst.id => {}
                _ if id != burst.id => return Err(RelayError::Misunderstood { position: burst.first }),
                (Some("ack"), _) if answer.seq > 0 => {
                    self.published.send_replace(burst.first + answer.seq - 1);
                }
                (Some("ack"), _) => {}
                (None, Some(count)) if answer.seq == burst.last && count == burst.last - burst.first + 1 => {
                    self.published.send_replace(burst.last);
                    return Ok(());
                }
                (None, Some(_)) => {
                    return Err(RelayError::Misplaced { position: burst.last, sequence: answer.seq });
                }
                _ => return Err(RelayError::Misunderstood { position: burst.first }),
            }
        }
    }

    /// Id of the burst that a message answers to.
    fn burst_of<'m>(&self, message: &'m Message) -> &'m str {
        let rest = message.subject.as_str().strip_prefix(&self.inbox).unwrap_or_default();
        rest.trim_start_matches('.').split('.').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn events(positions: impl IntoIterator<Item = u64>) -> Vec<Recorded> {
        positions.into_iter().map(|position| Recorded { position, bytes: Bytes::new() }).collect()
    }

    fn positions(events: &[Recorded]) -> Vec<u64> {
        events.iter().map(|event| event.position).collect()
    }

    #[test]
    fn a_burst_begins_goes_on_and_is_committed_with_its_last_event() {
        let burst = Burst::of("p", &events(7..=9));
        let replies = [7, 8, 9].map(|position| burst.reply("_INBOX.x", position));
        assert_eq!(
            replies,
            [
                "_INBOX.x.p-7.500.fail.1.0.$FI",
                "_INBOX.x.p-7.500.fail.2.1.$FI",
                "_INBOX.x.p-7.500.fail.3.2.$FI"
            ]
        );
        assert_eq!(Burst::of("p", &events([7])).reply("i", 7), "i.p-7.500.fail.1.2.$FI");
        assert_eq!(Burst::position_in(&burst.id, 3), 9);
    }

    #[test]
    fn a_batch_that_follows_is_taken_and_what_is_known_is_dropped() {
        let mut waiting = Vec::new();
        append(&mut waiting, 3, events(1..=5));
        append(&mut waiting, 3, events(6..=7));
        assert_eq!(positions(&waiting), [4, 5, 6, 7]);
    }

    #[test]
    fn a_batch_behind_a_gap_is_left_to_be_read_from_postgresql() {
        let mut waiting = Vec::new();
        append(&mut waiting, 3, events(5..=6));
        assert!(waiting.is_empty());
        append(&mut waiting, 3, events([4, 6]));
        assert_eq!(positions(&waiting), [4]);
    }
}
