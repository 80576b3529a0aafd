//! One project over nearly five years, from application to the write-off of a recovery: every account after every step, every
//! refusal on the way, and what was known when.
//!
//! Worked out by hand, in units of ten thousand yuan 万元. The project runs from 2017-06-01 to 2019-05-31, is extended to
//! 2020-05-31, and is led by a university of Shenyang (`lead`) with a company of Dalian (`partner`); `AV` available, `RS` reserved,
//! `CM` committed, `IN` instructed, `UL` and `UP` unspent by lead and partner, `ES` eligible spend, `RC` recoverable, `RF` refunded,
//! `KR` kept by rule, `WO` written off; matching: `MP` pledged and not arrived, `MA` arrived.
//!
//! | day | what happened | AV | RS | CM | IN | UL | UP | ES | RC | RF | KR | WO | MP | MA |
//! |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
//! | 2017-03-01 | appropriated 1000 | 1000 | | | | | | | | | | | | |
//! | 2017-04-07 | approved 480 | 520 | 480 | | | | | | | | | | | |
//! | 2017-04-14 | contract of 470: lead 300, partner 170 | 530 | | 470 | | | | | | | | | | |
//! | 2017-04-14 | pledged: the city 120 + 80, own money 100 | 530 | | 470 | | | | | | | | | 300 | |
//! | 2017-05-10 | tranche 1 of 235 settled, recorded on 05-15 | 530 | | 235 | | 235 | | | | | | | 300 | |
//! | 2017-06-05 | passed on 85 | 530 | | 235 | | 150 | 85 | | | | | | 300 | |
//! | 2017-12-01 | accepted: lead 90, partner 60 | 530 | | 235 | | 60 | 25 | 150 | | | | | 300 | |
//! | 2017-12-20 | the city pays 100 of 120 | 530 | | 235 | | 60 | 25 | 150 | | | | | 200 | 100 |
//! | 2018-06-20 | own money arrives, 100 | 530 | | 235 | | 60 | 25 | 150 | | | | | 100 | 200 |
//! | 2018-07-02 | the city pays the 20 that were late | 530 | | 235 | | 60 | 25 | 150 | | | | | 80 | 220 |
//! | 2018-07-10 | tranche 2 of 141 instructed | 530 | | 94 | 141 | 60 | 25 | 150 | | | | | 80 | 220 |
//! | 2018-07-12 | the bank sends it back | 530 | | 235 | | 60 | 25 | 150 | | | | | 80 | 220 |
//! | 2018-07-20 | settled at the second attempt | 530 | | 94 | | 201 | 25 | 150 | | | | | 80 | 220 |
//! | 2018-07-25 | passed on 51 | 530 | | 94 | | 150 | 76 | 150 | | | | | 80 | 220 |
//! | 2018-10-10 | amended to 460; 10 go to the treasury: the year is over | 530 | | 84 | | 150 | 76 | 150 | | | | | 80 | 220 |
//! | 2019-01-10 | the city pays 80 | 530 | | 84 | | 150 | 76 | 150 | | | | | | 300 |
//! | 2019-01-15 | it were 60: reversed, and recorded rightly | 530 | | 84 | | 150 | 76 | 150 | | | | | 20 | 280 |
//! | 2019-12-20 | accepted: lead 140, partner 70 | 530 | | 84 | | 10 | 6 | 360 | | | | | 20 | 280 |
//! | 2020-12-15 | the city is released from 20 | 530 | | 84 | | 10 | 6 | 360 | | | | | | 280 |
//! | 2020-12-28 | tranche 3 of 84 settled | 530 | | | | 94 | 6 | 360 | | | | | | 280 |
//! | 2020-12-29 | passed on 29 | 530 | | | | 65 | 35 | 360 | | | | | | 280 |
//! | 2021-01-15 | accepted: lead 50, partner 30 | 530 | | | | 15 | 5 | 440 | | | | | | 280 |
//! | 2021-02-08 | refunded 10, kept 5 | 530 | | | | | 5 | 440 | | 10 | 5 | | | 280 |
//! | 2021-02-10 | closed; the partner's 5 are due by 03-12 | 530 | | | | | 5 | 440 | | 10 | 5 | | | 280 |
//! | 2021-03-20 | refunded 5 | 530 | | | | | | 440 | | 15 | 5 | | | 280 |
//! | 2021-09-01 | 50 disallowed: recoverable | 530 | | | | | | 390 | 50 | 15 | 5 | | | 280 |
//! | 2021-10-08 | repaid 20 | 530 | | | | | | 390 | 30 | 35 | 5 | | | 280 |
//! | 2021-12-10 | offset 25 against another grant | 530 | | | | | | 390 | 5 | 60 | 5 | | | 280 |
//! | 2021-12-20 | written off 5 | 530 | | | | | | 390 | | 60 | 5 | 5 | | 280 |
//!
//! At the end 990 are appropriated, 1000 less the 10 that went to the treasury: 530 + 390 + 60 + 5 + 5.

mod story;
mod views;

use concord_proto::audit::v1::{Balance, ListBalancesRequest, PostingFilter};
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::bulk_result::Result as Outcome;
use concord_proto::r#type::v1::CommandReceipt;
use concord_tests::desk::{Desk, at_and_on, broken, chinese, facts, plain, reason};
use concord_tests::stack::Stack;
use std::collections::BTreeMap;
use tonic::{Code, Status};

/// Ten thousand yuan in fen.
pub(crate) const WAN: i64 = 1_000_000;

/// The accounts in the order of the table above, in units of ten thousand yuan; what lead and partner hold unspent is one figure
/// in the programme's balance, so it is compared as a sum there and apart on the grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) appropriated: i64,
    pub(crate) available: i64,
    pub(crate) reserved: i64,
    pub(crate) committed: i64,
    pub(crate) instructed: i64,
    pub(crate) lead: i64,
    pub(crate) partner: i64,
    pub(crate) spent: i64,
    pub(crate) recoverable: i64,
    pub(crate) refunded: i64,
    pub(crate) kept: i64,
    pub(crate) written_off: i64,
    pub(crate) pledged: i64,
    pub(crate) arrived: i64,
}

impl Row {
    /// What stands in the table's row.
    #[rustfmt::skip]
    pub(crate) fn of(appropriated: i64, fund: [i64; 11], matching: [i64; 2]) -> Self {
        let [available, reserved, committed, instructed, lead, partner, spent, recoverable, refunded, kept, written_off] = fund;
        let [pledged, arrived] = matching;
        Self {
            appropriated, available, reserved, committed, instructed, lead, partner, spent, recoverable, refunded, kept,
            written_off, pledged, arrived,
        }
    }

    /// The rule of the chain: what was appropriated is the sum of the others.
    fn adds_up(&self) -> bool {
        let others = [
            self.available,
            self.reserved,
            self.committed,
            self.instructed,
            self.lead,
            self.partner,
            self.spent,
            self.recoverable,
            self.refunded,
            self.kept,
            self.written_off,
        ];
        self.appropriated == others.iter().sum::<i64>()
    }
}

/// A stack, the day, and what the story is about.
pub(crate) struct Life {
    pub(crate) desk: Desk,
    pub(crate) programme: String,
    /// Position of the newest event.
    pub(crate) head: u64,
}

impl Life {
    /// Goes on to a day.
    pub(crate) async fn until(&mut self, day: &str) {
        self.head = self.desk.advance_to(day).await.unwrap();
    }

    /// Somebody does something, and it is accepted.
    pub(crate) async fn does(&mut self, actor: &str, command: impl Into<Command>) -> CommandReceipt {
        let command = command.into();
        let told = format!("{command:?}");
        match self.outcome(actor, command).await {
            Ok(receipt) => {
                self.head = self.head.max(receipt.last_position);
                receipt
            }
            Err(status) => panic!("{told} was refused: {} {status:?}", chinese(&status)),
        }
    }

    /// Somebody tries something, and a rule forbids it: the first one named, and the facts weighed.
    pub(crate) async fn refuses(
        &mut self,
        actor: &str,
        command: impl Into<Command>,
        rule: &str,
    ) -> BTreeMap<String, String> {
        let command = command.into();
        let told = format!("{command:?}");
        let status = self.outcome(actor, command).await.expect_err(&told);
        assert_eq!(reason(&status), rule, "{told}: {status:?}");
        assert_eq!(status.code(), Code::FailedPrecondition, "{told}: {status:?}");
        assert_eq!(broken(&status).first().map(String::as_str), Some(rule));
        assert!(!chinese(&status).is_ascii() && !status.message().is_empty(), "told in both languages");
        let facts = facts(&status);
        assert_eq!(facts.get("rulebook").map(String::as_str), Some("2012-09"), "{told}");
        facts
    }

    /// Somebody gives a day that cannot be right: the code of the fault, and the facts weighed.
    pub(crate) async fn misdates(
        &mut self,
        actor: &str,
        command: impl Into<Command>,
        fault: &str,
    ) -> BTreeMap<String, String> {
        let command = command.into();
        let told = format!("{command:?}");
        let status = self.outcome(actor, command).await.expect_err(&told);
        let facts = facts(&status);
        assert_eq!(
            (status.code(), facts.get("code").map(String::as_str)),
            (Code::InvalidArgument, Some(fault))
        );
        facts
    }

    async fn outcome(&self, actor: &str, command: Command) -> Result<CommandReceipt, Status> {
        match self.desk.bulk(actor, vec![command]).await.unwrap().remove(0) {
            Outcome::Receipt(receipt) => Ok(receipt),
            Outcome::Error(error) => {
                Err(Status::with_details(Code::from_i32(error.code), error.message, error.status.into()))
            }
        }
    }

    /// The programme's balance at a position, of what had happened on or before a day ("" for all).
    pub(crate) async fn balance(&self, position: u64, day: &str) -> Balance {
        let asked = ListBalancesRequest {
            as_of: at_and_on(position, day),
            filter: Some(PostingFilter { programme_id: self.programme.clone(), ..PostingFilter::default() }),
            ..ListBalancesRequest::default()
        };
        self.desk.audit().list_balances(plain(asked)).await.unwrap().into_inner().totals.remove(0)
    }

    /// Holds the audit's ledger to a row of the table, at the newest position.
    pub(crate) async fn stands(&self, row: Row) {
        assert!(row.adds_up(), "the row is worked out wrong: {row:?}");
        let balance = self.balance(self.head, "").await;
        let seen = Row {
            appropriated: balance.appropriated_minor,
            available: balance.available_minor,
            reserved: balance.reserved_minor,
            committed: balance.committed_minor,
            instructed: balance.instructed_minor,
            lead: balance.recipient_unspent_minor - row.partner * WAN,
            partner: row.partner * WAN,
            spent: balance.eligible_spend_minor,
            recoverable: balance.recoverable_minor,
            refunded: balance.refunded_minor,
            kept: balance.retained_by_rule_minor,
            written_off: balance.written_off_minor,
            pledged: balance.match_pledged_minor,
            arrived: balance.match_arrived_minor,
        };
        let worked_out = Row {
            appropriated: row.appropriated * WAN,
            available: row.available * WAN,
            reserved: row.reserved * WAN,
            committed: row.committed * WAN,
            instructed: row.instructed * WAN,
            lead: row.lead * WAN,
            partner: row.partner * WAN,
            spent: row.spent * WAN,
            recoverable: row.recoverable * WAN,
            refunded: row.refunded * WAN,
            kept: row.kept * WAN,
            written_off: row.written_off * WAN,
            pledged: row.pledged * WAN,
            arrived: row.arrived * WAN,
        };
        assert_eq!(seen, worked_out, "at {}", self.head);
    }
}

/// A stack of its own from a day on.
pub(crate) fn stack(from: &str) -> Stack {
    Stack::start_from(Some(from)).unwrap()
}
