//! A process manager: every event of another log becomes a command of the own one, once, whatever fails in between.

use crate::fixture::{Owner, PATIENCE, STREAM, Tally, World, count_from, counted, eventually, until};
use concord_chassis::log::{
    self, Broken, Context, Decision, Domain, Followed, Log, LogOptions, Meta, Refusal, RefusalKind, Running,
    Stop, Submission, View,
};
use concord_chassis::process::{self, Cause, Deadline, Following, ProcessManager, Reaction};
use concord_chassis::projection::ProjectionOptions;
use concord_chassis::record::{LogEvent, Recorded, StreamId};
use deadpool_postgres::Pool;
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

const SCHEMA: &str = "mirror_tally_v1";
/// The first today of the own log.
const FIRST: Date = date(2026, 1, 5);

/// What the own log records.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum Mirrored {
    #[serde(rename = "concord.test.v1.AmountSeen")]
    AmountSeen { target: Uuid, position: u64, amount: i64 },
    #[serde(rename = "concord.test.v1.DayPassed")]
    DayPassed { target: Uuid, last_day: Date },
    #[serde(rename = "concord.test.v1.TodayAdvanced")]
    TodayAdvanced { today: Date },
}

/// What is kept of a target.
fn mirror(target: Uuid) -> StreamId {
    StreamId::new("mirror", target)
}

impl LogEvent for Mirrored {
    fn stream(&self) -> StreamId {
        match self {
            Self::AmountSeen { target, .. } | Self::DayPassed { target, .. } => mirror(*target),
            Self::TodayAdvanced { .. } => StreamId::LOG,
        }
    }
    fn also(&self) -> Vec<StreamId> {
        Vec::new()
    }
    fn type_name(&self) -> &'static str {
        match self {
            Self::AmountSeen { .. } => "concord.test.v1.AmountSeen",
            Self::DayPassed { .. } => "concord.test.v1.DayPassed",
            Self::TodayAdvanced { .. } => "concord.test.v1.TodayAdvanced",
        }
    }
    fn advances_today(&self) -> Option<Date> {
        if let Self::TodayAdvanced { today } = self { Some(*today) } else { None }
    }
    fn today_advanced(today: Date) -> Self {
        Self::TodayAdvanced { today }
    }
}

#[derive(Debug, Clone, Serialize)]
enum Command {
    /// Refused below zero, and 50 on the first day. 13 brings bad luck: deciding it fails, and so does the passing of a 13th.
    See {
        target: Uuid,
        position: u64,
        amount: i64,
    },
    Pass {
        target: Uuid,
        last_day: Date,
    },
    /// Answers how far the other log has been taken in.
    Ask,
}

fn refused(code: &str) -> Stop {
    let broken = Broken {
        code: code.to_owned(),
        field: String::new(),
        message: code.to_owned(),
        message_zh: "不受理".to_owned(),
        facts: BTreeMap::new(),
    };
    let (kind, rulebook) = (RefusalKind::Rule, "2026-1".to_owned());
    Refusal { kind, broken: vec![broken], rulebook, terms_rulebook: None }.into()
}

/// A log that keeps what it sees of another one.
struct Mirror;

impl Domain for Mirror {
    const LOG: &'static str = "mirror";
    const FOLD: &'static str = "1";
    type Event = Mirrored;
    type State = u64;
    type Command = Command;

    fn targets(command: &Command) -> Vec<StreamId> {
        match command {
            Command::See { target, .. } | Command::Pass { target, .. } => vec![mirror(*target)],
            Command::Ask => Vec::new(),
        }
    }

    fn kind(_: &u64) -> &'static str {
        "mirror"
    }

    fn decide(
        &self,
        view: &View<'_, u64>,
        command: &Command,
        context: &Context<'_>,
    ) -> Result<Decision<Mirrored>, Stop> {
        match *command {
            Command::See { amount: 13, .. } => panic!("13"),
            Command::See { amount, .. } if amount < 0 => Err(refused("BELOW_ZERO")),
            Command::See { amount: 50, .. } if context.today == FIRST => Err(refused("TOO_EARLY")),
            Command::Pass { last_day, .. } if last_day == date(2026, 1, 13) => panic!("13"),
            Command::See { target, position, amount } => {
                // Each aggregate sees its events in their order.
                assert!(view.get(mirror(target))?.is_none_or(|last| *last < position), "out of order");
                // A reaction knows better than its command when it happened.
                let seen = Mirrored::AmountSeen { target, position, amount };
                Ok(Decision::events(vec![seen]).dated(FIRST))
            }
            Command::Pass { target, last_day } => {
                Ok(Decision::events(vec![Mirrored::DayPassed { target, last_day }]))
            }
            Command::Ask => {
                let followed = context.followed("tally");
                let position = followed.map_or("never".to_owned(), |followed| followed.position.to_string());
                assert!(followed.is_none_or(|followed| followed.verified_at <= context.now));
                Ok(Decision::unchanged().answering("followed", position))
            }
        }
    }

    fn apply(state: &mut Option<u64>, _: StreamId, event: &Mirrored, _: &Meta<'_>) {
        match event {
            Mirrored::AmountSeen { position, .. } => *state = Some(*position),
            Mirrored::DayPassed { .. } | Mirrored::TodayAdvanced { .. } => {
                state.get_or_insert(0);
            }
        }
    }

    fn weight(_: &u64) -> usize {
        8
    }

    fn rulebook(&self, _: Date) -> Result<&str, String> {
        Ok("2026-1")
    }
}

/// Three aggregates share the events. An amount from 100 to 131 sets a deadline in January 2026, 200 lifts it.
struct FollowTally;

impl ProcessManager for FollowTally {
    const NAME: &'static str = "mirror";
    const VERSION: u32 = 1;
    const FOLLOWS: &'static str = "tally";
    type Event = Tally;
    type Domain = Mirror;

    fn react(&self, cause: &Cause, event: &Tally) -> Vec<Reaction<Command>> {
        let Tally::Counted { amount } = *event else {
            return Vec::new();
        };
        let target = Uuid::from_u128(u128::from(cause.position % 3 + 1));
        let deadline = match amount {
            101..=131 => Deadline::Last(date(2026, 1, (amount - 100) as i8)),
            200 => Deadline::Lifted,
            _ => Deadline::Stays,
        };
        // In a later generation the same positions come again.
        let position = u64::from(cause.generation - 1) * 1_000 + cause.position;
        let command = Command::See { target, position, amount };
        vec![Reaction { target, command, deadline }]
    }

    fn may_be_refused(&self, command: &Command, refusal: &Refusal) -> bool {
        assert!(matches!(command, Command::See { .. }));
        refusal.broken[0].code == "BELOW_ZERO"
    }

    fn elapsed(&self, target: Uuid, last_day: Date) -> Command {
        Command::Pass { target, last_day }
    }
}

/// The own service: its log, and the manager that feeds it.
struct Service {
    log: Log<Mirror>,
    following: Following,
    writer: tokio::task::JoinHandle<()>,
    stop_following: CancellationToken,
    stop_writer: CancellationToken,
    _guards: [DropGuard; 2],
}

impl Service {
    async fn start(world: &World, owner: &Owner, (address, pool): &(String, Pool)) -> Self {
        let (stop_following, stop_writer) = (CancellationToken::new(), CancellationToken::new());
        let options = LogOptions {
            database_url: address.clone(),
            pool: pool.clone(),
            cell: "test".into(),
            played_from: Some(FIRST),
            cache_bytes_max: 1 << 20,
        };
        let Running { log, task, .. } =
            log::start(Arc::new(Mirror), options, stop_writer.clone()).await.unwrap();
        let following = process::spawn(
            FollowTally,
            log.clone(),
            pool.clone(),
            owner.channel.clone(),
            world.nats().await,
            ProjectionOptions {
                head_check: Duration::from_millis(100),
                ..ProjectionOptions::new("test", "tally", STREAM, SCHEMA)
            },
            stop_following.clone(),
        );
        let _guards = [stop_following.clone().drop_guard(), stop_writer.clone().drop_guard()];
        Self { log, following, writer: task, stop_following, stop_writer, _guards }
    }

    async fn stop(self) {
        self.stop_following.cancel();
        self.following.join().await;
        self.stop_writer.cancel();
        self.writer.await.unwrap();
    }

    fn followed(&self) -> Option<Followed> {
        self.log.followed().borrow().first().cloned()
    }

    async fn has_followed(&self, position: u64) {
        until(self.log.followed(), |all| all.first().is_some_and(|known| known.position == position)).await;
    }

    /// Waits until what is known grows old: it was what the owner had said last.
    async fn is_verified_no_more(&self) -> Followed {
        eventually("the last answer has been taken in", async || {
            let before = self.followed();
            tokio::time::sleep(Duration::from_millis(400)).await;
            before.filter(|before| self.followed().as_ref() == Some(before))
        })
        .await
    }

    async fn ask(&self) -> String {
        let receipt = self.log.execute(by_hand(Command::Ask), PATIENCE).await.unwrap();
        receipt.answer["followed"].clone()
    }

    async fn advance(&self, today: Date) {
        self.log.advance_today(by_hand(today), PATIENCE).await.unwrap();
    }

    /// What the log has recorded: positions seen, and the days that passed.
    async fn recorded(&self) -> (Vec<(u64, i64)>, Vec<(Uuid, Date)>) {
        let (mut seen, mut passed) = (Vec::new(), Vec::new());
        for recorded in self.log.reader().read(0, 1_000_000).await.unwrap() {
            match concord_chassis::record::read::<Mirrored>(&recorded).unwrap() {
                (envelope, Mirrored::AmountSeen { position, amount, .. }) => {
                    assert_eq!(envelope.actor, "process:mirror");
                    assert_eq!(envelope.effectiveon, FIRST);
                    assert!(envelope.causationid.is_some());
                    seen.push((position, amount));
                }
                (_, Mirrored::DayPassed { target, last_day }) => passed.push((target, last_day)),
                (_, Mirrored::TodayAdvanced { .. }) => {}
            }
        }
        seen.sort_unstable();
        (seen, passed)
    }
}

fn by_hand<C>(command: C) -> Submission<C> {
    Submission {
        request_id: Uuid::now_v7(),
        expected: Vec::new(),
        effective_on: None,
        actor: "p-1".into(),
        actor_organisation: "o-1".into(),
        authority: None,
        archive_number: None,
        attachments: Vec::new(),
        causation_id: None,
        correlation_id: None,
        traceparent: None,
        command,
    }
}

/// What must have been seen of `n` events that count their positions.
fn all_seen(n: u64) -> Vec<(u64, i64)> {
    (1..=n).map(|position| (position, position as i64)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_becomes_a_command_and_the_log_knows_how_far_it_has_come() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let own = world.other_database("own").await;
    // The small ones: 13 and above mean something else here.
    world.commit(&count_from(1, 12)).await;
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(12).await;
    assert_eq!(service.ask().await, "12");
    assert_eq!(service.recorded().await.0, all_seen(12));
    // An idle log goes on being verified.
    let before = service.followed().unwrap().verified_at;
    until(service.log.followed(), |all| all[0].verified_at > before).await;
    assert_eq!(service.followed().unwrap().position, 12);
    assert_eq!(service.followed().unwrap().today, date(2026, 1, 5), "its own, not this log's");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_come_again_change_nothing() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let own = world.other_database("own").await;
    world.commit(&count_from(1, 9)).await;
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(9).await;
    service.stop().await;
    // As if the service had ended after its commands were committed and before its checkpoint was.
    let client = own.1.get().await.unwrap();
    client.batch_execute(&format!("UPDATE {SCHEMA}.checkpoint SET position = 4")).await.unwrap();
    world.commit(&count_from(10, 3)).await;
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(12).await;
    assert_eq!(service.recorded().await.0, all_seen(12), "each once");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_may_not_be_refused_is_tried_again_and_nothing_later_goes_before_it() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let own = world.other_database("own").await;
    world.commit(&[counted(1, 1), counted(2, 50), counted(3, 3)]).await;
    let service = Service::start(&world, &owner, &own).await;
    eventually("it was refused twice", async || {
        let row = own.1.get().await.unwrap().query_one("SELECT count(*) FROM refusals", &[]).await.unwrap();
        (row.get::<_, i64>(0) >= 2).then_some(())
    })
    .await;
    assert_eq!(service.followed(), None, "what was not taken in is not verified");
    assert_eq!(*service.following.runner().applied().borrow(), 0);
    service.advance(date(2026, 1, 6)).await;
    service.has_followed(3).await;
    assert_eq!(service.recorded().await.0, [(1, 1), (2, 50), (3, 3)]);
    service.stop().await;
}

/// The request id that the manager makes of this event.
fn request_of(event: &Recorded) -> Uuid {
    let target = Uuid::from_u128(u128::from(event.position % 3 + 1));
    Uuid::new_v5(&event.envelope().unwrap().id, format!("mirror reaction {target}").as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_id_that_somebody_else_took_does_not_stand_in_the_way() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let own = world.other_database("own").await;
    let service = Service::start(&world, &owner, &own).await;
    let events = count_from(1, 3);
    // An earlier version of the manager made another command of the first, and a caller was before it at the second and third.
    let see = Command::See { target: Uuid::from_u128(2), position: 1, amount: 7 };
    let mut earlier = Submission { request_id: request_of(&events[0]), ..by_hand(see) };
    (earlier.actor, earlier.causation_id) = ("process:mirror".to_owned(), Some("1".to_owned()));
    service.log.execute(earlier, PATIENCE).await.unwrap();
    world.commit(&events[..1]).await;
    service.has_followed(1).await;
    assert_eq!(service.recorded().await.0, [(1, 7)]);
    let without_event = Submission { request_id: request_of(&events[1]), ..by_hand(Command::Ask) };
    service.log.execute(without_event, PATIENCE).await.unwrap();
    let pass = Command::Pass { target: Uuid::from_u128(9), last_day: FIRST };
    let with_event = Submission { request_id: request_of(&events[2]), ..by_hand(pass) };
    service.log.execute(with_event, PATIENCE).await.unwrap();
    world.commit(&events[1..]).await;
    // Nor do they take its next one.
    service.has_followed(3).await;
    assert_eq!(service.recorded().await.0, [(1, 7), (2, 2), (3, 3)]);
    // It is the same request all the same: taken in again it changes nothing.
    let client = own.1.get().await.unwrap();
    let back = format!("UPDATE {SCHEMA}.checkpoint SET position = 0");
    client.batch_execute(&back).await.unwrap();
    service.stop().await;
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(3).await;
    assert_eq!(service.recorded().await.0, [(1, 7), (2, 2), (3, 3)]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_passing_of_a_day_that_cannot_be_recorded_holds_up_no_other() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let own = world.other_database("own").await;
    world.commit(&[counted(1, 113), counted(2, 114)]).await;
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(2).await;
    service.advance(date(2026, 1, 15)).await;
    let passed = eventually("the other day's passing is recorded", async || {
        Some(service.recorded().await.1).filter(|passed| !passed.is_empty())
    })
    .await;
    assert_eq!(passed, [(Uuid::from_u128(3), date(2026, 1, 14))]);
    let open = format!("SELECT target FROM {SCHEMA}.deadlines WHERE NOT settled");
    let open = eventually("the other one is settled, and the first is not", async || {
        let rows = own.1.get().await.unwrap().query(&open, &[]).await.unwrap();
        (rows.len() == 1).then(|| rows[0].get::<_, Uuid>(0))
    });
    assert_eq!(open.await, Uuid::from_u128(2));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_command_is_an_outcome() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let own = world.other_database("own").await;
    world.commit(&[counted(1, 1), counted(2, -2), counted(3, 3), counted(4, -4), counted(5, 5)]).await;
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(5).await;
    assert_eq!(service.recorded().await.0, [(1, 1), (3, 3), (5, 5)]);
    // They are kept like any other refusal.
    let kept = eventually("both refusals are kept", async || {
        let row = own.1.get().await.unwrap().query_one("SELECT count(*) FROM refusals", &[]).await.unwrap();
        (row.get::<_, i64>(0) == 2).then_some(2)
    });
    assert_eq!(kept.await, 2);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_own_log_takes_nothing_the_other_one_is_not_verified() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let own = world.other_database("own").await;
    world.commit(&count_from(1, 3)).await;
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(3).await;
    // Nobody gets at the events while this is held.
    let held = own.1.get().await.unwrap();
    held.batch_execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE").await.unwrap();
    world.commit(&count_from(4, 3)).await;
    eventually("a commit waits for the table", async || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'events'::regclass";
        let row = own.1.get().await.unwrap().query_one(waiting, &[]).await.unwrap();
        (row.get::<_, i64>(0) > 0).then_some(())
    })
    .await;
    let stuck = service.followed().unwrap();
    until(service.following.runner().head(), |head| *head == 6).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(service.followed().unwrap(), stuck, "neither further nor later");
    held.batch_execute("ROLLBACK").await.unwrap();
    service.has_followed(6).await;
    assert_eq!(service.recorded().await.0, all_seen(6));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_without_an_answer_is_given_again_after_a_restart() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let own = world.other_database("own").await;
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(0).await;
    // The writer has gone: every command is answered "not available".
    service.stop_writer.cancel();
    eventually("the writer ended", async || service.writer.is_finished().then_some(())).await;
    world.commit(&count_from(1, 4)).await;
    until(service.following.runner().head(), |head| *head == 4).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(*service.following.runner().applied().borrow(), 0);
    assert_eq!(*service.following.runner().stopped().borrow(), None, "it waits");
    service.stop().await;
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(4).await;
    assert_eq!(service.recorded().await.0, all_seen(4));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_fails_inside_stops_it_loudly() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let own = world.other_database("own").await;
    world.commit(&[counted(1, 1), counted(2, 2), counted(3, 13), counted(4, 4)]).await;
    let service = Service::start(&world, &owner, &own).await;
    let why = until(service.following.runner().stopped(), Option::is_some).await.unwrap().why;
    assert!(why.starts_with("events 3 to 3: request "), "{why}");
    assert_eq!(*service.following.runner().applied().borrow(), 2);
    assert!(service.followed().is_none_or(|followed| followed.position < 3));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_is_away_verifies_nothing() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let own = world.other_database("own").await;
    world.commit(&count_from(1, 2)).await;
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(2).await;
    owner.says_nothing(true);
    let last = service.is_verified_no_more().await;
    assert_eq!(service.ask().await, "2", "what was known stays known, and grows old");
    owner.says_nothing(false);
    until(service.log.followed(), |all| all[0].verified_at > last.verified_at).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_never_answers_is_asked_again_who_it_is() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    owner.hangs_once();
    let shutdown = CancellationToken::new();
    let asked = concord_chassis::service::identify(owner.channel.clone(), "tally", &shutdown);
    let status = tokio::time::timeout(PATIENCE, asked).await.expect("an answer").unwrap();
    assert_eq!(status.log, "tally");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_behind_what_was_taken_in_or_standing_still_verifies_nothing() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let own = world.other_database("own").await;
    let events = count_from(1, 5);
    world.commit(&events).await;
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(5).await;
    // A backup was restored, or what answers is a replica that lags.
    world.go_back_to(2).await;
    let last = service.is_verified_no_more().await;
    assert_eq!(last.position, 5, "never behind what was taken in");
    world.commit(&events[2..]).await;
    until(service.log.followed(), |all| all[0].verified_at > last.verified_at).await;
    // Its gate is closed: an operator has not decided yet what holds.
    owner.says_it_stands_still(true);
    let last = service.is_verified_no_more().await;
    owner.says_it_stands_still(false);
    until(service.log.followed(), |all| all[0].verified_at > last.verified_at).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_later_generation_has_kept_is_taken_in_anew() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let own = world.other_database("own").await;
    world.commit(&[counted(1, 107), counted(2, 2), counted(3, 3), counted(4, 4)]).await;
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(4).await;
    assert_eq!(service.followed().unwrap().generation, 1);
    service.advance(date(2026, 1, 8)).await;
    let passed = (Uuid::from_u128(2), date(2026, 1, 7));
    let days = async |service: &Service, times: usize| {
        eventually("the day's passing is recorded", async || {
            let days = service.recorded().await.1;
            (days.len() >= times).then_some(days)
        })
        .await
    };
    assert_eq!(days(&service, 1).await, [passed]);
    service.stop().await;
    // A recovery opened the next generation, and the newest event is lost. Its rows are made anew, beside the old ones.
    world.go_back_to(3).await;
    owner.begins(2);
    let client = own.1.get().await.unwrap();
    client.batch_execute(&format!("ALTER SCHEMA {SCHEMA} RENAME TO {SCHEMA}_of_generation_1")).await.unwrap();
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(3).await;
    assert_eq!(service.followed().unwrap().generation, 2);
    let twice = [(1, 107), (2, 2), (3, 3), (4, 4), (1_001, 107), (1_002, 2), (1_003, 3)];
    assert_eq!(service.recorded().await.0, twice);
    assert_eq!(days(&service, 2).await, [passed, passed]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_is_as_old_as_the_head_that_the_owner_tells() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let own = world.other_database("own").await;
    world.commit(&count_from(1, 2)).await;
    let an_hour = Duration::from_secs(3_600);
    // It does not see its PostgreSQL any more, and what another replica commits there.
    owner.says_its_head_is_old(an_hour);
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(2).await;
    let known = service.followed().unwrap().verified_at;
    assert!(known <= jiff::Timestamp::now() - an_hour, "{known} is not an hour ago");
    owner.says_its_head_is_old(Duration::ZERO);
    until(service.log.followed(), |all| all[0].verified_at >= known + an_hour).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_passes_becomes_a_command_with_nobody_acting() {
    let world = World::new().await;
    let owner = Owner::new(&world).await;
    let own = world.other_database("own").await;
    let of = |position: u64| Uuid::from_u128(u128::from(position % 3 + 1));
    // Three deadlines: the 7th, the 8th, and one that is lifted.
    world.commit(&[counted(1, 107), counted(2, 108), counted(3, 107)]).await;
    world.commit(&[counted(4, 4), counted(5, 5), counted(6, 200)]).await;
    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(6).await;
    let passed = async |wanted: &[(Uuid, Date)]| {
        eventually("the days that passed are recorded", async || {
            let passed = service.recorded().await.1;
            (passed.len() >= wanted.len()).then_some(passed)
        })
        .await
    };
    service.advance(date(2026, 1, 7)).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(service.recorded().await.1, [], "the last day has not passed");
    service.advance(date(2026, 1, 8)).await;
    let first = [(of(1), date(2026, 1, 7))];
    assert_eq!(passed(&first).await, first);
    service.advance(date(2026, 1, 31)).await;
    let both = [first[0], (of(2), date(2026, 1, 8))];
    assert_eq!(passed(&both).await, both);
    // A new deadline of the same aggregate is a new one, even where it has passed already; the same one is not.
    world.commit(&[counted(7, 110), counted(8, 108)]).await;
    let three = [both[0], both[1], (of(7), date(2026, 1, 10))];
    assert_eq!(passed(&three).await, three);
    service.stop().await;

    let service = Service::start(&world, &owner, &own).await;
    service.has_followed(8).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(service.recorded().await.1, three, "each once, after a restart too");
    service.stop().await;
}
