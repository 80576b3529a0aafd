//! `concord log check`: an honest history is proved, and every planted fault is named.
//!
//! Each fault is planted for real, by somebody with all rights to PostgreSQL or to NATS, and taken back afterwards.

use concord_proto::fund::v1::{
    ApproveGrantsRequest, AuthoriseTrancheRequest, Award, InstructTrancheRequest, PersonalData,
    RequestTrancheRequest, SetSubLimitRequest, SettleTrancheRequest, SignContractRequest, TrancheCondition,
    VerifyPayeeRequest, WithdrawGrantRequest, set_sub_limit_request,
};
use concord_tests::check::{Check, History, Row, Tables, check, check_from, checked, rechain, renumber};
use concord_tests::desk::{APPLICANT, CASHIER, CLERK, CONTROLLER, DIRECTOR, Desk, TREASURER, by};
use concord_tests::record::{in_nats, in_postgres};
use concord_tests::requests::{award, fen, header, id, tranche};
use concord_tests::stack::Stack;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A check of the log by itself.
const ALONE: &[&str] = &["--without", "stream,projection,answers"];

/// A stack with a small history of everything: a budget with a limit, imports, two grants approved in one meeting, one
/// paid and one withdrawn. Its head is the last supplement.
async fn told() -> (Stack, Desk) {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    // Nothing is soon proved, and is all there is.
    checked(&stack).unwrap();
    let programme = desk.programme(100_000).await.unwrap();
    for amount in [1, 2] {
        desk.supplement(&programme, &id(), amount).await.unwrap();
    }
    let limit = SetSubLimitRequest {
        header: header(),
        programme_id: programme.clone(),
        dimension: Some(set_sub_limit_request::Dimension::Region("210100".to_owned())),
        limit: fen(60_000),
    };
    desk.programmes().set_sub_limit(by(CLERK, limit)).await.unwrap();
    let old = id();
    for amount in [700, 300] {
        desk.grants().import_award(by(CLERK, award(&old, &id(), amount))).await.unwrap();
    }
    let paid = desk.grant_on_notice(&programme, 30_000).await.unwrap();
    let withdrawn = desk.grant_on_notice(&programme, 20_000).await.unwrap();
    let award = |grant_id: &String, amount| Award {
        grant_id: grant_id.clone(),
        amount: fen(amount),
        expected_version: None,
    };
    let awards = vec![award(&paid, 30_000), award(&withdrawn, 20_000)];
    let meeting = ApproveGrantsRequest { header: header(), minutes: "1".into(), awards };
    desk.grants().approve_grants(by(DIRECTOR, meeting)).await.unwrap();
    pay(&desk, &paid).await;
    let request = WithdrawGrantRequest { header: header(), grant_id: withdrawn, reason: "撤回".into() };
    desk.grants().withdraw_grant(by(APPLICANT, request)).await.unwrap();
    desk.supplement(&programme, &id(), 3).await.unwrap();
    (stack, desk)
}

/// A grant's contract, and its first tranche up to its settlement.
async fn pay(desk: &Desk, grant_id: &str) {
    let mut grants = desk.grants();
    let grant_id = grant_id.to_owned();
    let contract = SignContractRequest {
        header: header(),
        grant_id: grant_id.clone(),
        contract_number: "LN-2017-0042".to_owned(),
        amount: fen(28_000),
        starts_on: "2017-06-01".to_owned(),
        ends_on: "2019-05-31".to_owned(),
        tranches: vec![
            tranche(1, 14_000, TrancheCondition::Contract, "2017-05-31"),
            tranche(2, 14_000, TrancheCondition::FinalAcceptance, "2018-12-31"),
        ],
        allocations: Vec::new(),
    };
    grants.sign_contract(by(DIRECTOR, contract)).await.unwrap();
    let account = Some(PersonalData { person_id: id(), text: "6222 0000 0000 0000".to_owned() });
    let verified = VerifyPayeeRequest { header: header(), grant_id: grant_id.clone(), account };
    grants.verify_payee(by(DIRECTOR, verified)).await.unwrap();
    let (tranche_number, amount) = (1, None);
    let request =
        RequestTrancheRequest { header: header(), grant_id: grant_id.clone(), tranche_number, amount };
    grants.request_tranche(by(APPLICANT, request)).await.unwrap();
    let authorised = AuthoriseTrancheRequest { header: header(), grant_id: grant_id.clone(), tranche_number };
    grants.authorise_tranche(by(CONTROLLER, authorised)).await.unwrap();
    let instructed = InstructTrancheRequest {
        header: header(),
        grant_id: grant_id.clone(),
        tranche_number,
        instruction_id: id(),
    };
    grants.instruct_tranche(by(TREASURER, instructed)).await.unwrap();
    let bank_reference = "B-1".to_owned();
    let settled = SettleTrancheRequest { header: header(), grant_id, tranche_number, bank_reference };
    grants.settle_tranche(by(CASHIER, settled)).await.unwrap();
}

/// Index of the event of a type that has so many of it before it.
fn find(rows: &[Row], event: &str, nth: usize) -> usize {
    let event = format!("concord.fund.v1.{event}");
    let mut all = rows.iter().enumerate().filter(|(_, row)| row.get("type") == event);
    all.nth(nth).map(|(index, _)| index).unwrap_or_else(|| panic!("no {event} number {nth}"))
}

/// Gives two events each other's place.
fn swap(rows: &mut [Row], one: usize, other: usize) {
    let document = rows[one].document.clone();
    rows[one].document = std::mem::replace(&mut rows[other].document, document);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_history_is_proved_and_what_was_not_compared_is_said() {
    let (stack, desk) = told().await;
    let head = desk.status().await.unwrap().head;
    let whole = check(&stack, &[]).unwrap();
    assert_eq!((whole.code, whole.rules()), (Some(0), vec![]), "{}", whole.errors);
    assert_eq!(whole.said["proved"], true);
    assert_eq!(whole.said["head"], head);
    assert_eq!(whole.said["events"], head);
    // One command approved two grants.
    assert_eq!(whole.said["commands"], head - 1);
    assert_eq!((&whole.said["stream"]["from"], &whole.said["stream"]["to"]), (&1.into(), &head.into()));
    assert_eq!(whole.said["projection"]["to"], head);
    assert!(whole.said["projection"]["rows"].as_u64().unwrap() > head);
    // Two programmes' own, of which the imported one has nothing to itself, and four grants.
    assert_eq!((&whole.said["answers"]["to"], &whole.said["answers"]["balances"]), (&head.into(), &5.into()));
    assert!(whole.not_compared().is_empty());
    assert!(!whole.said["beyond"].as_array().unwrap().is_empty());

    let alone = check(&stack, ALONE).unwrap();
    assert_eq!((alone.code, &alone.said["proved"]), (Some(0), &true.into()));
    assert_eq!(alone.not_compared(), [("answers", true), ("projection", true), ("stream", true)].into());
    assert_eq!((&alone.said["stream"], &alone.said["projection"]), (&().into(), &().into()));

    // A service that is named by its address has its stream and its projection who knows where.
    let elsewhere = || {
        let mut command = stack.command();
        command.env("CONCORD_ADDRESS_FUND_GRANT", stack.address("fund-grant").unwrap());
        command.env("CONCORD_ADDRESS_FUNDING_AUDIT", stack.address("funding-audit").unwrap());
        command.env("CONCORD_ACTOR", CLERK);
        command
    };
    let unknown = check_from(elsewhere(), &[]).unwrap();
    assert_eq!((unknown.code, &unknown.said["proved"]), (Some(6), &false.into()), "{}", unknown.errors);
    assert!(unknown.errors.contains("stream, projection"), "{}", unknown.errors);
    assert_eq!(unknown.not_compared(), [("projection", false), ("stream", false)].into());
    let nats = stack.nats_url().unwrap();
    let half = check_from(elsewhere(), &["--nats-url", &nats]).unwrap();
    assert_eq!((half.code, half.not_compared()), (Some(6), [("projection", false)].into()));
    let database = stack.database_url("funding_audit").unwrap();
    let named = ["--nats-url", &nats, "--projection-database-url", &database];
    assert_eq!(check_from(elsewhere(), &named).unwrap().code, Some(0));

    let told = stack.run(&["log", "check"]).unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("no fault found 未发现问题"), "{told}");
    assert!(told.contains("beyond this check 不在核对之内"), "{told}");
}

/// A fault in the log: its name, how it is planted, and the rules that the log by itself then breaks.
type Planted = (&'static str, fn(&mut Vec<Row>), &'static [&'static str]);

/// Faults that leave the number of events as it is, so that the service need not be started anew to serve them.
const IN_PLACE: &[Planted] = &[
    (
        "two events swapped",
        |rows| {
            swap(rows, 1, 2);
        },
        &["POSITION_ATTRIBUTE", "PREVIOUS_OF_TYPE", "TIME_BACK", "VERSION"],
    ),
    (
        "two events swapped and numbered anew",
        |rows| {
            swap(rows, 1, 2);
            renumber(rows);
        },
        &["PREVIOUS_OF_TYPE", "TIME_BACK", "VERSION"],
    ),
    (
        "two events swapped and everything made to fit but the times",
        |rows| {
            swap(rows, 1, 2);
            renumber(rows);
            rechain(rows);
        },
        &["TIME_BACK"],
    ),
    (
        "an event lost, its number left",
        |rows| {
            let settled = find(rows, "TrancheSettled", 0);
            rows.remove(settled);
        },
        &["POSITION_GAP"],
    ),
    (
        "a version gap",
        |rows| {
            let withdrawn = find(rows, "GrantWithdrawn", 0);
            let version: u64 = rows[withdrawn].get("version").parse().unwrap();
            rows[withdrawn].set("version", &(version + 1).to_string());
        },
        &["VERSION"],
    ),
    (
        "a type's chain broken",
        |rows| {
            let last = find(rows, "ProgrammeSupplemented", 2);
            rows[last].set("previousoftype", "2");
        },
        &["PREVIOUS_OF_TYPE"],
    ),
    (
        "a request id reused",
        |rows| {
            let first = rows[1].get("requestid").to_owned();
            rows[3].set("requestid", &first);
        },
        &["REQUEST_ID_REUSED"],
    ),
    (
        "a request id reused by its neighbour, of another body",
        |rows| {
            let first = rows[1].get("requestid").to_owned();
            rows[2].set("requestid", &first);
        },
        &["BODY_HASH", "COMMAND_LAST"],
    ),
    (
        "a budget over-committed",
        |rows| {
            let approved = find(rows, "GrantApproved", 1);
            rows[approved].replace("\"amount_minor\":20000", "\"amount_minor\":70004");
            let withdrawn = find(rows, "GrantWithdrawn", 0);
            rows[withdrawn].replace("\"released_minor\":20000", "\"released_minor\":70004");
            // Its limit is out of the way: this is about the budget.
            let limit = find(rows, "SubLimitSet", 0);
            rows[limit].replace("\"limit_minor\":60000", "\"limit_minor\":600000");
        },
        &["ACCOUNT_NEGATIVE"],
    ),
    (
        "a sub-limit exceeded",
        |rows| {
            let approved = find(rows, "GrantApproved", 1);
            rows[approved].replace("\"amount_minor\":20000", "\"amount_minor\":30001");
        },
        &["LIMIT_EXCEEDED"],
    ),
    (
        "more settled than instructed",
        |rows| {
            let settled = find(rows, "TrancheSettled", 0);
            rows[settled].replace("\"amount_minor\":14000", "\"amount_minor\":14001");
        },
        &["ACCOUNT_NEGATIVE"],
    ),
    (
        "a grant's lead moved to another region",
        |rows| {
            let approved = find(rows, "GrantApproved", 1);
            rows[approved].replace("\"lead_region\":\"210102\"", "\"lead_region\":\"210103\"");
        },
        &["GRANT_FACTS"],
    ),
    (
        "a programme's money in another currency",
        |rows| {
            let added = find(rows, "ProgrammeSupplemented", 0);
            rows[added].replace("\"currency\":\"CNY\"", "\"currency\":\"EUR\"");
        },
        &["CURRENCY"],
    ),
    (
        "an id used twice",
        |rows| {
            let first = rows[1].get("id").to_owned();
            rows[2].set("id", &first);
        },
        &["ID_REPEATED"],
    ),
    (
        "a time before the one before",
        |rows| {
            rows[2].set("time", "2017-01-01T00:00:00.000000Z");
        },
        &["TIME_BACK"],
    ),
    (
        "an event of another generation",
        |rows| {
            rows[2].set("source", "/concord/local/fund-grant/2");
        },
        &["SOURCE"],
    ),
    ("another version of CloudEvents", |rows| rows[2].set("specversion", "1.1"), &["ENVELOPE"]),
    (
        "a document that names another aggregate",
        |rows| {
            let other = rows[find(rows, "GrantApplied", 0)].get("subject").to_owned();
            rows[2].set("subject", &other);
        },
        &["SUBJECT"],
    ),
    (
        "something that no reader sees",
        |rows| {
            rows[2].replace("\"data\":{", "\"data\":{\"note\":\"agreed by telephone\",");
        },
        &["DOCUMENT_FORM"],
    ),
    (
        "an event of no known type",
        |rows| {
            let last = rows.len() - 1;
            rows[last].set("type", "concord.fund.v1.ProgrammeBlessed");
        },
        &["DOCUMENT_UNREADABLE"],
    ),
    (
        "the end of the log lost",
        |rows| {
            rows.pop();
        },
        &["LOG_ENDS_EARLY"],
    ),
    // What the log by itself cannot tell: the stream and the projection do, below.
    ("a word changed", |rows| change_a_word(rows), &[]),
];

fn change_a_word(rows: &mut [Row]) {
    let applied = find(rows, "GrantApplied", 0);
    rows[applied].replace("高温合金叶片中试", "高温合金叶片中式");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_in_the_log_is_named() {
    let (stack, desk) = told().await;
    checked(&stack).unwrap();
    let mut history = History::of(&stack).await.unwrap();
    for (what, plant, rules) in IN_PLACE {
        let mut rows = history.rows.clone();
        plant(&mut rows);
        assert_ne!(rows, history.rows, "{what}");
        history.plant(&rows).await.unwrap();
        let alone = check(&stack, ALONE).unwrap();
        history.restore().await.unwrap();
        assert_eq!(alone.rules(), *rules, "{what}: {:#}", alone.said);
        assert_eq!(alone.code, Some(i32::from(!rules.is_empty())), "{what}: {}", alone.errors);
    }
    assert_eq!(desk.status().await.unwrap().head, history.rows.len() as u64);
    checked(&stack).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_cannot_tell_the_stream_and_the_projection_do() {
    let (stack, _) = told().await;
    checked(&stack).unwrap();
    let mut history = History::of(&stack).await.unwrap();
    let head = history.rows.len() as u64;
    let place = find(&history.rows, "GrantApplied", 0) as u64 + 1;

    let mut rows = history.rows.clone();
    change_a_word(&mut rows);
    history.plant(&rows).await.unwrap();
    let changed = check(&stack, &[]).unwrap();
    history.restore().await.unwrap();
    // The title stands in the grant's row.
    assert_eq!(changed.faults(), [("ROW_ALTERED", 1), ("STREAM_DIFFERS", 1)].into(), "{:#}", changed.said);
    assert_eq!(changed.positions("STREAM_DIFFERS"), [place]);
    assert_eq!(changed.positions("ROW_ALTERED"), [place]);

    let mut rows = history.rows.clone();
    rows.pop();
    history.plant(&rows).await.unwrap();
    let shorter = check(&stack, &[]).unwrap();
    history.restore().await.unwrap();
    let rules = ["ANSWER_DIFFERS", "LOG_ENDS_EARLY", "ROW_SURPLUS", "STREAM_BEYOND"];
    assert_eq!(shorter.rules(), rules, "{:#}", shorter.said);
    assert_eq!(shorter.positions("STREAM_BEYOND"), [head]);
    checked(&stack).unwrap();
}

/// What a check of the log by itself, and a whole one, say of a service that was started on these rows.
async fn started_on(stack: &Stack, history: &mut History, rows: &[Row]) -> (Check, Check) {
    // The servers stay, so that what nobody serves can be changed.
    stack.kill().unwrap();
    history.plant(rows).await.unwrap();
    stack.up().unwrap();
    (check(stack, ALONE).unwrap(), check(stack, &["--patience", "1"]).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_and_doubled_events_are_named_though_the_positions_run_on() {
    let (stack, _) = told().await;
    checked(&stack).unwrap();
    let mut history = History::of(&stack).await.unwrap();
    let honest = history.rows.clone();

    // The second supplement is lost: the programme's next version and the next supplement's chain miss it.
    let mut lost = honest.clone();
    lost.remove(2);
    renumber(&mut lost);
    let (alone, _) = started_on(&stack, &mut history, &lost).await;
    assert_eq!(alone.rules(), ["PREVIOUS_OF_TYPE", "VERSION"], "{:#}", alone.said);
    assert_eq!(alone.positions("VERSION"), [3]);

    // With everything made to fit, only those who had it before can tell.
    rechain(&mut lost);
    let (alone, whole) = started_on(&stack, &mut history, &lost).await;
    assert_eq!((alone.code, alone.rules()), (Some(0), vec![]), "{:#}", alone.said);
    assert_eq!(whole.code, Some(1));
    for rule in ["ANSWER_DIFFERS", "PROJECTION_BEYOND", "ROW_ALTERED", "STREAM_BEYOND", "STREAM_DIFFERS"] {
        assert!(whole.rules().contains(&rule), "{rule}: {:#}{}", whole.said, whole.errors);
    }
    assert_eq!(whole.positions("STREAM_DIFFERS").first(), Some(&3));

    let (_, whole) = started_on(&stack, &mut history, &honest).await;
    assert_eq!((whole.code, whole.rules()), (Some(0), vec![]), "put back: {:#}", whole.said);

    // A grant is opened again at the end: the projection stops there, and says so.
    let applied = find(&honest, "GrantApplied", 0);
    let doubled = |of: usize, at: usize| {
        let mut doubled = honest.clone();
        doubled.insert(at, honest[of].clone());
        renumber(&mut doubled);
        rechain(&mut doubled);
        doubled
    };
    let again = doubled(applied, honest.len());
    let (alone, whole) = started_on(&stack, &mut history, &again).await;
    let rules = ["GRANT_FACTS", "ID_REPEATED", "REQUEST_ID_REUSED", "TIME_BACK"];
    assert_eq!(alone.rules(), rules, "{:#}", alone.said);
    for rule in ["ANSWERS_BEHIND", "PROJECTION_BEHIND"] {
        assert!(whole.rules().contains(&rule), "{rule}: {:#}{}", whole.said, whole.errors);
    }
    assert!(whole.said.to_string().contains("the projection stopped at"), "{:#}", whole.said);
    // Put back, it stays in the stream, which the relay does not touch: it may be the only copy.
    let (_, whole) = started_on(&stack, &mut history, &honest).await;
    assert_eq!(whole.rules(), ["STREAM_BEYOND"], "{:#}", whole.said);

    // Among what the projection has applied, it cannot be folded again.
    let (_, whole) = started_on(&stack, &mut history, &doubled(applied, applied + 1)).await;
    assert!(whole.rules().contains(&"PROJECTION_REFOLD"), "{:#}", whole.said);

    // The first supplement comes twice, with everything made to fit; then at the end, as if sent again.
    for (at, rules) in [
        (2, &["COMMAND_LAST", "ID_REPEATED"][..]),
        (honest.len(), &["ID_REPEATED", "REQUEST_ID_REUSED", "TIME_BACK"]),
    ] {
        let (alone, _) = started_on(&stack, &mut history, &doubled(1, at)).await;
        assert_eq!(alone.rules(), rules, "{:#}", alone.said);
        assert_eq!(alone.positions("ID_REPEATED"), [at as u64 + 1]);
    }
}

/// Subject, less the log's prefix, and payload of a message.
type Sent = (String, Vec<u8>);

/// Copies of the stack's stream beside it, under other names. The relay does not know them, and so does not mend them.
struct Copies {
    context: async_nats::jetstream::Context,
    /// The messages of the stack's own stream.
    messages: Vec<Sent>,
    made: usize,
}

impl Copies {
    async fn of(stack: &Stack, desk: &Desk) -> Self {
        let client = async_nats::connect(stack.nats_url().unwrap()).await.unwrap();
        let events = in_nats(stack, desk, desk.status().await.unwrap().head).await.unwrap();
        assert_eq!(events, in_postgres(stack).await.unwrap());
        let message = |event: concord_tests::record::Stored| {
            let (subject, name) = (event.attribute("subject"), event.attribute("type"));
            let (kind, event_name) = (subject.split('/').next(), name.rsplit('.').next());
            (format!("{}.{}", kind.unwrap(), event_name.unwrap()), event.bytes)
        };
        let messages = events.into_iter().map(message).collect();
        Self { context: async_nats::jetstream::new(client), messages, made: 0 }
    }

    /// Publishes the messages and returns the name of their stream.
    async fn make(&mut self, messages: &[Sent]) -> String {
        self.made += 1;
        let name = format!("copy{}", self.made);
        let config = async_nats::jetstream::stream::Config {
            name: name.clone(),
            subjects: vec![format!("{name}.>")],
            subject_transform: Some(async_nats::jetstream::stream::SubjectTransform {
                source: format!("{name}.>"),
                destination: "concord.local.fund-grant.>".to_owned(),
            }),
            ..Default::default()
        };
        self.context.create_stream(config).await.unwrap();
        for (subject, payload) in messages {
            let subject = format!("{name}.{subject}");
            self.context.publish(subject, payload.clone().into()).await.unwrap().await.unwrap();
        }
        name
    }

    async fn without(&mut self, sequence: u64) -> String {
        let messages = self.messages.clone();
        let name = self.make(&messages).await;
        self.context.get_stream(&name).await.unwrap().delete_message(sequence).await.unwrap();
        name
    }
}

/// A check of a stream under this name, which need not be waited for.
fn streamed(stack: &Stack, name: &str) -> Check {
    check(stack, &["--without", "projection,answers", "--patience", "0", "--stream", name]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_in_the_stream_is_named() {
    let (stack, desk) = told().await;
    checked(&stack).unwrap();
    let mut copies = Copies::of(&stack, &desk).await;
    let honest = copies.messages.clone();
    let head = honest.len() as u64;
    let faithful = copies.make(&honest).await;
    let proof = streamed(&stack, &faithful);
    assert_eq!((proof.code, proof.rules()), (Some(0), vec![]), "{:#}\n{}", proof.said, proof.errors);

    let mut altered = honest.clone();
    altered[4].1[20] ^= 1;
    let mut swapped = honest.clone();
    swapped.swap(1, 2);
    let mut stray = honest.clone();
    stray.push(("grant.Stray".to_owned(), b"stray".to_vec()));
    let mut inside = honest.clone();
    inside[7].1 = b"stray".to_vec();
    let mut elsewhere = honest.clone();
    elsewhere[7].0 = "grant.Elsewhere".to_owned();
    let lagging = honest[..honest.len() - 2].to_vec();
    let empty = Vec::new();
    let planted: [(&[Sent], &str, &[u64]); 7] = [
        (&altered, "STREAM_DIFFERS", &[5]),
        (&swapped, "STREAM_DIFFERS", &[2, 3]),
        (&stray, "STREAM_BEYOND", &[head + 1]),
        (&inside, "STREAM_DIFFERS", &[8]),
        (&elsewhere, "STREAM_SUBJECT", &[8]),
        (&lagging, "STREAM_BEHIND", &[head - 1]),
        (&empty, "STREAM_BEHIND", &[1]),
    ];
    for (messages, rule, positions) in planted {
        let name = copies.make(messages).await;
        let check = streamed(&stack, &name);
        assert_eq!((check.code, check.rules()), (Some(1), vec![rule]), "{:#}\n{}", check.said, check.errors);
        assert_eq!(check.positions(rule), positions, "{:#}", check.said);
    }
    let behind = copies.make(&lagging).await;
    let behind = streamed(&stack, &behind);
    assert!(behind.said.to_string().contains("behind by 2"), "{:#}", behind.said);

    // The stream keeps everything, so its front cannot have aged out either.
    for lost in [1, 9, head] {
        let name = copies.without(lost).await;
        let check = streamed(&stack, &name);
        assert_eq!((check.code, check.rules()), (Some(1), vec!["STREAM_MISSING"]), "{:#}", check.said);
        assert_eq!(check.positions("STREAM_MISSING"), [lost]);
    }
    let absent = streamed(&stack, "no-such-stream");
    assert_eq!((absent.code, absent.rules()), (Some(1), vec!["STREAM_ABSENT"]), "{:#}", absent.said);
    checked(&stack).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_aged_out_of_the_stream_is_not_compared_and_counts_only_with_leave() {
    let (stack, desk) = told().await;
    let mut copies = Copies::of(&stack, &desk).await;
    let mut messages = copies.messages.clone();
    // A fault among what is no longer there is nobody's to find.
    messages[1].1 = b"stray".to_vec();
    let name = copies.make(&messages).await;
    let mut stream = copies.context.get_stream(&name).await.unwrap();
    stream.purge().sequence(5).await.unwrap();
    let gone = streamed(&stack, &name);
    assert_eq!(gone.positions("STREAM_MISSING"), [1, 2, 3, 4], "it keeps everything: {:#}", gone.said);
    let mut config = stream.info().await.unwrap().config.clone();
    config.max_age = Duration::from_secs(24 * 60 * 60);
    copies.context.update_stream(config).await.unwrap();
    let check_with =
        |without: &str| check(&stack, &["--without", without, "--patience", "0", "--stream", &name]).unwrap();
    let strict = check_with("projection,answers");
    assert_eq!((strict.code, strict.rules()), (Some(6), vec![]), "{:#}", strict.said);
    assert_eq!(strict.said["stream"]["from"], 5);
    assert_eq!(strict.not_compared(), [("aged-out", false), ("answers", true), ("projection", true)].into());
    let lenient = check_with("projection,answers,aged-out");
    assert_eq!((lenient.code, &lenient.said["proved"]), (Some(0), &true.into()));
}

/// A fault in the projection: what is planted, the rule that it breaks, and how often.
const IN_TABLES: &[(&str, &str, u64)] = &[
    // A stale row: the tranche stands where it stood before.
    ("UPDATE tranche_steps SET step = 5 WHERE step = 6", "ROW_ALTERED", 1),
    ("UPDATE postings SET amount_minor = amount_minor + 1 WHERE position = 2 AND line = 1", "ROW_ALTERED", 1),
    ("UPDATE postings SET account = 4 WHERE position = 2 AND line = 1", "ROW_ALTERED", 1),
    ("UPDATE postings SET effective_on = effective_on - 1 WHERE position = 3", "ROW_ALTERED", 2),
    (
        "UPDATE postings SET recorded_at = recorded_at + interval '1 us' WHERE position = 3 AND line = 2",
        "ROW_ALTERED",
        1,
    ),
    ("DELETE FROM postings WHERE position = 2 AND line = 2", "ROW_MISSING", 1),
    ("DELETE FROM postings WHERE position = 2", "ROW_MISSING", 2),
    (
        "INSERT INTO postings SELECT position, amount_minor, dims, recorded_at, effective_on, period, 9, account, \
         event_type, settles FROM postings WHERE position = 2 AND line = 1",
        "ROW_SURPLUS",
        1,
    ),
    (
        "UPDATE dims SET lead_region = '210103' WHERE lead_region = '210102' AND dims = (SELECT max(dims) FROM dims)",
        "ROW_ALTERED",
        1,
    ),
    ("UPDATE dims SET mode = 'repayable' WHERE dims = (SELECT max(dims) FROM dims)", "ROW_ALTERED", 1),
    ("DELETE FROM dims WHERE dims = (SELECT max(dims) FROM dims)", "ROW_MISSING", 1),
    (
        "UPDATE grants SET synthetic = NOT synthetic WHERE position = (SELECT max(position) FROM grants)",
        "ROW_ALTERED",
        1,
    ),
    ("DELETE FROM tranche_plans WHERE number = 2", "ROW_MISSING", 1),
    ("UPDATE tranche_plans SET due_on = due_on + 1 WHERE number = 2", "ROW_ALTERED", 1),
    ("UPDATE terms SET ends_on = NULL WHERE position = (SELECT max(position) FROM terms)", "ROW_ALTERED", 1),
    ("UPDATE programmes SET year = 2015 WHERE year = 2016", "ROW_ALTERED", 1),
    ("UPDATE parties SET name = '某公司' WHERE name = (SELECT max(name) FROM parties)", "ROW_ALTERED", 1),
    ("DELETE FROM clock WHERE position = 3", "ROW_MISSING", 1),
    ("INSERT INTO todays VALUES (3, '2017-04-21')", "ROW_SURPLUS", 1),
    // Of a position that nobody has applied.
    ("INSERT INTO todays VALUES (1000000, '2030-01-01')", "ROW_SURPLUS", 1),
    ("UPDATE checkpoint SET log_id = gen_random_uuid()", "PROJECTION_OTHER_LOG", 1),
    ("UPDATE checkpoint SET position = position + 5", "PROJECTION_BEYOND", 1),
    ("DELETE FROM checkpoint", "PROJECTION_ABSENT", 1),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_in_the_projection_is_named() {
    let (stack, desk) = told().await;
    checked(&stack).unwrap();
    let tables = Tables::of(&stack, &desk).await.unwrap();
    let projected = || check(&stack, &["--without", "stream,answers", "--patience", "0"]).unwrap();
    for (sql, rule, count) in IN_TABLES {
        tables.plant(sql).await.unwrap();
        let check = projected();
        tables.restore().await.unwrap();
        assert_eq!(check.faults(), [(*rule, *count)].into(), "{sql}: {:#}\n{}", check.said, check.errors);
        assert_eq!(check.code, Some(1));
    }

    // One row twice, where nothing forbids it any more.
    tables
        .plant(
            "ALTER TABLE postings DROP CONSTRAINT postings_pkey; \
             INSERT INTO postings SELECT * FROM postings WHERE position = 2 AND line = 1",
        )
        .await
        .unwrap();
    let doubled = projected();
    tables.restore().await.unwrap();
    assert_eq!(doubled.faults(), [("ROW_SURPLUS", 1)].into(), "{:#}", doubled.said);

    // The last event is not applied.
    let head = desk.status().await.unwrap().head;
    let unapplied = format!(
        "DELETE FROM postings WHERE position = {head}; DELETE FROM clock WHERE position = {head}; \
         UPDATE checkpoint SET position = {}",
        head - 1
    );
    tables.plant(&unapplied).await.unwrap();
    let behind = projected();
    tables.restore().await.unwrap();
    assert_eq!(behind.faults(), [("PROJECTION_BEHIND", 1)].into(), "{:#}", behind.said);
    assert!(behind.said.to_string().contains("behind by 1"), "{:#}", behind.said);
    checked(&stack).unwrap();
}

/// What is planted in the tables, and whether a balance that is answered shows it.
const IN_ANSWERS: &[(&str, u64)] = &[
    ("UPDATE postings SET amount_minor = amount_minor + 1 WHERE position = 2 AND line = 1", 1),
    // Off one account and onto another of the same programme.
    ("UPDATE postings SET account = 4 WHERE position = 2 AND line = 1", 1),
    ("DELETE FROM postings WHERE position = 2", 1),
    // One grant's money as another's: the sums over all stay what they were.
    (
        "UPDATE postings SET dims = (SELECT max(dims) FROM dims) WHERE dims = (SELECT max(dims) FROM dims WHERE dims < (SELECT max(dims) FROM dims))",
        2,
    ),
    ("UPDATE postings SET settles = false WHERE settles", 1),
    // No money: only the tables tell.
    ("UPDATE grants SET title = '某项目' WHERE position = (SELECT max(position) FROM grants)", 0),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_balance_answered_is_the_sum_of_its_postings() {
    let (stack, desk) = told().await;
    checked(&stack).unwrap();
    let tables = Tables::of(&stack, &desk).await.unwrap();
    for (sql, count) in IN_ANSWERS {
        tables.plant(sql).await.unwrap();
        let check = check(&stack, &["--without", "stream,projection"]).unwrap();
        tables.restore().await.unwrap();
        let faults = check.faults().get("ANSWER_DIFFERS").copied().unwrap_or_default();
        assert_eq!(
            (faults, check.faults().len()),
            (*count, usize::from(*count > 0)),
            "{sql}: {:#}",
            check.said
        );
        assert_eq!(check.code, Some(i32::from(*count > 0)), "{}", check.errors);
    }
    checked(&stack).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_while_commands_go_on_finds_nothing_wrong() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let stop = Arc::clone(&stop);
        async move {
            while !stop.load(Ordering::Relaxed) {
                desk.supplement(&programme, &id(), 1).await.unwrap();
            }
        }
    });
    let mut heads = Vec::new();
    for _ in 0..5 {
        let check = tokio::task::block_in_place(|| check(&stack, &[])).unwrap();
        assert_eq!((check.code, check.rules()), (Some(0), vec![]), "{:#}\n{}", check.said, check.errors);
        heads.push(check.said["head"].as_u64().unwrap());
    }
    stop.store(true, Ordering::Relaxed);
    writing.await.unwrap();
    assert!(heads.is_sorted_by(|one, next| one < next), "the log went on meanwhile: {heads:?}");
}
