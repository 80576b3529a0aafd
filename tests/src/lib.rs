//! What the black-box tests share. They know protos and the `concord` command line, and nothing of the services' code.
//!
//! | module | what it gives a test |
//! |---|---|
//! | [`stack`] | a private `concord up`, and how to stop, kill and freeze parts of it |
//! | [`desk`] | the gRPC clients, who acts, and what a status says |
//! | [`agreements`] | the same for the service of agreements and of the directory of parties |
//! | [`requests`] | requests that are right as they stand; a test changes what it is about |
//! | [`load`] | callers that send one command after the other, and what they were told |
//! | [`process`] | a service as a process of its own: a further replica on a stack's servers, for example |
//! | [`services`] | all services, a process each, any of which can be killed and started again |
//! | [`scratch`] | this repository with copied folders of services beside its own, and their programs |
//! | [`record`] | the log as stored: documents, hashes, and what PostgreSQL and NATS hold |
//! | [`check`] | `concord log check`, and what to plant for it to find |
#![allow(
    clippy::missing_errors_doc,
    reason = "every error here fails a test, and says itself what went wrong"
)]

pub mod agreements;
pub mod check;
pub mod desk;
pub mod load;
pub mod process;
pub mod record;
pub mod requests;
pub mod scratch;
pub mod services;
pub mod stack;
