//! The log: one writer decides and commits in batches; everyone else reads.
//!
//! | file | what it does |
//! |---|---|
//! | `domain` | what a service brings: `decide`, `apply`, and the words between |
//! | `handle` | the way in: submissions, receipts, reads |
//! | `writer` | the loop: gather, decide, commit, answer |
//! | `decide` | one batch in the making |
//! | `store` | the statements, and what PostgreSQL answers to them |
//! | `loader`, `cache`, `index` | states: cold, warm, and the log's own |
//! | `reader`, `service` | reading the log, in process and over gRPC |
//! | `recover` | what an operator does when the log cannot go on by itself |
//! | `gate` | whether the log may be written, and if not why |

mod cache;
mod confirmed;
mod decide;
pub mod domain;
mod gate;
mod handle;
mod index;
mod loader;
pub mod reader;
pub mod recover;
mod service;
mod status;
mod store;
mod subjects;
mod writer;

pub use domain::{
    Broken, Context, Decision, Domain, Followed, Lookup, Meta, Refusal, RefusalKind, Stop, View,
};
pub use gate::{Cluster, Gate, Standstill};
pub use handle::{CommandError, Log, Receipt, Seen, Submission};
pub use reader::{LogReader, StoreError};
pub use service::LogService;
pub use store::{Identity, OpenError, RELAY_LOCK};
pub use writer::{LogOptions, Prepared, Running, prepare, start};
