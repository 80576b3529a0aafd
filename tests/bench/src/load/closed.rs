//! A closed loop: so many callers, each of which sends its next command when the last is answered.

use super::{Lanes, Measured, Plan, finished};
use crate::client::Client;
use anyhow::Result;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;
use tokio::task::JoinSet;

/// Runs it, and gives the lanes back with what was left of them.
///
/// # Errors
/// The first command that is not accepted ends it.
pub(crate) async fn closed(plan: &Plan<'_>, lanes: &Lanes, in_flight: usize) -> Result<Measured> {
    let begins = Instant::now() + plan.warm_up;
    let ends = begins + plan.window;
    let measured = Rc::new(RefCell::new(Measured::new(plan.window)?));
    let mut callers = JoinSet::new();
    for client in plan.clients.iter().cycle().take(in_flight) {
        callers.spawn_local(caller(client.clone(), lanes.clone(), begins, ends, measured.clone()));
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    finished(measured)
}

async fn caller(
    mut client: Client,
    lanes: Lanes,
    begins: Instant,
    ends: Instant,
    measured: Rc<RefCell<Measured>>,
) -> Result<()> {
    let mut lane = lanes.take()?;
    let mut sent = Instant::now();
    while sent < ends {
        let Some(call) = lane.next() else {
            lane = lanes.take()?;
            continue;
        };
        let positions = client.send(call).await?;
        let answered = Instant::now();
        let in_window = (begins..ends).contains(&answered);
        measured.borrow_mut().answered(answered - sent, in_window, positions)?;
        sent = answered;
    }
    lanes.first(lane);
    Ok(())
}
