//! The local stack: a private PostgreSQL and a private nats-server under one directory, for `concord up`.
//!
//! ```no_run
//! # use std::path::Path;
//! # use concord_cli::stack::{DEFAULT_DIRECTORY, Stack, StackOptions};
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut stack = Stack::start(Path::new(DEFAULT_DIRECTORY), &StackOptions::from_env()).await?;
//! let database_url = stack.ensure_database("fund_grant").await?;
//! tokio::select! {
//!     _ = tokio::signal::ctrl_c() => {}
//!     error = stack.died() => return Err(error.into()),
//! }
//! stack.stop().await?;
//! # Ok(())
//! # }
//! ```
//!
//! The supervisor is the calling process. It may be killed at any moment, and the servers with it or without it: the next start
//! adopts what still runs well, stops what does not, and starts what is missing. What makes that work:
//!
//! - A **lock** that the kernel releases says whether a supervisor lives (`layout`).
//! - A server is recognised by the **directory it works in**, never by a number in a file alone (`process`).
//! - A cluster is made elsewhere and **renamed** into place, so it is complete or absent (`postgres`).
//! - `stack.json` is a convenience; nothing is lost with it. The password of the superuser lies beside the data it opens.

mod binaries;
mod error;
mod layout;
mod nats;
mod ports;
mod postgres;
mod process;

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde::Serialize;
use tokio::time::{Instant, sleep};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use self::binaries::Places;
pub use self::error::StackError;
use self::layout::{Layout, Lock, Record, RecordFile};
use self::process::{Found, Server};

/// The directory of a stack, unless another is named.
pub const DEFAULT_DIRECTORY: &str = ".concord";

/// How long `stop_running` waits for a supervisor: longer than the services and both servers take to end in good order.
const SUPERVISOR_PATIENCE: Duration = Duration::from_secs(90);

/// What the caller may decide about a stack.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// The folder of `initdb` and `postgres`; searched for when absent.
    pub postgres_bin: Option<PathBuf>,
    /// The nats-server program; searched for when absent.
    pub nats_server: Option<PathBuf>,
    /// How long each server may take to answer. Recovery after a crash can need minutes.
    pub start_timeout: Duration,
    places: Places,
}

impl StackOptions {
    /// The defaults, with `CONCORD_PG_BIN` and `CONCORD_NATS_SERVER` from the environment.
    pub fn from_env() -> Self {
        let path = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            postgres_bin: path("CONCORD_PG_BIN"),
            nats_server: path("CONCORD_NATS_SERVER"),
            start_timeout: Duration::from_secs(120),
            places: Places::of_this_machine(),
        }
    }
}

/// A running stack. Dropped without [`Stack::stop`], it asks its servers to end but does not wait for them.
pub struct Stack {
    /// PostgreSQL's address over TCP, as superuser and without a database. **It holds the password.**
    pub database_url_base: String,
    /// The address of nats-server. It asks for no password, and listens on the loopback address only.
    pub nats_url: String,
    access: postgres::Access,
    postgres: Server,
    nats: Server,
    layout: Layout,
    record: RecordFile,
    // Last, so that the servers are told to end before another supervisor may start.
    lock: Lock,
}

impl Stack {
    /// Starts the stack in `dir`, making it first if there is none, and waits until both servers answer.
    pub async fn start(dir: &Path, options: &StackOptions) -> Result<Self, StackError> {
        let dir = layout::create_directory(dir)?;
        let lock = Lock::take(&dir).await?;
        let record = Record::read(&dir);
        let layout = Layout::of(&dir, &record)?;
        layout.hand_over(&dir.join("lock"))?;
        // Before anything is made: what is missing should be said at once.
        let data = layout.data();
        let (installed, nats_server) =
            tokio::try_join!(binaries::postgres(options, &data), binaries::nats_server(options, &dir))?;
        layout.create()?;
        let record = RecordFile::new(&layout, record);

        // Both to their end, even when one fails: a server that is broken off while it starts would be left half-way.
        let (postgres, nats) = tokio::join!(
            postgres::start(&layout, &record, options, &installed.bin),
            nats::start(&layout, &record, options, nats_server),
        );
        let (postgres, nats) = match (postgres, nats) {
            (Ok(postgres), Ok(nats)) => (postgres, nats),
            (Ok(postgres), Err(error)) => {
                stop_after_failure(postgres.server).await;
                layout.remove_socket_directory(&postgres.access.socket_directory);
                return Err(error);
            }
            (Err(error), Ok(nats)) => {
                stop_after_failure(nats.server).await;
                return Err(error);
            }
            (Err(error), Err(_)) => return Err(error),
        };
        Ok(Self {
            database_url_base: postgres.access.tcp_url_base(),
            nats_url: nats::url(nats.port),
            access: postgres.access,
            postgres: postgres.server,
            nats: nats.server,
            layout,
            record,
            lock,
        })
    }

    /// How to connect as superuser to the database `postgres`, through the socket.
    pub fn admin_config(&self) -> tokio_postgres::Config {
        self.access.config()
    }

    /// Creates a database unless it exists. Gives its address, through the socket and **with the password**.
    pub async fn ensure_database(&self, name: &str) -> Result<String, StackError> {
        // The name goes into a statement, where it cannot be a parameter.
        let letter = |byte: &u8| byte.is_ascii_lowercase();
        let usual = |byte: &u8| letter(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        if name.len() > 63
            || !name.as_bytes().first().is_some_and(letter)
            || !name.as_bytes().iter().all(usual)
        {
            return Err(StackError::DatabaseName { name: name.to_owned() });
        }
        let failed = |source| StackError::Database {
            doing: format!("create the database `{name}`"),
            log: self.postgres.log.path.clone(),
            source,
        };
        let (client, connection) = self.access.config().connect(NoTls).await.map_err(failed)?;
        let connection = tokio::spawn(connection);
        // template0 has no visitors, whose presence would refuse a copy.
        let created = client.batch_execute(&format!("CREATE DATABASE \"{name}\" TEMPLATE template0")).await;
        drop(client);
        // Only how the connection ended, after the answer has come.
        let _ = connection.await;
        match created {
            Ok(()) => tracing::info!(database = name, "database created"),
            // The second is what a loser of a race between two creators gets.
            Err(error)
                if matches!(
                    error.code(),
                    Some(&SqlState::DUPLICATE_DATABASE | &SqlState::UNIQUE_VIOLATION)
                ) => {}
            Err(error) => return Err(failed(error)),
        }
        Ok(self.access.url(name))
    }

    /// Waits until one of the servers ends, which neither does by itself, and says which and why.
    pub async fn died(&mut self) -> StackError {
        tokio::select! {
            error = self.postgres.died() => error,
            error = self.nats.died() => error,
        }
    }

    /// Stops both servers in good order, and frees the directory for another start.
    pub async fn stop(self) -> Result<(), StackError> {
        let Self { access, postgres, nats, layout, record, lock, .. } = self;
        let (postgres, nats) = tokio::join!(postgres.stop(), nats.stop());
        let stopped = postgres.and(nats);
        if stopped.is_ok() {
            layout.remove_socket_directory(&access.socket_directory);
            forget_processes(&layout, &record)?;
        }
        drop(lock);
        stopped
    }
}

impl std::fmt::Debug for Stack {
    // The addresses hold the password, which has no place in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stack").field("dir", &self.layout.dir).finish_non_exhaustive()
    }
}

/// What runs of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum StackState {
    /// There is no stack in the directory.
    Absent,
    /// There is one, and it does not run.
    Stopped,
    /// A supervisor runs it, or is about to start or stop it.
    Running {
        /// The supervisor, unless it has only just begun.
        supervisor_pid: Option<i32>,
    },
    /// The supervisor was killed and left at least one server, which the next start adopts.
    Orphaned,
}

/// A look at a stack from outside.
#[derive(Debug, Clone, Serialize)]
pub struct StackStatus {
    /// What runs.
    #[serde(flatten)]
    pub state: StackState,
    /// The stack directory.
    pub dir: PathBuf,
    /// The directory that holds the data: the stack directory, or one under `/var/tmp`.
    pub home: PathBuf,
    /// The postmaster, if it runs.
    pub postgres_pid: Option<i32>,
    /// The nats-server, if it runs.
    pub nats_pid: Option<i32>,
    /// PostgreSQL's address over TCP while it runs. **It holds the password.**
    pub database_url_base: Option<String>,
    /// The address of nats-server while it runs.
    pub nats_url: Option<String>,
    /// The logs there are.
    pub logs: Vec<PathBuf>,
}

/// Says what runs of the stack in `dir`. Changes nothing.
pub fn status(dir: &Path) -> Result<StackStatus, StackError> {
    let absent = |dir: PathBuf| StackStatus {
        state: StackState::Absent,
        home: dir.clone(),
        dir,
        postgres_pid: None,
        nats_pid: None,
        database_url_base: None,
        nats_url: None,
        logs: Vec::new(),
    };
    let Some(dir) = layout::existing_directory(dir)? else {
        return Ok(absent(dir.to_owned()));
    };
    if !dir.join("lock").exists() {
        return Ok(absent(dir));
    }
    let record = Record::read(&dir);
    let layout = Layout::of(&dir, &record)?;
    let running = Running::find(&layout);
    let supervisor = Lock::try_take(&dir)?.map(drop);
    let state = match supervisor {
        Err(holder) => StackState::Running { supervisor_pid: holder.map(|holder| holder.pid) },
        Ok(()) if !running.is_empty() => StackState::Orphaned,
        Ok(()) if layout.cluster().exists() => StackState::Stopped,
        Ok(()) => StackState::Absent,
    };
    let postgres_pid = running.postgres.first().map(|process| process.id.pid);
    let nats_pid = running.nats.first().map(|process| process.id.pid);
    let access = || {
        Some(postgres::Access {
            socket_directory: record.socket_directory.clone()?,
            port: record.postgres.port?,
            password: std::fs::read_to_string(layout.password_file()).ok()?.trim().to_owned(),
        })
    };
    Ok(StackStatus {
        state,
        database_url_base: postgres_pid.and_then(|_| access()).map(|access| access.tcp_url_base()),
        nats_url: nats_pid.and(record.nats.port).map(nats::url),
        postgres_pid,
        nats_pid,
        logs: ["initdb", "postgres", "nats"]
            .map(|name| layout.log(name))
            .into_iter()
            .filter(|log| log.exists())
            .collect(),
        home: layout.home,
        dir,
    })
}

/// What [`stop_running`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Nothing ran.
    NothingRan,
    /// The supervisor was told to stop, and did.
    Supervisor {
        /// Its process id.
        pid: i32,
    },
    /// There was no supervisor any more; the servers it had left were stopped.
    Orphans,
}

/// Stops the stack in `dir` from another process: SIGTERM to the supervisor, which then stops its services and servers in good
/// order. Servers without a supervisor are stopped directly.
pub async fn stop_running(dir: &Path) -> Result<Stopped, StackError> {
    let Some(dir) = layout::existing_directory(dir)? else {
        return Ok(Stopped::NothingRan);
    };
    if !dir.join("lock").exists() {
        return Ok(Stopped::NothingRan);
    }
    let deadline = Instant::now() + SUPERVISOR_PATIENCE;
    let mut supervisor = None;
    let lock = loop {
        match Lock::try_take(&dir)? {
            Ok(lock) => break lock,
            Err(Some(holder)) if i32::try_from(std::process::id()) == Ok(holder.pid) => {
                return Err(StackError::OwnStack { dir });
            }
            // Each supervisor is told once: many take a second signal as leave to end without order.
            Err(Some(holder)) if supervisor != Some(holder) => {
                holder.signal(Signal::SIGTERM)?;
                supervisor = Some(holder);
            }
            Err(_) => {}
        }
        if Instant::now() >= deadline {
            return Err(match supervisor {
                Some(holder) => StackError::StopTimeout { pid: holder.pid, waited: SUPERVISOR_PATIENCE },
                None => StackError::Running { dir, pid: None },
            });
        }
        sleep(Duration::from_millis(50)).await;
    };

    let record = Record::read(&dir);
    let layout = Layout::of(&dir, &record)?;
    let running = Running::find(&layout);
    let orphans = !running.is_empty();
    if orphans {
        let (postgres, nats) =
            tokio::join!(postgres::stop_servers(&layout), process::stop_found(&nats::KIND, &running.nats),);
        postgres.and(nats)?;
        if let Some(directory) = &record.socket_directory {
            layout.remove_socket_directory(directory);
        }
        forget_processes(&layout, &RecordFile::new(&layout, record))?;
    }
    drop(lock);
    Ok(match supervisor {
        Some(holder) => Stopped::Supervisor { pid: holder.pid },
        None if orphans => Stopped::Orphans,
        None => Stopped::NothingRan,
    })
}

/// Deletes all data of the stack in `dir`, and only what a stack made there. Refuses while anything of it runs. Programs in
/// `bin/` stay.
pub async fn reset(dir: &Path) -> Result<(), StackError> {
    let Some(dir) = layout::existing_directory(dir)? else {
        return Ok(());
    };
    let lock = Lock::take(&dir).await?;
    let layout = Layout::of(&dir, &Record::read(&dir))?;
    let running = Running::find(&layout);
    if !running.is_empty() {
        let pids = running.postgres.iter().chain(&running.nats).map(|process| process.id.pid).collect();
        return Err(StackError::Orphaned { dir, pids });
    }
    postgres::sweep_stagings(&layout).await?;
    layout.delete()?;
    drop(lock);
    Ok(())
}

/// The servers of a stack that run, whoever started them.
struct Running {
    postgres: Vec<Found>,
    nats: Vec<Found>,
}

impl Running {
    fn find(layout: &Layout) -> Self {
        Self { postgres: postgres::servers(layout), nats: nats::servers(layout) }
    }

    fn is_empty(&self) -> bool {
        self.postgres.is_empty() && self.nats.is_empty()
    }
}

/// The first error is the one to tell; that the other server could not be stopped either goes to the log.
async fn stop_after_failure(server: Server) {
    if let Err(error) = server.stop().await {
        tracing::warn!(error = %error, "a server could not be stopped after the other failed to start");
    }
}

fn forget_processes(layout: &Layout, record: &RecordFile) -> Result<(), StackError> {
    record.update(layout, |record| {
        record.socket_directory = None;
        record.postgres.process = None;
        record.nats.process = None;
    })
}

#[cfg(test)]
#[path = "stack/tests.rs"]
mod tests;
