//! Each request's command about a party.

use super::{Asked, values::line};
use crate::{
    Command,
    party::{PartyCommand, Recording},
};
use concord_chassis::{
    ask,
    edge::{Choice, Reading},
};
use concord_events::{
    agreement::{ControlKind, Register},
    party::CodeCertificate,
};
use concord_kernel::{
    id::OrganisationId,
    party::{PartyCode, PartyId},
};
use concord_proto::agreement::v1 as proto;

ask!(Command: proto::RecordPartyRequest, |this, reading| {
    let code = code(reading, &this.code, this.certificate.as_ref());
    let kind = reading.party_kind("kind", this.kind);
    let name = line(reading, "name", &this.name);
    let region = match this.region.as_str() {
        "" => Some(None),
        region => reading.region("region", region).map(Some),
    };
    let industry = reading.industry(&this.industry);
    let certificate = certificate(reading, this.certificate);
    let recording = Recording {
        code: code?,
        kind: kind?,
        name: name?,
        region: region?,
        industry: industry?,
        certificate: certificate?,
    };
    Some(of(PartyId::of(&recording.code), PartyCommand::Record(recording)))
});

ask!(Command: proto::AddPartyCodeRequest, |this, reading| {
    let id = party_id(reading, "party_id", &this.party_id);
    let code = code(reading, &this.code, this.certificate.as_ref());
    let certificate = certificate(reading, this.certificate);
    Some(of(id?, PartyCommand::AddCode { code: code?, certificate: certificate? }))
});

ask!(Command: proto::RenamePartyRequest, |this, reading| {
    let id = party_id(reading, "party_id", &this.party_id);
    let name = line(reading, "name", &this.name);
    Some(of(id?, PartyCommand::Rename { name: name? }))
});

ask!(Command: proto::ReclassifyPartyRequest, |this, reading| {
    let id = party_id(reading, "party_id", &this.party_id);
    let kind = reading.party_kind("kind", this.kind);
    Some(of(id?, PartyCommand::Reclassify { kind: kind? }))
});

ask!(Command: proto::RelocatePartyRequest, |this, reading| {
    let id = party_id(reading, "party_id", &this.party_id);
    let region = reading.region("region", &this.region);
    Some(of(id?, PartyCommand::Relocate { region: region? }))
});

ask!(Command: proto::EnterRegisterRequest, |this, reading| {
    let id = party_id(reading, "party_id", &this.party_id);
    let register = register(reading, this.register);
    Some(of(id?, PartyCommand::EnterRegister { register: register? }))
});

ask!(Command: proto::LeaveRegisterRequest, |this, reading| {
    let id = party_id(reading, "party_id", &this.party_id);
    let register = register(reading, this.register);
    Some(of(id?, PartyCommand::LeaveRegister { register: register? }))
});

ask!(Command: proto::RecordControlLinkRequest, |this, reading| {
    let id = party_id(reading, "party_id", &this.party_id);
    let controller = party_id(reading, "controller", &this.controller);
    let kind = control(reading, this.kind);
    Some(of(id?, PartyCommand::RecordControlLink { controller: controller?, kind: kind? }))
});

ask!(Command: proto::EndControlLinkRequest, |this, reading| {
    let id = party_id(reading, "party_id", &this.party_id);
    let controller = party_id(reading, "controller", &this.controller);
    let kind = control(reading, this.kind);
    Some(of(id?, PartyCommand::EndControlLink { controller: controller?, kind: kind? }))
});

ask!(Command: proto::RecordRepresentationRequest, |this, reading| {
    let id = party_id(reading, "party_id", &this.party_id);
    let organisation = organisation(reading, &this.organisation_id);
    let authority = line(reading, "authority", &this.authority);
    let command =
        PartyCommand::RecordRepresentation { organisation: organisation?, authority: authority? };
    Some(of(id?, command))
});

ask!(Command: proto::EndRepresentationRequest, |this, reading| {
    let id = party_id(reading, "party_id", &this.party_id);
    let organisation = organisation(reading, &this.organisation_id);
    Some(of(id?, PartyCommand::EndRepresentation { organisation: organisation? }))
});

ask!(Command: proto::MergePartyRequest, |this, reading| {
    let id = party_id(reading, "party_id", &this.party_id);
    let into = party_id(reading, "into", &this.into);
    Some(of(id?, PartyCommand::Merge { into: into? }))
});

ask!(Command: proto::DissolvePartyRequest, |this, reading| {
    let id = party_id(reading, "party_id", &this.party_id);
    Some(of(id?, PartyCommand::Dissolve))
});

fn of(id: PartyId, command: PartyCommand) -> Asked {
    Asked::of(id.stream(), Command::Party(id, command))
}

fn party_id(reading: &mut Reading<'_>, field: &str, text: &str) -> Option<PartyId> {
    reading.faults.require_uuid(field, text).map(PartyId)
}

/// A code, and where a certificate stands beside it one that fails its check.
fn code(
    reading: &mut Reading<'_>,
    text: &str,
    certificate: Option<&proto::CodeCertificate>,
) -> Option<PartyCode> {
    match certificate {
        None => reading.party_code("code", text),
        Some(_) => PartyCode::parse_of_certificate(text)
            .map_err(|fault| reading.faults.add("code", fault.to_string()))
            .ok(),
    }
}

/// The outer `None` with a fault, the inner one where there is none.
fn certificate(
    reading: &mut Reading<'_>,
    certificate: Option<proto::CodeCertificate>,
) -> Option<Option<CodeCertificate>> {
    let Some(certificate) = certificate else { return Some(None) };
    let document_number = line(reading, "certificate.document_number", &certificate.document_number);
    let note = line(reading, "certificate.note", &certificate.note);
    Some(Some(CodeCertificate { document_number: document_number?, note: note? }))
}

/// An organisation as a caller may name its own.
fn organisation(reading: &mut Reading<'_>, text: &str) -> Option<OrganisationId> {
    const ADVICE: &str = "is not an organisation's id; write 1 to 128 visible ASCII characters other than \"@\", as after \"@\" in \
                          concord-actor";
    let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@');
    let organisation = OrganisationId::new(text).ok().filter(|_| is_visible);
    if organisation.is_none() {
        reading.faults.add("organisation_id", ADVICE);
    }
    organisation
}

fn register(reading: &mut Reading<'_>, register: i32) -> Option<Register> {
    const REGISTER: Choice = Choice { one: "a register", noun: "register", of: "Register" };
    reading.choice("register", register, REGISTER, |register| match register {
        proto::Register::Unspecified => None,
        proto::Register::KeyEnterprise => Some(Register::KeyEnterprise),
        proto::Register::InnovativeEnterprise => Some(Register::InnovativeEnterprise),
    })
}

fn control(reading: &mut Reading<'_>, kind: i32) -> Option<ControlKind> {
    const KIND: Choice = Choice { one: "a kind", noun: "kind of control", of: "ControlKind" };
    reading.choice("kind", kind, KIND, |kind| match kind {
        proto::ControlKind::Unspecified => None,
        proto::ControlKind::Equity => Some(ControlKind::Equity),
        proto::ControlKind::Contract => Some(ControlKind::Contract),
        proto::ControlKind::Management => Some(ControlKind::Management),
    })
}
