//! Corrections 更正: a fact of money that was recorded and was not so is reversed, and the right one is recorded anew
//! (domain.md section 1, "Corrections").
//!
//! ```text
//!                                    CorrectFact
//!  (recorded) Stands ───────────────────────────▶ Corrected
//!               │
//!               └── undone by another act: its payment came back, its spending was disallowed ──▶ Undone
//! ```
//!
//! Nothing is edited: the reversal counts from the day of the fact, and both stay in the log. A fact is known by the position
//! of its event. What a reversal means beside the books and the [facts](super::facts) themselves, each lifecycle says of its
//! own: a payment is with the bank again, spending is reported again.

use super::{
    Grant,
    facts::{FactStanding, RecordedFact},
};
use crate::{
    refusal::{self, Ruling, done_otherwise, happens_under, refused, unchanged},
    rules::{self, Hand},
    view::Case,
};
use concord_chassis::log::{Broken, Decision, RefusalKind, Stop};
use concord_events::fund::FundEvent;
use concord_kernel::normal::same_reference;
use serde::{Deserialize, Serialize};

/// Reverse the fact at a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correct {
    /// Position of its event.
    pub position: u64,
    /// Why it was wrong.
    pub reason: String,
    /// Document by whose authority it is reversed.
    pub authority: String,
}

/// Corrections of one grant: every state is kept in memory, and each leaves its fact there.
const CORRECTIONS_MAX: usize = 1_000;

pub(super) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    command: &Correct,
) -> Result<Decision<FundEvent>, Stop> {
    let known = grant.facts.at(command.position);
    let ruling = match known {
        Some(known) => rule(grant, known, command),
        None => match grant.facts.corrected_at(command.position) {
            Some(fact) => refused(refusal::correction_of_correction(command.position, fact)),
            None => {
                let none = refusal::no_fact(command.position);
                return Err(case.refuse(RefusalKind::NotFound, vec![none]));
            }
        },
    };
    let last = known.map_or(grant.last_step_on, |known| known.on);
    grant.conclude(case, Hand::Office(None), last, ruling)
}

/// Rules on every standing of a fact.
fn rule(grant: &Grant, known: &RecordedFact, command: &Correct) -> Ruling {
    match &known.standing {
        FactStanding::Stands => happens_under(
            [rules::correction_is_covered(grant, &known.fact), corrected_enough(grant)],
            FundEvent::FactCorrected {
                grant: grant.id,
                programme: grant.programme,
                currency: grant.currency,
                reverses: known.position,
                fact: known.fact,
                fact_on: known.on,
                reason: command.reason.clone(),
                authority: command.authority.clone(),
            },
        ),
        FactStanding::Undone(by) => refused(refusal::fact_undone(known, *by)),
        FactStanding::Corrected(first)
            if first.reason == command.reason && same_reference(&first.authority, &command.authority) =>
        {
            unchanged()
        }
        FactStanding::Corrected(first) => refused(done_otherwise(
            "CORRECTED_ALREADY",
            ("the fact was corrected", "该事项已更正"),
            &[("correction_position", &first.position), ("authority", &first.authority)],
        )),
    }
}

fn corrected_enough(grant: &Grant) -> Option<Broken> {
    let corrected = grant.facts.recorded().iter().filter(|known| known.is_corrected());
    (corrected.count() >= CORRECTIONS_MAX)
        .then(|| refusal::too_many(("corrections", "更正记录"), CORRECTIONS_MAX))
}
