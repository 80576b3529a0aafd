//! SIGTERM to the real process, in the middle of everything.

use concord_tests::desk::{CLERK, Desk, by, reason};
use concord_tests::load::{Load, Sent};
use concord_tests::process::Process;
use concord_tests::record::{in_postgres, positions_by_request};
use concord_tests::requests::{header_as, id, is_the_clients_own, supplement};
use concord_tests::stack::{Frozen, PATIENCE, Stack};
use futures::future::join_all;
use nix::sys::signal::Signal;
use tonic::Code;

/// Repeats every request on a replica that was started since: each is there once, and what had been answered is
/// answered alike.
async fn none_lost_none_doubled(stack: &Stack, programme: &str, sent: &[Sent]) {
    let replica = Process::replica(stack).unwrap();
    let desk = replica.desk(stack).await.unwrap();
    for (request_id, answer) in sent {
        let receipt = desk.insist(programme, request_id).await.unwrap();
        if let Ok(first) = answer {
            assert_eq!(receipt, *first);
        }
    }
    let events = in_postgres(stack).await.unwrap();
    let positions = positions_by_request(&events);
    for (request_id, _) in sent {
        assert_eq!(positions[request_id].len(), 1, "{request_id}");
    }
    assert_eq!(events.len(), 1 + sent.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_loses_no_request_and_doubles_none() {
    let stack = Stack::start().unwrap();
    let programme = Desk::at(&stack).await.unwrap().programme(1_000).await.unwrap();
    let mut sent = Vec::new();
    for _ in 0..3 {
        let mut replica = Process::replica(&stack).unwrap();
        // A connection each, as callers have.
        let mut loads = Vec::new();
        for _ in 0..4 {
            loads.push(Load::start(&replica.desk(&stack).await.unwrap(), &programme, false));
        }
        loads[0].has_answers(50).await.unwrap();
        replica.signal(Signal::SIGTERM).unwrap();
        assert_eq!(replica.ended().unwrap().code(), Some(0), "{}", replica.log());
        for load in loads {
            sent.extend(load.end().await.unwrap());
        }
    }
    for (_, answer) in &sent {
        // Nobody is left with half an answer. Who was too late did not reach it; tonic calls what it had not sent yet
        // cancelled, and has a status of its own for what crossed the server's goodbye.
        if let Err(status) = answer {
            let told = matches!(status.code(), Code::Unavailable | Code::Cancelled);
            assert!(told || is_the_clients_own(status), "{status:?}");
        }
    }
    none_lost_none_doubled(&stack, &programme, &sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_while_postgresql_stands_still_answers_that_the_outcome_is_open() {
    let stack = Stack::start().unwrap();
    let programme = Desk::at(&stack).await.unwrap().programme(1_000).await.unwrap();
    let mut replica = Process::replica(&stack).unwrap();
    let desk = replica.desk(&stack).await.unwrap();
    let frozen = Frozen::with_descendants(stack.postgres_pid().unwrap()).unwrap();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (desk, request_id) = (desk.clone(), id());
            let mut request = supplement(&programme, 1);
            request.header = header_as(&request_id);
            let mut request = by(CLERK, request);
            request.set_timeout(PATIENCE);
            tokio::spawn(async move {
                let answer = desk.programmes().supplement_programme(request).await;
                (request_id, answer.map(|answer| answer.into_inner().receipt.unwrap()))
            })
        })
        .collect();
    // They are in once a further one has waited. Its own client counts the same time, and tells it as cancelled where the
    // server's answer, which leaves 50 ms earlier, is slower than that; what the server says in time is `outages`' matter.
    let mut late = by(CLERK, supplement(&programme, 1));
    late.metadata_mut().insert("grpc-timeout", "2S".parse().unwrap());
    let late = desk.programmes().supplement_programme(late).await.unwrap_err();
    assert!(matches!(late.code(), Code::Unavailable | Code::Cancelled), "{late:?}");

    replica.signal(Signal::SIGTERM).unwrap();
    let sent: Vec<Sent> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    for (_, answer) in &sent {
        let status = answer.as_ref().unwrap_err();
        assert_eq!(
            (status.code(), reason(status).as_str()),
            (Code::Unavailable, "OUTCOME_UNKNOWN"),
            "{status:?}"
        );
    }
    assert_eq!(replica.ended().unwrap().code(), Some(0), "{}", replica.log());
    frozen.thaw();
    none_lost_none_doubled(&stack, &programme, &sent).await;
}
