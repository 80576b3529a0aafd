//! The last day of a term passes, and nobody does anything.

use super::world::{World, instruction};
use concord_proto::fund::v1::{BackingState, HoldKind};
use concord_tests::desk::{facts, reason};
use concord_tests::record::eventually;
use concord_tests::services::{AGREEMENT, FUND_GRANT};

/// Today of fund-grant's log decides, wherever the agreement log's own clock stands.
#[tokio::test(flavor = "multi_thread")]
async fn the_day_after_the_term_the_grant_is_held_and_no_money_moves_before_that_either() {
    let mut world = World::new().await;
    let agreement = world.signed_until("2017-04-25").await;
    let longer = world.signed_until("2017-04-26").await;
    let [grants, others] = [world.grants_on(&agreement, 2).await, world.grants_on(&longer, 1).await];

    let signed = world.agreements.head().await.unwrap();

    // On the last day money moves.
    world.desk.advance_to("2017-04-25").await.unwrap();
    world.instruct(&instruction(&grants[0], 1)).await.unwrap();

    // The deadlines cannot be read: whatever the reaction waits for, the calendar does not.
    let mut database = world.services.postgres(FUND_GRANT).await.unwrap();
    let locked = database.transaction().await.unwrap();
    locked
        .batch_execute("LOCK TABLE fund_grant_agreement_v2.deadlines IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    world.desk.advance_to("2017-04-26").await.unwrap();
    let status = world.instruct(&instruction(&grants[1], 1)).await.unwrap_err();
    assert_eq!(reason(&status), "A01_BACKING_NOT_IN_FORCE", "{status:?}");
    assert_eq!(facts(&status)["agreement_state"], "expired");
    assert_eq!(facts(&status)["on"], "2017-04-26");
    assert_eq!(world.grant(&grants[1]).await.hold, None);
    let before = world.desk.status().await.unwrap().head;
    drop(locked);

    for grant in &grants {
        let held = eventually("the grant is held", async || world.grant(grant).await.hold);
        let held = held.await.unwrap();
        assert_eq!(held.since, "2017-04-26");
        let [cause] = held.causes.as_slice() else { panic!("{held:?}") };
        assert_eq!((cause.kind(), cause.agreement_state()), (HoldKind::BackingLost, BackingState::Expired));
        assert_eq!(cause.agreement_id, agreement);
    }
    let status = world.instruct(&instruction(&grants[1], 1)).await.unwrap_err();
    assert_eq!(reason(&status), "GRANT_ON_HOLD", "{status:?}");
    world.instruct(&instruction(&others[0], 1)).await.unwrap();

    // The owner need not be there for it.
    world.services.kill(AGREEMENT).unwrap();
    world.desk.advance_to("2017-04-27").await.unwrap();
    let held = eventually("the other one is held", async || world.grant(&others[0]).await.hold);
    assert_eq!(held.await.unwrap().since, "2017-04-27");

    // Once: a further start does not do it again.
    world.services.start_service(AGREEMENT).unwrap();
    world.services.kill(FUND_GRANT).unwrap();
    world.services.start_service(FUND_GRANT).unwrap();
    world.known_now(&longer).await;
    let head = world.desk.status().await.unwrap().head;
    assert_eq!(head, before + 5, "two holds, an instruction, a day, a hold");
    assert_eq!(world.agreements.head().await.unwrap(), signed, "nobody has acted");

    let logs = world.logs().await;
    for entry in logs.grants_named("GrantHeld") {
        assert_eq!(entry.data()["cause"]["how"], "expired");
        assert_eq!(entry.data()["cause_on"].as_str().unwrap(), entry.on);
    }
    let proved = world.proved().await;
    assert_eq!((proved.instructed, proved.held), (2, 3));
}
