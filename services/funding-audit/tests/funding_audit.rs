//! The funding audit as specification: a small story of the fund, worked out by hand, told to the projection and then
//! asked about over the service's own interface. Against a real PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "funding_audit/balances.rs"]
mod balances;
#[path = "funding_audit/bounds.rs"]
mod bounds;
#[path = "funding_audit/clocks.rs"]
mod clocks;
#[path = "funding_audit/cluster.rs"]
mod cluster;
#[path = "funding_audit/control.rs"]
mod control;
#[path = "funding_audit/export.rs"]
mod export;
#[path = "funding_audit/facts.rs"]
mod facts;
#[path = "funding_audit/findings.rs"]
mod findings;
#[path = "funding_audit/ledger.rs"]
mod ledger;
#[path = "funding_audit/life.rs"]
mod life;
#[path = "funding_audit/parties.rs"]
mod parties;
#[path = "funding_audit/postings.rs"]
mod postings;
#[path = "funding_audit/standing.rs"]
mod standing;
#[path = "funding_audit/story.rs"]
mod story;
#[path = "funding_audit/tables.rs"]
mod tables;
#[path = "funding_audit/time.rs"]
mod time;
#[path = "funding_audit/views.rs"]
mod views;
