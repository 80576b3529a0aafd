//! What the black-box tests share. They know protos and the `concord` command line, and nothing of the services' code.
//!
//! | module | what it gives a test |
//! |---|---|
//! | [`stack`] | a private `concord up`, and how to stop, kill and freeze parts of it |
//! | [`desk`] | the gRPC clients, who acts, and what a status says |
//! | [`requests`] | requests that are right as they stand; a test changes what it is about |
//! | [`load`] | callers that send one command after the other, and what they were told |
//! | [`replica`] | a further service on a stack's servers: a replica of the fund's, or a new one |
//! | [`scratch`] | this repository with copied folders of services beside its own, and their programs |
//! | [`record`] | the log as stored: documents, hashes, and what PostgreSQL and NATS hold |
//! | [`check`] | `concord log check`, and what to plant for it to find |
#![allow(
    clippy::missing_errors_doc,
    reason = "every error here fails a test, and says itself what went wrong"
)]

pub mod check;
pub mod desk;
pub mod load;
pub mod record;
pub mod replica;
pub mod requests;
pub mod scratch;
pub mod stack;
