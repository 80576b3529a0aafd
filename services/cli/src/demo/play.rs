//! Plays the years: quarter after quarter, moves the log's today, imports the grants that began and takes the steps due.
//!
//! The next quarter begins only when every command of this one is answered. So whatever was interrupted, the same
//! commands sent again find the log on a day on which they may still happen, or are answered with their first answer.

use std::time::{Duration, Instant};

use concord_kernel::Date;
use concord_proto::log::v1::AdvanceTodayRequest;

use super::books::Books;
use super::commands::{self, OFFICE, Subject};
use super::plan::{self, Step};
use crate::bulk::{self, Answer, Stop};
use crate::connect::{Actor, Fund};
use crate::errors::{CliError, explain};
use crate::ids;
use crate::import::h2020::{CURRENCY, SourceGrant};
use crate::import::tranches;
use crate::progress::Progress;

/// Refused commands that are told before giving up.
const REFUSALS_TOLD: usize = 5;

/// How the years went.
#[derive(Debug)]
pub(super) struct Played {
    /// Commands sent and answered.
    pub(super) commands: u64,
    /// From the first to the last answer.
    pub(super) elapsed: Duration,
}

/// What a step needs of its grant beside the key.
struct Facts {
    grant_id: String,
    tranche_minor: Vec<i64>,
}

/// What happens in one quarter, in order: a grant by its index, and a step of it or, without one, its import.
type Quarter = Vec<(usize, Option<Step>)>;

/// Plays all years, and takes what was accepted into the books.
pub(super) async fn play(
    fund: &Fund,
    grants: &[SourceGrant],
    books: &mut Books,
    stop: &Stop,
) -> Result<Played, CliError> {
    let quarters = plan::quarters();
    let (subjects, calendar) = plan_all(grants, &quarters);
    let total: usize = calendar.iter().map(Vec::len).sum();
    let mut progress = Progress::new("commands", u64::try_from(total).unwrap_or(u64::MAX));
    let started = Instant::now();
    let mut client = fund.grants(&Actor::new("demo-operator", OFFICE))?;
    for (today, quarter) in quarters.iter().zip(&calendar) {
        advance(fund, *today).await?;
        progress.note(today.to_string());
        let commands = quarter.iter().map(|(index, step)| {
            let (grant, subject) = (&grants[*index], &subjects[*index]);
            match step {
                None => commands::import(&grant.rcn, grant.award(true, *today).request),
                Some(step) => {
                    let subject = Subject {
                        key: &grant.rcn,
                        grant_id: &subject.grant_id,
                        tranche_minor: &subject.tranche_minor,
                    };
                    subject.command(*step, *today)
                }
            }
        });
        let keyed = quarter
            .iter()
            .zip(commands)
            .map(|((index, step), (effect, command))| ((*index, *step, effect), command));
        let mut refusals = Vec::new();
        bulk::execute(&mut client, keyed, stop, |(index, step, effect), answer| {
            match answer {
                Answer::Accepted(_) => books.take(CURRENCY.as_str(), effect),
                Answer::Refused(status) => refusals.push((index, step, status)),
            }
            progress.step();
        })
        .await?;
        if stop.asked() {
            return Err(CliError::failed(format!(
                "stopped on {today} after {} of {total} commands. Run the same command again to go on. 再次运行即可继续。",
                progress.done()
            )));
        }
        if !refusals.is_empty() {
            return Err(unexpected(*today, grants, &refusals));
        }
    }
    progress.finish();
    Ok(Played { commands: progress.done(), elapsed: started.elapsed() })
}

/// Moves the log's today; a repeat, or a log that is further already, changes nothing.
pub(super) async fn advance(fund: &Fund, today: Date) -> Result<(), CliError> {
    let request = AdvanceTodayRequest {
        request_id: ids::request(&format!("demo/1/today/{today}")),
        today: today.to_string(),
    };
    let moved = fund.log(&Actor::new("demo-clock", OFFICE))?.advance_today(request).await;
    moved.map(|_| ()).map_err(|status| {
        CliError::failed(format!(
            "{}\nThe demo needs a stack of its own whose clock it may play: concord up --played-from 2014-01-01, in an empty --dir\n\
             演示需要独立的本地环境。",
            explain(&status)
        ))
    })
}

/// Every grant's quarter of import and all its steps, by quarter. Within a quarter the file's order decides.
fn plan_all(grants: &[SourceGrant], quarters: &[Date]) -> (Vec<Facts>, Vec<Quarter>) {
    let last = quarters.len() - 1;
    let mut calendar: Vec<Quarter> = vec![Vec::new(); quarters.len()];
    let mut subjects = Vec::with_capacity(grants.len());
    for (index, grant) in grants.iter().enumerate() {
        let tranches = tranches::plan(grant.ceiling_minor, grant.plan_start(), grant.ends_on);
        let imported = plan::quarter_of(grant.plan_start(), quarters).unwrap_or(last);
        calendar[imported].push((index, None));
        for (quarter, step) in plan::life(&grant.rcn, &tranches, imported, quarters) {
            calendar[quarter].push((index, Some(step)));
        }
        subjects.push(Facts {
            grant_id: grant.grant_id().to_string(),
            tranche_minor: tranches.iter().map(|tranche| tranche.amount_minor).collect(),
        });
    }
    (subjects, calendar)
}

fn unexpected(
    today: Date,
    grants: &[SourceGrant],
    refusals: &[(usize, Option<Step>, tonic::Status)],
) -> CliError {
    let told: Vec<String> = refusals
        .iter()
        .take(REFUSALS_TOLD)
        .map(|(index, step, status)| {
            let what = step.map_or_else(|| "import".to_owned(), |step| format!("{step:?}"));
            format!("grant {} {what}: {}", grants[*index].rcn, explain(status))
        })
        .collect();
    CliError::failed(format!(
        "{} commands of {today} were refused, none should be:\n{}",
        refusals.len(),
        told.join("\n")
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::demo::books::Effect;
    use std::path::Path;

    #[test]
    fn the_excerpt_is_planned_the_same_every_time_and_its_sums_balance() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/h2020-excerpt.csv");
        let file = crate::import::h2020::parse(&crate::import::read_file(&path).unwrap()).unwrap();
        let quarters = plan::quarters();
        let (subjects, calendar) = plan_all(&file.grants, &quarters);
        assert_eq!(calendar, plan_all(&file.grants, &quarters).1);
        assert_eq!(calendar.iter().flatten().filter(|(_, step)| step.is_none()).count(), 300);
        let mut imported = vec![false; file.grants.len()];
        let mut books = Books::default();
        for (index, step) in calendar.iter().flatten() {
            assert_eq!(imported[*index], step.is_some(), "steps come after the import");
            imported[*index] = true;
            let subject = Subject {
                key: &file.grants[*index].rcn,
                grant_id: &subjects[*index].grant_id,
                tranche_minor: &subjects[*index].tranche_minor,
            };
            let effect = match step {
                None => Effect::Imported(file.grants[*index].ceiling_minor),
                Some(step) => subject.command(*step, quarters[0]).0,
            };
            books.take("EUR", effect);
        }
        let total: i64 = file.grants.iter().map(|grant| grant.ceiling_minor).sum();
        let nothing = concord_proto::audit::v1::Balance { currency: "EUR".to_owned(), ..Default::default() };
        let appropriated =
            format!("EUR appropriated: {total} minor units by the demo's sums, 0 by the ledger");
        assert!(books.differences(&[nothing]).contains(&appropriated));
    }
}
