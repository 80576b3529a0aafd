//! The pipeline: gathers events, publishes them without waiting for each, and confirms them in order.

use super::stream::failed;
use super::{RelayError, RelayOptions};
use crate::log::LogReader;
use crate::record::Recorded;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Events read from PostgreSQL at once.
const PAGE: u32 = 1_000;
/// With fewer events than this in hand, the relay waits a moment for more.
const FEW: u64 = 256;
/// How often an idle relay looks whether the stream is as it left it.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// What a message holds: one CloudEvents document, in structured mode.
const CONTENT_TYPE: &str = "application/cloudevents+json";

/// A publish that waits for its acknowledgement.
type Sent = (u64, PublishAckFuture);

pub(super) struct Pipeline<'a> {
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
        let (sent, acks) = mpsc::channel(self.options.in_flight.max(1));
        let confirm = confirm(acks, self.published, self.options);
        tokio::try_join!(self.send(cursor, sent), confirm)?;
        Ok(())
    }

    async fn send(mut self, mut cursor: u64, sent: mpsc::Sender<Sent>) -> Result<(), RelayError> {
        let gather = Duration::from_millis(self.options.gather_ms);
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
            for event in events.drain(..) {
                let ack = self.publish(&event).await?;
                cursor = event.position;
                if sent.send((cursor, ack)).await.is_err() {
                    // The confirming side has failed; its error is the one to report.
                    return Ok(());
                }
            }
        }
    }

    /// Events in hand or committed after `cursor`.
    fn waiting(&mut self, events: &[Recorded], cursor: u64) -> u64 {
        let committed = self.committed.borrow_and_update().saturating_sub(cursor);
        committed.max(events.len() as u64)
    }

    /// Takes what the writer has handed over, without waiting.
    fn collect(&mut self, events: &mut Vec<Recorded>, cursor: u64) {
        while events.len() < self.options.in_flight.max(1) {
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

    async fn publish(&self, event: &Recorded) -> Result<PublishAckFuture, RelayError> {
        let position = event.position;
        let subject = event
            .nats_subject(&self.options.subject_prefix)
            .map_err(|source| RelayError::Unreadable { position, source })?;
        let message = PublishMessage::build()
            .payload(event.bytes.clone())
            .expected_last_sequence(position - 1)
            // A relay that was left behind by a new generation must not write into its stream.
            .expected_stream(&self.options.stream)
            .header("content-type", CONTENT_TYPE);
        self.context
            .send_publish(subject, message)
            .await
            .map_err(|source| RelayError::Publish { position, source })
    }
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

/// Awaits the acknowledgements in order. The first that is not as expected ends the attempt.
async fn confirm(
    mut acks: mpsc::Receiver<Sent>,
    published: &watch::Sender<u64>,
    options: &RelayOptions,
) -> Result<(), RelayError> {
    let gauge = metrics::gauge!("concord_relay_published_position", "stream" => options.stream.clone());
    gauge.set(*published.borrow() as f64);
    while let Some((position, ack)) = acks.recv().await {
        let ack = ack.await.map_err(|source| RelayError::Publish { position, source })?;
        if ack.sequence != position || ack.duplicate {
            return Err(RelayError::Misplaced { position, sequence: ack.sequence });
        }
        published.send_replace(position);
        gauge.set(position as f64);
    }
    Ok(())
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
