//! What contract and amendment have in common: the payment plan and the shares, as typed, in the contract's currency.

use concord_kernel::money::Currency;
use concord_proto::fund::v1::{Allocation, AmendContractRequest, PlannedTranche};

use super::{AmendArgs, Client, Sent, Share, TrancheLine, currency, currency_of, find, receipt, send};
use crate::errors::CliError;
use crate::output::exact_minor;

/// Amends a contract. Where its amount stays, the grant says in which currency the plan is typed.
pub(super) async fn amend(client: &mut Client, args: AmendArgs) -> Result<Sent, CliError> {
    let AmendArgs { target, amount, tranches, shares, minutes } = args;
    let currency = match &amount {
        Some(amount) => currency(amount)?,
        None => currency_of(&find(client, target.grant).await?)?,
    };
    let (tranches, allocations) = (plan(currency, &tranches)?, allocations(currency, shares)?);
    Ok(receipt!(
        client.amend_contract,
        target,
        AmendContractRequest {
            amount: amount,
            tranches: tranches,
            allocations: allocations,
            minutes: minutes
        }
    ))
}

/// The plan, numbered.
pub(super) fn plan(currency: Currency, lines: &[TrancheLine]) -> Result<Vec<PlannedTranche>, CliError> {
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

/// The parties' shares.
pub(super) fn allocations(currency: Currency, shares: Vec<Share>) -> Result<Vec<Allocation>, CliError> {
    let allocated = shares.into_iter().map(|share| {
        let amount_minor = exact_minor(&share.amount, currency).map_err(CliError::Usage)?;
        Ok(Allocation { party: Some(share.party), amount_minor: Some(amount_minor) })
    });
    allocated.collect()
}
