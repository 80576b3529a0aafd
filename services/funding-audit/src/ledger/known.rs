//! What folding needs to know of earlier events: a cache of the projection's own tables, loaded before a batch.

use super::EVENTS_AT_ONCE_MAX;
use concord_chassis::projection::{Applied, ApplyError};
use concord_events::{fund::FundEvent, ledger::Postings};
use concord_kernel::event::LogEvent;
use concord_kernel::{
    Date,
    event::StreamId,
    id::{GrantId, ProgrammeId},
    money::Currency,
    party::PartyId,
};
use jiff::Timestamp;
use lru::LruCache;
use std::num::NonZeroUsize;
use tokio_postgres::{Row, Transaction, types::Type};
use uuid::Uuid;

/// Programmes and grants kept in memory, each. Above what one batch can name (an event names two grants at most), so that what
/// it loads for its later events is not displaced by its earlier ones.
const KEPT_MAX: NonZeroUsize = NonZeroUsize::new(100_000).expect("above zero");
const _: () = assert!(KEPT_MAX.get() > 2 * EVENTS_AT_ONCE_MAX);

/// A programme, as far as folding needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Programme {
    pub(super) year: i16,
    pub(super) currency: Currency,
    /// Key of its own lines' dimensions, once it has any.
    pub(super) dims: Option<i64>,
}

/// A grant, as far as folding needs it.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) programme: ProgrammeId,
    pub(super) currency: Currency,
    pub(super) lead: PartyId,
    /// First day of the project, once it is contracted.
    pub(super) starts_on: Option<Date>,
    /// The shares that hold: who, and how much where that is known.
    pub(super) shares: Vec<(PartyId, Option<i64>)>,
    /// Keys of its lines' dimensions, one for each party that has had any.
    pub(super) dims: Vec<(PartyId, i64)>,
}

/// The cache. What is not in it after [`Known::load`] has not been seen in the log.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) programmes: LruCache<ProgrammeId, Programme>,
    pub(super) grants: LruCache<GrantId, Grant>,
    /// When the newest folded event was recorded; `None` before the first.
    pub(super) recorded_at: Option<Timestamp>,
    /// The played clock's today; `None` before it moved.
    pub(super) today: Option<Date>,
    /// Last position of the newest decision of several events; 0 before the first.
    pub(super) decided_to: i64,
    clock_loaded: bool,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            programmes: LruCache::new(KEPT_MAX),
            grants: LruCache::new(KEPT_MAX),
            recorded_at: None,
            today: None,
            decided_to: 0,
            clock_loaded: false,
        }
    }
}

impl Known {
    /// Loads what these events and their postings name and the cache lacks: at most one statement a table.
    pub(super) async fn load(
        &mut self,
        tx: &Transaction<'_>,
        events: &[Applied<'_, FundEvent>],
        sets: &[Option<Postings>],
    ) -> Result<(), ApplyError> {
        let mut programmes = Vec::new();
        let mut grants = Vec::new();
        for applied in events {
            match applied.event.stream() {
                StreamId { kind: ProgrammeId::KIND, id } => programmes.push(ProgrammeId(id)),
                StreamId { kind: GrantId::KIND, id } => grants.push(GrantId(id)),
                _ => {}
            }
            match &applied.event {
                FundEvent::GrantApplied { programme, .. } => programmes.push(*programme),
                // The stream is the recovery's, and no money moves.
                FundEvent::RecoveryDemanded { grant, .. }
                | FundEvent::RecoveryAppealed { grant, .. }
                | FundEvent::RecoveryUpheld { grant, .. } => grants.push(*grant),
                _ => {}
            }
        }
        for set in sets.iter().flatten() {
            programmes.push(set.programme);
            grants.extend(set.lines.iter().filter_map(|line| line.grant));
        }
        // `get` marks what is here as used, so that it outlives what is loaded now.
        programmes.retain(|id| self.programmes.get(id).is_none());
        grants.retain(|id| self.grants.get(id).is_none());
        programmes.sort_unstable();
        programmes.dedup();
        grants.sort_unstable();
        grants.dedup();
        self.load_clock(tx).await?;
        self.load_programmes(tx, &programmes).await?;
        self.load_grants(tx, &grants).await
    }

    async fn load_clock(&mut self, tx: &Transaction<'_>) -> Result<(), ApplyError> {
        if !self.clock_loaded {
            let sql = "SELECT (SELECT max(recorded_at) FROM clock), \
                       (SELECT today FROM todays ORDER BY position DESC LIMIT 1), \
                       coalesce((SELECT last FROM decisions ORDER BY first DESC LIMIT 1), 0)";
            let row = tx.query_typed_one(sql, &[]).await?;
            self.recorded_at = row.try_get(0)?;
            self.today = row.try_get(1)?;
            self.decided_to = row.try_get(2)?;
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
        let ids: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 1] = [(&ids, Type::UUID_ARRAY)];
        let grants = "SELECT grant_id, programme, currency, lead, \
                      (SELECT t.starts_on FROM terms t WHERE t.grant_id = g.grant_id ORDER BY t.position DESC LIMIT 1) \
                      FROM grants g WHERE grant_id = ANY($1)";
        let shares = "SELECT grant_id, party, amount_minor FROM shares s WHERE grant_id = ANY($1) AND position = \
                      (SELECT max(later.position) FROM shares later WHERE later.grant_id = s.grant_id) \
                      ORDER BY grant_id, number";
        let dims = "SELECT grant_id, party, dims FROM dims WHERE grant_id = ANY($1) ORDER BY dims";
        let (grants, shares, dims) = futures::try_join!(
            tx.query_typed(grants, &ids),
            tx.query_typed(shares, &ids),
            tx.query_typed(dims, &ids),
        )?;
        for row in grants {
            let known = Grant {
                programme: ProgrammeId(row.try_get(1)?),
                currency: currency(&row, 2)?,
                lead: PartyId(row.try_get(3)?),
                starts_on: row.try_get(4)?,
                shares: Vec::new(),
                dims: Vec::new(),
            };
            self.grants.put(GrantId(row.try_get(0)?), known);
        }
        for row in shares {
            if let Some(known) = self.grants.get_mut(&GrantId(row.try_get(0)?)) {
                known.shares.push((PartyId(row.try_get(1)?), row.try_get(2)?));
            }
        }
        for row in dims {
            if let Some(known) = self.grants.get_mut(&GrantId(row.try_get(0)?)) {
                known.dims.push((PartyId(row.try_get(1)?), row.try_get(2)?));
            }
        }
        Ok(())
    }
}

fn currency(row: &Row, column: usize) -> Result<Currency, ApplyError> {
    let code: &str = row.try_get(column)?;
    code.parse().map_err(|_| ApplyError::Broken(format!("the tables hold {code:?} as a currency")))
}
