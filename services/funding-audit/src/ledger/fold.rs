//! One event to its rows.

use super::{
    check_zero_sum,
    known::{Grant, Known, Programme},
    rows::Rows,
};
use crate::numbers::{self, Step};
use concord_chassis::{projection::ApplyError, record::Envelope};
use concord_events::{
    fund::{FundEvent, FundingMode, HoldCause, Party, PlannedTranche},
    ledger::{Postings, postings},
};
use concord_kernel::event::LogEvent;
use concord_kernel::{
    Date,
    id::{GrantId, ProgrammeId},
    industry::Industry,
    money::Currency,
};
use jiff::Timestamp;
use uuid::Uuid;

/// Lines of one event, at most: the key of a row of dimensions has eight bits for the line.
const LINES_MAX: usize = 255;

/// Events on their way to rows.
pub(super) struct Fold<'k, 'a> {
    known: &'k mut Known,
    rows: Rows<'a>,
}

/// Where and when an event stands.
#[derive(Debug, Clone, Copy)]
struct At {
    position: i64,
    recorded_at: Timestamp,
    effective_on: Date,
}

impl At {
    fn broken(&self, what: &str) -> ApplyError {
        ApplyError::Broken(format!("the event at position {} {what}", self.position))
    }
}

/// A grant's facts as its first event has them, applied for or imported.
struct NewGrant<'a> {
    grant: GrantId,
    programme: ProgrammeId,
    currency: Currency,
    title: &'a str,
    mode: FundingMode,
    lead: &'a Party,
    industry: Option<Industry>,
    migrated: bool,
    synthetic: bool,
}

/// A programme's facts as its first event has them. An import has no title for it.
struct NewProgramme<'a> {
    programme: ProgrammeId,
    fund: &'a str,
    year: i16,
    currency: Currency,
    title: &'a str,
}

impl<'k, 'a> Fold<'k, 'a> {
    pub(super) fn new(known: &'k mut Known) -> Self {
        Self { known, rows: Rows::default() }
    }

    pub(super) fn into_rows(self) -> Rows<'a> {
        self.rows
    }

    /// Adds what the event means.
    pub(super) fn event(&mut self, envelope: &Envelope<'_>, event: &'a FundEvent) -> Result<(), ApplyError> {
        let position = i64::try_from(envelope.position)
            .map_err(|_| ApplyError::Broken(format!("position {} is beyond 63 bits", envelope.position)))?;
        let at = At { position, recorded_at: envelope.time, effective_on: envelope.effectiveon };
        self.tick(at)?;
        self.facts(at, event)?;
        if let Some((number, step)) = Step::of(event) {
            let (_, grant) = event.stream();
            self.step(at, GrantId(grant), number, step)?;
        }
        if let Some(set) = postings(event) {
            self.post(at, event.type_name(), &set)?;
        }
        Ok(())
    }

    fn tick(&mut self, at: At) -> Result<(), ApplyError> {
        if self.known.recorded_at.is_some_and(|newest| at.recorded_at < newest) {
            return Err(at.broken("was recorded before the one that it follows"));
        }
        if self.known.recorded_at != Some(at.recorded_at) {
            self.known.recorded_at = Some(at.recorded_at);
            self.rows.clock.position.push(at.position);
            self.rows.clock.recorded_at.push(at.recorded_at);
        }
        Ok(())
    }

    /// The facts that are no postings and no steps of a tranche.
    fn facts(&mut self, at: At, event: &'a FundEvent) -> Result<(), ApplyError> {
        match event {
            FundEvent::TodayAdvanced { today } => {
                self.rows.todays.position.push(at.position);
                self.rows.todays.today.push(*today);
                Ok(())
            }
            FundEvent::ProgrammeAppropriated { programme, fund, year, currency, title, .. } => {
                if self.known.programmes.contains(programme) {
                    return Err(at.broken(&format!("opens programme {programme} a second time")));
                }
                self.open_programme(
                    at,
                    &NewProgramme { programme: *programme, fund, year: *year, currency: *currency, title },
                );
                Ok(())
            }
            FundEvent::GrantApplied { grant, programme, currency, mode, title, lead, industry, .. } => self
                .open_grant(
                    at,
                    &NewGrant {
                        grant: *grant,
                        programme: *programme,
                        currency: *currency,
                        title,
                        mode: *mode,
                        lead,
                        industry: *industry,
                        migrated: false,
                        synthetic: false,
                    },
                ),
            FundEvent::AwardImported {
                grant,
                programme,
                fund,
                year,
                currency,
                mode,
                title,
                lead,
                industry,
                ends_on,
                tranches,
                source,
                ..
            } => {
                match self.known.programmes.get(programme) {
                    Some(known) if known.year != *year => {
                        let what = format!(
                            "has {year} as the year of programme {programme}, which is of {}",
                            known.year
                        );
                        return Err(at.broken(&what));
                    }
                    Some(_) => {}
                    None => self.open_programme(
                        at,
                        &NewProgramme {
                            programme: *programme,
                            fund,
                            year: *year,
                            currency: *currency,
                            title: "",
                        },
                    ),
                }
                self.open_grant(
                    at,
                    &NewGrant {
                        grant: *grant,
                        programme: *programme,
                        currency: *currency,
                        title,
                        mode: *mode,
                        lead,
                        industry: *industry,
                        migrated: true,
                        synthetic: source.synthetic,
                    },
                )?;
                self.contract(at, *grant, *ends_on, tranches)
            }
            FundEvent::ContractSigned { grant, ends_on, tranches, .. } => {
                self.contract(at, *grant, Some(*ends_on), tranches)
            }
            FundEvent::GrantHeld { grant, cause, cause_on } => {
                let cause = match cause {
                    HoldCause::Office { .. } => "office",
                    HoldCause::BackingLost { how, .. } => how.code(),
                };
                self.hold(at, *grant, Some((cause, *cause_on)))
            }
            FundEvent::GrantResumed { grant } => self.hold(at, *grant, None),
            _ => Ok(()),
        }
    }

    fn hold(&mut self, at: At, grant: GrantId, cause: Option<(&'a str, Date)>) -> Result<(), ApplyError> {
        self.seen(at, grant)?;
        let holds = &mut self.rows.holds;
        holds.position.push(at.position);
        holds.grant.push(grant.0);
        holds.effective_on.push(at.effective_on);
        holds.cause.push(cause.map(|(cause, _)| cause));
        holds.cause_on.push(cause.map(|(_, on)| on));
        Ok(())
    }

    fn open_programme(&mut self, at: At, new: &NewProgramme<'a>) {
        let known = Programme { year: new.year, currency: new.currency, dims: None };
        self.known.programmes.put(new.programme, known);
        let rows = &mut self.rows.programmes;
        rows.programme.push(new.programme.0);
        rows.fund.push(new.fund);
        rows.year.push(new.year);
        rows.currency.push(new.currency.to_string());
        rows.title.push(new.title);
        rows.position.push(at.position);
    }

    fn open_grant(&mut self, at: At, new: &NewGrant<'a>) -> Result<(), ApplyError> {
        let Some(programme) = self.known.programmes.get(&new.programme) else {
            return Err(
                at.broken(&format!("is about programme {}, which no event has opened", new.programme))
            );
        };
        if programme.currency != new.currency {
            let what = format!(
                "has {} in programme {}, which is in {}",
                new.currency, new.programme, programme.currency
            );
            return Err(at.broken(&what));
        }
        if self.known.grants.contains(&new.grant) {
            return Err(at.broken(&format!("opens grant {} a second time", new.grant)));
        }
        self.known
            .grants
            .put(new.grant, Grant { programme: new.programme, currency: new.currency, dims: None });

        let rows = &mut self.rows.grants;
        rows.grant.push(new.grant.0);
        rows.programme.push(new.programme.0);
        rows.title.push(new.title);
        rows.mode.push(new.mode.code());
        rows.lead.push(new.lead.party.0);
        rows.lead_region.push(new.lead.region.as_ref().map(concord_kernel::region::Region::as_str));
        rows.industry.push(new.industry.map(Industry::as_str));
        rows.currency.push(new.currency.to_string());
        rows.migrated.push(new.migrated);
        rows.synthetic.push(new.synthetic);
        rows.position.push(at.position);
        rows.effective_on.push(at.effective_on);

        let parties = &mut self.rows.parties;
        parties.party.push(new.lead.party.0);
        parties.code.push(new.lead.code.to_string());
        parties.name.push(new.lead.name.as_deref().unwrap_or_default());
        parties.position.push(at.position);
        Ok(())
    }

    fn contract(
        &mut self,
        at: At,
        grant: GrantId,
        ends_on: Option<Date>,
        tranches: &[PlannedTranche],
    ) -> Result<(), ApplyError> {
        self.seen(at, grant)?;
        let terms = &mut self.rows.terms;
        terms.position.push(at.position);
        terms.grant.push(grant.0);
        terms.effective_on.push(at.effective_on);
        terms.ends_on.push(ends_on);
        for tranche in tranches {
            let plans = &mut self.rows.plans;
            plans.grant.push(grant.0);
            plans.position.push(at.position);
            plans.number.push(tranche_number(at, tranche.number)?);
            plans.effective_on.push(at.effective_on);
            plans.amount_minor.push(tranche.amount_minor);
            plans.due_on.push(tranche.due_on);
        }
        Ok(())
    }

    fn step(&mut self, at: At, grant: GrantId, number: u32, step: Step) -> Result<(), ApplyError> {
        self.seen(at, grant)?;
        let steps = &mut self.rows.steps;
        steps.position.push(at.position);
        steps.grant.push(grant.0);
        steps.number.push(tranche_number(at, number)?);
        steps.step.push(step.number());
        steps.effective_on.push(at.effective_on);
        Ok(())
    }

    fn post(&mut self, at: At, event_type: &str, set: &Postings) -> Result<(), ApplyError> {
        check_zero_sum(at.position.unsigned_abs(), set)?;
        if set.lines.len() > LINES_MAX {
            return Err(at.broken(&format!("has {} lines; {LINES_MAX} can be held", set.lines.len())));
        }
        let event_type = numbers::event_type(event_type)
            .ok_or_else(|| at.broken(&format!("is a {event_type}, which this projection does not post")))?;
        let counts_from = set.counts_from.unwrap_or(at.effective_on);
        let period = i32::from(counts_from.year()) * 100 + i32::from(counts_from.month());
        for (line, number) in set.lines.iter().zip(1i16..) {
            let dims = self.dims(at, set, line.grant, number)?;
            let rows = &mut self.rows.postings;
            rows.position.push(at.position);
            rows.amount_minor.push(line.amount_minor);
            rows.dims.push(dims);
            rows.recorded_at.push(at.recorded_at);
            rows.effective_on.push(counts_from);
            rows.period.push(period);
            rows.line.push(number);
            rows.account.push(numbers::account(line.account));
            rows.event_type.push(event_type);
            rows.settles.push(line.settles);
        }
        Ok(())
    }

    /// Key of a line's dimensions. It is made from the first line that uses them.
    fn dims(&mut self, at: At, set: &Postings, grant: Option<GrantId>, line: i16) -> Result<i64, ApplyError> {
        let (currency, dims) = match grant {
            Some(grant) => {
                let known = self.known.grants.get_mut(&grant).ok_or_else(|| unseen(at, grant))?;
                if known.programme != set.programme {
                    let what = format!(
                        "moves money of programme {} for grant {grant}, which is of {}",
                        set.programme, known.programme
                    );
                    return Err(at.broken(&what));
                }
                (known.currency, &mut known.dims)
            }
            None => {
                let known = self.known.programmes.get_mut(&set.programme).ok_or_else(|| {
                    at.broken(&format!("is about programme {}, which no event has opened", set.programme))
                })?;
                (known.currency, &mut known.dims)
            }
        };
        if currency != set.currency {
            return Err(at.broken(&format!("moves {} where the money is in {currency}", set.currency)));
        }
        if let Some(known) = *dims {
            return Ok(known);
        }
        let new =
            at.position.checked_mul(256).ok_or_else(|| at.broken("is beyond 55 bits"))? + i64::from(line);
        *dims = Some(new);
        self.rows.dims.dims.push(new);
        self.rows.dims.programme.push(set.programme.0);
        self.rows.dims.grant.push(grant.map(|grant| -> Uuid { grant.0 }));
        Ok(new)
    }

    fn seen(&mut self, at: At, grant: GrantId) -> Result<(), ApplyError> {
        self.known.grants.get(&grant).map(|_| ()).ok_or_else(|| unseen(at, grant))
    }
}

fn unseen(at: At, grant: GrantId) -> ApplyError {
    at.broken(&format!("is about grant {grant}, which no event has applied for or imported"))
}

fn tranche_number(at: At, number: u32) -> Result<i32, ApplyError> {
    i32::try_from(number).map_err(|_| at.broken(&format!("has {number} as the number of a tranche")))
}
