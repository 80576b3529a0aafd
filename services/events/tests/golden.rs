//! Every event of every log, pinned byte for byte. What is stored is permanent: a file here never changes, and a new
//! form of an event is a new file.
//!
//! `GOLDEN=write cargo test -p concord-events --test golden` writes the files that are not there yet.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "golden/life.rs"]
mod life;

use concord_events::{
    agreement::Term,
    fund::{
        AgreementPoint, Allocation, BackingParty, Cleared, DirectoryPoint, Ending, Force, FundEvent,
        FundPurpose, FundingMode, HoldCause, InstructedUnder, LimitOn, Loss, Party, PartyChange,
        PlannedTranche, Source, TrancheCondition,
    },
    personal::PersonalRef,
};
use concord_kernel::event::LogEvent;
use concord_kernel::{
    Date,
    id::{AgreementId, GrantId, InstructionId, OrganisationId, ProgrammeId},
    industry::Industry,
    money::Currency,
    party::{PartyCode, PartyId, PartyKind},
};
use jiff::civil::date;
use std::{collections::BTreeSet, fs, path::PathBuf};
use uuid::Uuid;

const PROGRAMME: ProgrammeId = ProgrammeId(Uuid::from_u128(0x018f_4e7c_3b1a_7c5e_9d2f_0000_0000_000a));
const GRANT: GrantId = GrantId(Uuid::from_u128(0x018f_4e7c_3b1a_7c5e_9d2f_0000_0000_0001));
const AGREEMENT: AgreementId = AgreementId(Uuid::from_u128(0x018f_4e7c_3b1a_7c5e_9d2f_0000_0000_0005));
const INSTRUCTION: InstructionId = InstructionId(Uuid::from_u128(0x018f_4e7c_3b1a_7c5e_9d2f_0000_0000_0002));
const MODE: FundingMode = FundingMode::NonRepayable;

fn lead() -> Party {
    let code = PartyCode::parse("CN-USCC:91330100799655058B").unwrap();
    let region = "210102".parse().ok();
    Party {
        party: PartyId::of(&code),
        code,
        kind: PartyKind::Enterprise,
        region,
        name: Some("Works 工厂".to_owned()),
    }
}

/// As little as a migrated source may say.
fn bare_lead() -> Party {
    let code = PartyCode::parse("EU-PIC:998616262").unwrap();
    Party { party: PartyId::of(&code), code, kind: PartyKind::Other, region: None, name: None }
}

fn plan(condition: TrancheCondition) -> Vec<PlannedTranche> {
    vec![PlannedTranche { number: 1, amount_minor: 5_000_000, condition, due_on: date(2013, 6, 30) }]
}

fn account() -> PersonalRef {
    PersonalRef { person_id: "payee-1".to_owned(), hash: "4a553c56".repeat(8) }
}

/// The name of each event's file. A new variant has to be named here, and then its sample is missed.
fn names(event: &FundEvent) -> Vec<&'static str> {
    match event {
        FundEvent::TodayAdvanced { .. } => vec!["today_advanced"],
        FundEvent::ProgrammeAppropriated { .. } => vec!["programme_appropriated"],
        FundEvent::ProgrammeSupplemented { .. } => vec!["programme_supplemented"],
        FundEvent::ProgrammeCut { .. } => vec!["programme_cut"],
        FundEvent::SubLimitSet { .. } => {
            vec!["sub_limit_set_mode", "sub_limit_set_region", "sub_limit_lifted"]
        }
        FundEvent::GrantApplied { .. } => vec!["grant_applied", "grant_applied_bare"],
        FundEvent::GrantRecommended { .. } => vec!["grant_recommended"],
        FundEvent::GrantAdmitted { .. } => {
            vec!["grant_admitted", "grant_admitted_filed", "grant_admitted_directory"]
        }
        FundEvent::GrantReviewed { .. } => vec!["grant_reviewed"],
        FundEvent::NoticePublished { .. } => vec!["notice_published"],
        FundEvent::GrantApproved { .. } => vec!["grant_approved", "grant_approved_directory"],
        FundEvent::GrantRejected { .. } => {
            vec!["grant_rejected", "grant_rejected_backed", "grant_rejected_filed"]
        }
        FundEvent::GrantWithdrawn { .. } => {
            vec!["grant_withdrawn", "grant_withdrawn_backed", "grant_withdrawn_filed"]
        }
        FundEvent::ContractSigned { .. } => vec!["contract_signed", "contract_signed_shared"],
        FundEvent::PayeeVerified { .. } => vec!["payee_verified"],
        FundEvent::TrancheRequested { .. } => vec!["tranche_requested"],
        FundEvent::TrancheAuthorised { .. } => vec!["tranche_authorised"],
        FundEvent::TrancheRejected { .. } => vec!["tranche_rejected"],
        FundEvent::TrancheCancelled { .. } => vec!["tranche_cancelled"],
        FundEvent::TrancheInstructed { .. } => {
            vec!["tranche_instructed", "tranche_instructed_under", "tranche_instructed_offset"]
        }
        FundEvent::TrancheSettled { .. } => vec!["tranche_settled"],
        FundEvent::PaymentReturned { .. } => vec![
            "payment_returned",
            "payment_returned_short",
            "payment_returned_released",
            "payment_returned_offset",
        ],
        FundEvent::AwardImported { .. } => vec!["award_imported", "award_imported_bare"],
        FundEvent::BackingChanged { .. } => vec![
            "backing_changed_unsigned",
            "backing_changed_in_force",
            "backing_changed_suspended",
            "backing_changed_suspended_agreed",
            "backing_changed_terminated",
            "backing_changed_cancelled",
        ],
        FundEvent::PartyChanged { .. } => vec![
            "party_changed_recorded",
            "party_changed_code_added",
            "party_changed_renamed",
            "party_changed_merged",
            "party_changed_dissolved",
            "party_changed_represented",
            "party_changed_representation_ended",
        ],
        FundEvent::BackingNamed { .. } => vec!["backing_named", "backing_named_anew"],
        FundEvent::GrantHeld { .. } => vec!["grant_held_by_office", "grant_held_backing_lost"],
        FundEvent::HoldCauseCleared { .. } => vec!["hold_cause_cleared", "hold_cause_cleared_renamed"],
        FundEvent::GrantResumed { .. } => vec!["grant_resumed"],
        later => life::names(later),
    }
}

/// Every event's file, as many as [`names`] knows, with a sample.
fn samples() -> Vec<(&'static str, FundEvent)> {
    let (currency, on) = (Currency::CNY, date(2013, 3, 4));
    let programme_events = [
        ("today_advanced", FundEvent::TodayAdvanced { today: on }),
        (
            "programme_appropriated",
            FundEvent::ProgrammeAppropriated {
                programme: PROGRAMME,
                fund: "guiding-fund".to_owned(),
                purpose: FundPurpose::Transformation,
                year: 2013,
                currency,
                amount_minor: 100_000_000,
                title: "2013 年度计划".to_owned(),
            },
        ),
        (
            "programme_supplemented",
            FundEvent::ProgrammeSupplemented { programme: PROGRAMME, currency, amount_minor: 1 },
        ),
        ("programme_cut", FundEvent::ProgrammeCut { programme: PROGRAMME, currency, amount_minor: 1 }),
        ("sub_limit_set_mode", sub_limit(LimitOn::Mode(MODE), Some(0))),
        ("sub_limit_set_region", sub_limit(LimitOn::Region("210100".parse().unwrap()), Some(5_000_000))),
        ("sub_limit_lifted", sub_limit(LimitOn::Mode(FundingMode::LoanInterestSubsidy), None)),
    ];
    programme_events
        .into_iter()
        .chain(procedure(currency, on))
        .chain(payments(currency))
        .chain(imports(currency))
        .chain(backing(on))
        .chain(directory(on))
        .chain(life::samples(currency))
        .collect()
}

fn backing(on: Date) -> Vec<(&'static str, FundEvent)> {
    let (grant, agreement) = (GRANT, AGREEMENT);
    let term = Term { from: on, until: date(2015, 3, 31) };
    let changed = |force| FundEvent::BackingChanged {
        agreement,
        parties: vec![BackingParty { party: lead().party, code: lead().code }],
        force,
        at: AgreementPoint { generation: 1, position: 17, event: Uuid::from_u128(3) },
        happened_on: on,
    };
    let lost = HoldCause::BackingLost { agreement, how: Loss::Terminated, agreement_position: 17 };
    let cleared = |cleared| FundEvent::HoldCauseCleared { grant, agreement, cleared, agreement_position: 18 };
    vec![
        ("backing_changed_unsigned", changed(Force::Unsigned)),
        ("backing_changed_in_force", changed(Force::InForce { term })),
        ("backing_changed_suspended", changed(Force::Suspended { term, agreed_until: None })),
        (
            "backing_changed_suspended_agreed",
            changed(Force::Suspended { term, agreed_until: Some(date(2016, 3, 31)) }),
        ),
        ("backing_changed_terminated", changed(Force::Ended { how: Ending::Terminated, term: Some(term) })),
        ("backing_changed_cancelled", changed(Force::Ended { how: Ending::Cancelled, term: None })),
        ("backing_named", FundEvent::BackingNamed { grant, agreement, former: None }),
        (
            "backing_named_anew",
            FundEvent::BackingNamed { grant, agreement, former: Some(AgreementId(Uuid::from_u128(4))) },
        ),
        (
            "grant_held_by_office",
            FundEvent::GrantHeld {
                grant,
                cause: HoldCause::Office { reason: "审计核查".to_owned() },
                cause_on: on,
            },
        ),
        ("grant_held_backing_lost", FundEvent::GrantHeld { grant, cause: lost, cause_on: on }),
        ("hold_cause_cleared", cleared(Cleared::InForceAgain)),
        ("hold_cause_cleared_renamed", cleared(Cleared::AnotherNamed)),
        ("grant_resumed", FundEvent::GrantResumed { grant }),
    ]
}

/// What is taken in of the directory of parties.
fn directory(on: Date) -> Vec<(&'static str, FundEvent)> {
    let (party, organisation) = (bare_lead(), OrganisationId::new("shenyang-works").unwrap());
    let code = lead().code;
    let changed = |change| FundEvent::PartyChanged {
        party: party.party,
        change,
        at: AgreementPoint { generation: 1, position: 17, event: Uuid::from_u128(3) },
        happened_on: on,
    };
    let represented = PartyChange::Represented {
        organisation: organisation.clone(),
        authority: "辽科发〔2013〕9号".to_owned(),
        from: on,
    };
    vec![
        (
            "party_changed_recorded",
            changed(PartyChange::Recorded { code: party.code.clone(), name: "Works 工厂".to_owned() }),
        ),
        ("party_changed_code_added", changed(PartyChange::CodeAdded { code, from: on })),
        ("party_changed_renamed", changed(PartyChange::Renamed { name: "新厂".to_owned(), from: on })),
        ("party_changed_merged", changed(PartyChange::Merged { into: lead().party, from: on })),
        ("party_changed_dissolved", changed(PartyChange::Dissolved { from: on })),
        ("party_changed_represented", changed(represented)),
        (
            "party_changed_representation_ended",
            changed(PartyChange::RepresentationEnded { organisation, from: on }),
        ),
    ]
}

fn sub_limit(on: LimitOn, limit_minor: Option<i64>) -> FundEvent {
    FundEvent::SubLimitSet { programme: PROGRAMME, currency: Currency::CNY, on, limit_minor }
}

fn procedure(currency: Currency, on: Date) -> Vec<(&'static str, FundEvent)> {
    let (grant, programme, lead_region) = (GRANT, PROGRAMME, lead().region);
    let applied = |lead: Party, industry| FundEvent::GrantApplied {
        grant,
        programme,
        currency,
        mode: MODE,
        title: "Bearings 风电轴承".to_owned(),
        allocations: vec![Allocation { party: lead.clone(), amount_minor: Some(10_000_000) }],
        lead,
        industry,
        requested_minor: 10_000_000,
        total_budget_minor: 30_000_000,
        starts_on: on,
        ends_on: date(2015, 3, 31),
    };
    let approved = |directory| FundEvent::GrantApproved {
        grant,
        programme,
        currency,
        mode: MODE,
        lead_region: lead().region,
        amount_minor: 10_000_000,
        minutes: "2013-7".to_owned(),
        directory,
    };
    vec![
        ("grant_applied", applied(lead(), Some(Industry::AdvancedEquipment))),
        ("grant_applied_bare", applied(bare_lead(), None)),
        ("grant_recommended", FundEvent::GrantRecommended { grant, recommender: "沈阳市科技局".to_owned() }),
        ("grant_admitted", FundEvent::GrantAdmitted { grant, filed: None }),
        (
            "grant_reviewed",
            FundEvent::GrantReviewed { grant, currency, score_hundredths: 8_550, ceiling_minor: 10_000_000 },
        ),
        (
            "notice_published",
            FundEvent::NoticePublished {
                grant,
                currency,
                amount_minor: 10_000_000,
                working_days: 7,
                last_day: date(2013, 3, 21),
                approvable_from: date(2013, 3, 22),
            },
        ),
        ("grant_approved", approved(None)),
        ("grant_approved_directory", approved(Some(DirectoryPoint { generation: 1, position: 17 }))),
        (
            "grant_rejected",
            FundEvent::GrantRejected {
                grant,
                programme,
                currency,
                mode: MODE,
                lead_region: lead_region.clone(),
                released_minor: 10_000_000,
                reason: "不符合条件".to_owned(),
                backing: None,
                lead: None,
            },
        ),
        (
            "grant_rejected_backed",
            FundEvent::GrantRejected {
                grant,
                programme,
                currency,
                mode: MODE,
                lead_region: lead_region.clone(),
                released_minor: 10_000_000,
                reason: "不符合条件".to_owned(),
                backing: Some(AGREEMENT),
                lead: None,
            },
        ),
        (
            "grant_withdrawn",
            FundEvent::GrantWithdrawn {
                grant,
                programme,
                currency,
                mode: MODE,
                lead_region: None,
                released_minor: 0,
                reason: "withdrawn by the applicant".to_owned(),
                backing: None,
                lead: None,
            },
        ),
        (
            "grant_withdrawn_backed",
            FundEvent::GrantWithdrawn {
                grant,
                programme,
                currency,
                mode: MODE,
                lead_region: None,
                released_minor: 0,
                reason: "withdrawn by the applicant".to_owned(),
                backing: Some(AGREEMENT),
                lead: None,
            },
        ),
        (
            "contract_signed",
            FundEvent::ContractSigned {
                grant,
                programme,
                currency,
                mode: MODE,
                lead_region,
                contract_number: "2013-001".to_owned(),
                amount_minor: 5_000_000,
                approved_minor: 10_000_000,
                starts_on: on,
                ends_on: date(2015, 3, 31),
                tranches: plan(TrancheCondition::Contract),
                terms_rulebook: "2012-09".to_owned(),
                lead: None,
                allocations: Vec::new(),
                acceptance_due_on: None,
            },
        ),
        ("payee_verified", FundEvent::PayeeVerified { grant, account: account() }),
    ]
}

fn payments(currency: Currency) -> Vec<(&'static str, FundEvent)> {
    let (grant, programme, tranche, amount_minor, attempt) = (GRANT, PROGRAMME, 1, 5_000_000, 1);
    let (instruction, reason) = (INSTRUCTION, "账户已销户".to_owned());
    vec![
        ("tranche_requested", FundEvent::TrancheRequested { grant, currency, tranche, amount_minor }),
        ("tranche_authorised", FundEvent::TrancheAuthorised { grant, currency, tranche, amount_minor }),
        ("tranche_rejected", FundEvent::TrancheRejected { grant, tranche, reason: reason.clone() }),
        ("tranche_cancelled", FundEvent::TrancheCancelled { grant, tranche, reason: reason.clone() }),
        (
            "tranche_instructed",
            FundEvent::TrancheInstructed {
                grant,
                programme,
                currency,
                tranche,
                amount_minor,
                instruction,
                attempt,
                payee: account(),
                backing: None,
                offset_minor: 0,
            },
        ),
        (
            "tranche_instructed_under",
            FundEvent::TrancheInstructed {
                grant,
                programme,
                currency,
                tranche,
                amount_minor,
                instruction,
                attempt,
                payee: account(),
                backing: Some(InstructedUnder {
                    agreement: AGREEMENT,
                    position: 17,
                    verified_position: 20,
                    verified_at: "2013-03-04T01:02:03.000004Z".parse().unwrap(),
                }),
                offset_minor: 0,
            },
        ),
        (
            "tranche_settled",
            FundEvent::TrancheSettled {
                grant,
                programme,
                currency,
                tranche,
                amount_minor,
                instruction,
                attempt,
                bank_reference: "b-1".to_owned(),
            },
        ),
        (
            "payment_returned",
            FundEvent::PaymentReturned {
                grant,
                programme,
                currency,
                tranche,
                amount_minor,
                shortfall_minor: 0,
                offset_minor: 0,
                released: None,
                instruction,
                attempt,
                after_settlement: true,
                bank_reference: "r-1".to_owned(),
                reason,
            },
        ),
    ]
}

fn imports(currency: Currency) -> Vec<(&'static str, FundEvent)> {
    let imported = |lead: Party, whole: bool| FundEvent::AwardImported {
        grant: GRANT,
        programme: PROGRAMME,
        fund: "guiding-fund".to_owned(),
        year: 2013,
        currency,
        mode: MODE,
        title: "An award of before".to_owned(),
        allocations: vec![Allocation { party: lead.clone(), amount_minor: whole.then_some(5_000_000) }],
        lead,
        industry: whole.then_some(Industry::NewMaterials),
        amount_minor: 5_000_000,
        total_budget_minor: whole.then_some(9_000_000),
        starts_on: whole.then_some(date(2013, 3, 4)),
        ends_on: whole.then_some(date(2015, 3, 31)),
        tranches: if whole { plan(TrancheCondition::FinalAcceptance) } else { Vec::new() },
        source: Source {
            data_set: "archive 档案".to_owned(),
            key: "17".to_owned(),
            row: "17;\"Bearings\";50000.00\n".to_owned(),
            synthetic: whole,
        },
        discrepancies: if whole { vec!["shares fall short by 1.00".to_owned()] } else { Vec::new() },
        terms_rulebook: "2012-09".to_owned(),
    };
    vec![("award_imported", imported(lead(), true)), ("award_imported_bare", imported(bare_lead(), false))]
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.json"))
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
        assert_eq!(
            serde_json::from_str::<FundEvent>(&golden).unwrap(),
            event,
            "{name} is read otherwise than it was"
        );
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
    assert_eq!(kinds.len(), 66, "a new event needs a sample, and this number");
    for entry in fs::read_dir(file("x").parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        // Each further log has a folder of its own.
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(sampled.contains(name), "{name}.json has no sample: an event was forgotten, or renamed");
    }
}
