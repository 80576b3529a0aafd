//! What a caller may send, may send twice, and may not send.

use concord_proto::fund::v1::{
    AdmitGrantRequest, Allocation, ApplyForGrantRequest, ApproveGrantsRequest, Award, BulkCommand,
    ExecuteCommandsRequest, GetGrantRequest, GetProgrammeRequest, ImportAwardRequest, SetSubLimitRequest,
    SignContractRequest, SupplementProgrammeRequest, TrancheCondition, VerifyPayeeRequest, bulk_command,
    bulk_result, set_sub_limit_request,
};
use concord_proto::r#type::v1::{CommandReceipt, Money, PartyKind};
use concord_tests::desk::{
    APPLICANT, CLERK, DIRECTOR, Desk, broken, by, chinese, facts, fields, plain, reason,
};
use concord_tests::record::{eventually, read_log};
use concord_tests::requests::{
    PUBLISHED_ON, Receipt, application, appropriation, award, company_abroad, fen, header, header_as,
    header_on, id, supplement, tranche, university,
};
use concord_tests::stack::Stack;
use futures::future::join_all;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use tonic::{Code, Request, Status};

/// The tests' shared stack: each works with programmes and grants of its own.
async fn desk() -> Desk {
    static STACK: OnceLock<Stack> = OnceLock::new();
    Desk::at(STACK.get_or_init(|| Stack::start().unwrap())).await.unwrap()
}

/// Asserts that a request was malformed in these fields, and in no other.
fn malformed<T: std::fmt::Debug>(answer: Result<T, Status>, expected: &[&str]) {
    let status = answer.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::InvalidArgument, "MALFORMED_REQUEST"),
        "{status:?}"
    );
    assert_eq!(fields(&status), expected, "{status:?}");
}

type Fault = (&'static str, fn(&mut ApplyForGrantRequest), &'static [&'static str]);

/// One fault each of an application, and the fields that are told.
const FAULTS: &[Fault] = &[
    ("no header", |it| it.header = None, &["header"]),
    (
        "a request id that is none",
        |it| it.header.as_mut().unwrap().request_id = "42".into(),
        &["header.request_id"],
    ),
    ("the nil UUID", |it| it.grant_id = "00000000-0000-0000-0000-000000000000".into(), &["grant_id"]),
    ("a UUID without hyphens", |it| it.grant_id = "0190b1f07c3e7a519d2b5e8f3c6a1b40".into(), &["grant_id"]),
    ("a UUID in braces", |it| it.programme_id = format!("{{{}}}", id()), &["programme_id"]),
    ("an id that is absent", |it| it.programme_id.clear(), &["programme_id"]),
    ("an unknown mode", |it| it.mode = 99, &["mode"]),
    ("no mode", |it| it.mode = 0, &["mode"]),
    ("a NUL", |it| it.title = "高温\0合金".into(), &["title"]),
    ("a line break", |it| it.title = "高温\n合金".into(), &["title"]),
    ("a title of 501 characters", |it| it.title = "字".repeat(501), &["title"]),
    ("a blank title", |it| it.title = "  ".into(), &["title"]),
    ("no lead", |it| it.lead = None, &["lead"]),
    (
        "a wrong check character, as a well-known printed example has it",
        |it| it.lead.as_mut().unwrap().code = "CN-USCC:91350100M000100Y4Z".into(),
        &["lead.code"],
    ),
    (
        "a code without a scheme",
        |it| it.lead.as_mut().unwrap().code = "91330100799655058B".into(),
        &["lead.code"],
    ),
    ("an unknown kind of party", |it| it.lead.as_mut().unwrap().kind = 77, &["lead.kind"]),
    (
        "a county that had become a district the year before",
        |it| it.lead.as_mut().unwrap().region = "210122".into(),
        &["lead.region"],
    ),
    ("a region that is none", |it| it.lead.as_mut().unwrap().region = "999999".into(), &["lead.region"]),
    ("a negative amount", |it| it.requested = fen(-1), &["requested.amount_minor"]),
    ("nothing asked for", |it| it.requested = fen(0), &["requested.amount_minor"]),
    (
        "amounts that no ledger could add up",
        |it| (it.requested, it.total_budget) = (fen(i64::MAX), fen(i64::MAX)),
        &["requested.amount_minor", "total_budget.amount_minor"],
    ),
    ("no amount", |it| it.requested = None, &["requested"]),
    ("no currency", |it| it.requested.as_mut().unwrap().currency.clear(), &["requested.currency"]),
    (
        "a currency that is none",
        |it| it.requested.as_mut().unwrap().currency = "元".into(),
        &["requested.currency"],
    ),
    ("a budget below what is asked for", |it| it.total_budget = fen(99), &["total_budget.amount_minor"]),
    ("an unknown industry", |it| it.industry = "alchemy".into(), &["industry"]),
    ("a day that no calendar has", |it| it.starts_on = "2017-02-30".into(), &["starts_on"]),
    ("a day written otherwise", |it| it.ends_on = "31.12.2018".into(), &["ends_on"]),
    ("an end before the beginning", |it| it.ends_on = "2017-05-31".into(), &["ends_on"]),
    ("an act of tomorrow", |it| it.header = header_on("2017-04-21"), &["header.effective_on"]),
    ("a day of an act that is none", |it| it.header = header_on("2017-04-31"), &["header.effective_on"]),
    (
        "an archive number of 129 bytes",
        |it| it.header.as_mut().unwrap().archive_number = "x".repeat(129),
        &["header.archive_number"],
    ),
    (
        "a hash that is none",
        |it| it.header.as_mut().unwrap().attachment_sha256 = vec!["ab".repeat(32), "zz".repeat(32)],
        &["header.attachment_sha256[1]"],
    ),
    (
        "shares that do not add up",
        |it| {
            let share = |party, amount_minor| Allocation { party, amount_minor: Some(amount_minor) };
            it.allocations = vec![share(university(), 60), share(company_abroad(), 41)];
        },
        &["allocations"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_told_at_its_field() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    for (what, spoil, expected) in FAULTS {
        let mut request = application(&programme, &id(), 100);
        spoil(&mut request);
        let status = desk.grants().apply_for_grant(by(APPLICANT, request)).await.unwrap_err();
        assert_eq!(
            (status.code(), fields(&status)),
            (Code::InvalidArgument, expected.iter().map(|one| (*one).to_owned()).collect()),
            "{what}: {status:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_of_a_request_are_told_at_once() {
    let desk = desk().await;
    let mut request = application("", "x", -5);
    request.header = header_as("42");
    request.header.as_mut().unwrap().archive_number = "x".repeat(129);
    request.mode = 99;
    request.title = "\0".into();
    let lead = request.lead.as_mut().unwrap();
    (lead.code, lead.region, lead.kind) =
        ("CN-USCC:91350100M000100Y4Z".into(), "210122".into(), PartyKind::Unspecified.into());
    request.industry = "alchemy".into();
    request.total_budget = None;
    request.starts_on.clear();
    malformed(
        // Nobody acts.
        desk.grants().apply_for_grant(plain(request)).await,
        &[
            "grant_id",
            "header.archive_number",
            "header.request_id",
            "industry",
            "lead.code",
            "lead.kind",
            "lead.region",
            "metadata.concord-actor",
            "mode",
            "programme_id",
            "requested.amount_minor",
            "starts_on",
            "title",
            "total_budget",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_acts_must_be_said_in_one_way() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let request = || supplement(&programme, 1);
    malformed(desk.programmes().supplement_programme(plain(request())).await, &["metadata.concord-actor"]);
    let long = format!("{}@office", "p".repeat(129));
    for actor in ["wang", "@office", "wang@", "a@b@c", "wang li@office", long.as_str()] {
        malformed(
            desk.programmes().supplement_programme(by(actor, request())).await,
            &["metadata.concord-actor"],
        );
    }
    let mut twice: Request<SupplementProgrammeRequest> = by(CLERK, request());
    twice.metadata_mut().append("concord-actor", "li@office".parse().unwrap());
    malformed(desk.programmes().supplement_programme(twice).await, &["metadata.concord-actor"]);
    desk.programmes().supplement_programme(by(CLERK, request())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_tranches_adds_up_and_is_numbered() {
    let desk = desk().await;
    let sign = async |amount, tranches| {
        let request = SignContractRequest {
            header: header(),
            grant_id: id(),
            contract_number: "LN-1".into(),
            amount: fen(amount),
            starts_on: "2017-06-01".into(),
            ends_on: "2018-05-31".into(),
            tranches,
            allocations: Vec::new(),
        };
        desk.grants().sign_contract(by(DIRECTOR, request)).await
    };
    let line = |number, amount| tranche(number, amount, TrancheCondition::Contract, "2017-12-31");
    malformed(sign(100, vec![line(1, 60), line(2, 39)]).await, &["tranches"]);
    malformed(
        sign(100, vec![line(1, i64::MAX), line(2, i64::MAX)]).await,
        &["tranches[0].amount_minor", "tranches[1].amount_minor"],
    );
    malformed(sign(100, vec![line(1, 60), line(3, 40)]).await, &["tranches[1].number"]);
    malformed(sign(100, vec![line(1, 100), line(2, 0)]).await, &["tranches[1].amount_minor"]);
    malformed(sign(100, Vec::new()).await, &["tranches"]);
    let mut undated = line(1, 100);
    (undated.due_on, undated.condition) = (String::new(), 42);
    malformed(sign(100, vec![undated]).await, &["tranches[0].condition", "tranches[0].due_on"]);
    let status = sign(100, vec![line(1, 100)]).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "GRANT_NOT_FOUND"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_programme_has_one_currency() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let euro = |amount_minor| Some(Money::new(amount_minor, "EUR"));
    let mut request = supplement(&programme, 1);
    request.amount = euro(1);
    malformed(desk.programmes().supplement_programme(by(CLERK, request)).await, &["amount.currency"]);
    let mut request = application(&programme, &id(), 100);
    (request.requested, request.total_budget) = (euro(100), euro(200));
    malformed(
        desk.grants().apply_for_grant(by(APPLICANT, request)).await,
        &["requested.currency", "total_budget.currency"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_may_be_dated_back_so_far_and_no_further() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let money = async |day| {
        let mut request = supplement(&programme, 1);
        request.header = header_on(day);
        desk.programmes().supplement_programme(by(CLERK, request)).await
    };
    // Money five days, procedure thirty. The programme was opened today, and nothing of it lies before that.
    malformed(money("2017-04-14").await, &["header.effective_on"]);
    let status = money("2017-04-15").await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "STEP_BEFORE_THE_LAST"));
    let applied = async |day| {
        let mut request = application(&programme, &id(), 100);
        request.header = header_on(day);
        desk.grants().apply_for_grant(by(APPLICANT, request)).await
    };
    malformed(applied("2017-03-20").await, &["header.effective_on"]);
    applied("2017-03-21").await.unwrap();
    // Migrated facts are as old as they are. Taking them in is decided today, under today's rulebook.
    let imported = async |day| {
        let mut request = award(&id(), &id(), 100);
        request.header = header_on(day);
        desk.grants().import_award(by(CLERK, request)).await
    };
    for day in ["2012-09-15", "2012-09-14", "1999-01-01"] {
        assert_eq!(imported(day).await.unwrap().receipt().rulebook, "2012-09", "{day}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_rulebook_nothing_but_history_is_decided() {
    let stack = Stack::start_from(Some("2012-09-14")).unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let status = desk.programme(100).await.unwrap_err();
    let status = status.downcast_ref::<Status>().unwrap();
    assert_eq!((status.code(), reason(status).as_str()), (Code::FailedPrecondition, "NO_RULEBOOK"));
    desk.advance_to("2012-09-15").await.unwrap();
    desk.programme(100).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_is_checked_on_the_day_of_the_fact() {
    let desk = desk().await;
    let imported = async |day: &str, region: &str| {
        let mut request = award(&id(), &id(), 100);
        request.header = header_on(day);
        request.lead.as_mut().unwrap().region = region.to_owned();
        desk.grants().import_award(by(CLERK, request)).await
    };
    imported("2015-07-01", "210122").await.unwrap();
    malformed(imported("2017-01-01", "210122").await, &["lead.region"]);
    imported("2017-01-01", "210115").await.unwrap();
    malformed(imported("2015-07-01", "210115").await, &["lead.region"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let reasons = |status: Status| (status.code(), reason(&status));
    let asked = GetGrantRequest { grant_id: id(), min_position: 0 };
    assert_eq!(desk.grants().get_grant(plain(asked)).await.unwrap_err().code(), Code::NotFound);
    let asked = GetProgrammeRequest { programme_id: id(), min_position: 0 };
    assert_eq!(desk.programmes().get_programme(plain(asked)).await.unwrap_err().code(), Code::NotFound);
    // A programme is no grant.
    let asked = GetGrantRequest { grant_id: programme.clone(), min_position: 0 };
    assert_eq!(desk.grants().get_grant(plain(asked)).await.unwrap_err().code(), Code::NotFound);
    let status = desk.programmes().supplement_programme(by(CLERK, supplement(&id(), 1))).await.unwrap_err();
    assert_eq!(reasons(status), (Code::NotFound, "PROGRAMME_NOT_FOUND".into()));
    let status =
        desk.grants().apply_for_grant(by(APPLICANT, application(&id(), &id(), 1))).await.unwrap_err();
    assert_eq!(reasons(status), (Code::NotFound, "PROGRAMME_NOT_FOUND".into()));
    let request = AdmitGrantRequest { header: header(), grant_id: id() };
    let status = desk.grants().admit_grant(by(CLERK, request)).await.unwrap_err();
    assert_eq!(reasons(status), (Code::NotFound, "GRANT_NOT_FOUND".into()));
    // Of a meeting, every grant that is missing.
    let award = || Award { grant_id: id(), amount: fen(1), expected_version: None };
    let request =
        ApproveGrantsRequest { header: header(), minutes: "1".into(), awards: vec![award(), award()] };
    let status = desk.grants().approve_grants(by(DIRECTOR, request)).await.unwrap_err();
    assert_eq!(broken(&status), ["GRANT_NOT_FOUND", "GRANT_NOT_FOUND"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_stands_for_one_thing() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let other =
        desk.programmes().appropriate_programme(by(CLERK, appropriation(&programme, 999))).await.unwrap_err();
    assert_eq!((other.code(), reason(&other).as_str()), (Code::AlreadyExists, "ID_TAKEN"));
    let same = desk.programmes().appropriate_programme(by(CLERK, appropriation(&programme, 1_000))).await;
    assert_eq!(
        same.unwrap().receipt().first_position,
        0,
        "the same again, under another request id, changes nothing"
    );
    let another = desk.programme(1_000).await.unwrap();
    let taken = application(&another, &programme, 10);
    let grant = desk.grants().apply_for_grant(by(APPLICANT, taken)).await.unwrap_err();
    assert_eq!((grant.code(), reason(&grant).as_str()), (Code::AlreadyExists, "ID_TAKEN"));
    malformed(
        desk.grants().apply_for_grant(by(APPLICANT, application(&programme, &programme, 10))).await,
        &["grant_id"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_aborted() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let added = async |version| {
        let mut request = supplement(&programme, 1);
        request.header.as_mut().unwrap().expected_version = Some(version);
        desk.programmes().supplement_programme(by(CLERK, request)).await
    };
    assert_eq!(added(1).await.unwrap().receipt().version, 2);
    for version in [0, 1, 3] {
        let status = added(version).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "STALE_VERSION"));
        let facts = facts(&status);
        assert_eq!(facts["actual_version"], "2");
        assert_eq!(facts["expected_version"], version.to_string());
    }
    let grant_id = desk.grant_on_notice(&programme, 100).await.unwrap();
    let approve = async |version| {
        let award = Award { grant_id: grant_id.clone(), amount: fen(100), expected_version: Some(version) };
        let request = ApproveGrantsRequest { header: header(), minutes: "1".into(), awards: vec![award] };
        desk.grants().approve_grants(by(DIRECTOR, request)).await
    };
    assert_eq!(approve(4).await.unwrap_err().code(), Code::Aborted);
    assert_eq!(approve(5).await.unwrap().receipt().version, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_yet_has_no_version_that_anybody_could_have_seen() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let mut request = application(&programme, &id(), 10);
    request.header.as_mut().unwrap().expected_version = Some(9);
    let status = desk.grants().apply_for_grant(by(APPLICANT, request)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "STALE_VERSION"));
    let mut request = application(&programme, &id(), 10);
    request.header.as_mut().unwrap().expected_version = Some(0);
    desk.grants().apply_for_grant(by(APPLICANT, request)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_answered_with_the_very_same_receipt_for_ever() {
    let stack = Stack::start().unwrap();
    let mut desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let grant_id = id();
    let application = application(&programme, &grant_id, 100);
    let added = supplement(&programme, 1);
    let notice = {
        let grant_id = desk.grant_on_notice(&programme, 50).await.unwrap();
        let mut request =
            concord_proto::fund::v1::PublishNoticeRequest { header: header(), grant_id, amount: fen(40) };
        request.header.as_mut().unwrap().authority = "辽科发〔2017〕12号".into();
        request
    };
    let all = async |desk: &Desk| {
        let applied =
            desk.grants().apply_for_grant(by(APPLICANT, application.clone())).await.unwrap().into_inner();
        let added =
            desk.programmes().supplement_programme(by(CLERK, added.clone())).await.unwrap().into_inner();
        let notice = desk.grants().publish_notice(by(CLERK, notice.clone())).await.unwrap().into_inner();
        (applied, added, notice)
    };
    let first = all(&desk).await;
    let head = desk.status().await.unwrap().head;
    assert_eq!(all(&desk).await, first);
    let command = bulk_command::Command::ApplyForGrant(application.clone());
    let bulk = desk.bulk(APPLICANT, vec![command]).await.unwrap();
    assert_eq!(
        bulk,
        [bulk_result::Result::Receipt(first.0.receipt.clone().unwrap())],
        "over the bulk stream too"
    );
    assert_eq!(desk.status().await.unwrap().head, head, "and nothing happened");

    // The state moves on, and the clock so far that the first acts could not be dated so any more.
    desk.programmes().supplement_programme(by(CLERK, supplement(&programme, 5))).await.unwrap();
    desk.advance_to("2018-04-20").await.unwrap();
    assert_eq!(all(&desk).await, first);

    stack.stop().unwrap();
    stack.up().unwrap();
    desk = Desk::at(&stack).await.unwrap();
    assert_eq!(all(&desk).await, first);
    assert_eq!(desk.status().await.unwrap().head, head + 2);

    // Under the same id another command is refused, whatever it is.
    let mut other = added.clone();
    other.amount = fen(2);
    let other = desk.programmes().supplement_programme(by(CLERK, other)).await.unwrap_err();
    assert_eq!((other.code(), reason(&other).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    let another_person =
        desk.programmes().supplement_programme(by(DIRECTOR, added.clone())).await.unwrap_err();
    assert_eq!(reason(&another_person), "REQUEST_ID_REUSED");
    let mut other = supplement(&programme, 7);
    other.header = application.header.clone();
    let other = desk.programmes().supplement_programme(by(APPLICANT, other)).await.unwrap_err();
    assert_eq!(reason(&other), "REQUEST_ID_REUSED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_gets_its_receipt_although_what_was_right_then_is_malformed_now() {
    // Without a date an act is of today, and on the last day of 2015 210122 was a county.
    let stack = Stack::start_from(Some("2015-12-31")).unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let mut request = award(&id(), &id(), 100);
    request.header = header();
    (request.year, request.lead.as_mut().unwrap().region) = (2015, "210122".into());
    let first = desk.grants().import_award(by(CLERK, request.clone())).await.unwrap().receipt();
    desk.advance_to("2017-01-04").await.unwrap();
    let again = desk.grants().import_award(by(CLERK, request)).await.unwrap().receipt();
    assert_eq!(again, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_not_sticky() {
    let desk = desk().await;
    let programme = desk.programme(100).await.unwrap();
    let grant_id = desk.grant_on_notice(&programme, 150).await.unwrap();
    let award = Award { grant_id, amount: fen(150), expected_version: None };
    let request = ApproveGrantsRequest { header: header(), minutes: "1".into(), awards: vec![award] };
    for _ in 0..2 {
        let status = desk.grants().approve_grants(by(DIRECTOR, request.clone())).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::FailedPrecondition, "A02_ABOVE_AVAILABLE")
        );
    }
    desk.programmes().supplement_programme(by(CLERK, supplement(&programme, 50))).await.unwrap();
    let receipt = desk.grants().approve_grants(by(DIRECTOR, request.clone())).await.unwrap().receipt();
    assert_ne!(receipt.first_position, 0);
    assert_eq!(desk.grants().approve_grants(by(DIRECTOR, request)).await.unwrap().receipt(), receipt);
}

/// What a status says to a program and to people: code, message, reason, facts, rules, fields, and in Chinese.
#[derive(Debug, PartialEq)]
struct Told(Code, String, String, BTreeMap<String, String>, Vec<String>, Vec<String>, String);

fn told(status: &Status) -> Told {
    let message = status.message().to_owned();
    Told(
        status.code(),
        message,
        reason(status),
        facts(status),
        broken(status),
        fields(status),
        chinese(status),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_refused_in_the_same_words_alone_and_in_bulk() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let applied = id();
    desk.grants().apply_for_grant(by(APPLICANT, application(&programme, &applied, 100))).await.unwrap();
    let mut commands = Vec::new();
    let mut alone: Vec<Told> = Vec::new();

    for (_, spoil, _) in FAULTS {
        let mut request = application(&programme, &id(), 100);
        spoil(&mut request);
        commands.push(bulk_command::Command::ApplyForGrant(request.clone()));
        alone.push(told(&desk.grants().apply_for_grant(by(APPLICANT, request)).await.unwrap_err()));
    }
    let taken = application(&programme, &applied, 99);
    let mut stale = taken.clone();
    stale.header = header();
    stale.header.as_mut().unwrap().expected_version = Some(9);
    for request in [taken, stale, application(&id(), &id(), 1)] {
        commands.push(bulk_command::Command::ApplyForGrant(request.clone()));
        alone.push(told(&desk.grants().apply_for_grant(by(APPLICANT, request)).await.unwrap_err()));
    }
    let request = AdmitGrantRequest { header: header(), grant_id: applied.clone() };
    commands.push(bulk_command::Command::AdmitGrant(request.clone()));
    alone.push(told(&desk.grants().admit_grant(by(APPLICANT, request)).await.unwrap_err()));
    let request = VerifyPayeeRequest { header: header(), grant_id: applied, account: None };
    commands.push(bulk_command::Command::VerifyPayee(request.clone()));
    alone.push(told(&desk.grants().verify_payee(by(APPLICANT, request)).await.unwrap_err()));
    let mut request: ImportAwardRequest = award(&programme, &id(), 5);
    request.source = None;
    commands.push(bulk_command::Command::ImportAward(request.clone()));
    alone.push(told(&desk.grants().import_award(by(APPLICANT, request)).await.unwrap_err()));
    let request: ImportAwardRequest = award(&programme, &id(), 5);
    commands.push(bulk_command::Command::ImportAward(request.clone()));
    alone.push(told(&desk.grants().import_award(by(APPLICANT, request)).await.unwrap_err()));

    let together = desk.bulk(APPLICANT, commands).await.unwrap();
    assert_eq!(together.len(), alone.len());
    for (together, alone) in together.into_iter().zip(alone) {
        let bulk_result::Result::Error(error) = together else { panic!("accepted: {together:?}") };
        let whole = Status::with_details(Code::from_i32(error.code), error.message, error.status.into());
        assert_eq!((told(&whole), error.reason), (alone, reason(&whole)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_of_a_chunk_are_decided_in_order_each_for_itself() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let grant = id();
    let apply = || bulk_command::Command::ApplyForGrant(application(&programme, &grant, 100));
    let recommend = |recommender: &str| {
        bulk_command::Command::RecommendGrant(concord_proto::fund::v1::RecommendGrantRequest {
            header: header_on(PUBLISHED_ON),
            grant_id: grant.clone(),
            recommender: recommender.to_owned(),
        })
    };
    // The applicant's organisation may not recommend, so the office does, and names itself in each command.
    let office =
        concord_proto::r#type::v1::Actor { person_id: "li".into(), organisation_id: "city-bureau".into() };
    let command = |actor: Option<&concord_proto::r#type::v1::Actor>, command| {
        concord_proto::fund::v1::BulkCommand { actor: actor.cloned(), command: Some(command) }
    };
    let chunk = concord_proto::fund::v1::ExecuteCommandsRequest {
        chunk: 1,
        commands: vec![
            command(Some(&office), recommend("too early")),
            command(None, apply()),
            command(None, recommend("by the applicant")),
            command(Some(&office), recommend("沈阳市科技局")),
            command(Some(&office), recommend("沈阳市科技局")),
            command(Some(&office), recommend("另一单位")),
        ],
    };
    let stream = futures::stream::iter([chunk]);
    let mut answers = desk.grants().execute_commands(by(APPLICANT, stream)).await.unwrap().into_inner();
    let results = answers.message().await.unwrap().unwrap().results;
    let words: Vec<String> = results
        .into_iter()
        .map(|one| match one.result.unwrap() {
            bulk_result::Result::Receipt(receipt) => format!("{} events", receipt.leaf_hashes.len()),
            bulk_result::Result::Error(error) => error.reason,
        })
        .collect();
    assert_eq!(
        words,
        [
            "GRANT_NOT_FOUND",
            "1 events",
            "A13_APPLICANT_IN_OFFICE",
            "1 events",
            "0 events",
            "ALREADY_RECOMMENDED"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_approvals_never_commit_more_than_the_programme_has() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let mut grants = Vec::new();
    for _ in 0..12 {
        grants.push(desk.grant_on_notice(&programme, 300).await.unwrap());
    }
    let approve = |grant_id: String| {
        let award = Award { grant_id, amount: fen(300), expected_version: None };
        let request = ApproveGrantsRequest { header: header(), minutes: "1".into(), awards: vec![award] };
        let desk = desk.clone();
        tokio::spawn(async move { desk.grants().approve_grants(by(DIRECTOR, request)).await })
    };
    let answers = join_all(grants.into_iter().map(approve)).await;
    let (mut accepted, mut refused) = (0, 0);
    for answer in answers {
        match answer.unwrap() {
            Ok(_) => accepted += 1,
            Err(status) => {
                assert_eq!(reason(&status), "A02_ABOVE_AVAILABLE", "{status:?}");
                assert_eq!(facts(&status)["available_minor"], "100");
                refused += 1;
            }
        }
    }
    assert_eq!((accepted, refused), (3, 9));
    let asked = GetProgrammeRequest { programme_id: programme, min_position: 0 };
    let programme =
        desk.programmes().get_programme(plain(asked)).await.unwrap().into_inner().programme.unwrap();
    assert_eq!((programme.available_minor, programme.reserved_minor), (100, 900));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_duplicates_at_once_are_one_event() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let request_id = id();
    let before = desk.status().await.unwrap().head;
    let sent = (0..200).map(|_| {
        let (desk, programme, request_id) = (desk.clone(), programme.clone(), request_id.clone());
        tokio::spawn(async move { desk.supplement(&programme, &request_id, 1).await })
    });
    let receipts: Vec<CommandReceipt> =
        join_all(sent).await.into_iter().map(|receipt| receipt.unwrap().unwrap()).collect();
    assert!(receipts.iter().all(|receipt| *receipt == receipts[0]));
    assert_ne!(receipts[0].first_position, 0);
    let events = read_log(&desk, before + 1, 0).await.unwrap();
    let ours = events.iter().filter(|event| event.attribute("requestid") == request_id);
    assert_eq!(ours.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_the_systems_is_not_moved() {
    let stack = Stack::start_from(None).unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    assert_eq!(desk.status().await.unwrap().clock, "system");
    let status = desk.advance_to("2100-01-01").await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    // And a played one never goes back.
    let desk = self::desk().await;
    let status = desk.advance_to("2017-04-19").await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    let head = desk.status().await.unwrap();
    assert_eq!((head.clock.as_str(), head.today.as_str()), ("played", "2017-04-20"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_is_weighed_as_a_whole() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let mut awards = Vec::new();
    for _ in 0..2 {
        let grant_id = desk.grant_on_notice(&programme, 600).await.unwrap();
        awards.push(Award { grant_id, amount: fen(600), expected_version: None });
    }
    let meeting = |awards| ApproveGrantsRequest { header: header(), minutes: "1".into(), awards };
    let status = desk.grants().approve_grants(by(DIRECTOR, meeting(awards.clone()))).await.unwrap_err();
    assert_eq!(broken(&status), ["A02_ABOVE_AVAILABLE"]);
    assert_eq!(
        facts(&status)["grant_id"],
        awards[1].grant_id,
        "each fits alone, the second not after the first"
    );
    let twice = vec![awards[0].clone(), awards[0].clone()];
    malformed(desk.grants().approve_grants(by(DIRECTOR, meeting(twice))).await, &["awards[1].grant_id"]);
    malformed(desk.grants().approve_grants(by(DIRECTOR, meeting(Vec::new()))).await, &["awards"]);
    let mut euro = awards[0].clone();
    euro.amount.as_mut().unwrap().currency = "EUR".into();
    let one = desk.grants().approve_grants(by(DIRECTOR, meeting(vec![euro]))).await;
    malformed(one, &["awards[0].amount.currency"]);
    desk.grants().approve_grants(by(DIRECTOR, meeting(vec![awards[0].clone()]))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_approvals_never_pass_a_sub_limit() {
    let desk = desk().await;
    let programme = desk.programme(1_000_000).await.unwrap();
    let mut grants = Vec::new();
    for _ in 0..6 {
        grants.push(desk.grant_on_notice(&programme, 300).await.unwrap());
    }
    let limit = SetSubLimitRequest {
        header: header(),
        programme_id: programme.clone(),
        // The province's limit counts a lead in a district of one of its cities.
        dimension: Some(set_sub_limit_request::Dimension::Region("210000".into())),
        limit: fen(700),
    };
    desk.programmes().set_sub_limit(by(CLERK, limit)).await.unwrap();
    let approve = |grant_id: String| {
        let award = Award { grant_id, amount: fen(300), expected_version: None };
        let request = ApproveGrantsRequest { header: header(), minutes: "1".into(), awards: vec![award] };
        let desk = desk.clone();
        tokio::spawn(async move { desk.grants().approve_grants(by(DIRECTOR, request)).await })
    };
    let answers: Vec<_> =
        join_all(grants.into_iter().map(approve)).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 2);
    for status in answers.into_iter().filter_map(Result::err) {
        assert_eq!(
            (reason(&status).as_str(), facts(&status)["left_minor"].as_str()),
            ("A02_ABOVE_SUB_LIMIT", "100")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_too_large_for_the_stream_is_refused_and_holds_nothing_up() {
    let desk = desk().await;
    let mut huge = award(&id(), &id(), 1);
    // Within the bounds of each field, but every character is six in JSON.
    huge.source.as_mut().unwrap().row = "\u{1}".repeat(128 * 1024);
    huge.discrepancies = vec!["\u{1}".repeat(3_000); 100];
    let status = desk.grants().import_award(by(CLERK, huge)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let programme = desk.programme(1).await.unwrap();
    let last = desk.supplement(&programme, &id(), 1).await.unwrap().last_position;
    eventually("it is published", async || (desk.status().await.ok()?.published >= last).then_some(()))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_has_at_most_five_hundred_commands() {
    let desk = desk().await;
    let programme = desk.programme(1).await.unwrap();
    let commands = |count| {
        (0..count).map(|_| bulk_command::Command::ApplyForGrant(application(&programme, &id(), 1))).collect()
    };
    let results = desk.bulk(APPLICANT, commands(500)).await.unwrap();
    assert!(results.iter().all(|one| matches!(one, bulk_result::Result::Receipt(_))));
    let fault = desk.bulk(APPLICANT, commands(501)).await.unwrap_err();
    assert_eq!(fields(fault.downcast_ref::<Status>().unwrap()), ["commands"]);
    let nobody = BulkCommand { actor: None, command: commands(1).pop() };
    let chunk = ExecuteCommandsRequest { chunk: 1, commands: vec![nobody, BulkCommand::default()] };
    let mut answers =
        desk.grants().execute_commands(plain(futures::stream::iter([chunk]))).await.unwrap().into_inner();
    for result in answers.message().await.unwrap().unwrap().results {
        let bulk_result::Result::Error(error) = result.result.unwrap() else { panic!("nobody acted") };
        assert_eq!((error.code, error.reason.as_str()), (Code::InvalidArgument.into(), "MALFORMED_REQUEST"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_saw_the_same_version_one_is_accepted() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let sent = (0..20).map(|_| {
        let (desk, mut request) = (desk.clone(), supplement(&programme, 1));
        request.header.as_mut().unwrap().expected_version = Some(1);
        tokio::spawn(async move { desk.programmes().supplement_programme(by(CLERK, request)).await })
    });
    let answers: Vec<_> = join_all(sent).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for status in answers.into_iter().filter_map(Result::err) {
        assert_eq!((status.code(), facts(&status)["actual_version"].as_str()), (Code::Aborted, "2"));
    }
}
