//! What it was measured on, in general terms.

use crate::options::Options;
use anyhow::{Context, Result};
use serde::Serialize;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Facts that figures depend on.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) postgres: String,
    pub(crate) nats: String,
    pub(crate) fdatasync_per_second: Option<f64>,
    pub(crate) commit: String,
    pub(crate) date: String,
}

impl Machine {
    /// Looks at this machine; `scratch` is on the disk that is written to.
    pub(crate) fn look(options: &Options, scratch: &Path) -> Result<Self> {
        let info = fs::read_to_string("/proc/cpuinfo")?;
        let processor = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        // A tree without git, or without its history, is measured all the same.
        let git = |args: &[&str]| said(Command::new("git").args(args)).ok();
        let changed =
            git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|out| !out.is_empty());
        let commit =
            git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "an unknown commit".to_owned());
        Ok(Self {
            processor: processor.map(|(_, model)| model.to_owned()).unwrap_or_default(),
            cores: std::thread::available_parallelism()?.get(),
            postgres: said(Command::new(options.pg_bin.join("postgres")).arg("--version"))?,
            nats: said(Command::new(&options.nats_server).arg("--version"))?,
            fdatasync_per_second: fdatasync(options, scratch),
            commit: if changed { format!("{commit} with changes") } else { commit },
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, postgres, nats, commit, date, .. } = self;
        write!(f, "{date}, commit {commit}: {cores} cores of {processor}, {postgres}, {nats}")?;
        let rate = self.fdatasync_per_second;
        rate.map_or(Ok(()), |rate| write!(f, ", {rate:.0} fdatasync a second"))
    }
}

/// What a program prints in one line.
fn said(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?} cannot be run"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// How often the disk takes an 8 KiB write for good; `None` where `pg_test_fsync` is not there.
fn fdatasync(options: &Options, scratch: &Path) -> Option<f64> {
    let mut command = Command::new(options.pg_bin.join("pg_test_fsync"));
    command.args(["--secs-per-test", "1", "--filename"]).arg(scratch.join("fsync"));
    let said = said(&mut command).ok()?;
    // The first line with this name is of one 8 KiB write.
    let line = said.lines().find_map(|line| line.trim().strip_prefix("fdatasync"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
