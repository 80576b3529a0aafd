//! Bad requests: every fault at its field, all at once.

use concord_chassis::{
    grpc::{Actor, Violations},
    log::Domain,
};
use concord_fund_grant::{
    Command, Fund,
    grant::{GrantCommand, hold::HoldCommand, tranche::TrancheCommand},
    wire::{self, Ask, Caller, Draft, Edge},
};
use concord_proto::{
    fund::v1::{
        Allocation, ApplyForGrantRequest, ApproveGrantsRequest, Award, BulkCommand, HoldGrantRequest,
        ImportAwardRequest, NameBackingAgreementRequest, PersonalData, PlannedTranche, RequestTrancheRequest,
        ResumeGrantRequest, SetSubLimitRequest, SignContractRequest, Source, TrancheCondition,
        VerifyPayeeRequest, bulk_command,
    },
    r#type::v1::{Actor as ProtoActor, CommandHeader, FundingMode, Money, Party, PartyKind},
};
use jiff::civil::date;
use tonic::{Code, Status};
use tonic_types::StatusExt;

pub const ID: &str = "018f4e7c-3b1a-7c5e-9d2f-1a2b3c4d5e6f";
pub const PROGRAMME_ID: &str = "018f4e7c-3b1a-7c5e-9d2f-1a2b3c4d5e70";

pub fn header() -> Option<CommandHeader> {
    Some(CommandHeader {
        request_id: ID.to_owned(),
        effective_on: "2013-03-04".to_owned(),
        ..CommandHeader::default()
    })
}

pub fn cny(amount_minor: i64) -> Option<Money> {
    Some(Money::new(amount_minor, "CNY"))
}

pub fn party(code: &str, region: &str) -> Option<Party> {
    let (code, region) = (code.to_owned(), region.to_owned());
    Some(Party { code, kind: PartyKind::Enterprise.into(), region, name: String::new() })
}

fn application() -> ApplyForGrantRequest {
    ApplyForGrantRequest {
        header: header(),
        grant_id: ID.to_owned(),
        programme_id: PROGRAMME_ID.to_owned(),
        mode: FundingMode::NonRepayable.into(),
        title: "Bearings 轴承".to_owned(),
        lead: party("CN-USCC:91330100799655058B", "210102"),
        industry: "new_materials".to_owned(),
        requested: cny(100),
        total_budget: cny(300),
        allocations: vec![share("CN-USCC:91330100799655058B", 60), share("CN-USCC:9144030071526726XG", 40)],
        starts_on: "2013-04-01".to_owned(),
        ends_on: "2015-03-31".to_owned(),
    }
}

pub fn share(code: &str, minor: i64) -> Allocation {
    Allocation { party: party(code, "210102"), amount_minor: Some(minor) }
}

pub fn tranche(number: u32, amount_minor: i64, condition: TrancheCondition) -> PlannedTranche {
    PlannedTranche { number, amount_minor, condition: condition.into(), due_on: "2013-06-30".to_owned() }
}

pub fn contract() -> SignContractRequest {
    SignContractRequest {
        header: header(),
        grant_id: ID.to_owned(),
        contract_number: "2013-1".to_owned(),
        amount: cny(100),
        starts_on: "2013-04-01".to_owned(),
        ends_on: "2015-03-31".to_owned(),
        tranches: vec![
            tranche(1, 60, TrancheCondition::Contract),
            tranche(2, 40, TrancheCondition::FinalAcceptance),
        ],
        allocations: Vec::new(),
    }
}

fn imported() -> ImportAwardRequest {
    ImportAwardRequest {
        header: header(),
        grant_id: ID.to_owned(),
        programme_id: PROGRAMME_ID.to_owned(),
        fund: "H2020".to_owned(),
        year: 2014,
        mode: FundingMode::NonRepayable.into(),
        title: "An award".to_owned(),
        lead: party("EU-PIC:998616262", ""),
        industry: String::new(),
        amount: cny(100),
        total_budget: None,
        allocations: vec![Allocation { party: party("EU-PIC:998616262", "DE"), amount_minor: None }],
        starts_on: String::new(),
        ends_on: String::new(),
        tranches: Vec::new(),
        source: Some(Source {
            data_set: "CORDIS".to_owned(),
            key: "1".to_owned(),
            row: "a\tb\nc".to_owned(),
            synthetic: false,
        }),
        discrepancies: Vec::new(),
    }
}

pub fn caller() -> Caller {
    let actor = ProtoActor { person_id: "p".to_owned(), organisation_id: "o".to_owned() };
    Caller { actor: Actor::from_proto(&actor, "actor", &mut Violations::new("test")), traceparent: None }
}

/// Reads a request as on 5 March 2013.
pub fn read(request: impl Ask<Command>) -> Result<Draft, Status> {
    let fund = Fund::shipped();
    let edge = Edge { regions: fund.regions(), today: date(2013, 3, 5) };
    wire::read(edge, &caller(), Violations::new(Fund::error_domain()), request)
        .map_err(|malformed| malformed.status)
}

/// The fields that are at fault.
pub fn faults(request: impl Ask<Command>) -> Vec<String> {
    let status = read(request).err().unwrap();
    assert_eq!(status.code(), Code::InvalidArgument);
    fields(&status)
}

pub fn fields(status: &Status) -> Vec<String> {
    let details = status.get_details_bad_request().unwrap();
    details.field_violations.into_iter().map(|violation| violation.field).collect()
}

#[test]
fn a_good_request_becomes_a_command() {
    let draft = read(application()).unwrap();
    let Command::Grant(id, GrantCommand::Apply(applied)) = draft.command() else {
        panic!("it is an application")
    };
    assert_eq!((id.to_string(), draft.request_id().to_string()), (ID.to_owned(), ID.to_owned()));
    assert_eq!((applied.requested.minor, applied.allocations.len()), (100, 2));
    assert!(read(contract()).is_ok());
    assert!(read(imported()).is_ok(), "a migrated source need not know the region or the share");
}

#[test]
fn without_allocations_all_is_the_leads() {
    let draft = read(ApplyForGrantRequest { allocations: Vec::new(), ..application() }).unwrap();
    let Command::Grant(_, GrantCommand::Apply(applied)) = draft.command() else {
        panic!("it is an application")
    };
    assert_eq!(applied.allocations.len(), 1);
    assert_eq!(applied.allocations[0].party, applied.lead);
    assert_eq!(applied.allocations[0].amount_minor, Some(100));
}

#[test]
fn an_empty_request_is_told_everything_that_is_missing() {
    assert_eq!(
        faults(ApplyForGrantRequest::default()),
        [
            "header",
            "grant_id",
            "programme_id",
            "mode",
            "title",
            "lead",
            "requested",
            "total_budget",
            "starts_on",
            "ends_on"
        ]
    );
    assert_eq!(
        faults(ImportAwardRequest::default()),
        ["header", "grant_id", "programme_id", "fund", "year", "mode", "title", "lead", "amount", "source"]
    );
    assert_eq!(
        faults(ApproveGrantsRequest { header: header(), ..Default::default() }),
        ["minutes", "awards"]
    );
    assert_eq!(
        faults(SetSubLimitRequest { header: header(), ..Default::default() }),
        ["programme_id", "dimension"]
    );
    assert_eq!(
        faults(VerifyPayeeRequest { header: header(), ..Default::default() }),
        ["grant_id", "account"]
    );
}

#[test]
fn every_fault_of_a_request_is_told_at_once() {
    let bad = ApplyForGrantRequest {
        header: Some(CommandHeader {
            request_id: "17".to_owned(),
            effective_on: "2013-03-06".to_owned(),
            authority: "文\0号".to_owned(),
            archive_number: "x".repeat(129),
            attachment_sha256: vec!["ab".to_owned()],
            ..CommandHeader::default()
        }),
        grant_id: "grant".to_owned(),
        mode: 42,
        title: "题".repeat(501),
        lead: party("CN-USCC:91350100M000100Y4Z", "210122"),
        industry: "steel".to_owned(),
        requested: Some(Money::new(-1, "CNY")),
        total_budget: Some(Money::new(i64::MAX, "cny")),
        allocations: vec![Allocation { party: None, amount_minor: None }],
        starts_on: "2015-04-01".to_owned(),
        ends_on: "2014-13-01".to_owned(),
        ..application()
    };
    assert_eq!(
        faults(bad),
        [
            "header.request_id",
            "header.attachment_sha256[0]",
            "header.authority",
            "header.archive_number",
            "grant_id",
            "mode",
            "title",
            "lead.code",
            "industry",
            "requested.amount_minor",
            "total_budget.currency",
            "total_budget.amount_minor",
            "allocations[0].party",
            "allocations[0].amount_minor",
            "ends_on",
            // What depends on the day comes last.
            "header.effective_on",
        ]
    );
}

/// One fault each, and the field that it is told at.
#[test]
fn each_fault_is_told_at_its_field() {
    let applied = |change: &dyn Fn(&mut ApplyForGrantRequest)| {
        let mut request = application();
        change(&mut request);
        faults(request)
    };
    type Change<'a> = &'a dyn Fn(&mut ApplyForGrantRequest);
    let rows: [(&str, Change<'_>, &str); 15] = [
        ("a wrong check character", &|r| r.lead = party("CN-USCC:91350100M000100Y4Z", "210102"), "lead.code"),
        ("a region of later", &|r| r.lead = party("CN-USCC:91330100799655058B", "210115"), "lead.region"),
        ("no region", &|r| r.lead = party("CN-USCC:91330100799655058B", ""), "lead.region"),
        ("a mode unspecified", &|r| r.mode = 0, "mode"),
        ("a mode unknown", &|r| r.mode = 7, "mode"),
        ("nothing asked for", &|r| r.requested = cny(0), "requested.amount_minor"),
        (
            "more than the bound",
            &|r| r.total_budget = cny(1_000_000_000_000_001),
            "total_budget.amount_minor",
        ),
        ("a budget below what is asked for", &|r| r.total_budget = cny(99), "total_budget.amount_minor"),
        ("shares that do not add up", &|r| r.allocations[1].amount_minor = Some(41), "allocations"),
        ("a share of nothing", &|r| r.allocations[1].amount_minor = Some(0), "allocations[1].amount_minor"),
        (
            "a party twice",
            &|r| r.allocations[1].party = r.allocations[0].party.clone(),
            "allocations[1].party.code",
        ),
        ("an end before the start", &|r| r.ends_on = "2013-03-31".to_owned(), "ends_on"),
        ("a NUL in the title", &|r| r.title = "a\0b".to_owned(), "title"),
        (
            "tomorrow",
            &|r| r.header.as_mut().unwrap().effective_on = "2013-03-06".to_owned(),
            "header.effective_on",
        ),
        ("no request id", &|r| r.header.as_mut().unwrap().request_id.clear(), "header.request_id"),
    ];
    for (says, change, field) in rows {
        assert_eq!(applied(change), [field], "{says}");
    }
}

#[test]
fn a_plan_adds_up_and_is_numbered() {
    let planned = |tranches| faults(SignContractRequest { tranches, ..contract() });
    let (contract, last) = (TrancheCondition::Contract, TrancheCondition::FinalAcceptance);
    assert_eq!(planned(vec![]), ["tranches"]);
    assert_eq!(planned(vec![tranche(1, 60, contract), tranche(2, 41, last)]), ["tranches"]);
    assert_eq!(planned(vec![tranche(1, 60, contract), tranche(3, 40, last)]), ["tranches[1].number"]);
    assert_eq!(planned(vec![tranche(1, 100, contract), tranche(2, 0, last)]), ["tranches[1].amount_minor"]);
    assert_eq!(planned(vec![tranche(1, 100, TrancheCondition::Unspecified)]), ["tranches[0].condition"]);
    // Together beyond an i64, and no panic.
    let bound = 1_000_000_000_000_000;
    let many = (1..=100).map(|number| tranche(number, bound, contract)).collect();
    assert_eq!(planned(many), ["tranches"]);
    assert_eq!(planned((1..=101).map(|number| tranche(number, 1, contract)).collect()), ["tranches"]);
}

#[test]
fn a_meeting_names_each_grant_once_and_its_own_versions() {
    let award = |id: &str| Award { grant_id: id.to_owned(), amount: cny(1), expected_version: Some(3) };
    let meeting = |awards| ApproveGrantsRequest { header: header(), minutes: "1".to_owned(), awards };
    assert!(read(meeting(vec![award(ID)])).is_ok());
    assert_eq!(faults(meeting(vec![award(ID), award(ID)])), ["awards[1].grant_id"]);
    assert_eq!(faults(meeting(vec![award(ID), award("x")])), ["awards[1].grant_id"]);
    let mut versioned = meeting(vec![award(ID)]);
    versioned.header.as_mut().unwrap().expected_version = Some(3);
    assert_eq!(faults(versioned), ["header.expected_version"]);
    let ids = (0..201).map(|number| award(&uuid::Uuid::from_u128(number + 1).to_string()));
    assert_eq!(faults(meeting(ids.collect())), ["awards"]);
}

#[test]
fn an_import_keeps_its_source_and_refuses_what_cannot_be() {
    let with = |change: &dyn Fn(&mut ImportAwardRequest)| {
        let mut request = imported();
        change(&mut request);
        faults(request)
    };
    assert_eq!(with(&|r| r.source.as_mut().unwrap().row = "a\0".to_owned()), ["source.row"]);
    assert_eq!(with(&|r| r.source.as_mut().unwrap().row = "x".repeat(131_073)), ["source.row"]);
    assert_eq!(with(&|r| r.year = 1989), ["year"]);
    assert_eq!(with(&|r| r.lead.as_mut().unwrap().region = "ZZ".to_owned()), ["lead.region"]);
    assert_eq!(with(&|r| r.tranches = vec![tranche(1, 99, TrancheCondition::Contract)]), ["tranches"]);
    assert_eq!(with(&|r| r.allocations[0].amount_minor = Some(-1)), ["allocations[0].amount_minor"]);
}

#[test]
fn an_account_stays_out_of_the_command() {
    let account = Some(PersonalData { person_id: "payee-1".to_owned(), text: "6222 0212 3456".to_owned() });
    let draft = read(VerifyPayeeRequest { header: header(), grant_id: ID.to_owned(), account }).unwrap();
    let json = serde_json::to_string(draft.command()).unwrap();
    assert!(json.contains("payee-1") && !json.contains("6222"), "{json}");
    let account = Some(PersonalData { person_id: String::new(), text: "x".repeat(1_025) });
    let request = VerifyPayeeRequest { header: header(), grant_id: ID.to_owned(), account };
    assert_eq!(faults(request), ["account.person_id", "account.text"]);
}

#[test]
fn a_bulk_command_names_its_actor_or_has_the_streams() {
    let fund = Fund::shipped();
    let edge = Edge { regions: fund.regions(), today: date(2013, 3, 5) };
    let request = || RequestTrancheRequest {
        header: header(),
        grant_id: ID.to_owned(),
        tranche_number: 1,
        amount: None,
    };
    let bulk = |actor| BulkCommand { actor, command: Some(bulk_command::Command::RequestTranche(request())) };
    let actor =
        |person: &str| Some(ProtoActor { person_id: person.to_owned(), organisation_id: "o".to_owned() });

    let draft = wire::read_bulk(edge, &Caller::default(), bulk(actor("a"))).unwrap();
    assert!(matches!(
        draft.command(),
        Command::Grant(_, GrantCommand::Tranche(1, TrancheCommand::Request { amount: None }))
    ));
    assert!(wire::read_bulk(edge, &caller(), bulk(None)).is_ok());
    let nobody = wire::read_bulk(edge, &Caller::default(), bulk(None)).err().unwrap().status;
    assert_eq!(fields(&nobody), ["actor"]);
    let blank = wire::read_bulk(edge, &caller(), bulk(actor(""))).err().unwrap().status;
    assert_eq!(fields(&blank), ["actor.person_id"]);
    let nothing = wire::read_bulk(edge, &caller(), BulkCommand { actor: actor("a"), command: None })
        .err()
        .unwrap()
        .status;
    assert_eq!(fields(&nothing), ["command"]);
}

#[test]
fn what_backs_a_grant_and_its_hold_are_read() {
    let named = NameBackingAgreementRequest {
        header: header(),
        grant_id: ID.to_owned(),
        agreement_id: PROGRAMME_ID.to_owned(),
        agreement_position: Some(7),
    };
    let draft = read(named).unwrap();
    let Command::Grant(_, GrantCommand::NameBacking { agreement, agreement_position }) = draft.command()
    else {
        panic!("it names an agreement");
    };
    assert_eq!((agreement.to_string().as_str(), *agreement_position), (PROGRAMME_ID, Some(7)));
    assert_eq!(
        faults(NameBackingAgreementRequest::default()),
        ["header", "grant_id", "agreement_id"],
        "the position may be absent"
    );
    let held = HoldGrantRequest { header: header(), grant_id: ID.to_owned(), reason: "audit".to_owned() };
    let draft = read(held).unwrap();
    let Command::Grant(_, GrantCommand::Hold(HoldCommand::Hold { reason })) = draft.command() else {
        panic!("it holds");
    };
    assert_eq!(reason, "audit");
    assert_eq!(faults(HoldGrantRequest::default()), ["header", "grant_id", "reason"]);
    assert_eq!(faults(ResumeGrantRequest::default()), ["header", "grant_id"]);
}

#[test]
fn a_grant_and_its_programme_have_two_ids() {
    let one = ApplyForGrantRequest { programme_id: ID.to_owned(), ..application() };
    assert_eq!(faults(one), ["grant_id"]);
    let one = ImportAwardRequest { programme_id: ID.to_owned(), ..imported() };
    assert_eq!(faults(one), ["grant_id"]);
}
