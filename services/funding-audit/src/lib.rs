//! The funding audit 资金审计: where every fen is, as of any position and any date.
//!
//! A projection service: it keeps the fund's ledger from the events of the `fund-grant` log, and answers questions
//! about it over gRPC. It decides nothing and changes nothing.
//!
//! | file | what it does |
//! |---|---|
//! | [`ledger`](FundingAudit) | events to rows: postings, their dimensions, and the dated facts behind undrawn and overdue |
//! | `ledger/schema.sql` | the tables. Rows are only ever added |
//! | [`refold`](Refold) | the log folded anew, compared with the tables row by row |
//! | `numbers.rs` | how the tables write accounts, event types and steps of a tranche |
//! | `query.rs` | the questions as SQL: balances, postings and statements, undrawn and overdue, time, status |
//! | `clock.rs` | the log's today |
//! | `findings.rs` | what the audit finds, and control tests: rules as SQL, sentences, groups |
//! | `labels.rs` | what people read beside a code |
//! | [`columns`] | the dictionary of every column, in Chinese and English |
//! | `export.rs` | tables as CSV, streamed |
//! | `wire.rs`, `refusal.rs` | requests to questions; what has no answer, and why |
//! | [`service`](Audit) | the gRPC service; `service/point.rs` resolves what a question is about |
//! | [`start`] | puts the projection and its queries together |
//!
//! Every answer names the position that it reflects, says where the tables may lack what came later, and is a function of the rows at or below it, so the same question
//! with that position has the same answer for ever. What cannot be answered is refused; nothing is approximated.
//!
//! ```text
//! fund-grant log ── chassis: projection ── FundingAudit::apply ── tables ── Audit (gRPC)
//!                         └── applied, head, stopped ────────────────────────┘
//! ```

mod clock;
pub mod columns;
mod export;
mod findings;
mod labels;
mod ledger;
mod numbers;
mod query;
mod refold;
mod refusal;
mod service;
mod start;
mod wire;

pub use clock::LogClock;
pub use ledger::{FundingAudit, check_zero_sum};
pub use refold::{Checkpoint, Difference, Refold, RefoldError};
pub use service::{Audit, LOG, Progress};
pub use start::start;
