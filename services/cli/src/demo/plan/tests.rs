//! Plans of many made-up grants, and a referee that knows the rules by itself: what it refuses, a service would refuse.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::import::tranches;

/// Grants of so many shapes: alone and with partners, with and without costs, agreements and a known end.
fn lives() -> Vec<(Life, Given)> {
    let days = quarters();
    (0..4_000_u32).map(|number| planned(number, &days)).collect()
}

/// What the referee knows of a grant.
struct Given {
    key: String,
    award: i64,
    shares: Vec<i64>,
    tranches: Vec<PlannedTranche>,
    lost: Option<usize>,
    suspended: Option<(usize, usize)>,
    starts_on: Option<Date>,
    days: Vec<Date>,
}

fn planned(number: u32, days: &[Date]) -> (Life, Given) {
    let key = number.to_string();
    let roll = ids::spread(&format!("test/{key}"));
    let award = [1, 7, 100, 99_999, 150_000_000][(roll % 5) as usize] + i64::from(number);
    let imported = (roll / 10 % 34) as usize;
    let starts_on: Date = days[imported].first_of_month();
    let length = [0, 1, 3, 6, 11, 15][(roll / 1_000 % 6) as usize];
    let ends_on = (!(roll / 10_000).is_multiple_of(20))
        .then(|| days.get(imported + length).copied().unwrap_or_else(|| "2025-06-30".parse().unwrap()));
    let partners = [0, 0, 1, 2, 7][(roll / 100_000 % 5) as usize];
    // Of some the shares add up to more than the award.
    let shares: Vec<i64> =
        (0..partners).map(|partner| award / (partner + 2)).filter(|share| *share > 0).collect();
    let turn = imported + 1 + (roll / 1_000_000 % 8) as usize;
    let agreement = match roll / 10_000_000 % 5 {
        0 => Some(AgreementFate::Outlasts),
        1 if turn < days.len() => Some(AgreementFate::Terminated(turn)),
        2 if turn < days.len() => Some(AgreementFate::RunsOut(turn)),
        3 if turn + 2 < days.len() => Some(AgreementFate::Suspended(turn, turn + 2)),
        _ => None,
    };
    let tranches = tranches::plan(award, starts_on, ends_on);
    let facts = Facts {
        key: &key,
        award_minor: award,
        cost_minor: (roll / 100_000_000).is_multiple_of(2).then_some(award * 2),
        budget_year: i32::from(starts_on.year()),
        starts_on: Some(starts_on),
        ends_on,
        imported,
        ending: ends_on.and_then(|ends_on| quarter_of(ends_on, days)),
        shares: &shares,
        tranches: &tranches,
        agreement,
        days,
    };
    let life = life(&facts);
    assert_eq!(life, super::life(&facts), "every run plans the same");
    let (lost, suspended) = match agreement {
        Some(AgreementFate::Terminated(from) | AgreementFate::RunsOut(from)) => (Some(from), None),
        Some(AgreementFate::Suspended(from, until)) => (None, Some((from, until))),
        _ => (None, None),
    };
    let given = Given {
        key,
        award,
        shares,
        tranches,
        lost,
        suspended,
        starts_on: Some(starts_on),
        days: days.to_vec(),
    };
    (life, given)
}

#[test]
fn quarters_end_on_their_last_day() {
    let quarters = quarters();
    assert_eq!(quarters.len(), 36);
    assert_eq!(quarters[0].to_string(), "2014-03-31");
    assert_eq!(quarters[35].to_string(), "2022-12-31");
    assert_eq!(quarter_of("2014-04-01".parse().unwrap(), &quarters), Some(1));
    assert_eq!(quarter_of("2010-01-01".parse().unwrap(), &quarters), Some(0));
    assert_eq!(quarter_of("2023-01-01".parse().unwrap(), &quarters), None);
}

#[test]
fn time_only_goes_forward() {
    for (life, given) in lives() {
        assert!(life.steps.is_sorted_by_key(|(quarter, _)| *quarter), "{}", given.key);
        assert_eq!(life.steps[0].1, Step::VerifyPayee);
        assert!(life.steps.iter().all(|(quarter, _)| *quarter < 36));
    }
}

/// As they are planned; and with what is done about recoveries before all else of its quarter, and after it: commands about two
/// aggregates keep no order.
#[test]
fn no_step_is_one_that_the_rules_refuse() {
    for (life, given) in lives() {
        for recoveries in [None, Some(0), Some(2)] {
            let rank =
                |step: &Step| if matches!(step, Step::Recover(..)) { recoveries.unwrap_or(1) } else { 1 };
            let mut steps = life.steps.clone();
            steps.sort_by_key(|(quarter, step)| (*quarter, rank(step)));
            let mut referee = Referee::of(&life, &given);
            for (quarter, step) in steps {
                referee.judge(quarter, step);
            }
            assert_eq!(referee.ended, life.ended, "{}", given.key);
        }
    }
}

#[test]
fn every_kind_of_step_and_of_end_occurs() {
    let lives = lives();
    let count = |wanted: fn(&Step) -> bool| {
        lives.iter().flat_map(|(life, _)| &life.steps).filter(|(_, step)| wanted(step)).count()
    };
    use ClosingStep::{CheckMidterm, Close, Conclude, Evaluate, Refund, Retain, Terminate};
    let of_money = [
        count(|step| matches!(step, Step::Money(MoneyStep::Pledge(_)))),
        count(|step| matches!(step, Step::Money(MoneyStep::Arrive { .. }))),
        count(|step| matches!(step, Step::Money(MoneyStep::Release { .. }))),
        count(|step| matches!(step, Step::Money(MoneyStep::Pass { .. }))),
        count(|step| matches!(step, Step::Money(MoneyStep::Accept(_)))),
        count(|step| matches!(step, Step::Money(MoneyStep::Disallow { is_recovered: false, .. }))),
        count(|step| matches!(step, Step::Money(MoneyStep::Disallow { is_recovered: true, .. }))),
        count(|step| matches!(step, Step::ReturnShort { .. })),
    ];
    assert!(of_money.iter().all(|steps| *steps > 2), "{of_money:?}");
    let of_ends = [
        count(|step| matches!(step, Step::Closing(CheckMidterm))),
        count(|step| matches!(step, Step::Closing(Conclude(1, Conclusion::Rectify)))),
        count(|step| matches!(step, Step::Closing(Conclude(2, Conclusion::Passed)))),
        count(|step| matches!(step, Step::Closing(Conclude(_, Conclusion::Failed(_))))),
        count(|step| matches!(step, Step::Closing(Retain { .. }))),
        count(|step| matches!(step, Step::Closing(Refund { was_retained: true, .. }))),
        count(|step| matches!(step, Step::Closing(Refund { was_retained: false, .. }))),
        count(|step| matches!(step, Step::Closing(Close { has_refund_day: true, .. }))),
        count(|step| matches!(step, Step::Closing(Evaluate))),
        count(|step| matches!(step, Step::Closing(Terminate(_)))),
        count(|step| matches!(step, Step::Closing(ClosingStep::Cancel { .. }))),
    ];
    assert!(of_ends.iter().all(|steps| *steps > 2), "{of_ends:?}");
    let of_recoveries = [
        count(|step| matches!(step, Step::Recover(Claim::Failed(_), Pursuit::Determine { .. }))),
        count(|step| matches!(step, Step::Recover(Claim::Kept { .. }, Pursuit::Determine { .. }))),
        count(|step| matches!(step, Step::Recover(Claim::Short(..), Pursuit::Demand))),
        count(|step| matches!(step, Step::Recover(Claim::Cancelled, Pursuit::Demand))),
        count(|step| matches!(step, Step::Recover(_, Pursuit::Repay { part: 2, .. }))),
        count(|step| matches!(step, Step::Recover(_, Pursuit::Uphold))),
        count(|step| matches!(step, Step::Recover(_, Pursuit::Overturn(_)))),
        count(|step| matches!(step, Step::Recover(_, Pursuit::WriteOff(_)))),
    ];
    assert!(of_recoveries.iter().all(|steps| *steps > 2), "{of_recoveries:?}");
}

/// Where a tranche stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum At {
    #[default]
    Planned,
    Requested,
    Authorised,
    Instructed,
    Settled,
    Returned,
}

/// Follows a life by the rules of the fund, with sums of its own.
struct Referee<'a> {
    life: &'a Life,
    given: &'a Given,
    tranches: BTreeMap<u32, At>,
    committed: i64,
    unspent: Vec<i64>,
    spent: Vec<i64>,
    retained: Vec<i64>,
    passed: Vec<i64>,
    /// Reported items that are not decided.
    open: BTreeSet<usize>,
    accepted: BTreeSet<usize>,
    invoiced: BTreeMap<u32, i64>,
    /// What arrived, by source and instalment, and what was released.
    arrived: BTreeMap<(u32, usize), i64>,
    released: BTreeSet<u32>,
    pledged: BTreeSet<u32>,
    /// 0 running, 1 completed, 2 rectifying, 3 passed, 4 failed.
    progress: u8,
    ended: Option<usize>,
    closed: bool,
    /// What is outstanding of each recovery, whether it was demanded, and whether an appeal is open.
    recoveries: BTreeMap<String, (i64, bool, bool)>,
}

impl<'a> Referee<'a> {
    fn of(life: &'a Life, given: &'a Given) -> Self {
        let parties = given.shares.len() + 1;
        Self {
            life,
            given,
            tranches: BTreeMap::new(),
            committed: given.award,
            unspent: vec![0; parties],
            spent: vec![0; parties],
            retained: vec![0; parties],
            passed: vec![0; parties],
            open: BTreeSet::new(),
            accepted: BTreeSet::new(),
            invoiced: BTreeMap::new(),
            arrived: BTreeMap::new(),
            released: BTreeSet::new(),
            pledged: BTreeSet::new(),
            progress: 0,
            ended: None,
            closed: false,
            recoveries: BTreeMap::new(),
        }
    }

    fn judge(&mut self, quarter: usize, step: Step) {
        let key = &self.given.key;
        match step {
            Step::VerifyPayee => {}
            Step::Pay(payment) => self.pay(quarter, payment, None),
            Step::ReturnShort { tranche, attempt, returned, recovered } => {
                assert!(recovered > 0, "{key}");
                self.pay(quarter, Payment::ReturnSettled(tranche, attempt), Some(returned));
                self.recoveries.insert(Claim::Short(tranche, attempt).to_string(), (recovered, false, false));
            }
            Step::Money(step) => self.money(quarter, step),
            Step::Closing(step) => self.closing(quarter, step),
            Step::Recover(claim, pursuit) => self.pursue(claim, pursuit),
        }
        let holdings = [&self.unspent, &self.spent, &self.retained];
        let is_sound = holdings.into_iter().flatten().all(|minor| *minor >= 0) && self.committed >= 0;
        assert!(is_sound, "{} goes below zero with {step:?}", self.given.key);
    }

    fn minor(&self, tranche: u32) -> i64 {
        self.given.tranches.iter().find(|planned| planned.number == tranche).unwrap().amount_minor
    }

    fn pay(&mut self, quarter: usize, payment: Payment, returned: Option<i64>) {
        let key = &self.given.key;
        let (tranche, minor) = (payment.tranche(), self.minor(payment.tranche()));
        let (from, to): (&[At], At) = match payment {
            Payment::Request(_) => (&[At::Planned], At::Requested),
            Payment::Authorise(_) => (&[At::Requested], At::Authorised),
            Payment::Instruct(_, 1) => (&[At::Authorised], At::Instructed),
            Payment::Instruct(..) => (&[At::Returned], At::Instructed),
            Payment::Settle(..) => (&[At::Instructed], At::Settled),
            Payment::ReturnUnsettled(..) => (&[At::Instructed], At::Returned),
            Payment::ReturnSettled(..) => (&[At::Settled], At::Returned),
        };
        let at = self.tranches.entry(tranche).or_default();
        assert!(from.contains(at), "{key}: {payment:?} from {at:?}");
        *at = to;
        assert!(self.ended.is_none(), "{key}: paid after its end");
        if matches!(payment, Payment::Request(_) | Payment::Authorise(_) | Payment::Instruct(..)) {
            assert!(self.progress != 4, "{key}: paid after it failed");
            assert!(self.given.lost.is_none_or(|lost| quarter < lost), "{key}: paid on hold");
            let is_suspended =
                self.given.suspended.is_some_and(|(from, until)| (from..until).contains(&quarter));
            assert!(!is_suspended, "{key}: paid while suspended");
        }
        match payment {
            Payment::Request(_) | Payment::Authorise(_) => self.a03(quarter, tranche),
            Payment::Instruct(..) => self.committed -= minor,
            Payment::Settle(..) => self.unspent[LEAD] += minor,
            Payment::ReturnUnsettled(..) => self.committed += minor,
            Payment::ReturnSettled(..) => {
                // It takes what the lead holds, and the rest from what the partners do.
                let back = self.unspent[LEAD].min(minor);
                assert_eq!(back, returned.unwrap_or(minor), "{key}");
                assert!(
                    self.accepted.is_empty() || back == minor,
                    "{key}: spending would be recovered first"
                );
                self.unspent[LEAD] -= back;
                self.committed += back;
                let mut rest = minor - back;
                for held in &mut self.unspent[1..] {
                    let taken = rest.min(*held);
                    *held -= taken;
                    rest -= taken;
                }
                assert_eq!(rest, 0, "{key}");
            }
        }
    }

    /// A03, in the words of the rule: the ratio over all, and each class up to date.
    fn a03(&self, quarter: usize, tranche: u32) {
        if tranche < 2 || self.pledged.is_empty() {
            return;
        }
        let (mut pledged, mut arrived) = (0_i64, 0_i64);
        for source in &self.life.matching.sources {
            for (place, instalment) in source.instalments.iter().enumerate() {
                let come = self.arrived.get(&(source.number, place)).copied().unwrap_or_default();
                let owed = if self.released.contains(&source.number) { come } else { instalment.minor };
                let is_due = instalment.due <= quarter;
                assert!(!is_due || come == owed, "{}: instalment overdue (A03)", self.given.key);
                (pledged, arrived) = (pledged + owed, arrived + come);
            }
        }
        let percent = if tranche == 2 { 60 } else { 100 };
        assert!(arrived * 100 >= pledged * percent, "{}: ratio (A03)", self.given.key);
    }

    fn money(&mut self, quarter: usize, step: MoneyStep) {
        let key = self.given.key.clone();
        match step {
            MoneyStep::Pledge(source) => assert!(self.pledged.insert(source)),
            MoneyStep::Arrive { source, instalment, minor } => {
                let place = usize::try_from(instalment).unwrap() - 1;
                let of = self.life.matching.sources[usize::try_from(source).unwrap() - 1].instalments[place];
                let come = self.arrived.entry((source, place)).or_default();
                *come += minor;
                assert!(minor > 0 && *come <= of.minor && !self.released.contains(&source), "{key}");
            }
            MoneyStep::Release { source, minor } => {
                assert!(minor > 0 && self.released.insert(source), "{key}");
            }
            MoneyStep::Pass { to, minor, .. } => {
                assert!(to != LEAD && minor > 0 && self.ended.is_none(), "{key}");
                self.passed[to] += minor;
                assert!(self.passed[to] <= self.given.shares[to - 1], "{key}: more than its share");
                self.unspent[LEAD] -= minor;
                self.unspent[to] += minor;
                assert!(self.reported(LEAD) <= self.unspent[LEAD], "{key}: reported, and passed on");
            }
            MoneyStep::Report(place) => {
                let item = self.life.items[place];
                assert!(item.minor > 0 && item.spent_on <= self.given.days[quarter], "{key}");
                assert!(self.open.insert(place));
                assert!(self.reported(item.party) <= self.unspent[item.party], "{key}: more than it holds");
                if let Some(invoice) = item.invoice {
                    let taken = self.invoiced.entry(invoice).or_default();
                    *taken += item.minor;
                    let total = self.life.invoices[usize::try_from(invoice).unwrap()];
                    assert!(*taken <= total, "{key}: more than the invoice");
                }
            }
            MoneyStep::Accept(place) => {
                let item = self.life.items[place];
                assert!(self.open.remove(&place) && self.accepted.insert(place), "{key}");
                self.unspent[item.party] -= item.minor;
                self.spent[item.party] += item.minor;
            }
            MoneyStep::Disallow { item: place, is_recovered } => {
                let item = self.life.items[place];
                assert_eq!(self.accepted.remove(&place), is_recovered, "{key}");
                assert_eq!(self.open.remove(&place), !is_recovered, "{key}");
                if is_recovered {
                    assert!(self.progress >= 3 || self.ended.is_some(), "{key}: it would be unspent again");
                    self.spent[item.party] -= item.minor;
                    let claim = Claim::Disallowed(place).to_string();
                    self.recoveries.insert(claim, (item.minor, false, false));
                }
            }
        }
    }

    fn reported(&self, party: usize) -> i64 {
        let items = self.open.iter().map(|place| self.life.items[*place]);
        items.filter(|item| item.party == party).map(|item| item.minor).sum()
    }

    fn closing(&mut self, quarter: usize, step: ClosingStep) {
        let key = self.given.key.clone();
        let with_the_bank = self.tranches.values().any(|at| *at == At::Instructed);
        match step {
            ClosingStep::CheckMidterm => assert!(self.progress == 0 && self.ended.is_none(), "{key}"),
            ClosingStep::Complete(_) => {
                assert!([0, 2].contains(&self.progress) && self.ended.is_none(), "{key}");
                self.progress = 1;
            }
            ClosingStep::Conclude(round, conclusion) => {
                assert!(self.progress == 1 && self.ended.is_none(), "{key}");
                self.progress = match conclusion {
                    Conclusion::Rectify => 2,
                    Conclusion::Passed => 3,
                    Conclusion::Failed(_) => 4,
                };
                assert!(round == 1 || conclusion != Conclusion::Rectify, "{key}: put right once");
            }
            ClosingStep::Retain { party, minor } => {
                assert!(self.progress == 3 && minor > 0, "{key}");
                self.unspent[party] -= minor;
                self.retained[party] += minor;
            }
            ClosingStep::Refund { party, minor, was_retained } => {
                let held = if was_retained { &mut self.retained } else { &mut self.unspent };
                held[party] -= minor;
                assert!(minor > 0, "{key}");
            }
            ClosingStep::Close { undrawn, has_refund_day } => {
                let open = [At::Requested, At::Authorised, At::Instructed];
                assert!(self.tranches.values().all(|at| !open.contains(at)), "{key}: open tranche");
                assert!(self.progress >= 3 && self.ended.is_none(), "{key}");
                assert!(self.open.is_empty(), "{key}: reported and not decided");
                assert_eq!(has_refund_day, self.unspent.iter().any(|minor| *minor > 0), "{key}: A10");
                self.closed = true;
                self.end(quarter, undrawn);
            }
            ClosingStep::Evaluate => assert!(self.closed, "{key}"),
            ClosingStep::Terminate(undrawn) => {
                assert!(!with_the_bank && self.ended.is_none(), "{key}");
                self.end(quarter, undrawn);
            }
            ClosingStep::Cancel { undrawn, takes } => {
                assert!(!with_the_bank && self.ended.is_none(), "{key}");
                self.end(quarter, undrawn);
                let sum = |held: &mut Vec<i64>| -> i64 { held.iter_mut().map(std::mem::take).sum() };
                let taken = [sum(&mut self.unspent), sum(&mut self.spent), sum(&mut self.retained)];
                assert_eq!(taken, [takes.unspent, takes.spent, takes.retained], "{key}");
                // What recipients had been allowed is recovered with the rest.
                self.accepted.clear();
                if takes.total() > 0 {
                    self.recoveries.insert(Claim::Cancelled.to_string(), (takes.total(), false, false));
                }
            }
        }
    }

    fn end(&mut self, quarter: usize, undrawn: Undrawn) {
        assert_eq!(undrawn.minor, std::mem::take(&mut self.committed), "{}", self.given.key);
        let began = i32::from(self.given.starts_on.unwrap().year());
        assert_eq!(undrawn.to_treasury, began < i32::from(self.given.days[quarter].year()));
        self.ended = Some(quarter);
    }

    fn pursue(&mut self, claim: Claim, pursuit: Pursuit) {
        let key = &self.given.key;
        let name = claim.to_string();
        if let Pursuit::Determine { party, takes } = pursuit {
            self.unspent[party] -= takes.unspent;
            self.spent[party] -= takes.spent;
            self.retained[party] -= takes.retained;
            let first = self.recoveries.insert(name, (takes.total(), false, false));
            assert!(first.is_none() && takes.total() > 0, "{key}: determined twice, or nothing");
            return;
        }
        let (outstanding, is_demanded, is_appealed) = self.recoveries.get_mut(&name).unwrap();
        assert!(*outstanding > 0, "{key}: nothing is outstanding");
        assert_eq!(*is_demanded, pursuit != Pursuit::Demand, "{key}: demanded once, and first");
        let decides = matches!(pursuit, Pursuit::Uphold | Pursuit::Overturn(_));
        assert_eq!(*is_appealed, decides, "{key}: an appeal is decided before anything else");
        match pursuit {
            Pursuit::Determine { .. } => {}
            Pursuit::Demand => *is_demanded = true,
            Pursuit::Appeal => *is_appealed = true,
            Pursuit::Uphold => *is_appealed = false,
            Pursuit::Repay { minor, .. } | Pursuit::WriteOff(minor) => {
                *outstanding -= minor;
                assert!(minor > 0 && *outstanding >= 0, "{key}");
                assert!(*outstanding == 0 || matches!(pursuit, Pursuit::Repay { .. }), "{key}");
            }
            Pursuit::Overturn(takes) => {
                assert_eq!(takes.total(), std::mem::take(outstanding), "{key}");
                *is_appealed = false;
                let party = match claim {
                    Claim::Disallowed(place) => self.life.items[place].party,
                    Claim::Kept { party, .. } => party,
                    _ => LEAD,
                };
                self.unspent[party] += takes.unspent;
                self.spent[party] += takes.spent;
                self.retained[party] += takes.retained;
            }
        }
    }
}
