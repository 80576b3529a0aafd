//! Plays the years: quarter after quarter, moves the logs' today, makes and ends the agreements, imports the grants that
//! began and takes the steps due.
//!
//! The next quarter begins only when every command of this one is answered, and when what became of agreements has reached
//! the grants that rest on them. So whatever was interrupted, the same commands sent again find the logs on a day on which
//! they may still happen, or are answered with their first answer.

use std::time::{Duration, Instant};

use concord_kernel::Date;
use concord_kernel::id::AgreementId;
use concord_proto::fund::v1::{GetBackingRequest, GetGrantRequest};
use concord_proto::log::v1::AdvanceTodayRequest;
use concord_proto::log::v1::log_service_client::LogServiceClient;
use tonic::{Code, Status};

use super::agreements::commands::Pact;
use super::books::Books;
use super::commands::OFFICE;
use super::schedule::{Plan, Quarter};
use crate::bulk::{self, Answer, Stop};
use crate::connect::{Actor, Agreements, Fund, Stamped};
use crate::errors::{CliError, explain};
use crate::ids;
use crate::import::h2020::{CURRENCY, SourceGrant};
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
        for index in quarter.run_out.iter().filter(|index| self.plan.is_held(**index)) {
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
        let stands_still = |index: &usize| plan.is_held(*index) && plan.subjects[*index].life.ended.is_none();
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
