//! What the writer accepts, the tables hold: ids that are one grant's own, events of many lines, sums beyond 64 bits, days long ago.

use crate::cluster::Bench;
use crate::findings::holding::{disallowed, invoiced, spend_id};
use crate::findings::{begun, list, of_grant};
use crate::life::{accepted, contracted, determined, instructed, lead, partner, pledged, settled, shares};
use crate::story::{G1, G2, P1, Story, applied, appropriated, approved, date, imported, party};
use concord_chassis::projection::Projection as _;
use concord_events::fund::{
    Allocation, FundEvent, FundingMode, Holding, MatchingKind, Party, RecoveryCause, Taken,
};
use concord_kernel::{
    id::{GrantId, ProgrammeId, RecoveryId},
    money::Currency,
    party::{PartyCode, PartyId},
};
use concord_proto::amount;
use concord_proto::audit::v1::{
    Dimension, ExportCsvRequest, ExportTable, ListBalancesRequest, ListClocksRequest,
    ListControlTestsRequest, ListFindingsRequest, ListMatchingRequest, ListOverdueRequest,
    ListPostingsRequest, ListReceivablesRequest, ListSharesRequest, ListUndrawnRequest, PostingFilter,
    finding_service_server::FindingService, funding_audit_service_server::FundingAuditService,
};
use futures::StreamExt as _;
use tonic::Request;
use uuid::Uuid;

const CNY: Currency = Currency::CNY;
/// The largest amount of one command.
const MOST: i64 = 1_000_000_000_000_000;

/// Two grants of one programme, each paid 2,000.00.
fn two_paid() -> Story {
    let mut story = begun();
    story.then("2025-02-01", &applied(G2, FundingMode::NonRepayable, &lead(), "new_materials"));
    for (day, event) in [
        ("2025-03-01", approved(G1, 300_000)),
        ("2025-03-20", contracted(300_000, shares(200_000, 100_000))),
        ("2025-04-03", instructed(1, 200_000)),
        ("2025-04-05", settled(1, 200_000)),
    ] {
        story.then(day, &of_grant(G2, event));
    }
    story
}

/// What an item of the first grant is for the second one.
fn for_g2(mut event: FundEvent) -> FundEvent {
    match &mut event {
        FundEvent::SpendReported { grant, .. }
        | FundEvent::SpendAccepted { grant, .. }
        | FundEvent::SpendDisallowed { grant, .. } => *grant = G2,
        other => panic!("{other:?}"),
    }
    event
}

#[tokio::test]
async fn an_items_id_is_its_grants_own_and_what_becomes_of_one_is_not_the_others() {
    let mut story = two_paid();
    // Two recipients that count alike: item 1 of each, on an invoice over 700.00, of which 900.00 are taken.
    story
        .then("2025-07-01", &invoiced(1, 50_000))
        .then("2025-07-01", &for_g2(invoiced(1, 40_000)))
        .then("2025-07-02", &accepted(spend_id(1), &lead(), 50_000));
    let mut bench = Bench::new().await;
    bench.apply(&story.events).await.unwrap();
    let of_a09 = || ListFindingsRequest {
        rules: vec!["A09".to_owned()],
        on: "2025-08-01".to_owned(),
        ..ListFindingsRequest::default()
    };
    let found = list(&bench.audit, of_a09()).await.findings;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].grant_id.clone(), found[0].amount_minor), (G2.to_string(), 20_000));

    // The second one's is disallowed: the first one's stands, and is within the total again.
    story.then("2025-07-10", &for_g2(disallowed(1, 40_000, false)));
    let at = story.events.len() - 1;
    bench.apply(&story.events[at..]).await.unwrap();
    assert_eq!(list(&bench.audit, of_a09()).await.findings, []);
    story.then("2025-07-11", &for_g2(invoiced(2, 30_000)));
    bench.apply(&story.events[at + 1..]).await.unwrap();
    let found = list(&bench.audit, of_a09()).await.findings;
    assert_eq!(found.iter().map(|finding| finding.amount_minor).collect::<Vec<_>>(), [10_000]);
    let request =
        ListControlTestsRequest { rules: vec!["A09".to_owned()], ..ListControlTestsRequest::default() };
    let tests = bench.audit.list_control_tests(Request::new(request)).await.unwrap().into_inner().tests;
    assert_eq!((tests[0].population, tests[0].exceptions), (1, 1), "by what stood when each was reported");
}

/// A grant of many parties, each with the same share, all of it passed on.
fn of_many(parties: u32) -> (Story, Vec<Party>) {
    let partners: Vec<Party> = (0..parties - 1)
        .map(|number| {
            let code: PartyCode = format!("EU-PIC:{}", 100_000_000 + number).parse().unwrap();
            Party { party: PartyId::of(&code), code, ..party("1", "210200", "合作单位") }
        })
        .collect();
    let allocations: Vec<Allocation> = std::iter::once(lead())
        .chain(partners.iter().cloned())
        .map(|party| Allocation { party, amount_minor: Some(100) })
        .collect();
    let whole = 100 * i64::from(parties);
    let mut story = Story::empty();
    story
        .then("2025-01-10", &appropriated(P1, 1_000_000_000))
        .then("2025-02-01", &applied(G1, FundingMode::NonRepayable, &lead(), "new_materials"))
        .then("2025-03-01", &approved(G1, whole))
        .then("2025-03-20", &contracted(whole, allocations))
        .then("2025-04-03", &instructed(1, whole))
        .then("2025-04-05", &settled(1, whole));
    for partner in &partners {
        let passed_on = FundEvent::ShareTransferred {
            grant: G1,
            programme: P1,
            currency: CNY,
            to: partner.party,
            amount_minor: 100,
            bank_reference: partner.code.to_string(),
        };
        story.then("2025-04-20", &passed_on);
    }
    (story, partners)
}

#[tokio::test]
async fn an_event_of_more_lines_than_a_byte_counts_is_held() {
    // A cancellation of 131 parties that were all passed their share takes 262 lines. Of 3,300, which is about what 256 KiB can
    // say, it takes 6,600.
    for parties in [131_u32, 3_300] {
        let (mut story, partners) = of_many(parties);
        let all = partners.iter().map(|party| party.party).chain([lead().party]);
        let takes: Vec<Taken> =
            all.map(|party| Taken { party, from: Holding::Unspent, amount_minor: 100 }).collect();
        let recovery = RecoveryId(Uuid::from_u128(0x401));
        story.then("2025-06-01", &determined(recovery, RecoveryCause::Cancelled, takes));
        let mut bench = Bench::new().await;
        bench.apply(&story.events).await.unwrap();
        let position = story.events.len() as u64;
        let mut request = ListPostingsRequest { page_size: 1_000, ..ListPostingsRequest::default() };
        let (mut lines, mut recoverable) = (0, 0);
        loop {
            let page = bench.audit.list_postings(Request::new(request.clone())).await.unwrap().into_inner();
            for line in page.postings.iter().filter(|line| line.position == position) {
                lines += 1;
                assert_eq!(line.line, lines, "in their order");
                recoverable += if line.account == "recoverable" { line.amount_minor } else { 0 };
            }
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!((lines, recoverable), (2 * parties, 100 * i64::from(parties)));
        // The rows do not depend on how the events were cut.
        let mut other = Bench::new().await;
        for batch in story.events.chunks(50) {
            other.apply(batch).await.unwrap();
            other.projection.reset();
        }
        assert_eq!(other.dump().await, bench.dump().await);
    }
}

#[tokio::test]
async fn sums_over_the_office_are_exact_beyond_64_bits() {
    let mut story = Story::empty();
    // 94 awards, each matched by a hundred sources at the highest amount that a command can say: 9,400 of them.
    const GRANTS: u128 = 94;
    let grant = |number| GrantId(Uuid::from_u128(0x1_0000 + number));
    for number in 0..GRANTS {
        let programme = ProgrammeId(Uuid::from_u128(0x2_0000 + number / 9));
        story.then("2016-05-01", &imported(grant(number), programme, MOST, "2017-01-01"));
        for source in 1..=100 {
            let mut pledged = pledged(source, MatchingKind::OwnMoney, &[(MOST, "2025-06-30")]);
            if let FundEvent::MatchingPledged { grant: of, programme: from, currency, .. } = &mut pledged {
                (*of, *from, *currency) = (grant(number), programme, Currency::EUR);
            }
            story.then("2025-01-01", &pledged);
        }
    }
    // Two programmes that hold as much as one can, and what is claimed back of each.
    for number in 0..2 {
        let programme = ProgrammeId(Uuid::from_u128(0x3_0000 + number));
        let of = grant(0x100 + number);
        story.then("2016-05-01", &imported(of, programme, i64::MAX, "2017-01-01"));
        for event in [instructed(1, i64::MAX), settled(1, i64::MAX)] {
            let mut event = of_grant(of, event);
            match &mut event {
                FundEvent::TrancheInstructed { programme: from, currency, .. }
                | FundEvent::TrancheSettled { programme: from, currency, .. } => {
                    (*from, *currency) = (programme, Currency::EUR);
                }
                _ => {}
            }
            story.then("2016-06-01", &event);
        }
        let party = party("3", "DE", "Institut C").party;
        let takes = vec![Taken { party, from: Holding::Unspent, amount_minor: i64::MAX }];
        let recovery = RecoveryId(Uuid::from_u128(0x4_0000 + number));
        let mut determined = determined(recovery, RecoveryCause::Terminated, takes);
        if let FundEvent::RecoveryDetermined { grant, programme: from, currency, .. } = &mut determined {
            (*grant, *from, *currency) = (of, programme, Currency::EUR);
        }
        story.then("2016-07-01", &determined);
    }
    let mut bench = Bench::new().await;
    for batch in story.events.chunks(2_000) {
        bench.apply(batch).await.unwrap();
    }
    let all_matched = 9_400 * i128::from(MOST);
    let migrated = 94 * i128::from(MOST);
    let both = 2 * i128::from(i64::MAX);
    let on = "2025-08-01".to_owned();

    let balances = bench.audit.list_balances(Request::new(ListBalancesRequest::default())).await.unwrap();
    let total = &balances.get_ref().totals[0];
    assert_eq!(total.match_pledged_minor, i64::MAX, "the nearest number");
    assert_eq!(amount::of(total.match_pledged_minor, "match_pledged_minor", &total.exact), all_matched);
    assert_eq!(amount::of(total.appropriated_minor, "appropriated_minor", &total.exact), migrated + both);
    assert_eq!(amount::of(total.recoverable_minor, "recoverable_minor", &total.exact), both);
    assert_eq!(amount::of(total.committed_minor, "committed_minor", &total.exact), migrated);
    assert_eq!(balances.get_ref().balances[0].exact, total.exact, "one group is all");
    // In the order of the exact figures, whatever the nearest numbers are.
    let request = ListBalancesRequest {
        group_by: vec![Dimension::Mode.into()],
        order_by: "match_pledged_minor desc".to_owned(),
        ..ListBalancesRequest::default()
    };
    let ordered = bench.audit.list_balances(Request::new(request)).await.unwrap().into_inner().balances;
    assert_eq!(ordered[0].group, ["non_repayable"]);

    let request = ListMatchingRequest { on: on.clone(), ..ListMatchingRequest::default() };
    let matching = bench.audit.list_matching(Request::new(request)).await.unwrap().into_inner();
    let amounts = matching.totals[0].amounts.as_ref().unwrap();
    assert_eq!(amount::of(amounts.gap_minor, "gap_minor", &amounts.exact), all_matched);
    assert_eq!(matching.pledges[0].amounts.as_ref().unwrap().exact, [], "a single amount fits");

    let request = ListFindingsRequest {
        rules: vec!["A03".to_owned()],
        on: on.clone(),
        ..ListFindingsRequest::default()
    };
    let groups = list(&bench.audit, request).await.groups;
    assert_eq!(amount::from_wire(groups[0].amount_minor, &groups[0].exact_minor), all_matched);

    let request = ListClocksRequest { on: on.clone(), ..ListClocksRequest::default() };
    let clocks = bench.audit.list_clocks(Request::new(request)).await.unwrap().into_inner();
    let waiting = clocks.totals.iter().find(|total| total.kind == "matching_instalment").unwrap();
    assert_eq!((waiting.clocks, waiting.overdue), (9_400, 9_400));
    assert_eq!(amount::from_wire(waiting.amount_minor, &waiting.exact_minor), all_matched);

    let request = ListReceivablesRequest { on: on.clone(), ..ListReceivablesRequest::default() };
    let receivables = bench.audit.list_receivables(Request::new(request)).await.unwrap().into_inner();
    let amounts = receivables.totals[0].amounts.as_ref().unwrap();
    assert_eq!(amount::of(amounts.outstanding_minor, "outstanding_minor", &amounts.exact), both);

    let request = ListSharesRequest { on: on.clone(), ..ListSharesRequest::default() };
    let shares = bench.audit.list_shares(Request::new(request)).await.unwrap().into_inner();
    let amounts = shares.totals[0].amounts.as_ref().unwrap();
    assert_eq!(amount::of(amounts.allocated_minor, "allocated_minor", &amounts.exact), migrated + both);

    // As of when nothing was paid: what the two programmes hold is undrawn, and overdue.
    let before = story.events.len() as u64 - 7;
    let both_undrawn = crate::balances::at(before);
    let request = ListUndrawnRequest { as_of: both_undrawn.clone(), ..ListUndrawnRequest::default() };
    let undrawn = bench.audit.list_undrawn(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(undrawn.totals[0].minor(), migrated + i128::from(i64::MAX));
    let request = ListOverdueRequest { as_of: both_undrawn, on: on.clone(), ..ListOverdueRequest::default() };
    let overdue = bench.audit.list_overdue(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(overdue.totals[0].minor(), migrated + i128::from(i64::MAX));

    // In a file every figure is exact.
    let request = ExportCsvRequest { table: ExportTable::Balances.into(), ..ExportCsvRequest::default() };
    let mut pieces = bench.audit.export_csv(Request::new(request)).await.unwrap().into_inner();
    let mut file = Vec::new();
    while let Some(piece) = pieces.next().await {
        file.extend(piece.unwrap().data);
    }
    let file = String::from_utf8(file).unwrap();
    assert!(file.contains(",9400000000000000000,"), "{file}");
}

#[tokio::test]
async fn a_period_long_ago_has_four_digits_of_its_year() {
    let mut story = Story::empty();
    story.then("0987-03-01", &imported(G1, P1, 500, "2017-01-01"));
    let mut bench = Bench::new().await;
    bench.apply(&story.events).await.unwrap();
    let request = ListBalancesRequest {
        group_by: vec![Dimension::Period.into()],
        filter: Some(PostingFilter { period: "0987-03".to_owned(), ..PostingFilter::default() }),
        ..ListBalancesRequest::default()
    };
    let answer = bench.audit.list_balances(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(answer.balances[0].group, ["0987-03"]);
    let postings = bench.audit.list_postings(Request::new(ListPostingsRequest::default())).await.unwrap();
    assert_eq!(postings.get_ref().postings[0].period, "0987-03");
    assert_eq!(date("0987-03-01").year(), 987);
}

#[tokio::test]
async fn whoever_is_named_as_long_as_can_be_is_held() {
    // The longest name, of characters that do not shrink, with the longest code.
    let name: String = (0..200).map(|index| char::from_u32(0x4e00 + index * 97).unwrap()).collect();
    assert_eq!(name.len(), 600);
    let code: PartyCode = format!("DE-HRB:{}", "X7".repeat(32)).parse().unwrap();
    let long = Party { party: PartyId::of(&code), code, name: Some(name), ..partner() };
    let mut story = begun();
    story.then("2025-02-03", &applied(G2, FundingMode::NonRepayable, &long, "marine"));
    Bench::new().await.apply(&story.events).await.unwrap();
}
