//! Failures of whole processes, with the real domain, over gRPC.
//!
//! | failure | tests in | what must hold |
//! |---|---|---|
//! | two replicas at one programme; repeats of a request sent to both; one of them killed, or frozen | `replicas` | no position, budget or request id is ever wrong, and both get on |
//! | NATS frozen, killed, robbed of its stream | `outages` | everything goes on but publishing, and then the stream is the log again |
//! | PostgreSQL frozen; its connections cut under load | `outages` | one event a request, whatever its caller was told |
//! | the service killed under load; every process killed at once | `outages` | what was answered is there, byte for byte |
//! | SIGTERM under load, and with PostgreSQL frozen | `shutdown` | every request is answered, and none is lost or doubled |
//!
//! The log's own failures stand in `services/chassis/tests/log/failures`, those of relay and projections in
//! `services/chassis/tests/relay_projection/failures.rs`. What a reaction to
//! another log meets is in `reaction`. `make test-failures` runs them all, `REPEAT=10` ten times.

mod outages;
mod replicas;
mod shutdown;
