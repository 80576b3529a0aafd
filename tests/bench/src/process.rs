//! Processes that end with this one, however it ends.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to start or to end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks at it.
const PAUSE: Duration = Duration::from_millis(10);
/// The kernel counts processor time in hundredths of a second (`USER_HZ`), whatever its own clock is.
const TICK: Duration = Duration::from_millis(10);

/// A running server. Dropped, it is stopped and waited for.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    stop: Signal,
}

/// A command whose process the kernel signals when this thread ends, so that not even a SIGKILL leaves it behind.
/// It has a process group of its own: a Ctrl-C is this process's business.
pub(crate) fn tied(program: &Path, stop: Signal) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", stop.as_str().trim_start_matches("SIG"), "--"])
        .arg(program)
        .stdin(Stdio::null())
        .process_group(0);
    command
}

impl Process {
    /// Starts a command made by [`tied`] with the same `stop`, its output in `log`.
    pub(crate) fn start(name: &'static str, mut command: Command, stop: Signal, log: &Path) -> Result<Self> {
        let file = fs::File::options().create(true).append(true).open(log)?;
        command.stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        Ok(Self { name, child, stop })
    }

    /// Process id.
    pub(crate) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Waits until `ready` answers, or says that the process ended first.
    pub(crate) async fn until<T>(&mut self, mut ready: impl AsyncFnMut() -> Option<T>) -> Result<T> {
        let started = Instant::now();
        loop {
            if let Some(answer) = ready().await {
                return Ok(answer);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}; its output says why", self.name);
            }
            if started.elapsed() > PATIENCE {
                bail!("{} was not ready in {PATIENCE:?}; its output says why", self.name);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Ends it and waits for that. This thread goes on meanwhile: a service waits for its clients to hang up.
    pub(crate) async fn stop(&mut self) {
        let asked = Instant::now();
        self.ask_to_stop();
        while self.runs() && asked.elapsed() < PATIENCE {
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn ask_to_stop(&self) {
        let _ = kill(Pid::from_raw(self.pid()), self.stop);
    }

    fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Resident memory, in MiB.
    pub(crate) fn resident_mib(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }

    /// Processor time that it and its children have had.
    pub(crate) fn processor_time(&self) -> Duration {
        concord_tests::stack::descendants(self.pid()).into_iter().map(processor_time).sum()
    }
}

/// Processor time that one process has had, and those of its children that have ended; nothing where it is gone.
pub(crate) fn processor_time(pid: i32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The program's name in brackets may hold anything; the four times are the 12th to the 15th field after it.
    let fields = stat.rfind(')').and_then(|end| stat.get(end + 1..)).unwrap_or_default();
    let ticks: u32 =
        fields.split_ascii_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u32>().ok()).sum();
    TICK * ticks
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.runs() {
            return;
        }
        let asked = Instant::now();
        self.ask_to_stop();
        while self.runs() {
            if asked.elapsed() > PATIENCE {
                eprintln!("{} does not stop and is killed", self.name);
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// A port of the loopback address that is free now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
