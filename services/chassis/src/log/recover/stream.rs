//! Reads a log's stream from one sequence to another, as fast as it delivers.

use super::{ANSWER_WITHIN, Ground, RecoverError, Span};
use crate::relay::is_no_stream;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use bytes::Bytes;
use futures::StreamExt;
use serde::Deserialize;
use std::borrow::Cow;
use uuid::Uuid;

/// What an event says of where it belongs.
pub(super) struct Place {
    pub(super) source: String,
    pub(super) position: u64,
    /// Position of the last event of its command.
    command_last: u64,
    pub(super) request_id: Uuid,
}

impl Place {
    /// Whether it is its command's last event.
    pub(super) fn ends_command(&self) -> bool {
        self.command_last == self.position
    }
}

/// Where a message belongs; `None` where it is no event.
pub(super) fn place_of(bytes: &[u8]) -> Option<Place> {
    #[derive(Deserialize)]
    struct Attributes<'a> {
        #[serde(borrow)]
        source: Cow<'a, str>,
        #[serde(borrow)]
        position: Cow<'a, str>,
        #[serde(borrow, default)]
        commandlast: Option<Cow<'a, str>>,
        requestid: Uuid,
    }
    let found: Attributes<'_> = serde_json::from_slice(bytes).ok()?;
    let position = found.position.parse().ok()?;
    let command_last = found.commandlast.map_or(Some(position), |last| last.parse().ok())?;
    Some(Place { source: found.source.into_owned(), position, command_last, request_id: found.requestid })
}

fn failed<E>(what: &'static str) -> impl Fn(E) -> RecoverError
where
    E: Into<async_nats::Error>,
{
    move |source| RecoverError::Stream { what, source: source.into() }
}

impl Ground {
    /// What the log's stream spans; `None` where there is none, or nothing in it.
    pub(super) async fn span(&self) -> Result<Option<Span>, RecoverError> {
        let name = self.standing.identity.stream();
        match self.context.get_stream(&name).await {
            Ok(stream) => {
                let state = &stream.cached_info().state;
                let span = Span { first: state.first_sequence, last: state.last_sequence };
                Ok((state.messages > 0).then_some(span))
            }
            Err(error) if is_no_stream(&error) => Ok(None),
            Err(error) => Err(failed("describe itself")(error)),
        }
    }

    /// The messages from `first` to `last`.
    pub(super) async fn messages(&self, first: u64, last: u64) -> Result<Messages, RecoverError> {
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: first },
            description: Some("concord log recover".to_owned()),
            ..OrderedConfig::default()
        };
        let name = self.standing.identity.stream();
        let consumer =
            self.context.create_consumer_on_stream(config, name).await.map_err(failed("make a consumer"))?;
        let left = consumer.cached_info().num_pending;
        let messages = consumer.messages().await.map_err(failed("deliver"))?;
        Ok(Messages { messages, left, last, ahead: None })
    }
}

/// Messages in the order of their sequences.
pub(super) struct Messages {
    messages: Ordered,
    /// Messages that are still to come, whether wanted or not.
    left: u64,
    last: u64,
    /// The next message, where one before it was asked for and is not there.
    ahead: Option<(u64, Bytes)>,
}

impl Messages {
    /// The message at this sequence; `None` where there is none. Sequences are asked for in order.
    pub(super) async fn at(&mut self, sequence: u64) -> Result<Option<Bytes>, RecoverError> {
        loop {
            if self.ahead.is_none() && self.left > 0 && sequence <= self.last {
                self.ahead = Some(self.next(sequence).await?);
            }
            match self.ahead.take() {
                Some((found, bytes)) if found == sequence => return Ok(Some(bytes)),
                // A consumer that had to be made anew begins at the beginning.
                Some((found, _)) if found < sequence => {}
                ahead => {
                    self.ahead = ahead;
                    return Ok(None);
                }
            }
        }
    }

    async fn next(&mut self, sequence: u64) -> Result<(u64, Bytes), RecoverError> {
        let next = tokio::time::timeout(ANSWER_WITHIN, self.messages.next()).await;
        let message =
            next.ok().flatten().ok_or(RecoverError::Silent(sequence))?.map_err(failed("deliver"))?;
        let info = message.info().map_err(failed("number its messages"))?;
        let found = info.stream_sequence;
        self.left = info.pending;
        Ok((found, message.message.payload))
    }
}
