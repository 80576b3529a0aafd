//! Registration of a technology contract 技术合同认定登记.
//!
//! ```text
//!          Submit                Register               Revoke
//!  (none) ───────▶ Submitted ─────────────▶ Registered ───────▶ Revoked
//!                   ▲     │ Refuse
//!            Submit │     ▼
//!                   └─ Refused
//! ```

use super::Agreement;
use crate::{
    bounds::{LINE_BYTES_MAX, line},
    refusal::{self, Ruling, happens, happens_under, refused, unchanged},
    rules,
    view::Case,
};
use concord_chassis::log::{Broken, Decision, Meta, Stop};
use concord_events::agreement::{AgreementEvent, AgreementKind, Value};
use concord_kernel::{Date, normal::same_reference};
use serde::{Deserialize, Serialize};

/// A registration as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Registration authority 登记机构.
    pub registrar: String,
    /// Where it stands.
    pub stage: RegistrationStage,
    /// When its last step happened; none lies before it.
    pub last_step_on: Date,
}

/// Where a registration stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationStage {
    /// 已提交.
    Submitted,
    /// 已登记.
    Registered(Entry),
    /// 不予登记, and why.
    Refused(String),
    /// 已撤销.
    Revoked {
        /// What was registered.
        entry: Entry,
        /// Why it is no more.
        reason: String,
        /// Document 文号 of the revocation.
        authority: String,
    },
}

/// An entry in the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Number of the registration 登记编号.
    pub number: String,
    /// Class 登记类别, as the measures of that day have it.
    pub class: String,
    /// Verified technology income 核定技术性收入.
    pub technology_income: Value,
    /// When it was registered.
    pub registered_on: Date,
}

/// What is asked of a registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationCommand {
    /// Submit the contract; after a refusal, again.
    Submit {
        /// Registration authority.
        registrar: String,
    },
    /// Record that it was registered.
    Register {
        /// Number of the registration.
        number: String,
        /// Class.
        class: String,
        /// Verified technology income, at most the contract's value.
        technology_income: Value,
    },
    /// Record that it was refused.
    Refuse {
        /// Why.
        reason: String,
    },
    /// Record that the registration was revoked.
    Revoke {
        /// Why.
        reason: String,
        /// Document 文号 of the revocation.
        authority: String,
    },
}

/// Decides every pair of registration and command. What the registration authority does is an outside fact: it is
/// recorded however the agreement stands. Only a contract that all have signed and that has not ended is submitted.
pub(super) fn decide(
    case: &Case<'_, '_>,
    agreement: &Agreement,
    command: &RegistrationCommand,
) -> Result<Decision<AgreementEvent>, Stop> {
    use RegistrationCommand::{Refuse, Register, Revoke, Submit};
    use RegistrationStage::{Refused, Registered, Revoked, Submitted};
    case.well_formed(command.faults())?;
    if agreement.kind != AgreementKind::TechnologyContract {
        return case.conclude(Vec::new(), refused(refusal::not_a_technology_contract(agreement.kind)), None);
    }
    let on = case.context.effective_on;
    let registration = agreement.registration.as_ref();
    let stage = registration.map(|registration| &registration.stage);
    let wrong = |rule| refused(refusal::wrong_registration(stage, rule));
    let ruling = match (stage, command) {
        (None | Some(Refused(_)), Submit { registrar }) => agreement.submit(registrar, on),
        (Some(Submitted | Registered(_)), Submit { registrar }) => agreement.submitted_already(registrar),
        (Some(Revoked { .. }), Submit { .. }) => {
            wrong(("a revoked registration is not submitted again", "登记被撤销后不得再次提交"))
        }

        (Some(Submitted), Register { number, class, technology_income }) => {
            agreement.register(number, class, *technology_income)
        }
        (Some(Registered(entry)), Register { number, class, technology_income }) => {
            if entry.is(number, class, *technology_income) { unchanged() } else { refused(entry.stands()) }
        }
        (Some(Submitted), Refuse { reason }) => happens(AgreementEvent::RegistrationRefused {
            agreement: agreement.id,
            registrar: agreement.registrar(),
            reason: reason.clone(),
        }),
        (Some(Refused(first)), Refuse { reason }) if first == reason => unchanged(),
        (Some(Refused(first)), Refuse { .. }) => refused(refusal::done_otherwise(
            "ALREADY_REFUSED",
            ("the registration was refused", "已不予登记"),
            &[("reason", first)],
        )),
        (None | Some(Refused(_) | Revoked { .. }), Register { .. })
        | (None | Some(Registered(_) | Revoked { .. }), Refuse { .. }) => wrong((
            "a contract is registered or refused after it was submitted",
            "提交认定登记之后方可登记或不予登记",
        )),

        (Some(Registered(entry)), Revoke { reason, authority }) => {
            happens(AgreementEvent::RegistrationRevoked {
                agreement: agreement.id,
                registrar: agreement.registrar(),
                number: entry.number.clone(),
                reason: reason.clone(),
                authority: authority.clone(),
            })
        }
        (Some(Revoked { reason: first, authority: by, .. }), Revoke { reason, authority }) => {
            if first == reason && same_reference(by, authority) {
                unchanged()
            } else {
                refused(refusal::done_otherwise(
                    "ALREADY_REVOKED",
                    ("the registration was revoked", "登记已撤销"),
                    &[("reason", first), ("authority", by)],
                ))
            }
        }
        (None | Some(Submitted | Refused(_)), Revoke { .. }) => {
            wrong(("a registration is revoked after it was entered", "登记之后方可撤销登记"))
        }
    };
    let last_step_on = registration.map_or(agreement.drafted_on, |registration| registration.last_step_on);
    case.conclude(Vec::new(), ruling, rules::not_before(last_step_on, on))
}

impl RegistrationCommand {
    fn faults(&self) -> Vec<Broken> {
        let line = |field, text| line(field, text, LINE_BYTES_MAX);
        match self {
            Self::Submit { registrar } => vec![line("registrar", registrar)],
            Self::Register { number, class, technology_income } => vec![
                line("number", number),
                line("class", class),
                (technology_income.amount_minor < 0).then(refusal::income_negative),
            ],
            Self::Refuse { reason } => vec![line("reason", reason)],
            Self::Revoke { reason, authority } => vec![line("reason", reason), line("authority", authority)],
        }
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Entry {
    fn is(&self, number: &str, class: &str, technology_income: Value) -> bool {
        same_reference(&self.number, number)
            && self.class == class
            && self.technology_income == technology_income
    }

    fn stands(&self) -> Broken {
        refusal::done_otherwise(
            "ALREADY_REGISTERED",
            ("the contract was registered", "合同已登记"),
            &[("number", &self.number), ("class", &self.class), ("on", &self.registered_on)],
        )
    }
}

impl RegistrationStage {
    /// Stable name, and the Chinese one.
    #[must_use]
    pub fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Submitted => ("submitted", "已提交"),
            Self::Registered(_) => ("registered", "已登记"),
            Self::Refused(_) => ("refused", "不予登记"),
            Self::Revoked { .. } => ("revoked", "已撤销"),
        }
    }
}

impl Agreement {
    /// Where it was submitted; empty before.
    fn registrar(&self) -> String {
        self.registration.as_ref().map(|registration| registration.registrar.clone()).unwrap_or_default()
    }

    fn submit(&self, registrar: &str, on: Date) -> Ruling {
        let standing = self.found_on(on);
        let live = standing.is_live();
        happens_under(
            [(!live).then(|| {
                refusal::wrong_standing(
                    standing,
                    (
                        "a contract is submitted once all have signed and before it has ended",
                        "合同在全部签署之后、结束之前方可提交认定登记",
                    ),
                )
            })],
            AgreementEvent::RegistrationSubmitted { agreement: self.id, registrar: registrar.to_owned() },
        )
    }

    fn submitted_already(&self, given: &str) -> Ruling {
        match &self.registration {
            Some(registration) if registration.registrar != given => refused(refusal::done_otherwise(
                "ALREADY_SUBMITTED",
                ("the contract was submitted", "合同已提交认定登记"),
                &[("registrar", &registration.registrar)],
            )),
            _ => unchanged(),
        }
    }

    fn register(&self, number: &str, class: &str, technology_income: Value) -> Ruling {
        let value = self.version().value;
        happens_under(
            [value.and_then(|value| refusal::income_above_value(technology_income, value))],
            AgreementEvent::ContractRegistered {
                agreement: self.id,
                registrar: self.registrar(),
                number: number.to_owned(),
                class: class.to_owned(),
                technology_income,
            },
        )
    }
}

/// Folds what becomes of a registration. It has steps of its own, beside those of the agreement.
pub(super) fn apply(agreement: &mut Agreement, event: &AgreementEvent, meta: &Meta<'_>) {
    let on = meta.effective_on;
    let (registrar, stage) = match event {
        AgreementEvent::RegistrationSubmitted { registrar, .. } => (registrar, RegistrationStage::Submitted),
        AgreementEvent::ContractRegistered { registrar, number, class, technology_income, .. } => (
            registrar,
            RegistrationStage::Registered(Entry {
                number: number.clone(),
                class: class.clone(),
                technology_income: *technology_income,
                registered_on: on,
            }),
        ),
        AgreementEvent::RegistrationRefused { registrar, reason, .. } => {
            (registrar, RegistrationStage::Refused(reason.clone()))
        }
        AgreementEvent::RegistrationRevoked { registrar, reason, authority, .. } => {
            let Some(RegistrationStage::Registered(entry)) =
                agreement.registration.as_ref().map(|registration| registration.stage.clone())
            else {
                return;
            };
            let (reason, authority) = (reason.clone(), authority.clone());
            (registrar, RegistrationStage::Revoked { entry, reason, authority })
        }
        _ => return,
    };
    agreement.registration = Some(Registration { registrar: registrar.clone(), stage, last_step_on: on });
}
