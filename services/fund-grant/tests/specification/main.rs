//! Specification of programmes and grants, in given-when-then.
//!
//! | file | what it says |
//! |---|---|
//! | `world` | the whole fund as one cqrs-es aggregate, and a story to tell with it |
//! | `life` | what a grant's later life is told with: from the contract to its end |
//! | `stages` | every pair of state and command, as tables |
//! | `amendment` | another plan or less money, and more time |
//! | `acceptance` | the midterm check, final acceptance, and the payments that wait for them |
//! | `closeout` | closeout, evaluation, termination, cancellation |
//! | `balance` | what becomes of a balance |
//! | `backing` | agreements that grants rest on, holds, and what A01 says of them |
//! | `money` | what the next three have in common: a grant of two parties, paid |
//! | `matching` | matching money, and what A03 says of it |
//! | `partners` | shares of a contract, and what the lead passes on |
//! | `normal_forms` | one thing in several spellings is one thing |
//! | `spending` | items of spending and their invoices, and what A09 says of them |
//! | `refusals` | every rule just inside and just outside, as a table |
//! | `stories` | what takes several steps: meetings, returns, imports, repeats |
//! | `repeats` | property: the same command again changes nothing, and the books stay balanced |
//! | `stranded` | property: no money is lost, promised twice or stranded, whatever is done with two grants |
//! | `edge_money` | the same, of requests about matching, shares and spending; and what a grant's money looks like as an answer |
//! | `recovery`, `shortfall` | money that is claimed back, and payments that come back short |
//! | `oversight_answers` | what is shown of all this |
//! | `correction` | facts of money that were not so |
//! | `parties` | one legal person under several ids, and for whom an organisation acts |
//! | `party_file` | A04 and A11: what a lead's other grants mean |
//! | `objection` | objections to the notice, and approvals against the review (A07) |
//! | `rectification` | what is done about a finding |
//! | `edge`, `oversight_edge` | bad requests: all faults at once |
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "one test binary: what it shares goes no further, and a test that cannot go on fails"
)]

mod acceptance;
mod amendment;
mod backing;
mod balance;
mod closeout;
mod correction;
mod edge;
mod edge_money;
mod life;
mod matching;
mod money;
mod normal_forms;
mod objection;
mod oversight_answers;
mod oversight_edge;
mod parties;
mod partners;
mod party_file;
mod recovery;
mod rectification;
mod refusals;
mod repeats;
mod shortfall;
mod spending;
mod stages;
mod stories;
mod stranded;
mod world;
