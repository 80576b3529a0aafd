//! A log that the program of 4a207de made, with each fault in it that it took for right: its databases are put in the place of a
//! stack's own, and the stack opens them, reads them to the end, tells of the past what was told then, and goes on.
//!
//! | file | what it proves |
//! |---|---|
//! | this one | both logs open and are followed to their heads; repeats, receipts and figures are those of then |
//! | `leftovers` | what the faults left is found |
//! | `continued` | what they stood in the way of is done, and the same is not done again |
//! | `kept` | how the databases, requests and answers of then are read |
//!
//! What each part of the story is for, and where it stands in the logs: `tests/data/README.md`.

mod continued;
mod kept;
mod leftovers;

use self::kept::{Asked, Kept, TODAY, read};
use concord_proto::agreement::v1::{GetAgreementResponse, LookUpPartyResponse};
use concord_proto::audit::v1::{
    Balance, GetProjectionStatusRequest, ListBalancesResponse, ListPostingsResponse,
};
use concord_proto::fund::v1::{
    BackingState, GetBackingRequest, GetBackingResponse, GetGrantResponse, GetProgrammeResponse,
    GetRecoveryResponse, GetRectificationResponse,
};
use concord_tests::check::check;
use concord_tests::desk::plain;
use concord_tests::record::{Stored, eventually, in_nats, in_postgres, positions_by_request};
use prost::Message;
use serde_json::{Value, json};

/// The agreement whose link's id a grant had, and the one that ended meanwhile.
fn agreements(kept: &Kept) -> [String; 2] {
    let of = |name: &str| {
        let mut asked = kept.part_of("B1.link").filter(|asked| asked.name() == name);
        asked.next().unwrap().line["request"]["agreement_id"].as_str().unwrap().to_owned()
    };
    [of("DraftAgreement"), of("TerminateAgreement")]
}

/// What the fund knows of both, once it has followed the agreement log to the end of then.
async fn followed(kept: &Kept, open: &kept::Open) -> [GetBackingResponse; 2] {
    let end = kept.head("agreement");
    let [taken, ended] = agreements(kept);
    let known = async |agreement_id: &str| {
        let request =
            GetBackingRequest { agreement_id: agreement_id.to_owned(), ..GetBackingRequest::default() };
        Some(open.desk.grants().get_backing(plain(request)).await.ok()?.into_inner())
    };
    eventually("the fund has followed the agreement log to its end", async || {
        let both = [known(&taken).await?, known(&ended).await?];
        both.iter().all(|known| known.verified_position >= end).then_some(both)
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_made_before_is_opened_and_followed_to_its_head() {
    let (kept, open) = read().await;
    for (status, log) in [
        (open.desk.status().await.unwrap(), "fund-grant"),
        (open.agreements.status().await.unwrap(), "agreement"),
    ] {
        assert_eq!(status.standstill, None, "{log}");
        assert!(status.head >= kept.head(log), "{log}");
        assert_eq!((status.generation, status.today.as_str()), (1, TODAY), "{log}");
    }

    // The fund follows past the agreement whose link's id a grant had, and hears that the other one ended.
    let [taken, ended] = followed(kept, &open).await.map(|known| known.backing.unwrap());
    assert_eq!((taken.state(), ended.state()), (BackingState::InForce, BackingState::Terminated));
    let grant = open.grant(kept.grant("h")).await;
    assert_eq!(grant.hold.unwrap().causes[0].agreement_id, ended.agreement_id);
    assert_eq!(open.grant(kept.grant("squatter-link")).await.title, "示范项目 squatter-link");

    // The audit holds every event, whichever it stopped at then.
    let head = open.desk.status().await.unwrap().head;
    let asked = plain(GetProjectionStatusRequest { min_position: head });
    let status = open.desk.audit().get_projection_status(asked).await.unwrap().into_inner();
    assert!(status.stopped.is_empty() && status.balanced && status.checkpoint >= head, "{status:?}");
    let grants = kept.questions.iter().filter(|asked| asked.name() == "GetGrant").count();
    assert_eq!(status.grants, grants as i64, "{status:?}");

    // The stream is filled with the same bytes.
    assert_eq!(
        in_nats(&kept.stack, &open.desk, head).await.unwrap(),
        in_postgres(&kept.stack).await.unwrap()[..head as usize]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_request_gets_its_first_answer_byte_for_byte() {
    let (kept, open) = read().await;
    let mut others = Vec::new();
    // A played clock tells its today of now, whoever asks.
    for asked in kept.commands.iter().filter(|asked| asked.name() != "AdvanceToday") {
        let Some(first) = &asked.answer else { continue };
        match open.call(asked).await {
            Ok(answer) if answer == *first => {}
            other => others.push((asked.method.clone(), asked.line["request_id"].clone(), other)),
        }
    }
    assert!(others.is_empty(), "{} of {}: {others:#?}", others.len(), kept.commands.len());
    // Two of them name another expected version than the first time: a stored request is compared as it was stored, without it.
    assert_eq!(kept.commands.iter().filter(|asked| asked.again).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_is_told_as_it_was() {
    let (kept, open) = read().await;
    let mut asked_again = 0;
    for asked in &kept.questions {
        let Some(first) = asked.answer.as_deref().and_then(|answer| told(asked, answer)) else { continue };
        let now = told(asked, &open.call(asked).await.unwrap()).unwrap();
        assert_eq!(now, first, "{} {}", asked.method, asked.line["request"]);
        asked_again += 1;
    }
    assert_eq!(asked_again, 54);

    // Each event is the one of then, and each request has the events that its receipt named.
    let events = in_postgres(&kept.stack).await.unwrap();
    let positions = positions_by_request(&events);
    let commands =
        kept.commands.iter().filter(|asked| asked.log == "fund-grant" && asked.name() != "AdvanceToday");
    for asked in commands.filter(|asked| asked.answer.is_some()) {
        let receipt = &asked.line["answer"]["receipt"];
        let hashes: Vec<String> = receipt["leaf_hashes"].as_array().unwrap().iter().map(text).collect();
        let first: usize = text(&receipt["first_position"]).parse().unwrap();
        let own = &events[first - 1..first - 1 + hashes.len()];
        let leaf = |stored: &Stored| hex(&stored.leaf_hash());
        let answered = asked.answered::<Receipted>().receipt.unwrap().leaf_hashes;
        assert_eq!(
            own.iter().map(leaf).collect::<Vec<_>>(),
            answered.iter().map(|hash| hex(hash)).collect::<Vec<_>>()
        );
        let own: Vec<u64> = own.iter().map(|stored| stored.position).collect();
        assert_eq!(positions[asked.line["request_id"].as_str().unwrap()], own);
    }
}

/// What every answer to a command has first.
#[derive(Clone, PartialEq, Message)]
struct Receipted {
    #[prost(message, optional, tag = "1")]
    receipt: Option<concord_proto::r#type::v1::CommandReceipt>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an answer says that stays for good: amounts, accounts, days, states. Not how it is called, who is known to be whom, and how
/// far the log has gone on. `None` for what is asked elsewhere.
fn told(asked: &Asked, answer: &[u8]) -> Option<Value> {
    Some(match asked.name() {
        "GetProgramme" => {
            let it = GetProgrammeResponse::decode(answer).unwrap().programme.unwrap();
            let amounts = [it.appropriated_minor, it.available_minor, it.reserved_minor, it.contracted_minor];
            json!([it.fund, it.year, it.currency, it.title, amounts, it.version])
        }
        "GetGrant" => grant(answer),
        "GetRecovery" => {
            let it = GetRecoveryResponse::decode(answer).unwrap().recovery.unwrap();
            let takes: Vec<_> = it
                .takes
                .iter()
                .map(|take| (take.from, take.amount.as_ref().map(|amount| amount.amount_minor)))
                .collect();
            json!([
                it.grant_id,
                it.state,
                it.cause,
                it.currency,
                it.amount_minor,
                it.outstanding_minor,
                takes
            ])
        }
        "GetRectification" => {
            let it = GetRectificationResponse::decode(answer).unwrap().rectification.unwrap();
            let key = it.finding.unwrap();
            json!([
                key.rule,
                key.subject,
                key.position,
                it.state,
                it.owner,
                it.deadline,
                it.minutes,
                it.reason
            ])
        }
        "GetAgreement" => {
            let it = GetAgreementResponse::decode(answer).unwrap().agreement.unwrap();
            let terms: Vec<_> = it.periods.iter().map(|it| (&it.in_force_from, &it.authority)).collect();
            json!([it.kind, it.state, it.on, it.title, it.drafted_on, it.parties.len(), terms, it.version])
        }
        // The party under the scheme's other name is another one now.
        "LookUpParty" if !text(&asked.line["request"]["code"]).starts_with("CN-USCI:") => {
            let it = LookUpPartyResponse::decode(answer).unwrap();
            json!([it.party_id, it.party.unwrap().name, it.successor_id, it.dissolved, it.on])
        }
        "ListPostings" => {
            let lines = ListPostingsResponse::decode(answer).unwrap().postings;
            let line = lines.iter().map(|it| {
                let place = (&it.account, &it.programme_id, &it.grant_id, &it.industry, it.year);
                let when = (&it.effective_on, &it.period, &it.recorded_at);
                json!([it.position, it.line, it.event_type, place, it.amount_minor, it.currency, when])
            });
            line.collect()
        }
        "ListBalances" => {
            let it = ListBalancesResponse::decode(answer).unwrap();
            // A party has the id that is known of it by now.
            let by = asked.line["request"]["group_by"].as_array().map_or(0, Vec::len);
            let balances: Value = it.balances.iter().map(|it| balance(it, by)).collect();
            let reflects = it.reflects.unwrap();
            json!([balances, reflects.position, reflects.effective_on])
        }
        _ => return None,
    })
}

fn balance(it: &Balance, by: usize) -> Value {
    json!([
        (by == 1).then_some(&it.group),
        it.currency,
        it.appropriated_minor,
        it.available_minor,
        it.reserved_minor,
        it.committed_minor,
        it.instructed_minor,
        it.recipient_unspent_minor,
        it.settled_minor,
        it.eligible_spend_minor,
        it.recoverable_minor,
        it.refunded_minor,
        it.retained_by_rule_minor,
        it.written_off_minor,
        it.match_pledged_minor,
        it.match_arrived_minor,
        it.grants,
    ])
}

fn grant(answer: &[u8]) -> Value {
    let it = GetGrantResponse::decode(answer).unwrap().grant.unwrap();
    let amounts = [it.requested_minor, it.review_ceiling_minor, it.approved_minor, it.contracted_minor];
    let tranche =
        it.tranches.iter().map(|it| (it.number, it.state, it.planned_minor, it.amount_minor, &it.due_on));
    let tranches: Vec<_> = tranche.collect();
    let balances: Vec<_> = it.balances.iter().map(|it| (&it.account, it.amount_minor)).collect();
    let facts: Vec<_> = it.facts.iter().map(|it| (it.position, it.kind, &it.on, it.amount_minor)).collect();
    let share =
        it.shares.iter().map(|it| (it.allocated_minor, it.passed_on_minor, it.unspent_minor, it.spent_minor));
    let shares: Vec<_> = share.collect();
    let sources: Vec<_> =
        it.matching.iter().map(|it| (it.number, it.pledged_minor, it.arrived_minor)).collect();
    let spending = it.spending.map(|it| (it.reported_minor, it.accepted_minor, it.disallowed_minor));
    let days = (&it.approvable_from, &it.starts_on, &it.ends_on, &it.acceptance_due_on);
    json!([
        it.programme_id,
        it.state,
        it.title,
        it.currency,
        amounts,
        tranches,
        balances,
        facts,
        shares,
        sources,
        spending,
        days,
        it.recovery_ids,
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn both_logs_are_proved() {
    let (kept, open) = read().await;
    followed(kept, &open).await;
    for log in ["agreement", "fund-grant"] {
        let check = check(&kept.stack, &["--log", log]).unwrap();
        assert_eq!((check.code, &check.said["proved"]), (Some(0), &Value::from(true)), "{log}: {check:#?}");
        assert!(check.said["head"].as_u64() >= Some(kept.head(log)), "{log}: {:#}", check.said);
    }
}
