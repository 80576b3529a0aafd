//! Plays the years: quarter after quarter, moves the logs' today, makes and ends the agreements, imports the grants that
//! began and takes the steps due.
//!
//! The next quarter begins only when every command of this one is answered, and when what became of agreements has reached
//! the grants that rest on them. So whatever was interrupted, the same commands sent again find the logs on a day on which
//! they may still happen, or are answered with their first answer.

use std::time::{Duration, Instant};

use concord_kernel::Date;
use concord_kernel::id::{AgreementId, GrantId};
use concord_kernel::party::{PartyCode, PartyId};
use concord_proto::fund::v1::{GetBackingRequest, GetGrantRequest};
use concord_proto::log::v1::AdvanceTodayRequest;
use concord_proto::log::v1::log_service_client::LogServiceClient;
use tonic::{Code, Status};

use super::agreements::commands::Pact;
use super::agreements::{self, Agreement, Directory, Fate};
use super::books::{Books, Effect};
use super::commands::{self, OFFICE, Subject};
use super::plan::{self, Facts, Life, Step};
use crate::bulk::{self, Answer, Stop};
use crate::connect::{Actor, Agreements, Fund, Stamped};
use crate::errors::{CliError, explain};
use crate::ids;
use crate::import::h2020::{CURRENCY, SourceGrant};
use crate::import::tranches;
use crate::progress::Progress;

/// Refused commands that are told before giving up.
const REFUSALS_TOLD: usize = 5;
/// How long what became of an agreement may take to reach the grants that rest on it.
const REACTION_WITHIN: Duration = Duration::from_secs(60);
/// Pause before it is asked for again.
const POLL: Duration = Duration::from_millis(5);

/// How the years went.
#[derive(Debug)]
pub(super) struct Played {
    /// Commands sent and answered, of both services.
    pub(super) commands: u64,
    /// From the first to the last answer.
    pub(super) elapsed: Duration,
    /// Agreements that were made.
    pub(super) agreements: u64,
    /// Grants that stand still since they lost their agreement.
    pub(super) held: u64,
    /// What of their money is contracted and the bank has not paid, in minor units of the file's currency.
    pub(super) frozen_minor: i64,
}

/// What a step needs of its grant beside the key.
struct Planned {
    grant: GrantId,
    grant_id: String,
    parties: Vec<PartyId>,
    tranche_minor: Vec<i64>,
    life: Life,
}

/// What happens to a grant in a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// It is imported.
    Import,
    /// It names its agreement.
    NameAgreement,
    /// An officer lets it go on after a hold.
    Resume,
    /// A step of its life.
    Take(Step),
}

/// What happens in one quarter, in order; grants and agreements by the grant's index.
#[derive(Debug, Default, PartialEq, Eq)]
struct Quarter {
    pacts: Vec<Pact>,
    /// Agreements that the calendar ends.
    run_out: Vec<usize>,
    acts: Vec<(usize, Act)>,
}

/// All years, planned.
struct Plan<'a> {
    grants: &'a [SourceGrant],
    directory: Directory,
    agreements: Vec<Option<Agreement>>,
    subjects: Vec<Planned>,
    days: Vec<Date>,
    quarters: Vec<(Date, Quarter)>,
}

/// Plays all years, and takes what was accepted into the books.
pub(super) async fn play(
    fund: &Fund,
    agreements: &Agreements,
    grants: &[SourceGrant],
    books: &mut Books,
    stop: &Stop,
) -> Result<Played, CliError> {
    let plan = Plan::of(grants);
    let total: usize =
        plan.quarters.iter().map(|(_, quarter)| quarter.pacts.len() + quarter.acts.len()).sum();
    let operator = Actor::new("demo-operator", OFFICE);
    let mut stage = Stage {
        plan: &plan,
        fund,
        agreements,
        operator,
        positions: vec![0; grants.len()],
        undrawn_minor: vec![0; grants.len()],
        progress: Progress::new("commands", u64::try_from(total).unwrap_or(u64::MAX)),
    };
    let started = Instant::now();
    for (today, quarter) in &plan.quarters {
        stage.progress.note(today.to_string());
        stage.agree(*today, quarter, stop).await?;
        advance(fund, *today).await?;
        stage.follow(quarter, stop).await?;
        stage.pay(*today, quarter, books, stop).await?;
    }
    stage.progress.finish();
    Ok(stage.end(started.elapsed()))
}

/// Moves the fund's today; a repeat, or a log that is further already, changes nothing.
pub(super) async fn advance(fund: &Fund, today: Date) -> Result<(), CliError> {
    advance_log(fund.log(&Actor::new("demo-clock", OFFICE))?, today).await
}

async fn advance_log(mut log: LogServiceClient<Stamped>, today: Date) -> Result<(), CliError> {
    let request = AdvanceTodayRequest {
        request_id: ids::request(&format!("demo/1/today/{today}")),
        today: today.to_string(),
    };
    log.advance_today(request).await.map(|_| ()).map_err(|status| {
        CliError::failed(format!(
            "{}\nThe demo needs a stack of its own whose clock it may play: concord up --played-from 2014-01-01, in an empty --dir\n\
             演示需要独立的本地环境。",
            explain(&status)
        ))
    })
}

/// The demo as it goes on.
struct Stage<'a> {
    plan: &'a Plan<'a>,
    fund: &'a Fund,
    agreements: &'a Agreements,
    operator: Actor,
    /// Where the agreement log has the last command about each grant's agreement.
    positions: Vec<u64>,
    /// What of each grant is contracted, not released, and not paid or taken back by the bank.
    undrawn_minor: Vec<i64>,
    progress: Progress,
}

impl Stage<'_> {
    /// The quarter's agreements: parties recorded, drafts, signatures, and what became of earlier ones.
    async fn agree(&mut self, today: Date, quarter: &Quarter, stop: &Stop) -> Result<(), CliError> {
        advance_log(self.agreements.log(&Actor::new("demo-clock", OFFICE))?, today).await?;
        let (plan, positions, progress) = (self.plan, &mut self.positions, &mut self.progress);
        let commands = quarter.pacts.iter().filter_map(|pact| Some((*pact, plan.command(*pact, today)?)));
        let mut refusals = Vec::new();
        bulk::execute(&mut self.agreements.agreements(&self.operator)?, commands, stop, |pact, answer| {
            match (answer, pact.agreement()) {
                (Answer::Accepted(receipt), Some(index)) => positions[index] = receipt.last_position,
                (Answer::Accepted(_), None) => {}
                (Answer::Refused(status), _) => refusals.push((format!("{pact:?}"), status)),
            }
            progress.step();
        })
        .await?;
        self.verdict(today, stop, &refusals)
    }

    /// Waits until what became of agreements in this quarter has reached the grants that rest on them.
    async fn follow(&self, quarter: &Quarter, stop: &Stop) -> Result<(), CliError> {
        for pact in &quarter.pacts {
            if let Pact::Terminate(index) | Pact::Suspend(index) | Pact::Resume(index) = *pact
                && let Some(agreement) = &self.plan.agreements[index]
            {
                let what = || format!("agreement {}, position {}", agreement.id, self.positions[index]);
                until(what, stop, async || self.is_taken_in(agreement.id, self.positions[index]).await)
                    .await?;
            }
        }
        // A grant that has ended before rests on no agreement any more.
        for index in quarter.run_out.iter().filter(|index| self.plan.is_held_from(**index).is_some()) {
            let grant = &self.plan.subjects[*index].grant_id;
            until(|| format!("hold of grant {grant}"), stop, async || self.is_held(grant).await).await?;
        }
        Ok(())
    }

    async fn is_taken_in(&self, agreement: AgreementId, position: u64) -> Result<bool, CliError> {
        let request =
            GetBackingRequest { agreement_id: agreement.to_string(), ..GetBackingRequest::default() };
        match self.fund.grants(&self.operator)?.get_backing(request).await {
            Ok(answer) => {
                Ok(answer.into_inner().backing.is_some_and(|backing| backing.agreement_position >= position))
            }
            Err(status) if matches!(status.code(), Code::NotFound | Code::Unavailable) => Ok(false),
            Err(status) => Err(status.into()),
        }
    }

    async fn is_held(&self, grant: &str) -> Result<bool, CliError> {
        let request = GetGrantRequest { grant_id: grant.to_owned(), min_position: 0 };
        let grant = self.fund.grants(&self.operator)?.get_grant(request).await?.into_inner().grant;
        Ok(grant.and_then(|grant| grant.hold).is_some_and(|hold| !hold.causes.is_empty()))
    }

    /// The quarter's imports and steps.
    async fn pay(
        &mut self,
        today: Date,
        quarter: &Quarter,
        books: &mut Books,
        stop: &Stop,
    ) -> Result<(), CliError> {
        let (plan, positions) = (self.plan, &self.positions);
        let (undrawn_minor, progress) = (&mut self.undrawn_minor, &mut self.progress);
        let keyed = quarter.acts.iter().filter_map(|(index, act)| {
            let (effect, command) = plan.act(*index, *act, positions[*index], today)?;
            Some(((*index, *act, effect), command))
        });
        let mut refusals = Vec::new();
        bulk::execute(&mut self.fund.grants(&self.operator)?, keyed, stop, |(index, act, effect), answer| {
            match answer {
                Answer::Accepted(_) => {
                    books.take(CURRENCY.as_str(), effect);
                    undrawn_minor[index] += effect.undrawn_change();
                }
                Answer::Refused(status) => {
                    refusals.push((format!("grant {} {act:?}", plan.grants[index].rcn), status));
                }
            }
            progress.step();
        })
        .await?;
        self.verdict(today, stop, &refusals)
    }

    fn verdict(&self, today: Date, stop: &Stop, refusals: &[(String, Status)]) -> Result<(), CliError> {
        if stop.asked() {
            return Err(stopped(&format!("on {today} after {} commands", self.progress.done())));
        }
        if refusals.is_empty() {
            return Ok(());
        }
        let told: Vec<String> = refusals
            .iter()
            .take(REFUSALS_TOLD)
            .map(|(what, status)| format!("{what}: {}", explain(status)))
            .collect();
        Err(CliError::failed(format!(
            "{} commands of {today} were refused, none should be:\n{}",
            refusals.len(),
            told.join("\n")
        )))
    }

    fn end(&self, elapsed: Duration) -> Played {
        let plan = self.plan;
        let stands_still =
            |index: &usize| plan.is_held_from(*index).is_some() && plan.subjects[*index].life.ended.is_none();
        let held: Vec<usize> = (0..plan.grants.len()).filter(stands_still).collect();
        Played {
            commands: self.progress.done(),
            elapsed,
            agreements: plan.agreements.iter().flatten().count() as u64,
            held: held.len() as u64,
            frozen_minor: held.iter().map(|index| self.undrawn_minor[*index]).sum(),
        }
    }
}

fn stopped(place: &str) -> CliError {
    CliError::failed(format!("stopped {place}. Run the same command again to go on. 再次运行即可继续。"))
}

/// Asks until it is so.
async fn until(
    what: impl Fn() -> String,
    stop: &Stop,
    is_so: impl AsyncFn() -> Result<bool, CliError>,
) -> Result<(), CliError> {
    let since = Instant::now();
    while !is_so().await? {
        if stop.asked() {
            return Err(stopped(&format!("while waiting for {}", what())));
        }
        if since.elapsed() > REACTION_WITHIN {
            return Err(CliError::failed(format!(
                "fund-grant has not taken in what became of an agreement within a minute: {}",
                what()
            )));
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// The lead, and the partners with a share that the source states, as a plan numbers them; and those shares.
fn parties(grant: &SourceGrant) -> (Vec<PartyId>, Vec<i64>) {
    let id = |code: &str| PartyCode::parse(code).ok().map(|code| PartyId::of(&code));
    let lead = &grant.lead().code;
    let partners = grant.parts.iter().filter(|part| part.party.code != *lead).filter_map(|part| {
        let share = part.share_minor.filter(|share| *share > 0)?;
        Some((id(&part.party.code)?, share))
    });
    let (partners, shares): (Vec<PartyId>, Vec<i64>) = partners.unzip();
    (id(lead).into_iter().chain(partners).collect(), shares)
}

impl<'a> Plan<'a> {
    /// Every grant's quarter of import and all its steps, by quarter, with the agreement behind it. Within a quarter the file's
    /// order decides.
    fn of(grants: &'a [SourceGrant]) -> Self {
        let days = plan::quarters();
        let directory = Directory::of(grants);
        let mut plan = Self {
            grants,
            directory,
            agreements: Vec::with_capacity(grants.len()),
            subjects: Vec::with_capacity(grants.len()),
            quarters: days.iter().map(|day| (*day, Quarter::default())).collect(),
            days,
        };
        for index in 0..grants.len() {
            plan.plan_grant(index);
        }
        plan.plan_pacts();
        plan
    }

    fn plan_grant(&mut self, index: usize) {
        let (grant, days) = (&self.grants[index], &self.days);
        let tranches = tranches::plan(grant.ceiling_minor, grant.plan_start(), grant.ends_on);
        let imported = plan::quarter_of(grant.plan_start(), days).unwrap_or(days.len() - 1);
        let agreement = agreements::agreement(grant, &self.directory, imported, days);
        let (parties, shares) = parties(grant);
        let mut life = plan::life(&Facts {
            key: &grant.rcn,
            award_minor: grant.ceiling_minor,
            cost_minor: grant.cost_minor,
            budget_year: grant.budget_year(),
            starts_on: grant.starts_on,
            ends_on: grant.ends_on,
            imported,
            ending: grant.ends_on.and_then(|ends_on| plan::quarter_of(ends_on, days)),
            shares: &shares,
            tranches: &tranches,
            agreement: agreement.as_ref().map(|agreement| agreement.fate),
            days,
        });
        let mut add = |quarter: usize, act: Act| self.quarters[quarter].1.acts.push((index, act));
        add(imported, Act::Import);
        if let Some(agreement) = &agreement {
            add(imported, Act::NameAgreement);
            // Whether it was held at all: what has ended before was not.
            if let Fate::Suspended(_, resumed) = agreement.fate
                && life.ended.is_none_or(|ended| ended >= resumed)
            {
                add(resumed, Act::Resume);
            }
        }
        for (quarter, step) in std::mem::take(&mut life.steps) {
            add(quarter, Act::Take(step));
        }
        self.subjects.push(Planned {
            grant: grant.grant_id(),
            grant_id: grant.grant_id().to_string(),
            parties,
            tranche_minor: tranches.iter().map(|tranche| tranche.amount_minor).collect(),
            life,
        });
        self.agreements.push(agreement);
    }

    /// Quarter from which on a grant is held for good, because its agreement is lost before it has ended.
    fn is_held_from(&self, index: usize) -> Option<usize> {
        let fate = self.agreements[index].as_ref()?.fate;
        let (Fate::Terminated(from) | Fate::RunsOut(from)) = fate else { return None };
        self.subjects[index].life.ended.is_none_or(|ended| ended >= from).then_some(from)
    }

    /// Each party is recorded before the first draft that names it.
    fn plan_pacts(&mut self) {
        let mut by_quarter: Vec<Vec<usize>> = vec![Vec::new(); self.quarters.len()];
        for (index, agreement) in self.agreements.iter().enumerate() {
            if let Some(agreement) = agreement {
                by_quarter[agreement.signed].push(index);
            }
        }
        let mut recorded = std::collections::HashSet::new();
        for (signed, indexes) in by_quarter.into_iter().enumerate() {
            for index in indexes {
                let Some(agreement) = &self.agreements[index] else { continue };
                let pacts = &mut self.quarters[signed].1.pacts;
                for party in &agreement.parties {
                    if let Some(place) = self.directory.place(&party.code)
                        && recorded.insert(place)
                    {
                        pacts.push(Pact::Record(place));
                    }
                }
                pacts.push(Pact::Draft(index));
                pacts.extend((0..agreement.parties.len()).map(|party| Pact::Sign(index, party)));
                match agreement.fate {
                    Fate::Outlasts => {}
                    Fate::Terminated(quarter) => self.quarters[quarter].1.pacts.push(Pact::Terminate(index)),
                    Fate::RunsOut(quarter) => self.quarters[quarter].1.run_out.push(index),
                    Fate::Suspended(from, until) => {
                        self.quarters[from].1.pacts.push(Pact::Suspend(index));
                        self.quarters[until].1.pacts.push(Pact::Resume(index));
                    }
                }
            }
        }
    }

    /// A command to the agreement service.
    fn command(&self, pact: Pact, today: Date) -> Option<concord_proto::agreement::v1::BulkCommand> {
        let of = |index: usize| self.agreements[index].as_ref();
        Some(match pact {
            Pact::Record(place) => agreements::commands::record(self.directory.at(place), today),
            Pact::Draft(index) => of(index)?.draft(&self.grants[index].rcn, today),
            Pact::Sign(index, party) => of(index)?.sign(party, today),
            Pact::Terminate(index) => of(index)?.terminate(today),
            Pact::Suspend(index) => of(index)?.suspend(today),
            Pact::Resume(index) => of(index)?.resume(today),
        })
    }

    /// A command to the fund, and what it does to the money.
    fn act(
        &self,
        index: usize,
        act: Act,
        agreement_position: u64,
        today: Date,
    ) -> Option<(Effect, concord_proto::fund::v1::BulkCommand)> {
        let (grant, planned) = (&self.grants[index], &self.subjects[index]);
        let subject = Subject {
            key: &grant.rcn,
            grant: planned.grant,
            grant_id: &planned.grant_id,
            parties: &planned.parties,
            tranche_minor: &planned.tranche_minor,
            life: &planned.life,
            days: &self.days,
        };
        Some(match act {
            Act::Import => commands::import(&grant.rcn, grant.award(true, today).request),
            Act::NameAgreement => {
                let agreement = self.agreements[index].as_ref()?.id;
                (Effect::None, subject.name_agreement(agreement, agreement_position, today))
            }
            Act::Resume => (Effect::None, subject.resume(today)),
            Act::Take(step) => subject.command(step, today),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::path::Path;

    fn excerpt() -> Vec<SourceGrant> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/h2020-excerpt.csv");
        crate::import::h2020::parse(&crate::import::read_file(&path).unwrap()).unwrap().grants
    }

    #[test]
    fn the_excerpt_is_planned_the_same_every_time_and_its_sums_balance() {
        let grants = excerpt();
        let plan = Plan::of(&grants);
        assert_eq!(plan.quarters, Plan::of(&grants).quarters);
        let acts = || plan.quarters.iter().flat_map(|(_, quarter)| &quarter.acts);
        assert_eq!(acts().filter(|(_, act)| *act == Act::Import).count(), 300);
        let mut imported = vec![false; grants.len()];
        let mut requests = std::collections::HashSet::new();
        let (mut books, mut to_treasury) = (Books::default(), 0);
        for (index, act) in acts() {
            assert_eq!(imported[*index], *act != Act::Import, "all else comes after the import");
            imported[*index] = true;
            let (effect, command) = plan.act(*index, *act, 1, plan.quarters[0].0).unwrap();
            // Every kind of command has one; nothing else of them is of interest here.
            let told = format!("{command:?}");
            let request = told.split("request_id: ").nth(1).unwrap().split(',').next().unwrap();
            assert!(requests.insert(request.to_owned()), "two commands under one request id: {told}");
            if let Effect::Ended(undrawn) | Effect::Cancelled { undrawn, .. } = effect
                && undrawn.to_treasury
            {
                to_treasury += undrawn.minor;
            }
            books.take("EUR", effect);
        }
        let total: i64 = grants.iter().map(|grant| grant.ceiling_minor).sum();
        assert!(to_treasury > 0);
        let total = total - to_treasury;
        let nothing = concord_proto::audit::v1::Balance { currency: "EUR".to_owned(), ..Default::default() };
        let appropriated =
            format!("EUR appropriated: {total} minor units by the demo's sums, 0 by the ledger");
        assert!(books.differences(&[nothing]).contains(&appropriated));
    }

    #[test]
    fn parties_are_recorded_once_and_before_the_drafts_that_name_them() {
        let grants = excerpt();
        let plan = Plan::of(&grants);
        let mut recorded = std::collections::HashSet::new();
        let mut signed = 0;
        for pact in plan.quarters.iter().flat_map(|(_, quarter)| &quarter.pacts) {
            match pact {
                Pact::Record(place) => assert!(recorded.insert(*place), "recorded twice"),
                Pact::Draft(index) => {
                    for party in &plan.agreements[*index].as_ref().unwrap().parties {
                        assert!(recorded.contains(&plan.directory.place(&party.code).unwrap()));
                    }
                }
                Pact::Sign(..) => signed += 1,
                Pact::Terminate(_) | Pact::Suspend(_) | Pact::Resume(_) => assert!(signed > 0),
            }
            assert!(plan.command(*pact, plan.quarters[0].0).is_some());
        }
        let parties: usize = plan.agreements.iter().flatten().map(|agreement| agreement.parties.len()).sum();
        assert_eq!(signed, parties);
    }
}
