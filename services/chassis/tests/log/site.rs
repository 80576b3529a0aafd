//! A whole service on a PostgreSQL and a NATS of its own, each of which may fail.

use crate::fixture::{Bank, Command, PATIENCE, World, pool, show_log, submit};
use crate::until;
use async_nats::jetstream;
use concord_chassis::config::{self, Settings};
use concord_chassis::grpc::Server;
use concord_chassis::log::recover::{self, Choice, Findings, RecoverError, Recovered, Target, Way};
use concord_chassis::log::{CommandError, Log, Receipt, Standstill, Submission};
use concord_chassis::record::Recorded;
use concord_chassis::service::{self, Serving};
use concord_proto::log::v1::log_service_client::LogServiceClient;
use concord_proto::log::v1::{GetLogStatusRequest, GetLogStatusResponse};
use concord_test_servers::Cluster;
use concord_test_servers::Nats;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use uuid::Uuid;

const DATABASE: &str = "bank";

/// Servers at addresses that stay the same whichever of them serves, as behind a name.
pub struct Site {
    pub primary: Cluster,
    pub nats: Nats,
    /// Holds the link to the socket of the PostgreSQL that serves.
    directory: tempfile::TempDir,
}

/// A running service.
pub struct Service {
    pub log: Log<Bank>,
    /// Why it did not write when it opened, before it could have.
    pub opened_to: Option<Standstill>,
    pub channel: Channel,
    shutdown: CancellationToken,
    serving: Serving,
}

/// A command that was answered.
pub struct Answered {
    pub submission: Submission<Command>,
    pub receipt: Receipt,
}

impl Site {
    pub async fn new() -> Self {
        show_log();
        let primary = Cluster::start();
        let admin = pool(&primary.url("postgres"));
        admin.get().await.unwrap().batch_execute(&format!("CREATE DATABASE {DATABASE}")).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let site = Self { primary, nats: Nats::start(), directory };
        site.serve_from(&site.primary);
        site
    }

    /// Leads the address to this PostgreSQL from now on.
    pub fn serve_from(&self, cluster: &Cluster) {
        let link = self.directory.path().join("postgres");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(cluster.directory(), link).unwrap();
    }

    pub fn url(&self) -> String {
        let link = self.directory.path().join("postgres");
        format!("host={} user=postgres dbname={DATABASE}", link.display())
    }

    /// The database as the tests of the log see it.
    pub fn world(&self) -> World {
        World { url: self.url(), pool: pool(&self.url()), played_from: None }
    }

    fn settings(&self) -> Settings {
        let nats = self.nats.url();
        let url = self.url();
        let args = ["--database-url", url.as_str(), "--nats-url", &nats, "--cell", "test"];
        let none: [(&str, &str); 0] = [];
        config::parse("bank", args, none).unwrap()
    }

    pub async fn service(&self) -> Service {
        let settings = self.settings();
        let opened = service::open(Arc::new(Bank), &settings).await.unwrap();
        let log = opened.log.clone();
        let opened_to = log.standstill().cloned();
        let shutdown = CancellationToken::new();
        let serving = opened.serve(Server::new(), &settings, shutdown.clone()).await.unwrap();
        let address = format!("http://{}", serving.address);
        let channel = tonic::transport::Endpoint::from_shared(address).unwrap().connect_lazy();
        Service { log, opened_to, channel, shutdown, serving }
    }

    pub fn target(&self) -> Target {
        Target { database_url: self.url(), nats_url: self.nats.url() }
    }

    pub async fn examine(&self) -> Findings {
        recover::examine::<Bank>(&self.target(), |_, _| {}).await.unwrap()
    }

    pub async fn recover(&self, way: Way) -> Result<Recovered, RecoverError> {
        recover::recover::<Bank>(&self.target(), &choice(way), |_, _| {}).await
    }

    pub async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(async_nats::connect(self.nats.url()).await.unwrap())
    }

    /// The messages of a stream, in order.
    pub async fn in_stream(&self, name: &str) -> Vec<Recorded> {
        let stream = self.jetstream().await.get_stream(name).await.unwrap();
        let mut messages = Vec::new();
        for position in 1..=stream.cached_info().state.last_sequence {
            let bytes = stream.get_raw_message(position).await.unwrap().payload;
            messages.push(Recorded { position, bytes });
        }
        messages
    }
}

pub fn choice(way: Way) -> Choice {
    Choice { way, decided_by: "operator@office".to_owned(), reason: "a test".to_owned() }
}

impl Service {
    pub async fn send(&self, submission: Submission<Command>) -> Result<Receipt, CommandError> {
        self.log.execute(submission, PATIENCE).await
    }

    /// Runs commands one after the other, all of which must be accepted.
    pub async fn run(&self, commands: impl IntoIterator<Item = Command>) -> Vec<Answered> {
        let mut answered = Vec::new();
        for command in commands {
            let submission = submit(command);
            let receipt = self.send(submission.clone()).await.unwrap();
            answered.push(Answered { submission, receipt });
        }
        answered
    }

    /// Opens two accounts with 1,000 in each.
    pub async fn open_two(&self) -> ([Uuid; 2], Vec<Answered>) {
        let accounts = [Uuid::now_v7(), Uuid::now_v7()];
        let both = |id: &Uuid| [Command::Open(*id), Command::Deposit(*id, 1_000)];
        let answered = self.run(accounts.iter().flat_map(both)).await;
        (accounts, answered)
    }

    /// Whether every repeat of these commands gets the first answer.
    pub async fn remembers(&self, answered: &[Answered]) {
        for Answered { submission, receipt } in answered {
            assert_eq!(self.send(submission.clone()).await.unwrap(), *receipt, "{:?}", submission.command);
        }
    }

    pub async fn status(&self) -> GetLogStatusResponse {
        let mut client = LogServiceClient::new(self.channel.clone());
        client.get_log_status(GetLogStatusRequest {}).await.unwrap().into_inner()
    }

    /// Why the log is not written; empty where it is.
    pub async fn refuses(&self) -> String {
        self.status().await.standstill.map(|why| why.reason).unwrap_or_default()
    }

    /// Waits until it refuses to write.
    pub async fn until_it_refuses(&self) -> String {
        until(async || self.log.standstill().is_some()).await;
        self.refuses().await
    }

    /// Waits until the stream has all that is committed.
    pub async fn until_published(&self) {
        until(async || {
            let status = self.status().await;
            status.published == status.head
        })
        .await;
    }

    pub async fn stop(self) {
        self.shutdown.cancel();
        drop(self.log);
        self.serving.stopped().await.unwrap();
    }
}

/// Commands of every kind on two accounts: 8 events in 6 commands.
pub fn commands([one, two]: [Uuid; 2]) -> Vec<Command> {
    vec![
        Command::Deposit(one, 5),
        Command::Spend(one, 3),
        Command::Transfer(one, two, 7),
        Command::Deposits(two, vec![1, 2, 3]),
        Command::Note(two, "甲\"\\\n".into()),
        Command::Transfer(two, one, 4),
    ]
}
