//! Folds the log anew and compares every row with the projection's tables.
//!
//! The projection's own code folds the events once more, into temporary tables of one connection to the projection's
//! database; PostgreSQL then says which rows differ. So every table, column and position is compared, whatever the
//! queries make of them. The audited tables cannot be changed on the way: once the temporary ones are made, the
//! connection's transactions are read-only.

use crate::{FundingAudit, LogClock, ledger::TABLES};
use concord_chassis::{
    config::{self, ConfigError},
    projection::{Applied, ApplyError, Projection as _},
    record::{self, Recorded},
};
use deadpool_postgres::{ClientWrapper, Object};
use uuid::Uuid;

/// Memory of the one connection; what does not fit goes to temporary files.
const SESSION: &str = "SET temp_buffers = '64MB'; SET work_mem = '64MB'; SET search_path TO pg_temp;";

/// The refold could not be made, or not be compared.
#[derive(Debug, thiserror::Error)]
pub enum RefoldError {
    /// The address is none.
    #[error("the projection's database address cannot be used")]
    Address(#[from] ConfigError),
    /// No connection.
    #[error("the projection's database cannot be reached")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// A statement failed.
    #[error("the projection's database refused a statement")]
    Statement(#[from] tokio_postgres::Error),
    /// The events cannot be folded: the sentence names the position.
    #[error("{0}")]
    Broken(String),
}

impl From<ApplyError> for RefoldError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Store(error) => Self::Statement(error),
            ApplyError::Broken(reason) => Self::Broken(reason),
        }
    }
}

/// What the projection says that it has applied, and of which history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Position up to which its rows are committed.
    pub position: u64,
    /// UUID of the log that they were made from.
    pub log_id: Uuid,
    /// Generation of that log.
    pub generation: u32,
}

/// One row that is not as the log makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Position of the event that the row is from, as the row itself has it.
    pub position: u64,
    /// The row as the log makes it, JSON; `None` where the log makes none.
    pub expected: Option<String>,
    /// The row as the projection has it, JSON; `None` where it has none.
    pub found: Option<String>,
}

/// The log folded anew, beside the projection's tables.
pub struct Refold {
    client: ClientWrapper,
    projection: FundingAudit,
    schema: String,
}

impl Refold {
    /// Connects to the projection's database and makes empty temporary tables, to be compared with those of this
    /// generation of the log, which has this clock.
    ///
    /// # Errors
    /// [`RefoldError`] where the database cannot be reached, or does not let the user make temporary tables.
    pub async fn begin(database_url: &str, generation: u32, clock: LogClock) -> Result<Self, RefoldError> {
        let pool = config::pool(database_url, 1, "concord log check")?;
        // Taken out of the pool for good: temporary tables live and end with the session.
        let client = Object::take(pool.get().await?);
        let projection = FundingAudit::new(clock);
        client.batch_execute(SESSION).await?;
        client.batch_execute(projection.schema()).await?;
        client.batch_execute("SET default_transaction_read_only = on").await?;
        Ok(Self { client, projection, schema: FundingAudit::schema_name(generation) })
    }

    /// The projection's checkpoint for `source`, `/concord/<cell>/<log>`; `None` where the projection does not exist.
    ///
    /// # Errors
    /// [`RefoldError::Statement`].
    pub async fn checkpoint(&self, source: &str) -> Result<Option<Checkpoint>, RefoldError> {
        let table = format!("{}.checkpoint", self.schema);
        let exists = self.client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&table]).await?;
        if !exists.try_get::<_, bool>(0)? {
            return Ok(None);
        }
        let sql = format!("SELECT position, log_id, generation FROM {table} WHERE source = $1");
        let Some(row) = self.client.query_opt(&sql, &[&source]).await? else {
            return Ok(None);
        };
        Ok(Some(Checkpoint {
            position: row.try_get::<_, i64>(0)?.unsigned_abs(),
            log_id: row.try_get(1)?,
            generation: row.try_get::<_, i32>(2)?.unsigned_abs(),
        }))
    }

    /// Folds the next events.
    ///
    /// # Errors
    /// [`RefoldError::Broken`] where an event cannot be read or folded; then nothing more can be.
    pub async fn apply(&mut self, events: &[Recorded]) -> Result<(), RefoldError> {
        let mut batch = Vec::with_capacity(events.len());
        for recorded in events {
            let (envelope, event) = record::read(recorded).map_err(|error| {
                RefoldError::Broken(format!(
                    "the event at position {} cannot be read: {error}",
                    recorded.position
                ))
            })?;
            batch.push(Applied { envelope, event, recorded });
        }
        let tx = self.client.transaction().await?;
        self.projection.apply(&tx, &batch).await?;
        Ok(tx.commit().await?)
    }

    /// Compares all tables up to `position`. For each table its name, how many rows differ, and the first `limit`
    /// differences in order of position. Rows beyond the projection's checkpoint for `source` are differences too.
    ///
    /// # Errors
    /// [`RefoldError::Statement`], also where a table has other columns than this version makes.
    pub async fn differences(
        &self,
        source: &str,
        position: u64,
        limit: u32,
    ) -> Result<Vec<(&'static str, u64, Vec<Difference>)>, RefoldError> {
        let mut all = Vec::with_capacity(TABLES.len());
        for (table, place) in TABLES {
            let (count, first) = self.compare(table, place, source, position, limit).await?;
            all.push((table, count, first));
        }
        Ok(all)
    }

    async fn compare(
        &self,
        table: &str,
        place: &str,
        source: &str,
        position: u64,
        limit: u32,
    ) -> Result<(u64, Vec<Difference>), RefoldError> {
        let schema = &self.schema;
        // As multisets, so that a row that stands twice is one too many. Rows of one event are paired in order, so
        // that an altered row is one difference and not two.
        let sql = format!(
            "WITH missing AS (SELECT {place} AS place, row_to_json(r)::text AS said FROM ( \
                 SELECT * FROM pg_temp.{table} WHERE {place} <= $1 \
                 EXCEPT ALL SELECT * FROM {schema}.{table} WHERE {place} <= $1) r), \
             surplus AS (SELECT {place} AS place, row_to_json(r)::text AS said FROM ( \
                 SELECT * FROM {schema}.{table} WHERE {place} <= $1 \
                 OR {place} > (SELECT position FROM {schema}.checkpoint WHERE source = $2) \
                 EXCEPT ALL SELECT * FROM pg_temp.{table} WHERE {place} <= $1) r), \
             e AS (SELECT place, said, row_number() OVER (PARTITION BY place ORDER BY said) AS n FROM missing), \
             f AS (SELECT place, said, row_number() OVER (PARTITION BY place ORDER BY said) AS n FROM surplus) \
             SELECT place, e.said, f.said, count(*) OVER () FROM e FULL JOIN f USING (place, n) \
             ORDER BY place, n LIMIT $3"
        );
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        let rows = self.client.query(&sql, &[&position, &source, &i64::from(limit)]).await?;
        let count = rows.first().map_or(Ok(0), |row| row.try_get::<_, i64>(3))?.unsigned_abs();
        let read = |row: &tokio_postgres::Row| -> Result<Difference, tokio_postgres::Error> {
            Ok(Difference {
                position: row.try_get::<_, i64>(0)?.unsigned_abs(),
                expected: row.try_get(1)?,
                found: row.try_get(2)?,
            })
        };
        Ok((count, rows.iter().map(read).collect::<Result<_, _>>()?))
    }

    /// Rows that the refold holds, over all tables.
    ///
    /// # Errors
    /// [`RefoldError::Statement`].
    pub async fn rows(&self) -> Result<u64, RefoldError> {
        let counts: Vec<String> =
            TABLES.iter().map(|(table, _)| format!("(SELECT count(*) FROM pg_temp.{table})")).collect();
        let row = self.client.query_one(&format!("SELECT {}", counts.join(" + ")), &[]).await?;
        Ok(row.try_get::<_, i64>(0)?.unsigned_abs())
    }
}
