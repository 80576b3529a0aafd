//! A private stack for a test: `concord up` in a directory of its own, on free ports.

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long anything here may take. Generous: a first start runs initdb, and machines are shared.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// First today of the played clock that the tests use: a Thursday in a year whose working days are known.
pub const PLAYED_FROM: &str = "2017-04-20";

/// Ends with the input. Replicas may work in the directory, a stack may live there, and one of the demo below it.
const CLEAN_UP: &str = r#"cat
for process in /proc/[0-9]*; do
    if [ "$(readlink "$process/cwd")" = "$CONCORD_DIR" ]; then kill -9 "${process#/proc/}"; fi
done
for dir in "$CONCORD_DIR/demo" "$CONCORD_DIR"; do
    "$0" --dir "$dir" up --stop && "$0" --dir "$dir" up --reset
done
rm -rf "$CONCORD_DIR""#;

/// A `concord up`. Dropped, or with the end of the test binary however it ends, it is stopped and its data deleted.
pub struct Stack {
    dir: PathBuf,
    played_from: Option<String>,
    process: Mutex<Option<Child>>,
    /// Waits for the end of this process, then cleans up.
    guard: Mutex<Child>,
}

/// Path of the `concord` binary.
pub fn concord() -> Result<PathBuf> {
    built("concord")
}

/// Path of a binary that `make test` built, beside this test's own.
pub fn built(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let built = test.ancestors().nth(2).context("a test lies in target/<profile>/deps")?.join(name);
    ensure!(
        built.is_file(),
        "{} is not there: run `cargo build -p concord-cli -p concord-agreement -p concord-fund-grant -p \
         concord-funding-audit`, as `make test` does",
        built.display()
    );
    Ok(built)
}

/// Root of the repository.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

impl Stack {
    /// Starts a new stack on a clock played from [`PLAYED_FROM`].
    pub fn start() -> Result<Self> {
        Self::start_from(Some(PLAYED_FROM))
    }

    /// Starts a new stack; `None` gives it the system's clock.
    pub fn start_from(played_from: Option<&str>) -> Result<Self> {
        let mut stack = Self::stopped()?;
        stack.played_from = played_from.map(str::to_owned);
        stack.up()?;
        Ok(stack)
    }

    /// What the next start says of the clock; `None` says nothing.
    pub fn play_from(&mut self, day: Option<&str>) {
        self.played_from = day.map(str::to_owned);
    }

    /// A directory for a stack in which nothing runs yet.
    pub fn stopped() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("concord-test-").tempdir()?.keep();
        // The shell sees the end of this process by the end of its input, even where this process is killed.
        let guard = Command::new("sh")
            .args(["-c", CLEAN_UP])
            .arg(concord()?)
            .env("CONCORD_DIR", &dir)
            .current_dir(repository())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { dir, played_from: None, process: Mutex::new(None), guard: Mutex::new(guard) })
    }

    /// Starts it, or starts it again on the same data, and waits until its services answer.
    pub fn up(&self) -> Result<()> {
        let mut command = self.command();
        command.arg("up");
        if let Some(day) = &self.played_from {
            command.args(["--played-from", day]);
        }
        let services = self.services_file();
        let _ = fs::remove_file(&services);
        let log = fs::File::create(self.dir.join("up.log"))?;
        // A group of its own: what is meant for the tests' group, a Ctrl-C for example, is the guard's business.
        command.stdout(log.try_clone()?).stderr(log).stdin(Stdio::null()).process_group(0);
        let mut child = command.spawn()?;
        let started = Instant::now();
        while !services.is_file() {
            if let Some(status) = child.try_wait()? {
                bail!("concord up ended with {status}: {}", self.log());
            }
            if started.elapsed() > PATIENCE {
                let _ = child.kill();
                let _ = child.wait();
                bail!("concord up was not ready in {PATIENCE:?}: {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        *self.process() = Some(child);
        Ok(())
    }

    /// A `concord` command on this stack.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(concord().unwrap_or_else(|_| "concord".into()));
        command.env("CONCORD_DIR", &self.dir).env_remove("CONCORD_ACTOR").current_dir(repository());
        command
    }

    /// Runs a `concord` command and returns what it printed.
    pub fn run(&self, args: &[&str]) -> Result<Output> {
        Ok(self.command().args(args).stdin(Stdio::null()).output()?)
    }

    /// Address of a service, for example "fund-grant".
    pub fn address(&self, service: &str) -> Result<String> {
        let mut addresses: BTreeMap<String, String> =
            serde_json::from_str(&fs::read_to_string(self.services_file())?)?;
        addresses.remove(service).with_context(|| format!("no address of {service}"))
    }

    /// What `concord up --status --json` says. It works whether the stack runs or not.
    pub fn status(&self) -> Result<serde_json::Value> {
        let said = self.run(&["up", "--status", "--json"])?;
        ensure!(said.status.success(), "concord up --status: {}", String::from_utf8_lossy(&said.stderr));
        Ok(serde_json::from_slice(&said.stdout)?)
    }

    /// Address of one of the stack's databases, as superuser.
    pub fn database_url(&self, name: &str) -> Result<String> {
        let status = self.status()?;
        let base =
            status["database_url_base"].as_str().with_context(|| format!("no database in {status}"))?;
        Ok(format!("{base}/{name}"))
    }

    /// Address of the stack's nats-server.
    pub fn nats_url(&self) -> Result<String> {
        let status = self.status()?;
        Ok(status["nats_url"].as_str().with_context(|| format!("no NATS in {status}"))?.to_owned())
    }

    /// Process id of the stack's nats-server.
    pub fn nats_pid(&self) -> Result<i32> {
        self.server_pid("nats_pid")
    }

    /// Process id of the stack's postmaster.
    pub fn postgres_pid(&self) -> Result<i32> {
        self.server_pid("postgres_pid")
    }

    fn server_pid(&self, name: &str) -> Result<i32> {
        let status = self.status()?;
        let pid = status[name].as_i64().with_context(|| format!("no {name} in {status}"))?;
        Ok(pid.try_into()?)
    }

    /// Directory of the stack.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What `concord up` has printed.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("up.log")).unwrap_or_default()
    }

    /// Process id of `concord up`.
    pub fn pid(&self) -> Result<i32> {
        let process = self.process();
        Ok(process.as_ref().context("concord up does not run")?.id().try_into()?)
    }

    /// Kills `concord up` without warning. Its servers stay behind as orphans, as in a real crash of the process.
    pub fn kill(&self) -> Result<()> {
        if let Some(mut child) = self.process().take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Sends a signal to `concord up`.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(Pid::from_raw(self.pid()?), signal)?)
    }

    /// Waits for the end of `concord up`.
    pub fn ended(&self) -> Result<ExitStatus> {
        let mut child = self.process().take().context("concord up does not run")?;
        let started = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if started.elapsed() > PATIENCE {
                let _ = child.kill();
                let _ = child.wait();
                bail!("concord up did not end in {PATIENCE:?}: {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it in good order.
    pub fn stop(&self) -> Result<()> {
        let stopped = self.run(&["up", "--stop"])?;
        ensure!(stopped.status.success(), "concord up --stop: {}", String::from_utf8_lossy(&stopped.stderr));
        let status = self.ended()?;
        ensure!(status.success(), "concord up ended with {status}: {}", self.log());
        Ok(())
    }

    fn services_file(&self) -> PathBuf {
        self.dir.join("run/services.json")
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // The guard does the rest, and nobody need wait for it.
        drop(self.guard.get_mut().unwrap_or_else(PoisonError::into_inner).stdin.take());
    }
}

/// Processes that stand still until this is dropped, so that a failed test leaves none frozen.
pub struct Frozen(Vec<i32>);

impl Frozen {
    /// Stops a process and all that descend from it.
    pub fn with_descendants(pid: i32) -> Result<Self> {
        let mut frozen = Self(Vec::new());
        // The parent first, so that it can start no more of them.
        for pid in descendants(pid) {
            kill(Pid::from_raw(pid), Signal::SIGSTOP)?;
            frozen.0.push(pid);
        }
        Ok(frozen)
    }

    /// Lets them go on.
    pub fn thaw(self) {}
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            let _ = kill(Pid::from_raw(*pid), Signal::SIGCONT);
        }
    }
}

/// A process and all that descend from it, parents first.
#[must_use]
pub fn descendants(pid: i32) -> Vec<i32> {
    let parents: BTreeMap<i32, i32> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The program's name in brackets may hold anything; the parent is the second field after it.
            let parent = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(parents.iter().filter(|(_, of)| **of == parent).map(|(child, _)| *child));
        next += 1;
    }
    family
}
