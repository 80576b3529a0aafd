//! Sub-limits of programmes (A02), and the facts of grants that they rest on.

use std::collections::{BTreeMap, HashMap};

use concord_events::fund::{End, FundEvent, FundingMode, LimitOn, Released};
use concord_kernel::id::{GrantId, ProgrammeId};
use concord_kernel::money::Currency;
use concord_kernel::region::Region;

use super::faults::{Faults, Rule};

/// What each grant was opened with, and what each programme allows and has given away.
#[derive(Debug, Default)]
pub(super) struct Limits {
    grants: HashMap<GrantId, Facts>,
    programmes: HashMap<ProgrammeId, Taken>,
}

/// What a grant is opened with, and keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Facts {
    programme: ProgrammeId,
    currency: Currency,
    /// Mode, and the lead's region where the source says it. Not every later event repeats them.
    falls_under: Option<(FundingMode, Option<Region>)>,
}

/// Limits of a programme in minor units, and what is reserved and contracted under them.
#[derive(Debug, Default)]
struct Taken {
    limits: BTreeMap<LimitOn, i64>,
    by_mode: BTreeMap<FundingMode, i128>,
    by_region: BTreeMap<Region, i128>,
}

impl Limits {
    /// Takes an event in, and looks at every limit of the programme that it moves money of.
    pub(super) fn take(&mut self, position: u64, event: &FundEvent, faults: &mut Faults) {
        self.facts(position, event, faults);
        let touched = match event {
            FundEvent::SubLimitSet { programme, on, limit_minor, .. } => {
                let taken = self.programmes.entry(*programme).or_default();
                match limit_minor {
                    Some(minor) => drop(taken.limits.insert(on.clone(), *minor)),
                    None => drop(taken.limits.remove(on)),
                }
                programme
            }
            FundEvent::GrantApproved { programme, mode, lead_region, amount_minor, .. } => {
                self.move_minor(programme, *mode, lead_region.as_ref(), i128::from(*amount_minor));
                programme
            }
            FundEvent::GrantRejected { programme, mode, lead_region, released_minor, .. }
            | FundEvent::GrantWithdrawn { programme, mode, lead_region, released_minor, .. }
            | FundEvent::ContractAmended { programme, mode, lead_region, released_minor, .. } => {
                self.move_minor(programme, *mode, lead_region.as_ref(), -i128::from(*released_minor));
                programme
            }
            FundEvent::ContractSigned {
                programme, mode, lead_region, amount_minor, approved_minor, ..
            } => {
                let more = i128::from(*amount_minor) - i128::from(*approved_minor);
                self.move_minor(programme, *mode, lead_region.as_ref(), more);
                programme
            }
            FundEvent::PaymentReturned { programme, released: Some(released), amount_minor, .. } => {
                let Released { mode, lead_region, .. } = released;
                self.move_minor(programme, *mode, lead_region.as_ref(), -i128::from(*amount_minor));
                programme
            }
            FundEvent::GrantClosed { end, .. }
            | FundEvent::GrantTerminated { end, .. }
            | FundEvent::GrantCancelled { end, .. } => {
                let End { programme, mode, lead_region, undrawn_minor, .. } = end;
                self.move_minor(programme, *mode, lead_region.as_ref(), -i128::from(*undrawn_minor));
                programme
            }
            FundEvent::AwardImported { programme, mode, lead, amount_minor, .. } => {
                self.move_minor(programme, *mode, lead.region.as_ref(), i128::from(*amount_minor));
                programme
            }
            _ => return,
        };
        if let Some(taken) = self.programmes.get(touched) {
            taken.look(position, *touched, faults);
        }
    }

    fn move_minor(
        &mut self,
        programme: &ProgrammeId,
        mode: FundingMode,
        region: Option<&Region>,
        minor: i128,
    ) {
        let taken = self.programmes.entry(*programme).or_default();
        *taken.by_mode.entry(mode).or_default() += minor;
        if let Some(region) = region {
            *taken.by_region.entry(region.clone()).or_default() += minor;
        }
    }

    /// A grant is opened once and first, and what it was opened with stays.
    fn facts(&mut self, position: u64, event: &FundEvent, faults: &mut Faults) {
        let Some((grant, opens, said)) = said(event) else {
            return;
        };
        match (self.grants.get(&grant), opens) {
            (None, true) => drop(said.and_then(|said| self.grants.insert(grant, said))),
            (Some(_), true) => {
                faults.add(
                    Rule::GrantFacts,
                    position,
                    format!("grant {grant} as it was opened"),
                    "opened anew",
                );
            }
            (None, false) => {
                faults.add(
                    Rule::GrantFacts,
                    position,
                    format!("grant {grant} opened before"),
                    "never opened",
                );
            }
            (Some(known), false) => {
                if let Some(said) = said
                    && !said.agrees(known)
                {
                    faults.add(Rule::GrantFacts, position, known.told(), said.told());
                }
            }
        }
    }
}

impl Facts {
    fn agrees(&self, known: &Self) -> bool {
        self.programme == known.programme
            && self.currency == known.currency
            && (self.falls_under.is_none() || self.falls_under == known.falls_under)
    }

    fn told(&self) -> String {
        let Self { programme, currency, falls_under } = self;
        let mut told = format!("programme {programme}, {currency}");
        if let Some((mode, region)) = falls_under {
            told.push_str(", ");
            told.push_str(mode.code());
            told.push_str(", ");
            told.push_str(region.as_ref().map_or("no region", Region::as_str));
        }
        told
    }
}

/// The grant that an event is about, whether the event opens it, and what it says of it.
fn said(event: &FundEvent) -> Option<(GrantId, bool, Option<Facts>)> {
    let facts = |programme: &ProgrammeId, currency: &Currency, falls_under| {
        Some(Facts { programme: *programme, currency: *currency, falls_under })
    };
    Some(match event {
        FundEvent::GrantApplied { grant, programme, currency, mode, lead, .. }
        | FundEvent::AwardImported { grant, programme, currency, mode, lead, .. } => {
            (*grant, true, facts(programme, currency, Some((*mode, lead.region.clone()))))
        }
        FundEvent::GrantApproved { grant, programme, currency, mode, lead_region, .. }
        | FundEvent::GrantRejected { grant, programme, currency, mode, lead_region, .. }
        | FundEvent::GrantWithdrawn { grant, programme, currency, mode, lead_region, .. }
        | FundEvent::ContractSigned { grant, programme, currency, mode, lead_region, .. }
        | FundEvent::ContractAmended { grant, programme, currency, mode, lead_region, .. } => {
            (*grant, false, facts(programme, currency, Some((*mode, lead_region.clone()))))
        }
        FundEvent::TrancheInstructed { grant, programme, currency, .. }
        | FundEvent::TrancheSettled { grant, programme, currency, .. }
        | FundEvent::PaymentReturned { grant, programme, currency, .. }
        | FundEvent::MatchingPledged { grant, programme, currency, .. }
        | FundEvent::MatchingArrived { grant, programme, currency, .. }
        | FundEvent::MatchingReleased { grant, programme, currency, .. }
        | FundEvent::ShareTransferred { grant, programme, currency, .. }
        | FundEvent::SpendAccepted { grant, programme, currency, .. }
        | FundEvent::SpendDisallowed { grant, programme, currency, .. }
        | FundEvent::BalanceRefunded { grant, programme, currency, .. }
        | FundEvent::BalanceRetained { grant, programme, currency, .. }
        | FundEvent::BalanceTransferred { grant, programme, currency, .. }
        | FundEvent::FactCorrected { grant, programme, currency, .. }
        | FundEvent::RecoveryDetermined { grant, programme, currency, .. }
        | FundEvent::RecoveryOverturned { grant, programme, currency, .. }
        | FundEvent::RecoveryRepaid { grant, programme, currency, .. }
        | FundEvent::RecoveryOffset { grant, programme, currency, .. }
        | FundEvent::RecoveryWrittenOff { grant, programme, currency, .. } => {
            (*grant, false, facts(programme, currency, None))
        }
        FundEvent::GrantClosed { grant, end, .. }
        | FundEvent::GrantTerminated { grant, end, .. }
        | FundEvent::GrantCancelled { grant, end, .. } => {
            let falls_under = Some((end.mode, end.lead_region.clone()));
            (*grant, false, facts(&end.programme, &end.currency, falls_under))
        }
        FundEvent::GrantRecommended { grant, .. }
        | FundEvent::GrantAdmitted { grant, .. }
        | FundEvent::GrantReviewed { grant, .. }
        | FundEvent::NoticePublished { grant, .. }
        | FundEvent::PayeeVerified { grant, .. }
        | FundEvent::TrancheRequested { grant, .. }
        | FundEvent::TrancheAuthorised { grant, .. }
        | FundEvent::TrancheRejected { grant, .. }
        | FundEvent::TrancheCancelled { grant, .. }
        | FundEvent::BackingNamed { grant, .. }
        | FundEvent::GrantHeld { grant, .. }
        | FundEvent::HoldCauseCleared { grant, .. }
        | FundEvent::GrantResumed { grant }
        | FundEvent::ObjectionRaised { grant, .. }
        | FundEvent::ObjectionRejected { grant, .. }
        | FundEvent::ObjectionUpheld { grant, .. }
        | FundEvent::OverrideRecorded { grant, .. }
        | FundEvent::ProjectExtended { grant, .. }
        | FundEvent::SpendReported { grant, .. }
        | FundEvent::MidtermChecked { grant, .. }
        | FundEvent::CompletionReported { grant, .. }
        | FundEvent::FinalAcceptanceConcluded { grant, .. }
        | FundEvent::GrantEvaluated { grant, .. }
        | FundEvent::RecoveryDemanded { grant, .. }
        | FundEvent::RecoveryAppealed { grant, .. }
        | FundEvent::RecoveryUpheld { grant, .. } => (*grant, false, None),
        FundEvent::TodayAdvanced { .. }
        | FundEvent::ProgrammeAppropriated { .. }
        | FundEvent::ProgrammeSupplemented { .. }
        | FundEvent::ProgrammeCut { .. }
        | FundEvent::SubLimitSet { .. }
        | FundEvent::BackingChanged { .. }
        | FundEvent::PartyChanged { .. }
        | FundEvent::RectificationAssigned { .. }
        | FundEvent::RectificationExplained { .. }
        | FundEvent::FindingRectified { .. }
        | FundEvent::FindingAccepted { .. }
        | FundEvent::FindingDismissed { .. } => return None,
    })
}

impl Taken {
    fn look(&self, position: u64, programme: ProgrammeId, faults: &mut Faults) {
        for (on, limit) in &self.limits {
            let (name, taken) = match on {
                LimitOn::Mode(mode) => (mode.code(), self.by_mode.get(mode).copied().unwrap_or_default()),
                LimitOn::Region(region) => {
                    let under = self.by_region.iter().filter(|(lead, _)| lies_in(lead, region));
                    (region.as_str(), under.map(|(_, minor)| minor).sum())
                }
            };
            if taken > i128::from(*limit) {
                let expected = format!("{limit} or less for {name} in programme {programme}");
                faults.add(Rule::LimitExceeded, position, expected, taken);
            }
        }
    }
}

/// Whether a lead counts under a limit: of its own region, its city or its province.
fn lies_in(lead: &Region, limited: &Region) -> bool {
    lead == limited || lead.city().as_ref() == Some(limited) || lead.province().as_ref() == Some(limited)
}
