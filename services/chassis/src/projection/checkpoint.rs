//! The schema of a projection, the lock on it, and its checkpoint.

use super::ProjectionOptions;
use super::head::Identity;
use deadpool_postgres::{ClientWrapper, Object, Pool};
use uuid::Uuid;

/// The database could not do its part; tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum DatabaseError {
    #[error("no connection to PostgreSQL")]
    Pool(#[from] deadpool_postgres::PoolError),
    #[error("PostgreSQL refused the statement")]
    Statement(#[from] tokio_postgres::Error),
}

/// What the projection has applied, and of which history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) position: u64,
    pub(super) identity: Identity,
}

/// An identifier of PostgreSQL, quoted.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Takes a connection out of the pool for good, with `search_path` set to the projection's schema. Session settings
/// and a session's lock must not get back to other users of the pool.
pub(super) async fn connect(pool: &Pool, schema: &str) -> Result<ClientWrapper, DatabaseError> {
    let client = Object::take(pool.get().await?);
    // Rows and checkpoint are committed together and can be built again, so a crash may take their tail. The log's flushes
    // then need not wait for those of its readers, where they share a server.
    let settings = format!("SET search_path TO {}; SET synchronous_commit TO off", quoted(schema));
    client.batch_execute(&settings).await?;
    Ok(client)
}

/// Asks for the lock that keeps a second runner of this schema and log away. The session holds it, and the same
/// session does the writing: who lost the lock cannot write.
pub(super) async fn try_lock(
    client: &ClientWrapper,
    options: &ProjectionOptions,
) -> Result<bool, tokio_postgres::Error> {
    let name = format!("projection {} {}", options.schema, options.source());
    let row = client.query_one("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", &[&name]).await?;
    Ok(row.get(0))
}

/// Reads the checkpoint; `None` where schema or row do not exist yet.
pub(super) async fn load(
    client: &ClientWrapper,
    options: &ProjectionOptions,
) -> Result<Option<Checkpoint>, tokio_postgres::Error> {
    let table = format!("{}.checkpoint", quoted(&options.schema));
    let exists = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&table]).await?;
    if !exists.get::<_, bool>(0) {
        return Ok(None);
    }
    let row = client
        .query_opt(
            "SELECT position, log_id, generation FROM checkpoint WHERE source = $1",
            &[&options.source()],
        )
        .await?;
    Ok(row.map(|row| Checkpoint {
        position: row.get::<_, i64>(0).unsigned_abs(),
        identity: Identity { log_id: row.get::<_, Uuid>(1), generation: row.get::<_, i32>(2).unsigned_abs() },
    }))
}

/// Makes schema, tables and checkpoint in one transaction, so that half of them never exists.
pub(super) async fn create(
    client: &mut ClientWrapper,
    options: &ProjectionOptions,
    ddl: &str,
    identity: Identity,
) -> Result<(), tokio_postgres::Error> {
    let schema = quoted(&options.schema);
    let tx = client.transaction().await?;
    // Two logs may feed one schema, and CREATE SCHEMA IF NOT EXISTS does not wait for its like.
    tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
        &[&format!("projection schema {}", options.schema)],
    )
    .await?;
    let table = format!("{schema}.checkpoint");
    let exists = tx.query_one("SELECT to_regclass($1) IS NOT NULL", &[&table]).await?;
    if !exists.get::<_, bool>(0) {
        tx.batch_execute(&format!(
            "CREATE SCHEMA IF NOT EXISTS {schema};
             CREATE TABLE checkpoint (
                 source      text        PRIMARY KEY,
                 position    bigint      NOT NULL CHECK (position >= 0),
                 log_id      uuid        NOT NULL,
                 generation  integer     NOT NULL,
                 applied_at  timestamptz NOT NULL DEFAULT clock_timestamp()
             );"
        ))
        .await?;
        tx.batch_execute(ddl).await?;
    }
    let generation = i32::try_from(identity.generation).unwrap_or(i32::MAX);
    tx.execute(
        "INSERT INTO checkpoint (source, position, log_id, generation) VALUES ($1, 0, $2, $3)",
        &[&options.source(), &identity.log_id, &generation],
    )
    .await?;
    tx.commit().await
}

/// Moves the checkpoint within the transaction of the rows. `false` where it is not at `from`: another runner wrote.
pub(super) async fn advance(
    tx: &deadpool_postgres::Transaction<'_>,
    source: &str,
    from: u64,
    to: u64,
) -> Result<bool, tokio_postgres::Error> {
    let statement = tx
        .prepare_cached(
            "UPDATE checkpoint SET position = $3, applied_at = clock_timestamp()
             WHERE source = $1 AND position = $2",
        )
        .await?;
    let (from, to) = (i64::try_from(from).unwrap_or(i64::MAX), i64::try_from(to).unwrap_or(i64::MAX));
    Ok(tx.execute(&statement, &[&source, &from, &to]).await? == 1)
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn an_identifier_cannot_end_its_own_quotes() {
        assert_eq!(quoted("funding_audit_v1"), "\"funding_audit_v1\"");
        assert_eq!(quoted("a\"; DROP SCHEMA b"), "\"a\"\"; DROP SCHEMA b\"");
    }
}
