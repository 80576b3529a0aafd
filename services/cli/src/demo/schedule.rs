//! All years planned before the first of them is played: what happens in each quarter, to agreements and to grants, and the
//! command that each of it is.

use std::collections::HashSet;

use concord_kernel::Date;
use concord_kernel::id::GrantId;
use concord_kernel::party::{PartyCode, PartyId};

use super::agreements::commands::Pact;
use super::agreements::{self, Agreement, Directory, Fate};
use super::books::Effect;
use super::commands::{self, Subject};
use super::plan::{self, Facts, Life, Step};
use crate::import::h2020::SourceGrant;
use crate::import::tranches;

/// What a step needs of its grant beside the key.
pub(super) struct Planned {
    grant: GrantId,
    pub(super) grant_id: String,
    parties: Vec<PartyId>,
    tranche_minor: Vec<i64>,
    pub(super) life: Life,
}

/// What happens to a grant in a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// It is imported.
    Import,
    /// It names its agreement.
    NameAgreement,
    /// An officer lets it go on after a hold.
    Resume,
    /// A step of its life.
    Take(Step),
}

/// What happens in one quarter, in order; grants and agreements by the grant's index.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Quarter {
    pub(super) pacts: Vec<Pact>,
    /// Agreements that the calendar ends.
    pub(super) run_out: Vec<usize>,
    pub(super) acts: Vec<(usize, Act)>,
}

/// All years, planned.
pub(super) struct Plan<'a> {
    pub(super) grants: &'a [SourceGrant],
    directory: Directory,
    pub(super) agreements: Vec<Option<Agreement>>,
    pub(super) subjects: Vec<Planned>,
    days: Vec<Date>,
    pub(super) quarters: Vec<(Date, Quarter)>,
}

impl<'a> Plan<'a> {
    /// Every grant's quarter of import and all its steps, by quarter, with the agreement behind it. Within a quarter the file's
    /// order decides.
    pub(super) fn of(grants: &'a [SourceGrant]) -> Self {
        let days = plan::quarters();
        let directory = Directory::of(grants);
        let mut plan = Self {
            grants,
            directory,
            agreements: Vec::with_capacity(grants.len()),
            subjects: Vec::with_capacity(grants.len()),
            quarters: days.iter().map(|day| (*day, Quarter::default())).collect(),
            days,
        };
        for index in 0..grants.len() {
            plan.plan_grant(index);
        }
        plan.plan_pacts();
        plan
    }

    fn plan_grant(&mut self, index: usize) {
        let (grant, days) = (&self.grants[index], &self.days);
        let tranches = tranches::plan(grant.ceiling_minor, grant.plan_start(), grant.ends_on);
        let imported = plan::quarter_of(grant.plan_start(), days).unwrap_or(days.len() - 1);
        let agreement = agreements::agreement(grant, &self.directory, imported, days);
        let (parties, shares) = parties(grant);
        let mut life = plan::life(&Facts {
            key: &grant.rcn,
            award_minor: grant.ceiling_minor,
            cost_minor: grant.cost_minor,
            budget_year: grant.budget_year(),
            starts_on: grant.starts_on,
            ends_on: grant.ends_on,
            imported,
            ending: grant.ends_on.and_then(|ends_on| plan::quarter_of(ends_on, days)),
            shares: &shares,
            tranches: &tranches,
            agreement: agreement.as_ref().map(|agreement| agreement.fate),
            days,
        });
        let mut add = |quarter: usize, act: Act| self.quarters[quarter].1.acts.push((index, act));
        add(imported, Act::Import);
        if let Some(agreement) = &agreement {
            add(imported, Act::NameAgreement);
            // Whether it was held at all: what has ended before was not.
            if let Fate::Suspended(_, resumed) = agreement.fate
                && life.ended.is_none_or(|ended| ended >= resumed)
            {
                add(resumed, Act::Resume);
            }
        }
        for (quarter, step) in std::mem::take(&mut life.steps) {
            add(quarter, Act::Take(step));
        }
        self.subjects.push(Planned {
            grant: grant.grant_id(),
            grant_id: grant.grant_id().to_string(),
            parties,
            tranche_minor: tranches.iter().map(|tranche| tranche.amount_minor).collect(),
            life,
        });
        self.agreements.push(agreement);
    }

    /// Whether a grant is held for good, because its agreement is lost before it has ended.
    pub(super) fn is_held(&self, index: usize) -> bool {
        let Some(Fate::Terminated(from) | Fate::RunsOut(from)) =
            self.agreements[index].as_ref().map(|agreement| agreement.fate)
        else {
            return false;
        };
        self.subjects[index].life.ended.is_none_or(|ended| ended >= from)
    }

    /// Each party is recorded before the first draft that names it.
    fn plan_pacts(&mut self) {
        let mut by_quarter: Vec<Vec<usize>> = vec![Vec::new(); self.quarters.len()];
        for (index, agreement) in self.agreements.iter().enumerate() {
            if let Some(agreement) = agreement {
                by_quarter[agreement.signed].push(index);
            }
        }
        let mut recorded = HashSet::new();
        for (signed, indexes) in by_quarter.into_iter().enumerate() {
            for index in indexes {
                let Some(agreement) = &self.agreements[index] else { continue };
                let pacts = &mut self.quarters[signed].1.pacts;
                for party in &agreement.parties {
                    if let Some(place) = self.directory.place(&party.code)
                        && recorded.insert(place)
                    {
                        pacts.push(Pact::Record(place));
                    }
                }
                pacts.push(Pact::Draft(index));
                pacts.extend((0..agreement.parties.len()).map(|party| Pact::Sign(index, party)));
                match agreement.fate {
                    Fate::Outlasts => {}
                    Fate::Terminated(quarter) => self.quarters[quarter].1.pacts.push(Pact::Terminate(index)),
                    Fate::RunsOut(quarter) => self.quarters[quarter].1.run_out.push(index),
                    Fate::Suspended(from, until) => {
                        self.quarters[from].1.pacts.push(Pact::Suspend(index));
                        self.quarters[until].1.pacts.push(Pact::Resume(index));
                    }
                }
            }
        }
    }

    /// A command to the agreement service.
    pub(super) fn command(
        &self,
        pact: Pact,
        today: Date,
    ) -> Option<concord_proto::agreement::v1::BulkCommand> {
        let of = |index: usize| self.agreements[index].as_ref();
        Some(match pact {
            Pact::Record(place) => agreements::commands::record(self.directory.at(place), today),
            Pact::Draft(index) => of(index)?.draft(&self.grants[index].rcn, today),
            Pact::Sign(index, party) => of(index)?.sign(party, today),
            Pact::Terminate(index) => of(index)?.terminate(today),
            Pact::Suspend(index) => of(index)?.suspend(today),
            Pact::Resume(index) => of(index)?.resume(today),
        })
    }

    /// A command to the fund, and what it does to the money.
    pub(super) fn act(
        &self,
        index: usize,
        act: Act,
        agreement_position: u64,
        today: Date,
    ) -> Option<(Effect, concord_proto::fund::v1::BulkCommand)> {
        let (grant, planned) = (&self.grants[index], &self.subjects[index]);
        let subject = Subject {
            key: &grant.rcn,
            grant: planned.grant,
            grant_id: &planned.grant_id,
            parties: &planned.parties,
            tranche_minor: &planned.tranche_minor,
            life: &planned.life,
            days: &self.days,
        };
        Some(match act {
            Act::Import => commands::import(&grant.rcn, grant.award(true, today).request),
            Act::NameAgreement => {
                let agreement = self.agreements[index].as_ref()?.id;
                (Effect::None, subject.name_agreement(agreement, agreement_position, today))
            }
            Act::Resume => (Effect::None, subject.resume(today)),
            Act::Take(step) => subject.command(step, today),
        })
    }
}

/// The lead, and the partners with a share that the source states, as a plan numbers them; and those shares.
fn parties(grant: &SourceGrant) -> (Vec<PartyId>, Vec<i64>) {
    let id = |code: &str| PartyCode::parse(code).ok().map(|code| PartyId::of(&code));
    let lead = &grant.lead().code;
    let partners = grant.parts.iter().filter(|part| part.party.code != *lead).filter_map(|part| {
        let share = part.share_minor.filter(|share| *share > 0)?;
        Some((id(&part.party.code)?, share))
    });
    let (partners, shares): (Vec<PartyId>, Vec<i64>) = partners.unzip();
    (id(lead).into_iter().chain(partners).collect(), shares)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::books::Books;
    use super::*;
    use std::path::Path;

    fn excerpt() -> Vec<SourceGrant> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/h2020-excerpt.csv");
        crate::import::h2020::parse(&crate::import::read_file(&path).unwrap()).unwrap().grants
    }

    #[test]
    fn the_excerpt_is_planned_the_same_every_time_and_its_sums_balance() {
        let grants = excerpt();
        let plan = Plan::of(&grants);
        assert_eq!(plan.quarters, Plan::of(&grants).quarters);
        let acts = || plan.quarters.iter().flat_map(|(_, quarter)| &quarter.acts);
        assert_eq!(acts().filter(|(_, act)| *act == Act::Import).count(), 300);
        let mut imported = vec![false; grants.len()];
        let mut requests = HashSet::new();
        let (mut books, mut to_treasury) = (Books::default(), 0);
        for (index, act) in acts() {
            assert_eq!(imported[*index], *act != Act::Import, "all else comes after the import");
            imported[*index] = true;
            let (effect, command) = plan.act(*index, *act, 1, plan.quarters[0].0).unwrap();
            // Every kind of command has one; nothing else of them is of interest here.
            let told = format!("{command:?}");
            let request = told.split("request_id: ").nth(1).unwrap().split(',').next().unwrap();
            assert!(requests.insert(request.to_owned()), "two commands under one request id: {told}");
            if let Effect::Ended(undrawn) | Effect::Cancelled { undrawn, .. } = effect
                && undrawn.to_treasury
            {
                to_treasury += undrawn.minor;
            }
            books.take("EUR", effect);
        }
        let total: i64 = grants.iter().map(|grant| grant.ceiling_minor).sum();
        assert!(to_treasury > 0);
        let total = total - to_treasury;
        let nothing = concord_proto::audit::v1::Balance { currency: "EUR".to_owned(), ..Default::default() };
        let appropriated =
            format!("EUR appropriated: {total} minor units by the demo's sums, 0 by the ledger");
        assert!(books.differences(&[nothing]).contains(&appropriated));
    }

    #[test]
    fn parties_are_recorded_once_and_before_the_drafts_that_name_them() {
        let grants = excerpt();
        let plan = Plan::of(&grants);
        let mut recorded = HashSet::new();
        let mut signed = 0;
        for pact in plan.quarters.iter().flat_map(|(_, quarter)| &quarter.pacts) {
            match pact {
                Pact::Record(place) => assert!(recorded.insert(*place), "recorded twice"),
                Pact::Draft(index) => {
                    for party in &plan.agreements[*index].as_ref().unwrap().parties {
                        assert!(recorded.contains(&plan.directory.place(&party.code).unwrap()));
                    }
                }
                Pact::Sign(..) => signed += 1,
                Pact::Terminate(_) | Pact::Suspend(_) | Pact::Resume(_) => assert!(signed > 0),
            }
            assert!(plan.command(*pact, plan.quarters[0].0).is_some());
        }
        let parties: usize = plan.agreements.iter().flatten().map(|agreement| agreement.parties.len()).sum();
        assert_eq!(signed, parties);
    }
}
