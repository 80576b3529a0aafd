//! A private PostgreSQL cluster and nats-server, a log of test events, and an owner that serves it.

use async_nats::jetstream;
use concord_chassis::log::LogReader;
use concord_chassis::record::{Envelope, LogEvent, Recorded, StreamId};
use concord_proto::log::v1::log_service_server::{LogService, LogServiceServer};
use concord_proto::log::v1::{self as proto, GetLogStatusResponse, ReadLogResponse, RecordedEvent};
use concord_test_servers::{Cluster, Frozen, Nats, copy_tree};
use deadpool_postgres::{Manager, Pool};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Request, Response, Status};
use uuid::Uuid;

pub const SOURCE: &str = "/concord/test/tally/1";
pub const STREAM: &str = "concord_test_tally_1";
pub const PREFIX: &str = "concord.test.tally";
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The events of the test log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Tally {
    #[serde(rename = "concord.test.v1.Counted")]
    Counted { amount: i64 },
    #[serde(rename = "concord.test.v1.TodayAdvanced")]
    TodayAdvanced { today: Date },
}

impl LogEvent for Tally {
    fn stream(&self) -> StreamId {
        StreamId::new("tally", Uuid::nil())
    }
    fn also(&self) -> Vec<StreamId> {
        Vec::new()
    }
    fn type_name(&self) -> &'static str {
        match self {
            Tally::Counted { .. } => "concord.test.v1.Counted",
            Tally::TodayAdvanced { .. } => "concord.test.v1.TodayAdvanced",
        }
    }
    fn advances_today(&self) -> Option<Date> {
        None
    }
    fn today_advanced(today: Date) -> Self {
        Tally::TodayAdvanced { today }
    }
}

/// The event at `position`, counting `amount`.
pub fn counted(position: u64, amount: i64) -> Recorded {
    record(position, &Tally::Counted { amount })
}

/// `n` events from position `first`, each counting its position.
pub fn count_from(first: u64, n: u64) -> Vec<Recorded> {
    (first..first + n).map(|position| counted(position, position as i64)).collect()
}

pub fn record(position: u64, event: &impl Serialize) -> Recorded {
    record_of(position, None, event)
}

/// An event of a decision that ends at `last`, counting this amount.
pub fn decided(position: u64, last: u64, amount: i64) -> Recorded {
    record_of(position, Some(last), &Tally::Counted { amount })
}

fn record_of(position: u64, last: Option<u64>, event: &impl Serialize) -> Recorded {
    let envelope = Envelope {
        specversion: "1.0".into(),
        id: Uuid::now_v7(),
        source: SOURCE.into(),
        event_type: "".into(),
        subject: format!("tally/{}", Uuid::nil()).into(),
        time: jiff::Timestamp::now(),
        datacontenttype: "application/json".into(),
        position,
        version: position,
        previousoftype: position - 1,
        effectiveon: "2026-01-05".parse().unwrap(),
        rulebook: "2026-1".into(),
        termsrulebook: None,
        actor: "p-1".into(),
        actororg: "o-1".into(),
        assurance: "asserted".into(),
        requestid: Uuid::now_v7(),
        bodyhash: "00".into(),
        commandlast: last.map(|last| last.to_string().into()),
        answer: None,
        authority: None,
        archivenumber: None,
        attachments: None,
        causationid: None,
        correlationid: None,
        traceparent: None,
    };
    let mut document = serde_json::to_value(&envelope).unwrap();
    let serde_json::Value::Object(event) = serde_json::to_value(event).unwrap() else {
        panic!("an event is an object")
    };
    document.as_object_mut().unwrap().extend(event);
    Recorded { position, bytes: serde_json::to_vec(&document).unwrap().into() }
}

/// PostgreSQL, NATS and a log between them.
pub struct World {
    pub log: Pool,
    pub committed: watch::Sender<u64>,
    nats: Nats,
    /// Shared with other tests, unless this one stops it.
    cluster: Arc<Cluster>,
    database: String,
    jetstream: tokio::sync::OnceCell<jetstream::Context>,
}

impl World {
    /// A database of its own in the cluster that the tests share.
    pub async fn new() -> Self {
        static SHARED: OnceLock<Arc<Cluster>> = OnceLock::new();
        Self::on(SHARED.get_or_init(|| Arc::new(Cluster::start())).clone()).await
    }

    /// With a cluster to itself, which it may stop.
    pub async fn alone() -> Self {
        Self::on(Arc::new(Cluster::start())).await
    }

    async fn on(cluster: Arc<Cluster>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // What went on is shown where a test fails; RUST_LOG says how much. Another test may have set it up.
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        let database = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let log = made(&cluster, &database).await;
        Self {
            log,
            committed: watch::channel(0).0,
            nats: Nats::start(),
            cluster,
            database,
            jetstream: tokio::sync::OnceCell::new(),
        }
    }

    /// A pool of its own over the cluster, as another replica has.
    pub fn pool(&self) -> Pool {
        pool(&self.cluster, &self.database)
    }

    /// A database of its own for another service's log, migrated: its address, and a pool over it.
    pub async fn other_database(&self, name: &str) -> (String, Pool) {
        let database = format!("{}_{name}", self.database);
        let pool = made(&self.cluster, &database).await;
        (self.cluster.url(&database), pool)
    }

    pub fn reader(&self) -> LogReader {
        LogReader::new(self.log.clone())
    }

    pub async fn nats(&self) -> async_nats::Client {
        let options =
            async_nats::ConnectOptions::new().reconnect_delay_callback(|_| Duration::from_millis(100));
        eventually("NATS answers", async || options.clone().connect(self.nats.url()).await.ok()).await
    }

    /// JetStream as the test itself uses it.
    pub async fn jetstream(&self) -> &jetstream::Context {
        self.jetstream.get_or_init(async || jetstream::new(self.nats().await)).await
    }

    /// The stream and its state. `None` while it does not exist or NATS is away.
    pub async fn stream(&self) -> Option<jetstream::stream::Stream> {
        self.jetstream().await.get_stream(STREAM).await.ok()
    }

    /// Stops the postmaster: who connects is not answered. Only where the world is alone.
    pub fn freeze_postgres(&self) -> Frozen {
        self.cluster.freeze()
    }

    /// Ends the sessions that hold a lock of this database, and says how many.
    pub async fn end_lock_holders(&self) -> u64 {
        let ended = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        self.log.get().await.unwrap().execute(ended, &[]).await.unwrap()
    }

    pub fn start_nats(&mut self) {
        self.nats.resume();
    }

    pub fn kill_nats(&mut self) {
        self.nats.kill();
    }

    pub fn wipe_nats(&mut self) {
        self.nats.wipe();
    }

    /// What is on the disk of a nats-server that does not run.
    pub fn copy_of_nats(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_tree(&self.nats.data(), &copy.path().join("nats"));
        copy
    }

    /// Puts it back.
    pub fn restore_nats(&self, copy: &tempfile::TempDir) {
        copy_tree(&copy.path().join("nats"), &self.nats.data());
    }

    /// Commits the events, and says so.
    pub async fn commit(&self, events: &[Recorded]) {
        let client = self.log.get().await.unwrap();
        let positions: Vec<i64> = events.iter().map(|event| event.position as i64).collect();
        let records: Vec<&[u8]> = events.iter().map(|event| &*event.bytes).collect();
        client
            .execute(
                "INSERT INTO events SELECT p, '00000000-0000-0000-0000-000000000000', p, r
                 FROM unnest($1::bigint[], $2::bytea[]) AS e(p, r)",
                &[&positions, &records],
            )
            .await
            .unwrap();
        self.committed.send_replace(events.last().map_or(0, |event| event.position));
    }

    /// Takes back what was committed after `position`, as a backup does that is restored.
    pub async fn go_back_to(&self, position: i64) {
        let client = self.log.get().await.unwrap();
        client.execute("DELETE FROM events WHERE position > $1", &[&position]).await.unwrap();
    }

    /// Whether the stream holds every event of the log, byte for byte, and nothing else.
    pub async fn stream_equals_log(&self) -> bool {
        let events = self.reader().read(0, 1_000_000).await.unwrap();
        let Some(stream) = self.stream().await else {
            return false;
        };
        let state = &stream.cached_info().state;
        if (state.messages, state.last_sequence) != (events.len() as u64, events.len() as u64) {
            return false;
        }
        for event in events {
            match stream.direct_get(event.position).await {
                Ok(message) if message.payload == event.bytes => {}
                _ => return false,
            }
        }
        true
    }

    /// Publishes events as a relay would, at whatever sequence they get.
    pub async fn publish(&self, events: &[Recorded]) {
        let context = self.jetstream().await;
        for event in events {
            let subject = event.nats_subject(PREFIX).unwrap();
            context.publish(subject, event.bytes.clone()).await.unwrap().await.unwrap();
        }
    }
}

/// A new database, migrated.
async fn made(cluster: &Cluster, database: &str) -> Pool {
    let admin = pool(cluster, "postgres").get().await.unwrap();
    admin.batch_execute(&format!("CREATE DATABASE {database}")).await.unwrap();
    let made = pool(cluster, database);
    concord_chassis::config::migrate_log(&mut made.get().await.unwrap()).await.unwrap();
    made
}

fn pool(cluster: &Cluster, database: &str) -> Pool {
    let config = cluster.url(database).parse().unwrap();
    Pool::builder(Manager::new(config, tokio_postgres::NoTls)).max_size(8).build().unwrap()
}

/// Tries again until there is an answer.
pub async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = probe().await {
            return answer;
        }
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the watched value is as wanted.
pub async fn until<T: Clone + std::fmt::Debug>(
    mut value: watch::Receiver<T>,
    wanted: impl FnMut(&T) -> bool,
) -> T {
    let waited =
        tokio::time::timeout(PATIENCE, value.wait_for(wanted)).await.map(|reached| reached.unwrap().clone());
    waited.unwrap_or_else(|_| panic!("never reached; it is {:?}", *value.borrow()))
}

/// Serves the log as its owner does. Dropping it takes the owner away.
pub struct Owner {
    pub channel: tonic::transport::Channel,
    port: u16,
    reader: LogReader,
    log_id: Uuid,
    says_nothing: Arc<AtomicBool>,
    generation: Arc<AtomicU32>,
    head_age_ms: Arc<AtomicU64>,
    stands_still: Arc<AtomicBool>,
    hangs_once: Arc<AtomicBool>,
    serving: Option<DropGuard>,
}

impl Owner {
    pub async fn new(world: &World) -> Self {
        Self::of_log(world, Uuid::from_u128(1)).await
    }

    pub async fn of_log(world: &World, log_id: Uuid) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let channel = tonic::transport::Endpoint::from_shared(format!("http://127.0.0.1:{port}"))
            .unwrap()
            .connect_lazy();
        let mut owner = Self {
            channel,
            port,
            reader: world.reader(),
            log_id,
            says_nothing: Arc::default(),
            generation: Arc::new(AtomicU32::new(1)),
            head_age_ms: Arc::default(),
            stands_still: Arc::default(),
            hangs_once: Arc::default(),
            serving: None,
        };
        owner.come_back().await;
        owner
    }

    /// Whether it says where the log stands. Connections that are open outlive their server.
    pub fn says_nothing(&self, nothing: bool) {
        self.says_nothing.store(nothing, Ordering::Release);
    }

    /// How long ago its PostgreSQL confirmed the head, as it says.
    pub fn says_its_head_is_old(&self, age: Duration) {
        self.head_age_ms.store(age.as_millis().try_into().unwrap(), Ordering::Release);
    }

    /// Whether it says that the log is not written.
    pub fn says_it_stands_still(&self, still: bool) {
        self.stands_still.store(still, Ordering::Release);
    }

    /// Its log begins this generation.
    pub fn begins(&self, generation: u32) {
        self.generation.store(generation, Ordering::Release);
    }

    /// The next time it is asked where the log stands it never answers.
    pub fn hangs_once(&self) {
        self.hangs_once.store(true, Ordering::Release);
    }

    pub fn go_away(&mut self) {
        self.serving = None;
    }

    pub async fn come_back(&mut self) {
        let stop = CancellationToken::new();
        let service = OwnedLog {
            reader: self.reader.clone(),
            log_id: self.log_id,
            says_nothing: self.says_nothing.clone(),
            generation: self.generation.clone(),
            head_age_ms: self.head_age_ms.clone(),
            stands_still: self.stands_still.clone(),
            hangs_once: self.hangs_once.clone(),
        };
        let address = format!("127.0.0.1:{}", self.port);
        let listener = eventually("the owner's port is free", async || {
            tokio::net::TcpListener::bind(&address).await.ok()
        })
        .await;
        let ended = stop.clone();
        tokio::spawn(async move {
            let serving = tonic::transport::Server::builder()
                .add_service(LogServiceServer::new(service))
                .serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener));
            tokio::select! {
                served = serving => served.unwrap(),
                () = ended.cancelled() => {}
            }
        });
        self.serving = Some(stop.drop_guard());
    }
}

struct OwnedLog {
    reader: LogReader,
    log_id: Uuid,
    says_nothing: Arc<AtomicBool>,
    generation: Arc<AtomicU32>,
    head_age_ms: Arc<AtomicU64>,
    stands_still: Arc<AtomicBool>,
    hangs_once: Arc<AtomicBool>,
}

fn store(error: impl std::fmt::Display) -> Status {
    Status::unavailable(error.to_string())
}

#[tonic::async_trait]
impl LogService for OwnedLog {
    type ReadLogStream = futures::stream::BoxStream<'static, Result<ReadLogResponse, Status>>;

    async fn read_log(
        &self,
        request: Request<proto::ReadLogRequest>,
    ) -> Result<Response<Self::ReadLogStream>, Status> {
        let reader = self.reader.clone();
        let head = reader.head().await.map_err(store)?;
        let first = request.into_inner().from_position.max(1);
        let chunks = futures::stream::try_unfold(first - 1, move |after| {
            let reader = reader.clone();
            async move {
                let mut page = reader.read(after, 1_000).await.map_err(store)?;
                page.retain(|event| event.position <= head);
                let Some(last) = page.last().map(|event| event.position) else {
                    return Ok(None);
                };
                let events = page
                    .into_iter()
                    .map(|event| RecordedEvent { position: event.position, cloud_event: event.bytes })
                    .collect();
                Ok(Some((ReadLogResponse { events, head }, last)))
            }
        });
        Ok(Response::new(Box::pin(chunks)))
    }

    async fn get_log_status(
        &self,
        _: Request<proto::GetLogStatusRequest>,
    ) -> Result<Response<GetLogStatusResponse>, Status> {
        if self.hangs_once.swap(false, Ordering::AcqRel) {
            std::future::pending::<()>().await;
        }
        if self.says_nothing.load(Ordering::Acquire) {
            return Err(Status::unavailable("it says nothing"));
        }
        let head = self.reader.head().await.map_err(store)?;
        Ok(Response::new(GetLogStatusResponse {
            log: "tally".to_owned(),
            log_id: self.log_id.to_string(),
            generation: self.generation.load(Ordering::Acquire),
            head,
            stream: STREAM.to_owned(),
            today: "2026-01-05".to_owned(),
            head_age_ms: Some(self.head_age_ms.load(Ordering::Acquire)),
            standstill: self.stands_still.load(Ordering::Acquire).then(proto::Standstill::default),
            ..GetLogStatusResponse::default()
        }))
    }

    async fn read_stream(
        &self,
        _: Request<proto::ReadStreamRequest>,
    ) -> Result<Response<proto::ReadStreamResponse>, Status> {
        Err(Status::unimplemented("not served here"))
    }

    async fn advance_today(
        &self,
        _: Request<proto::AdvanceTodayRequest>,
    ) -> Result<Response<proto::AdvanceTodayResponse>, Status> {
        Err(Status::unimplemented("not served here"))
    }

    async fn list_refusals(
        &self,
        _: Request<proto::ListRefusalsRequest>,
    ) -> Result<Response<proto::ListRefusalsResponse>, Status> {
        Err(Status::unimplemented("not served here"))
    }
}
