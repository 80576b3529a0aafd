//! `concord grant`: one grant's procedure, contract, payments, and its life after them.

mod args;
mod closing;
mod contract;
mod exceptional;
mod matching;
mod show;
mod spending;
mod typed;

use std::io::Read as _;

use concord_kernel::money::Currency;
use concord_proto::fund::v1::grant_service_client::GrantServiceClient;
use concord_proto::fund::v1::{
    AdmitGrantRequest, ApplyForGrantRequest, ApproveGrantsRequest, AuthoriseTrancheRequest, Award,
    CancelTrancheRequest, GetBackingRequest, GetGrantRequest, Grant, HoldGrantRequest,
    InstructTrancheRequest, NameBackingAgreementRequest, PersonalData, PublishNoticeRequest,
    RecommendGrantRequest, RejectGrantRequest, RejectTrancheRequest, RequestTrancheRequest,
    ResumeGrantRequest, ReturnPaymentRequest, ReviewGrantRequest, SettleTrancheRequest, SignContractRequest,
    VerifyPayeeRequest, WithdrawGrantRequest,
};
use concord_proto::r#type::v1::{CommandReceipt, Money, Party};
use uuid::Uuid;

pub use self::args::{AmendArgs, ApplyArgs, GrantCommand, Target, TrancheCommand, TrancheTarget};
pub use self::closing::{AcceptCommand, ClosingCommand};
pub use self::exceptional::{ExceptionalCommand, ObjectionTarget};
pub use self::matching::{MatchingCommand, PledgeArgs, SourceTarget};
pub use self::spending::{ReportArgs, SpendTarget, SpendingCommand};
pub use self::typed::{Share, TrancheLine};
use crate::connect::{Actor, Fund, Stamped};
use crate::errors::CliError;
use crate::ids;
use crate::output::{Format, print_json, print_receipt};
use crate::recovery;

/// Most of a payee's account that the service takes, in bytes.
const ACCOUNT_BYTES_MAX: u64 = 1_024;

type Client = GrantServiceClient<Stamped>;
/// The request id that was sent, and the answer's receipt.
type Sent = (String, Option<CommandReceipt>);

/// Sends a command about one grant, and gives the request id and the answer.
macro_rules! send {
    ($client:ident . $call:ident, $target:expr, $request:ident { $($field:ident : $value:expr),* $(,)? }) => {{
        let header = $target.header.to_wire()?;
        let request_id = header.request_id.clone();
        let request = $request { header: Some(header), grant_id: $target.grant.to_string(), $($field: $value),* };
        let answer = $client.$call(request).await?.into_inner();
        (request_id, answer)
    }};
}

/// As [`send!`], where the answer is the receipt alone.
macro_rules! receipt {
    ($($sent:tt)*) => {{
        let (request_id, answer) = send!($($sent)*);
        (request_id, answer.receipt)
    }};
}

// The parts of a grant's life below send in the same way.
use {receipt, send};

/// Runs a command.
///
/// # Errors
/// What the service answered, or arguments that do not fit together.
pub async fn run(fund: &Fund, actor: &Actor, command: GrantCommand, format: Format) -> Result<(), CliError> {
    let client = &mut fund.grants(actor)?;
    let (request_id, receipt) = match command {
        GrantCommand::Show { grant, min_position } => {
            let request = GetGrantRequest { grant_id: grant.to_string(), min_position };
            let answer = client.get_grant(request).await?.into_inner();
            let shown = answer.grant.unwrap_or_default();
            match format {
                Format::Json => print_json(&show::json(&shown, answer.position)),
                Format::Table => {
                    show::print(&shown, answer.position);
                    let ids = &shown.recovery_ids;
                    recovery::print_all(fund.stamped(actor)?, ids, answer.position).await?;
                }
            }
            return Ok(());
        }
        GrantCommand::Apply(args) => return apply(client, *args, format).await,
        GrantCommand::Recommend { target, by } => {
            receipt!(client.recommend_grant, target, RecommendGrantRequest { recommender: by })
        }
        GrantCommand::Admit { target } => {
            receipt!(client.admit_grant, target, AdmitGrantRequest {})
        }
        GrantCommand::Review { target, score, ceiling } => {
            receipt!(
                client.review_grant,
                target,
                ReviewGrantRequest { score_hundredths: score, ceiling: Some(ceiling) }
            )
        }
        GrantCommand::Publish { target, amount } => {
            let (id, answer) =
                send!(client.publish_notice, target, PublishNoticeRequest { amount: Some(amount) });
            print_receipt(format, &id, answer.receipt, &[("approvable_from", answer.approvable_from)]);
            return Ok(());
        }
        GrantCommand::Approve { awards, minutes, header } => {
            let header = header.to_wire()?;
            let id = header.request_id.clone();
            let awards = awards.into_iter().map(|(grant, amount)| Award {
                grant_id: grant.to_string(),
                amount: Some(amount),
                expected_version: None,
            });
            let request = ApproveGrantsRequest { header: Some(header), minutes, awards: awards.collect() };
            (id, client.approve_grants(request).await?.into_inner().receipt)
        }
        GrantCommand::Reject { target, reason } => {
            receipt!(client.reject_grant, target, RejectGrantRequest { reason: reason })
        }
        GrantCommand::Withdraw { target, reason } => {
            receipt!(client.withdraw_grant, target, WithdrawGrantRequest { reason: reason })
        }
        GrantCommand::Contract { target, number, amount, starts_on, ends_on, tranches, shares } => {
            let currency = currency(&amount)?;
            let tranches = contract::plan(currency, &tranches)?;
            let allocations = contract::allocations(currency, shares)?;
            receipt!(
                client.sign_contract,
                target,
                SignContractRequest {
                    contract_number: number,
                    amount: Some(amount),
                    starts_on: starts_on.to_string(),
                    ends_on: ends_on.to_string(),
                    tranches: tranches,
                    allocations: allocations,
                }
            )
        }
        GrantCommand::Amend(args) => contract::amend(client, *args).await?,
        GrantCommand::VerifyPayee { target, person_id, account_file } => {
            let account = PersonalData { person_id, text: read_account(&account_file)? };
            receipt!(client.verify_payee, target, VerifyPayeeRequest { account: Some(account) })
        }
        GrantCommand::NameAgreement { target, agreement, agreement_position } => {
            receipt!(
                client.name_backing_agreement,
                target,
                NameBackingAgreementRequest {
                    agreement_id: agreement.to_string(),
                    agreement_position: agreement_position,
                }
            )
        }
        GrantCommand::Hold { target, reason } => {
            receipt!(client.hold_grant, target, HoldGrantRequest { reason: reason })
        }
        GrantCommand::Resume { target } => {
            receipt!(client.resume_grant, target, ResumeGrantRequest {})
        }
        GrantCommand::Backing { agreement, min_agreement_position } => {
            let request = GetBackingRequest {
                agreement_id: agreement.to_string(),
                min_position: 0,
                min_agreement_position,
            };
            let answer = client.get_backing(request).await?.into_inner();
            match format {
                Format::Json => print_json(&show::backing_json(&answer)),
                Format::Table => show::print_backing(&answer),
            }
            return Ok(());
        }
        GrantCommand::Tranche(command) => return tranche(client, command, format).await,
        GrantCommand::Matching(command) => matching::send(fund.stamped(actor)?, command).await?,
        GrantCommand::Spending(command) => {
            return spending::run(client, fund.stamped(actor)?, command, format).await;
        }
        GrantCommand::Closing(command) => closing::send(client, fund.stamped(actor)?, command).await?,
        GrantCommand::Exceptional(command) => exceptional::send(client, command).await?,
    };
    print_receipt(format, &request_id, receipt, &[]);
    Ok(())
}

async fn tranche(client: &mut Client, command: TrancheCommand, format: Format) -> Result<(), CliError> {
    let (request_id, receipt) = match command {
        TrancheCommand::Request { tranche, amount } => {
            receipt!(
                client.request_tranche,
                tranche,
                RequestTrancheRequest { tranche_number: tranche.number, amount: amount }
            )
        }
        TrancheCommand::Authorise { tranche } => {
            receipt!(
                client.authorise_tranche,
                tranche,
                AuthoriseTrancheRequest { tranche_number: tranche.number }
            )
        }
        TrancheCommand::Reject { tranche, reason } => {
            receipt!(
                client.reject_tranche,
                tranche,
                RejectTrancheRequest { tranche_number: tranche.number, reason: reason }
            )
        }
        TrancheCommand::Cancel { tranche, reason } => {
            receipt!(
                client.cancel_tranche,
                tranche,
                CancelTrancheRequest { tranche_number: tranche.number, reason: reason }
            )
        }
        TrancheCommand::Instruct { tranche, instruction_id } => {
            let instruction_id = match instruction_id {
                Some(id) => id.to_string(),
                None => instruction(client, tranche.grant, tranche.number).await?,
            };
            let (id, answer) = send!(
                client.instruct_tranche,
                tranche,
                InstructTrancheRequest {
                    tranche_number: tranche.number,
                    instruction_id: instruction_id.clone(),
                }
            );
            let facts = [("instruction_id", instruction_id), ("attempt", answer.attempt.to_string())];
            print_receipt(format, &id, answer.receipt, &facts);
            return Ok(());
        }
        TrancheCommand::Settle { tranche, bank_reference } => {
            receipt!(
                client.settle_tranche,
                tranche,
                SettleTrancheRequest { tranche_number: tranche.number, bank_reference: bank_reference }
            )
        }
        TrancheCommand::Return { tranche, bank_reference, reason } => {
            receipt!(
                client.return_payment,
                tranche,
                ReturnPaymentRequest {
                    tranche_number: tranche.number,
                    bank_reference: bank_reference,
                    reason: reason,
                }
            )
        }
    };
    print_receipt(format, &request_id, receipt, &[]);
    Ok(())
}

async fn apply(client: &mut Client, args: ApplyArgs, format: Format) -> Result<(), CliError> {
    let header = args.header.to_wire()?;
    let (request_id, grant_id) =
        (header.request_id.clone(), args.grant_id.unwrap_or_else(Uuid::now_v7).to_string());
    let currency = currency(&args.requested)?;
    let request = ApplyForGrantRequest {
        header: Some(header),
        grant_id: grant_id.clone(),
        programme_id: args.programme.to_string(),
        mode: args.mode.into(),
        title: args.title,
        lead: Some(Party {
            code: args.lead,
            kind: args.lead_kind.into(),
            region: args.lead_region,
            name: args.lead_name,
        }),
        industry: args.industry,
        requested: Some(args.requested),
        total_budget: Some(args.total_budget),
        allocations: contract::allocations(currency, args.shares)?,
        starts_on: args.starts_on.to_string(),
        ends_on: args.ends_on.to_string(),
    };
    let answer = client.apply_for_grant(request).await?.into_inner();
    print_receipt(format, &request_id, answer.receipt, &[("grant_id", grant_id)]);
    Ok(())
}

fn currency(money: &Money) -> Result<Currency, CliError> {
    Currency::try_from(money.currency.as_str()).map_err(|error| CliError::usage(error.to_string()))
}

/// A grant as the writer knows it now.
pub(crate) async fn find(client: &mut Client, grant: Uuid) -> Result<Grant, CliError> {
    let request = GetGrantRequest { grant_id: grant.to_string(), min_position: 0 };
    Ok(client.get_grant(request).await?.into_inner().grant.unwrap_or_default())
}

/// The currency of a grant.
pub(crate) fn currency_of(grant: &Grant) -> Result<Currency, CliError> {
    Currency::try_from(grant.currency.as_str()).map_err(|error| CliError::failed(error.to_string()))
}

/// The id of a party of a grant that is named by its id, or by the code under which the grant has it.
async fn party_id(client: &mut Client, grant: Uuid, party: String) -> Result<String, CliError> {
    // A code has a scheme before its colon; an id has no colon.
    if !party.contains(':') {
        return Ok(party);
    }
    party_of(&find(client, grant).await?, &party)
}

/// The id of a party of this grant, as [`party_id`].
pub(crate) fn party_of(grant: &Grant, party: &str) -> Result<String, CliError> {
    if !party.contains(':') {
        return Ok(party.to_owned());
    }
    let found = grant.shares.iter().find(|share| share.code == party);
    found.map(|share| share.party_id.clone()).ok_or_else(|| {
        let codes: Vec<&str> = grant.shares.iter().map(|share| share.code.as_str()).collect();
        let codes = if codes.is_empty() { "none yet, before its contract".to_owned() } else { codes.join(", ") };
        CliError::usage(format!(
            "{party} is no party of grant {id}; its parties are: {codes}. Name one of them by that code or by its UUID\n\
             {party} 不是该项目的参与单位；请使用项目所列单位的代码或 UUID",
            id = grant.grant_id
        ))
    })
}

/// The instruction of a tranche that has one, as after a return; else a new one.
async fn instruction(client: &mut Client, grant: Uuid, number: u32) -> Result<String, CliError> {
    let own = find(client, grant)
        .await?
        .tranches
        .into_iter()
        .find(|tranche| tranche.number == number)
        .map(|tranche| tranche.instruction_id);
    Ok(own.filter(|id| !id.is_empty()).unwrap_or_else(ids::fresh))
}

/// Personal data comes from a file or standard input: an argument would show in the list of processes.
fn read_account(path: &std::path::Path) -> Result<String, CliError> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().take(ACCOUNT_BYTES_MAX + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(ACCOUNT_BYTES_MAX + 1).read_to_string(&mut text))
    };
    read.map_err(CliError::file("read", path))?;
    let text = text.trim();
    if text.is_empty() || text.len() as u64 > ACCOUNT_BYTES_MAX {
        return Err(CliError::usage(format!(
            "{}: an account is 1 to {ACCOUNT_BYTES_MAX} bytes of text",
            path.display()
        )));
    }
    Ok(text.to_owned())
}
