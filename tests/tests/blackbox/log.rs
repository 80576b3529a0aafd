//! The log: one number and one byte string for each event, wherever it is.

use concord_proto::audit::v1::GetProjectionStatusRequest;
use concord_proto::fund::v1::{ApproveGrantsRequest, Award, PersonalData, VerifyPayeeRequest, bulk_command};
use concord_proto::log::v1::{AdvanceTodayRequest, ListRefusalsRequest, ReadLogRequest, ReadStreamRequest};
use concord_tests::desk::{APPLICANT, CLERK, DIRECTOR, Desk, TREASURER, by, fields, plain, reason};
use concord_tests::record::{Stored, eventually, in_nats, in_postgres, postgres, read_log};
use concord_tests::requests::{Receipt, application, award, fen, header, id, supplement};
use concord_tests::stack::{PLAYED_FROM, Stack};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use tonic::Code;

fn stack() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| Stack::start().unwrap())
}

async fn desk() -> Desk {
    Desk::at(stack()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_the_same_bytes_at_the_same_number_everywhere() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    desk.grant_on_notice(&programme, 100).await.unwrap();
    let mut odd = award(&id(), &id(), 1);
    odd.title = "\"引号\" \\ / é \u{1F600} <&>".to_owned();
    odd.source.as_mut().unwrap().row = "a;b\r\n\t\"c\"\u{7f}\u{2028}".to_owned();
    desk.grants().import_award(by(CLERK, odd)).await.unwrap();

    let head = desk.status().await.unwrap().head;
    let read = read_log(&desk, 1, head).await.unwrap();
    assert!(read.iter().map(|event| event.position).eq(1..=head), "gapless from 1 to the head");
    let mut kept = in_postgres(stack()).await.unwrap();
    kept.truncate(read.len());
    assert_eq!(kept, read, "in PostgreSQL");
    assert_eq!(in_nats(stack(), &desk, head).await.unwrap()[..read.len()], read, "on NATS");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_names_positions_and_proves_the_bytes() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let mut awards = Vec::new();
    for _ in 0..3 {
        let grant_id = desk.grant_on_notice(&programme, 100).await.unwrap();
        awards.push(concord_proto::fund::v1::Award { grant_id, amount: fen(100), expected_version: None });
    }
    let meeting =
        concord_proto::fund::v1::ApproveGrantsRequest { header: header(), minutes: "1".into(), awards };
    let receipt = desk.grants().approve_grants(by(DIRECTOR, meeting)).await.unwrap().receipt();
    assert_eq!(receipt.last_position, receipt.first_position + 2, "one command, three events in a row");
    let events = read_log(&desk, receipt.first_position, receipt.last_position).await.unwrap();
    let hashes: Vec<Vec<u8>> = events.iter().map(Stored::leaf_hash).collect();
    assert_eq!(receipt.leaf_hashes, hashes, "SHA-256 over a zero byte and the document");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_a_cloud_event_with_all_that_was_said_beside_the_command() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    let mut request = supplement(&programme, 1);
    let said = request.header.as_mut().unwrap();
    said.effective_on = PLAYED_FROM.into();
    said.authority = "辽科发〔2017〕12号".into();
    said.archive_number = "A-17".into();
    said.attachment_sha256 = vec!["AB".repeat(32), "cd".repeat(32)];
    said.causation_id = "cause-1".into();
    said.correlation_id = "affair-1".into();
    let request_id = said.request_id.clone();
    let mut request = by("zhao@fund-office", request);
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
    let receipt = desk.programmes().supplement_programme(request).await.unwrap().receipt();
    let event = read_log(&desk, receipt.first_position, receipt.first_position).await.unwrap().remove(0);
    let status = desk.status().await.unwrap();

    for (attribute, expected) in [
        ("specversion", "1.0"),
        ("type", "concord.fund.v1.ProgrammeSupplemented"),
        ("subject", &format!("programme/{programme}")),
        ("datacontenttype", "application/json"),
        ("position", &receipt.first_position.to_string()),
        ("version", "2"),
        ("effectiveon", PLAYED_FROM),
        ("rulebook", "2012-09"),
        ("actor", "zhao"),
        ("actororg", "fund-office"),
        ("assurance", "asserted"),
        ("requestid", &request_id),
        ("authority", "辽科发〔2017〕12号"),
        ("archivenumber", "A-17"),
        ("attachments", &format!("{} {}", "ab".repeat(32), "cd".repeat(32))),
        ("causationid", "cause-1"),
        ("correlationid", "affair-1"),
        ("traceparent", traceparent),
    ] {
        assert_eq!(event.attribute(attribute), expected, "{attribute}");
    }
    let document = event.document();
    assert_eq!(document["data"]["amount_minor"], 1);
    assert_eq!(document["data"]["currency"], "CNY");
    let source = event.attribute("source");
    assert!(
        source.starts_with("/concord/") && source.ends_with(&format!("/fund-grant/{}", status.generation)),
        "{source}"
    );
    assert!(uuid::Uuid::parse_str(&event.attribute("id")).is_ok());
    assert_eq!(event.attribute("bodyhash").len(), 64);
    let time = event.attribute("time");
    assert!(time.ends_with('Z') && time.contains('T'), "{time} is an instant in UTC");
    // CloudEvents knows extension attributes of lower-case letters and digits, and integers of 32 bits.
    for (name, value) in document.as_object().unwrap() {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{name}");
        assert!(name == "data" || value.is_string(), "{name}: {value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_ids_and_types_run_without_a_gap() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    desk.grant_on_notice(&programme, 100).await.unwrap();
    let (mut versions, mut types, mut ids) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    let mut before = String::new();
    for event in read_log(&desk, 1, 0).await.unwrap() {
        let number = |name: &str| event.attribute(name).parse::<u64>().unwrap();
        assert_eq!(number("position"), event.position);
        let version: &mut u64 = versions.entry(event.attribute("subject")).or_default();
        *version += 1;
        assert_eq!(number("version"), *version, "{}", event.attribute("subject"));
        let previous = types.insert(event.attribute("type"), event.position).unwrap_or(0);
        assert_eq!(number("previousoftype"), previous);
        assert!(ids.insert(event.attribute("id")));
        let time = event.attribute("time");
        assert!(time >= before, "recording times never go back: {before}, {time}");
        before = time;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_of_the_log_is_just_that_range() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    for _ in 0..5 {
        desk.programmes().supplement_programme(by(CLERK, supplement(&programme, 1))).await.unwrap();
    }
    let head = desk.status().await.unwrap().head;
    let positions = async |from, to| -> Vec<u64> {
        read_log(&desk, from, to).await.unwrap().into_iter().map(|event| event.position).collect()
    };
    assert_eq!(positions(head - 3, head - 1).await, [head - 3, head - 2, head - 1]);
    assert_eq!(positions(head, head).await, [head]);
    assert_eq!(positions(head + 1_000, 0).await, [0; 0], "nothing is there yet");
    assert_eq!(positions(5, 4).await, [0; 0]);
    assert!(positions(head - 1, head + 1_000_000).await.len() >= 2, "as far as there is");
    let mut chunks = desk.log().read_log(plain(ReadLogRequest::default())).await.unwrap().into_inner();
    let chunk = chunks.message().await.unwrap().unwrap();
    assert!(chunk.head >= head && chunk.events[0].position == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_read_page_by_page() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    for _ in 0..6 {
        desk.programmes().supplement_programme(by(CLERK, supplement(&programme, 1))).await.unwrap();
        desk.programme(1).await.unwrap();
    }
    let subject = format!("programme/{programme}");
    let page = async |page_size, token: &str| {
        let asked = ReadStreamRequest { subject: subject.clone(), page_size, page_token: token.to_owned() };
        desk.log().read_stream(plain(asked)).await
    };
    let (mut events, mut token, mut sizes) = (Vec::new(), String::new(), Vec::new());
    loop {
        let answer = page(3, &token).await.unwrap().into_inner();
        sizes.push(answer.events.len());
        events.extend(answer.events.into_iter().map(Stored::from));
        token = answer.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(sizes, [3, 3, 1]);
    let versions: Vec<String> = events.iter().map(|event| event.attribute("version")).collect();
    assert_eq!(versions, ["1", "2", "3", "4", "5", "6", "7"]);
    let whole = page(0, "").await.unwrap().into_inner();
    assert_eq!(whole.events.into_iter().map(Stored::from).collect::<Vec<_>>(), events);
    let log = read_log(&desk, 1, 0).await.unwrap();
    assert!(events.iter().all(|event| log[usize::try_from(event.position).unwrap() - 1] == *event));

    assert_eq!(fields(&page(-1, "").await.unwrap_err()), ["page_size"]);
    assert_eq!(fields(&page(3, "nonsense").await.unwrap_err()), ["page_token"]);
    let ask = async |subject: &str, page_token: &str| {
        let asked =
            ReadStreamRequest { subject: subject.into(), page_size: 0, page_token: page_token.into() };
        desk.log().read_stream(plain(asked)).await.unwrap_err()
    };
    let token = page(3, "").await.unwrap().into_inner().next_page_token;
    let other = desk.programme(1).await.unwrap();
    assert_eq!(fields(&ask(&format!("programme/{other}"), &token).await), ["page_token"]);
    assert_eq!(fields(&ask("nonsense", "").await), ["subject"]);
    assert_eq!(ask(&format!("grant/{}", id()), "").await.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_named_by_kind_and_id_both() {
    let desk = desk().await;
    let programme = desk.programme(1).await.unwrap();
    for subject in [format!("grant/{programme}"), format!("/{programme}"), format!("log/{programme}")] {
        let asked = ReadStreamRequest { subject: subject.clone(), ..ReadStreamRequest::default() };
        let answer = desk.log().read_stream(plain(asked)).await;
        assert!(
            answer
                .as_ref()
                .is_err_and(|status| matches!(status.code(), Code::NotFound | Code::InvalidArgument)),
            "{subject}: {answer:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_where_it_stands() {
    let desk = desk().await;
    let programme = desk.programme(1).await.unwrap();
    let receipt = desk.supplement(&programme, &id(), 1).await.unwrap();
    let status = desk.status().await.unwrap();
    assert!(status.head >= receipt.last_position);
    assert_eq!((status.log.as_str(), status.clock.as_str()), ("fund-grant", "played"));
    assert_eq!((status.today.as_str(), status.rulebook.as_str()), (PLAYED_FROM, "2012-09"));
    assert!(uuid::Uuid::parse_str(&status.log_id).is_ok());
    assert_eq!(status.log_id, desk.status().await.unwrap().log_id);
    let published = eventually("the relay has published it", async || {
        let published = desk.status().await.unwrap().published;
        (published >= receipt.last_position).then_some(published)
    });
    assert!(published.await.unwrap() >= receipt.last_position);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_listed_newest_first() {
    let desk = desk().await;
    let programme = desk.programme(100).await.unwrap();
    let mut ids = Vec::new();
    for amount in [101, 102, 103] {
        let request_id = id();
        let cut = concord_proto::fund::v1::CutProgrammeRequest {
            header: concord_tests::requests::header_as(&request_id),
            programme_id: programme.clone(),
            amount: fen(amount),
        };
        let status = desk.programmes().cut_programme(by(TREASURER, cut)).await.unwrap_err();
        assert_eq!(reason(&status), "A02_ABOVE_AVAILABLE");
        ids.push(request_id);
    }
    let page = async |page_size, page_token: &str| {
        let asked = ListRefusalsRequest { page_size, page_token: page_token.into() };
        desk.log().list_refusals(plain(asked)).await.unwrap().into_inner()
    };
    // Kept behind the answer, on best effort.
    let listed = eventually("the refusals are kept", async || {
        let all = page(1000, "").await.refusals;
        let ours: Vec<_> = all.into_iter().filter(|one| ids.contains(&one.request_id)).collect();
        (ours.len() == 3).then_some(ours)
    });
    let listed = listed.await.unwrap();
    assert!(listed.windows(2).all(|pair| pair[0].number > pair[1].number));
    assert!(listed.iter().rev().map(|one| &one.request_id).eq(&ids));
    let one = &listed[0];
    assert_eq!(one.reason, "A02_ABOVE_AVAILABLE");
    assert!(one.head > 0 && one.recorded_at.ends_with('Z') && one.recorded_at.contains('T'), "{one:?}");
    let refusal: serde_json::Value = serde_json::from_str(&one.refusal_json).unwrap();
    assert_eq!(refusal["broken"][0]["facts"]["asked_minor"], "103");
    assert!(one.command_json.contains(&programme), "{}", one.command_json);

    let (mut paged, mut token) = (Vec::new(), String::new());
    loop {
        let answer = page(2, &token).await;
        paged.extend(answer.refusals.into_iter().map(|one| one.number));
        token = answer.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert!(paged.windows(2).all(|pair| pair[0] > pair[1]), "{paged:?}");
    assert!(paged.contains(&listed[2].number));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_may_change_what_is_recorded_without_being_seen() {
    // Not a fence, since a superuser may do anything, but each row stands at its number once and for all.
    let desk = desk().await;
    let programme = desk.programme(1).await.unwrap();
    desk.grants().apply_for_grant(by(APPLICANT, application(&programme, &id(), 1))).await.unwrap();
    let client = postgres(stack(), "fund_grant").await.unwrap();
    let again = client.execute("INSERT INTO events SELECT * FROM events WHERE position = 1", &[]).await;
    assert_eq!(again.unwrap_err().code().unwrap().code(), "23505");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_context_that_is_none_is_left_out_and_costs_nothing() {
    let desk = desk().await;
    let programme = desk.programme(1_000).await.unwrap();
    for wrong in ["nonsense", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"] {
        let mut request = by(CLERK, supplement(&programme, 1));
        request.metadata_mut().insert("traceparent", wrong.parse().unwrap());
        let receipt = desk.programmes().supplement_programme(request).await.unwrap().receipt();
        let event = read_log(&desk, receipt.first_position, receipt.first_position).await.unwrap().remove(0);
        assert!(event.document().get("traceparent").is_none(), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_comes_in_chunks_without_a_gap() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1).await.unwrap();
    for _ in 0..5 {
        let one = |_| bulk_command::Command::ApplyForGrant(application(&programme, &id(), 1));
        desk.bulk(APPLICANT, (0..500).map(one).collect()).await.unwrap();
    }
    let mut chunks = desk.log().read_log(plain(ReadLogRequest::default())).await.unwrap().into_inner();
    let mut next = 1;
    while let Some(chunk) = chunks.message().await.unwrap() {
        assert!((1..=1_000).contains(&chunk.events.len()));
        assert!(chunk.events.iter().map(|event| event.position).eq(next..next + chunk.events.len() as u64));
        next += chunk.events.len() as u64;
    }
    assert_eq!(next, 2_502);
    assert_eq!(in_nats(&stack, &desk, 2_501).await.unwrap(), in_postgres(&stack).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_played_clock_moves_by_events_and_keeps_its_day_over_a_restart() {
    let mut stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let request = AdvanceTodayRequest { request_id: id(), today: "2017-05-01".into() };
    let first = desk.log().advance_today(by(CLERK, request.clone())).await.unwrap().into_inner();
    assert_eq!((first.today.as_str(), first.position), ("2017-05-01", 1));
    let event = read_log(&desk, 1, 1).await.unwrap().remove(0);
    assert_eq!(event.attribute("type"), "concord.fund.v1.TodayAdvanced");
    assert_eq!(event.document()["data"]["today"], "2017-05-01");
    assert_eq!(desk.advance_to("2017-05-01").await.unwrap(), 1, "it is that day already");
    assert_eq!(desk.log().advance_today(by(CLERK, request)).await.unwrap().into_inner().position, 1);
    let nobody = AdvanceTodayRequest { request_id: String::new(), today: "tomorrow".into() };
    let status = desk.log().advance_today(plain(nobody)).await.unwrap_err();
    assert_eq!(fields(&status), ["metadata.concord-actor", "request_id", "today"]);

    // Whatever the next start says of the clock, the log has its own.
    stack.stop().unwrap();
    stack.play_from(None);
    stack.up().unwrap();
    let status = Desk::at(&stack).await.unwrap().status().await.unwrap();
    assert_eq!((status.clock.as_str(), status.today.as_str(), status.head), ("played", "2017-05-01", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_number_is_in_the_erasable_table_and_nowhere_else() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let grant_id = desk.grant_on_notice(&programme, 100).await.unwrap();
    let check = |text: &str| VerifyPayeeRequest {
        header: header(),
        grant_id: grant_id.clone(),
        account: Some(PersonalData { person_id: "acc-1".into(), text: text.into() }),
    };
    let early = check("62220000, 张三");
    let refused = desk.grants().verify_payee(by(DIRECTOR, early.clone())).await.unwrap_err();
    assert_eq!(reason(&refused), "WRONG_STAGE");
    let award = Award { grant_id: grant_id.clone(), amount: fen(100), expected_version: None };
    let meeting = ApproveGrantsRequest { header: header(), minutes: "1".into(), awards: vec![award] };
    desk.grants().approve_grants(by(DIRECTOR, meeting)).await.unwrap();
    let first = desk.grants().verify_payee(by(DIRECTOR, early.clone())).await.unwrap().receipt();
    let swapped = desk.grants().verify_payee(by(DIRECTOR, check("62220001, 李四"))).await.unwrap().receipt();
    assert_eq!(swapped.first_position, first.first_position + 1, "another account is another event");
    let log = read_log(&desk, first.first_position, swapped.first_position).await.unwrap();
    let hashes: Vec<String> =
        log.iter().map(|event| event.document()["data"]["account"].to_string()).collect();
    assert_ne!(hashes[0], hashes[1]);
    assert_eq!(desk.grants().verify_payee(by(DIRECTOR, early.clone())).await.unwrap().receipt(), first);
    let mut other = early.clone();
    other.account.as_mut().unwrap().text = "62220002, 王五".into();
    assert_eq!(
        reason(&desk.grants().verify_payee(by(DIRECTOR, other)).await.unwrap_err()),
        "REQUEST_ID_REUSED"
    );

    stack.stop().unwrap();
    assert!(!stack.log().contains("6222000"), "not in what the process says");
    stack.up().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    assert_eq!(desk.grants().verify_payee(by(DIRECTOR, early)).await.unwrap().receipt(), first);
    // The projection has its tables once it answers for the head; on a busy machine that may be after all of this.
    let asked = GetProjectionStatusRequest { min_position: desk.status().await.unwrap().head };
    desk.audit().get_projection_status(plain(asked)).await.unwrap();
    for database in ["fund_grant", "funding_audit"] {
        let client = postgres(&stack, database).await.unwrap();
        let tables = client
            .query(
                "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' \
                 AND table_schema NOT IN ('pg_catalog', 'information_schema')",
                &[],
            )
            .await
            .unwrap();
        assert!(!tables.is_empty());
        for table in tables {
            let (schema, name): (String, String) = (table.get(0), table.get(1));
            let sql =
                format!("SELECT count(*) FROM \"{schema}\".\"{name}\" AS t WHERE t::text LIKE '%6222000%'");
            let found: i64 = client.query_one(&sql, &[]).await.unwrap().get(0);
            assert_eq!(found > 0, name == "personal_texts", "{database}.{schema}.{name} holds {found}");
        }
    }
}
