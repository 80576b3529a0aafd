//! Into force and out of it.

use super::{Agreement, Signature, Signing, Stage, Standing, draft::term_order};
use crate::{
    bounds::{DOCUMENTS_MAX, LINE_BYTES_MAX, PERIODS_MAX, line, too_many},
    party::Party,
    refusal::{self, Ruling, happens, happens_under, refused, unchanged},
    rules::{self, day_after, days_after},
    view::Case,
};
use concord_chassis::log::{Broken, Decision, Meta, Stop};
use concord_events::{
    agreement::{AgreementEvent, Term},
    document::Document,
};
use concord_kernel::{
    Date,
    party::{PartyCode, PartyId},
};
use serde::{Deserialize, Serialize};

/// A term: as it was agreed, and when it is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// As agreed; an amendment may move its last day.
    pub term: Term,
    /// First day in force by the calendar: the later of the term's first day and the last signature or the renewal.
    /// Absent while signatures are missing.
    pub in_force_from: Option<Date>,
    /// Document 文号 of the renewal; the first period has none.
    pub authority: Option<String>,
}

/// A time out of force 中止.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// Why.
    pub cause: String,
    /// Document 文号 that ordered it.
    pub authority: String,
    /// First day out of force.
    pub from: Date,
    /// The resumption, once there was one.
    pub resumed: Option<Resumption>,
}

/// The end of a suspension 恢复.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumption {
    /// First day in force again.
    pub from: Date,
    /// Document 文号 that ordered it.
    pub authority: String,
}

/// What brings an agreement into force, or out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForceCommand {
    /// Sign it 签署.
    Sign(Signing),
    /// Call the draft off before all have signed.
    CancelDraft {
        /// Why.
        reason: String,
    },
    /// Suspend it 中止, from the day of the act.
    Suspend {
        /// Why.
        cause: String,
        /// Document 文号 that orders it.
        authority: String,
    },
    /// Resume it 恢复, from the day of the act.
    Resume {
        /// Document 文号 that orders it.
        authority: String,
    },
    /// Renew it 续签 by a further term.
    Renew {
        /// The term, after the last one.
        term: Term,
        /// Document 文号 of the renewal.
        authority: String,
        /// The renewal's text, by reference.
        documents: Vec<Document>,
    },
    /// Record that all was done 履行完毕; the day of the act is the last in force.
    Complete {
        /// What proves it, by reference.
        documents: Vec<Document>,
    },
    /// Terminate it 终止 before its end.
    Terminate {
        /// Why.
        reason: String,
        /// Document 文号 of the termination.
        authority: String,
        /// First day out of force, not before the day of the act.
        out_of_force_from: Date,
    },
}

/// Decides every pair of standing and command.
pub(super) fn decide(
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
    let wrong = |rule| refused(refusal::wrong_standing(standing, rule));
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
            agreement.terminated_already(reason, authority, *out_of_force_from)
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
    case.conclude(ruling, in_order)
}

impl ForceCommand {
    fn faults(&self) -> Vec<Broken> {
        let line = |field, text| line(field, text, LINE_BYTES_MAX);
        let documents = |documents: &[Document]| too_many("documents", documents.len(), DOCUMENTS_MAX);
        match self {
            Self::Sign(signing) => vec![signing.fault()],
            Self::CancelDraft { reason } => vec![line("reason", reason)],
            Self::Suspend { cause, authority } => vec![line("cause", cause), line("authority", authority)],
            Self::Resume { authority } => vec![line("authority", authority)],
            Self::Renew { term, authority, documents: text } => {
                vec![line("authority", authority), term_order(*term), documents(text)]
            }
            Self::Complete { documents: proof } => vec![documents(proof)],
            Self::Terminate { reason, authority, .. } => {
                vec![line("reason", reason), line("authority", authority)]
            }
        }
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Signing {
    /// A signature without the document that authorises it.
    pub(super) fn fault(&self) -> Option<Broken> {
        line("authority", &self.authority, LINE_BYTES_MAX)
    }
}

impl Suspension {
    /// Whether it keeps the agreement out of force on a day.
    #[must_use]
    pub fn covers(&self, on: Date) -> bool {
        self.from <= on && self.resumed.as_ref().is_none_or(|resumption| on < resumption.from)
    }
}

impl Agreement {
    /// What stops a party from signing, draft or amendment: a stranger, a second signature, a party that is no more, or
    /// a day before there was anything to sign.
    pub(super) fn signing_refusals<'v>(
        &self,
        case: &Case<'_, 'v>,
        party: &'v Party,
        code: &PartyCode,
        signatures: &[Signature],
        there_since: Date,
    ) -> Result<Vec<Broken>, Stop> {
        let on = case.context.effective_on;
        if self.participant(party.id).is_none() {
            return Ok(vec![self.stranger(party.id, code)]);
        }
        if let Some(first) = signatures.iter().find(|signature| signature.party == party.id) {
            return Ok(vec![refusal::already_signed(code, first)]);
        }
        let early = (on < there_since).then(|| refusal::signed_before_draft(on, there_since));
        Ok(case.cannot_act("party", party, on)?.into_iter().chain(early).collect())
    }

    /// Whether all parties but this one have signed.
    pub(super) fn is_last(&self, party: PartyId, signatures: &[Signature]) -> bool {
        self.parties
            .iter()
            .map(|participant| participant.party.party)
            .all(|other| other == party || signatures.iter().any(|signature| signature.party == other))
    }

    /// A party that the agreement is not between: one that was succeeded, or none at all.
    fn stranger(&self, party: PartyId, code: &PartyCode) -> Broken {
        let successor = self.successions.iter().rfind(|succession| succession.party == party);
        match successor {
            Some(succession) => refusal::party_succeeded(code, succession),
            None => refusal::not_a_party(code, &self.parties),
        }
    }

    fn sign(&self, case: &Case<'_, '_>, signing: &Signing) -> Result<Ruling, Stop> {
        let on = case.context.effective_on;
        let party = case.party_by_code("party", &signing.party)?;
        let signatures = &self.draft().signatures;
        let term = self.periods[0].term;
        let broken = self.signing_refusals(case, party, &signing.party, signatures, self.drafted_on)?;
        let late = (on > term.until).then(|| refusal::signed_after_term(on, term.until));
        let last_on = signatures.iter().map(|signature| signature.signed_on).fold(on, Date::max);
        let in_force = self
            .is_last(party.id, signatures)
            .then(|| Term { from: last_on.max(term.from), until: term.until });
        Ok(happens_under(
            broken.into_iter().chain(late).map(Some),
            AgreementEvent::AgreementSigned {
                agreement: self.id,
                party: party.id,
                signatory: signing.signatory.clone(),
                authority: signing.authority.clone(),
                signed_on: on,
                in_force,
            },
        ))
    }

    /// There is nothing left to sign: a second signature is told as such, a stranger too.
    fn signed_already(
        &self,
        case: &Case<'_, '_>,
        signing: &Signing,
        standing: Standing,
    ) -> Result<Ruling, Stop> {
        let party = case.party_by_code("party", &signing.party)?;
        let first = self.draft().signatures.iter().find(|signature| signature.party == party.id);
        Ok(match (first, self.participant(party.id)) {
            (Some(first), _) => refused(refusal::already_signed(&signing.party, first)),
            (None, None) => refused(self.stranger(party.id, &signing.party)),
            (None, Some(_)) => refused(refusal::wrong_standing(
                standing,
                ("an agreement is signed while signatures are missing", "协议在签署未齐时方可签署"),
            )),
        })
    }

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
        last.is_some_and(|resumption| resumption.authority == given)
    }

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
        if last.term == term && last.authority.as_deref() == Some(authority) {
            return Ok(unchanged());
        }
        let ends_on = last.term.until;
        let grace_days = case.rulebook.agreement.renewal_grace_days;
        let last_chance = days_after(ends_on, grace_days);
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
            in_force_from: Some(renewed_from(ends_on, term, on)),
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
        case.states.prefetch(self.parties.iter().map(|participant| participant.party.party.0))?;
        let mut gone = Vec::new();
        for participant in &self.parties {
            gone.extend(case.cannot_act("", case.party("", participant.party.party)?, on)?);
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
        // There is always a period: the draft's.
        let ends_on = self.periods[self.periods.len() - 1].term.until;
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

    fn terminated_already(&self, given: &str, by: &str, given_from: Date) -> Ruling {
        match &self.stage {
            Stage::Terminated { reason, authority, out_of_force_from }
                if (reason.as_str(), authority.as_str(), *out_of_force_from) != (given, by, given_from) =>
            {
                refused(refusal::done_otherwise(
                    "ALREADY_TERMINATED",
                    ("it was terminated", "协议已终止"),
                    &[("reason", reason), ("authority", authority), ("out_of_force_from", out_of_force_from)],
                ))
            }
            _ => unchanged(),
        }
    }

    /// What waits for an amendment to be signed or abandoned first.
    pub(super) fn pending_refusal(&self) -> Option<Broken> {
        self.pending.as_ref().map(refusal::amendment_pending)
    }

    /// First and last day in force, as these periods have it and the suspensions left it: of the run that the day lies in,
    /// or of the next one. `None` while it is suspended.
    pub(super) fn in_force_by(&self, periods: &[Period], on: Date) -> Option<Term> {
        if self.stage == Stage::Suspended {
            return None;
        }
        let resumed = self.suspensions.last().and_then(|suspension| suspension.resumed.as_ref());
        let run = run(periods, on)?;
        let from = resumed.map_or(run.from, |resumption| run.from.max(resumption.from));
        Some(Term { from, until: run.until })
    }

    /// The agreed terms without a gap between them, around a day (domain.md section 2: renewals without a gap add up).
    #[must_use]
    pub fn unbroken_term(&self, on: Date) -> Option<Term> {
        let terms = self.periods.iter().map(|period| period.term);
        joined(terms).into_iter().find(|term| term.contains(on))
    }
}

/// First day in force of a renewal: made before the end it goes on with its term, made afterwards not before it was made.
fn renewed_from(former_until: Date, term: Term, on: Date) -> Date {
    if on <= former_until { term.from } else { term.from.max(on) }
}

/// The days in force without a gap that a day lies in, else the next ones.
fn run(periods: &[Period], on: Date) -> Option<Term> {
    let in_force = periods
        .iter()
        .filter_map(|period| Some(Term { from: period.in_force_from?, until: period.term.until }));
    joined(in_force).into_iter().find(|term| on <= term.until)
}

/// Terms in order, those that follow each other without a gap as one.
fn joined(terms: impl Iterator<Item = Term>) -> Vec<Term> {
    terms.fold(Vec::new(), |mut joined: Vec<Term>, term| {
        match joined.last_mut() {
            Some(last) if day_after(last.until) == term.from => last.until = term.until,
            _ => joined.push(term),
        }
        joined
    })
}

/// Folds what brings the agreement into force or out of it.
pub(super) fn apply(agreement: &mut Agreement, event: &AgreementEvent, meta: &Meta<'_>) {
    let on = meta.effective_on;
    match event {
        AgreementEvent::AgreementSigned { party, signatory, authority, signed_on, in_force, .. } => {
            // There is always a version: the draft's.
            let draft = &mut agreement.versions[0];
            draft.signatures.push(Signature {
                party: *party,
                signatory: signatory.clone(),
                authority: authority.clone(),
                signed_on: *signed_on,
            });
            draft.from = in_force.map(|term| term.from);
            agreement.periods[0].in_force_from = draft.from;
            agreement.stage = if in_force.is_some() { Stage::Signed } else { Stage::PartiallySigned };
        }
        AgreementEvent::DraftCancelled { reason, .. } => {
            agreement.stage = Stage::DraftCancelled { reason: reason.clone(), on };
        }
        AgreementEvent::AgreementSuspended { cause, authority, out_of_force_from, .. } => {
            agreement.suspensions.push(Suspension {
                cause: cause.clone(),
                authority: authority.clone(),
                from: *out_of_force_from,
                resumed: None,
            });
            agreement.stage = Stage::Suspended;
        }
        AgreementEvent::AgreementResumed { authority, in_force, .. } => {
            if let Some(open) = agreement.suspensions.last_mut() {
                open.resumed = Some(Resumption { from: in_force.from, authority: authority.clone() });
            }
            agreement.stage = Stage::Signed;
        }
        AgreementEvent::AgreementRenewed { term, authority, .. } => {
            let former_until = agreement.periods[agreement.periods.len() - 1].term.until;
            agreement.periods.push(Period {
                term: *term,
                in_force_from: Some(renewed_from(former_until, *term, on)),
                authority: Some(authority.clone()),
            });
        }
        AgreementEvent::AgreementCompleted { out_of_force_from, documents, .. } => {
            agreement.stage =
                Stage::Completed { out_of_force_from: *out_of_force_from, documents: documents.clone() };
            agreement.pending = None;
        }
        AgreementEvent::AgreementTerminated { reason, authority, out_of_force_from, .. } => {
            agreement.stage = Stage::Terminated {
                reason: reason.clone(),
                authority: authority.clone(),
                out_of_force_from: *out_of_force_from,
            };
            agreement.pending = None;
        }
        _ => return,
    }
    agreement.step(on);
}
