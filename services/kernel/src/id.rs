//! Typed identifiers 标识: a grant's id can never be passed where an instruction's is meant.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    event::StreamId,
    normal::{self, Invoice},
    party::{PartyCode, PartyId},
};

/// The root of every identifier that is derived rather than drawn. It must never change: ids in the log depend on it.
const NAMESPACE: Uuid = Uuid::from_u128(0x5f0c_1c9e_7b1d_4d0a_9a53_2c41_90e6_b7d8);

/// A UUID that follows from a source within a label, for values that are no ids of their own.
pub(crate) fn hashed(label: &str, source: &str) -> Uuid {
    Uuid::new_v5(&Uuid::new_v5(&NAMESPACE, label.as_bytes()), source.as_bytes())
}

/// The most bytes of a [`PersonId`] or [`OrganisationId`].
const OPAQUE_BYTES_MAX: usize = 128;

/// Why a text is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is not a UUID.
    #[error("a {kind} id is a UUID such as 018f4e7c-3b1a-7c5e-9d2f-1a2b3c4d5e6f; check {text:?}")]
    NotUuid {
        /// What the id identifies.
        kind: &'static str,
        /// The text as given, cut to 64 characters.
        text: String,
    },
    /// The text is empty.
    #[error("a {kind} id cannot be empty; give the id under which its own system knows it")]
    Empty {
        /// What the id identifies.
        kind: &'static str,
    },
    /// The text is longer than 128 bytes.
    #[error(
        "a {kind} id has at most 128 bytes and this one has {bytes}; give the id alone, without a name or an address"
    )]
    TooLong {
        /// What the id identifies.
        kind: &'static str,
        /// How many bytes the text has.
        bytes: usize,
    },
    /// The text holds a blank at an end or a control character.
    #[error("a {kind} id has no control characters and no blanks at its ends; trim it")]
    Untidy {
        /// What the id identifies.
        kind: &'static str,
    },
}

macro_rules! uuid_id {
    ($(#[$documentation:meta])* $name:ident, $kind:literal) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Kind of what it identifies, as in a [`StreamId`].
            pub const KIND: &'static str = $kind;

            /// The aggregate with this id.
            #[must_use]
            pub const fn stream(self) -> StreamId {
                StreamId::new(Self::KIND, self.0)
            }

            /// The id that follows from a source, the same on every run: a UUID v5 of the source within the label.
            ///
            /// `namespace_label` names where the source comes from (`"eu-h2020"`), `source` is the key there.
            #[must_use]
            pub fn derived(namespace_label: &str, source: &str) -> Self {
                // Two steps, so that label and source cannot run into one another, and the kind is part of the first:
                // a grant and an instruction from the same source row differ.
                let namespace = Uuid::new_v5(&NAMESPACE, $kind.as_bytes());
                let namespace = Uuid::new_v5(&namespace, namespace_label.as_bytes());
                Self(Uuid::new_v5(&namespace, source.as_bytes()))
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text)
                    .map(Self)
                    .map_err(|_| IdError::NotUuid { kind: $kind, text: text.chars().take(64).collect() })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

macro_rules! opaque_id {
    ($(#[$documentation:meta])* $name:ident, $kind:literal) => {
        $(#[$documentation])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes an id of at most 128 bytes without control characters.
            ///
            /// # Errors
            ///
            /// [`IdError`] when the text is empty, too long or untidy.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                if text.is_empty() {
                    return Err(IdError::Empty { kind: $kind });
                }
                if text.len() > OPAQUE_BYTES_MAX {
                    return Err(IdError::TooLong { kind: $kind, bytes: text.len() });
                }
                if text.trim() != text || text.chars().any(char::is_control) {
                    return Err(IdError::Untidy { kind: $kind });
                }
                Ok(Self(text))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

uuid_id! {
    /// A programme 年度计划: one year's appropriation from a fund.
    ProgrammeId, "programme"
}

uuid_id! {
    /// A grant 资助项目: one project's money from application to closeout.
    GrantId, "grant"
}

uuid_id! {
    /// An agreement 协议 between parties.
    AgreementId, "agreement"
}

uuid_id! {
    /// What the fund knows of an agreement that backs grants 依托协议.
    BackingId, "backing"
}

impl BackingId {
    /// The id that the fund's record of this agreement has, the same on every run.
    #[must_use]
    pub fn of(agreement: AgreementId) -> Self {
        Self::derived("agreement", &agreement.to_string())
    }
}

uuid_id! {
    /// A payment instruction 支付指令: it stays the same over all its attempts at the bank (domain.md section 5, A14).
    InstructionId, "instruction"
}

uuid_id! {
    /// An item of spending 支出 that a recipient reports, by the id that its own system gave it.
    SpendId, "spend"
}

uuid_id! {
    /// An invoice 发票, whose total may be shared out among several items of spending (domain.md section 3, "Partners").
    InvoiceId, "invoice"
}

impl InvoiceId {
    /// The id of an invoice, the same on every run and in every spelling. It is made of the normal form as it was once made of the
    /// spelling: for an invoice that was told in its normal form, it is the same.
    #[must_use]
    pub fn of(invoice: &Invoice) -> Self {
        Self::derived(&invoice.of.to_uppercase(), &invoice.number.to_uppercase())
    }
}

uuid_id! {
    /// What the fund keeps of a leading party over all its grants 牵头单位档案: which projects are live (A04), and which final
    /// acceptances are due (A11).
    PartyFileId, "party file"
}

impl PartyFileId {
    /// The id of this party's file, the same on every run.
    #[must_use]
    pub fn of(party: PartyId) -> Self {
        Self::derived("party", &party.to_string())
    }
}

uuid_id! {
    /// What the fund knows of a party from the directory 主体记录: its codes, its merger, its dissolution.
    PartyRecordId, "party"
}

impl PartyRecordId {
    /// The id that the fund's record of this party has, the same on every run.
    #[must_use]
    pub fn of(party: PartyId) -> Self {
        Self::derived("party", &party.to_string())
    }
}

uuid_id! {
    /// Whom an organisation that acts stands for by record 代表关系.
    ActingOrganisationId, "acting organisation"
}

impl ActingOrganisationId {
    /// The id of an organisation, however it is spelled, the same on every run.
    #[must_use]
    pub fn of(organisation: &str) -> Self {
        // As `derived` makes it within the label "organisation". Who acts is looked at with every command, so what does not change
        // is worked out once.
        static WITHIN: LazyLock<Uuid> = LazyLock::new(|| {
            let kind = Uuid::new_v5(&NAMESPACE, b"acting organisation");
            Uuid::new_v5(&kind, b"organisation")
        });
        Self(Uuid::new_v5(&WITHIN, normal::organisation(organisation).as_bytes()))
    }
}

uuid_id! {
    /// A recovery 追缴: one claim on money that was paid.
    RecoveryId, "recovery"
}

impl RecoveryId {
    /// The ids that follow from a cause, one after another: the first that is free is its recovery's. The first of all is the one
    /// that [`RecoveryId::derived`] gives.
    #[must_use]
    pub fn in_turn(label: &str, cause: &str, turn: u32) -> Self {
        if turn == 0 { Self::derived(label, cause) } else { Self::derived(label, &format!("{cause}#{turn}")) }
    }
}

uuid_id! {
    /// A rectification 整改: what somebody does about a finding.
    RectificationId, "rectification"
}

opaque_id! {
    /// A person 人员, by the opaque id under which the identity system knows them. Rule A13 compares these.
    PersonId, "person"
}

opaque_id! {
    /// An organisation 单位 that a person acts for, by the opaque id of the identity system.
    OrganisationId, "organisation"
}

impl OrganisationId {
    /// The code of a party, where the id is one, however its letters are written: `CN-USCC:…` acts for the legal person with
    /// that code.
    #[must_use]
    pub fn party_code(text: &str) -> Option<PartyCode> {
        // Most organisations are named by their own system, and are looked at with every command.
        let form = normal::person(text);
        form.contains(':').then(|| PartyCode::parse(&form.to_uppercase()).ok())?
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_id_is_always_the_same_and_depends_on_kind_label_and_source() {
        let id = GrantId::derived("eu-h2020", "221856");
        // Pinned: a change here would orphan every imported grant.
        assert_eq!(id.to_string(), "e3b4c0d8-0c5b-5371-95b6-60312fe6b95c");
        assert_ne!(id, GrantId::derived("eu-h2020", "221857"));
        assert_ne!(id, GrantId::derived("eu-h20202", "21856"));
        assert_ne!(id.0, ProgrammeId::derived("eu-h2020", "221856").0);
        let agreement = AgreementId(Uuid::from_u128(1));
        assert_eq!(BackingId::of(agreement), BackingId::of(agreement));
        assert_ne!(BackingId::of(agreement).0, agreement.0);
    }

    #[test]
    fn an_invoices_id_follows_from_its_normal_form() {
        let of = |number: &str| InvoiceId::of(&Invoice::of(None, "2100143130", number));
        // Pinned: the id that the spelling itself gave before.
        assert_eq!(of("00012345").to_string(), "b2eea477-8213-55f6-baf8-b8dd49637562");
        assert_eq!(of("00012345"), InvoiceId::derived("2100143130", "00012345"));
        assert_eq!(of("No.12345"), of("00012345"));
        assert_ne!(of("12346"), of("00012345"));
    }

    #[test]
    fn ids_read_back_from_text_and_json() {
        let id = InstructionId::derived("test", "1");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{id}\""));
        let person: PersonId = "甲-0017".parse().unwrap();
        assert_eq!(serde_json::to_string(&person).unwrap(), "\"甲-0017\"");
        assert!(serde_json::from_str::<PersonId>("\"\"").is_err());
    }

    #[test]
    fn an_organisation_is_the_same_however_it_is_spelled() {
        assert_eq!(ActingOrganisationId::of("Auth"), ActingOrganisationId::of("auth"));
        assert_eq!(ActingOrganisationId::of("Auth"), ActingOrganisationId::derived("organisation", "auth"));
        assert_ne!(ActingOrganisationId::of("auth"), ActingOrganisationId::of("audit"));
        let party = PartyId(Uuid::from_u128(1));
        assert_ne!(PartyRecordId::of(party).0, PartyFileId::of(party).0, "each kind has its own");
        let code = OrganisationId::party_code("cn-uscc:91330100799655058b").map(|code| code.to_string());
        assert_eq!(code.as_deref(), Some("CN-USCC:91330100799655058B"));
        assert_eq!(OrganisationId::party_code("funding-office"), None);
        assert_eq!(OrganisationId::party_code("CN-USCC:1"), None, "no code of that scheme");
    }

    #[test]
    fn texts_that_are_no_ids_are_refused() {
        let long = "x".repeat(129);
        for (text, refusal) in [
            ("", IdError::Empty { kind: "person" }),
            (long.as_str(), IdError::TooLong { kind: "person", bytes: 129 }),
            (" 1", IdError::Untidy { kind: "person" }),
            ("1\n2", IdError::Untidy { kind: "person" }),
        ] {
            assert_eq!(PersonId::new(text), Err(refusal));
        }
        assert!("17".parse::<GrantId>().unwrap_err().to_string().contains("a grant id is a UUID"));
    }
}
