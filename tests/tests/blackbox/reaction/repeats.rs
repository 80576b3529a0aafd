//! Events of the agreement log that come twice, late, and after the grant has ended.

use super::world::{World, naming};
use concord_proto::fund::v1::WithdrawGrantRequest;
use concord_tests::desk::{APPLICANT, by};
use concord_tests::requests::{Receipt, header};
use concord_tests::services::FUND_GRANT;

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_agreement_log_again_changes_nothing() {
    let mut world = World::new().await;
    let (lost, back) = (world.signed().await, world.signed().await);
    let held = world.grants_on(&lost, 2).await;
    let free = world.grants_on(&back, 1).await;

    // A grant that has ended before its agreement does.
    let programme = world.desk.programme(1_000).await.unwrap();
    let ended = world.desk.grant_on_notice(&programme, 100).await.unwrap();
    let named = world.desk.grants().name_backing_agreement(by(APPLICANT, naming(&ended, &lost, None))).await;
    named.unwrap();
    let withdrawal =
        WithdrawGrantRequest { header: header(), grant_id: ended.clone(), reason: "自筹".to_owned() };
    world.desk.grants().withdraw_grant(by(APPLICANT, withdrawal)).await.unwrap().receipt();

    world.suspend(&lost).await;
    world.resume(&lost).await;
    world.terminate(&lost).await;
    world.suspend(&back).await;
    world.resume(&back).await;
    world.known_now(&lost).await;
    assert_eq!(world.grant(&ended).await.hold, None, "a closed grant is not held");
    let before = world.desk.status().await.unwrap().head;

    // Twice: with its checkpoint gone, the follower begins at the first event again. Late: so the oldest come after the
    // newest. Once the log still knows the answers, and once they are gone too.
    let database = world.services.postgres(FUND_GRANT).await.unwrap();
    for answers_are_gone in [false, true] {
        world.services.kill(FUND_GRANT).unwrap();
        if answers_are_gone {
            let sql = "DELETE FROM requests WHERE convert_from(command, 'UTF8') LIKE '%process:backing%'";
            assert!(database.execute(sql, &[]).await.unwrap() > 0);
        }
        database.batch_execute("DROP SCHEMA fund_grant_agreement_v2 CASCADE").await.unwrap();
        world.services.start_service(FUND_GRANT).unwrap();
        world.known_now(&lost).await;
        let head = world.desk.status().await.unwrap().head;
        assert_eq!(head, before, "its answers are gone: {answers_are_gone}");
    }
    // It follows on: what is new is taken in.
    let last = world.terminate(&back).await;
    assert_eq!(world.known(&back, last).await.backing.unwrap().agreement_position, last);
    assert_eq!(
        world.desk.status().await.unwrap().head,
        before + 2,
        "the agreement, and the hold that it means"
    );
    assert!(world.grant(&free[0]).await.hold.is_some());
    assert!(world.grant(&held[0]).await.hold.is_some());
    let logs = world.logs().await;
    let taken: usize = [&lost, &back].map(|agreement| logs.changes(agreement).len()).iter().sum();
    assert_eq!(logs.grants_named("BackingChanged").count(), taken);
    world.proved().await;
}
