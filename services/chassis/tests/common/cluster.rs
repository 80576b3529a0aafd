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
        assert!(done.expect("pg_ctl").success(), "pg_ctl {arguments:?} failed");
    }
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
