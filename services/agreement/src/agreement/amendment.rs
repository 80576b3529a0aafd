//! Versions 版本 of an agreement, and the amendments 变更 that make them.
//!
//! ```text
//!             Propose (material)           Sign (the last)
//!  (none) ───────────────────────▶ Pending ───────────────▶ InForce
//!     │                               │ Abandon                ▲
//!     │                               └─────────▶ Abandoned    │
//!     └────────────────────────────────────────────────────────┘
//!             Propose (nothing material)
//! ```

use super::{
    Agreement, Signature, Signing, Standing, draft::obligation_faults, registration::RegistrationStage,
};
use crate::{
    bounds::{self, LINE_BYTES_MAX, VERSIONS_MAX, line},
    refusal::{self, Ruling, happens, happens_under, refused, unchanged},
    rules,
    view::{self, Case},
};
use concord_chassis::log::{Broken, Decision, Meta, Stop};
use concord_events::{
    agreement::{AgreementEvent, Changes, Obligation, Value},
    document::Document,
};
use concord_kernel::{Date, rulebook::AgreementField};
use serde::{Deserialize, Serialize};

/// A version of an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its number; the draft is 1.
    pub number: u32,
    /// First day on which it holds. The draft's: the later of the last signature and the term's first day, absent while
    /// signatures are missing.
    pub from: Option<Date>,
    /// Title.
    pub title: String,
    /// Last day of the last term when this version was made. A renewal adds a term and no version:
    /// [`Agreement::period_on`] says which term a day lies in.
    pub term_end: Date,
    /// Value.
    pub value: Option<Value>,
    /// Obligations and milestones.
    pub obligations: Vec<Obligation>,
    /// Who signed it; nobody, where nothing material was changed.
    pub signatures: Vec<Signature>,
    /// Document 文号 of an amendment without signatures.
    pub authority: Option<String>,
    /// Its text, by reference.
    pub documents: Vec<Document>,
}

/// An amendment that is being signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Number of the version that it will be.
    pub number: u32,
    /// What it changes.
    pub changes: Changes,
    /// The material fields among them.
    pub material: Vec<AgreementField>,
    /// Its text, by reference.
    pub documents: Vec<Document>,
    /// When it was proposed.
    pub proposed_on: Date,
    /// Who has signed.
    pub signatures: Vec<Signature>,
}

/// An amendment that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abandoned {
    /// Number of the version that it would have been.
    pub number: u32,
    /// Why.
    pub reason: String,
}

/// What is asked of an agreement's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmendmentCommand {
    /// Propose a change; in force at once where it touches nothing material.
    Propose {
        /// What it changes.
        changes: Changes,
        /// Document 文号 of the amendment; it stands for signatures where none are needed.
        authority: String,
        /// Its text, by reference.
        documents: Vec<Document>,
    },
    /// Sign it.
    Sign {
        /// The version to be signed.
        version: u32,
        /// The signature.
        signing: Signing,
    },
    /// Give it up before all have signed.
    Abandon {
        /// The version that it would have been.
        version: u32,
        /// Why.
        reason: String,
    },
}

/// Decides every pair of standing and command. Only an agreement that all have signed and that has not ended is amended.
/// An amendment that was never signed can be abandoned once the term is over, too: a renewal within the grace period waits
/// for that.
pub(super) fn decide(
    case: &Case<'_, '_>,
    agreement: &Agreement,
    command: &AmendmentCommand,
) -> Result<Decision<AgreementEvent>, Stop> {
    use AmendmentCommand::{Abandon, Propose, Sign};
    use Standing::{
        Absent, Completed, DraftCancelled, Drafted, Expired, InForce, NotBegun, PartiallySigned, Suspended,
        Terminated,
    };
    case.well_formed(command.faults(agreement))?;
    let on = case.context.effective_on;
    let standing = agreement.found_on(on);
    let ruling = match (standing, command) {
        (NotBegun | InForce | Suspended, Propose { changes, authority, documents }) => {
            agreement.propose(case, changes, authority, documents)
        }
        (NotBegun | InForce | Suspended, Sign { version, signing }) => {
            agreement.sign_amendment(case, *version, signing)?
        }
        (NotBegun | InForce | Suspended | Expired, Abandon { version, reason }) => {
            agreement.abandon(*version, reason)
        }
        (
            Absent | Drafted | PartiallySigned | Completed | Expired | Terminated | DraftCancelled,
            Propose { .. } | Sign { .. },
        )
        | (Absent | Drafted | PartiallySigned | Completed | Terminated | DraftCancelled, Abandon { .. }) => {
            refused(refusal::wrong_standing(
                standing,
                (
                    "an agreement is amended once all have signed and before it has ended",
                    "协议在全部签署之后、结束之前方可变更",
                ),
            ))
        }
    };
    let in_order = match command {
        // As with the draft: signatures are learned in any order.
        Sign { .. } => None,
        Propose { .. } | Abandon { .. } => rules::not_before(agreement.last_step_on, on),
    };
    case.conclude(Vec::new(), ruling, in_order)
}

impl AmendmentCommand {
    fn faults(&self, agreement: &Agreement) -> Vec<Broken> {
        match self {
            Self::Propose { changes, authority, documents } => [
                line("authority", authority, LINE_BYTES_MAX),
                changes.title.as_ref().and_then(|title| line("changes.title", title, LINE_BYTES_MAX)),
                changes.value.filter(|value| value.amount_minor <= 0).map(|_| refusal::value_not_positive()),
            ]
            .into_iter()
            .flatten()
            .chain(bounds::documents("documents", documents))
            .chain(
                changes
                    .obligations
                    .iter()
                    .flat_map(|obligations| obligation_faults(obligations, |code| agreement.names(code))),
            )
            .collect(),
            Self::Sign { signing, .. } => signing.fault().into_iter().collect(),
            Self::Abandon { reason, .. } => line("reason", reason, LINE_BYTES_MAX).into_iter().collect(),
        }
    }
}

impl Agreement {
    fn propose(
        &self,
        case: &Case<'_, '_>,
        changes: &Changes,
        authority: &str,
        documents: &[Document],
    ) -> Ruling {
        let on = case.context.effective_on;
        let changes = self.really_changed(changes);
        if let Some(pending) = &self.pending {
            let same = pending.changes == changes && pending.documents == documents;
            return if same {
                Ok(Decision::unchanged().answering("version", pending.number))
            } else {
                refused(refusal::amendment_pending(pending))
            };
        }
        let touched = touched(&changes);
        if touched.is_empty() {
            return unchanged();
        }
        let material: Vec<AgreementField> = touched
            .into_iter()
            .filter(|field| case.rulebook.agreement.material_fields.contains(field))
            .collect();
        let broken = self.change_refusals(&changes, on).into_iter().map(Some);
        let version = self.version_numbers.saturating_add(1);
        let full = (version > VERSIONS_MAX).then(|| refusal::too_many_versions(VERSIONS_MAX));
        // What will be in force with the last signature: it must fit then, or all have signed what never can be.
        let by = material.is_empty().then(|| authority.to_owned());
        let amended = self.amended(version, on, changes.clone(), by, documents, on);
        let large = bounds::amended_too_large(&amended);
        let event = if material.is_empty() {
            amended
        } else {
            AgreementEvent::AmendmentProposed {
                agreement: self.id,
                version,
                changes,
                material,
                documents: documents.to_vec(),
            }
        };
        happens_under(broken.chain([full, large]), event)
            .map(|decision| decision.answering("version", version))
    }

    fn sign_amendment(&self, case: &Case<'_, '_>, version: u32, signing: &Signing) -> Result<Ruling, Stop> {
        let on = case.context.effective_on;
        let party = view::party_by_code(case, "party", &signing.party)?;
        let Some(pending) = self.pending.as_ref().filter(|pending| pending.number == version) else {
            let signed = self.versions.iter().find(|signed| signed.number == version);
            let first = signed
                .and_then(|signed| signed.signatures.iter().find(|signature| signature.party == party.id));
            return Ok(refused(match first {
                Some(first) => refusal::already_signed(&signing.party, first),
                None => refusal::no_such_amendment(version, self.pending.as_ref()),
            }));
        };
        let mut broken =
            self.signing_refusals(case, party, &signing.party, &pending.signatures, pending.proposed_on)?;
        let signed = AgreementEvent::AmendmentSigned {
            agreement: self.id,
            version,
            party: party.id,
            signatory: signing.signatory.clone(),
            authority: signing.authority.clone(),
            signed_on: on,
        };
        if !self.is_last(party.id, &pending.signatures) {
            return Ok(happens_under(broken.into_iter().map(Some), signed));
        }
        let from = pending.signatures.iter().map(|signature| signature.signed_on).fold(on, Date::max);
        broken.extend(self.change_refusals(&pending.changes, from));
        if !broken.is_empty() {
            return Ok(Err(broken));
        }
        let amended = self.amended(version, from, pending.changes.clone(), None, &pending.documents, on);
        Ok(Ok(Decision::events(vec![signed, amended])))
    }

    fn abandon(&self, version: u32, given: &str) -> Ruling {
        match (&self.pending, &self.abandoned) {
            (Some(pending), _) if pending.number == version => happens(AgreementEvent::AmendmentAbandoned {
                agreement: self.id,
                version,
                reason: given.to_owned(),
            }),
            (_, Some(abandoned)) if abandoned.number == version && abandoned.reason == given => unchanged(),
            (pending, _) => refused(refusal::no_such_amendment(version, pending.as_ref())),
        }
    }

    /// The changes without those that would leave a field as it is.
    fn really_changed(&self, changes: &Changes) -> Changes {
        let now = self.version();
        Changes {
            title: changes.title.clone().filter(|title| *title != now.title),
            term_end: changes.term_end.filter(|until| *until != self.last_day()),
            value: changes.value.filter(|value| Some(*value) != now.value),
            obligations: changes.obligations.clone().filter(|obligations| *obligations != now.obligations),
        }
    }

    /// What the changes may not do, in force from a day on: end the term before it, undo what was fulfilled, or fall
    /// below what was registered.
    fn change_refusals(&self, changes: &Changes, from: Date) -> Vec<Broken> {
        let term = self.periods[self.periods.len() - 1].term;
        let earliest = from.max(term.from).max(self.draft().from.unwrap_or(from));
        let mut broken = Vec::new();
        if let Some(until) = changes.term_end.filter(|until| *until < earliest) {
            broken.push(refusal::amended_end_too_early(until, earliest));
        }
        if let Some(obligations) = &changes.obligations {
            let stays = |fulfilled: &&Obligation| obligations.contains(fulfilled);
            let done = self.version().obligations.iter();
            let done = done.filter(|obligation| self.fulfilled.contains_key(&obligation.number));
            broken.extend(done.filter(|fulfilled| !stays(fulfilled)).map(refusal::fulfilled_changed));
        }
        let entry = self.registration.as_ref().and_then(|registration| match &registration.stage {
            RegistrationStage::Registered(entry) => Some(entry),
            _ => None,
        });
        if let (Some(value), Some(entry)) = (changes.value, entry) {
            broken.extend(refusal::income_above_value(entry.technology_income, value));
        }
        broken
    }

    /// The event that puts a version in force.
    fn amended(
        &self,
        version: u32,
        from: Date,
        changes: Changes,
        authority: Option<String>,
        documents: &[Document],
        on: Date,
    ) -> AgreementEvent {
        // No version holds before the one that it replaces.
        let from = self.version().from.map_or(from, |former| former.max(from));
        let mut periods = self.periods.clone();
        if let (Some(until), Some(last)) = (changes.term_end, periods.last_mut()) {
            last.term.until = until;
        }
        AgreementEvent::AgreementAmended {
            agreement: self.id,
            version,
            from,
            changes,
            authority,
            documents: documents.to_vec(),
            in_force: self.in_force_by(&periods, on),
        }
    }
}

/// The fields that the changes touch.
fn touched(changes: &Changes) -> Vec<AgreementField> {
    [
        changes.title.as_ref().map(|_| AgreementField::Title),
        changes.term_end.map(|_| AgreementField::TermEnd),
        changes.value.map(|_| AgreementField::Value),
        changes.obligations.as_ref().map(|_| AgreementField::Obligations),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Folds what makes versions.
pub(super) fn apply(agreement: &mut Agreement, event: &AgreementEvent, meta: &Meta<'_>) {
    match event {
        AgreementEvent::AmendmentProposed { version, changes, material, documents, .. } => {
            agreement.pending = Some(Pending {
                number: *version,
                changes: changes.clone(),
                material: material.clone(),
                documents: documents.clone(),
                proposed_on: meta.effective_on,
                signatures: Vec::new(),
            });
            agreement.version_numbers = *version;
        }
        AgreementEvent::AmendmentSigned { party, signatory, authority, signed_on, .. } => {
            if let Some(pending) = &mut agreement.pending {
                pending.signatures.push(Signature {
                    party: *party,
                    signatory: signatory.clone(),
                    authority: authority.clone(),
                    signed_on: *signed_on,
                });
            }
        }
        AgreementEvent::AmendmentAbandoned { version, reason, .. } => {
            agreement.pending = None;
            agreement.abandoned = Some(Abandoned { number: *version, reason: reason.clone() });
        }
        AgreementEvent::AgreementAmended { version, from, changes, authority, documents, .. } => {
            let signed = agreement.pending.take().filter(|pending| pending.number == *version);
            agreement.amend(*version, *from, changes, signed, authority.clone(), documents);
        }
        _ => return,
    }
    agreement.step(meta.effective_on);
}

impl Agreement {
    /// Appends a version: the one before it, with the changes.
    fn amend(
        &mut self,
        number: u32,
        from: Date,
        changes: &Changes,
        signed: Option<Pending>,
        authority: Option<String>,
        documents: &[Document],
    ) {
        if let (Some(until), Some(last)) = (changes.term_end, self.periods.last_mut()) {
            last.term.until = until;
        }
        let now = self.version();
        let version = Version {
            number,
            from: Some(from),
            title: changes.title.clone().unwrap_or_else(|| now.title.clone()),
            term_end: self.last_day(),
            value: changes.value.or(now.value),
            obligations: changes.obligations.clone().unwrap_or_else(|| now.obligations.clone()),
            signatures: signed.map(|pending| pending.signatures).unwrap_or_default(),
            authority,
            documents: documents.to_vec(),
        };
        self.versions.push(version);
        self.version_numbers = self.version_numbers.max(number);
    }
}
