//! (g) The relay refills a stream that was deleted, and a bare publisher fills another one with the same messages, as
//! many unacknowledged at once. The projection stands still meanwhile.

use crate::bench::Bench;
use crate::figures::Round;
use anyhow::{Context, Result, ensure};
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, stream};
use bytes::Bytes;
use concord_proto::log::v1::ReadLogRequest;
use concord_tests::stack::Frozen;
use serde::Deserialize;
use std::borrow::Cow;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Messages of either side.
const MESSAGES: u64 = 200_000;
/// Publishes that the relay has unacknowledged at once at most.
const IN_FLIGHT: usize = 4_096;
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(300);
/// Stream and first token of the bare publisher's subjects.
const BARE: &str = "bench_publisher";

/// A message of the log, on a subject as long as its own.
struct Message {
    subject: String,
    payload: Bytes,
}

pub(crate) async fn run(bench: &mut Bench, round: &mut Round) -> Result<()> {
    let head = bench.at_least(MESSAGES).await?;
    let messages = messages(bench).await?;
    let stands_still = Frozen::with_descendants(bench.audit.process().pid())?;
    let context = jetstream::new(async_nats::connect(bench.nats.url()).await?);
    let name = bench.fund.status().await?.stream;
    round.note("relay.per_second", refill(&context, &name, head).await?);

    let (sender, found) = tokio::sync::oneshot::channel();
    let url = bench.nats.url().to_owned();
    // It gets both cores, as the relay does.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let found = runtime.context("no runtime").and_then(|one| one.block_on(publish(&url, messages)));
        let _ = sender.send(found);
    });
    round.note("relay.publisher_per_second", found.await.context("the publisher panicked")??);
    context.delete_stream(BARE).await?;
    stands_still.thaw();
    bench.quiet().await
}

/// Reads the first messages of the log.
async fn messages(bench: &Bench) -> Result<Vec<Message>> {
    #[derive(Deserialize)]
    struct Names<'a> {
        #[serde(rename = "type", borrow)]
        event_type: Cow<'a, str>,
        #[serde(borrow)]
        subject: Cow<'a, str>,
    }
    let mut log = bench.fund.log().max_decoding_message_size(8 << 20);
    let request = ReadLogRequest { from_position: 1, to_position: MESSAGES };
    let mut chunks = log.read_log(request).await?.into_inner();
    let mut messages = Vec::new();
    while let Some(chunk) = chunks.message().await? {
        for event in chunk.events {
            let names: Names<'_> = serde_json::from_slice(&event.cloud_event)?;
            let aggregate = names.subject.split('/').next().unwrap_or_default();
            let event_name = names.event_type.rsplit('.').next().unwrap_or_default();
            let subject = format!("{BARE}.local.fund-grant.{aggregate}.{event_name}");
            // A copy: the event would keep the whole chunk that it came in.
            messages.push(Message { subject, payload: Bytes::copy_from_slice(&event.cloud_event) });
        }
    }
    Ok(messages)
}

/// Deletes the stream and watches the relay refill it: messages a second from the first that is seen on.
async fn refill(context: &jetstream::Context, name: &str, head: u64) -> Result<f64> {
    context.delete_stream(name).await?;
    let deleted = Instant::now();
    let mut first: Option<(Instant, u64)> = None;
    let mut rate = None;
    loop {
        ensure!(deleted.elapsed() < PATIENCE, "the relay did not refill {name} in {PATIENCE:?}");
        tokio::time::sleep(POLL).await;
        // Not there again yet.
        let Ok(stream) = context.get_stream(name).await else { continue };
        let (now, last) = (Instant::now(), stream.cached_info().state.last_sequence);
        if last == 0 {
            continue;
        }
        let (since, from) = *first.get_or_insert((now, last));
        if rate.is_none() && last >= MESSAGES {
            rate = Some((last - from) as f64 / (now - since).as_secs_f64());
        }
        if last >= head {
            return rate.context("the stream was refilled before it was seen");
        }
    }
}

/// Publishes each message with the sequence that it is to follow, and awaits the acknowledgements in order.
async fn publish(url: &str, messages: Vec<Message>) -> Result<f64> {
    let context = ContextBuilder::new()
        .timeout(ANSWER_WITHIN)
        .ack_timeout(ANSWER_WITHIN)
        .max_ack_inflight(IN_FLIGHT)
        .backpressure_on_inflight(true)
        .build(async_nats::connect(url).await?);
    let config = stream::Config {
        name: BARE.to_owned(),
        subjects: vec![format!("{BARE}.>")],
        allow_direct: true,
        ..stream::Config::default()
    };
    context.create_stream(config).await?;
    let count = messages.len() as u64;
    let started = Instant::now();
    let (sent, mut acks) = mpsc::channel(IN_FLIGHT);
    let confirmed = async {
        for sequence in 1..=count {
            let ack: jetstream::context::PublishAckFuture = acks.recv().await.context("no more was sent")?;
            ensure!(ack.await?.sequence == sequence, "message {sequence} is at another sequence");
        }
        anyhow::Ok(())
    };
    let published = async {
        for (message, last) in messages.into_iter().zip(0..) {
            let publish = PublishMessage::build()
                .payload(message.payload)
                .expected_last_sequence(last)
                .header("content-type", "application/cloudevents+json");
            sent.send(context.send_publish(message.subject, publish).await?).await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(confirmed, published)?;
    Ok(count as f64 / started.elapsed().as_secs_f64())
}
