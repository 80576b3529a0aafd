//! Sends many commands over a service's `ExecuteCommands`, in order, and survives a broken stream.
//!
//! Commands go out in chunks, a few of them in flight; the server decides them one after the other, so the commands of
//! one aggregate keep their order. When the stream breaks, or a command could not be decided for now, everything from the
//! first unanswered chunk on is sent again with the same request ids: an accepted command gives its first answer, and
//! a refusal, perhaps only a consequence of the undecided one, is decided anew.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use concord_proto::agreement::v1 as agreement;
use concord_proto::agreement::v1::agreement_service_client::AgreementServiceClient;
use concord_proto::fund::v1 as fund;
use concord_proto::fund::v1::grant_service_client::GrantServiceClient;
use concord_proto::r#type::v1::{CommandError, CommandReceipt, CommandResult, command_result};
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::connect::Stamped;

/// Commands in a chunk: the best size that was measured.
const CHUNK_COMMANDS: usize = 250;
/// A chunk of long rows is cut here, well below gRPC's customary 4 MiB.
const CHUNK_BYTES_MAX: usize = 1 << 20;
/// Chunks in flight: enough that the server never waits for the client.
const WINDOW: usize = 4;
/// Tries without a single answer before giving up; with the backoff below, about half a minute.
const ATTEMPTS_MAX: u32 = 10;
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// Asks long work to stop after what is in flight.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// A stop that Ctrl-C asks for. A second Ctrl-C ends the process at once.
    #[must_use]
    pub fn on_interrupt() -> Self {
        let stop = Self::default();
        let asked = stop.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                asked.ask();
                eprintln!(
                    "stopping after the commands in flight; press Ctrl-C again to end at once 正在停止"
                );
            }
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(130);
            }
        });
        stop
    }

    /// Asks for it.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked for.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A service that takes a stream of chunks of commands.
pub trait Bulk {
    /// A command, as it travels.
    type Command: Message + Clone;
    /// A chunk of them.
    type Request: Send + 'static;
    /// The answer to a chunk.
    type Response;

    /// The chunk of that number.
    fn chunk(number: u64, commands: Vec<Self::Command>) -> Self::Request;

    /// The number of the answered chunk, and a result for each of its commands.
    fn results(response: Self::Response) -> (u64, Vec<CommandResult>);

    /// Opens a stream.
    fn open(
        &mut self,
        chunks: ReceiverStream<Self::Request>,
    ) -> impl Future<Output = Result<Streaming<Self::Response>, Status>> + Send;
}

impl Bulk for GrantServiceClient<Stamped> {
    type Command = fund::BulkCommand;
    type Request = fund::ExecuteCommandsRequest;
    type Response = fund::ExecuteCommandsResponse;

    fn chunk(number: u64, commands: Vec<Self::Command>) -> Self::Request {
        fund::ExecuteCommandsRequest { chunk: number, commands }
    }

    fn results(response: Self::Response) -> (u64, Vec<CommandResult>) {
        (response.chunk, response.results.into_iter().map(common).collect())
    }

    async fn open(
        &mut self,
        chunks: ReceiverStream<Self::Request>,
    ) -> Result<Streaming<Self::Response>, Status> {
        Ok(self.execute_commands(chunks).await?.into_inner())
    }
}

/// A result of the fund in the words of all services: its messages are older than those.
fn common(result: fund::BulkResult) -> CommandResult {
    use fund::bulk_result::Result::{Error, Receipt};
    let result = result.result.map(|result| match result {
        Receipt(receipt) => command_result::Result::Receipt(receipt),
        Error(fund::BulkError { code, message, reason, status }) => {
            command_result::Result::Error(CommandError { code, message, reason, status })
        }
    });
    CommandResult { result }
}

impl Bulk for AgreementServiceClient<Stamped> {
    type Command = agreement::BulkCommand;
    type Request = agreement::ExecuteCommandsRequest;
    type Response = agreement::ExecuteCommandsResponse;

    fn chunk(number: u64, commands: Vec<Self::Command>) -> Self::Request {
        agreement::ExecuteCommandsRequest { chunk: number, commands }
    }

    fn results(response: Self::Response) -> (u64, Vec<CommandResult>) {
        (response.chunk, response.results)
    }

    async fn open(
        &mut self,
        chunks: ReceiverStream<Self::Request>,
    ) -> Result<Streaming<Self::Response>, Status> {
        Ok(self.execute_commands(chunks).await?.into_inner())
    }
}

/// The answer to one command.
#[derive(Debug)]
pub enum Answer {
    /// Accepted, now or before.
    Accepted(CommandReceipt),
    /// Refused, as a unary call would have been.
    Refused(Status),
}

/// Sends `commands` in order and hands each answer to `answered`, in order, with the key of its command.
///
/// Returns when all that was sent has been answered: the end of `commands`, or what was in flight when `stop` asked.
///
/// # Errors
/// The status that is not worth another try, or the last one after half a minute without an answer. Everything that
/// was handed to `answered` stands; sending the same commands again goes on from there.
pub async fn execute<K, B: Bulk>(
    client: &mut B,
    commands: impl Iterator<Item = (K, B::Command)>,
    stop: &Stop,
    mut answered: impl FnMut(K, Answer),
) -> Result<(), Status> {
    let mut source = Chunks { commands, next: None, number: 0, stop };
    let mut in_flight: VecDeque<Chunk<K, B::Command>> = VecDeque::with_capacity(WINDOW);
    let mut attempts = 0;
    loop {
        // Without this an interrupted or finished source would open a stream only to close it.
        if in_flight.is_empty() {
            match source.take() {
                Some(chunk) => in_flight.push_back(chunk),
                None => return Ok(()),
            }
        }
        let broken = match stream(client, &mut source, &mut in_flight, &mut attempts, &mut answered).await {
            Ok(()) => return Ok(()),
            Err(status) => status,
        };
        attempts += 1;
        if !(is_transient(broken.code()) || is_broken_connection(&broken)) || attempts >= ATTEMPTS_MAX {
            return Err(broken);
        }
        tracing::warn!(attempt = attempts, status = %broken, "stream broken; sending what is unanswered again");
        tokio::time::sleep(BACKOFF_FIRST.saturating_mul(1 << attempts.min(10)).min(BACKOFF_MAX)).await;
    }
}

/// Works through one stream until all is answered or it breaks.
async fn stream<K, B: Bulk, I: Iterator<Item = (K, B::Command)>>(
    client: &mut B,
    source: &mut Chunks<'_, I>,
    in_flight: &mut VecDeque<Chunk<K, B::Command>>,
    attempts: &mut u32,
    answered: &mut impl FnMut(K, Answer),
) -> Result<(), Status> {
    let (sender, receiver) = mpsc::channel(WINDOW);
    for chunk in in_flight.iter() {
        send::<K, B>(&sender, chunk).await?;
    }
    let mut answers = client.open(ReceiverStream::new(receiver)).await?;
    loop {
        while in_flight.len() < WINDOW {
            let Some(chunk) = source.take() else { break };
            // Kept before it is sent: what may have been sent must be answered.
            in_flight.push_back(chunk);
            if let Some(chunk) = in_flight.back() {
                send::<K, B>(&sender, chunk).await?;
            }
        }
        let Some(oldest) = in_flight.front() else {
            return Ok(());
        };
        let (number, results) = B::results(next_answer(&mut answers).await?);
        check(oldest, number, &results)?;
        *attempts = 0;
        if let Some(chunk) = in_flight.pop_front() {
            for (key, result) in chunk.keys.into_iter().zip(results) {
                answered(key, answer_of(result));
            }
        }
    }
}

async fn next_answer<R>(answers: &mut Streaming<R>) -> Result<R, Status> {
    answers
        .message()
        .await?
        .ok_or_else(|| Status::unavailable("the service ended the stream with commands unanswered"))
}

/// An answer belongs to the oldest chunk and decides all of it, or nothing of it is taken.
fn check<K, C>(oldest: &Chunk<K, C>, number: u64, results: &[CommandResult]) -> Result<(), Status> {
    if number != oldest.number || results.len() != oldest.keys.len() {
        return Err(Status::internal(format!(
            "chunk {} with {} commands was answered as chunk {} with {} results; client and service do not fit together",
            oldest.number,
            oldest.keys.len(),
            number,
            results.len()
        )));
    }
    let undecided = results.iter().find_map(|result| match &result.result {
        Some(command_result::Result::Error(error)) if is_transient(Code::from_i32(error.code)) => {
            Some(status_of(error))
        }
        None => Some(Status::internal("a command was answered without a result")),
        _ => None,
    });
    undecided.map_or(Ok(()), Err)
}

async fn send<K, B: Bulk>(
    sender: &mpsc::Sender<B::Request>,
    chunk: &Chunk<K, B::Command>,
) -> Result<(), Status> {
    let request = B::chunk(chunk.number, chunk.commands.clone());
    sender.send(request).await.map_err(|_| Status::unavailable("the stream to the service broke"))
}

fn answer_of(result: CommandResult) -> Answer {
    match result.result {
        Some(command_result::Result::Receipt(receipt)) => Answer::Accepted(receipt),
        Some(command_result::Result::Error(error)) => Answer::Refused(status_of(&error)),
        None => Answer::Refused(Status::internal("a command was answered without a result")),
    }
}

/// The status with its details, as the unary call would have given it.
fn status_of(error: &CommandError) -> Status {
    Status::with_details(Code::from_i32(error.code), error.message.clone(), error.status.clone().into())
}

/// Codes after which the same request may fare better. `Unknown` and `Cancelled` are what a connection that breaks
/// in the middle of an answer looks like.
fn is_transient(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::ResourceExhausted
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Unknown
    )
}

/// Whether the client made this status itself, because its connection ended: what crosses a server's goodbye is told as
/// INTERNAL. What a server sends has no cause.
fn is_broken_connection(status: &Status) -> bool {
    std::error::Error::source(status).is_some_and(|cause| cause.is::<tonic::transport::Error>())
}

struct Chunk<K, C> {
    number: u64,
    keys: Vec<K>,
    commands: Vec<C>,
}

/// Cuts the commands into chunks, by number and by bytes.
struct Chunks<'a, I: Iterator> {
    commands: I,
    next: Option<I::Item>,
    number: u64,
    stop: &'a Stop,
}

impl<K, C: Message, I: Iterator<Item = (K, C)>> Chunks<'_, I> {
    fn take(&mut self) -> Option<Chunk<K, C>> {
        if self.stop.asked() {
            return None;
        }
        let (mut keys, mut commands, mut bytes) = (Vec::new(), Vec::new(), 0);
        while commands.len() < CHUNK_COMMANDS {
            let Some((key, command)) = self.next.take().or_else(|| self.commands.next()) else {
                break;
            };
            bytes += command.encoded_len();
            if bytes > CHUNK_BYTES_MAX && !commands.is_empty() {
                self.next = Some((key, command));
                break;
            }
            keys.push(key);
            commands.push(command);
        }
        if commands.is_empty() {
            return None;
        }
        self.number += 1;
        Some(Chunk { number: self.number, keys, commands })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_proto::fund::v1::{BulkCommand, ImportAwardRequest, Source, bulk_command::Command};

    fn command(bytes: usize) -> BulkCommand {
        let source = Source { row: "x".repeat(bytes), ..Source::default() };
        let request = ImportAwardRequest { source: Some(source), ..ImportAwardRequest::default() };
        BulkCommand { actor: None, command: Some(Command::ImportAward(request)) }
    }

    fn cut(sizes: &[usize]) -> Vec<Vec<usize>> {
        let stop = Stop::default();
        let commands = sizes.iter().map(|bytes| command(*bytes)).enumerate();
        let mut chunks = Chunks { commands, next: None, number: 0, stop: &stop };
        std::iter::from_fn(|| chunks.take()).map(|chunk| chunk.keys).collect()
    }

    #[test]
    fn chunks_are_cut_by_number_and_by_bytes_and_lose_nothing() {
        let many = cut(&[1; 600]);
        assert_eq!(many.iter().map(Vec::len).collect::<Vec<_>>(), [250, 250, 100]);
        assert_eq!(cut(&[700_000, 700_000, 10, 2_000_000, 10]), [vec![0], vec![1, 2], vec![3], vec![4]]);
        assert_eq!(many.concat(), (0..600).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_more_is_taken_once_a_stop_is_asked_for() {
        let stop = Stop::default();
        let mut chunks =
            Chunks { commands: (0..600).map(|key| (key, command(1))), next: None, number: 0, stop: &stop };
        assert!(chunks.take().is_some());
        stop.ask();
        assert!(chunks.take().is_none());
    }

    #[test]
    fn a_chunk_with_an_undecided_command_is_not_taken() {
        let oldest = Chunk { number: 7, keys: vec![0, 1], commands: vec![command(1), command(1)] };
        let error = |code: Code| CommandResult {
            result: Some(command_result::Result::Error(CommandError {
                code: code as i32,
                ..CommandError::default()
            })),
        };
        let refused = || error(Code::FailedPrecondition);
        assert!(check(&oldest, 7, &[refused(), refused()]).is_ok());
        let undecided = check(&oldest, 7, &[refused(), error(Code::Unavailable)]);
        assert_eq!(undecided.map_err(|status| status.code()), Err(Code::Unavailable));
        assert!(check(&oldest, 8, &[refused(), refused()]).is_err());
        assert!(check(&oldest, 7, &[refused()]).is_err());
    }
}
