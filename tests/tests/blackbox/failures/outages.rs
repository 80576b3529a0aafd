//! What goes on while a part is gone, and what is there when it is back.
//!
//! PostgreSQL is the truth, NATS is transport: without NATS everything goes on but publishing. An answer that was given
//! is never taken back, and a command that got none can be sent again under its id. At the end of each the whole log is
//! proved, with its stream and its projection.

use concord_proto::audit::v1::ListBalancesRequest;
use concord_proto::fund::v1::{GetProgrammeRequest, SupplementProgrammeResponse};
use concord_tests::check::checked;
use concord_tests::desk::{CLERK, Desk, at, by, plain, reason};
use concord_tests::load::Load;
use concord_tests::record::{eventually, in_nats, in_postgres, positions_by_request, postgres, read_log};
use concord_tests::requests::{header_as, id, supplement};
use concord_tests::stack::{Frozen, Stack, descendants};
use futures::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use tonic::{Code, Response, Status};

/// Adds one fen so often and returns the last position.
async fn add(desk: &Desk, programme: &str, times: usize) -> u64 {
    let mut last = 0;
    for _ in 0..times {
        last = desk.supplement(programme, &id(), 1).await.unwrap().last_position;
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nats_stands_still_everything_goes_on_but_publishing() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let before = add(&desk, &programme, 5).await;
    eventually("it is published", async || (desk.status().await.ok()?.published >= before).then_some(()))
        .await
        .unwrap();

    let nats = Frozen::with_descendants(stack.nats_pid().unwrap()).unwrap();
    let last = add(&desk, &programme, 20).await;
    let asked = ListBalancesRequest { as_of: at(last), ..ListBalancesRequest::default() };
    let seen = desk.audit().list_balances(plain(asked)).await.unwrap().into_inner();
    assert_eq!(seen.totals[0].appropriated_minor, 1_025, "the audit reads the log from its owner");
    assert_eq!(desk.status().await.unwrap().published, before);

    nats.thaw();
    let published = eventually("the relay catches up", async || {
        let status = desk.status().await.ok()?;
        (status.published >= last).then_some(status.published)
    });
    assert_eq!(published.await.unwrap(), last);
    assert_eq!(in_nats(&stack, &desk, last).await.unwrap(), in_postgres(&stack).await.unwrap());
    checked(&stack).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_nats_the_stack_ends_and_says_so_and_the_next_one_has_it_all() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let last = add(&desk, &programme, 10).await;
    kill(Pid::from_raw(stack.nats_pid().unwrap()), Signal::SIGKILL).unwrap();
    let ended = stack.ended().unwrap();
    assert_eq!(ended.code(), Some(1), "{}", stack.log());
    assert!(stack.log().contains("nats-server"), "it says what is gone: {}", stack.log());

    stack.up().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    assert_eq!(in_nats(&stack, &desk, last).await.unwrap(), in_postgres(&stack).await.unwrap());
    assert_eq!(add(&desk, &programme, 1).await, last + 1);
    checked(&stack).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_lost_is_filled_again_with_the_same_bytes() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let last = add(&desk, &programme, 10).await;
    in_nats(&stack, &desk, last).await.unwrap();
    let context = async_nats::jetstream::new(async_nats::connect(stack.nats_url().unwrap()).await.unwrap());
    context.delete_stream(&desk.status().await.unwrap().stream).await.unwrap();
    let last = add(&desk, &programme, 10).await;
    assert_eq!(in_nats(&stack, &desk, last).await.unwrap(), in_postgres(&stack).await.unwrap());
    let asked = ListBalancesRequest { as_of: at(last), ..ListBalancesRequest::default() };
    let seen = desk.audit().list_balances(plain(asked)).await.unwrap().into_inner();
    assert_eq!(seen.totals[0].appropriated_minor, 1_020);
    checked(&stack).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgres_stands_still_the_outcome_is_open_and_then_it_is_one_event() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    add(&desk, &programme, 3).await;

    let frozen = Frozen::with_descendants(stack.postgres_pid().unwrap()).unwrap();
    let ids: Vec<String> = (0..20).map(|_| id()).collect();
    let answers: Vec<Result<Response<SupplementProgrammeResponse>, Status>> =
        join_all(ids.iter().map(|request_id| {
            let mut message = supplement(&programme, 1);
            message.header = header_as(request_id);
            let mut request = by(CLERK, message);
            // For the service only: it is to answer before the caller has gone.
            request.metadata_mut().insert("grpc-timeout", "2S".parse().unwrap());
            let desk = desk.clone();
            async move { desk.programmes().supplement_programme(request).await }
        }))
        .await;
    for answer in answers {
        let status = answer.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        assert!(["UNAVAILABLE", "OUTCOME_UNKNOWN"].contains(&reason(&status).as_str()), "{status:?}");
    }

    frozen.thaw();
    let mut receipts = BTreeMap::new();
    for request_id in &ids {
        receipts.insert(request_id.clone(), desk.insist(&programme, request_id).await.unwrap());
    }
    for (request_id, receipt) in &receipts {
        assert_eq!(desk.insist(&programme, request_id).await.unwrap(), *receipt);
    }
    let positions = positions_by_request(&read_log(&desk, 1, 0).await.unwrap());
    for (request_id, receipt) in receipts {
        assert_eq!(positions[&request_id], [receipt.first_position]);
    }
    let asked = GetProgrammeRequest { programme_id: programme, min_position: 0 };
    let programme =
        desk.programmes().get_programme(plain(asked)).await.unwrap().into_inner().programme.unwrap();
    assert_eq!(programme.appropriated_minor, 1_023);
    checked(&stack).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_a_kill_is_there_after_it_byte_for_byte() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let mut sent = Vec::new();
    for _ in 0..2 {
        let desk = Desk::at(&stack).await.unwrap();
        let load = Load::start(&desk, &programme, false);
        load.has_answers(200).await.unwrap();
        stack.kill().unwrap();
        sent.extend(load.end().await.unwrap());
        assert_eq!(stack.status().unwrap()["state"], "orphaned");
        stack.up().unwrap();
    }

    let desk = Desk::at(&stack).await.unwrap();
    let log = read_log(&desk, 1, 0).await.unwrap();
    assert!(log.iter().map(|event| event.position).eq(1..=log.len() as u64));
    let (answered, open): (Vec<_>, Vec<_>) = sent.into_iter().partition(|(_, answer)| answer.is_ok());
    assert!(answered.len() >= 400);
    for (request_id, receipt) in &answered {
        let receipt = receipt.as_ref().unwrap();
        let event = &log[usize::try_from(receipt.first_position).unwrap() - 1];
        assert_eq!(event.attribute("requestid"), *request_id);
        assert_eq!(receipt.leaf_hashes, [event.leaf_hash()]);
    }
    for (request_id, receipt) in answered.iter().step_by(20) {
        assert_eq!(
            desk.insist(&programme, request_id).await.unwrap(),
            *receipt.as_ref().unwrap(),
            "a repeat gets the same receipt"
        );
    }
    for (request_id, _) in &open {
        desk.insist(&programme, request_id).await.unwrap();
    }
    let positions = positions_by_request(&read_log(&desk, 1, 0).await.unwrap());
    for (request_id, _) in answered.iter().chain(&open) {
        assert_eq!(positions[request_id].len(), 1, "{request_id}");
    }
    let last = desk.status().await.unwrap().head;
    assert_eq!(last, 1 + (answered.len() + open.len()) as u64, "and nothing else");
    assert_eq!(in_nats(&stack, &desk, last).await.unwrap(), in_postgres(&stack).await.unwrap());
    let asked = ListBalancesRequest { as_of: at(last), ..ListBalancesRequest::default() };
    let seen = desk.audit().list_balances(plain(asked)).await.unwrap().into_inner();
    assert_eq!(seen.totals[0].appropriated_minor, 999 + i64::try_from(last).unwrap());
    checked(&stack).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_the_end_of_every_process_at_once() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let mut pids = vec![stack.nats_pid().unwrap()];
    let postgres = stack.postgres_pid().unwrap();
    let load = Load::start(&desk, &programme, false);
    load.has_answers(200).await.unwrap();
    stack.signal(Signal::SIGKILL).unwrap();
    pids.extend(descendants(postgres));
    for pid in pids {
        // A backend may have ended by itself.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    stack.ended().unwrap();
    let sent = load.end().await.unwrap();
    stack.up().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let log = read_log(&desk, 1, 0).await.unwrap();
    for receipt in sent.iter().filter_map(|(_, answer)| answer.as_ref().ok()) {
        assert_eq!(
            receipt.leaf_hashes,
            [log[usize::try_from(receipt.first_position).unwrap() - 1].leaf_hash()]
        );
    }
    for (request_id, _) in &sent {
        desk.insist(&programme, request_id).await.unwrap();
    }
    let last = desk.status().await.unwrap().head;
    assert_eq!(last, 1 + sent.len() as u64);
    assert_eq!(in_nats(&stack, &desk, last).await.unwrap(), in_postgres(&stack).await.unwrap());
    checked(&stack).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_cut_under_load_cost_nobody_an_event_and_give_nobody_two() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let admin = postgres(&stack, "postgres").await.unwrap();
    let load = Load::start(&desk, &programme, true);
    for _ in 0..5 {
        load.has_answers(50).await.unwrap();
        admin
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'fund_grant'",
                &[],
            )
            .await
            .unwrap();
    }
    load.has_answers(50).await.unwrap();
    let sent = load.end().await.unwrap();
    let positions = positions_by_request(&read_log(&desk, 1, 0).await.unwrap());
    for (request_id, receipt) in &sent {
        assert_eq!(positions[request_id], [receipt.as_ref().unwrap().first_position]);
    }
    assert_eq!(desk.status().await.unwrap().head, 1 + sent.len() as u64);
    checked(&stack).unwrap();
}
