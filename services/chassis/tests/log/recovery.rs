//! Failover and recovery, with real standbys, real copies of the data and a real stream: what was lost is noticed before
//! anything is written, and an operator decides how the log goes on.

use crate::fixture::{Command, Event, PATIENCE, pool, submit};
use crate::site::{Answered, Service, Site, choice, commands};
use crate::until;
use concord_chassis::log::recover::{self, Difference, Obstacle, RecoverError, Way};
use concord_chassis::log::{CommandError, LogReader, Standstill};
use concord_chassis::projection::{self, Applied, ApplyError, Projection, ProjectionOptions};
use concord_chassis::record::{LogEvent, Recorded};
use concord_test_servers::{Cluster, Frozen};
use futures::future::join_all;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The reason for which a command was turned away.
fn turned_away<T: std::fmt::Debug>(outcome: Result<T, CommandError>) -> &'static str {
    match outcome {
        Err(CommandError::NotWritten(why)) => why.reason(),
        other => panic!("not turned away: {other:?}"),
    }
}

fn obstacle<T>(outcome: Result<T, RecoverError>) -> Obstacle {
    match outcome {
        Err(RecoverError::NotPossible(obstacle)) => obstacle,
        Err(other) => panic!("another error: {other:?}"),
        Ok(_) => panic!("it was recovered"),
    }
}

/// A site whose data were put back to an older copy: four events are left of twelve. Beside it, the commands that are
/// left, those that were lost, the accounts, and what the log had been.
struct WentBack {
    site: Site,
    kept: Vec<Answered>,
    lost: Vec<Answered>,
    accounts: [Uuid; 2],
    events: Vec<Recorded>,
}

impl WentBack {
    async fn new() -> Self {
        let site = Site::new().await;
        let service = site.service().await;
        let (accounts, kept) = service.open_two().await;
        service.stop().await;
        site.primary.stop();
        site.primary.back_up();
        site.primary.resume();
        let service = site.service().await;
        let lost = service.run(commands(accounts)).await;
        service.until_published().await;
        let events = site.world().audited().await;
        service.stop().await;
        site.primary.stop();
        site.primary.restore();
        site.primary.resume();
        Self { site, kept, lost, accounts, events }
    }
}

// ---- What is noticed, and what a service does then ----

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_went_back_is_not_written_from_the_first_command_on() {
    let WentBack { site, accounts, events, .. } = WentBack::new().await;
    let service = site.service().await;
    assert_eq!(service.opened_to, Some(Standstill::BehindStream { head: 4, stream_last: 12 }));
    assert_eq!(
        turned_away(service.send(submit(Command::Deposit(accounts[0], 1))).await),
        "LOG_BEHIND_STREAM"
    );
    let chunk = vec![submit(Command::Deposit(accounts[0], 1)); 3];
    for outcome in service.log.execute_chunk(chunk, PATIENCE).await {
        assert_eq!(turned_away(outcome), "LOG_BEHIND_STREAM");
    }
    let told = service.status().await;
    assert_eq!((told.head, told.cluster_stored == told.cluster_found), (4, true));
    let standstill = told.standstill.unwrap();
    assert_eq!((standstill.facts["head"].as_str(), standstill.facts["stream_last"].as_str()), ("4", "12"));
    assert!(standstill.message.contains("concord log recover"), "{}", standstill.message);
    // It is read as it is, warm and cold.
    site.world().check_log(&service.log).await;
    assert_eq!(service.log.reader().read(0, 100).await.unwrap(), events[..4]);
    // And nothing was lost of what the stream alone has.
    assert_eq!(site.in_stream("concord_test_bank_1").await, events);
    service.stop().await;
    assert_eq!(site.world().head().await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_nats_the_log_is_written_and_a_divergence_stops_it_as_soon_as_nats_is_back() {
    let WentBack { mut site, accounts, events, .. } = WentBack::new().await;
    site.nats.kill();
    let service = site.service().await;
    assert_eq!(service.refuses().await, "");
    service.run([Command::Deposit(accounts[0], 1), Command::Deposit(accounts[1], 1)]).await;
    site.nats.resume();
    // Position 5 is another event now, whether the relay finds that or the end of the stream first.
    let reason = service.until_it_refuses().await;
    assert_eq!(reason, "LOG_OTHER_HISTORY");
    assert_eq!(turned_away(service.send(submit(Command::Deposit(accounts[0], 1))).await), reason);
    site.world().check_log(&service.log).await;
    service.stop().await;
    assert_eq!(site.world().head().await, 6);

    // The two have nothing to complete each other with.
    let findings = site.examine().await;
    assert_eq!(findings.overlap.equal, 4);
    assert_eq!(findings.overlap.difference, Some(Difference::OtherEvent(5)));
    for way in [Way::Refill, Way::AcceptTimeline, Way::RefillAndNewGeneration] {
        assert_eq!(obstacle(site.recover(way).await), Obstacle::Differs(Difference::OtherEvent(5)));
    }
    assert_eq!(site.world().head().await, 6);
    assert_eq!(site.in_stream("concord_test_bank_1").await, events);
    site.recover(Way::NewGeneration).await.unwrap();
    let service = site.service().await;
    service.run([Command::Deposit(accounts[0], 1)]).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_works_ends_at_once_when_its_stream_gets_ahead() {
    let site = Site::new().await;
    let service = site.service().await;
    let (accounts, _) = service.open_two().await;
    service.until_published().await;
    // As if somebody had restored the database under the running service: the stream has what PostgreSQL does not.
    let mut event: serde_json::Value =
        serde_json::from_slice(&site.in_stream("concord_test_bank_1").await[3].bytes).unwrap();
    event["position"] = "5".into();
    let context = site.jetstream().await;
    let payload = serde_json::to_vec(&event).unwrap().into();
    context.publish("concord.test.bank.account.Deposited", payload).await.unwrap().await.unwrap();
    assert_eq!(service.until_it_refuses().await, "LOG_BEHIND_STREAM");
    let outcome = service.send(submit(Command::Deposit(accounts[0], 1))).await;
    assert_eq!(turned_away(outcome), "LOG_BEHIND_STREAM");
    // It has given up its locks, so that the log can be recovered before it is started again.
    site.recover(Way::NewGeneration).await.unwrap();
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_was_started_for_an_earlier_generation_does_not_write_the_next() {
    let site = Site::new().await;
    let service = site.service().await;
    let (accounts, _) = service.open_two().await;
    // A recovery while its connection was broken.
    let world = site.world();
    world.sql("UPDATE log SET generation = 2").await;
    world.end_writers().await;
    assert_eq!(service.until_it_refuses().await, "LOG_REPLACED");
    let outcome = service.send(submit(Command::Deposit(accounts[0], 1))).await;
    assert_eq!(turned_away(outcome), "LOG_REPLACED");
    assert_eq!(world.head().await, 4);
    service.stop().await;
}

// ---- Ways to go on ----

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_went_back_is_refilled_from_its_stream_and_repeats_get_their_first_answers() {
    let WentBack { site, kept, lost, accounts, events } = WentBack::new().await;
    // The recovery does not mind a service that refuses: it neither writes nor publishes.
    let refusing = site.service().await;
    let findings = site.examine().await;
    assert!(findings.needs_recovery() && !findings.cluster_changed());
    assert_eq!((findings.head, findings.overlap.equal, findings.stream_last()), (4, 4, 12));
    assert_eq!((findings.beyond.events, findings.beyond.torn), (8, 0));
    assert_eq!(obstacle(site.recover(Way::AcceptTimeline).await), Obstacle::StreamAhead(8));
    let recovered = site.recover(Way::Refill).await.unwrap();
    assert_eq!((recovered.head, recovered.generation), (12, 1));
    assert_eq!(turned_away(refusing.send(kept[0].submission.clone()).await), "LOG_BEHIND_STREAM");
    refusing.stop().await;

    let world = site.world();
    assert_eq!(world.audited().await, events);
    let service = site.service().await;
    assert_eq!(service.refuses().await, "");
    service.remembers(&kept).await;
    service.remembers(&lost).await;
    let mut other = lost[1].submission.clone();
    other.command = Command::Spend(accounts[0], 4);
    let reused = service.send(other).await;
    assert!(matches!(reused, Err(CommandError::RequestIdReused(_))), "{reused:?}");
    assert_eq!(world.head().await, 12);
    service.run(commands(accounts)).await;
    service.until_published().await;
    world.check_log(&service.log).await;
    let events = world.audited().await;
    assert_eq!(site.in_stream("concord_test_bank_1").await, events);
    service.stop().await;
    let traces = "SELECT count(*) FROM recoveries WHERE way = 'refill-from-stream' AND finished_at IS NOT NULL
                  AND (from_head, to_head, stream_last, to_generation) = (4, 12, 12, 1) AND decided_by = 'operator@office'";
    assert_eq!(world.count(traces).await, 1);
    assert_eq!(world.count("SELECT count(*) FROM recoveries").await, 1, "a refused recovery leaves none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_kept_from_beyond_the_head_do_not_outlive_a_recovery() {
    let WentBack { site, accounts, .. } = WentBack::new().await;
    // As a service that was left behind may still write it: the state after events that will never have been.
    let world = site.world();
    let kept = format!(
        "INSERT INTO snapshots VALUES ('{}', 6, 4, '1', '{{\"balance\":-1,\"position\":6,\"on\":\"2020-01-01\",\"events\":6}}')",
        accounts[0]
    );
    world.sql(&kept).await;
    site.recover(Way::NewGeneration).await.unwrap();
    let service = site.service().await;
    service.run(commands(accounts)).await;
    service.stop().await;
    let service = site.service().await;
    world.check_log(&service.log).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_generation_has_its_own_source_and_stream_and_projections_are_built_anew() {
    let WentBack { site, kept, lost, accounts, events } = WentBack::new().await;
    let refusing = site.service().await;
    let old = Audience::new(&site, &refusing, "sums", 1).await;
    // It goes on with what was committed once and only the stream still has. 4, the owner's head, it passes in an instant.
    old.has_applied(12).await;
    let recovered = site.recover(Way::NewGeneration).await.unwrap();
    assert_eq!((recovered.head, recovered.generation), (4, 2));
    refusing.stop().await;
    old.stop().await;

    let service = site.service().await;
    let status = service.status().await;
    assert_eq!((status.generation, status.stream.as_str(), status.head), (2, "concord_test_bank_2", 4));
    service.remembers(&kept).await;
    // What was lost is decided anew, on what is there now.
    let repeated = service.send(lost[0].submission.clone()).await.unwrap();
    assert_eq!(repeated.first_position, 5);
    assert_ne!(repeated.leaf_hashes, lost[0].receipt.leaf_hashes);
    service.run(commands(accounts)).await;
    service.until_published().await;

    let world = site.world();
    let now = world.audited().await;
    let generations: Vec<u32> = now.iter().map(generation_of).collect();
    assert_eq!(generations[..4], [1; 4]);
    assert_eq!(generations[4..], [2; 9]);
    assert_eq!(site.in_stream("concord_test_bank_2").await, now);
    // The first stream keeps what nobody else has, and takes no more.
    assert_eq!(site.in_stream("concord_test_bank_1").await, events);

    let old = Audience::new(&site, &service, "sums", 1).await;
    assert!(old.has_stopped().await.contains("build it anew"));
    let new = Audience::new(&site, &service, "sums_g2", 2).await;
    new.has_applied(13).await;
    old.stop().await;
    new.stop().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generation_that_went_back_to_before_its_first_event_is_noticed_too() {
    let WentBack { site, accounts, .. } = WentBack::new().await;
    site.recover(Way::NewGeneration).await.unwrap();
    site.primary.stop();
    site.primary.back_up();
    site.primary.resume();
    let service = site.service().await;
    service.run([Command::Deposit(accounts[0], 1)]).await;
    service.until_published().await;
    let events = site.world().audited().await;
    service.stop().await;
    site.primary.stop();
    site.primary.restore();
    site.primary.resume();
    // What PostgreSQL has is of generation 1, and what only the stream has is of generation 2: one log all the same.
    let service = site.service().await;
    assert_eq!(service.refuses().await, "LOG_BEHIND_STREAM");
    service.stop().await;
    assert_eq!(site.in_stream("concord_test_bank_2").await, events);
    assert_eq!(site.recover(Way::Refill).await.unwrap().head, 5);
    assert_eq!(site.world().audited().await, events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_of_an_earlier_generation_cannot_write_into_the_stream_of_its_successor() {
    let WentBack { site, accounts, .. } = WentBack::new().await;
    site.recover(Way::NewGeneration).await.unwrap();
    let service = site.service().await;
    service.until_published().await;
    // What a primary that was cut off would publish next: at the right sequence, and for the stream of generation 1.
    let message = async_nats::jetstream::message::PublishMessage::build()
        .payload("left behind".into())
        .expected_last_sequence(4)
        .expected_stream("concord_test_bank_1");
    let context = site.jetstream().await;
    let sent = context.send_publish("concord.test.bank.account.Spent", message).await.unwrap().await;
    assert!(sent.is_err(), "{sent:?}");
    // Each event that is published names its stream.
    service.run([Command::Deposit(accounts[0], 1)]).await;
    service.until_published().await;
    let stream = context.get_stream("concord_test_bank_2").await.unwrap();
    let message = stream.get_raw_message(5).await.unwrap();
    let named = message.headers.get("Nats-Expected-Stream").map(ToString::to_string);
    assert_eq!(named.as_deref(), Some("concord_test_bank_2"));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_of_which_the_stream_has_a_part_is_not_refilled_alone() {
    let WentBack { site, lost, events, .. } = WentBack::new().await;
    // The relay had come to the second of three events, 8 to 10, when it was cut off.
    let context = site.jetstream().await;
    context.delete_stream("concord_test_bank_1").await.unwrap();
    let service = site.service().await;
    service.until_published().await;
    service.stop().await;
    for event in &events[4..9] {
        let subject = event.nats_subject("concord.test.bank").unwrap();
        context.publish(subject, event.bytes.clone()).await.unwrap().await.unwrap();
    }
    let findings = site.examine().await;
    assert_eq!((findings.beyond.events, findings.beyond.torn), (3, 2));
    assert_eq!(obstacle(site.recover(Way::Refill).await), Obstacle::TornCommand(2));
    let recovered = site.recover(Way::RefillAndNewGeneration).await.unwrap();
    assert_eq!((recovered.head, recovered.generation), (7, 2));
    let world = site.world();
    assert_eq!(world.audited().await, events[..7]);
    let service = site.service().await;
    service.remembers(&lost[..3]).await;
    // The command that was torn is decided anew, whole.
    let again = service.send(lost[3].submission.clone()).await.unwrap();
    assert_eq!((again.first_position, again.last_position), (8, 10));
    service.until_published().await;
    world.check_log(&service.log).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_behind_a_stray_or_a_hole_are_out_of_reach_and_still_keep_the_log_from_being_written() {
    let WentBack { site, events, .. } = WentBack::new().await;
    let context = site.jetstream().await;
    context.delete_stream("concord_test_bank_1").await.unwrap();
    let service = site.service().await;
    service.until_published().await;
    service.stop().await;
    let subject = |event: &Recorded| event.nats_subject("concord.test.bank").unwrap();
    context.publish(subject(&events[4]), events[4].bytes.clone()).await.unwrap().await.unwrap();
    context.publish("concord.test.bank.account.Stray", "stray".into()).await.unwrap().await.unwrap();
    for event in &events[6..] {
        context.publish(subject(event), event.bytes.clone()).await.unwrap().await.unwrap();
    }
    let service = site.service().await;
    assert_eq!(service.refuses().await, "LOG_BEHIND_STREAM");
    service.stop().await;
    let findings = site.examine().await;
    assert!(findings.needs_recovery());
    assert_eq!((findings.beyond.events, findings.beyond.behind), (1, 6));
    let difference = Difference::Stray(6);
    assert_eq!(findings.beyond.difference, Some(difference));
    assert_eq!(obstacle(site.recover(Way::Refill).await), Obstacle::OutOfReach { difference, behind: 6 });
    assert_eq!(obstacle(site.recover(Way::AcceptTimeline).await), Obstacle::StreamAhead(7));
    assert_eq!(site.recover(Way::RefillAndNewGeneration).await.unwrap().head, 5);
    assert_eq!(site.world().audited().await, events[..5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_whose_window_begins_after_the_head_proves_nothing() {
    let WentBack { site, events, .. } = WentBack::new().await;
    let context = site.jetstream().await;
    let mut config = context.get_stream("concord_test_bank_1").await.unwrap().cached_info().config.clone();
    context.delete_stream("concord_test_bank_1").await.unwrap();
    config.first_sequence = Some(5_000);
    context.create_stream(config).await.unwrap();
    let mut event: serde_json::Value = serde_json::from_slice(&events[11].bytes).unwrap();
    event["position"] = "5000".into();
    let payload = serde_json::to_vec(&event).unwrap().into();
    context.publish("concord.test.bank.account.Transferred", payload).await.unwrap().await.unwrap();
    let service = site.service().await;
    assert_eq!(service.opened_to, Some(Standstill::BehindStream { head: 4, stream_last: 5_000 }));
    service.stop().await;
    let findings = site.examine().await;
    assert!(findings.needs_recovery());
    assert_eq!((findings.beyond.events, findings.beyond.behind), (0, 1));
    assert_eq!(findings.beyond.difference, Some(Difference::Missing(5)));
    assert_eq!(obstacle(site.recover(Way::Refill).await), Obstacle::NothingCompared);
    assert_eq!(site.recover(Way::NewGeneration).await.unwrap().head, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_stream_to_compare_with_only_a_new_generation_goes_on() {
    let WentBack { mut site, .. } = WentBack::new().await;
    site.nats.wipe();
    site.nats.resume();
    until(async || async_nats::connect(site.nats.url()).await.is_ok()).await;
    site.world().sql("UPDATE log SET pg_timeline = pg_timeline + 1").await;
    assert_eq!(site.examine().await.stream, None);
    for way in [Way::AcceptTimeline, Way::Refill] {
        assert_eq!(obstacle(site.recover(way).await), Obstacle::NothingCompared);
    }
    assert_eq!(site.recover(Way::NewGeneration).await.unwrap().generation, 2);
}

// ---- While others are at work, and when it is cut off ----

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovery_is_refused_while_a_writer_is_active_and_no_writer_starts_beside_it() {
    let site = Site::new().await;
    let service = site.service().await;
    service.open_two().await;
    for way in [Way::AcceptTimeline, Way::Refill, Way::NewGeneration] {
        match site.recover(way).await {
            Err(RecoverError::InUse(by)) => {
                assert!(by.iter().any(|session| session.starts_with("concord-writer")), "{by:?}");
            }
            other => panic!("{:?}", other.map(|recovered| recovered.generation)),
        }
    }
    let world = site.world();
    assert_eq!(world.count("SELECT generation::bigint FROM log").await, 1);
    service.stop().await;

    // A recovery that is at work: its lock, held by hand.
    let client = world.pool.get().await.unwrap();
    client.execute("SELECT pg_advisory_lock($1)", &[&0x636f_6e63_6f72_6403_i64]).await.unwrap();
    let refused = world.try_replica().await.err().unwrap();
    assert!(refused.contains("recovery"), "{refused}");
    client.execute("SELECT pg_advisory_unlock_all()", &[]).await.unwrap();
    world.try_replica().await.unwrap().end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refill_that_is_cut_off_goes_on_where_it_stopped() {
    let site = Site::new().await;
    let service = site.service().await;
    let (accounts, _) = service.open_two().await;
    service.stop().await;
    site.primary.stop();
    site.primary.back_up();
    site.primary.resume();
    let service = site.service().await;
    let deposits: Vec<_> = (0..4_000).map(|_| submit(Command::Deposit(accounts[0], 1))).collect();
    let outcomes = service.log.execute_chunk(deposits.clone(), PATIENCE).await;
    let lost: Vec<Answered> = deposits
        .into_iter()
        .zip(outcomes)
        .map(|(submission, outcome)| Answered { submission, receipt: outcome.unwrap() })
        .collect();
    service.until_published().await;
    let events = site.world().audited().await;
    service.stop().await;
    site.primary.stop();
    site.primary.restore();
    site.primary.resume();

    // Cut off in the middle of its batches, as by Ctrl-C.
    let cut = CancellationToken::new();
    let target = site.target();
    let choice = choice(Way::Refill);
    let refill = recover::recover::<crate::fixture::Bank>(&target, &choice, |done, total| {
        if total == 4_000 && done > 0 {
            cut.cancel();
        }
    });
    tokio::select! {
        biased;
        () = cut.cancelled() => {}
        ended = refill => panic!("it was not cut off: {:?}", ended.map(|recovered| recovered.head)),
    }
    let world = site.world();
    // A statement that was under way may still end; then its session does.
    until(async || world.recoveries().await == 0).await;
    let half = world.head().await;
    assert!(half > 4 && half < 4_004, "{half}");
    let service = site.service().await;
    assert_eq!(service.refuses().await, "LOG_BEHIND_STREAM");
    service.stop().await;

    // Cut off when all is refilled and nothing is accepted yet.
    world.sql("CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''cut off''; END'").await;
    world.sql("CREATE TRIGGER fail BEFORE UPDATE ON recoveries FOR EACH ROW EXECUTE FUNCTION fail()").await;
    site.recover(Way::Refill).await.map(|recovered| recovered.head).unwrap_err();
    assert_eq!(world.head().await, 4_004);
    world.sql("DROP TRIGGER fail ON recoveries").await;
    assert_eq!(site.recover(Way::Refill).await.unwrap().head, 4_004);

    assert_eq!(world.audited().await, events);
    assert_eq!(world.count("SELECT count(*) FROM recoveries WHERE finished_at IS NULL").await, 2);
    let service = site.service().await;
    service.remembers(&lost[..3]).await;
    service.remembers(&lost[3_997..]).await;
    world.check_log(&service.log).await;
    service.stop().await;
}

// ---- Standbys ----

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_asynchronous_standby_that_was_promoted_gets_back_what_it_lacks() {
    let site = Site::new().await;
    let service = site.service().await;
    let standby = site.primary.standby();
    let (accounts, kept) = service.open_two().await;
    let beside = pool(&standby.url("bank"));
    until(async || LogReader::new(beside.clone()).head().await.is_ok_and(|head| head == 4)).await;
    // From here on the standby hears nothing.
    standby.stop();
    let lost = service.run(commands(accounts)).await;
    service.until_published().await;
    let events = site.world().audited().await;
    site.primary.kill();
    standby.resume();
    standby.promote();
    site.serve_from(&standby);

    // The service that runs meets another PostgreSQL: its writer sees that, or its relay what is missing.
    let reason = service.until_it_refuses().await;
    assert!(["LOG_CLUSTER_CHANGED", "LOG_BEHIND_STREAM"].contains(&reason.as_str()), "{reason}");
    let world = site.world();
    let outcome = service.send(submit(Command::Deposit(accounts[0], 1))).await;
    assert_eq!(turned_away(outcome), reason);
    until(async || service.status().await.head == 4).await;
    world.check_log(&service.log).await;
    service.stop().await;
    let service = site.service().await;
    let told = service.status().await;
    let (stored, found) = (told.cluster_stored.unwrap(), told.cluster_found.unwrap());
    assert_eq!((stored.system_id, stored.timeline + 1), (found.system_id, found.timeline));
    assert_eq!(turned_away(service.send(kept[0].submission.clone()).await), "LOG_CLUSTER_CHANGED");
    world.check_log(&service.log).await;

    assert_eq!(obstacle(site.recover(Way::AcceptTimeline).await), Obstacle::StreamAhead(8));
    assert_eq!(site.recover(Way::Refill).await.unwrap().head, 12);
    service.stop().await;
    assert_eq!(world.audited().await, events);
    let service = site.service().await;
    service.remembers(&kept).await;
    service.remembers(&lost).await;
    service.run(commands(accounts)).await;
    service.until_published().await;
    world.check_log(&service.log).await;
    assert_eq!(site.in_stream("concord_test_bank_1").await, world.audited().await);
    service.stop().await;
}

/// A site whose commits wait for a standby.
async fn with_synchronous_standby() -> (Site, Cluster) {
    let site = Site::new().await;
    // The schema first: making it would wait for a standby that is not there yet.
    site.service().await.stop().await;
    let standby = site.primary.standby();
    let world = site.world();
    world.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'").await;
    world.sql("SELECT pg_reload_conf()").await;
    let confirmed =
        "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'";
    until(async || world.count(confirmed).await == 1).await;
    (site, standby)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synchronous_standby_that_is_promoted_has_all_that_was_answered() {
    let (site, standby) = with_synchronous_standby().await;
    let service = site.service().await;
    let (accounts, _) = service.open_two().await;
    let killed = AtomicBool::new(false);
    let work = join_all((0..16).map(async |task| {
        let (mut answered, mut unknown) = (Vec::new(), Vec::new());
        for turn in 0.. {
            let submission = submit(Command::Transfer(accounts[task % 2], accounts[1 - task % 2], 1));
            match service.log.execute(submission.clone(), Duration::from_secs(2)).await {
                Ok(receipt) => answered.push(Answered { submission, receipt }),
                Err(CommandError::OutcomeUnknown(_)) => unknown.push(submission),
                Err(CommandError::Refused(_)) => {}
                Err(_) => return (answered, unknown),
            }
            if task == 0 && turn == 20 && !killed.swap(true, Ordering::AcqRel) {
                tokio::task::block_in_place(|| site.primary.kill());
            }
        }
        unreachable!()
    }));
    let outcomes = work.await;
    standby.promote();
    site.serve_from(&standby);
    assert_eq!(service.until_it_refuses().await, "LOG_CLUSTER_CHANGED");
    service.stop().await;

    // Nobody waits for the standby that is the primary now.
    let world = site.world();
    assert_eq!(site.examine().await.only_in_stream(), 0);
    site.recover(Way::AcceptTimeline).await.unwrap();
    let service = site.service().await;
    assert_eq!(service.refuses().await, "");
    for (answered, unknown) in &outcomes {
        service.remembers(answered).await;
        // What was in doubt is done once, whether it had been or not.
        for submission in unknown {
            let first = service.send(submission.clone()).await.unwrap();
            assert_eq!(service.send(submission.clone()).await.unwrap(), first);
        }
    }
    assert!(outcomes.iter().map(|(answered, _)| answered.len()).sum::<usize>() > 20);
    service.until_published().await;
    world.check_log(&service.log).await;
    assert_eq!(site.in_stream("concord_test_bank_1").await, world.audited().await);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_back_is_answered_only_when_the_standby_has_it() {
    let (site, standby) = with_synchronous_standby().await;
    let service = site.service().await;
    let (accounts, _) = service.open_two().await;
    service.until_published().await;
    let receiver = stop_walreceiver(&standby).await;
    let world = site.world();
    let log = service.log.clone();
    let submission = submit(Command::Deposit(accounts[0], 1));
    let waiting = tokio::spawn({
        let submission = submission.clone();
        async move { log.execute(submission, PATIENCE).await }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'concord-writer' AND wait_event = 'SyncRep'";
    let confirms = format!("{waits} AND query LIKE '%pg_logical_emit_message%'");
    until(async || world.count(waits).await == 1).await;
    assert_eq!(world.head().await, 4, "what waits is not visible");
    // The wait is cut off: the row is visible now, and the standby does not have it.
    world.end_writers().await;
    until(async || world.head().await == 5).await;
    // The writer finds its row, and asks the standby before it says so.
    until(async || waiting.is_finished() || world.count(&confirms).await == 1).await;
    assert!(!waiting.is_finished(), "answered before the standby has it");
    assert_eq!(*service.log.head().borrow(), 4);
    assert_eq!(site.in_stream("concord_test_bank_1").await.len(), 4);
    drop(receiver);
    let receipt = waiting.await.unwrap().unwrap();
    assert_eq!(receipt.first_position, 5);
    let beside = pool(&standby.url("bank"));
    until(async || LogReader::new(beside.clone()).head().await.is_ok_and(|head| head == 5)).await;
    service.stop().await;
}

/// A standby's receiving process stands still.
async fn stop_walreceiver(standby: &Cluster) -> Frozen {
    let client = pool(&standby.url("bank")).get().await.unwrap();
    Frozen::stop(client.query_one("SELECT pid FROM pg_stat_wal_receiver", &[]).await.unwrap().get(0))
}

// ---- A read model ----

fn generation_of(recorded: &Recorded) -> u32 {
    recorded.envelope().unwrap().source.rsplit('/').next().unwrap().parse().unwrap()
}

/// Counts events.
struct Sums;

impl Projection for Sums {
    const NAME: &'static str = "sums";
    const VERSION: u32 = 1;
    type Event = Event;

    fn schema(&self) -> &'static str {
        "CREATE TABLE applied (position bigint PRIMARY KEY, type text NOT NULL)"
    }

    async fn apply(
        &mut self,
        tx: &deadpool_postgres::Transaction<'_>,
        batch: &[Applied<'_, Event>],
    ) -> Result<(), ApplyError> {
        for event in batch {
            let position = event.recorded.position as i64;
            tx.execute("INSERT INTO applied VALUES ($1, $2)", &[&position, &event.event.type_name()]).await?;
        }
        Ok(())
    }

    fn reset(&mut self) {}
}

/// A projection of the bank in a schema of its own.
struct Audience {
    runner: projection::Runner,
    shutdown: CancellationToken,
}

impl Audience {
    async fn new(site: &Site, service: &Service, schema: &str, generation: u32) -> Self {
        let options = ProjectionOptions {
            head_check: Duration::from_millis(200),
            ..ProjectionOptions::new("test", "bank", format!("concord_test_bank_{generation}"), schema)
        };
        let shutdown = CancellationToken::new();
        let runner = projection::spawn(
            Sums,
            pool(&site.url()),
            service.channel.clone(),
            async_nats::connect(site.nats.url()).await.unwrap(),
            options,
            shutdown.clone(),
        );
        Self { runner, shutdown }
    }

    async fn has_applied(&self, position: u64) {
        until(async || *self.runner.applied().borrow() == position).await;
        assert_eq!(*self.runner.stopped().borrow(), None);
    }

    async fn has_stopped(&self) -> String {
        until(async || self.runner.stopped().borrow().is_some()).await;
        self.runner.stopped().borrow().clone().unwrap().why
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.runner.join().await;
    }
}
