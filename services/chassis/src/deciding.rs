//! What most decisions need: the case, what the rules say to it, and refusals about dates and ids.
//!
//! Pure and synchronous, as `decide` is. A service adds the states that it finds and the rules of its own.

mod refusals;

pub use refusals::{at, before_last_step, broken, dated, no_rulebook, not_before, taken};

use crate::{
    log::{Broken, Context, Decision, Refusal, RefusalKind, Stop, View},
    reference::Tables,
};
use concord_kernel::{
    Date, calendar::Calendar, event::StreamId, party::json_under_one_name, rulebook::Rulebook,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What the rules say to a command: what happens then, nothing where it holds already, or every broken rule.
pub type Ruling<E> = Result<Decision<E>, Vec<Broken>>;

/// This happens.
///
/// # Errors
/// Never: it is a ruling.
pub fn happens<E>(event: E) -> Ruling<E> {
    Ok(Decision::events(vec![event]))
}

/// It holds already.
///
/// # Errors
/// Never: it is a ruling.
pub fn unchanged<E>() -> Ruling<E> {
    Ok(Decision::unchanged())
}

/// It is refused.
///
/// # Errors
/// Always: that rule is broken.
pub fn refused<E>(broken: Broken) -> Ruling<E> {
    Err(vec![broken])
}

/// The event, unless one of the rules is broken; then all that are.
///
/// # Errors
/// Every broken rule.
pub fn happens_under<E>(rules: impl IntoIterator<Item = Option<Broken>>, event: E) -> Ruling<E> {
    let broken: Vec<Broken> = rules.into_iter().flatten().collect();
    if broken.is_empty() { happens(event) } else { Err(broken) }
}

/// One command being decided: the states that it may look at, and all that is weighed beside them.
pub struct Case<'c, 'v, S> {
    /// The states.
    pub states: &'c View<'v, S>,
    /// Who acts, when, and what day it is.
    pub context: &'c Context<'c>,
    /// In force on the day of the decision.
    pub rulebook: &'c Rulebook,
    /// Working days.
    pub calendar: &'c Calendar,
}

impl<'c, 'v, S> Case<'c, 'v, S> {
    /// The case of a command that is decided under the rulebook of `decided_on`.
    ///
    /// # Errors
    /// Refused where no rulebook is in force on that day.
    pub fn open(
        states: &'c View<'v, S>,
        context: &'c Context<'c>,
        tables: &'c Tables,
        decided_on: Date,
    ) -> Result<Self, Stop> {
        let rulebook = tables.rulebooks.at(decided_on).map_err(|none| {
            let broken = vec![no_rulebook(&none.to_string())];
            Refusal { kind: RefusalKind::Rule, broken, rulebook: String::new(), terms_rulebook: None }
        })?;
        Ok(Self { states, context, rulebook, calendar: &tables.calendar })
    }

    /// The state of this aggregate, as `as_its_kind` sees it.
    ///
    /// # Errors
    /// `NOT_FOUND` with what `none` says where there is no such state, or it must be loaded first.
    pub fn find<T>(
        &self,
        of: StreamId,
        as_its_kind: impl FnOnce(&'v S) -> Option<&'v T>,
        none: impl FnOnce() -> Broken,
    ) -> Result<&'v T, Stop> {
        let found = self.states.get(of)?.and_then(as_its_kind);
        found.ok_or_else(|| self.refuse(RefusalKind::NotFound, vec![none()]))
    }

    /// The state of this aggregate, `None` where there is none. For an id that follows from something: an aggregate of another
    /// kind that somebody gave this id is no concern of it.
    ///
    /// # Errors
    /// It must be loaded first.
    pub fn seek<T>(
        &self,
        of: StreamId,
        as_its_kind: impl FnOnce(&'v S) -> Option<&'v T>,
    ) -> Result<Option<&'v T>, Stop> {
        Ok(self.states.get(of)?.and_then(as_its_kind))
    }

    /// The state of this aggregate, whose id the caller chose at `field`: `None` while it is free.
    ///
    /// # Errors
    /// `ALREADY_EXISTS` where an aggregate of another kind has the id, or it must be loaded first.
    pub fn find_or_free<T>(
        &self,
        of: StreamId,
        field: &str,
        as_its_kind: impl FnOnce(&'v S) -> Option<&'v T>,
    ) -> Result<Option<&'v T>, Stop> {
        match self.states.look(of)? {
            Ok(state) => Ok(as_its_kind(state)),
            Err(None) => Ok(None),
            Err(Some(kind)) => {
                Err(self.refuse(RefusalKind::Taken, vec![taken(field, StreamId::new(kind, of.id))]))
            }
        }
    }

    /// Stops at values that cannot be right for this aggregate, all of them at once.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with every fault.
    pub fn well_formed(
        &self,
        faults: impl IntoIterator<Item = impl Into<Option<Broken>>>,
    ) -> Result<(), Stop> {
        let faults: Vec<Broken> = faults.into_iter().filter_map(Into::into).collect();
        if faults.is_empty() { Ok(()) } else { Err(self.refuse(RefusalKind::Malformed, faults)) }
    }

    /// A refusal under the rulebook of the day.
    #[must_use]
    pub fn refuse(&self, kind: RefusalKind, broken: Vec<Broken>) -> Stop {
        let rulebook = self.rulebook.version.clone();
        Refusal { kind, broken, rulebook, terms_rulebook: None }.into()
    }

    /// Turns a ruling into an answer. `before` and `after` are broken rules that weigh only where something would
    /// happen; they stand around the ruling's own: who may act, the stage and its rules, the dates.
    ///
    /// # Errors
    /// Refused with every broken rule.
    pub fn conclude<E>(
        &self,
        before: Vec<Broken>,
        ruling: Ruling<E>,
        after: Option<Broken>,
    ) -> Result<Decision<E>, Stop> {
        let own = match ruling {
            Ok(decision) if decision.events.is_empty() => return Ok(decision),
            Ok(decision) if before.is_empty() && after.is_none() => return Ok(decision),
            Ok(_) => Vec::new(),
            Err(broken) => broken,
        };
        Err(self.refuse(RefusalKind::Rule, before.into_iter().chain(own).chain(after).collect()))
    }
}

/// Hash of what an event says, in hexadecimal: a repeat of what opened an aggregate is told by it, whatever has happened
/// since. Under which of its two names the scheme of a unified code was told makes no difference.
pub fn content_hash(event: &impl Serialize) -> String {
    // An event is plain data with string keys: it always has its JSON.
    let json = serde_json::to_string(event).unwrap_or_default();
    format!("{:x}", Sha256::digest(json_under_one_name(json)))
}
