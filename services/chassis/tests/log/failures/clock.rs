//! Clocks that go back, and clocks that differ.

use crate::fixture::{Command, World, submit};
use concord_chassis::log::CommandError;
use std::time::Duration;

#[tokio::test]
async fn recorded_at_does_not_go_back_behind_what_another_replica_wrote() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 5).await[0];
    // As if a replica whose clock is ahead had written the newest event.
    world
        .sql("UPDATE events SET record = convert_to(replace(convert_from(record, 'UTF8'), '\"time\":\"20', '\"time\":\"21'), 'UTF8') WHERE position = 2")
        .await;
    let replica = world.replica().await;
    replica.run(Command::Deposit(account, 1)).await.unwrap();
    world.audited().await;
}

#[tokio::test]
async fn recorded_at_does_not_go_back_when_the_clock_does_while_the_writer_runs() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 5).await[0];
    // The next event is of a replica whose clock is a century ahead: against it, this one's clock has gone back.
    world
        .sql(
            "INSERT INTO events
             SELECT 3, stream, 3, convert_to(replace(replace(replace(convert_from(record, 'UTF8'), '\"time\":\"20', '\"time\":\"21'),
                 '\"position\":\"2\"', '\"position\":\"3\"'), '\"version\":\"2\"', '\"version\":\"3\"'), 'UTF8')
             FROM events WHERE position = 2",
        )
        .await;
    let receipt = replica.run(Command::Spend(account, 10)).await.unwrap();
    assert_eq!(receipt.last_position, 4);
    let time = async |position: &str| {
        let sql =
            format!("SELECT left(record->>'time', 2)::bigint FROM events_json WHERE position = {position}");
        world.count(&sql).await
    };
    assert_eq!((time("2").await, time("3").await, time("4").await), (20, 21, 21));
    // Nor in the events after it, nor after a restart.
    replica.run(Command::Deposit(account, 1)).await.unwrap();
    replica.end().await;
    world.replica().await.run(Command::Deposit(account, 1)).await.unwrap();
    assert_eq!((time("5").await, time("6").await), (21, 21));
}

/// Sets PostgreSQL's clock off for every connection from now on.
async fn set_off(world: &World, by: &str) {
    world
        .sql(&format!(
            "CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql
                 AS $$ SELECT pg_catalog.clock_timestamp() + interval '{by}' $$;
             DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$"
        ))
        .await;
}

#[tokio::test]
async fn a_writer_does_not_start_where_the_clocks_differ_by_more_than_a_second() {
    let world = World::new().await;
    for (by, starts) in [("-61 seconds", false), ("2 seconds", false), ("0.4 seconds", true)] {
        set_off(&world, by).await;
        match world.open(&world.url, 1 << 20).await {
            Ok(replica) if starts => drop(replica.open(1, 1).await),
            Err(error) if !starts => assert!(error.to_string().contains("clock"), "{by}: {error}"),
            other => panic!("{by}: {:?}", other.map(drop)),
        }
    }
}

#[tokio::test]
async fn a_writer_that_finds_the_clocks_apart_writes_nothing_until_they_agree() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 5).await[0];
    set_off(&world, "-10 minutes").await;
    // They are compared with each connection, and once a minute.
    world.end_writers().await;
    let soon = replica.log.execute(submit(Command::Spend(account, 1)), Duration::from_secs(2)).await;
    assert!(matches!(soon, Err(CommandError::Unavailable(_) | CommandError::OutcomeUnknown(_))), "{soon:?}");
    assert_eq!(world.head().await, 2);
    set_off(&world, "0 seconds").await;
    replica.run(Command::Spend(account, 1)).await.unwrap();
    world.check(&replica).await;
}
