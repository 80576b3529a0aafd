//! The load: each tranche of a migrated grant is requested, authorised, instructed and settled, by four people.

use crate::wire::Rpc;
use bytes::Bytes;
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    AuthoriseTrancheRequest, BulkCommand, InstructTrancheRequest, PersonalData, RequestTrancheRequest,
    SettleTrancheRequest, VerifyPayeeRequest,
};
use concord_proto::r#type::v1::Actor;
use concord_tests::desk::{APPLICANT, CASHIER, CONTROLLER, DIRECTOR, TREASURER};
use concord_tests::requests::header;
use prost::Message;
use uuid::Uuid;

/// Steps of one tranche.
const STEPS_PER_TRANCHE: u32 = 4;
/// Steps of a grant: it has three tranches.
pub(crate) const STEPS: u32 = 3 * STEPS_PER_TRANCHE;

/// A grant of the load, and how far its payments are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant {
    /// Its id.
    pub(crate) id: Uuid,
    /// Steps taken.
    pub(crate) step: u32,
}

/// One command.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    /// Who sends it.
    pub(crate) actor: &'static str,
    /// How it is sent by itself.
    pub(crate) rpc: Rpc,
    command: Command,
}

/// A command ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Who sends it.
    pub(crate) actor: &'static str,
    /// How.
    pub(crate) rpc: Rpc,
    /// The request.
    pub(crate) message: Bytes,
}

impl Call {
    /// Of this message.
    pub(crate) fn new(actor: &'static str, rpc: Rpc, message: &impl Message) -> Self {
        Self { actor, rpc, message: message.encode_to_vec().into() }
    }
}

/// The account must have been verified before anything is paid.
pub(crate) fn verify_payee(grant: Uuid) -> BulkCommand {
    let text = "synthetic account 模拟账户 6200 0000 0000 0001".to_owned();
    let account = PersonalData { person_id: format!("payee-{grant}"), text };
    by(
        DIRECTOR,
        Command::VerifyPayee(VerifyPayeeRequest {
            header: header(),
            grant_id: grant.to_string(),
            account: Some(account),
        }),
    )
}

/// A bulk command of a person, `<person>@<organisation>`.
pub(crate) fn by(actor: &str, command: Command) -> BulkCommand {
    let (person, organisation) = actor.split_once('@').unwrap_or((actor, ""));
    let actor = Actor { person_id: person.to_owned(), organisation_id: organisation.to_owned() };
    BulkCommand { actor: Some(actor), command: Some(command) }
}

impl Grant {
    /// A new one, nothing of it paid.
    pub(crate) fn new() -> Self {
        Self { id: Uuid::now_v7(), step: 0 }
    }

    /// The steps that are left, in order.
    pub(crate) fn steps(self) -> impl Iterator<Item = Step> {
        (self.step..STEPS).map(move |step| self.at(step))
    }

    fn at(self, step: u32) -> Step {
        let (tranche_number, grant_id, header) =
            (step / STEPS_PER_TRANCHE + 1, self.id.to_string(), header());
        let (actor, rpc, command) = match step % STEPS_PER_TRANCHE {
            0 => {
                let request = RequestTrancheRequest { header, grant_id, tranche_number, amount: None };
                (APPLICANT, Rpc::Request, Command::RequestTranche(request))
            }
            1 => {
                let request = AuthoriseTrancheRequest { header, grant_id, tranche_number };
                (CONTROLLER, Rpc::Authorise, Command::AuthoriseTranche(request))
            }
            2 => {
                let instruction_id = Uuid::now_v7().to_string();
                let request = InstructTrancheRequest { header, grant_id, tranche_number, instruction_id };
                (TREASURER, Rpc::Instruct, Command::InstructTranche(request))
            }
            _ => {
                let bank_reference = format!("SYN-{grant_id}-{tranche_number}");
                let request = SettleTrancheRequest { header, grant_id, tranche_number, bank_reference };
                (CASHIER, Rpc::Settle, Command::SettleTranche(request))
            }
        };
        Step { actor, rpc, command }
    }
}

impl Step {
    /// As a unary call.
    pub(crate) fn call(&self) -> Call {
        let (actor, rpc) = (self.actor, self.rpc);
        match &self.command {
            Command::RequestTranche(request) => Call::new(actor, rpc, request),
            Command::AuthoriseTranche(request) => Call::new(actor, rpc, request),
            Command::InstructTranche(request) => Call::new(actor, rpc, request),
            Command::SettleTranche(request) => Call::new(actor, rpc, request),
            other => unreachable!("no step of a payment: {other:?}"),
        }
    }

    /// As a command of the bulk stream.
    pub(crate) fn bulk(self) -> BulkCommand {
        by(self.actor, self.command)
    }
}
