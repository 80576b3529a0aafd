//! Bad requests: every fault at its field, all at once.

use concord_agreement::{
    Agreements, Command,
    agreement::{AgreementCommand, force::ForceCommand},
    wire::{self, Ask, Caller, Draft, Edge},
};
use concord_chassis::{
    grpc::{Actor, Violations},
    log::Domain,
};
use concord_kernel::{party::PartyId, region::Regions};
use concord_proto::{
    agreement::v1::{
        ActionItem, AgreementKind, BulkCommand, Changes, CloseActionItemRequest, CodeCertificate, Document,
        DraftAgreementRequest, DraftParty, FulfilObligationRequest, MergePartyRequest, MinuteMeetingRequest,
        Obligation, ProposeAmendmentRequest, RecordPartyRequest, RegisterContractRequest,
        RelocatePartyRequest, SignAgreementRequest, Term, TerminateAgreementRequest, bulk_command,
    },
    r#type::v1::{Actor as ProtoActor, CommandHeader, Money, PartyKind},
};
use jiff::civil::date;
use tonic::{Code, Status};
use tonic_types::StatusExt;

const ID: &str = "018f4e7c-3b1a-7c5e-9d2f-1a2b3c4d5e6f";
const WORKS: &str = "CN-USCC:9144030071526726XG";

fn header() -> Option<CommandHeader> {
    Some(CommandHeader {
        request_id: ID.to_owned(),
        effective_on: "2013-03-04".to_owned(),
        ..CommandHeader::default()
    })
}

fn caller() -> Caller {
    let actor = ProtoActor { person_id: "p".to_owned(), organisation_id: "o".to_owned() };
    Caller { actor: Actor::from_proto(&actor, "actor", &mut Violations::new("test")), traceparent: None }
}

fn edge() -> Edge<'static> {
    Edge { regions: Regions::shipped(), today: date(2013, 3, 5) }
}

/// Reads a request as on 5 March 2013.
fn read(request: impl Ask<Command>) -> Result<Draft, Status> {
    wire::read(edge(), &caller(), Violations::new(Agreements::error_domain()), request)
        .map_err(|malformed| malformed.status)
}

/// The fields that are at fault.
fn faults(request: impl Ask<Command>) -> Vec<String> {
    let status = read(request).err().unwrap();
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_details_bad_request().unwrap();
    details.field_violations.into_iter().map(|violation| violation.field).collect()
}

fn draft() -> DraftAgreementRequest {
    let party = |code: &str| DraftParty { code: code.to_owned(), role: 0 };
    DraftAgreementRequest {
        header: header(),
        agreement_id: ID.to_owned(),
        kind: AgreementKind::LongTerm.into(),
        title: "轴承 Bearings".to_owned(),
        parties: vec![party(WORKS), party("CN-USCC:91330100799655058B")],
        term: Some(Term { from: "2013-04-01".to_owned(), until: "2016-03-31".to_owned() }),
        ..DraftAgreementRequest::default()
    }
}

fn signature() -> SignAgreementRequest {
    SignAgreementRequest {
        header: header(),
        agreement_id: ID.to_owned(),
        party: WORKS.to_owned(),
        signatory: "p-1".to_owned(),
        authority: "1号".to_owned(),
    }
}

fn document(sha256: &str) -> Document {
    Document { sha256: sha256.to_owned(), archive_number: String::new() }
}

#[test]
fn a_good_request_becomes_a_command() {
    let read_draft = read(draft()).unwrap();
    let Command::Agreement(id, AgreementCommand::Draft(drafted)) = read_draft.command() else {
        panic!("it is a draft")
    };
    assert_eq!((id.to_string(), drafted.parties.len(), drafted.parent), (ID.to_owned(), 2, None));
    let signed = read(signature()).unwrap();
    let Command::Agreement(_, AgreementCommand::Force(ForceCommand::Sign(signing))) = signed.command() else {
        panic!("it is a signature")
    };
    assert_eq!(signing.party.to_string(), WORKS);
}

#[test]
fn a_party_is_recorded_under_the_id_of_its_code() {
    let request = RecordPartyRequest {
        header: header(),
        code: WORKS.to_owned(),
        kind: PartyKind::Enterprise.into(),
        name: "某厂".to_owned(),
        region: String::new(),
        industry: String::new(),
        certificate: None,
    };
    let recorded = read(request.clone()).unwrap();
    let Command::Party(id, _) = recorded.command() else { panic!("it is about a party") };
    assert_eq!(*id, PartyId::of(&WORKS.parse().unwrap()));
    let wrong = RecordPartyRequest { region: "ZZ".to_owned(), industry: "steel".to_owned(), ..request };
    // What depends on the day comes last.
    assert_eq!(faults(wrong), ["industry", "region"]);
}

#[test]
fn a_code_that_fails_its_check_needs_a_certificate() {
    let certificate = |number: &str, note: &str| {
        let (document_number, note) = (number.to_owned(), note.to_owned());
        Some(CodeCertificate { document_number, note })
    };
    let recorded = |code: &str, certificate: Option<CodeCertificate>| RecordPartyRequest {
        header: header(),
        code: code.to_owned(),
        kind: PartyKind::Enterprise.into(),
        name: "某厂".to_owned(),
        region: String::new(),
        industry: String::new(),
        certificate,
    };
    let wrong = "CN-USCC:91350100M000100Y4Z";
    assert_eq!(faults(recorded(wrong, None)), ["code"]);
    assert!(read(recorded(wrong, certificate("闽市监 12", "证照如此"))).is_ok());
    assert_eq!(
        faults(recorded(wrong, certificate("", ""))),
        ["certificate.document_number", "certificate.note"]
    );
    // All else about a code is checked.
    for code in ["CN-USCC:9I330100799655058B", "EU-PIC:1", "CN-USCC:N/A", "CN-USCC:9.13E+17", "US-EIN:-"] {
        assert_eq!(faults(recorded(code, certificate("1", "x"))), ["code"], "{code}");
        assert_eq!(faults(recorded(code, None)), ["code"], "{code}");
    }
    // The unified code has two names, and one id.
    let named = read(recorded(&WORKS.replace("USCC", "USCI"), None)).unwrap();
    let Command::Party(id, _) = named.command() else { panic!("it is about a party") };
    assert_eq!(*id, PartyId::of(&WORKS.parse().unwrap()));
}

#[test]
fn an_empty_request_is_told_everything_that_is_missing() {
    let missing: [(Vec<String>, &[&str]); 9] = [
        (faults(DraftAgreementRequest::default()), &["header", "agreement_id", "kind", "title", "term"]),
        (
            faults(SignAgreementRequest::default()),
            &["header", "agreement_id", "party", "signatory", "authority"],
        ),
        (
            faults(TerminateAgreementRequest::default()),
            &["header", "agreement_id", "reason", "authority", "out_of_force_from"],
        ),
        (faults(ProposeAmendmentRequest::default()), &["header", "agreement_id", "changes", "authority"]),
        (faults(FulfilObligationRequest::default()), &["header", "agreement_id", "obligation", "evidence"]),
        (
            faults(CloseActionItemRequest::default()),
            &["header", "agreement_id", "meeting", "item", "evidence"],
        ),
        (
            faults(RegisterContractRequest::default()),
            &["header", "agreement_id", "number", "class", "technology_income"],
        ),
        (faults(RecordPartyRequest::default()), &["header", "code", "kind", "name"]),
        (faults(MergePartyRequest::default()), &["header", "party_id", "into"]),
    ];
    for (told, fields) in missing {
        assert_eq!(told, fields);
    }
}

/// One fault each, and the field that it is told at.
#[test]
fn each_fault_is_told_at_its_field() {
    type Change<'a> = &'a dyn Fn(&mut DraftAgreementRequest);
    let rows: [(&str, Change<'_>, &str); 12] = [
        ("a kind unknown", &|r| r.kind = 9, "kind"),
        ("a title too long", &|r| r.title = "题".repeat(167), "title"),
        ("a wrong check character", &|r| r.parties[0].code.replace_range(25.., "A"), "parties[0].code"),
        ("a role unknown", &|r| r.parties[1].role = 4, "parties[1].role"),
        ("too many parties", &|r| r.parties = vec![r.parties[0].clone(); 51], "parties"),
        ("a term without its end", &|r| r.term.as_mut().unwrap().until.clear(), "term.until"),
        ("a parent that is no id", &|r| r.parent_id = "framework".to_owned(), "parent_id"),
        ("a type unknown", &|r| r.technology = 6, "technology"),
        ("a value of nothing", &|r| r.value = Some(Money::new(0, "CNY")), "value.amount_minor"),
        ("too many obligations", &|r| r.obligations = vec![Obligation::default(); 501], "obligations"),
        ("a digest too short", &|r| r.documents = vec![document("ab")], "documents[0].sha256"),
        (
            "tomorrow",
            &|r| r.header.as_mut().unwrap().effective_on = "2013-03-06".to_owned(),
            "header.effective_on",
        ),
    ];
    for (says, change, field) in rows {
        let mut request = draft();
        change(&mut request);
        assert_eq!(faults(request), [field], "{says}");
    }
}

#[test]
fn an_amendment_changes_something() {
    let propose = |changes| ProposeAmendmentRequest {
        header: header(),
        agreement_id: ID.to_owned(),
        changes: Some(changes),
        authority: "2号".to_owned(),
        documents: Vec::new(),
    };
    assert_eq!(faults(propose(Changes::default())), ["changes"]);
    // To have no obligations any more is a change.
    assert!(read(propose(Changes { obligations: Some(Default::default()), ..Changes::default() })).is_ok());
    let bad = Changes { term_end: "2016-02-30".to_owned(), ..Changes::default() };
    assert_eq!(faults(propose(bad)), ["changes.term_end"]);
}

#[test]
fn minutes_and_their_items_are_read_one_by_one() {
    let meeting = MinuteMeetingRequest {
        header: header(),
        agreement_id: ID.to_owned(),
        kind: 0,
        parties: vec![WORKS.to_owned(), "CN-USCC:1".to_owned()],
        minutes: None,
        action_items: vec![ActionItem { number: 1, due_on: "soon".to_owned(), ..ActionItem::default() }],
    };
    assert_eq!(
        faults(meeting),
        [
            "kind",
            "parties[1]",
            "minutes",
            "action_items[0].party",
            "action_items[0].text",
            "action_items[0].due_on"
        ]
    );
}

#[test]
fn a_region_is_checked_on_the_day_of_the_fact() {
    let moved = |region: &str| RelocatePartyRequest {
        header: header(),
        party_id: ID.to_owned(),
        region: region.to_owned(),
    };
    // 辽中 was a county, 210122, until it became a district, 210115, in 2016.
    assert!(read(moved("210122")).is_ok());
    assert_eq!(faults(moved("210115")), ["region"]);
}

#[test]
fn a_bulk_command_names_its_actor_or_has_the_streams() {
    let bulk =
        |actor| BulkCommand { actor, command: Some(bulk_command::Command::SignAgreement(signature())) };
    assert!(wire::read_bulk(edge(), &caller(), bulk(None)).is_ok());
    assert!(wire::read_bulk(edge(), &Caller::default(), bulk(None)).is_err());
    let nothing = BulkCommand { actor: None, command: None };
    assert!(wire::read_bulk(edge(), &caller(), nothing).is_err());
}
