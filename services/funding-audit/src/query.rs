//! The questions, as SQL over the projection's tables.
//!
//! Every answer is a function of rows with `position <= P` and `effective_on <= D`, and rows are only ever added. So
//! a question needs no snapshot that outlives its statement, and two pages of one answer may be read minutes apart:
//! the rows behind them are the same. Rows are read straight into the messages that answer.

pub(crate) mod balances;
pub(crate) mod clocks;
pub(crate) mod grants;
pub(crate) mod matching;
pub(crate) mod postings;
pub(crate) mod receivables;
pub(crate) mod shares;
pub(crate) mod status;
pub(crate) mod time;
mod whole;

pub(crate) use whole::Whole;

use concord_events::fund::FundingMode;
use concord_kernel::{Date, industry::Industry, money::Currency};
use concord_proto::{amount, r#type::v1::ExactAmount};
use deadpool_postgres::{Object, Pool, PoolError, Transaction};
use std::{
    collections::{HashMap, hash_map::Entry},
    fmt::{Display, Write as _},
    time::Duration,
};
use tokio_postgres::{
    Row, RowStream, Statement,
    error::SqlState,
    row::RowIndex,
    types::{ToSql, Type},
};
use uuid::Uuid;

/// Statements that travel together.
const TOGETHER: usize = 64;
/// Mergers one after another that are followed. The directory refuses a circle; this ends one all the same.
pub(crate) const HOPS_MAX: u32 = 1_000;

/// Longest time limit of a statement.
const MS_PER_DAY: u128 = 86_400_000;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// No connection could be had.
    #[error("no connection to PostgreSQL")]
    Pool(#[from] PoolError),
    /// The statement failed.
    #[error("PostgreSQL did not answer")]
    Statement(#[source] tokio_postgres::Error),
    /// An amount of one grant is beyond 64 bits, which the writer does not let happen. Never rounded, never wrapped.
    #[error("an amount of a single grant is too large for 64 bits; tell whoever operates the service")]
    TooLarge,
    /// The statement ran into its time limit.
    #[error("the answer took longer than there was time for; narrow the filter, or allow a later deadline")]
    TooSlow,
    /// The tables hold what no version of the projection writes.
    #[error("{0}")]
    Corrupt(String),
}

impl From<tokio_postgres::Error> for QueryError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            Some(code) if *code == SqlState::NUMERIC_VALUE_OUT_OF_RANGE => Self::TooLarge,
            Some(code) if *code == SqlState::QUERY_CANCELED => Self::TooSlow,
            _ => Self::Statement(error),
        }
    }
}

impl QueryError {
    /// Whether the same question may be answered a moment later: the connection or PostgreSQL was going away or full.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Pool(_) => true,
            Self::Statement(error) => error.code().is_none_or(|state| {
                ["08", "40", "53", "57"].iter().any(|class| state.code().starts_with(class))
            }),
            Self::TooLarge | Self::TooSlow | Self::Corrupt(_) => false,
        }
    }
}

/// The point that an answer reflects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point {
    /// Events at or below this position.
    pub(crate) position: i64,
    /// Facts that happened on or before this date; `None`: all.
    pub(crate) effective_on: Option<Date>,
}

/// What narrows a question; all given fields must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) programme: Option<Uuid>,
    pub(crate) mode: Option<FundingMode>,
    /// Beginning of the lead's region.
    pub(crate) lead_region: Option<String>,
    /// Beginning of the party's region.
    pub(crate) party_region: Option<String>,
    pub(crate) industry: Option<Industry>,
    pub(crate) year: Option<i16>,
    /// Year and month, as yyyymm.
    pub(crate) period: Option<i32>,
    pub(crate) grant: Option<Uuid>,
    /// All ids that stand for one legal person at the point asked about.
    pub(crate) party: Option<Vec<Uuid>>,
    pub(crate) currency: Option<Currency>,
}

/// A part of an answer in order: so many rows after so many. `None` for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) offset: i64,
    pub(crate) limit: i64,
}

/// A statement and its parameters. Their types are given, so that it travels in one round trip.
#[derive(Debug, Default)]
pub(crate) struct Sql {
    parts: Vec<Part>,
}

/// What a statement is made of, in order. Placeholders are numbered once it is whole, so that it may stand within another.
#[derive(Debug)]
enum Part {
    Text(String),
    Parameter(Box<dyn ToSql + Sync + Send>, Type),
}

impl Sql {
    pub(crate) fn new(text: &str) -> Self {
        Self { parts: vec![Part::Text(text.to_owned())] }
    }

    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.parts.push(Part::Text(text.to_owned()));
        self
    }

    /// Adds a parameter and writes its placeholder.
    pub(crate) fn bind(&mut self, value: impl ToSql + Sync + Send + 'static, kind: Type) -> &mut Self {
        self.parts.push(Part::Parameter(Box::new(value), kind));
        self
    }

    /// Adds a whole statement in parentheses, with its parameters, as one table.
    pub(crate) fn nest(&mut self, statement: Self) -> &mut Self {
        self.push("(").parts.extend(statement.parts);
        self.push(")")
    }

    /// `alias.position <= P AND alias.effective_on <= D`.
    pub(crate) fn known_at(&mut self, alias: &str, point: Point) -> &mut Self {
        self.push(alias).push(".position <= ").bind(point.position, Type::INT8);
        if let Some(date) = point.effective_on {
            self.push(" AND ").push(alias).push(".effective_on <= ").bind(date, Type::DATE);
        }
        self
    }

    /// ` AND …` for the rows of `postings` as `p` that the filter lets through.
    pub(crate) fn narrow_postings(&mut self, filter: &Filter) -> &mut Self {
        if let Some(period) = filter.period {
            self.push(" AND p.period = ").bind(period, Type::INT4);
        }
        let of_dims = Filter { period: None, ..filter.clone() };
        if of_dims != Filter::default() {
            self.push(" AND p.dims IN (SELECT d.dims FROM dims d WHERE true").narrow_dims(&of_dims).push(")");
        }
        self
    }

    /// ` AND …` for the rows of `dims` as `d`, or of what has its columns. The period is not among them.
    pub(crate) fn narrow_dims(&mut self, filter: &Filter) -> &mut Self {
        if let Some(programme) = filter.programme {
            self.push(" AND d.programme = ").bind(programme, Type::UUID);
        }
        if let Some(mode) = filter.mode {
            self.push(" AND d.mode = ").bind(mode.code(), Type::TEXT);
        }
        // Not LIKE: the beginning is a parameter, and no character of it is a wildcard.
        if let Some(region) = &filter.lead_region {
            self.push(" AND starts_with(d.lead_region, ").bind(region.clone(), Type::TEXT).push(")");
        }
        if let Some(region) = &filter.party_region {
            self.push(" AND starts_with(d.party_region, ").bind(region.clone(), Type::TEXT).push(")");
        }
        if let Some(industry) = filter.industry {
            self.push(" AND d.industry = ").bind(industry.as_str(), Type::TEXT);
        }
        if let Some(year) = filter.year {
            self.push(" AND d.year = ").bind(year, Type::INT2);
        }
        if let Some(grant) = filter.grant {
            self.push(" AND d.grant_id = ").bind(grant, Type::UUID);
        }
        if let Some(party) = &filter.party {
            self.push(" AND d.party = ANY(").bind(party.clone(), Type::UUID_ARRAY).push(")");
        }
        if let Some(currency) = filter.currency {
            self.push(" AND d.currency = ").bind(currency.as_str().to_owned(), Type::TEXT);
        }
        self
    }

    /// `persons AS (…)` with `party` and `person`: of each id that stands for another party at a point, that party, after all
    /// mergers until then. An id that is not in it stands for itself.
    pub(crate) fn persons(&mut self, point: Point) -> &mut Self {
        self.push("persons AS MATERIALIZED (WITH RECURSIVE ").links(point);
        self.push(
            ", steps AS (SELECT l.party, l.into_party AS person, 1 AS hops FROM links l UNION ALL \
             SELECT s.party, l.into_party, s.hops + 1 FROM steps s JOIN links l ON l.party = s.person WHERE s.hops < ",
        );
        self.push(&format!(
            "{HOPS_MAX}) SELECT DISTINCT ON (party) party, person FROM steps ORDER BY party, hops DESC)"
        ))
    }

    /// `links AS (…)`: from which day on and since which position an id stands for another party, one step, as a point knows it.
    pub(crate) fn links(&mut self, point: Point) -> &mut Self {
        self.push(
            "links AS MATERIALIZED (SELECT l.* FROM (SELECT DISTINCT ON (l.party) l.party, l.into_party, l.effective_on, \
             l.position, l.by_code FROM party_links l WHERE l.position <= ",
        );
        self.bind(point.position, Type::INT8).push(
            " ORDER BY l.party, l.position DESC) l WHERE l.into_party IS NOT NULL AND (l.by_code OR NOT EXISTS (SELECT 1 FROM party_links r \
             WHERE r.party = l.into_party AND r.into_party IS NULL AND r.position > l.position AND r.position <= ",
        );
        self.bind(point.position, Type::INT8).push("))");
        if let Some(date) = point.effective_on {
            self.push(" AND l.effective_on <= ").bind(date, Type::DATE);
        }
        self.push(")")
    }

    /// The text, with its placeholders numbered in order, and the parameters.
    fn whole(&self) -> (String, Vec<(&(dyn ToSql + Sync), Type)>) {
        let (mut text, mut parameters) = (String::new(), Vec::new());
        for part in &self.parts {
            match part {
                Part::Text(words) => text.push_str(words),
                Part::Parameter(value, kind) => {
                    parameters.push((&**value as &(dyn ToSql + Sync), kind.clone()));
                    // Writing to a string does not fail.
                    let _ = write!(text, "${}", parameters.len());
                }
            }
        }
        (text, parameters)
    }

    pub(crate) fn slice(&mut self, slice: Option<Slice>) -> &mut Self {
        if let Some(Slice { offset, limit }) = slice {
            self.push(" LIMIT ").bind(limit, Type::INT8).push(" OFFSET ").bind(offset, Type::INT8);
        }
        self
    }
}

/// Where the tables are.
#[derive(Clone)]
pub(crate) struct Store {
    pool: Pool,
    schema: String,
}

impl Store {
    pub(crate) fn new(pool: Pool, schema: &str) -> Self {
        Self { pool, schema: schema.to_owned() }
    }

    /// A connection, as soon as one is free.
    pub(crate) async fn connection(&self, within: Duration) -> Result<Object, QueryError> {
        let free = tokio::time::timeout(within, self.pool.get()).await;
        Ok(free.map_err(|_| QueryError::TooSlow)??)
    }

    /// Opens a transaction that reads, on a connection that the caller keeps. Its settings go with it: nothing is left
    /// on the connection for the next user. Dropping it ends it.
    pub(crate) async fn begin<'c>(
        &self,
        connection: &'c mut Object,
        within: Duration,
    ) -> Result<Transaction<'c>, QueryError> {
        let tx = connection.build_transaction().read_only(true).start().await?;
        // Compiling a plan would take longer than running it, and sums over all grants belong in memory, not on disk. The tables are
        // in memory or on flash, where a page found by an index costs hardly more than the next one: at PostgreSQL's own
        // figure, which is for disks, it reads a million lines for one programme's.
        tx.batch_execute(&format!(
            "SET LOCAL search_path TO \"{}\"; SET LOCAL statement_timeout TO {}; \
             SET LOCAL jit TO off; SET LOCAL work_mem TO '64MB'; SET LOCAL random_page_cost TO 1.1",
            self.schema.replace('"', "\"\""),
            within.as_millis().clamp(1, MS_PER_DAY)
        ))
        .await?;
        Ok(tx)
    }

    /// All rows of an answer that is small enough to be held.
    pub(crate) async fn rows(&self, sql: &Sql, within: Duration) -> Result<Vec<Row>, QueryError> {
        let mut connection = self.connection(within).await?;
        let tx = self.begin(&mut connection, within).await?;
        let (text, parameters) = sql.whole();
        Ok(tx.query_typed(&text, &parameters).await?)
    }

    /// The rows of each of many small questions, on one connection. Those of one text differ in their parameters alone: it is
    /// planned once, since planning takes longer than the answer.
    pub(crate) async fn each(&self, asked: &[Sql], within: Duration) -> Result<Vec<Vec<Row>>, QueryError> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let answered = async {
            let mut connection = self.connection(within).await?;
            let tx = self.begin(&mut connection, within).await?;
            tx.batch_execute("SET LOCAL plan_cache_mode TO force_generic_plan").await?;
            let mut prepared: HashMap<String, Statement> = HashMap::new();
            let mut rows = Vec::with_capacity(asked.len());
            for together in asked.chunks(TOGETHER) {
                let whole: Vec<_> = together.iter().map(Sql::whole).collect();
                for (text, parameters) in &whole {
                    if let Entry::Vacant(free) = prepared.entry(text.clone()) {
                        let kinds: Vec<Type> = parameters.iter().map(|(_, kind)| kind.clone()).collect();
                        free.insert(tx.prepare_typed(text, &kinds).await?);
                    }
                }
                let answers = whole.iter().map(|(text, parameters)| {
                    let (tx, statement) = (&tx, &prepared[text]);
                    let values: Vec<&(dyn ToSql + Sync)> =
                        parameters.iter().map(|(value, _)| *value).collect();
                    async move { tx.query(statement, &values).await }
                });
                rows.extend(futures::future::try_join_all(answers).await?);
            }
            Ok::<_, QueryError>(rows)
        };
        tokio::time::timeout(within, answered).await.map_err(|_| QueryError::TooSlow)?
    }
}

/// Grants as `d`, with the columns of `dims` that [`Sql::narrow_dims`] looks at, and what is shown of a grant. Its party is its
/// lead.
pub(crate) const GRANTS: &str = "(SELECT g.grant_id, g.programme, pr.year, g.currency, g.mode, g.industry, \
     g.lead_region, g.lead AS party, g.lead_region AS party_region, g.title, g.migrated, g.synthetic \
     FROM grants g JOIN programmes pr USING (programme)) d";

/// A page of an answer, whether there are more rows, and the totals over all of them.
pub(crate) type Page<T, U> = (Vec<T>, bool, Vec<U>);

/// A table that is answered in order, page by page, with totals over all of its rows.
pub(crate) trait View {
    type Line;
    type Total;

    /// The rows in order, and (with a slice) a slice of them and the totals after it. A column `is_total` says which is which.
    fn sql(&self, slice: Option<Slice>) -> Sql;

    /// Reads a row.
    fn line(&self, row: &Row) -> Result<Self::Line, QueryError>;

    /// Reads a total.
    fn total(row: &Row) -> Result<Self::Total, QueryError>;

    /// A page.
    async fn page(
        &self,
        store: &Store,
        slice: Slice,
        within: Duration,
    ) -> Result<Page<Self::Line, Self::Total>, QueryError> {
        let one_more = Slice { limit: slice.limit + 1, ..slice };
        let (mut page, mut totals) = (Vec::new(), Vec::new());
        for row in store.rows(&self.sql(Some(one_more)), within).await? {
            if row.try_get("is_total")? {
                totals.push(Self::total(&row)?);
            } else {
                page.push(self.line(&row)?);
            }
        }
        let more = page.len() > usize::try_from(slice.limit).unwrap_or(usize::MAX);
        if more {
            page.pop();
        }
        Ok((page, more, totals))
    }
}

/// The end of a view's statement: the rows of `lines` in an order, and with a slice the totals that `totals` says: the columns of
/// `lines`, their order, and from where.
pub(crate) fn finish(sql: &mut Sql, order: &str, slice: Option<Slice>, totals: &str) {
    sql.push(", page AS (SELECT l.*, row_number() OVER (ORDER BY ").push(order);
    sql.push(") AS ordinal FROM lines l ORDER BY ordinal").slice(slice);
    sql.push(") SELECT false AS is_total, 0::bigint AS counted, p.* FROM page p");
    if slice.is_some() {
        sql.push(" UNION ALL SELECT true, count(*), ").push(totals);
    }
    sql.push(" ORDER BY is_total, ordinal");
}

/// Sums of columns, each a `numeric`, which no sum runs over. Beside rows of single amounts these are `numeric` too: all are read as
/// [`Whole`].
pub(crate) fn sums(columns: &[&str]) -> String {
    columns.iter().fold(String::new(), |mut text, column| {
        // Writing to a string does not fail.
        let _ = write!(text, ", coalesce(sum({column}), 0) AS {column}");
        text
    })
}

/// A sum of a row, whatever its size.
pub(crate) fn sum<I: RowIndex + Display>(row: &Row, column: I) -> Result<i128, tokio_postgres::Error> {
    Ok(row.try_get::<_, Whole>(column)?.0)
}

/// A single amount of a row, in a column that has sums too. Within a grant no amount is beyond 64 bits: the writer refuses what would
/// make it so.
pub(crate) fn single<I: RowIndex + Display>(row: &Row, column: I) -> Result<i64, QueryError> {
    i64::try_from(sum(row, column)?).map_err(|_| QueryError::TooLarge)
}

/// The amounts of a row under the names of their columns, into their places in a message.
pub(crate) fn fill(
    row: &Row,
    places: &mut [(&str, &mut i64)],
    exact: &mut Vec<ExactAmount>,
) -> Result<(), tokio_postgres::Error> {
    for (column, place) in places {
        amount::put(sum(row, *column)?, column, place, exact);
    }
    Ok(())
}

/// A day of a row as text; empty where there is none.
pub(crate) fn day(row: &Row, column: &str) -> Result<String, tokio_postgres::Error> {
    Ok(row.try_get::<_, Option<Date>>(column)?.map_or_else(String::new, |date| date.to_string()))
}

/// An id of a row as text.
pub(crate) fn id(row: &Row, column: &str) -> Result<String, tokio_postgres::Error> {
    Ok(row.try_get::<_, Uuid>(column)?.to_string())
}

/// Starts a question whose rows are taken one by one; PostgreSQL waits for whoever takes them.
pub(crate) async fn stream(tx: &Transaction<'_>, sql: &Sql) -> Result<RowStream, QueryError> {
    let (text, parameters) = sql.whole();
    Ok(tx.query_typed_raw(&text, parameters).await?)
}
