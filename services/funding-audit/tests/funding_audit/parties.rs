//! Merged parties are one holder, and a code names the party that has it, by the days of the directory (domain.md section 4).

use crate::balances::at;
use crate::cluster::Bench;
use crate::story::{G1, G2, P1, Story, applied, appropriated, approved, date, party};
use concord_events::fund::{AgreementPoint, FundEvent, FundingMode, Party, PartyChange};
use concord_kernel::party::{PartyCode, PartyId};
use concord_proto::audit::v1::{
    AsOf, Dimension, ListBalancesRequest, PostingFilter, funding_audit_service_server::FundingAuditService,
};
use tonic::Request;
use uuid::Uuid;

/// Leads the first grant.
fn one() -> Party {
    party("1", "210100", "甲公司")
}

/// Leads the second one.
fn other() -> Party {
    party("2", "210200", "乙公司")
}

/// A later code of the first.
fn code() -> PartyCode {
    PartyCode::parse("CN-USCC:91330100799655058B").unwrap()
}

fn changed(generation: u32, position: u64, party: PartyId, change: PartyChange) -> FundEvent {
    let at = AgreementPoint { generation, position, event: Uuid::from_u128(u128::from(position)) };
    FundEvent::PartyChanged { party, change, at, happened_on: date("2001-01-01") }
}

fn recorded(generation: u32, party: &Party, name: &str) -> FundEvent {
    let change = PartyChange::Recorded { code: party.code.clone(), name: name.to_owned() };
    changed(generation, 1, party.party, change)
}

fn merged(party: PartyId, into: &Party, from: &str) -> FundEvent {
    changed(1, 3, party, PartyChange::Merged { into: into.party, from: date(from) })
}

/// ```text
///  1 appropriated 10,000.00   4 G1 approved 3,000.00   6 one is recorded     8 other is merged into one, from 1 June
///  2 G1 applied for by one    5 G2 approved 2,000.00   7 other is recorded   9 one has another name
///  3 G2 applied for by other
/// ```
fn story() -> Story {
    let mut story = Story::empty();
    let renamed = PartyChange::Renamed { name: "甲集团".to_owned(), from: date("2025-06-01") };
    let mode = FundingMode::NonRepayable;
    story
        .then("2025-01-10", &appropriated(P1, 1_000_000))
        .then("2025-02-01", &applied(G1, mode, &one(), "new_materials"))
        .then("2025-02-02", &applied(G2, mode, &other(), "marine"))
        .then("2025-03-01", &approved(G1, 300_000))
        .then("2025-03-01", &approved(G2, 200_000))
        .then("2001-01-01", &recorded(1, &one(), "甲公司"))
        .then("2001-01-01", &recorded(1, &other(), "乙公司"))
        .then("2025-06-01", &merged(other().party, &one(), "2025-06-01"))
        .then("2025-06-01", &changed(1, 4, one().party, renamed));
    story
}

async fn told(story: &Story) -> Bench {
    let mut bench = Bench::new().await;
    bench.apply(&story.events).await.unwrap();
    bench
}

/// Who holds what is reserved, how much, under which name, and of how many grants.
async fn reserved(bench: &Bench, as_of: AsOf, party: &str) -> Vec<(String, String, i64, i64)> {
    let filter = PostingFilter { party: party.to_owned(), ..PostingFilter::default() };
    let request = ListBalancesRequest {
        as_of: Some(as_of),
        filter: Some(filter),
        group_by: vec![Dimension::Party.into()],
        order_by: "reserved_minor desc".to_owned(),
        ..ListBalancesRequest::default()
    };
    let answer = bench.audit.list_balances(Request::new(request)).await.unwrap().into_inner();
    let held = answer.balances.into_iter().filter(|balance| balance.reserved_minor > 0);
    held.map(|mut balance| {
        (balance.group.remove(0), balance.labels.remove(0), balance.reserved_minor, balance.grants)
    })
    .collect()
}

fn as_of(position: u64, effective_on: &str) -> AsOf {
    AsOf { effective_on: effective_on.to_owned(), ..at(position).unwrap() }
}

fn row(party: &Party, name: &str, minor: i64, grants: i64) -> (String, String, i64, i64) {
    (party.party.to_string(), name.to_owned(), minor, grants)
}

#[tokio::test]
async fn merged_parties_are_one_holder_from_the_day_of_the_merger_and_once_it_was_told() {
    let bench = told(&story()).await;
    let two = vec![row(&one(), "甲公司", 300_000, 1), row(&other(), "乙公司", 200_000, 1)];
    for (position, on) in [(5, ""), (7, ""), (7, "2025-12-31"), (8, "2025-05-31")] {
        assert_eq!(reserved(&bench, as_of(position, on), "").await, two, "{position} {on}");
    }
    for (position, on, name) in [(8, "2025-06-01", "甲公司"), (8, "", "甲公司"), (9, "", "甲集团")] {
        let together = vec![row(&one(), name, 500_000, 2)];
        assert_eq!(reserved(&bench, as_of(position, on), "").await, together, "{position} {on}");
    }
}

#[tokio::test]
async fn a_party_is_asked_about_by_any_of_its_ids_and_codes() {
    let mut story = story();
    // The second code names nobody yet in position 9, and the first one's grants from position 10 on.
    story.then(
        "2025-07-01",
        &changed(1, 5, one().party, PartyChange::CodeAdded { code: code(), from: date("2025-07-01") }),
    );
    let bench = told(&story).await;
    let namesake = PartyId::of(&code()).to_string();
    for asked in [
        one().party.to_string(),
        one().code.to_string(),
        other().party.to_string(),
        other().code.to_string(),
        code().to_string(),
        namesake.clone(),
    ] {
        let found = reserved(&bench, as_of(10, ""), &asked).await;
        assert_eq!(found, [row(&one(), "甲集团", 500_000, 2)], "{asked}");
    }
    // Before the merger each is asked about alone.
    let alone = reserved(&bench, as_of(10, "2025-05-31"), &other().code.to_string()).await;
    assert_eq!(alone, [row(&other(), "乙公司", 200_000, 1)]);
    assert!(reserved(&bench, as_of(10, "2025-06-30"), &namesake).await.is_empty(), "not its code yet");
}

#[tokio::test]
async fn mergers_lead_on_and_what_a_later_generation_has_lost_is_void() {
    let third = party("3", "210300", "丙公司");
    let mut story = story();
    story
        .then("2001-01-01", &recorded(1, &third, "丙公司"))
        .then("2025-08-01", &merged(one().party, &third, "2025-08-01"))
        // The log is taken in anew: nothing has been merged.
        .then("2001-01-01", &recorded(2, &one(), "甲公司"))
        .then("2001-01-01", &recorded(2, &other(), "乙公司"))
        .then("2001-01-01", &recorded(2, &third, "丙公司"));
    let bench = told(&story).await;
    assert_eq!(reserved(&bench, as_of(11, ""), "").await, [row(&third, "丙公司", 500_000, 2)]);
    assert_eq!(reserved(&bench, as_of(11, "2025-07-31"), "").await, [row(&one(), "甲集团", 500_000, 2)]);
    // A name that was told once stays the newest one.
    let apart = [row(&one(), "甲集团", 300_000, 1), row(&other(), "乙公司", 200_000, 1)];
    assert_eq!(reserved(&bench, as_of(14, ""), "").await, apart);
}
