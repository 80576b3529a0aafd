//! Parties 主体 as the directory knows them, and for whom an organisation acts.
//!
//! ```text
//!             PartyRecorded           PartyCodeAdded, PartyRenamed, RepresentationRecorded …
//!  (unknown) ───────────────▶ recorded ⟲ ───────────────▶ merged | dissolved
//! ```
//!
//! The agreement log keeps the directory and decides; here its word is taken in, by the process manager and by nobody else. So no
//! arrow is refused, and what was taken in before changes nothing. "These two are one legal person" and "this grant is
//! admitted" are decided by one writer.
//!
//! **One legal person.** A party's id follows from a code, and one legal person may have had several: under further codes, and
//! through mergers. Who an id stands for on a day, its record says: the party that holds the code, and then the one that went on
//! after all mergers until that day ([`legal_person`]). Grants, files and balances keep the ids under which they began; whoever
//! weighs them looks at all ids of the legal person ([`ids_of`]). A fact counts from its own day on. Told late, it undoes
//! nothing that was decided before: the audit finds it.
//!
//! **Acting.** An organisation acts for a party where its id is a code of that party, or the party's id, or where the directory
//! records that it stands for it. Any other text is asserted, as the person's id is.
//!
//! All of this is as far as the directory was taken in. Admission and approval say up to where. What is not known yet, or was
//! never followed, makes two ids two parties: nothing waits for it, because only the money that moves rests on another log.

use crate::{
    backing::{AGREEMENT_LOG, Backing},
    grant::Grant,
    party_file::PartyFile,
    refusal,
    rules::{ActsFor, Hand},
    view::{self, Case},
};
use concord_chassis::{
    deciding::at,
    log::{Broken, Context, Decision, RefusalKind, Stop},
};
use concord_events::fund::{AgreementPoint, Allocation, DirectoryPoint, FundEvent, Party, PartyChange};
use concord_kernel::{
    Date,
    id::{ActingOrganisationId, OrganisationId, PartyRecordId},
    normal,
    party::{PartyCode, PartyId},
};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};
use uuid::Uuid;

/// Ids of one legal person that a decision looks at, and so do its files: every one of them is a state.
pub const IDS_MAX: usize = 1_000;

/// What the directory says of a party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyRecord {
    /// Its id.
    pub party: PartyId,
    /// Its codes, the first known one first. Empty where the directory has not recorded it: the id is known by a code of another
    /// party alone.
    pub codes: Vec<Since<PartyCode>>,
    /// Its names, in order of their days.
    pub names: Vec<Since<String>>,
    /// How it ended, once it did.
    pub end: Option<PartyEnd>,
    /// The party that has the code from which this id would follow.
    pub holder: Option<Holder>,
    /// Parties that were merged into it, and ids that its code gave before.
    pub absorbed: BTreeMap<PartyId, Absorbed>,
    /// Organisations that stand or stood for it.
    pub representations: Vec<Representation>,
    /// The event of the agreement log that it was last learned from; `None` while only other parties' events named it.
    pub at: Option<AgreementPoint>,
}

/// Something that holds from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since<T> {
    /// First day.
    pub from: Date,
    /// What holds.
    pub value: T,
}

/// How a party ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyEnd {
    /// Merged 合并 into another.
    Merged {
        /// The other.
        into: PartyId,
        /// First day of the merger.
        from: Date,
    },
    /// Dissolved 注销.
    Dissolved {
        /// First day on which it was no more.
        from: Date,
    },
}

/// Whose the code is from which an id would follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The party.
    pub party: PartyId,
    /// The code.
    pub code: PartyCode,
    /// First day on which it was the party's.
    pub from: Date,
}

/// A merger, as the party that went on knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absorbed {
    /// First day of the merger.
    pub from: Date,
    /// Generation of the agreement log that said so.
    pub generation: u32,
}

/// An organisation that stands for a party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Representation {
    /// The organisation, in the form in which organisations are compared.
    pub organisation: String,
    /// First day.
    pub from: Date,
    /// First day on which it no longer did, once it ended.
    pub ended: Option<Date>,
}

/// An organisation that stands or stood for parties by record. Since when and until when, their own records say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActingOrganisation {
    /// The parties.
    pub parties: BTreeSet<PartyId>,
}

/// What is asked of a party's record. The process manager's alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyCommand {
    /// Take in what an event of the directory says.
    Take(PartyFact),
}

/// What an event of the directory says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyFact {
    /// The event.
    pub at: AgreementPoint,
    /// When it happened.
    pub happened_on: Date,
    /// What it changes.
    pub change: PartyChange,
}

/// Takes in what is news of a party. The directory is told in any order of days, so its dates may go back.
pub(crate) fn decide(
    case: &Case<'_, '_>,
    party: PartyId,
    command: &PartyCommand,
) -> Result<Decision<FundEvent>, Stop> {
    let PartyCommand::Take(PartyFact { at, happened_on, change }) = command;
    let place = |at: &AgreementPoint| (at.generation, at.position);
    let known = view::party_record(case, party)?.and_then(|record| record.at);
    if known.is_some_and(|known| place(at) <= place(&known)) {
        return Ok(Decision::unchanged());
    }
    let event = FundEvent::PartyChanged { party, change: change.clone(), at: *at, happened_on: *happened_on };
    Ok(Decision::events(vec![event]).dated(case.context.today.min(*happened_on)))
}

impl PartyRecord {
    fn unknown(party: PartyId) -> Self {
        Self {
            party,
            codes: Vec::new(),
            names: Vec::new(),
            end: None,
            holder: None,
            absorbed: BTreeMap::new(),
            representations: Vec::new(),
            at: None,
        }
    }

    /// The id of its record.
    #[must_use]
    pub fn id(&self) -> PartyRecordId {
        PartyRecordId::of(self.party)
    }

    /// The first code known of it, or the one by which it is known here.
    #[must_use]
    pub fn code(&self) -> Option<&PartyCode> {
        let first = self.codes.first().map(|code| &code.value);
        first.or_else(|| self.holder.as_ref().map(|holder| &holder.code))
    }

    /// Its name on a day; before the first known one, that one.
    #[must_use]
    pub fn name_on(&self, on: Date) -> &str {
        let known = self.names.iter().rfind(|name| name.from <= on).or(self.names.first());
        known.map_or("", |name| name.value.as_str())
    }

    /// The first day on which it was no more, where it was dissolved by a day.
    #[must_use]
    pub fn dissolved_by(&self, on: Date) -> Option<Date> {
        match self.end {
            Some(PartyEnd::Dissolved { from }) if from <= on => Some(from),
            Some(PartyEnd::Dissolved { .. } | PartyEnd::Merged { .. }) | None => None,
        }
    }

    /// Whether its code gives another id than its own: `CN-USCI` was once another scheme.
    fn is_misnamed(&self) -> bool {
        self.codes.first().is_some_and(|code| PartyId::of(&code.value) != self.party)
    }

    fn is_represented_by(&self, organisation: &str, on: Date) -> bool {
        let covers = |known: &Representation| known.from <= on && known.ended.is_none_or(|ended| on < ended);
        self.representations.iter().any(|known| known.organisation == organisation && covers(known))
    }

    /// Ids that may be this party's beside its own on a day, one step down: those of its further codes, and of the parties that
    /// were merged into it.
    fn ids_below(&self, on: Date) -> impl Iterator<Item = PartyId> {
        let codes =
            self.codes.iter().filter(move |code| code.from <= on).map(|code| PartyId::of(&code.value));
        let merged =
            self.absorbed.iter().filter(move |(_, merger)| merger.from <= on).map(|(party, _)| *party);
        codes.chain(merged).filter(|id| *id != self.party)
    }

    /// The record with this id that an event opens, if it opens one.
    pub(crate) fn opened_by(id: Uuid, event: &FundEvent) -> Option<Self> {
        let FundEvent::PartyChanged { party, change, .. } = event else { return None };
        let other = match change {
            PartyChange::Recorded { code, .. } | PartyChange::CodeAdded { code, .. } => {
                Some(PartyId::of(code))
            }
            PartyChange::Merged { into, .. } => Some(*into),
            _ => None,
        };
        let mut named = [Some(*party), other].into_iter().flatten();
        let mut record = Self::unknown(named.find(|party| PartyRecordId::of(*party).0 == id)?);
        record.apply(event);
        Some(record)
    }

    /// Folds an event: its own, or one of another party that names it.
    pub(crate) fn apply(&mut self, event: &FundEvent) {
        match event {
            FundEvent::PartyChanged { party, change, at, happened_on } if *party == self.party => {
                self.take(change, *at, *happened_on);
            }
            FundEvent::PartyChanged { party, change: PartyChange::CodeAdded { code, from }, .. } => {
                self.holder = Some(Holder { party: *party, code: code.clone(), from: *from });
            }
            FundEvent::PartyChanged { party, change: PartyChange::Recorded { .. }, at, happened_on } => {
                self.absorbed.insert(*party, Absorbed { from: *happened_on, generation: at.generation });
            }
            FundEvent::PartyChanged { party, change: PartyChange::Merged { from, .. }, at, .. } => {
                self.absorbed.insert(*party, Absorbed { from: *from, generation: at.generation });
            }
            _ => {}
        }
    }

    fn take(&mut self, change: &PartyChange, at: AgreementPoint, happened_on: Date) {
        match change {
            // In a later generation of the log it is recorded anew: what that one has lost is not so.
            PartyChange::Recorded { code, name } => {
                let mut anew = Self::unknown(self.party);
                anew.codes.push(Since { from: happened_on, value: code.clone() });
                anew.names.push(Since { from: happened_on, value: name.clone() });
                anew.holder = self.holder.take();
                anew.absorbed = std::mem::take(&mut self.absorbed);
                anew.absorbed.retain(|_, merger| merger.generation >= at.generation);
                *self = anew;
            }
            PartyChange::CodeAdded { code, from } => {
                self.codes.push(Since { from: *from, value: code.clone() });
            }
            PartyChange::Renamed { name, from } => {
                let place = self.names.partition_point(|known| known.from <= *from);
                self.names.insert(place, Since { from: *from, value: name.clone() });
            }
            PartyChange::Merged { into, from } => {
                self.end = Some(PartyEnd::Merged { into: *into, from: *from });
            }
            PartyChange::Dissolved { from } => self.end = Some(PartyEnd::Dissolved { from: *from }),
            PartyChange::Represented { organisation, from, .. } => {
                let organisation = normal::organisation(organisation.as_str()).into_owned();
                self.representations.push(Representation { organisation, from: *from, ended: None });
            }
            PartyChange::RepresentationEnded { organisation, from } => {
                let own = normal::organisation(organisation.as_str()).into_owned();
                if let Some(known) = self.representations.iter_mut().rfind(|known| known.organisation == own)
                {
                    known.ended = Some(*from);
                }
            }
        }
        self.at = Some(at);
    }

    /// Rough size in memory, in bytes, for the cache's bound.
    pub(crate) fn weight(&self) -> usize {
        512 + 128 * (self.codes.len() + self.names.len() + self.representations.len())
            + 64 * self.absorbed.len()
    }
}

impl ActingOrganisation {
    /// The organisation with this id that an event opens, if it opens one.
    pub(crate) fn opened_by(id: Uuid, event: &FundEvent) -> Option<Self> {
        let FundEvent::PartyChanged { change: PartyChange::Represented { organisation, .. }, .. } = event
        else {
            return None;
        };
        let mut opened = Self::default();
        opened.apply(event);
        (ActingOrganisationId::of(organisation.as_str()).0 == id).then_some(opened)
    }

    /// Folds an event.
    pub(crate) fn apply(&mut self, event: &FundEvent) {
        if let FundEvent::PartyChanged { party, change: PartyChange::Represented { .. }, .. } = event {
            self.parties.insert(*party);
        }
    }

    /// Rough size in memory, in bytes, for the cache's bound.
    pub(crate) fn weight(&self) -> usize {
        256 + 32 * self.parties.len()
    }
}

// Who is who.

/// Who an id stands for on a day: the party that has the code, and its successor after all mergers until then. An id of which
/// the directory has said nothing stands for itself.
pub(crate) fn legal_person(case: &Case<'_, '_>, party: PartyId, on: Date) -> Result<PartyId, Stop> {
    // The directory refuses a merger into a circle; where a log holds one all the same, its last party before the first again.
    let mut passed = BTreeSet::from([party]);
    let mut person = party;
    while let Some(next) = goes_on_as(case, person, on)?.filter(|next| passed.insert(*next)) {
        person = next;
    }
    Ok(person)
}

fn goes_on_as(case: &Case<'_, '_>, party: PartyId, on: Date) -> Result<Option<PartyId>, Stop> {
    let Some(record) = view::party_record(case, party)? else { return Ok(None) };
    match (&record.end, &record.holder) {
        (Some(PartyEnd::Merged { into, from }), _) if from <= &on => Ok(Some(*into)),
        // It was recorded under an id that its code gave then and gives no more.
        _ if record.is_misnamed() => Ok(record.codes.first().map(|code| PartyId::of(&code.value))),
        // The directory recorded it as a party of its own.
        _ if !record.codes.is_empty() => Ok(None),
        (_, Some(holder)) if holder.from <= on => {
            // A later generation of the log may have lost that it has the code.
            let known = view::party_record(case, holder.party)?;
            let has_it = known.is_some_and(|known| known.codes.iter().any(|code| code.value == holder.code));
            Ok(has_it.then_some(holder.party))
        }
        _ => Ok(None),
    }
}

/// Whether two ids stand for one legal person on a day.
pub(crate) fn same_person(case: &Case<'_, '_>, one: PartyId, other: PartyId, on: Date) -> Result<bool, Stop> {
    if one == other {
        return Ok(true);
    }
    view::prefetch_parties(case, [one, other])?;
    Ok(legal_person(case, one, on)? == legal_person(case, other, on)?)
}

/// All ids under which a legal person may have been named by a day, its own first.
pub(crate) fn ids_of(case: &Case<'_, '_>, party: PartyId, on: Date) -> Result<Vec<PartyId>, Stop> {
    if view::party_record(case, party)?.is_none() {
        return Ok(vec![party]);
    }
    let person = legal_person(case, party, on)?;
    let (mut found, mut seen) = (vec![person], BTreeSet::from([person]));
    let mut next = 0;
    while let Some(id) = found.get(next).copied() {
        next += 1;
        let Some(record) = view::party_record(case, id)? else { continue };
        let below: Vec<PartyId> = record.ids_below(on).filter(|id| seen.insert(*id)).collect();
        if found.len() + below.len() > IDS_MAX {
            let broken = refusal::too_many(("ids of one legal person", "同一主体的编号"), IDS_MAX);
            return Err(case.refuse(RefusalKind::Rule, vec![broken]));
        }
        view::prefetch_parties(case, below.iter().copied())?;
        found.extend(below);
    }
    // What leads down was learned from one side; what leads up decides.
    let mut own = Vec::with_capacity(found.len());
    for id in found {
        if legal_person(case, id, on)? == person {
            own.push(id);
        }
    }
    if !own.contains(&party) {
        own.push(party);
    }
    Ok(own)
}

/// The files of a lead, under whatever id its grants were filed.
pub(crate) fn files<'v>(case: &Case<'_, 'v>, lead: PartyId, on: Date) -> Result<Vec<&'v PartyFile>, Stop> {
    view::prefetch_leads(case, [lead])?;
    let ids = ids_of(case, lead, on)?;
    view::prefetch_leads(case, ids.iter().copied())?;
    let files = ids.into_iter().map(|id| view::party_file(case, id));
    Ok(files.collect::<Result<Vec<_>, Stop>>()?.into_iter().flatten().collect())
}

/// Why a party cannot be the lead of something new on a day: it was dissolved.
pub(crate) fn dissolved(case: &Case<'_, '_>, lead: &Party, on: Date) -> Result<Option<Broken>, Stop> {
    let Some(record) = view::party_record(case, legal_person(case, lead.party, on)?)? else {
        return Ok(None);
    };
    Ok(record.dissolved_by(on).map(|from| refusal::party_dissolved(record, &lead.code, from, on)))
}

/// Whether a party is one of an agreement's, under whichever id or code either names it.
pub(crate) fn is_between(
    case: &Case<'_, '_>,
    backing: &Backing,
    party: &Party,
    on: Date,
) -> Result<bool, Stop> {
    if backing.is_between(party) {
        return Ok(true);
    }
    let own = || backing.parties.iter().map(|own| own.party);
    view::prefetch_parties(case, own().chain([party.party]))?;
    let person = legal_person(case, party.party, on)?;
    for own in own() {
        if legal_person(case, own, on)? == person {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Shares with their parties as a grant has them: who is one of its own under another code or id is that one, and anybody else
/// is whoever has the code. Without a grant there are only the shares themselves, and their lead.
///
/// # Errors
/// `INVALID_ARGUMENT` where one legal person has two shares.
pub(crate) fn shares_as_known<'a>(
    case: &Case<'_, '_>,
    own: &[&Party],
    shares: &'a [Allocation],
) -> Result<Cow<'a, [Allocation]>, Stop> {
    let is_own = |share: &Allocation| own.iter().any(|own| own.party == share.party.party);
    if shares.iter().all(is_own) {
        return Ok(Cow::Borrowed(shares));
    }
    let on = case.context.effective_on;
    let named = shares.iter().map(|share| share.party.party);
    view::prefetch_parties(case, named.chain(own.iter().map(|own| own.party)))?;
    let mut persons = BTreeMap::new();
    for own in own {
        persons.entry(legal_person(case, own.party, on)?).or_insert(own.party);
    }
    let mut known = Vec::with_capacity(shares.len());
    for share in shares {
        let mut share = share.clone();
        if !is_own(&share) {
            // Whose a code is was settled when the grant took it in.
            let by_code = own.iter().find(|own| own.code == share.party.code).map(|own| own.party);
            share.party.party = match by_code {
                Some(party) => party,
                None => {
                    let person = legal_person(case, share.party.party, on)?;
                    persons.get(&person).copied().unwrap_or(person)
                }
            };
        }
        known.push(share);
    }
    let mut parties = BTreeSet::new();
    let twice = known.iter().enumerate().filter(|(_, share)| !parties.insert(share.party.party));
    let twice: Vec<Broken> = twice
        .map(|(index, share)| {
            at(&format!("allocations[{index}].party.code"), refusal::party_twice(&share.party.code))
        })
        .collect();
    case.well_formed(twice)?;
    Ok(if known == shares { Cow::Borrowed(shares) } else { Cow::Owned(known) })
}

/// How far the directory has been taken in; `None` where it was not followed, or nothing of it has been verified since the start.
#[must_use]
pub fn directory(context: &Context<'_>) -> Option<DirectoryPoint> {
    let followed = context.followed(AGREEMENT_LOG)?;
    Some(DirectoryPoint { generation: followed.generation, position: followed.position })
}

// Who acts.

/// An organisation, as far as its id and the record say which party it is.
struct Organisation<'a, 'v> {
    text: &'a str,
    normal_form: String,
    /// The party that its id names, and whether the directory knows that one, or the id is a code.
    names: Option<(PartyId, bool)>,
    stands_for: Option<&'v ActingOrganisation>,
}

impl<'a, 'v> Organisation<'a, 'v> {
    fn of(case: &Case<'_, 'v>, text: &'a str) -> Result<Self, Stop> {
        let names = match OrganisationId::party_code(text) {
            Some(code) => Some((PartyId::of(&code), true)),
            None => match text.trim().parse::<PartyId>() {
                Ok(id) => Some((id, view::party_record(case, id)?.is_some())),
                Err(_) => None,
            },
        };
        let stands_for = view::acting_organisation(case, text)?;
        Ok(Self { text, normal_form: normal::organisation(text).into_owned(), names, stands_for })
    }

    /// Whether nothing is known of it beside how it is spelled.
    fn is_asserted(&self) -> bool {
        self.names.is_none() && self.stands_for.is_none()
    }

    /// Whether it is this legal person, or stands for it on the day.
    fn acts_for(&self, case: &Case<'_, '_>, party: PartyId, on: Date) -> Result<bool, Stop> {
        if self.is_asserted() {
            return Ok(false);
        }
        if let Some((own, _)) = self.names
            && same_person(case, own, party, on)?
        {
            return Ok(true);
        }
        let Some(stands_for) = self.stands_for else { return Ok(false) };
        for id in ids_of(case, party, on)? {
            let record = view::party_record(case, id)?;
            if stands_for.parties.contains(&id)
                && record.is_some_and(|record| record.is_represented_by(&self.normal_form, on))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether it is one of a grant's parties, or stands for one on the day.
    fn acts_for_a_party(&self, case: &Case<'_, '_>, grant: &Grant, on: Date) -> Result<bool, Stop> {
        for party in grant.parties() {
            if self.acts_for(case, party.party, on)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The parties for which it stands on the day, not its own.
    fn represented(&self, case: &Case<'_, '_>, on: Date) -> Result<Vec<PartyId>, Stop> {
        let Some(stands_for) = self.stands_for else { return Ok(Vec::new()) };
        view::prefetch_parties(case, stands_for.parties.iter().copied())?;
        let mut represented = Vec::new();
        for party in &stands_for.parties {
            let record = view::party_record(case, *party)?;
            if record.is_some_and(|record| record.is_represented_by(&self.normal_form, on)) {
                represented.push(*party);
            }
        }
        Ok(represented)
    }

    /// Whether it is known to be some party, or to stand for one.
    fn is_known(&self, case: &Case<'_, '_>, on: Date) -> Result<bool, Stop> {
        Ok(self.names.is_some_and(|(_, known)| known) || !self.represented(case, on)?.is_empty())
    }

    /// Whether it is the organisation that applied for a grant, its lead, or stands for either.
    fn is_the_applicants(&self, case: &Case<'_, '_>, grant: &Grant, on: Date) -> Result<bool, Stop> {
        let applied = grant.applicant_organisation();
        if applied.is_some_and(|applied| normal::same_organisation(applied, self.text)) {
            return Ok(true);
        }
        if self.is_asserted() {
            return Ok(false);
        }
        if self.acts_for(case, grant.project.lead.party, on)? {
            return Ok(true);
        }
        let Some(applied) = applied else { return Ok(false) };
        let applied = Organisation::of(case, applied)?;
        let own = applied.names.map(|(party, _)| party);
        for party in own.into_iter().chain(applied.represented(case, on)?) {
            if self.acts_for(case, party, on)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What the record says of the organisation that acts on a grant (A13).
pub(crate) fn acts_for(case: &Case<'_, '_>, grant: &Grant, hand: Hand) -> Result<ActsFor, Stop> {
    let on = case.context.effective_on;
    let organisation = Organisation::of(case, case.context.actor_organisation)?;
    let (applicant, stranger) = match hand {
        Hand::Office(_) => (organisation.is_the_applicants(case, grant, on)?, false),
        Hand::Anybody => (false, false),
        Hand::Applicant(_) | Hand::Party if organisation.is_asserted() => (false, false),
        Hand::Applicant(_) => {
            let acts_for = organisation.acts_for(case, grant.project.lead.party, on)?;
            (false, !acts_for && organisation.is_known(case, on)?)
        }
        Hand::Party => {
            let acts_for = organisation.acts_for_a_party(case, grant, on)?;
            (false, !acts_for && organisation.is_known(case, on)?)
        }
    };
    Ok(ActsFor { applicant, stranger })
}

/// Whether the organisation that acts is a party of the grant, or stands for one.
pub(crate) fn acts_for_a_party(case: &Case<'_, '_>, grant: &Grant) -> Result<bool, Stop> {
    let organisation = Organisation::of(case, case.context.actor_organisation)?;
    organisation.acts_for_a_party(case, grant, case.context.effective_on)
}

/// Why the organisation that acts may not apply for a grant that this party would lead: it is known to be another one.
pub(crate) fn may_apply(case: &Case<'_, '_>, lead: &Party) -> Result<Option<Broken>, Stop> {
    let on = case.context.effective_on;
    let organisation = Organisation::of(case, case.context.actor_organisation)?;
    if organisation.is_asserted()
        || organisation.acts_for(case, lead.party, on)?
        || !organisation.is_known(case, on)?
    {
        return Ok(None);
    }
    Ok(Some(refusal::not_the_applicant(organisation.text, lead)))
}
