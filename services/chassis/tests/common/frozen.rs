//! A process that stands still.

use std::process::Command;

/// A process that is stopped until this is dropped, so that a failed test leaves none frozen.
pub struct Frozen(i32);

impl Frozen {
    /// Stops it. It executes nothing from now on; what is sent to it waits in its socket.
    pub fn stop(pid: i32) -> Self {
        signal("-STOP", pid);
        Self(pid)
    }

    /// Lets it go on.
    pub fn thaw(self) {}
}

impl Drop for Frozen {
    fn drop(&mut self) {
        signal("-CONT", self.0);
    }
}

fn signal(signal: &str, pid: i32) {
    // It may have ended by itself.
    let _ = Command::new("kill").args([signal, &pid.to_string()]).status();
}
