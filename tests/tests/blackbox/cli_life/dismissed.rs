//! What a dismissal hides: what there was when it was decided, and no more; and nothing at all where there was nothing yet.
//!
//! | day | what happened | found |
//! |---|---|---|
//! | 04-07 | pledged, until 05-31: 900 of own money, and 500, of which 495 arrive at once | |
//! | 04-07 | before anything is overdue, somebody outside charges and dismisses the 900 | A18, twice |
//! | 06-01 | the 900 never came | A03 of 900, dismissal or not |
//! | 06-01 | 5 of the 500 are missing; that is dismissed | A03 of 5, dismissed: in every total, not in the list |
//! | 06-02 | the 495 never were | A03 of 500, of which 5 were dismissed |

use super::office::{GRANT, Office, THOUSAND, all};
use super::{awarded, records};
use concord_tests::desk::{APPLICANT, CLERK, DIRECTOR};
use concord_tests::stack::Stack;
use serde_json::Value;

/// Of another organisation than the office and the parties.
const STRANGER: &str = "lin@consultancy";

fn pledged(office: &Office, source: u32, thousand: u32) -> u64 {
    office.does(
        DIRECTOR,
        &format!(
            "grant pledge GRANT {source} --kind own_money --amount {thousand}000.00_CNY --instalment {thousand}000.00:2017-05-31"
        ),
    )
}

fn assign(key: &str, more: &str) -> String {
    format!("rectification assign {key} --owner shenyang-finance --deadline 2017-09-30 --task 催缴 {more}")
}

/// Charges somebody with a finding, a stranger somebody of its own choice; the rectification.
fn charged(office: &Office, actor: &str, key: &str) -> String {
    let owner = if actor == STRANGER { "nobody" } else { "shenyang-finance" };
    let line = format!("--actor {actor} {}", assign(key, "").replace("shenyang-finance", owner));
    office.json(&line)["rectification_id"].as_str().unwrap().to_owned()
}

fn dismiss(rectification: &str, more: &str) -> String {
    format!("rectification dismiss {rectification} --minutes 会议纪要〔2017〕9号 --reason 不成立 {more}")
}

/// The finding with this key, where it is listed.
fn listed(page: &Value, key: &str) -> Option<Value> {
    all(&page["findings"]).iter().find(|finding| finding["key"] == key).cloned()
}

/// How many findings the whole has with their amount, and how many dismissed ones with theirs, in thousand yuan.
fn whole(page: &Value) -> [i64; 4] {
    let total = &all(&page["totals"])[0];
    let number = |name: &str| total[name].as_i64().unwrap();
    [
        number("findings"),
        number("amount_minor") / THOUSAND,
        number("dismissed"),
        number("dismissed_minor") / THOUSAND,
    ]
}

#[test]
fn a_dismissal_hides_what_there_was_when_it_was_decided_and_no_more() {
    let office = Office(Stack::start_from(Some("2017-03-27")).unwrap());
    awarded(&office);
    let (never, nearly) = (pledged(&office, 3, 900), pledged(&office, 4, 500));
    let arrived = office.does(CLERK, "grant arrive GRANT 4 1 --amount 495000.00_CNY --bank-reference M-9");
    let key = |source: u32, position: u64| format!("A03:{GRANT}/source/{source}/1@{position}");
    let (key_of_900, key_of_500) = (key(3, never), key(4, nearly));

    // The applicant charges itself with what will be found: with the grant or without, however the key is written.
    for key in [&key_of_900, &key_of_900.replace("A03", "a03"), &key_of_900.replace("source", "SOURCE")] {
        for more in ["", "--grant GRANT"] {
            office.refuses(APPLICANT, &assign(key, more), "A13_APPLICANT_IN_OFFICE");
        }
    }
    office.refuses(CLERK, &assign(&key_of_900, "--grant OTHER"), "FINDING_OF_ANOTHER_GRANT");
    // Somebody whom the fund does not know to be concerned does it, and dismisses it. Nothing is overdue yet.
    let early = charged(&office, STRANGER, &key_of_900);
    office.refuses(APPLICANT, &dismiss(&early, ""), "A13_APPLICANT_IN_OFFICE");
    let dismissed_early = office.does(STRANGER, &dismiss(&early, ""));
    let of = |options: &str| {
        office.json(&format!("audit findings --all --min-position {dismissed_early} {options}"))
    };
    let acts = of("--rule A18 --order rule");
    let cases: Vec<&str> =
        all(&acts["findings"]).iter().map(|finding| finding["case"].as_str().unwrap()).collect();
    assert_eq!(cases, ["override", "charge", "dismissal"], "{acts:#}");

    // It is found all the same, and says that it was dismissed when there was no such finding.
    office.until("2017-06-01");
    let page = of("--rule A03 --on 2017-06-01");
    let found = listed(&page, &key_of_900).unwrap();
    assert_eq!((&found["amount_minor"], &found["covered"]), (&(900 * THOUSAND).into(), &false.into()));
    assert_eq!((&found["rectification_state"], &found["concluded_minor"]), (&"dismissed".into(), &0.into()));
    assert!(found["message"].as_str().unwrap().contains("when there was no such finding"), "{found}");
    // 900, 5 and the city's 120.
    assert_eq!(whole(&page), [3, 1_025, 0, 0]);
    assert!(office.prints("audit findings --rule A03 --on 2017-06-01").contains("当时并无此项发现"));
    // The office charges somebody with it, though somebody else was first.
    assert_eq!(charged(&office, CLERK, &key_of_900.to_uppercase().replace("SOURCE", "source")), early);
    assert_eq!(office.json(&format!("rectification show {early}"))["state"], "assigned");

    // Of the other 500 there are 5 missing, and they are dismissed as that.
    let late = charged(&office, CLERK, &key_of_500);
    let decided = office.does(DIRECTOR, &dismiss(&late, "--amount 5000.00_CNY"));
    let of = |options: &str| office.json(&format!("audit findings --all --min-position {decided} {options}"));
    let page = of("--rule A03 --by case");
    assert_eq!((listed(&page, &key_of_500), whole(&page)), (None, [2, 1_020, 1, 5]));
    let group = &all(&page["groups"])[0];
    assert_eq!((&group["dismissed"], &group["dismissed_minor"]), (&1.into(), &(5 * THOUSAND).into()));
    let page = of("--rule A03 --include-dismissed");
    let hidden = listed(&page, &key_of_500).unwrap();
    assert_eq!((&hidden["covered"], whole(&page)), (&true.into(), [3, 1_025, 1, 5]));
    let table = office.prints("audit findings --rule A03");
    assert!(table.contains("dismissed 不成立") && table.contains("total 合计"), "{table}");
    assert!(!table.contains(&key_of_500), "{table}");
    let csv = records(&office.prints("audit findings --rule A03 --csv --by rule"));
    let sums: Vec<[&str; 4]> = csv
        .iter()
        .map(|row| ["rule", "findings", "dismissed", "dismissed_minor"].map(|name| row[name].as_str()))
        .collect();
    assert_eq!(sums, [["A03", "2", "1", "500000"], ["total", "2", "1", "500000"]]);

    // The 495 never were: 500 are missing, and nobody has dismissed those.
    office.until("2017-06-02");
    let corrected = office
        .does(CLERK, &format!("grant correct GRANT {arrived} --reason 误记 --authority 更正〔2017〕1号"));
    let page = office.json(&format!("audit findings --all --rule A03 --min-position {corrected}"));
    let grown = listed(&page, &key_of_500).unwrap();
    assert_eq!((&grown["amount_minor"], &grown["covered"]), (&(500 * THOUSAND).into(), &false.into()));
    assert_eq!(
        (&grown["concluded_minor"], &grown["concluded_position"]),
        (&(5 * THOUSAND).into(), &decided.into())
    );
    assert!(grown["message"].as_str().unwrap().ends_with("for 5,000.00 CNY"), "{grown}");
    assert_eq!(whole(&page), [3, 1_520, 0, 0]);
    // And as of the position before, it is as it was then.
    let before = corrected - 1;
    let page = office.json(&format!("audit findings --all --rule A03 --as-of-position {before}"));
    assert_eq!((listed(&page, &key_of_500), whole(&page)), (None, [2, 1_020, 1, 5]));
    assert_eq!(office.json("log check")["proved"], true);
}
