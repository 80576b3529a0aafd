//! Black-box tests: the real binary, real PostgreSQL, real NATS, real gRPC.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod check;
mod demo;
mod log;
mod outages;
mod projection;
mod requests;
mod surface;
mod walk;
mod workspace;
