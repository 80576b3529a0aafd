//! The private nats-server of a stack, with JetStream.

use std::ffi::OsStr;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::StackOptions;
use super::error::{Context, StackError};
use super::layout::{self, Layout, RecordFile};
use super::ports;
use super::process::{self, Found, Kind, Launch, Probe, Server};

pub(super) const KIND: Kind = Kind {
    name: "nats-server",
    stop: &[(Signal::SIGTERM, Duration::from_secs(20)), (Signal::SIGKILL, Duration::from_secs(5))],
};

const CONFIG_OPTION: &str = "--config";
/// The greeting is about half a kilobyte; whatever sends more is not nats-server.
const INFO_BYTES_MAX: u64 = 64 * 1024;

/// A nats-server that answers.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) server: Server,
    pub(super) port: u16,
}

/// The address for clients.
pub(super) fn url(port: u16) -> String {
    format!("nats://127.0.0.1:{port}")
}

/// Starts nats-server, or adopts the one that a killed supervisor left.
pub(super) async fn start(
    layout: &Layout,
    record: &RecordFile,
    options: &StackOptions,
    program: PathBuf,
) -> Result<Running, StackError> {
    let program = within_reach(layout, program)?;
    layout.give_tree_to_servers(&layout.nats_store())?;

    let found = servers(layout);
    if let Some(running) = adopt(layout, record, &program, &found).await {
        tracing::info!(
            pid = running.server.id.pid,
            port = running.port,
            "nats-server runs already; adopted it"
        );
        return Ok(running);
    }
    if !found.is_empty() {
        tracing::info!(processes = found.len(), "stopping a nats-server that an earlier run left");
        process::stop_found(&KIND, &found).await?;
    }
    for attempt in 0..ports::ATTEMPTS {
        let preferred = record.get().nats.port.filter(|_| attempt == 0);
        let port = ports::free(KIND.name, preferred)?;
        match launch(layout, record, options, &program, port).await {
            Err(StackError::Ended { tail, .. }) if tail.contains("address already in use") => {
                tracing::info!(port, "the port was taken in the meantime; trying another");
            }
            other => return other,
        }
    }
    Err(StackError::NoPort { name: KIND.name, attempts: ports::ATTEMPTS })
}

/// The nats-server that works on this stack's streams.
pub(super) fn servers(layout: &Layout) -> Vec<Found> {
    let mut found = process::working_in(&layout.nats_store());
    found.retain(|process| process.argv.get(1).is_some_and(|argument| argument == OsStr::new(CONFIG_OPTION)));
    found
}

/// A program that the servers' account cannot reach, as one in root's home, is copied to where it can.
fn within_reach(layout: &Layout, program: PathBuf) -> Result<PathBuf, StackError> {
    let Some(account) = &layout.account else {
        return Ok(program);
    };
    // The folder on the way decides; the program itself is judged by the same bits.
    if layout::reachable(&program, account) {
        return Ok(program);
    }
    let copy = layout.nats().join("nats-server");
    let content = fs::read(&program).context("read", &program)?;
    if fs::read(&copy).is_ok_and(|present| present == content) {
        return Ok(copy);
    }
    // Renamed into place, because a program that runs cannot be written.
    layout::write_private(&copy, &content)?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).context("set the mode of", &copy)?;
    Ok(copy)
}

async fn adopt(layout: &Layout, record: &RecordFile, program: &Path, found: &[Found]) -> Option<Running> {
    let [process] = found else { return None };
    let record = record.get();
    let port = record.nats.port?;
    let arguments = arguments(layout);
    let store = layout.nats_store();
    let launch = Launch { program, arguments: &arguments, working_directory: &store, account: None };
    let same = record.nats.process == Some(process.id)
        && process.argv == launch.argv()
        && !process.replaced
        // The file is written only before a start, so the server read what it holds now.
        && fs::read_to_string(config_file(layout)).is_ok_and(|present| present == config(layout, port));
    let healthy = same && matches!(probe(port, &layout.instance()).await, Probe::Ready);
    healthy.then(|| Running { server: Server::adopt(&KIND, process.id, layout.log("nats")), port })
}

async fn launch(
    layout: &Layout,
    record: &RecordFile,
    options: &StackOptions,
    program: &Path,
    port: u16,
) -> Result<Running, StackError> {
    layout.write_for_servers(&config_file(layout), &config(layout, port))?;
    let arguments = arguments(layout);
    let store = layout.nats_store();
    let launch = Launch {
        program,
        arguments: &arguments,
        working_directory: &store,
        account: layout.account.as_ref(),
    };
    let mut server = Server::start(&KIND, &launch, layout.log("nats"))?;
    layout.hand_over(&server.log.path)?;
    record.update(layout, |record| {
        record.nats.process = Some(server.id);
        record.nats.port = Some(port);
    })?;
    let instance = layout.instance();
    server.wait_ready(options.start_timeout, || probe(port, &instance)).await?;
    tracing::info!(pid = server.id.pid, port, "nats-server is ready");
    Ok(Running { server, port })
}

fn config_file(layout: &Layout) -> PathBuf {
    layout.nats().join("server.conf")
}

fn arguments(layout: &Layout) -> Vec<String> {
    vec![CONFIG_OPTION.to_owned(), config_file(layout).display().to_string()]
}

/// Transport only: PostgreSQL is the truth and refills what JetStream loses, so its interval of syncing stays as it is.
fn config(layout: &Layout, port: u16) -> String {
    let store = serde_json::Value::from(layout.nats_store().display().to_string());
    format!(
        "# Written by `concord up` before each start; changes here are lost.\n\
         server_name: {}\n\
         listen: \"127.0.0.1:{port}\"\n\
         jetstream {{\n  store_dir: {store}\n}}\n",
        layout.instance()
    )
}

/// What nats-server says of itself to whoever connects.
#[derive(Debug, Deserialize)]
struct Info {
    server_name: String,
    #[serde(default)]
    jetstream: bool,
}

/// Reads the greeting, and checks that it is this stack's server and not another that took the port.
async fn probe(port: u16, instance: &str) -> Probe {
    match timeout(Duration::from_secs(2), read_info(port)).await {
        Ok(Some(info)) if info.server_name == instance && info.jetstream => Probe::Ready,
        _ => Probe::NotYet,
    }
}

async fn read_info(port: u16) -> Option<Info> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
    let mut line = String::new();
    BufReader::new(stream).take(INFO_BYTES_MAX).read_line(&mut line).await.ok()?;
    serde_json::from_str(line.strip_prefix("INFO ")?).ok()
}
