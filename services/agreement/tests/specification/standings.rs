//! Every pair of standing and command; and the diagram, arrow by arrow.
//!
//! ```text
//! +  the command's event happens        =  it holds already: unchanged
//! w  wrong standing                     d  done already: refused
//! ?  not found                          t  the id is taken
//! o  obligations are open               p  an amendment is pending, or none is
//! m  the directory knows no merger
//! ```

use crate::world::*;
use concord_agreement::agreement::{Agreement, Standing};
use concord_kernel::Date;
use jiff::civil::date;
use std::collections::BTreeSet;

const TABLE: &str = "
                  draft sign_w sign_u cancel suspend resume renew complete terminate propose retitle sign_a abandon succeed fulfil minute close submit
absent              +     ?      ?      ?       ?       ?      ?      ?         ?        ?       ?       ?      ?       ?      ?      ?     ?     ?
drafted             =     +      +      +       w       w      w      w         w        w       w       w      w       w      w      +     ?     w
partially_signed    =     d      +      +       w       w      w      w         w        w       w       w      w       w      w      +     ?     w
not_begun           =     d      d      w       w       w      +      w         +        +       +       p      p       m      +      +     ?     +
in_force            =     d      d      w       +       w      +      o         +        +       +       p      p       m      +      +     ?     +
fulfilled           =     d      d      w       +       w      +      +         +        +       +       p      p       m      =      +     ?     +
amending            =     d      d      w       +       w      p      o         +        =       p       +      +       m      +      +     ?     +
suspended           =     d      d      w       =       +      +      w         +        +       +       p      p       m      +      +     ?     +
completed           =     d      d      w       w       w      w      =         w        w       w       w      w       w      =      +     ?     w
expired             =     d      d      w       w       w      +      w         w        w       w       w      p       m      +      +     ?     w
terminated          =     d      d      w       w       w      w      w         =        w       w       w      w       w      +      +     ?     w
draft_cancelled     =     d      w      =       w       w      w      w         w        w       w       w      w       w      w      w     w     w
";

/// Every command as the story has it, with its event.
fn order(column: &str, row: &str, on: Date) -> (Order, &'static str) {
    // What the story did is asked for again as it was done.
    let terminated_from = if row == "terminated" { date(2013, 5, 7) } else { on };
    match column {
        "draft" => (draft(contract()).on(on), "AgreementDrafted"),
        "sign_w" => (sign(&works(), on), "AgreementSigned"),
        "sign_u" => (sign(&university(), on), "AgreementSigned"),
        "cancel" => (cancel("no money").on(on), "DraftCancelled"),
        "suspend" => (suspend("audit", on), "AgreementSuspended"),
        "resume" => (resume("恢复1号", on), "AgreementResumed"),
        "renew" => (renew_on(on), "AgreementRenewed"),
        "complete" => (complete(on), "AgreementCompleted"),
        "terminate" => (terminate(terminated_from, on), "AgreementTerminated"),
        "propose" => (propose(ending(date(2017, 3, 31)), on), "AmendmentProposed"),
        "retitle" => (propose(retitled(), on), "AgreementAmended"),
        "sign_a" => (sign_amendment(2, &works(), on), "AmendmentSigned"),
        "abandon" => (abandon(2, "no consent", on), "AmendmentAbandoned"),
        "succeed" => (succeed(&works(), &group(), on), "PartySucceeded"),
        "fulfil" => (fulfil(1, 'e', on), "ObligationFulfilled"),
        "minute" => (minute('f', on), "MeetingMinuted"),
        "close" => (close(1, 1, 'e', on), "ActionItemClosed"),
        "submit" => (submit("market", on), "RegistrationSubmitted"),
        other => panic!("there is no command {other}"),
    }
}

fn is(mark: &str, event: &str, outcome: &str) -> bool {
    match mark {
        "+" => outcome == event,
        "=" => outcome == "unchanged",
        "w" => outcome == "WRONG_STANDING",
        "d" => outcome == "ALREADY_SIGNED",
        "?" => outcome.ends_with("_NOT_FOUND"),
        "t" => outcome == "ID_TAKEN",
        "o" => outcome == "OBLIGATIONS_OPEN",
        "p" => matches!(outcome, "AMENDMENT_PENDING" | "AMENDMENT_NOT_PENDING"),
        "m" => outcome == "NOT_MERGED_INTO",
        _ => panic!("the mark {mark} stands for nothing"),
    }
}

/// A table's cells, as (row, column, cell).
fn cells(table: &'static str) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut lines = table.lines().map(str::split_whitespace).filter(|words| words.clone().next().is_some());
    let columns: Vec<&str> = lines.next().unwrap().collect();
    let mut cells = Vec::new();
    for mut words in lines {
        let row = words.next().unwrap();
        let marks: Vec<&str> = words.collect();
        assert_eq!(marks.len(), columns.len(), "the row {row} has a mark for every command");
        cells.extend(columns.iter().zip(marks).map(|(column, mark)| (row, *column, mark)));
    }
    cells
}

#[test]
fn every_standing_answers_every_command() {
    let cells = cells(TABLE);
    assert_eq!(cells.len(), 12 * 18);
    let mut wrong = Vec::new();
    for (row, column, mark) in cells {
        let (world, on) = story(row);
        let (order, event) = order(column, row, on);
        let came = world.outcome(&order);
        if !is(mark, event, &came) {
            wrong.push(format!("{row} × {column}: the table says {mark}, what came is {came}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rows_of_the_table_are_all_standings() {
    let rows: BTreeSet<&str> = cells(TABLE).iter().map(|(row, _, _)| *row).collect();
    let stood: BTreeSet<Standing> = rows
        .iter()
        .map(|row| {
            let (world, on) = story(row);
            if *row == "absent" { Standing::Absent } else { world.agreement().standing(on) }
        })
        .collect();
    // A new standing has to be named here, and then the table lacks its row.
    let all = match Standing::Absent {
        Standing::Absent
        | Standing::Drafted
        | Standing::PartiallySigned
        | Standing::NotBegun
        | Standing::InForce
        | Standing::Suspended
        | Standing::Completed
        | Standing::Expired
        | Standing::Terminated
        | Standing::DraftCancelled => 10,
    };
    assert_eq!(stood.len(), all, "{stood:?}");
}

/// The arrows of the diagram in `agreement.rs`: from, command, to.
fn arrows() -> BTreeSet<(String, String, String)> {
    let source = include_str!("../../src/agreement.rs");
    let diagram = source.split("```text").nth(1).unwrap().split("```").next().unwrap();
    let mut arrows = BTreeSet::new();
    for line in diagram.lines().filter(|line| line.contains('▶')) {
        let line = line.trim_start_matches("//!");
        let words: Vec<&str> = line.split("──").map(|part| part.trim_start_matches('▶').trim()).collect();
        assert_eq!(words.len() % 2, 1, "{line}: standings and commands take turns");
        for step in words.windows(3).step_by(2) {
            for from in step[0].split(", ") {
                arrows.insert((from.to_owned(), step[1].to_owned(), step[2].to_owned()));
            }
        }
    }
    arrows
}

fn found(agreement: &Agreement, on: Date) -> String {
    format!("{:?}", agreement.found_on(on))
}

/// Every order of the main lifecycle, tried from every standing: what changes the standing, by its name and commands.
fn walked() -> BTreeSet<(String, String, String)> {
    let mut walked = BTreeSet::new();
    let rows = [
        "absent",
        "drafted",
        "partially_signed",
        "not_begun",
        "in_force",
        "fulfilled",
        "suspended",
        "completed",
        "expired",
        "terminated",
        "draft_cancelled",
    ];
    for row in rows {
        let (world, on) = story(row);
        // Signed before the term begins, or within it.
        let days = if row == "partially_signed" { vec![on, JUNE] } else { vec![on] };
        for on in days {
            let tried = [
                ("Draft", draft(contract())),
                ("Sign", sign(&works(), on)),
                ("Sign", sign(&university(), on)),
                ("CancelDraft", cancel("other")),
                ("Suspend", suspend("other", on)),
                ("Resume", resume("其他", on)),
                ("Renew", renew_on(on)),
                ("Complete", complete(on)),
                ("Terminate", terminate(on, on)),
            ];
            for (command, order) in tried {
                let before = if row == "absent" { "Absent".to_owned() } else { found(world.agreement(), on) };
                let mut world = world.clone();
                if world.execute(&order.on(on)).is_ok_and(|events| !events.is_empty()) {
                    let after = found(world.agreement(), on);
                    if before != after {
                        walked.insert((before, command.to_owned(), after));
                    }
                }
            }
        }
    }
    // With nobody acting, a day at a time.
    for row in ["drafted", "partially_signed", "not_begun", "suspended", "terminated", "draft_cancelled"] {
        let (world, on) = story(row);
        let agreement = world.agreement();
        let mut day = on;
        while day < date(2016, 5, 1) {
            let next = day.tomorrow().unwrap();
            let (before, after) = (found(agreement, day), found(agreement, next));
            if before != after {
                walked.insert((before, "the calendar".to_owned(), after));
            }
            day = next;
        }
    }
    walked
}

#[test]
fn the_diagram_has_every_arrow_that_can_be_walked_and_no_other() {
    assert_eq!(arrows(), walked());
}
