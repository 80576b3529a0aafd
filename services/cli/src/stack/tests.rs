//! Real processes: each test has its own stack in a temporary directory.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio_postgres::NoTls;

use super::process::ProcessId;
use super::*;

type TestResult = Result<(), Box<dyn Error>>;

impl Stack {
    /// What SIGKILL of the supervisor leaves: both servers, and nobody who holds the lock.
    fn killed(self) -> [ProcessId; 2] {
        let Self { postgres, nats, lock, .. } = self;
        let ids = [postgres.id, nats.id];
        // Forgotten without their lock, which the kernel would release.
        std::mem::forget((postgres, nats));
        drop(lock);
        ids
    }
}

fn directory() -> Result<(TempDir, StackOptions), Box<dyn Error>> {
    let parent = tempfile::tempdir()?;
    // Under root another account must get through.
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o755))?;
    Ok((parent, StackOptions::from_env()))
}

async fn query(url: &str, statements: &str) -> Result<Option<String>, Box<dyn Error>> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let answer = client.simple_query(statements).await?;
    Ok(answer.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    }))
}

fn nats_greeting(url: &str) -> Result<serde_json::Value, Box<dyn Error>> {
    let stream = TcpStream::connect(url.trim_start_matches("nats://"))?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(serde_json::from_str(line.strip_prefix("INFO ").ok_or("no INFO line")?)?)
}

#[tokio::test]
async fn a_stack_keeps_its_data_and_its_addresses_across_a_stop() -> TestResult {
    let (parent, options) = directory()?;
    let dir = parent.path().join("project with a space, a comma/.concord");
    assert_eq!(status(&dir)?.state, StackState::Absent);

    let stack = Stack::start(&dir, &options).await?;
    let url = stack.ensure_database("fund-grant").await?;
    assert_eq!(stack.ensure_database("fund-grant").await?, url, "a repeat is no error");
    query(&url, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('迁移')").await?;
    let by_tcp = format!("{}/fund-grant", stack.database_url_base);
    assert_eq!(query(&by_tcp, "SELECT word FROM kept").await?.as_deref(), Some("迁移"));
    for (setting, value) in
        [("fsync", "on"), ("synchronous_commit", "on"), ("lc_collate", "C"), ("jit", "off")]
    {
        assert_eq!(query(&url, &format!("SHOW {setting}")).await?.as_deref(), Some(value), "{setting}");
    }
    let greeting = nats_greeting(&stack.nats_url)?;
    assert_eq!((&greeting["jetstream"], &greeting["host"]), (&true.into(), &"127.0.0.1".into()));
    let supervisor_pid = i32::try_from(std::process::id()).ok();
    assert_eq!(status(&dir)?.state, StackState::Running { supervisor_pid });
    let nats_url = stack.nats_url.clone();
    stack.stop().await?;
    assert_eq!(status(&dir)?.state, StackState::Stopped);
    assert!(nats_greeting(&nats_url).is_err(), "nats-server is gone");

    let stack = Stack::start(&dir, &options).await?;
    assert_eq!((stack.ensure_database("fund-grant").await?, &stack.nats_url), (url.clone(), &nats_url));
    assert_eq!(query(&url, "SELECT word FROM kept").await?.as_deref(), Some("迁移"));
    stack.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_stack_starts_again_after_a_kill_of_any_of_its_processes() -> TestResult {
    let (parent, options) = directory()?;
    let dir = parent.path().join(".concord");
    let stack = Stack::start(&dir, &options).await?;
    let url = stack.ensure_database("killed").await?;
    query(&url, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('committed')").await?;

    let orphans = stack.killed();
    assert_eq!(status(&dir)?.state, StackState::Orphaned);
    assert!(matches!(reset(&dir).await, Err(StackError::Orphaned { .. })));
    let stack = Stack::start(&dir, &options).await?;
    assert_eq!([stack.postgres.id, stack.nats.id], orphans, "healthy servers are adopted");
    assert_eq!(query(&url, "SELECT word FROM kept").await?.as_deref(), Some("committed"));

    // All three at once, with a backend busy enough not to notice that its postmaster is gone.
    let busy = tokio::spawn({
        let url = url.clone();
        async move { query(&url, "SELECT count(*) FROM generate_series(1, 1000000000)").await.is_err() }
    });
    sleep(Duration::from_millis(100)).await;
    for id in stack.killed() {
        id.signal(Signal::SIGKILL)?;
    }
    let mut stack = Stack::start(&dir, &options).await?;
    assert!(busy.await?, "the backend that was left is gone too");
    assert_eq!(query(&url, "SELECT word FROM kept").await?.as_deref(), Some("committed"));

    // One server alone: the supervisor hears of it.
    stack.nats.id.signal(Signal::SIGKILL)?;
    let error = stack.died().await;
    assert!(error.to_string().starts_with("nats-server ended (signal: 9 (SIGKILL))"), "{error}");
    let [postgres, _] = stack.killed();
    let stack = Stack::start(&dir, &options).await?;
    assert_eq!(stack.postgres.id, postgres);
    stack.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_stale_pid_file_and_a_half_made_cluster_do_not_block() -> TestResult {
    let (parent, options) = directory()?;
    let dir = parent.path().join(".concord");
    fs::create_dir_all(dir.join("pg.new-left/data/base"))?;
    fs::create_dir(dir.join("run"))?; // Without its marker, as a kill between the two leaves it.
    let stack = Stack::start(&dir, &options).await?;
    assert!(!dir.join("pg.new-left").exists());
    let pid_file = stack.layout.data().join("postmaster.pid");
    for id in stack.killed() {
        id.signal(Signal::SIGKILL)?;
    }
    // The number belongs to another process now: this one.
    let content = fs::read_to_string(&pid_file)?;
    let rest = content.split_once('\n').ok_or("one line only")?.1;
    fs::write(&pid_file, format!("{}\n{rest}", std::process::id()))?;
    fs::write(dir.join("stack.json"), "{ torn")?;
    Stack::start(&dir, &options).await?.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_second_start_is_refused_and_names_the_holder() -> TestResult {
    let (parent, options) = directory()?;
    let dir = layout::create_directory(&parent.path().join(".concord"))?;
    let lock = Lock::take(&dir).await?;
    let error = Stack::start(&dir, &options).await.err().ok_or("started twice")?;
    let told = format!("run by process {}; run `concord up --stop`", std::process::id());
    assert!(error.to_string().contains(&told), "{error}");
    assert!(matches!(reset(&dir).await, Err(StackError::Running { .. })));
    assert!(matches!(stop_running(&dir).await, Err(StackError::OwnStack { .. })));
    drop(lock);
    assert_eq!(stop_running(&dir).await?, Stopped::NothingRan);
    Ok(())
}

#[tokio::test]
async fn what_is_missing_is_named_with_its_remedy() -> TestResult {
    let (parent, mut options) = directory()?;
    let nowhere = parent.path().join("nowhere");
    options.places = Places { path: Vec::new(), postgres_root: nowhere.clone(), nats: Vec::new() };
    (options.postgres_bin, options.nats_server) = (None, None);
    let text = |result: Result<(), StackError>| {
        result.map_or_else(|error| error.to_string(), |()| "found".to_owned())
    };
    let postgres = |options: StackOptions| async move {
        text(binaries::postgres(&options, Path::new("/none")).await.map(drop))
    };
    let nats = |options: StackOptions| async move {
        text(binaries::nats_server(&options, Path::new("/none")).await.map(drop))
    };

    let missing = postgres(options.clone()).await;
    assert!(
        missing.contains("15 or newer was not found") && missing.contains("apt-get install postgresql"),
        "{missing}"
    );
    let missing = nats(options.clone()).await;
    assert!(missing.contains("2.14 or newer was not found") && missing.contains("make setup"), "{missing}");

    let old = parent.path().join("old");
    fs::create_dir(&old)?;
    for (name, version) in
        [("postgres", "postgres (PostgreSQL) 13.4"), ("initdb", ""), ("nats-server", "nats-server: v2.9.0")]
    {
        fs::write(old.join(name), format!("#!/bin/sh\necho '{version}'\n"))?;
        fs::set_permissions(old.join(name), fs::Permissions::from_mode(0o755))?;
    }
    options.places.path = vec![old];
    let too_old = postgres(options.clone()).await;
    assert!(too_old.contains("only PostgreSQL 13 in"), "{too_old}");
    let too_old = nats(options.clone()).await;
    assert!(too_old.contains("only nats-server 2.9 as"), "{too_old}");

    options.nats_server = Some(nowhere.clone());
    options.postgres_bin = Some(nowhere);
    assert!(nats(options.clone()).await.contains("correct CONCORD_NATS_SERVER"));
    assert!(postgres(options).await.contains("correct CONCORD_PG_BIN"));
    Ok(())
}

#[tokio::test]
async fn a_failed_start_shows_the_log_and_leaves_nothing_running() -> TestResult {
    let (parent, options) = directory()?;
    let dir = parent.path().join(".concord");
    let stack = Stack::start(&dir, &options).await?;
    let control = stack.layout.data().join("global/pg_control");
    stack.stop().await?;
    fs::rename(&control, control.with_extension("away"))?;

    let error = Stack::start(&dir, &options).await.err().ok_or("started without pg_control")?.to_string();
    assert!(error.contains("PostgreSQL ended (exit status: 2)") && error.contains("pg_control"), "{error}");
    assert_eq!(status(&dir)?.state, StackState::Stopped, "nats-server was stopped again");
    Ok(())
}

#[tokio::test]
async fn a_reset_deletes_what_the_stack_made_and_nothing_else() -> TestResult {
    let (parent, options) = directory()?;
    let dir = parent.path().join(".concord");
    let precious = parent.path().join("precious");
    fs::create_dir_all(&precious)?;
    fs::write(precious.join("thesis"), "unfinished")?;
    fs::create_dir_all(dir.join("bin"))?;

    fs::create_dir_all(dir.join("pg"))?;
    fs::write(dir.join("pg/PG_VERSION"), "9")?;
    assert!(matches!(Stack::start(&dir, &options).await, Err(StackError::Foreign { .. })));
    assert!(matches!(reset(&dir).await, Err(StackError::Foreign { .. })));
    fs::remove_dir_all(dir.join("pg"))?;

    Stack::start(&dir, &options).await?.stop().await?;
    symlink(&precious, dir.join("nats/store/outside"))?;
    reset(&dir).await?;
    let mut left: Vec<_> =
        fs::read_dir(&dir)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>()?;
    left.sort();
    assert_eq!(left, ["bin", "lock"]);
    assert!(precious.join("thesis").exists());
    assert_eq!(status(&dir)?.state, StackState::Absent);
    Ok(())
}

#[tokio::test]
async fn a_long_path_has_its_socket_elsewhere() -> TestResult {
    let (parent, options) = directory()?;
    let dir = parent.path().join("deep".repeat(30)).join(".concord");
    let stack = Stack::start(&dir, &options).await?;
    let socket = stack.access.socket_directory.clone();
    assert!(socket.starts_with("/tmp") && socket.exists());
    query(&stack.ensure_database("deep").await?, "SELECT 1").await?;
    stack.stop().await?;
    assert!(!socket.exists());
    Ok(())
}

#[tokio::test]
async fn a_name_that_needs_quoting_is_no_database() -> TestResult {
    let (parent, options) = directory()?;
    let stack = Stack::start(&parent.path().join(".concord"), &options).await?;
    for name in ["", "Grant", "1st", "a\"b", "a b", &"a".repeat(64)] {
        let refused = stack.ensure_database(name).await;
        assert!(matches!(refused, Err(StackError::DatabaseName { .. })), "{name:?}");
    }
    stack.stop().await?;
    Ok(())
}
