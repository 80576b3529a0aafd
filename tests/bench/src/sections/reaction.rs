//! (i) The reaction across services: agreements are terminated while payments go on, and the grants that rest on them are
//! held.
//!
//! Both services have logs of their own here, in a cell of their own. The time counts from the answer to the termination,
//! which is given once it is committed, until fund-grant publishes the hold, which it does after that is committed: somewhat
//! more than what lies between the two commits.

use crate::bench::Bench;
use crate::client;
use crate::figures::Round;
use crate::load::{Plan, histogram, micros, open};
use crate::payments::Grant;
use crate::services::{Agreement, Fund};
use anyhow::{Context, Result, bail, ensure};
use concord_proto::agreement::v1::{AgreementKind, TerminateAgreementRequest};
use concord_proto::fund::v1::grant_service_client::GrantServiceClient;
use concord_proto::fund::v1::{NameBackingAgreementRequest, bulk_command::Command};
use concord_proto::r#type::v1::{Party, PartyKind};
use concord_tests::agreements::{self, Agreements, INSTITUTE, OFFICER, WORKS};
use concord_tests::desk::{DIRECTOR, by};
use concord_tests::requests::header;
use concord_tests::stack::PLAYED_FROM;
use futures::StreamExt;
use serde::Deserialize;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tonic::Code;
use tonic::transport::Channel;
use uuid::Uuid;

/// Commands a second, of both services together.
const COMMANDS_PER_SECOND: f64 = 500.0;
/// Terminations among them.
const TERMINATIONS_PER_SECOND: f64 = 25.0;
/// Last day of the agreements' terms; none ends by the calendar here.
const TERM_ENDS_ON: &str = "2030-12-31";
/// Grants whose payments are the other commands.
const PAID_LANES: usize = 512;
/// How long the last hold may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause before a command that must wait for the other log is sent again.
const RETRY: Duration = Duration::from_millis(20);

pub(crate) async fn run(bench: &mut Bench, round: &mut Round) -> Result<()> {
    let tag = Uuid::now_v7().simple().to_string();
    let tag = &tag[tag.len() - 12..];
    let (cell, databases) = (format!("reaction-{tag}"), [format!("agreement_{tag}"), format!("fund_{tag}")]);
    for database in &databases {
        bench.cluster.create(database).await?;
    }
    let [agreements_url, fund_url] = databases.map(|database| bench.cluster.url(&database));
    let nats_url = bench.nats.url().to_owned();
    let mut agreement = Agreement::start(&bench.options, &agreements_url, &nats_url, &cell).await?;
    let settings = [("CELL", cell.as_str()), ("LOG_OWNER", agreement.address())];
    let mut fund = Fund::start_with(&bench.options, &fund_url, &nats_url, "reacting", &settings).await?;

    let measured = measure(bench, round, &agreement, &fund, &cell).await;
    fund.stop().await;
    agreement.stop().await;
    measured
}

async fn measure(
    bench: &mut Bench,
    round: &mut Round,
    agreement: &Agreement,
    fund: &Fund,
    cell: &str,
) -> Result<()> {
    let agreements = Agreements::of(agreement.address().to_owned()).await?;
    agreements.record_directory().await?;
    let duration = bench.options.warm_up() + bench.options.window();
    let count = (TERMINATIONS_PER_SECOND * duration.as_secs_f64()) as usize;
    let resting = rest(bench, &agreements, fund, count).await?;

    // What the others are paid meanwhile.
    let clients = client::connect(fund.address(), 1).await?;
    let rate = COMMANDS_PER_SECOND - TERMINATIONS_PER_SECOND;
    let mut supply = bench.supply.for_another_service();
    let wanted = (rate * duration.as_secs_f64() * 1.1) as usize;
    let lanes = supply.lanes(&mut clients[0].clone(), wanted, PAID_LANES).await?;
    fund.published().await?;

    let nats = async_nats::connect(bench.nats.url()).await?;
    let held = nats.subscribe(format!("concord.{cell}.fund-grant.grant.GrantHeld")).await?;
    nats.flush().await?;
    let plan = Plan { clients: &clients, warm_up: bench.options.warm_up(), window: bench.options.window() };
    let (paid, terminated, held) = tokio::join!(
        open(&plan, &lanes, rate),
        terminate(&agreements, &resting),
        until_held(held, resting.len())
    );
    let (paid, terminated, held) = (paid?, terminated?, held?);

    let mut latency_us = histogram()?;
    for (agreement, answered) in &terminated {
        let held =
            held.get(agreement).with_context(|| format!("no grant was held for agreement {agreement}"))?;
        latency_us.record(micros(held.saturating_duration_since(*answered)))?;
    }
    ensure!(terminated.len() == resting.len(), "{} of {} were terminated", terminated.len(), resting.len());
    for (quantile, of) in [("p50_us", 0.5), ("p90_us", 0.9), ("p99_us", 0.99), ("max_us", 1.0)] {
        round.note(format!("reaction.{quantile}"), latency_us.value_at_quantile(of) as f64);
    }
    round.note("reaction.terminations".to_owned(), terminated.len() as f64);
    round.note("reaction.paid_per_second".to_owned(), paid.per_second());
    Ok(())
}

/// So many agreements in force, each with a grant that rests on it.
async fn rest(bench: &Bench, agreements: &Agreements, fund: &Fund, count: usize) -> Result<Vec<String>> {
    let mut grants = GrantServiceClient::connect(fund.address().to_owned()).await?;
    let mut client = client::connect(fund.address(), 1).await?.remove(0);
    let mut resting = Vec::with_capacity(count);
    for _ in 0..count {
        let request =
            agreements::draft(AgreementKind::JointResearch, &[WORKS, INSTITUTE], (PLAYED_FROM, TERM_ENDS_ON));
        let agreement = agreements.signed(request).await?;
        let grant = Grant::new();
        let mut commands = bench.supply.import_of(grant).to_vec();
        for command in &mut commands {
            if let Some(Command::ImportAward(award)) = &mut command.command {
                award.lead = Some(lead());
            }
        }
        client.bulk(std::iter::once(client::Chunk::of(commands))).await?;
        resting.push((agreement, grant));
    }
    let position = agreements.head().await?;
    for (agreement, grant) in &resting {
        name(&mut grants, agreement, grant, position).await?;
    }
    Ok(resting.into_iter().map(|(agreement, _)| agreement).collect())
}

/// The lead of every grant that rests on an agreement is a party to it.
fn lead() -> Party {
    Party {
        code: INSTITUTE.to_owned(),
        kind: PartyKind::Institute.into(),
        region: "DE".to_owned(),
        name: String::new(),
    }
}

async fn name(
    grants: &mut GrantServiceClient<Channel>,
    agreement: &str,
    grant: &Grant,
    position: u64,
) -> Result<()> {
    let request = NameBackingAgreementRequest {
        header: header(),
        grant_id: grant.id.to_string(),
        agreement_id: agreement.to_owned(),
        agreement_position: Some(position),
    };
    let started = Instant::now();
    loop {
        match grants.name_backing_agreement(by(DIRECTOR, request.clone())).await {
            Ok(_) => return Ok(()),
            Err(status) if status.code() == Code::Unavailable && started.elapsed() < PATIENCE => {
                tokio::time::sleep(RETRY).await;
            }
            Err(status) => return Err(status).context("a grant could not name its agreement"),
        }
    }
}

/// Terminates them one after the other on a schedule, and says when each was answered.
async fn terminate(agreements: &Agreements, resting: &[String]) -> Result<Vec<(String, Instant)>> {
    let started = Instant::now();
    let mut waiting = JoinSet::new();
    for (number, agreement) in (0_u32..).zip(resting) {
        let due = started + Duration::from_secs_f64(f64::from(number) / TERMINATIONS_PER_SECOND);
        tokio::time::sleep_until(due.into()).await;
        let (mut client, agreement) = (agreements.agreements(), agreement.clone());
        waiting.spawn_local(async move {
            let request = TerminateAgreementRequest {
                header: header(),
                agreement_id: agreement.clone(),
                reason: "benchmark 性能测试".to_owned(),
                authority: "SYN-1".to_owned(),
                out_of_force_from: PLAYED_FROM.to_owned(),
            };
            client.terminate_agreement(by(OFFICER, request)).await?;
            Ok::<_, tonic::Status>((agreement, Instant::now()))
        });
    }
    let mut terminated = Vec::with_capacity(resting.len());
    while let Some(ended) = waiting.join_next().await {
        terminated.push(ended??);
    }
    Ok(terminated)
}

/// What is read of a hold.
#[derive(Deserialize)]
struct Held {
    data: HeldData,
}

#[derive(Deserialize)]
struct HeldData {
    cause: Cause,
}

#[derive(Deserialize)]
struct Cause {
    agreement: String,
}

/// When the hold for each agreement was published.
async fn until_held(mut messages: async_nats::Subscriber, count: usize) -> Result<HashMap<String, Instant>> {
    let mut held = HashMap::with_capacity(count);
    while held.len() < count {
        let Some(message) =
            tokio::time::timeout(PATIENCE, messages.next()).await.context("a hold is missing")?
        else {
            bail!("NATS ended the subscription");
        };
        let arrived = Instant::now();
        let event: Held = serde_json::from_slice(&message.payload).context("a hold cannot be read")?;
        held.insert(event.data.cause.agreement, arrived);
    }
    Ok(held)
}
