//! Requests as bytes made beforehand and answers of which only the positions are read: the load runs on the cores of
//! what it measures, so it may cost next to nothing.

use anyhow::{Result, bail, ensure};
use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use prost::Message;
use std::marker::PhantomData;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// A request is a few hundred bytes; the default buffer of 8 KiB would be made and zeroed for each.
const BUFFER_BYTES: usize = 512;
const YIELD_BYTES: usize = 32 * 1024;

/// A unary RPC of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rpc {
    Request,
    Authorise,
    Instruct,
    Settle,
    Approve,
    Appropriate,
    Supplement,
}

impl Rpc {
    /// Its path in HTTP/2.
    pub(crate) fn path(self) -> PathAndQuery {
        PathAndQuery::from_static(match self {
            Self::Request => "/concord.fund.v1.GrantService/RequestTranche",
            Self::Authorise => "/concord.fund.v1.GrantService/AuthoriseTranche",
            Self::Instruct => "/concord.fund.v1.GrantService/InstructTranche",
            Self::Settle => "/concord.fund.v1.GrantService/SettleTranche",
            Self::Approve => "/concord.fund.v1.GrantService/ApproveGrants",
            Self::Appropriate => "/concord.fund.v1.ProgrammeService/AppropriateProgramme",
            Self::Supplement => "/concord.fund.v1.ProgrammeService/SupplementProgramme",
        })
    }
}

/// Path of the bulk stream.
pub(crate) fn bulk_path() -> PathAndQuery {
    PathAndQuery::from_static("/concord.fund.v1.GrantService/ExecuteCommands")
}

/// What is read of a receipt (`concord.type.v1.CommandReceipt`); the rest is skipped.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Positions {
    /// Position of the first event, 0 where the command changed nothing.
    #[prost(uint64, tag = "2")]
    pub(crate) first: u64,
    /// Position of the last event.
    #[prost(uint64, tag = "3")]
    pub(crate) last: u64,
}

impl Positions {
    /// A command of a load that changes nothing was not measured.
    fn checked(self) -> Result<Self> {
        ensure!(self.first > 0 && self.last >= self.first, "a command changed nothing: {self:?}");
        Ok(self)
    }
}

/// What is read of any command's answer: all have their receipt in field 1.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Answer {
    #[prost(message, optional, tag = "1")]
    receipt: Option<Positions>,
}

impl Answer {
    /// The positions of the events.
    ///
    /// # Errors
    /// Where there is no receipt, or one of no event.
    pub(crate) fn positions(self) -> Result<Positions> {
        self.receipt.unwrap_or_default().checked()
    }
}

/// What is read of the answer to a chunk (`concord.fund.v1.ExecuteCommandsResponse`).
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ChunkAnswer {
    #[prost(message, repeated, tag = "2")]
    results: Vec<BulkResult>,
}

#[derive(Clone, PartialEq, Message)]
struct BulkResult {
    #[prost(message, optional, tag = "1")]
    receipt: Option<Positions>,
    #[prost(message, optional, tag = "2")]
    error: Option<concord_proto::fund::v1::BulkError>,
}

impl ChunkAnswer {
    /// The last position of the chunk.
    ///
    /// # Errors
    /// Where a command was refused or changed nothing, or another number of them was answered.
    pub(crate) fn last_position(&self, commands: usize) -> Result<u64> {
        ensure!(self.results.len() == commands, "{commands} commands, {} answers", self.results.len());
        let mut last = 0;
        for result in &self.results {
            if let Some(error) = &result.error {
                bail!("a command was refused: {} {}", error.reason, error.message);
            }
            last = last.max(result.receipt.unwrap_or_default().checked()?.last);
        }
        Ok(last)
    }
}

/// Sends bytes as they are and reads `Answer`s.
#[derive(Debug)]
pub(crate) struct Raw<A>(PhantomData<fn() -> A>);

impl<A> Default for Raw<A> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<A: Message + Default + 'static> Codec for Raw<A> {
    type Encode = Bytes;
    type Decode = A;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self::default()
    }

    fn decoder(&mut self) -> Self {
        Self::default()
    }
}

impl<A> Encoder for Raw<A> {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.reserve(message.len());
        to.put_slice(&message);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(BUFFER_BYTES, YIELD_BYTES)
    }
}

impl<A: Message + Default> Decoder for Raw<A> {
    type Item = A;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<A>, Status> {
        let message = A::decode(&mut *from)
            .map_err(|error| Status::internal(format!("an answer cannot be read: {error}")))?;
        debug_assert!(!from.has_remaining(), "a message is read whole");
        Ok(Some(message))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(BUFFER_BYTES, YIELD_BYTES)
    }
}
