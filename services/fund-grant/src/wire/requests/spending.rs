//! Requests about shares that are passed on, and about spending.

use super::{grant, grant_id};
use crate::{
    Command,
    grant::{
        GrantCommand,
        partners::ShareTransfer,
        spending::{NamedInvoice, SpendReport, SpendingCommand},
    },
};
use concord_chassis::{
    ask,
    edge::{Choice, ID_BYTES_MAX, Reading, TEXT_BYTES_MAX},
};
use concord_kernel::{
    id::{GrantId, SpendId},
    party::PartyId,
    spending::SpendCategory,
};
use concord_proto::fund::v1 as fund;

ask!(Command: fund::TransferShareRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let to = party_id(reading, "to_party_id", &this.to_party_id);
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    let bank_reference = reading.faults.text("bank_reference", &this.bank_reference, ID_BYTES_MAX, true);
    let transfer = ShareTransfer { to: to?, amount: amount?, bank_reference: bank_reference? };
    Some(grant(id?, GrantCommand::TransferShare(transfer)))
});

ask!(Command: fund::ReportSpendRequest, |this, reading| {
    let of = spend_of(reading, &this.grant_id, &this.spend_id);
    let party = party_id(reading, "party_id", &this.party_id);
    let category = category(reading, this.category);
    let spent_on = reading.faults.date("spent_on", &this.spent_on);
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    let invoice = match &this.invoice {
        None => Some(None),
        Some(named) => invoice(reading, named).map(Some),
    };
    let purpose = reading.faults.text("purpose", &this.purpose, TEXT_BYTES_MAX, true);
    let (id, spend) = of?;
    let report = SpendReport {
        party: party?,
        category: category?,
        spent_on: spent_on?,
        amount: amount?,
        invoice: invoice?,
        purpose: purpose?,
    };
    Some(grant(id, GrantCommand::Spending(spend, SpendingCommand::Report(Box::new(report)))))
});

ask!(Command: fund::AcceptSpendRequest, |this, reading| {
    let (id, spend) = spend_of(reading, &this.grant_id, &this.spend_id)?;
    Some(grant(id, GrantCommand::Spending(spend, SpendingCommand::Accept)))
});

ask!(Command: fund::DisallowSpendRequest, |this, reading| {
    let of = spend_of(reading, &this.grant_id, &this.spend_id);
    let reason = reading.reason(&this.reason);
    let (id, spend) = of?;
    Some(grant(id, GrantCommand::Spending(spend, SpendingCommand::Disallow { reason: reason? })))
});

/// Which item of which grant.
fn spend_of(reading: &mut Reading<'_>, id: &str, spend: &str) -> Option<(GrantId, SpendId)> {
    let id = grant_id(reading, "grant_id", id);
    let spend = reading.faults.require_uuid("spend_id", spend).map(SpendId);
    id.zip(spend)
}

fn party_id(reading: &mut Reading<'_>, field: &str, text: &str) -> Option<PartyId> {
    reading.faults.require_uuid(field, text).map(PartyId)
}

fn invoice(reading: &mut Reading<'_>, named: &fund::Invoice) -> Option<NamedInvoice> {
    let issuer = reading.faults.text("invoice.issuer", &named.issuer, ID_BYTES_MAX, true);
    let number = reading.faults.text("invoice.number", &named.number, ID_BYTES_MAX, true);
    let total = reading.amount("invoice.total", named.total.as_ref(), 1);
    let code = match named.code.as_str() {
        "" => Some(None),
        code => reading.faults.text("invoice.code", code, ID_BYTES_MAX, true).map(Some),
    };
    let code = code?.map(|code| plain(&code));
    Some(NamedInvoice { issuer: plain(&issuer?), number: plain(&number?), code, total: total? })
}

/// A code or a number as it is kept: as it was given, but for blanks and small letters. It is compared in its normal form.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_uppercase()
}

fn category(reading: &mut Reading<'_>, category: i32) -> Option<SpendCategory> {
    const CATEGORY: Choice =
        Choice { one: "the category of spending", noun: "category of spending", of: "SpendCategory" };
    reading.choice("category", category, CATEGORY, |category| match category {
        fund::SpendCategory::Unspecified => None,
        fund::SpendCategory::Equipment => Some(SpendCategory::Equipment),
        fund::SpendCategory::Materials => Some(SpendCategory::Materials),
        fund::SpendCategory::Testing => Some(SpendCategory::Testing),
        fund::SpendCategory::Energy => Some(SpendCategory::Energy),
        fund::SpendCategory::Travel => Some(SpendCategory::Travel),
        fund::SpendCategory::Publication => Some(SpendCategory::Publication),
        fund::SpendCategory::Labour => Some(SpendCategory::Labour),
        fund::SpendCategory::Consulting => Some(SpendCategory::Consulting),
        fund::SpendCategory::Overhead => Some(SpendCategory::Overhead),
        fund::SpendCategory::Other => Some(SpendCategory::Other),
        fund::SpendCategory::Fine => Some(SpendCategory::Fine),
        fund::SpendCategory::Donation => Some(SpendCategory::Donation),
        fund::SpendCategory::Investment => Some(SpendCategory::Investment),
        fund::SpendCategory::DebtRepayment => Some(SpendCategory::DebtRepayment),
    })
}
