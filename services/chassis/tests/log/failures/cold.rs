//! States that are loaded while the log goes on.

use crate::fixture::{Command, Replica, World};
use futures::future::join_all;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_keep_their_order_while_states_are_cold_and_races_are_lost() {
    let world = World::new().await;
    // No room at all: every state is evicted as soon as nobody needs it.
    let (one, two) = (world.replica_with_cache(0).await, world.replica_with_cache(0).await);
    let accounts = one.open(40, 1000).await;
    let work = async |replica: &Replica, offset: usize| {
        for turn in 0..6 {
            let at = |step: usize| accounts[(turn * 5 + step + offset) % 40];
            let commands = vec![
                Command::Deposit(at(0), 1),
                Command::Visit(vec![at(0), at(1), at(2)]),
                Command::Deposit(at(0), 1),
                Command::Transfer(at(3), at(0), 1),
                Command::Visit(vec![at(3), at(4)]),
                Command::Deposit(at(3), 1),
            ];
            let positions: Vec<u64> = replica
                .chunk(commands)
                .await
                .into_iter()
                .map(|outcome| outcome.unwrap().last_position)
                .collect();
            assert!(positions[..4].is_sorted() && positions[3..].is_sorted(), "{positions:?}");
        }
    };
    join_all([(&one, 0), (&one, 7), (&one, 3), (&two, 0), (&two, 9)].map(|(to, by)| work(to, by))).await;
    world.check(&one).await;
    world.check(&two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_that_need_many_states_one_after_the_other_finish_without_a_cache() {
    let world = World::new().await;
    let replica = world.replica_with_cache(0).await;
    let accounts = replica.open(30, 10).await;
    let visits = (0..10).map(|first| {
        let mut tour = accounts.clone();
        tour.rotate_left(first);
        replica.run(Command::Visit(tour))
    });
    let deposits = accounts.iter().map(|account| replica.run(Command::Deposit(*account, 1)));
    let (visits, deposits) = tokio::join!(join_all(visits), join_all(deposits));
    visits.into_iter().chain(deposits).for_each(|outcome| drop(outcome.unwrap()));
    world.check(&replica).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_loads_while_others_write_is_brought_to_the_head() {
    let world = World::new().await;
    let writer = world.replica().await;
    let accounts = writer.open(2, 100).await;
    let replica = world.replica().await;
    // Loads read the snapshots first: held there, they know nothing of what comes after.
    let hold = world.hold("snapshots").await;
    let reads = join_all(accounts.iter().map(|account| replica.state(*account, 0)));
    let write = async {
        world.somebody_waits_for("snapshots").await;
        writer.run(Command::Deposit(accounts[0], 11)).await.unwrap();
        let last = writer.run(Command::Transfer(accounts[0], accounts[1], 5)).await.unwrap();
        replica.reaches(last.last_position).await;
        hold.release().await;
        last.last_position
    };
    let (seen, head) = tokio::join!(reads, write);
    let balances: Vec<i64> = seen.iter().map(|seen| seen.state.as_ref().unwrap().balance).collect();
    assert_eq!(balances, [106, 105]);
    assert!(seen.iter().all(|seen| seen.head == head));
    assert_eq!((seen[0].version, seen[1].version), (4, 2));
    world.check(&replica).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_older_than_what_is_kept_of_the_log_is_asked_for_again() {
    let world = World::new().await;
    let other = world.replica().await;
    let cold = other.open(1, 100).await[0];
    let replica = world.replica().await;
    let busy = replica.open(1, 0).await[0];
    let hold = world.hold("snapshots").await;
    let write = async {
        world.somebody_waits_for("snapshots").await;
        let last = other.run(Command::Deposit(cold, 11)).await.unwrap();
        replica.reaches(last.last_position).await;
        // 70 MiB: more than is kept for loads under way, so that the deposit is forgotten.
        for _ in 0..5 {
            let notes = (0..70).map(|_| Command::Note(busy, "x".repeat(200 << 10)));
            replica.chunk(notes.collect()).await.into_iter().for_each(|outcome| drop(outcome.unwrap()));
        }
        hold.release().await;
    };
    let (seen, ()) = tokio::join!(replica.state(cold, 0), write);
    assert_eq!((seen.state.unwrap().balance, seen.version), (111, 3));
    replica.run(Command::Spend(cold, 111)).await.unwrap();
    world.check(&replica).await;
}
