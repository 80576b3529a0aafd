//! An open loop: commands arrive on a schedule, whether earlier ones are answered or not. Latency counts from the
//! scheduled time, so that a service which stalls cannot hide it by being asked less.

use super::{Lanes, Measured, Plan, finished};
use anyhow::{Context, Result};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Runs it at `rate` commands a second, evenly spaced. The timer wakes once a millisecond, which counts as latency.
///
/// # Errors
/// The first command that is not accepted ends it.
pub(crate) async fn open(plan: &Plan<'_>, lanes: &Lanes, rate: f64) -> Result<Measured> {
    let started = Instant::now();
    let begins = started + plan.warm_up;
    let ends = begins + plan.window;
    let measured = Rc::new(RefCell::new(Measured::new(plan.window)?));
    let mut waiting = JoinSet::new();
    let mut clients = plan.clients.iter().cycle();
    for number in 0_u32.. {
        let due = started + Duration::from_secs_f64(f64::from(number) / rate);
        if due >= ends {
            break;
        }
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        } else {
            // Behind the schedule too, those that have arrived must get on.
            tokio::task::yield_now().await;
        }
        while let Some(ended) = waiting.try_join_next() {
            ended??;
        }
        let Some(mut client) = clients.next().cloned() else { break };
        let mut lane = loop {
            if let Some(lane) = lanes.take() {
                break lane;
            }
            // All grants wait for an answer. The arrival waits too, which counts as latency.
            waiting
                .join_next()
                .await
                .context("fewer commands were prepared than arrive at this rate")???;
        };
        let (lanes, measured) = (lanes.clone(), measured.clone());
        waiting.spawn_local(async move {
            let Some(call) = lane.next() else { return Ok(()) };
            let positions = client.send(call).await?;
            let answered = Instant::now();
            if !lane.calls.is_empty() {
                lanes.last(lane);
            }
            measured.borrow_mut().answered(answered - due, due >= begins, positions)
        });
    }
    while let Some(ended) = waiting.join_next().await {
        ended??;
    }
    Ok(Measured { ended: Instant::now(), ..finished(measured)?.into_inner() })
}
