//! nats-server, agreement, fund-grant and funding-audit, each a process of its own.

use crate::options::Options;
use crate::process::{Process, free_port, tied};
use anyhow::{Context, Result, bail, ensure};
use concord_proto::audit::v1::funding_audit_service_client::FundingAuditServiceClient;
use concord_proto::audit::v1::{AsOf, GetGrantStatementRequest, GetProjectionStatusRequest};
use concord_proto::log::v1::log_service_client::LogServiceClient;
use concord_proto::log::v1::{GetLogStatusRequest, GetLogStatusResponse};
use nix::sys::signal::Signal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

/// What drains a log may be behind by minutes of load.
const DRAIN: Duration = Duration::from_secs(300);
/// Pause before something is asked again.
const POLL: Duration = Duration::from_millis(5);

/// A nats-server with JetStream, as in a local stack.
pub(crate) struct Nats {
    process: Process,
    url: String,
}

impl Nats {
    /// Starts one whose streams lie in `scratch`.
    pub(crate) async fn start(options: &Options, scratch: &Path) -> Result<Self> {
        let port = free_port()?;
        let url = format!("nats://127.0.0.1:{port}");
        let stop = Signal::SIGTERM;
        let mut command = tied(&options.nats_server, stop);
        command.args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--jetstream", "--store_dir"]);
        command.arg(scratch.join("nats"));
        let mut process = Process::start("nats-server", command, stop, &options.out.join("nats.log"))?;
        process.until(async || async_nats::connect(&url).await.ok()).await?;
        Ok(Self { process, url })
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its process.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }
}

/// The service of programmes, grants and their log.
pub(crate) struct Fund {
    process: Process,
    address: String,
    log: LogServiceClient<Channel>,
}

impl Fund {
    /// Starts one on a database, under a clock played from [`concord_tests::stack::PLAYED_FROM`].
    pub(crate) async fn start(
        options: &Options,
        database_url: &str,
        nats_url: &str,
        log: &str,
    ) -> Result<Self> {
        Self::start_with(options, database_url, nats_url, log, &[]).await
    }

    /// The same with further settings.
    pub(crate) async fn start_with(
        options: &Options,
        database_url: &str,
        nats_url: &str,
        log: &str,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let (mut command, address) = service("concord-fund-grant", database_url, nats_url)?;
        command.env("PLAYED_FROM", concord_tests::stack::PLAYED_FROM).envs(settings.iter().copied());
        let log = options.out.join(format!("{log}.log"));
        let mut process = Process::start("fund-grant", command, Signal::SIGTERM, &log)?;
        let channel =
            process.until(async || Endpoint::new(address.clone()).ok()?.connect().await.ok()).await?;
        let fund = Self { process, address, log: LogServiceClient::new(channel) };
        fund.status().await?;
        Ok(fund)
    }

    /// Its gRPC address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Its process.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Ends it in good order.
    pub(crate) async fn stop(&mut self) {
        self.process.stop().await;
    }

    /// A client of its log.
    pub(crate) fn log(&self) -> LogServiceClient<Channel> {
        self.log.clone()
    }

    /// Where its log stands.
    pub(crate) async fn status(&self) -> Result<GetLogStatusResponse> {
        Ok(self.log.clone().get_log_status(GetLogStatusRequest {}).await?.into_inner())
    }

    /// Waits until the relay has published all that is committed now.
    pub(crate) async fn published(&self) -> Result<()> {
        let (head, started) = (self.status().await?.head, Instant::now());
        loop {
            let published = self.status().await?.published;
            if published >= head {
                return Ok(());
            }
            ensure!(started.elapsed() < DRAIN, "the relay is at {published}, the log at {head}");
            tokio::time::sleep(POLL).await;
        }
    }
}

/// The service of agreements.
pub(crate) struct Agreement {
    process: Process,
    address: String,
}

impl Agreement {
    /// Starts one on a database of its own in this cell, under the same clock as the fund's.
    pub(crate) async fn start(
        options: &Options,
        database_url: &str,
        nats_url: &str,
        cell: &str,
    ) -> Result<Self> {
        let (mut command, address) = service("concord-agreement", database_url, nats_url)?;
        command.env("PLAYED_FROM", concord_tests::stack::PLAYED_FROM).env("CELL", cell);
        let log = options.out.join("agreement.log");
        let mut process = Process::start("agreement", command, Signal::SIGTERM, &log)?;
        process.until(async || Endpoint::new(address.clone()).ok()?.connect().await.ok()).await?;
        Ok(Self { process, address })
    }

    /// Its gRPC address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Ends it in good order.
    pub(crate) async fn stop(&mut self) {
        self.process.stop().await;
    }
}

/// The projection that answers for the ledger.
pub(crate) struct Audit {
    process: Process,
    audit: FundingAuditServiceClient<Channel>,
}

impl Audit {
    /// Starts one on a database.
    pub(crate) async fn start(
        options: &Options,
        database_url: &str,
        nats_url: &str,
        fund: &Fund,
        log: &str,
    ) -> Result<Self> {
        let (mut command, address) = service("concord-funding-audit", database_url, nats_url)?;
        command.env("LOG_OWNER", fund.address());
        let log = options.out.join(format!("{log}.log"));
        let mut process = Process::start("funding-audit", command, Signal::SIGTERM, &log)?;
        let channel =
            process.until(async || Endpoint::new(address.clone()).ok()?.connect().await.ok()).await?;
        Ok(Self { process, audit: FundingAuditServiceClient::new(channel) })
    }

    /// Its process.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Waits until a question about this position is answered. A grant that nobody has is asked for, which costs the
    /// projection nothing.
    pub(crate) async fn applied(&self, position: u64) -> Result<()> {
        let started = Instant::now();
        loop {
            let as_of = AsOf { min_position: position, ..AsOf::default() };
            let grant_id = Uuid::max().to_string();
            let request = GetGrantStatementRequest { grant_id, as_of: Some(as_of) };
            match self.audit.clone().get_grant_statement(request).await {
                Err(status) if status.code() == Code::NotFound => return Ok(()),
                // Not reached in the time that a question is given.
                Err(status) if status.code() == Code::Unavailable && started.elapsed() < DRAIN => {}
                Err(status) => return Err(status).context(format!("the projection at {position}")),
                Ok(_) => bail!("the projection knows a grant that nobody has"),
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Adds up the whole ledger.
    ///
    /// # Errors
    /// Where it does not balance, or the projection has stopped.
    pub(crate) async fn check(&self) -> Result<()> {
        let request = GetProjectionStatusRequest { min_position: 0 };
        let status = self.audit.clone().get_projection_status(request).await?.into_inner();
        ensure!(status.stopped.is_empty(), "the projection stopped: {}", status.stopped);
        ensure!(status.balanced, "the ledger of the load does not balance");
        Ok(())
    }
}

/// A service's command and the address that it will have.
fn service(program: &str, database_url: &str, nats_url: &str) -> Result<(Command, String)> {
    let address = format!("127.0.0.1:{}", free_port()?);
    let mut command = tied(&built(program)?, Signal::SIGTERM);
    command.env("DATABASE_URL", database_url).env("NATS_URL", nats_url).env("LISTEN", &address);
    // Nothing is in flight when a service is stopped here.
    command.env("DRAIN_SECONDS", "1");
    Ok((command, format!("http://{address}")))
}

/// A program that was built with this one.
fn built(program: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(program);
    ensure!(path.is_file(), "{} is not there: `make bench` builds it", path.display());
    path.canonicalize().with_context(|| format!("{} cannot be used", path.display()))
}
