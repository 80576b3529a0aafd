//! Values that several requests of this service have.

use concord_chassis::edge::{Choice, NamedParty, Reading, total, whole};
use concord_events::fund::{Allocation, FundPurpose, FundingMode, Party, PlannedTranche, TrancheCondition};
use concord_kernel::money::Amount;
use concord_proto::{fund::v1 as fund, r#type::v1 as types};
use std::collections::BTreeSet;

/// Parties of one grant.
const ALLOCATIONS_MAX: usize = 1_000;
/// Tranches of one contract.
const TRANCHES_MAX: usize = 100;

pub(super) fn mode(reading: &mut Reading<'_>, field: &str, mode: i32) -> Option<FundingMode> {
    const MODE: Choice = Choice { one: "a funding mode", noun: "funding mode", of: "FundingMode" };
    reading.choice(field, mode, MODE, |mode| match mode {
        types::FundingMode::Unspecified => None,
        types::FundingMode::NonRepayable => Some(FundingMode::NonRepayable),
        types::FundingMode::Repayable => Some(FundingMode::Repayable),
        types::FundingMode::RiskCompensation => Some(FundingMode::RiskCompensation),
        types::FundingMode::LoanInterestSubsidy => Some(FundingMode::LoanInterestSubsidy),
        types::FundingMode::PostCompletion => Some(FundingMode::PostCompletion),
        types::FundingMode::TransferFeeSubsidy => Some(FundingMode::TransferFeeSubsidy),
    })
}

pub(super) fn purpose(reading: &mut Reading<'_>, purpose: i32) -> Option<FundPurpose> {
    const PURPOSE: Choice = Choice { one: "a purpose", noun: "purpose", of: "FundPurpose" };
    reading.choice("purpose", purpose, PURPOSE, |purpose| match purpose {
        fund::FundPurpose::Unspecified => None,
        fund::FundPurpose::Introduction => Some(FundPurpose::Introduction),
        fund::FundPurpose::Transformation => Some(FundPurpose::Transformation),
        fund::FundPurpose::PilotTest => Some(FundPurpose::PilotTest),
        fund::FundPurpose::General => Some(FundPurpose::General),
    })
}

fn condition(reading: &mut Reading<'_>, field: &str, condition: i32) -> Option<TrancheCondition> {
    const CONDITION: Choice = Choice { one: "the condition", noun: "condition", of: "TrancheCondition" };
    reading.choice(field, condition, CONDITION, |condition| match condition {
        fund::TrancheCondition::Unspecified => None,
        fund::TrancheCondition::Contract => Some(TrancheCondition::Contract),
        fund::TrancheCondition::Midterm => Some(TrancheCondition::Midterm),
        fund::TrancheCondition::FinalAcceptance => Some(TrancheCondition::FinalAcceptance),
        fund::TrancheCondition::VerifiedClaim => Some(TrancheCondition::VerifiedClaim),
    })
}

/// A party as events name it. A migrated source may not say in which region it is.
pub(super) fn party(
    reading: &mut Reading<'_>,
    field: &str,
    party: Option<&types::Party>,
    migrated: bool,
) -> Option<Party> {
    let NamedParty { party, code, kind, region, name } = reading.party(field, party, migrated)?;
    Some(Party { party, code, kind, region, name })
}

/// The shares of an application: above zero, each party once, together what is asked for; empty, all is the lead's.
pub(super) fn shares(
    reading: &mut Reading<'_>,
    asked: &[fund::Allocation],
    lead: Option<&Party>,
    requested: Option<Amount>,
) -> Option<Vec<Allocation>> {
    let shares = adding_up(reading, asked, requested, "asked for")?;
    if shares.is_empty() {
        return Some(vec![Allocation { party: lead?.clone(), amount_minor: Some(requested?.minor) }]);
    }
    Some(shares)
}

/// Shares above zero, each party once, that together are an amount, which is `so` (for the sentence about it): or none at all.
pub(super) fn adding_up(
    reading: &mut Reading<'_>,
    asked: &[fund::Allocation],
    amount: Option<Amount>,
    so: &str,
) -> Option<Vec<Allocation>> {
    let shares = allocations(reading, asked, false)?;
    let amount_minor = amount?.minor;
    if shares.is_empty() {
        return Some(shares);
    }
    each_once(reading, &shares);
    let sum = total(shares.iter().filter_map(|share| share.amount_minor));
    if sum != i128::from(amount_minor) {
        let fault = format!("add up to {sum}, not to the {amount_minor} minor units {so}");
        reading.faults.add("allocations", fault);
    }
    Some(shares)
}

/// Each party has one share.
pub(super) fn each_once(reading: &mut Reading<'_>, shares: &[Allocation]) {
    let mut parties = BTreeSet::new();
    for (index, share) in shares.iter().enumerate() {
        if !parties.insert(share.party.party) {
            let fault = format!("{} has a share already; add the two up", share.party.code);
            reading.faults.add(format!("allocations[{index}].party.code"), fault);
        }
    }
}

/// Shares one by one. A migrated source's may be zero or absent, and are kept as they are.
pub(super) fn allocations(
    reading: &mut Reading<'_>,
    shares: &[fund::Allocation],
    migrated: bool,
) -> Option<Vec<Allocation>> {
    if shares.len() > ALLOCATIONS_MAX {
        reading.faults.add("allocations", format!("are {}; {ALLOCATIONS_MAX} are the most", shares.len()));
        return None;
    }
    let read = shares.iter().enumerate().map(|(index, share)| {
        let field = format!("allocations[{index}]");
        let party = party(reading, &format!("{field}.party"), share.party.as_ref(), migrated);
        let field = format!("{field}.amount_minor");
        let amount_minor = match share.amount_minor {
            None if migrated => Some(None),
            None => reading.faults.require(&field, None::<Option<i64>>),
            Some(minor) => reading.minor(&field, minor, i64::from(!migrated)).map(Some),
        };
        Some(Allocation { party: party?, amount_minor: amount_minor? })
    });
    whole(read)
}

/// A plan of tranches, numbered from 1 without gaps, that adds up to the amount.
pub(super) fn plan(
    reading: &mut Reading<'_>,
    tranches: &[fund::PlannedTranche],
    amount: Option<Amount>,
) -> Option<Vec<PlannedTranche>> {
    let plan = lines(reading, tranches)?;
    let (sum, amount_minor) = (total(plan.iter().map(|tranche| tranche.amount_minor)), amount?.minor);
    if sum != i128::from(amount_minor) && !plan.is_empty() {
        reading
            .faults
            .add("tranches", format!("add up to {sum}, not to the amount of {amount_minor} minor units"));
    }
    Some(plan)
}

/// The lines of a plan, numbered from 1 without gaps.
pub(super) fn lines(
    reading: &mut Reading<'_>,
    tranches: &[fund::PlannedTranche],
) -> Option<Vec<PlannedTranche>> {
    if tranches.len() > TRANCHES_MAX {
        reading.faults.add("tranches", format!("are {}; {TRANCHES_MAX} are the most", tranches.len()));
        return None;
    }
    let read = tranches.iter().zip(1_u32..).enumerate().map(|(index, (tranche, number))| {
        let field = format!("tranches[{index}]");
        if tranche.number != number {
            let fault = format!("is {}; number the tranches from 1 without gaps", tranche.number);
            reading.faults.add(format!("{field}.number"), fault);
        }
        let amount_minor = reading.minor(&format!("{field}.amount_minor"), tranche.amount_minor, 1);
        let condition = condition(reading, &format!("{field}.condition"), tranche.condition);
        let due_on = reading.faults.date(&format!("{field}.due_on"), &tranche.due_on);
        Some(PlannedTranche { number, amount_minor: amount_minor?, condition: condition?, due_on: due_on? })
    });
    whole(read)
}
