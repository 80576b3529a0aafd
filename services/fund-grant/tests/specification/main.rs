//! Specification of programmes and grants, in given-when-then.
//!
//! | file | what it says |
//! |---|---|
//! | `world` | the whole fund as one cqrs-es aggregate, and a story to tell with it |
//! | `stages` | every pair of state and command, as tables |
//! | `backing` | agreements that grants rest on, holds, and what A01 says of them |
//! | `refusals` | every rule just inside and just outside, as a table |
//! | `stories` | what takes several steps: meetings, returns, imports, repeats |
//! | `repeats` | property: the same command again changes nothing, and the books stay balanced |
//! | `recovery`, `shortfall` | money that is claimed back, and payments that come back short |
//! | `oversight_answers` | what is shown of all this |
//! | `correction` | facts of money that were not so |
//! | `party_file` | A04 and A11: what a lead's other grants mean |
//! | `objection` | objections to the notice, and approvals against the review (A07) |
//! | `rectification` | what is done about a finding |
//! | `edge`, `oversight_edge` | bad requests: all faults at once |
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "one test binary: what it shares goes no further, and a test that cannot go on fails"
)]

mod backing;
mod correction;
mod edge;
mod objection;
mod oversight_answers;
mod oversight_edge;
mod party_file;
mod recovery;
mod rectification;
mod refusals;
mod repeats;
mod shortfall;
mod stages;
mod stories;
mod world;
