//! The ten industries 产业 that the opinion names (domain.md section 1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the opinion's ten industries 产业. Written in snake case in JSON and on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Industry {
    /// Advanced equipment manufacturing 先进装备制造.
    AdvancedEquipment,
    /// New energy 新能源.
    NewEnergy,
    /// New materials 新材料.
    NewMaterials,
    /// Biomedicine 生物医药.
    Biomedicine,
    /// Information technology 信息技术.
    InformationTechnology,
    /// Optoelectronics 光电子.
    Optoelectronics,
    /// Energy saving and environmental protection 节能环保.
    EnergySaving,
    /// Marine industry 海洋.
    Marine,
    /// Biological breeding 生物育种.
    BioBreeding,
    /// High-tech services 高技术服务业.
    HighTechServices,
}

impl Industry {
    /// All ten, in the opinion's order.
    pub const ALL: [Self; 10] = [
        Self::AdvancedEquipment,
        Self::NewEnergy,
        Self::NewMaterials,
        Self::Biomedicine,
        Self::InformationTechnology,
        Self::Optoelectronics,
        Self::EnergySaving,
        Self::Marine,
        Self::BioBreeding,
        Self::HighTechServices,
    ];

    /// The name in snake case, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.names().0
    }

    /// The name in Chinese, as the opinion writes it.
    #[must_use]
    pub fn label_zh(self) -> &'static str {
        self.names().1
    }

    /// The name in English.
    #[must_use]
    pub fn label_en(self) -> &'static str {
        self.names().2
    }

    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::AdvancedEquipment => {
                ("advanced_equipment", "先进装备制造", "advanced equipment manufacturing")
            }
            Self::NewEnergy => ("new_energy", "新能源", "new energy"),
            Self::NewMaterials => ("new_materials", "新材料", "new materials"),
            Self::Biomedicine => ("biomedicine", "生物医药", "biomedicine"),
            Self::InformationTechnology => ("information_technology", "信息技术", "information technology"),
            Self::Optoelectronics => ("optoelectronics", "光电子", "optoelectronics"),
            Self::EnergySaving => ("energy_saving", "节能环保", "energy saving and environmental protection"),
            Self::Marine => ("marine", "海洋", "marine industry"),
            Self::BioBreeding => ("bio_breeding", "生物育种", "biological breeding"),
            Self::HighTechServices => ("high_tech_services", "高技术服务业", "high-tech services"),
        }
    }
}

impl fmt::Display for Industry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names none of the ten industries.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not one of the ten industries; use one of {}", Industry::ALL.map(Industry::as_str).join(", "))]
pub struct UnknownIndustry {
    /// The text as given, cut to 64 characters.
    pub text: String,
}

/// Reads the snake-case name or the Chinese label, exactly as written.
impl FromStr for Industry {
    type Err = UnknownIndustry;

    fn from_str(text: &str) -> Result<Self, UnknownIndustry> {
        Self::ALL
            .into_iter()
            .find(|industry| industry.as_str() == text || industry.label_zh() == text)
            .ok_or_else(|| UnknownIndustry { text: text.chars().take(64).collect() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_industry_reads_back_from_its_name_its_label_and_json() {
        for industry in Industry::ALL {
            assert_eq!(industry.as_str().parse(), Ok(industry));
            assert_eq!(industry.label_zh().parse(), Ok(industry));
            assert_eq!(serde_json::to_value(industry).unwrap(), industry.as_str());
        }
    }

    #[test]
    fn an_unknown_industry_is_refused_with_the_ten_that_exist() {
        let refusal = "steel".parse::<Industry>().unwrap_err().to_string();
        assert!(refusal.contains("\"steel\"") && refusal.contains("bio_breeding"), "{refusal}");
    }
}
