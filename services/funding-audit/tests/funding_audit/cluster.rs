//! A private PostgreSQL cluster, shared by the tests that run at the same time, and a schema of its own for each test.

use concord_chassis::projection::{Applied, ApplyError, Projection};
use concord_chassis::record::Recorded;
use concord_chassis::reference::Tables;
use concord_events::fund::FundEvent;
use concord_funding_audit::{Audit, FundingAudit, LogClock};
use deadpool_postgres::{Manager, Pool};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_postgres::NoTls;

/// PostgreSQL refuses to run as root: then it runs as this user.
const UNPRIVILEGED: &str = "postgres";

/// The cluster that runs now, if any. The last test that lets it go stops it.
static RUNNING: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
static SCHEMAS: AtomicU32 = AtomicU32::new(0);

struct Cluster {
    server: Child,
    directory: tempfile::TempDir,
}

impl Cluster {
    fn shared() -> Arc<Self> {
        let mut running = RUNNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let cluster = Arc::new(Self::start());
            *running = Arc::downgrade(&cluster);
            cluster
        })
    }

    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let owner = nix::unistd::User::from_name(UNPRIVILEGED)
            .unwrap()
            .filter(|_| std::fs::metadata(directory.path()).unwrap().uid() == 0);
        if let Some(owner) = &owner {
            chown(directory.path(), Some(owner.uid.as_raw()), Some(owner.gid.as_raw())).unwrap();
        }
        let command = |program: &str| {
            let mut command = Command::new(binary(program));
            command
                .current_dir(directory.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            if let Some(owner) = &owner {
                command.uid(owner.uid.as_raw()).gid(owner.gid.as_raw());
            }
            command
        };
        let data = directory.path().join("data");
        let made = command("initdb")
            .args([
                "--auth=trust",
                "--username=audit",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .status()
            .unwrap();
        assert!(made.success(), "initdb failed");
        let server = command("postgres")
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(directory.path())
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"])
            .spawn()
            .unwrap();
        Self { server, directory }
    }

    fn config(&self) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config.host_path(self.directory.path()).user("audit").dbname("postgres");
        config
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Asked to end, PostgreSQL cleans up its shared memory.
        if let Ok(id) = i32::try_from(self.server.id()) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGINT);
        }
        let _ = self.server.wait();
    }
}

fn binary(program: &str) -> PathBuf {
    let found = (13..=20)
        .rev()
        .map(|version| Path::new("/usr/lib/postgresql").join(version.to_string()).join("bin").join(program))
        .find(|path| path.exists());
    found.unwrap_or_else(|| PathBuf::from(program))
}

/// A schema with the projection's tables, and what writes to it and asks it.
pub(crate) struct Bench {
    pub(crate) projection: FundingAudit,
    pub(crate) audit: Audit,
    pub(crate) pool: Pool,
    pub(crate) schema: String,
    pub(crate) applied: watch::Sender<u64>,
    pub(crate) head: watch::Sender<u64>,
    pub(crate) stopped: watch::Sender<Option<String>>,
    _cluster: Arc<Cluster>,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with_clock(LogClock::System).await
    }

    pub(crate) async fn with_clock(clock: LogClock) -> Self {
        let cluster = Cluster::shared();
        let pool = Pool::builder(Manager::new(cluster.config(), NoTls)).max_size(4).build().unwrap();
        let started = Instant::now();
        let connection = loop {
            match pool.get().await {
                Ok(connection) => break connection,
                Err(error) if started.elapsed() > Duration::from_secs(30) => {
                    panic!("PostgreSQL: {error}")
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        let schema = format!("audit_{}", SCHEMAS.fetch_add(1, Ordering::Relaxed));
        let projection = FundingAudit::new(clock);
        connection
            .batch_execute(&format!(
                "BEGIN; CREATE SCHEMA {schema}; SET LOCAL search_path TO {schema}; {}; COMMIT",
                projection.schema()
            ))
            .await
            .unwrap();
        let (applied, applied_rx) = watch::channel(0);
        let (head, head_rx) = watch::channel(0);
        let (stopped, stopped_rx) = watch::channel(None);
        let audit =
            Audit::new(pool.clone(), &schema, applied_rx, head_rx, stopped_rx, clock, Tables::shipped());
        Self { projection, audit, pool, schema, applied, head, stopped, _cluster: cluster }
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
