//! How one project is known again 项目指纹 (domain.md section 5, A04).

use crate::{id::hashed, industry::Industry, party::PartyId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The fingerprint of a project: its lead, its title without anything that writing it differently changes, and its
/// industry. Two projects with the same fingerprint are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub Uuid);

impl Fingerprint {
    /// The fingerprint of this project, the same on every run.
    #[must_use]
    pub fn of(lead: PartyId, title: &str, industry: Option<Industry>) -> Self {
        let industry = industry.map_or("", Industry::as_str);
        Self(hashed("project fingerprint", &format!("{lead}\n{industry}\n{}", normalised(title))))
    }
}

/// A title as it is compared: letters and digits alone, in lower case, full-width forms as their common ones, so that
/// "高 效（HE-2）电机" and "高效(he2)电机" are the same.
#[must_use]
pub fn normalised(title: &str) -> String {
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
}
