//! The lines of the ledger: page by page, and one grant's with running balances.

use super::{
    Filter, Point, QueryError, Sql, Store,
    balances::{self, AMOUNTS, Amount},
};
use crate::{labels, numbers};
use concord_events::ledger::Account;
use concord_kernel::Date;
use concord_proto::audit::v1::{Balance, Posting, StatementLine};
use jiff::Timestamp;
use std::time::Duration;
use tokio_postgres::{Row, types::Type};
use uuid::Uuid;

/// Columns of a posting, in the order in which [`read`] takes them.
const COLUMNS: &str = "p.position, p.line, p.event_type, p.account, p.amount_minor, p.effective_on, p.period, \
     p.recorded_at, d.currency, d.programme, d.mode, d.lead_region, d.party_region, d.industry, d.year, d.grant_id, \
     d.party, p.settles, g.synthetic";

/// A line's place in the ledger: its position and its number within the event's set.
pub(crate) type Place = (i64, i16);

/// Lines in the order of the ledger, after `after`, at most `limit`.
pub(crate) fn sql(point: Point, filter: &Filter, after: Option<Place>, limit: Option<i64>) -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.push(COLUMNS).push(
        " FROM postings p JOIN dims d USING (dims) LEFT JOIN grants g ON g.grant_id = d.grant_id WHERE ",
    );
    sql.known_at("p", point).narrow_postings(filter);
    if let Some((position, line)) = after {
        sql.push(" AND (p.position, p.line) > (")
            .bind(position, Type::INT8)
            .push(", ")
            .bind(line, Type::INT2)
            .push(")");
    }
    sql.push(" ORDER BY p.position, p.line");
    if let Some(limit) = limit {
        sql.push(" LIMIT ").bind(limit, Type::INT8);
    }
    sql
}

/// Reads one line.
pub(crate) fn read(row: &Row) -> Result<Posting, QueryError> {
    let position: i64 = row.try_get(0)?;
    let line: i16 = row.try_get(1)?;
    let mode: Option<&str> = row.try_get(10)?;
    let year: i16 = row.try_get(14)?;
    let text = |index: usize| row.try_get::<_, Option<String>>(index).map(Option::unwrap_or_default);
    let id = |index: usize| -> Result<String, tokio_postgres::Error> {
        Ok(row.try_get::<_, Option<Uuid>>(index)?.map_or_else(String::new, |id| id.to_string()))
    };
    Ok(Posting {
        position: position.unsigned_abs(),
        line: u32::from(line.unsigned_abs()),
        event_type: numbers::event_type_of(row.try_get(2)?)
            .ok_or_else(|| corrupt(position, "event type"))?
            .to_owned(),
        account: account(row)?.code().to_owned(),
        amount_minor: row.try_get(4)?,
        effective_on: row.try_get::<_, Date>(5)?.to_string(),
        period: period(row.try_get(6)?),
        recorded_at: row.try_get::<_, Timestamp>(7)?.to_string(),
        currency: row.try_get(8)?,
        programme_id: id(9)?,
        mode: mode.and_then(labels::mode_of).map_or(0, |mode| labels::wire_mode(mode).into()),
        lead_region: text(11)?,
        party_region: text(12)?,
        industry: text(13)?,
        year: i32::from(year),
        grant_id: id(15)?,
        party_id: id(16)?,
        synthetic: row.try_get::<_, Option<bool>>(18)?.unwrap_or_default(),
    })
}

fn account(row: &Row) -> Result<Account, QueryError> {
    numbers::account_of(row.try_get(3)?).ok_or_else(|| match row.try_get(0) {
        Ok(position) => corrupt(position, "account"),
        Err(error) => error.into(),
    })
}

fn corrupt(position: i64, what: &str) -> QueryError {
    QueryError::Corrupt(format!("a posting of position {position} has an unknown {what}"))
}

/// "YYYY-MM" of a period as yyyymm.
pub(crate) fn period(yyyymm: i32) -> String {
    format!("{:04}-{:02}", yyyymm / 100, yyyymm % 100)
}

/// A page of lines, and the place of its last one where there are more.
pub(crate) async fn page(
    store: &Store,
    point: Point,
    filter: &Filter,
    after: Option<Place>,
    limit: usize,
    within: Duration,
) -> Result<(Vec<Posting>, Option<Place>), QueryError> {
    let one_more = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    let rows = store.rows(&sql(point, filter, after, Some(one_more)), within).await?;
    let more = rows.len() > limit;
    let page = &rows[..rows.len().min(limit)];
    let last = match page.last() {
        Some(row) if more => Some((row.try_get(0)?, row.try_get(1)?)),
        _ => None,
    };
    Ok((page.iter().map(read).collect::<Result<_, _>>()?, last))
}

/// A grant's facts on its statement.
pub(crate) struct Header {
    pub(crate) title: String,
    pub(crate) currency: String,
    pub(crate) migrated: bool,
    pub(crate) synthetic: bool,
}

/// The grant, where the log had it at this point.
pub(crate) async fn header(
    store: &Store,
    point: Point,
    grant: Uuid,
    within: Duration,
) -> Result<Option<Header>, QueryError> {
    let mut sql = Sql::new("SELECT title, currency, migrated, synthetic FROM grants g WHERE g.grant_id = ");
    sql.bind(grant, Type::UUID).push(" AND ").known_at("g", point);
    match store.rows(&sql, within).await?.first() {
        None => Ok(None),
        Some(row) => Ok(Some(Header {
            title: row.try_get(0)?,
            currency: row.try_get(1)?,
            migrated: row.try_get(2)?,
            synthetic: row.try_get(3)?,
        })),
    }
}

/// All lines of a grant with running balances, and the balances at their end. At most `lines_max` lines are read;
/// `None` where there are more.
pub(crate) async fn statement(
    store: &Store,
    point: Point,
    grant: Uuid,
    currency: &str,
    lines_max: usize,
    within: Duration,
) -> Result<Option<(Vec<StatementLine>, Balance)>, QueryError> {
    let filter = Filter { grant: Some(grant), ..Filter::default() };
    let limit = i64::try_from(lines_max).unwrap_or(i64::MAX - 1) + 1;
    let rows = store.rows(&sql(point, &filter, None, Some(limit)), within).await?;
    if rows.len() > lines_max {
        return Ok(None);
    }
    let mut closing = Balance { currency: currency.to_owned(), grants: 1, ..Balance::default() };
    let mut running = Running::default();
    let mut lines = Vec::with_capacity(rows.len());
    for row in &rows {
        let posting = read(row)?;
        let balance_minor = running.add(account(row)?, posting.amount_minor, row.try_get("settles")?)?;
        lines.push(StatementLine { posting: Some(posting), balance_minor });
    }
    balances::put_amounts(&mut closing, AMOUNTS.map(|(_, what)| i128::from(running.of(what))));
    Ok(Some((lines, closing)))
}

/// The balances of a grant's accounts as its lines go by, and what was settled.
#[derive(Default)]
struct Running {
    accounts: [i64; Account::ALL.len()],
    settled: i64,
}

impl Running {
    /// Takes in a line, and gives the balance of its account after it.
    fn add(&mut self, account: Account, amount_minor: i64, settles: bool) -> Result<i64, QueryError> {
        if settles {
            self.settled = self.settled.checked_add(amount_minor).ok_or(QueryError::TooLarge)?;
        }
        let balance = &mut self.accounts[account as usize];
        *balance = balance.checked_add(amount_minor).ok_or(QueryError::TooLarge)?;
        Ok(*balance)
    }

    fn of(&self, what: Amount) -> i64 {
        match what {
            Amount::Of(account) => self.accounts[account as usize],
            Amount::Turned(account) => -self.accounts[account as usize],
            Amount::Settled => self.settled,
        }
    }
}
