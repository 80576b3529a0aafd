//! What every Concord service runs on.
//!
//! A service brings a [`log::Domain`]: its events, its states, `decide` and `apply`. The chassis brings the rest:
//!
//! | module | what it does |
//! |---|---|
//! | [`record`] | an event as it is stored and published: one CloudEvents document, one byte string |
//! | [`log`] | the log: the writer that decides and commits in batches, cold loads, snapshots, reads |
//! | [`relay`] | publishes the log to JetStream, position = stream sequence |
//! | [`projection`] | keeps read models at a checkpoint that is committed with their rows |
//! | [`process`] | follows another service's log and turns its events into commands of the own one |
//! | [`personal`] | the erasable tables of personal data; events hold references and keyed hashes |
//! | [`grpc`] | server, error details, deadlines, who acts, graceful drain |
//! | [`edge`] | from a request to a command that the log takes, and back |
//! | [`deciding`] | what most decisions need: a case, rulings, refusals about dates |
//! | [`mod@reference`] | rulebooks, working days and regions, by which a service decides |
//! | [`config`] | one struct of settings, from flags and environment |
//! | [`service`] | starts and stops a service, in the same order for each |
//! | [`telemetry`] | tracing, Prometheus metrics, optional OTLP |
//!
//! The chassis knows no aggregate by name, and it depends on no service.

pub mod config;
pub mod deciding;
pub mod edge;
pub mod grpc;
pub mod log;
pub mod personal;
pub mod position;
pub mod process;
pub mod projection;
pub mod record;
pub mod reference;
pub mod relay;
pub mod service;
pub mod telemetry;
