//! How the projection stands.

use super::{QueryError, Sql, Store};
use crate::numbers;
use concord_events::ledger::Account;
use jiff::Timestamp;
use std::time::Duration;
use tokio_postgres::types::Type;

/// What the tables hold up to a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Health {
    /// The lines of every currency add up to zero, and no account is below zero where it must not be.
    pub(crate) balanced: bool,
    /// Distinct grants.
    pub(crate) grants: i64,
    /// When the newest event was recorded.
    pub(crate) recorded_at: Option<Timestamp>,
}

/// Adds up the whole ledger.
///
/// Available belongs to a programme, and so may not fall below zero there; its lines name the grants that took from
/// it. The other accounts belong to a grant each. Treasury is the contra account.
pub(crate) async fn health(store: &Store, position: i64, within: Duration) -> Result<Health, QueryError> {
    let contra: Vec<i16> =
        Account::ALL.into_iter().filter(|account| account.is_contra()).map(numbers::account).collect();
    let mut sql = Sql::new(
        "WITH sums AS MATERIALIZED (SELECT dims, account, sum(amount_minor) AS amount FROM postings WHERE position <= ",
    );
    sql.bind(position, Type::INT8).push(
        " GROUP BY dims, account), placed AS MATERIALIZED (SELECT d.currency, d.programme, s.account, s.amount, \
         CASE WHEN s.account = ",
    );
    sql.bind(numbers::account(Account::Available), Type::INT2).push(
        " THEN NULL ELSE d.grant_id END AS holder FROM sums s JOIN dims d USING (dims)) \
         SELECT NOT EXISTS (SELECT 1 FROM placed GROUP BY currency HAVING sum(amount) <> 0) \
         AND NOT EXISTS (SELECT 1 FROM placed WHERE account <> ALL (",
    );
    sql.bind(contra, Type::INT2_ARRAY).push(
        ") GROUP BY programme, holder, account HAVING sum(amount) < 0), \
         (SELECT count(*) FROM grants WHERE position <= ",
    );
    sql.bind(position, Type::INT8).push("), (SELECT max(recorded_at) FROM clock WHERE position <= ");
    sql.bind(position, Type::INT8).push(")");
    let rows = store.rows(&sql, within).await?;
    let row = rows.first().ok_or_else(|| QueryError::Corrupt("the ledger has no answer".to_owned()))?;
    Ok(Health { balanced: row.try_get(0)?, grants: row.try_get(1)?, recorded_at: row.try_get(2)? })
}
