//! One event to its rows.
//!
//! | file | which events |
//! |---|---|
//! | `fold/opening.rs` | what opens programmes and grants; contracts with their terms, plans and shares |
//! | `fold/life.rs` | the steps of a grant's life, its tranches and holds |
//! | `fold/money.rs` | matching, spending, balances, corrections, recoveries, rectifications |

mod life;
mod money;
mod opening;

use super::{
    check_zero_sum,
    known::{Grant, Known},
    rows::{Decided, Dims, Late, Posted, Rows, Tick, Today},
};
use crate::{LogClock, clock::day_in_shanghai, numbers};
use concord_chassis::{projection::ApplyError, record::Envelope};
use concord_events::{
    fund::{Cleared, FundEvent, HoldCause},
    ledger::{Line, Postings},
};
use concord_kernel::event::{LogEvent, StreamId};
use concord_kernel::{
    Date,
    id::{GrantId, ProgrammeId},
};
use jiff::Timestamp;

/// Lines of one event, at most, as `postings.line` holds them. The writer takes no event of more than 256 KiB, and each thing that a
/// line or two are made of takes more than 60 bytes of that.
const LINES_MAX: usize = 32_766;
/// The key of a row of dimensions is the position times this, and the line.
const LINES: i64 = 65_536;

/// Events on their way to rows.
pub(super) struct Fold<'k, 'a> {
    known: &'k mut Known,
    clock: LogClock,
    rows: Rows<'a>,
}

/// Where and when an event stands, and who acted.
#[derive(Debug, Clone, Copy)]
struct At<'a> {
    position: i64,
    recorded_at: Timestamp,
    effective_on: Date,
    actor: &'a str,
    actor_org: &'a str,
}

impl At<'_> {
    fn broken(&self, what: &str) -> ApplyError {
        ApplyError::Broken(format!("the event at position {} {what}", self.position))
    }

    /// A number of an event as the tables have it.
    fn number(&self, number: u32, of: &str) -> Result<i32, ApplyError> {
        i32::try_from(number).map_err(|_| self.broken(&format!("has {number} as the number of {of}")))
    }
}

impl<'k, 'a> Fold<'k, 'a> {
    pub(super) fn new(known: &'k mut Known, clock: LogClock) -> Self {
        Self { known, clock, rows: Rows::default() }
    }

    pub(super) fn into_rows(self) -> Rows<'a> {
        self.rows
    }

    /// Adds what the event means; `set` is its postings.
    pub(super) fn event(
        &mut self,
        envelope: &'a Envelope<'_>,
        event: &'a FundEvent,
        set: Option<&Postings>,
    ) -> Result<(), ApplyError> {
        let position = i64::try_from(envelope.position)
            .map_err(|_| ApplyError::Broken(format!("position {} is beyond 63 bits", envelope.position)))?;
        let at = At {
            position,
            recorded_at: envelope.time,
            effective_on: envelope.effectiveon,
            actor: &envelope.actor,
            actor_org: &envelope.actororg,
        };
        self.tick(at)?;
        self.decided(at, envelope)?;
        if let FundEvent::TodayAdvanced { today } = event {
            self.known.today = Some(*today);
            self.rows.todays.push(Today { position, today: *today });
        }
        self.opening(at, event)?;
        self.life(at, event)?;
        self.money(at, event)?;
        if let Some(set) = set {
            self.post(at, event.type_name(), set)?;
        }
        self.late(at, event)
    }

    fn tick(&mut self, at: At<'_>) -> Result<(), ApplyError> {
        if self.known.recorded_at.is_some_and(|newest| at.recorded_at < newest) {
            return Err(at.broken("was recorded before the one that it follows"));
        }
        if self.known.recorded_at != Some(at.recorded_at) {
            self.known.recorded_at = Some(at.recorded_at);
            self.rows.clock.push(Tick { position: at.position, recorded_at: at.recorded_at });
        }
        Ok(())
    }

    /// Notes where a decision of several events ends, at the first of them.
    fn decided(&mut self, at: At<'_>, envelope: &Envelope<'_>) -> Result<(), ApplyError> {
        let last = envelope.decision_last().ok().and_then(|last| i64::try_from(last).ok());
        let last = last.ok_or_else(|| at.broken("names no position as the last of its decision"))?;
        if at.position > self.known.decided_to && last > at.position {
            self.known.decided_to = last;
            self.rows.decisions.push(Decided { first: at.position, last });
        }
        Ok(())
    }

    /// Notes a fact that was recorded after the day on which it happened.
    ///
    /// An import tells of the past by its nature, and so does what is taken in from the agreement log and the directory in it, with
    /// what follows from it for the grants: nobody dates it, and a term may have ended long before the clock was moved past its last day.
    fn late(&mut self, at: At<'_>, event: &'a FundEvent) -> Result<(), ApplyError> {
        let known_on = match self.clock {
            LogClock::Played { from } => self.known.today.unwrap_or(from),
            LogClock::System => day_in_shanghai(at.recorded_at),
        };
        let StreamId { kind, id } = event.stream();
        let is_told = matches!(
            event,
            FundEvent::AwardImported { .. }
                | FundEvent::GrantHeld { cause: HoldCause::BackingLost { .. }, .. }
                | FundEvent::HoldCauseCleared { cleared: Cleared::InForceAgain, .. }
        );
        let is_exempt = is_told || ["log", "backing", "party"].contains(&kind);
        if is_exempt || at.effective_on >= known_on {
            return Ok(());
        }
        let days = at
            .effective_on
            .until(known_on)
            .map_err(|error| at.broken(&format!("happened on a day that cannot be counted from: {error}")))?;
        let grant = match kind {
            "grant" => Some(GrantId(id)),
            "recovery" => Some(money::grant_of(event).ok_or_else(|| at.broken("names no grant"))?),
            _ => None,
        };
        let programme = match grant {
            Some(grant) => Some(self.grant(at, grant)?.programme),
            None => (kind == "programme").then_some(ProgrammeId(id)),
        };
        self.rows.late.push(Late {
            position: at.position,
            programme: programme.map(|programme| programme.0),
            grant_id: grant.map(|grant| grant.0),
            event_type: event.type_name(),
            effective_on: at.effective_on,
            known_on,
            days: days.get_days(),
        });
        Ok(())
    }

    fn post(&mut self, at: At<'_>, event_type: &str, set: &Postings) -> Result<(), ApplyError> {
        check_zero_sum(at.position.unsigned_abs(), set)?;
        if set.lines.len() > LINES_MAX {
            return Err(at.broken(&format!("has {} lines; {LINES_MAX} can be held", set.lines.len())));
        }
        let event_type = numbers::event_type(event_type)
            .ok_or_else(|| at.broken(&format!("is a {event_type}, which this projection does not post")))?;
        let effective_on = set.counts_from.unwrap_or(at.effective_on);
        let period = i32::from(effective_on.year()) * 100 + i32::from(effective_on.month());
        for (line, number) in set.lines.iter().zip(1i16..) {
            let dims = self.dims(at, set, line, number)?;
            self.rows.postings.push(Posted {
                position: at.position,
                amount_minor: line.amount_minor,
                dims,
                recorded_at: at.recorded_at,
                effective_on,
                period,
                line: number,
                account: numbers::account(line.account),
                event_type,
                settles: line.settles,
            });
        }
        Ok(())
    }

    /// Key of a line's dimensions. It is made from the first line that uses them.
    fn dims(&mut self, at: At<'_>, set: &Postings, line: &Line, number: i16) -> Result<i64, ApplyError> {
        let key = at.position.checked_mul(LINES).ok_or_else(|| at.broken("is beyond 47 bits"));
        let new = key? + i64::from(number);
        let (currency, party, known) = match line.grant {
            Some(grant) => {
                let known = self.known.grants.get_mut(&grant).ok_or_else(|| unseen(at, grant))?;
                if known.programme != set.programme {
                    let what = format!(
                        "moves money of programme {} for grant {grant}, which is of {}",
                        set.programme, known.programme
                    );
                    return Err(at.broken(&what));
                }
                let party = line.party.unwrap_or(known.lead);
                let has_it = known.dims.iter().find(|(holder, _)| *holder == party).map(|(_, dims)| *dims);
                if has_it.is_none() {
                    if party != known.lead && known.shares.iter().all(|(holder, _)| *holder != party) {
                        let what =
                            format!("moves money of party {party}, which has no share in grant {grant}");
                        return Err(at.broken(&what));
                    }
                    known.dims.push((party, new));
                }
                (known.currency, Some(party), has_it)
            }
            None => {
                let known = self.known.programmes.get_mut(&set.programme).ok_or_else(|| {
                    at.broken(&format!("is about programme {}, which no event has opened", set.programme))
                })?;
                let has_it = known.dims;
                known.dims = has_it.or(Some(new));
                (known.currency, None, has_it)
            }
        };
        if currency != set.currency {
            return Err(at.broken(&format!("moves {} where the money is in {currency}", set.currency)));
        }
        if let Some(known) = known {
            return Ok(known);
        }
        self.rows.dims.push(Dims {
            dims: new,
            programme: set.programme.0,
            grant_id: line.grant.map(|grant| grant.0),
            party: party.map(|party| party.0),
        });
        Ok(new)
    }

    fn grant(&mut self, at: At<'_>, grant: GrantId) -> Result<&mut Grant, ApplyError> {
        self.known.grants.get_mut(&grant).ok_or_else(|| unseen(at, grant))
    }
}

fn unseen(at: At<'_>, grant: GrantId) -> ApplyError {
    at.broken(&format!("is about grant {grant}, which no event has applied for or imported"))
}
