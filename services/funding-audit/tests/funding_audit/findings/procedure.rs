//! A04: titles that are nearly the same. A07: approvals. A11: final acceptance. A17: late and corrected facts. A18: overrides.

use super::{Expected, asks, begins, begun, finds, known, list, of_grant, of_rule, same, says, told};
use crate::balances::at;
use crate::cluster::Bench;
use crate::life::{contracted, corrected, end, lead, pledged, shares};
use crate::story::{G1, G2, G3, P1, P2, Story, applied, appropriated, approved, date, imported};
use concord_events::fund::{
    AcceptanceFailure, AcceptanceOutcome, Filed, FindingKey, FundEvent, FundingMode, HoldCause, Loss,
    MatchingKind, MoneyFact, OverriddenRule,
};
use concord_funding_audit::LogClock;
use concord_kernel::fingerprint::Fingerprint;
use concord_kernel::id::{AgreementId, GrantId, RecoveryId, RectificationId};
use concord_kernel::money::Currency;
use concord_proto::audit::v1::{ListFindingsRequest, PostingFilter};
use uuid::Uuid;

const CNY: Currency = Currency::CNY;

fn applied_in(mode: FundingMode) -> Story {
    let mut story = Story::empty();
    story
        .then("2025-01-10", &appropriated(P1, 1_000_000))
        .then("2025-02-01", &applied(G1, mode, &lead(), "new_materials"));
    story
}

fn reviewed(ceiling_minor: i64) -> FundEvent {
    FundEvent::GrantReviewed { grant: G1, currency: CNY, score_hundredths: 8_000, ceiling_minor }
}

fn overridden() -> FundEvent {
    FundEvent::OverrideRecorded {
        grant: G1,
        rule: OverriddenRule::A07,
        minutes: "会议纪要 2".to_owned(),
        reason: "急需".to_owned(),
    }
}

#[tokio::test]
async fn an_approval_above_the_newest_reviews_ceiling_is_found_for_what_is_above() {
    let above = format!("{G1}/approval/above_ceiling");
    let mut story = applied_in(FundingMode::NonRepayable);
    story
        .then("2025-02-10", &reviewed(100_000))
        .then("2025-02-11", &reviewed(300_000))
        .then("2025-03-01", &approved(G1, 300_000));
    finds(&story, "A07", "2025-03-31", &[]).await;
    let mut story = applied_in(FundingMode::NonRepayable);
    story.then("2025-02-10", &reviewed(299_999)).then("2025-03-01", &approved(G1, 300_000));
    let found =
        finds(&story, "A07", "2025-03-31", &[("above_ceiling", &above, 4, 1, ("2025-03-01", 30), &[3, 4])])
            .await;
    says(
        &found,
        "3,000.00 CNY was approved, 0.01 CNY above the review's ceiling of 2,999.99 CNY",
        "立项3,000.00 CNY，超出评审建议上限2,999.99 CNY共0.01 CNY",
    );
    let mut story = applied_in(FundingMode::NonRepayable);
    story
        .then("2025-02-10", &reviewed(250_000))
        .then("2025-02-28", &overridden())
        .then("2025-03-01", &approved(G1, 300_000));
    let expected = ("above_ceiling", &*above, 5, 50_000, ("2025-03-01", 30), &[3, 4, 5][..]);
    let found = finds(&story, "A07", "2025-03-31", &[expected]).await;
    says(
        &found,
        "3,000.00 CNY was approved, 500.00 CNY above the review's ceiling of 2,500.00 CNY, by the override of 会议纪要 2",
        "立项3,000.00 CNY，超出评审建议上限2,500.00 CNY共500.00 CNY，依据特批会议纪要 2",
    );
}

#[tokio::test]
async fn an_approval_after_the_projects_last_day_is_found_where_that_is_not_what_the_mode_is_for() {
    let finished = format!("{G1}/approval/work_finished");
    for (mode, on, is_found) in [
        (FundingMode::NonRepayable, "2026-12-31", false),
        (FundingMode::NonRepayable, "2027-01-01", true),
        (FundingMode::Repayable, "2027-01-01", true),
        (FundingMode::RiskCompensation, "2027-01-01", true),
        (FundingMode::LoanInterestSubsidy, "2027-01-01", false),
        (FundingMode::PostCompletion, "2027-01-01", false),
        (FundingMode::TransferFeeSubsidy, "2027-01-01", false),
    ] {
        // Nobody had reviewed it: it is found all the same.
        let mut story = applied_in(mode);
        story.then(on, &approved(G1, 300_000));
        let expected: &[Expected<'_>] =
            if is_found { &[("work_finished", &finished, 3, 300_000, (on, 0), &[3])] } else { &[] };
        let found = finds(&story, "A07", on, expected).await;
        if is_found {
            says(&found, "approved after the project's last day, 2026-12-31", "立项晚于项目结束日2026-12-31");
        }
    }
}

#[tokio::test]
async fn an_override_is_listed_with_the_award_that_it_was_for() {
    let subject = format!("{G1}/override/3");
    let mut story = applied_in(FundingMode::NonRepayable);
    story.then("2025-02-28", &overridden());
    finds(&story, "A18", "2025-03-31", &[("override", &subject, 3, 0, ("2025-02-28", 31), &[3])]).await;
    story.then("2025-03-01", &approved(G1, 300_000));
    let expected = ("override", &*subject, 3, 300_000, ("2025-02-28", 31), &[3, 4][..]);
    let found = finds(&story, "A18", "2025-03-31", &[expected]).await;
    says(
        &found,
        "a meeting set a rule aside: A07 会议纪要 2; awarded 3,000.00 CNY",
        "会议特批不适用规则：A07 会议纪要 2；立项金额3,000.00 CNY",
    );
    let mut story = applied_in(FundingMode::NonRepayable);
    story.then("2025-03-01", &approved(G1, 300_000));
    finds(&story, "A18", "2025-03-31", &[]).await;
}

fn concluded(outcome: AcceptanceOutcome) -> FundEvent {
    FundEvent::FinalAcceptanceConcluded {
        grant: G1,
        lead: lead().party,
        outcome,
        minutes: "验收 1".to_owned(),
    }
}

fn extended(grant: GrantId) -> FundEvent {
    FundEvent::ProjectExtended {
        grant,
        lead: lead().party,
        former_ends_on: date("2026-12-31"),
        ends_on: date("2027-06-30"),
        acceptance_due_on: date("2027-12-30"),
        minutes: "会议纪要 7".to_owned(),
    }
}

#[tokio::test]
async fn final_acceptance_is_found_from_the_day_after_it_was_due_until_it_is_concluded() {
    let subject = format!("{G1}/acceptance");
    let mut story = begun();
    let first = ("overdue", &*subject, 4, 300_000, ("2027-06-30", 1), &[4][..]);
    let found = begins(&story, "A11", ("2027-06-30", "2027-07-01"), &[first]).await;
    says(
        &found,
        "final acceptance was due 2027-06-30; the project ended on 2026-12-31; contracted 3,000.00 CNY",
        "项目于2026-12-31到期，应于2027-06-30前验收，尚未验收；任务书金额3,000.00 CNY",
    );
    story.then("2026-06-01", &extended(G1));
    let later = ("overdue", &*subject, 7, 300_000, ("2027-12-30", 1), &[7][..]);
    begins(&story, "A11", ("2027-12-30", "2027-12-31"), &[later]).await;
    // Sent back to be put right, it is not concluded.
    story.then("2027-05-01", &concluded(AcceptanceOutcome::Rectify { by: date("2028-05-01") }));
    finds(&story, "A11", "2027-12-31", &[later]).await;
    let bench = told(&story).await;
    let before = ListFindingsRequest { as_of: known(8, "2026-05-31"), ..of_rule("A11", "2027-07-01") };
    asks(&bench, before, &[first]).await;
    let closed = FundEvent::GrantClosed {
        grant: G1,
        end: end(100_000),
        refund_by: Some(date("2027-11-01")),
        minutes: "结题 1".to_owned(),
    };
    for conclusion in [
        concluded(AcceptanceOutcome::Passed),
        concluded(AcceptanceOutcome::Failed { cause: AcceptanceFailure::FalseBooks }),
        closed,
    ] {
        let mut over = begun();
        over.then("2027-10-01", &conclusion);
        finds(&over, "A11", "2028-12-31", &[]).await;
    }
}

#[tokio::test]
async fn a_migrated_awards_acceptance_is_exempt_though_it_was_given_more_time() {
    let mut story = Story::empty();
    story.then("2016-05-01", &imported(G3, P2, 500_000, "2017-01-01")).then("2026-06-01", &extended(G3));
    finds(&story, "A11", "2028-12-31", &[]).await;
}

/// In a log whose clock is played, and stands at 2025-03-01.
async fn on_a_played_clock(story: &Story) -> Bench {
    let mut bench = Bench::with_clock(LogClock::Played { from: date("2025-03-01") }).await;
    bench.apply(&story.events).await.unwrap();
    bench
}

#[tokio::test]
async fn late_facts_of_programmes_grants_recoveries_and_rectifications_are_listed() {
    let recovery = RecoveryId(Uuid::from_u128(0x401));
    let rectification = |number: u128| RectificationId(Uuid::from_u128(0x700 + number));
    let assigned = |number, grant| FundEvent::RectificationAssigned {
        rectification: rectification(number),
        finding: FindingKey { rule: "A03".to_owned(), subject: "x".to_owned(), position: 1 },
        grant,
        owner: "org-7".to_owned(),
        deadline: date("2026-09-01"),
        task: "催缴".to_owned(),
    };
    let agreement = AgreementId(Uuid::from_u128(0x901));
    let lost = HoldCause::BackingLost { agreement, how: Loss::Terminated, agreement_position: 7 };
    let office = HoldCause::Office { reason: "核查".to_owned() };
    let held = |cause| FundEvent::GrantHeld { grant: G1, cause, cause_on: date("2025-01-01") };
    let mut story = Story::empty();
    story
        .then("2025-02-28", &appropriated(P1, 1_000_000))
        .then("2025-03-01", &applied(G1, FundingMode::NonRepayable, &lead(), "new_materials"))
        .then("2025-02-20", &approved(G1, 300_000))
        .then("2025-03-01", &contracted(300_000, shares(200_000, 100_000)))
        .then("2025-03-01", &pledged(1, MatchingKind::OwnMoney, &[(50_000, "2025-05-31")]))
        .then("2025-02-27", &FundEvent::RecoveryAppealed { recovery, grant: G1, grounds: "不服".to_owned() })
        .then("2025-02-26", &assigned(1, Some(G1)))
        .then(
            "2025-02-25",
            &FundEvent::RectificationExplained {
                rectification: rectification(1),
                explanation: "财政困难".to_owned(),
            },
        )
        .then("2025-02-24", &assigned(2, None))
        // What another log says happened when it says so.
        .then("2025-01-01", &held(lost))
        .then("2025-02-23", &held(office));
    let late = |position| format!("{G1}/late/{position}");
    let of_programme = format!("{P1}/late/1");
    let subjects = [3, 6, 7, 8, 11].map(late);
    let dated = |index: usize, position, amount| -> Expected<'_> {
        let evidence: &[u64] = match position {
            3 => &[3],
            6 => &[6],
            7 => &[7],
            8 => &[8],
            _ => &[11],
        };
        ("dated_back", &subjects[index], position, amount, ("2025-03-01", 30), evidence)
    };
    // In the order of their keys, which are text.
    let all = [
        ("dated_back", &*of_programme, 1, 1_000_000, ("2025-03-01", 30), &[1][..]),
        dated(4, 11, 0),
        dated(0, 3, 300_000),
        dated(1, 6, 0),
        dated(2, 7, 0),
        dated(3, 8, 0),
    ];
    let bench = on_a_played_clock(&story).await;
    let asked = ListFindingsRequest { order_by: "rule".to_owned(), ..of_rule("A17", "2025-03-31") };
    let found = asks(&bench, asked.clone(), &all).await;
    says(
        &found[..1],
        "concord.fund.v1.ProgrammeAppropriated happened on 2025-02-28 and was recorded 1 days later",
        "concord.fund.v1.ProgrammeAppropriated发生于2025-02-28，1天后方登记",
    );
    assert_eq!((found[0].grant_id.as_str(), found[0].title.as_str()), ("", "guiding-fund 2025"));
    // A filter by what a programme has not leaves its own facts out; one by what it has does not.
    let filtered = async |filter: PostingFilter| {
        let asked = ListFindingsRequest { filter: Some(filter), ..asked.clone() };
        list(&bench.audit, asked).await.findings.len()
    };
    assert_eq!(filtered(PostingFilter { grant_id: G1.to_string(), ..PostingFilter::default() }).await, 5);
    assert_eq!(filtered(PostingFilter { year: 2025, ..PostingFilter::default() }).await, 6);
    assert_eq!(filtered(PostingFilter { currency: "EUR".to_owned(), ..PostingFilter::default() }).await, 0);
}

#[tokio::test]
async fn a_correction_is_listed_with_what_it_reversed() {
    let subject = format!("{G1}/correction/7");
    let mut story = begun();
    let wrong = MoneyFact::Settlement { tranche: 1, amount_minor: 200_000 };
    story.then("2025-05-04", &corrected(6, wrong, "2025-04-05"));
    let bench = told(&story).await;
    let found = list(&bench.audit, of_rule("A17", "2025-05-05")).await.findings;
    let found: Vec<_> = found.into_iter().filter(|one| one.case == "corrected").collect();
    same(&found, &[("corrected", &subject, 7, 200_000, ("2025-05-04", 1), &[6, 7])], "corrected");
    says(
        &found,
        "the settlement of 2,000.00 CNY of 2025-04-05, position 6, was reversed",
        "2025-04-05的到账（序号6，2,000.00 CNY）已冲销更正",
    );
}

/// Admitted under this title.
fn titled(story: &mut Story, grant: GrantId, text: &str) {
    let mut asked = applied(grant, FundingMode::NonRepayable, &lead(), "new_materials");
    if let FundEvent::GrantApplied { title, .. } = &mut asked {
        text.clone_into(title);
    }
    let filed = Filed {
        lead: lead().party,
        fingerprint: Fingerprint::of(lead().party, text, None),
        fund: "guiding-fund".to_owned(),
        directory: None,
    };
    story
        .then("2025-02-01", &asked)
        .then("2025-02-05", &FundEvent::GrantAdmitted { grant, filed: Some(filed) });
}

#[tokio::test]
async fn live_awards_with_titles_nearly_the_same_are_found_with_the_later_one() {
    // 20 letters have 18 trigrams; another last letter leaves 17 of 19, which is 894 thousandths; two leave 16 of 20.
    let title = "abcdefghijklmnopqrst";
    for (other, per_mille) in [
        (title, Some("100.0")),
        // With Cyrillic letters that look the same, and what is not seen.
        ("аbсdеfghijklmnοpqrst\u{200b}", Some("100.0")),
        ("abcdefghijklmnopqrsx", Some("89.4")),
        ("abcdefghijklmnopqrxy", None),
    ] {
        let mut story = Story::empty();
        story.then("2025-01-10", &appropriated(P1, 1_000_000));
        titled(&mut story, G1, title);
        titled(&mut story, G2, other);
        let subject = format!("{G2}/similar/{G1}");
        let pair = ("similar", &*subject, 5, 400_000, ("2025-02-05", 23), &[3, 5][..]);
        let expected: Vec<Expected<'_>> = per_mille.map(|_| pair).into_iter().collect();
        let found = finds(&story, "A04", "2025-02-28", &expected).await;
        if let Some(percent) = per_mille {
            says(
                &found,
                &format!("{percent} % like the live award {title:?}; compare the two projects"),
                &format!("与在研项目“{title}”的名称相似度为{percent}%；请核对是否重复立项"),
            );
        }
    }
}

#[tokio::test]
async fn a_pair_is_live_as_long_as_both_are_and_its_key_stays() {
    let mut story = Story::empty();
    story.then("2025-01-10", &appropriated(P1, 1_000_000));
    titled(&mut story, G1, "高效电机关键技术研究");
    titled(&mut story, G2, "高效电机 关键技术研究");
    let mut bench = told(&story).await;
    let subject = format!("{G2}/similar/{G1}");
    let pair = |amount| -> Expected<'_> { ("similar", &subject, 5, amount, ("2025-02-05", 23), &[3, 5]) };
    let asked = of_rule("A04", "2025-02-28");
    asks(&bench, asked.clone(), &[pair(400_000)]).await;
    // What came later is compared with what was compared before; and a grant of its own is asked about by itself.
    let so_far = story.events.len();
    story.then("2025-02-20", &of_grant(G2, approved(G1, 300_000)));
    titled(&mut story, G3, "高效电机关键技术研究");
    bench.apply(&story.events[so_far..]).await.unwrap();
    let (with_first, with_second) = (format!("{G3}/similar/{G1}"), format!("{G3}/similar/{G2}"));
    let third = |subject, evidence| ("similar", subject, 8, 400_000, ("2025-02-05", 23), evidence);
    let by_key = ListFindingsRequest { order_by: "rule".to_owned(), ..asked.clone() };
    let all = [pair(300_000), third(&*with_first, &[3, 8][..]), third(&*with_second, &[5, 8][..])];
    asks(&bench, by_key.clone(), &all).await;
    let of = |grant: GrantId| PostingFilter { grant_id: grant.to_string(), ..PostingFilter::default() };
    for (grant, its) in [(G1, &all[..0]), (G2, &all[..1]), (G3, &all[1..])] {
        asks(&bench, ListFindingsRequest { filter: Some(of(grant)), ..by_key.clone() }, its).await;
    }
    // Of a point before, no later award is known, and of a day before nothing is admitted.
    asks(&bench, ListFindingsRequest { as_of: at(5), ..by_key.clone() }, &[pair(400_000)]).await;
    asks(&bench, ListFindingsRequest { as_of: at(4), ..by_key.clone() }, &[]).await;
    asks(&bench, ListFindingsRequest { as_of: known(8, "2025-02-04"), ..by_key.clone() }, &[]).await;
    // An award that is over is like none.
    let so_far = story.events.len();
    let withdrawn = FundEvent::GrantWithdrawn {
        grant: G1,
        programme: P1,
        currency: CNY,
        mode: FundingMode::NonRepayable,
        lead_region: None,
        released_minor: 0,
        reason: "撤回".to_owned(),
        backing: None,
        lead: None,
    };
    story.then("2025-02-21", &withdrawn);
    bench.apply(&story.events[so_far..]).await.unwrap();
    asks(&bench, by_key, &all[2..]).await;
}
