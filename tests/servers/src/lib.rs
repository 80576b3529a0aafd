//! Private PostgreSQL clusters and nats-servers for tests: real ones, in temporary directories, on addresses that nobody else
//! uses. They end with the process that started them, however that ends: a panic, an abort, a SIGKILL.
//!
//! Beside PostgreSQL and nats-server it takes nothing for granted but a shell and the core utilities, which every Debian has.
//! Signals go out by system call.

mod directory;
mod nats;
mod postgres;
mod signals;

pub use nats::Nats;
pub use postgres::Cluster;
pub use signals::Frozen;

use std::path::Path;
use std::process::Command;

/// Copies a folder and all that is in it, with owners and times.
///
/// # Panics
/// Where that fails.
pub fn copy_tree(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.expect("cp").success(), "copying {} failed", from.display());
}
