//! How one project is known again 项目指纹 (domain.md section 5, A04).

use crate::{id::hashed, industry::Industry, normal, party::PartyId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The fingerprint of a project: its lead, its title in its normal form ([`normal::title`]), and its industry. Two projects with the same fingerprint are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub Uuid);

impl Fingerprint {
    /// The fingerprint of this project, the same on every run.
    #[must_use]
    pub fn of(lead: PartyId, title: &str, industry: Option<Industry>) -> Self {
        Self::made_of(lead, &normal::title(title), industry)
    }

    /// The fingerprint that this project was given before look-alikes were folded: full-width forms and case alone. What was
    /// filed then has it for good. For a title without look-alikes it is the same as [`Fingerprint::of`].
    #[must_use]
    pub fn first_form(lead: PartyId, title: &str, industry: Option<Industry>) -> Self {
        Self::made_of(lead, &normalised_first(title), industry)
    }

    fn made_of(lead: PartyId, normalised: &str, industry: Option<Industry>) -> Self {
        let industry = industry.map_or("", Industry::as_str);
        Self(hashed("project fingerprint", &format!("{lead}\n{industry}\n{normalised}")))
    }
}

/// A title as it was compared at first: letters and digits alone, in lower case, full-width forms as their common ones.
fn normalised_first(title: &str) -> String {
    title
        .chars()
        .map(common_form)
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Full-width forms (U+FF01 to U+FF5E) stand for the ASCII ones.
fn common_form(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_written_differently_is_the_same_project() {
        let lead = PartyId(Uuid::from_u128(1));
        let of = |title: &str| Fingerprint::of(lead, title, None);
        assert_eq!(of("高 效（HE-2）电机"), of("高效(he2)电机"));
        assert_eq!(of("ＡＢＣ１"), of("abc 1"));
        assert_ne!(of("高效电机"), of("高效电机二期"));
        assert_ne!(of("高效电机"), Fingerprint::of(PartyId(Uuid::from_u128(2)), "高效电机", None));
        assert_ne!(of("高效电机"), Fingerprint::of(lead, "高效电机", Some(Industry::NewMaterials)));
    }
    #[test]
    fn look_alikes_make_no_other_project() {
        let lead = PartyId(Uuid::from_u128(1));
        let of = |title: &str| Fingerprint::of(lead, title, None);
        for spelled in ["高效НЕ-2电机", "高\u{3164}效HE2电机", "高效ΗΕ-2电机", "高效HE②电机"]
        {
            assert_eq!(of(spelled), of("高效（HE-2）电机"), "{spelled}");
            assert_ne!(Fingerprint::first_form(lead, spelled, None), of(spelled), "{spelled}");
        }
        // What was filed before under a plain title is met by every spelling of it.
        assert_eq!(Fingerprint::first_form(lead, "高 效（HE-2）电机", None), of("高效（HE-2）电机"));
    }
}
