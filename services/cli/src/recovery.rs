//! `concord recovery`: claims on money that was paid 追缴.

mod show;

use clap::{Args, Subcommand};
use concord_kernel::money::Currency;
use concord_proto::fund::v1::recovery_service_client::RecoveryServiceClient;
use concord_proto::fund::v1::{
    AppealRecoveryRequest, DemandRecoveryRequest, DetermineRecoveryRequest, GetRecoveryRequest, Grant,
    OffsetRecoveryRequest, OverturnRecoveryRequest, RecordRepaymentRequest, RecoveryCause, RecoveryTake,
    TakenFrom, UpholdRecoveryRequest, WriteOffRecoveryRequest,
};
use concord_proto::r#type::v1::Money;
use uuid::Uuid;

pub(crate) use self::show::print_all;
use crate::connect::{Actor, Fund};
use crate::errors::CliError;
use crate::grant::{currency_of, find, party_of};
use crate::header::HeaderArgs;
use crate::output::{Format, exact_minor, parse_money, print_json, print_receipt};
use crate::words::{self, RECOVERY_CAUSES, TAKEN_FROM};

/// What to do with a recovery.
#[derive(Debug, Subcommand)]
pub enum RecoveryCommand {
    /// Determine that money of a grant is recovered 追缴决定
    Determine(Box<DetermineArgs>),
    /// Demand it: the days to pay count from here 追缴通知
    Demand {
        /// The recovery.
        #[command(flatten)]
        target: Target,
        /// Number of the demand 通知文号
        #[arg(long)]
        number: String,
    },
    /// Appeal against it 申诉
    Appeal {
        /// The recovery.
        #[command(flatten)]
        target: Target,
        /// On what grounds 申诉理由
        #[arg(long)]
        grounds: String,
    },
    /// Turn the appeal down 维持
    Uphold {
        /// The recovery.
        #[command(flatten)]
        target: Target,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
    /// Allow the appeal: all of it goes back to where it was taken from 撤销追缴
    Overturn {
        /// The recovery.
        #[command(flatten)]
        target: Target,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
    /// Record that money came in for it 缴回
    Repay {
        /// The recovery.
        #[command(flatten)]
        target: Target,
        /// Came in: at most what is outstanding 缴回金额
        #[arg(long, value_parser = parse_money)]
        amount: Money,
        /// The bank's reference 银行流水号
        #[arg(long)]
        bank_reference: String,
    },
    /// Offset it against a tranche of another grant: the bank then pays that much less 抵扣
    Offset {
        /// The recovery.
        #[command(flatten)]
        target: Target,
        /// Offset: at most what is outstanding 抵扣金额
        #[arg(long, value_parser = parse_money)]
        amount: Money,
        /// The other grant, of the same lead 抵扣项目
        #[arg(long, value_name = "GRANT")]
        against: Uuid,
        /// Number of its tranche, authorised and not yet instructed 期次
        #[arg(long, value_name = "NUMBER")]
        tranche: u32,
    },
    /// Give up all that is outstanding 核销
    WriteOff {
        /// The recovery.
        #[command(flatten)]
        target: Target,
        /// The meeting's minutes 会议纪要
        #[arg(long)]
        minutes: String,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
    /// Show a recovery 查看
    Show {
        /// The recovery 追缴编号
        recovery: Uuid,
        /// Wait until the log has reached this position 等待至该位置
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        min_position: u64,
    },
}

/// The recovery that a command is about.
#[derive(Debug, Args)]
pub struct Target {
    /// The recovery 追缴编号
    pub recovery: Uuid,
    /// What every command carries.
    #[command(flatten)]
    header: HeaderArgs,
}

/// A new recovery.
#[derive(Debug, Args)]
pub struct DetermineArgs {
    /// The grant that the money was paid for 项目
    grant: Uuid,
    /// Id of the new recovery; made where it is left out 追缴编号
    #[arg(long, value_name = "UUID")]
    recovery_id: Option<Uuid>,
    /// Why money is recovered 追缴原因
    #[arg(long, value_parser = words::parser(RECOVERY_CAUSES))]
    cause: RecoveryCause,
    /// What is taken from whom PARTY,FROM,AMOUNT, the party by its UUID or by the code that the grant has of it, for example
    /// CN-USCC:91330100799655058B,unspent,50000.00 追缴明细
    #[arg(long = "take", required = true, value_name = "PARTY,FROM,AMOUNT", value_parser = parse_take)]
    takes: Vec<Take>,
    /// Minutes or decision 决定文号
    #[arg(long)]
    minutes: String,
    /// Why 原因
    #[arg(long)]
    reason: String,
    /// What every command carries.
    #[command(flatten)]
    header: HeaderArgs,
}

/// A part of a recovery, its party and its amount still as typed: the grant says how to read them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Take {
    party: String,
    from: TakenFrom,
    amount: String,
}

/// Sends a command about one recovery, and gives the request id and the answer.
macro_rules! send {
    ($client:ident . $call:ident, $target:expr, $request:ident { $($field:ident : $value:expr),* $(,)? }) => {{
        let header = $target.header.to_wire()?;
        let request_id = header.request_id.clone();
        let request =
            $request { header: Some(header), recovery_id: $target.recovery.to_string(), $($field: $value),* };
        (request_id, $client.$call(request).await?.into_inner())
    }};
}

/// As [`send!`], where the answer is the receipt alone.
macro_rules! receipt {
    ($($sent:tt)*) => {{
        let (request_id, answer) = send!($($sent)*);
        (request_id, answer.receipt)
    }};
}

/// Runs a command.
///
/// # Errors
/// What the service answered, or arguments that do not fit together.
pub async fn run(
    fund: &Fund,
    actor: &Actor,
    command: RecoveryCommand,
    format: Format,
) -> Result<(), CliError> {
    let client = &mut RecoveryServiceClient::new(fund.stamped(actor)?);
    let (request_id, receipt) = match command {
        RecoveryCommand::Show { recovery, min_position } => {
            let request = GetRecoveryRequest { recovery_id: recovery.to_string(), min_position };
            let answer = client.get_recovery(request).await?.into_inner();
            let shown = answer.recovery.unwrap_or_default();
            match format {
                Format::Json => print_json(&show::json(&shown, answer.position)),
                Format::Table => show::print(&shown, answer.position),
            }
            return Ok(());
        }
        RecoveryCommand::Determine(args) => {
            let DetermineArgs { grant, recovery_id, cause, takes, minutes, reason, header } = *args;
            let known = find(&mut fund.grants(actor)?, grant).await?;
            let target = Target { recovery: recovery_id.unwrap_or_else(Uuid::now_v7), header };
            let (id, answer) = send!(
                client.determine_recovery,
                target,
                DetermineRecoveryRequest {
                    grant_id: grant.to_string(),
                    cause: cause.into(),
                    takes: taken(&known, takes)?,
                    minutes: minutes,
                    reason: reason,
                }
            );
            print_receipt(format, &id, answer.receipt, &[("recovery_id", target.recovery.to_string())]);
            return Ok(());
        }
        RecoveryCommand::Demand { target, number } => {
            let (id, answer) =
                send!(client.demand_recovery, target, DemandRecoveryRequest { demand: number });
            print_receipt(format, &id, answer.receipt, &[("due_on", answer.due_on)]);
            return Ok(());
        }
        RecoveryCommand::Appeal { target, grounds } => {
            receipt!(client.appeal_recovery, target, AppealRecoveryRequest { grounds: grounds })
        }
        RecoveryCommand::Uphold { target, reason } => {
            receipt!(client.uphold_recovery, target, UpholdRecoveryRequest { reason: reason })
        }
        RecoveryCommand::Overturn { target, reason } => {
            receipt!(client.overturn_recovery, target, OverturnRecoveryRequest { reason: reason })
        }
        RecoveryCommand::Repay { target, amount, bank_reference } => {
            receipt!(
                client.record_repayment,
                target,
                RecordRepaymentRequest { amount: Some(amount), bank_reference: bank_reference }
            )
        }
        RecoveryCommand::Offset { target, amount, against, tranche } => {
            receipt!(
                client.offset_recovery,
                target,
                OffsetRecoveryRequest {
                    amount: Some(amount),
                    against_grant_id: against.to_string(),
                    tranche_number: tranche,
                }
            )
        }
        RecoveryCommand::WriteOff { target, minutes, reason } => {
            receipt!(
                client.write_off_recovery,
                target,
                WriteOffRecoveryRequest { minutes: minutes, reason: reason }
            )
        }
    };
    print_receipt(format, &request_id, receipt, &[]);
    Ok(())
}

/// The parts of a recovery, with the grant's parties and in its currency.
fn taken(grant: &Grant, takes: Vec<Take>) -> Result<Vec<RecoveryTake>, CliError> {
    let currency: Currency = currency_of(grant)?;
    let taken = takes.into_iter().map(|take| {
        let amount_minor = exact_minor(&take.amount, currency).map_err(CliError::Usage)?;
        Ok(RecoveryTake {
            party_id: party_of(grant, &take.party)?,
            from: take.from.into(),
            amount: Some(Money::new(amount_minor, grant.currency.clone())),
        })
    });
    taken.collect()
}

fn parse_take(text: &str) -> Result<Take, String> {
    let [party, from, amount] = text.splitn(3, ',').collect::<Vec<_>>()[..] else {
        return Err(
            "write PARTY,FROM,AMOUNT, for example CN-USCC:91330100799655058B,unspent,50000.00".to_owned()
        );
    };
    let from = words::value(TAKEN_FROM, from)
        .ok_or_else(|| format!("{from:?} is no such place; use one of {}", words::list(TAKEN_FROM)))?;
    Ok(Take { party: party.to_owned(), from, amount: amount.to_owned() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use concord_proto::fund::v1::PartyShare;

    #[test]
    fn a_part_names_a_party_of_the_grant_and_is_in_its_currency() {
        let share = |party_id: &str, code: &str| PartyShare {
            party_id: party_id.to_owned(),
            code: code.to_owned(),
            ..PartyShare::default()
        };
        let grant = Grant {
            currency: "CNY".to_owned(),
            shares: vec![share("p-1", "CN-USCC:A"), share("p-2", "CN-USCC:B")],
            ..Grant::default()
        };
        let takes = ["CN-USCC:B,unspent,50.00", "p-1,spent,1"].map(|text| parse_take(text).unwrap());
        let read = taken(&grant, takes.to_vec()).unwrap();
        let seen: Vec<_> = read
            .iter()
            .map(|take| (take.party_id.as_str(), take.from(), take.amount.clone().unwrap().amount_minor))
            .collect();
        assert_eq!(seen, [("p-2", TakenFrom::Unspent, 5_000), ("p-1", TakenFrom::Spent, 100)]);

        let stranger = taken(&grant, vec![parse_take("CN-USCC:C,unspent,1").unwrap()]).unwrap_err();
        let told = stranger.to_string();
        assert!(
            stranger.exit_code() == 64 && told.contains("CN-USCC:A, CN-USCC:B") && told.contains("参与单位"),
            "{told}"
        );
        assert!(parse_take("p-1,pocket,1").unwrap_err().contains("retained"));
        assert!(parse_take("p-1").unwrap_err().contains("PARTY,FROM,AMOUNT"));
    }
}
