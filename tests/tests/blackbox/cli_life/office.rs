//! Who types, and what the names in a typed line stand for.

use concord_tests::desk::{APPLICANT, CASHIER, CITY, CLERK, CONTROLLER, REVIEWER, TREASURER};
use concord_tests::stack::Stack;
use serde_json::Value;
use std::process::Output;

const PROGRAMME: &str = "0190b1f0-0000-7000-8000-000000000001";
pub(super) const GRANT: &str = "0190b1f0-0000-7000-8000-000000000002";
/// A second grant of the same lead.
pub(super) const OTHER: &str = "0190b1f0-0000-7000-8000-000000000003";
/// The lead's equipment, and the partner's fine.
const EQUIPMENT: &str = "0190b1f0-0000-7000-8000-000000000004";
const FINE: &str = "0190b1f0-0000-7000-8000-000000000005";
const RECOVERY: &str = "0190b1f0-0000-7000-8000-000000000006";
pub(super) const LEAD: &str = "CN-USCC:91330100799655058B";
pub(super) const PARTNER: &str = "CN-USCC:9144030071526726XG";

/// A thousand yuan in fen.
pub(super) const THOUSAND: i64 = 100_000;

/// A stack, and who works on it by typing.
pub(super) struct Office(pub(super) Stack);

impl Office {
    /// Types a command: words with a blank between them, and names of the constants above for what they stand for.
    pub(super) fn types(&self, line: &str) -> Output {
        let names = [
            ("PROGRAMME", PROGRAMME),
            ("GRANT", GRANT),
            ("OTHER", OTHER),
            ("EQUIPMENT", EQUIPMENT),
            ("FINE", FINE),
            ("RECOVERY", RECOVERY),
            ("LEAD", LEAD),
            ("PARTNER", PARTNER),
            ("_CNY", " CNY"),
        ];
        let word = |word: &str| names.iter().fold(word.to_owned(), |word, (name, id)| word.replace(name, id));
        let words: Vec<String> = line.split_whitespace().map(word).collect();
        self.0.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).unwrap()
    }

    /// What a command printed that must succeed.
    pub(super) fn prints(&self, line: &str) -> String {
        let output = self.types(line);
        assert!(output.status.success(), "concord {line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same as JSON.
    pub(super) fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.prints(&format!("{line} --json"))).unwrap()
    }

    /// Somebody does something; the position of its last event.
    pub(super) fn does(&self, actor: &str, line: &str) -> u64 {
        let receipt = &self.json(&format!("--actor {actor} {line}"))["receipt"];
        assert!(receipt["first_position"].as_u64().unwrap() > 0, "{line} changed nothing: {receipt}");
        receipt["last_position"].as_u64().unwrap()
    }

    /// Somebody tries something, and is told in both languages why not.
    pub(super) fn refuses(&self, actor: &str, line: &str, rule: &str) {
        let output = self.types(&format!("--actor {actor} {line}"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{line}: {said}");
        assert!(said.contains(&format!("[{rule}]")), "{line}: {said}");
        assert!(said.lines().last().is_some_and(|told| !told.is_ascii()), "in Chinese too: {said}");
    }

    /// Moves both clocks.
    pub(super) fn until(&self, day: &str) {
        self.prints(&format!("today --advance {day}"));
    }

    /// The grant as it stands.
    pub(super) fn grant(&self) -> Value {
        self.json("grant show GRANT")
    }

    /// What a party holds on an account of the grant, in thousand yuan.
    pub(super) fn holds(&self, account: &str, code: &str) -> i64 {
        let grant = self.grant();
        let share = all(&grant["shares"]).iter().find(|share| share["code"] == code).unwrap();
        let balance = all(&grant["balances"])
            .iter()
            .find(|balance| balance["account"] == account && balance["party_id"] == share["party_id"]);
        balance.map_or(0, |balance| balance["amount_minor"].as_i64().unwrap()) / THOUSAND
    }

    /// Takes a grant from application to its notice.
    pub(super) fn published(&self, grant: &str, title: &str, ends_on: &str, shares: &str) {
        self.does(APPLICANT, &format!(
            "grant apply --grant-id {grant} --programme PROGRAMME --mode non_repayable --title {title} --lead LEAD \
             --lead-kind university --lead-region 210102 --requested 1000000.00_CNY --total-budget 3000000.00_CNY {shares} \
             --starts-on 2017-04-01 --ends-on {ends_on}"
        ));
        self.does(CITY, &format!("grant recommend {grant} --by 沈阳市科技局"));
        self.does(CLERK, &format!("grant admit {grant}"));
        self.does(REVIEWER, &format!("grant review {grant} --score 91.5 --ceiling 1000000.00_CNY"));
        self.does(CLERK, &format!("grant publish {grant} --amount 1000000.00_CNY"));
    }

    /// Pays a tranche.
    pub(super) fn paid(&self, grant: &str, tranche: u32) {
        self.authorised(grant, tranche);
        self.settled(grant, tranche);
    }

    /// Instructs a tranche, and settles it.
    pub(super) fn settled(&self, grant: &str, tranche: u32) {
        self.does(TREASURER, &format!("grant tranche instruct {grant} {tranche}"));
        self.does(CASHIER, &format!("grant tranche settle {grant} {tranche} --bank-reference P-{tranche}"));
    }

    /// Asks for a tranche, and authorises it.
    pub(super) fn authorised(&self, grant: &str, tranche: u32) {
        self.does(APPLICANT, &format!("grant tranche request {grant} {tranche}"));
        self.does(CONTROLLER, &format!("grant tranche authorise {grant} {tranche}"));
    }
}

/// The items of a list.
pub(super) fn all(list: &Value) -> &Vec<Value> {
    list.as_array().unwrap()
}
