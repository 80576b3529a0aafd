//! The end of an agreement and an instruction that rests on it, in both orders and at once.

use super::world::{Office, World, instruction};
use concord_tests::desk::{broken, reason};
use futures::future::join_all;
use std::sync::Arc;
use tokio::sync::Barrier;
use tonic::{Code, Status};

/// Refused because the agreement ended.
fn is_lost(status: &Status) -> bool {
    let rules = broken(status);
    status.code() == Code::FailedPrecondition
        && rules.iter().any(|rule| rule == "GRANT_ON_HOLD" || rule == "A01_BACKING_NOT_IN_FORCE")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instruction_goes_out_before_the_agreement_ends_or_not_at_all() {
    let world = World::new().await;
    let (before, after) = (world.signed().await, world.signed().await);
    let [paid, refused] = [world.grants_on(&before, 3).await, world.grants_on(&after, 3).await];

    for grant in &paid {
        world.instruct(&instruction(grant, 1)).await.unwrap();
    }
    let end = world.terminate(&before).await;
    world.known(&before, end).await;
    let end = world.terminate(&after).await;
    world.known(&after, end).await;
    for grant in &refused {
        let status = world.instruct(&instruction(grant, 1)).await.unwrap_err();
        assert_eq!(reason(&status), "GRANT_ON_HOLD", "{status:?}");
        assert_eq!(broken(&status), ["GRANT_ON_HOLD", "A01_BACKING_NOT_IN_FORCE"]);
    }
    // What was on its way when the agreement ended is settled all the same.
    for grant in &paid {
        world.settle(grant, 1).await.unwrap();
        assert!(world.authorised(grant, 2).await.is_err_and(|status| reason(&status) == "GRANT_ON_HOLD"));
    }
    let proved = world.proved().await;
    assert_eq!((proved.instructed, proved.held), (3, 6));
}

/// Draws one tranche after the other; how many were instructed, and why no further one was.
async fn draw(office: &Office, grant: &str) -> (u32, Option<Status>) {
    for number in 1..=3 {
        let drawn = async {
            if number > 1 {
                office.authorised(grant, number).await?;
            }
            office.instruct(&instruction(grant, number)).await
        };
        if let Err(status) = drawn.await {
            return (number - 1, Some(status));
        }
        office.settle(grant, number).await.unwrap();
    }
    (3, None)
}

/// Each agreement is terminated while its grants draw on it; some callers have asked something else before, so that the end
/// meets every step.
#[tokio::test(flavor = "multi_thread")]
async fn instructions_and_terminations_at_once_leave_no_fen_without_an_agreement() {
    const AGREEMENTS: usize = 12;
    const GRANTS: usize = 5;
    let world = World::new().await;
    let resting = world.resting(AGREEMENTS, GRANTS).await;
    let ready = Arc::new(Barrier::new(AGREEMENTS * (GRANTS + 1)));
    let (mut draws, mut ends) = (Vec::new(), Vec::new());
    for (after, (grants, agreement)) in resting.iter().enumerate() {
        for (turn, grant) in grants.iter().cloned().enumerate() {
            let (office, ready) = (world.office.clone(), ready.clone());
            draws.push(tokio::spawn(async move {
                ready.wait().await;
                for _ in 0..turn {
                    office.grant(&grant).await;
                }
                let (instructed, refused) = draw(&office, &grant).await;
                (grant, instructed, refused)
            }));
        }
        let (office, ready, agreement) = (world.office.clone(), ready.clone(), agreement.clone());
        ends.push(tokio::spawn(async move {
            ready.wait().await;
            for _ in 0..after {
                office.agreements.head().await.unwrap();
            }
            let end = office.terminate(&agreement).await;
            office.known(&agreement, end).await;
        }));
    }
    for end in join_all(ends).await {
        end.unwrap();
    }
    // Whoever came first, nobody draws now.
    let mut paid = 0;
    for drawn in join_all(draws).await {
        let (grant, instructed, refused) = drawn.unwrap();
        paid += instructed as usize;
        if let Some(status) = refused {
            assert!(is_lost(&status), "{status:?}");
            world.instruct(&instruction(&grant, instructed + 1)).await.unwrap_err();
        }
    }
    let proved = world.proved().await;
    assert_eq!((proved.instructed, proved.held), (paid, AGREEMENTS * GRANTS));
}
