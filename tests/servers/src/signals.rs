//! Signals, and who is there to take them.

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;

/// A process that is stopped until this is dropped, so that a failed test leaves none frozen.
#[derive(Debug)]
pub struct Frozen(i32);

impl Frozen {
    /// Stops it. It executes nothing from now on; what is sent to it waits in its socket.
    #[must_use]
    pub fn stop(pid: i32) -> Self {
        send(Signal::SIGSTOP, pid);
        Self(pid)
    }

    /// Lets it go on.
    pub fn thaw(self) {}
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // It may have ended meanwhile.
        let _ = kill(Pid::from_raw(self.0), Signal::SIGCONT);
    }
}

/// Sends a signal. A process that is gone is none the worse for it.
pub(crate) fn send(signal: Signal, pid: i32) {
    let sent = kill(Pid::from_raw(pid), signal);
    assert!(matches!(sent, Ok(()) | Err(Errno::ESRCH)), "{pid} takes no {signal}: {sent:?}");
}

/// Whether it runs, or could.
pub(crate) fn is_alive(pid: i32) -> bool {
    state_and_parent(pid).is_some_and(|(state, _)| state != "Z" && state != "X")
}

/// Those that a process has started.
pub(crate) fn children(of: i32) -> Vec<i32> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| state_and_parent(*pid).is_some_and(|(_, parent)| parent == of)).collect()
}

fn state_and_parent(pid: i32) -> Option<(String, i32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name in brackets may hold anything.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}
