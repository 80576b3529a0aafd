//! The gRPC client of the load.

use crate::payments::Call;
use crate::transport::Transport;
use crate::wire::{Answer, ChunkAnswer, Positions, Raw, bulk_path};
use anyhow::{Context, Result};
use bytes::Bytes;
use concord_proto::fund::v1::{BulkCommand, ExecuteCommandsRequest};
use http::Uri;
use prost::Message;
use std::collections::VecDeque;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Request};

/// Commands in a chunk of the bulk stream, as `concord import` sends them.
pub(crate) const CHUNK_COMMANDS: usize = 250;
/// Chunks that are in flight.
const WINDOW: usize = 4;

/// Opens `count` HTTP/2 connections.
pub(crate) async fn connect(address: &str, count: usize) -> Result<Vec<Client>> {
    let origin: Uri = address.parse().with_context(|| format!("{address} as an address"))?;
    let mut clients = Vec::with_capacity(count);
    for _ in 0..count.max(1) {
        let transport = Transport::connect(&origin).await.with_context(|| format!("connect to {address}"))?;
        clients.push(Client { grpc: Grpc::with_origin(transport, origin.clone()) });
    }
    Ok(clients)
}

/// One connection.
#[derive(Clone)]
pub(crate) struct Client {
    grpc: Grpc<Transport>,
}

impl Client {
    /// Sends one command and waits for its receipt.
    ///
    /// # Errors
    /// Where it is refused or changes nothing.
    pub(crate) async fn send(&mut self, call: Call) -> Result<Positions> {
        let mut metadata = MetadataMap::with_capacity(4);
        metadata.insert("concord-actor", call.actor.parse()?);
        let request = Request::from_parts(metadata, Extensions::default(), call.message);
        self.grpc.ready().await?;
        let answer = self.grpc.unary(request, call.rpc.path(), Raw::<Answer>::default()).await;
        answer.with_context(|| format!("{:?} was not accepted", call.rpc))?.into_inner().positions()
    }

    /// Sends chunks over the bulk stream, a window of them in flight; returns the last position.
    ///
    /// # Errors
    /// Where a command is refused or changes nothing.
    pub(crate) async fn bulk(&mut self, mut chunks: impl Iterator<Item = Chunk>) -> Result<u64> {
        let (sender, receiver) = mpsc::channel(WINDOW);
        self.grpc.ready().await?;
        let requests = Request::new(ReceiverStream::new(receiver));
        let stream = self.grpc.streaming(requests, bulk_path(), Raw::<ChunkAnswer>::default());
        let mut answers = stream.await?.into_inner();
        let mut in_flight = VecDeque::with_capacity(WINDOW);
        let mut last = 0;
        loop {
            while in_flight.len() < WINDOW
                && let Some(chunk) = chunks.next()
            {
                in_flight.push_back(chunk.commands);
                sender.send(chunk.message).await?;
            }
            let Some(commands) = in_flight.pop_front() else {
                return Ok(last);
            };
            let answer = answers.message().await?.context("the stream ended with a chunk unanswered")?;
            last = answer.last_position(commands)?;
        }
    }
}

/// Commands as one message of the bulk stream.
pub(crate) struct Chunk {
    commands: usize,
    message: Bytes,
}

impl Chunk {
    /// Encodes them.
    pub(crate) fn of(commands: Vec<BulkCommand>) -> Self {
        let count = commands.len();
        let message = ExecuteCommandsRequest { chunk: 1, commands }.encode_to_vec().into();
        Self { commands: count, message }
    }
}
