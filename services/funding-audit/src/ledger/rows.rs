//! Rows on their way into the tables: one array a column.

use concord_chassis::projection::ApplyError;
use concord_kernel::Date;
use jiff::Timestamp;
use tokio_postgres::{
    Transaction,
    types::{ToSql, Type},
};
use uuid::Uuid;

/// The rows that a batch of events adds, borrowed from the events where they are text.
#[derive(Debug, Default)]
pub(super) struct Rows<'a> {
    pub(super) clock: Clock,
    pub(super) todays: Todays,
    pub(super) programmes: Programmes<'a>,
    pub(super) parties: Parties<'a>,
    pub(super) grants: Grants<'a>,
    pub(super) terms: Terms,
    pub(super) plans: Plans,
    pub(super) steps: Steps,
    pub(super) holds: Holds<'a>,
    pub(super) dims: Dims,
    pub(super) postings: Postings,
}

impl Rows<'_> {
    /// Adds the rows. The statements travel together and run in this order: `dims` reads what `programmes` and
    /// `grants` have just been given.
    pub(super) async fn insert(&self, tx: &Transaction<'_>) -> Result<(), ApplyError> {
        futures::try_join!(
            self.clock.insert(tx),
            self.todays.insert(tx),
            self.programmes.insert(tx),
            self.parties.insert(tx),
            self.grants.insert(tx),
            self.terms.insert(tx),
            self.plans.insert(tx),
            self.steps.insert(tx),
            self.holds.insert(tx),
            self.dims.insert(tx),
            self.postings.insert(tx),
        )?;
        Ok(())
    }
}

type Inserted = Result<(), tokio_postgres::Error>;

/// Runs an insert, unless there is nothing to insert.
async fn run(
    tx: &Transaction<'_>,
    rows: usize,
    sql: &str,
    columns: &[(&(dyn ToSql + Sync), Type)],
) -> Inserted {
    if rows > 0 {
        tx.execute_typed(sql, columns).await?;
    }
    Ok(())
}

#[derive(Debug, Default)]
pub(super) struct Clock {
    pub(super) position: Vec<i64>,
    pub(super) recorded_at: Vec<Timestamp>,
}

impl Clock {
    async fn insert(&self, tx: &Transaction<'_>) -> Inserted {
        let sql = "INSERT INTO clock (position, recorded_at) SELECT * FROM unnest($1, $2)";
        let columns: [(&(dyn ToSql + Sync), Type); 2] =
            [(&self.position, Type::INT8_ARRAY), (&self.recorded_at, Type::TIMESTAMPTZ_ARRAY)];
        run(tx, self.position.len(), sql, &columns).await
    }
}

#[derive(Debug, Default)]
pub(super) struct Todays {
    pub(super) position: Vec<i64>,
    pub(super) today: Vec<Date>,
}

impl Todays {
    async fn insert(&self, tx: &Transaction<'_>) -> Inserted {
        let sql = "INSERT INTO todays (position, today) SELECT * FROM unnest($1, $2)";
        let columns: [(&(dyn ToSql + Sync), Type); 2] =
            [(&self.position, Type::INT8_ARRAY), (&self.today, Type::DATE_ARRAY)];
        run(tx, self.position.len(), sql, &columns).await
    }
}

#[derive(Debug, Default)]
pub(super) struct Programmes<'a> {
    pub(super) programme: Vec<Uuid>,
    pub(super) fund: Vec<&'a str>,
    pub(super) year: Vec<i16>,
    pub(super) currency: Vec<String>,
    pub(super) title: Vec<&'a str>,
    pub(super) position: Vec<i64>,
}

impl Programmes<'_> {
    async fn insert(&self, tx: &Transaction<'_>) -> Inserted {
        let sql = "INSERT INTO programmes (programme, fund, year, currency, title, position) \
                   SELECT * FROM unnest($1, $2, $3, $4, $5, $6)";
        let columns: [(&(dyn ToSql + Sync), Type); 6] = [
            (&self.programme, Type::UUID_ARRAY),
            (&self.fund, Type::TEXT_ARRAY),
            (&self.year, Type::INT2_ARRAY),
            (&self.currency, Type::TEXT_ARRAY),
            (&self.title, Type::TEXT_ARRAY),
            (&self.position, Type::INT8_ARRAY),
        ];
        run(tx, self.position.len(), sql, &columns).await
    }
}

#[derive(Debug, Default)]
pub(super) struct Parties<'a> {
    pub(super) party: Vec<Uuid>,
    pub(super) code: Vec<String>,
    pub(super) name: Vec<&'a str>,
    pub(super) position: Vec<i64>,
}

impl Parties<'_> {
    /// A party comes again with every grant that it leads; the row of the first time stays.
    async fn insert(&self, tx: &Transaction<'_>) -> Inserted {
        let sql = "INSERT INTO parties (party, code, name, position) SELECT * FROM unnest($1, $2, $3, $4) \
                   ON CONFLICT DO NOTHING";
        let columns: [(&(dyn ToSql + Sync), Type); 4] = [
            (&self.party, Type::UUID_ARRAY),
            (&self.code, Type::TEXT_ARRAY),
            (&self.name, Type::TEXT_ARRAY),
            (&self.position, Type::INT8_ARRAY),
        ];
        run(tx, self.position.len(), sql, &columns).await
    }
}

#[derive(Debug, Default)]
pub(super) struct Grants<'a> {
    pub(super) grant: Vec<Uuid>,
    pub(super) programme: Vec<Uuid>,
    pub(super) title: Vec<&'a str>,
    pub(super) mode: Vec<&'a str>,
    pub(super) lead: Vec<Uuid>,
    pub(super) lead_region: Vec<Option<&'a str>>,
    pub(super) industry: Vec<Option<&'a str>>,
    pub(super) currency: Vec<String>,
    pub(super) migrated: Vec<bool>,
    pub(super) synthetic: Vec<bool>,
    pub(super) position: Vec<i64>,
    pub(super) effective_on: Vec<Date>,
}

impl Grants<'_> {
    async fn insert(&self, tx: &Transaction<'_>) -> Inserted {
        let sql = "INSERT INTO grants (grant_id, programme, title, mode, lead, lead_region, industry, currency, \
                   migrated, synthetic, position, effective_on) \
                   SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let columns: [(&(dyn ToSql + Sync), Type); 12] = [
            (&self.grant, Type::UUID_ARRAY),
            (&self.programme, Type::UUID_ARRAY),
            (&self.title, Type::TEXT_ARRAY),
            (&self.mode, Type::TEXT_ARRAY),
            (&self.lead, Type::UUID_ARRAY),
            (&self.lead_region, Type::TEXT_ARRAY),
            (&self.industry, Type::TEXT_ARRAY),
            (&self.currency, Type::TEXT_ARRAY),
            (&self.migrated, Type::BOOL_ARRAY),
            (&self.synthetic, Type::BOOL_ARRAY),
            (&self.position, Type::INT8_ARRAY),
            (&self.effective_on, Type::DATE_ARRAY),
        ];
        run(tx, self.position.len(), sql, &columns).await
    }
}

#[derive(Debug, Default)]
pub(super) struct Terms {
    pub(super) position: Vec<i64>,
    pub(super) grant: Vec<Uuid>,
    pub(super) effective_on: Vec<Date>,
    pub(super) ends_on: Vec<Option<Date>>,
}

impl Terms {
    async fn insert(&self, tx: &Transaction<'_>) -> Inserted {
        let sql = "INSERT INTO terms (position, grant_id, effective_on, ends_on) SELECT * FROM unnest($1, $2, $3, $4)";
        let columns: [(&(dyn ToSql + Sync), Type); 4] = [
            (&self.position, Type::INT8_ARRAY),
            (&self.grant, Type::UUID_ARRAY),
            (&self.effective_on, Type::DATE_ARRAY),
            (&self.ends_on, Type::DATE_ARRAY),
        ];
        run(tx, self.position.len(), sql, &columns).await
    }
}

#[derive(Debug, Default)]
pub(super) struct Plans {
    pub(super) grant: Vec<Uuid>,
    pub(super) position: Vec<i64>,
    pub(super) number: Vec<i32>,
    pub(super) effective_on: Vec<Date>,
    pub(super) amount_minor: Vec<i64>,
    pub(super) due_on: Vec<Date>,
}

impl Plans {
    async fn insert(&self, tx: &Transaction<'_>) -> Inserted {
        let sql = "INSERT INTO tranche_plans (grant_id, position, number, effective_on, amount_minor, due_on) \
                   SELECT * FROM unnest($1, $2, $3, $4, $5, $6)";
        let columns: [(&(dyn ToSql + Sync), Type); 6] = [
            (&self.grant, Type::UUID_ARRAY),
            (&self.position, Type::INT8_ARRAY),
            (&self.number, Type::INT4_ARRAY),
            (&self.effective_on, Type::DATE_ARRAY),
            (&self.amount_minor, Type::INT8_ARRAY),
            (&self.due_on, Type::DATE_ARRAY),
        ];
        run(tx, self.position.len(), sql, &columns).await
    }
}

#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) position: Vec<i64>,
    pub(super) grant: Vec<Uuid>,
    pub(super) number: Vec<i32>,
    pub(super) step: Vec<i16>,
    pub(super) effective_on: Vec<Date>,
}

impl Steps {
    async fn insert(&self, tx: &Transaction<'_>) -> Inserted {
        let sql = "INSERT INTO tranche_steps (position, grant_id, number, step, effective_on) \
                   SELECT * FROM unnest($1, $2, $3, $4, $5)";
        let columns: [(&(dyn ToSql + Sync), Type); 5] = [
            (&self.position, Type::INT8_ARRAY),
            (&self.grant, Type::UUID_ARRAY),
            (&self.number, Type::INT4_ARRAY),
            (&self.step, Type::INT2_ARRAY),
            (&self.effective_on, Type::DATE_ARRAY),
        ];
        run(tx, self.position.len(), sql, &columns).await
    }
}

#[derive(Debug, Default)]
pub(super) struct Holds<'a> {
    pub(super) position: Vec<i64>,
    pub(super) grant: Vec<Uuid>,
    pub(super) effective_on: Vec<Date>,
    pub(super) cause: Vec<Option<&'a str>>,
    pub(super) cause_on: Vec<Option<Date>>,
}

impl Holds<'_> {
    async fn insert(&self, tx: &Transaction<'_>) -> Inserted {
        let sql = "INSERT INTO holds (position, grant_id, effective_on, cause, cause_on) \
                   SELECT * FROM unnest($1, $2, $3, $4, $5)";
        let columns: [(&(dyn ToSql + Sync), Type); 5] = [
            (&self.position, Type::INT8_ARRAY),
            (&self.grant, Type::UUID_ARRAY),
            (&self.effective_on, Type::DATE_ARRAY),
            (&self.cause, Type::TEXT_ARRAY),
            (&self.cause_on, Type::DATE_ARRAY),
        ];
        run(tx, self.position.len(), sql, &columns).await
    }
}

#[derive(Debug, Default)]
pub(super) struct Dims {
    pub(super) dims: Vec<i64>,
    pub(super) programme: Vec<Uuid>,
    pub(super) grant: Vec<Option<Uuid>>,
}

impl Dims {
    /// Everything else follows from the programme and the grant. The party of a grant's lines is its lead.
    async fn insert(&self, tx: &Transaction<'_>) -> Inserted {
        let sql = "INSERT INTO dims (dims, programme, year, currency, grant_id, mode, industry, lead_region, party, \
                   party_region) \
                   SELECT new.dims, p.programme, p.year, p.currency, g.grant_id, g.mode, g.industry, g.lead_region, \
                   g.lead, g.lead_region \
                   FROM unnest($1, $2, $3) AS new (dims, programme, grant_id) \
                   JOIN programmes p ON p.programme = new.programme \
                   LEFT JOIN grants g ON g.grant_id = new.grant_id";
        let columns: [(&(dyn ToSql + Sync), Type); 3] = [
            (&self.dims, Type::INT8_ARRAY),
            (&self.programme, Type::UUID_ARRAY),
            (&self.grant, Type::UUID_ARRAY),
        ];
        run(tx, self.dims.len(), sql, &columns).await
    }
}

#[derive(Debug, Default)]
pub(super) struct Postings {
    pub(super) position: Vec<i64>,
    pub(super) amount_minor: Vec<i64>,
    pub(super) dims: Vec<i64>,
    pub(super) recorded_at: Vec<Timestamp>,
    pub(super) effective_on: Vec<Date>,
    pub(super) period: Vec<i32>,
    pub(super) line: Vec<i16>,
    pub(super) account: Vec<i16>,
    pub(super) event_type: Vec<i16>,
    pub(super) settles: Vec<bool>,
}

impl Postings {
    async fn insert(&self, tx: &Transaction<'_>) -> Inserted {
        let sql = "INSERT INTO postings (position, amount_minor, dims, recorded_at, effective_on, period, line, \
                   account, event_type, settles) \
                   SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let columns: [(&(dyn ToSql + Sync), Type); 10] = [
            (&self.position, Type::INT8_ARRAY),
            (&self.amount_minor, Type::INT8_ARRAY),
            (&self.dims, Type::INT8_ARRAY),
            (&self.recorded_at, Type::TIMESTAMPTZ_ARRAY),
            (&self.effective_on, Type::DATE_ARRAY),
            (&self.period, Type::INT4_ARRAY),
            (&self.line, Type::INT2_ARRAY),
            (&self.account, Type::INT2_ARRAY),
            (&self.event_type, Type::INT2_ARRAY),
            (&self.settles, Type::BOOL_ARRAY),
        ];
        run(tx, self.position.len(), sql, &columns).await
    }
}
