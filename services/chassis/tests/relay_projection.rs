//! The way of an event from PostgreSQL over JetStream into a read model, and everything that may go wrong on it.
//!
//! Needs PostgreSQL and nats-server, as `make setup` installs them.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests")]

#[path = "relay_projection/failures/mod.rs"]
mod failures;
#[path = "relay_projection/fixture.rs"]
mod fixture;
#[path = "relay_projection/process.rs"]
mod process;

use async_nats::jetstream;
use concord_chassis::projection::{self, Applied, ApplyError, Projection, ProjectionOptions, Runner};
use concord_chassis::record::Recorded;
use concord_chassis::relay::{self, Relay, RelayOptions, RelayState};
use deadpool_postgres::{Pool, Transaction};
use fixture::{Owner, PREFIX, STREAM, Tally, World, count_from, until};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

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
