//! Rows on their way into the tables.

use concord_chassis::projection::ApplyError;
use concord_kernel::Date;
use jiff::Timestamp;
use std::borrow::Cow;
use tokio_postgres::{
    Transaction,
    types::{ToSql, Type},
};
use uuid::Uuid;

type Inserted = Result<(), tokio_postgres::Error>;

/// A row of a table: a field a column, with the type of the array that its values travel in. All rows of a batch go in as one
/// `INSERT … SELECT FROM unnest`, which `from` says more exactly where a table needs it: `$rows` in it stands for the arrays.
macro_rules! row {
    (
        $(#[$doc:meta])*
        $row:ident $(<$life:lifetime>)? into $table:literal
        $(from $from:literal)?
        { $($column:ident: $kind:ty => $array:ident,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(in crate::ledger) struct $row $(<$life>)? { $(pub(in crate::ledger) $column: $kind,)* }

        impl $(<$life>)? $row $(<$life>)? {
            pub(in crate::ledger) async fn insert(rows: &[Self], tx: &Transaction<'_>) -> Inserted {
                // Unless there is nothing to insert.
                if rows.is_empty() {
                    return Ok(());
                }
                $(let $column: Vec<&$kind> = rows.iter().map(|row| &row.$column).collect();)*
                let columns = [$((stringify!($column), &$column as &(dyn ToSql + Sync), Type::$array),)*];
                let names = columns.iter().map(|(name, _, _)| *name).collect::<Vec<_>>().join(", ");
                let places: Vec<String> = (1..=columns.len()).map(|number| format!("${number}")).collect();
                let arrays = format!("unnest({}) AS new ({names})", places.join(", "));
                #[allow(unused_mut, unused_assignments, reason = "few tables say more")]
                let mut from = format!("({names}) SELECT * FROM $rows");
                $(from = $from.to_owned();)?
                let sql = format!("INSERT INTO {} {}", $table, from.replace("$rows", &arrays));
                let values: Vec<(&(dyn ToSql + Sync), Type)> =
                    columns.into_iter().map(|(_, values, kind)| (values, kind)).collect();
                tx.execute_typed(&sql, &values).await?;
                Ok(())
            }
        }
    };
}

// Below the macro, which it uses.
mod facts;

pub(super) use facts::*;

/// The rows that a batch of events adds, borrowed from the events where they are text.
#[derive(Debug, Default)]
pub(super) struct Rows<'a> {
    pub(super) clock: Vec<Tick>,
    pub(super) decisions: Vec<Decided>,
    pub(super) todays: Vec<Today>,
    pub(super) programmes: Vec<NewProgramme<'a>>,
    pub(super) parties: Vec<Named<'a>>,
    pub(super) party_links: Vec<PartyLink>,
    pub(super) representations: Vec<Represented>,
    pub(super) grants: Vec<NewGrant<'a>>,
    pub(super) terms: Vec<Terms>,
    pub(super) plans: Vec<Planned<'a>>,
    pub(super) tranche_steps: Vec<TrancheStep<'a>>,
    pub(super) holds: Vec<Hold<'a>>,
    pub(super) backing_steps: Vec<BackingStepped>,
    pub(super) bank_facts: Vec<BankFact>,
    pub(super) shares: Vec<Share<'a>>,
    pub(super) match_sources: Vec<MatchSource<'a>>,
    pub(super) match_instalments: Vec<MatchInstalment>,
    pub(super) match_moves: Vec<MatchMoved>,
    pub(super) spends: Vec<Spend<'a>>,
    pub(super) spend_steps: Vec<SpendStepped<'a>>,
    pub(super) grant_steps: Vec<GrantStepped<'a>>,
    pub(super) overrides: Vec<Override<'a>>,
    pub(super) retained: Vec<Retained>,
    pub(super) recoveries: Vec<Recovery<'a>>,
    pub(super) recovery_steps: Vec<RecoveryStepped>,
    pub(super) corrections: Vec<Correction<'a>>,
    pub(super) late: Vec<Late<'a>>,
    pub(super) rectifications: Vec<Rectification<'a>>,
    pub(super) rectification_steps: Vec<RectificationStepped<'a>>,
    pub(super) dims: Vec<Dims>,
    pub(super) postings: Vec<Posted>,
}

impl Rows<'_> {
    /// Adds the rows. The statements travel together and run in this order: `shares` reads what `grants` has just been
    /// given, and `dims` what those and `programmes` have.
    pub(super) async fn insert(&self, tx: &Transaction<'_>) -> Result<(), ApplyError> {
        futures::try_join!(
            Tick::insert(&self.clock, tx),
            Decided::insert(&self.decisions, tx),
            Today::insert(&self.todays, tx),
            NewProgramme::insert(&self.programmes, tx),
            Named::insert(&self.parties, tx),
            PartyLink::insert(&self.party_links, tx),
            Represented::insert(&self.representations, tx),
            NewGrant::insert(&self.grants, tx),
            Terms::insert(&self.terms, tx),
            Planned::insert(&self.plans, tx),
            TrancheStep::insert(&self.tranche_steps, tx),
            Hold::insert(&self.holds, tx),
            BackingStepped::insert(&self.backing_steps, tx),
            BankFact::insert(&self.bank_facts, tx),
            Share::insert(&self.shares, tx),
            MatchSource::insert(&self.match_sources, tx),
            MatchInstalment::insert(&self.match_instalments, tx),
            MatchMoved::insert(&self.match_moves, tx),
            Spend::insert(&self.spends, tx),
            SpendStepped::insert(&self.spend_steps, tx),
            GrantStepped::insert(&self.grant_steps, tx),
            Override::insert(&self.overrides, tx),
            Retained::insert(&self.retained, tx),
            Recovery::insert(&self.recoveries, tx),
            RecoveryStepped::insert(&self.recovery_steps, tx),
            Correction::insert(&self.corrections, tx),
            Late::insert(&self.late, tx),
            Rectification::insert(&self.rectifications, tx),
            RectificationStepped::insert(&self.rectification_steps, tx),
            Dims::insert(&self.dims, tx),
            Posted::insert(&self.postings, tx),
        )?;
        Ok(())
    }
}

row! {
    Tick into "clock" {
        position: i64 => INT8_ARRAY,
        recorded_at: Timestamp => TIMESTAMPTZ_ARRAY,
    }
}

row! {
    Decided into "decisions" {
        first: i64 => INT8_ARRAY,
        last: i64 => INT8_ARRAY,
    }
}

row! {
    Today into "todays" {
        position: i64 => INT8_ARRAY,
        today: Date => DATE_ARRAY,
    }
}

row! {
    NewProgramme<'a> into "programmes" {
        programme: Uuid => UUID_ARRAY,
        fund: &'a str => TEXT_ARRAY,
        year: i16 => INT2_ARRAY,
        currency: String => TEXT_ARRAY,
        title: &'a str => TEXT_ARRAY,
        position: i64 => INT8_ARRAY,
    }
}

row! {
    /// A party comes again with every grant that it has a share of; the row of the first time stays.
    Named<'a> into "parties" from "(party, code, name, position) SELECT * FROM $rows ON CONFLICT DO NOTHING" {
        party: Uuid => UUID_ARRAY,
        code: String => TEXT_ARRAY,
        name: &'a str => TEXT_ARRAY,
        position: i64 => INT8_ARRAY,
    }
}

row! {
    PartyLink into "party_links" {
        position: i64 => INT8_ARRAY,
        party: Uuid => UUID_ARRAY,
        into_party: Option<Uuid> => UUID_ARRAY,
        effective_on: Date => DATE_ARRAY,
        by_code: bool => BOOL_ARRAY,
    }
}

row! {
    Represented into "representations" {
        position: i64 => INT8_ARRAY,
        party: Uuid => UUID_ARRAY,
        organisation: String => TEXT_ARRAY,
        effective_on: Date => DATE_ARRAY,
        ended: bool => BOOL_ARRAY,
    }
}

row! {
    NewGrant<'a> into "grants" {
        grant_id: Uuid => UUID_ARRAY,
        programme: Uuid => UUID_ARRAY,
        title: &'a str => TEXT_ARRAY,
        mode: &'a str => TEXT_ARRAY,
        lead: Uuid => UUID_ARRAY,
        lead_code: String => TEXT_ARRAY,
        lead_region: Option<&'a str> => TEXT_ARRAY,
        industry: Option<&'a str> => TEXT_ARRAY,
        currency: String => TEXT_ARRAY,
        total_budget_minor: Option<i64> => INT8_ARRAY,
        migrated: bool => BOOL_ARRAY,
        titled: bool => BOOL_ARRAY,
        project: Uuid => UUID_ARRAY,
        synthetic: bool => BOOL_ARRAY,
        position: i64 => INT8_ARRAY,
        effective_on: Date => DATE_ARRAY,
    }
}

row! {
    Terms into "terms" {
        position: i64 => INT8_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        effective_on: Date => DATE_ARRAY,
        starts_on: Option<Date> => DATE_ARRAY,
        ends_on: Option<Date> => DATE_ARRAY,
        acceptance_due_on: Option<Date> => DATE_ARRAY,
    }
}

row! {
    Planned<'a> into "tranche_plans" {
        grant_id: Uuid => UUID_ARRAY,
        position: i64 => INT8_ARRAY,
        number: i32 => INT4_ARRAY,
        effective_on: Date => DATE_ARRAY,
        amount_minor: i64 => INT8_ARRAY,
        condition: &'a str => TEXT_ARRAY,
        due_on: Date => DATE_ARRAY,
    }
}

row! {
    TrancheStep<'a> into "tranche_steps" {
        position: i64 => INT8_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        number: i32 => INT4_ARRAY,
        step: i16 => INT2_ARRAY,
        effective_on: Date => DATE_ARRAY,
        amount_minor: Option<i64> => INT8_ARRAY,
        short_minor: i64 => INT8_ARRAY,
        instruction: Option<Uuid> => UUID_ARRAY,
        attempt: Option<i32> => INT4_ARRAY,
        bank_reference: Option<&'a str> => TEXT_ARRAY,
        actor: Cow<'a, str> => TEXT_ARRAY,
        actor_org: Cow<'a, str> => TEXT_ARRAY,
    }
}

row! {
    Hold<'a> into "holds" {
        position: i64 => INT8_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        effective_on: Date => DATE_ARRAY,
        cause: Option<&'a str> => TEXT_ARRAY,
        cause_on: Option<Date> => DATE_ARRAY,
    }
}

row! {
    BackingStepped into "backing_steps" {
        position: i64 => INT8_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        agreement: Uuid => UUID_ARRAY,
        step: i16 => INT2_ARRAY,
        effective_on: Date => DATE_ARRAY,
    }
}

row! {
    BankFact into "bank_facts" {
        position: i64 => INT8_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        reference: String => TEXT_ARRAY,
        effective_on: Date => DATE_ARRAY,
    }
}

row! {
    /// Without a code it is the lead's, named as in its grant.
    Share<'a> into "shares"
    from "(grant_id, position, number, effective_on, party, code, region, amount_minor) \
          SELECT new.grant_id, new.position, new.number, new.effective_on, new.party, coalesce(new.code, g.lead_code), \
          CASE WHEN new.code IS NULL THEN g.lead_region ELSE new.region END, new.amount_minor \
          FROM $rows JOIN grants g ON g.grant_id = new.grant_id"
    {
        grant_id: Uuid => UUID_ARRAY,
        position: i64 => INT8_ARRAY,
        number: i16 => INT2_ARRAY,
        effective_on: Date => DATE_ARRAY,
        party: Uuid => UUID_ARRAY,
        code: Option<String> => TEXT_ARRAY,
        region: Option<&'a str> => TEXT_ARRAY,
        amount_minor: Option<i64> => INT8_ARRAY,
    }
}

row! {
    /// Everything else follows from programme, grant and party. A partner's region is that of its share as it was known at the
    /// line that the key is made of, so that it does not depend on how events were cut into batches.
    Dims into "dims"
    from "(dims, programme, year, currency, grant_id, mode, industry, lead_region, party, party_region) \
          SELECT new.dims, p.programme, p.year, p.currency, g.grant_id, g.mode, g.industry, g.lead_region, new.party, \
          CASE WHEN new.party = g.lead THEN g.lead_region ELSE (SELECT s.region FROM shares s \
          WHERE s.grant_id = new.grant_id AND s.party = new.party AND s.position <= new.dims / 65536 \
          ORDER BY s.position DESC, s.number LIMIT 1) END \
          FROM $rows JOIN programmes p ON p.programme = new.programme LEFT JOIN grants g ON g.grant_id = new.grant_id"
    {
        dims: i64 => INT8_ARRAY,
        programme: Uuid => UUID_ARRAY,
        grant_id: Option<Uuid> => UUID_ARRAY,
        party: Option<Uuid> => UUID_ARRAY,
    }
}

row! {
    Posted into "postings" {
        position: i64 => INT8_ARRAY,
        amount_minor: i64 => INT8_ARRAY,
        dims: i64 => INT8_ARRAY,
        recorded_at: Timestamp => TIMESTAMPTZ_ARRAY,
        effective_on: Date => DATE_ARRAY,
        period: i32 => INT4_ARRAY,
        line: i16 => INT2_ARRAY,
        account: i16 => INT2_ARRAY,
        event_type: i16 => INT2_ARRAY,
        settles: bool => BOOL_ARRAY,
    }
}
