//! Values that requests of several services have.

use super::{AMOUNT_MINOR_MAX, REASON_BYTES_MAX, Reading, TEXT_BYTES_MAX, TITLE_CHARS_MAX};
use concord_kernel::{
    Date,
    industry::Industry,
    money::{Amount, Currency},
    party::{PartyCode, PartyId, PartyKind},
    region::Region,
};
use concord_proto::r#type::v1::{self as types, Money};

/// A legal person as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedParty {
    /// The id that its code gives it.
    pub party: PartyId,
    /// Its code.
    pub code: PartyCode,
    /// What kind of party it is.
    pub kind: PartyKind,
    /// Its region on the day of the fact; absent only where a migrated source does not say.
    pub region: Option<Region>,
    /// Its name, where it is known.
    pub name: Option<String>,
}

/// An enumeration of the protos, for the sentences about a value that is none of it.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// What it is called, with its article in front, such as "a funding mode".
    pub one: &'static str,
    /// What it is called after "no", such as "funding mode".
    pub noun: &'static str,
    /// Its name in the protos, such as "FundingMode".
    pub of: &'static str,
}

impl Reading<'_> {
    /// One of an enumeration. `read` gives what the value means; `None` for `_UNSPECIFIED`.
    pub fn choice<E: TryFrom<i32>, T>(
        &mut self,
        field: &str,
        value: i32,
        choice: Choice,
        read: impl FnOnce(E) -> Option<T>,
    ) -> Option<T> {
        let Choice { one, noun, of } = choice;
        let Ok(known) = E::try_from(value) else {
            self.faults.add(field, format!("{value} is no {noun}; name one of {of}"));
            return None;
        };
        let meant = read(known);
        if meant.is_none() {
            self.faults.add(field, format!("is missing; name {one}"));
        }
        meant
    }

    /// An amount of at least `least_minor` minor units that must be there.
    pub fn amount(&mut self, field: &str, money: Option<&Money>, least_minor: i64) -> Option<Amount> {
        let money = self.faults.require(field, money)?;
        let currency = self.currency(&format!("{field}.currency"), &money.currency);
        let minor = self.minor(&format!("{field}.amount_minor"), money.amount_minor, least_minor);
        if !money.exact_minor.is_empty() {
            self.faults.add(format!("{field}.exact_minor"), "is for answers alone; leave it empty");
        }
        Some(Amount::new(minor?, currency?))
    }

    /// An amount of at least `least_minor` minor units. `None` without a fault where it is absent.
    pub fn optional_amount(
        &mut self,
        field: &str,
        money: Option<&Money>,
        least_minor: i64,
    ) -> Option<Amount> {
        money.and_then(|money| self.amount(field, Some(money), least_minor))
    }

    fn currency(&mut self, field: &str, code: &str) -> Option<Currency> {
        Currency::try_from(code).map_err(|fault| self.faults.add(field, fault.to_string())).ok()
    }

    /// Minor units from `least` to [`AMOUNT_MINOR_MAX`].
    pub fn minor(&mut self, field: &str, minor: i64, least: i64) -> Option<i64> {
        if minor < least {
            self.faults.add(field, format!("is {minor}; give {least} or more minor units"));
        } else if minor > AMOUNT_MINOR_MAX {
            self.faults.add(field, format!("is {minor}; {AMOUNT_MINOR_MAX} minor units are the most"));
        } else {
            return Some(minor);
        }
        None
    }

    /// The field `title`: at most 500 characters.
    pub fn title(&mut self, text: &str) -> Option<String> {
        let title = self.faults.text("title", text, 4 * TITLE_CHARS_MAX, true)?;
        let chars = title.chars().count();
        if chars > TITLE_CHARS_MAX {
            self.faults.add("title", format!("has {chars} characters; {TITLE_CHARS_MAX} are the most"));
            return None;
        }
        Some(title)
    }

    /// The field `reason`, which must be there.
    pub fn reason(&mut self, text: &str) -> Option<String> {
        self.faults.text("reason", text, REASON_BYTES_MAX, true)
    }

    /// A text that is kept as it stood elsewhere, line breaks and all.
    pub fn verbatim(&mut self, field: &str, text: &str, bytes_max: usize) -> Option<String> {
        if text.len() > bytes_max {
            self.faults.add(field, format!("has {} bytes; {bytes_max} are the most", text.len()));
        } else if text.contains('\0') {
            self.faults.add(field, "has a NUL; leave it out");
        } else {
            return Some(text.to_owned());
        }
        None
    }

    /// The field `industry`: the outer `None` with a fault, the inner one where it is empty.
    pub fn industry(&mut self, code: &str) -> Option<Option<Industry>> {
        if code.is_empty() {
            return Some(None);
        }
        code.parse::<Industry>()
            .map(Some)
            .map_err(|fault| self.faults.add("industry", fault.to_string()))
            .ok()
    }

    /// A region code in use on the day of the fact.
    pub fn region(&mut self, field: &str, code: &str) -> Option<Region> {
        match (self.regions().check(code, self.on()), code.parse()) {
            (Ok(region), _) => Some(region),
            // It reads as a code; whether it is one depends on the day.
            (Err(fault), Ok(region)) => {
                self.add_dated(field, fault.to_string());
                Some(region)
            }
            (Err(fault), Err(_)) => {
                self.faults.add(field, fault.to_string());
                None
            }
        }
    }

    /// A code of a party: scheme and code, with its check characters.
    pub fn party_code(&mut self, field: &str, code: &str) -> Option<PartyCode> {
        PartyCode::parse(code).map_err(|fault| self.faults.add(field, fault.to_string())).ok()
    }

    /// What kind of party it is.
    pub fn party_kind(&mut self, field: &str, kind: i32) -> Option<PartyKind> {
        const KIND: Choice = Choice { one: "the kind of party", noun: "kind of party", of: "PartyKind" };
        self.choice(field, kind, KIND, |kind| match kind {
            types::PartyKind::Unspecified => None,
            types::PartyKind::Enterprise => Some(PartyKind::Enterprise),
            types::PartyKind::University => Some(PartyKind::University),
            types::PartyKind::Institute => Some(PartyKind::Institute),
            types::PartyKind::Government => Some(PartyKind::Government),
            types::PartyKind::ParkCommittee => Some(PartyKind::ParkCommittee),
            types::PartyKind::FinancialInstitution => Some(PartyKind::FinancialInstitution),
            types::PartyKind::Intermediary => Some(PartyKind::Intermediary),
            types::PartyKind::Association => Some(PartyKind::Association),
            types::PartyKind::Other => Some(PartyKind::Other),
        })
    }

    /// A party. A migrated source may not say in which region it is.
    pub fn party(&mut self, field: &str, party: Option<&types::Party>, migrated: bool) -> Option<NamedParty> {
        let party = self.faults.require(field, party)?;
        let code = self.party_code(&format!("{field}.code"), &party.code);
        let kind = self.party_kind(&format!("{field}.kind"), party.kind);
        let region = if migrated && party.region.is_empty() {
            Some(None)
        } else {
            self.region(&format!("{field}.region"), &party.region).map(Some)
        };
        let name = self.faults.text(&format!("{field}.name"), &party.name, TEXT_BYTES_MAX, false);
        let code = code?;
        Some(NamedParty { party: PartyId::of(&code), code, kind: kind?, region: region?, name })
    }

    /// The fields `starts_on` and `ends_on`: first and last day, in their order.
    pub fn term(&mut self, starts_on: &str, ends_on: &str) -> Option<(Date, Date)> {
        let (starts_on, ends_on) =
            (self.faults.date("starts_on", starts_on), self.faults.date("ends_on", ends_on));
        if let Some((starts_on, ends_on)) = starts_on.zip(ends_on)
            && ends_on < starts_on
        {
            self.faults.add("ends_on", format!("{ends_on} lies before the first day, {starts_on}"));
        }
        starts_on.zip(ends_on)
    }
}

/// All of them, or nothing where one is missing; each is read, so that each fault is told.
pub fn whole<T>(read: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = read.collect();
    read.into_iter().collect()
}

/// The sum of amounts in minor units, which may be beyond an `i64`.
pub fn total(amounts_minor: impl Iterator<Item = i64>) -> i128 {
    amounts_minor.map(i128::from).sum()
}
