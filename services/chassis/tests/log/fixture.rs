//! Accounts that may never be overdrawn, on a log of their own.

use crate::proxy::Proxy;
use concord_chassis::log::{
    self, Broken, CommandError, Context, Decision, Domain, Log, LogOptions, Meta, OpenError, Receipt,
    Refusal, RefusalKind, Seen, Stop, Submission, View,
};
use concord_chassis::record::{Envelope, LogEvent, Recorded, StreamId};
use concord_test_servers::Cluster;
use deadpool_postgres::{Manager, Pool};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// No test waits that long; one that does has failed.
pub const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    #[serde(rename = "concord.test.v1.Opened")]
    Opened { account: Uuid },
    #[serde(rename = "concord.test.v1.Deposited")]
    Deposited { account: Uuid, amount: i64, note: String },
    #[serde(rename = "concord.test.v1.Spent")]
    Spent { account: Uuid, amount: i64 },
    #[serde(rename = "concord.test.v1.Transferred")]
    Transferred { from: Uuid, to: Uuid, amount: i64 },
    #[serde(rename = "concord.test.v1.Cursed")]
    Cursed { account: Uuid },
    #[serde(rename = "concord.test.v1.TodayAdvanced")]
    TodayAdvanced { today: Date },
}

/// The account with this id.
pub fn bank(id: Uuid) -> StreamId {
    StreamId::new("account", id)
}

impl LogEvent for Event {
    fn stream(&self) -> StreamId {
        match self {
            Self::Opened { account }
            | Self::Deposited { account, .. }
            | Self::Spent { account, .. }
            | Self::Cursed { account }
            | Self::Transferred { from: account, .. } => bank(*account),
            Self::TodayAdvanced { .. } => StreamId::LOG,
        }
    }
    fn also(&self) -> Vec<StreamId> {
        // Twice, as a domain may say it where one party has two parts in an event.
        if let Self::Transferred { to, .. } = self { vec![bank(*to), bank(*to)] } else { Vec::new() }
    }
    fn type_name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "concord.test.v1.Opened",
            Self::Deposited { .. } => "concord.test.v1.Deposited",
            Self::Spent { .. } => "concord.test.v1.Spent",
            Self::Transferred { .. } => "concord.test.v1.Transferred",
            Self::Cursed { .. } => "concord.test.v1.Cursed",
            Self::TodayAdvanced { .. } => "concord.test.v1.TodayAdvanced",
        }
    }
    fn advances_today(&self) -> Option<Date> {
        if let Self::TodayAdvanced { today } = self { Some(*today) } else { None }
    }
    fn today_advanced(today: Date) -> Self {
        Self::TodayAdvanced { today }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub balance: i64,
    /// Position and date of the newest event, and the number of all that touched it.
    pub position: u64,
    pub on: Date,
    pub events: u64,
}

#[derive(Debug, Clone, Serialize)]
pub enum Command {
    Open(Uuid),
    /// Nothing happens where the amount is 0.
    Deposit(Uuid, i64),
    Note(Uuid, String),
    /// Its answer says what is left.
    Spend(Uuid, i64),
    Transfer(Uuid, Uuid, i64),
    /// An event for each amount.
    Deposits(Uuid, Vec<i64>),
    /// Looks at one account after the other, then deposits 1 in the first.
    Visit(Vec<Uuid>),
    /// Panics while it is decided.
    Panic(Uuid),
    /// Records what panics while it is folded.
    Curse(Uuid),
}

pub struct Bank;

impl Domain for Bank {
    const LOG: &'static str = "bank";
    const FOLD: &'static str = "1";
    type Event = Event;
    type State = Account;
    type Command = Command;

    fn targets(command: &Command) -> Vec<StreamId> {
        match command {
            Command::Open(account)
            | Command::Deposit(account, _)
            | Command::Note(account, _)
            | Command::Deposits(account, _)
            | Command::Spend(account, _)
            | Command::Panic(account)
            | Command::Curse(account) => vec![bank(*account)],
            Command::Transfer(from, to, _) => vec![bank(*from), bank(*to)],
            Command::Visit(accounts) => accounts[..1].iter().copied().map(bank).collect(),
        }
    }

    fn kind(_: &Account) -> &'static str {
        "account"
    }

    fn decide(
        &self,
        view: &View<'_, Account>,
        command: &Command,
        _: &Context<'_>,
    ) -> Result<Decision<Event>, Stop> {
        let of = |id: Uuid| view.get(bank(id))?.ok_or_else(|| refusal("NO_ACCOUNT"));
        let event = match *command {
            Command::Open(account) if view.get(bank(account))?.is_some() => {
                return Ok(Decision::unchanged());
            }
            Command::Open(account) => Event::Opened { account },
            Command::Deposit(account, 0) => {
                return Ok(Decision::unchanged().answering("balance", of(account)?.balance));
            }
            Command::Deposit(account, amount) => {
                of(account)?;
                Event::Deposited { account, amount, note: String::new() }
            }
            Command::Note(account, ref note) => {
                of(account)?;
                Event::Deposited { account, amount: 0, note: note.clone() }
            }
            Command::Spend(account, amount) if of(account)?.balance < amount => {
                return Err(refusal("OVERDRAWN"));
            }
            Command::Spend(account, amount) => {
                let left = of(account)?.balance - amount;
                let spent = Decision::events(vec![Event::Spent { account, amount }]);
                return Ok(spent.answering("left", left));
            }
            Command::Deposits(account, ref amounts) => {
                of(account)?;
                let deposit =
                    |amount: &i64| Event::Deposited { account, amount: *amount, note: String::new() };
                return Ok(Decision::events(amounts.iter().map(deposit).collect()));
            }
            Command::Transfer(from, to, amount) => {
                if of(from)?.balance < amount {
                    return Err(refusal("OVERDRAWN"));
                }
                of(to)?;
                Event::Transferred { from, to, amount }
            }
            Command::Visit(ref accounts) => {
                for account in accounts {
                    of(*account)?;
                }
                Event::Deposited { account: accounts[0], amount: 1, note: String::new() }
            }
            Command::Panic(account) => panic!("asked to panic about {account}"),
            Command::Curse(account) => Event::Cursed { account },
        };
        Ok(Decision::events(vec![event]))
    }

    fn apply(state: &mut Option<Account>, of: StreamId, event: &Event, meta: &Meta<'_>) {
        let on = meta.effective_on;
        let account = state.get_or_insert(Account { balance: 0, position: 0, on, events: 0 });
        assert!(account.position < meta.position, "{of} was given event {} twice", meta.position);
        account.position = meta.position;
        account.on = on;
        account.events += 1;
        account.balance += match event {
            Event::Deposited { amount, .. } => *amount,
            Event::Spent { amount, .. } => -*amount,
            Event::Transferred { from, to, .. } if from == to => 0,
            Event::Transferred { from, amount, .. } => {
                if *from == of.id {
                    -*amount
                } else {
                    *amount
                }
            }
            Event::Cursed { .. } => panic!("a cursed event cannot be folded"),
            Event::Opened { .. } | Event::TodayAdvanced { .. } => 0,
        };
    }

    fn weight(_: &Account) -> usize {
        std::mem::size_of::<Account>()
    }

    fn rulebook(&self, _: Date) -> Result<&str, String> {
        Ok("2026-1")
    }
}

fn refusal(code: &str) -> Stop {
    let broken = Broken {
        code: code.to_owned(),
        field: String::new(),
        message: code.to_owned(),
        message_zh: code.to_owned(),
        facts: BTreeMap::new(),
    };
    let rulebook = "2026-1".to_owned();
    let kind = RefusalKind::Rule;
    Stop::from(Refusal { kind, broken: vec![broken], rulebook, terms_rulebook: None })
}

/// The code of a refusal.
pub fn code(outcome: &Result<Receipt, CommandError>) -> &str {
    match outcome {
        Err(CommandError::Refused(refusal)) => &refusal.broken[0].code,
        other => panic!("not refused: {other:?}"),
    }
}

pub fn submit<C>(command: C) -> Submission<C> {
    submit_as(Uuid::now_v7(), command)
}

pub fn submit_as<C>(request_id: Uuid, command: C) -> Submission<C> {
    Submission {
        request_id,
        expected: Vec::new(),
        effective_on: None,
        actor: "p-1".into(),
        actor_organisation: "o-1".into(),
        authority: None,
        archive_number: None,
        attachments: Vec::new(),
        causation_id: None,
        correlation_id: None,
        traceparent: None,
        command,
    }
}

/// A database of its own, in the cluster that the tests share unless they stop it.
pub struct World {
    pub url: String,
    pub pool: Pool,
    pub played_from: Option<Date>,
}

/// A service on that database.
pub struct Replica {
    pub log: Log<Bank>,
    shutdown: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl World {
    pub async fn new() -> Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        Self::on(SHARED.get_or_init(Cluster::start)).await
    }

    pub async fn on(cluster: &Cluster) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        show_log();
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let admin = pool(&cluster.url("postgres"));
        admin.get().await.unwrap().batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let url = cluster.url(&name);
        let pool = pool(&url);
        concord_chassis::config::migrate_log(&mut pool.get().await.unwrap()).await.unwrap();
        Self { url, pool, played_from: None }
    }

    pub async fn replica(&self) -> Replica {
        self.replica_with_cache(64 << 20).await
    }

    pub async fn replica_with_cache(&self, cache_bytes_max: usize) -> Replica {
        self.replica_at(&self.url, cache_bytes_max).await
    }

    /// Whose writer connects over the proxy.
    pub async fn replica_behind(&self, proxy: &Proxy) -> Replica {
        let direct = self.socket_directory();
        let url = self.url.replace(direct.to_str().unwrap(), proxy.directory().to_str().unwrap());
        self.replica_at(&url, 64 << 20).await
    }

    pub fn socket_directory(&self) -> PathBuf {
        let host = self.url.split_whitespace().next().unwrap();
        host.trim_start_matches("host=").into()
    }

    async fn replica_at(&self, database_url: &str, cache_bytes_max: usize) -> Replica {
        self.open(database_url, cache_bytes_max).await.unwrap()
    }

    /// A service where one may start; else why not.
    pub async fn try_replica(&self) -> Result<Replica, String> {
        self.open(&self.url, 64 << 20).await.map_err(|error| error.to_string())
    }

    /// A replica, or why it does not start.
    pub async fn open(&self, database_url: &str, cache_bytes_max: usize) -> Result<Replica, OpenError> {
        let options = LogOptions {
            database_url: database_url.to_owned(),
            pool: pool(&self.url),
            cell: "test".into(),
            played_from: self.played_from,
            cache_bytes_max,
        };
        let shutdown = CancellationToken::new();
        let running = log::start(Arc::new(Bank), options, shutdown.clone()).await?;
        Ok(Replica { log: running.log, shutdown, task: running.task })
    }

    pub async fn sql(&self, statements: &str) {
        self.pool.get().await.unwrap().batch_execute(statements).await.unwrap();
    }

    pub async fn count(&self, query: &str) -> i64 {
        self.pool.get().await.unwrap().query_one(query, &[]).await.unwrap().get(0)
    }

    pub async fn head(&self) -> u64 {
        self.count("SELECT coalesce(max(position), 0) FROM events").await as u64
    }

    /// Ends the connections of every writer, as a failing network or an operator would.
    pub async fn end_writers(&self) -> i64 {
        self.count(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE application_name = 'concord-writer' AND datname = current_database()",
        )
        .await
    }

    /// Backends of the writers that are connected.
    pub async fn writer_pids(&self) -> Vec<i32> {
        let client = self.pool.get().await.unwrap();
        let pids = "SELECT pid FROM pg_stat_activity
                    WHERE application_name = 'concord-writer' AND datname = current_database()";
        client.query(pids, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// Waits until a backend has come to its end.
    pub async fn backend_ended(&self, pid: i32) {
        until(async || !self.writer_pids().await.contains(&pid)).await;
    }

    /// Keeps everybody else from a table until it is let go.
    pub async fn hold(&self, table: &str) -> Hold {
        let client = self.pool.get().await.unwrap();
        client.batch_execute(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).await.unwrap();
        Hold { client }
    }

    /// Waits until somebody waits for the table.
    pub async fn somebody_waits_for(&self, table: &str) {
        let waiting =
            format!("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass");
        until(async || self.count(&waiting).await > 0).await;
    }

    /// Sessions of a recovery.
    pub async fn recoveries(&self) -> i64 {
        self.count(
            "SELECT count(*) FROM pg_stat_activity
             WHERE application_name = 'concord-recovery' AND datname = current_database()",
        )
        .await
    }

    /// Every event in order, after checking all that must hold of a log whatever happened to it.
    pub async fn audited(&self) -> Vec<Recorded> {
        let events = log::LogReader::new(self.pool.clone()).read(0, 1_000_000).await.unwrap();
        let mut versions: HashMap<String, u64> = HashMap::new();
        let mut last_of_type: HashMap<String, u64> = HashMap::new();
        let mut recorded_at = jiff::Timestamp::UNIX_EPOCH;
        for (recorded, position) in events.iter().zip(1..) {
            let envelope: Envelope<'_> = recorded.envelope().unwrap();
            assert_eq!((recorded.position, envelope.position), (position, position), "a gap");
            let version = versions.entry(envelope.subject.to_string()).or_default();
            *version += 1;
            assert_eq!(envelope.version, *version, "version of {}", envelope.subject);
            let previous = last_of_type.insert(envelope.event_type.to_string(), position);
            assert_eq!(envelope.previousoftype, previous.unwrap_or(0), "previous of its type");
            assert!(envelope.time >= recorded_at, "recorded_at went back at {position}");
            recorded_at = envelope.time;
        }
        let strays =
            "SELECT count(*) FROM events_json WHERE stream::text <> split_part(record->>'subject', '/', 2)
                      OR version::text <> record->>'version'";
        assert_eq!(self.count(strays).await, 0, "columns and documents differ");
        let orphans = "SELECT count(*) FROM events_json e FULL JOIN
                       (SELECT * FROM requests WHERE first_position <> 0) r
                       ON r.request_id::text = e.record->>'requestid'
                       WHERE e.position IS NULL OR r.request_id IS NULL
                       OR e.position NOT BETWEEN r.first_position AND r.last_position";
        assert_eq!(self.count(orphans).await, 0, "events and answers differ");
        events
    }

    /// The accounts as the events tell them, folded here.
    pub async fn accounts(&self) -> HashMap<Uuid, Option<Account>> {
        let mut accounts = HashMap::new();
        for recorded in self.audited().await {
            let envelope = recorded.envelope().unwrap();
            let event: Event = serde_json::from_slice(&recorded.bytes).unwrap();
            let meta = Meta {
                position: recorded.position,
                effective_on: envelope.effectiveon,
                actor: &envelope.actor,
                actor_organisation: &envelope.actororg,
            };
            let own = event.stream();
            let also = event.also().first().copied().filter(|of| *of != own);
            for of in std::iter::once(own).chain(also).filter(|of| *of != StreamId::LOG) {
                Bank::apply(accounts.entry(of.id).or_default(), of, &event, &meta);
            }
        }
        accounts
    }

    /// Whether the replica shows every account as the events tell it.
    pub async fn check(&self, replica: &Replica) {
        self.check_log(&replica.log).await;
    }

    /// The same of any log on this database.
    pub async fn check_log(&self, log: &Log<Bank>) {
        let head = self.head().await;
        for (id, account) in self.accounts().await {
            assert_eq!(log.state(bank(id), head, PATIENCE).await.unwrap().state, account, "account {id}");
        }
    }
}

impl Replica {
    pub async fn run(&self, command: Command) -> Result<Receipt, CommandError> {
        self.send(submit(command)).await
    }

    pub async fn send(&self, submission: Submission<Command>) -> Result<Receipt, CommandError> {
        self.log.execute(submission, PATIENCE).await
    }

    pub async fn chunk(&self, commands: Vec<Command>) -> Vec<Result<Receipt, CommandError>> {
        self.log.execute_chunk(commands.into_iter().map(submit).collect(), PATIENCE).await
    }

    /// Opens accounts with this much in each.
    pub async fn open(&self, number: usize, amount: i64) -> Vec<Uuid> {
        let accounts: Vec<Uuid> = (0..number).map(|_| Uuid::now_v7()).collect();
        let both = |id: &Uuid| [Command::Open(*id), Command::Deposit(*id, amount)];
        for outcome in self.chunk(accounts.iter().flat_map(both).collect()).await {
            outcome.unwrap();
        }
        accounts
    }

    pub async fn state(&self, id: Uuid, min_position: u64) -> Seen<Account> {
        self.log.state(bank(id), min_position, PATIENCE).await.unwrap()
    }

    pub async fn balance(&self, id: Uuid) -> i64 {
        self.state(id, 0).await.state.unwrap().balance
    }

    /// Waits until its head is there.
    pub async fn reaches(&self, position: u64) {
        let head = self.log.head();
        until(async || *head.borrow() >= position).await;
    }

    /// Waits until so many more events are in the log.
    pub async fn goes_on_by(&self, events: u64) {
        // Not in one expression: the writer cannot move a head that is borrowed.
        let goal = *self.log.head().borrow() + events;
        self.reaches(goal).await;
    }

    /// Shuts down, and waits until it has.
    pub async fn end(self) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("it ends").unwrap();
    }

    pub fn begin_shutdown(&self) {
        self.shutdown.cancel();
    }
}

/// A table that is held.
pub struct Hold {
    client: deadpool_postgres::Object,
}

impl Hold {
    pub async fn release(self) {
        self.client.batch_execute("ROLLBACK").await.unwrap();
    }
}

/// A counter of the log, in the text of the metrics.
pub fn counted(metrics: &str, name: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |number| number.parse().unwrap())
}

/// Waits until something holds.
pub async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let polled = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, polled).await.expect("it came to hold");
}

pub fn pool(url: &str) -> Pool {
    let manager = Manager::new(url.parse().unwrap(), tokio_postgres::NoTls);
    Pool::builder(manager).max_size(6).build().unwrap()
}

/// What went on is shown where a test fails; RUST_LOG says how much. Another test may have set it up.
pub fn show_log() {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
}
