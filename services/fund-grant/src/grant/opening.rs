//! How a grant comes to be: it is applied for 申报, or it is imported as it stood elsewhere 历史项目导入.

use super::{
    Grant, Origin, Project, Stage, books::Books, contract, facts::Facts, hold::Hold, matching::Matching,
    spending::Spending,
};
use crate::{
    content_hash, party,
    refusal::{self, happens_under, refused, unchanged},
    rules,
    view::{self, Case},
};
use concord_chassis::log::{Decision, Meta, RefusalKind, Stop};
use concord_events::fund::{Allocation, FundEvent, FundingMode, Party, PlannedTranche, Source};
use concord_kernel::money::Amount;
use concord_kernel::{
    Date,
    id::{GrantId, PartyRecordId, ProgrammeId},
    industry::Industry,
    normal::same_reference,
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, sync::Arc};

/// An application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Programme that it asks money of.
    pub programme: ProgrammeId,
    /// How it would be paid.
    pub mode: FundingMode,
    /// Title of the project.
    pub title: String,
    /// Leading party.
    pub lead: Party,
    /// Industry, where one applies.
    pub industry: Option<Industry>,
    /// Asked for.
    pub requested: Amount,
    /// Total project budget.
    pub total_budget: Amount,
    /// Shares of all parties; they add up to what is asked for.
    pub allocations: Vec<Allocation>,
    /// Planned first day.
    pub starts_on: Date,
    /// Planned last day.
    pub ends_on: Date,
}

/// An award made elsewhere, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigratedAward {
    /// Programme that it belongs to.
    pub programme: ProgrammeId,
    /// The programme's fund.
    pub fund: String,
    /// The programme's budget year.
    pub year: i16,
    /// How it is paid.
    pub mode: FundingMode,
    /// Title of the project.
    pub title: String,
    /// Leading party.
    pub lead: Party,
    /// Industry, where known.
    pub industry: Option<Industry>,
    /// Awarded and contracted.
    pub amount: Amount,
    /// Total project budget, where known.
    pub total_budget: Option<Amount>,
    /// Shares as the source has them.
    pub allocations: Vec<Allocation>,
    /// First day, where known.
    pub starts_on: Option<Date>,
    /// Last day, where known.
    pub ends_on: Option<Date>,
    /// Payment plan; adds up to the award, or empty.
    pub tranches: Vec<PlannedTranche>,
    /// Where it came from.
    pub source: Source,
    /// What did not add up in the source.
    pub discrepancies: Vec<String>,
}

/// The same application again changes nothing; another one under the same id is refused.
pub(super) fn apply_for(
    case: &Case<'_, '_>,
    id: GrantId,
    application: &Application,
) -> Result<Decision<FundEvent>, Stop> {
    let record = PartyRecordId::of(application.lead.party);
    case.states.prefetch([id.stream(), application.programme.stream(), record.stream()])?;
    let ruling = match view::grant_or_free(case, id)? {
        Some(grant) if grant.opened_as == content_hash(&application.as_opened(grant).event(id)) => {
            unchanged()
        }
        Some(_) => {
            return Err(case.refuse(RefusalKind::Taken, vec![refusal::taken("grant_id", id.stream())]));
        }
        None => {
            let programme = view::programme(case, application.programme)?;
            case.well_formed([
                programme.other_currency("requested.currency", application.requested),
                programme.other_currency("total_budget.currency", application.total_budget),
            ])?;
            let application = application.as_known(case)?;
            let lead = &application.lead;
            let weighed = [
                party::may_apply(case, lead)?,
                party::dissolved(case, lead, case.context.effective_on)?,
                rules::mode_offered(application.mode),
            ];
            happens_under(weighed, application.event(id))
        }
    };
    case.conclude(Vec::new(), ruling, None)
}

/// The first award of a programme opens it. Limits hold for what is migrated too: a programme never shows more taken
/// than its limit allows.
pub(super) fn import(
    case: &Case<'_, '_>,
    id: GrantId,
    award: &MigratedAward,
) -> Result<Decision<FundEvent>, Stop> {
    case.states.prefetch([id.stream(), award.programme.stream()])?;
    let ruling = match (view::grant_or_free(case, id)?, view::programme_or_free(case, award.programme)?) {
        (Some(grant), _) if award.opened(grant) => unchanged(),
        (Some(_), _) => {
            return Err(case.refuse(RefusalKind::Taken, vec![refusal::taken("grant_id", id.stream())]));
        }
        (None, None) => {
            happens_under([rules::mode_offered(award.mode)], award.event(id, &case.rulebook.version))
        }
        (None, Some(programme)) => {
            case.well_formed([programme.other_currency("amount.currency", award.amount)])?;
            if same_reference(&programme.fund, &award.fund) && programme.year == award.year {
                let limits =
                    rules::a02_sub_limits(programme, award.mode, award.lead.region.as_ref(), award.amount);
                let weighed = [
                    rules::mode_offered(award.mode),
                    rules::a02_ledger_holds(programme, award.amount)
                        .or_else(|| rules::a02_migrated_holds(programme, award.amount)),
                ];
                let weighed = weighed.into_iter().chain(limits.into_iter().map(Some));
                happens_under(weighed, award.event(id, &case.rulebook.version))
            } else {
                refused(refusal::another_programme(&programme.fund, programme.year))
            }
        }
    };
    let answer = case.conclude(Vec::new(), ruling, None)?;
    Ok(answer.under_terms(&case.rulebook.version))
}

impl Application {
    /// With its parties as the directory knows them on the day: who holds the code, and who went on after mergers. So an
    /// application of a merged party is its successor's.
    fn as_known(&self, case: &Case<'_, '_>) -> Result<Cow<'_, Self>, Stop> {
        let lead = party::legal_person(case, self.lead.party, case.context.effective_on)?;
        let mut known = Cow::Borrowed(self);
        if lead != self.lead.party {
            known.to_mut().lead.party = lead;
        }
        let allocations = party::shares_as_known(case, &[&known.lead], &self.allocations)?;
        if let Cow::Owned(allocations) = allocations {
            known.to_mut().allocations = allocations;
        }
        Ok(known)
    }

    /// With its parties as they were known when it opened this grant: whose a code is was settled then.
    fn as_opened(&self, grant: &Grant) -> Cow<'_, Self> {
        let known = grant.named_parties();
        let settled = |party: &Party| {
            known.iter().find(|own| own.code == party.code).map_or(party.party, |own| own.party)
        };
        let named = std::iter::once(&self.lead).chain(self.allocations.iter().map(|share| &share.party));
        if named.clone().all(|party| settled(party) == party.party) {
            return Cow::Borrowed(self);
        }
        let mut opened = self.clone();
        opened.lead.party = settled(&self.lead);
        for share in &mut opened.allocations {
            share.party.party = settled(&share.party);
        }
        Cow::Owned(opened)
    }

    fn event(&self, grant: GrantId) -> FundEvent {
        FundEvent::GrantApplied {
            grant,
            programme: self.programme,
            currency: self.requested.currency,
            mode: self.mode,
            title: self.title.clone(),
            lead: self.lead.clone(),
            industry: self.industry,
            requested_minor: self.requested.minor,
            total_budget_minor: self.total_budget.minor,
            allocations: self.allocations.clone(),
            starts_on: self.starts_on,
            ends_on: self.ends_on,
        }
    }
}

impl MigratedAward {
    fn event(&self, grant: GrantId, terms_rulebook: &str) -> FundEvent {
        FundEvent::AwardImported {
            grant,
            programme: self.programme,
            fund: self.fund.clone(),
            year: self.year,
            currency: self.amount.currency,
            mode: self.mode,
            title: self.title.clone(),
            lead: self.lead.clone(),
            industry: self.industry,
            amount_minor: self.amount.minor,
            total_budget_minor: self.total_budget.map(|budget| budget.minor),
            allocations: self.allocations.clone(),
            starts_on: self.starts_on,
            ends_on: self.ends_on,
            tranches: self.tranches.clone(),
            source: self.source.clone(),
            discrepancies: self.discrepancies.clone(),
            terms_rulebook: terms_rulebook.to_owned(),
        }
    }

    /// Whether this import opened the grant. Its terms follow the rulebook of that day, whatever is in force now.
    fn opened(&self, grant: &Grant) -> bool {
        grant.contract().is_some_and(|contract| {
            grant.opened_as == content_hash(&self.event(grant.id, &contract.terms_rulebook))
        })
    }
}

impl Grant {
    /// The grant that an event opens, if it opens one.
    pub(crate) fn opened_by(event: &FundEvent, meta: &Meta<'_>) -> Option<Self> {
        let mut grant = match event {
            FundEvent::GrantApplied {
                grant,
                programme,
                currency,
                mode,
                title,
                lead,
                industry,
                requested_minor,
                allocations,
                starts_on,
                ends_on,
                ..
            } => Self {
                id: *grant,
                programme: *programme,
                currency: *currency,
                mode: *mode,
                project: Arc::new(Project {
                    title: title.clone(),
                    lead: lead.clone(),
                    industry: *industry,
                    starts_on: Some(*starts_on),
                    ends_on: Some(*ends_on),
                    allocations: allocations.as_slice().into(),
                }),
                origin: Origin::Applied {
                    requested_minor: *requested_minor,
                    organisation: meta.actor_organisation.to_owned(),
                },
                opened_as: content_hash(event),
                stage: Stage::Applied,
                last_step_on: meta.effective_on,
                payee: None,
                jobs: Vec::new(),
                backing: None,
                hold: Hold::default(),
                books: Books::default(),
                matching: Matching::default(),
                spending: Spending::default(),
                objections: Vec::new(),
                overrides: Vec::new(),
                facts: Facts::default(),
                recoveries: Vec::new(),
            },
            FundEvent::AwardImported {
                grant,
                programme,
                currency,
                mode,
                title,
                lead,
                industry,
                allocations,
                starts_on,
                ends_on,
                source,
                ..
            } => Self {
                id: *grant,
                programme: *programme,
                currency: *currency,
                mode: *mode,
                project: Arc::new(Project {
                    title: title.clone(),
                    lead: lead.clone(),
                    industry: *industry,
                    starts_on: *starts_on,
                    ends_on: *ends_on,
                    allocations: allocations.as_slice().into(),
                }),
                origin: Origin::Migrated { synthetic: source.synthetic },
                opened_as: content_hash(event),
                stage: contract::migrated(event, meta.effective_on)?,
                last_step_on: meta.effective_on,
                payee: None,
                jobs: Vec::new(),
                backing: None,
                hold: Hold::default(),
                books: Books::default(),
                matching: Matching::default(),
                spending: Spending::default(),
                objections: Vec::new(),
                overrides: Vec::new(),
                facts: Facts::default(),
                recoveries: Vec::new(),
            },
            _ => return None,
        };
        if let Stage::Running(contract) = &mut grant.stage {
            // An imported award is contracted with the shares that it came with.
            contract.allocations = Arc::clone(&grant.project.allocations);
        }
        grant.books.post(grant.id, grant.project.lead.party, event);
        grant.note_job(event, meta);
        Some(grant)
    }
}
