//! `concord agreement`: drafts, signatures, versions, what is done under an agreement, and its end.

mod args;
mod show;
mod typed;

use concord_proto::agreement::v1::agreement_service_client::AgreementServiceClient;
use concord_proto::agreement::v1::{
    AbandonAmendmentRequest, CancelDraftRequest, Changes, CloseActionItemRequest, CompleteAgreementRequest,
    Document, DraftAgreementRequest, DraftParty, FulfilObligationRequest, GetAgreementRequest,
    GetVersionInForceRequest, MinuteMeetingRequest, Obligations, ProposeAmendmentRequest,
    RefuseRegistrationRequest, RegisterContractRequest, RenewAgreementRequest, ResumeAgreementRequest,
    RevokeRegistrationRequest, SignAgreementRequest, SignAmendmentRequest, SubmitRegistrationRequest,
    SucceedPartyRequest, SuspendAgreementRequest, Term, TerminateAgreementRequest,
};
use concord_proto::r#type::v1::CommandReceipt;

pub use self::args::{AgreementCommand, AmendCommand, DraftArgs, ProposeArgs, RegistrationCommand, Target};
pub use self::typed::DocumentArg;
use crate::connect::Stamped;
use crate::errors::CliError;
use crate::ids;
use crate::output::{Format, print_json, print_receipt};

type Client = AgreementServiceClient<Stamped>;
/// The request id that was sent, and the answer's receipt.
type Sent = (String, Option<CommandReceipt>);

/// Sends a command about one agreement, and gives the request id and the answer.
macro_rules! send {
    ($client:ident . $call:ident, $target:expr, $request:ident { $($field:ident : $value:expr),* $(,)? }) => {{
        let header = $target.header.to_wire()?;
        let request_id = header.request_id.clone();
        let request =
            $request { header: Some(header), agreement_id: $target.agreement.to_string(), $($field: $value),* };
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
pub async fn run(client: &mut Client, command: AgreementCommand, format: Format) -> Result<(), CliError> {
    let (request_id, receipt) = match command {
        AgreementCommand::Show { agreement, on, min_position } => {
            let on = on.map(|on| on.to_string()).unwrap_or_default();
            let request = GetAgreementRequest { agreement_id: agreement.to_string(), on, min_position };
            let answer = client.get_agreement(request).await?.into_inner();
            let shown = answer.agreement.unwrap_or_default();
            match format {
                Format::Json => print_json(&show::json(&shown, answer.position)),
                Format::Table => show::print(&shown, answer.position),
            }
            return Ok(());
        }
        AgreementCommand::Version { agreement, on, min_position } => {
            let (agreement_id, on) = (agreement.to_string(), on.to_string());
            let request = GetVersionInForceRequest { agreement_id, on, min_position };
            let answer = client.get_version_in_force(request).await?.into_inner();
            match format {
                Format::Json => print_json(&show::version_in_force_json(&answer)),
                Format::Table => show::print_version(&answer),
            }
            return Ok(());
        }
        AgreementCommand::Draft(args) => return draft(client, *args, format).await,
        AgreementCommand::Sign { target, party, signatory } => {
            let authority = target.header.required_authority()?;
            receipt!(
                client.sign_agreement,
                target,
                SignAgreementRequest { party: party, signatory: signatory, authority: authority }
            )
        }
        AgreementCommand::CancelDraft { target, reason } => {
            receipt!(client.cancel_draft, target, CancelDraftRequest { reason: reason })
        }
        AgreementCommand::Suspend { target, cause } => {
            let authority = target.header.required_authority()?;
            receipt!(
                client.suspend_agreement,
                target,
                SuspendAgreementRequest { cause: cause, authority: authority }
            )
        }
        AgreementCommand::Resume { target } => {
            let authority = target.header.required_authority()?;
            receipt!(client.resume_agreement, target, ResumeAgreementRequest { authority: authority })
        }
        AgreementCommand::Renew { target, from, until, documents } => {
            let authority = target.header.required_authority()?;
            let term = Some(Term { from: from.to_string(), until: until.to_string() });
            let documents = digests(&documents)?;
            receipt!(
                client.renew_agreement,
                target,
                RenewAgreementRequest { term: term, authority: authority, documents: documents }
            )
        }
        AgreementCommand::Complete { target, documents } => {
            let documents = digests(&documents)?;
            receipt!(client.complete_agreement, target, CompleteAgreementRequest { documents: documents })
        }
        AgreementCommand::Terminate { target, reason, out_of_force_from } => {
            let authority = target.header.required_authority()?;
            receipt!(
                client.terminate_agreement,
                target,
                TerminateAgreementRequest {
                    reason: reason,
                    authority: authority,
                    out_of_force_from: out_of_force_from.to_string(),
                }
            )
        }
        AgreementCommand::Amend(command) => return amend(client, command, format).await,
        AgreementCommand::Succeed { target, party, successor } => {
            let authority = target.header.required_authority()?;
            receipt!(
                client.succeed_party,
                target,
                SucceedPartyRequest { party: party, successor: successor, authority: authority }
            )
        }
        AgreementCommand::Fulfil { target, obligation, evidence } => {
            let evidence = digests(&evidence)?;
            receipt!(
                client.fulfil_obligation,
                target,
                FulfilObligationRequest { obligation: obligation, evidence: evidence }
            )
        }
        AgreementCommand::Meet { target, kind, parties, minutes, action_items } => {
            let minutes = Some(digest(&minutes)?);
            let (id, answer) = send!(
                client.minute_meeting,
                target,
                MinuteMeetingRequest {
                    kind: kind.into(),
                    parties: parties,
                    minutes: minutes,
                    action_items: action_items,
                }
            );
            print_receipt(format, &id, answer.receipt, &[("meeting", answer.meeting.to_string())]);
            return Ok(());
        }
        AgreementCommand::CloseItem { target, meeting, item, evidence } => {
            let evidence = digests(&evidence)?;
            receipt!(
                client.close_action_item,
                target,
                CloseActionItemRequest { meeting: meeting, item: item, evidence: evidence }
            )
        }
        AgreementCommand::Registration(command) => registration(client, command).await?,
    };
    print_receipt(format, &request_id, receipt, &[]);
    Ok(())
}

async fn draft(client: &mut Client, args: DraftArgs, format: Format) -> Result<(), CliError> {
    let header = args.header.to_wire()?;
    let request_id = header.request_id.clone();
    let agreement_id = args.agreement_id.map_or_else(ids::fresh, |id| id.to_string());
    let parties = args.parties.into_iter().map(|(code, role)| DraftParty { code, role: role.into() });
    let request = DraftAgreementRequest {
        header: Some(header),
        agreement_id: agreement_id.clone(),
        kind: args.kind.into(),
        title: args.title,
        parties: parties.collect(),
        term: Some(Term { from: args.from.to_string(), until: args.until.to_string() }),
        parent_id: args.parent.map(|id| id.to_string()).unwrap_or_default(),
        project_number: args.project_number,
        technology: args.technology.map(Into::into).unwrap_or_default(),
        value: args.value,
        obligations: args.obligations,
        documents: digests(&args.documents)?,
        synthetic: args.synthetic,
    };
    let answer = client.draft_agreement(request).await?.into_inner();
    print_receipt(format, &request_id, answer.receipt, &[("agreement_id", agreement_id)]);
    Ok(())
}

async fn amend(client: &mut Client, command: AmendCommand, format: Format) -> Result<(), CliError> {
    let (request_id, receipt) = match command {
        AmendCommand::Propose(args) => {
            let ProposeArgs { target, title, term_end, value, obligations, no_obligations, documents } =
                *args;
            let authority = target.header.required_authority()?;
            let changed = no_obligations || !obligations.is_empty();
            let changes = Changes {
                title,
                term_end: term_end.map(|day| day.to_string()).unwrap_or_default(),
                value,
                obligations: changed.then_some(Obligations { obligations }),
            };
            let documents = digests(&documents)?;
            let (id, answer) = send!(
                client.propose_amendment,
                target,
                ProposeAmendmentRequest {
                    changes: Some(changes),
                    authority: authority,
                    documents: documents
                }
            );
            let number = answer.version.to_string();
            print_receipt(format, &id, answer.receipt, &[("version_number", number)]);
            return Ok(());
        }
        AmendCommand::Sign { target, number, party, signatory } => {
            let authority = target.header.required_authority()?;
            receipt!(
                client.sign_amendment,
                target,
                SignAmendmentRequest {
                    version: number,
                    party: party,
                    signatory: signatory,
                    authority: authority,
                }
            )
        }
        AmendCommand::Abandon { target, number, reason } => {
            receipt!(
                client.abandon_amendment,
                target,
                AbandonAmendmentRequest { version: number, reason: reason }
            )
        }
    };
    print_receipt(format, &request_id, receipt, &[]);
    Ok(())
}

async fn registration(client: &mut Client, command: RegistrationCommand) -> Result<Sent, CliError> {
    Ok(match command {
        RegistrationCommand::Submit { target, registrar } => {
            receipt!(client.submit_registration, target, SubmitRegistrationRequest { registrar: registrar })
        }
        RegistrationCommand::Register { target, number, class, technology_income } => {
            receipt!(
                client.register_contract,
                target,
                RegisterContractRequest {
                    number: number,
                    class: class,
                    technology_income: Some(technology_income),
                }
            )
        }
        RegistrationCommand::Refuse { target, reason } => {
            receipt!(client.refuse_registration, target, RefuseRegistrationRequest { reason: reason })
        }
        RegistrationCommand::Revoke { target, reason } => {
            let authority = target.header.required_authority()?;
            receipt!(
                client.revoke_registration,
                target,
                RevokeRegistrationRequest { reason: reason, authority: authority }
            )
        }
    })
}

/// Documents as they are sent: what proves them, never the files.
fn digests(documents: &[DocumentArg]) -> Result<Vec<Document>, CliError> {
    documents.iter().map(digest).collect()
}

fn digest(document: &DocumentArg) -> Result<Document, CliError> {
    let bytes = std::fs::read(&document.file).map_err(CliError::file("read", &document.file))?;
    Ok(Document { sha256: ids::sha256_hex(&bytes), archive_number: document.archive_number.clone() })
}
