//! PostgreSQL killed, stopped, full, robbed of events, or read from for a long time.

use crate::fixture::{Command, Replica, World, submit, until};
use concord_chassis::log::{CommandError, Receipt, Standstill};
use concord_test_servers::Cluster;
use futures::future::join_all;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_is_executed_once_while_connections_are_killed() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let accounts = one.open(4, 1).await;
    let done = AtomicBool::new(false);
    let work = async {
        let receipts = join_all((0..32).map(async |task| {
            let replica = if task % 4 == 0 { &two } else { &one };
            let mut receipts = Vec::new();
            for turn in 0..40 {
                let command = submit(Command::Deposit(accounts[(task + turn) % 4], 1));
                let receipt = replica.send(command.clone()).await.unwrap();
                if turn % 8 == 0 {
                    assert_eq!(replica.send(command).await.unwrap(), receipt);
                }
                receipts.push(receipt);
            }
            receipts
        }))
        .await;
        done.store(true, Ordering::Release);
        receipts
    };
    let kill = async {
        let mut killed = 0;
        while !done.load(Ordering::Acquire) {
            let before = world.head().await;
            killed += world.end_writers().await;
            // Not before something was committed again, or nobody would ever get further.
            until(async || done.load(Ordering::Acquire) || world.head().await > before).await;
        }
        killed
    };
    let (receipts, killed) = tokio::join!(work, kill);
    assert!(killed > 5, "{killed} connections were killed");
    let events = world.audited().await;
    assert_eq!(events.len(), 8 + 32 * 40);
    for receipt in receipts.iter().flatten() {
        let stored = &events[receipt.first_position as usize - 1];
        assert_eq!(receipt.leaf_hashes, [stored.leaf_hash()]);
    }
    world.check(&one).await;
    world.check(&two).await;
}

/// Deposits again and again until told to stop. A deposit without an answer is sent again until it has one.
async fn deposit_until(replica: &Replica, account: Uuid, done: &AtomicBool) -> Vec<(Uuid, Receipt)> {
    let mut answered = Vec::new();
    while !done.load(Ordering::Acquire) {
        let command = submit(Command::Deposit(account, 1));
        let receipt = loop {
            match replica.log.execute(command.clone(), Duration::from_secs(2)).await {
                Ok(receipt) => break receipt,
                Err(CommandError::OutcomeUnknown(_) | CommandError::Unavailable(_)) => {}
                other => panic!("{other:?}"),
            }
        };
        answered.push((command.request_id, receipt));
    }
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_outlives_postgresql_killed_in_commits_and_nothing_is_there_twice() {
    // Not flushed, which no process that dies can tell: what was written is the system's by then.
    let cluster = Cluster::start();
    let world = World::on(&cluster).await;
    let (one, two) = (world.replica().await, world.replica().await);
    let accounts = one.open(3, 0).await;
    let done = AtomicBool::new(false);
    let work = join_all((0..16).map(|task| {
        let replica = if task % 2 == 0 { &one } else { &two };
        deposit_until(replica, accounts[task % 3], &done)
    }));
    let kill = async {
        for _ in 0..5 {
            one.goes_on_by(30).await;
            tokio::time::sleep(Duration::from_micros(rand::random_range(0..5_000))).await;
            tokio::task::block_in_place(|| {
                cluster.kill();
                cluster.resume();
            });
        }
        one.goes_on_by(30).await;
        done.store(true, Ordering::Release);
    };
    let (answered, ()) = tokio::join!(work, kill);
    // Connections of the old server are still in the pool.
    until(async || world.pool.get().await.is_ok_and(|client| !client.is_closed())).await;
    let events = world.audited().await;
    let answered: Vec<(Uuid, Receipt)> = answered.into_iter().flatten().collect();
    for (request_id, receipt) in &answered {
        let stored = &events[receipt.first_position as usize - 1];
        assert_eq!(stored.envelope().unwrap().requestid, *request_id);
        assert_eq!(receipt.leaf_hashes, [stored.leaf_hash()]);
    }
    // Every deposit was answered in the end, so the log holds these and no other.
    assert_eq!(events.len(), 3 + answered.len());
    world.check(&one).await;
    world.check(&two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_postgresql_commands_wait_to_their_deadline_and_go_on_when_it_is_back() {
    let cluster = Cluster::start();
    let world = World::on(&cluster).await;
    let replica = world.replica().await;
    let account = replica.open(1, 0).await[0];
    cluster.stop();
    let soon = Duration::from_millis(200);
    let given_up: Vec<_> = (0..20).map(|_| submit(Command::Deposit(account, 1))).collect();
    let (mut unavailable, mut unknown) = (Vec::new(), Vec::new());
    for command in &given_up {
        match replica.log.execute(command.clone(), soon).await {
            Err(CommandError::Unavailable(_)) => unavailable.push(command.clone()),
            Err(CommandError::OutcomeUnknown(id)) => {
                assert_eq!(id, command.request_id);
                unknown.push(command.clone());
            }
            other => panic!("{other:?}"),
        }
    }
    // One batch can be in doubt; everything behind it was not begun.
    assert!(unknown.len() <= 1 && unavailable.len() >= 19);
    let patient = replica.run(Command::Deposit(account, 100));
    let back = async { tokio::task::block_in_place(|| cluster.resume()) };
    let (receipt, ()) = tokio::join!(patient, back);
    receipt.unwrap();
    // What was unavailable was not done; what is unknown can be asked for again.
    for command in unavailable {
        let id = command.request_id;
        let done = format!("SELECT count(*) FROM requests WHERE request_id = '{id}'");
        assert_eq!(world.count(&done).await, 0);
    }
    let retried = unknown.len() as i64;
    for command in unknown {
        replica.send(command).await.unwrap();
    }
    assert_eq!(replica.balance(account).await, 100 + retried);
    world.check(&replica).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_waited_out() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 0).await[0];
    // A sequence counts the tries, since it is not rolled back.
    world
        .sql(
            "CREATE SEQUENCE tries;
             CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 PERFORM nextval('tries');
                 RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full';
             END $$;
             CREATE TRIGGER full_disk BEFORE INSERT ON requests EXECUTE FUNCTION full_disk()",
        )
        .await;
    let deposits = replica.chunk(vec![Command::Deposit(account, 1); 50]);
    let room = async {
        until(async || world.count("SELECT last_value FROM tries").await >= 3).await;
        assert_eq!(world.head().await, 1);
        world.sql("DROP TRIGGER full_disk ON requests").await;
    };
    let (outcomes, ()) = tokio::join!(deposits, room);
    outcomes.into_iter().for_each(|outcome| drop(outcome.unwrap()));
    assert_eq!(world.audited().await.len(), 1 + 50);
    world.check(&replica).await;
}

#[tokio::test]
async fn a_database_that_has_lost_events_is_not_written_to() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(2, 1).await[0];
    world.sql("DELETE FROM requests WHERE first_position = 4; DELETE FROM events WHERE position = 4").await;
    world.end_writers().await;
    let outcome = replica.log.execute(submit(Command::Deposit(account, 1)), Duration::from_secs(1)).await;
    assert!(outcome.is_err(), "{outcome:?}");
    assert_eq!(world.audited().await.len(), 3);
    // It says so from then on, and shows what is there.
    until(async || replica.log.standstill().is_some()).await;
    assert_eq!(replica.log.standstill(), Some(&Standstill::LostEvent { position: 4 }));
    let outcome = replica.run(Command::Deposit(account, 1)).await;
    assert!(matches!(outcome, Err(CommandError::NotWritten(_))), "{outcome:?}");
    until(async || *replica.log.head().borrow() == 3).await;
    world.check(&replica).await;
    // Nor when others have written where the lost events were.
    let other = world.replica().await;
    other.open(1, 1).await;
    world.end_writers().await;
    let outcome = replica.log.execute(submit(Command::Deposit(account, 1)), Duration::from_secs(3)).await;
    assert!(outcome.is_err(), "{outcome:?}");
    assert_eq!(world.audited().await.len(), 5);
}

/// Blocks that PostgreSQL touches in this database for 400 commits, one after the other.
async fn blocks_of_400_commits(world: &World, replica: &Replica, account: Uuid) -> i64 {
    let touched = "SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()";
    let before = world.count(touched).await;
    for _ in 0..400 {
        replica.run(Command::Deposit(account, 1)).await.unwrap();
    }
    // A backend tells what it did when it ends.
    let writer = world.writer_pids().await[0];
    world.end_writers().await;
    world.backend_ended(writer).await;
    world.count(touched).await - before
}

#[tokio::test]
async fn a_commit_costs_what_it_did_while_a_long_foreign_snapshot_is_open() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 0).await[0];
    // The indexes have grown beyond one block.
    for _ in 0..3 {
        replica
            .chunk(vec![Command::Deposit(account, 1); 500])
            .await
            .into_iter()
            .for_each(|it| drop(it.unwrap()));
    }
    let dump = world.pool.get().await.unwrap();
    dump.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT count(*) FROM events")
        .await
        .unwrap();

    let first = blocks_of_400_commits(&world, &replica, account).await;
    for _ in 0..1_600 {
        replica.run(Command::Deposit(account, 1)).await.unwrap();
    }
    let last = blocks_of_400_commits(&world, &replica, account).await;
    assert!(last < first * 3 / 2, "400 commits touched {first} blocks, and {last} after 1,600 more");

    let seen: i64 = dump.query_one("SELECT count(*) FROM events", &[]).await.unwrap().get(0);
    assert_eq!(seen, 1 + 1_500, "the snapshot was open all the time");
    dump.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(world.audited().await.len(), 1 + 1_500 + 2_400);
}
