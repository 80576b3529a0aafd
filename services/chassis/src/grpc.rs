//! gRPC as every service speaks it.
//!
//! | module | what it does |
//! |---|---|
//! | [`server`] | one listener of a process: health, reflection, drain |
//! | [`metadata`] | who acts, and how long the caller waits |
//! | [`violations`] | all faults of a request at once, as `INVALID_ARGUMENT` |
//! | [`status`] | every other answer that is not a success, with `google.rpc` details |
//! | [`pages`] | page sizes and page tokens |
//!
//! Every status carries a `google.rpc.ErrorInfo`: its reason is stable and for programs, the message is for people and
//! says what to do next. The domain in it is the service's, for example "concord.fund".

mod calls;
mod linger;
pub mod metadata;
pub mod pages;
mod routes;
pub mod server;
pub mod status;
pub mod violations;

pub use metadata::{ACTOR_KEY, Actor, deadline};
pub use pages::{PageToken, page_size};
pub use server::{BULK_MESSAGE_BYTES_MAX, CALLS_AT_ONCE_MAX, GrpcError, MESSAGE_BYTES_MAX, Server, bind};
pub use status::{
    PreconditionViolation, internal, not_found, not_reached, not_written, outcome_unknown, reason, refused,
    refused_as, request_id_reused, resource_exhausted, stale_version, status_bytes, unavailable,
};
pub use violations::Violations;
pub(crate) use violations::calendar_date;

/// Domain of the answers that the chassis gives by itself, before a service sees the call.
pub(crate) const DOMAIN: &str = "concord";

/// The text, cut to at most so many bytes, with an ellipsis where something is missing.
pub(crate) fn shortened(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let kept = text.floor_char_boundary(bytes_max.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..kept])
}
