//! What folding needs to know of earlier events: a cache of the projection's own tables, loaded before a batch.

use super::EVENTS_AT_ONCE_MAX;
use concord_chassis::projection::{Applied, ApplyError};
use concord_events::fund::FundEvent;
use concord_kernel::event::LogEvent;
use concord_kernel::{
    id::{GrantId, ProgrammeId},
    money::Currency,
};
use jiff::Timestamp;
use lru::LruCache;
use std::num::NonZeroUsize;
use tokio_postgres::{Row, Transaction, types::Type};
use uuid::Uuid;

/// Programmes and grants kept in memory, each. Above `EVENTS_AT_ONCE_MAX`, so that what one batch loads for its later
/// events is not displaced by its earlier ones.
const KEPT_MAX: NonZeroUsize = NonZeroUsize::new(100_000).expect("above zero");
const _: () = assert!(KEPT_MAX.get() > EVENTS_AT_ONCE_MAX);

/// A programme, as far as folding needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Programme {
    pub(super) year: i16,
    pub(super) currency: Currency,
    /// Key of its own lines' dimensions, once it has any.
    pub(super) dims: Option<i64>,
}

/// A grant, as far as folding needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grant {
    pub(super) programme: ProgrammeId,
    pub(super) currency: Currency,
    /// Key of its lines' dimensions, once it has any.
    pub(super) dims: Option<i64>,
}

/// The cache. What is not in it after [`Known::load`] has not been seen in the log.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) programmes: LruCache<ProgrammeId, Programme>,
    pub(super) grants: LruCache<GrantId, Grant>,
    /// When the newest folded event was recorded; `None` before the first.
    pub(super) recorded_at: Option<Timestamp>,
    clock_loaded: bool,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            programmes: LruCache::new(KEPT_MAX),
            grants: LruCache::new(KEPT_MAX),
            recorded_at: None,
            clock_loaded: false,
        }
    }
}

impl Known {
    /// Loads what these events name and the cache lacks: at most one statement a table.
    pub(super) async fn load(
        &mut self,
        tx: &Transaction<'_>,
        events: &[Applied<'_, FundEvent>],
    ) -> Result<(), ApplyError> {
        let mut programmes = Vec::new();
        let mut grants = Vec::new();
        for applied in events {
            match applied.event.stream() {
                ("programme", id) => programmes.push(ProgrammeId(id)),
                ("grant", id) => grants.push(GrantId(id)),
                _ => {}
            }
            if let FundEvent::GrantApplied { programme, .. } = &applied.event {
                programmes.push(*programme);
            }
            // Whose available money a grant's event moves.
            programmes.extend(applied.event.also().into_iter().map(ProgrammeId));
        }
        // `get` marks what is here as used, so that it outlives what is loaded now.
        programmes.retain(|id| self.programmes.get(id).is_none());
        grants.retain(|id| self.grants.get(id).is_none());
        self.load_clock(tx).await?;
        self.load_programmes(tx, &programmes).await?;
        self.load_grants(tx, &grants).await
    }

    async fn load_clock(&mut self, tx: &Transaction<'_>) -> Result<(), ApplyError> {
        if !self.clock_loaded {
            let row = tx.query_typed_one("SELECT max(recorded_at) FROM clock", &[]).await?;
            self.recorded_at = row.try_get(0)?;
            self.clock_loaded = true;
        }
        Ok(())
    }

    async fn load_programmes(&mut self, tx: &Transaction<'_>, ids: &[ProgrammeId]) -> Result<(), ApplyError> {
        if ids.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let sql = "SELECT programme, year, currency, \
                   (SELECT dims FROM dims d WHERE d.programme = p.programme AND d.grant_id IS NULL) \
                   FROM programmes p WHERE programme = ANY($1)";
        for row in tx.query_typed(sql, &[(&ids, Type::UUID_ARRAY)]).await? {
            let known =
                Programme { year: row.try_get(1)?, currency: currency(&row, 2)?, dims: row.try_get(3)? };
            self.programmes.put(ProgrammeId(row.try_get(0)?), known);
        }
        Ok(())
    }

    async fn load_grants(&mut self, tx: &Transaction<'_>, ids: &[GrantId]) -> Result<(), ApplyError> {
        if ids.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let sql = "SELECT grant_id, programme, currency, \
                   (SELECT dims FROM dims d WHERE d.grant_id = g.grant_id) \
                   FROM grants g WHERE grant_id = ANY($1)";
        for row in tx.query_typed(sql, &[(&ids, Type::UUID_ARRAY)]).await? {
            let known = Grant {
                programme: ProgrammeId(row.try_get(1)?),
                currency: currency(&row, 2)?,
                dims: row.try_get(3)?,
            };
            self.grants.put(GrantId(row.try_get(0)?), known);
        }
        Ok(())
    }
}

fn currency(row: &Row, column: usize) -> Result<Currency, ApplyError> {
    let code: &str = row.try_get(column)?;
    code.parse().map_err(|_| ApplyError::Broken(format!("the tables hold {code:?} as a currency")))
}
