//! The projection of the fund's log: events to rows that are only ever added.
//!
//! ```text
//! event ─┬─ postings(event) ── zero-sum? ── postings, dims        the ledger (domain.md, section 4)
//!        ├─ programmes, parties, grants                           facts for good: dimensions and labels
//!        ├─ party_links, representations                          who is who, and who stands for whom, by their own days
//!        ├─ terms, tranche_plans, tranche_steps, holds, shares    facts with a date: undrawn, overdue, partners' shares
//!        ├─ match_*, spends, spend_steps, retained                what others pay, and what recipients do with the money
//!        ├─ recoveries, recovery_steps, corrections               what is taken back
//!        ├─ grant_steps, overrides, late, rectification*          what findings and control tests look at
//!        └─ clock, decisions, todays                              which position was known when, what was decided together
//! ```
//!
//! A batch is folded in memory into one array a column, and goes in as one pipelined `INSERT … SELECT FROM unnest` a
//! table. The rows depend on the events alone, never on how they were cut into batches: a rebuild equals what it
//! replaces, row for row.
//!
//! The projection never guesses. An event about a grant that it has not seen, a set of lines that does not add up to
//! zero, a grant that changes its programme, a party without a share: each stops it, naming the position.

mod fold;
mod known;
mod rows;

use crate::LogClock;
use concord_chassis::projection::{Applied, ApplyError, Projection};
use concord_events::{
    fund::FundEvent,
    ledger::{Postings, postings},
};
use fold::Fold;
use known::Known;

/// Events that are folded at once. Bounds the arrays in memory, and keeps what they name below what the caches hold.
const EVENTS_AT_ONCE_MAX: usize = 5_000;

/// The tables of `schema.sql`, and how a row of each says which event it is from.
pub(crate) const TABLES: [(&str, &str); 31] = [
    ("clock", "position"),
    ("decisions", "first"),
    ("todays", "position"),
    ("programmes", "position"),
    ("parties", "position"),
    ("party_links", "position"),
    ("representations", "position"),
    ("grants", "position"),
    ("terms", "position"),
    ("tranche_plans", "position"),
    ("tranche_steps", "position"),
    ("holds", "position"),
    ("backing_steps", "position"),
    ("bank_facts", "position"),
    ("shares", "position"),
    ("match_sources", "position"),
    ("match_instalments", "position"),
    ("match_moves", "position"),
    ("spends", "position"),
    ("spend_steps", "position"),
    ("grant_steps", "position"),
    ("overrides", "position"),
    ("retained", "position"),
    ("recoveries", "position"),
    ("recovery_steps", "position"),
    ("corrections", "position"),
    ("late", "position"),
    ("rectifications", "position"),
    ("rectification_steps", "position"),
    ("dims", "dims / 65536"),
    ("postings", "position"),
];

/// The projection. What it remembers between batches is a cache of its own tables, nothing else.
#[derive(Debug)]
pub struct FundingAudit {
    known: Known,
    clock: LogClock,
}

impl FundingAudit {
    /// A projection of a log with this clock that remembers nothing yet; it reads what it needs from its tables.
    #[must_use]
    pub fn new(clock: LogClock) -> Self {
        Self { known: Known::default(), clock }
    }

    /// PostgreSQL schema of this version's tables, for example `funding_audit_v4`. A later generation of the log is another
    /// history: its rows are built beside those of the first, which show what was reported then.
    #[must_use]
    pub fn schema_name(generation: u32) -> String {
        let schema = format!("{}_v{}", Self::NAME, Self::VERSION);
        if generation <= 1 { schema } else { format!("{schema}_g{generation}") }
    }
}

impl Projection for FundingAudit {
    const NAME: &'static str = "funding_audit";
    const VERSION: u32 = 4;
    type Event = FundEvent;

    fn schema(&self) -> &'static str {
        include_str!("ledger/schema.sql")
    }

    async fn apply(
        &mut self,
        tx: &deadpool_postgres::Transaction<'_>,
        batch: &[Applied<'_, FundEvent>],
    ) -> Result<(), ApplyError> {
        for events in batch.chunks(EVENTS_AT_ONCE_MAX) {
            let sets: Vec<Option<Postings>> = events.iter().map(|applied| postings(&applied.event)).collect();
            self.known.load(tx, events, &sets).await?;
            let mut fold = Fold::new(&mut self.known, self.clock);
            for (applied, set) in events.iter().zip(&sets) {
                fold.event(&applied.envelope, &applied.event, set.as_ref())?;
            }
            fold.into_rows().insert(tx).await?;
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.known = Known::default();
    }
}

/// Refuses a set of lines that does not add up to zero.
///
/// # Errors
/// [`ApplyError::Broken`] naming the position and the sum in minor units.
pub fn check_zero_sum(position: u64, set: &Postings) -> Result<(), ApplyError> {
    match set.sum_minor() {
        0 => Ok(()),
        sum => Err(ApplyError::Broken(format!(
            "the postings of position {position} add up to {sum} minor units of {}, not to zero",
            set.currency
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::TABLES;

    #[test]
    fn every_table_of_the_schema_is_listed() {
        let schema = include_str!("ledger/schema.sql");
        let made = schema.lines().filter_map(|line| line.strip_prefix("CREATE TABLE ")?.strip_suffix(" ("));
        assert!(made.eq(TABLES.iter().map(|(table, _)| *table)));
    }
}
