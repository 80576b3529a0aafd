//! Matching money, shares and receivables of the life in `life.rs`, worked out by hand.

use crate::balances::{at, faults};
use crate::cluster::Bench;
use crate::life::{LIFE_END, R1, R2, contracted, corrected, lead, life, partner, pledged, settled, shares};
use crate::story::{G1, P1, Story, applied, appropriated, approved};
use concord_events::fund::{FundEvent, FundingMode, MatchingKind, MoneyFact};
use concord_kernel::{id::InstructionId, money::Currency};
use concord_proto::audit::v1::{
    AsOf, Balance, Dimension, ExportCsvRequest, ExportTable, ListBalancesRequest, ListMatchingRequest,
    ListMatchingResponse, ListReceivablesRequest, ListReceivablesResponse, ListSharesRequest,
    ListSharesResponse, MatchingAmounts, PostingFilter, ReceivableAmounts, ShareAmounts,
    funding_audit_service_server::FundingAuditService,
};
use futures::StreamExt as _;
use tonic::Request;
use uuid::Uuid;

async fn told(story: &Story) -> Bench {
    let mut bench = Bench::new().await;
    bench.apply(&story.events).await.unwrap();
    bench
}

/// The balances of the fund's chain in its order, then what was settled, and matching money.
fn amounts(balance: &Balance) -> [i64; 14] {
    [
        balance.appropriated_minor,
        balance.available_minor,
        balance.reserved_minor,
        balance.committed_minor,
        balance.instructed_minor,
        balance.recipient_unspent_minor,
        balance.eligible_spend_minor,
        balance.recoverable_minor,
        balance.refunded_minor,
        balance.retained_by_rule_minor,
        balance.written_off_minor,
        balance.settled_minor,
        balance.match_pledged_minor,
        balance.match_arrived_minor,
    ]
}

#[tokio::test]
async fn what_was_appropriated_is_on_the_other_accounts_at_every_position_of_a_life() {
    let bench = told(&life()).await;
    let mut last = [0; 14];
    for position in 1..=LIFE_END {
        let request = ListBalancesRequest { as_of: at(position), ..ListBalancesRequest::default() };
        let answer = bench.audit.list_balances(Request::new(request)).await.unwrap().into_inner();
        last = amounts(&answer.totals[0]);
        assert_eq!(last[0], last[1..11].iter().sum::<i64>(), "position {position}");
        assert!(last.iter().all(|amount| *amount >= 0), "position {position}: {last:?}");
    }
    let expected =
        [1_000_000, 800_000, 0, 0, 0, 90_000, 45_000, 0, 29_000, 30_000, 6_000, 200_000, 70_000, 50_000];
    assert_eq!(last, expected);
}

#[tokio::test]
async fn a_partners_money_is_the_partners_in_its_own_region() {
    let bench = told(&life()).await;
    let request = ListBalancesRequest {
        group_by: vec![Dimension::Party.into(), Dimension::PartyRegion.into()],
        filter: Some(PostingFilter { grant_id: G1.to_string(), ..PostingFilter::default() }),
        order_by: "recipient_unspent_minor desc".to_owned(),
        ..ListBalancesRequest::default()
    };
    let answer = bench.audit.list_balances(Request::new(request)).await.unwrap().into_inner();
    let held: Vec<_> = answer
        .balances
        .iter()
        .map(|balance| {
            let amounts = (balance.recipient_unspent_minor, balance.eligible_spend_minor);
            (balance.labels[0].as_str(), balance.group[1].as_str(), amounts)
        })
        .collect();
    assert_eq!(held, [("戊大学", "210200", (50_000, 0)), ("甲公司", "210100", (40_000, 45_000))]);
    // Found by its code, too.
    let filter = PostingFilter { party: partner().code.to_string(), ..PostingFilter::default() };
    let request = ListBalancesRequest { filter: Some(filter), ..ListBalancesRequest::default() };
    let answer = bench.audit.list_balances(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(answer.totals[0].recipient_unspent_minor, 50_000);
}

async fn matching(bench: &Bench, as_of: AsOf, on: &str) -> ListMatchingResponse {
    let request =
        ListMatchingRequest { as_of: Some(as_of), on: on.to_owned(), ..ListMatchingRequest::default() };
    bench.audit.list_matching(Request::new(request)).await.unwrap().into_inner()
}

fn position(position: u64) -> AsOf {
    AsOf { position, ..AsOf::default() }
}

/// Pledged, released, arrived, due, missing; and the missing by age.
fn of(amounts: &Option<MatchingAmounts>) -> ([i64; 5], [i64; 4]) {
    let amounts = amounts.as_ref().unwrap();
    (
        [
            amounts.pledged_minor,
            amounts.released_minor,
            amounts.arrived_minor,
            amounts.due_minor,
            amounts.gap_minor,
        ],
        [amounts.gap_1_30_minor, amounts.gap_31_90_minor, amounts.gap_91_180_minor, amounts.gap_181_minor],
    )
}

type Pledge<'a> = (u32, ([i64; 5], [i64; 4]), &'a str, i32);

fn listed(answer: &ListMatchingResponse) -> Vec<Pledge<'_>> {
    let pledges = answer.pledges.iter();
    pledges
        .map(|pledge| {
            (pledge.source_number, of(&pledge.amounts), pledge.oldest_due_on.as_str(), pledge.days_overdue)
        })
        .collect()
}

#[tokio::test]
async fn matching_money_is_missing_from_the_day_after_it_was_due_and_aged() {
    let bench = told(&life()).await;
    // The due date itself is in time.
    let answer = matching(&bench, position(9), "2025-06-30").await;
    assert_eq!(
        listed(&answer),
        [
            (2, ([50_000, 0, 0, 50_000, 50_000], [50_000, 0, 0, 0]), "2025-05-31", 30),
            (1, ([120_000, 0, 0, 0, 0], [0; 4]), "", 0),
        ]
    );
    let answer = matching(&bench, position(9), "2025-07-01").await;
    assert_eq!(
        listed(&answer),
        [
            (1, ([120_000, 0, 0, 60_000, 60_000], [60_000, 0, 0, 0]), "2025-06-30", 1),
            (2, ([50_000, 0, 0, 50_000, 50_000], [0, 50_000, 0, 0]), "2025-05-31", 31),
        ]
    );
    let totals: Vec<_> = answer
        .totals
        .iter()
        .map(|total| {
            (total.currency.as_str(), total.matching_kind.as_str(), total.sources, of(&total.amounts))
        })
        .collect();
    assert_eq!(
        totals,
        [
            ("CNY", "", 2, ([170_000, 0, 0, 110_000, 110_000], [60_000, 50_000, 0, 0])),
            ("CNY", "government_budget", 1, ([120_000, 0, 0, 60_000, 60_000], [60_000, 0, 0, 0])),
            ("CNY", "own_money", 1, ([50_000, 0, 0, 50_000, 50_000], [0, 50_000, 0, 0])),
        ]
    );
    let city = &answer.pledges[0];
    assert_eq!(
        (city.matching_kind.as_str(), city.level.as_str(), city.is_public),
        ("government_budget", "city", true)
    );
    assert_eq!((city.title.as_str(), city.programme_id.as_str()), ("项目 513", P1.to_string().as_str()));
    // The edges of the ages: 90 and 91, 180 and 181 days after 31 May.
    for (on, ages) in [
        ("2025-08-29", [0, 50_000, 0, 0]),
        ("2025-08-30", [0, 0, 50_000, 0]),
        ("2025-11-27", [0, 0, 50_000, 0]),
        ("2025-11-28", [0, 0, 0, 50_000]),
    ] {
        let answer = matching(&bench, position(9), on).await;
        let own = answer.pledges.iter().find(|pledge| pledge.source_number == 2).unwrap();
        assert_eq!(of(&own.amounts).1, ages, "{on}");
    }
}

#[tokio::test]
async fn arrivals_corrections_and_releases_change_what_is_missing() {
    let bench = told(&life()).await;
    let city = async |as_of: AsOf, on: &str| {
        let answer = matching(&bench, as_of, on).await;
        let pledge = answer.pledges.iter().find(|pledge| pledge.source_number == 1).unwrap();
        (of(&pledge.amounts), pledge.oldest_due_on.clone(), pledge.days_overdue)
    };
    let on = "2026-04-01";
    let nothing_of_the_first = ([120_000, 0, 60_000, 120_000, 60_000], [60_000, 0, 0, 0]);
    assert_eq!(city(position(12), on).await, (nothing_of_the_first, "2026-03-31".to_owned(), 1));
    let all_of_both = ([120_000, 0, 0, 120_000, 120_000], [60_000, 0, 0, 60_000]);
    assert_eq!(city(position(20), on).await, (all_of_both, "2025-06-30".to_owned(), 275));
    let some = ([120_000, 0, 50_000, 120_000, 70_000], [60_000, 0, 0, 10_000]);
    assert_eq!(city(position(21), on).await, (some, "2025-06-30".to_owned(), 275));

    // As it was on 1 July, known later: the arrival was none, from its own day on.
    let asked = AsOf { position: LIFE_END, effective_on: "2025-07-01".to_owned(), ..AsOf::default() };
    let none = ([120_000, 0, 0, 60_000, 60_000], [60_000, 0, 0, 0]);
    assert_eq!(city(asked, "").await, (none, "2025-06-30".to_owned(), 1));

    let answer = matching(&bench, position(LIFE_END), on).await;
    let released = (2, ([50_000, 50_000, 0, 50_000, 0], [0; 4]), "", 0);
    assert_eq!(listed(&answer)[1], released);
}

#[tokio::test]
async fn an_instalment_that_came_early_hides_no_other() {
    let mut story = Story::empty();
    let instalments = [(60_000, "2025-06-30"), (60_000, "2026-03-31")];
    story
        .then("2025-01-10", &appropriated(P1, 1_000_000))
        .then("2025-02-01", &applied(G1, FundingMode::NonRepayable, &lead(), "new_materials"))
        .then("2025-03-01", &approved(G1, 300_000))
        .then("2025-03-20", &contracted(300_000, shares(200_000, 100_000)))
        .then("2025-03-21", &pledged(1, MatchingKind::GovernmentBudget, &instalments))
        .then(
            "2025-04-01",
            &FundEvent::MatchingArrived {
                grant: G1,
                programme: P1,
                currency: Currency::CNY,
                source: 1,
                instalment: 2,
                amount_minor: 60_000,
                bank_reference: "M-1".to_owned(),
            },
        );
    let bench = told(&story).await;
    let answer = matching(&bench, AsOf::default(), "2025-07-01").await;
    let expected = (1, ([120_000, 0, 60_000, 60_000, 60_000], [60_000, 0, 0, 0]), "2025-06-30", 1);
    assert_eq!(listed(&answer), [expected]);
}

/// A settled payment that the bank sent back whole.
fn sent_back(tranche: u32, amount_minor: i64) -> FundEvent {
    FundEvent::PaymentReturned {
        grant: G1,
        programme: P1,
        currency: Currency::CNY,
        tranche,
        amount_minor,
        shortfall_minor: 0,
        offset_minor: 0,
        released: None,
        instruction: InstructionId(Uuid::from_u128(1)),
        attempt: 1,
        after_settlement: true,
        bank_reference: "r-1".to_owned(),
        reason: "账户已销户".to_owned(),
    }
}

async fn of_parties(bench: &Bench, as_of: AsOf, on: &str) -> ListSharesResponse {
    let request = ListSharesRequest { as_of: Some(as_of), on: on.to_owned(), ..ListSharesRequest::default() };
    bench.audit.list_shares(Request::new(request)).await.unwrap().into_inner()
}

/// Allocated, passed on, due, gap, unspent, spent.
fn share(amounts: &Option<ShareAmounts>) -> [i64; 6] {
    let amounts = amounts.as_ref().unwrap();
    [
        amounts.allocated_minor,
        amounts.passed_on_minor,
        amounts.due_minor,
        amounts.gap_minor,
        amounts.unspent_minor,
        amounts.eligible_spend_minor,
    ]
}

/// The partner's share and the lead's.
fn both(answer: &ListSharesResponse) -> [[i64; 6]; 2] {
    let find = |is_lead| answer.shares.iter().find(|share| share.is_lead == is_lead).unwrap();
    [share(&find(false).amounts), share(&find(true).amounts)]
}

#[tokio::test]
async fn a_partners_part_of_settled_money_is_due_after_the_days_of_the_rulebook() {
    let bench = told(&life()).await;
    assert_eq!(of_parties(&bench, position(6), "2025-03-10").await.shares, [], "nothing is contracted yet");
    // Settled on 5 April; thirty days are over after 5 May.
    let answer = of_parties(&bench, position(12), "2025-05-05").await;
    assert_eq!(both(&answer), [[100_000, 0, 0, 0, 0, 0], [200_000, 0, 0, 0, 200_000, 0]]);
    assert_eq!((answer.within_days, answer.rulebook.as_str()), (30, "2012-09"));
    let answer = of_parties(&bench, position(12), "2025-05-06").await;
    // 1,000.00 × 2,000.00 ÷ 3,000.00, rounded down.
    assert_eq!(both(&answer)[0], [100_000, 0, 66_666, 66_666, 0, 0]);
    assert_eq!(both(&answer)[1], [200_000, 0, 0, 0, 200_000, 0]);
    assert!(!answer.shares[0].is_lead, "the largest gap first");
    assert_eq!(
        (answer.shares[0].party_code.as_str(), answer.shares[0].party_region.as_str()),
        (partner().code.to_string().as_str(), "210200")
    );
    assert_eq!(answer.shares[0].party_id, partner().party.to_string());

    let passed = of_parties(&bench, position(13), "2025-05-11").await;
    assert_eq!(both(&passed), [[100_000, 60_000, 66_666, 6_666, 60_000, 0], [200_000, 0, 0, 0, 140_000, 0]]);
    // Before the first rulebook began, its days are counted too; the answer says which they are.
    let early = of_parties(&bench, position(13), "2012-09-14").await;
    assert_eq!((early.within_days, early.rulebook.as_str()), (30, "2012-09"));
    let total = &passed.totals[0];
    assert_eq!(
        (total.currency.as_str(), total.shares, share(&total.amounts)),
        ("CNY", 2, [300_000, 60_000, 66_666, 6_666, 200_000, 0])
    );
    assert_eq!(passed.totals.len(), 1);

    // The amended contract: 900.00 × 2,000.00 ÷ 2,800.00.
    let amended = of_parties(&bench, position(24), "2026-02-02").await;
    assert_eq!(both(&amended)[0], [90_000, 60_000, 64_285, 4_285, 60_000, 0]);
    let at_last = of_parties(&bench, position(LIFE_END), "2026-09-01").await;
    assert_eq!(
        both(&at_last),
        [[90_000, 60_000, 64_285, 4_285, 50_000, 0], [190_000, 0, 0, 0, 40_000, 45_000]]
    );
}

#[tokio::test]
async fn a_corrected_transfer_was_not_passed_on_and_a_share_that_was_taken_away_is_shown() {
    let mut story = life();
    story.events.truncate(13);
    let to = partner().party;
    story.then(
        "2025-05-20",
        &corrected(13, MoneyFact::ShareTransfer { to, amount_minor: 60_000 }, "2025-05-10"),
    );
    let bench = told(&story).await;
    let answer = of_parties(&bench, AsOf::default(), "2025-05-21").await;
    assert_eq!(both(&answer)[0], [100_000, 0, 66_666, 66_666, 0, 0]);
    let known_before = of_parties(&bench, position(13), "2025-05-21").await;
    assert_eq!(both(&known_before)[0], [100_000, 60_000, 66_666, 6_666, 60_000, 0]);

    let mut story = life();
    story.events.truncate(13);
    let mut alone = shares(300_000, 0);
    alone.truncate(1);
    story.then(
        "2025-06-01",
        &FundEvent::ContractAmended {
            grant: G1,
            programme: P1,
            currency: Currency::CNY,
            mode: FundingMode::NonRepayable,
            lead_region: None,
            amendment: 1,
            amount_minor: 300_000,
            released_minor: 0,
            to_treasury: false,
            tranches: Vec::new(),
            allocations: alone,
            minutes: "会议纪要 2025-6".to_owned(),
        },
    );
    let bench = told(&story).await;
    let answer = of_parties(&bench, AsOf::default(), "2025-06-02").await;
    assert_eq!(both(&answer), [[0, 60_000, 0, 0, 60_000, 0], [300_000, 0, 0, 0, 140_000, 0]]);
    let code = answer.shares.iter().find(|share| !share.is_lead).unwrap().party_code.clone();
    assert_eq!(code, partner().code.to_string(), "as it was named last");
}

#[tokio::test]
async fn money_that_came_back_is_not_due_to_be_passed_on() {
    let mut story = life();
    story.events.truncate(11);
    let wrong = MoneyFact::Settlement { tranche: 1, amount_minor: 200_000 };
    story.then("2025-04-20", &corrected(11, wrong, "2025-04-05")).then("2025-04-25", &settled(1, 200_000));
    let bench = told(&story).await;
    for (on, due) in [("2025-05-06", 0), ("2025-05-25", 0), ("2025-05-26", 66_666)] {
        let answer = of_parties(&bench, AsOf::default(), on).await;
        assert_eq!(both(&answer)[0][2], due, "{on}");
    }
    // Settled on 5 April and returned on 20 May: due on 6 May as it was known then, and to nobody from the return on.
    let mut story = life();
    story.events.truncate(11);
    story.then("2025-05-20", &sent_back(1, 200_000));
    let bench = told(&story).await;
    let due = async |as_of, on: &str| both(&of_parties(&bench, as_of, on).await)[0][2];
    assert_eq!(due(position(11), "2025-05-21").await, 66_666);
    assert_eq!(due(AsOf::default(), "2025-05-21").await, 0);
}

#[tokio::test]
async fn shares_are_narrowed_by_the_party_that_has_them() {
    let bench = told(&life()).await;
    let narrowed = async |filter: PostingFilter| {
        let request = ListSharesRequest {
            filter: Some(filter),
            on: "2025-05-11".to_owned(),
            as_of: at(13),
            ..ListSharesRequest::default()
        };
        let answer = bench.audit.list_shares(Request::new(request)).await.unwrap().into_inner();
        answer
            .shares
            .iter()
            .map(|share| (share.is_lead, share.amounts.as_ref().unwrap().due_minor))
            .collect::<Vec<_>>()
    };
    let partner_alone = vec![(false, 66_666)];
    let by_code = PostingFilter { party: partner().code.to_string(), ..PostingFilter::default() };
    assert_eq!(narrowed(by_code).await, partner_alone);
    let by_region = PostingFilter { party_region: "2102".to_owned(), ..PostingFilter::default() };
    assert_eq!(narrowed(by_region).await, partner_alone);
    let by_lead = PostingFilter { lead_region: "2102".to_owned(), ..PostingFilter::default() };
    assert_eq!(narrowed(by_lead).await, []);
    let by_grant = PostingFilter { grant_id: G1.to_string(), ..PostingFilter::default() };
    assert_eq!(narrowed(by_grant).await.len(), 2);
}

async fn receivables(bench: &Bench, as_of: AsOf, on: &str) -> ListReceivablesResponse {
    let request =
        ListReceivablesRequest { as_of: Some(as_of), on: on.to_owned(), ..ListReceivablesRequest::default() };
    bench.audit.list_receivables(Request::new(request)).await.unwrap().into_inner()
}

/// Determined, demanded, overturned, repaid, offset, written off, outstanding, overdue.
fn recovery(amounts: &Option<ReceivableAmounts>) -> [i64; 8] {
    let amounts = amounts.as_ref().unwrap();
    [
        amounts.determined_minor,
        amounts.demanded_minor,
        amounts.overturned_minor,
        amounts.repaid_minor,
        amounts.offset_minor,
        amounts.written_off_minor,
        amounts.outstanding_minor,
        amounts.overdue_minor,
    ]
}

#[tokio::test]
async fn a_recovery_is_outstanding_until_it_is_repaid_offset_or_given_up() {
    let bench = told(&life()).await;
    let on = "2026-05-07";
    // Position, day, state, due, days, amounts.
    let steps = [
        (29, on, "determined", "", 0, [15_000, 0, 0, 0, 0, 0, 15_000, 0]),
        (30, "2026-05-06", "demanded", "2026-05-06", 0, [15_000, 15_000, 0, 0, 0, 0, 15_000, 0]),
        (30, on, "demanded", "2026-05-06", 1, [15_000, 15_000, 0, 0, 0, 0, 15_000, 15_000]),
        (31, on, "appealed", "2026-05-06", 1, [15_000, 15_000, 0, 0, 0, 0, 15_000, 15_000]),
        (32, on, "demanded", "2026-05-06", 1, [15_000, 15_000, 0, 0, 0, 0, 15_000, 15_000]),
        (33, on, "demanded", "2026-05-06", 1, [15_000, 15_000, 0, 6_000, 0, 0, 9_000, 9_000]),
        (34, on, "demanded", "2026-05-06", 1, [15_000, 15_000, 0, 0, 0, 0, 15_000, 15_000]),
        (35, on, "demanded", "2026-05-06", 1, [15_000, 15_000, 0, 5_000, 0, 0, 10_000, 10_000]),
        (36, on, "demanded", "2026-05-06", 1, [15_000, 15_000, 0, 5_000, 4_000, 0, 6_000, 6_000]),
        (37, on, "written_off", "2026-05-06", 0, [15_000, 15_000, 0, 5_000, 4_000, 6_000, 0, 0]),
        (41, on, "determined", "", 0, [10_000, 0, 0, 0, 0, 0, 10_000, 0]),
        (42, on, "overturned", "", 0, [10_000, 0, 10_000, 0, 0, 0, 0, 0]),
    ];
    for (place, on, state, due_on, days, expected) in steps {
        let answer = receivables(&bench, position(place), on).await;
        let newest = if place < 41 { R1 } else { R2 }.to_string();
        let found = answer.receivables.iter().find(|receivable| receivable.recovery_id == newest).unwrap();
        assert_eq!(
            (found.state.as_str(), found.due_on.as_str(), found.days_overdue),
            (state, due_on, days),
            "position {place}"
        );
        assert_eq!(recovery(&found.amounts), expected, "position {place}");
        let outstanding: i64 =
            answer.totals.iter().map(|total| total.amounts.as_ref().unwrap().outstanding_minor).sum();
        let request = ListBalancesRequest { as_of: at(place), ..ListBalancesRequest::default() };
        let balances = bench.audit.list_balances(Request::new(request)).await.unwrap().into_inner();
        assert_eq!(balances.totals[0].recoverable_minor, outstanding, "the ledger agrees at {place}");
    }
    let answer = receivables(&bench, position(LIFE_END), on).await;
    let total = &answer.totals[0];
    assert_eq!(
        (total.currency.as_str(), total.recoveries, recovery(&total.amounts)),
        ("CNY", 2, [25_000, 15_000, 10_000, 5_000, 4_000, 6_000, 0, 0])
    );
    assert_eq!(answer.receivables[0].cause, "diverted");
    assert_eq!(answer.receivables[0].determined_on, "2026-04-05");

    // As it was on 11 May, known later: the repayment was none.
    let asked = AsOf { effective_on: "2026-05-11".to_owned(), ..AsOf::default() };
    let answer = receivables(&bench, asked, "").await;
    assert_eq!(answer.on, "2026-05-11");
    assert_eq!(recovery(&answer.receivables[0].amounts), [15_000, 15_000, 0, 0, 0, 0, 15_000, 15_000]);
    assert_eq!(answer.receivables[0].days_overdue, 5);
}

#[tokio::test]
async fn a_recovery_that_was_repaid_is_settled() {
    let mut story = life();
    story.events.truncate(32);
    story.then(
        "2026-05-01",
        &FundEvent::RecoveryRepaid {
            recovery: R1,
            grant: G1,
            programme: P1,
            currency: Currency::CNY,
            amount_minor: 15_000,
            bank_reference: "R-1".to_owned(),
        },
    );
    let bench = told(&story).await;
    let answer = receivables(&bench, AsOf::default(), "2026-06-01").await;
    assert_eq!((answer.receivables[0].state.as_str(), answer.receivables[0].days_overdue), ("settled", 0));
}

#[tokio::test]
async fn what_stands_has_no_period() {
    let bench = told(&life()).await;
    let filter = Some(PostingFilter { period: "2025-04".to_owned(), ..PostingFilter::default() });
    let asked = ListMatchingRequest { filter: filter.clone(), ..ListMatchingRequest::default() };
    let matching = bench.audit.list_matching(Request::new(asked)).await.unwrap_err();
    let asked = ListSharesRequest { filter: filter.clone(), ..ListSharesRequest::default() };
    let shares = bench.audit.list_shares(Request::new(asked)).await.unwrap_err();
    let asked = ListReceivablesRequest {
        filter,
        on: "tomorrow".to_owned(),
        page_size: -1,
        ..ListReceivablesRequest::default()
    };
    let receivables = bench.audit.list_receivables(Request::new(asked)).await.unwrap_err();
    assert_eq!(faults(&matching), ["filter.period"]);
    assert_eq!(faults(&shares), ["filter.period"]);
    assert_eq!(faults(&receivables), ["filter.period", "on", "page_size"]);
}

#[tokio::test]
async fn pages_are_of_one_answer_and_totals_over_all_of_it() {
    let mut bench = Bench::new().await;
    let story = life();
    bench.apply(&story.events[..9]).await.unwrap();
    let mut request =
        ListMatchingRequest { page_size: 1, on: "2025-07-01".to_owned(), ..ListMatchingRequest::default() };
    let first = bench.audit.list_matching(Request::new(request.clone())).await.unwrap().into_inner();
    assert_eq!((first.pledges[0].source_number, first.totals.len()), (1, 3));
    bench.apply(&story.events[9..]).await.unwrap();
    request.page_token = first.next_page_token;
    let second = bench.audit.list_matching(Request::new(request.clone())).await.unwrap().into_inner();
    assert_eq!(second.reflects.unwrap().position, 9);
    assert_eq!((second.pledges[0].source_number, second.on.as_str()), (2, "2025-07-01"));
    assert_eq!(second.totals, first.totals);
    assert!(second.next_page_token.is_empty());
    // A page belongs to its question.
    request.on = "2025-07-02".to_owned();
    let status = bench.audit.list_matching(Request::new(request)).await.unwrap_err();
    assert_eq!(faults(&status), ["page_token"]);
}

#[tokio::test]
async fn the_exports_have_the_rows_of_the_lists() {
    let bench = told(&life()).await;
    let export = async |table: ExportTable, position: u64, on: &str| {
        let request = ExportCsvRequest {
            table: table.into(),
            as_of: at(position),
            on: on.to_owned(),
            ..ExportCsvRequest::default()
        };
        let mut pieces = bench.audit.export_csv(Request::new(request)).await.unwrap().into_inner();
        let mut file = Vec::new();
        while let Some(piece) = pieces.next().await {
            let piece = piece.unwrap();
            assert_eq!(piece.on, on, "the day goes with the first piece");
            file.extend(piece.data);
        }
        let file = String::from_utf8(file).unwrap();
        file.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let (lead, partner) = (lead().party, partner().party);
    assert_eq!(
        export(ExportTable::Matching, 21, "2026-04-01").await,
        [
            format!(
                "{G1},1,{P1},项目 513,CNY,government_budget,city,true,120000,0,50000,120000,70000,2025-06-30,275,60000,0,0,10000,false"
            ),
            format!(
                "{G1},2,{P1},项目 513,CNY,own_money,,false,50000,0,0,50000,50000,2025-05-31,305,0,0,0,50000,false"
            ),
        ]
    );
    assert_eq!(
        export(ExportTable::Shares, 13, "2025-05-11").await,
        [
            format!(
                "{G1},{partner},EU-PIC:999999995,210200,false,{P1},项目 513,CNY,100000,60000,66666,6666,60000,0,false,false"
            ),
            format!(
                "{G1},{lead},EU-PIC:999999991,210100,true,{P1},项目 513,CNY,200000,0,0,0,140000,0,false,false"
            ),
        ]
    );
    assert_eq!(
        export(ExportTable::Receivables, 36, "2026-05-21").await,
        [format!(
            "{R1},{G1},{P1},项目 513,CNY,diverted,demanded,15000,15000,0,5000,4000,0,6000,6000,2026-04-05,2026-05-06,15,false"
        )]
    );
}
