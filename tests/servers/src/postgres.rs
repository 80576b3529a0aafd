//! A private PostgreSQL cluster.

use crate::directory::Directory;
use crate::signals::{Frozen, children, is_alive, send};
use nix::sys::signal::Signal;
use nix::unistd::{Uid, User};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A cluster in a directory of its own, reached over a unix socket there.
pub struct Cluster {
    directory: Directory,
}

impl Cluster {
    /// Makes and starts one that forgets all in a crash of the machine, and gains time by that.
    ///
    /// # Panics
    /// Where that fails, as all that follows.
    #[must_use]
    pub fn start() -> Self {
        let cluster = Self::in_new_directory();
        cluster.make(
            "initdb",
            &["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D"],
        );
        cluster.set("");
        cluster.resume();
        cluster
    }

    /// Makes and starts a hot standby of this one, which calls itself `standby`.
    #[must_use]
    pub fn standby(&self) -> Self {
        let standby = Self::in_new_directory();
        let primary = self.directory().to_str().expect("UTF-8");
        standby.make("pg_basebackup", &["--no-sync", "-c", "fast", "-U", "postgres", "-h", primary, "-D"]);
        standby.set(&format!("primary_conninfo = 'host={primary} user=postgres application_name=standby'\n"));
        std::fs::write(standby.data().join("standby.signal"), "").expect("standby.signal");
        standby.resume();
        standby
    }

    fn in_new_directory() -> Self {
        Self { directory: Directory::new(owner(), Some(&program("pg_ctl"))) }
    }

    /// Runs the program that makes the data directory, which is its last argument.
    fn make(&self, name: &str, arguments: &[&str]) {
        let made = self.command(name).args(arguments).arg(self.data()).stderr(Stdio::piped()).output();
        let made = made.unwrap_or_else(|error| panic!("{name}: {error}; `make setup` installs it"));
        assert!(made.status.success(), "{name} failed: {}", String::from_utf8_lossy(&made.stderr));
    }

    fn set(&self, settings: &str) {
        let own = format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\nfsync = off\nmax_connections = 200\n{settings}",
            self.directory().display()
        );
        std::fs::write(self.data().join("postgresql.auto.conf"), own).expect("settings");
    }

    fn data(&self) -> PathBuf {
        self.directory().join("pg")
    }

    /// Makes a primary of a standby.
    pub fn promote(&self) {
        self.control(&["promote"]);
    }

    /// Keeps a copy of all data. The server must be stopped.
    pub fn back_up(&self) {
        self.copy("pg", "backup");
    }

    /// Puts the data back as they were when the copy was made. The server must be stopped.
    pub fn restore(&self) {
        self.copy("backup", "pg");
    }

    fn copy(&self, from: &str, to: &str) {
        let (from, to) = (self.directory().join(from), self.directory().join(to));
        let _ = std::fs::remove_dir_all(&to);
        crate::copy_tree(&from, &to);
    }

    /// Where its socket is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Stops the server; connections break.
    pub fn stop(&self) {
        self.control(&["-m", "fast", "stop"]);
    }

    /// Stops the postmaster: who connects is not answered.
    #[must_use]
    pub fn freeze(&self) -> Frozen {
        Frozen::stop(self.postmaster())
    }

    /// Kills every process of it at once, as the end of the machine would, and waits until they are gone.
    pub fn kill(&self) {
        let postmaster = self.postmaster();
        // Stopped first, so that it neither starts more of them nor tells those that are left to end in good order.
        send(Signal::SIGSTOP, postmaster);
        let mut processes = children(postmaster);
        processes.push(postmaster);
        for pid in &processes {
            send(Signal::SIGKILL, *pid);
        }
        while processes.iter().any(|pid| is_alive(*pid)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        // Where nobody collects the dead their numbers stay taken, and it would not start.
        for file in [self.pid_file(), self.directory().join(".s.PGSQL.5432.lock")] {
            std::fs::remove_file(file).expect("a file with the number of the dead");
        }
    }

    fn pid_file(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }

    fn postmaster(&self) -> i32 {
        let file = std::fs::read_to_string(self.pid_file()).expect("a running cluster");
        file.lines().next().and_then(|line| line.parse().ok()).expect("the postmaster's number")
    }

    /// Starts it again where it left off.
    pub fn resume(&self) {
        let log = self.directory().join("log");
        self.control(&["-l", log.to_str().expect("UTF-8"), "start"]);
    }

    /// Address of a database of this cluster.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("host={} user=postgres dbname={database}", self.directory().display())
    }

    fn control(&self, arguments: &[&str]) {
        let done = self.command("pg_ctl").args(["-w", "-s", "-D"]).arg(self.data()).args(arguments).status();
        let log = std::fs::read_to_string(self.directory().join("log")).unwrap_or_default();
        assert!(done.expect("pg_ctl").success(), "pg_ctl {arguments:?} failed: {log}");
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        if let Some((uid, gid)) = owner() {
            command.uid(uid).gid(gid);
        }
        command
            .current_dir(self.directory())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}

/// PostgreSQL does not run as root: there it runs as the user `postgres`.
fn owner() -> Option<(u32, u32)> {
    if !Uid::effective().is_root() {
        return None;
    }
    let user = User::from_name("postgres").expect("the list of users");
    let user = user.expect("a user postgres; PostgreSQL's package makes it, and `make setup` installs that");
    Some((user.uid.as_raw(), user.gid.as_raw()))
}

/// Of `CONCORD_PG_BIN`, else of the newest PostgreSQL that Debian has installed, else by its name.
fn program(name: &str) -> PathBuf {
    if let Some(directory) = std::env::var_os("CONCORD_PG_BIN") {
        return Path::new(&directory).join(name);
    }
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let versions = installed.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin").join(name)))
    });
    versions.filter(|(_, path)| path.exists()).max().map_or_else(|| name.into(), |(_, path)| path)
}
