//! A further replica of the fund's service: the real `concord-fund-grant`, on the servers of a stack.

use crate::desk::Desk;
use crate::stack::{PATIENCE, Stack, built};
use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tonic::transport::Endpoint;
use uuid::Uuid;

/// A process that serves the log of a stack beside the stack's own service. Dropped, it is killed; the stack's guard
/// sees to it where this process is killed first.
pub struct Replica {
    child: Child,
    address: String,
    log: PathBuf,
}

impl Replica {
    /// Starts one, and waits until it serves.
    pub fn start(stack: &Stack) -> Result<Self> {
        let log = stack.dir().join(format!("replica-{}.log", Uuid::now_v7()));
        let child = Command::new(built("concord-fund-grant")?)
            .env("DATABASE_URL", stack.database_url("fund_grant")?)
            .env("NATS_URL", stack.nats_url()?)
            .env("LOG_FORMAT", "json")
            .env("DRAIN_SECONDS", "2")
            // By this directory the stack's guard recognises it.
            .current_dir(stack.dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .spawn()?;
        let mut replica = Self { child, address: String::new(), log };
        let started = Instant::now();
        while replica.address.is_empty() {
            if let Some(status) = replica.child.try_wait()? {
                bail!("a replica ended with {status}: {}", replica.log());
            }
            if started.elapsed() > PATIENCE {
                bail!("a replica was not ready in {PATIENCE:?}: {}", replica.log());
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
        let told = lines.find(|line| line["message"] == "fund-grant serves")?;
        Some(format!("http://{}", told["address"].as_str()?))
    }

    /// Its services; reads go to the audit of the stack.
    pub async fn desk(&self, stack: &Stack) -> Result<Desk> {
        let fund = Endpoint::from_shared(self.address.clone())?.connect_timeout(PATIENCE).connect().await?;
        Ok(Desk { fund, ..Desk::at(stack).await? })
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
        None.with_context(|| format!("a replica did not end in {PATIENCE:?}: {}", self.log()))
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
