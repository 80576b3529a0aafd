//! What is said of who a party is, and of who acts for it.

use super::{at, broken};
use crate::party::PartyRecord;
use concord_chassis::log::Broken;
use concord_events::fund::Party;
use concord_kernel::{Date, party::PartyCode};

/// `code`: under which it was named; it may have been merged into the one that was dissolved.
pub(crate) fn party_dissolved(record: &PartyRecord, code: &PartyCode, from: Date, on: Date) -> Broken {
    let name = record.name_on(on);
    at(
        "lead.code",
        broken(
            "PARTY_DISSOLVED",
            format!(
                "{code} ({name}) was dissolved on {from}, and leads nothing new from then on; name a party that exists on {on}, or \
                 correct the directory"
            ),
            format!(
                "{code}（{name}）已于{from}注销，此后不得作为新的牵头单位；请填写{on}存续的主体，或更正主体名录"
            ),
            &[("code", code), ("party_id", &record.party), ("dissolved_from", &from), ("effective_on", &on)],
        ),
    )
}

pub(crate) fn party_twice(code: &PartyCode) -> Broken {
    broken(
        "PARTY_HAS_A_SHARE",
        format!(
            "{code} is a party that has a share already, under another code or by a merger; add the two up"
        ),
        format!("{code}与另一份额的单位为同一主体（另有代码或已合并）；请合并为一项"),
        &[("code", code)],
    )
}

pub(crate) fn not_the_applicant(organisation: &str, lead: &Party) -> Broken {
    let code = &lead.code;
    broken(
        "A13_NOT_THE_APPLICANT",
        format!(
            "{organisation} is another party than {code}, which leads this grant, and does not stand for it on that day; let \
             the lead act, or record in the directory that {organisation} stands for it (A13)"
        ),
        format!(
            "{organisation}不是本项目牵头单位{code}，当日亦未登记为其代表；请由牵头单位办理，或先在主体名录登记代表关系（A13）"
        ),
        &[("organisation", &organisation), ("lead_code", code), ("lead_party_id", &lead.party)],
    )
}

pub(crate) fn not_a_party(organisation: &str, lead: &Party) -> Broken {
    let code = &lead.code;
    broken(
        "A13_NOT_A_PARTY",
        format!(
            "{organisation} is none of the parties of this grant, which {code} leads, and stands for none of them on that day; \
             let one of them act, or record in the directory that {organisation} stands for it (A13)"
        ),
        format!(
            "{organisation}不是本项目（牵头单位{code}）的参与单位，当日亦未登记为其代表；请由参与单位办理，或先在主体名录登记代表关系（A13）"
        ),
        &[("organisation", &organisation), ("lead_code", code), ("lead_party_id", &lead.party)],
    )
}
