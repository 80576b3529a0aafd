//! Every event of the `agreement` log, pinned byte for byte as in `golden.rs`.
//!
//! `GOLDEN=write cargo test -p concord-events --test golden_agreement` writes the files that are not there yet.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use concord_events::{
    agreement::{
        ActionItem, AgreementEvent, AgreementKind, Changes, ControlKind, MeetingKind, Obligation,
        ObligationKind, Participant, Register, Role, TechnologyContractType, Term, Value,
    },
    document::{Document, Sha256},
    party::{CodeCertificate, Party},
};
use concord_kernel::{
    Date,
    event::{LogEvent, StreamId},
    id::{AgreementId, OrganisationId},
    industry::Industry,
    money::Currency,
    party::{PartyCode, PartyCodeId, PartyId, PartyKind},
    rulebook::AgreementField,
};
use jiff::civil::date;
use std::{collections::BTreeSet, fs, path::PathBuf};
use uuid::Uuid;

const AGREEMENT: AgreementId = AgreementId(Uuid::from_u128(0x018f_4e7c_3b1a_7c5e_9d2f_0000_0000_000b));
const PARENT: AgreementId = AgreementId(Uuid::from_u128(0x018f_4e7c_3b1a_7c5e_9d2f_0000_0000_000c));
const FROM: Date = date(2013, 4, 1);
const TERM: Term = Term { from: FROM, until: date(2016, 3, 31) };
const VALUE: Value = Value { amount_minor: 50_000_000, currency: Currency::CNY };

fn works() -> PartyCode {
    PartyCode::parse("CN-USCC:91330100799655058B").unwrap()
}

fn university() -> PartyCode {
    PartyCode::parse("EU-PIC:998616262").unwrap()
}

fn participant(code: PartyCode, kind: PartyKind, role: Role) -> Participant {
    let party = PartyId::of(&code);
    Participant {
        party: Party { party, code, kind, region: None, name: Some("Works 工厂".to_owned()) },
        role,
    }
}

fn document(archived: bool) -> Document {
    Document {
        sha256: Sha256::parse(&"4a553c56".repeat(8)).unwrap(),
        archive_number: archived.then(|| "2013-永久-17".to_owned()),
    }
}

fn obligations() -> Vec<Obligation> {
    vec![Obligation {
        number: 1,
        kind: ObligationKind::Milestone,
        party: university(),
        text: "Prototype 样机".to_owned(),
        due_on: date(2014, 6, 30),
    }]
}

/// The name of each event's file. A new variant has to be named here, and then its sample is missed.
fn names(event: &AgreementEvent) -> Vec<&'static str> {
    match event {
        AgreementEvent::TodayAdvanced { .. } => vec!["today_advanced"],
        AgreementEvent::AgreementDrafted { .. } => vec!["agreement_drafted", "agreement_drafted_bare"],
        AgreementEvent::DraftCancelled { .. } => vec!["draft_cancelled"],
        AgreementEvent::AgreementSigned { .. } => vec!["agreement_signed", "agreement_signed_by_all"],
        AgreementEvent::AgreementSuspended { .. } => vec!["agreement_suspended"],
        AgreementEvent::AgreementResumed { .. } => vec!["agreement_resumed"],
        AgreementEvent::AgreementRenewed { .. } => vec!["agreement_renewed", "agreement_renewed_suspended"],
        AgreementEvent::AgreementCompleted { .. } => vec!["agreement_completed"],
        AgreementEvent::AgreementTerminated { .. } => vec!["agreement_terminated"],
        AgreementEvent::AmendmentProposed { .. } => vec!["amendment_proposed"],
        AgreementEvent::AmendmentSigned { .. } => vec!["amendment_signed"],
        AgreementEvent::AmendmentAbandoned { .. } => vec!["amendment_abandoned"],
        AgreementEvent::AgreementAmended { .. } => vec!["agreement_amended", "agreement_amended_signed"],
        AgreementEvent::PartySucceeded { .. } => vec!["party_succeeded"],
        AgreementEvent::ObligationFulfilled { .. } => vec!["obligation_fulfilled"],
        AgreementEvent::MeetingMinuted { .. } => vec!["meeting_minuted"],
        AgreementEvent::ActionItemClosed { .. } => vec!["action_item_closed"],
        AgreementEvent::RegistrationSubmitted { .. } => vec!["registration_submitted"],
        AgreementEvent::ContractRegistered { .. } => vec!["contract_registered"],
        AgreementEvent::RegistrationRefused { .. } => vec!["registration_refused"],
        AgreementEvent::RegistrationRevoked { .. } => vec!["registration_revoked"],
        AgreementEvent::PartyRecorded { .. } => {
            vec!["party_recorded", "party_recorded_bare", "party_recorded_certified"]
        }
        AgreementEvent::PartyCodeAdded { .. } => vec!["party_code_added", "party_code_added_certified"],
        AgreementEvent::PartyRenamed { .. } => vec!["party_renamed"],
        AgreementEvent::PartyReclassified { .. } => vec!["party_reclassified"],
        AgreementEvent::PartyRelocated { .. } => vec!["party_relocated"],
        AgreementEvent::RegisterEntered { .. } => vec!["register_entered"],
        AgreementEvent::RegisterLeft { .. } => vec!["register_left"],
        AgreementEvent::ControlLinkRecorded { .. } => vec!["control_link_recorded"],
        AgreementEvent::ControlLinkEnded { .. } => vec!["control_link_ended"],
        AgreementEvent::RepresentationRecorded { .. } => vec!["representation_recorded"],
        AgreementEvent::RepresentationEnded { .. } => vec!["representation_ended"],
        AgreementEvent::PartyMerged { .. } => vec!["party_merged"],
        AgreementEvent::PartyDissolved { .. } => vec!["party_dissolved"],
    }
}

/// Every event's file, as many as [`names`] knows, with a sample.
fn samples() -> Vec<(&'static str, AgreementEvent)> {
    [force(), amendments(), work(), registration(), directory()].into_iter().flatten().collect()
}

fn force() -> Vec<(&'static str, AgreementEvent)> {
    let (agreement, authority, reason) = (AGREEMENT, "辽科发〔2013〕7号".to_owned(), "双方协商".to_owned());
    let drafted = |whole: bool| AgreementEvent::AgreementDrafted {
        agreement,
        kind: if whole { AgreementKind::TechnologyContract } else { AgreementKind::NationalProject },
        title: "Bearings 风电轴承".to_owned(),
        parties: vec![
            participant(works(), PartyKind::Enterprise, if whole { Role::Buyer } else { Role::Participant }),
            participant(
                university(),
                PartyKind::University,
                if whole { Role::Seller } else { Role::Participant },
            ),
        ],
        term: TERM,
        parent: whole.then_some(PARENT),
        project_number: (!whole).then(|| "2013BAF01B00".to_owned()),
        technology: whole.then_some(TechnologyContractType::Transfer),
        value: whole.then_some(VALUE),
        obligations: if whole { obligations() } else { Vec::new() },
        documents: if whole { vec![document(true)] } else { Vec::new() },
        synthetic: whole,
    };
    let signed = |in_force| AgreementEvent::AgreementSigned {
        agreement,
        party: PartyId::of(&works()),
        signatory: "signatory-1".parse().unwrap(),
        authority: authority.clone(),
        signed_on: FROM,
        in_force,
    };
    let renewed = |in_force| AgreementEvent::AgreementRenewed {
        agreement,
        term: Term { from: date(2016, 4, 1), until: date(2019, 3, 31) },
        authority: authority.clone(),
        documents: vec![document(false)],
        in_force,
    };
    vec![
        ("today_advanced", AgreementEvent::TodayAdvanced { today: FROM }),
        ("agreement_drafted", drafted(true)),
        ("agreement_drafted_bare", drafted(false)),
        ("draft_cancelled", AgreementEvent::DraftCancelled { agreement, reason: reason.clone() }),
        ("agreement_signed", signed(None)),
        ("agreement_signed_by_all", signed(Some(TERM))),
        (
            "agreement_suspended",
            AgreementEvent::AgreementSuspended {
                agreement,
                cause: reason.clone(),
                authority: authority.clone(),
                out_of_force_from: FROM,
            },
        ),
        (
            "agreement_resumed",
            AgreementEvent::AgreementResumed { agreement, authority: authority.clone(), in_force: TERM },
        ),
        ("agreement_renewed", renewed(Some(Term { from: FROM, until: date(2019, 3, 31) }))),
        ("agreement_renewed_suspended", renewed(None)),
        (
            "agreement_completed",
            AgreementEvent::AgreementCompleted {
                agreement,
                out_of_force_from: FROM,
                documents: vec![document(true)],
            },
        ),
        (
            "agreement_terminated",
            AgreementEvent::AgreementTerminated { agreement, reason, authority, out_of_force_from: FROM },
        ),
    ]
}

fn amendments() -> Vec<(&'static str, AgreementEvent)> {
    let (agreement, version, authority) = (AGREEMENT, 2, "辽科发〔2014〕3号".to_owned());
    let changes = Changes {
        title: Some("Bearings II".to_owned()),
        term_end: Some(date(2017, 3, 31)),
        value: Some(VALUE),
        obligations: Some(obligations()),
    };
    vec![
        (
            "amendment_proposed",
            AgreementEvent::AmendmentProposed {
                agreement,
                version,
                changes: changes.clone(),
                material: vec![
                    AgreementField::Title,
                    AgreementField::TermEnd,
                    AgreementField::Value,
                    AgreementField::Obligations,
                ],
                documents: vec![document(true)],
            },
        ),
        (
            "amendment_signed",
            AgreementEvent::AmendmentSigned {
                agreement,
                version,
                party: PartyId::of(&works()),
                signatory: "signatory-1".parse().unwrap(),
                authority: authority.clone(),
                signed_on: FROM,
            },
        ),
        (
            "amendment_abandoned",
            AgreementEvent::AmendmentAbandoned { agreement, version, reason: "未达成一致".to_owned() },
        ),
        (
            "agreement_amended",
            AgreementEvent::AgreementAmended {
                agreement,
                version,
                from: FROM,
                changes: Changes { title: Some("Bearings II".to_owned()), ..Changes::default() },
                authority: Some(authority.clone()),
                documents: Vec::new(),
                in_force: None,
            },
        ),
        (
            "agreement_amended_signed",
            AgreementEvent::AgreementAmended {
                agreement,
                version,
                from: FROM,
                changes,
                authority: None,
                documents: vec![document(true)],
                in_force: Some(TERM),
            },
        ),
        (
            "party_succeeded",
            AgreementEvent::PartySucceeded {
                agreement,
                party: PartyId::of(&works()),
                successor: participant(university(), PartyKind::University, Role::Buyer).party,
                merged_in: true,
                authority,
            },
        ),
    ]
}

fn work() -> Vec<(&'static str, AgreementEvent)> {
    let (agreement, meeting, evidence) = (AGREEMENT, 1, vec![document(true), document(false)]);
    vec![
        (
            "obligation_fulfilled",
            AgreementEvent::ObligationFulfilled { agreement, obligation: 1, evidence: evidence.clone() },
        ),
        (
            "meeting_minuted",
            AgreementEvent::MeetingMinuted {
                agreement,
                meeting,
                kind: MeetingKind::Consultation,
                parties: vec![works(), university()],
                minutes: document(true),
                action_items: vec![ActionItem {
                    number: 1,
                    party: works(),
                    text: "Send samples 寄送样品".to_owned(),
                    due_on: date(2013, 5, 1),
                }],
            },
        ),
        ("action_item_closed", AgreementEvent::ActionItemClosed { agreement, meeting, item: 1, evidence }),
    ]
}

fn registration() -> Vec<(&'static str, AgreementEvent)> {
    let (agreement, registrar, number) = (AGREEMENT, "沈阳市技术市场".to_owned(), "2013210100001".to_owned());
    vec![
        (
            "registration_submitted",
            AgreementEvent::RegistrationSubmitted { agreement, registrar: registrar.clone() },
        ),
        (
            "contract_registered",
            AgreementEvent::ContractRegistered {
                agreement,
                registrar: registrar.clone(),
                number: number.clone(),
                class: "技术转让".to_owned(),
                technology_income: VALUE,
            },
        ),
        (
            "registration_refused",
            AgreementEvent::RegistrationRefused {
                agreement,
                registrar: registrar.clone(),
                reason: "材料不全".to_owned(),
            },
        ),
        (
            "registration_revoked",
            AgreementEvent::RegistrationRevoked {
                agreement,
                registrar,
                number,
                reason: "合同未履行".to_owned(),
                authority: "沈科撤〔2014〕1号".to_owned(),
            },
        ),
    ]
}

fn directory() -> Vec<(&'static str, AgreementEvent)> {
    let (party, other, from) = (PartyId::of(&works()), PartyId::of(&university()), FROM);
    let recorded = |whole: bool| AgreementEvent::PartyRecorded {
        party,
        code: works(),
        kind: PartyKind::Enterprise,
        name: "Works 工厂".to_owned(),
        region: whole.then(|| "210102".parse().unwrap()),
        industry: whole.then_some(Industry::AdvancedEquipment),
        certificate: None,
    };
    let certified = PartyCode::parse_of_certificate("CN-USCC:91350100M000100Y4Z").unwrap();
    let certificate = Some(CodeCertificate {
        document_number: "闽市监〔2015〕第0012号".to_owned(),
        note: "证照所载校验码如此".to_owned(),
    });
    let (register, kind) = (Register::KeyEnterprise, ControlKind::Equity);
    let organisation = OrganisationId::new("shenyang-works").unwrap();
    vec![
        ("party_recorded", recorded(true)),
        ("party_recorded_bare", recorded(false)),
        (
            "party_recorded_certified",
            AgreementEvent::PartyRecorded {
                party: PartyId::of(&certified),
                code: certified.clone(),
                kind: PartyKind::Enterprise,
                name: "Works 工厂".to_owned(),
                region: None,
                industry: None,
                certificate: certificate.clone(),
            },
        ),
        (
            "party_code_added",
            AgreementEvent::PartyCodeAdded {
                party,
                code: PartyCode::parse("CN-ORG:799655058").unwrap(),
                from,
                certificate: None,
            },
        ),
        (
            "party_code_added_certified",
            AgreementEvent::PartyCodeAdded { party, code: certified, from, certificate },
        ),
        ("party_renamed", AgreementEvent::PartyRenamed { party, name: "新厂".to_owned(), from }),
        ("party_reclassified", AgreementEvent::PartyReclassified { party, kind: PartyKind::Institute, from }),
        (
            "party_relocated",
            AgreementEvent::PartyRelocated { party, region: "210200".parse().unwrap(), from },
        ),
        ("register_entered", AgreementEvent::RegisterEntered { party, register, from }),
        ("register_left", AgreementEvent::RegisterLeft { party, register, from }),
        (
            "control_link_recorded",
            AgreementEvent::ControlLinkRecorded { party, controller: other, kind, from },
        ),
        ("control_link_ended", AgreementEvent::ControlLinkEnded { party, controller: other, kind, from }),
        (
            "representation_recorded",
            AgreementEvent::RepresentationRecorded {
                party,
                organisation: organisation.clone(),
                authority: "辽科发〔2013〕9号".to_owned(),
                from,
            },
        ),
        ("representation_ended", AgreementEvent::RepresentationEnded { party, organisation, from }),
        ("party_merged", AgreementEvent::PartyMerged { party, into: other, from }),
        ("party_dissolved", AgreementEvent::PartyDissolved { party, from }),
    ]
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/agreement").join(format!("{name}.json"))
}

#[test]
fn every_event_is_written_and_read_as_its_golden_file_has_it() {
    let write = std::env::var("GOLDEN").is_ok_and(|value| value == "write");
    for (name, event) in samples() {
        let json = format!("{}\n", serde_json::to_string_pretty(&event).unwrap());
        if write && !file(name).exists() {
            fs::write(file(name), &json).unwrap();
        }
        let golden = fs::read_to_string(file(name))
            .unwrap_or_else(|error| panic!("{name}: {error}; see the module's head"));
        assert_eq!(json, golden, "{name} is written otherwise than it was");
        let read: AgreementEvent = serde_json::from_str(&golden).unwrap();
        assert_eq!(read, event, "{name} is read otherwise than it was");
        let stored: serde_json::Value = serde_json::from_str(&golden).unwrap();
        assert_eq!(stored["type"], event.type_name(), "{name}");
    }
}

#[test]
fn no_event_lacks_a_golden_file() {
    let samples = samples();
    let sampled: BTreeSet<&str> = samples.iter().map(|(name, _)| *name).collect();
    let named: BTreeSet<&str> = samples.iter().flat_map(|(_, event)| names(event)).collect();
    assert_eq!(sampled, named);
    let kinds: BTreeSet<&str> = samples.iter().map(|(_, event)| event.type_name()).collect();
    assert_eq!(kinds.len(), 34, "a new event needs a sample, and this number");
    for entry in fs::read_dir(file("x").parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(sampled.contains(name), "{name}.json has no sample: an event was forgotten, or renamed");
    }
}

#[test]
fn an_event_is_in_the_stream_of_its_aggregate_and_of_what_else_it_changes() {
    for (name, event) in samples() {
        let data = serde_json::to_value(&event).unwrap()["data"].clone();
        let StreamId { kind, id } = event.stream();
        let own = match kind {
            "log" => serde_json::Value::String(Uuid::nil().to_string()),
            kind => data[kind].clone(),
        };
        assert_eq!(own, id.to_string(), "{name}");
        let also = match name {
            "party_recorded" | "party_recorded_bare" => vec![PartyCodeId::of(&works()).stream()],
            "party_code_added" => {
                vec![PartyCodeId::of(&PartyCode::parse("CN-ORG:799655058").unwrap()).stream()]
            }
            "party_recorded_certified" | "party_code_added_certified" => {
                let code = PartyCode::parse_of_certificate("CN-USCC:91350100M000100Y4Z").unwrap();
                vec![PartyCodeId::of(&code).stream()]
            }
            "party_merged" => vec![PartyId::of(&university()).stream()],
            _ => Vec::new(),
        };
        assert_eq!(event.also(), also, "{name}");
    }
}

#[test]
fn a_digest_has_64_hexadecimal_digits_and_is_held_in_lower_case() {
    let upper = "4A553C56".repeat(8);
    assert_eq!(Sha256::parse(&upper).unwrap().as_str(), upper.to_lowercase());
    for wrong in ["", "4a553c56", &"g".repeat(64), &"4".repeat(65), &"４".repeat(64)] {
        assert!(Sha256::parse(wrong).is_err(), "{wrong}");
        assert!(serde_json::from_value::<Sha256>(wrong.into()).is_err(), "{wrong}");
    }
}
