//! (b) cqrs-es on postgres-es, in process, in its event-store mode: payments of a grant-like aggregate by 64 tasks.
//!
//! Its snapshot and aggregate stores apply events twice, so they are no comparison. Each command loads its aggregate's
//! events, as that store does.

use crate::bench::Bench;
use crate::figures::Round;
use anyhow::{Context, Result, ensure};
use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use postgres_es::{PostgresCqrs, postgres_cqrs};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

const TASKS: u32 = 64;
/// Tranches of a grant, as in our own load.
const TRANCHES: u32 = 3;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS events (
    aggregate_type text                         NOT NULL,
    aggregate_id   text                         NOT NULL,
    sequence       bigint CHECK (sequence >= 0) NOT NULL,
    event_type     text                         NOT NULL,
    event_version  text                         NOT NULL,
    payload        json                         NOT NULL,
    metadata       json                         NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence))";

/// Where a tranche stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    #[default]
    Planned,
    Requested,
    Authorised,
    Instructed,
    Settled,
}

/// The next state of a tranche.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Moved {
    grant: Uuid,
    tranche: u32,
    to: State,
    currency: String,
    amount_minor: i64,
    reference: String,
}

impl DomainEvent for Moved {
    fn event_type(&self) -> String {
        format!("{:?}", self.to)
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Grant {
    tranches: HashMap<u32, State>,
}

#[derive(Debug, thiserror::Error)]
#[error("the tranche is {0:?}")]
struct OutOfOrder(State);

impl Aggregate for Grant {
    const TYPE: &'static str = "grant";
    type Command = Moved;
    type Event = Moved;
    type Error = OutOfOrder;
    type Services = ();

    async fn handle(&mut self, command: Moved, (): &(), sink: &EventSink<Self>) -> Result<(), OutOfOrder> {
        let state = self.tranches.get(&command.tranche).copied().unwrap_or_default();
        if next(state) != Some(command.to) {
            return Err(OutOfOrder(state));
        }
        sink.write(command, self).await;
        Ok(())
    }

    fn apply(&mut self, event: Moved) {
        self.tranches.insert(event.tranche, event.to);
    }
}

fn next(state: State) -> Option<State> {
    match state {
        State::Planned => Some(State::Requested),
        State::Requested => Some(State::Authorised),
        State::Authorised => Some(State::Instructed),
        State::Instructed => Some(State::Settled),
        State::Settled => None,
    }
}

pub(crate) async fn run(bench: &mut Bench, round: &mut Round) -> Result<()> {
    let uri = bench.cluster.uri("cqrs_es");
    bench.cluster.connect("cqrs_es").await?.batch_execute(SCHEMA).await?;
    let (warm_up, window) = (bench.options.warm_up(), bench.options.window());
    let (sender, found) = tokio::sync::oneshot::channel();
    // It gets both cores, as a service of its own would.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let found = runtime.context("no runtime").and_then(|one| one.block_on(load(uri, warm_up, window)));
        let _ = sender.send(found);
    });
    let commands = found.await.context("the load of cqrs-es panicked")??;
    ensure!(commands > 0, "cqrs-es handled no command");
    round.note("cqrs_es.per_second", f64::from(commands) / window.as_secs_f64());
    Ok(())
}

async fn load(uri: String, warm_up: Duration, window: Duration) -> Result<u32> {
    let pool = PgPoolOptions::new().max_connections(TASKS).connect(&uri).await?;
    let framework = Arc::new(postgres_cqrs::<Grant>(pool.clone(), Vec::new(), ()));
    let begins = Instant::now() + warm_up;
    let ends = begins + window;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..TASKS {
        tasks.spawn(task(framework.clone(), begins, ends));
    }
    let mut commands = 0;
    while let Some(ended) = tasks.join_next().await {
        commands += ended??;
    }
    pool.close().await;
    Ok(commands)
}

/// Pays grant after grant, and counts the commands that were handled in the window.
async fn task(framework: Arc<PostgresCqrs<Grant>>, begins: Instant, ends: Instant) -> Result<u32> {
    let mut commands = 0;
    loop {
        let grant = Uuid::now_v7();
        let id = grant.to_string();
        for tranche in 1..=TRANCHES {
            let mut state = State::Planned;
            while let Some(to) = next(state) {
                let reference = format!("SYN-{grant}-{tranche}");
                let currency = "EUR".to_owned();
                let moved = Moved { grant, tranche, to, currency, amount_minor: 146_393_750, reference };
                framework.execute_with_metadata(&id, moved, metadata()).await?;
                state = to;
                let now = Instant::now();
                if now >= ends {
                    return Ok(commands);
                }
                commands += u32::from(now >= begins);
            }
        }
    }
}

/// What our own events carry beside their data.
fn metadata() -> HashMap<String, String> {
    [
        ("actor", "wu"),
        ("actororg", "fund-office"),
        ("assurance", "asserted"),
        ("effectiveon", "2017-04-20"),
        ("requestid", &Uuid::now_v7().to_string()),
        ("rulebook", "2012-09"),
        ("time", &jiff::Timestamp::now().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
