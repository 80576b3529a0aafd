//! What the log promises, tried on a real PostgreSQL: positions without a gap, every command answered once, and no
//! state that the events do not tell.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "a test says what went wrong by failing")]

#[path = "common/cluster.rs"]
mod cluster;
#[path = "log/fixture.rs"]
mod fixture;
#[path = "common/nats.rs"]
mod nats;
#[path = "log/proxy.rs"]
mod proxy;
#[path = "log/recovery.rs"]
mod recovery;
#[path = "log/site.rs"]
mod site;

use cluster::Cluster;
use concord_chassis::log::{CommandError, Receipt, Standstill};
use concord_chassis::record::leaf_hash;
use fixture::{Command, PATIENCE, Replica, World, code, submit, submit_as};
use futures::future::join_all;
use proxy::Proxy;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

// ---- One replica ----

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_and_versions_have_no_gap_under_64_tasks() {
    let world = World::new().await;
    let replica = world.replica().await;
    let accounts = replica.open(5, 1000).await;
    join_all((0..64).map(async |task| {
        for turn in 0..20 {
            let (from, to) = (accounts[(task + turn) % 5], accounts[(task * 3 + turn) % 5]);
            replica.run(Command::Transfer(from, to, 1)).await.unwrap();
        }
    }))
    .await;
    assert_eq!(world.audited().await.len(), 10 + 64 * 20);
    world.check(&replica).await;
}

#[tokio::test]
async fn commands_in_one_batch_stand_on_each_other() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = Uuid::now_v7();
    let outcomes = replica
        .chunk(vec![
            Command::Spend(account, 1),
            Command::Open(account),
            Command::Deposit(account, 10),
            Command::Spend(account, 7),
            Command::Spend(account, 7),
            Command::Spend(account, 3),
        ])
        .await;
    assert_eq!(code(&outcomes[0]), "NO_ACCOUNT");
    assert_eq!(code(&outcomes[4]), "OVERDRAWN");
    let versions = [1, 2, 3, 5].map(|accepted: usize| outcomes[accepted].as_ref().unwrap().version);
    assert_eq!(versions, [1, 2, 3, 4]);
    assert_eq!(replica.balance(account).await, 0);
}

#[tokio::test]
async fn receipts_hold_the_leaf_hashes_of_the_stored_bytes() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 1).await[0];
    let receipt = replica.run(Command::Note(account, "甲\"\\\n".into())).await.unwrap();
    let events = world.audited().await;
    let stored = &events[receipt.last_position as usize - 1];
    assert_eq!(receipt.leaf_hashes, [leaf_hash(&stored.bytes)]);
    assert_eq!(receipt.log, "bank");
    assert_eq!(stored.envelope().unwrap().event_type, "concord.test.v1.Deposited");
}

#[tokio::test]
async fn an_event_that_names_its_own_stream_again_is_applied_once() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 5).await[0];
    replica.run(Command::Transfer(account, account, 5)).await.unwrap();
    world.check(&replica).await;
    world.check(&world.replica().await).await;
}

#[tokio::test]
async fn a_stale_version_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 5).await[0];
    let expecting = |version| {
        let mut submission = submit(Command::Deposit(account, 1));
        submission.expected = vec![(account, version)];
        replica.send(submission)
    };
    let outcome = expecting(1).await;
    assert!(matches!(outcome, Err(CommandError::StaleVersion { actual: 2, .. })), "{outcome:?}");
    assert_eq!(expecting(2).await.unwrap().version, 3);
}

#[tokio::test]
async fn an_event_that_is_too_large_is_refused_and_its_neighbours_are_not() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 5).await[0];
    let outcomes = replica
        .chunk(vec![
            Command::Deposit(account, 1),
            Command::Note(account, "x".repeat(300 << 10)),
            Command::Deposit(account, 1),
        ])
        .await;
    assert_eq!(code(&outcomes[1]), "EVENT_TOO_LARGE");
    assert_eq!(outcomes[2].as_ref().unwrap().last_position, 4);
    world.check(&replica).await;
}

#[tokio::test]
async fn more_than_may_wait_is_turned_away() {
    let world = World::new().await;
    let replica = world.replica().await;
    let outcome = replica.run(Command::Note(Uuid::now_v7(), "x".repeat(65 << 20))).await;
    assert!(matches!(outcome, Err(CommandError::Exhausted(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_played_clock_moves_forward_only_and_its_today_outlives_a_restart() {
    let mut world = World::new().await;
    let day = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
    world.played_from = Some(day("2031-03-01"));
    let replica = world.replica().await;
    let account = replica.open(1, 5).await[0];
    assert_eq!(replica.state(account, 0).await.state.unwrap().on, day("2031-03-01"));
    let advance = |to: &str| replica.log.advance_today(submit(day(to)), PATIENCE);
    assert_eq!(advance("2031-03-05").await.unwrap().version, 1);
    assert_eq!(advance("2031-03-05").await.unwrap().first_position, 0);
    assert_eq!(code(&advance("2031-03-04").await), "CLOCK_GOES_FORWARD");
    assert_eq!(advance("2031-04-01").await.unwrap().version, 2);
    assert_eq!(replica.log.today(), day("2031-04-01"));
    replica.end().await;
    let replica = world.replica().await;
    assert_eq!(replica.log.today(), day("2031-04-01"));
    replica.run(Command::Deposit(account, 1)).await.unwrap();
    assert_eq!(replica.state(account, 0).await.state.unwrap().on, day("2031-04-01"));
    world.check(&replica).await;
}

#[tokio::test]
async fn the_system_clock_cannot_be_moved() {
    let world = World::new().await;
    let replica = world.replica().await;
    let moved = replica.log.advance_today(submit("2031-03-05".parse().unwrap()), PATIENCE).await;
    assert_eq!(code(&moved), "CLOCK_IS_SYSTEM");
}

#[tokio::test]
async fn recorded_at_does_not_go_back_behind_what_another_replica_wrote() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 5).await[0];
    // As if a replica whose clock is ahead had written the newest event.
    world
        .sql("UPDATE events SET record = replace(record::text, '\"time\":\"20', '\"time\":\"21')::json WHERE position = 2")
        .await;
    let replica = world.replica().await;
    replica.run(Command::Deposit(account, 1)).await.unwrap();
    world.audited().await;
}

// ---- Idempotency ----

#[tokio::test]
async fn a_repeat_gets_the_first_answer_however_the_state_moved_on() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 10).await[0];
    let first = submit(Command::Spend(account, 10));
    let receipt = replica.send(first.clone()).await.unwrap();
    // Decided anew it would be refused, then accepted.
    assert_eq!(replica.send(first.clone()).await.unwrap(), receipt);
    replica.run(Command::Deposit(account, 100)).await.unwrap();
    assert_eq!(replica.send(first.clone()).await.unwrap(), receipt);
    let other = world.replica().await;
    assert_eq!(other.send(first).await.unwrap(), receipt);
    assert_eq!(other.balance(account).await, 100);
}

#[tokio::test]
async fn a_request_id_with_another_body_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 10).await[0];
    let id = Uuid::now_v7();
    replica.send(submit_as(id, Command::Spend(account, 1))).await.unwrap();
    for amount in [2, 1000] {
        let outcome = replica.send(submit_as(id, Command::Spend(account, amount))).await;
        assert!(matches!(outcome, Err(CommandError::RequestIdReused(_))), "{outcome:?}");
    }
    assert_eq!(replica.balance(account).await, 9);
}

#[tokio::test]
async fn a_refusal_is_not_sticky() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 1).await[0];
    let spend = submit(Command::Spend(account, 10));
    assert_eq!(code(&replica.send(spend.clone()).await), "OVERDRAWN");
    replica.run(Command::Deposit(account, 100)).await.unwrap();
    replica.send(spend).await.unwrap();
    assert_eq!(replica.balance(account).await, 91);
}

#[tokio::test]
async fn a_no_op_is_sticky() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 1).await[0];
    let nothing = submit(Command::Deposit(account, 0));
    let receipt = replica.send(nothing.clone()).await.unwrap();
    assert_eq!((receipt.first_position, receipt.last_position, receipt.version), (0, 2, 2));
    assert_eq!(receipt.answer["balance"], "1");
    replica.run(Command::Deposit(account, 100)).await.unwrap();
    assert_eq!(replica.send(nothing.clone()).await.unwrap(), receipt);
    assert_eq!(world.replica().await.send(nothing).await.unwrap(), receipt);
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

// ---- Several replicas ----

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
    let mut holder = world.pool.get().await.unwrap();
    let hold = holder.transaction().await.unwrap();
    hold.batch_execute("LOCK TABLE snapshots IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let reads = join_all(accounts.iter().map(|account| replica.state(*account, 0)));
    let write = async {
        world_waits_for_lock(&world, "snapshots").await;
        writer.run(Command::Deposit(accounts[0], 11)).await.unwrap();
        let last = writer.run(Command::Transfer(accounts[0], accounts[1], 5)).await.unwrap();
        replica.log.head().wait_for(|head| *head >= last.last_position).await.unwrap();
        hold.rollback().await.unwrap();
        last.last_position
    };
    let (seen, head) = tokio::join!(reads, write);
    let balances: Vec<i64> = seen.iter().map(|seen| seen.state.as_ref().unwrap().balance).collect();
    assert_eq!(balances, [106, 105]);
    assert!(seen.iter().all(|seen| seen.head == head));
    assert_eq!((seen[0].version, seen[1].version), (4, 2));
    world.check(&replica).await;
}

async fn world_waits_for_lock(world: &World, table: &str) {
    let waiting =
        format!("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass");
    until(async || world.count(&waiting).await > 0).await;
}

async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let polled = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, polled).await.expect("it came to hold");
}

// ---- Restart ----

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_folds_the_same_states_with_snapshots_and_without() {
    let world = World::new().await;
    let replica = world.replica().await;
    let accounts = replica.open(3, 100_000).await;
    for turn in 0..5 {
        let (from, to) = (accounts[turn % 2], accounts[2]);
        let outcomes = replica.chunk(vec![Command::Transfer(from, to, 1); 130]).await;
        outcomes.into_iter().for_each(|outcome| drop(outcome.unwrap()));
    }
    replica.end().await;
    let kept = "SELECT count(*) FROM snapshots WHERE version < 1000";
    until(async || world.count(kept).await == 4).await;
    let number = world.count("SELECT count(*) FROM events").await as u64;
    world.check(&world.replica().await).await;
    // Another fold's snapshots are not used, nor is one that does not read.
    world.sql("UPDATE snapshots SET fold = '0', state = '{\"balance\":-1,\"position\":1,\"on\":\"2020-01-01\",\"events\":0}' WHERE fold = '1'").await;
    world.check(&world.replica().await).await;
    world.sql("UPDATE snapshots SET fold = '1', state = '[]'").await;
    let replica = world.replica().await;
    world.check(&replica).await;
    replica.run(Command::Deposit(accounts[0], 1)).await.unwrap();
    world.sql("DELETE FROM snapshots").await;
    world.check(&world.replica().await).await;
    assert_eq!(world.audited().await.len() as u64, number + 1);
}

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

// ---- Faults ----

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

async fn commits_whose_outcome_is_lost(replicas: usize) {
    let world = World::new().await;
    let proxy = Proxy::new(&world.socket_directory());
    let accounts = world.replica().await.open(3, 1000).await;
    let replicas = join_all((0..replicas).map(|_| world.replica_behind(&proxy))).await;
    let receipts = join_all((0..8).map(async |task| {
        let mut receipts = Vec::new();
        for turn in 0..6 {
            let replica = &replicas[task % replicas.len()];
            let (from, to) = (accounts[(task + turn) % 3], accounts[task % 3]);
            receipts.push(replica.run(Command::Transfer(from, to, 1)).await.unwrap());
            receipts.push(replica.run(Command::Deposit(from, 0)).await.unwrap());
            assert_eq!(code(&replica.run(Command::Spend(from, 1_000_000)).await), "OVERDRAWN");
        }
        receipts
    }))
    .await;
    assert!(proxy.commits() > 8, "{} commits went through the proxy", proxy.commits());
    let events = world.audited().await;
    assert_eq!(events.len(), 6 + 8 * 6);
    for receipt in receipts.iter().flatten().filter(|receipt| receipt.first_position > 0) {
        let stored = &events[receipt.first_position as usize - 1];
        assert_eq!(receipt.leaf_hashes, [stored.leaf_hash()]);
    }
    for replica in &replicas {
        world.check(replica).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_outcome_is_lost_is_written_once() {
    commits_whose_outcome_is_lost(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_outcome_is_lost_under_contention_is_written_once() {
    commits_whose_outcome_is_lost(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_postgresql_commands_wait_to_their_deadline_and_go_on_when_it_is_back() {
    let cluster = Cluster::start(false);
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

#[tokio::test]
async fn a_writer_that_cannot_reach_postgresql_still_shuts_down() {
    let cluster = Cluster::start(false);
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

#[tokio::test]
async fn a_database_that_has_lost_events_is_not_written_to() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(2, 1).await[0];
    world.sql("DELETE FROM requests WHERE outcome->>'first_position' = '4'; DELETE FROM events WHERE position = 4").await;
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

#[tokio::test]
async fn a_command_that_panics_fails_alone_among_hundreds() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 0).await[0];
    let mut commands = vec![Command::Deposit(account, 1); 400];
    commands[133] = Command::Panic(account);
    commands[266] = Command::Curse(account);
    let outcomes = replica.chunk(commands).await;
    for (index, outcome) in outcomes.iter().enumerate() {
        let failed = matches!(outcome, Err(CommandError::Internal(_)));
        assert_eq!(failed, index == 133 || index == 266, "{index}: {outcome:?}");
    }
    assert_eq!(replica.balance(account).await, 398);
    world.check(&replica).await;
}

#[tokio::test]
async fn a_value_that_postgresql_refuses_fails_alone_among_hundreds() {
    let world = World::new().await;
    let replica = world.replica().await;
    let accounts = replica.open(2, 1).await;
    world.sql("ALTER TABLE events ADD CONSTRAINT digestible CHECK (record::text NOT LIKE '%poison%')").await;
    // The next event of the second account finds its version taken, for ever.
    world
        .sql(&format!("UPDATE events SET version = 3 WHERE stream = '{}' AND version = 2", accounts[1]))
        .await;
    let mut commands = vec![Command::Deposit(accounts[0], 1); 300];
    commands[1] = Command::Note(accounts[0], "poison".into());
    commands[150] = Command::Deposit(accounts[1], 1);
    commands[299] = Command::Note(accounts[0], "poison".into());
    let outcomes = replica.chunk(commands).await;
    for (index, outcome) in outcomes.iter().enumerate() {
        let failed = matches!(outcome, Err(CommandError::Internal(_)));
        assert_eq!(failed, [1, 150, 299].contains(&index), "{index}: {outcome:?}");
    }
    assert_eq!(replica.balance(accounts[0]).await, 1 + 297);
}

#[tokio::test]
async fn a_state_with_an_unreadable_event_fails_its_own_commands_only() {
    let world = World::new().await;
    let accounts = world.replica().await.open(2, 1).await;
    world.sql(&format!("UPDATE events SET record = replace(record::text, 'concord.test.v1.Deposited', 'concord.test.v1.Unheard')::json WHERE stream = '{}' AND version = 2", accounts[1])).await;
    // The index is kept past it, as after an upgrade that went wrong.
    world.sql("INSERT INTO snapshots VALUES ('00000000-0000-0000-0000-000000000000', 4, 0, 'index', '{\"last_of_type\":{\"concord.test.v1.Opened\":3,\"concord.test.v1.Deposited\":4},\"today\":null,\"own_version\":0,\"recorded_at_us\":0}') ON CONFLICT (subject) DO UPDATE SET position = excluded.position, state = excluded.state").await;
    let replica = world.replica().await;
    let outcomes = replica
        .chunk(vec![
            Command::Deposit(accounts[0], 1),
            Command::Transfer(accounts[0], accounts[1], 1),
            Command::Deposit(accounts[0], 1),
        ])
        .await;
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
    assert!(matches!(outcomes[1], Err(CommandError::Internal(_))), "{outcomes:?}");
    let seen = replica.log.state(accounts[1], 0, PATIENCE).await;
    assert!(matches!(seen, Err(CommandError::Internal(_))), "{seen:?}");
    assert_eq!(replica.balance(accounts[0]).await, 3);
}
