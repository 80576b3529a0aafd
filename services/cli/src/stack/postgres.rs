//! The private PostgreSQL of a stack: made once, started, adopted after its supervisor was killed.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::time::timeout;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use super::StackOptions;
use super::error::{Context, StackError};
use super::layout::{self, Layout, RecordFile};
use super::ports;
use super::process::{self, Found, Kind, Launch, Log, Probe, Server};

/// The superuser of a stack's cluster.
pub(super) const USER: &str = "concord";

/// SIGINT ends sessions and writes a checkpoint; SIGTERM would wait for clients. SIGQUIT leaves the rest to recovery.
pub(super) const KIND: Kind = Kind {
    name: "PostgreSQL",
    stop: &[
        (Signal::SIGINT, Duration::from_secs(30)),
        (Signal::SIGQUIT, Duration::from_secs(5)),
        (Signal::SIGKILL, Duration::from_secs(5)),
    ],
};

/// What a killed postmaster leaves: SIGINT would only break off a query there.
const BACKENDS: Kind = Kind {
    name: "PostgreSQL without its postmaster",
    stop: &[(Signal::SIGQUIT, Duration::from_secs(2)), (Signal::SIGKILL, Duration::from_secs(5))],
};

const INITDB: Kind = Kind { name: "initdb", stop: &[(Signal::SIGKILL, Duration::from_secs(5))] };

/// Every setting that differs from PostgreSQL's default or that must not be changed, with the reason. They are given on the
/// command line, so neither `postgresql.conf` nor `ALTER SYSTEM` overrides them.
const SETTINGS: &[(&str, &str, &str)] = &[
    ("fsync", "on", "PostgreSQL is the system of record: what was acknowledged survives a power cut"),
    ("synchronous_commit", "on", "a commit is answered only when it is on disk"),
    ("full_page_writes", "on", "a page torn by a crash is repaired"),
    ("wal_compression", "off", "the commit path is short of processor time, not of disk"),
    ("shared_buffers", "256MB", "holds the working set of a local stack; modest on a laptop"),
    ("max_wal_size", "4GB", "a bulk load is not slowed by checkpoints that volume forces"),
    ("max_connections", "100", "the pools of all services, with room for people"),
    ("jit", "off", "compiling a query takes longer than any query here runs"),
    ("logging_collector", "off", "the log is the server's own output, in a file that is already open"),
    ("log_min_duration_statement", "-1", "statements hold personal data, which has no place in a log"),
    ("log_timezone", "UTC", "one clock for every log"),
    ("timezone", "UTC", "one clock for every session"),
    ("listen_addresses", "127.0.0.1", "nobody else's business"),
    ("unix_socket_permissions", "0700", "only the user who runs the stack, and root"),
    ("cluster_name", "concord", "names the processes in `ps`"),
];

/// A PostgreSQL that answers.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) server: Server,
    pub(super) access: Access,
}

/// What a client needs to know.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) socket_directory: PathBuf,
    pub(super) port: u16,
    pub(super) password: String,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Access {
    /// Connects as superuser through the socket.
    pub(super) fn config(&self) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(&self.socket_directory)
            .port(self.port)
            .user(USER)
            .password(&self.password)
            .dbname("postgres")
            .application_name("concord stack")
            .connect_timeout(Duration::from_secs(5));
        config
    }

    /// The address of a database by way of the socket, which costs each exchange less than TCP does.
    pub(super) fn url(&self, database: &str) -> String {
        let host = percent_encoded(&self.socket_directory);
        format!("postgres://{USER}:{}@{host}:{}/{database}", self.password, self.port)
    }

    /// The address by way of TCP, without a database.
    pub(super) fn tcp_url_base(&self) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}", self.password, self.port)
    }
}

/// Starts the cluster, making it first if there is none, or adopts a postmaster that a killed supervisor left.
pub(super) async fn start(
    layout: &Layout,
    record: &RecordFile,
    options: &StackOptions,
    bin: &Path,
) -> Result<Running, StackError> {
    sweep_stagings(layout).await?;
    if fs::symlink_metadata(layout.cluster()).is_err() {
        init(layout, bin).await?;
    }
    let data = layout.data();
    layout.give_tree_to_servers(&data)?;
    let secret = layout.password_file();
    let password = fs::read_to_string(&secret).context("read", &secret)?.trim().to_owned();

    let found = servers(layout);
    if let Some(running) = adopt(layout, record, bin, &found, &password).await {
        tracing::info!(
            pid = running.server.id.pid,
            port = running.access.port,
            "PostgreSQL runs already; adopted it"
        );
        return Ok(running);
    }
    stop_servers(layout).await?;
    remove_recycled_pid_file(&data)?;
    if let Some(old) = &record.get().socket_directory {
        layout.remove_socket_directory(old);
    }
    let socket_directory = layout.make_socket_directory()?;
    let started = start_on_a_free_port(layout, record, options, bin, &socket_directory, &password).await;
    if started.is_err() {
        layout.remove_socket_directory(&socket_directory);
    }
    started
}

async fn start_on_a_free_port(
    layout: &Layout,
    record: &RecordFile,
    options: &StackOptions,
    bin: &Path,
    socket_directory: &Path,
    password: &str,
) -> Result<Running, StackError> {
    for attempt in 0..ports::ATTEMPTS {
        let preferred = record.get().postgres.port.filter(|_| attempt == 0);
        let port = ports::free(KIND.name, preferred)?;
        let access =
            Access { socket_directory: socket_directory.to_owned(), port, password: password.to_owned() };
        match launch(layout, record, options, bin, access).await {
            Err(StackError::Ended { tail, .. }) if tail.contains("Address already in use") => {
                tracing::info!(port, "the port was taken in the meantime; trying another");
            }
            other => return other,
        }
    }
    Err(StackError::NoPort { name: KIND.name, attempts: ports::ATTEMPTS })
}

/// The postmaster of this cluster first, then every other process of it.
pub(super) fn servers(layout: &Layout) -> Vec<Found> {
    let data = layout.data();
    // Every process of PostgreSQL works in the data directory. A shell that happens to be there goes by another name.
    let mut found = process::working_in(&data);
    found.retain(|process| process.name == "postgres");
    let postmaster = postmaster_pid(&data);
    found.sort_by_key(|process| postmaster != Some(process.id.pid));
    found
}

/// Stops all processes of this cluster, if any: the postmaster ends its own in the right order, and those without one are
/// ended directly. A backend that outlived its postmaster would keep a new one from starting.
pub(super) async fn stop_servers(layout: &Layout) -> Result<(), StackError> {
    let found = servers(layout);
    let Some(first) = found.first() else {
        return Ok(());
    };
    tracing::info!(processes = found.len(), "stopping a PostgreSQL that an earlier run left");
    if postmaster_pid(&layout.data()) == Some(first.id.pid) {
        process::stop_found(&KIND, &found[..1]).await?;
    }
    // It may have been about to die of a SIGKILL, so look again.
    process::stop_found(&BACKENDS, &servers(layout)).await
}

/// Makes the cluster under another name and renames it, so that a kill in between leaves no half-made one.
async fn init(layout: &Layout, bin: &Path) -> Result<(), StackError> {
    tracing::info!(cluster = %layout.cluster().display(), "making a PostgreSQL cluster");
    let staging = layout.staging()?;
    let data = staging.path().join("data");
    let secret = staging.path().join("password");
    layout.write_for_servers(&secret, &new_password()?)?;

    let arguments = [
        format!("--pgdata={}", data.display()),
        format!("--username={USER}"),
        format!("--pwfile={}", secret.display()),
        // PostgreSQL may run as another account than its clients, so the owner of a socket proves nothing.
        "--auth=scram-sha-256".to_owned(),
        "--encoding=UTF8".to_owned(),
        "--locale=C.UTF-8".to_owned(),
        // Text sorts by its bytes: fast, and the same on every machine, so that an upgrade of libc spoils no index.
        "--lc-collate=C".to_owned(),
        "--lc-messages=C".to_owned(),
        "--no-instructions".to_owned(),
    ];
    let program = bin.join("initdb");
    let launch = Launch {
        program: &program,
        arguments: &arguments,
        working_directory: staging.path(),
        account: layout.account.as_ref(),
    };
    let (log, file) = Log::open(layout.log("initdb"))?;
    layout.hand_over(&log.path)?;
    let status = launch.spawn(&file, true)?.wait().await.context("wait for", &program)?;
    if !status.success() {
        return Err(process::ended(&INITDB, process::describe(status), &log));
    }
    // initdb has synced the data; the rest is ours to sync.
    layout::sync_directory(staging.path())?;
    let cluster = layout.cluster();
    let staged = staging.keep();
    fs::rename(&staged, &cluster).context("rename the new cluster to", &cluster)?;
    layout::sync_directory(&layout.home)
}

/// Deletes the half-made clusters that killed starts left, and ends the initdb that may still be at it.
pub(super) async fn sweep_stagings(layout: &Layout) -> Result<(), StackError> {
    for staging in layout.stagings() {
        let mut at_it = process::working_in(&staging);
        at_it.retain(|process| matches!(process.name.as_str(), "initdb" | "postgres" | "sh"));
        process::stop_found(&INITDB, &at_it).await?;
        fs::remove_dir_all(&staging).context("delete", &staging)?;
    }
    Ok(())
}

/// Takes over a healthy postmaster that was started exactly as we would start it. Anything less is not certain enough.
async fn adopt(
    layout: &Layout,
    record: &RecordFile,
    bin: &Path,
    found: &[Found],
    password: &str,
) -> Option<Running> {
    let postmaster = found.first()?;
    let record = record.get();
    let access = Access {
        socket_directory: record.socket_directory?,
        port: record.postgres.port?,
        password: password.to_owned(),
    };
    let program = bin.join("postgres");
    let data = layout.data();
    let arguments = arguments(&data, &access);
    let launch = Launch { program: &program, arguments: &arguments, working_directory: &data, account: None };
    let same = record.postgres.process == Some(postmaster.id)
        && postmaster_pid(&data) == Some(postmaster.id.pid)
        && postmaster.argv == launch.argv()
        && !postmaster.replaced;
    let healthy = same && matches!(probe(&access, layout).await, Probe::Ready);
    healthy.then(|| Running { server: Server::adopt(&KIND, postmaster.id, layout.log("postgres")), access })
}

async fn launch(
    layout: &Layout,
    record: &RecordFile,
    options: &StackOptions,
    bin: &Path,
    access: Access,
) -> Result<Running, StackError> {
    let program = bin.join("postgres");
    let data = layout.data();
    let arguments = arguments(&data, &access);
    let launch = Launch {
        program: &program,
        arguments: &arguments,
        working_directory: &data,
        account: layout.account.as_ref(),
    };
    let mut server = Server::start(&KIND, &launch, layout.log("postgres"))?;
    layout.hand_over(&server.log.path)?;
    record.update(layout, |record| {
        record.socket_directory = Some(access.socket_directory.clone());
        record.postgres.process = Some(server.id);
        record.postgres.port = Some(access.port);
    })?;
    server.wait_ready(options.start_timeout, || probe(&access, layout)).await?;
    tracing::info!(pid = server.id.pid, port = access.port, "PostgreSQL is ready");
    Ok(Running { server, access })
}

fn arguments(data: &Path, access: &Access) -> Vec<String> {
    // The setting is a list, so a comma in the path needs the quotes.
    let socket_directory = access.socket_directory.display().to_string().replace('"', "\"\"");
    let given = [
        "-D".to_owned(),
        data.display().to_string(),
        "-p".to_owned(),
        access.port.to_string(),
        "-c".to_owned(),
        format!("unix_socket_directories=\"{socket_directory}\""),
    ];
    let settings =
        SETTINGS.iter().flat_map(|(name, value, _why)| ["-c".to_owned(), format!("{name}={value}")]);
    given.into_iter().chain(settings).collect()
}

async fn probe(access: &Access, layout: &Layout) -> Probe {
    let attempt = async {
        let (client, connection) = access.config().connect(NoTls).await?;
        let connection = tokio::spawn(connection);
        let answer = client.simple_query("SELECT 1").await;
        drop(client);
        // Leaves no session behind that a shutdown right after would have to break off.
        let _ = connection.await;
        answer.map(drop)
    };
    match timeout(Duration::from_secs(2), attempt).await {
        Ok(Ok(())) => Probe::Ready,
        Ok(Err(error)) if error.code() == Some(&SqlState::INVALID_PASSWORD) => {
            Probe::Never(StackError::Password { secret: layout.password_file() })
        }
        Ok(Err(_)) | Err(_) => Probe::NotYet,
    }
}

/// The first line of `postmaster.pid`.
fn postmaster_pid(data: &Path) -> Option<i32> {
    fs::read_to_string(data.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

/// After a crash of the machine the number in `postmaster.pid` may be that of some other process of the same user, and after a
/// kill that of a zombie nobody collects, as in a container. PostgreSQL would refuse to start for either. A number that nobody
/// has it deals with by itself.
fn remove_recycled_pid_file(data: &Path) -> Result<(), StackError> {
    let taken = postmaster_pid(data).is_some_and(|pid| Path::new("/proc").join(pid.to_string()).exists());
    if !taken {
        return Ok(());
    }
    // Whatever worked in the data directory has been stopped, so the number means nothing any more.
    let path = data.join("postmaster.pid");
    tracing::info!(path = %path.display(), "deleting a stale pid file whose number is taken");
    fs::remove_file(&path).context("delete", &path)
}

/// 256 random bits in hexadecimal.
fn new_password() -> Result<String, StackError> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0_u8; 32];
    File::open(source).and_then(|mut file| file.read_exact(&mut bytes)).context("read", source)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn percent_encoded(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    bytes
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(*byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
