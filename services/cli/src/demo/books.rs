//! The demo's own sums: what each account should hold, from what it sent and the service accepted. Nothing here is
//! read back from the service, so that the two can be compared.

use std::collections::BTreeMap;

use concord_events::ledger::Account;
use concord_proto::audit::v1::Balance;

/// What a command does to the money, once it is accepted. Amounts in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// No money moves, or none that the totals show: a share that is passed on stays unspent.
    None,
    /// A programme was appropriated.
    Appropriated(i64),
    /// An award was imported, contracted as it stands.
    Imported(i64),
    /// A grant was approved.
    Approved(i64),
    /// A contract was signed over what was approved; the rest is available again.
    Contracted { contracted: i64, approved: i64 },
    /// The bank was instructed.
    Instructed(i64),
    /// The bank has paid.
    Settled(i64),
    /// The bank sent it back before settlement.
    ReturnedUnsettled(i64),
    /// The bank sent it back after settlement: what the lead still held came back, the rest is recovered from what is unspent.
    ReturnedSettled { returned: i64, recovered: i64 },
    /// Matching money was pledged.
    Pledged(i64),
    /// Matching money arrived.
    Arrived(i64),
    /// An arrival of matching money was corrected away.
    ArrivalReversed(i64),
    /// A source was released from so much.
    PledgeReleased(i64),
    /// Spending was accepted.
    Accepted(i64),
    /// Accepted spending was disallowed after final acceptance, and is recovered.
    DisallowedAndRecovered(i64),
    /// A balance was given back.
    Refunded { minor: i64, from: Account },
    /// A balance is kept by rule.
    Retained(i64),
    /// The grant ended; what was never drawn went back.
    Ended(Undrawn),
    /// The grant was cancelled: as ended, and all that recipients have is recovered.
    Cancelled { undrawn: Undrawn, takes: Held },
    /// A recovery was determined.
    Determined(Held),
    /// A recovery was overturned: all goes back to where it was taken from.
    Overturned(Held),
    /// A recovery was repaid, or a part of it.
    Repaid(i64),
    /// What is outstanding of a recovery was given up.
    WrittenOff(i64),
}

/// What was contracted and never drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undrawn {
    pub(super) minor: i64,
    /// Whether the programme's year is over, so that it goes to the treasury.
    pub(super) to_treasury: bool,
}

/// What recipients hold, by how they hold it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) unspent: i64,
    pub(super) spent: i64,
    pub(super) retained: i64,
}

impl Held {
    /// All of it.
    pub(super) fn total(self) -> i64 {
        self.unspent + self.spent + self.retained
    }

    fn places(self) -> [(Account, i64); 3] {
        [
            (Account::RecipientUnspent, self.unspent),
            (Account::EligibleSpend, self.spent),
            (Account::RetainedByRule, self.retained),
        ]
    }
}

impl Effect {
    /// From which account to which, and how much.
    fn moves(self) -> Vec<(Account, Account, i64)> {
        use Account::{
            Available, Committed, EligibleSpend, Instructed, MatchArrived, MatchPledged, MatchSource,
            RecipientUnspent, Recoverable, Refunded, Reserved, RetainedByRule, Treasury, WrittenOff,
        };
        let back = |Undrawn { minor, to_treasury }: Undrawn| {
            (Committed, if to_treasury { Treasury } else { Available }, minor)
        };
        let taken = |takes: Held| takes.places().map(|(place, minor)| (place, Recoverable, minor));
        match self {
            Self::None => vec![],
            Self::Appropriated(minor) => vec![(Treasury, Available, minor)],
            Self::Imported(minor) => vec![(Treasury, Committed, minor)],
            Self::Approved(minor) => vec![(Available, Reserved, minor)],
            Self::Contracted { contracted, approved } => {
                vec![(Reserved, Committed, contracted), (Reserved, Available, approved - contracted)]
            }
            Self::Instructed(minor) => vec![(Committed, Instructed, minor)],
            Self::Settled(minor) => vec![(Instructed, RecipientUnspent, minor)],
            Self::ReturnedUnsettled(minor) => vec![(Instructed, Committed, minor)],
            Self::ReturnedSettled { returned, recovered } => {
                vec![(RecipientUnspent, Committed, returned), (RecipientUnspent, Recoverable, recovered)]
            }
            Self::Pledged(minor) => vec![(MatchSource, MatchPledged, minor)],
            Self::Arrived(minor) => vec![(MatchPledged, MatchArrived, minor)],
            Self::ArrivalReversed(minor) => vec![(MatchArrived, MatchPledged, minor)],
            Self::PledgeReleased(minor) => vec![(MatchPledged, MatchSource, minor)],
            Self::Accepted(minor) => vec![(RecipientUnspent, EligibleSpend, minor)],
            Self::DisallowedAndRecovered(minor) => vec![(EligibleSpend, Recoverable, minor)],
            Self::Refunded { minor, from } => vec![(from, Refunded, minor)],
            Self::Retained(minor) => vec![(RecipientUnspent, RetainedByRule, minor)],
            Self::Ended(undrawn) => vec![back(undrawn)],
            Self::Cancelled { undrawn, takes } => taken(takes).into_iter().chain([back(undrawn)]).collect(),
            Self::Determined(takes) => taken(takes).to_vec(),
            Self::Overturned(takes) => taken(takes).map(|(place, from, minor)| (from, place, minor)).to_vec(),
            Self::Repaid(minor) => vec![(Recoverable, Refunded, minor)],
            Self::WrittenOff(minor) => vec![(Recoverable, WrittenOff, minor)],
        }
    }

    /// How much more, or less, of the grant is contracted and not settled.
    pub(super) fn undrawn_change(self) -> i64 {
        let is_undrawn = |account| matches!(account, Account::Committed | Account::Instructed);
        let change = |account, minor: i64| if is_undrawn(account) { minor } else { 0 };
        self.moves().into_iter().map(|(from, to, minor)| change(to, minor) - change(from, minor)).sum()
    }

    /// Turnover: what was settled, less what came back.
    fn settled(self) -> i64 {
        match self {
            Self::Settled(minor) => minor,
            Self::ReturnedSettled { returned, .. } => -returned,
            _ => 0,
        }
    }
}

/// The accounts of one currency.
#[derive(Debug, Default)]
struct Accounts {
    balances: BTreeMap<Account, i64>,
    /// A turnover: what was settled less what came back.
    settled: i64,
}

impl Accounts {
    fn of(&self, account: Account) -> i64 {
        self.balances.get(&account).copied().unwrap_or_default()
    }
}

/// The accounts of every currency.
#[derive(Debug, Default)]
pub(super) struct Books(BTreeMap<String, Accounts>);

impl Books {
    /// Takes an accepted command in.
    pub(super) fn take(&mut self, currency: &str, effect: Effect) {
        if !self.0.contains_key(currency) {
            self.0.insert(currency.to_owned(), Accounts::default());
        }
        let Some(accounts) = self.0.get_mut(currency) else {
            return;
        };
        for (from, to, minor) in effect.moves() {
            *accounts.balances.entry(from).or_default() -= minor;
            *accounts.balances.entry(to).or_default() += minor;
        }
        accounts.settled += effect.settled();
    }

    /// What differs from the service's totals, one sentence each.
    pub(super) fn differences(&self, totals: &[Balance]) -> Vec<String> {
        let theirs: BTreeMap<&str, &Balance> =
            totals.iter().map(|total| (total.currency.as_str(), total)).collect();
        let mut differences = Vec::new();
        for (currency, ours) in &self.0 {
            let Some(total) = theirs.get(currency.as_str()) else {
                differences.push(format!("{currency}: the ledger has nothing in it"));
                continue;
            };
            let pairs = [
                ("appropriated", -ours.of(Account::Treasury), total.appropriated_minor),
                ("available", ours.of(Account::Available), total.available_minor),
                ("reserved", ours.of(Account::Reserved), total.reserved_minor),
                ("committed", ours.of(Account::Committed), total.committed_minor),
                ("instructed", ours.of(Account::Instructed), total.instructed_minor),
                ("recipient unspent", ours.of(Account::RecipientUnspent), total.recipient_unspent_minor),
                ("settled", ours.settled, total.settled_minor),
                ("eligible spend", ours.of(Account::EligibleSpend), total.eligible_spend_minor),
                ("recoverable", ours.of(Account::Recoverable), total.recoverable_minor),
                ("refunded", ours.of(Account::Refunded), total.refunded_minor),
                ("retained by rule", ours.of(Account::RetainedByRule), total.retained_by_rule_minor),
                ("written off", ours.of(Account::WrittenOff), total.written_off_minor),
                ("matching pledged", ours.of(Account::MatchPledged), total.match_pledged_minor),
                ("matching arrived", ours.of(Account::MatchArrived), total.match_arrived_minor),
            ];
            differences.extend(pairs.into_iter().filter(|(_, ours, theirs)| ours != theirs).map(
                |(account, ours, theirs)| {
                    format!(
                        "{currency} {account}: {ours} minor units by the demo's sums, {theirs} by the ledger"
                    )
                },
            ));
        }
        let unknown = theirs.keys().filter(|currency| !self.0.contains_key(**currency));
        differences.extend(
            unknown.map(|currency| format!("{currency}: the ledger has money that the demo did not send")),
        );
        differences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_life_comes_to_what_the_ledger_should_hold() {
        let mut books = Books::default();
        let held = |unspent, spent, retained| Held { unspent, spent, retained };
        for effect in [
            Effect::Appropriated(1_000),
            Effect::Approved(800),
            Effect::Contracted { contracted: 700, approved: 800 },
            Effect::Instructed(350),
            Effect::ReturnedUnsettled(350),
            Effect::Instructed(350),
            Effect::Settled(350),
            Effect::ReturnedSettled { returned: 350, recovered: 0 },
            Effect::Instructed(350),
            Effect::Settled(350),
            Effect::Imported(50),
            Effect::Pledged(90),
            Effect::Arrived(60),
            Effect::ArrivalReversed(10),
            Effect::PledgeReleased(5),
            Effect::Accepted(200),
            Effect::DisallowedAndRecovered(20),
            Effect::Repaid(15),
            Effect::WrittenOff(5),
            Effect::Retained(40),
            Effect::Refunded { minor: 10, from: Account::RetainedByRule },
            Effect::Refunded { minor: 10, from: Account::RecipientUnspent },
            Effect::Determined(held(30, 0, 0)),
            Effect::Overturned(held(30, 0, 0)),
            Effect::Cancelled {
                undrawn: Undrawn { minor: 350, to_treasury: true },
                takes: held(100, 180, 30),
            },
            Effect::Ended(Undrawn { minor: 50, to_treasury: false }),
        ] {
            books.take("CNY", effect);
        }
        let mut total = Balance {
            currency: "CNY".to_owned(),
            appropriated_minor: 700,
            available_minor: 350,
            settled_minor: 350,
            recoverable_minor: 310,
            refunded_minor: 35,
            written_off_minor: 5,
            match_pledged_minor: 35,
            match_arrived_minor: 50,
            ..Balance::default()
        };
        assert_eq!(books.differences(std::slice::from_ref(&total)), Vec::<String>::new());
        total.recoverable_minor = 309;
        assert_eq!(books.differences(&[total]).len(), 1);
        assert_eq!(books.differences(&[]).len(), 1);
    }

    #[test]
    fn what_is_undrawn_falls_with_each_payment_and_is_gone_with_the_end() {
        assert_eq!(Effect::Imported(100).undrawn_change(), 100);
        assert_eq!(Effect::Instructed(50).undrawn_change(), 0);
        assert_eq!(Effect::Settled(50).undrawn_change(), -50);
        assert_eq!(Effect::ReturnedSettled { returned: 30, recovered: 20 }.undrawn_change(), 30);
        let undrawn = Undrawn { minor: 80, to_treasury: true };
        assert_eq!(Effect::Ended(undrawn).undrawn_change(), -80);
        assert_eq!(Effect::Cancelled { undrawn, takes: Held::default() }.undrawn_change(), -80);
    }
}
