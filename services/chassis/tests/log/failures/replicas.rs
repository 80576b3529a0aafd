//! Several replicas at one log.

use crate::fixture::{Command, PATIENCE, World, code, submit};
use concord_chassis::log::Receipt;
use futures::future::join_all;

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
