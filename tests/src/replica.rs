//! A further service on the servers of a stack: a replica of the fund's, the real `concord-fund-grant`, or a new one.

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

/// A process that serves a log on a stack's servers, beside the stack's own services. Dropped, it is killed; the stack's guard
/// sees to it where this process is killed first.
pub struct Replica {
    child: Child,
    /// Of the log that it serves.
    name: String,
    address: String,
    log: PathBuf,
}

impl Replica {
    /// Starts a replica of the fund's service, and waits until it serves.
    pub fn start(stack: &Stack) -> Result<Self> {
        Self::serve(stack, &built("concord-fund-grant")?, "fund-grant", &[])
    }

    /// Starts a program that serves a log of this name on a database of its own, which must not be there yet, and on a
    /// clock played from [`PLAYED_FROM`](crate::stack::PLAYED_FROM). Waits until it serves.
    pub async fn of_new_log(stack: &Stack, program: &Path, name: &str) -> Result<Self> {
        let create = format!("CREATE DATABASE {}", database(name));
        postgres(stack, "postgres").await?.batch_execute(&create).await?;
        Self::serve(stack, program, name, &["--played-from", PLAYED_FROM])
    }

    fn serve(stack: &Stack, program: &Path, name: &str, args: &[&str]) -> Result<Self> {
        let log = stack.dir().join(format!("replica-{}.log", Uuid::now_v7()));
        let child = Command::new(program)
            .args(args)
            .env("DATABASE_URL", stack.database_url(&database(name))?)
            .env("NATS_URL", stack.nats_url()?)
            .env("LOG_FORMAT", "json")
            .env("DRAIN_SECONDS", "2")
            // By this directory the stack's guard recognises it.
            .current_dir(stack.dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .spawn()?;
        let mut replica = Self { child, name: name.to_owned(), address: String::new(), log };
        let started = Instant::now();
        while replica.address.is_empty() {
            if let Some(status) = replica.child.try_wait()? {
                bail!("{name} ended with {status}: {}", replica.log());
            }
            if started.elapsed() > PATIENCE {
                bail!("{name} was not ready in {PATIENCE:?}: {}", replica.log());
            }
            std::thread::sleep(Duration::from_millis(20));
            replica.address = replica.told_address().unwrap_or_default();
        }
        Ok(replica)
    }

    /// Where it says that it serves.
    fn told_address(&self) -> Option<String> {
        let log = self.log();
        let mut lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let told = lines.find(|line| line["message"] == format!("{} serves", self.name))?;
        Some(format!("http://{}", told["address"].as_str()?))
    }

    /// Its services; reads go to the audit of the stack.
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
        None.with_context(|| format!("{} did not end in {PATIENCE:?}: {}", self.name, self.log()))
    }
}

/// Name of the database of a log.
fn database(log: &str) -> String {
    log.replace('-', "_")
}

impl Drop for Replica {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
