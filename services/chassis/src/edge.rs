//! The edge of a service: from a request to a command that the log takes, and from its receipt to an answer.
//!
//! A request is read as a whole, and all its faults are told at once, each at its field. Beyond this point a command is
//! well formed: `decide` never meets an absent field, a wrong check character or an amount that cannot be one. What only
//! a state can tell, `decide` tells.
//!
//! A service says which command a request asks for ([`ask!`](crate::ask)), what a state looks like as an answer, and one
//! line an RPC ([`commands!`](crate::commands)). The rest is here:
//!
//! | file | what it does |
//! |---|---|
//! | `reading` | a request being read: what travels beside every command, who acts, all faults |
//! | `values` | values that requests of several services have: amounts, parties, regions, terms |
//! | `draft` | a command before its personal data is kept, and a request that cannot be right |
//! | `desk` | one call: read, decide, commit, answer; and a state as it stands |
//! | `bulk` | a stream of chunks of commands |

mod bulk;
mod desk;
mod draft;
mod reading;
mod values;

pub use bulk::{CHUNK_COMMANDS_MAX, Chunk, command_error, command_result};
pub use concord_proto::r#type::v1::CommandHeader;
pub use desk::Desk;
pub use draft::{Asked, Draft, Drafted, Malformed};
pub use reading::{Ask, Caller, Edge, Reader, Reading, read};
pub use values::{Choice, NamedParty, total, whole};

/// Longest id, number or reference, in bytes.
pub const ID_BYTES_MAX: usize = 128;
/// Longest name, number of a document or similar, in bytes.
pub const TEXT_BYTES_MAX: usize = 600;
/// Longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 500;
/// Longest reason, in bytes: a thousand Chinese characters.
pub const REASON_BYTES_MAX: usize = 3_000;
/// Longest text of personal data in a request, in bytes.
pub const PERSONAL_BYTES_MAX: usize = 1_024;
/// Attachments of one command.
pub const ATTACHMENTS_MAX: usize = 100;
/// The largest amount of one command: ten trillion yuan, far above any budget, and small enough that nine thousand of
/// them add up within an `i64`.
pub const AMOUNT_MINOR_MAX: i64 = 1_000_000_000_000_000;

/// Says which command a request asks for: implements [`Ask`] for it, as requests differ only in their type's name and
/// in how they are read.
///
/// `ask!(Command: proto::OpenRequest, |this, reading| …)` gives the service's command type, the request's, and an
/// expression of type `Option<Asked<Command>>` over the request and the [`Reading`].
#[macro_export]
macro_rules! ask {
    ($command:ty: $request:ty, |$this:ident, $reading:ident| $read:expr) => {
        impl $crate::edge::Ask<$command> for $request {
            fn header(&self) -> Option<&$crate::edge::CommandHeader> {
                self.header.as_ref()
            }

            fn command(
                self,
                $reading: &mut $crate::edge::Reading<'_>,
            ) -> Option<$crate::edge::Asked<$command>> {
                let $this = self;
                $read
            }
        }
    };
}

/// The RPCs whose answer is the receipt and nothing beside it, one line each, within an implementation of a service that
/// has its [`Desk`] in a field `desk`. Their response has one field, `receipt`.
///
/// What it writes is what `tonic::async_trait` makes of
/// `async fn open(&self, request: Request<OpenRequest>) -> Result<Response<OpenResponse>, Status>`:
/// that attribute does not see what a macro within it will be.
#[macro_export]
macro_rules! commands {
    ($messages:ident: $($rpc:ident($request:ident) -> $response:ident;)+) => {$(
        fn $rpc<'desk, 'async_trait>(
            &'desk self,
            request: ::tonic::Request<$messages::$request>,
        ) -> ::std::pin::Pin<
            Box<
                dyn Future<Output = Result<::tonic::Response<$messages::$response>, ::tonic::Status>>
                    + Send
                    + 'async_trait,
            >,
        >
        where
            'desk: 'async_trait,
            Self: 'async_trait,
        {
            Box::pin(async move {
                let receipt = Some(self.desk.execute(request).await?.into());
                Ok(::tonic::Response::new($messages::$response { receipt }))
            })
        }
    )+};
}
