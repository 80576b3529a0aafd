//! Agreements and the directory of parties: from a framework agreement through a child to its end, what is refused on the
//! way, which version was in force when, and the same over the command line.

use concord_proto::agreement::v1::{
    AddPartyCodeRequest, AgreementKind, BulkCommand, Changes, DissolvePartyRequest, DraftAgreementRequest,
    EnterRegisterRequest, ExecuteCommandsRequest, FulfilObligationRequest, GetPartyRequest,
    MergePartyRequest, MinuteMeetingRequest, Obligation, ObligationKind, ProposeAmendmentRequest,
    RecordPartyRequest, Register, RegisterContractRequest, RegistrationState, RenewAgreementRequest,
    ResumeAgreementRequest, Role, SignAmendmentRequest, State, SubmitRegistrationRequest,
    SucceedPartyRequest, SuspendAgreementRequest, TechnologyContractType, Term, TerminateAgreementRequest,
    bulk_command,
};
use concord_proto::r#type::v1::{PartyKind, command_result};
use concord_tests::agreements::{
    Agreements, INSTITUTE, OFFICER, PROVINCE, UNIVERSITY, UNKNOWN, WORKS, document, draft, signature,
};
use concord_tests::desk::{broken, by, chinese, facts, fields, plain, reason};
use concord_tests::requests::{Receipt, fen, header, header_as, header_on, id};
use concord_tests::stack::Stack;
use serde_json::Value;
use std::process::Output;
use std::sync::OnceLock;
use tokio::sync::OnceCell;
use tonic::{Code, Status};

/// The stack of this module, on which today is 2017-04-20, with the directory filled.
async fn agreements() -> Agreements {
    static FILLED: OnceCell<()> = OnceCell::const_new();
    FILLED
        .get_or_init(|| async {
            Agreements::with_directory(stack()).await.unwrap();
        })
        .await;
    Agreements::at(stack()).await.unwrap()
}

fn stack() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| Stack::start().unwrap())
}

/// Asserts that a command was refused for this reason, in both languages.
fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, rule: &str) -> Status {
    let status = answer.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (code, rule), "{status:?}");
    assert!(!chinese(&status).is_ascii(), "it is told in Chinese too: {status:?}");
    status
}

fn broke<T: std::fmt::Debug>(answer: Result<T, Status>, rule: &str) -> Status {
    let status = refused(answer, Code::FailedPrecondition, rule);
    assert_eq!(broken(&status).first().map(String::as_str), Some(rule), "{status:?}");
    status
}

fn framework() -> DraftAgreementRequest {
    draft(AgreementKind::Framework, &[PROVINCE, UNIVERSITY], ("2017-05-01", "2020-04-30"))
}

fn long_term() -> DraftAgreementRequest {
    draft(AgreementKind::LongTerm, &[WORKS, UNIVERSITY], ("2017-04-20", "2020-04-19"))
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_framework_through_a_child_to_their_ends() {
    let desk = agreements().await;

    // The framework: nobody signs before there is a draft, no stranger does, and nobody twice.
    let request = framework();
    let frame = request.agreement_id.clone();
    refused(desk.sign(&frame, PROVINCE).await, Code::NotFound, "AGREEMENT_NOT_FOUND");
    let receipt = desk.draft(request.clone()).await.unwrap();
    assert_eq!(
        (receipt.log.as_str(), receipt.version, receipt.rulebook.as_str()),
        ("agreement", 1, "2012-09")
    );
    assert_eq!(desk.draft(request).await.unwrap(), receipt, "a repeat gets the first receipt");
    desk.sign(&frame, PROVINCE).await.unwrap();
    broke(desk.sign(&frame, PROVINCE).await, "ALREADY_SIGNED");
    broke(desk.sign(&frame, WORKS).await, "NOT_A_PARTY");
    refused(desk.sign(&frame, UNKNOWN).await, Code::NotFound, "PARTY_NOT_FOUND");
    assert_eq!(desk.show(&frame, "").await.unwrap().state(), State::PartiallySigned);

    // A child waits for the framework to be signed by all.
    let child = DraftAgreementRequest { parent_id: frame.clone(), ..long_term() };
    broke(desk.draft(child.clone()).await, "PARENT_NOT_LIVE");
    desk.sign(&frame, UNIVERSITY).await.unwrap();

    // Signed by all, and in force from the first day of its term on.
    assert_eq!(desk.show(&frame, "").await.unwrap().state(), State::NotBegun);
    assert_eq!(desk.show(&frame, "2017-05-01").await.unwrap().state(), State::InForce);
    let status = refused(desk.version(&frame, "2017-04-30").await, Code::NotFound, "NO_VERSION_IN_FORCE");
    assert_eq!(facts(&status).get("first_in_force").map(String::as_str), Some("2017-05-01"), "{status:?}");
    let in_force = desk.version(&frame, "2017-05-01").await.unwrap();
    let version = in_force.version.clone().unwrap();
    assert_eq!((version.number, in_force.state()), (1, State::InForce));
    let signed: Vec<(&str, &str)> = version
        .signatures
        .iter()
        .map(|signature| (signature.authority.as_str(), signature.signed_on.as_str()))
        .collect();
    assert_eq!(signed, [("授权〔2017〕433B号", "2017-04-20"), ("授权〔2017〕058B号", "2017-04-20")]);

    // The child, with something to do.
    let obligation = Obligation {
        number: 1,
        kind: ObligationKind::Milestone.into(),
        party: WORKS.to_owned(),
        text: "样机".to_owned(),
        due_on: "2018-06-30".to_owned(),
    };
    let child = desk.signed(DraftAgreementRequest { obligations: vec![obligation], ..child }).await.unwrap();
    let shown = desk.show(&child, "").await.unwrap();
    assert_eq!((shown.state(), shown.parent_id.as_str()), (State::InForce, frame.as_str()));
    let fulfilment = FulfilObligationRequest {
        header: header(),
        agreement_id: child.clone(),
        obligation: 1,
        evidence: vec![document("a prototype")],
    };
    desk.agreements().fulfil_obligation(by(OFFICER, fulfilment)).await.unwrap();
    let done = &desk.show(&child, "").await.unwrap().obligations[0];
    assert_eq!(done.fulfilment.as_ref().unwrap().evidence, [document("a prototype")]);

    // Out of force by a suspension, and in force again.
    let suspension = SuspendAgreementRequest {
        header: header(),
        agreement_id: child.clone(),
        cause: "审计".to_owned(),
        authority: "辽科发〔2017〕1号".to_owned(),
    };
    desk.agreements().suspend_agreement(by(OFFICER, suspension)).await.unwrap();
    assert_eq!(desk.version(&child, "2017-04-20").await.unwrap().state(), State::Suspended);
    let resumption = ResumeAgreementRequest {
        header: header(),
        agreement_id: child.clone(),
        authority: "辽科发〔2017〕2号".to_owned(),
    };
    desk.agreements().resume_agreement(by(OFFICER, resumption)).await.unwrap();

    // The framework ends, its child does not, and there is no further one.
    let termination = TerminateAgreementRequest {
        header: header(),
        agreement_id: frame.clone(),
        reason: "调整".to_owned(),
        authority: "辽政发〔2017〕9号".to_owned(),
        out_of_force_from: "2017-04-20".to_owned(),
    };
    desk.agreements().terminate_agreement(by(OFFICER, termination)).await.unwrap();
    let ended = desk.show(&frame, "").await.unwrap();
    assert_eq!((ended.state(), ended.end.unwrap().reason.as_str()), (State::Terminated, "调整"));
    assert_eq!(desk.show(&child, "").await.unwrap().state(), State::InForce);
    let late = DraftAgreementRequest { parent_id: frame, ..long_term() };
    broke(desk.draft(late).await, "PARENT_NOT_LIVE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_cannot_be_is_told_all_that_is_wrong() {
    let desk = agreements().await;
    // What the kind needs.
    let status = broke(
        desk.draft(draft(AgreementKind::Framework, &[WORKS, UNIVERSITY], ("2017-05-01", "2018-04-30"))).await,
        "KIND_NEEDS_PARTY",
    );
    assert!(status.message().contains("government"), "{status:?}");
    // Whom the directory does not know.
    let unknown = draft(AgreementKind::LongTerm, &[UNKNOWN, UNIVERSITY], ("2017-05-01", "2018-04-30"));
    refused(desk.draft(unknown).await, Code::NotFound, "PARTY_NOT_FOUND");
    // What the edge sees by itself, all at once, each at its field.
    let bad = DraftAgreementRequest {
        kind: 42,
        parent_id: "x".to_owned(),
        value: fen(0),
        obligations: vec![Obligation { due_on: "2018-02-30".to_owned(), ..Obligation::default() }],
        ..draft(AgreementKind::LongTerm, &["CN-USCC:91350100M000100Y4Z"], ("", "2018-04-31"))
    };
    let status = desk.draft(bad).await.unwrap_err();
    assert_eq!(
        (status.code(), fields(&status)),
        (
            Code::InvalidArgument,
            [
                "kind",
                "obligations[0].due_on",
                "obligations[0].kind",
                "obligations[0].party",
                "obligations[0].text",
                "parent_id",
                "parties[0].code",
                "term.from",
                "term.until",
                "value.amount_minor",
            ]
            .map(str::to_owned)
            .to_vec()
        ),
        "{status:?}"
    );
    // What only the whole shows.
    let backwards = draft(AgreementKind::LongTerm, &[WORKS, UNIVERSITY], ("2018-05-01", "2018-04-30"));
    let status = refused(desk.draft(backwards).await, Code::InvalidArgument, "MALFORMED_REQUEST");
    assert_eq!(facts(&status).get("code").map(String::as_str), Some("TERM_BACKWARDS"), "{status:?}");
    assert_eq!(fields(&status), ["term"]);
    // Another draft under an id that is taken.
    let first = long_term();
    desk.draft(first.clone()).await.unwrap();
    let other = DraftAgreementRequest { header: header(), title: "另一份".to_owned(), ..first };
    refused(desk.draft(other).await, Code::AlreadyExists, "ID_TAKEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_day_has_the_version_that_was_in_force() {
    let desk = agreements().await;
    let agreement = desk.signed(long_term()).await.unwrap();
    let propose = |changes: Changes| ProposeAmendmentRequest {
        header: header(),
        agreement_id: agreement.clone(),
        changes: Some(changes),
        authority: "变更〔2017〕1号".to_owned(),
        documents: vec![document("an amendment")],
    };
    // Nothing changed is nothing asked.
    let status =
        desk.agreements().propose_amendment(by(OFFICER, propose(Changes::default()))).await.unwrap_err();
    assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec!["changes".to_owned()]));
    // A title is not material: in force at once.
    let title = Changes { title: "改名".to_owned(), ..Changes::default() };
    let answer = desk.agreements().propose_amendment(by(OFFICER, propose(title))).await.unwrap().into_inner();
    assert_eq!(answer.version, 2);
    // The end is: it waits for every signature.
    let end = Changes { term_end: "2021-04-19".to_owned(), ..Changes::default() };
    let answer = desk.agreements().propose_amendment(by(OFFICER, propose(end))).await.unwrap().into_inner();
    assert_eq!(answer.version, 3);
    for party in [WORKS, UNIVERSITY] {
        assert_eq!(desk.version(&agreement, "2017-04-20").await.unwrap().version.unwrap().number, 2);
        let by_party = signature(&agreement, party);
        let signing = SignAmendmentRequest {
            header: header(),
            agreement_id: agreement.clone(),
            version: 3,
            party: by_party.party,
            signatory: by_party.signatory,
            authority: by_party.authority,
        };
        desk.agreements().sign_amendment(by(OFFICER, signing)).await.unwrap();
    }
    let now = desk.version(&agreement, "2017-04-20").await.unwrap().version.unwrap();
    assert_eq!((now.number, now.signatures.len(), now.term_end.as_str()), (3, 2, "2021-04-19"));
    // Overlapping terms, and one that follows.
    let renewal = |from: &str| RenewAgreementRequest {
        header: header(),
        agreement_id: agreement.clone(),
        term: Some(Term { from: from.to_owned(), until: "2024-04-19".to_owned() }),
        authority: "续签〔2017〕1号".to_owned(),
        documents: Vec::new(),
    };
    broke(desk.agreements().renew_agreement(by(OFFICER, renewal("2021-04-19"))).await, "TERMS_OVERLAP");
    desk.agreements().renew_agreement(by(OFFICER, renewal("2021-04-20"))).await.unwrap();
    // The version goes on in the new term, and the answer says by whose authority.
    for (on, term, authority) in [
        ("2021-04-19", ("2017-04-20", "2021-04-19"), ""),
        ("2021-04-20", ("2021-04-20", "2024-04-19"), "续签〔2017〕1号"),
    ] {
        let answer = desk.version(&agreement, on).await.unwrap();
        let period = answer.period.unwrap();
        let agreed = period.term.unwrap();
        assert_eq!(answer.version.unwrap().number, 3, "{on}");
        assert_eq!((agreed.from.as_str(), agreed.until.as_str()), term, "{on}");
        assert_eq!(period.authority, authority, "{on}");
    }
    assert_eq!(desk.show(&agreement, "2024-04-19").await.unwrap().state(), State::InForce);
    // The day after the last it is out of force, with nobody acting.
    assert_eq!(desk.show(&agreement, "2024-04-20").await.unwrap().state(), State::Expired);
    refused(desk.version(&agreement, "2024-04-20").await, Code::NotFound, "NO_VERSION_IN_FORCE");
    let status = desk.version(&agreement, "").await.unwrap_err();
    assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec!["on".to_owned()]));
    let status = desk.version(&id(), "2017-04-20").await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "NOT_FOUND"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_is_one_by_whatever_code() {
    // A stack of its own: parties of it end.
    let stack = Stack::start().unwrap();
    let desk = Agreements::with_directory(&stack).await.unwrap();
    let works = desk.look_up(WORKS, "").await.unwrap().party_id;

    // The same code names the same party, and another one's code is refused.
    let again = desk.record(WORKS, PartyKind::Enterprise, "210100", "沈阳某机床厂").await.unwrap();
    assert_eq!(again, works);
    let alias = |party_id: &str, code: &str| AddPartyCodeRequest {
        header: header_on("2016-01-01"),
        party_id: party_id.to_owned(),
        code: code.to_owned(),
        certificate: None,
    };
    desk.parties().add_party_code(by(OFFICER, alias(&works, UNKNOWN))).await.unwrap();
    refused(
        desk.parties().add_party_code(by(OFFICER, alias(&works, INSTITUTE))).await,
        Code::AlreadyExists,
        "CODE_TAKEN",
    );
    let found = desk.look_up(UNKNOWN, "").await.unwrap();
    assert_eq!((found.party_id.as_str(), found.party.unwrap().code.as_str()), (works.as_str(), UNKNOWN));

    // What holds from a day on.
    let register = EnterRegisterRequest {
        header: header_on("2017-01-01"),
        party_id: works.clone(),
        register: Register::KeyEnterprise.into(),
    };
    desk.parties().enter_register(by(OFFICER, register)).await.unwrap();
    let registers = async |on: &str| desk.look_up(WORKS, on).await.unwrap().registers;
    assert_eq!(registers("2016-12-31").await, Vec::<i32>::new());
    assert_eq!(registers("2017-01-01").await, [i32::from(Register::KeyEnterprise)]);

    // Merged, it is succeeded; its successor stands for it in its agreements.
    let agreement = desk.signed(long_term()).await.unwrap();
    let heir = desk.record("EU-PIC:999999999", PartyKind::Enterprise, "DE", "Nachfolger AG").await.unwrap();
    let merger = MergePartyRequest { header: header(), party_id: works.clone(), into: heir.clone() };
    desk.parties().merge_party(by(OFFICER, merger)).await.unwrap();
    assert_eq!(desk.look_up(UNKNOWN, "2017-04-19").await.unwrap().successor_id, works);
    assert_eq!(desk.look_up(UNKNOWN, "2017-04-20").await.unwrap().successor_id, heir);
    let succession = SucceedPartyRequest {
        header: header(),
        agreement_id: agreement.clone(),
        party: WORKS.to_owned(),
        successor: "EU-PIC:999999999".to_owned(),
        authority: "承继〔2017〕1号".to_owned(),
    };
    desk.agreements().succeed_party(by(OFFICER, succession)).await.unwrap();
    let parties = desk.show(&agreement, "").await.unwrap().parties;
    assert!(parties.iter().any(|party| party.party_id == heir), "{parties:?}");

    // Dissolved, it signs nothing.
    let institute = desk.look_up(INSTITUTE, "").await.unwrap().party_id;
    let with_institute =
        draft(AgreementKind::LongTerm, &["EU-PIC:999999999", INSTITUTE], ("2017-05-01", "2018-04-30"));
    let waiting = with_institute.agreement_id.clone();
    desk.draft(with_institute).await.unwrap();
    let end = DissolvePartyRequest { header: header(), party_id: institute.clone() };
    desk.parties().dissolve_party(by(OFFICER, end)).await.unwrap();
    broke(desk.sign(&waiting, INSTITUTE).await, "PARTY_DISSOLVED");
    assert!(desk.look_up(INSTITUTE, "").await.unwrap().dissolved);
    let whole = GetPartyRequest { party_id: institute, min_position: 0 };
    let whole = desk.parties().get_party(plain(whole)).await.unwrap().into_inner().party.unwrap();
    assert_eq!((whole.ended_from.as_str(), whole.merged_into.as_str()), ("2017-04-20", ""));

    // What nobody has, is not found; what cannot be a code, is told so.
    let status = desk.look_up("CN-USCC:91350100M000100Y43", "").await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
    let status = desk.look_up("CN-USCC:91350100M000100Y4Z", "").await.unwrap_err();
    assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec!["code".to_owned()]));

    // All of it is proved, as the fund's log is: its order, its documents, and the stream.
    let proof = json(&stack, &["log", "check", "--log", "agreement", "--json"]);
    let head = desk.head().await.unwrap();
    assert_eq!((&proof["log"], &proof["proved"]), (&"agreement".into(), &true.into()), "{proof}");
    assert_eq!((&proof["events"], &proof["lines"]), (&head.into(), &Value::Null), "{proof}");
    assert_eq!(proof["stream"]["to"], head, "{proof}");
    let status = json(&stack, &["log", "status", "--log", "agreement", "--json"]);
    assert_eq!((&status["log"], &status["head"]), (&"agreement".into(), &head.into()), "{status}");
    let found = json(&stack, &["log", "recover", "--log", "agreement", "--json"]);
    assert_eq!(found["head"], head, "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_technology_contract_is_registered_and_meetings_are_minuted() {
    let desk = agreements().await;
    let mut contract =
        draft(AgreementKind::TechnologyContract, &[UNIVERSITY, WORKS], ("2017-04-20", "2018-04-19"));
    contract.parties[0].role = Role::Seller.into();
    contract.parties[1].role = Role::Buyer.into();
    contract.technology = TechnologyContractType::Transfer.into();
    contract.value = fen(5_000_000);
    let agreement = desk.signed(contract).await.unwrap();
    let submission = SubmitRegistrationRequest {
        header: header(),
        agreement_id: agreement.clone(),
        registrar: "沈阳市技术合同登记处".to_owned(),
    };
    desk.agreements().submit_registration(by(OFFICER, submission)).await.unwrap();
    let registered = |income| RegisterContractRequest {
        header: header(),
        agreement_id: agreement.clone(),
        number: "2017-0001".to_owned(),
        class: "技术转让".to_owned(),
        technology_income: fen(income),
    };
    let above = desk.agreements().register_contract(by(OFFICER, registered(5_000_001))).await;
    refused(above, Code::FailedPrecondition, "INCOME_ABOVE_VALUE");
    desk.agreements().register_contract(by(OFFICER, registered(4_000_000))).await.unwrap();
    let registration = desk.show(&agreement, "").await.unwrap().registration.unwrap();
    assert_eq!(
        (registration.state(), registration.number.as_str()),
        (RegistrationState::Registered, "2017-0001")
    );

    let visit = MinuteMeetingRequest {
        header: header(),
        agreement_id: agreement.clone(),
        kind: concord_proto::agreement::v1::MeetingKind::Visit.into(),
        parties: vec![UNIVERSITY.to_owned(), WORKS.to_owned()],
        minutes: Some(document("minutes")),
        action_items: vec![concord_proto::agreement::v1::ActionItem {
            number: 1,
            party: WORKS.to_owned(),
            text: "寄送样品".to_owned(),
            due_on: "2017-06-30".to_owned(),
        }],
    };
    let again = MinuteMeetingRequest { header: header(), ..visit.clone() };
    let first = desk.agreements().minute_meeting(by(OFFICER, visit)).await.unwrap().into_inner();
    let second = desk.agreements().minute_meeting(by(OFFICER, again)).await.unwrap().into_inner();
    assert_eq!((first.meeting, second.meeting), (1, 1), "the same minutes are the same meeting");
    assert_eq!(second.receipt.unwrap().first_position, 0);
    let held = &desk.show(&agreement, "").await.unwrap().meetings[0];
    assert!(held.action_items[0].closed.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_stream_takes_parties_and_agreements_in_order() {
    let desk = agreements().await;
    let code = "GB-COH:01234567";
    let request = draft(AgreementKind::LongTerm, &[code, UNIVERSITY], ("2017-05-01", "2018-04-30"));
    let agreement = request.agreement_id.clone();
    let record = RecordPartyRequest {
        header: header(),
        code: code.to_owned(),
        kind: PartyKind::Enterprise.into(),
        name: "Example Ltd".to_owned(),
        region: "GB".to_owned(),
        industry: String::new(),
        certificate: None,
    };
    let commands = [
        Some(bulk_command::Command::RecordParty(record)),
        Some(bulk_command::Command::DraftAgreement(request)),
        None,
        Some(bulk_command::Command::SignAgreement(signature(&agreement, WORKS))),
        Some(bulk_command::Command::SignAgreement(signature(&agreement, code))),
    ];
    let commands = commands.into_iter().map(|command| BulkCommand { actor: None, command }).collect();
    let chunk = ExecuteCommandsRequest { chunk: 3, commands };
    let stream = by(OFFICER, futures::stream::iter([chunk]));
    let mut answers = desk.agreements().execute_commands(stream).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap();
    assert_eq!(answer.chunk, 3);
    let told: Vec<String> = answer
        .results
        .into_iter()
        .map(|one| match one.result.unwrap() {
            command_result::Result::Receipt(receipt) => format!("version {}", receipt.version),
            command_result::Result::Error(error) => error.reason,
        })
        .collect();
    assert_eq!(told, ["version 1", "version 1", "MALFORMED_REQUEST", "NOT_A_PARTY", "version 2"]);
    assert!(answers.message().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_and_a_version_are_kept_to() {
    let desk = agreements().await;
    let request = long_term();
    let agreement = request.agreement_id.clone();
    desk.draft(request).await.unwrap();
    let request_id = id();
    let mut signing = signature(&agreement, WORKS);
    signing.header = header_as(&request_id);
    signing.header.as_mut().unwrap().expected_version = Some(2);
    let stale = desk.agreements().sign_agreement(by(OFFICER, signing.clone())).await.unwrap_err();
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "STALE_VERSION"));
    signing.header.as_mut().unwrap().expected_version = Some(1);
    let first = desk.agreements().sign_agreement(by(OFFICER, signing.clone())).await.unwrap().receipt();
    let again = desk.agreements().sign_agreement(by(OFFICER, signing.clone())).await.unwrap().receipt();
    assert_eq!(first, again);
    signing.authority = "另一文号".to_owned();
    let reused = desk.agreements().sign_agreement(by(OFFICER, signing)).await.unwrap_err();
    assert_eq!((reused.code(), reason(&reused).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calendar_ends_an_agreement_with_nobody_acting() {
    let stack = Stack::start().unwrap();
    let desk = Agreements::with_directory(&stack).await.unwrap();
    let agreement = desk.signed(long_term()).await.unwrap();
    let before = desk.head().await.unwrap();
    // Both clocks, over the command line.
    let moved = json(&stack, &["today", "--advance", "2020-04-20", "--json"]);
    assert_eq!((&moved["today"], &moved["agreement"]["today"]), (&"2020-04-20".into(), &"2020-04-20".into()));
    assert_eq!(desk.head().await.unwrap(), before + 1, "the clock moved, and that is all");
    assert_eq!(desk.show(&agreement, "").await.unwrap().state(), State::Expired);
    assert_eq!(desk.show(&agreement, "2020-04-19").await.unwrap().state(), State::InForce);
}

/// Runs a command that must succeed.
fn run(stack: &Stack, args: &[&str]) -> Output {
    let output = stack.run(args).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "concord {}: {said}", args.join(" "));
    output
}

fn json(stack: &Stack, args: &[&str]) -> Value {
    serde_json::from_slice(&run(stack, args).stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_drafts_signs_and_shows() {
    // A stack of its own: it also tells where its services are.
    let stack = Stack::start().unwrap();
    let seen = String::from_utf8(run(&stack, &["up", "--status"]).stdout).unwrap();
    assert!(seen.contains("\"agreement\""), "{seen}");
    for (code, kind) in [(WORKS, "enterprise"), (UNIVERSITY, "university")] {
        run(&stack, &["party", "record", "--code", code, "--kind", kind, "--name", "某单位"]);
    }
    run(&stack, &["party", "alias", WORKS, "--code", UNKNOWN]);
    let found = json(&stack, &["party", "look-up", UNKNOWN, "--json"]);
    let shown = json(&stack, &["party", "show", WORKS, "--json"]);
    assert_eq!(found["party_id"], shown["party_id"]);
    assert_eq!(shown["codes"].as_array().unwrap().len(), 2, "{shown}");

    let drafted = json(
        &stack,
        &[
            "agreement",
            "draft",
            "--kind",
            "long_term",
            "--title",
            "长期合作",
            "--party",
            WORKS,
            "--party",
            UNIVERSITY,
            "--from",
            "2017-04-20",
            "--until",
            "2020-04-19",
            "--obligation",
            &format!("1,milestone,{WORKS},2018-06-30,样机"),
            "--json",
        ],
    );
    let agreement = drafted["agreement_id"].as_str().unwrap();
    // Without the document that authorises the signatory nothing is sent.
    let output =
        stack.run(&["agreement", "sign", agreement, "--party", WORKS, "--signatory", "p-1"]).unwrap();
    assert_eq!(output.status.code(), Some(64), "{output:?}");
    for party in [UNKNOWN, UNIVERSITY] {
        let sign =
            ["agreement", "sign", agreement, "--party", party, "--signatory", "p-1", "--authority", "1号"];
        run(&stack, &sign);
    }
    let version = json(&stack, &["agreement", "version", agreement, "--on", "2017-04-20", "--json"]);
    assert_eq!(
        (&version["state"], &version["version"]["number"]),
        (&"in_force".into(), &1.into()),
        "{version}"
    );
    assert_eq!(version["version"]["signatures"][0]["authority"], "1号", "{version}");
    assert_eq!(version["period"]["until"], "2020-04-19", "{version}");
    let output = stack.run(&["agreement", "version", agreement, "--on", "2017-04-19"]).unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("2017-04-20") && said.contains("没有有效版本"), "{said}");
    let table = String::from_utf8(run(&stack, &["agreement", "show", agreement]).stdout).unwrap();
    for part in ["in_force 有效", "样机", UNIVERSITY] {
        assert!(table.contains(part), "{part} is not in {table}");
    }
}
