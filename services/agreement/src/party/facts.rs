//! Dated facts of a party: what holds from when on, and what cannot.

use super::{ControlLink, Dated, End, Party, Representation, Spell};
use crate::{
    bounds::FACTS_MAX,
    refusal::{self, Ruling, happens, happens_under, refused, unchanged},
    view::{self, Case},
};
use concord_chassis::log::{Broken, RefusalKind, Stop};
use concord_events::{
    agreement::{AgreementEvent, ControlKind, Register},
    party::CodeCertificate,
};
use concord_kernel::{
    Date,
    id::OrganisationId,
    normal,
    party::{PartyCode, PartyId, PartyKind},
};

/// A dated fact: what holds from that day changes nothing, and a day has one.
pub(super) fn happens_once<T: PartialEq + Clone>(
    facts: &[Dated<T>],
    value: &T,
    on: Date,
    (what, ended): ((&str, &str), Option<Broken>),
    event: AgreementEvent,
) -> Ruling {
    if value_on(facts, on) == Some(value) {
        return unchanged();
    }
    let another = facts.iter().any(|fact| fact.from == on).then(|| refusal::another_that_day(what, on));
    happens_under([another, full(facts.len()), ended], event)
}

fn full(count: usize) -> Option<Broken> {
    (count >= FACTS_MAX).then(|| refusal::too_many("facts", count + 1, FACTS_MAX))
}

/// What holds on a day; before the first known, that one.
pub(super) fn value_on<T>(facts: &[Dated<T>], on: Date) -> Option<&T> {
    facts.iter().rfind(|fact| fact.from <= on).or(facts.first()).map(|fact| &fact.value)
}

/// Puts a fact where its day has it.
pub(super) fn insert<T>(facts: &mut Vec<Dated<T>>, value: T, from: Date) {
    let at = facts.partition_point(|fact| fact.from <= from);
    facts.insert(at, Dated { from, value });
}

impl Party {
    pub(super) fn spells(&self, register: Register) -> &[Spell] {
        self.registers.get(&register).map_or(&[], Vec::as_slice)
    }

    /// Why nothing new is true of it on a day: it had ended.
    pub(super) fn ended(&self, on: Date) -> Option<Broken> {
        let from = self.end?.from();
        (from <= on).then(|| refusal::party_ended(from, on))
    }

    pub(super) fn add_code(
        &self,
        case: &Case<'_, '_>,
        code: &PartyCode,
        certificate: Option<&CodeCertificate>,
    ) -> Result<Ruling, Stop> {
        let taken = |broken| Err(case.refuse(RefusalKind::Taken, vec![broken]));
        if let Some(holder) = view::parties_by_code(case, [code])?.into_iter().flatten().next() {
            if holder.id == self.id {
                return Ok(unchanged());
            }
            return taken(refusal::code_of_another(code, holder.id, holder.name()));
        }
        // Both Chinese codes of a legal person give one id: that party has this code in all but name.
        let namesake = PartyId::of(code);
        if namesake != self.id
            && let Some(other) = view::party_or_free(case, namesake)?
        {
            return taken(refusal::recorded_under_another_code(code, other.id, other.code()));
        }
        let on = case.context.effective_on;
        let (code, certificate) = (code.clone(), certificate.cloned());
        let event = AgreementEvent::PartyCodeAdded { party: self.id, code, from: on, certificate };
        Ok(happens_under([full(self.codes.len()), self.ended(on)], event))
    }

    pub(super) fn enter(&self, register: Register, on: Date) -> Ruling {
        let what = (register.code(), register.label_zh());
        if self.is_on(register, on) {
            return unchanged();
        }
        let kind = self.kind_on(on);
        let spells = self.spells(register);
        happens_under(
            [
                (kind != PartyKind::Enterprise).then(|| refusal::not_an_enterprise(register, kind, on)),
                overlap(spells.last(), on, what),
                full(spells.len()),
                self.ended(on),
            ],
            AgreementEvent::RegisterEntered { party: self.id, register, from: on },
        )
    }

    pub(super) fn leave(&self, register: Register, on: Date) -> Ruling {
        let what = (register.code(), register.label_zh());
        let event = AgreementEvent::RegisterLeft { party: self.id, register, from: on };
        close(self.spells(register).last(), on, what, event)
    }

    pub(super) fn link(&self, controller: PartyId, kind: ControlKind, on: Date) -> Ruling {
        let links = || self.links(controller, kind);
        if links().any(|link| link.spell.covers(on)) {
            return unchanged();
        }
        let last = links().map(|link| &link.spell).next_back();
        happens_under(
            [overlap(last, on, CONTROL), full(self.control_links.len()), self.ended(on)],
            AgreementEvent::ControlLinkRecorded { party: self.id, controller, kind, from: on },
        )
    }

    pub(super) fn unlink(&self, controller: PartyId, kind: ControlKind, on: Date) -> Ruling {
        let event = AgreementEvent::ControlLinkEnded { party: self.id, controller, kind, from: on };
        close(self.links(controller, kind).map(|link| &link.spell).next_back(), on, CONTROL, event)
    }

    fn links(&self, controller: PartyId, kind: ControlKind) -> impl DoubleEndedIterator<Item = &ControlLink> {
        self.control_links.iter().filter(move |link| link.controller == controller && link.kind == kind)
    }

    /// Ended and begun again it has another spell; under the same authority as now nothing changes.
    pub(super) fn represent(&self, organisation: &OrganisationId, authority: &str, on: Date) -> Ruling {
        let known = self.representations_of(organisation).next_back();
        if let Some(known) = known.filter(|known| known.spell.covers(on)) {
            return if known.authority == authority {
                unchanged()
            } else {
                refused(refusal::represented_already(organisation, &known.authority, known.spell.from))
            };
        }
        happens_under(
            [
                overlap(known.map(|known| &known.spell), on, REPRESENTATION),
                full(self.representations.len()),
                self.ended(on),
            ],
            AgreementEvent::RepresentationRecorded {
                party: self.id,
                organisation: organisation.clone(),
                authority: authority.to_owned(),
                from: on,
            },
        )
    }

    pub(super) fn end_representation(&self, organisation: &OrganisationId, on: Date) -> Ruling {
        let event = AgreementEvent::RepresentationEnded {
            party: self.id,
            organisation: organisation.clone(),
            from: on,
        };
        let last = self.representations_of(organisation).map(|known| &known.spell).next_back();
        close(last, on, REPRESENTATION, event)
    }

    fn representations_of(
        &self,
        organisation: &OrganisationId,
    ) -> impl DoubleEndedIterator<Item = &Representation> {
        let own = normal::organisation(organisation.as_str()).into_owned();
        self.representations.iter().filter(move |known| known.is_of(&own))
    }

    pub(super) fn merge(&self, case: &Case<'_, '_>, into: PartyId) -> Result<Ruling, Stop> {
        let on = case.context.effective_on;
        let other = view::party(case, "into", into)?;
        Ok(match self.end {
            None => {
                // Facts are learned in any order, so a merger of a later day closes a circle as well. This party has not
                // ended: the other one's mergers lead to it only if they lead nowhere else.
                let gone = if view::successor(case, other, Date::MAX)?.id == self.id {
                    Some(refusal::merged_in_a_circle(self.code(), other))
                } else {
                    view::cannot_act(case, "into", other, on)?
                };
                happens_under([gone], AgreementEvent::PartyMerged { party: self.id, into, from: on })
            }
            Some(end) if end == (End::Merged { into, from: on }) => unchanged(),
            Some(end) => refused(end.stands()),
        })
    }

    pub(super) fn dissolve(&self, on: Date) -> Ruling {
        match self.end {
            None => happens(AgreementEvent::PartyDissolved { party: self.id, from: on }),
            Some(end) if end == (End::Dissolved { from: on }) => unchanged(),
            Some(end) => refused(end.stands()),
        }
    }
}

/// What a control link is called.
const CONTROL: (&str, &str) = ("the control link", "控制关系");

/// What a representation is called.
const REPRESENTATION: (&str, &str) = ("the representation", "代表关系");

/// A further spell begins after the last one ended.
fn overlap(last: Option<&Spell>, on: Date, what: (&str, &str)) -> Option<Broken> {
    let last = last?;
    let reaches = last.ended.unwrap_or(last.from);
    (on < reaches).then(|| refusal::spells_overlap(what, on, reaches))
}

/// The open spell ends after its first day; what ended on that day changes nothing.
fn close(last: Option<&Spell>, on: Date, what: (&str, &str), event: AgreementEvent) -> Ruling {
    match last {
        Some(Spell { from, ended: None }) => {
            happens_under([(on <= *from).then(|| refusal::spells_overlap(what, on, *from))], event)
        }
        Some(Spell { ended: Some(ended), .. }) if *ended == on => unchanged(),
        Some(_) | None => refused(refusal::not_open(what, on)),
    }
}

impl End {
    /// First day on which the party was no more.
    pub(crate) fn from(self) -> Date {
        match self {
            Self::Merged { from, .. } | Self::Dissolved { from } => from,
        }
    }

    /// The end that was recorded first stands.
    fn stands(self) -> Broken {
        match self {
            Self::Merged { into, from } => refusal::done_otherwise(
                "ALREADY_MERGED",
                ("the party was merged", "该主体已合并"),
                &[("into", &into), ("from", &from)],
            ),
            Self::Dissolved { from } => refusal::done_otherwise(
                "ALREADY_DISSOLVED",
                ("the party was dissolved", "该主体已注销"),
                &[("from", &from)],
            ),
        }
    }
}
