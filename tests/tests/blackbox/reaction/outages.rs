//! What the reaction rests on is gone: NATS, the follower, or the owner of the log.

use super::proof::Entry;
use super::world::{World, instruction, naming};
use concord_proto::fund::v1::{HoldGrantRequest, ResumeGrantRequest, ReturnPaymentRequest};
use concord_proto::r#type::v1::CommandReceipt;
use concord_tests::desk::{APPLICANT, CASHIER, CLERK, by, chinese, facts, reason};
use concord_tests::record::eventually;
use concord_tests::requests::{application, header, id};
use concord_tests::services::{AGREEMENT, FUND_GRANT, Services};
use concord_tests::stack::{Frozen, repository};
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc::unbounded_channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Money does not move on what was not verified; the caller is told to try again.
fn is_unverified(answer: Result<CommandReceipt, Status>) -> Status {
    let status = answer.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "A01_BACKING_UNVERIFIED"));
    assert!(status.get_details_retry_info().is_some_and(|retry| retry.retry_delay.is_some()), "{status:?}");
    assert!(!chinese(&status).is_ascii(), "it is told in Chinese too: {status:?}");
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn without_nats_the_hold_comes_all_the_same() {
    let mut world = World::new().await;
    let agreement = world.signed().await;
    let grants = world.grants_on(&agreement, 2).await;
    world.services.nats().kill().unwrap();

    // The owner is asked, so money moves and stops moving.
    world.instruct(&instruction(&grants[0], 1)).await.unwrap();
    let end = world.terminate(&agreement).await;
    world.known(&agreement, end).await;
    for grant in &grants {
        assert!(world.grant(grant).await.hold.is_some());
    }
    let status = world.instruct(&instruction(&grants[1], 1)).await.unwrap_err();
    assert_eq!(reason(&status), "GRANT_ON_HOLD", "{status:?}");
    let own = world.agreements.status().await.unwrap();
    assert!(own.published < end && own.head == end, "nothing was published: {own:?}");

    world.services.nats().start_again().unwrap();
    let proved = world.proved().await;
    assert_eq!((proved.instructed, proved.held), (1, 2));
}

/// Agreements change while the process that follows them is killed, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_is_killed_misses_nothing_and_doubles_nothing() {
    const ROUNDS: usize = 5;
    const TIMES: usize = 3;
    const LOSSES: usize = ROUNDS * TIMES;
    let mut world = World::new().await;
    let agreements = world.resting(4, 3).await;
    for round in 0..ROUNDS {
        let (done, mut acts) = unbounded_channel();
        let changing: Vec<_> = agreements
            .iter()
            .map(|(_, agreement)| {
                let (office, agreement, done) = (world.office.clone(), agreement.clone(), done.clone());
                tokio::spawn(async move {
                    for _ in 0..TIMES {
                        done.send(office.suspend(&agreement).await).unwrap();
                        done.send(office.resume(&agreement).await).unwrap();
                    }
                })
            })
            .collect();
        // Between two events, another two each time.
        for _ in 0..=3 * round {
            acts.recv().await.unwrap();
        }
        world.services.kill(FUND_GRANT).unwrap();
        for one in join_all(changing).await {
            one.unwrap();
        }
        world.services.start_service(FUND_GRANT).unwrap();
    }
    for (_, agreement) in &agreements {
        world.terminate(agreement).await;
    }
    world.known_now(&agreements[0].1).await;

    let logs = world.logs().await;
    for (grants, agreement) in &agreements {
        let taken: Vec<u64> = logs
            .grants_named("BackingChanged")
            .filter(|entry| entry.data()["agreement"] == **agreement)
            .map(|entry| entry.data()["at"]["position"].as_u64().unwrap())
            .collect();
        let changes = logs.changes(agreement);
        assert_eq!(taken, changes, "each change is taken in once, in order");
        assert_eq!(
            changes.len(),
            2 + 2 * LOSSES + 1,
            "drafted and signed, suspended and resumed, terminated"
        );
        for grant in grants {
            let about = |name: &'static str| {
                logs.grants_named(name).filter(|entry| entry.data()["grant"] == **grant).count()
            };
            assert_eq!((about("GrantHeld"), about("HoldCauseCleared")), (LOSSES + 1, LOSSES));
        }
    }
    // A reaction's request id follows from its cause.
    let distinct = |attribute: &str| {
        let of = |entry: &Entry| entry.document[attribute].as_str().unwrap().to_owned();
        logs.grants_named("BackingChanged").map(of).collect::<BTreeSet<_>>().len()
    };
    let count = logs.grants_named("BackingChanged").count();
    assert_eq!((distinct("requestid"), distinct("causationid")), (count, count));
    assert_eq!(world.proved().await.held, agreements.len() * 3 * (LOSSES + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_word_of_the_owner_no_money_moves_and_everything_else_does() {
    let mut world = World::new().await;
    let agreement = world.signed().await;
    let grants = world.grants_on(&agreement, 3).await;
    let free = world.grants_without_agreement(1).await.remove(0);
    for grant in &grants[1..] {
        world.instruct(&instruction(grant, 1)).await.unwrap();
    }

    // An owner that stands still, or is gone, was verified a moment ago.
    let frozen = Frozen::with_descendants(world.services.service(AGREEMENT).unwrap().pid()).unwrap();
    let again = instruction(&grants[1], 2);
    world.authorised(&grants[1], 2).await.unwrap();
    world.instruct(&again).await.unwrap();
    frozen.thaw();

    // Since this start it has not been heard of at all.
    world.services.kill(AGREEMENT).unwrap();
    world.services.kill(FUND_GRANT).unwrap();
    world.services.start_service(FUND_GRANT).unwrap();
    let waiting = instruction(&grants[0], 1);
    let status = is_unverified(world.instruct(&waiting).await);
    assert_eq!(facts(&status)["agreement_id"], agreement);
    assert_eq!(facts(&status)["fact_max_age_minutes"], "15");

    // All else goes on, with this agreement too.
    let mut desk = world.desk.grants();
    world.settle(&grants[1], 1).await.unwrap();
    let returned = ReturnPaymentRequest {
        header: header(),
        grant_id: grants[2].clone(),
        tranche_number: 1,
        bank_reference: "R-1".to_owned(),
        reason: "户名不符".to_owned(),
    };
    desk.return_payment(by(CASHIER, returned)).await.unwrap();
    world.authorised(&grants[0], 2).await.unwrap();
    is_unverified(world.instruct(&instruction(&grants[0], 2)).await);
    let programme = world.desk.programme(1_000).await.unwrap();
    desk.apply_for_grant(by(APPLICANT, application(&programme, &id(), 10))).await.unwrap();
    let hold =
        HoldGrantRequest { header: header(), grant_id: grants[0].clone(), reason: "核查".to_owned() };
    desk.hold_grant(by(CLERK, hold)).await.unwrap();
    let resume = ResumeGrantRequest { header: header(), grant_id: grants[0].clone() };
    desk.resume_grant(by(CLERK, resume)).await.unwrap();
    // A grant without an agreement needs none verified, until it names one.
    world.authorised(&free, 1).await.unwrap();
    world.instruct(&instruction(&free, 1)).await.unwrap();
    desk.name_backing_agreement(by(CLERK, naming(&free, &agreement, None))).await.unwrap();
    world.authorised(&free, 2).await.unwrap();
    is_unverified(world.instruct(&instruction(&free, 2)).await);

    // Heard of again, the same instruction goes out.
    world.services.start_service(AGREEMENT).unwrap();
    let paid = eventually("the owner is heard of", async || world.instruct(&waiting).await.ok());
    let paid = paid.await.unwrap();
    assert_eq!(world.instruct(&waiting).await.unwrap(), paid, "a repeat gets the first receipt");
    assert_eq!(world.proved().await.instructed, 4);
}

/// How old a fact may be is a parameter of the rulebook in force on the day: none at all until 30 April, and from 1 May on as
/// long as is shipped.
#[tokio::test(flavor = "multi_thread")]
async fn the_rulebook_of_the_day_says_how_old_a_verification_may_be() {
    let shipped = std::fs::read_to_string(repository().join("deploy/rulebook/2012-09.toml")).unwrap();
    let version = |version: &str, from: &str, minutes: &str| {
        let text = shipped
            .replace("version = \"2012-09\"", &format!("version = \"{version}\""))
            .replace("effective_from = \"2012-09-15\"", &format!("effective_from = \"{from}\""))
            .replace("fact_max_age_minutes = 15", &format!("fact_max_age_minutes = {minutes}"));
        assert!(text.contains(version) && text.contains(from), "the shipped rulebook is written otherwise");
        text
    };
    let rulebooks = BTreeMap::from([
        ("2012-09.toml", shipped.clone()),
        ("2017-04.toml", version("2017-04", "2017-04-01", "0")),
        ("2017-05.toml", version("2017-05", "2017-05-01", "15")),
    ]);
    let world = World::of(Services::start_with(Some(&rulebooks)).await.unwrap()).await;
    let agreement = world.signed().await;
    let grant = world.grants_on(&agreement, 1).await.remove(0);
    assert!(!world.known_now(&agreement).await.verified_at.is_empty());
    let waiting = instruction(&grant, 1);
    let status = is_unverified(world.instruct(&waiting).await);
    assert_eq!(
        (facts(&status)["rulebook"].as_str(), facts(&status)["fact_max_age_minutes"].as_str()),
        ("2017-04", "0")
    );
    world.desk.advance_to("2017-05-01").await.unwrap();
    assert_eq!(world.instruct(&waiting).await.unwrap().rulebook, "2017-05");
    assert_eq!(world.proved().await.instructed, 1);
}
