//! What a log keeps in memory is bounded. What is beyond a bound is turned away, and the log lives on.

use crate::fixture::{Command, World, code, counted, until};
use concord_chassis::log::CommandError;
use futures::future::join_all;
use std::cell::Cell;
use uuid::Uuid;

fn is_turned_away<T>(outcome: &Result<T, CommandError>) -> bool {
    matches!(outcome, Err(CommandError::Exhausted(_)))
}

#[tokio::test]
async fn more_than_may_wait_is_turned_away() {
    let world = World::new().await;
    let replica = world.replica().await;
    let outcome = replica.run(Command::Note(Uuid::now_v7(), "x".repeat(65 << 20))).await;
    assert!(matches!(outcome, Err(CommandError::Exhausted(_))), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_64_mib_of_commands_wait_more_is_turned_away_and_then_it_is_taken_again() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 0).await[0];
    let hold = world.hold("requests").await;
    // 600 times 200 KiB are 117 MiB.
    let begun = Cell::new(0);
    let notes = (0..600).map(async |_| {
        // A command is counted, or turned away, before it waits for the first time.
        begun.set(begun.get() + 1);
        replica.run(Command::Note(account, "x".repeat(200 << 10))).await
    });
    let go_on = async {
        world.somebody_waits_for("requests").await;
        // That may be so before all are sent: who has sent many in a row lets others go on.
        until(async || begun.get() == 600).await;
        let beyond = replica.run(Command::Note(account, "x".repeat(200 << 10))).await;
        assert!(is_turned_away(&beyond), "{beyond:?}");
        hold.release().await;
    };
    let (outcomes, ()) = tokio::join!(join_all(notes), go_on);
    let (turned_away, taken): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| is_turned_away(outcome));
    assert!(taken.iter().all(|outcome| outcome.is_ok()));
    // Beside its note a command has some words.
    assert!((300..=327).contains(&taken.len()), "{} were taken", taken.len());
    assert_eq!(turned_away.len() + taken.len(), 600);
    let again = (0..300).map(|_| replica.run(Command::Note(account, "x".repeat(200 << 10))));
    join_all(again).await.into_iter().for_each(|outcome| drop(outcome.unwrap()));
    world.check(&replica).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_20_000_commands_wait_for_a_load_more_are_turned_away_and_others_go_on() {
    let world = World::new().await;
    let cold = world.replica().await.open(1, 0).await[0];
    let replica = world.replica().await;
    let warm = replica.open(1, 0).await[0];
    let hold = world.hold("snapshots").await;
    let go_on = async {
        world.somebody_waits_for("snapshots").await;
        let beyond = replica.run(Command::Deposit(cold, 1)).await;
        assert!(is_turned_away(&beyond), "{beyond:?}");
        replica.run(Command::Deposit(warm, 1)).await.unwrap();
        hold.release().await;
    };
    let (outcomes, ()) = tokio::join!(replica.chunk(vec![Command::Deposit(cold, 1); 20_100]), go_on);
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 20_000);
    assert!(outcomes[20_000..].iter().all(is_turned_away));
    assert_eq!(replica.balance(cold).await, 20_000);
    replica.run(Command::Deposit(cold, 1)).await.unwrap();
    assert_eq!(world.audited().await.len(), 2 + 20_002);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_beyond_the_cache_leave_it_and_come_back() {
    let world = World::new().await;
    // Room for a few hundred.
    let replica = world.replica_with_cache(64 << 10).await;
    let accounts = replica.open(2_000, 7).await;
    replica.run(Command::Deposit(accounts[1_999], 1)).await.unwrap();
    let hold = world.hold("snapshots").await;
    // The one used last is warm: it is shown although nothing can be loaded.
    assert_eq!(replica.balance(accounts[1_999]).await, 8);
    let release = async {
        world.somebody_waits_for("snapshots").await;
        hold.release().await;
    };
    let (balance, ()) = tokio::join!(replica.balance(accounts[0]), release);
    assert_eq!(balance, 7);
    let spent = accounts.iter().map(|account| replica.run(Command::Spend(*account, 7)));
    join_all(spent).await.into_iter().for_each(|outcome| drop(outcome.unwrap()));
    world.check(&replica).await;
}

// On one thread, so that the metrics are this replica's.
#[tokio::test]
async fn refusals_beyond_what_may_be_kept_are_answered_and_counted_and_not_kept() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let _metrics = metrics::set_default_local_recorder(&recorder);
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 1).await[0];
    for _ in 0..3 {
        let outcomes = replica.chunk(vec![Command::Spend(account, 2); 10_000]).await;
        assert!(outcomes.iter().all(|outcome| code(outcome) == "OVERDRAWN"));
    }
    let dropped = counted(&recorder.handle().render(), "concord_log_refusals_not_kept_total");
    assert!(dropped > 0 && dropped <= 20_000, "{dropped} were not kept");
    let kept = i64::try_from(30_000 - dropped).unwrap();
    until(async || world.count("SELECT count(*) FROM refusals").await == kept).await;
    replica.run(Command::Spend(account, 1)).await.unwrap();
}
