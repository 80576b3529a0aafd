//! The stream against the log: every message, byte for byte, at the sequence that is its event's position.

use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::jetstream::stream::{Info, Stream};
use async_nats::jetstream::{self, ErrorCode, context::GetStreamErrorKind};
use bytes::Bytes;
use concord_chassis::record::Recorded;
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Standstill;
use super::faults::{Faults, Rule};
use super::reading::Chunk;
use crate::errors::CliError;

/// How long nats-server may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A stream as it was found.
pub(super) struct StreamSide {
    stream: Stream,
    name: String,
    /// Sequence from which on messages must be there.
    first: u64,
    /// Its last sequence.
    pub(super) last: u64,
}

/// What of the stream was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamProof {
    /// Name of the stream.
    pub name: String,
    /// First position compared; what is before it has left the stream.
    pub from: u64,
    /// Last position compared.
    pub to: u64,
}

/// Finds the stream, and waits until it has reached `head`, or stands still for longer than `patience`.
pub(super) async fn find(
    nats_url: &str,
    name: &str,
    head: u64,
    patience: Duration,
    faults: &mut Faults,
) -> Result<Option<StreamSide>, CliError> {
    let client = async_nats::ConnectOptions::new()
        .name("concord log check")
        .connection_timeout(ANSWER_WITHIN)
        .connect(nats_url)
        .await
        .map_err(|error| {
            CliError::failed(format!(
                "NATS cannot be reached at {nats_url} ({error}). Name another address with --nats-url, or leave the stream \
                 out with --without stream. 无法连接 NATS。"
            ))
        })?;
    let context = jetstream::new(client);
    let mut standstill = Standstill::of("stream 消息流", head, patience);
    loop {
        let stream = match context.get_stream(name).await {
            Ok(stream) => Some(stream),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(told) if told.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                    None
                }
                _ => return Err(failed("describe the stream")(error)),
            },
        };
        let last = stream.as_ref().map_or(0, |stream| stream.cached_info().state.last_sequence);
        if (stream.is_none() || last < head) && standstill.may_move_on(last) {
            tokio::time::sleep(Standstill::LOOK_EVERY).await;
            continue;
        }
        let Some(stream) = stream else {
            faults.add(Rule::StreamAbsent, head, format!("a stream {name}"), "none");
            return Ok(None);
        };
        if last < head {
            let found = format!("position {last}, behind by {}", head - last);
            faults.add(Rule::StreamBehind, last + 1, format!("position {head}"), found);
        }
        let first = first_due(stream.cached_info());
        return Ok(Some(StreamSide { stream, name: name.to_owned(), first, last }));
    }
}

/// Sequence from which on messages must be there. Where a stream keeps everything, nothing at its front can have aged
/// out: what is not there is missing.
fn first_due(info: &Info) -> u64 {
    let config = &info.config;
    let forgets = !config.max_age.is_zero()
        || config.max_messages > 0
        || config.max_bytes > 0
        || config.first_sequence.is_some_and(|first| first > 1);
    if forgets { info.state.first_sequence.max(1) } else { 1 }
}

impl StreamSide {
    /// Compares the events as they are read from the log, up to `head`, with the messages.
    pub(super) async fn compare(
        self,
        head: u64,
        mut chunks: mpsc::Receiver<Chunk>,
    ) -> Result<(StreamProof, Faults), CliError> {
        let to = head.min(self.last);
        let mut faults = Faults::default();
        let mut messages = Messages::of(&self, to).await?;
        let (mut prefix, mut read) = (String::new(), 0);
        while let Some(chunk) = chunks.recv().await {
            for event in chunk.iter() {
                // A position that goes back is a fault of the log, and told as one.
                if event.position <= read || event.position < self.first || event.position > to {
                    continue;
                }
                read = event.position;
                if prefix.is_empty() {
                    prefix = subject_prefix(event);
                }
                while let Some(message) = messages.before(event.position).await? {
                    faults.add(
                        Rule::StreamDiffers,
                        message.sequence,
                        "no message, as the log has no event",
                        "a message",
                    );
                }
                match messages.at(event.position).await? {
                    None => faults.add(Rule::StreamMissing, event.position, "the event", "no message"),
                    Some(message) => agree(event, &message, &prefix, &mut faults),
                }
            }
        }
        while let Some(message) = messages.before(u64::MAX).await? {
            let expected = format!("nothing after position {read}, where the log ends");
            faults.add(Rule::StreamBeyond, message.sequence, expected, "a message");
        }
        Ok((StreamProof { name: self.name, from: self.first, to }, faults))
    }
}

fn agree(event: &Recorded, message: &Message, prefix: &str, faults: &mut Faults) {
    faults.differ(Rule::StreamDiffers, event.position, &event.bytes, &message.payload);
    // An event that does not read is told elsewhere.
    if let Ok(subject) = event.nats_subject(prefix) {
        faults.compare(Rule::StreamSubject, event.position, subject.as_str(), &message.subject);
    }
}

/// What the subjects of a log begin with, from the source of one of its events: `/concord/<cell>/<log>/<generation>`.
fn subject_prefix(event: &Recorded) -> String {
    let source = event.envelope().map(|envelope| envelope.source.to_string()).unwrap_or_default();
    let mut parts: Vec<&str> = source.split('/').filter(|part| !part.is_empty()).collect();
    parts.pop();
    parts.join(".")
}

struct Message {
    sequence: u64,
    subject: String,
    payload: Bytes,
}

/// The stream's messages in order, up to a sequence.
struct Messages {
    consumer: Option<Ordered>,
    to: u64,
    held: Option<Message>,
}

impl Messages {
    async fn of(side: &StreamSide, to: u64) -> Result<Self, CliError> {
        if side.stream.cached_info().state.messages == 0 || to < side.first {
            return Ok(Self { consumer: None, to, held: None });
        }
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: side.first },
            description: Some("concord log check".to_owned()),
            ..OrderedConfig::default()
        };
        let consumer = side.stream.create_consumer(config).await.map_err(failed("make a consumer"))?;
        let messages = consumer.messages().await.map_err(failed("deliver the stream"))?;
        Ok(Self { consumer: Some(messages), to, held: None })
    }

    /// The next message, where it is below `sequence`.
    async fn before(&mut self, sequence: u64) -> Result<Option<Message>, CliError> {
        self.hold().await?;
        Ok(self.held.take_if(|message| message.sequence < sequence))
    }

    /// The next message, where it is at `sequence`.
    async fn at(&mut self, sequence: u64) -> Result<Option<Message>, CliError> {
        self.hold().await?;
        Ok(self.held.take_if(|message| message.sequence == sequence))
    }

    async fn hold(&mut self) -> Result<(), CliError> {
        let (None, Some(consumer)) = (&self.held, &mut self.consumer) else {
            return Ok(());
        };
        let next = timeout(ANSWER_WITHIN, consumer.next()).await;
        let message = match next {
            Ok(Some(message)) => message.map_err(failed("deliver the stream"))?,
            Ok(None) => return Err(broke_off("the stream's messages ended")),
            Err(_) => return Err(broke_off("nats-server sends no more of the stream")),
        };
        let info = message.info().map_err(|error| broke_off(&error.to_string()))?;
        let sequence = info.stream_sequence;
        // Nothing is pending behind the last message that there is, and no waiting would bring more.
        if info.pending == 0 || sequence >= self.to {
            self.consumer = None;
        }
        if sequence <= self.to {
            let jetstream::Message { message, .. } = message;
            self.held =
                Some(Message { sequence, subject: message.subject.to_string(), payload: message.payload });
        }
        Ok(())
    }
}

fn failed<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> CliError {
    move |error| broke_off(&format!("JetStream could not {what}: {error}"))
}

fn broke_off(why: &str) -> CliError {
    CliError::failed(format!(
        "{why}. The stream may have been made anew meanwhile: check again. 消息流读取中断，请重试。"
    ))
}
