//! What happens, changes nothing or is refused on the way into force and out of it.

use super::{ForceCommand, Period, renewed_from, run};
use crate::{
    agreement::{Agreement, Stage, Standing, draft::term_order},
    bounds::{self, LINE_BYTES_MAX, PERIODS_MAX, line, too_many},
    refusal::{self, Ruling, happens, happens_under, refused, unchanged},
    rules::{self, day_after},
    view::{self, Case},
};
use concord_chassis::log::{Broken, Decision, Stop};
use concord_events::{
    agreement::{AgreementEvent, Term},
    document::Document,
};
use concord_kernel::{Date, normal::same_reference};

/// Decides every pair of standing and command.
pub(in crate::agreement) fn decide(
    case: &Case<'_, '_>,
    agreement: &Agreement,
    command: &ForceCommand,
) -> Result<Decision<AgreementEvent>, Stop> {
    use ForceCommand::{CancelDraft, Complete, Renew, Resume, Sign, Suspend, Terminate};
    use Standing::{
        Absent, Completed, DraftCancelled, Drafted, Expired, InForce, NotBegun, PartiallySigned, Suspended,
        Terminated,
    };
    case.well_formed(command.faults())?;
    let on = case.context.effective_on;
    let standing = agreement.found_on(on);
    let wrong = |rule| {
        refused(match agreement.termination_ahead(on) {
            Some(from) => refusal::termination_stands(rule, from),
            None => refusal::wrong_standing(standing, rule),
        })
    };
    let ruling = match (standing, command) {
        (Drafted | PartiallySigned, Sign(signing)) => agreement.sign(case, signing)?,
        (
            Absent | NotBegun | InForce | Suspended | Completed | Expired | Terminated | DraftCancelled,
            Sign(signing),
        ) => agreement.signed_already(case, signing, standing)?,

        (Drafted | PartiallySigned, CancelDraft { reason }) => {
            happens(AgreementEvent::DraftCancelled { agreement: agreement.id, reason: reason.clone() })
        }
        (DraftCancelled, CancelDraft { reason }) => agreement.cancelled_already(reason),
        (Absent | NotBegun | InForce | Suspended | Completed | Expired | Terminated, CancelDraft { .. }) => {
            wrong((
                "a draft is cancelled before all have signed; afterwards the agreement is terminated",
                "草案在全部签署之前撤销，之后应办理终止",
            ))
        }

        (InForce, Suspend { cause, authority }) => agreement.suspend(cause, authority, on),
        (Suspended, Suspend { cause, authority }) => agreement.suspended_already(cause, authority),
        (
            Absent | Drafted | PartiallySigned | NotBegun | Completed | Expired | Terminated | DraftCancelled,
            Suspend { .. },
        ) => wrong(("an agreement is suspended while it is in force", "协议在有效期内方可中止")),

        (Suspended, Resume { authority }) => agreement.resume(authority, on),
        (InForce, Resume { authority }) if agreement.resumed_by(authority) => unchanged(),
        (
            Absent | Drafted | PartiallySigned | NotBegun | InForce | Completed | Expired | Terminated
            | DraftCancelled,
            Resume { .. },
        ) => wrong((
            "an agreement is resumed while it is suspended, within its term",
            "协议在中止期间且期限未满时方可恢复",
        )),

        (NotBegun | InForce | Suspended | Expired, Renew { term, authority, documents }) => {
            agreement.renew(case, *term, authority, documents)?
        }
        (Absent | Drafted | PartiallySigned | Completed | Terminated | DraftCancelled, Renew { .. }) => {
            wrong((
                "an agreement is renewed once all have signed, until the grace period after its end is over",
                "协议在全部签署之后、到期宽限期届满之前方可续签",
            ))
        }

        (InForce, Complete { documents }) => agreement.complete(case, documents),
        (Completed, Complete { documents }) => agreement.completed_already(documents),
        (
            Absent | Drafted | PartiallySigned | NotBegun | Suspended | Expired | Terminated | DraftCancelled,
            Complete { .. },
        ) => wrong(("an agreement is completed while it is in force", "协议在有效期内方可办理履行完毕")),

        (NotBegun | InForce | Suspended, Terminate { reason, authority, out_of_force_from }) => {
            agreement.terminate(reason, authority, *out_of_force_from, on)
        }
        (Terminated, Terminate { reason, authority, out_of_force_from }) => {
            agreement.terminate_again(reason, authority, *out_of_force_from, on)
        }
        (Absent | Drafted | PartiallySigned | Completed | Expired | DraftCancelled, Terminate { .. }) => {
            wrong((
                "an agreement is terminated once all have signed and before it has ended",
                "协议在全部签署之后、结束之前方可终止",
            ))
        }
    };
    // Signatures are learned in any order: none lies before the draft, and that is a rule of its own.
    let in_order = match command {
        Sign(_) => None,
        CancelDraft { .. }
        | Suspend { .. }
        | Resume { .. }
        | Renew { .. }
        | Complete { .. }
        | Terminate { .. } => rules::not_before(agreement.last_step_on, on),
    };
    case.conclude(Vec::new(), ruling, in_order)
}

impl ForceCommand {
    fn faults(&self) -> Vec<Broken> {
        let line = |field, text| line(field, text, LINE_BYTES_MAX);
        let (lines, documents) = match self {
            Self::Sign(signing) => (vec![signing.fault()], &[][..]),
            Self::CancelDraft { reason } => (vec![line("reason", reason)], &[][..]),
            Self::Suspend { cause, authority } => {
                (vec![line("cause", cause), line("authority", authority)], &[][..])
            }
            Self::Resume { authority } => (vec![line("authority", authority)], &[][..]),
            Self::Renew { term, authority, documents } => {
                (vec![line("authority", authority), term_order(*term)], documents.as_slice())
            }
            Self::Complete { documents } => (Vec::new(), documents.as_slice()),
            Self::Terminate { reason, authority, .. } => {
                (vec![line("reason", reason), line("authority", authority)], &[][..])
            }
        };
        lines.into_iter().flatten().chain(bounds::documents("documents", documents)).collect()
    }
}

impl Agreement {
    fn cancelled_already(&self, given: &str) -> Ruling {
        match &self.stage {
            Stage::DraftCancelled { reason, .. } if reason == given => unchanged(),
            Stage::DraftCancelled { reason, on } => refused(refusal::done_otherwise(
                "ALREADY_CANCELLED",
                ("the draft was cancelled", "草案已撤销"),
                &[("reason", reason), ("on", on)],
            )),
            _ => unchanged(),
        }
    }

    fn suspend(&self, cause: &str, authority: &str, on: Date) -> Ruling {
        happens_under(
            [too_many("suspensions", self.suspensions.len() + 1, PERIODS_MAX)],
            AgreementEvent::AgreementSuspended {
                agreement: self.id,
                cause: cause.to_owned(),
                authority: authority.to_owned(),
                out_of_force_from: on,
            },
        )
    }

    fn suspended_already(&self, cause: &str, authority: &str) -> Ruling {
        match self.suspensions.last() {
            Some(open) if open.cause != cause || open.authority != authority => {
                refused(refusal::done_otherwise(
                    "ALREADY_SUSPENDED",
                    ("it was suspended", "协议已中止"),
                    &[("cause", &open.cause), ("authority", &open.authority), ("from", &open.from)],
                ))
            }
            _ => unchanged(),
        }
    }

    fn resume(&self, authority: &str, on: Date) -> Ruling {
        let Some(run) = run(&self.periods, on) else {
            return unchanged();
        };
        happens(AgreementEvent::AgreementResumed {
            agreement: self.id,
            authority: authority.to_owned(),
            in_force: Term { from: on.max(run.from), until: run.until },
        })
    }

    fn resumed_by(&self, given: &str) -> bool {
        let last = self.suspensions.last().and_then(|suspension| suspension.resumed.as_ref());
        last.is_some_and(|resumption| same_reference(&resumption.authority, given))
    }

    /// A further term, by its document's authority and without signatures (domain.md section 3: "renewal … adds a term").
    fn renew(
        &self,
        case: &Case<'_, '_>,
        term: Term,
        authority: &str,
        documents: &[Document],
    ) -> Result<Ruling, Stop> {
        let on = case.context.effective_on;
        // There is always a period: the draft's.
        let last = &self.periods[self.periods.len() - 1];
        let same = |first: &str| same_reference(first, authority);
        if last.term == term && last.authority.as_deref().is_some_and(same) {
            return Ok(unchanged());
        }
        let ends_on = last.term.until;
        let grace_days = case.rulebook.agreement.renewal_grace_days;
        let last_chance = self.grace_ends_on(case);
        let mut broken = self.gone_parties(case, on)?;
        broken.extend(self.pending_refusal());
        broken.extend(too_many("terms", self.periods.len() + 1, PERIODS_MAX));
        if on > last_chance {
            broken.push(refusal::renewed_too_late(on, ends_on, last_chance, grace_days));
        } else if term.from <= ends_on {
            broken.push(refusal::overlapping_terms(term, ends_on));
        } else if on <= ends_on && term.from > day_after(ends_on) {
            broken.push(refusal::renewal_leaves_gap(term.from, day_after(ends_on)));
        } else if term.from > last_chance {
            broken.push(refusal::renewal_leaves_gap(term.from, last_chance));
        } else if term.until < on {
            broken.push(refusal::renewed_for_the_past(term.until, on));
        }
        let renewed = Period {
            term,
            in_force_from: Some(renewed_from(term, on)),
            authority: Some(authority.to_owned()),
        };
        let periods: Vec<Period> = self.periods.iter().cloned().chain([renewed]).collect();
        let event = AgreementEvent::AgreementRenewed {
            agreement: self.id,
            term,
            authority: authority.to_owned(),
            documents: documents.to_vec(),
            in_force: self.in_force_by(&periods, on),
        };
        Ok(happens_under(broken.into_iter().map(Some), event))
    }

    /// Parties that were merged away or dissolved by the day: they bind themselves to nothing more.
    fn gone_parties(&self, case: &Case<'_, '_>, on: Date) -> Result<Vec<Broken>, Stop> {
        case.states.prefetch(self.parties.iter().map(|participant| participant.party.party.stream()))?;
        let mut gone = Vec::new();
        for participant in &self.parties {
            gone.extend(view::cannot_act(case, "", view::party(case, "", participant.party.party)?, on)?);
        }
        Ok(gone)
    }

    fn complete(&self, case: &Case<'_, '_>, documents: &[Document]) -> Ruling {
        let open: Vec<u32> = self
            .version()
            .obligations
            .iter()
            .map(|obligation| obligation.number)
            .filter(|number| !self.fulfilled.contains_key(number))
            .collect();
        let owing = case.rulebook.agreement.completion_needs_fulfilment && !open.is_empty();
        happens_under(
            [owing.then(|| refusal::obligations_open(&open))],
            AgreementEvent::AgreementCompleted {
                agreement: self.id,
                out_of_force_from: day_after(case.context.effective_on),
                documents: documents.to_vec(),
            },
        )
    }

    fn completed_already(&self, given: &[Document]) -> Ruling {
        match &self.stage {
            Stage::Completed { out_of_force_from, documents } if documents != given => {
                refused(refusal::done_otherwise(
                    "ALREADY_COMPLETED",
                    ("it was completed", "协议已办理履行完毕"),
                    &[("documents", &documents.len()), ("out_of_force_from", out_of_force_from)],
                ))
            }
            _ => unchanged(),
        }
    }

    fn terminate(&self, reason: &str, authority: &str, out_of_force_from: Date, on: Date) -> Ruling {
        let ends_on = self.last_day();
        happens_under(
            [
                (out_of_force_from < on).then(|| refusal::termination_in_the_past(out_of_force_from, on)),
                (out_of_force_from > ends_on)
                    .then(|| refusal::termination_after_the_end(out_of_force_from, ends_on)),
            ],
            AgreementEvent::AgreementTerminated {
                agreement: self.id,
                reason: reason.to_owned(),
                authority: authority.to_owned(),
                out_of_force_from,
            },
        )
    }

    /// While its day lies ahead, a termination can be brought forward: what happens meanwhile may not wait for it.
    fn terminate_again(&self, given: &str, by: &str, given_from: Date, on: Date) -> Ruling {
        let Stage::Terminated { reason, authority, out_of_force_from } = &self.stage else {
            return unchanged();
        };
        if (reason.as_str(), *out_of_force_from) == (given, given_from) && same_reference(authority, by) {
            return unchanged();
        }
        let ahead = self.termination_ahead(on);
        if ahead.is_some_and(|from| given_from < from) {
            return self.terminate(given, by, given_from, on);
        }
        refused(refusal::already_terminated(reason, authority, *out_of_force_from, ahead.is_some()))
    }

    /// First day out of force of a termination that has not come to pass by a day.
    fn termination_ahead(&self, on: Date) -> Option<Date> {
        match self.stage {
            Stage::Terminated { out_of_force_from, .. } if on < out_of_force_from => Some(out_of_force_from),
            _ => None,
        }
    }

    /// What waits for an amendment to be signed or abandoned first.
    pub(in crate::agreement) fn pending_refusal(&self) -> Option<Broken> {
        self.pending.as_ref().map(refusal::amendment_pending)
    }
}
