//! What the log promises, tried on a real PostgreSQL: positions without a gap, every command answered once, and no
//! state that the events do not tell.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "a test says what went wrong by failing")]

#[path = "log/failures/mod.rs"]
mod failures;
#[path = "log/fixture.rs"]
mod fixture;
#[path = "log/proxy.rs"]
mod proxy;
#[path = "log/recovery.rs"]
mod recovery;
#[path = "log/site.rs"]
mod site;

use concord_chassis::log::CommandError;
use concord_chassis::record::leaf_hash;
use fixture::{Command, PATIENCE, World, bank, code, submit, submit_as, until};
use futures::future::join_all;
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
        submission.expected = vec![(bank(account), version)];
        replica.send(submission)
    };
    let outcome = expecting(1).await;
    assert!(matches!(outcome, Err(CommandError::StaleVersion { actual: 2, .. })), "{outcome:?}");
    assert_eq!(expecting(2).await.unwrap().version, 3);
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
async fn a_repeat_with_another_expected_version_is_another_command() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 10).await[0];
    let id = Uuid::now_v7();
    let expecting = |version| {
        let mut submission = submit_as(id, Command::Spend(account, 1));
        submission.expected = vec![(bank(account), version)];
        submission
    };
    let receipt = replica.send(expecting(2)).await.unwrap();
    assert_eq!(replica.send(expecting(2)).await.unwrap(), receipt);
    for other in [expecting(3), submit_as(id, Command::Spend(account, 1))] {
        let outcome = replica.send(other).await;
        assert!(matches!(outcome, Err(CommandError::RequestIdReused(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_answer_is_given_again_to_a_body_in_the_form_that_it_was_stored_with() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 10).await[0];
    let id = Uuid::now_v7();
    let receipt = replica.send(submit_as(id, Command::Spend(account, 1))).await.unwrap();
    // As it was stored before versions belonged to the body.
    let client = world.pool.get().await.unwrap();
    let bodies = client.query("SELECT request_id, command FROM requests", &[]).await.unwrap();
    for row in bodies {
        let (request, body): (Uuid, Vec<u8>) = (row.get(0), row.get(1));
        let body = String::from_utf8(body).unwrap();
        let former = format!("{}}}", body.strip_suffix(",\"expected\":[]}").unwrap());
        let set = "UPDATE requests SET command = $2, body_hash = sha256($2) WHERE request_id = $1";
        client.execute(set, &[&request, &former.as_bytes()]).await.unwrap();
    }
    let again = world.replica().await;
    assert_eq!(again.send(submit_as(id, Command::Spend(account, 1))).await.unwrap(), receipt);
    let outcome = again.send(submit_as(id, Command::Spend(account, 2))).await;
    assert!(matches!(outcome, Err(CommandError::RequestIdReused(_))), "{outcome:?}");
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

/// A service may make the ids of states otherwise than when it wrote an event: what is noted of that beside its stream is then
/// derived anew, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_states_that_events_touch_are_derived_anew_where_their_ids_are_made_otherwise() {
    let world = World::new().await;
    let replica = world.replica().await;
    let accounts = replica.open(2, 100).await;
    replica.run(Command::Transfer(accounts[0], accounts[1], 7)).await.unwrap();
    replica.end().await;
    let lost = "DELETE FROM snapshots; DELETE FROM subjects";
    world.sql(lost).await;
    world.sql("INSERT INTO subjects_form (form) VALUES ('0')").await;
    let replica = world.replica().await;
    assert_eq!(replica.balance(accounts[1]).await, 107);
    world.check(&replica).await;
    replica.end().await;
    assert_eq!(world.count("SELECT count(*) FROM subjects_form WHERE form = '1'").await, 1);
    // Noted in this form, it is not read again.
    world.sql(lost).await;
    assert_eq!(world.replica().await.balance(accounts[1]).await, 100);
}
