//! The `concord` command line: the local stack, the importers, the office's commands and tables, the demo.
//!
//! | module | what it is for |
//! |---|---|
//! | [`cli`] | the command tree and the exit codes |
//! | [`stack`], [`local`], [`up`] | a private PostgreSQL and nats-server, and every service in one process |
//! | [`connect`], [`bulk`] | the services' addresses and clients; many commands over one stream |
//! | [`import`] | awards made elsewhere: Horizon 2020, and any CSV file by a mapping |
//! | [`programme`], [`grant`], [`recovery`], [`rectification`] | one a group of the fund's commands |
//! | [`agreement`], [`party`], [`audit`], [`log`], [`today`] | the same for the rest |
//! | [`check`] | proves the log from its events, and stream and projection against it |
//! | [`demo`] | nine played years, with checks at the end |
//! | [`errors`], [`output`], [`progress`], [`words`], [`header`], [`ids`] | what they share |
//!
//! But for `up` and `demo`, which run the services, and `log check`, which looks into NATS and the projection's database
//! itself, it talks to the services over gRPC alone.

pub mod agreement;
pub mod audit;
pub mod bulk;
pub mod check;
pub mod cli;
pub mod connect;
pub mod demo;
pub mod errors;
pub mod grant;
pub mod header;
pub mod ids;
pub mod import;
pub mod local;
pub mod log;
pub mod output;
pub mod party;
pub mod programme;
pub mod progress;
pub mod recovery;
pub mod rectification;
pub mod stack;
pub mod today;
pub mod up;
pub mod words;

pub use cli::run;
