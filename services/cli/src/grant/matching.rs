//! `concord grant pledge`, `arrive`, `release`: matching money 配套资金.

use clap::{Args, Subcommand};
use concord_kernel::money::Currency;
use concord_proto::fund::v1::matching_service_client::MatchingServiceClient;
use concord_proto::fund::v1::{
    GovernmentLevel, MatchingKind, PledgeMatchingRequest, PledgedInstalment, RecordMatchingArrivalRequest,
    ReleaseMatchingRequest,
};
use concord_proto::r#type::v1::{Money, Party};
use jiff::civil::Date;
use uuid::Uuid;

use super::{Sent, currency, receipt, send};
use crate::connect::Stamped;
use crate::errors::CliError;
use crate::header::HeaderArgs;
use crate::output::{exact_minor, parse_money};
use crate::words::{self, KINDS, LEVELS, MATCHING_KINDS};

/// What to do with a source of matching money.
#[derive(Debug, Subcommand)]
pub enum MatchingCommand {
    /// Pledge a source of matching money 配套承诺
    Pledge(Box<PledgeArgs>),
    /// Record that matching money arrived 配套到位
    Arrive {
        /// The source.
        #[command(flatten)]
        target: SourceTarget,
        /// Number of the instalment 分期
        instalment: u32,
        /// Arrived: at most what is missing of the instalment 到位金额
        #[arg(long, value_parser = parse_money)]
        amount: Money,
        /// The bank's reference 银行流水号
        #[arg(long)]
        bank_reference: String,
    },
    /// Release a source from all that has not arrived 配套核减
    Release {
        /// The source.
        #[command(flatten)]
        target: SourceTarget,
        /// Why 原因
        #[arg(long)]
        reason: String,
        /// The meeting's minutes 会议纪要
        #[arg(long)]
        minutes: String,
    },
}

/// The source of matching money that a command is about.
#[derive(Debug, Args)]
pub struct SourceTarget {
    /// The grant 项目
    pub grant: Uuid,
    /// Number of the source within the grant, from 1 配套来源序号
    pub source: u32,
    /// What every command carries.
    #[command(flatten)]
    header: HeaderArgs,
}

/// A new source.
#[derive(Debug, Args)]
pub struct PledgeArgs {
    /// The source.
    #[command(flatten)]
    target: SourceTarget,
    /// Kind of the source 配套来源
    #[arg(long, value_parser = words::parser(MATCHING_KINDS))]
    kind: MatchingKind,
    /// Level of the government, of a government's budget alone 配套层级
    #[arg(long, value_parser = words::parser(LEVELS))]
    level: Option<GovernmentLevel>,
    /// It is public money, as a government's budget always is 公共资金
    #[arg(long)]
    public: bool,
    /// Who pays, CODE,KIND,REGION; none: not settled yet 出资单位
    #[arg(long, value_name = "CODE,KIND,REGION", value_parser = parse_payer)]
    payer: Option<Party>,
    /// Pledged 承诺金额
    #[arg(long, value_parser = parse_money)]
    amount: Money,
    /// An instalment AMOUNT:DUE, in order, for example 200000.00:2024-06-30 分期
    #[arg(long = "instalment", required = true, value_name = "AMOUNT:DUE", value_parser = parse_instalment)]
    instalments: Vec<(String, Date)>,
}

/// Sends a command about matching money.
pub(super) async fn send(channel: Stamped, command: MatchingCommand) -> Result<Sent, CliError> {
    let client = &mut MatchingServiceClient::new(channel);
    Ok(match command {
        MatchingCommand::Pledge(args) => pledge(client, *args).await?,
        MatchingCommand::Arrive { target, instalment, amount, bank_reference } => {
            receipt!(
                client.record_matching_arrival,
                target,
                RecordMatchingArrivalRequest {
                    source_number: target.source,
                    instalment_number: instalment,
                    amount: Some(amount),
                    bank_reference: bank_reference,
                }
            )
        }
        MatchingCommand::Release { target, reason, minutes } => {
            receipt!(
                client.release_matching,
                target,
                ReleaseMatchingRequest { source_number: target.source, reason: reason, minutes: minutes }
            )
        }
    })
}

async fn pledge(client: &mut MatchingServiceClient<Stamped>, args: PledgeArgs) -> Result<Sent, CliError> {
    let PledgeArgs { target, kind, level, public, payer, amount, instalments } = args;
    let instalments = pledged(currency(&amount)?, &instalments)?;
    Ok(receipt!(
        client.pledge_matching,
        target,
        PledgeMatchingRequest {
            source_number: target.source,
            kind: kind.into(),
            level: level.unwrap_or_default().into(),
            is_public: public || kind == MatchingKind::GovernmentBudget,
            payer: payer,
            amount: Some(amount),
            instalments: instalments,
        }
    ))
}

/// The instalments as typed, numbered.
fn pledged(currency: Currency, typed: &[(String, Date)]) -> Result<Vec<PledgedInstalment>, CliError> {
    let pledged = typed.iter().zip(1..).map(|((amount, due_on), number)| {
        let amount_minor = exact_minor(amount, currency).map_err(CliError::Usage)?;
        Ok(PledgedInstalment { number, amount_minor, due_on: due_on.to_string() })
    });
    pledged.collect()
}

fn parse_instalment(text: &str) -> Result<(String, Date), String> {
    let (amount, due_on) =
        text.split_once(':').ok_or("write AMOUNT:DUE, for example 200000.00:2024-06-30")?;
    let due_on = due_on.parse().map_err(|_| format!("{due_on:?} is not a date like 2024-06-30"))?;
    Ok((amount.to_owned(), due_on))
}

fn parse_payer(text: &str) -> Result<Party, String> {
    let [code, kind, region] = text.splitn(3, ',').collect::<Vec<_>>()[..] else {
        return Err(
            "write CODE,KIND,REGION, for example CN-USCC:91330100799655058B,government,210100".to_owned()
        );
    };
    let kind = words::value(KINDS, kind)
        .ok_or_else(|| format!("{kind:?} is no kind; use one of {}", words::list(KINDS)))?;
    Ok(Party { code: code.to_owned(), kind: kind.into(), region: region.to_owned(), name: String::new() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn instalments_are_numbered_in_the_order_typed_and_exact() {
        let typed: Vec<_> = ["120.50:2017-12-31", "80:2018-12-31"]
            .map(parse_instalment)
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let cny = Currency::try_from("CNY").unwrap();
        let read: Vec<_> = pledged(cny, &typed)
            .unwrap()
            .into_iter()
            .map(|instalment| (instalment.number, instalment.amount_minor, instalment.due_on))
            .collect();
        assert_eq!(read, [(1, 12_050, "2017-12-31".to_owned()), (2, 8_000, "2018-12-31".to_owned())]);
        let finer = [parse_instalment("0.005:2018-12-31").unwrap()];
        assert!(pledged(cny, &finer).is_err_and(|error| error.exit_code() == 64));
    }

    #[test]
    fn what_is_typed_wrong_says_how_it_is_written() {
        assert!(parse_instalment("100").unwrap_err().contains("AMOUNT:DUE"));
        assert!(parse_instalment("100:soon").unwrap_err().contains("date"));
        assert!(parse_payer("CN-USCC:1,club,210100").unwrap_err().contains("government"));
        assert!(parse_payer("CN-USCC:1").unwrap_err().contains("CODE,KIND,REGION"));
        assert_eq!(parse_payer("CN-USCC:1,government,210100").unwrap().region, "210100");
    }
}
