//! Rows of the facts beside the postings.

use super::Inserted;
use concord_kernel::Date;
use std::borrow::Cow;
use tokio_postgres::{
    Transaction,
    types::{ToSql, Type},
};
use uuid::Uuid;

row! {
    MatchSource<'a> into "match_sources" {
        position: i64 => INT8_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        source: i32 => INT4_ARRAY,
        effective_on: Date => DATE_ARRAY,
        kind: &'a str => TEXT_ARRAY,
        level: Option<&'a str> => TEXT_ARRAY,
        is_public: bool => BOOL_ARRAY,
        payer: Option<Uuid> => UUID_ARRAY,
        amount_minor: i64 => INT8_ARRAY,
    }
}

row! {
    MatchInstalment into "match_instalments" {
        position: i64 => INT8_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        source: i32 => INT4_ARRAY,
        number: i32 => INT4_ARRAY,
        effective_on: Date => DATE_ARRAY,
        amount_minor: i64 => INT8_ARRAY,
        due_on: Date => DATE_ARRAY,
    }
}

row! {
    MatchMoved into "match_moves" {
        position: i64 => INT8_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        source: i32 => INT4_ARRAY,
        instalment: Option<i32> => INT4_ARRAY,
        step: i16 => INT2_ARRAY,
        effective_on: Date => DATE_ARRAY,
        amount_minor: i64 => INT8_ARRAY,
    }
}

row! {
    Spend<'a> into "spends" {
        position: i64 => INT8_ARRAY,
        spend: Uuid => UUID_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        party: Uuid => UUID_ARRAY,
        effective_on: Date => DATE_ARRAY,
        category: &'a str => TEXT_ARRAY,
        spent_on: Date => DATE_ARRAY,
        amount_minor: i64 => INT8_ARRAY,
        invoice: Option<Uuid> => UUID_ARRAY,
        issuer: Option<&'a str> => TEXT_ARRAY,
        number: Option<&'a str> => TEXT_ARRAY,
        total_minor: Option<i64> => INT8_ARRAY,
    }
}

row! {
    SpendStepped<'a> into "spend_steps" {
        position: i64 => INT8_ARRAY,
        spend: Uuid => UUID_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        step: i16 => INT2_ARRAY,
        effective_on: Date => DATE_ARRAY,
        amount_minor: i64 => INT8_ARRAY,
        actor: Cow<'a, str> => TEXT_ARRAY,
        actor_org: Cow<'a, str> => TEXT_ARRAY,
    }
}

row! {
    GrantStepped<'a> into "grant_steps" {
        position: i64 => INT8_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        step: i16 => INT2_ARRAY,
        effective_on: Date => DATE_ARRAY,
        amount_minor: Option<i64> => INT8_ARRAY,
        day: Option<Date> => DATE_ARRAY,
        number: Option<i32> => INT4_ARRAY,
        said: Option<Cow<'a, str>> => TEXT_ARRAY,
        actor: Cow<'a, str> => TEXT_ARRAY,
        actor_org: Cow<'a, str> => TEXT_ARRAY,
    }
}

row! {
    Override<'a> into "overrides" {
        position: i64 => INT8_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        effective_on: Date => DATE_ARRAY,
        rule: &'a str => TEXT_ARRAY,
        minutes: &'a str => TEXT_ARRAY,
        reason: &'a str => TEXT_ARRAY,
        actor: &'a str => TEXT_ARRAY,
    }
}

row! {
    Retained into "retained" {
        position: i64 => INT8_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        party: Uuid => UUID_ARRAY,
        effective_on: Date => DATE_ARRAY,
        amount_minor: i64 => INT8_ARRAY,
        until: Option<Date> => DATE_ARRAY,
    }
}

row! {
    Recovery<'a> into "recoveries" {
        recovery: Uuid => UUID_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        position: i64 => INT8_ARRAY,
        effective_on: Date => DATE_ARRAY,
        cause: &'a str => TEXT_ARRAY,
        amount_minor: i64 => INT8_ARRAY,
    }
}

row! {
    RecoveryStepped into "recovery_steps" {
        position: i64 => INT8_ARRAY,
        recovery: Uuid => UUID_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        step: i16 => INT2_ARRAY,
        effective_on: Date => DATE_ARRAY,
        amount_minor: Option<i64> => INT8_ARRAY,
        due_on: Option<Date> => DATE_ARRAY,
        against: Option<Uuid> => UUID_ARRAY,
        tranche: Option<i32> => INT4_ARRAY,
    }
}

row! {
    Correction<'a> into "corrections" {
        position: i64 => INT8_ARRAY,
        grant_id: Uuid => UUID_ARRAY,
        reverses: i64 => INT8_ARRAY,
        effective_on: Date => DATE_ARRAY,
        kind: &'a str => TEXT_ARRAY,
        amount_minor: i64 => INT8_ARRAY,
        fact_on: Date => DATE_ARRAY,
        authority: &'a str => TEXT_ARRAY,
        reason: &'a str => TEXT_ARRAY,
    }
}

row! {
    Late<'a> into "late" {
        position: i64 => INT8_ARRAY,
        programme: Option<Uuid> => UUID_ARRAY,
        grant_id: Option<Uuid> => UUID_ARRAY,
        event_type: &'a str => TEXT_ARRAY,
        effective_on: Date => DATE_ARRAY,
        known_on: Date => DATE_ARRAY,
        days: i32 => INT4_ARRAY,
    }
}

row! {
    /// Its grant is the one that its subject names, as far as that was on record before it, so that it does not depend on how
    /// events were cut into batches.
    Rectification<'a> into "rectifications"
    from "(rectification, position, effective_on, rule, subject, finding_position, grant_id, owner, deadline, task) \
          SELECT new.rectification, new.position, new.effective_on, new.rule, new.subject, new.finding_position, coalesce( \
          (SELECT g.grant_id FROM grants g WHERE g.grant_id = new.of_grant AND g.position < new.position), \
          (SELECT v.grant_id FROM recoveries v WHERE v.recovery = new.of_recovery AND v.position < new.position), \
          new.named), new.owner, new.deadline, new.task FROM $rows"
    {
        rectification: Uuid => UUID_ARRAY,
        position: i64 => INT8_ARRAY,
        effective_on: Date => DATE_ARRAY,
        rule: &'a str => TEXT_ARRAY,
        subject: &'a str => TEXT_ARRAY,
        finding_position: i64 => INT8_ARRAY,
        of_grant: Option<Uuid> => UUID_ARRAY,
        of_recovery: Option<Uuid> => UUID_ARRAY,
        named: Option<Uuid> => UUID_ARRAY,
        owner: &'a str => TEXT_ARRAY,
        deadline: Date => DATE_ARRAY,
        task: &'a str => TEXT_ARRAY,
    }
}

row! {
    RectificationStepped<'a> into "rectification_steps" {
        position: i64 => INT8_ARRAY,
        rectification: Uuid => UUID_ARRAY,
        step: i16 => INT2_ARRAY,
        effective_on: Date => DATE_ARRAY,
        said: &'a str => TEXT_ARRAY,
        seen_minor: Option<i64> => INT8_ARRAY,
        seen_currency: Option<String> => TEXT_ARRAY,
    }
}
