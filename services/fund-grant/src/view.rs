//! What a decision sees: the states that it touches, and all that it weighs beside them.

use crate::{
    State,
    grant::Grant,
    programme::Programme,
    refusal::{self, Ruling},
};
use concord_chassis::log::{Broken, Context, Decision, Refusal, RefusalKind, Stop, View};
use concord_events::fund::FundEvent;
use concord_kernel::{
    calendar::Calendar,
    id::{GrantId, ProgrammeId},
    rulebook::Rulebook,
};

/// One command being decided.
pub(crate) struct Case<'c, 'v> {
    pub(crate) states: &'c View<'v, State>,
    pub(crate) context: &'c Context<'c>,
    /// In force on the day of the act.
    pub(crate) rulebook: &'c Rulebook,
    pub(crate) calendar: &'c Calendar,
}

impl<'v> Case<'_, 'v> {
    /// The grant; `NOT_FOUND` where there is none.
    pub(crate) fn grant(&self, id: GrantId) -> Result<&'v Grant, Stop> {
        match self.states.get(id.0)? {
            Some(State::Grant(grant)) => Ok(grant),
            Some(State::Programme(_) | State::Backing(_)) | None => {
                Err(self.refuse(RefusalKind::NotFound, vec![refusal::no_grant(id)]))
            }
        }
    }

    /// The grant with a new id: `None` while it is free, `ALREADY_EXISTS` where a programme has it.
    pub(crate) fn grant_or_free(&self, id: GrantId) -> Result<Option<&'v Grant>, Stop> {
        match self.states.get(id.0)? {
            Some(State::Grant(grant)) => Ok(Some(grant)),
            Some(State::Programme(_) | State::Backing(_)) => {
                Err(self.refuse(RefusalKind::Taken, vec![refusal::taken("grant_id", id.0)]))
            }
            None => Ok(None),
        }
    }

    /// The programme; `NOT_FOUND` where there is none.
    pub(crate) fn programme(&self, id: ProgrammeId) -> Result<&'v Programme, Stop> {
        let none = || self.refuse(RefusalKind::NotFound, vec![refusal::no_programme(id)]);
        self.programme_or_free(id)?.ok_or_else(none)
    }

    /// The programme with a new id: `None` while it is free, `ALREADY_EXISTS` where a grant has it.
    pub(crate) fn programme_or_free(&self, id: ProgrammeId) -> Result<Option<&'v Programme>, Stop> {
        match self.states.get(id.0)? {
            Some(State::Programme(programme)) => Ok(Some(programme)),
            Some(State::Grant(_) | State::Backing(_)) => {
                Err(self.refuse(RefusalKind::Taken, vec![refusal::taken("programme_id", id.0)]))
            }
            None => Ok(None),
        }
    }

    /// Stops at values that cannot be right for this aggregate, all of them at once.
    pub(crate) fn well_formed(&self, faults: impl IntoIterator<Item = Option<Broken>>) -> Result<(), Stop> {
        let faults: Vec<Broken> = faults.into_iter().flatten().collect();
        if faults.is_empty() { Ok(()) } else { Err(self.refuse(RefusalKind::Malformed, faults)) }
    }

    /// A refusal under the rulebook of the day.
    pub(crate) fn refuse(&self, kind: RefusalKind, broken: Vec<Broken>) -> Stop {
        let rulebook = self.rulebook.version.clone();
        Refusal { kind, broken, rulebook, terms_rulebook: None }.into()
    }

    /// Turns a ruling into an answer. `before` and `after` are broken rules that weigh only where something would
    /// happen; they stand around the ruling's own, in the order of the architecture: A13, the stage, the rules.
    pub(crate) fn conclude(
        &self,
        before: Vec<Broken>,
        ruling: Ruling,
        after: Option<Broken>,
    ) -> Result<Decision<FundEvent>, Stop> {
        let own = match ruling {
            Ok(decision) if decision.events.is_empty() => return Ok(decision),
            Ok(decision) if before.is_empty() && after.is_none() => return Ok(decision),
            Ok(_) => Vec::new(),
            Err(broken) => broken,
        };
        Err(self.refuse(RefusalKind::Rule, before.into_iter().chain(own).chain(after).collect()))
    }
}
