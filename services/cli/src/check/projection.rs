//! The projection against the log: every row of its tables, and the rows that folding the log anew makes.

use std::time::Duration;

use concord_chassis::record::Recorded;
use concord_chassis::service::in_full;
use concord_funding_audit::{Difference, FundingAudit, LogClock, Refold, RefoldError};
use tokio::sync::mpsc;

use super::Standstill;
use super::faults::{Faults, Rule, SHOWN_MAX};
use super::reading::Chunk;
use crate::errors::CliError;

/// Events that are folded at once, at least: what one transaction costs is shared by so many.
const EVENTS_AT_ONCE: usize = 5_000;

/// Which log the projection should have been made from.
pub(super) struct Origin {
    /// `/concord/<cell>/<log>`.
    pub(super) source: String,
    pub(super) log_id: String,
    pub(super) generation: u32,
    pub(super) clock: LogClock,
}

/// A projection as it was found.
pub(super) struct ProjectionSide {
    refold: Refold,
    source: String,
    generation: u32,
    /// Its checkpoint.
    pub(super) checkpoint: u64,
}

/// What of the projection was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectionProof {
    /// Its schema, for example `funding_audit_v1`.
    pub schema: String,
    /// Position up to which its rows were compared.
    pub to: u64,
    /// Rows that the log makes up to there.
    pub rows: u64,
}

/// Finds the projection, and waits until it has applied `head`, or stands still for longer than `patience`.
pub(super) async fn find(
    database_url: &str,
    origin: Origin,
    head: u64,
    patience: Duration,
    faults: &mut Faults,
) -> Result<Option<ProjectionSide>, CliError> {
    let refold = Refold::begin(database_url, origin.generation, origin.clock).await.map_err(failed)?;
    let mut standstill = Standstill::of("projection 投影", head, patience);
    loop {
        let checkpoint = refold.checkpoint(&origin.source).await.map_err(failed)?;
        let position = checkpoint.map_or(0, |checkpoint| checkpoint.position);
        if (checkpoint.is_none() || position < head) && standstill.may_move_on(position) {
            tokio::time::sleep(Standstill::LOOK_EVERY).await;
            continue;
        }
        let Some(checkpoint) = checkpoint else {
            let expected = format!(
                "{} with a checkpoint of {}",
                FundingAudit::schema_name(origin.generation),
                origin.source
            );
            faults.add(Rule::ProjectionAbsent, head, expected, "none");
            return Ok(None);
        };
        let made_from = format!("log {} generation {}", checkpoint.log_id, checkpoint.generation);
        let expected = format!("log {} generation {}", origin.log_id, origin.generation);
        faults.compare(Rule::ProjectionOtherLog, position, expected, made_from);
        if position < head {
            let found = format!("position {position}, behind by {}", head - position);
            faults.add(Rule::ProjectionBehind, position + 1, format!("position {head}"), found);
        }
        let Origin { source, generation, .. } = origin;
        return Ok(Some(ProjectionSide { refold, source, generation, checkpoint: position }));
    }
}

impl ProjectionSide {
    /// Folds the events as they are read from the log, up to `head`, and compares.
    pub(super) async fn compare(
        mut self,
        head: u64,
        mut chunks: mpsc::Receiver<Chunk>,
    ) -> Result<(Option<ProjectionProof>, Faults), CliError> {
        let to = head.min(self.checkpoint);
        let mut faults = Faults::default();
        let mut waiting: Vec<Recorded> = Vec::new();
        let mut open = true;
        while open {
            match chunks.recv().await {
                Some(chunk) => waiting.extend(chunk.iter().filter(|event| event.position <= to).cloned()),
                None => open = false,
            }
            if waiting.len() < EVENTS_AT_ONCE && open {
                continue;
            }
            match self.refold.apply(&waiting).await {
                Ok(()) => {}
                Err(RefoldError::Broken(reason)) => {
                    let position = waiting.first().map_or(to, |event| event.position);
                    faults.add(Rule::ProjectionRefold, position, "events that can be folded", reason);
                    return Ok((None, faults));
                }
                Err(error) => return Err(failed(error)),
            }
            waiting.clear();
        }
        let shown = u32::try_from(SHOWN_MAX).unwrap_or(u32::MAX);
        for (table, count, first) in self.refold.differences(&self.source, to, shown).await.map_err(failed)? {
            tell(table, count, &first, &mut faults);
        }
        let rows = self.refold.rows().await.map_err(failed)?;
        Ok((Some(ProjectionProof { schema: FundingAudit::schema_name(self.generation), to, rows }), faults))
    }
}

/// Tells the differences of a table. Those that were only counted go with the kind of the last one that was read.
fn tell(table: &str, count: u64, first: &[Difference], faults: &mut Faults) {
    let mut rule = Rule::RowAltered;
    for Difference { position, expected, found } in first {
        rule = match (expected, found) {
            (Some(_), None) => Rule::RowMissing,
            (None, Some(_)) => Rule::RowSurplus,
            _ => Rule::RowAltered,
        };
        let row = |row: &Option<String>| {
            row.as_ref().map_or_else(|| format!("no row in {table}"), |row| format!("{table} {row}"))
        };
        faults.add(rule, *position, row(expected), row(found));
    }
    let more = count.saturating_sub(first.len() as u64);
    if more > 0 {
        faults.add_more(rule, more);
    }
}

fn failed(error: RefoldError) -> CliError {
    CliError::failed(format!(
        "the projection cannot be compared: {}. Name its database with --projection-database-url, or leave it out with \
         --without projection. 无法核对投影。",
        in_full(&error)
    ))
}
