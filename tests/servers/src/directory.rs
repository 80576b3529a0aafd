//! A directory that goes with this process.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Ends with its input. PostgreSQL is stopped first, so that it gives its shared memory back; then whatever else works in the
/// directory is killed.
const CLEAN_UP: &str = r#"read _
if [ -n "$0" ]; then "$0" -D "$1/pg" -m immediate stop; fi
for process in /proc/[0-9]*; do
    case "$(readlink "$process/cwd")" in
    "$1" | "$1"/*) kill -9 "${process#/proc/}" ;;
    esac
done
rm -rf "$1""#;

/// A new directory. Dropped, or with the end of this process, it is deleted, and what runs in it is ended.
pub(crate) struct Directory {
    path: PathBuf,
    /// Sees the end of this process by the end of its input, even where this process is killed.
    _keeper: Child,
}

impl Directory {
    /// One of this user, or of `owner`, by whom it is cleaned up too. `pg_ctl` stops the PostgreSQL in its folder `pg`.
    pub(crate) fn new(owner: Option<(u32, u32)>, pg_ctl: Option<&Path>) -> Self {
        let path = tempfile::Builder::new().prefix("concord-test-").tempdir().expect("a directory").keep();
        let mut keeper = Command::new("sh");
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(&path, Some(uid), Some(gid)).expect("chown");
            keeper.uid(uid).gid(gid);
        }
        // A group of its own: a Ctrl-C ends this process, and by that what is here.
        keeper
            .args(["-c", CLEAN_UP])
            .arg(pg_ctl.unwrap_or(Path::new("")))
            .arg(&path)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self { _keeper: keeper.spawn().expect("sh"), path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
