//! Loads on a service: a closed loop for throughput, an open one for latency at a given rate.

mod closed;
mod open;

pub(crate) use closed::{all, closed};
pub(crate) use open::open;

use crate::client::Client;
use crate::payments::{Call, Grant};
use crate::wire::Positions;
use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Longest latency that is told apart, in microseconds.
const LATENCY_MAX_US: u64 = 120_000_000;

/// What a load found.
pub(crate) struct Measured {
    /// Answers in the window.
    pub(crate) answers: u64,
    /// Answers while warming up and at the end too.
    pub(crate) all_answers: u64,
    /// Length of the window.
    pub(crate) window: Duration,
    /// Latency of each, in microseconds.
    pub(crate) latency_us: Histogram<u64>,
    /// Last position that an answer named, within the window or not.
    pub(crate) last_position: u64,
    /// When the last answer came.
    pub(crate) ended: Instant,
}

impl Measured {
    fn answered(&mut self, latency: Duration, in_window: bool, positions: Positions) -> Result<()> {
        self.all_answers += 1;
        self.last_position = self.last_position.max(positions.last);
        if in_window {
            self.answers += 1;
            self.latency_us.record(micros(latency))?;
        }
        Ok(())
    }

    fn new(window: Duration) -> Result<Self> {
        Ok(Self {
            answers: 0,
            all_answers: 0,
            window,
            latency_us: histogram()?,
            last_position: 0,
            ended: Instant::now(),
        })
    }

    /// Commands a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.answers as f64 / self.window.as_secs_f64()
    }

    /// A quantile of the latency, in microseconds.
    pub(crate) fn quantile_us(&self, quantile: f64) -> f64 {
        self.latency_us.value_at_quantile(quantile) as f64
    }
}

/// Takes what the tasks of a load share, once they have all ended.
fn finished<T>(shared: Rc<T>) -> Result<T> {
    Rc::into_inner(shared).context("a task of the load has not ended")
}

/// Latencies in microseconds, to three digits.
pub(crate) fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, LATENCY_MAX_US, 3)?)
}

/// A duration for a histogram.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).clamp(1, LATENCY_MAX_US)
}

/// Commands that follow one another: the next is sent when the last is answered.
pub(crate) struct Lane {
    /// Whose payments they are, if any's.
    grant: Option<Grant>,
    calls: VecDeque<Call>,
}

impl Lane {
    /// The payments that are left of a grant.
    pub(crate) fn of(grant: Grant) -> Self {
        Self { grant: Some(grant), calls: grant.steps().map(|step| step.call()).collect() }
    }

    /// A command that stands alone.
    pub(crate) fn one(call: Call) -> Self {
        Self { grant: None, calls: VecDeque::from([call]) }
    }

    fn next(&mut self) -> Option<Call> {
        let call = self.calls.pop_front()?;
        if let Some(grant) = &mut self.grant {
            grant.step += 1;
        }
        Some(call)
    }
}

/// Lanes that no command is in flight of, shared by the tasks of this thread.
#[derive(Clone)]
pub(crate) struct Lanes(Rc<RefCell<VecDeque<Lane>>>);

impl Lanes {
    /// Lanes that are taken in this order.
    pub(crate) fn new(lanes: impl IntoIterator<Item = Lane>) -> Self {
        Self(Rc::new(RefCell::new(lanes.into_iter().collect())))
    }

    /// `None` where all that was prepared is used up.
    fn take(&self) -> Option<Lane> {
        self.0.borrow_mut().pop_front()
    }

    /// Gives back a lane to be gone on with before any other.
    fn first(&self, lane: Lane) {
        self.0.borrow_mut().push_front(lane);
    }

    /// Gives back a lane to be gone on with after all others.
    fn last(&self, lane: Lane) {
        self.0.borrow_mut().push_back(lane);
    }

    /// The grants of which steps are left.
    pub(crate) fn grants(&self) -> Vec<Grant> {
        let mut lanes = self.0.borrow_mut();
        lanes.drain(..).filter(|lane| !lane.calls.is_empty()).filter_map(|lane| lane.grant).collect()
    }
}

/// Where and when a load runs.
pub(crate) struct Plan<'a> {
    /// Connections, used in turn.
    pub(crate) clients: &'a [Client],
    /// So long before the window.
    pub(crate) warm_up: Duration,
    /// What is measured.
    pub(crate) window: Duration,
}
