//! The end of a writer, in the middle of everything.

use crate::fixture::{Command, World};
use concord_chassis::log::CommandError;
use concord_test_servers::Cluster;
use futures::future::join_all;
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_answers_what_is_in_and_takes_in_nothing_more() {
    let world = World::new().await;
    let replica = world.replica_with_cache(0).await;
    let accounts = replica.open(20, 1000).await;
    let stopped = AtomicBool::new(false);
    let work = join_all((0..20).map(async |task| {
        for turn in 0_i64.. {
            match replica.run(Command::Deposit(accounts[task], 1)).await {
                Ok(_) => {}
                Err(CommandError::Unavailable(_)) => return turn,
                other => panic!("{other:?}"),
            }
            if turn == 10 && !stopped.swap(true, Ordering::AcqRel) {
                replica.begin_shutdown();
            }
        }
        unreachable!()
    }));
    let acknowledged: i64 = work.await.into_iter().sum();
    replica.end().await;
    assert_eq!(world.audited().await.len() as i64, 40 + acknowledged);
}

#[tokio::test]
async fn a_writer_that_cannot_reach_postgresql_still_shuts_down() {
    let cluster = Cluster::start();
    let world = World::on(&cluster).await;
    let replica = world.replica().await;
    let account = replica.open(1, 0).await[0];
    cluster.stop();
    let waiting = replica.run(Command::Deposit(account, 1));
    let ended = async {
        tokio::task::yield_now().await;
        replica.begin_shutdown();
    };
    let (outcome, ()) = tokio::join!(waiting, ended);
    let told = matches!(outcome, Err(CommandError::OutcomeUnknown(_) | CommandError::Unavailable(_)));
    assert!(told, "{outcome:?}");
    replica.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_executes_what_is_queued_behind_a_commit_that_takes_its_time() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 1).await[0];
    let hold = world.hold("requests").await;
    let deposits = || join_all((0..30).map(|_| replica.run(Command::Deposit(account, 1))));
    let begun = deposits();
    let behind = async {
        world.somebody_waits_for("requests").await;
        let (behind, ()) = tokio::join!(deposits(), async {
            replica.begin_shutdown();
            hold.release().await;
        });
        behind
    };
    let (begun, behind) = tokio::join!(begun, behind);
    begun.into_iter().chain(behind).for_each(|outcome| drop(outcome.unwrap()));
    assert_eq!(world.audited().await.len(), 2 + 60);
    replica.end().await;
}
