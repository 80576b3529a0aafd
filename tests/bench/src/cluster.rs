//! One private durable PostgreSQL, with the settings of the local stack (`services/cli/src/stack/postgres.rs`), for
//! everything that is measured.

use crate::options::Options;
use crate::process::{PATIENCE, Process, tied};
use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use nix::unistd::{Uid, User};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio_postgres::{Client, NoTls};

/// Settings that differ from PostgreSQL's defaults, and those that make it durable.
const SETTINGS: &[(&str, &str)] = &[
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("wal_compression", "off"),
    ("shared_buffers", "256MB"),
    ("max_wal_size", "4GB"),
    ("max_connections", "200"),
    ("jit", "off"),
    ("listen_addresses", ""),
    ("timezone", "UTC"),
];

/// A running cluster, reached over a unix socket as in a local stack.
pub(crate) struct Cluster {
    process: Process,
    directory: PathBuf,
}

impl Cluster {
    /// Makes and starts one in `scratch`.
    pub(crate) async fn start(options: &Options, scratch: &Path) -> Result<Self> {
        let directory = scratch.join("postgres");
        std::fs::create_dir(&directory)?;
        let owner = owner()?;
        if let Some(owner) = &owner {
            std::os::unix::fs::chown(&directory, Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))?;
        }
        let data = directory.join("data");
        let mut initdb = Command::new(options.pg_bin.join("initdb"));
        initdb.args([
            "-A",
            "trust",
            "-U",
            "concord",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--lc-collate=C",
            "-D",
        ]);
        initdb.arg(&data).current_dir(&directory);
        become_owner(&mut initdb, owner.as_ref());
        let made = initdb.output().context("initdb cannot be started; `make setup` installs PostgreSQL")?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));

        // Ends sessions and writes a checkpoint.
        let stop = Signal::SIGINT;
        let mut postgres = tied(&options.pg_bin.join("postgres"), stop);
        postgres.arg("-D").arg(&data).current_dir(&directory);
        postgres.args(["-c", &format!("unix_socket_directories={}", directory.display())]);
        for (name, value) in SETTINGS {
            postgres.args(["-c", &format!("{name}={value}")]);
        }
        become_owner(&mut postgres, owner.as_ref());
        let process = Process::start("PostgreSQL", postgres, stop, &options.out.join("postgres.log"))?;
        let mut cluster = Self { process, directory };
        let url = cluster.url("postgres");
        cluster.process.until(async || connect(&url).await.ok()).await?;
        Ok(cluster)
    }

    /// Address of a database of it.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("host={} user=concord dbname={database}", self.directory.display())
    }

    /// The same address as a URL.
    pub(crate) fn uri(&self, database: &str) -> String {
        format!("postgres://concord@localhost/{database}?host={}", self.directory.display())
    }

    /// Directory of its socket.
    pub(crate) fn socket(&self) -> &Path {
        &self.directory
    }

    /// Makes an empty database.
    pub(crate) async fn create(&self, database: &str) -> Result<()> {
        let client = self.connect("postgres").await?;
        Ok(client.batch_execute(&format!("CREATE DATABASE {database}")).await?)
    }

    /// Deletes a database and ends the sessions that are left in it.
    pub(crate) async fn drop(&self, database: &str) -> Result<()> {
        let client = self.connect("postgres").await?;
        Ok(client.batch_execute(&format!("DROP DATABASE {database} WITH (FORCE)")).await?)
    }

    /// Connects to a database.
    pub(crate) async fn connect(&self, database: &str) -> Result<Client> {
        connect(&self.url(database)).await
    }

    /// Writes a checkpoint, so that none that time brings falls into one side of a comparison only.
    pub(crate) async fn checkpoint(&self) -> Result<()> {
        Ok(self.connect("postgres").await?.batch_execute("CHECKPOINT").await?)
    }

    /// Processor time of all its processes.
    pub(crate) fn processor_time(&self) -> Duration {
        self.process.processor_time()
    }
}

async fn connect(url: &str) -> Result<Client> {
    let mut config: tokio_postgres::Config = url.parse()?;
    config.application_name("concord-bench").connect_timeout(PATIENCE);
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// PostgreSQL does not run as root: there it runs as the user `postgres`.
fn owner() -> Result<Option<User>> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let user = User::from_name("postgres")?;
    Ok(Some(user.context("there is no user postgres, and PostgreSQL does not run as root")?))
}

fn become_owner(command: &mut Command, owner: Option<&User>) {
    if let Some(owner) = owner {
        command.uid(owner.uid.as_raw()).gid(owner.gid.as_raw());
    }
}
