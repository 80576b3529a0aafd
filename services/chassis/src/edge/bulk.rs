//! A stream of chunks of commands.
//!
//! Two tasks share a stream: one reads chunks ahead, the other commits and answers them one after the other. So the
//! commands of a stream keep their order, and the next chunk is parsed while the last one is being committed.

use super::{Caller, Desk, Drafted, Edge};
use crate::{
    grpc::{self, Violations},
    log::{Domain, Receipt},
};
use concord_proto::r#type::v1::{CommandError, CommandResult, command_result};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// Commands of one chunk.
pub const CHUNK_COMMANDS_MAX: usize = 500;
/// Chunks read ahead while one is being committed.
const CHUNKS_AHEAD: usize = 2;

/// A message of a bulk stream: some commands under a number.
pub trait Chunk<C>: Send + 'static {
    /// A command of it, as it travels.
    type Command;
    /// The message that answers it.
    type Answer: Send + 'static;

    /// Its number, and its commands in order.
    fn open(self) -> (u64, Vec<Self::Command>);

    /// Reads one of its commands, by whoever it names, or else by the caller of the stream.
    ///
    /// # Errors
    /// [`Malformed`](super::Malformed) with every fault.
    fn read(edge: Edge<'_>, caller: &Caller, command: Self::Command) -> Drafted<C>;

    /// The answer to the chunk of that number: one result for each command, in order.
    fn answer(chunk: u64, results: Vec<Result<Receipt, Status>>) -> Self::Answer;
}

/// A command that was not accepted, as an answer to a chunk says it.
#[must_use]
pub fn command_error(status: &Status) -> CommandError {
    CommandError {
        code: status.code().into(),
        message: status.message().to_owned(),
        reason: grpc::reason(status),
        status: grpc::status_bytes(status),
    }
}

/// What came of a command, as an answer to a chunk says it.
#[must_use]
pub fn command_result(outcome: Result<Receipt, Status>) -> CommandResult {
    let result = match outcome {
        Ok(receipt) => command_result::Result::Receipt(receipt.into()),
        Err(status) => command_result::Result::Error(command_error(&status)),
    };
    CommandResult { result: Some(result) }
}

/// A chunk's number, and its commands as they could be read.
type Parsed<C> = (u64, Vec<Drafted<C>>);

pub(super) fn answers<D: Domain, K: Chunk<D::Command>>(
    desk: Desk<D>,
    caller: Caller,
    requests: Streaming<K>,
) -> ReceiverStream<Result<K::Answer, Status>> {
    let (parsed, chunks) = mpsc::channel(CHUNKS_AHEAD);
    let (answers, stream) = mpsc::channel(CHUNKS_AHEAD);
    tokio::spawn(read_chunks(desk.clone(), caller, requests, parsed));
    tokio::spawn(answer_chunks::<D, K>(desk, chunks, answers));
    ReceiverStream::new(stream)
}

/// Reads chunks until the stream ends; what ends it early is the last that is passed on.
async fn read_chunks<D: Domain, K: Chunk<D::Command>>(
    desk: Desk<D>,
    caller: Caller,
    mut requests: Streaming<K>,
    parsed: mpsc::Sender<Result<Parsed<D::Command>, Status>>,
) {
    loop {
        let chunk = match requests.message().await {
            Ok(Some(request)) => read_chunk(&desk, &caller, request),
            Ok(None) => return,
            Err(broken) => Err(broken),
        };
        let ends = chunk.is_err();
        if parsed.send(chunk).await.is_err() || ends {
            return;
        }
    }
}

fn read_chunk<D: Domain, K: Chunk<D::Command>>(
    desk: &Desk<D>,
    caller: &Caller,
    request: K,
) -> Result<Parsed<D::Command>, Status> {
    let (chunk, commands) = request.open();
    if commands.len() > CHUNK_COMMANDS_MAX {
        let mut faults = Violations::new(D::error_domain());
        faults.add("commands", format!("are {}; {CHUNK_COMMANDS_MAX} are the most", commands.len()));
        faults.finish::<()>(None)?;
    }
    let edge = desk.edge();
    Ok((chunk, commands.into_iter().map(|command| K::read(edge, caller, command)).collect()))
}

/// Commits and answers chunks in order, until there are no more, or nobody listens.
async fn answer_chunks<D: Domain, K: Chunk<D::Command>>(
    desk: Desk<D>,
    mut chunks: mpsc::Receiver<Result<Parsed<D::Command>, Status>>,
    answers: mpsc::Sender<Result<K::Answer, Status>>,
) {
    while let Some(chunk) = chunks.recv().await {
        let answer = match chunk {
            Ok((chunk, drafts)) => Ok(K::answer(chunk, desk.execute_chunk(drafts).await)),
            Err(status) => Err(status),
        };
        if answers.send(answer).await.is_err() {
            return;
        }
    }
}
