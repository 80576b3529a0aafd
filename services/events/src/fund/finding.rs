//! What a finding is known by 审计发现编号, and what it is about.

use concord_kernel::id::{GrantId, RecoveryId, RectificationId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a finding is known by, however often it is computed (domain.md section 3, "A finding").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FindingKey {
    /// The rule as domain.md section 5 numbers it: "A03".
    pub rule: String,
    /// What it is about: the id of a grant or a recovery, and what of it; for example "3f2c…/source/1".
    pub subject: String,
    /// Position in the fund's log of the event that caused it.
    pub position: u64,
}

/// What a rule's findings are about: its subjects begin with the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingSubject {
    /// Something of a grant: "3f2c…/source/1/2".
    Grant(GrantId),
    /// A pair of grants, the later one first: "3f2c…/similar/7a01…".
    Pair(GrantId, GrantId),
    /// Something of a grant or of a programme, as there is the one or the other with this id: "3f2c…/late/17".
    GrantOrProgramme(Uuid),
    /// A recovery: "recovery/3f2c…".
    Recovery(RecoveryId),
    /// What was decided about another finding: "rectification/3f2c…".
    Rectification(RectificationId),
}

/// Beginning of the subject of a finding about a recovery.
const RECOVERY: &str = "recovery";
/// Beginning of the subject of a finding about a rectification.
const RECTIFICATION: &str = "rectification";

impl FindingKey {
    /// The same key in its one spelling, the one in which the audit computes it: no blanks around a part, rule in capitals and
    /// all else in small letters, ids as UUIDs with hyphens, numbers without leading zeros.
    #[must_use]
    pub fn normal(&self) -> Self {
        let parts = self.subject.split('/').map(str::trim).filter(|part| !part.is_empty());
        Self {
            rule: self.rule.trim().to_ascii_uppercase(),
            subject: parts.map(part).collect::<Vec<_>>().join("/"),
            position: self.position,
        }
    }

    /// What it is about, by the way in which its rule writes subjects; `None` where no finding of that rule is about such a
    /// thing. The key is taken as it is spelled.
    #[must_use]
    pub fn about(&self) -> Option<FindingSubject> {
        let (first, rest) = self.subject.split_once('/')?;
        let id = |text: &str| Uuid::parse_str(text).ok().filter(|id| id.to_string() == text);
        match (self.rule.as_str(), first) {
            ("A16", RECOVERY) => id(rest).map(|id| FindingSubject::Recovery(RecoveryId(id))),
            ("A18", RECTIFICATION) => id(rest).map(|id| FindingSubject::Rectification(RectificationId(id))),
            ("A16", _) => None,
            ("A04", _) => {
                let other = id(rest.strip_prefix("similar/")?)?;
                id(first).map(|one| FindingSubject::Pair(GrantId(one), GrantId(other)))
            }
            // Budgets, bank lines and dates are a programme's too.
            ("A02" | "A14" | "A17", _) if !rest.is_empty() => id(first).map(FindingSubject::GrantOrProgramme),
            _ if !rest.is_empty() => id(first).map(|id| FindingSubject::Grant(GrantId(id))),
            _ => None,
        }
    }

    /// Subject of a finding about what was decided in a rectification.
    #[must_use]
    pub fn of_rectification(rectification: RectificationId) -> String {
        format!("{RECTIFICATION}/{rectification}")
    }
}

/// A part of a subject in its one spelling.
fn part(part: &str) -> String {
    if let Ok(id) = Uuid::parse_str(part) {
        return id.to_string();
    }
    match part.parse::<u64>() {
        Ok(number) => number.to_string(),
        Err(_) => part.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "018f4e7c-3b1a-7c5e-9d2f-1a2b3c4d5e6f";

    fn key(rule: &str, subject: &str) -> FindingKey {
        FindingKey { rule: rule.to_owned(), subject: subject.to_owned(), position: 7 }
    }

    #[test]
    fn a_key_has_one_spelling() {
        let right = key("A03", &format!("{ID}/source/1/2"));
        assert_eq!(right.normal(), right);
        let simple = ID.replace('-', "");
        for (rule, subject) in [
            ("a03", format!("{ID}/source/1/2")),
            (" A03\u{3000}", format!(" {ID} / source /1/ 2 ")),
            ("A03", format!("{}/SOURCE/01/002", ID.to_uppercase())),
            ("A03", format!("/{simple}//source/1/2/")),
            ("A03", format!("{{{ID}}}/Source/+1/2")),
        ] {
            assert_eq!(key(rule, &subject).normal(), right, "{rule:?} {subject:?}");
        }
        for (rule, subject) in [("A06", format!("{ID}/source/1/2")), ("A03", format!("{ID}/source/12"))] {
            assert_ne!(key(rule, &subject).normal(), right, "{rule:?} {subject:?}");
        }
    }

    #[test]
    fn each_rule_is_about_things_of_its_kind() {
        let id = Uuid::parse_str(ID).expect("a UUID");
        let of = |rule: &str, subject: String| key(rule, &subject).about();
        let grant = Some(FindingSubject::Grant(GrantId(id)));
        let recovery = Some(FindingSubject::Recovery(RecoveryId(id)));
        for rule in ["A03", "A06", "A07", "A09", "A10", "A11", "A12", "A18"] {
            assert_eq!(of(rule, format!("{ID}/source/1")), grant, "{rule}");
            assert_eq!(of(rule, format!("recovery/{ID}")), None, "{rule}");
        }
        let pair = Some(FindingSubject::Pair(GrantId(id), GrantId(id)));
        assert_eq!(of("A04", format!("{ID}/similar/{ID}")), pair);
        assert_eq!(of("A04", format!("{ID}/similar/1")), None);
        assert_eq!(of("A16", format!("recovery/{ID}")), recovery);
        assert_eq!(of("A16", format!("{ID}/source/1")), None);
        assert_eq!(of("A17", format!("{ID}/late/7")), Some(FindingSubject::GrantOrProgramme(id)));
        let rectification = RectificationId(id);
        let decided = Some(FindingSubject::Rectification(rectification));
        assert_eq!(of("A18", FindingKey::of_rectification(rectification)), decided);
        assert_eq!(of("A03", FindingKey::of_rectification(rectification)), None);
        for nothing in ["", "x", "x/y", ID, &format!("{ID}/"), &format!("{}/source/1", ID.to_uppercase())] {
            assert_eq!(of("A03", nothing.to_owned()), None, "{nothing:?}");
        }
    }
}
