//! The pure values of Concord: what every service means by an amount, a party, a place, a working day and a rule.
//!
//! | module | 中文 | holds |
//! |---|---|---|
//! | [`money`] | 金额 | currencies, and amounts as integers of the minor unit |
//! | [`party`] | 主体 | party codes with their check characters, party ids and kinds |
//! | [`region`] | 行政区 | GB/T 2260 codes with the years they were in use, ISO 3166 countries |
//! | [`calendar`] | 工作日 | working days by the State Council's yearly notices |
//! | [`rulebook`] | 规则版本 | the dated parameters that the opinion leaves open |
//! | [`industry`] | 产业 | the opinion's ten industries |
//! | [`id`] | 标识 | typed identifiers |
//! | [`normal`] | 规范形式 | the forms in which invoices, references, persons and titles are compared |
//!
//! Nothing here reads a file, a clock or a random number: data come in as text, and the shipped defaults are embedded
//! from `deploy/`. A value of these types has been checked when it was made, so the code that receives one never
//! doubts it.

pub mod calendar;
pub mod event;
pub mod fingerprint;
pub mod id;
pub mod industry;
mod iso3166;
mod iso4217;
pub mod money;
pub mod normal;
pub mod party;
pub mod region;
pub mod rulebook;
pub mod similar;
pub mod spending;

/// A calendar date of law, in Asia/Shanghai (domain.md section 1, "Money" and "Times").
pub use jiff::civil::Date;
