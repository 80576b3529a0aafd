//! A private nats-server with JetStream.

use crate::directory::Directory;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A server in a directory of its own, on a port that stays the same however often it is started.
pub struct Nats {
    port: u16,
    server: Option<Child>,
    directory: Directory,
}

impl Nats {
    /// Starts one.
    ///
    /// # Panics
    /// Where it cannot be started.
    #[must_use]
    pub fn start() -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let mut nats = Self { port, server: None, directory: Directory::new(None, None) };
        nats.resume();
        nats
    }

    /// Its address.
    #[must_use]
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
    ///
    /// # Panics
    /// Where it had nothing there.
    pub fn wipe(&mut self) {
        self.kill();
        std::fs::remove_dir_all(self.data()).expect("its data");
    }

    /// Where its data are.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Starts it again on what it has.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn resume(&mut self) {
        let log = std::fs::File::create(self.directory.path().join("log")).expect("its log");
        let server = Command::new(program())
            .args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-js", "-sd"])
            .arg(self.data())
            // By this the directory's keeper knows it.
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.server =
            Some(server.expect("nats-server: run `make setup`, or set CONCORD_NATS_SERVER to its path"));
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where `make setup` puts it, unless the environment names another.
fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("CONCORD_NATS_SERVER") {
        return path.into();
    }
    let local = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.concord/bin/nats-server");
    if local.exists() { local } else { "nats-server".into() }
}
