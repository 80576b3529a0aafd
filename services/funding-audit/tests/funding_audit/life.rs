//! A grant's whole life, worked out by hand: matching, partners, spending, corrections, closeout, recovery, rectification.

use crate::story::{G1, G2, P1, Story, applied, appropriated, approved, date, party, tranche};
use concord_events::fund::{
    AcceptanceOutcome, Allocation, End, EvaluationGrade, FindingKey, FundEvent, FundingMode, GovernmentLevel,
    Holding, InvoicePart, MatchingInstalment, MatchingKind, MoneyFact, OverriddenRule, Party, RecoveryCause,
    Taken,
};
use concord_events::personal::PersonalRef;
use concord_kernel::id::{InstructionId, InvoiceId, RecoveryId, RectificationId, SpendId};
use concord_kernel::{Date, money::Currency, spending::SpendCategory};
use uuid::Uuid;

/// The last position of [`life`].
pub(crate) const LIFE_END: u64 = 46;

/// Its recovery, of which everything is settled one way or another, and one that was overturned.
pub(crate) const R1: RecoveryId = RecoveryId(Uuid::from_u128(0x401));
pub(crate) const R2: RecoveryId = RecoveryId(Uuid::from_u128(0x402));
/// An item of the lead's spending, accepted, and one of the partner's, accepted by mistake and disallowed.
pub(crate) const SPEND_A: SpendId = SpendId(Uuid::from_u128(0x501));
pub(crate) const SPEND_B: SpendId = SpendId(Uuid::from_u128(0x502));

const CNY: Currency = Currency::CNY;

/// The lead, of Shenyang.
pub(crate) fn lead() -> Party {
    party("1", "210100", "甲公司")
}

/// The partner, of Dalian.
pub(crate) fn partner() -> Party {
    party("5", "210200", "戊大学")
}

pub(crate) fn shares(of_lead: i64, of_partner: i64) -> Vec<Allocation> {
    [(lead(), of_lead), (partner(), of_partner)]
        .map(|(party, amount_minor)| Allocation { party, amount_minor: Some(amount_minor) })
        .into()
}

/// ```text
///  1  P1 appropriated 10,000.00                        24  ... contract amended to 2,800.00; shares 1,900.00 and 900.00
///  2  G1 applied for; shares 2,500.00 and 1,500.00     25  ... own money of 500.00 released
///  3  ... reviewed, ceiling 2,500.00                   26  ... completion reported
///  4  ... published, 3,000.00                          27  ... to be put right
///  5  ... A07 overridden                               28  ... accepted
///  6  ... approved 3,000.00                            29  R1: 100.00 of the partner's unspent, 50.00 of the lead's spent
///  7  ... contracted; shares 2,000.00 and 1,000.00     30  ... demanded
///  8  ... matching 1 pledged, the city's 1,200.00      31  ... appealed
///  9  ... matching 2 pledged, own 500.00               32  ... upheld
/// 10  ... first tranche instructed 2,000.00            33  ... repaid 60.00
/// 11  ... settled                                      34  ... which is corrected
/// 12  ... matching 1.1 arrived, 600.00                 35  ... repaid 50.00
/// 13  ... 600.00 passed on to the partner              36  ... 40.00 offset
/// 14  ... the lead spent 500.00                        37  ... 60.00 written off
/// 15  ... accepted                                     38  G1: the lead keeps 300.00
/// 16  ... the partner spent 200.00                     39  ... closed, 800.00 undrawn
/// 17  ... accepted                                     40  ... the lead refunds 200.00
/// 18  ... which is corrected                           41  R2: 100.00 of the lead's unspent
/// 19  ... disallowed                                   42  ... overturned
/// 20  ... matching 1.1 corrected                       43  G1: evaluated
/// 21  ... matching 1.1 arrived, 500.00                 44  somebody is charged with a finding
/// 22  ... extended                                     45  ... explains it
/// 23  ... midterm passed                               46  ... and is right
/// ```
#[allow(clippy::too_many_lines, reason = "one story, told from its beginning to its end")]
pub(crate) fn life() -> Story {
    let mut story = Story::empty();
    let (by_lead, by_partner) = (lead().party, partner().party);
    let arrived = |instalment, amount_minor, bank_reference: &str| FundEvent::MatchingArrived {
        grant: G1,
        programme: P1,
        currency: CNY,
        source: 1,
        instalment,
        amount_minor,
        bank_reference: bank_reference.to_owned(),
    };
    let repaid = |amount_minor| FundEvent::RecoveryRepaid {
        recovery: R1,
        grant: G1,
        programme: P1,
        currency: CNY,
        amount_minor,
        bank_reference: "R-1".to_owned(),
    };
    let concluded = |outcome| FundEvent::FinalAcceptanceConcluded {
        grant: G1,
        lead: by_lead,
        outcome,
        minutes: "验收 1".to_owned(),
    };
    let applied = match applied(G1, FundingMode::NonRepayable, &lead(), "new_materials") {
        FundEvent::GrantApplied {
            grant,
            programme,
            currency,
            mode,
            title,
            lead,
            industry,
            requested_minor,
            total_budget_minor,
            starts_on,
            ends_on,
            ..
        } => FundEvent::GrantApplied {
            grant,
            programme,
            currency,
            mode,
            title,
            lead,
            industry,
            requested_minor,
            total_budget_minor,
            allocations: shares(250_000, 150_000),
            starts_on,
            ends_on,
        },
        other => other,
    };
    story
        .then("2025-01-10", &appropriated(P1, 1_000_000))
        .then("2025-02-01", &applied)
        .then(
            "2025-02-10",
            &FundEvent::GrantReviewed {
                grant: G1,
                currency: CNY,
                score_hundredths: 8_250,
                ceiling_minor: 250_000,
            },
        )
        .then(
            "2025-02-12",
            &FundEvent::NoticePublished {
                grant: G1,
                currency: CNY,
                amount_minor: 300_000,
                working_days: 7,
                last_day: date("2025-02-21"),
                approvable_from: date("2025-02-22"),
            },
        )
        .then(
            "2025-02-28",
            &FundEvent::OverrideRecorded {
                grant: G1,
                rule: OverriddenRule::A07,
                minutes: "会议纪要 2025-2".to_owned(),
                reason: "急需".to_owned(),
            },
        )
        .then("2025-03-01", &approved(G1, 300_000))
        .then("2025-03-20", &contracted(300_000, shares(200_000, 100_000)))
        .then(
            "2025-03-21",
            &pledged(1, MatchingKind::GovernmentBudget, &[(60_000, "2025-06-30"), (60_000, "2026-03-31")]),
        )
        .then("2025-03-21", &pledged(2, MatchingKind::OwnMoney, &[(50_000, "2025-05-31")]))
        .then("2025-04-03", &instructed(1, 200_000))
        .then("2025-04-05", &settled(1, 200_000))
        .then("2025-06-20", &arrived(1, 60_000, "M-1"))
        .then(
            "2025-05-10",
            &FundEvent::ShareTransferred {
                grant: G1,
                programme: P1,
                currency: CNY,
                to: by_partner,
                amount_minor: 60_000,
                bank_reference: "S-1".to_owned(),
            },
        )
        .then(
            "2025-07-01",
            &FundEvent::SpendReported {
                grant: G1,
                currency: CNY,
                spend: SPEND_A,
                party: by_lead,
                category: SpendCategory::Equipment,
                spent_on: date("2025-06-15"),
                amount_minor: 50_000,
                invoice: Some(InvoicePart {
                    invoice: InvoiceId(Uuid::from_u128(0x601)),
                    issuer: "044001".to_owned(),
                    number: "88".to_owned(),
                    code: None,
                    total_minor: 70_000,
                }),
                purpose: "设备".to_owned(),
            },
        )
        .then("2025-07-02", &accepted(SPEND_A, &lead(), 50_000))
        .then(
            "2025-07-03",
            &FundEvent::SpendReported {
                grant: G1,
                currency: CNY,
                spend: SPEND_B,
                party: by_partner,
                category: SpendCategory::Fine,
                spent_on: date("2025-06-16"),
                amount_minor: 20_000,
                invoice: None,
                purpose: "罚款".to_owned(),
            },
        )
        .then("2025-07-04", &accepted(SPEND_B, &partner(), 20_000))
        .then(
            "2025-07-20",
            &corrected(
                17,
                MoneyFact::SpendAcceptance { spend: SPEND_B, party: by_partner, amount_minor: 20_000 },
                "2025-07-04",
            ),
        )
        .then(
            "2025-07-21",
            &FundEvent::SpendDisallowed {
                grant: G1,
                programme: P1,
                currency: CNY,
                spend: SPEND_B,
                party: by_partner,
                amount_minor: 20_000,
                was_accepted: false,
                invoice: None,
                reason: "不得列支".to_owned(),
            },
        )
        .then(
            "2025-08-01",
            &corrected(
                12,
                MoneyFact::MatchingArrival { source: 1, instalment: 1, amount_minor: 60_000 },
                "2025-06-20",
            ),
        )
        .then("2025-08-02", &arrived(1, 50_000, "M-2"))
        .then(
            "2026-01-02",
            &FundEvent::ProjectExtended {
                grant: G1,
                lead: by_lead,
                former_ends_on: date("2026-12-31"),
                ends_on: date("2027-06-30"),
                acceptance_due_on: date("2027-12-30"),
                minutes: "会议纪要 2026-1".to_owned(),
            },
        )
        .then(
            "2026-01-05",
            &FundEvent::MidtermChecked { grant: G1, passed: true, report: "中期 1".to_owned() },
        )
        .then(
            "2026-02-01",
            &FundEvent::ContractAmended {
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
                allocations: shares(190_000, 90_000),
                minutes: "会议纪要 2026-2".to_owned(),
            },
        )
        .then(
            "2026-02-10",
            &FundEvent::MatchingReleased {
                grant: G1,
                programme: P1,
                currency: CNY,
                source: 2,
                amount_minor: 50_000,
                reason: "停产".to_owned(),
                minutes: "会议纪要 2026-3".to_owned(),
            },
        )
        .then("2026-03-01", &FundEvent::CompletionReported { grant: G1, report: "完成 1".to_owned() })
        .then("2026-03-10", &concluded(AcceptanceOutcome::Rectify { by: date("2026-04-10") }))
        .then("2026-04-01", &concluded(AcceptanceOutcome::Passed))
        .then(
            "2026-04-05",
            &determined(
                R1,
                RecoveryCause::Diverted,
                vec![
                    Taken { party: by_partner, from: Holding::Unspent, amount_minor: 10_000 },
                    Taken { party: by_lead, from: Holding::Spent, amount_minor: 5_000 },
                ],
            ),
        )
        .then(
            "2026-04-06",
            &FundEvent::RecoveryDemanded {
                recovery: R1,
                grant: G1,
                due_on: date("2026-05-06"),
                demand: "追 1".to_owned(),
            },
        )
        .then(
            "2026-04-10",
            &FundEvent::RecoveryAppealed { recovery: R1, grant: G1, grounds: "不服".to_owned() },
        )
        .then("2026-04-20", &FundEvent::RecoveryUpheld { recovery: R1, grant: G1, reason: "维持".to_owned() })
        .then("2026-05-10", &repaid(6_000))
        .then(
            "2026-05-12",
            &corrected(33, MoneyFact::RecoveryRepayment { recovery: R1, amount_minor: 6_000 }, "2026-05-10"),
        )
        .then("2026-05-13", &repaid(5_000))
        .then(
            "2026-05-20",
            &FundEvent::RecoveryOffset {
                recovery: R1,
                grant: G1,
                programme: P1,
                currency: CNY,
                amount_minor: 4_000,
                against: G2,
                tranche: 1,
            },
        )
        .then(
            "2026-05-21",
            &FundEvent::RecoveryWrittenOff {
                recovery: R1,
                grant: G1,
                programme: P1,
                currency: CNY,
                amount_minor: 6_000,
                minutes: "会议纪要 2026-5".to_owned(),
                reason: "注销".to_owned(),
            },
        )
        .then(
            "2026-05-25",
            &FundEvent::BalanceRetained {
                grant: G1,
                programme: P1,
                currency: CNY,
                party: by_lead,
                amount_minor: 30_000,
                until: Some(date("2028-05-25")),
                minutes: "会议纪要 2026-6".to_owned(),
            },
        )
        .then(
            "2026-06-01",
            &FundEvent::GrantClosed {
                grant: G1,
                end: end(80_000),
                refund_by: Some(date("2026-07-01")),
                minutes: "结题 1".to_owned(),
            },
        )
        .then(
            "2026-06-10",
            &FundEvent::BalanceRefunded {
                grant: G1,
                programme: P1,
                currency: CNY,
                party: by_lead,
                from: Holding::Unspent,
                amount_minor: 20_000,
                bank_reference: "F-1".to_owned(),
            },
        )
        .then(
            "2026-07-05",
            &determined(
                R2,
                RecoveryCause::BalanceKept,
                vec![Taken { party: by_lead, from: Holding::Unspent, amount_minor: 10_000 }],
            ),
        )
        .then(
            "2026-07-20",
            &FundEvent::RecoveryOverturned {
                recovery: R2,
                grant: G1,
                programme: P1,
                currency: CNY,
                gives_back: vec![Taken { party: by_lead, from: Holding::Unspent, amount_minor: 10_000 }],
                reason: "理由成立".to_owned(),
            },
        )
        .then(
            "2026-08-01",
            &FundEvent::GrantEvaluated {
                grant: G1,
                grade: EvaluationGrade::Good,
                score_hundredths: 8_000,
                minutes: "评价 1".to_owned(),
            },
        );
    let rectification = RectificationId(Uuid::from_u128(0x701));
    story
        .then(
            "2026-08-02",
            &FundEvent::RectificationAssigned {
                rectification,
                finding: FindingKey {
                    rule: "A03".to_owned(),
                    subject: format!("{G1}/source/1/1"),
                    position: 8,
                },
                grant: Some(G1),
                owner: "org-7".to_owned(),
                deadline: date("2026-09-01"),
                task: "催缴".to_owned(),
            },
        )
        .then(
            "2026-08-10",
            &FundEvent::RectificationExplained { rectification, explanation: "财政困难".to_owned() },
        )
        .then(
            "2026-08-20",
            &FundEvent::FindingAccepted {
                rectification,
                minutes: "会议纪要 2026-8".to_owned(),
                reason: "属实".to_owned(),
                seen: None,
            },
        );
    assert_eq!(story.events.len() as u64, LIFE_END);
    story
}

pub(crate) fn contracted(amount_minor: i64, allocations: Vec<Allocation>) -> FundEvent {
    FundEvent::ContractSigned {
        grant: G1,
        programme: P1,
        currency: CNY,
        mode: FundingMode::NonRepayable,
        lead_region: None,
        contract_number: "2025-001".to_owned(),
        amount_minor,
        approved_minor: 300_000,
        starts_on: date("2025-04-01"),
        ends_on: date("2026-12-31"),
        tranches: vec![tranche(1, 200_000, "2025-05-01"), tranche(2, amount_minor - 200_000, "2026-06-30")],
        terms_rulebook: "2012-09".to_owned(),
        lead: Some(lead().party),
        allocations,
        acceptance_due_on: Some(date("2027-06-30")),
    }
}

pub(crate) fn instructed(attempt: u32, amount_minor: i64) -> FundEvent {
    FundEvent::TrancheInstructed {
        grant: G1,
        programme: P1,
        currency: CNY,
        tranche: 1,
        amount_minor,
        instruction: InstructionId(Uuid::from_u128(0x301)),
        attempt,
        payee: PersonalRef { person_id: "account-1".to_owned(), hash: "00".to_owned() },
        backing: None,
        offset_minor: 0,
    }
}

pub(crate) fn settled(attempt: u32, amount_minor: i64) -> FundEvent {
    FundEvent::TrancheSettled {
        grant: G1,
        programme: P1,
        currency: CNY,
        tranche: 1,
        amount_minor,
        instruction: InstructionId(Uuid::from_u128(0x301)),
        attempt,
        bank_reference: format!("B-{attempt}"),
    }
}

pub(crate) fn pledged(source: u32, kind: MatchingKind, instalments: &[(i64, &str)]) -> FundEvent {
    let is_public = kind == MatchingKind::GovernmentBudget;
    FundEvent::MatchingPledged {
        grant: G1,
        programme: P1,
        currency: CNY,
        source,
        kind,
        level: is_public.then_some(GovernmentLevel::City),
        is_public,
        payer: None,
        amount_minor: instalments.iter().map(|(amount_minor, _)| amount_minor).sum(),
        instalments: instalments
            .iter()
            .zip(1..)
            .map(|(&(amount_minor, due_on), number)| MatchingInstalment {
                number,
                amount_minor,
                due_on: date(due_on),
            })
            .collect(),
    }
}

pub(crate) fn accepted(spend: SpendId, by: &Party, amount_minor: i64) -> FundEvent {
    FundEvent::SpendAccepted { grant: G1, programme: P1, currency: CNY, spend, party: by.party, amount_minor }
}

pub(crate) fn corrected(reverses: u64, fact: MoneyFact, fact_on: &str) -> FundEvent {
    FundEvent::FactCorrected {
        grant: G1,
        programme: P1,
        currency: CNY,
        reverses,
        fact,
        fact_on: fact_on.parse::<Date>().unwrap(),
        reason: "误记".to_owned(),
        authority: "更 1".to_owned(),
    }
}

pub(crate) fn determined(recovery: RecoveryId, cause: RecoveryCause, takes: Vec<Taken>) -> FundEvent {
    FundEvent::RecoveryDetermined {
        recovery,
        grant: G1,
        programme: P1,
        currency: CNY,
        cause,
        amount_minor: takes.iter().map(|taken| taken.amount_minor).sum(),
        takes,
        minutes: "会议纪要 2026-4".to_owned(),
        reason: "挪用".to_owned(),
    }
}

pub(crate) fn end(undrawn_minor: i64) -> End {
    End {
        programme: P1,
        currency: CNY,
        mode: FundingMode::NonRepayable,
        lead_region: None,
        lead: lead().party,
        undrawn_minor,
        to_treasury: false,
        backing: None,
    }
}
