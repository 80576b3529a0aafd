//! nats-server, fund-grant and funding-audit, each a process of its own.

use crate::options::Options;
use crate::process::{Process, free_port, tied};
use anyhow::{Context, Result, ensure};
use concord_proto::audit::v1::GetProjectionStatusRequest;
use concord_proto::audit::v1::funding_audit_service_client::FundingAuditServiceClient;
use concord_proto::log::v1::log_service_client::LogServiceClient;
use concord_proto::log::v1::{GetLogStatusRequest, GetLogStatusResponse};
use nix::sys::signal::Signal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tonic::transport::{Channel, Endpoint};

/// What drains a log may be behind by minutes of load.
const DRAIN: Duration = Duration::from_secs(300);
/// Asking costs little, and the time until something is there is measured with it.
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
        let (mut command, address) = service("concord-fund-grant", database_url, nats_url)?;
        command.env("PLAYED_FROM", concord_tests::stack::PLAYED_FROM);
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

    /// Where its log stands.
    pub(crate) async fn status(&self) -> Result<GetLogStatusResponse> {
        Ok(self.log.clone().get_log_status(GetLogStatusRequest {}).await?.into_inner())
    }

    /// Waits until the relay has published all that is committed now.
    pub(crate) async fn published(&self) -> Result<()> {
        let head = self.status().await?.head;
        reached("the relay", head, async || Ok(self.status().await?.published)).await
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

    /// Position that it has applied. One that has stopped is an error.
    pub(crate) async fn checkpoint(&self) -> Result<u64> {
        let request = GetProjectionStatusRequest { min_position: 0 };
        let status = self.audit.clone().get_projection_status(request).await?.into_inner();
        ensure!(status.stopped.is_empty(), "the projection stopped: {}", status.stopped);
        Ok(status.checkpoint)
    }

    /// Waits until it has applied this position.
    pub(crate) async fn applied(&self, position: u64) -> Result<()> {
        reached("the projection", position, async || self.checkpoint().await).await
    }
}

async fn reached(who: &str, position: u64, mut ask: impl AsyncFnMut() -> Result<u64>) -> Result<()> {
    let started = Instant::now();
    loop {
        let at = ask().await?;
        if at >= position {
            return Ok(());
        }
        ensure!(started.elapsed() < DRAIN, "{who} is at {at} and did not reach {position} in {DRAIN:?}");
        tokio::time::sleep(POLL).await;
    }
}

/// A service's command and the address that it will have.
fn service(program: &str, database_url: &str, nats_url: &str) -> Result<(Command, String)> {
    let address = format!("127.0.0.1:{}", free_port()?);
    let mut command = tied(&built(program)?, Signal::SIGTERM);
    command.env("DATABASE_URL", database_url).env("NATS_URL", nats_url).env("LISTEN", &address);
    Ok((command, format!("http://{address}")))
}

/// A program that was built with this one.
fn built(program: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(program);
    ensure!(path.is_file(), "{} is not there: `make bench` builds it", path.display());
    path.canonicalize().with_context(|| format!("{} cannot be used", path.display()))
}
