//! Specification of agreements and of the directory of parties, in given-when-then.
//!
//! | file | what it says |
//! |---|---|
//! | `world` | all states in memory, and a story to tell with them |
//! | `standings` | every pair of standing and command, as tables; the diagram, arrow by arrow |
//! | `refusals` | every rule just inside and just outside, as a table |
//! | `bounds` | how much there may be, and that it fits an event |
//! | `force` | in force and out of it: days, terms, renewals, versions |
//! | `directory` | parties: codes, dated facts, mergers; succession |
//! | `edge` | bad requests: every fault at its field, all at once |
//! | `repeats` | property: the same command again changes nothing |
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "one test binary: what it shares goes no further, and a test that cannot go on fails"
)]

mod bounds;
mod directory;
mod edge;
mod force;
mod refusals;
mod repeats;
mod standings;
mod world;
