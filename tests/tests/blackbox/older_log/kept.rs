//! What the program of 4a207de left in `tests/data/log-2026-11`: its databases, what it was asked, and what it answered.

use anyhow::{Context, Result, ensure};
use async_nats::jetstream;
use concord_proto::audit::v1::{Finding, ListControlTestsRequest, ListFindingsRequest};
use concord_proto::fund::v1::{GetGrantRequest, Grant};
use concord_tests::agreements::Agreements;
use concord_tests::desk::{Desk, at, by, plain};
use concord_tests::record::postgres;
use concord_tests::stack::{Stack, repository};
use futures::TryStreamExt;
use prost::Message;
use prost::bytes::{Buf, BufMut};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use tokio::sync::OnceCell;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;

/// Its clocks were played from here.
const PLAYED_FROM: &str = "2017-03-01";
/// Its last today.
pub(super) const TODAY: &str = "2017-12-01";
/// The funding audit's too, whose tables stand where its projection stopped.
const DATABASES: [&str; 3] = ["agreement", "fund_grant", "funding_audit"];
/// Largest answer that is taken.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// What is found or tested in one answer, at most.
const ALL: i32 = 1_000;

/// A call that 4a207de answered, as it went over the wire.
pub(super) struct Asked {
    /// Service.
    pub(super) log: String,
    /// Path of the method.
    pub(super) method: String,
    /// Who acted; empty in a question.
    actor: String,
    /// The fault that it is part of, as the table in `tests/data/README.md` names it.
    pub(super) fault: String,
    /// Whether it repeats the one before it, with another expected version.
    pub(super) again: bool,
    /// The request's message.
    request: Vec<u8>,
    /// The answer's message; `None` where it was refused.
    pub(super) answer: Option<Vec<u8>>,
    /// All of it, to be read.
    pub(super) line: Value,
}

impl Asked {
    fn of(line: Value) -> Result<Self> {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            log: text("log"),
            method: text("method"),
            actor: text("actor"),
            fault: text("fault"),
            again: line["again"] == true,
            request: bytes(&text("request_hex"))?,
            answer: line["answer_hex"].as_str().map(bytes).transpose()?,
            line,
        })
    }

    /// Name of the method alone.
    pub(super) fn name(&self) -> &str {
        self.method.rsplit('/').next().unwrap_or_default()
    }

    /// The request, read: as it was sent, to be changed.
    pub(super) fn request<M: Message + Default>(&self) -> M {
        M::decode(self.request.as_slice()).expect("a request of its method")
    }

    /// The answer of then, read.
    pub(super) fn answered<M: Message + Default>(&self) -> M {
        M::decode(self.answer.as_deref().expect("it was answered")).expect("an answer of its method")
    }

    /// Position of the last event that it caused.
    pub(super) fn position(&self) -> u64 {
        let position = self.line["answer"]["receipt"]["last_position"].as_str();
        position.and_then(|position| position.parse().ok()).expect("it caused an event")
    }
}

/// A stack on the databases of then.
pub(super) struct Kept {
    pub(super) stack: Stack,
    /// Commands, in order.
    pub(super) commands: Vec<Asked>,
    /// Questions that were asked after the last command.
    pub(super) questions: Vec<Asked>,
}

/// The tests that only read share one.
static READ: OnceCell<Kept> = OnceCell::const_new();
/// So do those that go on with parts of it which nobody else touches.
static WRITTEN: OnceCell<Kept> = OnceCell::const_new();

/// A stack for reading, and connections of this test's own to it.
pub(super) async fn read() -> (&'static Kept, Open) {
    let kept = READ.get_or_init(async || Kept::restored().await.unwrap()).await;
    (kept, kept.open().await)
}

/// A stack that is gone on with.
pub(super) async fn written() -> (&'static Kept, Open) {
    let kept = WRITTEN.get_or_init(async || Kept::restored().await.unwrap()).await;
    (kept, kept.open().await)
}

impl Kept {
    /// Starts a stack, and puts the databases of then in the place of its own.
    pub(super) async fn restored() -> Result<Self> {
        let stack = Stack::start_from(Some(PLAYED_FROM))?;
        let nats = stack.nats_url()?;
        // Its servers stay, and the next start takes them over.
        stack.kill()?;
        for database in DATABASES {
            replace(&stack, database).await.with_context(|| format!("put {database} back"))?;
        }
        let streams = jetstream::new(async_nats::connect(nats).await?);
        let names: Vec<String> = streams.stream_names().try_collect().await?;
        for name in names {
            streams.delete_stream(name).await?;
        }
        stack.up()?;
        let (commands, questions) = (lines("commands")?, lines("answers")?);
        Ok(Self { stack, commands, questions })
    }

    /// Connections of one test; they end with its runtime.
    pub(super) async fn open(&self) -> Open {
        Open {
            desk: Desk::at(&self.stack).await.unwrap(),
            agreements: Agreements::at(&self.stack).await.unwrap(),
        }
    }

    /// The log's last position of then.
    pub(super) fn head(&self, log: &str) -> u64 {
        let mut asked = self.questions.iter().filter(|asked| asked.log == log);
        let status = asked.find(|asked| asked.name() == "GetLogStatus").expect("it was asked");
        status.line["answer"]["head"].as_str().and_then(|head| head.parse().ok()).expect("a head")
    }

    /// Id of the grant that the story calls so.
    pub(super) fn grant(&self, name: &str) -> &str {
        let asked = self.questions.iter().find(|asked| asked.line["grant"] == name);
        asked.and_then(|asked| asked.line["request"]["grant_id"].as_str()).expect("a grant of the story")
    }

    /// The accepted commands of this name about a grant, in order.
    pub(super) fn about<'a>(&'a self, name: &'a str, grant: &'a str) -> impl Iterator<Item = &'a Asked> {
        let id = self.grant(grant);
        self.commands.iter().filter(move |asked| {
            asked.name() == name && asked.line["request"]["grant_id"] == id && asked.answer.is_some()
        })
    }

    /// Position of the first event of a command of this name about a grant.
    pub(super) fn position(&self, name: &str, grant: &str) -> u64 {
        self.about(name, grant).next().expect("a command of the story").position()
    }

    /// The commands that are part of a fault.
    pub(super) fn part_of<'a>(&'a self, fault: &'a str) -> impl Iterator<Item = &'a Asked> {
        self.commands.iter().filter(move |asked| asked.fault == fault)
    }
}

/// Puts the database of then in the place of the stack's, as written on this PostgreSQL: it is moved here, and nothing is lost.
async fn replace(stack: &Stack, database: &str) -> Result<()> {
    let admin = postgres(stack, "postgres").await?;
    admin.batch_execute(&format!("DROP DATABASE {database} WITH (FORCE)")).await?;
    admin.batch_execute(&format!("CREATE DATABASE {database}")).await?;
    let client = postgres(stack, database).await?;
    client.batch_execute(&unpacked(&format!("{database}.sql"))?).await?;
    if database != "funding_audit" {
        let here = "UPDATE public.log SET pg_system_id = (SELECT system_identifier::text FROM pg_control_system()), \
                    pg_timeline = (SELECT timeline_id FROM pg_control_checkpoint())";
        client.batch_execute(here).await?;
    }
    Ok(())
}

fn unpacked(name: &str) -> Result<String> {
    let file = repository().join("tests/data/log-2026-11").join(format!("{name}.gz"));
    let output = Command::new("gzip").args(["--decompress", "--stdout"]).arg(&file).output()?;
    ensure!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn lines(name: &str) -> Result<Vec<Asked>> {
    let text = unpacked(&format!("{name}.jsonl"))?;
    text.lines().map(|line| Asked::of(serde_json::from_str(line)?)).collect()
}

fn bytes(hex: &str) -> Result<Vec<u8>> {
    let digits = |at: usize| hex.get(at..at + 2).context("hexadecimal digits come in pairs");
    (0..hex.len()).step_by(2).map(|at| Ok(u8::from_str_radix(digits(at)?, 16)?)).collect()
}

/// Connections to a stack.
pub(super) struct Open {
    pub(super) desk: Desk,
    pub(super) agreements: Agreements,
}

impl Open {
    /// Calls again as then, byte for byte, and gives the answer's message.
    pub(super) async fn call(&self, asked: &Asked) -> Result<Vec<u8>, Status> {
        let channel: Channel = match asked.log.as_str() {
            "agreement" => self.agreements.channel(),
            "funding-audit" => self.desk.audit.clone(),
            _ => self.desk.fund.clone(),
        };
        let mut client = tonic::client::Grpc::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX);
        client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let path: PathAndQuery = asked.method.parse().map_err(|_| Status::internal("no path"))?;
        let request = asked.request.clone();
        let request = if asked.actor.is_empty() { plain(request) } else { by(&asked.actor, request) };
        Ok(client.unary(request, path, Verbatim).await?.into_inner())
    }

    /// A grant as the writer knows it.
    pub(super) async fn grant(&self, grant_id: &str) -> Grant {
        let asked = plain(GetGrantRequest { grant_id: grant_id.to_owned(), min_position: 0 });
        self.desk.grants().get_grant(asked).await.unwrap().into_inner().grant.unwrap()
    }

    /// All that is found by [`TODAY`], by the events up to a position.
    pub(super) async fn found(&self, position: u64) -> Vec<Finding> {
        let asked = ListFindingsRequest {
            as_of: at(position),
            on: TODAY.to_owned(),
            page_size: ALL,
            ..ListFindingsRequest::default()
        };
        self.desk.findings().list_findings(plain(asked)).await.unwrap().into_inner().findings
    }

    /// The exceptions of each control test, by the events up to a position.
    pub(super) async fn exceptions(&self, position: u64) -> BTreeMap<String, Vec<u64>> {
        let asked = ListControlTestsRequest {
            as_of: at(position),
            exceptions_max: ALL,
            ..ListControlTestsRequest::default()
        };
        let answer = self.desk.findings().list_control_tests(plain(asked)).await.unwrap().into_inner();
        answer.tests.into_iter().map(|test| (test.id, test.positions)).collect()
    }

    /// Whether a finding or a control test of a rule names a position.
    pub(super) async fn names(&self, rule: &str, position: u64, as_of: u64) -> bool {
        let found = self.found(as_of).await;
        let exceptions = self.exceptions(as_of).await;
        let of_rule = |id: &str| id.split('.').next() == Some(rule);
        found.iter().any(|finding| finding.rule == rule && finding.evidence.contains(&position))
            || exceptions.iter().any(|(id, positions)| of_rule(id) && positions.contains(&position))
    }
}

/// Messages as the bytes that they are, whatever the methods' types have become since.
#[derive(Debug, Clone, Copy)]
struct Verbatim;

impl Codec for Verbatim {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Verbatim {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Verbatim {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut message = vec![0; from.remaining()];
        from.copy_to_slice(&mut message);
        Ok(Some(message))
    }
}
