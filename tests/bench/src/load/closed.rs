//! A closed loop: so many callers, each of which sends its next command when the last is answered.

use super::{Lanes, Measured, Plan, finished};
use crate::client::Client;
use anyhow::{Result, ensure};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What the callers share.
struct Loop {
    lanes: Lanes,
    begins: Instant,
    /// The end of the window: as planned, or when a caller found nothing more to send.
    ends: Cell<Instant>,
    measured: RefCell<Measured>,
}

/// Runs it, and leaves in `lanes` what was not sent. Where what was prepared is used up early, the window ends then.
///
/// # Errors
/// The first command that is not accepted ends it; so does a window that is much shorter than planned.
pub(crate) async fn closed(plan: &Plan<'_>, lanes: &Lanes, in_flight: usize) -> Result<Measured> {
    let begins = Instant::now() + plan.warm_up;
    let ends = begins + plan.window;
    let mut measured = run(plan.clients, lanes, in_flight, begins, ends).await?;
    ensure!(
        measured.window >= plan.window / 2,
        "the load is faster than was expected: what was prepared for {:?} lasted {:?}",
        plan.window,
        measured.window
    );
    measured.ended = Instant::now();
    Ok(measured)
}

/// Sends everything, as preparation.
///
/// # Errors
/// The first command that is not accepted ends it.
pub(crate) async fn all(clients: &[Client], lanes: &Lanes, in_flight: usize) -> Result<Measured> {
    const FOREVER: Duration = Duration::from_secs(3600);
    let begins = Instant::now();
    run(clients, lanes, in_flight, begins, begins + FOREVER).await
}

async fn run(
    clients: &[Client],
    lanes: &Lanes,
    in_flight: usize,
    begins: Instant,
    ends: Instant,
) -> Result<Measured> {
    let measured = RefCell::new(Measured::new(ends - begins)?);
    let shared = Rc::new(Loop { lanes: lanes.clone(), begins, ends: Cell::new(ends), measured });
    let mut callers = JoinSet::new();
    for client in clients.iter().cycle().take(in_flight) {
        callers.spawn_local(caller(client.clone(), shared.clone()));
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    finished(shared).map(|shared| Measured {
        window: shared.ends.get().saturating_duration_since(begins),
        ..shared.measured.into_inner()
    })
}

async fn caller(mut client: Client, shared: Rc<Loop>) -> Result<()> {
    let mut sent = Instant::now();
    while let Some(mut lane) = shared.lanes.take() {
        while sent < shared.ends.get()
            && let Some(call) = lane.next()
        {
            let positions = client.send(call).await?;
            let answered = Instant::now();
            let in_window = (shared.begins..shared.ends.get()).contains(&answered);
            shared.measured.borrow_mut().answered(answered - sent, in_window, positions)?;
            sent = answered;
        }
        if sent >= shared.ends.get() {
            shared.lanes.first(lane);
            return Ok(());
        }
    }
    shared.ends.set(shared.ends.get().min(sent));
    Ok(())
}
