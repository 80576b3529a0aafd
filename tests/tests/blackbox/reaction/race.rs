//! The end of an agreement and an instruction that rests on it, in both orders and at once.

use super::world::{World, instruction};
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

/// Each agreement is terminated while its grants are instructed; each caller begins when all are ready, and some have
/// asked something else before.
#[tokio::test(flavor = "multi_thread")]
async fn instructions_and_terminations_at_once_leave_no_fen_without_an_agreement() {
    const AGREEMENTS: usize = 16;
    const GRANTS: usize = 5;
    let world = Arc::new(World::new().await);
    let mut grants = Vec::new();
    for _ in 0..AGREEMENTS {
        let agreement = world.signed().await;
        grants.push((world.grants_on(&agreement, GRANTS).await, agreement));
    }
    let ready = Arc::new(Barrier::new(AGREEMENTS * (GRANTS + 1)));
    let (mut instructions, mut ends) = (Vec::new(), Vec::new());
    for (grants, agreement) in &grants {
        for (turn, grant) in grants.iter().cloned().enumerate() {
            let (world, ready) = (world.clone(), ready.clone());
            instructions.push(tokio::spawn(async move {
                ready.wait().await;
                for _ in 0..turn {
                    world.grant(&grant).await;
                }
                let answer = world.instruct(&instruction(&grant, 1)).await;
                (grant, answer)
            }));
        }
        let (world, ready, agreement) = (world.clone(), ready.clone(), agreement.clone());
        ends.push(tokio::spawn(async move {
            ready.wait().await;
            let end = world.terminate(&agreement).await;
            world.known(&agreement, end).await;
        }));
    }
    for end in join_all(ends).await {
        end.unwrap();
    }
    // Whoever came first, nobody is paid now.
    let mut paid = 0;
    for answered in join_all(instructions).await {
        let (grant, answer) = answered.unwrap();
        let now = match answer {
            Ok(_) => {
                paid += 1;
                world.authorised(&grant, 2).await.unwrap_err()
            }
            Err(status) => {
                assert!(is_lost(&status), "{status:?}");
                world.instruct(&instruction(&grant, 1)).await.unwrap_err()
            }
        };
        assert_eq!(reason(&now), "GRANT_ON_HOLD", "{now:?}");
    }
    println!("{paid} of {} instructions came before the end", AGREEMENTS * GRANTS);
    let proved = world.proved().await;
    assert_eq!((proved.instructed, proved.held), (paid, AGREEMENTS * GRANTS));
}
