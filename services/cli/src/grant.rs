//! `concord grant`: one grant's procedure, contract and payments.

mod args;
mod show;

use std::io::Read as _;

use concord_kernel::money::Currency;
use concord_proto::fund::v1::grant_service_client::GrantServiceClient;
use concord_proto::fund::v1::{
    AdmitGrantRequest, Allocation, ApplyForGrantRequest, ApproveGrantsRequest, AuthoriseTrancheRequest,
    Award, CancelTrancheRequest, GetBackingRequest, GetGrantRequest, HoldGrantRequest,
    InstructTrancheRequest, NameBackingAgreementRequest, PersonalData, PlannedTranche, PublishNoticeRequest,
    RecommendGrantRequest, RejectGrantRequest, RejectTrancheRequest, RequestTrancheRequest,
    ResumeGrantRequest, ReturnPaymentRequest, ReviewGrantRequest, SettleTrancheRequest, SignContractRequest,
    VerifyPayeeRequest, WithdrawGrantRequest,
};
use concord_proto::r#type::v1::{Money, Party};
use uuid::Uuid;

pub use self::args::{ApplyArgs, GrantCommand, Share, Target, TrancheCommand, TrancheLine, TrancheTarget};
use crate::connect::Stamped;
use crate::errors::CliError;
use crate::ids;
use crate::output::{Format, exact_minor, print_json, print_receipt};

/// Most of a payee's account that the service takes, in bytes.
const ACCOUNT_BYTES_MAX: u64 = 1_024;

type Client = GrantServiceClient<Stamped>;

/// Sends a command about one grant and prints its receipt.
macro_rules! send {
    ($client:ident . $call:ident, $target:expr, $request:ident { $($field:ident : $value:expr),* $(,)? }) => {{
        let header = $target.header.to_wire()?;
        let request_id = header.request_id.clone();
        let request = $request { header: Some(header), grant_id: $target.grant.to_string(), $($field: $value),* };
        let answer = $client.$call(request).await?.into_inner();
        (request_id, answer)
    }};
}

/// Runs a command.
///
/// # Errors
/// What the service answered, or arguments that do not fit together.
pub async fn run(client: &mut Client, command: GrantCommand, format: Format) -> Result<(), CliError> {
    let (request_id, receipt) = match command {
        GrantCommand::Show { grant, min_position } => {
            let request = GetGrantRequest { grant_id: grant.to_string(), min_position };
            let answer = client.get_grant(request).await?.into_inner();
            let shown = answer.grant.unwrap_or_default();
            match format {
                Format::Json => print_json(&show::json(&shown, answer.position)),
                Format::Table => show::print(&shown, answer.position),
            }
            return Ok(());
        }
        GrantCommand::Apply(args) => return apply(client, *args, format).await,
        GrantCommand::Recommend { target, by } => {
            let (id, answer) =
                send!(client.recommend_grant, target, RecommendGrantRequest { recommender: by });
            (id, answer.receipt)
        }
        GrantCommand::Admit { target } => {
            let (id, answer) = send!(client.admit_grant, target, AdmitGrantRequest {});
            (id, answer.receipt)
        }
        GrantCommand::Review { target, score, ceiling } => {
            let (id, answer) = send!(
                client.review_grant,
                target,
                ReviewGrantRequest { score_hundredths: score, ceiling: Some(ceiling) }
            );
            (id, answer.receipt)
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
            let (id, answer) = send!(client.reject_grant, target, RejectGrantRequest { reason: reason });
            (id, answer.receipt)
        }
        GrantCommand::Withdraw { target, reason } => {
            let (id, answer) = send!(client.withdraw_grant, target, WithdrawGrantRequest { reason: reason });
            (id, answer.receipt)
        }
        GrantCommand::Contract { target, number, amount, starts_on, ends_on, tranches } => {
            let tranches = plan(&amount, &tranches)?;
            let (id, answer) = send!(
                client.sign_contract,
                target,
                SignContractRequest {
                    contract_number: number,
                    amount: Some(amount),
                    starts_on: starts_on.to_string(),
                    ends_on: ends_on.to_string(),
                    tranches: tranches,
                    allocations: Vec::new(),
                }
            );
            (id, answer.receipt)
        }
        GrantCommand::VerifyPayee { target, person_id, account_file } => {
            let account = PersonalData { person_id, text: read_account(&account_file)? };
            let (id, answer) =
                send!(client.verify_payee, target, VerifyPayeeRequest { account: Some(account) });
            (id, answer.receipt)
        }
        GrantCommand::NameAgreement { target, agreement, agreement_position } => {
            let (id, answer) = send!(
                client.name_backing_agreement,
                target,
                NameBackingAgreementRequest {
                    agreement_id: agreement.to_string(),
                    agreement_position: agreement_position,
                }
            );
            (id, answer.receipt)
        }
        GrantCommand::Hold { target, reason } => {
            let (id, answer) = send!(client.hold_grant, target, HoldGrantRequest { reason: reason });
            (id, answer.receipt)
        }
        GrantCommand::Resume { target } => {
            let (id, answer) = send!(client.resume_grant, target, ResumeGrantRequest {});
            (id, answer.receipt)
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
    };
    print_receipt(format, &request_id, receipt, &[]);
    Ok(())
}

async fn tranche(client: &mut Client, command: TrancheCommand, format: Format) -> Result<(), CliError> {
    let (request_id, receipt) = match command {
        TrancheCommand::Request { tranche, amount } => {
            let (id, answer) = send!(
                client.request_tranche,
                tranche,
                RequestTrancheRequest { tranche_number: tranche.number, amount: amount }
            );
            (id, answer.receipt)
        }
        TrancheCommand::Authorise { tranche } => {
            let (id, answer) = send!(
                client.authorise_tranche,
                tranche,
                AuthoriseTrancheRequest { tranche_number: tranche.number }
            );
            (id, answer.receipt)
        }
        TrancheCommand::Reject { tranche, reason } => {
            let (id, answer) = send!(
                client.reject_tranche,
                tranche,
                RejectTrancheRequest { tranche_number: tranche.number, reason: reason }
            );
            (id, answer.receipt)
        }
        TrancheCommand::Cancel { tranche, reason } => {
            let (id, answer) = send!(
                client.cancel_tranche,
                tranche,
                CancelTrancheRequest { tranche_number: tranche.number, reason: reason }
            );
            (id, answer.receipt)
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
            let (id, answer) = send!(
                client.settle_tranche,
                tranche,
                SettleTrancheRequest { tranche_number: tranche.number, bank_reference: bank_reference }
            );
            (id, answer.receipt)
        }
        TrancheCommand::Return { tranche, bank_reference, reason } => {
            let (id, answer) = send!(
                client.return_payment,
                tranche,
                ReturnPaymentRequest {
                    tranche_number: tranche.number,
                    bank_reference: bank_reference,
                    reason: reason,
                }
            );
            (id, answer.receipt)
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
    let shares = args.shares.into_iter().map(|share| {
        let amount_minor = exact_minor(&share.amount, currency).map_err(CliError::Usage)?;
        Ok(Allocation { party: Some(share.party), amount_minor: Some(amount_minor) })
    });
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
        allocations: shares.collect::<Result<_, CliError>>()?,
        starts_on: args.starts_on.to_string(),
        ends_on: args.ends_on.to_string(),
    };
    let answer = client.apply_for_grant(request).await?.into_inner();
    print_receipt(format, &request_id, answer.receipt, &[("grant_id", grant_id)]);
    Ok(())
}

/// The plan as typed, numbered, in the contract's currency.
fn plan(contracted: &Money, lines: &[TrancheLine]) -> Result<Vec<PlannedTranche>, CliError> {
    let currency = currency(contracted)?;
    let planned = lines.iter().zip(1..).map(|(line, number)| {
        Ok(PlannedTranche {
            number,
            amount_minor: exact_minor(&line.amount, currency).map_err(CliError::Usage)?,
            condition: line.condition.into(),
            due_on: line.due_on.to_string(),
        })
    });
    planned.collect()
}

fn currency(money: &Money) -> Result<Currency, CliError> {
    Currency::try_from(money.currency.as_str()).map_err(|error| CliError::usage(error.to_string()))
}

/// The instruction of a tranche that has one, as after a return; else a new one.
async fn instruction(client: &mut Client, grant: Uuid, number: u32) -> Result<String, CliError> {
    let request = GetGrantRequest { grant_id: grant.to_string(), min_position: 0 };
    let shown = client.get_grant(request).await?.into_inner().grant.unwrap_or_default();
    let own = shown
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
