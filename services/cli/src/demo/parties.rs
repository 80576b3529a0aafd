//! Clearly fictitious organisations 虚构单位 of Liaoning, with codes that are formed as the standard asks.

use concord_kernel::party::PartyCode;
use concord_proto::r#type::v1::{Party, PartyKind};

use crate::errors::CliError;

/// The characters of GB 32100.
const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// A unified social credit code 统一社会信用代码 from its first 16 characters: the two check characters are the ones
/// that the kernel's own check accepts.
pub(super) fn uscc(body: &str) -> Result<PartyCode, CliError> {
    for inner in ALPHABET.chars() {
        for outer in ALPHABET.chars() {
            if let Ok(code) = PartyCode::new("CN-USCC", &format!("{body}{inner}{outer}")) {
                return Ok(code);
            }
        }
    }
    Err(CliError::failed(format!("{body} cannot begin a unified social credit code")))
}

/// An enterprise of a region, numbered.
pub(super) fn enterprise(region: &str, number: u32, name: &str) -> Result<Party, CliError> {
    party("91", region, number, name, PartyKind::Enterprise)
}

/// A university of a region, numbered.
pub(super) fn university(region: &str, number: u32, name: &str) -> Result<Party, CliError> {
    party("12", region, number, name, PartyKind::University)
}

fn party(register: &str, region: &str, number: u32, name: &str, kind: PartyKind) -> Result<Party, CliError> {
    // "XXXX" where a registry would have digits: nobody takes it for a real organisation.
    let code = uscc(&format!("{register}{region}XXXX{number:04}"))?;
    Ok(Party {
        code: code.to_string(),
        kind: kind.into(),
        region: region.to_owned(),
        name: format!("{name}（虚构）"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn check_characters_are_those_of_the_standard() {
        // From domain.md section 9.
        for known in ["91330100799655058B", "9144030071526726XG", "91110108551385082Q", "91110000802100433B"]
        {
            assert_eq!(uscc(&known[..16]).unwrap().code, known);
        }
        assert!(uscc("IIIIIIIIIIIIIIII").is_err());
    }

    #[test]
    fn fictitious_parties_are_valid_and_say_what_they_are() {
        for number in 1..20 {
            let party = enterprise("210100", number, "示例公司").unwrap();
            assert!(PartyCode::parse(&party.code).is_ok() && party.name.contains("虚构"));
        }
    }
}
