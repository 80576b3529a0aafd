//! What opens programmes and grants, and what a contract says: terms, plan and shares.

use super::{At, Fold};
use crate::ledger::{
    known::{Grant, Programme},
    rows::{Named, NewGrant, NewProgramme, PartyLink, Planned, Represented, Share, Terms},
};
use concord_chassis::projection::ApplyError;
use concord_events::fund::{
    Allocation, FundEvent, FundingMode, Party, PartyChange, PlannedTranche, TrancheCondition,
};
use concord_kernel::{
    Date,
    fingerprint::Fingerprint,
    id::{GrantId, OrganisationId, ProgrammeId},
    industry::Industry,
    money::Currency,
    normal,
    party::PartyId,
    region::Region,
};

/// A grant's facts as its first event has them, applied for or imported.
struct Opened<'a> {
    grant: GrantId,
    programme: ProgrammeId,
    currency: Currency,
    title: &'a str,
    mode: FundingMode,
    lead: &'a Party,
    industry: Option<Industry>,
    total_budget_minor: Option<i64>,
    migrated: bool,
    synthetic: bool,
    titled: bool,
}

impl<'a> Fold<'_, 'a> {
    /// Adds what the event opens or contracts.
    pub(super) fn opening(&mut self, at: At<'a>, event: &'a FundEvent) -> Result<(), ApplyError> {
        match event {
            FundEvent::ProgrammeAppropriated { programme, fund, year, currency, title, .. } => {
                if self.known.programmes.contains(programme) {
                    return Err(at.broken(&format!("opens programme {programme} a second time")));
                }
                self.open_programme(at, *programme, (fund, *year, *currency), title);
            }
            FundEvent::PartyChanged { party, change, happened_on, .. } => {
                self.party_changed(at, *party, change, *happened_on);
            }
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
                allocations,
                ..
            } => {
                self.open_grant(
                    at,
                    &Opened {
                        grant: *grant,
                        programme: *programme,
                        currency: *currency,
                        title,
                        mode: *mode,
                        lead,
                        industry: *industry,
                        total_budget_minor: Some(*total_budget_minor),
                        migrated: false,
                        synthetic: false,
                        titled: true,
                    },
                )?;
                self.shares(at, *grant, allocations, *requested_minor)?;
            }
            FundEvent::AwardImported {
                grant,
                programme,
                fund,
                year,
                currency,
                mode,
                title,
                lead,
                industry,
                amount_minor,
                total_budget_minor,
                allocations,
                starts_on,
                ends_on,
                tranches,
                source,
                ..
            } => {
                match self.known.programmes.get(programme) {
                    Some(known) if known.year != *year => {
                        let what = format!(
                            "has {year} as the year of programme {programme}, which is of {}",
                            known.year
                        );
                        return Err(at.broken(&what));
                    }
                    Some(_) => {}
                    // An import has no title for it.
                    None => self.open_programme(at, *programme, (fund, *year, *currency), ""),
                }
                self.open_grant(
                    at,
                    &Opened {
                        grant: *grant,
                        programme: *programme,
                        currency: *currency,
                        title,
                        mode: *mode,
                        lead,
                        industry: *industry,
                        total_budget_minor: *total_budget_minor,
                        migrated: true,
                        synthetic: source.synthetic,
                        titled: !title.contains(source.key.as_str()),
                    },
                )?;
                self.shares(at, *grant, allocations, *amount_minor)?;
                self.terms(at, *grant, *starts_on, *ends_on, None)?;
                self.plan(at, *grant, tranches)?;
            }
            FundEvent::ContractSigned {
                grant,
                amount_minor,
                starts_on,
                ends_on,
                tranches,
                allocations,
                acceptance_due_on,
                ..
            } => {
                self.terms(at, *grant, Some(*starts_on), Some(*ends_on), *acceptance_due_on)?;
                self.plan(at, *grant, tranches)?;
                let applied_for = self.grant(at, *grant)?.shares.iter();
                let applied_for: Option<i128> =
                    applied_for.map(|(_, amount_minor)| amount_minor.map(i128::from)).sum();
                if !allocations.is_empty() || applied_for != Some(i128::from(*amount_minor)) {
                    self.shares(at, *grant, allocations, *amount_minor)?;
                }
            }
            FundEvent::ContractAmended { grant, amount_minor, tranches, allocations, .. } => {
                self.plan(at, *grant, tranches)?;
                self.shares(at, *grant, allocations, *amount_minor)?;
            }
            FundEvent::ProjectExtended { grant, ends_on, acceptance_due_on, .. } => {
                let starts_on = self.grant(at, *grant)?.starts_on;
                self.terms(at, *grant, starts_on, Some(*ends_on), Some(*acceptance_due_on))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn open_programme(
        &mut self,
        at: At<'a>,
        programme: ProgrammeId,
        (fund, year, currency): (&'a str, i16, Currency),
        title: &'a str,
    ) {
        self.known.programmes.put(programme, Programme { year, currency, dims: None });
        self.rows.programmes.push(NewProgramme {
            programme: programme.0,
            fund,
            year,
            currency: currency.to_string(),
            title,
            position: at.position,
        });
    }

    fn open_grant(&mut self, at: At<'a>, new: &Opened<'a>) -> Result<(), ApplyError> {
        let Some(programme) = self.known.programmes.get(&new.programme) else {
            return Err(
                at.broken(&format!("is about programme {}, which no event has opened", new.programme))
            );
        };
        if programme.currency != new.currency {
            let what = format!(
                "has {} in programme {}, which is in {}",
                new.currency, new.programme, programme.currency
            );
            return Err(at.broken(&what));
        }
        if self.known.grants.contains(&new.grant) {
            return Err(at.broken(&format!("opens grant {} a second time", new.grant)));
        }
        let known = Grant {
            programme: new.programme,
            currency: new.currency,
            lead: new.lead.party,
            starts_on: None,
            shares: Vec::new(),
            dims: Vec::new(),
        };
        self.known.grants.put(new.grant, known);
        self.rows.grants.push(NewGrant {
            grant_id: new.grant.0,
            programme: new.programme.0,
            title: new.title,
            mode: new.mode.code(),
            lead: new.lead.party.0,
            lead_code: new.lead.code.to_string(),
            lead_region: new.lead.region.as_ref().map(Region::as_str),
            industry: new.industry.map(Industry::as_str),
            currency: new.currency.to_string(),
            total_budget_minor: new.total_budget_minor,
            migrated: new.migrated,
            titled: new.titled,
            project: Fingerprint::of(PartyId(uuid::Uuid::nil()), new.title, new.industry).0,
            synthetic: new.synthetic,
            position: at.position,
            effective_on: at.effective_on,
        });
        self.name(at, new.lead);
        Ok(())
    }

    /// What the directory says of a party: what it is called, and whose the ids are that stand for it.
    fn party_changed(&mut self, at: At<'a>, party: PartyId, change: &'a PartyChange, happened_on: Date) {
        let position = at.position;
        let named = |code: String, name: &'a str| Named { party: party.0, code, name, position };
        let link = |party: PartyId, into: Option<PartyId>, effective_on| PartyLink {
            position,
            party: party.0,
            into_party: into.map(|into| into.0),
            effective_on,
            by_code: false,
        };
        let represented = |organisation: &OrganisationId, effective_on, ended| Represented {
            position,
            party: party.0,
            organisation: normal::organisation(organisation.as_str()).into_owned(),
            effective_on,
            ended,
        };
        match change {
            PartyChange::Recorded { code, name } => {
                self.rows.parties.push(named(code.to_string(), name));
                let of_code = PartyId::of(code);
                let own = (of_code == party).then_some(link(party, None, happened_on));
                let before = || PartyLink { by_code: true, ..link(party, Some(of_code), happened_on) };
                self.rows.party_links.push(own.unwrap_or_else(before));
            }
            PartyChange::CodeAdded { code, from } => {
                self.rows.parties.push(named(code.to_string(), ""));
                let namesake = PartyId::of(code);
                // Both Chinese codes of a legal person give one id.
                if namesake != party {
                    self.rows.party_links.push(link(namesake, Some(party), *from));
                }
            }
            PartyChange::Renamed { name, .. } => self.rows.parties.push(named(String::new(), name)),
            PartyChange::Merged { into, from } => {
                self.rows.party_links.push(link(party, Some(*into), *from));
            }
            PartyChange::Represented { organisation, from, .. } => {
                self.rows.representations.push(represented(organisation, *from, false));
            }
            PartyChange::RepresentationEnded { organisation, from } => {
                self.rows.representations.push(represented(organisation, *from, true));
            }
            // It goes on holding what it holds.
            PartyChange::Dissolved { .. } => {}
        }
    }

    pub(super) fn name(&mut self, at: At<'a>, party: &'a Party) {
        self.rows.parties.push(Named {
            party: party.party.0,
            code: party.code.to_string(),
            name: party.name.as_deref().unwrap_or_default(),
            position: at.position,
        });
    }

    fn terms(
        &mut self,
        at: At<'a>,
        grant: GrantId,
        starts_on: Option<Date>,
        ends_on: Option<Date>,
        acceptance_due_on: Option<Date>,
    ) -> Result<(), ApplyError> {
        self.grant(at, grant)?.starts_on = starts_on;
        self.rows.terms.push(Terms {
            position: at.position,
            grant_id: grant.0,
            effective_on: at.effective_on,
            starts_on,
            ends_on,
            acceptance_due_on,
        });
        Ok(())
    }

    fn plan(&mut self, at: At<'a>, grant: GrantId, tranches: &[PlannedTranche]) -> Result<(), ApplyError> {
        for tranche in tranches {
            self.rows.plans.push(Planned {
                grant_id: grant.0,
                position: at.position,
                number: at.number(tranche.number, "a tranche")?,
                effective_on: at.effective_on,
                amount_minor: tranche.amount_minor,
                condition: condition(tranche.condition),
                due_on: tranche.due_on,
            });
        }
        Ok(())
    }

    /// The shares from now on; where there are none, all is the lead's.
    fn shares(
        &mut self,
        at: At<'a>,
        grant: GrantId,
        allocations: &'a [Allocation],
        amount_minor: i64,
    ) -> Result<(), ApplyError> {
        let known = self.grant(at, grant)?;
        let lead = known.lead;
        known.shares = allocations.iter().map(|share| (share.party.party, share.amount_minor)).collect();
        if allocations.is_empty() {
            known.shares.push((lead, Some(amount_minor)));
        }
        let row = |number, party: Option<&'a Party>, amount_minor| Share {
            grant_id: grant.0,
            position: at.position,
            number,
            effective_on: at.effective_on,
            party: party.map_or(lead, |party| party.party).0,
            code: party.map(|party| party.code.to_string()),
            region: party.and_then(|party| party.region.as_ref()).map(Region::as_str),
            amount_minor,
        };
        if allocations.is_empty() {
            self.rows.shares.push(row(1, None, Some(amount_minor)));
        }
        if allocations.len() > usize::from(i16::MAX.unsigned_abs()) {
            return Err(at.broken(&format!("has {} shares, more than can be numbered", allocations.len())));
        }
        for (share, number) in allocations.iter().zip(1i16..) {
            self.name(at, &share.party);
            self.rows.shares.push(row(number, Some(&share.party), share.amount_minor));
        }
        Ok(())
    }
}

/// Code of a condition, as in the stored JSON.
fn condition(condition: TrancheCondition) -> &'static str {
    match condition {
        TrancheCondition::Contract => "contract",
        TrancheCondition::Midterm => "midterm",
        TrancheCondition::FinalAcceptance => "final_acceptance",
        TrancheCondition::VerifiedClaim => "verified_claim",
    }
}
