//! The audit's answers as JSON, with the fields of the protos under their own names.

mod views;

pub use views::{clocks, matching, receivables, shares};

use concord_proto::audit::v1::{
    Balance, GetGrantStatementResponse, GetProjectionStatusResponse, ListBalancesResponse,
    ListColumnsResponse, ListOverdueResponse, ListPostingsResponse, ListUndrawnResponse, Posting, Reflects,
};
use concord_proto::r#type::v1::Money;
use serde_json::{Value, json};

use crate::output::{exact_amounts_json, money_json};
use crate::words::{self, MODES};

/// Balances with their totals.
#[must_use]
pub fn balances(response: &ListBalancesResponse) -> Value {
    json!({
        "balances": response.balances.iter().map(balance).collect::<Vec<_>>(),
        "totals": response.totals.iter().map(balance).collect::<Vec<_>>(),
        "reflects": reflects(&response.reflects),
        "next_page_token": response.next_page_token,
    })
}

/// Postings.
#[must_use]
pub fn postings(response: &ListPostingsResponse) -> Value {
    json!({
        "postings": response.postings.iter().map(posting).collect::<Vec<_>>(),
        "reflects": reflects(&response.reflects),
        "next_page_token": response.next_page_token,
    })
}

/// One grant's statement.
#[must_use]
pub fn statement(response: &GetGrantStatementResponse) -> Value {
    let lines = response.lines.iter().map(
        |line| json!({"posting": line.posting.as_ref().map(posting), "balance_minor": line.balance_minor}),
    );
    json!({
        "grant_id": response.grant_id,
        "title": response.title,
        "currency": response.currency,
        "synthetic": response.synthetic,
        "migrated": response.migrated,
        "lines": lines.collect::<Vec<_>>(),
        "closing": response.closing.as_ref().map(balance),
        "reflects": reflects(&response.reflects),
    })
}

/// Grants with money contracted and not settled.
#[must_use]
pub fn undrawn(response: &ListUndrawnResponse) -> Value {
    let grants = response.grants.iter().map(|grant| {
        json!({
            "grant_id": grant.grant_id,
            "programme_id": grant.programme_id,
            "title": grant.title,
            "currency": grant.currency,
            "contracted_minor": grant.contracted_minor,
            "settled_minor": grant.settled_minor,
            "undrawn_minor": grant.undrawn_minor,
            "ends_on": grant.ends_on,
            "synthetic": grant.synthetic,
            "hold_cause": grant.hold_cause,
            "held_on": grant.held_on,
        })
    });
    json!({
        "grants": grants.collect::<Vec<_>>(),
        "totals": totals(&response.totals),
        "on_hold_totals": totals(&response.on_hold_totals),
        "reflects": reflects(&response.reflects),
        "next_page_token": response.next_page_token,
    })
}

/// Tranches past their due date.
#[must_use]
pub fn overdue(response: &ListOverdueResponse) -> Value {
    let tranches = response.tranches.iter().map(|tranche| {
        json!({
            "grant_id": tranche.grant_id,
            "tranche_number": tranche.tranche_number,
            "programme_id": tranche.programme_id,
            "title": tranche.title,
            "currency": tranche.currency,
            "amount_minor": tranche.amount_minor,
            "due_on": tranche.due_on,
            "days_overdue": tranche.days_overdue,
            "waits_for": tranche.waits_for,
            "synthetic": tranche.synthetic,
        })
    });
    json!({
        "on": response.on,
        "tranches": tranches.collect::<Vec<_>>(),
        "totals": totals(&response.totals),
        "reflects": reflects(&response.reflects),
        "next_page_token": response.next_page_token,
    })
}

/// The dictionary of columns.
#[must_use]
pub fn columns(response: &ListColumnsResponse) -> Value {
    let columns = response.columns.iter().map(|column| {
        json!({"name": column.name, "type": column.r#type, "meaning_en": column.meaning_en, "meaning_zh": column.meaning_zh})
    });
    columns.collect()
}

/// How far the projection is.
#[must_use]
pub fn status(status: &GetProjectionStatusResponse) -> Value {
    json!({
        "projection": status.projection,
        "checkpoint": status.checkpoint,
        "log_head": status.log_head,
        "lag_seconds": status.lag_seconds,
        "balanced": status.balanced,
        "grants": status.grants,
        "stopped": status.stopped,
    })
}

fn balance(balance: &Balance) -> Value {
    let mut value = json!({
        "group": balance.group,
        "labels": balance.labels,
        "currency": balance.currency,
        "appropriated_minor": balance.appropriated_minor,
        "available_minor": balance.available_minor,
        "reserved_minor": balance.reserved_minor,
        "committed_minor": balance.committed_minor,
        "instructed_minor": balance.instructed_minor,
        "recipient_unspent_minor": balance.recipient_unspent_minor,
        "eligible_spend_minor": balance.eligible_spend_minor,
        "recoverable_minor": balance.recoverable_minor,
        "refunded_minor": balance.refunded_minor,
        "retained_by_rule_minor": balance.retained_by_rule_minor,
        "written_off_minor": balance.written_off_minor,
        "settled_minor": balance.settled_minor,
        "match_pledged_minor": balance.match_pledged_minor,
        "match_arrived_minor": balance.match_arrived_minor,
        "grants": balance.grants,
        "synthetic_grants": balance.synthetic_grants,
    });
    exact_amounts_json(&mut value, &balance.exact);
    value
}

fn posting(posting: &Posting) -> Value {
    json!({
        "position": posting.position,
        "line": posting.line,
        "event_type": posting.event_type,
        "account": posting.account,
        "amount_minor": posting.amount_minor,
        "currency": posting.currency,
        "effective_on": posting.effective_on,
        "period": posting.period,
        "programme_id": posting.programme_id,
        "mode": words::word(MODES, posting.mode),
        "lead_region": posting.lead_region,
        "party_region": posting.party_region,
        "industry": posting.industry,
        "year": posting.year,
        "grant_id": posting.grant_id,
        "party_id": posting.party_id,
        "recorded_at": posting.recorded_at,
        "synthetic": posting.synthetic,
    })
}

fn totals(totals: &[Money]) -> Value {
    totals.iter().map(|money| money_json(&Some(money.clone()))).collect()
}

pub(super) fn reflects(reflects: &Option<Reflects>) -> Value {
    reflects.as_ref().map_or(Value::Null, |point| {
        let mut value =
            json!({"as_of": point.as_of, "position": point.position, "effective_on": point.effective_on});
        // Only where the tables were not known to be up to date.
        if let Some(standing) = &point.standing {
            value["standing"] = json!({
                "state": standing.state,
                "position": standing.position,
                "log_head": standing.log_head,
                "since": standing.since,
                "message": standing.message,
                "message_zh": standing.message_zh,
            });
        }
        value
    })
}
