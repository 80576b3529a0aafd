//! The ledger, folded from the postings that the events mean, and what must hold of it at every position.

use std::collections::{BTreeMap, HashMap};

use concord_events::fund::FundEvent;
use concord_events::ledger::{Account, Chain, Line, Postings, postings};
use concord_kernel::id::{GrantId, ProgrammeId};
use concord_kernel::money::Currency;
use concord_kernel::party::PartyId;
use uuid::Uuid;

use super::faults::{Faults, Rule};

/// Minor units on each account, in the order of [`Account::ALL`], and then what was settled. Wider than the amounts, so
/// that no sum wraps.
type Amounts = [i128; Account::ALL.len() + 1];

/// Place of the turnover that is no account.
const SETTLED: usize = Account::ALL.len();

/// The amounts that are answered: what each is called, and where it stands. The treasury is answered with its sign turned.
const ANSWERED: [(&str, usize); 14] = [
    ("appropriated_minor", Account::Treasury as usize),
    ("available_minor", Account::Available as usize),
    ("reserved_minor", Account::Reserved as usize),
    ("committed_minor", Account::Committed as usize),
    ("instructed_minor", Account::Instructed as usize),
    ("recipient_unspent_minor", Account::RecipientUnspent as usize),
    ("eligible_spend_minor", Account::EligibleSpend as usize),
    ("recoverable_minor", Account::Recoverable as usize),
    ("refunded_minor", Account::Refunded as usize),
    ("retained_by_rule_minor", Account::RetainedByRule as usize),
    ("written_off_minor", Account::WrittenOff as usize),
    ("match_pledged_minor", Account::MatchPledged as usize),
    ("match_arrived_minor", Account::MatchArrived as usize),
    ("settled_minor", SETTLED),
];

/// What the amounts are called where they are answered.
pub(super) const AMOUNTS: [&str; ANSWERED.len()] = {
    let mut names = [""; ANSWERED.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = ANSWERED[index].0;
        index += 1;
    }
    names
};

/// The amounts as they are answered, in the order of [`AMOUNTS`].
pub(super) type Answer = [i128; ANSWERED.len()];

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

/// The accounts over everything, of each programme, of each holder, and of each party of a grant. What is available belongs
/// to the programme.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    totals: BTreeMap<Currency, Amounts>,
    programmes: HashMap<ProgrammeId, (Currency, Amounts)>,
    holders: HashMap<(ProgrammeId, Option<GrantId>, Currency), Amounts>,
    /// What each party of a grant holds; none is its lead.
    parties: HashMap<(GrantId, Option<PartyId>), Amounts>,
    leads: HashMap<GrantId, PartyId>,
    lines: u64,
}

impl Ledger {
    /// Lines posted so far.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// What everybody holds, as it is answered.
    pub(super) fn holdings(&self) -> HashMap<Holder, Answer> {
        let holding = |(&(programme, grant, currency), amounts): (
            &(ProgrammeId, Option<GrantId>, Currency),
            &Amounts,
        )| {
            let holder = Holder {
                programme: programme.0,
                grant: grant.map(|grant| grant.0),
                currency: currency.to_string(),
            };
            let mut answer = ANSWERED.map(|(_, index)| amounts[index]);
            answer[0] = -answer[0];
            (holder, answer)
        };
        self.holders.iter().map(holding).collect()
    }

    /// Takes an event in, and looks at every account that it moves.
    pub(super) fn take(&mut self, position: u64, event: &FundEvent, faults: &mut Faults) {
        if let FundEvent::GrantApplied { grant, lead, .. } | FundEvent::AwardImported { grant, lead, .. } =
            event
        {
            self.leads.insert(*grant, lead.party);
        }
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
        for (grant, lines) in grouped(&set.lines, |line| line.grant) {
            let holder = self.holders.entry((set.programme, grant, set.currency)).or_default();
            add(holder, &lines);
            let Some(grant) = grant else { continue };
            // Each party by itself: what one has may not hide that another has less than nothing.
            let lead = self.leads.get(&grant).copied();
            for (party, lines) in grouped(&lines, |line| line.party.filter(|party| Some(*party) != lead)) {
                let held = self.parties.entry((grant, party)).or_default();
                add(held, &lines);
                let whose = || match party {
                    Some(party) => format!("party {party} of grant {grant}"),
                    None => format!("grant {grant}"),
                };
                look(&whose, held, &lines);
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

/// The accounts of each chain add up to zero: what was appropriated, the treasury with its sign turned, equals the sum of all
/// the others, and what was promised to match equals what is awaited and what arrived.
fn chain(position: u64, whose: &str, amounts: &Amounts, currency: Currency, faults: &mut Faults) {
    for (chain, what) in [(Chain::Fund, "the other accounts"), (Chain::Matching, "the matching accounts")] {
        let of_chain =
            || Account::ALL.into_iter().zip(amounts).filter(|(account, _)| account.chain() == chain);
        let (contra, others): (Vec<_>, Vec<_>) = of_chain().partition(|(account, _)| account.is_contra());
        let sum = |accounts: &[(Account, &i128)]| accounts.iter().map(|(_, balance)| **balance).sum::<i128>();
        let (source, others) = (-sum(&contra), sum(&others));
        if source != others {
            let expected = format!("{} in {what} of {whose}", in_minor(source, currency));
            faults.add(Rule::ChainUnbalanced, position, expected, in_minor(others, currency));
        }
    }
}

/// The lines that have the same key together, in the order in which the keys come first.
fn grouped<K: PartialEq>(lines: &[Line], key: impl Fn(&Line) -> K) -> Vec<(K, Vec<Line>)> {
    let mut groups: Vec<(K, Vec<Line>)> = Vec::new();
    for line in lines {
        let key = key(line);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(*line),
            None => groups.push((key, vec![*line])),
        }
    }
    groups
}

fn in_minor(minor: i128, currency: Currency) -> String {
    format!("{minor} minor units of {currency}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    const CNY: &str = "CNY";

    /// A set whose lines are a grant's, but for the programme's own.
    fn set(grant: Option<u128>, moves: &[(Account, i64)]) -> Postings {
        let of = |account| {
            grant
                .filter(|_| account != Account::Available && account != Account::Treasury)
                .map(|id| GrantId(Uuid::from_u128(id)))
        };
        Postings {
            programme: ProgrammeId(Uuid::from_u128(1)),
            currency: Currency::try_from(CNY).unwrap(),
            counts_from: None,
            lines: moves
                .iter()
                .map(|&(account, amount_minor)| Line {
                    account,
                    grant: of(account),
                    party: None,
                    amount_minor,
                    settles: false,
                })
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
    fn no_party_of_a_grant_lives_on_what_another_holds() {
        use Account::{Available, EligibleSpend, RecipientUnspent};
        let paid = set(Some(2), &[(RecipientUnspent, 100), (Available, -100)]);
        let held_by = |party: Option<u128>, line: Line| Line {
            party: party.map(|id| PartyId(Uuid::from_u128(id))),
            ..line
        };
        let by = |party, set: &Postings| Postings {
            lines: set.lines.iter().map(|line| held_by(party, *line)).collect(),
            ..set.clone()
        };
        let spent = set(Some(2), &[(EligibleSpend, 60), (RecipientUnspent, -60)]);
        let appropriated = set(None, &[(Available, 100), (Account::Treasury, -100)]);
        assert_eq!(found(&[appropriated.clone(), paid.clone(), spent.clone()]), []);
        assert_eq!(
            found(&[appropriated.clone(), paid.clone(), by(Some(7), &spent)]),
            [(Rule::AccountNegative, 3)]
        );
        let mut passed_on = set(Some(2), &[(RecipientUnspent, 60), (RecipientUnspent, -60)]);
        passed_on.lines[0] = held_by(Some(7), passed_on.lines[0]);
        let sets = [appropriated, paid, passed_on, by(Some(7), &spent)];
        assert_eq!(found(&sets), []);
        // What is left with the lead is 40.
        let more = [&sets[..], &[spent]].concat();
        assert_eq!(found(&more), [(Rule::AccountNegative, 5)]);
    }

    #[test]
    fn a_lead_is_one_party_whether_it_is_named_or_not() {
        let lead = PartyId(Uuid::from_u128(7));
        let mut ledger = Ledger::default();
        ledger.leads.insert(GrantId(Uuid::from_u128(2)), lead);
        let mut faults = Faults::default();
        let paid = set(Some(2), &[(Account::RecipientUnspent, 10), (Account::Treasury, -10)]);
        let mut spent = set(Some(2), &[(Account::EligibleSpend, 10), (Account::RecipientUnspent, -10)]);
        for line in &mut spent.lines {
            line.party = Some(lead);
        }
        ledger.post(1, &paid, &mut faults);
        ledger.post(2, &spent, &mut faults);
        assert_eq!(faults.count(), 0);
    }

    #[test]
    fn the_chains_add_up_each_by_itself() {
        use Account::{Available, MatchPledged};
        let across = set(None, &[(Available, 5), (MatchPledged, -5)]);
        let rules = found(&[across]);
        assert_eq!(rules, [(Rule::AccountNegative, 1), (Rule::ChainUnbalanced, 1)]);
    }

    #[test]
    fn a_programme_keeps_its_currency() {
        use Account::{Available, Treasury};
        let yuan = set(None, &[(Available, 1), (Treasury, -1)]);
        let euro = Postings { currency: Currency::try_from("EUR").unwrap(), ..yuan.clone() };
        assert_eq!(found(&[yuan, euro]), [(Rule::Currency, 2)]);
    }
}
