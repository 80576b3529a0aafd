//! A private PostgreSQL cluster that the tests share, and a schema of its own for each.

use concord_chassis::projection::{Applied, ApplyError, Projection, Stopped, Verified};
use concord_chassis::record::Recorded;
use concord_chassis::reference::Tables;
use concord_events::fund::FundEvent;
use concord_funding_audit::{Audit, FundingAudit, LogClock, Progress};
use concord_test_servers::Cluster;
use deadpool_postgres::{Manager, Pool};
use jiff::Timestamp;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::watch;
use tokio_postgres::NoTls;

static CLUSTER: OnceLock<Cluster> = OnceLock::new();
static SCHEMAS: AtomicU32 = AtomicU32::new(0);

/// That the tables lacked nothing at an instant.
pub(crate) fn verified_at(at: Timestamp) -> Verified {
    Verified { generation: 1, position: 0, at, today: jiff::civil::Date::MIN }
}

/// A schema with the projection's tables, and what writes to it and asks it.
pub(crate) struct Bench {
    pub(crate) projection: FundingAudit,
    pub(crate) audit: Audit,
    pub(crate) pool: Pool,
    pub(crate) schema: String,
    pub(crate) applied: watch::Sender<u64>,
    pub(crate) head: watch::Sender<u64>,
    pub(crate) stopped: watch::Sender<Option<Stopped>>,
    pub(crate) verified: watch::Sender<Option<Verified>>,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with_clock(LogClock::System).await
    }

    pub(crate) async fn with_clock(clock: LogClock) -> Self {
        let config = CLUSTER.get_or_init(Cluster::start).url("postgres").parse().unwrap();
        let pool = Pool::builder(Manager::new(config, NoTls)).max_size(4).build().unwrap();
        let connection = pool.get().await.unwrap();
        let schema = format!("audit_{}", SCHEMAS.fetch_add(1, Ordering::Relaxed));
        let projection = FundingAudit::new(clock);
        connection
            .batch_execute(&format!(
                "BEGIN; CREATE SCHEMA {schema}; SET LOCAL search_path TO {schema}; {}; COMMIT",
                projection.schema()
            ))
            .await
            .unwrap();
        let (applied, head) = (watch::Sender::new(0), watch::Sender::new(0));
        let (stopped, verified) =
            (watch::Sender::new(None), watch::Sender::new(Some(verified_at(Timestamp::MAX))));
        let progress = Progress {
            applied: applied.subscribe(),
            head: head.subscribe(),
            stopped: stopped.subscribe(),
            verified: verified.subscribe(),
        };
        let audit = Audit::new(pool.clone(), &schema, progress, clock, Tables::shipped());
        Self { projection, audit, pool, schema, applied, head, stopped, verified }
    }

    /// Applies events in one transaction, as the chassis does, and says so.
    pub(crate) async fn apply(&mut self, events: &[Recorded]) -> Result<(), ApplyError> {
        let batch: Vec<Applied<'_, FundEvent>> = events
            .iter()
            .map(|recorded| Applied {
                envelope: recorded.envelope().unwrap(),
                event: serde_json::from_slice::<FundEvent>(&recorded.bytes).unwrap(),
                recorded,
            })
            .collect();
        let mut connection = self.pool.get().await.unwrap();
        let tx = connection.transaction().await?;
        tx.batch_execute(&format!("SET LOCAL search_path TO {}", self.schema)).await?;
        match self.projection.apply(&tx, &batch).await {
            Ok(()) => tx.commit().await?,
            Err(error) => {
                tx.rollback().await?;
                self.projection.reset();
                return Err(error);
            }
        }
        if let Some(last) = events.last() {
            self.applied.send_replace(last.position);
            self.head.send_replace(last.position);
        }
        Ok(())
    }

    /// Every row of every table as text, in a fixed order.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let connection = self.pool.get().await.unwrap();
        let tables = connection
            .query("SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY 1", &[&self.schema])
            .await
            .unwrap();
        let mut dump = Vec::new();
        for table in tables {
            let table: String = table.get(0);
            let rows = connection
                .query(
                    &format!("SELECT t::text FROM {}.{table} t ORDER BY t::text COLLATE \"C\"", self.schema),
                    &[],
                )
                .await
                .unwrap();
            dump.extend(rows.iter().map(|row| format!("{table} {}", row.get::<_, String>(0))));
        }
        dump
    }
}
