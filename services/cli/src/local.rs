//! The whole of Concord in this process, on private servers: what `concord up` and `concord demo` run.

use crate::connect::Endpoints;
use crate::errors::CliError;
use crate::stack::{Stack, StackError, StackOptions};
use concord_agreement::Agreements;
use concord_chassis::config::{self, Settings};
use concord_chassis::log::Domain as _;
use concord_chassis::service::{Serving, StartError, in_full};
use concord_fund_grant::Fund;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// Where the running stack says how to reach it.
pub const SERVICES_FILE: &str = "run/services.json";

/// The service of the read models.
const FUNDING_AUDIT: &str = "funding-audit";

/// Name of the database that the funding audit keeps its rows in.
pub const PROJECTION_DATABASE: &str = "funding_audit";

/// Name of a service's database on a local stack.
#[must_use]
pub fn database(service: &str) -> String {
    service.replace('-', "_")
}

/// A running stack: private PostgreSQL and NATS, and every service in this process.
pub struct LocalStack {
    stack: Stack,
    dir: PathBuf,
    endpoints: Endpoints,
    /// In the order of their start.
    services: Vec<Service>,
}

/// A service of this process, and what ends it.
struct Service {
    serving: Serving,
    shutdown: CancellationToken,
}

/// Services that have been started, and where each listens.
#[derive(Default)]
struct Started {
    services: Vec<Service>,
    addresses: BTreeMap<&'static str, String>,
}

impl Started {
    /// Starts a service on the stack, with a database of its own, and returns its address.
    async fn add(
        &mut self,
        stack: &Stack,
        name: &'static str,
        args: &[(&str, String)],
        start: impl AsyncFnOnce(&Settings, CancellationToken) -> Result<Serving, StartError>,
    ) -> Result<String, CliError> {
        let settings = settings(stack, name, args).await?;
        let shutdown = CancellationToken::new();
        let serving = start(&settings, shutdown.clone()).await.map_err(start_failed)?;
        let address = format!("http://{}", serving.address);
        self.services.push(Service { serving, shutdown });
        self.addresses.insert(name, address.clone());
        Ok(address)
    }
}

impl Service {
    async fn stop(self) {
        self.shutdown.cancel();
        if let Err(error) = self.serving.stopped().await {
            tracing::error!(error = %in_full(&error), "a service ended badly");
        }
    }
}

impl LocalStack {
    /// Starts the servers under `dir`, migrates, and starts every service on a free loopback port.
    ///
    /// # Errors
    /// In sentences that say what to install, stop or mend.
    pub async fn start(dir: &Path, played_from: Option<Date>) -> Result<Self, CliError> {
        let stack = Stack::start(dir, &StackOptions::from_env()).await.map_err(stack_failed)?;
        match Self::serve(&stack, dir, played_from).await {
            Ok((services, endpoints)) => Ok(Self { stack, dir: dir.to_owned(), endpoints, services }),
            Err(error) => {
                // The servers were started for nothing; their own report would hide the reason.
                let _ = stack.stop().await;
                Err(error)
            }
        }
    }

    async fn serve(
        stack: &Stack,
        dir: &Path,
        played_from: Option<Date>,
    ) -> Result<(Vec<Service>, Endpoints), CliError> {
        let first_day: Vec<(&str, String)> =
            played_from.map(|day| ("--played-from", day.to_string())).into_iter().collect();
        let mut started = Started::default();
        let agreement = started.add(stack, Agreements::LOG, &first_day, concord_agreement::start).await?;
        // Grants rest on agreements, so fund-grant follows their log.
        let follows = [("--log-owner", agreement.clone())].into_iter().chain(first_day).collect::<Vec<_>>();
        let fund_grant = started.add(stack, Fund::LOG, &follows, concord_fund_grant::start).await?;
        let follows = [("--log-owner", fund_grant.clone())];
        let funding_audit = started.add(stack, FUNDING_AUDIT, &follows, concord_funding_audit::start).await?;

        announce(dir, &started.addresses)?;
        let endpoints = Endpoints { fund_grant, funding_audit, agreement: Some(agreement), local: true };
        Ok((started.services, endpoints))
    }

    /// Where the services listen.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Waits until one of the private servers ends by itself.
    pub async fn died(&mut self) -> String {
        in_full(&self.stack.died().await)
    }

    /// Stops the services, which answer what they have, and then the servers. Data stays.
    ///
    /// # Errors
    /// Where a server does not end.
    pub async fn stop(self) -> Result<(), CliError> {
        let _ = std::fs::remove_file(self.dir.join(SERVICES_FILE));
        // Readers first: who follows a log asks its owner for it.
        for service in self.services.into_iter().rev() {
            service.stop().await;
        }
        self.stack.stop().await.map_err(stack_failed)
    }
}

/// Settings of a service on the stack, with a database of its own.
async fn settings(
    stack: &Stack,
    service: &'static str,
    more: &[(&str, String)],
) -> Result<Settings, CliError> {
    let database = stack.ensure_database(&database(service)).await.map_err(stack_failed)?;
    let mut args: Vec<OsString> =
        vec!["--database-url".into(), database.into(), "--nats-url".into(), stack.nats_url.clone().into()];
    for (flag, value) in more {
        args.extend([OsString::from(flag), OsString::from(value)]);
    }
    let none: [(OsString, OsString); 0] = [];
    config::parse(service, args, none).map_err(|error| CliError::failed(error.to_string()))
}

/// Writes the addresses where other `concord` commands look for them. Renamed into place, never half there.
fn announce(dir: &Path, addresses: &BTreeMap<&str, String>) -> Result<(), CliError> {
    let file = dir.join(SERVICES_FILE);
    let failed =
        |error: std::io::Error| CliError::failed(format!("{} cannot be written: {error}", file.display()));
    let text =
        serde_json::to_string_pretty(addresses).map_err(|error| CliError::failed(error.to_string()))?;
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, text).map_err(failed)?;
    std::fs::rename(&fresh, &file).map_err(failed)
}

fn stack_failed(error: StackError) -> CliError {
    CliError::failed(in_full(&error))
}

fn start_failed(error: StartError) -> CliError {
    CliError::failed(in_full(&error))
}
