//! A private nats-server with JetStream, which ends with its handle.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A server in a directory of its own, on a port that stays the same however often it is started.
pub struct Nats {
    port: u16,
    server: Option<Child>,
    directory: tempfile::TempDir,
}

impl Nats {
    /// Starts one.
    pub fn start() -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut nats = Self { port, server: None, directory };
        nats.resume();
        nats
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills it. What it has on disk stays.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            // It may have ended by itself.
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Kills it, and deletes what it has on disk.
    pub fn wipe(&mut self) {
        self.kill();
        std::fs::remove_dir_all(self.data()).expect("its data");
    }

    /// Where its data are.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Starts it again on what it has.
    pub fn resume(&mut self) {
        let log = std::fs::File::create(self.directory.path().join("log")).expect("its log");
        let server = Command::new(binary())
            .args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-js", "-sd"])
            .arg(self.data())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.server = Some(server.expect("nats-server: set CONCORD_NATS_SERVER to its path"));
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}

fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("CONCORD_NATS_SERVER") {
        return path.into();
    }
    let local = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.concord/bin/nats-server");
    if local.exists() { local } else { "nats-server".into() }
}
