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
        let directory = tempfile::tempdir().expect("a temporary directory").keep();
        if let Some((uid, gid)) = owner() {
            std::os::unix::fs::chown(&directory, Some(uid), Some(gid)).expect("chown");
        }
        let made = program(&directory, "initdb")
            .args(["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D"])
            .arg(directory.join("pg"))
            .status();
        assert!(made.expect("initdb").success(), "initdb failed");
        let settings = format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\nfsync = {fsync}\nmax_connections = 200\n",
            directory.display()
        );
        std::fs::write(directory.join("pg/postgresql.auto.conf"), settings).expect("settings");
        let mut keeper = as_owner(&directory, Command::new("sh"));
        keeper
            .args(["-c", r#"read _; "$0" -D "$1/pg" -m immediate stop; cd /; rm -rf "$1""#])
            .arg(program(&directory, "pg_ctl").get_program())
            .arg(&directory)
            .stdin(Stdio::piped());
        let cluster = Self { _keeper: keeper.spawn().expect("sh"), directory };
        cluster.resume();
        cluster
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
            .arg(self.directory.join("pg"))
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
