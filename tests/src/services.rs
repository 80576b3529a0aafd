//! Agreements, grants and their audit, each service a process of its own, on a nats-server of their own: so that any of them
//! can be killed and started again.

use crate::agreements::Agreements;
use crate::check::{Check, check_from};
use crate::desk::Desk;
use crate::process::Process;
use crate::record::postgres;
use crate::stack::{PATIENCE, PLAYED_FROM, Stack};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio_postgres::Client;
use tonic::transport::{Channel, Endpoint};

/// Owns the agreement log.
pub const AGREEMENT: &str = "agreement";
/// Owns the log of grants, and follows that of agreements.
pub const FUND_GRANT: &str = "fund-grant";
/// Follows the log of grants.
pub const FUNDING_AUDIT: &str = "funding-audit";

/// What the processes work under, so that they share nothing with the services of the stack.
const CELL: &str = "apart";

/// The three services. A service that is started again serves where it did, so its callers find it.
pub struct Services {
    /// Its PostgreSQL has their databases; its own services stand idle.
    stack: Stack,
    nats: Nats,
    addresses: BTreeMap<&'static str, String>,
    running: BTreeMap<&'static str, Process>,
    rulebook_dir: Option<PathBuf>,
}

impl Services {
    /// Starts them, their clocks played from [`PLAYED_FROM`].
    pub async fn start() -> Result<Self> {
        Self::start_with(None).await
    }

    /// Starts them; fund-grant decides by these rulebooks, which are files by name.
    pub async fn start_with(rulebooks: Option<&BTreeMap<&str, String>>) -> Result<Self> {
        let stack = Stack::start()?;
        let rulebook_dir = rulebooks.map(|files| -> Result<PathBuf> {
            let dir = stack.dir().join("rulebooks");
            fs::create_dir(&dir)?;
            for (name, text) in files {
                fs::write(dir.join(name), text)?;
            }
            Ok(dir)
        });
        let admin = postgres(&stack, "postgres").await?;
        for service in [AGREEMENT, FUND_GRANT, FUNDING_AUDIT] {
            admin.batch_execute(&format!("CREATE DATABASE {}", database(service))).await?;
        }
        let nats = Nats::start(&stack)?;
        let mut services = Self {
            stack,
            nats,
            addresses: BTreeMap::new(),
            running: BTreeMap::new(),
            rulebook_dir: rulebook_dir.transpose()?,
        };
        // In this order, so that each learns where the one is that it follows.
        for service in [AGREEMENT, FUND_GRANT, FUNDING_AUDIT] {
            services.start_service(service)?;
        }
        Ok(services)
    }

    /// Starts a service, or starts it again, and waits until it serves.
    pub fn start_service(&mut self, service: &'static str) -> Result<()> {
        let mut settings = vec![
            ("DATABASE_URL", self.stack.database_url(&database(service))?),
            ("NATS_URL", self.nats.url()),
            ("CELL", CELL.to_owned()),
            ("DRAIN_SECONDS", "2".to_owned()),
        ];
        if let Some(address) = self.addresses.get(service) {
            settings.push(("LISTEN", address.replace("http://", "")));
        }
        let follows = BTreeMap::from([(FUND_GRANT, AGREEMENT), (FUNDING_AUDIT, FUND_GRANT)]);
        if let Some(owner) = follows.get(service) {
            settings.push(("LOG_OWNER", self.address(owner)?.to_owned()));
        }
        if service != FUNDING_AUDIT {
            settings.push(("PLAYED_FROM", PLAYED_FROM.to_owned()));
        }
        if let Some(dir) = self.rulebook_dir.as_ref().filter(|_| service == FUND_GRANT) {
            settings.push(("RULEBOOK_DIR", dir.display().to_string()));
        }
        let process = Process::start(&self.stack, service, settings)?;
        self.addresses.insert(service, process.address().to_owned());
        self.running.insert(service, process);
        Ok(())
    }

    /// Kills a service without warning.
    pub fn kill(&mut self, service: &str) -> Result<()> {
        // Dropped, it is killed.
        self.running.remove(service).map(drop).with_context(|| format!("{service} does not run"))
    }

    /// A running service.
    pub fn service(&self, service: &str) -> Result<&Process> {
        self.running.get(service).with_context(|| format!("{service} does not run"))
    }

    /// The nats-server.
    pub fn nats(&mut self) -> &mut Nats {
        &mut self.nats
    }

    /// Programmes, grants and their audit.
    pub async fn desk(&self) -> Result<Desk> {
        Ok(Desk { fund: self.channel(FUND_GRANT).await?, audit: self.channel(FUNDING_AUDIT).await? })
    }

    /// Agreements and the directory of parties.
    pub async fn agreements(&self) -> Result<Agreements> {
        Agreements::of(self.address(AGREEMENT)?.to_owned()).await
    }

    /// A connection to the database of a service.
    pub async fn postgres(&self, service: &str) -> Result<Client> {
        postgres(&self.stack, &database(service)).await
    }

    /// Fails unless both logs are proved, and stream, projection and answers against them.
    pub fn checked(&self) -> Result<()> {
        for log in [AGREEMENT, FUND_GRANT] {
            let check = self.check(log)?;
            ensure!(
                check.code == Some(0) && check.said["proved"] == true,
                "{log}: {:#}\n{}",
                check.said,
                check.errors
            );
            ensure!(check.said["stream"]["to"] == check.said["head"], "{log}: {:#}", check.said);
        }
        Ok(())
    }

    /// Runs a `concord` command against the services and returns what it printed.
    pub fn concord(&self, args: &[&str]) -> Result<String> {
        let output = self.command()?.args(args).stdin(Stdio::null()).output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "concord {}: {errors}", args.join(" "));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self) -> Result<Command> {
        let mut command = self.stack.command();
        for service in [AGREEMENT, FUND_GRANT, FUNDING_AUDIT] {
            let variable = format!("CONCORD_ADDRESS_{}", service.replace('-', "_").to_uppercase());
            command.env(variable, self.address(service)?);
        }
        command.env("CONCORD_ACTOR", "auditor@audit-office");
        Ok(command)
    }

    fn check(&self, log: &str) -> Result<Check> {
        let command = self.command()?;
        let projection = self.stack.database_url(&database(FUNDING_AUDIT))?;
        let nats = self.nats.url();
        check_from(command, &["--log", log, "--nats-url", &nats, "--projection-database-url", &projection])
    }

    fn address(&self, service: &str) -> Result<&str> {
        let address = self.addresses.get(service).with_context(|| format!("{service} was never started"))?;
        Ok(address)
    }

    async fn channel(&self, service: &str) -> Result<Channel> {
        let address = self.address(service)?.to_owned();
        Ok(Endpoint::from_shared(address)?.connect_timeout(PATIENCE).connect().await?)
    }
}

/// The stack has databases of its own services, by their plain names.
fn database(service: &str) -> String {
    format!("{CELL}_{}", service.replace('-', "_"))
}

/// A nats-server of the program that the stack runs. Dropped, it is killed.
pub struct Nats {
    program: PathBuf,
    dir: PathBuf,
    /// By this directory the stack's guard recognises it.
    home: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Nats {
    fn start(stack: &Stack) -> Result<Self> {
        let program = fs::read_link(format!("/proc/{}/exe", stack.nats_pid()?))?;
        let dir = stack.dir().join("nats-apart");
        fs::create_dir(&dir)?;
        let mut nats = Self { program, dir, home: stack.dir().to_owned(), port: 0, child: None };
        nats.start_again()?;
        Ok(nats)
    }

    /// Starts it on what it has stored, where it was before, and waits until it listens.
    pub fn start_again(&mut self) -> Result<()> {
        for file in fs::read_dir(&self.dir)?.filter_map(Result::ok) {
            // It says where it listens once it does; an older word of that is not to be read.
            if file.path().extension().is_some_and(|ending| ending == "ports") {
                fs::remove_file(file.path())?;
            }
        }
        // Minus one is any free port.
        let port = if self.port == 0 { "-1".to_owned() } else { self.port.to_string() };
        let child = Command::new(&self.program)
            .args(["--jetstream", "--addr", "127.0.0.1", "--port", &port, "--store_dir"])
            .arg(self.dir.join("store"))
            .arg("--ports_file_dir")
            .arg(&self.dir)
            .arg("--log")
            .arg(self.dir.join("server.log"))
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let child = self.child.insert(child);
        let started = Instant::now();
        loop {
            if let Some(port) = told_port(&self.dir) {
                self.port = port;
                return Ok(());
            }
            let ended = child.try_wait()?;
            if ended.is_some() || started.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.dir.join("server.log")).unwrap_or_default();
                bail!("nats-server is not ready ({ended:?}): {log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills it without warning.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("nats-server does not run")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        // It may have been killed before.
        let _ = self.kill();
    }
}

/// The port in the file that a nats-server writes once it listens: `{"nats": ["nats://127.0.0.1:4222"], …}`.
fn told_port(dir: &std::path::Path) -> Option<u16> {
    let mut files = fs::read_dir(dir).ok()?.filter_map(|file| Some(file.ok()?.path()));
    let file = files.find(|path| path.extension().is_some_and(|ending| ending == "ports"))?;
    let told: serde_json::Value = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
    told["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
}
