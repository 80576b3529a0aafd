//! How the projection stands.

use super::{QueryError, Sql, Store};
use crate::numbers;
use concord_events::ledger::{Account, Chain};
use jiff::Timestamp;
use std::time::Duration;
use tokio_postgres::types::Type;

/// What the tables hold up to a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Health {
    /// The lines of each chain of every currency add up to zero, and no account is below zero where it must not be.
    pub(crate) balanced: bool,
    /// Distinct grants.
    pub(crate) grants: i64,
    /// When the newest event was recorded.
    pub(crate) recorded_at: Option<Timestamp>,
}

/// Adds up the whole ledger, each chain of accounts by itself.
///
/// A row of dimensions is one holder: a programme of what is available, a party of a grant of everything else. Nobody may hold
/// less than nothing, the contra accounts aside.
pub(crate) async fn health(store: &Store, position: i64, within: Duration) -> Result<Health, QueryError> {
    let contra: Vec<i16> =
        Account::ALL.into_iter().filter(|account| account.is_contra()).map(numbers::account).collect();
    let matching: Vec<i16> = Account::ALL
        .into_iter()
        .filter(|account| account.chain() == Chain::Matching)
        .map(numbers::account)
        .collect();
    let mut sql = Sql::new(
        "WITH sums AS MATERIALIZED (SELECT dims, account, sum(amount_minor) AS amount FROM postings WHERE position <= ",
    );
    sql.bind(position, Type::INT8).push(
        " GROUP BY dims, account) SELECT NOT EXISTS (SELECT 1 FROM sums s JOIN dims d USING (dims) \
         GROUP BY d.currency, s.account = ANY (",
    );
    sql.bind(matching, Type::INT2_ARRAY).push(
        ") HAVING sum(s.amount) <> 0) AND NOT EXISTS (SELECT 1 FROM sums WHERE amount < 0 AND account <> ALL (",
    );
    sql.bind(contra, Type::INT2_ARRAY).push(")), (SELECT count(*) FROM grants WHERE position <= ");
    sql.bind(position, Type::INT8).push("), (SELECT max(recorded_at) FROM clock WHERE position <= ");
    sql.bind(position, Type::INT8).push(")");
    let rows = store.rows(&sql, within).await?;
    let row = rows.first().ok_or_else(|| QueryError::Corrupt("the ledger has no answer".to_owned()))?;
    Ok(Health { balanced: row.try_get(0)?, grants: row.try_get(1)?, recorded_at: row.try_get(2)? })
}
