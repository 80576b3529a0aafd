//! What each command does to an item, in every state.

use super::{Item, ItemState, NamedInvoice, SpendReport, SpendingCommand};
use crate::{
    grant::{Grant, Stage, contract::Contract},
    invoice::Invoice,
    refusal::{self, Ruling, done_otherwise, happens_under, refused, unchanged, wrong_stage},
    rules::{self, Hand},
    view::{self, Case},
};
use concord_chassis::log::{Broken, Decision, RefusalKind, Stop};
use concord_events::fund::{FundEvent, Holding, InvoicePart, RecoveryCause, Taken};
use concord_kernel::{
    id::{InvoiceId, RecoveryId, SpendId},
    normal,
};

/// Items of one grant: every state is kept in memory.
const ITEMS_MAX: usize = 2_000;

pub(in crate::grant) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    spend: SpendId,
    command: &SpendingCommand,
) -> Result<Decision<FundEvent>, Stop> {
    let hand = match command {
        SpendingCommand::Report(_) => Hand::Party,
        SpendingCommand::Accept | SpendingCommand::Disallow { .. } => Hand::Office(None),
    };
    let Some(contract) = grant.contract() else {
        return grant.conclude(case, hand, grant.last_step_on, refused(without_contract(&grant.stage)));
    };
    let item = grant.spending.item(spend);
    let invoice = match (command, item) {
        (SpendingCommand::Report(report), None) => {
            let total = report.invoice.as_ref().map(|invoice| invoice.total);
            case.well_formed([
                grant.other_currency("amount.currency", report.amount),
                total.and_then(|total| grant.other_currency("invoice.total.currency", total)),
            ])?;
            named(case, report)?
        }
        (SpendingCommand::Report(_), Some(_)) => None,
        (_, None) => return Err(case.refuse(RefusalKind::NotFound, vec![refusal::no_spend(spend)])),
        (_, Some(_)) => None,
    };
    let recovery = match (command, item) {
        (SpendingCommand::Disallow { .. }, Some(Item { state: ItemState::Accepted, .. })) => {
            let cause = format!("{}/{spend}", grant.id);
            Some(view::free_recovery(case, |turn| RecoveryId::in_turn("disallowed spend", &cause, turn))?)
        }
        _ => None,
    };
    let last = match (command, item) {
        (SpendingCommand::Accept, Some(item)) => item.last_step_on.max(grant.first_paid_on()),
        (_, item) => item.map_or(contract.signed_on, |item| item.last_step_on),
    };
    grant.conclude(case, hand, last, rule(case, grant, contract, (spend, command), invoice, recovery))
}

/// The invoice that a report names, where any item of any grant has named it before.
fn named<'v>(case: &Case<'_, 'v>, report: &SpendReport) -> Result<Option<&'v Invoice>, Stop> {
    let Some(named) = &report.invoice else { return Ok(None) };
    view::invoice_or_free(case, named.id())
}

fn without_contract(stage: &Stage) -> Broken {
    wrong_stage(stage, ("spending is reported under a contract", "签订任务书之后方可申报支出"))
}

/// Rules on every pair of command and item.
fn rule(
    case: &Case<'_, '_>,
    grant: &Grant,
    contract: &Contract,
    (spend, command): (SpendId, &SpendingCommand),
    invoice: Option<&Invoice>,
    recovery: Option<RecoveryId>,
) -> Ruling {
    use ItemState::{Accepted, Disallowed, Reported};
    use SpendingCommand::{Accept, Disallow, Report};
    match (command, grant.spending.item(spend)) {
        (Report(report), None) => grant.report(case, spend, report, invoice),
        (Report(report), Some(first)) if grant.reported_so(report, first) => unchanged(),
        (Report(_), Some(first)) => refused(reported_already(grant, first)),

        (Accept, Some(item)) => match item.state {
            Reported => happens_under(
                [rules::accept_within_held(grant, item)],
                FundEvent::SpendAccepted {
                    grant: grant.id,
                    programme: grant.programme,
                    currency: grant.currency,
                    spend,
                    party: item.party,
                    amount_minor: item.amount_minor,
                },
            ),
            Accepted => unchanged(),
            Disallowed(_) => refused(refusal::wrong_spend_state(item)),
        },

        (Disallow { reason }, Some(item)) => match &item.state {
            Reported | Accepted => grant.disallow(case, contract, item, reason, recovery),
            Disallowed(first) if first == reason => unchanged(),
            Disallowed(first) => refused(done_otherwise(
                "SPEND_ALREADY_DISALLOWED",
                ("the item was disallowed", "该项支出已审减"),
                &[("reason", first)],
            )),
        },

        (Accept | Disallow { .. }, None) => refused(refusal::no_spend(spend)),
    }
}

fn reported_already(grant: &Grant, first: &Item) -> Broken {
    done_otherwise(
        "SPEND_ALREADY_REPORTED",
        ("an item of this id was reported", "该编号的支出已申报"),
        &[
            ("party_id", &first.party),
            ("category", &first.category.code()),
            ("spent_on", &first.spent_on),
            ("amount", &grant.amount(first.amount_minor)),
        ],
    )
}

impl NamedInvoice {
    /// One for all spellings of an invoice.
    fn id(&self) -> InvoiceId {
        InvoiceId::of(&normal::Invoice::of(self.code.as_deref(), &self.issuer, &self.number))
    }

    fn part(&self) -> InvoicePart {
        InvoicePart {
            invoice: self.id(),
            issuer: self.issuer.clone(),
            number: self.number.clone(),
            code: self.code.clone(),
            total_minor: self.total.minor,
        }
    }

    /// Whether it is the part that an item took: the invoice, its issuer and its total, however they were spelled.
    fn is(&self, first: &InvoicePart) -> bool {
        self.id() == first.id()
            && self.total.minor == first.total_minor
            && normal::same_reference(&self.issuer, &first.issuer)
    }
}

impl Grant {
    fn reported_so(&self, report: &SpendReport, first: &Item) -> bool {
        let own_currency = |named: &NamedInvoice| named.total.currency == self.currency;
        report.amount == self.amount(first.amount_minor)
            && report.invoice.as_ref().is_none_or(own_currency)
            && (report.party, report.category, report.spent_on, &report.purpose)
                == (first.party, first.category, first.spent_on, &first.purpose)
            && match (&report.invoice, &first.invoice) {
                (Some(named), Some(first)) => named.is(first),
                (None, None) => true,
                _ => false,
            }
    }

    fn report(
        &self,
        case: &Case<'_, '_>,
        spend: SpendId,
        report: &SpendReport,
        invoice: Option<&Invoice>,
    ) -> Ruling {
        let part = report.invoice.as_ref().map(NamedInvoice::part);
        let shared = part.as_ref().map(|part| rules::a09_invoice(invoice, part, report.amount));
        let held = if self.is_party(report.party) {
            rules::spend_within_held(self, report.party, report.amount)
        } else {
            Some(refusal::no_party("party_id", self, report.party))
        };
        let (spent_on, on) = (report.spent_on, case.context.effective_on);
        happens_under(
            [
                (spent_on > on).then(|| refusal::spent_after_report(spent_on, on)),
                held,
                (self.spending.items.len() >= ITEMS_MAX)
                    .then(|| refusal::too_many(("items of spending", "支出事项"), ITEMS_MAX)),
            ]
            .into_iter()
            .chain(shared.into_iter().flatten().map(Some)),
            FundEvent::SpendReported {
                grant: self.id,
                currency: self.currency,
                spend,
                party: report.party,
                category: report.category,
                spent_on,
                amount_minor: report.amount.minor,
                invoice: part,
                purpose: report.purpose.clone(),
            },
        )
    }

    /// A09: once the accounts are closed, disallowed money is not there to be spent again, and is recovered.
    /// `recovery` is the id that its recovery would have.
    fn disallow(
        &self,
        case: &Case<'_, '_>,
        contract: &Contract,
        item: &Item,
        reason: &str,
        recovery: Option<RecoveryId>,
    ) -> Ruling {
        let was_accepted = item.state == ItemState::Accepted;
        let mut decision = happens_under(
            [was_accepted.then(|| rules::disallow_within_spent(self, item)).flatten()],
            FundEvent::SpendDisallowed {
                grant: self.id,
                programme: self.programme,
                currency: self.currency,
                spend: item.spend,
                party: item.party,
                amount_minor: item.amount_minor,
                was_accepted,
                invoice: item.invoice.clone(),
                reason: reason.to_owned(),
            },
        )?;
        let is_gone = contract.progress.is_concluded() || contract.progress.has_ended();
        if let Some(recovery) = recovery.filter(|_| was_accepted && is_gone) {
            decision.events.push(FundEvent::RecoveryDetermined {
                recovery,
                grant: self.id,
                programme: self.programme,
                currency: self.currency,
                cause: RecoveryCause::SpendDisallowed,
                amount_minor: item.amount_minor,
                takes: vec![Taken {
                    party: item.party,
                    from: Holding::Unspent,
                    amount_minor: item.amount_minor,
                }],
                minutes: case.context.authority.unwrap_or(reason).to_owned(),
                reason: reason.to_owned(),
            });
            decision = decision.answering("recovery_id", recovery);
        }
        Ok(decision)
    }
}
