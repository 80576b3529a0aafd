//! The log as stored: documents, hashes, and what PostgreSQL and NATS hold.

use crate::desk::{Desk, plain};
use crate::stack::{PATIENCE, Stack};
use anyhow::{Context, Result, bail};
use async_nats::jetstream::{self, consumer::pull::OrderedConfig};
use concord_proto::log::v1::{ReadLogRequest, RecordedEvent};
use futures::StreamExt;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio_postgres::NoTls;

/// An event as one of its three holders has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Position in the log, or sequence in the stream.
    pub position: u64,
    /// The document.
    pub bytes: Vec<u8>,
}

impl Stored {
    /// The CloudEvents document.
    #[must_use]
    pub fn document(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("an event is JSON")
    }

    /// RFC 6962: SHA-256 over a zero byte and the document.
    #[must_use]
    pub fn leaf_hash(&self) -> Vec<u8> {
        Sha256::new().chain_update([0]).chain_update(&self.bytes).finalize().to_vec()
    }

    /// An attribute of the document, which is text.
    #[must_use]
    pub fn attribute(&self, name: &str) -> String {
        self.document()[name].as_str().unwrap_or_default().to_owned()
    }
}

impl From<RecordedEvent> for Stored {
    fn from(event: RecordedEvent) -> Self {
        Self { position: event.position, bytes: event.cloud_event.into() }
    }
}

/// The events of a range of the log, as `ReadLog` gives them.
pub async fn read_log(desk: &Desk, from_position: u64, to_position: u64) -> Result<Vec<Stored>> {
    let mut chunks =
        desk.log().read_log(plain(ReadLogRequest { from_position, to_position })).await?.into_inner();
    let mut events = Vec::new();
    while let Some(chunk) = chunks.message().await? {
        events.extend(chunk.events.into_iter().map(Stored::from));
    }
    Ok(events)
}

/// Where each request's events are.
#[must_use]
pub fn positions_by_request(events: &[Stored]) -> BTreeMap<String, Vec<u64>> {
    let mut positions: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for event in events {
        positions.entry(event.attribute("requestid")).or_default().push(event.position);
    }
    positions
}

/// A connection to one of the stack's databases.
pub async fn postgres(stack: &Stack, database: &str) -> Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(&stack.database_url(database)?, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// All events as PostgreSQL holds them.
pub async fn in_postgres(stack: &Stack) -> Result<Vec<Stored>> {
    let client = postgres(stack, "fund_grant").await?;
    let rows = client
        .query("SELECT position, convert_from(record, 'UTF8') FROM events ORDER BY position", &[])
        .await?;
    let stored = |row: tokio_postgres::Row| {
        Ok(Stored { position: row.get::<_, i64>(0).try_into()?, bytes: row.get::<_, String>(1).into_bytes() })
    };
    rows.into_iter().map(stored).collect()
}

/// The events up to a position as JetStream holds them, once it has them all.
pub async fn in_nats(stack: &Stack, desk: &Desk, up_to: u64) -> Result<Vec<Stored>> {
    let name = desk.status().await?.stream;
    let context = jetstream::new(async_nats::connect(stack.nats_url()?).await?);
    eventually("the relay has published it all", async || {
        let mut stream = context.get_stream(&name).await.ok()?;
        (stream.info().await.ok()?.state.last_sequence >= up_to).then_some(())
    })
    .await?;
    let stream = context.get_stream(&name).await?;
    let consumer = stream.create_consumer(OrderedConfig::default()).await?;
    let mut messages = consumer.messages().await?;
    let mut events = Vec::new();
    while (events.len() as u64) < up_to {
        let next = tokio::time::timeout(PATIENCE, messages.next()).await?;
        let message = next.context("the stream ended")??;
        let position = message.info().map_err(|error| anyhow::anyhow!("{error}"))?.stream_sequence;
        events.push(Stored { position, bytes: message.payload.to_vec() });
    }
    Ok(events)
}

/// Asks again and again until there is an answer.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return Ok(answer);
        }
        if started.elapsed() > PATIENCE {
            bail!("in {PATIENCE:?} it did not come to be that {what}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
