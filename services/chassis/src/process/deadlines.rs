//! The days after which something happens by itself: a small table, and a look at it whenever the log's today moves.

use super::{Deadline, Failure, ProcessManager, Reactor};
use deadpool_postgres::Pool;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use uuid::Uuid;

/// `settled`: its passing was answered. A later deadline of the same aggregate is a new one.
pub(super) const SCHEMA: &str = "
CREATE TABLE deadlines (
    target    uuid    PRIMARY KEY,
    last_day  date    NOT NULL,
    settled   boolean NOT NULL DEFAULT false
);
CREATE INDEX deadlines_open ON deadlines (last_day) WHERE NOT settled;";

/// How often the table is looked at where nothing else gives a reason to: the system's clock turns at midnight without a
/// word.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Pause between two looks, and before one that failed is tried again.
const LOOK_PAUSE: Duration = Duration::from_millis(200);
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Deadlines taken up at once.
const AT_ONCE_MAX: i64 = 1_000;

/// What a batch makes of the deadlines: the last word about each aggregate.
#[derive(Default)]
pub(super) struct Moves(BTreeMap<Uuid, Option<Date>>);

impl Moves {
    pub(super) fn take(&mut self, target: Uuid, deadline: Deadline) {
        match deadline {
            Deadline::Stays => {}
            Deadline::Last(day) => drop(self.0.insert(target, Some(day))),
            Deadline::Lifted => drop(self.0.insert(target, None)),
        }
    }

    pub(super) async fn write(
        self,
        tx: &deadpool_postgres::Transaction<'_>,
    ) -> Result<(), tokio_postgres::Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let (mut targets, mut days) = (Vec::new(), Vec::new());
        let mut lifted = Vec::new();
        for (target, day) in self.0 {
            match day {
                Some(day) => {
                    targets.push(target);
                    days.push(day.to_string());
                }
                None => lifted.push(target),
            }
        }
        // The same day again stays settled: what it meant has been answered.
        let set = tx
            .prepare_cached(
                "INSERT INTO deadlines AS known (target, last_day)
                 SELECT target, day::date FROM unnest($1::uuid[], $2::text[]) AS moved (target, day)
                 ON CONFLICT (target) DO UPDATE
                 SET last_day = excluded.last_day,
                     settled = known.settled AND known.last_day = excluded.last_day",
            )
            .await?;
        tx.execute(&set, &[&targets, &days]).await?;
        let lift = tx.prepare_cached("DELETE FROM deadlines WHERE target = ANY($1)").await?;
        tx.execute(&lift, &[&lifted]).await?;
        Ok(())
    }
}

/// Why a look at the deadlines came to nothing.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("no connection to PostgreSQL")]
    Pool(#[from] deadpool_postgres::PoolError),
    #[error("PostgreSQL refused the statement")]
    Statement(#[from] tokio_postgres::Error),
    #[error("a deadline is no date")]
    Date(#[from] jiff::Error),
    #[error("{0}")]
    Command(String),
}

/// Looks at the deadlines when the log's today moves, when events were applied, and each minute. Every replica may: the
/// request id is made of aggregate, day and generation, so the log answers the second one as it did the first.
pub(super) async fn watch<M: ProcessManager>(
    reactor: Arc<Reactor<M>>,
    pool: Pool,
    schema: String,
    mut applied: watch::Receiver<u64>,
    shutdown: CancellationToken,
) {
    let mut today = reactor.log.todays();
    let mut told = false;
    let work = async {
        loop {
            // The log tells its today with each commit.
            let before = *today.borrow();
            applied.borrow_and_update();
            let pause = match look(&*reactor, &pool, &schema).await {
                Ok(()) => {
                    told = false;
                    LOOK_PAUSE
                }
                Err(trouble) if matches!(trouble, Trouble::Command(_)) => {
                    error!(process = M::NAME, %trouble, "the passing of a deadline cannot be recorded");
                    LOOK_EVERY
                }
                Err(trouble) => {
                    if !std::mem::replace(&mut told, true) {
                        let trouble = &trouble as &dyn std::error::Error;
                        warn!(process = M::NAME, trouble, "deadlines could not be looked at; trying again");
                    }
                    LOOK_AGAIN
                }
            };
            tokio::time::sleep(pause).await;
            tokio::select! {
                moved = today.wait_for(|now| *now != before) => if moved.is_err() { return },
                moved = applied.changed() => if moved.is_err() { return },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = work => {}
    }
}

/// Takes up every deadline before today, each by itself: one that cannot be answered stays, and holds up no other.
async fn look<M: ProcessManager>(reactor: &Reactor<M>, pool: &Pool, schema: &str) -> Result<(), Trouble> {
    let schema = format!("\"{}\"", schema.replace('"', "\"\""));
    let table = format!("{schema}.deadlines");
    let mut failed: BTreeMap<Uuid, Failure> = BTreeMap::new();
    loop {
        let today = reactor.log.today().to_string();
        let tried: Vec<Uuid> = failed.keys().copied().collect();
        let client = pool.get().await?;
        let made = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&table]).await?;
        if !made.get::<_, bool>(0) {
            return Ok(());
        }
        let rows = client
            .query(
                &format!(
                    "SELECT target, last_day::text, (SELECT max(generation) FROM {schema}.checkpoint) FROM {table}
                     WHERE NOT settled AND last_day < $1::text::date AND target <> ALL($2) ORDER BY last_day, target LIMIT {AT_ONCE_MAX}"
                ),
                &[&today, &tried],
            )
            .await?;
        // The log may take long to answer, and the connection is needed elsewhere.
        drop(client);
        if rows.is_empty() {
            break;
        }
        let (mut passed, mut due) = (Vec::new(), Vec::new());
        for row in rows {
            let (target, day): (Uuid, String) = (row.get(0), row.get(1));
            let last_day: Date = day.parse()?;
            let cause = (target, row.get::<_, i32>(2).unsigned_abs());
            let command = reactor.manager.elapsed(target, last_day);
            due.push(reactor.due(cause, &format!("elapsed {last_day}"), target, command));
            passed.push((target, day));
        }
        failed.extend(reactor.answer_all(&due).await);
        passed.retain(|(target, _)| !failed.contains_key(target));
        let (targets, days): (Vec<Uuid>, Vec<String>) = passed.into_iter().unzip();
        let client = pool.get().await?;
        client
            .execute(
                &format!(
                    "UPDATE {table} AS known SET settled = true
                     FROM unnest($1::uuid[], $2::text[]) AS passed (target, day)
                     WHERE known.target = passed.target AND known.last_day = passed.day::date"
                ),
                &[&targets, &days],
            )
            .await?;
    }
    match failed.into_values().next() {
        Some(Failure::Refused(reason) | Failure::Broken(reason)) => Err(Trouble::Command(reason)),
        None => Ok(()),
    }
}
