//! The office's lists of the story, as the command line prints them, at days of which all was known in the end.

use super::WAN;
use concord_tests::stack::Stack;
use serde_json::Value;

/// What `concord audit` answers.
fn asked(stack: &Stack, args: &[&str]) -> Value {
    let output = stack.run(&[&["--json", "audit"], args].concat()).unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Amounts of an object by name, in units of ten thousand yuan.
fn wan<const N: usize>(amounts: &Value, names: [&str; N]) -> [i64; N] {
    names.map(|name| {
        let minor = amounts[name].as_i64().unwrap_or_else(|| panic!("no {name} in {amounts}"));
        assert_eq!(minor % WAN, 0, "{name} of {amounts}");
        minor / WAN
    })
}

/// Pledged, released, arrived, due, missing, and of it longer than half a year.
const MATCHING: [&str; 6] =
    ["pledged_minor", "released_minor", "arrived_minor", "due_minor", "gap_minor", "gap_181_minor"];

/// The city's money and the company's own.
fn matching(stack: &Stack, args: &[&str]) -> [([i64; 6], String, i64); 2] {
    let answer = asked(stack, &[&["matching"], args].concat());
    let pledges = answer["pledges"].as_array().unwrap();
    assert_eq!(pledges.len(), 2, "{answer:#}");
    [1, 2].map(|source| {
        let pledge = pledges.iter().find(|pledge| pledge["source_number"] == source).unwrap();
        let oldest = pledge["oldest_due_on"].as_str().unwrap().to_owned();
        (wan(&pledge["amounts"], MATCHING), oldest, pledge["days_overdue"].as_i64().unwrap())
    })
}

/// Allocated, passed on, due, not passed on, unspent: of the partner, and of the lead.
fn shares(stack: &Stack, args: &[&str]) -> [[i64; 5]; 2] {
    let names = ["allocated_minor", "passed_on_minor", "due_minor", "gap_minor", "unspent_minor"];
    let answer = asked(stack, &[&["shares"], args].concat());
    assert_eq!(answer["within_days"], 30);
    let shares = answer["shares"].as_array().unwrap();
    assert_eq!(shares.len(), 2, "{answer:#}");
    [false, true].map(|is_lead| {
        wan(&shares.iter().find(|share| share["is_lead"] == is_lead).unwrap()["amounts"], names)
    })
}

/// The state of the one recovery and when it is due, with how many days ago; determined, repaid, offset, written off,
/// outstanding, and of it overdue.
fn receivable(stack: &Stack, args: &[&str]) -> (String, String, i64, [i64; 6]) {
    let names = [
        "determined_minor",
        "repaid_minor",
        "offset_minor",
        "written_off_minor",
        "outstanding_minor",
        "overdue_minor",
    ];
    let answer = asked(stack, &[&["receivables"], args].concat());
    let receivables = answer["receivables"].as_array().unwrap();
    assert_eq!(receivables.len(), 1, "{answer:#}");
    let text = |name: &str| receivables[0][name].as_str().unwrap().to_owned();
    let days = receivables[0]["days_overdue"].as_i64().unwrap();
    (text("state"), text("due_on"), days, wan(&receivables[0]["amounts"], names))
}

/// Asks for the grant's matching money, shares and recovery as they were, and as they ended.
pub(super) fn are_as_worked_out(stack: &Stack, grant: &str) {
    let of = ["--grant", grant];
    let on = |args: &[&'static str]| [&of[..], args].concat();

    // Of the first 120 the city had paid 100; the company's own money was due the day before, and there.
    let [city, own] = matching(stack, &on(&["--effective-on", "2018-07-01"]));
    assert_eq!(city, ([200, 0, 100, 120, 20, 20], "2017-12-31".to_owned(), 182));
    assert_eq!(own, ([100, 0, 100, 100, 0, 0], String::new(), 0));
    // 80 that were 60, and a release from the 20.
    let [city, own] = matching(stack, &of);
    assert_eq!(city, ([200, 20, 180, 200, 0, 0], String::new(), 0));
    assert_eq!(own.0, [100, 0, 100, 100, 0, 0]);

    // 170 of 470, of the 235 settled on 2017-05-10: due by 06-09, late from 06-10 on, passed on on 06-05.
    let before = ["--effective-on", "2017-06-04", "--on"];
    let asked = |day| shares(stack, &on(&[&before[..], &[day]].concat()));
    assert_eq!(asked("2017-06-09"), [[170, 0, 0, 0, 0], [300, 0, 0, 0, 235]]);
    assert_eq!(asked("2017-06-10"), [[170, 0, 85, 85, 0], [300, 0, 0, 0, 235]]);
    let passed_on = shares(stack, &on(&["--effective-on", "2017-06-05", "--on", "2017-06-10"]));
    assert_eq!(passed_on, [[170, 85, 85, 0, 85], [300, 0, 0, 0, 150]]);
    assert_eq!(shares(stack, &of), [[165, 165, 165, 0, 0], [295, 0, 0, 0, 0]]);

    // Of the 50 that were disallowed, 20 came in on 2021-10-08.
    let open = receivable(stack, &on(&["--effective-on", "2021-10-20"]));
    assert_eq!(open, ("demanded".to_owned(), "2021-10-10".to_owned(), 10, [50, 20, 0, 0, 30, 30]));
    let over = receivable(stack, &of);
    assert_eq!(over, ("written_off".to_owned(), "2021-10-10".to_owned(), 0, [50, 20, 25, 5, 0, 0]));
}
