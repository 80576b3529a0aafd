//! Which grants have an agreement behind them, and what becomes of it: derived from the source and, by hash, from the grant's
//! number, so that every run plans the same.
//!
//! A grant of Horizon 2020 that joins a company with a university or an institute gets an agreement of joint research
//! 联合攻关 between its lead and the first party of each sort. Its dates, its signatures and its end are made up 模拟:
//!
//! | of a hundred | what becomes of it | the grant's money |
//! |---|---|---|
//! | 82 | outlasts the project by three years | flows; what is not paid until then stands still |
//! | 6 | is terminated early | stands still for good |
//! | 6 | ends with its term, before the project does, and nobody acts | stands still for good |
//! | 6 | is suspended for half a year and resumed | stands still until an officer resumes the grant |

pub(super) mod commands;

use std::collections::HashMap;

use concord_kernel::Date;
use concord_kernel::id::AgreementId;
use concord_proto::r#type::v1::{Party, PartyKind};
use jiff::ToSpan as _;

use crate::ids;
use crate::import::h2020::SourceGrant;

/// Sources of derived ids.
const LABEL: &str = "demo-h2020";
/// Quarters for which a suspension lasts.
const SUSPENDED_QUARTERS: usize = 2;
/// What ends after the years that are played, and the fresh applications behind them, ends on this day or later.
const AFTERWARDS: Date = jiff::civil::date(2023, 12, 31);

/// Every organisation once, as the first grant that names it has it: the source gives some of them another kind elsewhere.
#[derive(Debug, Default)]
pub(super) struct Directory {
    parties: Vec<Party>,
    places: HashMap<String, usize>,
}

/// An agreement behind a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Agreement {
    /// Its id.
    pub(super) id: AgreementId,
    /// Its parties, the grant's lead first.
    pub(super) parties: Vec<Party>,
    /// First day of the term.
    pub(super) from: Date,
    /// Last day of the term.
    pub(super) until: Date,
    /// Quarter in which it is drafted and signed: that of the grant's import.
    pub(super) signed: usize,
    /// What becomes of it.
    pub(super) fate: Fate,
}

/// What becomes of an agreement. Quarters are numbered as in [`super::plan::quarters`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// In force beyond all that is played.
    Outlasts,
    /// Terminated in this quarter.
    Terminated(usize),
    /// Out of force from this quarter on, by the calendar alone.
    RunsOut(usize),
    /// Suspended in the one quarter, resumed in the other.
    Suspended(usize, usize),
}

impl Directory {
    /// The parties of all grants, in the order of the file.
    pub(super) fn of(grants: &[SourceGrant]) -> Self {
        let mut directory = Self::default();
        for party in grants.iter().flat_map(|grant| &grant.parts).map(|part| &part.party) {
            if !directory.places.contains_key(&party.code) {
                directory.places.insert(party.code.clone(), directory.parties.len());
                directory.parties.push(party.clone());
            }
        }
        directory
    }

    /// The place of the party with this code.
    pub(super) fn place(&self, code: &str) -> Option<usize> {
        self.places.get(code).copied()
    }

    /// The party at this place.
    pub(super) fn at(&self, place: usize) -> &Party {
        &self.parties[place]
    }

    fn party(&self, code: &str) -> Option<&Party> {
        self.place(code).map(|place| self.at(place))
    }
}

/// The agreement behind a grant that is imported in this quarter; `None` where the grant joins no company with a university
/// or an institute.
pub(super) fn agreement(
    grant: &SourceGrant,
    directory: &Directory,
    imported: usize,
    quarters: &[Date],
) -> Option<Agreement> {
    let lead = directory.party(&grant.lead().code)?;
    let first = |wanted: &[PartyKind]| {
        let listed = std::iter::once(lead)
            .chain(grant.parts.iter().filter_map(|part| directory.party(&part.party.code)));
        listed.into_iter().find(|party| wanted.contains(&party.kind()))
    };
    let company = first(&[PartyKind::Enterprise])?;
    let academy = first(&[PartyKind::University, PartyKind::Institute])?;
    let mut parties = vec![lead.clone()];
    for party in [company, academy] {
        if parties.iter().all(|known| known.code != party.code) {
            parties.push(party.clone());
        }
    }

    let signed_on = *quarters.get(imported)?;
    let from = grant.plan_start();
    let ends_on = grant.ends_on.filter(|ends_on| *ends_on > signed_on);
    let ends_on = ends_on.unwrap_or_else(|| signed_on.saturating_add(3.years()));
    let mut until = ends_on.saturating_add(3.years());
    let roll = ids::spread(&format!("demo/agreement/{}", grant.rcn));
    let last = quarters.len() - 1;
    if until >= quarters[last] {
        until = until.max(AFTERWARDS);
    }
    // Some quarter of the project's middle, never the one of the signatures.
    let ending = super::plan::quarter_of(ends_on, quarters).unwrap_or(last);
    let span = ending.saturating_sub(imported).max(1) as u64;
    let turn = imported + 1 + (roll / 100 % span) as usize;
    let ends_by_itself = quarters.iter().position(|day| *day > until).map_or(Fate::Outlasts, Fate::RunsOut);
    let fate = match roll % 100 {
        _ if turn > last => ends_by_itself,
        0..6 => Fate::Terminated(turn),
        // It is over on the day before the last of that quarter, the day that is played.
        6..12 => {
            until = quarters.get(turn)?.saturating_sub(10.days());
            Fate::RunsOut(turn)
        }
        12..18 if turn + SUSPENDED_QUARTERS <= last && ends_by_itself == Fate::Outlasts => {
            Fate::Suspended(turn, turn + SUSPENDED_QUARTERS)
        }
        _ => ends_by_itself,
    };
    let id = AgreementId::derived(LABEL, &grant.rcn);
    Some(Agreement { id, parties, from, until, signed: imported, fate })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::plan;
    use super::*;
    use std::path::Path;

    fn planned() -> (Vec<Date>, Vec<SourceGrant>, Vec<Option<Agreement>>) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/h2020-excerpt.csv");
        let grants = crate::import::h2020::parse(&crate::import::read_file(&path).unwrap()).unwrap().grants;
        let quarters = plan::quarters();
        let imported = |grant: &SourceGrant| plan::quarter_of(grant.plan_start(), &quarters).unwrap_or(35);
        let directory = Directory::of(&grants);
        let agreements =
            grants.iter().map(|grant| agreement(grant, &directory, imported(grant), &quarters)).collect();
        (quarters, grants, agreements)
    }

    #[test]
    fn an_agreement_joins_a_company_with_a_university_or_an_institute_and_the_lead_is_in_it() {
        let (quarters, grants, agreements) = planned();
        assert!(agreements.iter().flatten().count() > 50);
        for (grant, agreement) in grants.iter().zip(&agreements) {
            let Some(agreement) = agreement else { continue };
            let kinds: Vec<PartyKind> = agreement.parties.iter().map(Party::kind).collect();
            assert!(kinds.contains(&PartyKind::Enterprise));
            assert!(kinds.contains(&PartyKind::University) || kinds.contains(&PartyKind::Institute));
            assert_eq!(agreement.parties[0].code, grant.lead().code);
            assert!((2..=3).contains(&agreement.parties.len()));
            // Signed on a day of its term, so that it comes into force.
            let signed_on = quarters[agreement.signed];
            assert!(signed_on <= agreement.until && agreement.from <= agreement.until, "{agreement:?}");
        }
        assert_eq!(planned().2, agreements, "every run plans the same");
    }

    #[test]
    fn every_fate_occurs_and_none_in_the_quarter_of_the_signatures() {
        let fates: Vec<(usize, Fate)> =
            planned().2.into_iter().flatten().map(|agreement| (agreement.signed, agreement.fate)).collect();
        let count = |wanted: fn(&Fate) -> bool| fates.iter().filter(|(_, fate)| wanted(fate)).count();
        assert!(count(|fate| matches!(fate, Fate::Terminated(_))) > 0);
        assert!(count(|fate| matches!(fate, Fate::RunsOut(_))) > 0);
        assert!(count(|fate| matches!(fate, Fate::Suspended(..))) > 0);
        assert!(count(|fate| matches!(fate, Fate::Outlasts)) > fates.len() / 3);
        for (signed, fate) in fates {
            match fate {
                Fate::Terminated(turn) | Fate::RunsOut(turn) | Fate::Suspended(turn, _) => {
                    assert!(turn > signed)
                }
                Fate::Outlasts => {}
            }
        }
    }
}
