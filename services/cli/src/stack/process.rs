//! Processes: who they are, whether they live, and how they are started and stopped.
//!
//! A process id alone says little, since the kernel reuses it. Here a process is its id *and* its start time, and a server of
//! ours is recognised by the directory it works in, which is one that only this stack uses. Linux only, by way of `/proc`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::error::{Context, StackError};
use super::layout::Account;

const POLL: Duration = Duration::from_millis(10);
/// An adopted server is not our child, so its end is noticed by looking.
const WATCH: Duration = Duration::from_millis(250);
/// A log beyond this size is set aside at the next start.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;
const TAIL_LINES: usize = 10;
const TAIL_BYTES_MAX: u64 = 16 * 1024;

/// One process, never mistaken for a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProcessId {
    pub(super) pid: i32,
    /// Clock ticks since boot, from `/proc/<pid>/stat`.
    started_ticks: u64,
}

impl ProcessId {
    /// The live process with this number, if there is one. A zombie is not alive.
    pub(super) fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name in brackets and may itself hold spaces and brackets.
        let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace();
        let state = fields.next()?;
        if matches!(state, "Z" | "X" | "x") {
            return None;
        }
        // The start time is field 22, and the state was field 3.
        let started_ticks = fields.nth(18)?.parse().ok()?;
        Some(Self { pid, started_ticks })
    }

    pub(super) fn current() -> Option<Self> {
        i32::try_from(std::process::id()).ok().and_then(Self::of)
    }

    pub(super) fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Sends a signal; a process that has ended needs none.
    pub(super) fn signal(self, signal: Signal) -> Result<(), StackError> {
        if !self.is_alive() {
            return Ok(());
        }
        match kill(Pid::from_raw(self.pid), signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(StackError::Signal { pid: self.pid, source: errno.into() }),
        }
    }
}

/// A process found by the directory it works in.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: ProcessId,
    /// The name of its program, cut by the kernel to 15 bytes.
    pub(super) name: String,
    pub(super) argv: Vec<OsString>,
    /// Whether the program file was replaced since, by an upgrade for example.
    pub(super) replaced: bool,
}

/// Every process of ours to see whose working directory is `dir` or lies in it. It follows a directory that was renamed, and
/// finds the backends of a postmaster that is gone.
pub(super) fn working_in(dir: &Path) -> Vec<Found> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: i32| {
            let proc = PathBuf::from(format!("/proc/{pid}"));
            if !fs::read_link(proc.join("cwd")).ok()?.starts_with(dir) {
                return None;
            }
            let id = ProcessId::of(pid)?;
            let name = fs::read_to_string(proc.join("comm")).ok()?.trim_end().to_owned();
            let argv = fs::read(proc.join("cmdline")).ok()?;
            let argv = argv.strip_suffix(b"\0").unwrap_or(&argv).split(|byte| *byte == 0);
            let argv = argv.map(|argument| OsString::from_vec(argument.to_vec())).collect();
            let program = fs::read_link(proc.join("exe")).unwrap_or_default();
            Some(Found { id, name, argv, replaced: program.to_string_lossy().ends_with(" (deleted)") })
        })
        .collect()
}

/// A kind of program: what it is called, and how it is asked to stop, ever less politely.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Each signal, and how long to wait for its effect.
    pub(super) stop: &'static [(Signal, Duration)],
}

/// Stops processes and waits until they are gone.
pub(super) async fn stop(kind: &'static Kind, processes: &[ProcessId]) -> Result<(), StackError> {
    for &(signal, patience) in kind.stop {
        for process in processes {
            process.signal(signal)?;
        }
        let deadline = Instant::now() + patience;
        loop {
            if processes.iter().all(|process| !process.is_alive()) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                break;
            }
            sleep(POLL).await;
        }
        tracing::warn!(
            server = kind.name,
            signal = signal.as_str(),
            "the signal did not stop the server in time"
        );
    }
    let alive = processes.iter().filter(|process| process.is_alive());
    Err(StackError::Unstoppable { name: kind.name, pids: alive.map(|process| process.pid).collect() })
}

/// Stops the processes that were found, if any.
pub(super) async fn stop_found(kind: &'static Kind, found: &[Found]) -> Result<(), StackError> {
    let processes: Vec<_> = found.iter().map(|process| process.id).collect();
    stop(kind, &processes).await
}

/// A log file that a child writes to, from where this run of it began.
#[derive(Debug, Clone)]
pub(super) struct Log {
    pub(super) path: PathBuf,
    from: u64,
}

impl Log {
    /// Opens the log for a new run, and sets a large old one aside.
    pub(super) fn open(path: PathBuf) -> Result<(Self, File), StackError> {
        let old = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        if old > LOG_BYTES_MAX {
            fs::rename(&path, path.with_extension("log.old")).context("set aside", &path)?;
        }
        let file = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let file = file.context("open", &path)?;
        let from = file.metadata().context("read", &path)?.len();
        Ok((Self { path, from }, file))
    }

    /// The log of a run that began before us: all of it.
    pub(super) fn existing(path: PathBuf) -> Self {
        Self { path, from: 0 }
    }

    /// The last lines of this run.
    pub(super) fn tail(&self) -> String {
        let read = || -> io::Result<String> {
            let mut file = File::open(&self.path)?;
            let length = file.metadata()?.len();
            let from = self.from.max(length.saturating_sub(TAIL_BYTES_MAX));
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let text = read().unwrap_or_default();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }
}

/// What to run, where and as whom.
#[derive(Debug)]
pub(super) struct Launch<'a> {
    pub(super) program: &'a Path,
    pub(super) arguments: &'a [String],
    pub(super) working_directory: &'a Path,
    pub(super) account: Option<&'a Account>,
}

impl Launch<'_> {
    /// Starts the program with both its outputs in `log`.
    pub(super) fn spawn(&self, log: &File, kill_on_drop: bool) -> Result<Child, StackError> {
        let failed = |source| StackError::Spawn {
            program: self.program.to_owned(),
            account: self.account.map(|account| account.name.clone()),
            source,
        };
        let mut command = Command::new(self.program);
        command
            .args(self.arguments)
            .current_dir(self.working_directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log.try_clone().map_err(failed)?)
            .kill_on_drop(kill_on_drop)
            // Ctrl-C reaches every process of the terminal's group. The services must finish before their database goes.
            .process_group(0)
            // The caller's PGDATA or LANG must not decide how a stack behaves, nor its tokens leak into a server.
            .env_clear()
            .envs(
                ["PATH", "LD_LIBRARY_PATH"]
                    .into_iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC");
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        command.spawn().map_err(failed)
    }

    /// The command line as `/proc` will show it.
    pub(super) fn argv(&self) -> Vec<OsString> {
        std::iter::once(self.program.as_os_str().to_owned())
            .chain(self.arguments.iter().map(OsString::from))
            .collect()
    }
}

/// A server that runs: our child, or one adopted from a supervisor that was killed. Dropped without `stop`, it is asked to end
/// but not waited for.
#[derive(Debug)]
pub(super) struct Server {
    kind: &'static Kind,
    pub(super) id: ProcessId,
    child: Option<Child>,
    pub(super) log: Log,
}

impl Server {
    /// Starts a server.
    pub(super) fn start(
        kind: &'static Kind,
        launch: &Launch<'_>,
        log_path: PathBuf,
    ) -> Result<Self, StackError> {
        let (log, file) = Log::open(log_path)?;
        let mut child = launch.spawn(&file, false)?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        match pid.and_then(ProcessId::of) {
            Some(id) => Ok(Self { kind, id, child: Some(child), log }),
            // It ended before it could be looked at.
            None => {
                let how = child.try_wait().ok().flatten().map_or_else(|| "at once".to_owned(), describe);
                Err(ended(kind, how, &log))
            }
        }
    }

    /// Takes over a server that runs already.
    pub(super) fn adopt(kind: &'static Kind, id: ProcessId, log_path: PathBuf) -> Self {
        Self { kind, id, child: None, log: Log::existing(log_path) }
    }

    /// The error that says how the server ended, or nothing while it runs.
    pub(super) fn check(&mut self) -> Result<(), StackError> {
        if self.id.is_alive() {
            return Ok(());
        }
        let status = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
        Err(ended(self.kind, status.map_or_else(|| "unexpectedly".to_owned(), describe), &self.log))
    }

    /// Waits for the server to end by itself, which it never should.
    pub(super) async fn died(&mut self) -> StackError {
        let how = match &mut self.child {
            Some(child) => child.wait().await.map_or_else(|error| error.to_string(), describe),
            None => {
                while self.id.is_alive() {
                    sleep(WATCH).await;
                }
                "unexpectedly".to_owned()
            }
        };
        ended(self.kind, how, &self.log)
    }

    /// Stops the server and waits until it is gone.
    pub(super) async fn stop(mut self) -> Result<(), StackError> {
        stop(self.kind, &[self.id]).await?;
        if let Some(child) = &mut self.child {
            // Already ended; this only collects the exit status.
            let _ = child.wait().await;
        }
        Ok(())
    }

    /// Probes until the server answers; fails when it ends or takes too long.
    pub(super) async fn wait_ready<F: Future<Output = Probe>>(
        &mut self,
        timeout: Duration,
        probe: impl Fn() -> F,
    ) -> Result<(), StackError> {
        let deadline = Instant::now() + timeout;
        loop {
            match probe().await {
                Probe::Ready => return Ok(()),
                Probe::NotYet => {}
                Probe::Never(error) => return Err(error),
            }
            self.check()?;
            if Instant::now() >= deadline {
                return Err(StackError::NotReady {
                    name: self.kind.name,
                    waited: timeout,
                    log: self.log.path.clone(),
                    tail: self.log.tail(),
                });
            }
            sleep(POLL).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing is left to tell of an error: whoever starts the stack next will find the server and deal with it.
        if let Some((signal, _)) = self.kind.stop.first() {
            let _ = self.id.signal(*signal);
        }
    }
}

/// What a probe of a starting server found.
#[derive(Debug)]
pub(super) enum Probe {
    Ready,
    NotYet,
    /// Waiting longer cannot help.
    Never(StackError),
}

/// Tells how a process ended.
pub(super) fn describe(status: ExitStatus) -> String {
    status.to_string()
}

/// The error for a program that ended.
pub(super) fn ended(kind: &'static Kind, how: String, log: &Log) -> StackError {
    StackError::Ended { name: kind.name, how, log: log.path.clone(), tail: log.tail() }
}
