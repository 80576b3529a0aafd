//! The demo's own sums: what each account should hold, from what it sent and the service accepted. Nothing here is
//! read back from the service, so that the two can be compared.

use std::collections::BTreeMap;

use concord_proto::audit::v1::Balance;

/// What a command does to the money, once it is accepted. Amounts in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// No money moves.
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
    /// The bank sent it back after settlement.
    ReturnedSettled(i64),
}

/// The accounts of one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Accounts {
    pub(super) appropriated: i64,
    pub(super) available: i64,
    pub(super) reserved: i64,
    pub(super) committed: i64,
    pub(super) instructed: i64,
    pub(super) unspent: i64,
    /// A turnover: what was settled less what came back.
    pub(super) settled: i64,
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
        match effect {
            Effect::None => {}
            Effect::Appropriated(amount) => {
                accounts.appropriated += amount;
                accounts.available += amount;
            }
            Effect::Imported(amount) => {
                accounts.appropriated += amount;
                accounts.committed += amount;
            }
            Effect::Approved(amount) => {
                accounts.available -= amount;
                accounts.reserved += amount;
            }
            Effect::Contracted { contracted, approved } => {
                accounts.reserved -= approved;
                accounts.committed += contracted;
                accounts.available += approved - contracted;
            }
            Effect::Instructed(amount) => {
                accounts.committed -= amount;
                accounts.instructed += amount;
            }
            Effect::Settled(amount) => {
                accounts.instructed -= amount;
                accounts.unspent += amount;
                accounts.settled += amount;
            }
            Effect::ReturnedUnsettled(amount) => {
                accounts.instructed -= amount;
                accounts.committed += amount;
            }
            Effect::ReturnedSettled(amount) => {
                accounts.unspent -= amount;
                accounts.settled -= amount;
                accounts.committed += amount;
            }
        }
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
                ("appropriated", ours.appropriated, total.appropriated_minor),
                ("available", ours.available, total.available_minor),
                ("reserved", ours.reserved, total.reserved_minor),
                ("committed", ours.committed, total.committed_minor),
                ("instructed", ours.instructed, total.instructed_minor),
                ("recipient unspent", ours.unspent, total.recipient_unspent_minor),
                ("settled", ours.settled, total.settled_minor),
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
        for effect in [
            Effect::Appropriated(1_000),
            Effect::Approved(800),
            Effect::Contracted { contracted: 700, approved: 800 },
            Effect::Instructed(350),
            Effect::ReturnedUnsettled(350),
            Effect::Instructed(350),
            Effect::Settled(350),
            Effect::ReturnedSettled(350),
            Effect::Instructed(350),
            Effect::Imported(50),
        ] {
            books.take("CNY", effect);
        }
        let mut total = Balance {
            currency: "CNY".to_owned(),
            appropriated_minor: 1_050,
            available_minor: 300,
            committed_minor: 400,
            instructed_minor: 350,
            ..Balance::default()
        };
        assert_eq!(books.differences(std::slice::from_ref(&total)), Vec::<String>::new());
        total.instructed_minor = 349;
        assert_eq!(books.differences(&[total]).len(), 1);
        assert_eq!(books.differences(&[]).len(), 1);
    }
}
