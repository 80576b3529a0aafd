//! Each request's command.

mod closing;
mod matching;
mod oversight;
mod recovery;
mod rectification;
mod spending;

use super::{Asked, values};
use crate::{
    Command,
    grant::{
        GrantCommand,
        approval::{Award, Meeting},
        contract::{ContractCommand, Signing},
        hold::HoldCommand,
        opening::{Application, MigratedAward},
        procedure::ProcedureCommand,
        tranche::TrancheCommand,
    },
    programme::{Appropriation, ProgrammeCommand},
};
use concord_chassis::{
    ask,
    edge::{ID_BYTES_MAX, PERSONAL_BYTES_MAX, REASON_BYTES_MAX, Reading, TEXT_BYTES_MAX, whole},
};
use concord_events::{
    fund::{LimitOn, Source},
    personal::PersonalRef,
};
use concord_kernel::id::{AgreementId, GrantId, InstructionId, ProgrammeId};
use concord_proto::fund::v1::{self as fund, set_sub_limit_request::Dimension};
use std::collections::BTreeSet;

/// Grants of one meeting.
const AWARDS_MAX: usize = 200;
/// Longest row of a source, in bytes.
const ROW_BYTES_MAX: usize = 128 * 1024;
/// Discrepancies of one award.
const DISCREPANCIES_MAX: usize = 100;
/// Budget years.
const YEARS: std::ops::RangeInclusive<i32> = 1990..=2100;

// Programmes.

ask!(Command: fund::AppropriateProgrammeRequest, |this, reading| {
    let id = programme_id(reading, &this.programme_id);
    let fund = reading.faults.text("fund", &this.fund, ID_BYTES_MAX, true);
    let purpose = values::purpose(reading, this.purpose);
    let year = year(reading, this.year);
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    let title = reading.faults.text("title", &this.title, TEXT_BYTES_MAX, true);
    let opening =
        Appropriation { fund: fund?, purpose: purpose?, year: year?, amount: amount?, title: title? };
    Some(programme(id?, ProgrammeCommand::Appropriate(opening)))
});

ask!(Command: fund::SupplementProgrammeRequest, |this, reading| {
    let id = programme_id(reading, &this.programme_id);
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    Some(programme(id?, ProgrammeCommand::Supplement { amount: amount? }))
});

ask!(Command: fund::CutProgrammeRequest, |this, reading| {
    let id = programme_id(reading, &this.programme_id);
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    Some(programme(id?, ProgrammeCommand::Cut { amount: amount? }))
});

ask!(Command: fund::SetSubLimitRequest, |this, reading| {
    let id = programme_id(reading, &this.programme_id);
    let on = match &this.dimension {
        Some(Dimension::Mode(mode)) => values::mode(reading, "mode", *mode).map(LimitOn::Mode),
        Some(Dimension::Region(region)) => reading.region("region", region).map(LimitOn::Region),
        None => reading.faults.require("dimension", None),
    };
    let limit = reading.optional_amount("limit", this.limit.as_ref(), 0);
    Some(programme(id?, ProgrammeCommand::SetSubLimit { on: on?, limit }))
});

// Procedure.

ask!(Command: fund::ApplyForGrantRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let programme = programme_id(reading, &this.programme_id);
    two_ids(reading, id, programme);
    let mode = values::mode(reading, "mode", this.mode);
    let title = reading.title(&this.title);
    let lead = values::party(reading, "lead", this.lead.as_ref(), false);
    let industry = reading.industry(&this.industry);
    let requested = reading.amount("requested", this.requested.as_ref(), 1);
    let total_budget = reading.amount("total_budget", this.total_budget.as_ref(), 1);
    if let Some((requested, budget)) = requested.zip(total_budget)
        && requested.currency == budget.currency
        && budget.minor < requested.minor
    {
        reading
            .faults
            .add("total_budget.amount_minor", format!("is less than what is asked for, {}", requested.minor));
    }
    let allocations = values::shares(reading, &this.allocations, lead.as_ref(), requested);
    let (starts_on, ends_on) = reading.term(&this.starts_on, &this.ends_on).unzip();
    let application = Application {
        programme: programme?,
        mode: mode?,
        title: title?,
        lead: lead?,
        industry: industry?,
        requested: requested?,
        total_budget: total_budget?,
        allocations: allocations?,
        starts_on: starts_on?,
        ends_on: ends_on?,
    };
    Some(grant(id?, GrantCommand::Apply(Box::new(application))))
});

ask!(Command: fund::RecommendGrantRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let recommender = reading.faults.text("recommender", &this.recommender, TEXT_BYTES_MAX, true);
    Some(procedure(id?, ProcedureCommand::Recommend { recommender: recommender? }))
});

ask!(Command: fund::AdmitGrantRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    Some(procedure(id?, ProcedureCommand::Admit))
});

ask!(Command: fund::ReviewGrantRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let score_hundredths = this.score_hundredths;
    if score_hundredths > 10_000 {
        reading.faults.add("score_hundredths", format!("is {score_hundredths}; 10000 is the most"));
    }
    let ceiling = reading.amount("ceiling", this.ceiling.as_ref(), 0);
    Some(procedure(id?, ProcedureCommand::Review { score_hundredths, ceiling: ceiling? }))
});

ask!(Command: fund::PublishNoticeRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    Some(procedure(id?, ProcedureCommand::PublishNotice { amount: amount? }))
});

ask!(Command: fund::RejectGrantRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let reason = reading.reason(&this.reason);
    Some(procedure(id?, ProcedureCommand::Reject { reason: reason? }))
});

ask!(Command: fund::WithdrawGrantRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let reason = reading.reason(&this.reason);
    Some(procedure(id?, ProcedureCommand::Withdraw { reason: reason? }))
});

ask!(Command: fund::ApproveGrantsRequest, |this, reading| {
    let minutes = reading.faults.text("minutes", &this.minutes, ID_BYTES_MAX, true);
    if this.awards.is_empty() || this.awards.len() > AWARDS_MAX {
        reading.faults.add("awards", format!("are {}; name one to {AWARDS_MAX} grants", this.awards.len()));
    }
    let (mut awards, mut expected, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (index, award) in this.awards.iter().take(AWARDS_MAX).enumerate() {
        let id = grant_id(reading, &format!("awards[{index}].grant_id"), &award.grant_id);
        let amount = reading.amount(&format!("awards[{index}].amount"), award.amount.as_ref(), 1);
        let Some((grant, amount)) = id.zip(amount) else {
            continue;
        };
        if !seen.insert(grant) {
            reading.faults.add(format!("awards[{index}].grant_id"), "is named twice; name each grant once");
        }
        expected.extend(award.expected_version.map(|version| (grant.stream(), version)));
        awards.push(Award { grant, amount });
    }
    let advice = "is of no single grant; name the version of each award instead";
    Some(Asked::of_many(expected, advice, Command::Approve(Meeting { minutes: minutes?, awards })))
});

// What backs it, and its hold.

ask!(Command: fund::NameBackingAgreementRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let agreement = reading.faults.require_uuid("agreement_id", &this.agreement_id).map(AgreementId);
    let agreement_position = this.agreement_position;
    Some(grant(id?, GrantCommand::NameBacking { agreement: agreement?, agreement_position }))
});

ask!(Command: fund::HoldGrantRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let reason = reading.reason(&this.reason);
    Some(grant(id?, GrantCommand::Hold(HoldCommand::Hold { reason: reason? })))
});

ask!(Command: fund::ResumeGrantRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    Some(grant(id?, GrantCommand::Hold(HoldCommand::Resume)))
});

// Contract and payee.

ask!(Command: fund::SignContractRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let contract_number = reading.faults.text("contract_number", &this.contract_number, ID_BYTES_MAX, true);
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    let (starts_on, ends_on) = reading.term(&this.starts_on, &this.ends_on).unzip();
    if this.tranches.is_empty() {
        reading.faults.add("tranches", "are missing; plan at least one");
    }
    let tranches = values::plan(reading, &this.tranches, amount);
    let allocations = values::adding_up(reading, &this.allocations, amount, "contracted");
    let signing = Signing {
        contract_number: contract_number?,
        amount: amount?,
        starts_on: starts_on?,
        ends_on: ends_on?,
        tranches: tranches?,
        allocations: allocations?,
    };
    Some(grant(id?, GrantCommand::Contract(ContractCommand::Sign(signing))))
});

ask!(Command: fund::VerifyPayeeRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let account = reading.faults.require("account", this.account)?;
    let person_id = reading.faults.text("account.person_id", &account.person_id, ID_BYTES_MAX, true);
    let text = reading.faults.text("account.text", &account.text, PERSONAL_BYTES_MAX, true);
    let (person_id, text) = person_id.zip(text)?;
    // The hash is known once the text is kept.
    let account = PersonalRef { person_id: person_id.clone(), hash: String::new() };
    let asked = grant(id?, GrantCommand::Contract(ContractCommand::VerifyPayee { account }));
    Some(asked.keeping("account", person_id, text, refer_to_account))
});

/// Gives the command the hash of the account.
fn refer_to_account(command: &mut Command, hash: String) {
    if let Command::Grant(_, GrantCommand::Contract(ContractCommand::VerifyPayee { account })) = command {
        account.hash = hash;
    }
}

// Tranches.

ask!(Command: fund::RequestTrancheRequest, |this, reading| {
    let of = tranche_of(reading, &this.grant_id, this.tranche_number);
    let amount = reading.optional_amount("amount", this.amount.as_ref(), 1);
    Some(tranche(of?, TrancheCommand::Request { amount }))
});

ask!(Command: fund::AuthoriseTrancheRequest, |this, reading| {
    let of = tranche_of(reading, &this.grant_id, this.tranche_number);
    Some(tranche(of?, TrancheCommand::Authorise))
});

ask!(Command: fund::RejectTrancheRequest, |this, reading| {
    let of = tranche_of(reading, &this.grant_id, this.tranche_number);
    let reason = reading.reason(&this.reason);
    Some(tranche(of?, TrancheCommand::Reject { reason: reason? }))
});

ask!(Command: fund::CancelTrancheRequest, |this, reading| {
    let of = tranche_of(reading, &this.grant_id, this.tranche_number);
    let reason = reading.reason(&this.reason);
    Some(tranche(of?, TrancheCommand::Cancel { reason: reason? }))
});

ask!(Command: fund::InstructTrancheRequest, |this, reading| {
    let of = tranche_of(reading, &this.grant_id, this.tranche_number);
    let instruction = reading.faults.require_uuid("instruction_id", &this.instruction_id);
    Some(tranche(of?, TrancheCommand::Instruct { instruction: InstructionId(instruction?) }))
});

ask!(Command: fund::SettleTrancheRequest, |this, reading| {
    let of = tranche_of(reading, &this.grant_id, this.tranche_number);
    let bank_reference = reading.faults.text("bank_reference", &this.bank_reference, ID_BYTES_MAX, true);
    Some(tranche(of?, TrancheCommand::Settle { bank_reference: bank_reference? }))
});

ask!(Command: fund::ReturnPaymentRequest, |this, reading| {
    let of = tranche_of(reading, &this.grant_id, this.tranche_number);
    let bank_reference = reading.faults.text("bank_reference", &this.bank_reference, ID_BYTES_MAX, true);
    let reason = reading.reason(&this.reason);
    Some(tranche(of?, TrancheCommand::Return { bank_reference: bank_reference?, reason: reason? }))
});

// Migration.

ask!(Command: fund::ImportAwardRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let programme = programme_id(reading, &this.programme_id);
    two_ids(reading, id, programme);
    let fund = reading.faults.text("fund", &this.fund, ID_BYTES_MAX, true);
    let year = year(reading, this.year);
    let mode = values::mode(reading, "mode", this.mode);
    let title = reading.title(&this.title);
    let lead = values::party(reading, "lead", this.lead.as_ref(), true);
    let industry = reading.industry(&this.industry);
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    let total_budget = reading.optional_amount("total_budget", this.total_budget.as_ref(), 0);
    let allocations = values::allocations(reading, &this.allocations, true);
    let starts_on = reading.faults.optional_date("starts_on", &this.starts_on);
    let ends_on = reading.faults.optional_date("ends_on", &this.ends_on);
    let tranches = values::plan(reading, &this.tranches, amount);
    let source = source(reading, this.source);
    let discrepancies = discrepancies(reading, &this.discrepancies);
    let award = MigratedAward {
        programme: programme?,
        fund: fund?,
        year: year?,
        mode: mode?,
        title: title?,
        lead: lead?,
        industry: industry?,
        amount: amount?,
        total_budget,
        allocations: allocations?,
        starts_on,
        ends_on,
        tranches: tranches?,
        source: source?,
        discrepancies: discrepancies?,
    };
    Some(grant(id?, GrantCommand::Import(Box::new(award))))
});

fn programme(id: ProgrammeId, command: ProgrammeCommand) -> Asked {
    Asked::of(id.stream(), Command::Programme(id, command))
}

fn grant(id: GrantId, command: GrantCommand) -> Asked {
    Asked::of(id.stream(), Command::Grant(id, command))
}

fn procedure(id: GrantId, command: ProcedureCommand) -> Asked {
    grant(id, GrantCommand::Procedure(command))
}

fn tranche((id, number): (GrantId, u32), command: TrancheCommand) -> Asked {
    grant(id, GrantCommand::Tranche(number, command))
}

/// A grant's id, in `field`.
fn grant_id(reading: &mut Reading<'_>, field: &str, text: &str) -> Option<GrantId> {
    reading.faults.require_uuid(field, text).map(GrantId)
}

fn programme_id(reading: &mut Reading<'_>, text: &str) -> Option<ProgrammeId> {
    reading.faults.require_uuid("programme_id", text).map(ProgrammeId)
}

/// A grant and its programme are two aggregates: under one id, one of them could never be reached.
fn two_ids(reading: &mut Reading<'_>, grant: Option<GrantId>, programme: Option<ProgrammeId>) {
    if grant.zip(programme).is_some_and(|(grant, programme)| grant.0 == programme.0) {
        reading.faults.add("grant_id", "is the programme's id; give the grant an id of its own");
    }
}

/// Which tranche of which grant.
fn tranche_of(reading: &mut Reading<'_>, id: &str, number: u32) -> Option<(GrantId, u32)> {
    let id = grant_id(reading, "grant_id", id);
    if number == 0 {
        reading.faults.add("tranche_number", "is missing; tranches are numbered from 1");
        return None;
    }
    id.map(|id| (id, number))
}

fn year(reading: &mut Reading<'_>, year: i32) -> Option<i16> {
    if !YEARS.contains(&year) {
        let fault = format!("is {year}; give a budget year from {} to {}", YEARS.start(), YEARS.end());
        reading.faults.add("year", fault);
        return None;
    }
    i16::try_from(year).ok()
}

fn source(reading: &mut Reading<'_>, source: Option<fund::Source>) -> Option<Source> {
    let source = reading.faults.require("source", source)?;
    let data_set = reading.faults.text("source.data_set", &source.data_set, TEXT_BYTES_MAX, true);
    let key = reading.faults.text("source.key", &source.key, ID_BYTES_MAX, true);
    let row = reading.verbatim("source.row", &source.row, ROW_BYTES_MAX);
    Some(Source { data_set: data_set?, key: key?, row: row?, synthetic: source.synthetic })
}

fn discrepancies(reading: &mut Reading<'_>, texts: &[String]) -> Option<Vec<String>> {
    if texts.len() > DISCREPANCIES_MAX {
        let fault = format!("are {}; {DISCREPANCIES_MAX} are the most", texts.len());
        reading.faults.add("discrepancies", fault);
        return None;
    }
    whole(
        texts.iter().enumerate().map(|(index, text)| {
            reading.verbatim(&format!("discrepancies[{index}]"), text, REASON_BYTES_MAX)
        }),
    )
}
