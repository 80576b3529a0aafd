//! Several replicas at one log.

use crate::fixture::{Command, PATIENCE, Replica, World, code, counted, submit};
use concord_chassis::log::Receipt;
use futures::future::join_all;
use std::sync::atomic::{AtomicUsize, Ordering};

async fn replicas_race_on_one_budget(replicas: usize) {
    let world = World::new().await;
    let replicas = join_all((0..replicas).map(|_| world.replica())).await;
    let account = replicas[0].open(1, 500).await[0];
    let accepted = join_all(replicas.iter().map(async |replica| {
        let spent = join_all((0..8).map(async |_| {
            let mut accepted = 0;
            for _ in 0..25 {
                match replica.run(Command::Spend(account, 3)).await {
                    Ok(_) => accepted += 1,
                    refused => assert_eq!(code(&refused), "OVERDRAWN"),
                }
            }
            accepted
        }));
        spent.await.into_iter().sum::<i64>()
    }))
    .await;
    assert_eq!(accepted.iter().sum::<i64>(), 500 / 3);
    assert_eq!(world.audited().await.len(), 2 + 500 / 3);
    for replica in &replicas {
        world.check(replica).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_never_overdraw_a_budget_between_them() {
    replicas_race_on_one_budget(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_replicas_never_overdraw_a_budget_between_them() {
    replicas_race_on_one_budget(4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_stands_on_what_every_replica_wrote() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let account = one.open(1, 10).await[0];
    for _ in 0..30 {
        // Neither has heard of what the other just did: refused on its own state, it must look again.
        two.run(Command::Spend(account, 10)).await.unwrap();
        one.run(Command::Deposit(account, 10)).await.unwrap();
    }
    assert_eq!(code(&two.run(Command::Spend(account, 11)).await), "OVERDRAWN");
}

#[tokio::test]
async fn repeats_in_flight_are_executed_once_and_all_get_the_same_answer() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let account = one.open(1, 1000).await[0];
    for amount in 1..20 {
        let spend = submit(Command::Spend(account, amount));
        let chunk = vec![spend.clone(); 3];
        let (sent, other, chunks) = tokio::join!(
            join_all((0..4).map(|_| one.send(spend.clone()))),
            join_all((0..4).map(|_| two.send(spend.clone()))),
            one.log.execute_chunk(chunk, PATIENCE),
        );
        let receipts: Vec<Receipt> =
            sent.into_iter().chain(other).chain(chunks).map(Result::unwrap).collect();
        assert!(receipts.iter().all(|receipt| *receipt == receipts[0]), "{receipts:?}");
    }
    assert_eq!(world.audited().await.len(), 2 + 19);
}

// On one thread, so that the metrics are those of these two replicas.
#[tokio::test]
async fn of_two_replicas_that_write_all_the_time_neither_starves() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let _metrics = metrics::set_default_local_recorder(&recorder);
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let account = one.open(1, 0).await[0];
    let accepted = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let caller = async |replica: &Replica, own: usize| {
        while accepted.iter().any(|accepted| accepted.load(Ordering::Relaxed) < 1_500) {
            replica.run(Command::Deposit(account, 1)).await.unwrap();
            accepted[own].fetch_add(1, Ordering::Relaxed);
        }
    };
    let callers = |replica, own| join_all((0..16).map(move |_| caller(replica, own)));
    tokio::join!(callers(&one, 0), callers(&two, 1));
    world.audited().await;
    world.check(&one).await;
    world.check(&two).await;
    // Who loses a race wins the next, and from then on they take turns, so that races are few.
    let metrics = recorder.handle().render();
    let turns = counted(&metrics, "concord_log_commit_seconds_count");
    let lost = counted(&metrics, "concord_log_lost_races_total");
    assert!(turns > 150 && lost <= 3 + turns / 50, "{lost} races were lost in {turns} turns");
}
