//! `concord grant pass-on`, `report-spend`, `accept-spend`, `disallow-spend`: what becomes of money that was paid.

use clap::{Args, Subcommand};
use concord_proto::fund::v1::spending_service_client::SpendingServiceClient;
use concord_proto::fund::v1::{
    AcceptSpendRequest, DisallowSpendRequest, Invoice, ReportSpendRequest, SpendCategory,
    TransferShareRequest,
};
use concord_proto::r#type::v1::Money;
use jiff::civil::Date;
use uuid::Uuid;

use super::{Client, Target, currency, party_id, receipt, send};
use crate::connect::Stamped;
use crate::errors::CliError;
use crate::header::HeaderArgs;
use crate::output::{Format, exact_minor, parse_money, print_receipt};
use crate::words::{self, SPEND_CATEGORIES};

/// What to do with money that was paid.
#[derive(Debug, Subcommand)]
pub enum SpendingCommand {
    /// Record that the lead passed a partner's share on 转拨
    PassOn {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// The partner, by its UUID or by the code that the grant has of it 合作单位
        #[arg(long, value_name = "PARTY")]
        to: String,
        /// Passed on 转拨金额
        #[arg(long, value_parser = parse_money)]
        amount: Money,
        /// The bank's reference 银行流水号
        #[arg(long)]
        bank_reference: String,
    },
    /// Report an item of spending 支出申报
    ReportSpend(Box<ReportArgs>),
    /// Accept a reported item: it counts as spent 支出核定
    AcceptSpend {
        /// The item.
        #[command(flatten)]
        target: SpendTarget,
    },
    /// Disallow an item, reported or accepted 支出审减
    DisallowSpend {
        /// The item.
        #[command(flatten)]
        target: SpendTarget,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
}

/// The item of spending that a command is about.
#[derive(Debug, Args)]
pub struct SpendTarget {
    /// The grant 项目
    pub grant: Uuid,
    /// The item 支出编号
    pub spend: Uuid,
    /// What every command carries.
    #[command(flatten)]
    header: HeaderArgs,
}

/// A new item of spending.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The grant.
    #[command(flatten)]
    target: Target,
    /// Id of the new item; made where it is left out 支出编号
    #[arg(long, value_name = "UUID")]
    spend_id: Option<Uuid>,
    /// Who spent it, by its UUID or by the code that the grant has of it 支出单位
    #[arg(long)]
    party: String,
    /// On what 支出科目
    #[arg(long, value_parser = words::parser(SPEND_CATEGORIES))]
    category: SpendCategory,
    /// Day on which it was spent 支出日期
    #[arg(long, value_name = "DATE")]
    spent_on: Date,
    /// Spent 支出金额
    #[arg(long, value_parser = parse_money)]
    amount: Money,
    /// The invoice ISSUER,NUMBER,TOTAL, in the same currency, for example 2100143130,00012345,1000000.00 发票
    #[arg(long, value_name = "ISSUER,NUMBER,TOTAL", value_parser = parse_invoice)]
    invoice: Option<InvoiceArg>,
    /// Code of the invoice's series, where ISSUER is who issued it 发票代码
    #[arg(long, value_name = "CODE", default_value = "", hide_default_value = true, requires = "invoice")]
    invoice_code: String,
    /// What it was for 用途
    #[arg(long)]
    purpose: String,
}

/// An invoice, its total still as typed: the item's currency says how to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct InvoiceArg {
    issuer: String,
    number: String,
    total: String,
}

/// Sends a command about shares and spending, and prints the answer.
pub(super) async fn run(
    grants: &mut Client,
    channel: Stamped,
    command: SpendingCommand,
    format: Format,
) -> Result<(), CliError> {
    let client = &mut SpendingServiceClient::new(channel);
    let (request_id, receipt) = match command {
        SpendingCommand::PassOn { target, to, amount, bank_reference } => {
            let to_party_id = party_id(grants, target.grant, to).await?;
            receipt!(
                client.transfer_share,
                target,
                TransferShareRequest {
                    to_party_id: to_party_id,
                    amount: Some(amount),
                    bank_reference: bank_reference,
                }
            )
        }
        SpendingCommand::ReportSpend(args) => return report(grants, client, *args, format).await,
        SpendingCommand::AcceptSpend { target } => {
            receipt!(client.accept_spend, target, AcceptSpendRequest { spend_id: target.spend.to_string() })
        }
        SpendingCommand::DisallowSpend { target, reason } => {
            let (id, answer) = send!(
                client.disallow_spend,
                target,
                DisallowSpendRequest { spend_id: target.spend.to_string(), reason: reason }
            );
            // Where the money is gone, the same decision determined its recovery.
            print_receipt(format, &id, answer.receipt, &[("recovery_id", answer.recovery_id)]);
            return Ok(());
        }
    };
    print_receipt(format, &request_id, receipt, &[]);
    Ok(())
}

async fn report(
    grants: &mut Client,
    client: &mut SpendingServiceClient<Stamped>,
    args: ReportArgs,
    format: Format,
) -> Result<(), CliError> {
    let ReportArgs { target, spend_id, party, category, spent_on, amount, invoice, invoice_code, purpose } =
        args;
    let spend_id = spend_id.unwrap_or_else(Uuid::now_v7).to_string();
    let invoice = invoice.map(|typed| in_currency(typed, invoice_code, &amount)).transpose()?;
    let party_id = party_id(grants, target.grant, party).await?;
    let (id, answer) = send!(
        client.report_spend,
        target,
        ReportSpendRequest {
            spend_id: spend_id.clone(),
            party_id: party_id,
            category: category.into(),
            spent_on: spent_on.to_string(),
            amount: Some(amount),
            invoice: invoice,
            purpose: purpose,
        }
    );
    print_receipt(format, &id, answer.receipt, &[("spend_id", spend_id)]);
    Ok(())
}

fn in_currency(typed: InvoiceArg, code: String, amount: &Money) -> Result<Invoice, CliError> {
    let amount_minor = exact_minor(&typed.total, currency(amount)?).map_err(CliError::Usage)?;
    let total = Some(Money::new(amount_minor, amount.currency.clone()));
    Ok(Invoice { issuer: typed.issuer, number: typed.number, total, code })
}

fn parse_invoice(text: &str) -> Result<InvoiceArg, String> {
    let [issuer, number, total] = text.splitn(3, ',').collect::<Vec<_>>()[..] else {
        return Err("write ISSUER,NUMBER,TOTAL, for example 2100143130,00012345,1000000.00".to_owned());
    };
    Ok(InvoiceArg { issuer: issuer.to_owned(), number: number.to_owned(), total: total.to_owned() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_is_in_the_currency_of_its_item() {
        let spent = parse_money("90.00 CNY").unwrap();
        let of = |text: &str| in_currency(parse_invoice(text).unwrap(), String::new(), &spent);
        let invoice = of("2100143130,00012345,100.00").unwrap();
        assert_eq!((invoice.issuer.as_str(), invoice.number.as_str()), ("2100143130", "00012345"));
        assert_eq!(invoice.total, Some(Money::new(10_000, "CNY")));
        assert!(parse_invoice("2100143130,00012345").unwrap_err().contains("ISSUER,NUMBER,TOTAL"));
        assert!(of("a,b,1.005").is_err());
    }
}
