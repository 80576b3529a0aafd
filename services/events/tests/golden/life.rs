//! Samples of a grant's life from matching money to rectification, and of what older events say since.

use super::{AGREEMENT, GRANT, INSTRUCTION, MODE, PROGRAMME, account, lead, plan};
use concord_events::fund::{
    AcceptanceFailure, AcceptanceOutcome, Allocation, DirectoryPoint, End, EvaluationGrade, Filed,
    FindingKey, FundEvent, GovernmentLevel, Holding, InvoicePart, MatchingInstalment, MatchingKind,
    MoneyFact, OverriddenRule, RecoveryCause, Released, Taken, TrancheCondition,
};
use concord_kernel::{
    event::LogEvent,
    fingerprint::Fingerprint,
    id::{GrantId, InvoiceId, RecoveryId, RectificationId, SpendId},
    industry::Industry,
    money::{Amount, Currency},
    spending::SpendCategory,
};
use jiff::civil::date;
use uuid::Uuid;

const OTHER: GrantId = GrantId(Uuid::from_u128(0x018f_4e7c_3b1a_7c5e_9d2f_0000_0000_0006));
const SPEND: SpendId = SpendId(Uuid::from_u128(0x018f_4e7c_3b1a_7c5e_9d2f_0000_0000_0007));
const RECOVERY: RecoveryId = RecoveryId(Uuid::from_u128(0x018f_4e7c_3b1a_7c5e_9d2f_0000_0000_0008));
const RECTIFICATION: RectificationId =
    RectificationId(Uuid::from_u128(0x018f_4e7c_3b1a_7c5e_9d2f_0000_0000_0009));

type Sample = (&'static str, FundEvent);

pub(super) fn samples(currency: Currency) -> Vec<Sample> {
    let all = [
        since_then(currency),
        procedure(),
        contract(currency),
        matching(currency),
        spending(currency),
        closing(currency),
        corrections(currency),
        recovery(currency),
        rectification(),
    ];
    all.into_iter().flatten().collect()
}

/// Events of before, with what they say since.
fn since_then(currency: Currency) -> Vec<Sample> {
    let (grant, programme, lead_region) = (GRANT, PROGRAMME, lead().region);
    let party = lead().party;
    let fingerprint = Fingerprint::of(party, "Bearings 风电轴承", Some(Industry::AdvancedEquipment));
    let filed = |directory| {
        let fund = "guiding-fund".to_owned();
        FundEvent::GrantAdmitted { grant, filed: Some(Filed { lead: party, fingerprint, fund, directory }) }
    };
    let turned_down = |withdrawn: bool| {
        let (lead_region, reason, lead) = (lead_region.clone(), "不符合条件".to_owned(), Some(party));
        let (released_minor, backing, mode) = (0, None, MODE);
        if withdrawn {
            FundEvent::GrantWithdrawn {
                grant,
                programme,
                currency,
                mode,
                lead_region,
                released_minor,
                reason,
                backing,
                lead,
            }
        } else {
            FundEvent::GrantRejected {
                grant,
                programme,
                currency,
                mode,
                lead_region,
                released_minor,
                reason,
                backing,
                lead,
            }
        }
    };
    let returned = |shortfall_minor, offset_minor, released| FundEvent::PaymentReturned {
        grant,
        programme,
        currency,
        tranche: 1,
        amount_minor: 4_000_000,
        shortfall_minor,
        offset_minor,
        released,
        instruction: INSTRUCTION,
        attempt: 1,
        after_settlement: offset_minor == 0,
        bank_reference: "r-1".to_owned(),
        reason: "账户已销户".to_owned(),
    };
    let released = Released { mode: MODE, lead_region: lead_region.clone(), to_treasury: true };
    vec![
        ("grant_admitted_filed", filed(None)),
        ("grant_admitted_directory", filed(Some(DirectoryPoint { generation: 1, position: 17 }))),
        ("grant_rejected_filed", turned_down(false)),
        ("grant_withdrawn_filed", turned_down(true)),
        (
            "contract_signed_shared",
            FundEvent::ContractSigned {
                grant,
                programme,
                currency,
                mode: MODE,
                lead_region: lead_region.clone(),
                contract_number: "2013-001".to_owned(),
                amount_minor: 5_000_000,
                approved_minor: 10_000_000,
                starts_on: date(2013, 3, 4),
                ends_on: date(2015, 3, 31),
                tranches: plan(TrancheCondition::Contract),
                terms_rulebook: "2012-09".to_owned(),
                lead: Some(party),
                allocations: vec![Allocation { party: lead(), amount_minor: Some(5_000_000) }],
                acceptance_due_on: Some(date(2015, 9, 30)),
            },
        ),
        (
            "tranche_instructed_offset",
            FundEvent::TrancheInstructed {
                grant,
                programme,
                currency,
                tranche: 1,
                amount_minor: 5_000_000,
                instruction: INSTRUCTION,
                attempt: 1,
                payee: account(),
                backing: None,
                offset_minor: 1_000_000,
            },
        ),
        ("payment_returned_short", returned(1_000_000, 0, None)),
        ("payment_returned_released", returned(0, 0, Some(released))),
        ("payment_returned_offset", returned(0, 1_000_000, None)),
    ]
}

fn procedure() -> Vec<Sample> {
    let (grant, objection) = (GRANT, 1);
    vec![
        ("objection_raised", FundEvent::ObjectionRaised { grant, objection, grounds: "重复立项".to_owned() }),
        (
            "objection_rejected",
            FundEvent::ObjectionRejected { grant, objection, reason: "查无实据".to_owned() },
        ),
        ("objection_upheld", FundEvent::ObjectionUpheld { grant, objection, reason: "属实".to_owned() }),
        (
            "override_recorded",
            FundEvent::OverrideRecorded {
                grant,
                rule: OverriddenRule::A07,
                minutes: "2013-9".to_owned(),
                reason: "重大专项".to_owned(),
            },
        ),
    ]
}

fn contract(currency: Currency) -> Vec<Sample> {
    let (grant, programme, minutes) = (GRANT, PROGRAMME, "2014-3".to_owned());
    vec![
        (
            "contract_amended",
            FundEvent::ContractAmended {
                grant,
                programme,
                currency,
                mode: MODE,
                lead_region: lead().region,
                amendment: 1,
                amount_minor: 5_000_000,
                released_minor: 500_000,
                to_treasury: true,
                tranches: plan(TrancheCondition::Contract),
                allocations: vec![Allocation { party: lead(), amount_minor: Some(5_000_000) }],
                minutes: minutes.clone(),
            },
        ),
        (
            "project_extended",
            FundEvent::ProjectExtended {
                grant,
                lead: lead().party,
                former_ends_on: date(2015, 3, 31),
                ends_on: date(2016, 3, 31),
                acceptance_due_on: date(2016, 9, 30),
                minutes,
            },
        ),
        (
            "midterm_checked",
            FundEvent::MidtermChecked { grant, passed: true, report: "中期报告 2014-1".to_owned() },
        ),
    ]
}

fn matching(currency: Currency) -> Vec<Sample> {
    let (grant, programme, source) = (GRANT, PROGRAMME, 1);
    let instalments = vec![
        MatchingInstalment { number: 1, amount_minor: 1_000_000, due_on: date(2013, 12, 31) },
        MatchingInstalment { number: 2, amount_minor: 2_000_000, due_on: date(2014, 12, 31) },
    ];
    let pledged = |kind, level, payer| FundEvent::MatchingPledged {
        grant,
        programme,
        currency,
        source,
        kind,
        level,
        is_public: level.is_some(),
        payer,
        amount_minor: 3_000_000,
        instalments: instalments.clone(),
    };
    vec![
        (
            "matching_pledged",
            pledged(MatchingKind::GovernmentBudget, Some(GovernmentLevel::City), Some(lead())),
        ),
        ("matching_pledged_bare", pledged(MatchingKind::Loan, None, None)),
        (
            "matching_arrived",
            FundEvent::MatchingArrived {
                grant,
                programme,
                currency,
                source,
                instalment: 1,
                amount_minor: 400_000,
                bank_reference: "m-1".to_owned(),
            },
        ),
        (
            "matching_released",
            FundEvent::MatchingReleased {
                grant,
                programme,
                currency,
                source,
                amount_minor: 2_600_000,
                reason: "企业破产".to_owned(),
                minutes: "2014-4".to_owned(),
            },
        ),
        (
            "share_transferred",
            FundEvent::ShareTransferred {
                grant,
                programme,
                currency,
                to: lead().party,
                amount_minor: 800_000,
                bank_reference: "s-1".to_owned(),
            },
        ),
    ]
}

fn invoice() -> InvoicePart {
    let (issuer, number) = ("2100143130".to_owned(), "00012345".to_owned());
    let invoice = InvoiceId::derived(&issuer, &number);
    InvoicePart { invoice, issuer, number, code: None, total_minor: 300_000 }
}

fn spending(currency: Currency) -> Vec<Sample> {
    let (grant, programme, spend, party) = (GRANT, PROGRAMME, SPEND, lead().party);
    let reported = |category, invoice| FundEvent::SpendReported {
        grant,
        currency,
        spend,
        party,
        category,
        spent_on: date(2014, 2, 3),
        amount_minor: 120_000,
        invoice,
        purpose: "三坐标测量机".to_owned(),
    };
    let disallowed = |was_accepted, invoice| FundEvent::SpendDisallowed {
        grant,
        programme,
        currency,
        spend,
        party,
        amount_minor: 120_000,
        was_accepted,
        invoice,
        reason: "与项目无关".to_owned(),
    };
    vec![
        ("spend_reported", reported(SpendCategory::Equipment, Some(invoice()))),
        ("spend_reported_bare", reported(SpendCategory::DebtRepayment, None)),
        (
            "spend_accepted",
            FundEvent::SpendAccepted { grant, programme, currency, spend, party, amount_minor: 120_000 },
        ),
        ("spend_disallowed", disallowed(true, Some(invoice()))),
        ("spend_disallowed_bare", disallowed(false, None)),
    ]
}

fn closing(currency: Currency) -> Vec<Sample> {
    let (grant, programme, party, minutes) = (GRANT, PROGRAMME, lead().party, "2016-2".to_owned());
    let concluded = |outcome| FundEvent::FinalAcceptanceConcluded {
        grant,
        lead: party,
        outcome,
        minutes: minutes.clone(),
    };
    let end = |undrawn_minor, to_treasury, backing| End {
        programme,
        currency,
        mode: MODE,
        lead_region: lead().region,
        lead: party,
        undrawn_minor,
        to_treasury,
        backing,
    };
    let retained = |until| FundEvent::BalanceRetained {
        grant,
        programme,
        currency,
        party,
        amount_minor: 70_000,
        until,
        minutes: minutes.clone(),
    };
    let closed = |refund_by, end| FundEvent::GrantClosed { grant, end, refund_by, minutes: minutes.clone() };
    vec![
        ("completion_reported", FundEvent::CompletionReported { grant, report: "完成报告".to_owned() }),
        ("final_acceptance_passed", concluded(AcceptanceOutcome::Passed)),
        ("final_acceptance_rectify", concluded(AcceptanceOutcome::Rectify { by: date(2016, 6, 30) })),
        (
            "final_acceptance_failed",
            concluded(AcceptanceOutcome::Failed { cause: AcceptanceFailure::FalseMatchingPromise }),
        ),
        (
            "balance_refunded",
            FundEvent::BalanceRefunded {
                grant,
                programme,
                currency,
                party,
                from: Holding::Unspent,
                amount_minor: 30_000,
                bank_reference: "f-1".to_owned(),
            },
        ),
        ("balance_retained", retained(Some(date(2018, 3, 1)))),
        ("balance_retained_for_good", retained(None)),
        (
            "balance_transferred",
            FundEvent::BalanceTransferred {
                grant,
                to: OTHER,
                programme,
                currency,
                party,
                amount_minor: 10_000,
                minutes: minutes.clone(),
            },
        ),
        ("grant_closed", closed(Some(date(2016, 4, 30)), end(40_000, true, Some(AGREEMENT)))),
        ("grant_closed_bare", closed(None, End { lead_region: None, ..end(0, false, None) })),
        (
            "grant_evaluated",
            FundEvent::GrantEvaluated {
                grant,
                grade: EvaluationGrade::Good,
                score_hundredths: 8_420,
                minutes: minutes.clone(),
            },
        ),
        (
            "grant_terminated",
            FundEvent::GrantTerminated {
                grant,
                end: end(40_000, false, None),
                refund_by: date(2016, 4, 30),
                reason: "技术路线不可行".to_owned(),
                minutes: minutes.clone(),
            },
        ),
        (
            "grant_cancelled",
            FundEvent::GrantCancelled {
                grant,
                end: end(0, false, None),
                reason: "弄虚作假".to_owned(),
                minutes: minutes.clone(),
            },
        ),
    ]
}

fn corrections(currency: Currency) -> Vec<Sample> {
    let (party, amount_minor) = (lead().party, 120_000);
    let corrected = |fact| FundEvent::FactCorrected {
        grant: GRANT,
        programme: PROGRAMME,
        currency,
        reverses: 17,
        fact,
        fact_on: date(2014, 5, 6),
        reason: "重复登记".to_owned(),
        authority: "辽科发〔2014〕9号".to_owned(),
    };
    vec![
        ("fact_corrected_settlement", corrected(MoneyFact::Settlement { tranche: 1, amount_minor })),
        (
            "fact_corrected_matching_arrival",
            corrected(MoneyFact::MatchingArrival { source: 1, instalment: 2, amount_minor }),
        ),
        ("fact_corrected_share_transfer", corrected(MoneyFact::ShareTransfer { to: party, amount_minor })),
        (
            "fact_corrected_spend_acceptance",
            corrected(MoneyFact::SpendAcceptance { spend: SPEND, party, amount_minor }),
        ),
        (
            "fact_corrected_balance_refund",
            corrected(MoneyFact::BalanceRefund { party, from: Holding::Retained, amount_minor }),
        ),
        (
            "fact_corrected_recovery_repayment",
            corrected(MoneyFact::RecoveryRepayment { recovery: RECOVERY, amount_minor }),
        ),
    ]
}

fn recovery(currency: Currency) -> Vec<Sample> {
    let (recovery, grant, programme, party) = (RECOVERY, GRANT, PROGRAMME, lead().party);
    let takes = vec![
        Taken { party, from: Holding::Unspent, amount_minor: 30_000 },
        Taken { party, from: Holding::Spent, amount_minor: 90_000 },
    ];
    let reason = "未按规定使用".to_owned();
    vec![
        (
            "recovery_determined",
            FundEvent::RecoveryDetermined {
                recovery,
                grant,
                programme,
                currency,
                cause: RecoveryCause::Diverted,
                amount_minor: 120_000,
                takes: takes.clone(),
                minutes: "2016-5".to_owned(),
                reason: reason.clone(),
            },
        ),
        (
            "recovery_demanded",
            FundEvent::RecoveryDemanded {
                recovery,
                grant,
                due_on: date(2016, 7, 1),
                demand: "追缴通知〔2016〕3号".to_owned(),
            },
        ),
        (
            "recovery_appealed",
            FundEvent::RecoveryAppealed { recovery, grant, grounds: "支出符合任务书".to_owned() },
        ),
        ("recovery_upheld", FundEvent::RecoveryUpheld { recovery, grant, reason: reason.clone() }),
        (
            "recovery_overturned",
            FundEvent::RecoveryOverturned {
                recovery,
                grant,
                programme,
                currency,
                gives_back: takes,
                reason: reason.clone(),
            },
        ),
        (
            "recovery_repaid",
            FundEvent::RecoveryRepaid {
                recovery,
                grant,
                programme,
                currency,
                amount_minor: 20_000,
                bank_reference: "p-1".to_owned(),
            },
        ),
        (
            "recovery_offset",
            FundEvent::RecoveryOffset {
                recovery,
                grant,
                programme,
                currency,
                amount_minor: 60_000,
                against: OTHER,
                tranche: 2,
            },
        ),
        (
            "recovery_written_off",
            FundEvent::RecoveryWrittenOff {
                recovery,
                grant,
                programme,
                currency,
                amount_minor: 40_000,
                minutes: "2018-1".to_owned(),
                reason,
            },
        ),
    ]
}

fn rectification() -> Vec<Sample> {
    let rectification = RECTIFICATION;
    let finding = FindingKey { rule: "A03".to_owned(), subject: format!("{GRANT}/source/1"), position: 17 };
    let assigned = |grant| FundEvent::RectificationAssigned {
        rectification,
        finding: finding.clone(),
        grant,
        owner: "city-bureau".to_owned(),
        deadline: date(2014, 6, 30),
        task: "督促配套资金到位".to_owned(),
    };
    let (minutes, reason) = ("2014-6".to_owned(), "理由成立".to_owned());
    let accepted = |seen| FundEvent::FindingAccepted {
        rectification,
        minutes: minutes.clone(),
        reason: reason.clone(),
        seen,
    };
    let dismissed = |seen| FundEvent::FindingDismissed {
        rectification,
        minutes: minutes.clone(),
        reason: reason.clone(),
        seen,
    };
    let seen = Some(Amount::new(500_000, Currency::CNY));
    vec![
        ("rectification_assigned", assigned(Some(GRANT))),
        ("rectification_assigned_bare", assigned(None)),
        (
            "rectification_explained",
            FundEvent::RectificationExplained { rectification, explanation: "财政困难".to_owned() },
        ),
        (
            "finding_rectified",
            FundEvent::FindingRectified { rectification, evidence: "银行回单 m-2".to_owned() },
        ),
        ("finding_accepted", accepted(None)),
        ("finding_accepted_seen", accepted(seen)),
        ("finding_dismissed", dismissed(None)),
        ("finding_dismissed_seen", dismissed(seen)),
    ]
}

/// The name of each event's file.
pub(super) fn names(event: &FundEvent) -> Vec<&'static str> {
    match event {
        FundEvent::ObjectionRaised { .. } => vec!["objection_raised"],
        FundEvent::ObjectionRejected { .. } => vec!["objection_rejected"],
        FundEvent::ObjectionUpheld { .. } => vec!["objection_upheld"],
        FundEvent::OverrideRecorded { .. } => vec!["override_recorded"],
        FundEvent::ContractAmended { .. } => vec!["contract_amended"],
        FundEvent::ProjectExtended { .. } => vec!["project_extended"],
        FundEvent::MatchingPledged { .. } => vec!["matching_pledged", "matching_pledged_bare"],
        FundEvent::MatchingArrived { .. } => vec!["matching_arrived"],
        FundEvent::MatchingReleased { .. } => vec!["matching_released"],
        FundEvent::ShareTransferred { .. } => vec!["share_transferred"],
        FundEvent::SpendReported { .. } => vec!["spend_reported", "spend_reported_bare"],
        FundEvent::SpendAccepted { .. } => vec!["spend_accepted"],
        FundEvent::SpendDisallowed { .. } => vec!["spend_disallowed", "spend_disallowed_bare"],
        FundEvent::MidtermChecked { .. } => vec!["midterm_checked"],
        FundEvent::CompletionReported { .. } => vec!["completion_reported"],
        FundEvent::FinalAcceptanceConcluded { .. } => {
            vec!["final_acceptance_passed", "final_acceptance_rectify", "final_acceptance_failed"]
        }
        FundEvent::BalanceRefunded { .. } => vec!["balance_refunded"],
        FundEvent::BalanceRetained { .. } => vec!["balance_retained", "balance_retained_for_good"],
        FundEvent::BalanceTransferred { .. } => vec!["balance_transferred"],
        FundEvent::GrantClosed { .. } => vec!["grant_closed", "grant_closed_bare"],
        FundEvent::GrantEvaluated { .. } => vec!["grant_evaluated"],
        FundEvent::GrantTerminated { .. } => vec!["grant_terminated"],
        FundEvent::GrantCancelled { .. } => vec!["grant_cancelled"],
        FundEvent::FactCorrected { .. } => vec![
            "fact_corrected_settlement",
            "fact_corrected_matching_arrival",
            "fact_corrected_share_transfer",
            "fact_corrected_spend_acceptance",
            "fact_corrected_balance_refund",
            "fact_corrected_recovery_repayment",
        ],
        FundEvent::RecoveryDetermined { .. } => vec!["recovery_determined"],
        FundEvent::RecoveryDemanded { .. } => vec!["recovery_demanded"],
        FundEvent::RecoveryAppealed { .. } => vec!["recovery_appealed"],
        FundEvent::RecoveryUpheld { .. } => vec!["recovery_upheld"],
        FundEvent::RecoveryOverturned { .. } => vec!["recovery_overturned"],
        FundEvent::RecoveryRepaid { .. } => vec!["recovery_repaid"],
        FundEvent::RecoveryOffset { .. } => vec!["recovery_offset"],
        FundEvent::RecoveryWrittenOff { .. } => vec!["recovery_written_off"],
        FundEvent::RectificationAssigned { .. } => {
            vec!["rectification_assigned", "rectification_assigned_bare"]
        }
        FundEvent::RectificationExplained { .. } => vec!["rectification_explained"],
        FundEvent::FindingRectified { .. } => vec!["finding_rectified"],
        FundEvent::FindingAccepted { .. } => vec!["finding_accepted", "finding_accepted_seen"],
        FundEvent::FindingDismissed { .. } => vec!["finding_dismissed", "finding_dismissed_seen"],
        other => unreachable!("{} has its names in the module above", other.type_name()),
    }
}
