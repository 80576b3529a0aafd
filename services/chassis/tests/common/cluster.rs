//! A private PostgreSQL cluster, which ends with the process that started it, however that ends.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A cluster in a directory of its own, reached over a unix socket there.
pub struct Cluster {
    directory: PathBuf,
    /// Waits for the end of its input, which is the end of this process; then stops the cluster and cleans up.
    _keeper: Child,
}

impl Cluster {
    /// Makes and starts one. `fsync` makes it durable, as for measurements.
    pub fn start(fsync: bool) -> Self {
        let cluster = Self::in_new_directory();
        cluster.make(
            "initdb",
            &["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D"],
        );
        cluster.set(&format!("fsync = {fsync}\nmax_connections = 200\n"));
        cluster.resume();
        cluster
    }

    /// Makes and starts a hot standby of this one, which calls itself `standby`.
    pub fn standby(&self) -> Self {
        let standby = Self::in_new_directory();
        let primary = self.directory.to_str().expect("UTF-8");
        standby.make("pg_basebackup", &["--no-sync", "-c", "fast", "-U", "postgres", "-h", primary, "-D"]);
        standby.set(&format!(
            "fsync = off\nmax_connections = 200\n\
             primary_conninfo = 'host={primary} user=postgres application_name=standby'\n"
        ));
        std::fs::write(standby.data().join("standby.signal"), "").expect("standby.signal");
        standby.resume();
        standby
    }

    fn in_new_directory() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory").keep();
        if let Some((uid, gid)) = owner() {
            std::os::unix::fs::chown(&directory, Some(uid), Some(gid)).expect("chown");
        }
        let mut keeper = as_owner(&directory, Command::new("sh"));
        keeper
            .args(["-c", r#"read _; "$0" -D "$1/pg" -m immediate stop; cd /; rm -rf "$1""#])
            .arg(program(&directory, "pg_ctl").get_program())
            .arg(&directory)
            .stdin(Stdio::piped());
        Self { _keeper: keeper.spawn().expect("sh"), directory }
    }

    /// Runs the program that makes the data directory, which is its last argument.
    fn make(&self, name: &str, arguments: &[&str]) {
        let made = program(&self.directory, name).args(arguments).arg(self.data()).status();
        assert!(made.unwrap_or_else(|_| panic!("{name}")).success(), "{name} failed");
    }

    fn set(&self, settings: &str) {
        let own = format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\n{settings}",
            self.directory.display()
        );
        std::fs::write(self.data().join("postgresql.auto.conf"), own).expect("settings");
    }

    fn data(&self) -> PathBuf {
        self.directory.join("pg")
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
        let _ = std::fs::remove_dir_all(self.directory.join(to));
        let copied = as_owner(&self.directory, Command::new("cp")).args(["-a", from, to]).status();
        assert!(copied.expect("cp").success(), "copying {from} failed");
    }

    /// Where its socket is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Stops the server; connections break.
    pub fn stop(&self) {
        self.control(&["-m", "fast", "stop"]);
    }

    /// Kills every process of it at once, as the end of the machine would, and waits until they are gone.
    pub fn kill(&self) {
        let pid_file = self.directory.join("pg/postmaster.pid");
        let first_line = std::fs::read_to_string(&pid_file).expect("a running cluster");
        let postmaster = first_line.lines().next().unwrap_or_default().to_owned();
        // Stopped first, so that it neither starts more of them nor tells those that are left to end in good order.
        signal("-STOP", &postmaster);
        let mut processes = children(&postmaster);
        processes.push(postmaster);
        for pid in &processes {
            signal("-KILL", pid);
        }
        while processes.iter().any(|pid| is_alive(pid)) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        // Where nobody collects the dead their numbers stay taken, and it would not start.
        for file in [pid_file, self.directory.join(".s.PGSQL.5432.lock")] {
            std::fs::remove_file(file).expect("a file with the number of the dead");
        }
    }

    /// Starts it again where it left off.
    pub fn resume(&self) {
        let log = self.directory.join("log");
        self.control(&["-l", log.to_str().expect("UTF-8"), "start"]);
    }

    /// Address of a database of this cluster.
    pub fn url(&self, database: &str) -> String {
        format!("host={} user=postgres dbname={database}", self.directory.display())
    }

    fn control(&self, arguments: &[&str]) {
        let done = program(&self.directory, "pg_ctl")
            .args(["-w", "-s", "-D"])
            .arg(self.data())
            .args(arguments)
            .status();
        let log = std::fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        assert!(done.expect("pg_ctl").success(), "pg_ctl {arguments:?} failed: {log}");
    }
}

fn signal(signal: &str, pid: &str) {
    let sent = Command::new("kill").args([signal, pid]).stderr(Stdio::null()).status();
    // One that is told to die may have ended by itself.
    assert!(sent.expect("kill").success() || !is_alive(pid), "{pid} takes no {signal}");
}

/// State and parent of a process.
fn state_and_parent(pid: &str) -> Option<(String, String)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name in brackets may hold anything.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().map(str::to_owned);
    Some((fields.next()?, fields.next()?))
}

fn children(of: &str) -> Vec<String> {
    let pids = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().into_string().ok());
    pids.filter(|pid| state_and_parent(pid).is_some_and(|(_, parent)| parent == of)).collect()
}

fn is_alive(pid: &str) -> bool {
    state_and_parent(pid).is_some_and(|(state, _)| state != "Z" && state != "X")
}

fn program(directory: &Path, name: &str) -> Command {
    let debian = Path::new("/usr/lib/postgresql/15/bin").join(name);
    as_owner(directory, Command::new(if debian.exists() { debian } else { name.into() }))
}

fn as_owner(directory: &Path, mut command: Command) -> Command {
    if let Some((uid, gid)) = owner() {
        command.uid(uid).gid(gid);
    }
    command.current_dir(directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// PostgreSQL does not run as root: there it runs as the user `postgres`.
fn owner() -> Option<(u32, u32)> {
    if Path::new("/proc/self").metadata().ok()?.uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
