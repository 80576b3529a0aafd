//! The published language: the events of every log, one file each, and the ledger postings that they mean.
//!
//! An event enum *is* the stored and published JSON: `type` and `data` of a CloudEvents document. What is stored is
//! permanent, so a variant's fields may gain optional ones and nothing else; anything more is a new type with an
//! upcaster. Golden files under `tests/golden` pin every version of every event.

pub mod agreement;
pub mod document;
pub mod fund;
pub mod ledger;
pub mod party;
pub mod personal;
