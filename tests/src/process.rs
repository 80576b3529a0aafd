//! A service as a process of its own: the real binary, on the servers of a stack.

use crate::desk::Desk;
use crate::record::postgres;
use crate::stack::{PATIENCE, PLAYED_FROM, Stack, built};
use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

/// A process of a service, beside the stack's own ones. Dropped, it is killed; the stack's guard sees to it where this
/// process is killed first.
pub struct Process {
    child: Child,
    address: String,
    log: PathBuf,
}

impl Process {
    /// Starts a further replica of the fund's service on the log of a stack, and waits until it serves.
    pub fn replica(stack: &Stack) -> Result<Self> {
        let settings = [
            ("DATABASE_URL", stack.database_url("fund_grant")?),
            ("NATS_URL", stack.nats_url()?),
            ("DRAIN_SECONDS", "2".to_owned()),
        ];
        Self::start(stack, "fund-grant", settings)
    }

    /// Starts a service with these variables in its environment, and waits until it serves.
    pub fn start(
        stack: &Stack,
        service: &str,
        settings: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Self> {
        Self::run(stack, &built(&format!("concord-{service}"))?, service, settings)
    }

    /// Starts a program that serves a log of this name on a database of its own, which must not be there yet, and on a
    /// clock played from [`PLAYED_FROM`]. Waits until it serves.
    pub async fn of_new_log(stack: &Stack, program: &Path, name: &str) -> Result<Self> {
        let database = name.replace('-', "_");
        let create = format!("CREATE DATABASE {database}");
        postgres(stack, "postgres").await?.batch_execute(&create).await?;
        let settings = [
            ("DATABASE_URL", stack.database_url(&database)?),
            ("NATS_URL", stack.nats_url()?),
            ("PLAYED_FROM", PLAYED_FROM.to_owned()),
            ("DRAIN_SECONDS", "2".to_owned()),
        ];
        Self::run(stack, program, name, settings)
    }

    fn run(
        stack: &Stack,
        program: &Path,
        service: &str,
        settings: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Self> {
        let log = stack.dir().join(format!("{service}-{}.log", Uuid::now_v7()));
        let child = Command::new(program)
            .env("LOG_FORMAT", "json")
            .envs(settings)
            // By this directory the stack's guard recognises it.
            .current_dir(stack.dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .spawn()?;
        let mut process = Self { child, address: String::new(), log };
        let started = Instant::now();
        while process.address.is_empty() {
            if let Some(status) = process.child.try_wait()? {
                bail!("{service} ended with {status}: {}", process.log());
            }
            if started.elapsed() > PATIENCE {
                bail!("{service} was not ready in {PATIENCE:?}: {}", process.log());
            }
            std::thread::sleep(Duration::from_millis(20));
            process.address = process.told_address(service).unwrap_or_default();
        }
        Ok(process)
    }

    /// Where it says that it serves.
    fn told_address(&self, service: &str) -> Option<String> {
        let log = self.log();
        let mut lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let told = lines.find(|line| line["message"] == format!("{service} serves"))?;
        Some(format!("http://{}", told["address"].as_str()?))
    }

    /// Where it serves, for example `http://127.0.0.1:7001`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Of a replica, its services; reads go to the audit of the stack.
    pub async fn desk(&self, stack: &Stack) -> Result<Desk> {
        Ok(Desk { fund: self.channel().await?, ..Desk::at(stack).await? })
    }

    /// A connection to it.
    pub async fn channel(&self) -> Result<Channel> {
        Ok(Endpoint::from_shared(self.address.clone())?.connect_timeout(PATIENCE).connect().await?)
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.id().try_into().unwrap_or(i32::MAX)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(Pid::from_raw(self.pid()), signal)?)
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> Result<ExitStatus> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None.with_context(|| format!("a process did not end in {PATIENCE:?}: {}", self.log()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
