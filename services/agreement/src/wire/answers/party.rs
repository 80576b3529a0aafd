//! A party as an answer.

use super::text;
use crate::party::{Dated, End, Party};
use concord_events::agreement::{ControlKind, Register};
use concord_kernel::{
    Date,
    party::{PartyCode, PartyKind},
};
use concord_proto::{agreement::v1 as proto, r#type::v1 as types};

/// A party as the writer knows it.
#[must_use]
pub fn party(party: &Party, version: u64) -> proto::Party {
    let registers = party.registers.iter().flat_map(|(register, spells)| {
        spells.iter().map(|spell| proto::RegisterEntry {
            register: self::register(*register).into(),
            from: spell.from.to_string(),
            ended: text(spell.ended),
        })
    });
    let control_links = party.control_links.iter().map(|link| proto::ControlLink {
        controller: link.controller.to_string(),
        kind: control(link.kind).into(),
        from: link.spell.from.to_string(),
        ended: text(link.spell.ended),
    });
    let representations = party.representations.iter().map(|known| proto::Representation {
        organisation_id: known.organisation.to_string(),
        authority: known.authority.clone(),
        from: known.spell.from.to_string(),
        ended: text(known.spell.ended),
    });
    let kinds = party
        .kinds
        .iter()
        .map(|dated| proto::DatedKind { from: dated.from.to_string(), kind: kind(dated.value).into() });
    let certified = party.certified.iter().map(|(code, certificate)| proto::CertifiedCode {
        code: code.to_string(),
        certificate: Some(proto::CodeCertificate {
            document_number: certificate.document_number.clone(),
            note: certificate.note.clone(),
        }),
    });
    let (merged_into, ended_from) = match party.end {
        Some(End::Merged { into, from }) => (into.to_string(), Some(from)),
        Some(End::Dissolved { from }) => (String::new(), Some(from)),
        None => (String::new(), None),
    };
    proto::Party {
        party_id: party.id.to_string(),
        codes: dated(&party.codes),
        names: dated(&party.names),
        kinds: kinds.collect(),
        regions: dated(&party.regions),
        industry: party.industry.map(|industry| industry.to_string()).unwrap_or_default(),
        registers: registers.collect(),
        control_links: control_links.collect(),
        absorbed: dated(&party.absorbed),
        merged_into,
        ended_from: text(ended_from),
        version,
        certified_codes: certified.collect(),
        representations: representations.collect(),
    }
}

/// What was true on a day of the party that a code belongs to, and who it was by then.
#[must_use]
pub fn looked_up(
    party: &Party,
    successor: &Party,
    code: &PartyCode,
    on: Date,
    position: u64,
) -> proto::LookUpPartyResponse {
    let registers = party.registers.keys().filter(|register| party.is_on(**register, on));
    proto::LookUpPartyResponse {
        party_id: party.id.to_string(),
        party: Some(types::Party {
            code: code.to_string(),
            kind: kind(party.kind_on(on)).into(),
            region: party.region_on(on).map(ToString::to_string).unwrap_or_default(),
            name: party.name_on(on).to_owned(),
        }),
        registers: registers.map(|register| self::register(*register).into()).collect(),
        successor_id: successor.id.to_string(),
        dissolved: matches!(successor.end, Some(End::Dissolved { from }) if from <= on),
        on: on.to_string(),
        position,
    }
}

fn dated<T: ToString>(facts: &[Dated<T>]) -> Vec<proto::DatedText> {
    let texts = facts
        .iter()
        .map(|dated| proto::DatedText { from: dated.from.to_string(), value: dated.value.to_string() });
    texts.collect()
}

pub(super) fn kind(kind: PartyKind) -> types::PartyKind {
    match kind {
        PartyKind::Enterprise => types::PartyKind::Enterprise,
        PartyKind::University => types::PartyKind::University,
        PartyKind::Institute => types::PartyKind::Institute,
        PartyKind::Government => types::PartyKind::Government,
        PartyKind::ParkCommittee => types::PartyKind::ParkCommittee,
        PartyKind::FinancialInstitution => types::PartyKind::FinancialInstitution,
        PartyKind::Intermediary => types::PartyKind::Intermediary,
        PartyKind::Association => types::PartyKind::Association,
        PartyKind::Other => types::PartyKind::Other,
    }
}

fn register(register: Register) -> proto::Register {
    match register {
        Register::KeyEnterprise => proto::Register::KeyEnterprise,
        Register::InnovativeEnterprise => proto::Register::InnovativeEnterprise,
    }
}

fn control(kind: ControlKind) -> proto::ControlKind {
    match kind {
        ControlKind::Equity => proto::ControlKind::Equity,
        ControlKind::Contract => proto::ControlKind::Contract,
        ControlKind::Management => proto::ControlKind::Management,
    }
}
