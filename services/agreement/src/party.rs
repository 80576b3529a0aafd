//! The directory of parties 主体: one legal person, the codes it ever had, and what was true of it when.
//!
//! ```text
//!              Record                       Merge
//!  (absent) ────────────▶ Recorded ⟲ ──────────────▶ Merged
//!                             │       Dissolve
//!                             └────────────────────▶ Dissolved
//! ```
//!
//! ⟲ stands for all that is recorded of a party as it lives: further codes, names, kinds, regions, registers, control
//! links, organisations that stand for it. Each fact holds from the day of the act on. A code never belongs to two parties: it has a small state of its
//! own, [`Code`], which the events that give a code to a party are applied to as well. So a party is found by any code it
//! ever had, and the same one is never counted twice.

mod facts;

use crate::{
    bounds::{LINE_BYTES_MAX, line},
    refusal::{self, happens, unchanged},
    view::{self, Case},
};
use concord_chassis::{
    deciding::content_hash,
    log::{Broken, Decision, Meta, RefusalKind, Stop},
};
use concord_events::{
    agreement::{AgreementEvent, ControlKind, Register},
    party::CodeCertificate,
};
use concord_kernel::{
    Date,
    id::OrganisationId,
    industry::Industry,
    normal,
    party::{PartyCode, PartyId, PartyKind},
    region::Region,
};
use facts::{happens_once, insert, value_on};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whose a code is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The code.
    pub code: PartyCode,
    /// The party, for good.
    pub party: PartyId,
    /// First day on which it was the party's.
    pub from: Date,
}

/// A legal person as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Its id.
    pub id: PartyId,
    /// Its codes, the first known one first.
    pub codes: Vec<Dated<PartyCode>>,
    /// Those of them that were taken from a certificate although they fail their check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certified: Vec<(PartyCode, CodeCertificate)>,
    /// Its names, in order of their days.
    pub names: Vec<Dated<String>>,
    /// Its kinds, in order of their days.
    pub kinds: Vec<Dated<PartyKind>>,
    /// Its regions, in order of their days.
    pub regions: Vec<Dated<Region>>,
    /// Industry, where one applies.
    pub industry: Option<Industry>,
    /// Hash of the event that opened it: the same again is a repeat.
    pub opened_as: String,
    /// When it was on which register, in order.
    pub registers: BTreeMap<Register, Vec<Spell>>,
    /// Who controls it, and since when.
    pub control_links: Vec<ControlLink>,
    /// Organisations that stand for it, and since when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub representations: Vec<Representation>,
    /// Parties that were merged into it.
    pub absorbed: Vec<Dated<PartyId>>,
    /// How it ended, once it did.
    pub end: Option<End>,
}

/// Something that holds from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated<T> {
    /// First day.
    pub from: Date,
    /// What holds.
    pub value: T,
}

/// A time on a register or under a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spell {
    /// First day.
    pub from: Date,
    /// First day after it, once it ended.
    pub ended: Option<Date>,
}

/// A control link 控制关系.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlLink {
    /// The controlling party.
    pub controller: PartyId,
    /// How.
    pub kind: ControlKind,
    /// When.
    pub spell: Spell,
}

/// An organisation that stands for a party 代表关系.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Representation {
    /// The organisation, as it was named.
    pub organisation: OrganisationId,
    /// Document that authorises it.
    pub authority: String,
    /// When.
    pub spell: Spell,
}

/// How a party ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
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

/// What is asked of one party. Every fact holds from the day of the act on, however long ago that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyCommand {
    /// Record it 登记.
    Record(Recording),
    /// Add a further code 增加代码.
    AddCode {
        /// The code.
        code: PartyCode,
        /// The certificate that has it, where it fails its check.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        certificate: Option<CodeCertificate>,
    },
    /// Record its new name 更名.
    Rename {
        /// The name.
        name: String,
    },
    /// Record that it became another kind of legal person 转制.
    Reclassify {
        /// The kind.
        kind: PartyKind,
    },
    /// Record that it moved 迁址.
    Relocate {
        /// The region.
        region: Region,
    },
    /// Put it on a register 入库.
    EnterRegister {
        /// The register.
        register: Register,
    },
    /// Take it off a register 出库.
    LeaveRegister {
        /// The register.
        register: Register,
    },
    /// Record who controls it 控制关系.
    RecordControlLink {
        /// The controlling party.
        controller: PartyId,
        /// How.
        kind: ControlKind,
    },
    /// Record that the control ended.
    EndControlLink {
        /// The party that controlled it.
        controller: PartyId,
        /// How.
        kind: ControlKind,
    },
    /// Record that an organisation stands for it 代表登记.
    RecordRepresentation {
        /// The organisation.
        organisation: OrganisationId,
        /// Document that authorises it.
        authority: String,
    },
    /// Record that the organisation no longer does.
    EndRepresentation {
        /// The organisation.
        organisation: OrganisationId,
    },
    /// Record that it was merged 合并 into another.
    Merge {
        /// The other.
        into: PartyId,
    },
    /// Record that it was dissolved 注销.
    Dissolve,
}

/// A party as it is recorded first. Its id is [`PartyId::of`] the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// The first code known of it.
    pub code: PartyCode,
    /// Kind of party.
    pub kind: PartyKind,
    /// Name of the organisation.
    pub name: String,
    /// Region, where known.
    pub region: Option<Region>,
    /// Industry, where one applies.
    pub industry: Option<Industry>,
    /// The certificate that has the code, where it fails its check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CodeCertificate>,
}

/// Decides every pair of party (absent, recorded, merged or dissolved) and command.
pub(crate) fn decide(
    case: &Case<'_, '_>,
    id: PartyId,
    command: &PartyCommand,
) -> Result<Decision<AgreementEvent>, Stop> {
    use PartyCommand::{
        AddCode, Dissolve, EndControlLink, EndRepresentation, EnterRegister, LeaveRegister, Merge,
        Reclassify, Record, RecordControlLink, RecordRepresentation, Relocate, Rename,
    };
    case.well_formed(command.faults(id))?;
    let on = case.context.effective_on;
    let ruling = match (view::party_or_free(case, id)?, command) {
        (party, Record(recording)) => return record(case, id, party, recording),
        (
            None,
            AddCode { .. }
            | Rename { .. }
            | Reclassify { .. }
            | Relocate { .. }
            | EnterRegister { .. }
            | LeaveRegister { .. }
            | RecordControlLink { .. }
            | EndControlLink { .. }
            | RecordRepresentation { .. }
            | EndRepresentation { .. }
            | Merge { .. }
            | Dissolve,
        ) => {
            return Err(case.refuse(RefusalKind::NotFound, vec![refusal::no_party("party_id", id)]));
        }
        (Some(party), AddCode { code, certificate }) => party.add_code(case, code, certificate.as_ref())?,
        (Some(party), Rename { name }) => happens_once(
            &party.names,
            name,
            on,
            (("name", "名称"), party.ended(on)),
            AgreementEvent::PartyRenamed { party: id, name: name.clone(), from: on },
        ),
        (Some(party), Reclassify { kind }) => happens_once(
            &party.kinds,
            kind,
            on,
            (("kind", "类别"), party.ended(on)),
            AgreementEvent::PartyReclassified { party: id, kind: *kind, from: on },
        ),
        (Some(party), Relocate { region }) => happens_once(
            &party.regions,
            region,
            on,
            (("region", "行政区"), party.ended(on)),
            AgreementEvent::PartyRelocated { party: id, region: region.clone(), from: on },
        ),
        (Some(party), EnterRegister { register }) => party.enter(*register, on),
        (Some(party), LeaveRegister { register }) => party.leave(*register, on),
        (Some(party), RecordControlLink { controller, kind }) => {
            view::party(case, "controller", *controller)?;
            party.link(*controller, *kind, on)
        }
        (Some(party), EndControlLink { controller, kind }) => party.unlink(*controller, *kind, on),
        (Some(party), RecordRepresentation { organisation, authority }) => {
            party.represent(organisation, authority, on)
        }
        (Some(party), EndRepresentation { organisation }) => party.end_representation(organisation, on),
        (Some(party), Merge { into }) => party.merge(case, *into)?,
        (Some(party), Dissolve) => party.dissolve(on),
    };
    case.conclude(Vec::new(), ruling, None)
}

/// A party is recorded under its first code. The same again changes nothing, also where the code became known as a later
/// one of a party of which the same is true.
fn record(
    case: &Case<'_, '_>,
    id: PartyId,
    party: Option<&Party>,
    recording: &Recording,
) -> Result<Decision<AgreementEvent>, Stop> {
    let event = recording.event(id);
    let holder = view::parties_by_code(case, [&recording.code])?.into_iter().flatten().next();
    let taken = |broken| Err(case.refuse(RefusalKind::Taken, vec![broken]));
    let (ruling, recorded) = match (party, holder) {
        (None, None) => (happens(event), id),
        (Some(party), _) if party.opened_as == content_hash(&event) => (unchanged(), id),
        (_, Some(holder)) if recording.holds_of(holder, case.context.effective_on) => {
            (unchanged(), holder.id)
        }
        (_, Some(holder)) => return taken(refusal::code_taken(&recording.code, holder.id, holder.name())),
        (Some(party), None) => {
            let code = party.code();
            return taken(refusal::recorded_under_another_code(&recording.code, party.id, code));
        }
    };
    Ok(case.conclude(Vec::new(), ruling, None)?.answering("party_id", recorded))
}

impl PartyCommand {
    fn faults(&self, id: PartyId) -> Vec<Broken> {
        let line = |field, text| line(field, text, LINE_BYTES_MAX);
        let fault = match self {
            Self::Record(recording) => {
                let proof = proof_faults(recording.certificate.as_ref());
                return line("name", &recording.name).into_iter().chain(proof).collect();
            }
            Self::AddCode { certificate, .. } => return proof_faults(certificate.as_ref()),
            Self::Rename { name } => line("name", name),
            Self::RecordRepresentation { authority, .. } => line("authority", authority),
            Self::RecordControlLink { controller, .. } if *controller == id => {
                Some(refusal::itself("controller"))
            }
            Self::Merge { into } if *into == id => Some(refusal::itself("into")),
            Self::Reclassify { .. }
            | Self::Relocate { .. }
            | Self::EnterRegister { .. }
            | Self::LeaveRegister { .. }
            | Self::RecordControlLink { .. }
            | Self::EndControlLink { .. }
            | Self::EndRepresentation { .. }
            | Self::Merge { .. }
            | Self::Dissolve => None,
        };
        fault.into_iter().collect()
    }
}

/// What is wrong with a certificate.
fn proof_faults(certificate: Option<&CodeCertificate>) -> Vec<Broken> {
    let lines = certificate.into_iter().flat_map(|proof| {
        [("certificate.document_number", &proof.document_number), ("certificate.note", &proof.note)]
    });
    lines.filter_map(|(field, text)| line(field, text, LINE_BYTES_MAX)).collect()
}

impl Recording {
    fn event(&self, party: PartyId) -> AgreementEvent {
        AgreementEvent::PartyRecorded {
            party,
            code: self.code.clone(),
            kind: self.kind,
            name: self.name.clone(),
            region: self.region.clone(),
            industry: self.industry,
            certificate: self.certificate.clone(),
        }
    }

    /// Whether all of it is true of a party on a day.
    fn holds_of(&self, party: &Party, on: Date) -> bool {
        party.kind_on(on) == self.kind
            && party.name_on(on) == self.name
            && party.region_on(on) == self.region.as_ref()
            && party.industry == self.industry
    }
}

impl Party {
    /// The first code known of it.
    #[must_use]
    pub fn code(&self) -> &PartyCode {
        // A party opens with its first code, and codes are only added.
        &self.codes[0].value
    }

    /// Its newest name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.names.last().map_or("", |name| name.value.as_str())
    }

    /// Its name on a day; before the first known one, that one.
    #[must_use]
    pub fn name_on(&self, on: Date) -> &str {
        value_on(&self.names, on).map_or("", String::as_str)
    }

    /// Its kind on a day; before the first known one, that one.
    #[must_use]
    pub fn kind_on(&self, on: Date) -> PartyKind {
        value_on(&self.kinds, on).copied().unwrap_or(PartyKind::Other)
    }

    /// Its region on a day; before the first known one, that one.
    #[must_use]
    pub fn region_on(&self, on: Date) -> Option<&Region> {
        value_on(&self.regions, on)
    }

    /// Whether it was on a register on a day.
    #[must_use]
    pub fn is_on(&self, register: Register, on: Date) -> bool {
        self.spells(register).iter().any(|spell| spell.covers(on))
    }

    /// The party that it was merged into by a day, if it was.
    #[must_use]
    pub fn merged_into(&self, on: Date) -> Option<PartyId> {
        match self.end {
            Some(End::Merged { into, from }) if from <= on => Some(into),
            Some(End::Merged { .. } | End::Dissolved { .. }) | None => None,
        }
    }

    /// As an event names it, by this code and as it was on a day.
    #[must_use]
    pub fn named(&self, code: &PartyCode, on: Date) -> concord_events::party::Party {
        concord_events::party::Party {
            party: self.id,
            code: code.clone(),
            kind: self.kind_on(on),
            region: self.region_on(on).cloned(),
            name: Some(self.name_on(on).to_owned()),
        }
    }
}

impl Spell {
    /// Whether a day lies in it.
    #[must_use]
    pub fn covers(&self, on: Date) -> bool {
        self.from <= on && self.ended.is_none_or(|ended| on < ended)
    }
}

impl Representation {
    /// Whether it is of the organisation with this normal form.
    fn is_of(&self, normal_form: &str) -> bool {
        normal::organisation(self.organisation.as_str()) == normal_form
    }
}

impl Code {
    /// The code's state that an event opens, if it gives this code to a party.
    pub(crate) fn opened_by(event: &AgreementEvent, meta: &Meta<'_>) -> Option<Self> {
        match event {
            AgreementEvent::PartyRecorded { party, code, .. } => {
                Some(Self { code: code.clone(), party: *party, from: meta.effective_on })
            }
            AgreementEvent::PartyCodeAdded { party, code, from, .. } => {
                Some(Self { code: code.clone(), party: *party, from: *from })
            }
            _ => None,
        }
    }
}

impl Party {
    /// The party that an event opens, if it opens one.
    pub(crate) fn opened_by(event: &AgreementEvent, meta: &Meta<'_>) -> Option<Self> {
        let AgreementEvent::PartyRecorded { party, code, kind, name, region, industry, certificate } = event
        else {
            return None;
        };
        let from = meta.effective_on;
        Some(Self {
            id: *party,
            codes: vec![Dated { from, value: code.clone() }],
            certified: certificate.iter().map(|certificate| (code.clone(), certificate.clone())).collect(),
            names: vec![Dated { from, value: name.clone() }],
            kinds: vec![Dated { from, value: *kind }],
            regions: region.iter().map(|region| Dated { from, value: region.clone() }).collect(),
            industry: *industry,
            opened_as: content_hash(event),
            registers: BTreeMap::new(),
            control_links: Vec::new(),
            representations: Vec::new(),
            absorbed: Vec::new(),
            end: None,
        })
    }

    /// Folds an event. That another party was merged is folded into the one that it was merged into as well.
    pub(crate) fn apply(&mut self, event: &AgreementEvent) {
        match event {
            AgreementEvent::PartyCodeAdded { code, from, certificate, .. } => {
                self.codes.push(Dated { from: *from, value: code.clone() });
                self.certified
                    .extend(certificate.iter().map(|certificate| (code.clone(), certificate.clone())));
            }
            AgreementEvent::PartyRenamed { name, from, .. } => insert(&mut self.names, name.clone(), *from),
            AgreementEvent::PartyReclassified { kind, from, .. } => insert(&mut self.kinds, *kind, *from),
            AgreementEvent::PartyRelocated { region, from, .. } => {
                insert(&mut self.regions, region.clone(), *from);
            }
            AgreementEvent::RegisterEntered { register, from, .. } => {
                self.registers.entry(*register).or_default().push(Spell { from: *from, ended: None });
            }
            AgreementEvent::RegisterLeft { register, from, .. } => {
                if let Some(spell) = self.registers.get_mut(register).and_then(|spells| spells.last_mut()) {
                    spell.ended = Some(*from);
                }
            }
            AgreementEvent::ControlLinkRecorded { controller, kind, from, .. } => {
                let spell = Spell { from: *from, ended: None };
                self.control_links.push(ControlLink { controller: *controller, kind: *kind, spell });
            }
            AgreementEvent::ControlLinkEnded { controller, kind, from, .. } => {
                let mut links = self.control_links.iter_mut();
                if let Some(link) = links.rfind(|link| link.controller == *controller && link.kind == *kind) {
                    link.spell.ended = Some(*from);
                }
            }
            AgreementEvent::RepresentationRecorded { organisation, authority, from, .. } => {
                self.representations.push(Representation {
                    organisation: organisation.clone(),
                    authority: authority.clone(),
                    spell: Spell { from: *from, ended: None },
                });
            }
            AgreementEvent::RepresentationEnded { organisation, from, .. } => {
                let own = normal::organisation(organisation.as_str());
                let mut known = self.representations.iter_mut();
                if let Some(known) = known.rfind(|known| known.is_of(&own)) {
                    known.spell.ended = Some(*from);
                }
            }
            AgreementEvent::PartyMerged { party, into, from } if *party == self.id => {
                self.end = Some(End::Merged { into: *into, from: *from });
            }
            AgreementEvent::PartyMerged { party, from, .. } => {
                self.absorbed.push(Dated { from: *from, value: *party });
            }
            AgreementEvent::PartyDissolved { from, .. } => self.end = Some(End::Dissolved { from: *from }),
            _ => {}
        }
    }
}
