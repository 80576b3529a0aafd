//! Two replicas, each a process of its own, at one programme.

use concord_proto::audit::v1::ListBalancesRequest;
use concord_proto::fund::v1::{ApproveGrantsRequest, Award, GetProgrammeRequest};
use concord_tests::desk::{DIRECTOR, Desk, at, by, facts, plain, reason};
use concord_tests::load::Load;
use concord_tests::process::Process;
use concord_tests::record::{Stored, in_nats, in_postgres, positions_by_request};
use concord_tests::requests::{Receipt, fen, header};
use concord_tests::stack::{Frozen, Stack};
use futures::future::join_all;
use nix::sys::signal::Signal;

/// A stack, and two replicas beside its own service.
async fn two_replicas(stack: &Stack) -> ([Process; 2], [Desk; 2]) {
    let replicas = [Process::replica(stack).unwrap(), Process::replica(stack).unwrap()];
    let desks = [replicas[0].desk(stack).await.unwrap(), replicas[1].desk(stack).await.unwrap()];
    (replicas, desks)
}

/// The log, after a look whether every position is there once, in PostgreSQL and in the stream.
async fn gapless(stack: &Stack, desk: &Desk) -> Vec<Stored> {
    let events = in_postgres(stack).await.unwrap();
    let last = events.len() as u64;
    assert!(events.iter().map(|event| event.position).eq(1..=last));
    assert_eq!(in_nats(stack, desk, last).await.unwrap(), events);
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_never_approve_more_than_a_programme_has_and_answer_a_request_alike() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(250).await.unwrap();
    let grants = join_all((0..40).map(|_| desk.grant_on_notice(&programme, 10))).await;
    let (_replicas, desks) = two_replicas(&stack).await;
    let approvals = grants.into_iter().map(|grant_id| {
        let award = Award { grant_id: grant_id.unwrap(), amount: fen(10), expected_version: None };
        ApproveGrantsRequest { header: header(), minutes: "1".into(), awards: vec![award] }
    });
    // Each goes to both at once, and to each twice.
    let answers = join_all(approvals.map(async |request| {
        let sent = [0, 1, 1, 0].map(|replica: usize| {
            let (desk, request) = (desks[replica].clone(), request.clone());
            tokio::spawn(async move { desk.grants().approve_grants(by(DIRECTOR, request)).await })
        });
        (request.header.unwrap().request_id, join_all(sent).await)
    }))
    .await;

    let mut accepted = Vec::new();
    for (request_id, answers) in answers {
        let answers: Vec<_> =
            answers.into_iter().map(|answer| answer.unwrap().map(Receipt::receipt)).collect();
        for answer in &answers {
            match (answer, &answers[0]) {
                (Ok(receipt), Ok(first)) => assert_eq!(receipt, first),
                (Err(status), Err(_)) => {
                    assert_eq!(reason(status), "A02_ABOVE_AVAILABLE", "{status:?}");
                    assert_eq!(facts(status)["available_minor"], "0");
                }
                (one, other) => panic!("{request_id} was answered {one:?} and {other:?}"),
            }
        }
        if let Ok(receipt) = &answers[0] {
            accepted.push((request_id, receipt.first_position));
        }
    }
    assert_eq!(accepted.len(), 25);
    let events = gapless(&stack, &desk).await;
    let positions = positions_by_request(&events);
    for (request_id, position) in accepted {
        assert_eq!(positions[&request_id], [position]);
    }
    let last = events.len() as u64;
    for desk in desks.iter().chain([&desk]) {
        let asked = GetProgrammeRequest { programme_id: programme.clone(), min_position: last };
        let seen =
            desk.programmes().get_programme(plain(asked)).await.unwrap().into_inner().programme.unwrap();
        assert_eq!((seen.available_minor, seen.reserved_minor), (0, 250));
    }
    let asked = ListBalancesRequest { as_of: at(last), ..ListBalancesRequest::default() };
    let audit = desk.audit().list_balances(plain(asked)).await.unwrap().into_inner();
    assert_eq!((audit.totals[0].available_minor, audit.totals[0].reserved_minor), (0, 250));
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_under_load_both_get_on_and_each_knows_the_answers_of_the_other() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let (_replicas, desks) = two_replicas(&stack).await;
    let loads = desks.each_ref().map(|desk| Load::start(desk, &programme, false));
    // Neither stops before both have had that many answers.
    for result in join_all(loads.each_ref().map(|load| load.has_answers(600))).await {
        result.unwrap();
    }
    let sent = join_all(loads.map(Load::end)).await.into_iter().map(Result::unwrap);
    let mut number = 0;
    let events = gapless(&stack, &desk).await;
    let positions = positions_by_request(&events);
    for (sent, other) in sent.zip([&desks[1], &desks[0]]) {
        for (index, (request_id, answer)) in sent.into_iter().enumerate() {
            let receipt = answer.unwrap();
            assert_eq!(positions[&request_id], [receipt.first_position]);
            if index % 50 == 0 {
                assert_eq!(other.supplement(&programme, &request_id, 1).await.unwrap(), receipt);
                let reused = other.supplement(&programme, &request_id, 2).await.unwrap_err();
                assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
            }
            number += 1;
        }
    }
    assert_eq!(events.len(), 1 + number);
    assert_eq!(in_postgres(&stack).await.unwrap().len(), events.len(), "the repeats added nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_killed_under_load_leaves_nothing_half_done_and_the_other_goes_on() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let ([killed, _other], [first, second]) = two_replicas(&stack).await;
    let loads = [Load::start(&first, &programme, false), Load::start(&second, &programme, false)];
    loads[0].has_answers(200).await.unwrap();
    killed.signal(Signal::SIGKILL).unwrap();
    loads[1].has_answers(200).await.unwrap();
    let [cut_off, whole] = loads.map(Load::end);
    let (cut_off, whole) = (cut_off.await.unwrap(), whole.await.unwrap());
    // Whatever became of them, the other replica answers.
    for (request_id, answer) in &cut_off {
        let receipt = second.insist(&programme, request_id).await.unwrap();
        assert!(answer.as_ref().is_err() || answer.as_ref().is_ok_and(|first| *first == receipt));
    }
    assert!(cut_off.iter().any(|(_, answer)| answer.is_err()), "it was killed with commands in flight");
    assert!(whole.iter().all(|(_, answer)| answer.is_ok()));
    let events = gapless(&stack, &desk).await;
    let positions = positions_by_request(&events);
    for (request_id, _) in cut_off.iter().chain(&whole) {
        assert_eq!(positions[request_id].len(), 1);
    }
    assert_eq!(events.len(), 1 + cut_off.len() + whole.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_stands_still_under_load_stops_nobody_and_is_right_when_it_goes_on() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let ([still, _other], [first, second]) = two_replicas(&stack).await;
    let loads = [Load::start(&first, &programme, true), Load::start(&second, &programme, true)];
    for _ in 0..3 {
        loads[0].has_answers(50).await.unwrap();
        // It may hold the lock of those that contend, or be in the middle of a commit.
        let frozen = Frozen::with_descendants(still.pid()).unwrap();
        loads[1].has_answers(200).await.unwrap();
        frozen.thaw();
    }
    loads[0].has_answers(50).await.unwrap();
    let [one, two] = loads.map(Load::end);
    let sent: Vec<_> = one.await.unwrap().into_iter().chain(two.await.unwrap()).collect();
    let events = gapless(&stack, &desk).await;
    let positions = positions_by_request(&events);
    for (request_id, answer) in &sent {
        assert_eq!(positions[request_id], [answer.as_ref().unwrap().first_position]);
    }
    assert_eq!(events.len(), 1 + sent.len());
}
