//! The ledger, folded from the postings that the events mean, and what must hold of it at every position.

use std::collections::{BTreeMap, HashMap};

use concord_events::fund::FundEvent;
use concord_events::ledger::{Account, Line, Postings, postings};
use concord_kernel::id::{GrantId, ProgrammeId};
use concord_kernel::money::Currency;
use uuid::Uuid;

use super::faults::{Faults, Rule};

/// Minor units on each account, in the order of [`Account::ALL`], and then what was settled. Wider than the amounts, so
/// that no sum wraps.
pub(super) type Amounts = [i128; AMOUNTS.len()];

/// What the amounts are called where they are answered. The first is the treasury, with its sign turned.
pub(super) const AMOUNTS: [&str; Account::ALL.len() + 1] = [
    "appropriated_minor",
    "available_minor",
    "reserved_minor",
    "committed_minor",
    "instructed_minor",
    "recipient_unspent_minor",
    "settled_minor",
];

/// Place of the turnover that is no account.
const SETTLED: usize = Account::ALL.len();

/// Whose money it is: a grant's, or what of a programme belongs to no grant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Holder {
    pub(super) programme: Uuid,
    pub(super) grant: Option<Uuid>,
    pub(super) currency: String,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.grant {
            Some(grant) => write!(f, "grant {grant} of programme {}, {}", self.programme, self.currency),
            None => write!(f, "programme {} itself, {}", self.programme, self.currency),
        }
    }
}

/// The accounts over everything, of each programme and of each holder. What is available belongs to the programme.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    totals: BTreeMap<Currency, Amounts>,
    programmes: HashMap<ProgrammeId, (Currency, Amounts)>,
    holders: HashMap<(ProgrammeId, Option<GrantId>, Currency), Amounts>,
    lines: u64,
}

impl Ledger {
    /// Lines posted so far.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// What everybody holds, as it is answered.
    pub(super) fn holdings(&self) -> HashMap<Holder, Amounts> {
        let holding = |(&(programme, grant, currency), amounts): (
            &(ProgrammeId, Option<GrantId>, Currency),
            &Amounts,
        )| {
            let holder = Holder {
                programme: programme.0,
                grant: grant.map(|grant| grant.0),
                currency: currency.to_string(),
            };
            let mut amounts = *amounts;
            amounts[Account::Treasury as usize] *= -1;
            (holder, amounts)
        };
        self.holders.iter().map(holding).collect()
    }

    /// Takes an event in, and looks at every account that it moves.
    pub(super) fn take(&mut self, position: u64, event: &FundEvent, faults: &mut Faults) {
        if let Some(set) = postings(event) {
            self.post(position, &set, faults);
        }
    }

    fn post(&mut self, position: u64, set: &Postings, faults: &mut Faults) {
        if set.sum_minor() != 0 {
            faults.add(Rule::SetUnbalanced, position, 0, in_minor(set.sum_minor(), set.currency));
        }
        let (currency, programme) =
            self.programmes.entry(set.programme).or_insert((set.currency, Amounts::default()));
        if *currency != set.currency {
            let expected = format!("{currency} in programme {}", set.programme);
            faults.add(Rule::Currency, position, expected, set.currency);
        }
        self.lines += set.lines.len() as u64;
        let totals = self.totals.entry(set.currency).or_default();
        add(totals, &set.lines);
        add(programme, &set.lines);
        let mut look = |whose: &dyn Fn() -> String, amounts: &Amounts, lines: &[Line]| {
            negative(position, whose, amounts, lines, set.currency, faults);
        };
        look(&|| "all".to_owned(), totals, &set.lines);
        look(&|| format!("programme {}", set.programme), programme, &set.lines);
        // What is available belongs to no grant, whichever took it or gave it back.
        let (of_grant, of_none): (Vec<Line>, Vec<Line>) =
            set.lines.iter().partition(|line| set.grant.is_some() && line.account != Account::Available);
        for (grant, lines) in [(set.grant, of_grant), (None, of_none)] {
            if lines.is_empty() {
                continue;
            }
            let holder = self.holders.entry((set.programme, grant, set.currency)).or_default();
            add(holder, &lines);
            if let Some(id) = grant {
                look(&|| format!("grant {id}"), holder, &lines);
            }
        }
        chain(position, "all", totals, set.currency, faults);
        chain(position, &format!("programme {}", set.programme), programme, set.currency, faults);
    }
}

fn add(amounts: &mut Amounts, lines: &[Line]) {
    for line in lines {
        let minor = i128::from(line.amount_minor);
        amounts[line.account as usize] += minor;
        if line.settles {
            amounts[SETTLED] += minor;
        }
    }
}

/// No account falls below zero; only those that the lines move can have.
fn negative(
    position: u64,
    whose: &dyn Fn() -> String,
    amounts: &Amounts,
    lines: &[Line],
    currency: Currency,
    faults: &mut Faults,
) {
    for (account, balance) in Account::ALL.into_iter().zip(amounts) {
        if *balance < 0 && !account.is_contra() && lines.iter().any(|line| line.account == account) {
            let found = format!("{} on {} of {}", in_minor(*balance, currency), account.code(), whose());
            faults.add(Rule::AccountNegative, position, "0 or more", found);
        }
    }
}

/// What was appropriated, the treasury with its sign turned, equals the sum of all the others.
fn chain(position: u64, whose: &str, amounts: &Amounts, currency: Currency, faults: &mut Faults) {
    let (treasury, others) = Account::ALL.into_iter().zip(amounts).fold(
        (0, 0),
        |(treasury, others): (i128, i128), (account, balance)| match account {
            Account::Treasury => (treasury + balance, others),
            _ => (treasury, others + balance),
        },
    );
    if -treasury != others {
        let expected = format!("{} in the other accounts of {whose}", in_minor(-treasury, currency));
        faults.add(Rule::ChainUnbalanced, position, expected, in_minor(others, currency));
    }
}

fn in_minor(minor: i128, currency: Currency) -> String {
    format!("{minor} minor units of {currency}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    const CNY: &str = "CNY";

    fn set(grant: Option<u128>, moves: &[(Account, i64)]) -> Postings {
        Postings {
            programme: ProgrammeId(Uuid::from_u128(1)),
            grant: grant.map(|id| GrantId(Uuid::from_u128(id))),
            currency: Currency::try_from(CNY).unwrap(),
            lines: moves
                .iter()
                .map(|&(account, amount_minor)| Line { account, amount_minor, settles: false })
                .collect(),
        }
    }

    fn found(sets: &[Postings]) -> Vec<(Rule, u64)> {
        let (mut ledger, mut faults) = (Ledger::default(), Faults::default());
        for (set, position) in sets.iter().zip(1..) {
            ledger.post(position, set, &mut faults);
        }
        let first = |kind: &super::super::faults::Kind| kind.first.first().map_or(0, |fault| fault.position);
        faults.iter().map(|(rule, kind)| (rule, first(kind))).collect()
    }

    #[test]
    fn a_grant_may_take_what_is_available_and_not_more_than_its_own() {
        use Account::{Available, Committed, Instructed, Reserved, Treasury};
        let appropriated = set(None, &[(Available, 100), (Treasury, -100)]);
        let approved = |grant, amount| set(Some(grant), &[(Reserved, amount), (Available, -amount)]);
        let contracted = |grant, amount| set(Some(grant), &[(Committed, amount), (Reserved, -amount)]);
        assert_eq!(found(&[appropriated.clone(), approved(2, 60), approved(3, 40), contracted(2, 60)]), []);
        assert_eq!(
            found(&[appropriated.clone(), approved(2, 60), approved(3, 41)]),
            [(Rule::AccountNegative, 3)]
        );
        // The programme has so much reserved, but not for this grant.
        let other = [appropriated, approved(2, 60), contracted(3, 60)];
        assert_eq!(found(&other), [(Rule::AccountNegative, 3)]);
        assert_eq!(found(&[set(Some(2), &[(Instructed, 5), (Committed, -5)])]), [(Rule::AccountNegative, 1)]);
    }

    #[test]
    fn a_set_that_does_not_add_up_shows_in_the_chain_too() {
        use Account::{Available, Treasury};
        let lopsided = set(None, &[(Available, 101), (Treasury, -100)]);
        assert_eq!(found(&[lopsided]), [(Rule::SetUnbalanced, 1), (Rule::ChainUnbalanced, 1)]);
    }

    #[test]
    fn a_programme_keeps_its_currency() {
        use Account::{Available, Treasury};
        let yuan = set(None, &[(Available, 1), (Treasury, -1)]);
        let euro = Postings { currency: Currency::try_from("EUR").unwrap(), ..yuan.clone() };
        assert_eq!(found(&[yuan, euro]), [(Rule::Currency, 2)]);
    }
}
