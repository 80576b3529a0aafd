//! Every pair of state and command.
//!
//! ```text
//! +  the command's event happens        =  it holds already: unchanged
//! w  wrong stage                        d  done already, in another way: refused
//! ?  not found                          t  the id is taken
//! 1  A01: no contract                   8  A08: never published
//! b  more than is held
//! a  too late to appeal                 >  beyond what is outstanding
//! ```

use crate::world::*;
use concord_events::fund::{FundPurpose, FundingMode, LimitOn};
use concord_fund_grant::{
    Command,
    grant::{
        GrantCommand, Stage,
        contract::ContractCommand,
        opening::Application,
        procedure::ProcedureCommand,
        tranche::{TrancheCommand, TrancheState},
    },
    programme::{Appropriation, ProgrammeCommand},
};

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

/// The outcome that a mark stands for.
fn outcome(mark: &str, event: &str) -> impl Fn(&str) -> bool {
    let (mark, event) = (mark.to_owned(), event.to_owned());
    move |outcome: &str| match mark.as_str() {
        "+" => outcome == event,
        "=" => outcome == "unchanged",
        "w" => matches!(
            outcome,
            "WRONG_STAGE" | "WRONG_TRANCHE_STATE" | "WRONG_RECOVERY_STATE" | "WRONG_RECTIFICATION_STATE"
        ),
        "d" => outcome.contains("ALREADY_"),
        "?" => outcome.ends_with("_NOT_FOUND"),
        "t" => outcome == "ID_TAKEN",
        "1" => outcome == "A01_NO_CONTRACT",
        "8" => outcome == "A08_NOT_PUBLISHED",
        "b" => outcome.ends_with("_ABOVE_BALANCE"),
        "i" => outcome == "A14_ANOTHER_INSTRUCTION",
        "a" => outcome == "APPEAL_TOO_LATE",
        ">" => outcome == "REPAYMENT_ABOVE_OUTSTANDING",
        _ => panic!("the mark {mark} stands for nothing"),
    }
}

/// Runs a table: `world` is the state of a row, `order` the command of a column with the event that it may cause.
pub fn check(
    table: &'static str,
    rows: &[&str],
    columns: &[&str],
    world: impl Fn(&str) -> World,
    order: impl Fn(&str) -> (Order, &'static str),
) {
    let cells = cells(table);
    for row in rows {
        for column in columns {
            assert!(
                cells.iter().any(|(named_row, named_column, _)| named_row == row && named_column == column),
                "{row} × {column} is not in the table"
            );
        }
    }
    assert_eq!(cells.len(), rows.len() * columns.len(), "the table has rows or columns that nobody knows");
    for (row, column, mark) in cells {
        let (order, event) = order(column);
        let came = world(row).outcome(&order);
        assert!(outcome(mark, event)(&came), "{row} × {column}: the table says {mark}, what came is {came}");
    }
}

const GRANT_ROWS: [&str; 11] = [
    "absent",
    "applied",
    "recommended",
    "admitted",
    "reviewed",
    "on_notice",
    "approved",
    "contracted",
    "migrated",
    "rejected",
    "withdrawn",
];
const GRANT_COLUMNS: [&str; 13] = [
    "apply",
    "import",
    "recommend",
    "admit",
    "review",
    "publish",
    "approve",
    "reject",
    "withdraw",
    "sign",
    "verify",
    "request",
    "instruct",
];

/// Every command as the story has it.
const AS_IN_THE_STORY: &str = "
             apply import recommend admit review publish approve reject withdraw sign verify request instruct
absent         +     +        ?       ?     ?       ?       ?      ?       ?      ?      ?      ?       ?
applied        =     t        +       w     w       w       w      +       +      w      w      w       1
recommended    =     t        =       +     w       w       w      +       +      w      w      w       1
admitted       =     t        =       =     +       w       w      +       +      w      w      w       1
reviewed       =     t        =       =     =       +       8      +       +      w      w      w       1
on_notice      =     t        =       =     =       =       +      +       +      w      w      w       1
approved       =     t        =       =     =       =       =      +       +      +      +      w       1
contracted     =     t        =       =     =       =       =      w       w      =      +      +       w
migrated       t     =        w       w     w       w       w      w       w      d      +      +       w
rejected       =     t        w       w     w       w       w      =       w      w      w      w       1
withdrawn      =     t        w       w     w       w       w      w       =      w      w      w       1
";

/// Every command with other content than in the story. An admission has no content.
const OTHERWISE: &str = "
             apply import recommend admit review publish approve reject withdraw sign verify request instruct
absent         +     +        ?       ?     ?       ?       ?      ?       ?      ?      ?      ?       ?
applied        t     t        +       w     w       w       w      +       +      w      w      w       1
recommended    t     t        d       +     w       w       w      +       +      w      w      w       1
admitted       t     t        d       =     +       w       w      +       +      w      w      w       1
reviewed       t     t        d       =     d       +       8      +       +      w      w      w       1
on_notice      t     t        d       =     d       +       +      +       +      w      w      w       1
approved       t     t        d       =     d       d       d      +       +      +      +      w       1
contracted     t     t        d       =     d       d       d      w       w      d      +      +       w
migrated       t     t        w       w     w       w       w      w       w      d      +      +       w
rejected       t     t        w       w     w       w       w      w       w      w      w      w       1
withdrawn      t     t        w       w     w       w       w      w       w      w      w      w       1
";

fn grant_order(column: &str, otherwise: bool) -> (Order, &'static str) {
    let retitled = Application { title: "Another".to_owned(), ..application() };
    let mut resigned = signing();
    let mut reimported = award(plan());
    if otherwise {
        resigned.contract_number = "2013-002".to_owned();
        reimported.title = "Another".to_owned();
    }
    let other = |same: Order, another: Order| if otherwise { another } else { same };
    let mut minutes = approve(AWARD);
    if let (true, Command::Approve(meeting)) = (otherwise, &mut minutes.command) {
        meeting.minutes = "2013-8".to_owned();
    }
    let mut recommended = recommend();
    if let (true, Command::Grant(_, GrantCommand::Procedure(ProcedureCommand::Recommend { recommender }))) =
        (otherwise, &mut recommended.command)
    {
        *recommender = "Dalian 大连市科技局".to_owned();
    }
    let (order, event) = match column {
        "apply" => (apply_for(if otherwise { retitled } else { application() }), "GrantApplied"),
        "import" => (import(reimported), "AwardImported"),
        "recommend" => (recommended, "GrantRecommended"),
        "admit" => (admit(), "GrantAdmitted"),
        "review" => (other(review(8_500), review(7_000)), "GrantReviewed"),
        "publish" => (other(publish(AWARD), publish(AWARD - 1)), "NoticePublished"),
        "approve" => (minutes, "GrantApproved"),
        "reject" => (other(reject("no match"), reject("late")), "GrantRejected"),
        "withdraw" => (other(withdraw("moved away"), withdraw("no money")), "GrantWithdrawn"),
        "sign" => (sign(resigned), "ContractSigned"),
        "verify" => (other(verify_payee("a1"), verify_payee("a2")), "PayeeVerified"),
        "request" => (other(request(1, None), request(1, Some(1))), "TrancheRequested"),
        "instruct" => (other(instruct(1, 1), instruct(1, 2)), "TrancheInstructed"),
        other => panic!("there is no command {other}"),
    };
    // All on one day, when every step of the story has passed.
    (order.on(march(31)), event)
}

/// A new stage has to be named here, and then the tables lack its row.
fn row_of(stage: &Stage) -> &'static str {
    match stage {
        Stage::Applied => "applied",
        Stage::Recommended(_) => "recommended",
        Stage::Admitted(_) => "admitted",
        Stage::Reviewed(_) => "reviewed",
        Stage::OnNotice(_) => "on_notice",
        Stage::Approved(_) => "approved",
        Stage::Running(contract) if contract.approval().is_none() => "migrated",
        Stage::Running(_) => "contracted",
        Stage::Rejected(_) => "rejected",
        Stage::Withdrawn(_) => "withdrawn",
    }
}

/// A new command has to be named here, and then the tables lack its column.
fn column_of(command: &Command) -> &'static str {
    match command {
        Command::Programme(..) => "",
        Command::Approve(_) => "approve",
        // In the tables of `backing`.
        Command::Backing(..) => "take",
        // In `parties`.
        Command::Party(..) => "take_party",
        Command::Grant(_, GrantCommand::NameBacking { .. }) => "name",
        Command::Grant(_, GrantCommand::Hold(_)) => "hold",
        // In the tables of `recovery`, `rectification`, `objection` and `correction`.
        Command::Recovery(..) => "recover",
        Command::Rectification(..) => "rectify",
        Command::Grant(_, GrantCommand::Objection(..)) => "object",
        Command::Grant(_, GrantCommand::Override(_)) => "override",
        Command::Grant(_, GrantCommand::Correct(_)) => "correct",
        // In the tables of `matching`, `partners` and `spending`.
        Command::Grant(_, GrantCommand::Matching(..)) => "matching",
        Command::Grant(_, GrantCommand::TransferShare(_)) => "transfer",
        Command::Grant(_, GrantCommand::Spending(..)) => "spending",
        // In the tables of `closeout`.
        Command::Grant(_, GrantCommand::Amendment(_)) => "amend",
        Command::Grant(_, GrantCommand::CheckMidterm(_)) => "midterm",
        Command::Grant(_, GrantCommand::Closing(_)) => "close",
        Command::Grant(_, GrantCommand::Balance(_)) => "balance",
        Command::Grant(_, GrantCommand::Apply(_)) => "apply",
        Command::Grant(_, GrantCommand::Import(_)) => "import",
        Command::Grant(_, GrantCommand::Procedure(command)) => match command {
            ProcedureCommand::Recommend { .. } => "recommend",
            ProcedureCommand::Admit => "admit",
            ProcedureCommand::Review { .. } => "review",
            ProcedureCommand::PublishNotice { .. } => "publish",
            ProcedureCommand::Reject { .. } => "reject",
            ProcedureCommand::Withdraw { .. } => "withdraw",
        },
        Command::Grant(_, GrantCommand::Contract(command)) => match command {
            ContractCommand::Sign(_) => "sign",
            ContractCommand::VerifyPayee { .. } => "verify",
        },
        Command::Grant(_, GrantCommand::Tranche(_, command)) => match command {
            TrancheCommand::Request { .. } => "request",
            TrancheCommand::Instruct { .. } => "instruct",
            // In the tranches' own tables.
            TrancheCommand::Authorise => "authorise",
            TrancheCommand::Reject { .. } => "reject_tranche",
            TrancheCommand::Cancel { .. } => "cancel",
            TrancheCommand::Settle { .. } => "settle",
            TrancheCommand::Return { .. } => "return",
        },
    }
}

#[test]
fn a_grants_stages_answer_every_command() {
    for row in GRANT_ROWS.iter().filter(|row| **row != "absent") {
        assert_eq!(row_of(&World::after(story(row)).grant().stage), *row);
    }
    for column in GRANT_COLUMNS {
        assert_eq!(column_of(&grant_order(column, false).0.command), column);
    }
    let world = |row: &str| {
        if row == "absent" { World::after(story("absent")) } else { World::after(story(row)) }
    };
    check(AS_IN_THE_STORY, &GRANT_ROWS, &GRANT_COLUMNS, world, |column| grant_order(column, false));
    check(OTHERWISE, &GRANT_ROWS, &GRANT_COLUMNS, world, |column| grant_order(column, true));
}

const TRANCHE_ROWS: [&str; 8] = [
    "planned",
    "rejected",
    "cancelled",
    "requested",
    "authorised",
    "instructed",
    "settled",
    "payment_returned",
];
const TRANCHE_COLUMNS: [&str; 7] =
    ["request", "authorise", "reject", "cancel", "instruct", "settle", "return"];

const TRANCHE_AS_IN_THE_STORY: &str = "
                  request authorise reject cancel instruct settle return
planned              +        w        w      w      w        w      w
rejected             +        w        =      w      w        w      w
cancelled            +        w        w      =      w        w      w
requested            =        +        +      +      w        w      w
authorised           =        =        w      +      +        w      w
instructed           =        =        w      w      =        +      +
settled              =        =        w      w      =        =      +
payment_returned     =        =        w      w      +        =      =
";

/// With another amount, reason, instruction or bank reference. `i`: A14, an instruction is for all attempts.
const TRANCHE_OTHERWISE: &str = "
                  request authorise reject cancel instruct settle return
planned              +        w        w      w      w        w      w
rejected             +        w        w      w      w        w      w
cancelled            +        w        w      w      w        w      w
requested            d        +        +      +      w        w      w
authorised           d        =        w      +      +        w      w
instructed           d        =        w      w      i        +      +
settled              d        =        w      w      i        d      +
payment_returned     d        =        w      w      i        w      d
";

fn tranche_order(column: &str, otherwise: bool) -> (Order, &'static str) {
    let other = |same: Order, another: Order| if otherwise { another } else { same };
    match column {
        "request" => (other(request(1, None), request(1, Some(1))), "TrancheRequested"),
        "authorise" => (authorise(1), "TrancheAuthorised"),
        "reject" => (other(reject_tranche(1, "too early"), reject_tranche(1, "late")), "TrancheRejected"),
        "cancel" => (other(cancel_tranche(1, "not needed"), cancel_tranche(1, "late")), "TrancheCancelled"),
        "instruct" => (other(instruct(1, 1), instruct(1, 2)), "TrancheInstructed"),
        "settle" => (other(settle(1, "b-1"), settle(1, "b-2")), "TrancheSettled"),
        "return" => (
            other(send_back(1, "r-1", "closed account"), send_back(1, "r-2", "closed account")),
            "PaymentReturned",
        ),
        other => panic!("there is no command {other}"),
    }
}

/// A new state has to be named here, and then the tables lack its row.
fn tranche_row_of(state: &TrancheState) -> &'static str {
    match state {
        TrancheState::Planned(None) => "planned",
        TrancheState::Planned(Some(concord_fund_grant::grant::tranche::Failed::Rejected(_))) => "rejected",
        TrancheState::Planned(Some(concord_fund_grant::grant::tranche::Failed::Cancelled(_))) => "cancelled",
        TrancheState::Requested(_) => "requested",
        TrancheState::Authorised(_) => "authorised",
        TrancheState::Instructed(_) => "instructed",
        TrancheState::Settled { .. } => "settled",
        TrancheState::PaymentReturned(_) => "payment_returned",
    }
}

#[test]
fn a_tranches_states_answer_every_command() {
    for row in TRANCHE_ROWS {
        let world = World::after(tranche_story(row));
        assert_eq!(tranche_row_of(&world.grant().contract().unwrap().tranche(1).unwrap().state), row);
    }
    let world = |row: &str| World::after(tranche_story(row));
    check(TRANCHE_AS_IN_THE_STORY, &TRANCHE_ROWS, &TRANCHE_COLUMNS, world, |column| {
        tranche_order(column, false)
    });
    check(TRANCHE_OTHERWISE, &TRANCHE_ROWS, &TRANCHE_COLUMNS, world, |column| tranche_order(column, true));
}

const PROGRAMME_COLUMNS: [&str; 6] =
    ["appropriate", "appropriate_otherwise", "supplement", "cut", "limit", "lift"];

const PROGRAMME_TABLE: &str = "
           appropriate appropriate_otherwise supplement cut limit lift
absent          +               +                ?       ?    ?     ?
open            =               t                +       +    +     =
limited         =               t                +       +    =     +
";

#[test]
fn a_programme_answers_every_command() {
    let on = LimitOn::Mode(FundingMode::NonRepayable);
    let limit = |limit| programme(march(31), ProgrammeCommand::SetSubLimit { on: on.clone(), limit });
    let otherwise = Appropriation {
        fund: "another-fund".to_owned(),
        purpose: FundPurpose::General,
        year: 2013,
        amount: cny(APPROPRIATED),
        title: "2013".to_owned(),
    };
    let world = |row: &str| match row {
        "absent" => World::default(),
        "open" => World::after([appropriate()]),
        _ => World::after([appropriate(), limit(Some(cny(5)))]),
    };
    check(
        PROGRAMME_TABLE,
        &["absent", "open", "limited"],
        &PROGRAMME_COLUMNS,
        world,
        |column| match column {
            "appropriate" => (appropriate(), "ProgrammeAppropriated"),
            "appropriate_otherwise" => (
                programme(march(1), ProgrammeCommand::Appropriate(otherwise.clone())),
                "ProgrammeAppropriated",
            ),
            "supplement" => (
                programme(march(31), ProgrammeCommand::Supplement { amount: cny(1) }),
                "ProgrammeSupplemented",
            ),
            "cut" => (programme(march(31), ProgrammeCommand::Cut { amount: cny(1) }), "ProgrammeCut"),
            "limit" => (limit(Some(cny(5))), "SubLimitSet"),
            "lift" => (limit(None), "SubLimitSet"),
            other => panic!("there is no command {other}"),
        },
    );
}
