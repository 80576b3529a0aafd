//! Reads the log by key, page by page. Never one long transaction: a snapshot held open would stop pruning.

use super::store::{SETTLE, Stored};
use crate::record::Recorded;
use bytes::Bytes;
use tokio_postgres::types::{FromSql, Type};

/// PostgreSQL could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection could be had.
    #[error("no connection to PostgreSQL")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// The statement failed.
    #[error("PostgreSQL refused the statement")]
    Statement(#[from] tokio_postgres::Error),
}

/// A JSON document, byte for byte, from a column of type `bytea` or `json`.
pub(crate) struct JsonText(pub(crate) Bytes);

impl<'a> FromSql<'a> for JsonText {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(Bytes::copy_from_slice(raw)))
    }
    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::BYTEA | Type::JSON)
    }
}

/// Reads events by position.
#[derive(Clone)]
pub struct LogReader {
    pool: deadpool_postgres::Pool,
}

impl LogReader {
    /// Reads over the connections of `pool`.
    #[must_use]
    pub fn new(pool: deadpool_postgres::Pool) -> Self {
        Self { pool }
    }

    /// Position of the last committed event; 0 where there is none.
    pub async fn head(&self) -> Result<u64, StoreError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached("SELECT coalesce(max(position), 0) FROM events").await?;
        let head: i64 = client.query_one(&statement, &[]).await?.get(0);
        Ok(head.unsigned_abs())
    }

    /// At most `limit` events after `after`, in order, without a gap.
    pub async fn read(&self, after: u64, limit: u32) -> Result<Vec<Recorded>, StoreError> {
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached(
                "SELECT position, record FROM events WHERE position > $1 ORDER BY position LIMIT $2",
            )
            .await?;
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let rows = client.query(&statement, &[&after, &i64::from(limit)]).await?;
        Ok(rows
            .iter()
            .map(|row| Recorded {
                position: row.get::<_, i64>(0).unsigned_abs(),
                bytes: row.get::<_, JsonText>(1).0,
            })
            .collect())
    }

    /// At most `limit` events of one aggregate's own stream after version `after`, at or below position `head`; each
    /// with its version.
    pub async fn read_stream(
        &self,
        stream: uuid::Uuid,
        after: i64,
        head: u64,
        limit: i64,
    ) -> Result<Vec<(i64, Recorded)>, StoreError> {
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached(
                "SELECT version, position, record FROM events
                 WHERE stream = $1 AND version > $2 AND position <= $3 ORDER BY version LIMIT $4",
            )
            .await?;
        let head = i64::try_from(head).unwrap_or(i64::MAX);
        let rows = client.query(&statement, &[&stream, &after, &head, &limit]).await?;
        Ok(rows
            .iter()
            .map(|row| {
                let position = row.get::<_, i64>(1).unsigned_abs();
                (row.get(0), Recorded { position, bytes: row.get::<_, JsonText>(2).0 })
            })
            .collect())
    }

    /// Refused commands numbered below `before`, newest first: number, time, request id, head, reason, refusal,
    /// command.
    pub(crate) async fn refusals(
        &self,
        before: i64,
        limit: i64,
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached(
                "SELECT number, to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),
                        request_id, head, reason, refusal, command
                 FROM refusals WHERE number < $1 ORDER BY number DESC LIMIT $2",
            )
            .await?;
        Ok(client.query(&statement, &[&before, &limit]).await?)
    }

    /// Who gave the accepted command with this request id; `None` where there is none. The event says it, and the command's
    /// body where there was none.
    pub(crate) async fn actor_of(&self, request_id: uuid::Uuid) -> Result<Option<String>, StoreError> {
        #[derive(serde::Deserialize)]
        struct Given {
            actor: String,
        }
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached(
                "SELECT coalesce(record, command) FROM requests LEFT JOIN events ON position = first_position
                 WHERE request_id = $1",
            )
            .await?;
        let row = client.query_opt(&statement, &[&request_id]).await?;
        let given = row.map(|row| serde_json::from_slice::<Given>(&row.get::<_, JsonText>(0).0));
        // A body that a refill could not bring back names nobody.
        Ok(given.map(|given| given.map_or_else(|_| "somebody unknown".to_owned(), |given| given.actor)))
    }

    /// The stored answer of an accepted command of `log`.
    pub(crate) async fn answer(
        &self,
        request_id: uuid::Uuid,
        log: &'static str,
    ) -> Result<Option<Stored>, StoreError> {
        let client = self.pool.get().await?;
        let query = format!("SELECT {} FROM requests WHERE request_id = $1", Stored::COLUMNS);
        let statement = client.prepare_cached(&query).await?;
        let row = client.query_opt(&statement, &[&request_id]).await?;
        if row.is_some() {
            // A row may be visible before a standby has it, and an answer may not go out before.
            client.batch_execute(SETTLE).await?;
        }
        Ok(row.map(|row| Stored::of(&row, log).1))
    }
}
