//! When a question is about: the point that it is resolved to, and the time that there is for it.

use super::{Audit, LOG};
use crate::{
    LogClock,
    clock::day_in_shanghai,
    query::{
        Filter, Point,
        time::{self, KnownAt},
    },
    refusal::Refusal,
    wire::{Asked, AskedFilter, Cursor, Recorded},
};
use concord_chassis::{grpc, position, projection::Stopped};
use concord_kernel::Date;
use jiff::Timestamp;
use std::time::{Duration, Instant};
use tonic::metadata::MetadataMap;

impl Audit {
    /// Waits for a position, no longer than there is time, and not at all where the projection has stopped before it.
    pub(super) async fn wait_for(&self, wanted: u64, clock: &Remaining) -> Result<(), Refusal> {
        let mut applied = self.progress.applied.clone();
        let mut stopped = self.progress.stopped.clone();
        tokio::select! {
            biased;
            reached = position::wait_for(&mut applied, wanted, clock.left()) => reached.map(|_| ()).map_err(Refusal::from),
            stopped = async { stopped.wait_for(Option::is_some).await.ok().and_then(|stopped| stopped.clone()) } => {
                let reached = *self.progress.applied.borrow();
                match stopped {
                    Some(Stopped { why, .. }) if reached < wanted => Err(Refusal::Stopped { wanted, reached, why }),
                    _ => position::wait_for(&mut applied, wanted, clock.left()).await.map(|_| ()).map_err(Refusal::from),
                }
            }
        }
    }

    /// Resolves what was asked about to a position and a date. A further page keeps the first page's.
    pub(super) async fn point(
        &self,
        asked: &Asked,
        page: Option<&Cursor>,
        clock: &Remaining,
    ) -> Result<Point, Refusal> {
        self.resolve(asked, page, clock).await.map_err(|refusal| self.not_here(refusal))
    }

    /// A refusal that may rest on what the tables lack: where they are not known to be up to date, it says so.
    pub(super) fn not_here(&self, refusal: Refusal) -> Refusal {
        match self.standing() {
            Some(standing) if refusal.may_rest_on_what_is_not_here() => {
                Refusal::NotUpToDate { refusal: Box::new(refusal), standing: Box::new(standing) }
            }
            _ => refusal,
        }
    }

    async fn resolve(
        &self,
        asked: &Asked,
        page: Option<&Cursor>,
        clock: &Remaining,
    ) -> Result<Point, Refusal> {
        if asked.min_position > 0 {
            self.wait_for(asked.min_position, clock).await?;
        }
        if let Some(page) = page {
            // Another replica may have answered the first page, and be further on than this one.
            self.check_applied(page.position.unsigned_abs())?;
            return Ok(page.point());
        }
        let position = match asked.recorded {
            // A checkpoint never rests inside a decision.
            Recorded::Newest => to_i64(*self.progress.applied.borrow()),
            Recorded::Position(wanted) => {
                self.check_applied(wanted)?;
                if let Some((first, last)) = time::decision(&self.store, to_i64(wanted), clock.left()).await?
                {
                    return Err(Refusal::InsideDecision { wanted, first, last });
                }
                to_i64(wanted)
            }
            // The events of a decision are recorded at one instant.
            Recorded::At(instant) => match time::known_at(&self.store, instant, clock.left()).await? {
                KnownAt::Position(position) => position,
                KnownAt::Nothing(first) => {
                    return Err(Refusal::NothingKnown { asked: instant, first });
                }
                KnownAt::Unsettled(Some(newest)) => {
                    return Err(Refusal::Unsettled { asked: instant, newest });
                }
                KnownAt::Unsettled(None) => return Err(Refusal::NothingApplied),
            },
        };
        Ok(Point { position, effective_on: asked.effective_on })
    }

    fn check_applied(&self, wanted: u64) -> Result<(), Refusal> {
        let applied = *self.progress.applied.borrow();
        if wanted > applied { Err(Refusal::NotApplied { wanted, applied }) } else { Ok(()) }
    }

    /// The filter with the party that its code or id names at this point, under all its ids.
    pub(super) async fn filter(
        &self,
        asked: AskedFilter,
        point: Point,
        clock: &Remaining,
    ) -> Result<Filter, Refusal> {
        let AskedFilter { mut filter, party_code, party } = asked;
        let party = match party_code {
            Some(code) => {
                let known = time::party(&self.store, point, &code, clock.left()).await?;
                let unknown = || self.not_here(Refusal::UnknownParty { code, position: point.position });
                Some(known.ok_or_else(unknown)?)
            }
            None => party,
        };
        if let Some(party) = party {
            filter.party = Some(time::same_person(&self.store, point, party, clock.left()).await?);
        }
        Ok(filter)
    }

    /// The day that ages are counted from: the one asked for, that of the first page, else the point's own.
    ///
    /// A question about the past is not aged by the day on which it is asked: its answer would change every day.
    pub(super) async fn overdue_on(
        &self,
        day: Option<Date>,
        asked: &Asked,
        page: Option<&Cursor>,
        point: Point,
        clock: &Remaining,
    ) -> Result<Date, Refusal> {
        if let Some(day) = day.or(page.and_then(|page| page.on)).or(point.effective_on) {
            return Ok(day);
        }
        Ok(match (self.clock, asked.recorded) {
            (LogClock::Played { from }, _) => {
                time::played_today(&self.store, point, clock.left()).await?.unwrap_or(from)
            }
            (LogClock::System, Recorded::Newest) => day_in_shanghai(Timestamp::now()),
            (LogClock::System, Recorded::Position(_) | Recorded::At(_)) => {
                let newest = time::newest_recorded(&self.store, point, clock.left()).await?;
                day_in_shanghai(newest.unwrap_or_else(Timestamp::now))
            }
        })
    }
}

/// The time that a call has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remaining {
    until: Instant,
}

impl Remaining {
    pub(super) fn of(metadata: &MetadataMap, (usual, most): (Duration, Duration)) -> Self {
        Self { until: Instant::now() + grpc::deadline(metadata, usual, most) }
    }

    pub(super) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

pub(super) fn to_i64(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// "fund-grant@48210".
pub(super) fn shown(point: Point) -> String {
    format!("{LOG}@{}", point.position)
}
