//! Projections as consumers of the stream.

use crate::fixture::{Owner, STREAM, World, count_from, counted, decided, eventually, record, until};
use crate::{bare_stream, expected, project, relay, rows};
use std::time::Duration;
use uuid::Uuid;

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
        (counted(8, 1_000_000), "PostgreSQL refuses the rows of events 8 to 8 (SQLSTATE 23514): ERROR: "),
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
            assert!(reason.to_string().starts_with(sentence), "{reason}");
            assert!(
                !reason.why.contains("ERROR"),
                "what PostgreSQL said is for the operator: {}",
                reason.why
            );
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
    assert_eq!(world.end_lock_holders().await, 1);
    world.commit(&count_from(11, 10)).await;
    until(runner.applied(), |applied| *applied == 20).await;

    let client = world.log.get().await.unwrap();
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
    assert!(reason.why.contains("build it anew"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_never_rests_inside_a_decision() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let _stream = bare_stream(&world).await;
    let mut events = count_from(1, 3);
    events.extend((4..=8).map(|position| decided(position, 8, position as i64)));
    events.extend(count_from(9, 1));
    let (runner, _guard) = project(&world, &owner, "sums").await;
    // The log's end is not reached through its owner: the stream alone has it, and what it has so far ends in the middle.
    for so_far in [5, 7] {
        let before = if so_far == 5 { 0 } else { 5 };
        world.publish(&events[before..so_far]).await;
        until(runner.head(), |head| *head >= so_far as u64).await;
        until(runner.applied(), |applied| *applied == 3).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(
            *runner.applied().borrow(),
            3,
            "the decision from 4 to 8 is there as a whole, or not at all"
        );
        assert_eq!(rows(&world.log, "sums").await, expected(3));
    }
    world.publish(&events[7..]).await;
    until(runner.applied(), |applied| *applied == 9).await;
    assert_eq!(rows(&world.log, "sums").await, expected(9));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_with_a_broken_event_is_left_as_a_whole() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let mut events = count_from(1, 7);
    events.extend([decided(8, 10, 8), decided(9, 10, -5), decided(10, 10, 10), counted(11, 11)]);
    world.commit(&events).await;
    let (runner, _guard) = project(&world, &owner, "sums").await;
    let reason = until(runner.stopped(), Option::is_some).await.unwrap();
    assert_eq!(reason.why, "events 8 to 10: amount -5 is below zero");
    assert_eq!(*runner.applied().borrow(), 7);
    assert_eq!(rows(&world.log, "sums").await, expected(7));
}
