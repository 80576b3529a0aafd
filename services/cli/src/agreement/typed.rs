//! Arguments of `concord agreement` that say several things in one word.

use std::path::PathBuf;

use concord_proto::agreement::v1::{ActionItem, Obligation, Role};
use jiff::civil::Date;

use crate::words::{self, OBLIGATION_KINDS, ROLES};

/// A document: the file, whose SHA-256 is sent, and where it is archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentArg {
    /// The file.
    pub file: PathBuf,
    /// Archive number; empty where there is none.
    pub archive_number: String,
}

pub(super) fn parse_document(text: &str) -> Result<DocumentArg, String> {
    let (file, archive_number) = text.split_once('=').unwrap_or((text, ""));
    if file.is_empty() {
        return Err("write FILE or FILE=ARCHIVE_NUMBER 请写作 文件=档号".to_owned());
    }
    Ok(DocumentArg { file: file.into(), archive_number: archive_number.to_owned() })
}

pub(super) fn parse_party(text: &str) -> Result<(String, Role), String> {
    let Some((code, role)) = text.split_once('=') else {
        return Ok((text.to_owned(), Role::Participant));
    };
    let role = words::value(ROLES, role)
        .ok_or_else(|| format!("{role:?} is no role; use one of {}", words::list(ROLES)))?;
    Ok((code.to_owned(), role))
}

pub(super) fn parse_obligation(text: &str) -> Result<Obligation, String> {
    let [number, kind, party, due_on, what] = text.splitn(5, ',').collect::<Vec<_>>()[..] else {
        return Err(
            "write NUMBER,KIND,CODE,DUE,TEXT, for example 1,milestone,CN-USCC:91330100799655058B,2018-06-30,prototype"
                .to_owned(),
        );
    };
    let kind = words::value(OBLIGATION_KINDS, kind)
        .ok_or_else(|| format!("{kind:?} is no kind; use one of {}", words::list(OBLIGATION_KINDS)))?;
    Ok(Obligation {
        number: parse_number(number)?,
        kind: kind.into(),
        party: party.to_owned(),
        text: what.to_owned(),
        due_on: parse_day(due_on)?,
    })
}

pub(super) fn parse_action_item(text: &str) -> Result<ActionItem, String> {
    let [number, party, due_on, what] = text.splitn(4, ',').collect::<Vec<_>>()[..] else {
        return Err(
            "write NUMBER,CODE,DUE,TEXT, for example 1,CN-USCC:91330100799655058B,2018-06-30,send the samples"
                .to_owned(),
        );
    };
    Ok(ActionItem {
        number: parse_number(number)?,
        party: party.to_owned(),
        text: what.to_owned(),
        due_on: parse_day(due_on)?,
    })
}

fn parse_number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number from 1"))
}

fn parse_day(text: &str) -> Result<String, String> {
    let day: Date = text.parse().map_err(|_| format!("{text:?} is not a date like 2018-06-30"))?;
    Ok(day.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_in_one_word_is_taken_apart() {
        let owed = parse_obligation("2,milestone,CN-USCC:91330100799655058B,2018-06-30,a prototype, tested")
            .unwrap();
        assert_eq!((owed.number, owed.text.as_str()), (2, "a prototype, tested"));
        assert_eq!(
            parse_party("EU-PIC:998616262=buyer").unwrap(),
            ("EU-PIC:998616262".to_owned(), Role::Buyer)
        );
        assert_eq!(parse_party("EU-PIC:998616262").unwrap().1, Role::Participant);
        assert_eq!(parse_document("a.pdf=D-17").unwrap().archive_number, "D-17");
        for wrong in ["1,milestone,CODE,2018-06-30", "x,milestone,C,2018-06-30,t", "1,shoe,C,2018-06-30,t"] {
            assert!(parse_obligation(wrong).is_err(), "{wrong}");
        }
        assert!(parse_action_item("1,C,2018-02-30,t").unwrap_err().contains("date"));
        assert!(parse_party("C=owner").unwrap_err().contains("seller"));
        assert!(parse_document("=D-17").is_err());
    }
}
