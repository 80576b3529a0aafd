//! Control tests: events are fed here without having been decided, so they can lie. One clean story, and each rule broken in it.

use crate::cluster::Bench;
use crate::findings::holding::{disallowed, invoiced, spend_id};
use crate::findings::{of_grant, of_tranche};
use crate::life::{
    accepted, contracted, corrected, determined, end, instructed, lead, pledged, settled, shares,
};
use crate::story::{G1, G2, P1, Story, applied, appropriated, approved, date, party};
use concord_events::fund::{
    AcceptanceOutcome, AgreementPoint, Cleared, Filed, FundEvent, FundingMode, HoldCause, Holding,
    InstructedUnder, Loss, MatchingKind, MoneyFact, OverriddenRule, Party, PartyChange, RecoveryCause, Taken,
};
use concord_events::personal::PersonalRef;
use concord_funding_audit::{LogClock, columns};
use concord_kernel::fingerprint::Fingerprint;
use concord_kernel::id::{AgreementId, GrantId, InstructionId, OrganisationId, RecoveryId};
use concord_kernel::money::Currency;
use concord_kernel::party::PartyId;
use concord_proto::audit::v1::{
    ControlTest, ExportControlTestsRequest, ListControlTestsRequest, finding_service_server::FindingService,
};
use futures::StreamExt as _;
use tonic::Request;
use uuid::Uuid;

const CNY: Currency = Currency::CNY;
const R: RecoveryId = RecoveryId(Uuid::from_u128(0x401));

/// Who did it, when, and what. Its position is its place.
type Act = ((&'static str, &'static str), &'static str, FundEvent);

const APPLICANT: (&str, &str) = ("p-applicant", "o-lead");
const REVIEWER: (&str, &str) = ("p-reviewer", "o-office");
const APPROVER: (&str, &str) = ("p-approver", "o-office");
const AUTHORISER: (&str, &str) = ("p-authoriser", "o-office");
const INSTRUCTOR: (&str, &str) = ("p-instructor", "o-office");
const SETTLER: (&str, &str) = ("p-settler", "o-office");
const CLERK: (&str, &str) = ("p-clerk", "o-office");

fn admitted(grant: GrantId, title: &str) -> FundEvent {
    let filed = Filed {
        lead: lead().party,
        fingerprint: Fingerprint::of(lead().party, title, None),
        fund: "guiding-fund".to_owned(),
        directory: None,
    };
    FundEvent::GrantAdmitted { grant, filed: Some(filed) }
}

fn requested(tranche: u32, amount_minor: i64) -> FundEvent {
    FundEvent::TrancheRequested { grant: G1, currency: CNY, tranche, amount_minor }
}

fn authorised(tranche: u32, amount_minor: i64) -> FundEvent {
    FundEvent::TrancheAuthorised { grant: G1, currency: CNY, tranche, amount_minor }
}

fn published(amount_minor: i64, approvable_from: &str) -> FundEvent {
    FundEvent::NoticePublished {
        grant: G1,
        currency: CNY,
        amount_minor,
        working_days: 7,
        last_day: date("2025-02-21"),
        approvable_from: date(approvable_from),
    }
}

fn arrived(instalment: u32, amount_minor: i64) -> FundEvent {
    FundEvent::MatchingArrived {
        grant: G1,
        programme: P1,
        currency: CNY,
        source: 1,
        instalment,
        amount_minor,
        bank_reference: format!("M-{instalment}-{amount_minor}"),
    }
}

fn repaid(amount_minor: i64) -> FundEvent {
    FundEvent::RecoveryRepaid {
        recovery: R,
        grant: G1,
        programme: P1,
        currency: CNY,
        amount_minor,
        bank_reference: format!("P-{amount_minor}"),
    }
}

fn refunded(amount_minor: i64) -> FundEvent {
    FundEvent::BalanceRefunded {
        grant: G1,
        programme: P1,
        currency: CNY,
        party: lead().party,
        from: Holding::Unspent,
        amount_minor,
        bank_reference: format!("F-{amount_minor}"),
    }
}

fn reviewed(ceiling_minor: i64) -> FundEvent {
    FundEvent::GrantReviewed { grant: G1, currency: CNY, score_hundredths: 8_000, ceiling_minor }
}

fn nothing() -> FundEvent {
    FundEvent::GrantRecommended { grant: G1, recommender: "市科技局".to_owned() }
}

/// ```text
///  1 appropriated    8 approved           15 settled              22 … its other items         29 … corrected
///  2 G1 applied for  9 contracted         16 matching arrived     23 accepted                  30 … repaid
///  3 admitted       10 payee verified     17 second requested     24 recovery determined       31 finally accepted
///  4 reviewed       11 matching pledged   18 … authorised         25 … demanded                32 balance refunded
///  5 published      12 first requested    19 … instructed         26 … repaid                  33 closed
///  6 objected to    13 … authorised       20 … settled            27 held                      34 G2 applied for
///  7 … rejected     14 … instructed       21 an invoice's item    28 resumed                   35 admitted
/// ```
#[allow(clippy::too_many_lines, reason = "one story, told from its beginning to its end")]
fn clean() -> Vec<Act> {
    let take = Taken { party: lead().party, from: Holding::Unspent, amount_minor: 10_000 };
    let matching = [(60_000, "2025-06-30"), (40_000, "2026-03-31")];
    vec![
        (CLERK, "2025-01-10", appropriated(P1, 1_000_000)),
        (APPLICANT, "2025-02-01", applied(G1, FundingMode::NonRepayable, &lead(), "new_materials")),
        (CLERK, "2025-02-07", admitted(G1, "甲")),
        (REVIEWER, "2025-02-10", reviewed(300_000)),
        (CLERK, "2025-02-12", published(300_000, "2025-02-22")),
        (
            CLERK,
            "2025-02-13",
            FundEvent::ObjectionRaised { grant: G1, objection: 1, grounds: "异议".to_owned() },
        ),
        (
            CLERK,
            "2025-02-14",
            FundEvent::ObjectionRejected { grant: G1, objection: 1, reason: "不成立".to_owned() },
        ),
        (APPROVER, "2025-02-22", approved(G1, 300_000)),
        (CLERK, "2025-03-20", contracted(300_000, shares(300_000, 0))),
        (
            CLERK,
            "2025-03-20",
            FundEvent::PayeeVerified {
                grant: G1,
                account: PersonalRef { person_id: "account-1".to_owned(), hash: "00".to_owned() },
            },
        ),
        (CLERK, "2025-03-21", pledged(1, MatchingKind::GovernmentBudget, &matching)),
        (APPLICANT, "2025-04-01", requested(1, 200_000)),
        (AUTHORISER, "2025-04-02", authorised(1, 200_000)),
        (INSTRUCTOR, "2025-04-03", instructed(1, 200_000)),
        (SETTLER, "2025-04-05", settled(1, 200_000)),
        (CLERK, "2025-06-20", arrived(1, 60_000)),
        (APPLICANT, "2025-07-10", requested(2, 100_000)),
        (AUTHORISER, "2025-07-11", authorised(2, 100_000)),
        (INSTRUCTOR, "2025-07-12", of_tranche(2, instructed(1, 100_000))),
        (SETTLER, "2025-07-13", of_tranche(2, settled(1, 100_000))),
        (APPLICANT, "2025-07-20", invoiced(1, 50_000)),
        (APPLICANT, "2025-07-20", invoiced(2, 20_000)),
        (CLERK, "2025-07-21", accepted(spend_id(1), &lead(), 50_000)),
        (CLERK, "2025-08-01", determined(R, RecoveryCause::Diverted, vec![take])),
        (
            CLERK,
            "2025-08-01",
            FundEvent::RecoveryDemanded {
                recovery: R,
                grant: G1,
                due_on: date("2025-08-31"),
                demand: "追 1".to_owned(),
            },
        ),
        (CLERK, "2025-08-10", repaid(10_000)),
        (CLERK, "2025-08-11", held(HoldCause::Office { reason: "核查".to_owned() })),
        (CLERK, "2025-08-12", FundEvent::GrantResumed { grant: G1 }),
        (
            CLERK,
            "2025-08-13",
            corrected(26, MoneyFact::RecoveryRepayment { recovery: R, amount_minor: 10_000 }, "2025-08-10"),
        ),
        (CLERK, "2025-08-14", repaid(10_000)),
        (
            CLERK,
            "2026-01-20",
            FundEvent::FinalAcceptanceConcluded {
                grant: G1,
                lead: lead().party,
                outcome: AcceptanceOutcome::Passed,
                minutes: "验收 1".to_owned(),
            },
        ),
        (CLERK, "2026-01-25", refunded(240_000)),
        (
            CLERK,
            "2026-02-01",
            FundEvent::GrantClosed {
                grant: G1, end: end(0), refund_by: None, minutes: "结题 1".to_owned()
            },
        ),
        (APPLICANT, "2026-03-01", applied(G2, FundingMode::NonRepayable, &lead(), "marine")),
        (CLERK, "2026-03-02", admitted(G2, "乙")),
    ]
}

fn held(cause: HoldCause) -> FundEvent {
    FundEvent::GrantHeld { grant: G1, cause, cause_on: date("2025-01-01") }
}

/// Of each test: how many acts the clean story has.
const POPULATIONS: &[(&str, i64)] = &[
    ("A01.contract", 2),
    ("A01.payee", 2),
    ("A01.hold", 6),
    ("A01.backing_as_known_now", 0),
    ("A02.contract", 1),
    // Reserved, committed, instructed, unspent, spent, recoverable, refunded; matching pledged and arrived.
    ("A02.accounts", 9),
    ("A02.budget", 1),
    ("A02.chain", 1),
    ("A03.matching", 1),
    ("A04.fingerprint", 2),
    ("A04.project_as_known_now", 2),
    ("A07.review", 1),
    ("A07.finished", 1),
    ("A08.notice", 1),
    ("A08.objections", 1),
    ("A09.invoice", 1),
    ("A10.closeout", 1),
    ("A10.open_tranche", 1),
    ("A11.lead", 3),
    ("A11.lead_as_known_now", 3),
    ("A13.review_approve", 1),
    ("A13.approve_authorise", 2),
    ("A13.authorise_instruct", 2),
    ("A13.instruct_settle", 2),
    ("A13.applicant", 4),
    ("A13.applicant_as_known_now", 4),
    ("A14.settled_once", 2),
    ("A14.instruction", 2),
    // Two payments, an arrival, a repayment told twice, a refund.
    ("A14.reference", 6),
    ("A16.recovery", 1),
    // The application, five days late.
    ("A17.back_dating", 1),
    ("A17.corrections", 1),
];

async fn told(acts: &[Act]) -> Bench {
    let mut story = Story::empty();
    for (who, on, event) in acts {
        story.by(*who, on, event);
    }
    // The log's today is 2025-02-06 all the time: only what happened before is late.
    let mut bench = Bench::with_clock(LogClock::Played { from: date("2025-02-06") }).await;
    bench.apply(&story.events).await.unwrap();
    bench
}

async fn tests(bench: &Bench, request: ListControlTestsRequest) -> Vec<ControlTest> {
    bench.audit.list_control_tests(Request::new(request)).await.unwrap().into_inner().tests
}

/// Every test that has exceptions, with their positions.
async fn exceptions(acts: &[Act]) -> Vec<(String, Vec<u64>)> {
    let bench = told(acts).await;
    let tests = tests(&bench, ListControlTestsRequest::default()).await;
    let broken = tests.into_iter().filter(|test| test.exceptions > 0);
    broken
        .map(|test| {
            assert_eq!(test.exceptions, i64::try_from(test.positions.len()).unwrap(), "{test:?}");
            assert!(test.population >= test.exceptions, "{test:?}");
            (test.id, test.positions)
        })
        .collect()
}

#[tokio::test]
async fn in_the_clean_story_every_rule_held() {
    let bench = told(&clean()).await;
    let tests = tests(&bench, ListControlTestsRequest::default()).await;
    let told: Vec<(&str, i64)> = tests.iter().map(|test| (test.id.as_str(), test.population)).collect();
    assert_eq!(told, POPULATIONS);
    for test in &tests {
        assert_eq!((test.exceptions, test.positions.as_slice()), (0, &[][..]), "{test:?}");
        assert!(!test.title.is_empty() && !test.title_zh.is_ascii(), "{test:?}");
        assert!(!test.result_zh.is_ascii(), "{test:?}");
    }
    assert_eq!(tests[0].result, "of 2 instructions, 0 preceded the contract");
    assert_eq!(tests[0].result_zh, "2项支付指令中，0项早于任务书");
}

/// What is planted in the clean story, and what is seen then: the tests with exceptions, and at which positions.
type Planted = (&'static str, fn(&mut Vec<Act>), &'static [(&'static str, &'static [u64])]);

fn amend(acts: &mut [Act], position: usize, how: impl FnOnce(&mut FundEvent)) {
    how(&mut acts[position - 1].2);
}

fn put(acts: &mut [Act], position: usize, event: FundEvent) {
    acts[position - 1].2 = event;
}

/// The application and admission of G2 before a position instead of at the end, on this day.
fn second_before(acts: &mut Vec<Act>, position: usize, on: &'static str) {
    for _ in 0..2 {
        let mut act = acts.pop().unwrap();
        act.1 = on;
        acts.insert(position - 1, act);
    }
}

/// The first project's final acceptance is overdue by a day when the second one, of another lead, is admitted.
fn overdue_under_another_lead(acts: &mut Vec<Act>) {
    amend(acts, 9, |event| {
        if let FundEvent::ContractSigned { acceptance_due_on, .. } = event {
            *acceptance_due_on = Some(date("2026-01-09"));
        }
    });
    put(acts, 34, applied(G2, FundingMode::NonRepayable, &other(), "marine"));
    second_before(acts, 31, "2026-01-10");
}

const LEAD_CODE: &str = "eu-pic:999999991";
const OTHER_CODE: &str = "EU-PIC:999999992";

/// Another party.
fn other() -> Party {
    party("2", "210200", "乙公司")
}

fn changed(party: PartyId, change: PartyChange) -> FundEvent {
    let at = AgreementPoint { generation: 1, position: 1, event: Uuid::nil() };
    FundEvent::PartyChanged { party, change, at, happened_on: date("2025-01-01") }
}

fn recorded_other() -> FundEvent {
    changed(other().party, PartyChange::Recorded { code: other().code, name: "乙公司".to_owned() })
}

/// The lead was merged into the other party.
fn merged(from: &str) -> FundEvent {
    changed(lead().party, PartyChange::Merged { into: other().party, from: date(from) })
}

fn represented(from: &str) -> FundEvent {
    let organisation = OrganisationId::new("O-Agency").unwrap();
    let authority = "辽科发〔2025〕9号".to_owned();
    changed(lead().party, PartyChange::Represented { organisation, authority, from: date(from) })
}

fn represented_no_more(from: &str) -> FundEvent {
    let organisation = OrganisationId::new("o-agency").unwrap();
    changed(lead().party, PartyChange::RepresentationEnded { organisation, from: date(from) })
}

/// The second application is for the first one's project, its title spelled otherwise.
fn same_project(acts: &mut [Act], of: &Party) {
    let mut event = applied(G2, FundingMode::NonRepayable, of, "new_materials");
    if let FundEvent::GrantApplied { title, .. } = &mut event {
        *title = format!("项 目《{}》", G1.0.as_u128());
    }
    put(acts, 34, event);
}

fn lost() -> HoldCause {
    let agreement = AgreementId(Uuid::from_u128(0x901));
    HoldCause::BackingLost { agreement, how: Loss::Terminated, agreement_position: 7 }
}

fn in_force_again() -> FundEvent {
    let agreement = AgreementId(Uuid::from_u128(0x901));
    FundEvent::HoldCauseCleared {
        grant: G1,
        agreement,
        cleared: Cleared::InForceAgain,
        agreement_position: 8,
    }
}

fn instructed_under(acts: &mut [Act], position: usize) {
    amend(acts, position, |event| {
        if let FundEvent::TrancheInstructed { backing, .. } = event {
            *backing = Some(InstructedUnder {
                agreement: AgreementId(Uuid::from_u128(0x901)),
                position: 5,
                verified_position: 6,
                verified_at: "2025-04-03T00:00:00Z".parse().unwrap(),
            });
        }
    });
}

fn settlement_of(acts: &[Act], position: usize) -> String {
    acts[position - 1].2.bank_reference().unwrap().1.to_owned()
}

const PLANTED: &[Planted] = &[
    (
        "the contract is dated after the first instruction",
        |acts| acts[8].1 = "2025-04-04",
        &[("A01.contract", &[14])],
    ),
    ("nobody checked the account", |acts| put(acts, 10, nothing()), &[("A01.payee", &[14, 19])]),
    (
        "asked for on hold",
        |acts| {
            acts.push((CLERK, "2026-03-03", held(HoldCause::Office { reason: "核查".to_owned() })));
            acts.push((APPLICANT, "2026-03-04", requested(3, 1)));
        },
        &[("A01.hold", &[37])],
    ),
    (
        "the agreement had left force when the bank was instructed, which was told since",
        |acts| {
            instructed_under(acts, 14);
            acts.push((CLERK, "2024-01-01", held(lost())));
        },
        &[("A01.backing_as_known_now", &[14])],
    ),
    (
        "it was in force again by then",
        |acts| {
            instructed_under(acts, 14);
            acts.push((CLERK, "2024-01-01", held(lost())));
            acts.push((CLERK, "2025-04-03", in_force_again()));
        },
        &[],
    ),
    (
        "it was in force again the day after",
        |acts| {
            instructed_under(acts, 14);
            acts.push((CLERK, "2024-01-01", held(lost())));
            acts.push((CLERK, "2025-04-04", in_force_again()));
        },
        &[("A01.backing_as_known_now", &[14])],
    ),
    (
        "the bank was instructed without an agreement",
        |acts| acts.push((CLERK, "2024-01-01", held(lost()))),
        &[],
    ),
    (
        "an arrival has the first payment's reference, spelled otherwise",
        |acts| {
            let reference = settlement_of(acts, 15).to_lowercase().replace('-', "_");
            amend(acts, 16, |event| {
                if let FundEvent::MatchingArrived { bank_reference, .. } = event {
                    *bank_reference = format!(" {reference}");
                }
            });
        },
        &[("A14.reference", &[16])],
    ),
    (
        "the contract is above what was approved",
        |acts| {
            put(acts, 5, published(299_999, "2025-02-22"));
            put(acts, 8, approved(G1, 299_999));
        },
        &[("A02.accounts", &[9]), ("A02.contract", &[9])],
    ),
    (
        "more is given back than was held",
        |acts| acts.push((CLERK, "2026-03-03", refunded(1))),
        &[("A02.accounts", &[36])],
    ),
    (
        "more is awarded than is available, and nothing was published",
        |acts| acts.push((APPROVER, "2026-03-03", of_grant(G2, approved(G1, 700_001)))),
        &[("A02.budget", &[36]), ("A08.notice", &[36])],
    ),
    (
        "all that is available is awarded",
        |acts| acts.push((APPROVER, "2026-03-03", of_grant(G2, approved(G1, 700_000)))),
        &[("A08.notice", &[36])],
    ),
    (
        "nothing was due yet, and one fen less than the ratio had arrived",
        |acts| {
            let due_later = [(60_000, "2025-12-31"), (40_000, "2026-03-31")];
            put(acts, 11, pledged(1, MatchingKind::GovernmentBudget, &due_later));
            put(acts, 16, arrived(1, 59_999));
        },
        &[("A03.matching", &[18])],
    ),
    (
        "enough had arrived in all, but nothing of what was due",
        |acts| put(acts, 16, arrived(2, 60_000)),
        &[("A03.matching", &[18])],
    ),
    (
        "what had arrived was corrected after it had been believed",
        |acts| {
            let fact = MoneyFact::MatchingArrival { source: 1, instalment: 1, amount_minor: 60_000 };
            acts.push((CLERK, "2026-03-03", corrected(16, fact, "2025-06-20")));
        },
        &[],
    ),
    (
        "the same project is admitted while the first is live",
        |acts| {
            put(acts, 35, admitted(G2, "甲"));
            second_before(acts, 33, "2026-01-31");
        },
        &[("A04.fingerprint", &[34])],
    ),
    (
        "the same project, spelled otherwise, is admitted while the first is live",
        |acts| {
            same_project(acts, &lead());
            second_before(acts, 33, "2026-01-31");
        },
        &[("A04.project_as_known_now", &[34])],
    ),
    ("it is admitted once the first is closed", |acts| same_project(acts, &lead()), &[]),
    (
        "it is another party's",
        |acts| {
            same_project(acts, &other());
            second_before(acts, 33, "2026-01-31");
        },
        &[],
    ),
    (
        "into which the lead had been merged by then, which was told since",
        |acts| {
            same_project(acts, &other());
            second_before(acts, 33, "2026-01-31");
            acts.push((CLERK, "2026-03-03", merged("2026-01-31")));
        },
        &[("A04.project_as_known_now", &[34])],
    ),
    (
        "into which it was merged the day after",
        |acts| {
            same_project(acts, &other());
            second_before(acts, 33, "2026-01-31");
            acts.push((CLERK, "2026-03-03", merged("2026-02-01")));
        },
        &[],
    ),
    ("the same project is admitted once the first is closed", |acts| put(acts, 35, admitted(G2, "甲")), &[]),
    ("the review was below", |acts| put(acts, 4, reviewed(299_999)), &[("A07.review", &[8])]),
    (
        "the review was below and the project over, and a meeting knew it",
        |acts| {
            put(acts, 4, reviewed(299_999));
            amend(acts, 2, |event| {
                if let FundEvent::GrantApplied { ends_on, .. } = event {
                    *ends_on = date("2025-02-21");
                }
            });
            put(acts, 6, nothing());
            put(
                acts,
                7,
                FundEvent::OverrideRecorded {
                    grant: G1,
                    rule: OverriddenRule::A07,
                    minutes: "会议纪要 2".to_owned(),
                    reason: "急需".to_owned(),
                },
            );
        },
        &[],
    ),
    (
        "the project was over",
        |acts| {
            amend(acts, 2, |event| {
                if let FundEvent::GrantApplied { ends_on, .. } = event {
                    *ends_on = date("2025-02-21");
                }
            });
        },
        &[("A07.finished", &[8])],
    ),
    (
        "the notice hung one day less",
        |acts| put(acts, 5, published(300_000, "2025-02-23")),
        &[("A08.notice", &[8])],
    ),
    (
        "another amount was published",
        |acts| put(acts, 5, published(299_999, "2025-02-22")),
        &[("A08.notice", &[8])],
    ),
    (
        "the objection was upheld, and nothing published again",
        |acts| {
            put(acts, 7, FundEvent::ObjectionUpheld { grant: G1, objection: 1, reason: "成立".to_owned() })
        },
        &[("A08.notice", &[8])],
    ),
    ("the objection is open", |acts| put(acts, 7, nothing()), &[("A08.objections", &[8])]),
    ("the invoice is one fen short", |acts| put(acts, 22, invoiced(2, 20_001)), &[("A09.invoice", &[22])]),
    (
        "the invoice was one fen short, and that was disallowed later",
        |acts| {
            put(acts, 22, invoiced(2, 20_001));
            acts.push((CLERK, "2026-03-03", disallowed(2, 20_001, false)));
        },
        &[("A09.invoice", &[22])],
    ),
    ("one fen is left and no day set", |acts| put(acts, 32, refunded(239_999)), &[("A10.closeout", &[33])]),
    (
        "one fen is left, and a day set",
        |acts| {
            put(acts, 32, refunded(239_999));
            amend(acts, 33, |event| {
                if let FundEvent::GrantClosed { refund_by, .. } = event {
                    *refund_by = Some(date("2026-03-01"));
                }
            });
        },
        &[],
    ),
    (
        "the second payment is with the bank still",
        |acts| {
            put(acts, 20, nothing());
            put(acts, 32, refunded(140_000));
        },
        &[("A10.open_tranche", &[33])],
    ),
    (
        "the lead's first project is overdue by a day",
        |acts| {
            amend(acts, 9, |event| {
                if let FundEvent::ContractSigned { acceptance_due_on, .. } = event {
                    *acceptance_due_on = Some(date("2026-01-09"));
                }
            });
            second_before(acts, 31, "2026-01-10");
        },
        &[("A11.lead", &[32]), ("A11.lead_as_known_now", &[32])],
    ),
    (
        "the lead was merged into the one of the second project, which was told before",
        |acts| {
            overdue_under_another_lead(acts);
            put(acts, 6, merged("2025-02-13"));
            put(acts, 7, nothing());
        },
        &[("A11.lead", &[32]), ("A11.lead_as_known_now", &[32])],
    ),
    (
        "that was told after the admission",
        |acts| {
            overdue_under_another_lead(acts);
            acts.push((CLERK, "2026-03-03", merged("2026-01-10")));
        },
        &[("A11.lead_as_known_now", &[32])],
    ),
    (
        "and the merger is of the day after the admission",
        |acts| {
            overdue_under_another_lead(acts);
            acts.push((CLERK, "2026-03-03", merged("2026-01-11")));
        },
        &[],
    ),
    (
        "the lead's first project is due on that day",
        |acts| {
            amend(acts, 9, |event| {
                if let FundEvent::ContractSigned { acceptance_due_on, .. } = event {
                    *acceptance_due_on = Some(date("2026-01-10"));
                }
            });
            second_before(acts, 31, "2026-01-10");
        },
        &[],
    ),
    ("who reviewed approves", |acts| acts[7].0 = REVIEWER, &[("A13.review_approve", &[8])]),
    ("who approved authorises", |acts| acts[17].0 = APPROVER, &[("A13.approve_authorise", &[18])]),
    ("who authorised instructs", |acts| acts[18].0 = AUTHORISER, &[("A13.authorise_instruct", &[19])]),
    ("who instructed settles", |acts| acts[14].0 = INSTRUCTOR, &[("A13.instruct_settle", &[15])]),
    (
        "who reviewed approves, the id written otherwise",
        |acts| acts[7].0 = ("P-Reviewer", "o-office"),
        &[("A13.review_approve", &[8])],
    ),
    (
        "who authorised instructs, the id written otherwise",
        |acts| acts[18].0 = ("P-AUTHORISER", "o-office"),
        &[("A13.authorise_instruct", &[19])],
    ),
    (
        "the applicant's colleague authorises, the organisation written otherwise",
        |acts| acts[12].0 = ("p-other", "O-Lead"),
        &[("A13.applicant", &[13]), ("A13.applicant_as_known_now", &[13])],
    ),
    (
        "the lead authorises under its code",
        |acts| acts[12].0 = ("p-other", LEAD_CODE),
        &[("A13.applicant", &[13]), ("A13.applicant_as_known_now", &[13])],
    ),
    ("another party authorises under its code", |acts| acts[12].0 = ("p-other", OTHER_CODE), &[]),
    (
        "a party into which the lead had been merged authorises, which was told since",
        |acts| {
            acts[12].0 = ("p-other", OTHER_CODE);
            acts.push((CLERK, "2026-03-03", recorded_other()));
            acts.push((CLERK, "2026-03-03", merged("2025-04-02")));
        },
        &[("A13.applicant_as_known_now", &[13])],
    ),
    (
        "an organisation that stood for the lead authorises, which was told before",
        |acts| {
            acts[12].0 = ("p-other", "o-agency");
            put(acts, 6, represented("2025-04-02"));
            put(acts, 7, nothing());
        },
        &[("A13.applicant", &[13]), ("A13.applicant_as_known_now", &[13])],
    ),
    (
        "that was told since",
        |acts| {
            acts[12].0 = ("p-other", "o-agency");
            acts.push((CLERK, "2026-03-03", represented("2025-04-02")));
        },
        &[("A13.applicant_as_known_now", &[13])],
    ),
    (
        "and it stood for it no longer on that day",
        |acts| {
            acts[12].0 = ("p-other", "o-agency");
            put(acts, 6, represented("2025-04-01"));
            put(acts, 7, represented_no_more("2025-04-02"));
        },
        &[],
    ),
    (
        "the bank paid once, the ledger shows it twice",
        |acts| acts.push((SETTLER, "2026-03-03", of_tranche(2, settled(1, 100_000)))),
        &[("A02.accounts", &[36]), ("A14.reference", &[36]), ("A14.settled_once", &[36])],
    ),
    (
        "a settlement was a mistake, and is settled again",
        |acts| {
            let fact = MoneyFact::Settlement { tranche: 2, amount_minor: 100_000 };
            acts.insert(20, (SETTLER, "2025-07-14", corrected(20, fact, "2025-07-13")));
            acts.insert(21, (SETTLER, "2025-07-14", of_tranche(2, settled(1, 100_000))));
            put(
                acts,
                31,
                corrected(
                    28,
                    MoneyFact::RecoveryRepayment { recovery: R, amount_minor: 10_000 },
                    "2025-08-10",
                ),
            );
        },
        &[],
    ),
    (
        "the second tranche is paid under the first one's instruction",
        |acts| {
            for position in [19, 20] {
                amend(acts, position, |event| {
                    if let FundEvent::TrancheInstructed { instruction, .. }
                    | FundEvent::TrancheSettled { instruction, .. } = event
                    {
                        *instruction = InstructionId(Uuid::from_u128(0x301));
                    }
                });
            }
        },
        &[("A14.instruction", &[19])],
    ),
    (
        "more is repaid than was determined",
        |acts| acts.push((CLERK, "2026-03-03", repaid(1))),
        &[("A02.accounts", &[36]), ("A16.recovery", &[24])],
    ),
    ("money is dated back five days", |acts| acts.push((CLERK, "2025-02-01", arrived(2, 40_000))), &[]),
    (
        "money is dated back six days",
        |acts| acts.push((CLERK, "2025-01-31", arrived(2, 40_000))),
        &[("A17.back_dating", &[36])],
    ),
    ("procedure is dated back thirty days", |acts| acts.push((CLERK, "2025-01-07", nothing())), &[]),
    (
        "procedure is dated back thirty-one days",
        |acts| acts.push((CLERK, "2025-01-06", nothing())),
        &[("A17.back_dating", &[36])],
    ),
    (
        "what follows from another log has that one's day",
        |acts| {
            acts.push((CLERK, "2024-01-01", held(lost())));
        },
        &[],
    ),
    (
        "a cancellation and what it determines are dated back as procedure is",
        |acts| {
            let take = Taken { party: lead().party, from: Holding::Spent, amount_minor: 50_000 };
            let cancelled = FundEvent::GrantCancelled {
                grant: G1,
                end: end(0),
                reason: "弄虚作假".to_owned(),
                minutes: "会议纪要 9".to_owned(),
            };
            let recovery = RecoveryId(Uuid::from_u128(0x402));
            acts.push((CLERK, "2025-01-31", cancelled));
            acts.push((CLERK, "2025-01-31", determined(recovery, RecoveryCause::Fraud, vec![take])));
        },
        &[],
    ),
    (
        "a recovery by itself is money",
        |acts| {
            let take = Taken { party: lead().party, from: Holding::Spent, amount_minor: 50_000 };
            let recovery = RecoveryId(Uuid::from_u128(0x402));
            acts.push((CLERK, "2025-01-31", determined(recovery, RecoveryCause::Fraud, vec![take])));
        },
        &[("A17.back_dating", &[36])],
    ),
    (
        "the same fact is reversed twice",
        |acts| {
            let fact = MoneyFact::RecoveryRepayment { recovery: R, amount_minor: 10_000 };
            acts.push((CLERK, "2026-03-03", corrected(26, fact, "2025-08-10")));
        },
        &[("A17.corrections", &[36])],
    ),
];

#[tokio::test]
async fn each_violation_is_seen_at_its_position_and_no_other() {
    for (what, plant, expected) in PLANTED {
        let mut acts = clean();
        plant(&mut acts);
        let mut seen = exceptions(&acts).await;
        seen.sort();
        let expected: Vec<(String, Vec<u64>)> =
            expected.iter().map(|(id, positions)| ((*id).to_owned(), positions.to_vec())).collect();
        assert_eq!(seen, expected, "{what}");
    }
    // Every test but the chain's, which no event can break.
    for (id, _) in POPULATIONS {
        let planted = PLANTED.iter().any(|(_, _, expected)| expected.iter().any(|(seen, _)| seen == id));
        assert!(planted || *id == "A02.chain", "{id} was never broken");
    }
}

#[tokio::test]
async fn a_ledger_that_does_not_add_up_is_seen_though_no_event_can_say_so() {
    let bench = told(&clean()).await;
    let connection = bench.pool.get().await.unwrap();
    // A fen of a refund went to the other chain.
    let sql =
        format!("UPDATE {}.postings SET account = 14 WHERE position = 32 AND amount_minor > 0", bench.schema);
    assert_eq!(connection.execute(&sql, &[]).await.unwrap(), 1);
    let request =
        ListControlTestsRequest { rules: vec!["A02".to_owned()], ..ListControlTestsRequest::default() };
    let broken: Vec<_> =
        tests(&bench, request).await.into_iter().filter(|test| test.exceptions > 0).collect();
    assert_eq!(broken.len(), 1);
    // At the programme's opening.
    assert_eq!((broken[0].id.as_str(), broken[0].positions.as_slice()), ("A02.chain", &[1][..]));
}

#[tokio::test]
async fn an_exception_stays_one_and_is_none_before_it() {
    let mut acts = clean();
    acts[7].0 = REVIEWER;
    put(&mut acts, 10, nothing());
    let bench = told(&acts).await;
    let as_of = |position| ListControlTestsRequest {
        as_of: crate::balances::at(position),
        rules: vec!["A13".to_owned(), "A01".to_owned()],
        ..ListControlTestsRequest::default()
    };
    for (position, expected) in [(7, 0), (8, 1), (13, 1), (14, 2), (19, 3), (35, 3)] {
        let tests = tests(&bench, as_of(position)).await;
        assert_eq!(tests.len(), 10);
        assert_eq!(tests.iter().map(|test| test.exceptions).sum::<i64>(), expected, "position {position}");
    }
    // As many positions as asked for; all of them are counted.
    let request = ListControlTestsRequest { exceptions_max: 1, ..as_of(35) };
    let payee = tests(&bench, request).await.into_iter().find(|test| test.id == "A01.payee").unwrap();
    assert_eq!((payee.exceptions, payee.positions), (2, vec![14]));
    assert_eq!(payee.result, "of 2 instructions, 2 preceded the check of the payee's account");
}

#[tokio::test]
async fn the_file_has_a_row_for_each_test_and_for_each_exception() {
    let mut acts = clean();
    put(&mut acts, 10, nothing());
    let bench = told(&acts).await;
    let asked =
        ExportControlTestsRequest { rules: vec!["A01".to_owned()], ..ExportControlTestsRequest::default() };
    let mut stream = bench.audit.export_control_tests(Request::new(asked)).await.unwrap().into_inner();
    let mut file = Vec::new();
    while let Some(piece) = stream.next().await {
        file.extend(piece.unwrap().data);
    }
    let mut reader = csv::Reader::from_reader(file.as_slice());
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), columns::CONTROL_TESTS);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let told: Vec<[&str; 4]> = rows.iter().map(|row| [&row[0], &row[4], &row[5], &row[6]]).collect();
    assert_eq!(
        told,
        [
            ["A01.contract", "2", "0", ""],
            ["A01.payee", "2", "2", ""],
            ["A01.payee", "2", "2", "14"],
            ["A01.payee", "2", "2", "19"],
            ["A01.hold", "6", "0", ""],
            ["A01.backing_as_known_now", "0", "0", ""],
        ]
    );
}
