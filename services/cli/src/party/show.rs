//! A party as people and programs read it.

use concord_proto::agreement::v1::{CertifiedCode, DatedText, LookUpPartyResponse, Party};
use serde_json::{Value, json};

use crate::output::print_fields;
use crate::words::{self, CONTROLS, KINDS, REGISTERS};

/// Prints a party with the days of each fact.
pub(super) fn print(party: &Party, position: u64) {
    let kinds =
        party.kinds.iter().map(|dated| format!("{} from {}", words::both(KINDS, dated.kind), dated.from));
    let registers = party.registers.iter().map(|entry| {
        format!("{} {}", words::both(REGISTERS, entry.register), spell(&entry.from, &entry.ended))
    });
    let links = party.control_links.iter().map(|link| {
        format!("{} {} {}", link.controller, words::both(CONTROLS, link.kind), spell(&link.from, &link.ended))
    });
    let representations = party.representations.iter().map(|known| {
        format!("{} by {} {}", known.organisation_id, known.authority, spell(&known.from, &known.ended))
    });
    let ended = match (party.merged_into.as_str(), party.ended_from.as_str()) {
        (_, "") => String::new(),
        ("", from) => format!("dissolved from {from} 注销"),
        (into, from) => format!("merged into {into} from {from} 合并"),
    };
    print_fields(&[
        ("party 主体", party.party_id.clone()),
        ("codes 代码", lines(party.codes.iter().map(dated))),
        ("by certificate 证照所载", lines(party.certified_codes.iter().map(certified))),
        ("names 名称", lines(party.names.iter().map(dated))),
        ("kinds 类别", lines(kinds)),
        ("regions 行政区", lines(party.regions.iter().map(dated))),
        ("industry 产业", party.industry.clone()),
        ("registers 名录", lines(registers)),
        ("controlled by 控制方", lines(links)),
        ("represented by 代表单位", lines(representations)),
        ("absorbed 并入主体", lines(party.absorbed.iter().map(dated))),
        ("ended 终止", ended),
        ("version 版本", party.version.to_string()),
        ("as of 截至", position.to_string()),
    ]);
}

/// Prints what was true of a party on a day.
pub(super) fn print_found(found: &LookUpPartyResponse) {
    let party = found.party.clone().unwrap_or_default();
    let registers = found.registers.iter().map(|register| words::both(REGISTERS, *register));
    let successor = if found.successor_id == found.party_id { "" } else { &found.successor_id };
    let dissolved = if found.dissolved { "yes 是" } else { "" };
    print_fields(&[
        ("party 主体", found.party_id.clone()),
        ("code 代码", party.code),
        ("name 名称", party.name),
        ("kind 类别", words::both(KINDS, party.kind)),
        ("region 行政区", party.region),
        ("registers 名录", lines(registers)),
        ("succeeded by 承继主体", successor.to_owned()),
        ("dissolved 注销", dissolved.to_owned()),
        ("on 日期", found.on.clone()),
        ("as of 截至", found.position.to_string()),
    ]);
}

fn dated(fact: &DatedText) -> String {
    format!("{} from {}", fact.value, fact.from)
}

fn certified(code: &CertifiedCode) -> String {
    let certificate = code.certificate.clone().unwrap_or_default();
    format!("{}: {}, {}", code.code, certificate.document_number, certificate.note)
}

fn spell(from: &str, ended: &str) -> String {
    if ended.is_empty() { format!("from {from}") } else { format!("from {from} until before {ended}") }
}

fn lines(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join("\n")
}

/// A party as JSON.
pub(super) fn json(party: &Party, position: u64) -> Value {
    let dated = |facts: &[DatedText]| {
        facts.iter().map(|it| json!({"from": it.from, "value": it.value})).collect::<Vec<_>>()
    };
    let kinds = party.kinds.iter().map(|it| json!({"from": it.from, "value": words::word(KINDS, it.kind)}));
    let registers = party.registers.iter().map(
        |it| json!({"register": words::word(REGISTERS, it.register), "from": it.from, "ended": it.ended}),
    );
    let links = party.control_links.iter().map(|it| {
        json!({
            "controller": it.controller,
            "kind": words::word(CONTROLS, it.kind),
            "from": it.from,
            "ended": it.ended,
        })
    });
    let certified = party.certified_codes.iter().map(|it| {
        let certificate = it.certificate.clone().unwrap_or_default();
        json!({"code": it.code, "document_number": certificate.document_number, "note": certificate.note})
    });
    let representations = party.representations.iter().map(|it| {
        json!({
            "organisation": it.organisation_id,
            "authority": it.authority,
            "from": it.from,
            "ended": it.ended,
        })
    });
    json!({
        "party_id": party.party_id,
        "codes": dated(&party.codes),
        "certified_codes": certified.collect::<Vec<_>>(),
        "names": dated(&party.names),
        "kinds": kinds.collect::<Vec<_>>(),
        "regions": dated(&party.regions),
        "industry": party.industry,
        "registers": registers.collect::<Vec<_>>(),
        "control_links": links.collect::<Vec<_>>(),
        "representations": representations.collect::<Vec<_>>(),
        "absorbed": dated(&party.absorbed),
        "merged_into": party.merged_into,
        "ended_from": party.ended_from,
        "version": party.version,
        "position": position,
    })
}

/// What was true of a party on a day, as JSON.
pub(super) fn found_json(found: &LookUpPartyResponse) -> Value {
    let party = found.party.clone().unwrap_or_default();
    let registers: Vec<&str> =
        found.registers.iter().map(|register| words::word(REGISTERS, *register)).collect();
    json!({
        "party_id": found.party_id,
        "code": party.code,
        "name": party.name,
        "kind": words::word(KINDS, party.kind),
        "region": party.region,
        "registers": registers,
        "successor_id": found.successor_id,
        "dissolved": found.dissolved,
        "on": found.on,
        "position": found.position,
    })
}
