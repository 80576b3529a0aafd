//! What PostgreSQL and the stream have, and which ways that allows.

use super::stream::place_of;
use super::{Ground, RecoverError, Way};
use crate::log::gate::Cluster;
use crate::log::store::Identity;
use crate::record::Recorded;
use crate::relay::log_of;
use std::collections::VecDeque;

/// How often progress is told, in positions.
const TOLD_EVERY: u64 = 1_000;

/// First and last sequence that a stream has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The oldest message; those before it have left the stream's window.
    pub first: u64,
    /// The newest message.
    pub last: u64,
}

/// How a position of the stream differs from what should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// It has another event of this log.
    OtherEvent(u64),
    /// It has something that is no event of this log.
    Stray(u64),
    /// It has nothing.
    Missing(u64),
}

impl Difference {
    /// The position.
    #[must_use]
    pub fn position(self) -> u64 {
        match self {
            Self::OtherEvent(position) | Self::Stray(position) | Self::Missing(position) => position,
        }
    }
}

/// What PostgreSQL and the stream both have, compared byte for byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Positions with the very same bytes.
    pub equal: u64,
    /// The first one with another event of this log, behind which nothing was compared; else the first stray or hole.
    pub difference: Option<Difference>,
}

/// What the stream has after PostgreSQL's head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Beyond {
    /// Events of this log that follow the head without a gap, in whole commands.
    pub events: u64,
    /// Events after those of a command whose last events the stream does not have.
    pub torn: u64,
    /// What ends the row of events before the stream ends.
    pub difference: Option<Difference>,
    /// Events of this log behind that: out of reach, because what comes before them is gone.
    pub behind: u64,
}

/// How PostgreSQL and the stream of a log stand to each other.
#[derive(Debug, Clone)]
pub struct Findings {
    /// Which log.
    pub identity: Identity,
    /// PostgreSQL cluster that it was last written on.
    pub stored: Cluster,
    /// PostgreSQL cluster that it is on.
    pub found: Cluster,
    /// Position of the last event in PostgreSQL.
    pub head: u64,
    /// The stream; `None` where there is none, or an empty one.
    pub stream: Option<Span>,
    /// What both have.
    pub overlap: Overlap,
    /// What only the stream has.
    pub beyond: Beyond,
}

/// Why a way cannot be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// PostgreSQL and the stream do not agree on what both have.
    #[error("PostgreSQL and the stream differ at position {}: neither can be trusted to complete the other", .0.position())]
    Differs(Difference),
    /// Nothing could be compared, so nothing is known.
    #[error(
        "PostgreSQL and the stream have no position in common, so that they belong together is not proved"
    )]
    NothingCompared,
    /// The stream has events that PostgreSQL does not.
    #[error("the stream has {0} event(s) that PostgreSQL does not: something was lost")]
    StreamAhead(u64),
    /// The stream ends within a command.
    #[error(
        "the stream ends within a command, whose first {0} event(s) cannot stand alone: refill and begin a new generation"
    )]
    TornCommand(u64),
    /// Events that cannot be refilled would be left in the stream.
    #[error(
        "the stream has {behind} event(s) behind position {}, where it has none: refill and begin a new generation",
        .difference.position()
    )]
    OutOfReach {
        /// What ends the row of events that follow the head.
        difference: Difference,
        /// Events behind it.
        behind: u64,
    },
    /// The log is on the cluster that it was last written on.
    #[error("the log is on the PostgreSQL that it was last written on: there is nothing to accept")]
    NothingToAccept,
}

impl Findings {
    /// Last sequence of the stream; 0 where it has none.
    #[must_use]
    pub fn stream_last(&self) -> u64 {
        self.stream.map_or(0, |span| span.last)
    }

    /// Whether the log is on another PostgreSQL than it was last written on.
    #[must_use]
    pub fn cluster_changed(&self) -> bool {
        self.stored != self.found
    }

    /// Events of this log that only the stream has.
    #[must_use]
    pub fn only_in_stream(&self) -> u64 {
        self.beyond.events + self.beyond.torn + self.beyond.behind
    }

    /// Whether a service would refuse to write this log.
    #[must_use]
    pub fn needs_recovery(&self) -> bool {
        let other = matches!(self.overlap.difference, Some(Difference::OtherEvent(_)));
        self.cluster_changed() || self.only_in_stream() > 0 || other
    }

    /// Why this way cannot be gone; `None` where it can.
    #[must_use]
    pub fn obstacle(&self, way: Way) -> Option<Obstacle> {
        if way == Way::NewGeneration {
            return None;
        }
        let differs = self.overlap.difference.map(Obstacle::Differs);
        let unproved = (self.head > 0 && self.overlap.equal == 0).then_some(Obstacle::NothingCompared);
        let own = if way == Way::AcceptTimeline {
            let lost = self.only_in_stream();
            let ahead = (lost > 0).then_some(Obstacle::StreamAhead(lost));
            ahead.or((!self.cluster_changed()).then_some(Obstacle::NothingToAccept))
        } else {
            // Nothing to refill is no obstacle: a refill that was interrupted at its very end is run again.
            self.left_over().filter(|_| way == Way::Refill)
        };
        differs.or(unproved).or(own)
    }

    /// What the stream would still have, and PostgreSQL not, after all that can be refilled is.
    fn left_over(&self) -> Option<Obstacle> {
        let Beyond { torn, difference, behind, .. } = self.beyond;
        let out_of_reach = difference.map(|difference| Obstacle::OutOfReach { difference, behind });
        let torn = (torn > 0).then_some(Obstacle::TornCommand(torn));
        torn.or(out_of_reach.filter(|_| behind > 0))
    }
}

impl Overlap {
    /// Takes in what came of comparing one position. `false` where histories part: behind that nothing tells more.
    fn add(&mut self, difference: Option<Difference>) -> bool {
        match difference {
            None => self.equal += 1,
            Some(Difference::OtherEvent(_)) => self.difference = difference,
            Some(_) => self.difference = self.difference.or(difference),
        }
        !matches!(difference, Some(Difference::OtherEvent(_)))
    }
}

impl Ground {
    /// Compares all that PostgreSQL and the stream both have, and looks at what only the stream has.
    pub(super) async fn compare(&self, mut progress: impl FnMut(u64, u64)) -> Result<Findings, RecoverError> {
        let span = self.span().await?;
        let mut findings = Findings {
            identity: self.standing.identity.clone(),
            stored: self.standing.stored.clone(),
            found: self.standing.found.clone(),
            // Read after the stream's end: what was published by then had been committed before.
            head: self.head().await?,
            stream: span,
            overlap: Overlap::default(),
            beyond: Beyond::default(),
        };
        let Some(span) = span else {
            return Ok(findings);
        };
        let mut messages = self.messages(span.first, span.last).await?;
        let mut ours = Pages { ground: self, head: findings.head, page: VecDeque::new() };
        for position in span.first..=span.last {
            let theirs = messages.at(position).await?;
            if position <= findings.head {
                let ours = ours.at(position).await?;
                if !findings.overlap.add(self.difference(position, theirs.as_deref(), Some(&ours))) {
                    break;
                }
            } else {
                findings.beyond.add(self, position, findings.head, theirs.as_deref());
            }
            if position % TOLD_EVERY == 0 {
                progress(position, span.last);
            }
        }
        progress(span.last, span.last);
        Ok(findings)
    }

    async fn head(&self) -> Result<u64, RecoverError> {
        let row = self.connection.client.query_one("SELECT coalesce(max(position), 0) FROM events", &[]);
        Ok(row.await?.get::<_, i64>(0).unsigned_abs())
    }

    /// How what the stream has at a position differs from our bytes, or, where we have none, from an event of this log.
    fn difference(
        &self,
        position: u64,
        theirs: Option<&[u8]>,
        ours: Option<&Recorded>,
    ) -> Option<Difference> {
        let Some(theirs) = theirs else {
            return Some(Difference::Missing(position));
        };
        if ours.is_some_and(|ours| ours.bytes == theirs) {
            return None;
        }
        let source = self.standing.identity.source();
        let is_event = place_of(theirs)
            .is_some_and(|place| log_of(&place.source) == log_of(&source) && place.position == position);
        match (is_event, ours) {
            (true, None) => None,
            (true, Some(_)) => Some(Difference::OtherEvent(position)),
            (false, _) => Some(Difference::Stray(position)),
        }
    }
}

impl Beyond {
    /// Takes in what the stream has at a position after the head.
    fn add(&mut self, ground: &Ground, position: u64, head: u64, theirs: Option<&[u8]>) {
        let difference = ground.difference(position, theirs, None);
        let follows = head + self.events + self.torn + 1;
        if self.difference.is_none() && position > follows {
            self.difference = Some(Difference::Missing(follows));
        }
        self.difference = self.difference.or(difference);
        if self.difference.is_some() {
            self.behind += u64::from(difference.is_none());
            return;
        }
        self.torn += 1;
        if theirs.and_then(place_of).is_some_and(|place| place.ends_command()) {
            self.events += std::mem::take(&mut self.torn);
        }
    }
}

/// The events of PostgreSQL, read page by page in order.
struct Pages<'a> {
    ground: &'a Ground,
    head: u64,
    page: VecDeque<Recorded>,
}

impl Pages<'_> {
    async fn at(&mut self, position: u64) -> Result<Recorded, RecoverError> {
        if self.page.is_empty() {
            self.page = self.ground.connection.after(position - 1).await?.into();
        }
        match self.page.pop_front() {
            Some(event) if event.position == position => Ok(event),
            _ => Err(RecoverError::Database(format!(
                "position {position} is missing although the head is {}",
                self.head
            ))),
        }
    }
}
