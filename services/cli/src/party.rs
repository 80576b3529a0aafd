//! `concord party`: the directory of parties.

mod args;
mod show;

use concord_proto::agreement::v1::party_service_client::PartyServiceClient;
use concord_proto::agreement::v1::{
    AddPartyCodeRequest, DissolvePartyRequest, EndControlLinkRequest, EndRepresentationRequest,
    EnterRegisterRequest, GetPartyRequest, LeaveRegisterRequest, LookUpPartyRequest, MergePartyRequest,
    ReclassifyPartyRequest, RecordControlLinkRequest, RecordPartyRequest, RecordRepresentationRequest,
    RelocatePartyRequest, RenamePartyRequest,
};

pub use self::args::{CertificateArgs, PartyCommand, RecordArgs, Target};
use crate::connect::Stamped;
use crate::errors::CliError;
use crate::output::{Format, print_json, print_receipt};

type Client = PartyServiceClient<Stamped>;

/// Sends a command about one party, and gives the request id and the receipt.
macro_rules! send {
    ($client:ident . $call:ident, $target:expr, $request:ident { $($field:ident : $value:expr),* $(,)? }) => {{
        let header = $target.header.to_wire()?;
        let request_id = header.request_id.clone();
        let party_id = id_of($client, &$target.party).await?;
        let request = $request { header: Some(header), party_id, $($field: $value),* };
        (request_id, $client.$call(request).await?.into_inner().receipt)
    }};
}

/// Runs a command.
///
/// # Errors
/// What the service answered.
pub async fn run(client: &mut Client, command: PartyCommand, format: Format) -> Result<(), CliError> {
    let (request_id, receipt) = match command {
        PartyCommand::Show { party, min_position } => {
            let party_id = id_of(client, &party).await?;
            let answer = client.get_party(GetPartyRequest { party_id, min_position }).await?.into_inner();
            let shown = answer.party.unwrap_or_default();
            match format {
                Format::Json => print_json(&show::json(&shown, answer.position)),
                Format::Table => show::print(&shown, answer.position),
            }
            return Ok(());
        }
        PartyCommand::LookUp { code, on, min_position } => {
            let on = on.map(|on| on.to_string()).unwrap_or_default();
            let found =
                client.look_up_party(LookUpPartyRequest { code, on, min_position }).await?.into_inner();
            match format {
                Format::Json => print_json(&show::found_json(&found)),
                Format::Table => show::print_found(&found),
            }
            return Ok(());
        }
        PartyCommand::Record(args) => return record(client, args, format).await,
        PartyCommand::Alias { target, code, certificate } => {
            let certificate = certificate.into_wire();
            send!(client.add_party_code, target, AddPartyCodeRequest { code: code, certificate: certificate })
        }
        PartyCommand::Rename { target, name } => {
            send!(client.rename_party, target, RenamePartyRequest { name: name })
        }
        PartyCommand::Reclassify { target, kind } => {
            send!(client.reclassify_party, target, ReclassifyPartyRequest { kind: kind.into() })
        }
        PartyCommand::Relocate { target, region } => {
            send!(client.relocate_party, target, RelocatePartyRequest { region: region })
        }
        PartyCommand::EnterRegister { target, register } => {
            send!(client.enter_register, target, EnterRegisterRequest { register: register.into() })
        }
        PartyCommand::LeaveRegister { target, register } => {
            send!(client.leave_register, target, LeaveRegisterRequest { register: register.into() })
        }
        PartyCommand::Control { target, by, kind } => {
            let controller = id_of(client, &by).await?;
            send!(
                client.record_control_link,
                target,
                RecordControlLinkRequest { controller: controller, kind: kind.into() }
            )
        }
        PartyCommand::EndControl { target, by, kind } => {
            let controller = id_of(client, &by).await?;
            send!(
                client.end_control_link,
                target,
                EndControlLinkRequest { controller: controller, kind: kind.into() }
            )
        }
        PartyCommand::Represent { target, by } => {
            let authority = target.header.required_authority()?;
            send!(
                client.record_representation,
                target,
                RecordRepresentationRequest { organisation_id: by, authority: authority }
            )
        }
        PartyCommand::EndRepresent { target, by } => {
            send!(client.end_representation, target, EndRepresentationRequest { organisation_id: by })
        }
        PartyCommand::Merge { target, into } => {
            let into = id_of(client, &into).await?;
            send!(client.merge_party, target, MergePartyRequest { into: into })
        }
        PartyCommand::Dissolve { target } => send!(client.dissolve_party, target, DissolvePartyRequest {}),
    };
    print_receipt(format, &request_id, receipt, &[]);
    Ok(())
}

async fn record(client: &mut Client, args: RecordArgs, format: Format) -> Result<(), CliError> {
    let header = args.header.to_wire()?;
    let request_id = header.request_id.clone();
    let request = RecordPartyRequest {
        header: Some(header),
        code: args.code,
        kind: args.kind.into(),
        name: args.name,
        region: args.region,
        industry: args.industry,
        certificate: args.certificate.into_wire(),
    };
    let answer = client.record_party(request).await?.into_inner();
    print_receipt(format, &request_id, answer.receipt, &[("party_id", answer.party_id)]);
    Ok(())
}

/// The id of a party that is named by its id or by any code it ever had.
async fn id_of(client: &mut Client, party: &str) -> Result<String, CliError> {
    // A code has a scheme before its colon; an id has no colon.
    if !party.contains(':') {
        return Ok(party.to_owned());
    }
    let request = LookUpPartyRequest { code: party.to_owned(), on: String::new(), min_position: 0 };
    Ok(client.look_up_party(request).await?.into_inner().party_id)
}
