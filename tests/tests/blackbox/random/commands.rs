//! Each command as a request.

use super::sequence::Sequence;
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::rectification_service_client::RectificationServiceClient;
use concord_proto::fund::v1::*;
use concord_proto::r#type::v1::{CommandHeader, CommandReceipt, FundingMode, Money};
use concord_tests::agreements::UNIVERSITY;
use concord_tests::desk::{Desk, by};
use jiff::{ToSpan as _, civil::Date};
use tonic::Status;
use uuid::Uuid;

/// Names of all commands of the fund, as the bulk stream has them; those of a programme, which it has not, first.
pub(super) const NAMES: &[&str] = &[
    "appropriate_programme",
    "supplement_programme",
    "cut_programme",
    "set_sub_limit",
    "import_award",
    "apply_for_grant",
    "recommend_grant",
    "admit_grant",
    "review_grant",
    "publish_notice",
    "approve_grants",
    "reject_grant",
    "withdraw_grant",
    "sign_contract",
    "verify_payee",
    "request_tranche",
    "authorise_tranche",
    "reject_tranche",
    "cancel_tranche",
    "instruct_tranche",
    "settle_tranche",
    "return_payment",
    "name_backing_agreement",
    "hold_grant",
    "resume_grant",
    "pledge_matching",
    "record_matching_arrival",
    "release_matching",
    "transfer_share",
    "report_spend",
    "accept_spend",
    "disallow_spend",
    "amend_contract",
    "extend_project",
    "record_midterm_check",
    "report_completion",
    "conclude_final_acceptance",
    "refund_balance",
    "retain_balance",
    "transfer_balance",
    "close_grant",
    "evaluate_grant",
    "terminate_grant",
    "cancel_grant",
    "determine_recovery",
    "demand_recovery",
    "appeal_recovery",
    "uphold_recovery",
    "overturn_recovery",
    "record_repayment",
    "offset_recovery",
    "write_off_recovery",
    "assign_rectification",
    "explain_finding",
    "rectify_finding",
    "accept_explanation",
    "dismiss_finding",
    "raise_objection",
    "reject_objection",
    "uphold_objection",
    "record_override",
    "correct_fact",
];

/// A command that is tried.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) name: &'static str,
    /// `<person>@<organisation>`.
    pub(super) actor: String,
    /// Where the bulk stream has it.
    pub(super) bulk: Option<Command>,
    alone: Option<Alone>,
    /// Of an assignment that was accepted: the id that the rectification has.
    pub(super) rectification: Option<String>,
}

/// Commands that the bulk stream does not have, or does not say enough of.
#[derive(Debug, Clone)]
enum Alone {
    Assign(AssignRectificationRequest),
    Appropriate(AppropriateProgrammeRequest),
    Supplement(SupplementProgrammeRequest),
    Cut(CutProgrammeRequest),
    SetSubLimit(SetSubLimitRequest),
}

impl Asked {
    /// What came of a command that goes by itself; `None` of one that goes with others.
    pub(super) async fn alone(&mut self, desk: &Desk) -> Option<Result<CommandReceipt, Status>> {
        let mut programmes = desk.programmes();
        let actor = &self.actor;
        macro_rules! ask {
            ($call:ident, $request:expr) => {
                programmes
                    .$call(by(actor, $request))
                    .await
                    .map(|answer| answer.into_inner().receipt.expect("an accepted command has a receipt"))
            };
        }
        Some(match self.alone.clone()? {
            Alone::Assign(request) => {
                let mut rectifications = RectificationServiceClient::new(desk.fund.clone());
                match rectifications.assign_rectification(by(actor, request)).await {
                    Ok(answer) => {
                        let answer = answer.into_inner();
                        self.rectification = Some(answer.rectification_id);
                        Ok(answer.receipt.expect("an accepted command has a receipt"))
                    }
                    Err(status) => Err(status),
                }
            }
            Alone::Appropriate(request) => ask!(appropriate_programme, request),
            Alone::Supplement(request) => ask!(supplement_programme, request),
            Alone::Cut(request) => ask!(cut_programme, request),
            Alone::SetSubLimit(request) => ask!(set_sub_limit, request),
        })
    }
}

/// Who usually does it.
fn usual(name: &str) -> &'static str {
    match name {
        "apply_for_grant" | "withdraw_grant" | "request_tranche" | "cancel_tranche" | "report_completion"
        | "report_spend" | "transfer_share" | "appeal_recovery" | "explain_finding" => {
            "applicant@the-applicant"
        }
        "recommend_grant" => "city@city-bureau",
        "review_grant" => "reviewer@fund-office",
        "approve_grants" => "chair@fund-office",
        "authorise_tranche" | "reject_tranche" => "authoriser@fund-office",
        "instruct_tranche" => "treasurer@fund-office",
        "settle_tranche" | "return_payment" => "bookkeeper@fund-office",
        "verify_payee" => "verifier@fund-office",
        "record_matching_arrival" | "refund_balance" | "record_repayment" => "cashier@fund-office",
        _ => "clerk@fund-office",
    }
}

const PEOPLE: [&str; 6] = [
    "applicant@the-applicant",
    "reviewer@fund-office",
    "chair@fund-office",
    "authoriser@fund-office",
    "treasurer@fund-office",
    "somebody@the-applicant",
];

impl Sequence {
    /// This command about one of the two grants.
    #[allow(clippy::too_many_lines, reason = "one table: an arm for each command")]
    pub(super) fn ask(&mut self, name: &'static str, which: usize, today: Date) -> Asked {
        let actor = self.actor(name, which);
        let mut asked = Asked { name, actor, bulk: None, alone: None, rectification: None };
        let grant_id = self.grants[which].clone();
        let other_id = self.grants[1 - which].clone();
        let grant = self.seen[which].clone();
        let effective_on = match name {
            // The first steps of an application lie back, so that its notice is over soon.
            "apply_for_grant" => self.early(0, today),
            "recommend_grant" => self.early(1, today),
            "admit_grant" => self.early(2, today),
            "review_grant" => self.early(3, today),
            "publish_notice" => self.early(4, today),
            "record_override" => self.early(3, today),
            "import_award" => self.long_ago(today),
            _ => self.day(today),
        };
        let header = Some(CommandHeader {
            request_id: Uuid::from_u128((u128::from(self.rng.next()) << 64) | u128::from(self.rng.next()))
                .to_string(),
            effective_on,
            authority: if self.rng.chance(10) { self.word() } else { String::new() },
            ..CommandHeader::default()
        });
        let amount = self.amounts_minor[which];
        let reason =
            (*self.rng.pick(&["理由 a reason", "理由 a reason", "另一理由 another reason"])).to_owned();
        let minutes = self.word();
        let tranche_number = grant.as_ref().map_or(1, |grant| {
            let open = grant.tranches.iter().find(|tranche| tranche.state() != TrancheState::Settled);
            open.map_or(1, |tranche| tranche.number)
        });
        let tranche_number = if self.rng.chance(6) { 1 + self.rng.below(4) as u32 } else { tranche_number };
        let contracted = grant.as_ref().map_or(amount, |grant| grant.contracted_minor.max(1));
        asked.bulk = Some(match name {
            "appropriate_programme" | "supplement_programme" | "cut_programme" | "set_sub_limit" => {
                asked.alone = Some(self.of_programme(name, header));
                return asked;
            }
            "import_award" => {
                let plan = if self.rng.chance(90) { self.plan(amount, today) } else { Vec::new() };
                let own_programme = !self.rng.chance(1);
                Command::ImportAward(ImportAwardRequest {
                    header,
                    grant_id,
                    programme_id: if own_programme { self.programme.clone() } else { self.odd_id() },
                    fund: "guiding-fund".to_owned(),
                    year: i32::from(self.year) - i32::from(self.rng.chance(2)),
                    mode: self.mode(),
                    title: self.title(which),
                    lead: Some(self.parties[which][0].clone()),
                    industry: String::new(),
                    amount: self.money(amount),
                    total_budget: None,
                    allocations: self.shares(which, amount),
                    starts_on: today.saturating_sub(1.year()).to_string(),
                    ends_on: today.saturating_add(1.year()).to_string(),
                    tranches: plan,
                    source: Some(Source {
                        data_set: "a test".to_owned(),
                        key: self.word(),
                        row: "a,b,c".to_owned(),
                        synthetic: self.rng.chance(50),
                    }),
                    discrepancies: Vec::new(),
                })
            }
            "apply_for_grant" => Command::ApplyForGrant(ApplyForGrantRequest {
                header,
                grant_id,
                programme_id: if self.rng.chance(1) { self.odd_id() } else { self.programme.clone() },
                mode: self.mode(),
                title: self.title(which),
                lead: Some(self.parties[which][0].clone()),
                industry: "new_materials".to_owned(),
                requested: self.money(amount),
                total_budget: Some(Money::new(amount.saturating_mul(2), self.currency)),
                allocations: self.shares(which, amount),
                starts_on: today.to_string(),
                ends_on: if self.rng.chance(3) {
                    today.saturating_sub(1.day())
                } else {
                    today.saturating_add(2.years())
                }
                .to_string(),
            }),
            "recommend_grant" => Command::RecommendGrant(RecommendGrantRequest {
                header,
                grant_id,
                recommender: (*self.rng.pick(&["市科技局", "市科技局", "市工信局"])).to_owned(),
            }),
            "admit_grant" => Command::AdmitGrant(AdmitGrantRequest { header, grant_id }),
            "review_grant" => {
                let ceiling = if self.rng.chance(93) { amount } else { self.part(amount) };
                Command::ReviewGrant(ReviewGrantRequest {
                    header,
                    grant_id,
                    score_hundredths: self.rng.below(10_050) as u32,
                    ceiling: self.money(ceiling),
                })
            }
            "publish_notice" => {
                let minor = if self.rng.chance(97) { amount } else { self.part(amount) };
                Command::PublishNotice(PublishNoticeRequest { header, grant_id, amount: self.money(minor) })
            }
            "approve_grants" => {
                let mut awards = vec![Award { grant_id, amount: self.money(amount), expected_version: None }];
                if self.rng.chance(15) {
                    let minor = self.amounts_minor[1 - which];
                    awards.push(Award {
                        grant_id: other_id,
                        amount: self.money(minor),
                        expected_version: None,
                    });
                }
                if self.rng.chance(5) {
                    awards[0].expected_version = Some(self.rng.below(9));
                }
                Command::ApproveGrants(ApproveGrantsRequest { header, minutes, awards })
            }
            "reject_grant" => Command::RejectGrant(RejectGrantRequest { header, grant_id, reason }),
            "withdraw_grant" => Command::WithdrawGrant(WithdrawGrantRequest { header, grant_id, reason }),
            "sign_contract" => {
                let less = self.rng.chance(15);
                let minor = if less { amount - amount / 10 } else { self.unlikely_more(amount) };
                Command::SignContract(SignContractRequest {
                    header,
                    grant_id,
                    contract_number: self.word(),
                    amount: self.money(minor),
                    starts_on: today.to_string(),
                    ends_on: today.saturating_add(2.years()).to_string(),
                    tranches: self.plan(minor, today),
                    allocations: {
                        let shared = if self.rng.chance(4) { minor + 1 } else { minor };
                        self.shares(which, shared)
                    },
                })
            }
            "verify_payee" => Command::VerifyPayee(VerifyPayeeRequest {
                header,
                grant_id,
                account: Some(PersonalData {
                    person_id: self.word(),
                    text: "6222 0000 0000 0000".to_owned(),
                }),
            }),
            "request_tranche" => {
                let planned = grant.and_then(|grant| {
                    grant.tranches.into_iter().find(|tranche| tranche.number == tranche_number)
                });
                let minor = planned.map_or(amount, |tranche| tranche.planned_minor);
                let asks = self.rng.chance(25);
                let minor = self.part(minor);
                Command::RequestTranche(RequestTrancheRequest {
                    header,
                    grant_id,
                    tranche_number,
                    amount: if asks { self.money(minor) } else { None },
                })
            }
            "authorise_tranche" => {
                Command::AuthoriseTranche(AuthoriseTrancheRequest { header, grant_id, tranche_number })
            }
            "reject_tranche" => {
                Command::RejectTranche(RejectTrancheRequest { header, grant_id, tranche_number, reason })
            }
            "cancel_tranche" => {
                Command::CancelTranche(CancelTrancheRequest { header, grant_id, tranche_number, reason })
            }
            "instruct_tranche" => {
                let known = grant.and_then(|grant| {
                    grant.tranches.into_iter().find(|tranche| tranche.number == tranche_number)
                });
                let instruction_id = known.map(|tranche| tranche.instruction_id).filter(|id| !id.is_empty());
                let instruction_id = match instruction_id {
                    Some(id) if self.rng.chance(95) => id,
                    _ => self.odd_id(),
                };
                Command::InstructTranche(InstructTrancheRequest {
                    header,
                    grant_id,
                    tranche_number,
                    instruction_id,
                })
            }
            "settle_tranche" => Command::SettleTranche(SettleTrancheRequest {
                header,
                grant_id,
                tranche_number,
                bank_reference: self.reference(),
            }),
            "return_payment" => {
                // One that is with the bank, or was paid.
                let out = grant.and_then(|grant| {
                    grant.tranches.into_iter().find(|tranche| {
                        matches!(tranche.state(), TrancheState::Instructed | TrancheState::Settled)
                    })
                });
                Command::ReturnPayment(ReturnPaymentRequest {
                    header,
                    grant_id,
                    tranche_number: out.map_or(tranche_number, |tranche| tranche.number),
                    bank_reference: self.reference(),
                    reason,
                })
            }
            "name_backing_agreement" => Command::NameBackingAgreement(NameBackingAgreementRequest {
                header,
                grant_id,
                agreement_id: match self.rng.below(10) {
                    0 => self.odd_id(),
                    number => self.agreements[usize::from(number > 5)].clone(),
                },
                agreement_position: None,
            }),
            "hold_grant" => Command::HoldGrant(HoldGrantRequest { header, grant_id, reason }),
            "resume_grant" => Command::ResumeGrant(ResumeGrantRequest { header, grant_id }),
            "pledge_matching" => {
                // Few sources each, as the money of all is waited for.
                let next = grant.as_ref().map_or(1, |grant| grant.matching.len() as u32 + 1);
                let kind = *self.rng.pick(&[
                    MatchingKind::GovernmentBudget,
                    MatchingKind::OwnMoney,
                    MatchingKind::Loan,
                ]);
                let is_public = kind == MatchingKind::GovernmentBudget;
                let minor = self.part(amount);
                let first = (minor / 2).max(1);
                let due = |days: i64| today.saturating_add(days.days()).to_string();
                let mut instalments =
                    vec![PledgedInstalment { number: 1, amount_minor: first, due_on: due(3) }];
                if minor > first {
                    let amount_minor = minor - first;
                    instalments.push(PledgedInstalment { number: 2, amount_minor, due_on: due(200) });
                }
                Command::PledgeMatching(PledgeMatchingRequest {
                    header,
                    grant_id,
                    source_number: if self.rng.chance(95) { next } else { next + 1 },
                    kind: kind.into(),
                    level: if is_public { GovernmentLevel::City.into() } else { 0 },
                    is_public,
                    payer: self.rng.chance(40).then(|| self.parties[which][0].clone()),
                    amount: self.money(minor),
                    instalments,
                })
            }
            "record_matching_arrival" => {
                let source = grant.as_ref().and_then(|grant| {
                    let open = |source: &&MatchingSource| {
                        source.arrived_minor + source.released_minor < source.pledged_minor
                    };
                    grant.matching.iter().find(open)
                });
                let instalment = source.and_then(|source| {
                    source
                        .instalments
                        .iter()
                        .find(|it| it.arrived_minor + it.released_minor < it.pledged_minor)
                });
                let missing =
                    instalment.map_or(1, |it| it.pledged_minor - it.arrived_minor - it.released_minor);
                let (source_number, instalment_number) =
                    (source.map_or(1, |source| source.number), instalment.map_or(1, |it| it.number));
                let instalment_number = if self.rng.chance(4) { 7 } else { instalment_number };
                let minor = self.part(missing);
                Command::RecordMatchingArrival(RecordMatchingArrivalRequest {
                    header,
                    grant_id,
                    source_number,
                    instalment_number,
                    amount: self.money(minor),
                    bank_reference: self.reference(),
                })
            }
            "release_matching" => Command::ReleaseMatching(ReleaseMatchingRequest {
                header,
                grant_id,
                source_number: 1 + self.rng.below(2) as u32,
                reason,
                minutes,
            }),
            "transfer_share" => {
                // To those who have not got theirs.
                let due = grant.as_ref().and_then(|grant| {
                    let lead = &grant.lead_party_id;
                    grant.shares.iter().find(|share| {
                        share.party_id != *lead
                            && share.passed_on_minor < share.allocated_minor.unwrap_or_default()
                    })
                });
                let minor =
                    due.map(|share| share.allocated_minor.unwrap_or_default() - share.passed_on_minor);
                let to_party_id = due.map(|share| share.party_id.clone());
                let minor = self.part(minor.unwrap_or(1));
                Command::TransferShare(TransferShareRequest {
                    header,
                    grant_id,
                    to_party_id: to_party_id.unwrap_or_else(|| self.party_id(which)),
                    amount: self.money(minor),
                    bank_reference: self.reference(),
                })
            }
            "report_spend" => {
                let party_id = self.party_id(which);
                let held = grant.as_ref().and_then(|grant| {
                    grant
                        .shares
                        .iter()
                        .find(|share| share.party_id == party_id)
                        .map(|share| share.unspent_minor)
                });
                let minor = self.part(held.unwrap_or(1) / 2);
                let total = match self.rng.below(20) {
                    0 => minor,
                    // One total for what two of them take more of than there is.
                    1..8 => 1_000_000,
                    _ => minor.saturating_mul(2),
                };
                // Few invoices for many grants of whichever sequence.
                let number = 1 + self.rng.below(3);
                let invoice = self.rng.chance(40).then(|| Invoice {
                    issuer: format!("91330100799655058B-{}", self.number % 50),
                    number: self.spelled(number),
                    total: self.money(total),
                    code: String::new(),
                });
                Command::ReportSpend(ReportSpendRequest {
                    header,
                    grant_id,
                    spend_id: self.odd_id(),
                    party_id,
                    category: 1 + self.rng.below(14) as i32,
                    spent_on: today.saturating_sub((self.rng.below(20) as i64).days()).to_string(),
                    amount: self.money(minor),
                    invoice,
                    purpose: "设备".to_owned(),
                })
            }
            "accept_spend" | "disallow_spend" => {
                let wanted = if name == "accept_spend" { [1, 1] } else { [1, 2] };
                let item = grant
                    .as_ref()
                    .and_then(|grant| grant.spending.as_ref())
                    .and_then(|spending| spending.newest.iter().find(|item| wanted.contains(&item.state)));
                let spend_id = match item {
                    Some(item) if self.rng.chance(92) => item.spend_id.clone(),
                    _ => self.odd_id(),
                };
                if name == "accept_spend" {
                    Command::AcceptSpend(AcceptSpendRequest { header, grant_id, spend_id })
                } else {
                    Command::DisallowSpend(DisallowSpendRequest { header, grant_id, spend_id, reason })
                }
            }
            "amend_contract" => {
                let lines: Vec<Tranche> =
                    grant.as_ref().map(|grant| grant.tranches.clone()).unwrap_or_default();
                let mut tranches: Vec<PlannedTranche> = lines
                    .iter()
                    .map(|line| PlannedTranche {
                        number: line.number,
                        amount_minor: line.planned_minor,
                        condition: line.condition,
                        due_on: line.due_on.clone(),
                    })
                    .collect();
                if let Some(last) = tranches.last_mut() {
                    last.amount_minor = match self.rng.below(16) {
                        0 => last.amount_minor + 1,
                        1 => last.amount_minor,
                        _ => (last.amount_minor - last.amount_minor / 4).max(1),
                    };
                }
                let minor: i64 = tranches.iter().map(|line| line.amount_minor).sum();
                let minor = if self.rng.chance(4) { minor - 1 } else { minor };
                // Sometimes a partner leaves.
                let leaves = self.parties[which].len() > 2 && self.rng.chance(20);
                if leaves {
                    self.parties[which].pop();
                }
                Command::AmendContract(AmendContractRequest {
                    header,
                    grant_id,
                    amount: self.money(minor.max(1)),
                    tranches,
                    allocations: self.shares(which, minor.max(1)),
                    minutes,
                })
            }
            "extend_project" => {
                let ends_on =
                    grant.as_ref().and_then(|grant| grant.ends_on.parse::<Date>().ok()).unwrap_or(today);
                let months = self.rng.below(14) as i64;
                let ends_on = ends_on.saturating_add(months.months()).to_string();
                Command::ExtendProject(ExtendProjectRequest { header, grant_id, ends_on, minutes })
            }
            "record_midterm_check" => Command::RecordMidtermCheck(RecordMidtermCheckRequest {
                header,
                grant_id,
                passed: Some(self.rng.chance(80)),
                report: self.word(),
            }),
            "report_completion" => {
                Command::ReportCompletion(ReportCompletionRequest { header, grant_id, report: self.word() })
            }
            "conclude_final_acceptance" => {
                let outcome = *self.rng.pick(&[1, 1, 1, 2, 3]);
                Command::ConcludeFinalAcceptance(ConcludeFinalAcceptanceRequest {
                    header,
                    grant_id,
                    outcome,
                    rectify_by: if outcome == 2 {
                        let days = *self.rng.pick(&[20_i64, 20, 20, 0]);
                        today.saturating_add(days.days()).to_string()
                    } else {
                        String::new()
                    },
                    failure: if outcome == 3 { 1 + self.rng.below(8) as i32 } else { 0 },
                    minutes,
                })
            }
            "refund_balance" | "retain_balance" => {
                let account = if self.rng.chance(80) { "recipient_unspent" } else { "retained_by_rule" };
                let held = grant.as_ref().and_then(|grant| {
                    grant
                        .balances
                        .iter()
                        .find(|balance| balance.account == account && balance.amount_minor > 0)
                });
                let party_id = held.map(|balance| balance.party_id.clone());
                let minor = self.part(held.map_or(1, |balance| balance.amount_minor));
                let party_id = party_id.unwrap_or_else(|| self.party_id(which));
                if name == "retain_balance" {
                    let amount = self.money(minor);
                    Command::RetainBalance(RetainBalanceRequest {
                        header,
                        grant_id,
                        party_id,
                        amount,
                        minutes,
                    })
                } else {
                    Command::RefundBalance(RefundBalanceRequest {
                        header,
                        grant_id,
                        party_id,
                        amount: self.money(minor),
                        from: if account == "recipient_unspent" { 1 } else { 2 },
                        bank_reference: self.reference(),
                    })
                }
            }
            "transfer_balance" => {
                let held = grant.as_ref().and_then(|grant| {
                    let lead = &grant.lead_party_id;
                    let is_it =
                        |it: &&GrantBalance| it.account == "recipient_unspent" && it.party_id == *lead;
                    grant.balances.iter().find(is_it).map(|balance| balance.amount_minor)
                });
                let minor = self.part(held.unwrap_or(1));
                Command::TransferBalance(TransferBalanceRequest {
                    header,
                    grant_id: grant_id.clone(),
                    to_grant_id: if self.rng.chance(97) { other_id } else { grant_id },
                    amount: self.money(minor),
                    minutes,
                })
            }
            "close_grant" => Command::CloseGrant(CloseGrantRequest {
                header,
                grant_id,
                minutes,
                refund_by: if self.rng.chance(80) {
                    today.saturating_add(25.days()).to_string()
                } else {
                    String::new()
                },
            }),
            "evaluate_grant" => Command::EvaluateGrant(EvaluateGrantRequest {
                header,
                grant_id,
                grade: 1 + self.rng.below(4) as i32,
                score_hundredths: self.rng.below(10_001) as u32,
                minutes,
            }),
            "terminate_grant" => Command::TerminateGrant(TerminateGrantRequest {
                header,
                grant_id,
                reason,
                minutes,
                refund_by: if self.rng.chance(30) {
                    today.saturating_add(20.days()).to_string()
                } else {
                    String::new()
                },
            }),
            "cancel_grant" => Command::CancelGrant(CancelGrantRequest {
                header,
                grant_id,
                cause: 1 + self.rng.below(2) as i32,
                reason,
                minutes,
            }),
            "determine_recovery" => {
                let accounts = [("recipient_unspent", 1), ("eligible_spend", 2), ("retained_by_rule", 3)];
                let held: Vec<RecoveryTake> = grant
                    .as_ref()
                    .map(|grant| grant.balances.as_slice())
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|balance| {
                        let (_, from) = accounts.iter().find(|(account, _)| *account == balance.account)?;
                        Some(RecoveryTake {
                            party_id: balance.party_id.clone(),
                            from: *from,
                            amount: Some(Money::new(balance.amount_minor, self.currency)),
                        })
                    })
                    .take(150)
                    .collect();
                let mut takes = held;
                if takes.is_empty() {
                    let (party_id, amount) = (self.party_id(which), self.money(1));
                    takes.push(RecoveryTake { party_id, from: 1, amount });
                }
                if self.rng.chance(70) {
                    takes.truncate(1);
                    for take in &mut takes {
                        let minor = take.amount.as_ref().map_or(1, |amount| amount.amount_minor);
                        let minor = self.part(minor);
                        take.amount = self.money(minor);
                    }
                }
                Command::DetermineRecovery(DetermineRecoveryRequest {
                    header,
                    recovery_id: self.odd_id(),
                    grant_id,
                    cause: 1 + self.rng.below(8) as i32,
                    takes,
                    minutes,
                    reason,
                })
            }
            "demand_recovery" => {
                let demand = self.word();
                Command::DemandRecovery(DemandRecoveryRequest {
                    header,
                    recovery_id: self.recovery(which),
                    demand,
                })
            }
            "appeal_recovery" => Command::AppealRecovery(AppealRecoveryRequest {
                header,
                recovery_id: self.recovery(which),
                grounds: reason,
            }),
            "uphold_recovery" => Command::UpholdRecovery(UpholdRecoveryRequest {
                header,
                recovery_id: self.recovery(which),
                reason,
            }),
            "overturn_recovery" => Command::OverturnRecovery(OverturnRecoveryRequest {
                header,
                recovery_id: self.recovery(which),
                reason,
            }),
            "record_repayment" => {
                let minor = self.part(contracted / 20);
                Command::RecordRepayment(RecordRepaymentRequest {
                    header,
                    recovery_id: self.recovery(which),
                    amount: self.money(minor),
                    bank_reference: self.reference(),
                })
            }
            "offset_recovery" => {
                let minor = self.part(contracted / 40);
                let other = self.seen[1 - which].as_ref();
                let authorised = other.and_then(|grant| {
                    grant.tranches.iter().find(|tranche| tranche.state() == TrancheState::Authorised)
                });
                let tranche_number = authorised.map_or(1, |tranche| tranche.number);
                Command::OffsetRecovery(OffsetRecoveryRequest {
                    header,
                    recovery_id: self.recovery(which),
                    amount: self.money(minor),
                    against_grant_id: if self.rng.chance(90) { other_id } else { grant_id },
                    tranche_number,
                })
            }
            "write_off_recovery" => Command::WriteOffRecovery(WriteOffRecoveryRequest {
                header,
                recovery_id: self.recovery(which),
                minutes,
                reason,
            }),
            "assign_rectification" => {
                let rule = *self.rng.pick(&["A03", "A06", "A09", "A10", "A12", "A12", "A12", "A99"]);
                let subject = match self.rng.below(20) {
                    0 => format!("recovery/{grant_id}"),
                    _ => format!("{grant_id}/source/1/{}", self.rng.below(3)),
                };
                let ahead = if self.rng.chance(3) { 1_000_000_000_000 } else { 0 };
                let finding =
                    FindingKey { rule: rule.to_owned(), subject, position: 1 + self.rng.below(50) + ahead };
                let ends_in = if self.rng.chance(5) { -1 } else { 30 };
                asked.alone = Some(Alone::Assign(AssignRectificationRequest {
                    header,
                    finding: Some(finding),
                    grant_id: if self.rng.chance(95) { grant_id } else { other_id },
                    owner: if self.rng.chance(90) { "the-applicant" } else { "org-7" }.to_owned(),
                    deadline: today.saturating_add(ends_in.days()).to_string(),
                    task: "整改".to_owned(),
                }));
                return asked;
            }
            "explain_finding" => Command::ExplainFinding(ExplainFindingRequest {
                header,
                rectification_id: self.rectification(),
                explanation: reason,
            }),
            "rectify_finding" => Command::RectifyFinding(RectifyFindingRequest {
                header,
                rectification_id: self.rectification(),
                evidence: reason,
            }),
            "accept_explanation" => Command::AcceptExplanation(AcceptExplanationRequest {
                header,
                rectification_id: self.rectification(),
                minutes,
                reason,
                amount: self.seen(),
            }),
            "dismiss_finding" => Command::DismissFinding(DismissFindingRequest {
                header,
                rectification_id: self.rectification(),
                minutes,
                reason,
                amount: self.seen(),
            }),
            "raise_objection" | "reject_objection" | "uphold_objection" => {
                let objections = grant.as_ref().map_or(0, |grant| grant.objections.len() as u32);
                let objection_number = match (name, self.rng.below(12)) {
                    (_, 0) => 1 + self.rng.below(4) as u32,
                    ("raise_objection", _) => objections + 1,
                    _ => objections.max(1),
                };
                match name {
                    "raise_objection" => {
                        let grounds = reason;
                        Command::RaiseObjection(RaiseObjectionRequest {
                            header,
                            grant_id,
                            objection_number,
                            grounds,
                        })
                    }
                    "reject_objection" => Command::RejectObjection(RejectObjectionRequest {
                        header,
                        grant_id,
                        objection_number,
                        reason,
                    }),
                    _ => Command::UpholdObjection(UpholdObjectionRequest {
                        header,
                        grant_id,
                        objection_number,
                        reason,
                    }),
                }
            }
            "record_override" => Command::RecordOverride(RecordOverrideRequest {
                header,
                grant_id,
                rule: OverriddenRule::A07.into(),
                minutes,
                reason,
            }),
            "correct_fact" => {
                let facts = grant.as_ref().map(|grant| grant.facts.as_slice()).unwrap_or_default();
                let position = match facts.len() as u64 {
                    0 => 1 + self.rng.below(100),
                    count => facts[usize::try_from(self.rng.below(count)).unwrap()].position,
                };
                Command::CorrectFact(CorrectFactRequest {
                    header,
                    grant_id,
                    position,
                    reason,
                    authority: minutes,
                })
            }
            other => panic!("nobody knows the command {other}"),
        });
        asked
    }

    fn of_programme(&mut self, name: &str, header: Option<CommandHeader>) -> Alone {
        let programme_id = self.programme.clone();
        let most = self.appropriated_minor;
        match name {
            "appropriate_programme" => Alone::Appropriate(AppropriateProgrammeRequest {
                header: header.map(|header| CommandHeader { effective_on: self.began.to_string(), ..header }),
                programme_id,
                fund: "guiding-fund".to_owned(),
                purpose: FundPurpose::Transformation.into(),
                year: i32::from(self.year),
                amount: Some(Money::new(most, self.currency)),
                title: "年度专项".to_owned(),
            }),
            "supplement_programme" => {
                let minor = self.part(most);
                Alone::Supplement(SupplementProgrammeRequest {
                    header,
                    programme_id,
                    amount: self.money(minor),
                })
            }
            "cut_programme" => {
                let minor = self.part(most / 20);
                Alone::Cut(CutProgrammeRequest { header, programme_id, amount: self.money(minor) })
            }
            _ => Alone::SetSubLimit(SetSubLimitRequest {
                header,
                programme_id,
                dimension: Some(if self.rng.chance(50) {
                    set_sub_limit_request::Dimension::Mode(FundingMode::NonRepayable.into())
                } else {
                    set_sub_limit_request::Dimension::Region(
                        (*self.rng.pick(&["210100", "210000"])).to_owned(),
                    )
                }),
                limit: if self.rng.chance(80) {
                    let minor = most / *self.rng.pick(&[1, 1, 1, 3, 50]);
                    self.money(minor)
                } else {
                    None
                },
            }),
        }
    }

    fn mode(&mut self) -> i32 {
        let other = FundingMode::Repayable;
        if self.rng.chance(1) { other } else { FundingMode::NonRepayable }.into()
    }

    /// Of a project of its own, but seldom the same as the sequence's other grant.
    fn title(&mut self, which: usize) -> String {
        let of = if self.rng.chance(5) { 0 } else { which };
        format!("高温合金叶片中试 {} {of}", self.number)
    }

    /// More than there is in a few cases.
    fn unlikely_more(&mut self, amount: i64) -> i64 {
        if self.rng.chance(3) { amount + 1 } else { amount }
    }

    /// So many days into an application that began to be dealt with before the sequence did.
    fn early(&mut self, step: i64, today: Date) -> String {
        if self.rng.chance(1) {
            return String::new();
        }
        // As far back as it may be dated, where the sequence took its time.
        self.began.saturating_sub((18 - step).days()).max(today.saturating_sub(29.days())).to_string()
    }

    /// An award of before: however long ago.
    fn long_ago(&mut self, today: Date) -> String {
        let years = *self.rng.pick(&[0_i64, 0, 1, 7, 30, 1_200]);
        today.saturating_sub(years.years()).to_string()
    }

    /// Who does it: sometimes somebody who should not, or a party under its code.
    fn actor(&mut self, name: &str, which: usize) -> String {
        match self.rng.below(100) {
            0..3 => (*self.rng.pick(&PEOPLE)).to_owned(),
            3..6 => {
                let own = &self.parties[which];
                let place = usize::try_from(self.rng.below(own.len() as u64)).unwrap();
                format!("somebody@{}", own[place].code)
            }
            6 => format!("somebody@{UNIVERSITY}"),
            _ => usual(name).to_owned(),
        }
    }

    fn recovery(&mut self, which: usize) -> String {
        if let Some(appealed) = self.appealed.clone().filter(|_| self.rng.chance(60)) {
            return appealed;
        }
        if !self.demanded.is_empty() && self.rng.chance(50) {
            return self.rng.pick(&self.demanded).clone();
        }
        let of_grant = self.seen[which].as_ref().map(|grant| grant.recovery_ids.clone()).unwrap_or_default();
        let of = if of_grant.is_empty() { &self.recoveries } else { &of_grant };
        self.rng.pick(of).clone()
    }

    fn rectification(&mut self) -> String {
        if self.rectifications.is_empty() {
            self.odd_id()
        } else {
            self.rng.pick(&self.rectifications).clone()
        }
    }
}
