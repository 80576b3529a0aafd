//! The stream that carries a log: making it, and judging whether it still agrees with PostgreSQL.

use super::{Divergence, RelayError, RelayOptions};
use crate::log::LogReader;
use crate::record::{Envelope, Recorded};
use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, RawMessageError, RawMessageErrorKind, RetentionPolicy, StorageType, Stream,
};
use async_nats::jetstream::{Context, ErrorCode};
use futures::{StreamExt, TryStreamExt};
use std::ops::RangeInclusive;
use std::time::Duration;
use tracing::warn;

/// Events read from PostgreSQL at once, to be compared.
const PAGE: u32 = 1_000;
/// Messages asked for at once, to be compared.
const REQUESTS_AT_ONCE: usize = 64;

/// How a stream compares with the log.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The newest messages are the events at their positions, or nothing is left to compare.
    Agrees {
        /// Last sequence of the stream.
        last: u64,
    },
    /// The stream holds what is no event of this log at that position. Deleting it loses nothing.
    Stray { sequence: u64, head: u64 },
    /// The stream holds events of this log that PostgreSQL does not.
    Diverged(Divergence),
}

/// Wraps a failed request to JetStream.
pub(super) fn failed<E>(what: &'static str) -> impl Fn(E) -> RelayError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |source| RelayError::JetStream { what, source: Box::new(source) }
}

fn config(options: &RelayOptions) -> Config {
    Config {
        name: options.stream.clone(),
        subjects: vec![subjects(options)],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::Old,
        num_replicas: options.replicas.max(1),
        max_age: options.max_age,
        allow_direct: true,
        allow_batch_publish: true,
        // A single message deleted or purged would leave a hole. Who wants the stream emptied deletes the whole of it,
        // and the relay fills it again.
        deny_delete: true,
        deny_purge: true,
        first_sequence: Some(1),
        description: Some(
            "Events of one Concord log; sequence = position. Filled again from PostgreSQL.".to_owned(),
        ),
        ..Config::default()
    }
}

/// What PostgreSQL lost of this stream as it stands; `None` also where there is no stream.
pub(super) async fn compare_as_it_is(
    context: &Context,
    reader: &LogReader,
    options: &RelayOptions,
) -> Result<Option<Divergence>, RelayError> {
    let stream = match context.get_stream(&options.stream).await {
        Ok(stream) => stream,
        Err(error) if is_no_stream(&error) => return Ok(None),
        Err(error) => return Err(failed("find the stream")(error)),
    };
    match survey(&stream, reader, options).await? {
        Verdict::Diverged(divergence) => Ok(Some(divergence)),
        Verdict::Agrees { .. } | Verdict::Stray { .. } => Ok(None),
    }
}

/// Whether JetStream answered that there is no such stream.
pub(crate) fn is_no_stream(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// Takes the log's subjects from the stream of an earlier generation. That keeps its messages, which may be the only
/// copy of what PostgreSQL lost, and takes no more.
async fn retire_earlier(context: &Context, options: &RelayOptions) -> Result<(), RelayError> {
    let Ok(holder) = context.stream_by_subject(subjects(options)).await else {
        return Ok(());
    };
    if !is_earlier(&holder, &options.stream) {
        return Ok(());
    }
    let stream = context.get_stream(&holder).await.map_err(failed("find the earlier generation's stream"))?;
    let mut retired = stream.cached_info().config.clone();
    retired.subjects = vec![holder.clone()];
    retired.max_age = Duration::ZERO;
    context.update_stream(&retired).await.map_err(failed("retire the earlier generation's stream"))?;
    warn!(
        stream = %holder, successor = %options.stream,
        "the stream of an earlier generation takes no more events; delete it once nobody needs what it holds"
    );
    Ok(())
}

/// Whether a stream belongs to an earlier generation of the same log: their names end in the generation.
fn is_earlier(name: &str, than: &str) -> bool {
    let split = |name: &str| {
        let (log, generation) = name.rsplit_once('_')?;
        Some((log.to_owned(), generation.parse::<u32>().ok()?))
    };
    match (split(name), split(than)) {
        (Some((log, generation)), Some((ours, now))) => log == ours && generation < now,
        _ => false,
    }
}

fn subjects(options: &RelayOptions) -> String {
    format!("{}.>", options.subject_prefix)
}

/// Finds the stream or makes it, and brings what may be changed of its configuration up to date.
pub(super) async fn ensure(context: &Context, options: &RelayOptions) -> Result<Stream, RelayError> {
    let wanted = config(options);
    retire_earlier(context, options).await?;
    let stream =
        context.get_or_create_stream(wanted.clone()).await.map_err(failed("find or make the stream"))?;
    let mut present = stream.cached_info().config.clone();
    if present.num_replicas != wanted.num_replicas
        || present.max_age != wanted.max_age
        || present.subjects != wanted.subjects
        || present.allow_batch_publish != wanted.allow_batch_publish
    {
        let takes_bursts = present.allow_batch_publish;
        present.num_replicas = wanted.num_replicas;
        present.max_age = wanted.max_age;
        present.subjects = wanted.subjects;
        present.allow_batch_publish = wanted.allow_batch_publish;
        if let Err(error) = context.update_stream(&present).await {
            if !takes_bursts {
                return Err(failed("let the stream take bursts")(error));
            }
            // Otherwise as it was it carries events just as well.
            warn!(
                stream = %options.stream, error = &error as &dyn std::error::Error,
                "the stream's configuration could not be changed"
            );
        }
    }
    Ok(stream)
}

/// Deletes the stream and makes it anew, to be filled from position 1.
pub(super) async fn recreate(context: &Context, options: &RelayOptions) -> Result<(), RelayError> {
    context.delete_stream(&options.stream).await.map_err(failed("delete the stream"))?;
    context.create_stream(config(options)).await.map_err(failed("make the stream"))?;
    Ok(())
}

/// Compares the stream's newest messages with the events at their positions.
///
/// The newest alone does not tell. A stray message takes the sequence of one event, which is refused; but the event
/// after that expects just that sequence, and was under way already. As many may be in place behind a stray as may be
/// unacknowledged at once, so that many are compared.
pub(super) async fn survey(
    stream: &Stream,
    reader: &LogReader,
    options: &RelayOptions,
) -> Result<Verdict, RelayError> {
    let state = stream.get_info().await.map_err(failed("describe the stream"))?.state;
    let last = state.last_sequence;
    // Read after the stream: what had been published by then was committed before, so an honest stream is not ahead.
    let head = reader.head().await?;
    let window = options.in_flight.max(1) as u64;

    let shared = last.min(head);
    let oldest = state.first_sequence.max(shared.saturating_sub(window) + 1);
    let comparison = compare(stream, reader, oldest, shared).await?;
    if let Some(position) = comparison.other_history {
        return Ok(Verdict::Diverged(Divergence::OtherHistory { position }));
    }
    if last > head {
        // Nearest to the head and newest: what lies before the stream's window is gone, and strays may lie between.
        let from = state.first_sequence.max(head + 1);
        let near = messages(stream, from..=last.min(from.saturating_add(window)));
        let newest = messages(stream, from.max(last.saturating_sub(window))..=last);
        let ours = if head > 0 { Some(event_at(reader, head).await?) } else { None };
        let lost = near.chain(newest).try_any(|(_, message)| {
            std::future::ready(message.is_some_and(|message| is_event_of(&message, ours.as_ref())))
        });
        return Ok(if lost.await? {
            Verdict::Diverged(Divergence::LogWentBack { head, stream_last: last })
        } else {
            Verdict::Stray { sequence: comparison.stray.unwrap_or(head + 1), head }
        });
    }
    if let Some(sequence) = comparison.stray {
        return Ok(Verdict::Stray { sequence, head });
    }
    if comparison.equal == 0 && last > 0 {
        return unverified(stream, reader, options, last).await;
    }
    Ok(Verdict::Agrees { last })
}

/// What came of comparing.
#[derive(Debug, Default)]
struct Comparison {
    equal: u64,
    /// First sequence that holds no event of this log.
    stray: Option<u64>,
    /// First position at which the stream has another event of this log.
    other_history: Option<u64>,
}

async fn compare(stream: &Stream, reader: &LogReader, from: u64, to: u64) -> Result<Comparison, RelayError> {
    let mut comparison = Comparison::default();
    let mut next = from;
    while next <= to {
        let events = reader.read(next - 1, PAGE).await?;
        let page_end = events.last().map_or(0, |event| event.position).min(to);
        if events.first().is_none_or(|event| event.position != next) {
            return Err(RelayError::Missing { position: next });
        }
        let mut messages =
            std::pin::pin!(messages(stream, next..=page_end).zip(futures::stream::iter(events)));
        while let Some((answer, ours)) = messages.next().await {
            let (position, message) = answer?;
            match message {
                None => {}
                Some(message) if message.payload == ours.bytes => comparison.equal += 1,
                Some(message) if is_event_of(&message, Some(&ours)) => {
                    comparison.other_history = Some(position);
                    return Ok(comparison);
                }
                Some(_) => comparison.stray = comparison.stray.or(Some(position)),
            }
        }
        next = page_end + 1;
    }
    Ok(comparison)
}

/// The last messages aged out or were lost: the newest that is left must do.
async fn unverified(
    stream: &Stream,
    reader: &LogReader,
    options: &RelayOptions,
    last: u64,
) -> Result<Verdict, RelayError> {
    let survivor = found(stream.get_last_raw_message_by_subject(&subjects(options)).await)?;
    let Some(message) = survivor else {
        warn!(stream = %options.stream, last, "the stream holds no message to compare with the log");
        return Ok(Verdict::Agrees { last });
    };
    let ours = event_at(reader, message.sequence).await?;
    if ours.bytes == message.payload {
        warn!(
            stream = %options.stream, verified = message.sequence, last,
            "the stream's last messages are gone and cannot be compared with the log"
        );
        return Ok(Verdict::Agrees { last });
    }
    Ok(if is_event_of(&message, Some(&ours)) {
        Verdict::Diverged(Divergence::OtherHistory { position: message.sequence })
    } else {
        Verdict::Stray { sequence: message.sequence, head: last }
    })
}

/// The messages at these sequences, in order; `None` where there is none any more. From the stream's leader: another
/// member may lag.
fn messages(
    stream: &Stream,
    sequences: RangeInclusive<u64>,
) -> impl futures::Stream<Item = Result<(u64, Option<StreamMessage>), RelayError>> {
    futures::stream::iter(sequences)
        .map(move |sequence| async move { Ok((sequence, found(stream.get_raw_message(sequence).await)?)) })
        .buffered(REQUESTS_AT_ONCE)
}

/// Whether the message is an event of the same log as `ours`, made for the position it is at.
fn is_event_of(message: &StreamMessage, ours: Option<&Recorded>) -> bool {
    let Ok(theirs) = serde_json::from_slice::<Envelope<'_>>(&message.payload) else {
        return false;
    };
    let same_log = match ours.map(Recorded::envelope) {
        Some(Ok(ours)) => log_of(&ours.source) == log_of(&theirs.source),
        _ => true,
    };
    theirs.position == message.sequence && same_log
}

/// The log that a `source` names, whatever its generation: one log holds events of all that it had.
pub(crate) fn log_of(source: &str) -> &str {
    source.rsplit_once('/').map_or(source, |(log, _)| log)
}

async fn event_at(reader: &LogReader, position: u64) -> Result<Recorded, RelayError> {
    let page = reader.read(position.saturating_sub(1), 1).await?;
    page.into_iter().find(|event| event.position == position).ok_or(RelayError::Missing { position })
}

/// Absence is an answer, not a failure.
fn found(answer: Result<StreamMessage, RawMessageError>) -> Result<Option<StreamMessage>, RelayError> {
    match answer {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(failed("return a message")(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_earlier, log_of};

    #[test]
    fn an_earlier_generation_of_the_same_log_is_told_from_any_other_stream() {
        assert!(is_earlier("concord_local_fund-grant_1", "concord_local_fund-grant_2"));
        assert!(is_earlier("concord_local_fund-grant_9", "concord_local_fund-grant_10"));
        assert!(!is_earlier("concord_local_fund-grant_2", "concord_local_fund-grant_2"));
        assert!(!is_earlier("concord_local_fund-grant_3", "concord_local_fund-grant_2"));
        assert!(!is_earlier("concord_local_agreement_1", "concord_local_fund-grant_2"));
        assert!(!is_earlier("ORDERS", "concord_local_fund-grant_2"));
    }

    #[test]
    fn a_source_names_its_log_and_its_generation() {
        assert_eq!(log_of("/concord/local/fund-grant/1"), log_of("/concord/local/fund-grant/2"));
        assert_ne!(log_of("/concord/local/fund-grant/1"), log_of("/concord/local/agreement/1"));
    }
}
