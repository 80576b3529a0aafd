//! Findings, each rule just inside and just outside of it. The stories are small, and each amount follows from them by hand.
//!
//! | file | rules |
//! |---|---|
//! | `findings/funding.rs` | matching money and partners' shares: A03, A06 |
//! | `findings/holding.rs` | spending, balances, idle money, recoveries: A09, A10, A12, A16 |
//! | `findings/procedure.rs` | approvals, acceptance, dates, overrides, titles: A04, A07, A11, A17, A18 |
//! | `findings/answers.rs` | filters, groups, ranks, pages, rectifications, files, requests that are refused |
//! | `findings/charges.rs` | whether there was what somebody was charged with, and how much of it a dismissal covers |

#[path = "findings/answers.rs"]
mod answers;
#[path = "findings/charges.rs"]
mod charges;
#[path = "findings/funding.rs"]
mod funding;
#[path = "findings/holding.rs"]
pub(crate) mod holding;
#[path = "findings/procedure.rs"]
mod procedure;

use crate::balances::at;
use crate::cluster::Bench;
use crate::life::{contracted, instructed, lead, settled, shares};
use crate::story::{G1, P1, Story, applied, appropriated, approved};
use concord_events::fund::{FundEvent, FundingMode};
use concord_funding_audit::Audit;
use concord_kernel::id::{GrantId, InstructionId};
use concord_proto::audit::v1::{
    AsOf, Finding, ListFindingsRequest, ListFindingsResponse, ListMatchingRequest, ListSharesRequest,
    finding_service_server::FindingService, funding_audit_service_server::FundingAuditService,
};
use tonic::Request;
use uuid::Uuid;

/// ```text
/// 1  P1 appropriated 10,000.00               4  ... contracted until 2026-12-31; shares 2,000.00 and 1,000.00
/// 2  G1 applied for                          5  ... first tranche instructed
/// 3  ... approved 3,000.00                   6  ... settled on 2025-04-05: the lead holds 2,000.00
/// ```
pub(crate) fn begun() -> Story {
    let mut story = Story::empty();
    story
        .then("2025-01-10", &appropriated(P1, 1_000_000))
        .then("2025-02-01", &applied(G1, FundingMode::NonRepayable, &lead(), "new_materials"))
        .then("2025-03-01", &approved(G1, 300_000))
        .then("2025-03-20", &contracted(300_000, shares(200_000, 100_000)))
        .then("2025-04-03", &instructed(1, 200_000))
        .then("2025-04-05", &settled(1, 200_000));
    story
}

/// The same event of another grant.
pub(crate) fn of_grant(of: GrantId, mut event: FundEvent) -> FundEvent {
    match &mut event {
        FundEvent::GrantApproved { grant, .. }
        | FundEvent::ContractSigned { grant, .. }
        | FundEvent::TrancheInstructed { grant, .. }
        | FundEvent::TrancheSettled { grant, .. }
        | FundEvent::SpendReported { grant, .. }
        | FundEvent::ContractAmended { grant, .. }
        | FundEvent::GrantTerminated { grant, .. }
        | FundEvent::GrantWithdrawn { grant, .. }
        | FundEvent::GrantClosed { grant, .. } => *grant = of,
        other => panic!("of no grant here: {other:?}"),
    }
    event
}

/// The same event of another tranche, with an instruction of its own.
pub(crate) fn of_tranche(number: u32, mut event: FundEvent) -> FundEvent {
    match &mut event {
        FundEvent::TrancheInstructed { tranche, instruction: id, .. } => {
            (*tranche, *id) = (number, InstructionId(Uuid::from_u128(0x300 + u128::from(number))));
        }
        FundEvent::TrancheSettled { tranche, instruction: id, bank_reference, .. } => {
            (*tranche, *id) = (number, InstructionId(Uuid::from_u128(0x300 + u128::from(number))));
            bank_reference.push_str(&format!("-{number}"));
        }
        other => panic!("of no tranche: {other:?}"),
    }
    event
}

pub(crate) async fn told(story: &Story) -> Bench {
    let mut bench = Bench::new().await;
    bench.apply(&story.events).await.unwrap();
    bench
}

pub(crate) async fn list(audit: &Audit, request: ListFindingsRequest) -> ListFindingsResponse {
    audit.list_findings(Request::new(request)).await.unwrap().into_inner()
}

fn of_rule(rule: &str, on: &str) -> ListFindingsRequest {
    ListFindingsRequest { rules: vec![rule.to_owned()], on: on.to_owned(), ..ListFindingsRequest::default() }
}

/// As of a position, and of a day.
fn known(position: u64, effective_on: &str) -> Option<AsOf> {
    Some(AsOf { effective_on: effective_on.to_owned(), ..at(position).unwrap() })
}

/// A finding: case, subject, position of its cause; amount; since when, and age in days; evidence.
type Expected<'a> = (&'a str, &'a str, u64, i64, (&'a str, i32), &'a [u64]);

fn same(found: &[Finding], expected: &[Expected<'_>], what: &str) {
    let seen: Vec<Expected<'_>> = found
        .iter()
        .map(|one| {
            let key = (one.case.as_str(), one.subject.as_str(), one.position);
            (key.0, key.1, key.2, one.amount_minor, (one.since.as_str(), one.age_days), &one.evidence[..])
        })
        .collect();
    assert_eq!(seen, expected, "{what}");
}

/// What a rule finds in a story on a day, by key.
async fn finds(story: &Story, rule: &str, on: &str, expected: &[Expected<'_>]) -> Vec<Finding> {
    let bench = told(story).await;
    asks(&bench, ListFindingsRequest { order_by: "rule".to_owned(), ..of_rule(rule, on) }, expected).await
}

async fn asks(bench: &Bench, request: ListFindingsRequest, expected: &[Expected<'_>]) -> Vec<Finding> {
    let what = format!("{:?} as of {:?} on {}", request.rules, request.as_of, request.on);
    let found = list(&bench.audit, request.clone()).await.findings;
    same(&found, expected, &what);
    let amounts: i64 = found.iter().map(|one| one.amount_minor).sum();
    if let Some(gap) = gap(&bench.audit, &request).await {
        assert_eq!(gap, amounts, "{what}: the table of it says otherwise");
    }
    found
}

/// What is missing by the table that lists what a rule finds, of the same grants, as of the same point, on the same day;
/// `None` where there is no such table, or the request leaves findings out.
async fn gap(audit: &Audit, request: &ListFindingsRequest) -> Option<i64> {
    let ListFindingsRequest { as_of, filter, rules, on, page_size: 0, .. } = request.clone() else {
        return None;
    };
    match rules.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["A03"] => {
            let request = ListMatchingRequest { as_of, filter, on, ..ListMatchingRequest::default() };
            let pledges = audit.list_matching(Request::new(request)).await.unwrap().into_inner().pledges;
            Some(pledges.iter().filter_map(|pledge| pledge.amounts.as_ref()).map(|of| of.gap_minor).sum())
        }
        ["A06"] => {
            let request = ListSharesRequest { as_of, filter, on, ..ListSharesRequest::default() };
            let shares = audit.list_shares(Request::new(request)).await.unwrap().into_inner().shares;
            Some(shares.iter().filter_map(|share| share.amounts.as_ref()).map(|of| of.gap_minor).sum())
        }
        _ => None,
    }
}

/// Nothing on one day, and this on the day after.
async fn begins(
    story: &Story,
    rule: &str,
    (inside, outside): (&str, &str),
    expected: &[Expected<'_>],
) -> Vec<Finding> {
    let bench = told(story).await;
    asks(&bench, of_rule(rule, inside), &[]).await;
    asks(&bench, of_rule(rule, outside), expected).await
}

/// Both sentences of the only finding.
fn says(found: &[Finding], message: &str, message_zh: &str) {
    let [only] = found else { panic!("one finding: {found:?}") };
    assert_eq!((only.message.as_str(), only.message_zh.as_str()), (message, message_zh));
}
