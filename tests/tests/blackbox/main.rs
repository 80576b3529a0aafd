//! Black-box tests: the real binary, real PostgreSQL, real NATS, real gRPC.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod agreement;
mod check;
mod claim;
mod cli_life;
mod demo;
mod failures;
mod keys;
mod life;
mod log;
mod normal_forms;
mod older_log;
mod projection;
mod random;
mod reaction;
mod recovery;
mod requests;
mod surface;
mod walk;
mod workspace;
