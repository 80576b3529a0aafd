//! A sequence: a life of two grants in a programme of its own.

use super::{commands::Asked, rng::Rng};
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    Allocation, Grant, ObjectionState, PlannedTranche, SpendState, State, Tranche, TrancheCondition,
    TrancheState,
};
use concord_proto::r#type::v1::{Money, Party, PartyKind};
use concord_tests::agreements::UNIVERSITY;
use jiff::{ToSpan as _, civil::Date};
use uuid::Uuid;

/// Code of a party that was dissolved on the first day.
pub(super) const GONE: &str = "DE-HRB:GONE-1";
/// Commands of a sequence.
pub(super) const TICKS: usize = 48;
/// How often a sequence does what the state of a grant suggests, in per cent.
const SENSIBLE_PERCENT: u64 = 74;

/// What a sequence knows, and what its further commands follow from.
pub(super) struct Sequence {
    pub(super) number: u64,
    pub(super) rng: Rng,
    pub(super) programme: String,
    pub(super) currency: &'static str,
    /// What the programme was opened with.
    pub(super) appropriated_minor: i64,
    pub(super) year: i16,
    /// Agreements of the university's: one for as long as the clock runs, and one that ends soon.
    pub(super) agreements: [String; 2],
    /// The day on which it began. The first steps of an application are dated back from it, so that its notice is over in time.
    pub(super) began: Date,
    pub(super) grants: [String; 2],
    /// Each grant as it was seen after the last command that was accepted.
    pub(super) seen: [Option<Grant>; 2],
    /// Who has a share of each, the lead first, and what each grant is of.
    pub(super) parties: [Vec<Party>; 2],
    pub(super) amounts_minor: [i64; 2],
    /// Ids that are used again and again, whatever they are of.
    pub(super) ids: Vec<String>,
    pub(super) recoveries: Vec<String>,
    pub(super) rectifications: Vec<String>,
    /// A recovery whose appeal waits for a decision.
    pub(super) appealed: Option<String>,
    /// Recoveries that were demanded.
    pub(super) demanded: Vec<String>,
    opened: bool,
    words: u32,
}

impl Sequence {
    pub(super) fn of(mut rng: Rng, number: u64, agreements: &[String; 2], began: Date) -> Self {
        let mut ids: Vec<String> = (0..6).map(|_| uuid(&mut rng)).collect();
        // Items of spending are numbered alike by many recipients.
        ids.extend((1..=3_u128).map(|item| Uuid::from_u128(0x5_0000 + item).to_string()));
        let appropriated_minor =
            *rng.pick(&[10_007, 5_000_000, 5_000_000, 700_000_000, 1_000_000_000_000_000]);
        let many = rng.chance(4);
        let parties = [0, 1].map(|which| {
            let count = if many { 131 + rng.below(10) } else { *rng.pick(&[1, 1, 1, 2, 3, 5]) };
            let known = number.is_multiple_of(12);
            let gone = number % 40 == 7;
            (0..count)
                .map(|place| match (place, gone) {
                    (0, true) => Party { code: GONE.to_owned(), ..party(&mut rng, number, 0, false) },
                    _ => party(&mut rng, number, which * 500 + place, known && place == 0),
                })
                .collect()
        });
        let mut parties: [Vec<Party>; 2] = parties;
        // A balance goes on only in another grant of the same lead.
        if rng.chance(60) {
            parties[1][0] = parties[0][0].clone();
        }
        let amounts_minor = [0, 1].map(|_| {
            let least = 200;
            (appropriated_minor / *rng.pick(&[3, 4, 10, 50])).max(least)
        });
        let (programme, grants) = (uuid(&mut rng), [uuid(&mut rng), uuid(&mut rng)]);
        let currency = if rng.chance(25) { "EUR" } else { "CNY" };
        let recoveries = ids[..3].to_vec();
        Self {
            number,
            rng,
            programme,
            currency,
            appropriated_minor,
            year: began.year(),
            agreements: agreements.clone(),
            began,
            grants,
            seen: [None, None],
            parties,
            amounts_minor,
            ids,
            recoveries,
            rectifications: Vec::new(),
            appealed: None,
            demanded: Vec::new(),
            opened: false,
            words: 0,
        }
    }

    /// The next command.
    pub(super) fn next(&mut self, today: Date) -> Asked {
        let which = usize::try_from(self.rng.below(2)).unwrap();
        if !self.opened {
            self.opened = true;
            return self.ask("appropriate_programme", which, today);
        }
        let name = if self.appealed.is_some() && self.rng.chance(60) {
            self.rng.name(&["uphold_recovery", "overturn_recovery"])
        } else if self.rng.chance(SENSIBLE_PERCENT) {
            self.sensible(which)
        } else {
            *self.rng.pick(super::commands::NAMES)
        };
        self.ask(name, which, today)
    }

    /// Takes in what an accepted command leads to.
    pub(super) fn accepted(&mut self, asked: &Asked) {
        if let Some(id) = &asked.rectification
            && !self.rectifications.contains(id)
        {
            self.rectifications.push(id.clone());
        }
        match &asked.bulk {
            Some(Command::DemandRecovery(demand)) => self.demanded.push(demand.recovery_id.clone()),
            Some(Command::AppealRecovery(appeal)) => self.appealed = Some(appeal.recovery_id.clone()),
            Some(Command::UpholdRecovery(_) | Command::OverturnRecovery(_)) => self.appealed = None,
            _ => {}
        }
        for id in self.seen.iter().flatten().flat_map(|grant| &grant.recovery_ids) {
            if !self.recoveries.contains(id) {
                self.recoveries.push(id.clone());
            }
        }
    }

    /// What the state of a grant suggests.
    fn sensible(&mut self, which: usize) -> &'static str {
        let Some(grant) = &self.seen[which] else {
            return if self.rng.chance(50) { "import_award" } else { "apply_for_grant" };
        };
        let state = grant.state();
        let other = self.seen[1 - which].as_ref().filter(|other| other.lead_party_id == grant.lead_party_id);
        let may_offset = !grant.recovery_ids.is_empty()
            && other.is_some_and(|other| {
                other.tranches.iter().any(|tranche| tranche.state() == TrancheState::Authorised)
            });
        let rng = &mut self.rng;
        if may_offset && rng.chance(50) {
            return "offset_recovery";
        }
        let open = grant.tranches.iter().find(|tranche| tranche.state() != TrancheState::Settled);
        // From the second tranche on, matching money comes first.
        let is_awaited =
            grant.matching.iter().any(|it| it.arrived_minor + it.released_minor < it.pledged_minor);
        let waits = open.is_some_and(|tranche| tranche.number > 1) && is_awaited && rng.chance(70);
        let tranche = match open.map(Tranche::state) {
            Some(TrancheState::Planned | TrancheState::Requested) if waits => "record_matching_arrival",
            Some(TrancheState::Planned) => "request_tranche",
            Some(TrancheState::Requested) => "authorise_tranche",
            Some(TrancheState::Authorised | TrancheState::PaymentReturned) => "instruct_tranche",
            Some(TrancheState::Instructed) => "settle_tranche",
            _ => "report_completion",
        };
        let is_paid = grant.tranches.iter().any(|tranche| tranche.state() == TrancheState::Settled);
        let items = grant.spending.as_ref().map(|spending| spending.newest.as_slice()).unwrap_or_default();
        let is_reported = items.iter().any(|item| item.state() == SpendState::Reported);
        let is_due = grant.shares.iter().any(|share| {
            share.party_id != grant.lead_party_id
                && share.passed_on_minor < share.allocated_minor.unwrap_or_default()
        });
        let recovery = match (grant.recovery_ids.is_empty(), rng.below(24)) {
            (true, _) => "determine_recovery",
            (_, 0..6) => "demand_recovery",
            (_, 6..10) => "record_repayment",
            (_, 10..14) => "appeal_recovery",
            (_, 14 | 15) => "uphold_recovery",
            (_, 16 | 17) => "overturn_recovery",
            (_, 18..21) => "offset_recovery",
            (_, 21) => "write_off_recovery",
            _ => "determine_recovery",
        };
        match state {
            State::Applied => "recommend_grant",
            State::Recommended => "admit_grant",
            State::Admitted => "review_grant",
            State::Reviewed if rng.chance(15) => "record_override",
            State::Reviewed => "publish_notice",
            State::OnNotice => match grant.objections.last().map(|last| last.state() == ObjectionState::Open)
            {
                Some(true) => rng.name(&["reject_objection", "reject_objection", "uphold_objection"]),
                _ => rng.name(&["approve_grants", "approve_grants", "approve_grants", "raise_objection"]),
            },
            State::Approved => "sign_contract",
            State::Contracted if !grant.payee_verified => rng.name(&["verify_payee", "pledge_matching"]),
            State::Contracted if grant.hold.is_some() => rng.name(&["resume_grant", "resume_grant", tranche]),
            State::Contracted if !is_paid => tranche,
            State::Contracted => match rng.below(20) {
                0..6 => tranche,
                6 | 7 if is_due => "transfer_share",
                8..10 => "report_spend",
                10 | 11 if is_reported => "accept_spend",
                12 if is_awaited => "record_matching_arrival",
                13 => {
                    rng.name(&["pledge_matching", "record_midterm_check", "extend_project", "amend_contract"])
                }
                14 => rng.name(&["disallow_spend", "correct_fact", "return_payment", "hold_grant"]),
                15 => rng.name(&["determine_recovery", "release_matching", "name_backing_agreement"]),
                16 => rng.name(&["report_completion", "refund_balance"]),
                17 => {
                    rng.name(&["terminate_grant", "cancel_grant", "report_completion", "report_completion"])
                }
                _ => recovery,
            },
            State::CompletionReported => "conclude_final_acceptance",
            State::Rectifying => "report_completion",
            State::FinallyAccepted => match rng.below(8) {
                0 => "retain_balance",
                1 => "transfer_balance",
                2 => "refund_balance",
                3 if is_reported => "accept_spend",
                3 | 4 => tranche,
                5 => recovery,
                _ => "close_grant",
            },
            State::AcceptanceFailed => rng.name(&["terminate_grant", "cancel_grant", recovery]),
            State::Closed => rng.name(&["evaluate_grant", "cancel_grant", "refund_balance", recovery]),
            State::Rejected | State::Withdrawn => "assign_rectification",
            _ => match rng.below(6) {
                0 => "assign_rectification",
                1 | 2 => {
                    rng.name(&["explain_finding", "rectify_finding", "accept_explanation", "dismiss_finding"])
                }
                _ => recovery,
            },
        }
    }

    /// A text that is new.
    pub(super) fn word(&mut self) -> String {
        // Sometimes one that was said before, of whatever.
        if self.words > 2 && self.rng.chance(8) {
            return format!("{}-{}", self.number, 1 + self.rng.below(u64::from(self.words)));
        }
        self.words += 1;
        format!("{}-{}", self.number, self.words)
    }

    /// A bank's reference: seldom one that was told before.
    pub(super) fn reference(&mut self) -> String {
        if self.rng.chance(4) { format!("{}-1", self.number) } else { self.word() }
    }

    /// Money of the programme's currency, but for a few cases.
    pub(super) fn money(&mut self, minor: i64) -> Option<Money> {
        let other = if self.currency == "CNY" { "EUR" } else { "CNY" };
        let currency = if self.rng.chance(2) { other } else { self.currency };
        Some(Money::new(minor, currency))
    }

    /// A part of an amount: often all of it or a third, sometimes the smallest one, seldom more than there is.
    pub(super) fn part(&mut self, of: i64) -> i64 {
        match self.rng.below(20) {
            0 | 1 => 1,
            2..8 => (of / 3).max(1),
            8..11 => (of / 7).max(1),
            11 => of.saturating_add(1),
            _ => of.max(1),
        }
    }

    /// An invoice's number in one of its spellings.
    pub(super) fn spelled(&mut self, number: u64) -> String {
        match self.rng.below(4) {
            0 => format!("No.{number}"),
            1 => format!("0000-{number:04}"),
            _ => format!("{number:08}"),
        }
    }

    /// What somebody says that a finding amounts to, where they say it.
    pub(super) fn seen(&mut self) -> Option<Money> {
        if self.rng.chance(50) { self.money(5_000) } else { None }
    }

    /// The day of an act: most often today, sometimes one that lies back as far as it may for money, or for others.
    pub(super) fn day(&mut self, today: Date) -> String {
        match self.rng.below(40) {
            0..30 => String::new(),
            30..36 => today.saturating_sub((self.rng.below(5) as i64).days()).to_string(),
            36..39 => today.saturating_sub((self.rng.below(30) as i64).days()).to_string(),
            _ => self.rng.pick(&[today.saturating_sub(40.days()), today.saturating_add(1.day())]).to_string(),
        }
    }

    /// Shares of an amount among a grant's parties, none where the lead has all of it.
    pub(super) fn shares(&mut self, which: usize, amount_minor: i64) -> Vec<Allocation> {
        let parties = &self.parties[which];
        let count = i64::try_from(parties.len()).unwrap();
        if count == 1 {
            return Vec::new();
        }
        let each = amount_minor / count;
        let of_lead = amount_minor - each * (count - 1);
        parties
            .iter()
            .enumerate()
            .map(|(place, party)| Allocation {
                party: Some(party.clone()),
                amount_minor: Some(if place == 0 { of_lead } else { each }),
            })
            .collect()
    }

    /// A plan of tranches that adds up, the last after final acceptance where there are several.
    pub(super) fn plan(&mut self, amount_minor: i64, today: Date) -> Vec<PlannedTranche> {
        let due_on = today.saturating_add(((self.rng.below(200) as i64) - 20).days()).to_string();
        let line = |number, amount_minor, condition: TrancheCondition| PlannedTranche {
            number,
            amount_minor,
            condition: condition.into(),
            due_on: due_on.clone(),
        };
        if self.rng.chance(20) {
            return vec![line(1, amount_minor / 2, TrancheCondition::Contract), {
                line(2, amount_minor - amount_minor / 2, TrancheCondition::FinalAcceptance)
            }];
        }
        // The first one of too much, and the last one before the final acceptance, in a few.
        let odd = self.rng.below(25);
        let first = if odd == 0 { amount_minor * 6 / 10 } else { amount_minor / 2 };
        let last = if odd == 1 { TrancheCondition::Contract } else { TrancheCondition::FinalAcceptance };
        let second = amount_minor * 3 / 10;
        let condition = *self.rng.pick(&[TrancheCondition::Contract, TrancheCondition::Midterm]);
        vec![
            line(1, first, TrancheCondition::Contract),
            line(2, second, condition),
            line(3, amount_minor - first - second, last),
        ]
    }

    /// The id of one of a grant's parties, as the grant shows it; some other id where it is not there yet.
    pub(super) fn party_id(&mut self, which: usize) -> String {
        let shares = self.seen[which].as_ref().map(|grant| grant.shares.as_slice()).unwrap_or_default();
        if shares.is_empty() || self.rng.chance(2) {
            return self.rng.pick(&self.ids).clone();
        }
        // Of many, those that hold something come first in line more often.
        let place = self.rng.below(shares.len() as u64);
        shares[usize::try_from(place).unwrap()].party_id.clone()
    }

    /// One of the ids that are used for everything.
    pub(super) fn odd_id(&mut self) -> String {
        match self.rng.below(30) {
            0 => self.programme.clone(),
            1 => self.grants[0].clone(),
            _ => self.rng.pick(&self.ids).clone(),
        }
    }
}

fn uuid(rng: &mut Rng) -> String {
    Uuid::from_u128((u128::from(rng.next()) << 64) | u128::from(rng.next())).to_string()
}

/// A party of a sequence. Its code is nobody else's, but for the university, which leads many.
fn party(rng: &mut Rng, number: u64, place: u64, known: bool) -> Party {
    let regions = ["210102", "210200", "DE"];
    Party {
        code: if known { UNIVERSITY.to_owned() } else { format!("DE-HRB:{number}-{place}") },
        kind: i32::from(*rng.pick(&[PartyKind::Enterprise, PartyKind::University, PartyKind::Institute])),
        region: if known { "210102" } else { *rng.pick(&regions) }.to_owned(),
        name: format!("单位 {number}-{place}"),
    }
}
