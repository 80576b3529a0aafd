//! The way of an event from PostgreSQL over JetStream into a read model, and everything that may go wrong on it.
//!
//! Needs `initdb` and `postgres`, and `nats-server` on the path, in `.concord/bin` or named by `CONCORD_NATS_SERVER`.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests")]

#[path = "relay_projection/fixture.rs"]
mod fixture;
#[path = "common/nats.rs"]
mod nats;

use async_nats::jetstream;
use concord_chassis::projection::{self, Applied, ApplyError, Projection, ProjectionOptions, Runner};
use concord_chassis::record::Recorded;
use concord_chassis::relay::{self, Divergence, Relay, RelayOptions, RelayState};
use deadpool_postgres::{Pool, Transaction};
use fixture::{Owner, PREFIX, STREAM, Tally, World, count_from, counted, eventually, record, until};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

// ---- Relay -----------------------------------------------------------------------------------------------------------

/// Starts a relay; it ends with the guard.
async fn relay(world: &World) -> (Relay, mpsc::Sender<Vec<Recorded>>, DropGuard) {
    let (hand_over, batches) = mpsc::channel(64);
    let shutdown = CancellationToken::new();
    let relay = relay::spawn(
        world.nats().await,
        world.reader(),
        world.pool(),
        batches,
        world.committed.subscribe(),
        RelayOptions::new(STREAM, PREFIX, 7),
        shutdown.clone(),
    );
    (relay, hand_over, shutdown.drop_guard())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_position_of_an_event_is_its_sequence_in_the_stream() {
    let world = World::new().await;
    world.commit(&count_from(1, 1_500)).await;
    let (relay, hand_over, _guard) = relay(&world).await;
    // Some batches are handed over in memory, some are not.
    for first in (1_501..2_501).step_by(100) {
        let batch = count_from(first, 100);
        world.commit(&batch).await;
        if first % 300 != 1 {
            hand_over.send(batch).await.unwrap();
        }
    }
    until(relay.published(), |published| *published == 2_500).await;
    assert!(world.stream_equals_log().await);
    assert_eq!(*relay.state().borrow(), RelayState::Publishing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_published_that_the_writer_does_not_vouch_for() {
    let world = World::new().await;
    world.commit(&count_from(1, 20)).await;
    world.committed.send_replace(12);
    let (relay, _hand_over, _guard) = relay(&world).await;
    until(relay.published(), |published| *published == 12).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.stream().await.unwrap().cached_info().state.last_sequence, 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_relay_stands_by_and_takes_over() {
    let world = World::new().await;
    world.commit(&count_from(1, 10)).await;
    let (first, _hand_over, first_guard) = relay(&world).await;
    until(first.published(), |published| *published == 10).await;

    let (second, _hand_over, _guard) = relay(&world).await;
    until(second.published(), |published| *published == 10).await;
    assert_eq!(*second.state().borrow(), RelayState::Standby);

    drop(first_guard);
    first.join().await;
    world.commit(&count_from(11, 10)).await;
    until(second.published(), |published| *published == 20).await;
    assert!(world.stream_equals_log().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_whose_lock_is_lost_asks_for_it_again() {
    let world = World::new().await;
    let (relay, _hand_over, _guard) = relay(&world).await;
    until(relay.state(), |state| *state == RelayState::Publishing).await;
    let client = world.log.get().await.unwrap();
    let ended = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'";
    assert_eq!(client.execute(ended, &[]).await.unwrap(), 1);
    until(relay.state(), |state| *state == RelayState::Standby).await;
    world.commit(&count_from(1, 10)).await;
    until(relay.published(), |published| *published == 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_was_wiped_is_filled_again() {
    let world = World::new().await;
    world.commit(&count_from(1, 50)).await;
    let (relay, _hand_over, _guard) = relay(&world).await;
    until(relay.published(), |published| *published == 50).await;

    world.jetstream().await.delete_stream(STREAM).await.unwrap();
    // Nothing is published, and still it is noticed.
    eventually("the stream is full again", async || world.stream_equals_log().await.then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_with_a_stray_message_is_recreated() {
    let world = World::new().await;
    world.commit(&count_from(1, 50)).await;
    let (relay, _hand_over, _guard) = relay(&world).await;
    until(relay.published(), |published| *published == 50).await;

    let context = world.jetstream().await;
    context.publish(format!("{PREFIX}.tally.Stray"), "stray".into()).await.unwrap().await.unwrap();
    world.commit(&count_from(51, 10)).await;
    eventually("every event is at its position", async || world.stream_equals_log().await.then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stray_message_behind_which_events_are_in_place_is_found() {
    let world = World::new().await;
    bare_stream(&world).await;
    let events = count_from(1, 60);
    world.commit(&events).await;
    // The relay was cut off when event 51 had been refused, and those after it were under way.
    world.publish(&events[..50]).await;
    let context = world.jetstream().await;
    context.publish(format!("{PREFIX}.tally.Stray"), "stray".into()).await.unwrap().await.unwrap();
    world.publish(&events[51..]).await;

    let (relay, _hand_over, _guard) = relay(&world).await;
    until(relay.published(), |published| *published == 60).await;
    assert!(world.stream_equals_log().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stray_message_at_the_end_of_an_idle_stream_is_noticed() {
    let world = World::new().await;
    world.commit(&count_from(1, 5)).await;
    let (relay, _hand_over, _guard) = relay(&world).await;
    until(relay.published(), |published| *published == 5).await;
    // An event, but not of this position.
    world.publish(&count_from(3, 1)).await;
    eventually("the stray is gone", async || world.stream_equals_log().await.then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_with_events_that_postgresql_lost_is_left_alone() {
    let world = World::new().await;
    world.commit(&count_from(1, 20)).await;
    let (first, _hand_over, guard) = relay(&world).await;
    until(first.published(), |published| *published == 20).await;
    drop(guard);
    first.join().await;

    let client = world.log.get().await.unwrap();
    client.execute("DELETE FROM events WHERE position > 15", &[]).await.unwrap();
    let (second, _hand_over, _guard) = relay(&world).await;
    let went_back = RelayState::Halted(Divergence::LogWentBack { head: 15, stream_last: 20 });
    until(second.state(), |state| *state == went_back).await;
    assert_eq!(world.stream().await.unwrap().cached_info().state.messages, 20);

    // The log went on with another history: the stream still has the only copy of the first one.
    world.commit(&count_from(16, 10)).await;
    let other = RelayState::Halted(Divergence::OtherHistory { position: 16 });
    until(second.state(), |state| *state == other).await;
    assert_eq!(world.stream().await.unwrap().cached_info().state.messages, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_relay_outlives_nats_and_its_disk() {
    let mut world = World::new().await;
    world.commit(&count_from(1, 50)).await;
    let (relay, hand_over, _guard) = relay(&world).await;
    until(relay.published(), |published| *published == 50).await;

    world.kill_nats();
    let batch = count_from(51, 50);
    world.commit(&batch).await;
    hand_over.send(batch).await.unwrap();
    world.start_nats();
    until(relay.published(), |published| *published == 100).await;
    assert!(world.stream_equals_log().await);

    world.wipe_nats();
    world.start_nats();
    eventually("the stream is full again", async || world.stream_equals_log().await.then_some(())).await;
}

// ---- Projection ------------------------------------------------------------------------------------------------------

/// Rows of each event with a running sum, which is kept in memory too. An amount below zero is broken.
#[derive(Default)]
struct Sums {
    sum: Option<i64>,
}

impl Projection for Sums {
    const NAME: &'static str = "sums";
    const VERSION: u32 = 1;
    type Event = Tally;

    fn schema(&self) -> &'static str {
        "CREATE TABLE sums (position bigint PRIMARY KEY, amount bigint NOT NULL CHECK (amount < 1000000), sum bigint NOT NULL)"
    }

    async fn apply(&mut self, tx: &Transaction<'_>, batch: &[Applied<'_, Tally>]) -> Result<(), ApplyError> {
        let mut sum = match self.sum {
            Some(sum) => sum,
            None => {
                let row = tx.query_opt("SELECT sum FROM sums ORDER BY position DESC LIMIT 1", &[]).await?;
                row.map_or(0, |row| row.get(0))
            }
        };
        let (mut positions, mut amounts, mut sums) = (Vec::new(), Vec::new(), Vec::new());
        for applied in batch {
            let Tally::Counted { amount } = applied.event else {
                continue;
            };
            if amount < 0 {
                return Err(ApplyError::Broken(format!("amount {amount} is below zero")));
            }
            sum += amount;
            positions.push(applied.envelope.position as i64);
            amounts.push(amount);
            sums.push(sum);
        }
        self.sum = Some(sum);
        tx.execute(
            "INSERT INTO sums SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])",
            &[&positions, &amounts, &sums],
        )
        .await?;
        Ok(())
    }

    fn reset(&mut self) {
        self.sum = None;
    }
}

/// Starts a projection into `schema`; it ends with the guard.
async fn project(world: &World, owner: &Owner, schema: &str) -> (Runner, DropGuard) {
    let shutdown = CancellationToken::new();
    let options = ProjectionOptions {
        head_check: Duration::from_millis(200),
        ..ProjectionOptions::new("test", "tally", STREAM, schema)
    };
    let runner = projection::spawn(
        Sums::default(),
        world.pool(),
        owner.channel.clone(),
        world.nats().await,
        options,
        shutdown.clone(),
    );
    (runner, shutdown.drop_guard())
}

async fn rows(pool: &Pool, schema: &str) -> Vec<(i64, i64, i64)> {
    let client = pool.get().await.unwrap();
    let sql = format!("SELECT position, amount, sum FROM {schema}.sums ORDER BY position");
    let rows = client.query(&sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

/// The rows that `n` events counting their positions must give.
fn expected(n: i64) -> Vec<(i64, i64, i64)> {
    (1..=n).map(|position| (position, position, position * (position + 1) / 2)).collect()
}

/// A stream like the relay's, that a test fills by hand and may delete from.
async fn bare_stream(world: &World) -> jetstream::stream::Stream {
    let config = jetstream::stream::Config {
        name: STREAM.to_owned(),
        subjects: vec![format!("{PREFIX}.>")],
        allow_direct: true,
        ..Default::default()
    };
    world.jetstream().await.create_stream(config).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_projection_built_from_zero_equals_the_one_that_followed_live() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let (_relay, hand_over, _relay_guard) = relay(&world).await;
    let (live, _live_guard) = project(&world, &owner, "sums_live").await;
    for first in (1..5_001).step_by(250) {
        let batch = count_from(first, 250);
        world.commit(&batch).await;
        hand_over.send(batch).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    until(live.applied(), |applied| *applied == 5_000).await;
    let (rebuilt, _rebuilt_guard) = project(&world, &owner, "sums_rebuilt").await;
    until(rebuilt.applied(), |applied| *applied == 5_000).await;
    assert_eq!(rows(&world.log, "sums_live").await, expected(5_000));
    assert_eq!(rows(&world.log, "sums_rebuilt").await, expected(5_000));
    assert_eq!(*live.head().borrow(), 5_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_waits_for_the_owner_and_is_filled_from_there() {
    let world = World::new().await;
    let mut owner = Owner::new(&world).await;
    let stream = bare_stream(&world).await;
    let events = count_from(1, 30);
    world.commit(&events[..10]).await;
    world.publish(&events[..10]).await;
    let (runner, guard) = project(&world, &owner, "sums").await;
    until(runner.applied(), |applied| *applied == 10).await;
    drop(guard);
    runner.join().await;

    // With the owner away it follows NATS alone, but never across a gap.
    owner.go_away();
    world.publish(&events[10..]).await;
    stream.delete_message(18).await.unwrap();
    let (runner, _guard) = project(&world, &owner, "sums").await;
    until(runner.applied(), |applied| *applied == 17).await;

    world.commit(&events[10..]).await;
    owner.come_back().await;
    until(runner.applied(), |applied| *applied == 30).await;
    assert_eq!(rows(&world.log, "sums").await, expected(30));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_tail_shows_no_gap_and_is_still_noticed() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    bare_stream(&world).await;
    let events = count_from(1, 40);
    world.commit(&events[..10]).await;
    world.publish(&events[..10]).await;
    let (runner, _guard) = project(&world, &owner, "sums").await;
    until(runner.applied(), |applied| *applied == 10).await;

    // Committed, and never in the stream.
    world.commit(&events[10..20]).await;
    until(runner.applied(), |applied| *applied == 20).await;
    // The stream is gone altogether, and comes back from the relay.
    world.jetstream().await.delete_stream(STREAM).await.unwrap();
    world.commit(&events[20..30]).await;
    until(runner.applied(), |applied| *applied == 30).await;
    let (relay, _hand_over, _relay_guard) = relay(&world).await;
    world.commit(&events[30..]).await;
    until(relay.published(), |published| *published == 40).await;
    until(runner.applied(), |applied| *applied == 40).await;
    assert_eq!(rows(&world.log, "sums").await, expected(40));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stray_message_is_not_applied() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    bare_stream(&world).await;
    world.commit(&count_from(1, 3)).await;
    let (runner, _guard) = project(&world, &owner, "sums").await;
    until(runner.applied(), |applied| *applied == 3).await;
    // Four messages: the last would be taken for event 4 by its sequence alone.
    world.publish(&[counted(1, 1), counted(2, 2), counted(3, 3), counted(9, 999)]).await;
    world.commit(&count_from(4, 3)).await;
    until(runner.applied(), |applied| *applied == 6).await;
    assert_eq!(rows(&world.log, "sums").await, expected(6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_projection_goes_on_while_nats_is_away_and_follows_it_again() {
    let mut world = World::new().await;
    let mut owner = Owner::new(&world).await;
    let (_relay, _hand_over, _relay_guard) = relay(&world).await;
    let (runner, _guard) = project(&world, &owner, "sums").await;
    world.commit(&count_from(1, 10)).await;
    until(runner.applied(), |applied| *applied == 10).await;

    world.kill_nats();
    world.commit(&count_from(11, 10)).await;
    until(runner.applied(), |applied| *applied == 20).await;

    world.start_nats();
    eventually("the projection follows NATS", async || {
        let stream = world.stream().await?;
        (stream.cached_info().state.consumer_count == 1).then_some(())
    })
    .await;
    owner.go_away();
    world.commit(&count_from(21, 10)).await;
    until(runner.applied(), |applied| *applied == 30).await;
    assert_eq!(rows(&world.log, "sums").await, expected(30));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_event_stops_the_projection_and_is_named() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let unreadable = record(8, &serde_json::json!({"type": "concord.test.v1.Unknown", "data": {}}));
    let cases = [
        (counted(8, -5), "events 8 to 8: amount -5 is below zero"),
        (counted(8, 1_000_000), "PostgreSQL refuses the rows of events 8 to 8:"),
        (unreadable, "event 8 cannot be read:"),
    ];
    for (case, (broken, sentence)) in cases.into_iter().enumerate() {
        let client = world.log.get().await.unwrap();
        client.execute("DELETE FROM events", &[]).await.unwrap();
        let mut events = count_from(1, 20);
        events[7] = broken;
        world.commit(&events).await;
        let schema = format!("sums_{case}");
        for _restart in 0..2 {
            let (runner, guard) = project(&world, &owner, &schema).await;
            let reason = until(runner.stopped(), Option::is_some).await.unwrap();
            assert!(reason.starts_with(sentence), "{reason}");
            assert_eq!(*runner.applied().borrow(), 7);
            assert_eq!(rows(&world.log, &schema).await, expected(7));
            drop(guard);
            runner.join().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_runner_stands_by_reports_progress_and_takes_over() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    world.commit(&count_from(1, 10)).await;
    let (first, first_guard) = project(&world, &owner, "sums").await;
    until(first.applied(), |applied| *applied == 10).await;
    let (second, _guard) = project(&world, &owner, "sums").await;
    until(second.applied(), |applied| *applied == 10).await;
    drop(first_guard);
    first.join().await;
    world.commit(&count_from(11, 10)).await;
    until(second.applied(), |applied| *applied == 20).await;
    assert_eq!(rows(&world.log, "sums").await, expected(20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_projection_outlives_its_connections_and_a_moved_checkpoint() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let (runner, _guard) = project(&world, &owner, "sums").await;
    world.commit(&count_from(1, 10)).await;
    until(runner.applied(), |applied| *applied == 10).await;
    let client = world.log.get().await.unwrap();
    let ended = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'";
    assert_eq!(client.execute(ended, &[]).await.unwrap(), 1);
    world.commit(&count_from(11, 10)).await;
    until(runner.applied(), |applied| *applied == 20).await;

    // Another runner, had there been one, would have moved rows and checkpoint together.
    let moved =
        "BEGIN; UPDATE sums.checkpoint SET position = 15; DELETE FROM sums.sums WHERE position > 15; COMMIT";
    client.batch_execute(moved).await.unwrap();
    world.commit(&count_from(21, 10)).await;
    until(runner.applied(), |applied| *applied == 30).await;
    assert_eq!(rows(&world.log, "sums").await, expected(30));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_another_history_are_not_added_to() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    world.commit(&count_from(1, 10)).await;
    let (runner, guard) = project(&world, &owner, "sums").await;
    until(runner.applied(), |applied| *applied == 10).await;
    drop(guard);
    runner.join().await;

    let other = Owner::of_log(&world, Uuid::from_u128(2)).await;
    let (runner, _guard) = project(&world, &other, "sums").await;
    let reason = until(runner.stopped(), Option::is_some).await.unwrap();
    assert!(reason.contains("build it anew"), "{reason}");
}
