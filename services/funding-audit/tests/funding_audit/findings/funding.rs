//! A03: matching money that does not arrive. A06: shares that are not passed on.

use super::{asks, begins, begun, finds, known, of_rule, of_tranche, says, told};
use crate::balances::at;
use crate::life::{corrected, end, instructed, partner, pledged, settled, shares};
use crate::story::{G1, G3, P1, P2, Story, date, imported, party, tranche};
use concord_events::fund::{Allocation, FundEvent, FundingMode, MatchingKind, MoneyFact};
use concord_kernel::id::{GrantId, InstructionId, ProgrammeId};
use concord_kernel::money::Currency;
use concord_proto::audit::v1::ListFindingsRequest;
use uuid::Uuid;

const CNY: Currency = Currency::CNY;

/// Begun, and at position 7 the city's 600.00 due on 2025-06-30 and 600.00 due on 2026-03-31.
fn matched() -> Story {
    let mut story = begun();
    let due = [(60_000, "2025-06-30"), (60_000, "2026-03-31")];
    story.then("2025-03-21", &pledged(1, MatchingKind::GovernmentBudget, &due));
    story
}

fn arrived(instalment: u32, amount_minor: i64) -> FundEvent {
    FundEvent::MatchingArrived {
        grant: G1,
        programme: P1,
        currency: CNY,
        source: 1,
        instalment,
        amount_minor,
        bank_reference: format!("M-{instalment}"),
    }
}

fn released(source: u32, amount_minor: i64) -> FundEvent {
    FundEvent::MatchingReleased {
        grant: G1,
        programme: P1,
        currency: CNY,
        source,
        amount_minor,
        reason: "停产".to_owned(),
        minutes: "会议纪要 9".to_owned(),
    }
}

fn instalment(number: u32) -> String {
    format!("{G1}/source/1/{number}")
}

#[tokio::test]
async fn an_instalment_is_found_from_the_day_after_it_was_due_for_what_is_missing_of_it() {
    let mut story = matched();
    let (first, second) = (instalment(1), instalment(2));
    let all = ("overdue", &*first, 7, 60_000, ("2025-06-30", 1), &[7][..]);
    let found = begins(&story, "A03", ("2025-06-30", "2025-07-01"), &[all]).await;
    says(
        &found,
        "600.00 CNY of a matching instalment of 600.00 CNY (government_budget/city) is missing since 2025-06-30; 0.00 CNY has arrived",
        "配套资金（市财政）应于2025-06-30到位600.00 CNY，已到位0.00 CNY，尚缺600.00 CNY",
    );
    // Money of the second instalment that came early hides nothing of the first, and the key stays.
    story.then("2025-06-20", &arrived(1, 50_000)).then("2025-06-21", &arrived(2, 60_000));
    let part = ("overdue", &*first, 7, 10_000, ("2025-06-30", 1), &[7, 8][..]);
    begins(&story, "A03", ("2025-06-30", "2025-07-01"), &[part]).await;
    let year = ("overdue", &*first, 7, 10_000, ("2025-06-30", 366), &[7, 8][..]);
    finds(&story, "A03", "2026-07-01", &[year]).await;
    story.then("2025-08-01", &arrived(1, 10_000));
    finds(&story, "A03", "2026-07-01", &[]).await;
    // The second one's arrival never was; from its day, and as of whatever was known before it, nothing is changed.
    story.then(
        "2026-05-01",
        &corrected(
            9,
            MoneyFact::MatchingArrival { source: 1, instalment: 2, amount_minor: 60_000 },
            "2025-06-21",
        ),
    );
    let again = ("overdue", &*second, 7, 60_000, ("2026-03-31", 1), &[7, 9, 11][..]);
    begins(&story, "A03", ("2026-03-31", "2026-04-01"), &[again]).await;
    let bench = told(&story).await;
    let asked = |as_of| ListFindingsRequest { as_of, ..of_rule("A03", "2026-04-01") };
    asks(&bench, asked(at(10)), &[]).await;
    let on_its_day = ("overdue", &*first, 7, 10_000, ("2025-06-30", 275), &[7, 8][..]);
    asks(&bench, asked(known(9, "2025-07-31")), &[on_its_day]).await;
    // By then the last of it had not arrived, though that is on record today; and the day is that of the question.
    let as_of = ListFindingsRequest { as_of: known(11, "2025-07-31"), ..of_rule("A03", "") };
    asks(&bench, as_of, &[("overdue", &*first, 7, 10_000, ("2025-06-30", 31), &[7, 8][..])]).await;
}

#[tokio::test]
async fn a_released_source_owes_only_what_is_corrected_afterwards() {
    let first = instalment(1);
    let mut story = matched();
    story.then("2025-06-20", &arrived(1, 50_000)).then("2025-08-01", &released(1, 70_000));
    finds(&story, "A03", "2026-07-01", &[]).await;
    // Of the 500.00 none had arrived: they are missing again, and that is another cause.
    story.then(
        "2025-08-10",
        &corrected(
            8,
            MoneyFact::MatchingArrival { source: 1, instalment: 1, amount_minor: 50_000 },
            "2025-06-20",
        ),
    );
    let again = ("overdue", &*first, 10, 50_000, ("2025-06-30", 366), &[7, 8, 9, 10][..]);
    finds(&story, "A03", "2026-07-01", &[again]).await;
    story.then("2025-08-20", &released(1, 50_000));
    finds(&story, "A03", "2026-07-01", &[]).await;
}

#[tokio::test]
async fn several_sources_are_found_each_by_itself() {
    let mut story = matched();
    story.then("2025-03-21", &pledged(2, MatchingKind::OwnMoney, &[(50_000, "2025-05-31")]));
    let own = format!("{G1}/source/2/1");
    let first = instalment(1);
    let expected = [
        ("overdue", &*first, 7, 60_000, ("2025-06-30", 1), &[7][..]),
        ("overdue", &*own, 8, 50_000, ("2025-05-31", 31), &[8][..]),
    ];
    let found = finds(&story, "A03", "2025-07-01", &expected).await;
    assert!(found[1].message.contains("(own_money)"), "{}", found[1].message);
    story.then("2025-06-10", &released(2, 50_000));
    finds(&story, "A03", "2025-07-01", &expected[..1]).await;
}

#[tokio::test]
async fn a_project_that_stopped_is_owed_what_was_due_before() {
    let first = instalment(1);
    let mut story = matched();
    story.then(
        "2025-07-02",
        &FundEvent::GrantTerminated {
            grant: G1,
            end: end(100_000),
            refund_by: date("2025-08-01"),
            reason: "终止".to_owned(),
            minutes: "会议纪要 8".to_owned(),
        },
    );
    let expected = ("overdue", &*first, 7, 60_000, ("2025-06-30", 366), &[7][..]);
    finds(&story, "A03", "2026-07-01", &[expected]).await;
}

fn passed_on(amount_minor: i64, reference: &str) -> FundEvent {
    FundEvent::ShareTransferred {
        grant: G1,
        programme: P1,
        currency: CNY,
        to: partner().party,
        amount_minor,
        bank_reference: reference.to_owned(),
    }
}

fn returned(amount_minor: i64) -> FundEvent {
    FundEvent::PaymentReturned {
        grant: G1,
        programme: P1,
        currency: CNY,
        tranche: 1,
        amount_minor,
        shortfall_minor: 0,
        offset_minor: 0,
        released: None,
        instruction: InstructionId(Uuid::from_u128(0x301)),
        attempt: 1,
        after_settlement: true,
        bank_reference: "R-1".to_owned(),
        reason: "账号有误".to_owned(),
    }
}

fn share() -> String {
    format!("{G1}/share/{}", partner().party)
}

#[tokio::test]
async fn a_share_is_found_once_thirty_days_have_passed_and_for_what_was_not_passed_on() {
    let share = share();
    let mut story = begun();
    // A third of 2,000.00, rounded down.
    let all = ("withheld", &*share, 6, 66_666, ("2025-05-05", 1), &[6][..]);
    let found = begins(&story, "A06", ("2025-05-05", "2025-05-06"), &[all]).await;
    says(
        &found,
        "666.66 CNY of the settled money was the share of EU-PIC:999999995 and was to be passed on; 0.00 CNY was, 666.66 CNY was not",
        "按已到账资金应向合作单位EU-PIC:999999995转拨666.66 CNY，已转拨0.00 CNY，尚欠666.66 CNY",
    );
    story.then("2025-05-10", &passed_on(60_000, "S-1"));
    let part = ("withheld", &*share, 6, 6_666, ("2025-05-05", 27), &[6, 7][..]);
    finds(&story, "A06", "2025-06-01", &[part]).await;
    story.then("2025-05-20", &passed_on(6_666, "S-2"));
    finds(&story, "A06", "2025-06-01", &[]).await;
    story.then(
        "2025-05-25",
        &corrected(7, MoneyFact::ShareTransfer { to: partner().party, amount_minor: 60_000 }, "2025-05-10"),
    );
    let again = ("withheld", &*share, 6, 60_000, ("2025-05-05", 27), &[6, 7, 8, 9][..]);
    finds(&story, "A06", "2025-06-01", &[again]).await;
    // It got its money late: on the days before, and as long as that was not on record, it had not.
    let bench = told(&story).await;
    let asked = |as_of| ListFindingsRequest { as_of, ..of_rule("A06", "2025-06-01") };
    asks(&bench, asked(at(8)), &[]).await;
    asks(&bench, asked(at(7)), &[part]).await;
    let before = ("withheld", &*share, 6, 66_666, ("2025-05-05", 27), &[6][..]);
    asks(&bench, asked(known(8, "2025-05-09")), &[before]).await;
}

#[tokio::test]
async fn the_cause_is_the_first_payment_of_which_the_share_was_not_passed_on() {
    let share = share();
    let mut story = begun();
    story
        .then("2025-06-03", &of_tranche(2, instructed(1, 100_000)))
        .then("2025-06-05", &of_tranche(2, settled(1, 100_000)));
    // Of the second payment nothing is due yet.
    let first = ("withheld", &*share, 6, 66_666, ("2025-05-05", 61), &[6][..]);
    finds(&story, "A06", "2025-07-05", &[first]).await;
    let both = ("withheld", &*share, 6, 100_000, ("2025-05-05", 62), &[6][..]);
    finds(&story, "A06", "2025-07-06", &[both]).await;
    story.then("2025-06-10", &passed_on(66_666, "S-1"));
    let second = ("withheld", &*share, 8, 33_334, ("2025-07-05", 1), &[8, 9][..]);
    begins(&story, "A06", ("2025-07-05", "2025-07-06"), &[second]).await;
}

#[tokio::test]
async fn a_payment_that_came_back_is_owed_to_nobody() {
    let share = share();
    let mut story = begun();
    // Within the thirty days, and on the last of them.
    story.then("2025-05-04", &returned(200_000));
    finds(&story, "A06", "2025-05-06", &[]).await;
    finds(&story, "A06", "2026-05-06", &[]).await;
    // Paid again it has thirty days anew.
    story.then("2025-05-10", &instructed(2, 200_000)).then("2025-05-20", &settled(2, 200_000));
    let again = ("withheld", &*share, 9, 66_666, ("2025-06-19", 1), &[9][..]);
    begins(&story, "A06", ("2025-06-19", "2025-06-20"), &[again]).await;

    // The second tranche's money does not stand for the first one's: its thirty days are not over.
    let mut story = begun();
    story
        .then("2025-06-03", &of_tranche(2, instructed(1, 100_000)))
        .then("2025-06-05", &of_tranche(2, settled(1, 100_000)))
        .then("2025-06-10", &returned(200_000));
    let second = ("withheld", &*share, 8, 33_333, ("2025-07-05", 1), &[8][..]);
    begins(&story, "A06", ("2025-07-05", "2025-07-06"), &[second]).await;

    // A part of it: two thirds of 1,000.00 were the lead's.
    let mut story = begun();
    story.then("2025-05-04", &returned(100_000));
    let part = ("withheld", &*share, 6, 33_333, ("2025-05-05", 1), &[6][..]);
    begins(&story, "A06", ("2025-05-05", "2025-05-06"), &[part]).await;

    // It never was: the settlement was a mistake.
    let mut story = begun();
    let wrong = MoneyFact::Settlement { tranche: 1, amount_minor: 200_000 };
    story.then("2025-05-04", &corrected(6, wrong, "2025-04-05"));
    finds(&story, "A06", "2025-05-06", &[]).await;
    let bench = told(&story).await;
    let before = ListFindingsRequest { as_of: at(6), ..of_rule("A06", "2025-05-06") };
    asks(&bench, before, &[("withheld", &*share, 6, 66_666, ("2025-05-05", 1), &[6][..])]).await;
}

#[tokio::test]
async fn amended_shares_are_what_is_due_and_an_ended_grants_are_not() {
    let share = share();
    let amended = |allocations: Vec<Allocation>| FundEvent::ContractAmended {
        grant: G1,
        programme: P1,
        currency: CNY,
        mode: FundingMode::NonRepayable,
        lead_region: None,
        amendment: 1,
        amount_minor: 280_000,
        released_minor: 20_000,
        to_treasury: false,
        tranches: vec![tranche(1, 200_000, "2025-05-01"), tranche(2, 80_000, "2026-06-30")],
        allocations,
        minutes: "会议纪要 2".to_owned(),
    };
    let mut story = begun();
    story.then("2025-06-01", &amended(shares(190_000, 90_000)));
    // 900.00 × 2,000.00 ÷ 2,800.00.
    let less = ("withheld", &*share, 6, 64_285, ("2025-05-05", 57), &[6][..]);
    finds(&story, "A06", "2025-07-01", &[less]).await;
    story.then("2025-06-02", &amended(shares(280_000, 0)));
    finds(&story, "A06", "2025-07-01", &[]).await;

    let mut story = begun();
    story.then(
        "2025-06-01",
        &FundEvent::GrantTerminated {
            grant: G1,
            end: end(100_000),
            refund_by: date("2025-07-01"),
            reason: "终止".to_owned(),
            minutes: "会议纪要 8".to_owned(),
        },
    );
    finds(&story, "A06", "2025-07-01", &[]).await;
}

#[tokio::test]
async fn a_migrated_share_named_twice_is_one_and_one_that_is_not_said_is_none() {
    let in_euro = |mut event: FundEvent| {
        let of: (GrantId, ProgrammeId, Currency) = (G3, P2, Currency::EUR);
        match &mut event {
            FundEvent::TrancheInstructed { grant, programme, currency, .. }
            | FundEvent::TrancheSettled { grant, programme, currency, .. } => {
                (*grant, *programme, *currency) = of;
            }
            other => panic!("of no payment: {other:?}"),
        }
        event
    };
    for (second, expected_minor) in [(Some(50_000), Some(150_000)), (None, None)] {
        let mut award = imported(G3, P2, 500_000, "2017-01-01");
        if let FundEvent::AwardImported { allocations, .. } = &mut award {
            allocations.extend(shares(350_000, 100_000));
            allocations.push(Allocation { party: partner(), amount_minor: second });
            allocations[0].party = party("3", "DE", "Institut C");
        }
        let mut story = Story::empty();
        story
            .then("2016-05-01", &award)
            .then("2016-06-01", &in_euro(instructed(1, 500_000)))
            .then("2016-06-01", &in_euro(settled(1, 500_000)));
        let share = format!("{G3}/share/{}", partner().party);
        let expected: Vec<_> = expected_minor
            .map(|minor| ("withheld", &*share, 3, minor, ("2016-07-01", 1), &[3][..]))
            .into_iter()
            .collect();
        let found = finds(&story, "A06", "2016-07-02", &expected).await;
        assert!(found.iter().all(|one| one.currency == "EUR" && one.synthetic));
    }
}
