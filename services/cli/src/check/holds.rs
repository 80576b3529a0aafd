//! Holds and the agreements that grants rest on (A01): no money leaves while a grant is on hold, nor under an agreement that
//! was not in force as far as was known.

use std::collections::{BTreeSet, HashMap};

use concord_events::agreement::Term;
use concord_events::fund::{AgreementPoint, Force, FundEvent, HoldCause, InstructedUnder};
use concord_kernel::Date;
use concord_kernel::id::{AgreementId, GrantId};

use super::faults::{Faults, Rule};

/// What each grant rests on and is held for, and what was learned last of each agreement.
#[derive(Debug, Default)]
pub(super) struct Holds {
    grants: HashMap<GrantId, Held>,
    agreements: HashMap<AgreementId, (AgreementPoint, Force)>,
}

#[derive(Debug, Default)]
struct Held {
    backing: Option<AgreementId>,
    on_hold: bool,
    losses: BTreeSet<AgreementId>,
}

impl Holds {
    /// Takes in an event that happened on `effective_on`.
    pub(super) fn take(&mut self, position: u64, effective_on: Date, event: &FundEvent, faults: &mut Faults) {
        match event {
            FundEvent::BackingChanged { agreement, force, at, .. } => {
                let before = self.agreements.insert(*agreement, (*at, *force));
                let place = |at: &AgreementPoint| (at.generation, at.position);
                if let Some((before, _)) = before.filter(|(before, _)| place(before) >= place(at)) {
                    let expected = format!("agreement {agreement} learned from after {}", before.position);
                    faults.add(Rule::BackingBack, position, expected, at.position);
                }
            }
            FundEvent::BackingNamed { grant, agreement, .. } => {
                self.grants.entry(*grant).or_default().backing = Some(*agreement);
                if !self.agreements.contains_key(agreement) {
                    let expected = format!("agreement {agreement} learned of before");
                    faults.add(Rule::PaidWithoutBacking, position, expected, "never learned of");
                }
            }
            FundEvent::GrantHeld { grant, cause, .. } => {
                let held = self.grants.entry(*grant).or_default();
                held.on_hold = true;
                if let HoldCause::BackingLost { agreement, .. } = cause {
                    held.losses.insert(*agreement);
                }
            }
            FundEvent::HoldCauseCleared { grant, agreement, .. } => {
                self.grants.entry(*grant).or_default().losses.remove(agreement);
            }
            FundEvent::GrantResumed { grant } => {
                let held = self.grants.entry(*grant).or_default();
                if let Some(lost) = held.losses.first() {
                    let expected = format!("grant {grant} on hold while agreement {lost} is lost");
                    faults.add(Rule::ActedOnHold, position, expected, "resumed");
                }
                held.on_hold = false;
                held.losses.clear();
            }
            FundEvent::TrancheRequested { grant, .. } | FundEvent::TrancheAuthorised { grant, .. } => {
                self.is_free(position, grant, faults);
            }
            FundEvent::TrancheInstructed { grant, backing, .. } => {
                self.is_free(position, grant, faults);
                self.is_backed(position, effective_on, grant, backing.as_ref(), faults);
            }
            _ => {}
        }
    }

    fn is_free(&self, position: u64, grant: &GrantId, faults: &mut Faults) {
        if self.grants.get(grant).is_some_and(|held| held.on_hold) {
            faults.add(Rule::ActedOnHold, position, format!("grant {grant} not on hold"), "on hold");
        }
    }

    fn is_backed(
        &self,
        position: u64,
        on: Date,
        grant: &GrantId,
        under: Option<&InstructedUnder>,
        faults: &mut Faults,
    ) {
        let Some(agreement) = self.grants.get(grant).and_then(|held| held.backing) else {
            if let Some(under) = under {
                let expected = format!("no agreement, which grant {grant} does not name");
                faults.add(Rule::PaidWithoutBacking, position, expected, under.agreement);
            }
            return;
        };
        let known = self.agreements.get(&agreement);
        let expected = match known {
            Some((at, force)) if term(force).is_some_and(|term| term.contains(on)) => {
                if under.is_some_and(|under| (under.agreement, under.position) == (agreement, at.position)) {
                    return;
                }
                format!("agreement {agreement} as of its position {}", at.position)
            }
            _ => format!("agreement {agreement} in force on {on}"),
        };
        let found = under.map_or_else(
            || "instructed under none".to_owned(),
            |under| format!("instructed under {} as of {}", under.agreement, under.position),
        );
        faults.add(Rule::PaidWithoutBacking, position, expected, found);
    }
}

fn term(force: &Force) -> Option<Term> {
    match force {
        Force::Unsigned => None,
        Force::InForce { term } | Force::Suspended { term, .. } => Some(*term),
        Force::Ended { term, .. } => *term,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use concord_events::fund::Loss;
    use concord_events::personal::PersonalRef;
    use concord_kernel::id::{InstructionId, ProgrammeId};
    use concord_kernel::money::Currency;
    use jiff::civil::date;
    use uuid::Uuid;

    const GRANT: GrantId = GrantId(Uuid::from_u128(1));
    const AGREEMENT: AgreementId = AgreementId(Uuid::from_u128(2));

    fn learned(position: u64, force: Force) -> FundEvent {
        let at = AgreementPoint { generation: 1, position, event: Uuid::from_u128(position.into()) };
        FundEvent::BackingChanged {
            agreement: AGREEMENT,
            parties: Vec::new(),
            force,
            at,
            happened_on: date(2013, 1, 1),
        }
    }

    fn in_force() -> Force {
        Force::InForce { term: Term { from: date(2013, 1, 1), until: date(2013, 12, 31) } }
    }

    fn named() -> FundEvent {
        FundEvent::BackingNamed { grant: GRANT, agreement: AGREEMENT, former: None }
    }

    fn held() -> FundEvent {
        let cause =
            HoldCause::BackingLost { agreement: AGREEMENT, how: Loss::Suspended, agreement_position: 2 };
        FundEvent::GrantHeld { grant: GRANT, cause, cause_on: date(2013, 2, 1) }
    }

    fn instructed(position: Option<u64>) -> FundEvent {
        FundEvent::TrancheInstructed {
            grant: GRANT,
            programme: ProgrammeId(Uuid::from_u128(3)),
            currency: Currency::CNY,
            tranche: 1,
            amount_minor: 1,
            instruction: InstructionId(Uuid::from_u128(4)),
            attempt: 1,
            offset_minor: 0,
            payee: PersonalRef { person_id: "p".to_owned(), hash: "00".to_owned() },
            backing: position.map(|position| InstructedUnder {
                agreement: AGREEMENT,
                position,
                verified_position: position,
                verified_at: jiff::Timestamp::UNIX_EPOCH,
            }),
        }
    }

    /// The rules that are broken by these events, each on 1 March 2013.
    fn broken(events: &[FundEvent]) -> Vec<Rule> {
        let (mut holds, mut faults) = (Holds::default(), Faults::default());
        for (event, position) in events.iter().zip(1..) {
            holds.take(position, date(2013, 3, 1), event, &mut faults);
        }
        faults.iter().map(|(rule, _)| rule).collect()
    }

    #[test]
    fn money_that_leaves_under_an_agreement_in_force_is_right() {
        let (first, named) = (learned(2, in_force()), named());
        assert_eq!(broken(&[instructed(None)]), []);
        assert_eq!(broken(&[first.clone(), named.clone(), instructed(Some(2))]), []);
        assert_eq!(
            broken(&[first, named, held(), learned(3, in_force()), instructed(Some(3))]),
            [Rule::ActedOnHold]
        );
    }

    #[test]
    fn money_that_leaves_under_no_agreement_or_an_old_word_of_it_is_a_fault() {
        let (first, named) = (learned(2, in_force()), named());
        let over = Force::InForce { term: Term { from: date(2013, 1, 1), until: date(2013, 2, 28) } };
        for events in [
            vec![instructed(Some(2))],
            vec![first.clone(), named.clone(), instructed(None)],
            vec![first.clone(), named.clone(), learned(3, in_force()), instructed(Some(2))],
            vec![first.clone(), named.clone(), learned(3, over), instructed(Some(3))],
            vec![learned(2, Force::Unsigned), named.clone(), instructed(Some(2))],
            vec![named.clone()],
        ] {
            assert_eq!(broken(&events), [Rule::PaidWithoutBacking], "{events:?}");
        }
        assert_eq!(broken(&[first.clone(), first]), [Rule::BackingBack]);
    }

    #[test]
    fn a_grant_is_resumed_only_once_nothing_is_lost() {
        let cleared = FundEvent::HoldCauseCleared {
            grant: GRANT,
            agreement: AGREEMENT,
            cleared: concord_events::fund::Cleared::InForceAgain,
            agreement_position: 3,
        };
        let resumed = FundEvent::GrantResumed { grant: GRANT };
        assert_eq!(broken(&[held(), cleared, resumed.clone()]), []);
        assert_eq!(broken(&[held(), resumed]), [Rule::ActedOnHold]);
    }
}
