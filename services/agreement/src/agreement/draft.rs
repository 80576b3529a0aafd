//! What is drafted, and what each kind of agreement needs.

use super::{Agreement, Stage, Standing, amendment::Version, force::Period};
use crate::{
    bounds::{ITEM_BYTES_MAX, LINE_BYTES_MAX, OBLIGATIONS_MAX, PARTIES_MAX, documents, line, too_many},
    party::Party,
    refusal::{self, happens_under, taken, unchanged},
    view::{self, Case},
};
use concord_chassis::{
    deciding::content_hash,
    log::{Broken, Decision, Meta, RefusalKind, Stop},
};
use concord_events::{
    agreement::{
        AgreementEvent, AgreementKind, Obligation, Participant, Role, TechnologyContractType, Term, Value,
    },
    document::Document,
};
use concord_kernel::{
    Date,
    id::AgreementId,
    party::{PartyCode, PartyKind},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const GOVERNMENT: &[PartyKind] = &[PartyKind::Government];
const ENTERPRISE: &[PartyKind] = &[PartyKind::Enterprise];
const ENTERPRISE_OR_GOVERNMENT: &[PartyKind] = &[PartyKind::Enterprise, PartyKind::Government];
const RESEARCH: &[PartyKind] = &[PartyKind::University, PartyKind::Institute];

/// What each kind of agreement needs (domain.md section 3): a party of each of these kinds. A technology contract is
/// between a seller and a buyer of any kind instead.
const NEEDS: [(AgreementKind, &[&[PartyKind]]); 8] = [
    (AgreementKind::Framework, &[GOVERNMENT, RESEARCH]),
    (AgreementKind::CityOrCounty, &[GOVERNMENT, RESEARCH]),
    (AgreementKind::LongTerm, &[ENTERPRISE, RESEARCH]),
    (AgreementKind::CoBuiltFacility, &[ENTERPRISE_OR_GOVERNMENT, RESEARCH]),
    (AgreementKind::JointResearch, &[ENTERPRISE, RESEARCH]),
    (AgreementKind::NationalProject, &[ENTERPRISE, RESEARCH]),
    (AgreementKind::TalentTraining, &[RESEARCH, ENTERPRISE_OR_GOVERNMENT]),
    (AgreementKind::TechnologyContract, &[]),
];

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Kind of agreement.
    pub kind: AgreementKind,
    /// Title.
    pub title: String,
    /// The parties, at least two.
    pub parties: Vec<DraftParty>,
    /// The term as agreed.
    pub term: Term,
    /// Framework or city agreement that it comes under.
    pub parent: Option<AgreementId>,
    /// Number of the outside project, of a national project.
    pub project_number: Option<String>,
    /// What a technology contract is about.
    pub technology: Option<TechnologyContractType>,
    /// What it is worth; a technology contract always says.
    pub value: Option<Value>,
    /// Obligations and milestones; each names its party by the code in `parties`.
    pub obligations: Vec<Obligation>,
    /// The text, by reference.
    pub documents: Vec<Document>,
    /// Whether facts were made up for a demonstration.
    pub synthetic: bool,
}

/// A party of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftParty {
    /// The party, by any of its codes.
    pub code: PartyCode,
    /// As what.
    pub role: Role,
}

/// The same draft again changes nothing, however the parties have changed since; another one under the same id is
/// refused.
pub(super) fn decide(
    case: &Case<'_, '_>,
    id: AgreementId,
    draft: &Draft,
) -> Result<Decision<AgreementEvent>, Stop> {
    match view::agreement_or_free(case, id)? {
        Some(agreement) if agreement.opened_as == content_hash(draft) => {
            case.conclude(Vec::new(), unchanged(), None)
        }
        Some(_) => Err(case.refuse(RefusalKind::Taken, vec![taken("agreement_id", id.stream())])),
        None => {
            case.well_formed(draft.faults(id))?;
            let on = case.context.effective_on;
            let under = parent_refusals(case, draft, on)?;
            let parties = view::parties_by_code(case, draft.parties.iter().map(|party| &party.code))?;
            let participants = participants(case, draft, &parties, on)?;
            let broken = under.into_iter().chain(kind_needs(draft.kind, &participants)).map(Some);
            let acting = draft.parties.iter().zip(&parties).enumerate().filter_map(|(at, (_, party))| {
                party.map(|party| view::cannot_act(case, &format!("parties[{at}].code"), party, on))
            });
            let acting = acting.collect::<Result<Vec<_>, Stop>>()?;
            case.conclude(
                Vec::new(),
                happens_under(acting.into_iter().chain(broken), draft.event(id, participants)),
                None,
            )
        }
    }
}

/// The parties as the directory knows them on that day; all unknown ones, and all named twice, are told together.
fn participants(
    case: &Case<'_, '_>,
    draft: &Draft,
    parties: &[Option<&Party>],
    on: Date,
) -> Result<Vec<Participant>, Stop> {
    let field = |at: usize| format!("parties[{at}].code");
    let (mut unknown, mut twice, mut participants) = (Vec::new(), Vec::new(), Vec::<Participant>::new());
    for (at, (DraftParty { code, role }, party)) in draft.parties.iter().zip(parties).enumerate() {
        let Some(party) = party else {
            unknown.push(refusal::party_unknown(&field(at), code));
            continue;
        };
        if let Some(first) = participants.iter().find(|first| first.party.party == party.id) {
            twice.push(refusal::party_twice(&field(at), code, &first.party.code));
        }
        participants.push(Participant { party: party.named(code, on), role: *role });
    }
    if !unknown.is_empty() {
        return Err(case.refuse(RefusalKind::NotFound, unknown));
    }
    case.well_formed(twice)?;
    Ok(participants)
}

/// What the agreement that this one comes under lacks: it is a framework or city agreement, signed by all, and has not
/// ended on that day.
fn parent_refusals(case: &Case<'_, '_>, draft: &Draft, on: Date) -> Result<Vec<Broken>, Stop> {
    let Some(id) = draft.parent else { return Ok(Vec::new()) };
    let parent = view::agreement(case, "parent_id", id)?;
    let mut broken = Vec::new();
    if !matches!(parent.kind, AgreementKind::Framework | AgreementKind::CityOrCounty) {
        broken.push(refusal::no_parent_kind(id, parent.kind));
    }
    broken.extend(parent.not_live(on).map(|standing| refusal::parent_not_live(id, standing, on)));
    Ok(broken)
}

/// What the kind of agreement needs and these parties do not give.
pub(super) fn kind_needs(kind: AgreementKind, participants: &[Participant]) -> Vec<Broken> {
    let mut broken = Vec::new();
    if participants.len() < 2 {
        broken.push(refusal::too_few_parties(kind));
    }
    if kind == AgreementKind::TechnologyContract {
        for role in [Role::Seller, Role::Buyer] {
            if !participants.iter().any(|participant| participant.role == role) {
                broken.push(refusal::role_missing(role));
            }
        }
    }
    let needs = NEEDS.iter().find(|(of, _)| *of == kind).map_or(&[][..], |(_, needs)| needs);
    for need in needs {
        if !participants.iter().any(|participant| need.contains(&participant.party.kind)) {
            broken.push(refusal::kind_missing(kind, need));
        }
    }
    broken
}

/// What of obligations cannot be right, whatever the agreement: `named` says which codes it names parties by.
pub(super) fn obligation_faults(
    obligations: &[Obligation],
    named: impl Fn(&PartyCode) -> bool,
) -> Vec<Broken> {
    let mut faults = Vec::new();
    faults.extend(too_many("obligations", obligations.len(), OBLIGATIONS_MAX));
    let mut numbers = BTreeSet::new();
    for (at, obligation) in obligations.iter().enumerate() {
        let field = |name: &str| format!("obligations[{at}].{name}");
        if obligation.number == 0 || !numbers.insert(obligation.number) {
            faults.push(refusal::number_taken(&field("number"), obligation.number));
        }
        if !named(&obligation.party) {
            faults.push(refusal::not_named(&field("party"), &obligation.party));
        }
        faults.extend(line(&field("text"), &obligation.text, ITEM_BYTES_MAX));
    }
    faults
}

/// A term that ends before it begins.
pub(super) fn term_order(term: Term) -> Option<Broken> {
    (term.until < term.from).then(|| refusal::term_backwards(term))
}

impl Draft {
    fn faults(&self, id: AgreementId) -> Vec<Broken> {
        let is_technology = self.kind == AgreementKind::TechnologyContract;
        let named = |code: &PartyCode| self.parties.iter().any(|party| party.code == *code);
        let mut faults: Vec<Broken> = [
            line("title", &self.title, LINE_BYTES_MAX),
            too_many("parties", self.parties.len(), PARTIES_MAX),
            term_order(self.term),
            (self.parent == Some(id)).then(refusal::own_parent),
            (self.kind == AgreementKind::Framework && self.parent.is_some())
                .then(refusal::framework_with_parent),
            (self.technology.is_some() != is_technology).then(|| refusal::technology_field(is_technology)),
            (is_technology && self.value.is_none()).then(|| refusal::text_missing("value")),
            self.value.filter(|value| value.amount_minor <= 0).map(|_| refusal::value_not_positive()),
        ]
        .into_iter()
        .flatten()
        .collect();
        match (&self.project_number, self.kind == AgreementKind::NationalProject) {
            (None, true) => faults.push(refusal::text_missing("project_number")),
            (Some(number), true) => faults.extend(line("project_number", number, LINE_BYTES_MAX)),
            (Some(_), false) => faults.push(refusal::project_number_field()),
            (None, false) => {}
        }
        for (at, party) in self.parties.iter().enumerate() {
            if !is_technology && party.role != Role::Participant {
                faults.push(refusal::role_of_technology_contract(&format!("parties[{at}].role")));
            }
        }
        faults.extend(documents("documents", &self.documents));
        faults.extend(obligation_faults(&self.obligations, named));
        faults
    }

    fn event(&self, agreement: AgreementId, parties: Vec<Participant>) -> AgreementEvent {
        AgreementEvent::AgreementDrafted {
            agreement,
            kind: self.kind,
            title: self.title.clone(),
            parties,
            term: self.term,
            parent: self.parent,
            project_number: self.project_number.clone(),
            technology: self.technology,
            value: self.value,
            obligations: self.obligations.clone(),
            documents: self.documents.clone(),
            synthetic: self.synthetic,
        }
    }
}

impl Agreement {
    /// How it stands on a day where others cannot come under it then. An end that is known to come does not end it before.
    fn not_live(&self, on: Date) -> Option<Standing> {
        Some(self.standing(on)).filter(|standing| !standing.is_live())
    }

    /// Its framework ended between the draft and the day on which the last party signs: nothing comes into force under it.
    pub(super) fn parent_ended(&self, case: &Case<'_, '_>, on: Date) -> Result<Option<Broken>, Stop> {
        let Some(id) = self.parent else { return Ok(None) };
        let parent = view::agreement(case, "parent_id", id)?;
        Ok(parent.not_live(on).map(|standing| refusal::parent_ended(id, standing, on)))
    }

    /// The agreement that an event opens, if it opens one.
    pub(crate) fn opened_by(event: &AgreementEvent, meta: &Meta<'_>) -> Option<Self> {
        let AgreementEvent::AgreementDrafted {
            agreement,
            kind,
            title,
            parties,
            term,
            parent,
            project_number,
            technology,
            value,
            obligations,
            documents,
            synthetic,
        } = event
        else {
            return None;
        };
        let named = |participant: &Participant| DraftParty {
            code: participant.party.code.clone(),
            role: participant.role,
        };
        // What the draft said, without what the directory knew of the parties that day.
        let draft = Draft {
            kind: *kind,
            title: title.clone(),
            parties: parties.iter().map(named).collect(),
            term: *term,
            parent: *parent,
            project_number: project_number.clone(),
            technology: *technology,
            value: *value,
            obligations: obligations.clone(),
            documents: documents.clone(),
            synthetic: *synthetic,
        };
        let version = Version {
            number: 1,
            from: None,
            title: title.clone(),
            term_end: term.until,
            value: *value,
            obligations: obligations.clone(),
            signatures: Vec::new(),
            authority: None,
            documents: documents.clone(),
        };
        Some(Self {
            id: *agreement,
            kind: *kind,
            parent: *parent,
            project_number: project_number.clone(),
            technology: *technology,
            synthetic: *synthetic,
            opened_as: content_hash(&draft),
            drafted_on: meta.effective_on,
            parties: parties.clone(),
            successions: Vec::new(),
            stage: Stage::Drafted,
            periods: vec![Period { term: *term, in_force_from: None, authority: None }],
            suspensions: Vec::new(),
            versions: vec![version],
            pending: None,
            abandoned: None,
            version_numbers: 1,
            fulfilled: BTreeMap::new(),
            meetings: BTreeMap::new(),
            registration: None,
            last_step_on: meta.effective_on,
        })
    }
}
