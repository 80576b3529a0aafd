//! Values that several requests have.

use super::Reading;
use crate::amount::Amount;
use concord_events::fund::{Allocation, FundPurpose, FundingMode, Party, PlannedTranche, TrancheCondition};
use concord_kernel::{
    Date,
    industry::Industry,
    money::Currency,
    party::{PartyCode, PartyId, PartyKind},
    region::Region,
};
use concord_proto::{
    fund::v1 as fund,
    r#type::v1::{self as types, Money},
};
use std::collections::BTreeSet;

/// The largest amount of one command: ten trillion yuan, far above any budget, and small enough that nine thousand of
/// them add up within an `i64`.
pub(super) const AMOUNT_MINOR_MAX: i64 = 1_000_000_000_000_000;
/// Longest name, number of a document or similar, in bytes.
pub(super) const TEXT_BYTES_MAX: usize = 600;
/// Longest title, in characters.
const TITLE_CHARS_MAX: usize = 500;
/// Parties of one grant.
const ALLOCATIONS_MAX: usize = 1_000;
/// Tranches of one contract.
const TRANCHES_MAX: usize = 100;

impl Reading<'_> {
    /// An amount of at least `least_minor` that must be there.
    pub(super) fn amount(&mut self, field: &str, money: Option<&Money>, least_minor: i64) -> Option<Amount> {
        let money = self.faults.require(field, money)?;
        let currency = self.currency(&format!("{field}.currency"), &money.currency);
        let minor = self.minor(&format!("{field}.amount_minor"), money.amount_minor, least_minor);
        Some(Amount::new(minor?, currency?))
    }

    pub(super) fn optional_amount(
        &mut self,
        field: &str,
        money: Option<&Money>,
        least_minor: i64,
    ) -> Option<Amount> {
        money.and_then(|money| self.amount(field, Some(money), least_minor))
    }

    fn currency(&mut self, field: &str, code: &str) -> Option<Currency> {
        Currency::try_from(code).map_err(|fault| self.faults.add(field, fault.to_string())).ok()
    }

    /// Minor units from `least` to [`AMOUNT_MINOR_MAX`].
    fn minor(&mut self, field: &str, minor: i64, least: i64) -> Option<i64> {
        if minor < least {
            self.faults.add(field, format!("is {minor}; give {least} or more minor units"));
        } else if minor > AMOUNT_MINOR_MAX {
            self.faults.add(field, format!("is {minor}; {AMOUNT_MINOR_MAX} minor units are the most"));
        } else {
            return Some(minor);
        }
        None
    }

    /// A title of at most 500 characters.
    pub(super) fn title(&mut self, text: &str) -> Option<String> {
        let title = self.faults.text("title", text, 4 * TITLE_CHARS_MAX, true)?;
        let chars = title.chars().count();
        if chars > TITLE_CHARS_MAX {
            self.faults.add("title", format!("has {chars} characters; {TITLE_CHARS_MAX} are the most"));
            return None;
        }
        Some(title)
    }

    /// A text that is kept as it stood elsewhere, line breaks and all.
    pub(super) fn verbatim(&mut self, field: &str, text: &str, bytes_max: usize) -> Option<String> {
        if text.len() > bytes_max {
            self.faults.add(field, format!("has {} bytes; {bytes_max} are the most", text.len()));
        } else if text.contains('\0') {
            self.faults.add(field, "has a NUL; leave it out");
        } else {
            return Some(text.to_owned());
        }
        None
    }

    pub(super) fn mode(&mut self, field: &str, mode: i32) -> Option<FundingMode> {
        match types::FundingMode::try_from(mode) {
            Ok(types::FundingMode::NonRepayable) => return Some(FundingMode::NonRepayable),
            Ok(types::FundingMode::Repayable) => return Some(FundingMode::Repayable),
            Ok(types::FundingMode::RiskCompensation) => return Some(FundingMode::RiskCompensation),
            Ok(types::FundingMode::LoanInterestSubsidy) => {
                return Some(FundingMode::LoanInterestSubsidy);
            }
            Ok(types::FundingMode::PostCompletion) => return Some(FundingMode::PostCompletion),
            Ok(types::FundingMode::TransferFeeSubsidy) => {
                return Some(FundingMode::TransferFeeSubsidy);
            }
            Ok(types::FundingMode::Unspecified) => self.faults.add(field, "is missing; name a funding mode"),
            Err(_) => self.faults.add(field, format!("{mode} is no funding mode; name one of FundingMode")),
        }
        None
    }

    pub(super) fn purpose(&mut self, purpose: i32) -> Option<FundPurpose> {
        match fund::FundPurpose::try_from(purpose) {
            Ok(fund::FundPurpose::Introduction) => return Some(FundPurpose::Introduction),
            Ok(fund::FundPurpose::Transformation) => return Some(FundPurpose::Transformation),
            Ok(fund::FundPurpose::PilotTest) => return Some(FundPurpose::PilotTest),
            Ok(fund::FundPurpose::General) => return Some(FundPurpose::General),
            Ok(fund::FundPurpose::Unspecified) => self.faults.add("purpose", "is missing; name a purpose"),
            Err(_) => self.faults.add("purpose", format!("{purpose} is no purpose; name one of FundPurpose")),
        }
        None
    }

    fn party_kind(&mut self, field: &str, kind: i32) -> Option<PartyKind> {
        match types::PartyKind::try_from(kind) {
            Ok(types::PartyKind::Enterprise) => return Some(PartyKind::Enterprise),
            Ok(types::PartyKind::University) => return Some(PartyKind::University),
            Ok(types::PartyKind::Institute) => return Some(PartyKind::Institute),
            Ok(types::PartyKind::Government) => return Some(PartyKind::Government),
            Ok(types::PartyKind::ParkCommittee) => return Some(PartyKind::ParkCommittee),
            Ok(types::PartyKind::FinancialInstitution) => {
                return Some(PartyKind::FinancialInstitution);
            }
            Ok(types::PartyKind::Intermediary) => return Some(PartyKind::Intermediary),
            Ok(types::PartyKind::Association) => return Some(PartyKind::Association),
            Ok(types::PartyKind::Other) => return Some(PartyKind::Other),
            Ok(types::PartyKind::Unspecified) => self.faults.add(field, "is missing; name the kind of party"),
            Err(_) => self.faults.add(field, format!("{kind} is no kind of party; name one of PartyKind")),
        }
        None
    }

    fn condition(&mut self, field: &str, condition: i32) -> Option<TrancheCondition> {
        match fund::TrancheCondition::try_from(condition) {
            Ok(fund::TrancheCondition::Contract) => return Some(TrancheCondition::Contract),
            Ok(fund::TrancheCondition::Midterm) => return Some(TrancheCondition::Midterm),
            Ok(fund::TrancheCondition::FinalAcceptance) => {
                return Some(TrancheCondition::FinalAcceptance);
            }
            Ok(fund::TrancheCondition::VerifiedClaim) => {
                return Some(TrancheCondition::VerifiedClaim);
            }
            Ok(fund::TrancheCondition::Unspecified) => {
                self.faults.add(field, "is missing; name the condition")
            }
            Err(_) => {
                self.faults.add(field, format!("{condition} is no condition; name one of TrancheCondition"))
            }
        }
        None
    }

    pub(super) fn industry(&mut self, code: &str) -> Option<Option<Industry>> {
        if code.is_empty() {
            return Some(None);
        }
        code.parse::<Industry>()
            .map(Some)
            .map_err(|fault| self.faults.add("industry", fault.to_string()))
            .ok()
    }

    /// A region code in use on the day of the fact.
    pub(super) fn region(&mut self, field: &str, code: &str) -> Option<Region> {
        match (self.regions.check(code, self.on), code.parse()) {
            (Ok(region), _) => Some(region),
            // It reads as a code; whether it is one depends on the day.
            (Err(fault), Ok(region)) => {
                self.dated.push((field.to_owned(), fault.to_string()));
                Some(region)
            }
            (Err(fault), Err(_)) => {
                self.faults.add(field, fault.to_string());
                None
            }
        }
    }

    /// A party. A migrated source may not say in which region it is.
    pub(super) fn party(
        &mut self,
        field: &str,
        party: Option<&types::Party>,
        migrated: bool,
    ) -> Option<Party> {
        let party = self.faults.require(field, party)?;
        let code = PartyCode::parse(&party.code)
            .map_err(|fault| self.faults.add(format!("{field}.code"), fault.to_string()))
            .ok();
        let kind = self.party_kind(&format!("{field}.kind"), party.kind);
        let region = if migrated && party.region.is_empty() {
            Some(None)
        } else {
            self.region(&format!("{field}.region"), &party.region).map(Some)
        };
        let name = self.faults.text(&format!("{field}.name"), &party.name, TEXT_BYTES_MAX, false);
        let code = code?;
        Some(Party { party: PartyId::of(&code), code, kind: kind?, region: region?, name })
    }

    /// The shares of an application: above zero, each party once, together what is asked for; empty, all is the lead's.
    pub(super) fn shares(
        &mut self,
        allocations: &[fund::Allocation],
        lead: Option<&Party>,
        requested: Option<Amount>,
    ) -> Option<Vec<Allocation>> {
        let shares = self.allocations(allocations, false)?;
        let requested_minor = requested?.minor;
        if shares.is_empty() {
            return Some(vec![Allocation { party: lead?.clone(), amount_minor: Some(requested_minor) }]);
        }
        let mut parties = BTreeSet::new();
        for (index, share) in shares.iter().enumerate() {
            if !parties.insert(share.party.party) {
                let fault = format!("{} has a share already; add the two up", share.party.code);
                self.faults.add(format!("allocations[{index}].party.code"), fault);
            }
        }
        let sum = total(shares.iter().filter_map(|share| share.amount_minor));
        if sum != i128::from(requested_minor) {
            let fault = format!("add up to {sum}, not to the {requested_minor} minor units asked for");
            self.faults.add("allocations", fault);
        }
        Some(shares)
    }

    /// Shares one by one. A migrated source's may be zero or absent, and are kept as they are.
    pub(super) fn allocations(
        &mut self,
        allocations: &[fund::Allocation],
        migrated: bool,
    ) -> Option<Vec<Allocation>> {
        if allocations.len() > ALLOCATIONS_MAX {
            self.faults
                .add("allocations", format!("are {}; {ALLOCATIONS_MAX} are the most", allocations.len()));
            return None;
        }
        let read = allocations.iter().enumerate().map(|(index, allocation)| {
            let field = format!("allocations[{index}]");
            let party = self.party(&format!("{field}.party"), allocation.party.as_ref(), migrated);
            let field = format!("{field}.amount_minor");
            let amount_minor = match allocation.amount_minor {
                None if migrated => Some(None),
                None => self.faults.require(&field, None::<Option<i64>>),
                Some(minor) => self.minor(&field, minor, i64::from(!migrated)).map(Some),
            };
            Some(Allocation { party: party?, amount_minor: amount_minor? })
        });
        whole(read)
    }

    /// A plan of tranches, numbered from 1 without gaps, that adds up to the amount.
    pub(super) fn plan(
        &mut self,
        tranches: &[fund::PlannedTranche],
        amount: Option<Amount>,
    ) -> Option<Vec<PlannedTranche>> {
        if tranches.len() > TRANCHES_MAX {
            self.faults.add("tranches", format!("are {}; {TRANCHES_MAX} are the most", tranches.len()));
            return None;
        }
        let read = tranches.iter().zip(1_u32..).enumerate().map(|(index, (tranche, number))| {
            let field = format!("tranches[{index}]");
            if tranche.number != number {
                let fault = format!("is {}; number the tranches from 1 without gaps", tranche.number);
                self.faults.add(format!("{field}.number"), fault);
            }
            let amount_minor = self.minor(&format!("{field}.amount_minor"), tranche.amount_minor, 1);
            let condition = self.condition(&format!("{field}.condition"), tranche.condition);
            let due_on = self.faults.date(&format!("{field}.due_on"), &tranche.due_on);
            Some(PlannedTranche {
                number,
                amount_minor: amount_minor?,
                condition: condition?,
                due_on: due_on?,
            })
        });
        let plan = whole(read)?;
        let (sum, amount_minor) = (total(plan.iter().map(|tranche| tranche.amount_minor)), amount?.minor);
        if sum != i128::from(amount_minor) && !plan.is_empty() {
            self.faults
                .add("tranches", format!("add up to {sum}, not to the amount of {amount_minor} minor units"));
        }
        Some(plan)
    }

    /// First and last day of a project, in their order.
    pub(super) fn term(&mut self, starts_on: &str, ends_on: &str) -> Option<(Date, Date)> {
        let (starts_on, ends_on) =
            (self.faults.date("starts_on", starts_on), self.faults.date("ends_on", ends_on));
        self.in_order(starts_on, ends_on);
        starts_on.zip(ends_on)
    }

    pub(super) fn in_order(&mut self, starts_on: Option<Date>, ends_on: Option<Date>) {
        if let Some((starts_on, ends_on)) = starts_on.zip(ends_on)
            && ends_on < starts_on
        {
            self.faults.add("ends_on", format!("{ends_on} lies before the first day, {starts_on}"));
        }
    }
}

/// All of them, or nothing where one is missing; each is read, so that each fault is told.
fn whole<T>(read: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = read.collect();
    read.into_iter().collect()
}

fn total(amounts_minor: impl Iterator<Item = i64>) -> i128 {
    amounts_minor.map(i128::from).sum()
}
