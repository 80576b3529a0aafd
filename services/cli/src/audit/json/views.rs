//! Matching money, shares, receivables and clocks.

use super::reflects;
use crate::output::{exact_amounts_json, exact_json};
use concord_proto::audit::v1::{
    ListClocksResponse, ListMatchingResponse, ListReceivablesResponse, ListSharesResponse, MatchingAmounts,
    ReceivableAmounts, ShareAmounts,
};
use serde_json::{Value, json};

/// Matching money.
#[must_use]
pub fn matching(response: &ListMatchingResponse) -> Value {
    let pledges = response.pledges.iter().map(|pledge| {
        json!({
            "grant_id": pledge.grant_id,
            "source_number": pledge.source_number,
            "programme_id": pledge.programme_id,
            "title": pledge.title,
            "currency": pledge.currency,
            "matching_kind": pledge.matching_kind,
            "level": pledge.level,
            "is_public": pledge.is_public,
            "amounts": pledge.amounts.as_ref().map(matching_amounts),
            "oldest_due_on": pledge.oldest_due_on,
            "days_overdue": pledge.days_overdue,
            "synthetic": pledge.synthetic,
        })
    });
    let totals = response.totals.iter().map(|total| {
        json!({
            "currency": total.currency,
            "matching_kind": total.matching_kind,
            "sources": total.sources,
            "amounts": total.amounts.as_ref().map(matching_amounts),
        })
    });
    json!({
        "on": response.on,
        "pledges": pledges.collect::<Vec<_>>(),
        "totals": totals.collect::<Vec<_>>(),
        "reflects": reflects(&response.reflects),
        "next_page_token": response.next_page_token,
    })
}

fn matching_amounts(amounts: &MatchingAmounts) -> Value {
    let mut value = json!({
        "pledged_minor": amounts.pledged_minor,
        "released_minor": amounts.released_minor,
        "arrived_minor": amounts.arrived_minor,
        "due_minor": amounts.due_minor,
        "gap_minor": amounts.gap_minor,
        "gap_1_30_minor": amounts.gap_1_30_minor,
        "gap_31_90_minor": amounts.gap_31_90_minor,
        "gap_91_180_minor": amounts.gap_91_180_minor,
        "gap_181_minor": amounts.gap_181_minor,
    });
    exact_amounts_json(&mut value, &amounts.exact);
    value
}

/// Shares of the parties of contracted grants.
#[must_use]
pub fn shares(response: &ListSharesResponse) -> Value {
    let shares = response.shares.iter().map(|share| {
        json!({
            "grant_id": share.grant_id,
            "party_id": share.party_id,
            "party_code": share.party_code,
            "party_region": share.party_region,
            "is_lead": share.is_lead,
            "programme_id": share.programme_id,
            "title": share.title,
            "currency": share.currency,
            "amounts": share.amounts.as_ref().map(share_amounts),
            "migrated": share.migrated,
            "synthetic": share.synthetic,
        })
    });
    let totals = response.totals.iter().map(|total| {
        json!({
            "currency": total.currency,
            "shares": total.shares,
            "amounts": total.amounts.as_ref().map(share_amounts),
        })
    });
    json!({
        "on": response.on,
        "within_days": response.within_days,
        "rulebook": response.rulebook,
        "shares": shares.collect::<Vec<_>>(),
        "totals": totals.collect::<Vec<_>>(),
        "reflects": reflects(&response.reflects),
        "next_page_token": response.next_page_token,
    })
}

fn share_amounts(amounts: &ShareAmounts) -> Value {
    let mut value = json!({
        "allocated_minor": amounts.allocated_minor,
        "passed_on_minor": amounts.passed_on_minor,
        "due_minor": amounts.due_minor,
        "gap_minor": amounts.gap_minor,
        "unspent_minor": amounts.unspent_minor,
        "eligible_spend_minor": amounts.eligible_spend_minor,
    });
    exact_amounts_json(&mut value, &amounts.exact);
    value
}

/// Recoveries.
#[must_use]
pub fn receivables(response: &ListReceivablesResponse) -> Value {
    let receivables = response.receivables.iter().map(|receivable| {
        json!({
            "recovery_id": receivable.recovery_id,
            "grant_id": receivable.grant_id,
            "programme_id": receivable.programme_id,
            "title": receivable.title,
            "currency": receivable.currency,
            "cause": receivable.cause,
            "state": receivable.state,
            "amounts": receivable.amounts.as_ref().map(receivable_amounts),
            "determined_on": receivable.determined_on,
            "due_on": receivable.due_on,
            "days_overdue": receivable.days_overdue,
            "synthetic": receivable.synthetic,
        })
    });
    let totals = response.totals.iter().map(|total| {
        json!({
            "currency": total.currency,
            "recoveries": total.recoveries,
            "amounts": total.amounts.as_ref().map(receivable_amounts),
        })
    });
    json!({
        "on": response.on,
        "receivables": receivables.collect::<Vec<_>>(),
        "totals": totals.collect::<Vec<_>>(),
        "reflects": reflects(&response.reflects),
        "next_page_token": response.next_page_token,
    })
}

fn receivable_amounts(amounts: &ReceivableAmounts) -> Value {
    let mut value = json!({
        "determined_minor": amounts.determined_minor,
        "demanded_minor": amounts.demanded_minor,
        "overturned_minor": amounts.overturned_minor,
        "repaid_minor": amounts.repaid_minor,
        "offset_minor": amounts.offset_minor,
        "written_off_minor": amounts.written_off_minor,
        "outstanding_minor": amounts.outstanding_minor,
        "overdue_minor": amounts.overdue_minor,
    });
    exact_amounts_json(&mut value, &amounts.exact);
    value
}

/// Everything dated that waits.
#[must_use]
pub fn clocks(response: &ListClocksResponse) -> Value {
    let clocks = response.clocks.iter().map(|clock| {
        json!({
            "kind": clock.kind,
            "subject": clock.subject,
            "grant_id": clock.grant_id,
            "recovery_id": clock.recovery_id,
            "rectification_id": clock.rectification_id,
            "programme_id": clock.programme_id,
            "title": clock.title,
            "due_on": clock.due_on,
            "days_overdue": clock.days_overdue,
            "waits_for": clock.waits_for,
            "amount_minor": clock.amount_minor,
            "currency": clock.currency,
            "synthetic": clock.synthetic,
        })
    });
    let totals = response.totals.iter().map(|total| {
        let mut value = json!({
            "kind": total.kind,
            "currency": total.currency,
            "clocks": total.clocks,
            "overdue": total.overdue,
            "amount_minor": total.amount_minor,
        });
        exact_json(&mut value, &total.exact_minor);
        value
    });
    json!({
        "on": response.on,
        "contract_within_days": response.contract_within_days,
        "transfer_within_days": response.transfer_within_days,
        "rulebook": response.rulebook,
        "clocks": clocks.collect::<Vec<_>>(),
        "totals": totals.collect::<Vec<_>>(),
        "reflects": reflects(&response.reflects),
        "next_page_token": response.next_page_token,
    })
}
