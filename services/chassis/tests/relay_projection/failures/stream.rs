//! The stream and its relay.

use crate::fixture::{Owner, PATIENCE, PREFIX, STREAM, World, count_from, eventually, until};
use crate::{bare_stream, expected, project, relay, rows};
use concord_chassis::relay::{Divergence, RelayState};
use std::time::Duration;

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
    assert_eq!(world.end_lock_holders().await, 1);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_lost_its_tail_is_filled_up_and_who_was_ahead_of_it_stays_right() {
    let mut world = World::new().await;
    let owner = Owner::new(&world).await;
    let (relay, _hand_over, _guard) = relay(&world).await;
    world.commit(&count_from(1, 50)).await;
    until(relay.published(), |published| *published == 50).await;
    // What is on the disk now is all that will be there after the crash.
    world.kill_nats();
    let kept = world.copy_of_nats();
    world.start_nats();
    let (ahead, _ahead_guard) = project(&world, &owner, "sums_ahead").await;
    world.commit(&count_from(51, 50)).await;
    until(relay.published(), |published| *published == 100).await;
    until(ahead.applied(), |applied| *applied == 100).await;

    world.wipe_nats();
    world.restore_nats(&kept);
    world.start_nats();
    eventually("the stream is full again", async || world.stream_equals_log().await.then_some(())).await;
    world.commit(&count_from(101, 10)).await;
    until(ahead.applied(), |applied| *applied == 110).await;
    assert_eq!(rows(&world.log, "sums_ahead").await, expected(110));
    let (late, _late_guard) = project(&world, &owner, "sums_late").await;
    until(late.applied(), |applied| *applied == 110).await;
    assert_eq!(rows(&world.log, "sums_late").await, expected(110));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_whose_messages_aged_out_goes_on_where_it_ended() {
    let world = World::new().await;
    let stream = bare_stream(&world).await;
    let events = count_from(1, 60);
    world.commit(&events[..50]).await;
    world.publish(&events[..50]).await;
    stream.purge().await.unwrap();
    let (relay, _hand_over, _guard) = relay(&world).await;
    until(relay.published(), |published| *published == 50).await;
    world.commit(&events[50..]).await;
    until(relay.published(), |published| *published == 60).await;
    let mut stream = world.stream().await.unwrap();
    let state = stream.info().await.unwrap().state.clone();
    assert_eq!((state.first_sequence, state.last_sequence, state.messages), (51, 60, 10));
    assert_eq!(stream.direct_get(51).await.unwrap().payload, events[50].bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_asks_for_its_lock_ends_although_postgresql_stands_still() {
    let world = World::alone().await;
    let frozen = world.freeze_postgres();
    let (relay, _hand_over, guard) = relay(&world).await;
    // Long enough to have asked; were it not, it would end all the more easily.
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(guard);
    tokio::time::timeout(PATIENCE, relay.join()).await.expect("it ends");
    frozen.thaw();
}
