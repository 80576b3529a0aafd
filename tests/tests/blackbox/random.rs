//! Property: whatever callers do, what the writer accepts every reader can hold.
//!
//! Random commands go over gRPC into the real writer, from there into the real projection, and in the end `concord log check` reads
//! all of it: the log's own order, every account and limit at every position, the stream, the projection's rows against a refold, and
//! its answers against the checker's ledger. Nothing may fail inside, and nothing may stop.
//!
//! A sequence is a life of two grants in a programme of its own: what a state suggests most of the time, and anything else the
//! rest. Many of them go on at once, in waves; after each wave the services start again, in good order, killed, or with the
//! projection's rows thrown away.
//!
//! | variable | what it says | where it is not set |
//! |---|---|---|
//! | `RANDOM_SEQUENCES` | how many sequences | 500 |
//! | `RANDOM_SEED` | what they follow from; it is printed | drawn |
//! | `RANDOM_ONLY` | one of them, by its number, and no other | all |
//!
//! | file | what it does |
//! |---|---|
//! | `random/rng.rs` | numbers that follow from the seed |
//! | `random/sequence.rs` | a sequence: what it knows, and which command it tries next |
//! | `random/commands.rs` | each command as a request |
//! | `random/tally.rs` | what was met: commands, refusals |

mod commands;
mod rng;
mod sequence;
mod tally;

use self::{
    commands::Asked,
    rng::Rng,
    sequence::{GONE, Sequence, TICKS},
    tally::Tally,
};
use concord_proto::agreement::v1::{AgreementKind, DissolvePartyRequest, RecordPartyRequest};
use concord_proto::audit::v1::GetProjectionStatusRequest;
use concord_proto::fund::v1::{BulkCommand, ExecuteCommandsRequest, GetGrantRequest, bulk_result};
use concord_proto::r#type::v1::{Actor, CommandReceipt, PartyKind};
use concord_tests::agreements::{Agreements, OFFICER, UNIVERSITY, WORKS, draft};
use concord_tests::check::checked;
use concord_tests::desk::{CLERK, Desk, by, plain};
use concord_tests::record::postgres;
use concord_tests::requests::header;
use concord_tests::stack::Stack;
use jiff::{ToSpan as _, civil::Date};
use std::time::{Duration, Instant};
use tonic::{Code, Status};
use uuid::Uuid;

/// Sequences that go on at once, and after which the services start again.
const WAVE: u64 = 250;
/// Sequences on one stack: the played clock runs on, and the working days are known until 2026.
const ON_A_STACK: u64 = 5_000;
/// The first day on each stack.
const FIRST_DAY: Date = Date::constant(2013, 1, 7);
/// Once so far into a wave, time goes on by as many days: demands are overdue then, and may be offset.
const LEAP: (usize, i64) = (34, 130);
/// Of all commands that were tried, how many at least are accepted, in per cent.
const ACCEPTED_MIN_PERCENT: u64 = 40;
/// From so many sequences on, each command is accepted so often at least.
const WHOLE_RUN: (u64, u64) = (20_000, 20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_writer_accepts_every_reader_can_hold() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let sequences = number("RANDOM_SEQUENCES").unwrap_or(500);
    let seed = number("RANDOM_SEED")
        .unwrap_or_else(|| u64::from_le_bytes(Uuid::now_v7().as_bytes()[8..].try_into().unwrap()) >> 16);
    let only = number("RANDOM_ONLY");
    eprintln!("RANDOM_SEED={seed} RANDOM_SEQUENCES={sequences}");
    let mut tally = Tally::default();
    let all: Vec<u64> = only.map_or_else(|| (0..sequences).collect(), |only| vec![only]);
    for (stack, numbers) in all.chunks(ON_A_STACK as usize).enumerate() {
        let started = Instant::now();
        on_a_stack(seed, numbers, &mut tally).await;
        eprintln!("stack {stack}: {} sequences in {} s", numbers.len(), started.elapsed().as_secs());
    }
    tally.print();
    if only.is_none() {
        assert!(
            tally.accepted() * 100 >= tally.tried() * ACCEPTED_MIN_PERCENT,
            "{} of {} were accepted",
            tally.accepted(),
            tally.tried()
        );
        if sequences >= WHOLE_RUN.0 {
            assert_eq!(
                tally.seldom_accepted(WHOLE_RUN.1),
                [] as [&str; 0],
                "each command comes to something"
            );
        }
    }
}

/// Tells these sequences on a stack of their own, wave by wave, and has all of it checked.
async fn on_a_stack(seed: u64, numbers: &[u64], tally: &mut Tally) {
    let stack = Stack::start_from(Some(&FIRST_DAY.to_string())).unwrap();
    let agreements = Agreements::with_directory(&stack).await.unwrap();
    let term = (FIRST_DAY.to_string(), "2026-12-31");
    let request = draft(AgreementKind::LongTerm, &[UNIVERSITY, WORKS], (&term.0, term.1));
    let lasting = agreements.signed(request).await.unwrap();
    dissolve(&agreements).await;
    let mut today = FIRST_DAY;
    for (wave, numbers) in numbers.chunks(WAVE as usize).enumerate() {
        let desk = Desk::at(&stack).await.unwrap();
        let agreements = Agreements::at(&stack).await.unwrap();
        let (from, until) = (today.to_string(), today.saturating_add(25.days()).to_string());
        let request = draft(AgreementKind::LongTerm, &[UNIVERSITY, WORKS], (&from, &until));
        let both = [lasting.clone(), agreements.signed(request).await.unwrap()];
        let begun = |number: &u64| Sequence::of(rng(seed, *number), *number, &both, today);
        let mut sequences: Vec<Sequence> = numbers.iter().map(begun).collect();
        for tick in 0..TICKS {
            today = today.saturating_add(if tick == LEAP.0 { LEAP.1 } else { 1 }.days());
            desk.advance_to(&today.to_string()).await.unwrap();
            one_tick(&desk, &mut sequences, today, tally).await;
        }
        is_held(&desk).await;
        start_again(&stack, wave).await;
        is_held(&Desk::at(&stack).await.unwrap()).await;
    }
    checked(&stack).unwrap();
}

/// A party that is no more.
async fn dissolve(agreements: &Agreements) {
    let record = RecordPartyRequest {
        header: header(),
        code: GONE.to_owned(),
        kind: PartyKind::Enterprise.into(),
        name: "已注销单位".to_owned(),
        region: "210102".to_owned(),
        ..RecordPartyRequest::default()
    };
    let party_id =
        agreements.parties().record_party(by(OFFICER, record)).await.unwrap().into_inner().party_id;
    let dissolve = DissolvePartyRequest { header: header(), party_id };
    agreements.parties().dissolve_party(by(OFFICER, dissolve)).await.unwrap();
}

/// Each sequence tries one command.
async fn one_tick(desk: &Desk, sequences: &mut [Sequence], today: Date, tally: &mut Tally) {
    let mut asked: Vec<Asked> = sequences.iter_mut().map(|sequence| sequence.next(today)).collect();
    let mut bulk = Vec::new();
    let mut outcomes: Vec<Option<Result<CommandReceipt, Status>>> = Vec::new();
    for asked in &mut asked {
        outcomes.push(match asked.alone(desk).await {
            Some(outcome) => Some(outcome),
            None => {
                let (person, organisation) = asked.actor.split_once('@').unwrap();
                let actor = Actor { person_id: person.to_owned(), organisation_id: organisation.to_owned() };
                bulk.push(BulkCommand { actor: Some(actor), command: asked.bulk.clone() });
                None
            }
        });
    }
    let chunk = ExecuteCommandsRequest { chunk: 1, commands: bulk };
    let mut answers =
        desk.grants().execute_commands(by(CLERK, futures::stream::iter([chunk]))).await.unwrap().into_inner();
    let mut results = match answers.message().await.unwrap() {
        Some(answer) => answer.results.into_iter(),
        None => Vec::new().into_iter(),
    };
    let mut accepted = Vec::new();
    for ((sequence, asked), outcome) in sequences.iter_mut().zip(&asked).zip(outcomes) {
        let outcome = outcome.unwrap_or_else(|| match results.next().unwrap().result.unwrap() {
            bulk_result::Result::Receipt(receipt) => Ok(receipt),
            bulk_result::Result::Error(error) => {
                Err(Status::with_details(Code::from_i32(error.code), error.message, error.status.into()))
            }
        });
        if let Err(status) = &outcome {
            let told = matches!(
                status.code(),
                Code::FailedPrecondition
                    | Code::InvalidArgument
                    | Code::NotFound
                    | Code::AlreadyExists
                    | Code::Aborted
                    | Code::OutOfRange
                    | Code::Unavailable
            );
            assert!(told, "sequence {}: {asked:?} came to {status:?}", sequence.number);
        }
        tally.note(asked.name, &outcome);
        if outcome.is_ok() {
            accepted.push((sequence, asked));
        }
    }
    // What the grants are like now, of all that moved on.
    let seen = accepted.iter().flat_map(|(sequence, _)| sequence.grants.clone()).map(|grant_id| {
        let mut grants = desk.grants();
        async move {
            let answer = grants.get_grant(plain(GetGrantRequest { grant_id, min_position: 0 })).await;
            answer.ok().and_then(|answer| answer.into_inner().grant)
        }
    });
    let mut seen = futures::future::join_all(seen).await.into_iter();
    for (sequence, asked) in accepted {
        sequence.seen = [seen.next().flatten(), seen.next().flatten()];
        sequence.accepted(asked);
    }
}

/// The projection reaches the head, and its books balance.
async fn is_held(desk: &Desk) {
    let head = desk.status().await.unwrap().head;
    let mut waited = Duration::ZERO;
    loop {
        let request = plain(GetProjectionStatusRequest { min_position: head });
        match desk.audit().get_projection_status(request).await {
            Ok(status) => {
                let status = status.into_inner();
                assert!(status.balanced && status.stopped.is_empty(), "{status:?}");
                return;
            }
            // It builds all of its rows anew.
            Err(late) if late.code() == Code::Unavailable && waited < Duration::from_secs(600) => {
                waited += Duration::from_secs(30);
            }
            Err(status) => panic!("the projection does not reach {head}: {status:?}"),
        }
    }
}

/// Ends the services one way or another, and starts them again.
async fn start_again(stack: &Stack, wave: usize) {
    match wave % 3 {
        0 => stack.stop().unwrap(),
        1 => stack.kill().unwrap(),
        _ => {
            stack.stop().unwrap();
            stack.up().unwrap();
            // As a new version of it begins.
            let client = postgres(stack, "funding_audit").await.unwrap();
            let schemas = client
                .query("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'funding_audit_v%'", &[])
                .await
                .unwrap();
            stack.kill().unwrap();
            for schema in schemas {
                let schema: String = schema.get(0);
                client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
            }
        }
    }
    stack.up().unwrap();
}

/// A generator for what the sequence of this number does, whichever others are told beside it.
fn rng(seed: u64, number: u64) -> Rng {
    Rng::of(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
