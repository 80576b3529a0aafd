//! (d) One hot programme: every command approves a grant and so reserves from the same budget, 256 in flight.

use crate::bench::{Bench, note};
use crate::client::{CHUNK_COMMANDS, Chunk, Client};
use crate::figures::Round;
use crate::load::{Lane, Lanes, Plan, all, closed};
use crate::payments::{Call, by};
use crate::wire::Rpc;
use anyhow::Result;
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    AdmitGrantRequest, ApproveGrantsRequest, Award, BulkCommand, PublishNoticeRequest, RecommendGrantRequest,
    ReviewGrantRequest,
};
use concord_tests::desk::{APPLICANT, CITY, CLERK, DIRECTOR, REVIEWER};
use concord_tests::requests::{PUBLISHED_ON, application, appropriation, fen, header, header_on, id};

const IN_FLIGHT: usize = 256;
/// Approvals a second to prepare for where nothing is known yet.
const GUESS: f64 = 25_000.0;
/// Each grant has five steps behind it, so a short window saves long preparations; and so that they stay in the
/// service's cache, since cold states are measured elsewhere.
const WINDOW_SHARE: u32 = 4;
/// What each grant is awarded, in fen.
const AWARD_MINOR: i64 = 30_000_000;
/// The programme's budget, in fen: more than can be approved in a run.
const BUDGET_MINOR: i64 = 1_000_000_000_000_000;

pub(crate) async fn run(bench: &mut Bench, round: &mut Round) -> Result<()> {
    let clients = bench.clients(IN_FLIGHT).await?;
    let programme = id();
    let appropriate = Call::new(CLERK, Rpc::Appropriate, &appropriation(&programme, BUDGET_MINOR));
    all(&clients, &Lanes::new([Lane::one(appropriate)]), 1).await?;
    let commands = bench.commands("hot", GUESS) / WINDOW_SHARE as usize;
    let grants: Vec<String> = (0..commands).map(|_| id()).collect();
    to_notice(&mut bench.clients(1).await?.remove(0), &programme, &grants).await?;
    bench.quiet().await?;

    let approvals = Lanes::new(grants.iter().map(|grant| Lane::one(approval(grant))));
    let window = bench.options.window() / WINDOW_SHARE;
    let plan = Plan { clients: &clients, warm_up: bench.options.warm_up() / WINDOW_SHARE, window };
    let measured = closed(&plan, &approvals, IN_FLIGHT).await?;
    bench.reached("hot", measured.per_second());
    note(round, "hot", &measured);
    Ok(())
}

/// Takes new grants of a programme up to their notice, dated so that they can be approved today.
async fn to_notice(client: &mut Client, programme: &str, grants: &[String]) -> Result<()> {
    let chunks = grants
        .chunks(CHUNK_COMMANDS / 5)
        .map(|grants| Chunk::of(grants.iter().flat_map(|grant| procedure(programme, grant)).collect()));
    client.bulk(chunks).await?;
    Ok(())
}

fn procedure(programme: &str, grant: &str) -> [BulkCommand; 5] {
    let grant_id = || grant.to_owned();
    let recommender = "沈阳市科技局".to_owned();
    let application = application(programme, grant, AWARD_MINOR);
    let recommendation =
        RecommendGrantRequest { header: header_on(PUBLISHED_ON), grant_id: grant_id(), recommender };
    let admission = AdmitGrantRequest { header: header_on(PUBLISHED_ON), grant_id: grant_id() };
    let review = ReviewGrantRequest {
        header: header_on(PUBLISHED_ON),
        grant_id: grant_id(),
        score_hundredths: 8_750,
        ceiling: fen(AWARD_MINOR),
    };
    let notice = PublishNoticeRequest {
        header: header_on(PUBLISHED_ON),
        grant_id: grant_id(),
        amount: fen(AWARD_MINOR),
    };
    [
        by(APPLICANT, Command::ApplyForGrant(application)),
        by(CITY, Command::RecommendGrant(recommendation)),
        by(CLERK, Command::AdmitGrant(admission)),
        by(REVIEWER, Command::ReviewGrant(review)),
        by(CLERK, Command::PublishNotice(notice)),
    ]
}

fn approval(grant: &str) -> Call {
    let award = Award { grant_id: grant.to_owned(), amount: fen(AWARD_MINOR), expected_version: None };
    let minutes = "会纪〔2017〕1 号".to_owned();
    let request = ApproveGrantsRequest { header: header(), minutes, awards: vec![award] };
    Call::new(DIRECTOR, Rpc::Approve, &request)
}
