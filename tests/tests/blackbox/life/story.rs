//! The story itself, in the order of the table.

use super::{Life, Row, WAN, stack, views};
use concord_proto::audit::v1::{ListControlTestsRequest, ListFindingsRequest, PostingFilter};
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    AcceptSpendRequest, AcceptanceOutcome, AdmitGrantRequest, Allocation, AmendContractRequest,
    AppealRecoveryRequest, ApplyForGrantRequest, ApproveGrantsRequest, AuthoriseTrancheRequest, Award,
    BalanceSource, CloseGrantRequest, ConcludeFinalAcceptanceRequest, CorrectFactRequest,
    DemandRecoveryRequest, DisallowSpendRequest, EvaluateGrantRequest, EvaluationGrade, ExtendProjectRequest,
    GetGrantRequest, GovernmentLevel, Grant, HoldGrantRequest, InstructTrancheRequest, Invoice, MatchingKind,
    OffsetRecoveryRequest, PersonalData, PledgeMatchingRequest, PledgedInstalment, PublishNoticeRequest,
    RaiseObjectionRequest, RecommendGrantRequest, RecordMatchingArrivalRequest, RecordMidtermCheckRequest,
    RecordRepaymentRequest, RefundBalanceRequest, RejectObjectionRequest, ReleaseMatchingRequest,
    ReportCompletionRequest, ReportSpendRequest, RequestTrancheRequest, ResumeGrantRequest,
    RetainBalanceRequest, ReturnPaymentRequest, ReviewGrantRequest, SettleTrancheRequest,
    SignContractRequest, SpendCategory, State, TrancheCondition, TransferShareRequest, UpholdRecoveryRequest,
    VerifyPayeeRequest, WriteOffRecoveryRequest,
};
use concord_proto::r#type::v1::{Party, PartyKind};
use concord_tests::check::checked;
use concord_tests::desk::{
    APPLICANT, CASHIER, CITY, CLERK, CONTROLLER, DIRECTOR, Desk, REVIEWER, TREASURER, at, by, plain,
};
use concord_tests::requests::{
    application, appropriation, award, fen, header, header_on, id, tranche, university,
};
use concord_tests::stack::Stack;
use std::collections::BTreeMap;

/// The partner: a company of Dalian.
fn company() -> Option<Party> {
    Some(Party {
        code: "CN-USCC:9144030071526726XG".to_owned(),
        kind: PartyKind::Enterprise.into(),
        region: "210200".to_owned(),
        name: "大连某公司".to_owned(),
    })
}

/// Its person.
const PARTNER: &str = "he@dalian-company";

/// Holds a refusal to the figures that it names.
fn figures(facts: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(facts.get(*name).map(String::as_str), Some(*value), "{name} of {facts:?}");
    }
}

/// The ids of the story.
struct Story {
    life: Life,
    grant: String,
    /// Ids under which the fund knows the two parties.
    lead: String,
    partner: String,
}

impl Story {
    async fn does(&mut self, actor: &str, command: Command) -> u64 {
        self.life.does(actor, command).await.last_position
    }

    async fn shown(&self) -> Grant {
        let asked = GetGrantRequest { grant_id: self.grant.clone(), min_position: 0 };
        self.life.desk.grants().get_grant(plain(asked)).await.unwrap().into_inner().grant.unwrap()
    }

    /// Holds what lead and partner hold, each by itself, and the programme's accounts to a row of the table.
    async fn stands(&self, appropriated: i64, fund: [i64; 11], matching: [i64; 2]) {
        let row = Row::of(appropriated, fund, matching);
        self.life.stands(row).await;
        if self.partner.is_empty() {
            // Nobody holds anything before there is a contract.
            return assert_eq!((row.lead, row.partner), (0, 0));
        }
        let grant = self.shown().await;
        let unspent = |party: &String| {
            grant.shares.iter().find(|share| share.party_id == *party).map_or(0, |share| share.unspent_minor)
        };
        assert_eq!((unspent(&self.lead), unspent(&self.partner)), (row.lead * WAN, row.partner * WAN));
    }

    fn request(&self, number: u32) -> Command {
        Command::RequestTranche(RequestTrancheRequest {
            header: header(),
            grant_id: self.grant.clone(),
            tranche_number: number,
            amount: None,
        })
    }

    fn authorise(&self, number: u32) -> Command {
        Command::AuthoriseTranche(AuthoriseTrancheRequest {
            header: header(),
            grant_id: self.grant.clone(),
            tranche_number: number,
        })
    }

    fn instruct(&self, number: u32, instruction: &str) -> Command {
        Command::InstructTranche(InstructTrancheRequest {
            header: header(),
            grant_id: self.grant.clone(),
            tranche_number: number,
            instruction_id: instruction.to_owned(),
        })
    }

    fn settle(&self, number: u32, reference: &str, on: &str) -> Command {
        Command::SettleTranche(SettleTrancheRequest {
            header: header_on(on),
            grant_id: self.grant.clone(),
            tranche_number: number,
            bank_reference: reference.to_owned(),
        })
    }

    fn pass_on(&self, party: &str, wan: i64, reference: &str) -> Command {
        Command::TransferShare(TransferShareRequest {
            header: header(),
            grant_id: self.grant.clone(),
            to_party_id: party.to_owned(),
            amount: fen(wan * WAN),
            bank_reference: reference.to_owned(),
        })
    }

    fn spend(&self, spend: &str, party: &str, wan: i64, on: &str, invoice: Option<Invoice>) -> Command {
        Command::ReportSpend(ReportSpendRequest {
            header: header(),
            grant_id: self.grant.clone(),
            spend_id: spend.to_owned(),
            party_id: party.to_owned(),
            category: SpendCategory::Equipment.into(),
            spent_on: on.to_owned(),
            amount: fen(wan * WAN),
            invoice,
            purpose: "试验台".to_owned(),
        })
    }

    fn accept(&self, spend: &str) -> Command {
        Command::AcceptSpend(AcceptSpendRequest {
            header: header(),
            grant_id: self.grant.clone(),
            spend_id: spend.to_owned(),
        })
    }

    fn disallow(&self, spend: &str) -> Command {
        Command::DisallowSpend(DisallowSpendRequest {
            header: header(),
            grant_id: self.grant.clone(),
            spend_id: spend.to_owned(),
            reason: "与项目无关".to_owned(),
        })
    }

    fn arrival(&self, source: u32, instalment: u32, wan: i64, reference: &str) -> Command {
        Command::RecordMatchingArrival(RecordMatchingArrivalRequest {
            header: header(),
            grant_id: self.grant.clone(),
            source_number: source,
            instalment_number: instalment,
            amount: fen(wan * WAN),
            bank_reference: reference.to_owned(),
        })
    }

    fn conclude(&self, outcome: AcceptanceOutcome, rectify_by: &str) -> Command {
        Command::ConcludeFinalAcceptance(ConcludeFinalAcceptanceRequest {
            header: header(),
            grant_id: self.grant.clone(),
            outcome: outcome.into(),
            rectify_by: rectify_by.to_owned(),
            minutes: "验收意见〔2020〕17号".to_owned(),
            ..ConcludeFinalAcceptanceRequest::default()
        })
    }

    fn complete(&self, report: &str) -> Command {
        Command::ReportCompletion(ReportCompletionRequest {
            header: header(),
            grant_id: self.grant.clone(),
            report: report.to_owned(),
        })
    }

    fn refund(&self, party: &str, wan: i64, reference: &str) -> Command {
        Command::RefundBalance(RefundBalanceRequest {
            header: header(),
            grant_id: self.grant.clone(),
            party_id: party.to_owned(),
            amount: fen(wan * WAN),
            from: BalanceSource::Unspent.into(),
            bank_reference: reference.to_owned(),
        })
    }

    fn close(&self, refund_by: &str) -> Command {
        Command::CloseGrant(CloseGrantRequest {
            header: header(),
            grant_id: self.grant.clone(),
            refund_by: refund_by.to_owned(),
            minutes: "结题〔2021〕2号".to_owned(),
        })
    }

    fn extend(&self, ends_on: &str) -> Command {
        Command::ExtendProject(ExtendProjectRequest {
            header: header(),
            grant_id: self.grant.clone(),
            ends_on: ends_on.to_owned(),
            minutes: "延期批复〔2019〕4号".to_owned(),
        })
    }
}

fn minutes() -> String {
    "会议纪要〔2017〕3号".to_owned()
}

/// Begins on 2017-03-01 with an appropriation of 1000.
async fn begin() -> (Story, Stack) {
    let stack = stack("2017-03-01");
    let desk = Desk::at(&stack).await.unwrap();
    let life = Life { desk, programme: id(), head: 0 };
    let mut story = Story { life, grant: id(), lead: String::new(), partner: String::new() };
    let appropriation = appropriation(&story.life.programme, 1_000 * WAN);
    let opened = story.life.desk.programmes().appropriate_programme(by(CLERK, appropriation)).await.unwrap();
    story.life.head = opened.into_inner().receipt.unwrap().last_position;
    story.stands(1_000, [1_000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0]).await;
    (story, stack)
}

/// From application to contract, 2017-03-27 to 2017-04-14.
async fn awarded(story: &mut Story) {
    story.life.until("2017-03-27").await;
    let grant = story.grant.clone();
    let share = |party, wan: i64| Allocation { party, amount_minor: Some(wan * WAN) };
    let application = ApplyForGrantRequest {
        total_budget: fen(1_200 * WAN),
        allocations: vec![share(university(), 320), share(company(), 180)],
        ..application(&story.life.programme, &grant, 500 * WAN)
    };
    story.does(APPLICANT, Command::ApplyForGrant(application)).await;
    let recommendation = RecommendGrantRequest {
        header: header(),
        grant_id: grant.clone(),
        recommender: "沈阳市科技局".to_owned(),
    };
    story.does(CITY, Command::RecommendGrant(recommendation)).await;
    let admission = AdmitGrantRequest { header: header(), grant_id: grant.clone() };
    story.does(CLERK, Command::AdmitGrant(admission)).await;
    let review = ReviewGrantRequest {
        header: header(),
        grant_id: grant.clone(),
        score_hundredths: 9_150,
        ceiling: fen(480 * WAN),
    };
    story.does(REVIEWER, Command::ReviewGrant(review)).await;
    let notice = |wan: i64| {
        Command::PublishNotice(PublishNoticeRequest {
            header: header(),
            grant_id: grant.clone(),
            amount: fen(wan * WAN),
        })
    };
    story.does(CLERK, notice(480)).await;

    // An objection on the last day of the notice stands in the way of the approval.
    story.life.until("2017-04-06").await;
    let objection = RaiseObjectionRequest {
        header: header(),
        grant_id: grant.clone(),
        objection_number: 1,
        grounds: "与既有项目重复".to_owned(),
    };
    story.does("anybody@public", Command::RaiseObjection(objection)).await;
    story.life.until("2017-04-07").await;
    let approve = |wan: i64| {
        let award = Award { grant_id: grant.clone(), amount: fen(wan * WAN), expected_version: None };
        Command::ApproveGrants(ApproveGrantsRequest {
            header: header(),
            minutes: minutes(),
            awards: vec![award],
        })
    };
    let facts = story.life.refuses(DIRECTOR, approve(480), "A08_OBJECTION_OPEN").await;
    figures(&facts, &[("objections", "1")]);
    let rejection = RejectObjectionRequest {
        header: header(),
        grant_id: grant.clone(),
        objection_number: 1,
        reason: "查无实据".to_owned(),
    };
    story.does(CLERK, Command::RejectObjection(rejection)).await;
    // One fen above what the experts would award: A07, and not what was published either.
    let facts = story.life.refuses(DIRECTOR, approve(481), "A08_PUBLISHED_OTHERWISE").await;
    assert_eq!(facts["published_minor"], (480 * WAN).to_string());

    story.does(DIRECTOR, approve(480)).await;
    story.stands(1_000, [520, 480, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0]).await;

    story.life.until("2017-04-14").await;
    let sign = |shares| {
        Command::SignContract(SignContractRequest {
            header: header(),
            grant_id: grant.clone(),
            contract_number: "LN-2017-0042".to_owned(),
            amount: fen(470 * WAN),
            starts_on: "2017-06-01".to_owned(),
            ends_on: "2019-05-31".to_owned(),
            tranches: vec![
                tranche(1, 235 * WAN, TrancheCondition::Contract, "2017-06-30"),
                tranche(2, 141 * WAN, TrancheCondition::Midterm, "2018-09-30"),
                tranche(3, 94 * WAN, TrancheCondition::FinalAcceptance, "2019-11-30"),
            ],
            allocations: shares,
        })
    };
    // The shares applied for were 500; the contract is of 470.
    let facts = story.life.refuses(DIRECTOR, sign(Vec::new()), "SHARES_NOT_THE_CONTRACT").await;
    figures(&facts, &[("shares_minor", "500000000"), ("contracted_minor", "470000000")]);
    story.does(DIRECTOR, sign(vec![share(university(), 300), share(company(), 170)])).await;
    let shown = story.shown().await;
    story.lead.clone_from(&shown.lead_party_id);
    let partner = shown.shares.iter().find(|share| share.party_id != shown.lead_party_id).unwrap();
    story.partner.clone_from(&partner.party_id);
    story.stands(1_000, [530, 0, 470, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0]).await;

    let pledge = |source, kind: MatchingKind, level: GovernmentLevel, instalments: &[(i64, &str)]| {
        let instalments = instalments.iter().zip(1..).map(|((wan, due_on), number)| PledgedInstalment {
            number,
            amount_minor: wan * WAN,
            due_on: (*due_on).to_owned(),
        });
        Command::PledgeMatching(PledgeMatchingRequest {
            header: header(),
            grant_id: grant.clone(),
            source_number: source,
            kind: kind.into(),
            level: level.into(),
            is_public: kind == MatchingKind::GovernmentBudget,
            payer: None,
            amount: fen(instalments.clone().map(|instalment| instalment.amount_minor).sum()),
            instalments: instalments.collect(),
        })
    };
    let city = [(120, "2017-12-31"), (80, "2018-12-31")];
    story.does(DIRECTOR, pledge(1, MatchingKind::GovernmentBudget, GovernmentLevel::City, &city)).await;
    let own = [(100, "2018-06-30")];
    story.does(DIRECTOR, pledge(2, MatchingKind::OwnMoney, GovernmentLevel::Unspecified, &own)).await;
    story.stands(1_000, [530, 0, 470, 0, 0, 0, 0, 0, 0, 0, 0], [300, 0]).await;
}

/// The first tranche, settled on 05-10 and recorded on 05-15; a share passed on; spending; the city pays in part. To 2017-12-20.
async fn first_year(story: &mut Story) -> (u64, u64) {
    let account = PersonalData { person_id: "acc-1".to_owned(), text: "6222 0000 1234".to_owned() };
    let check =
        VerifyPayeeRequest { header: header(), grant_id: story.grant.clone(), account: Some(account) };
    story.does(DIRECTOR, Command::VerifyPayee(check)).await;
    story.life.until("2017-05-08").await;
    let instruction = id();
    story.does(APPLICANT, story.request(1)).await;
    story.does(CONTROLLER, story.authorise(1)).await;
    story.does(TREASURER, story.instruct(1, &instruction)).await;
    story.stands(1_000, [530, 0, 235, 235, 0, 0, 0, 0, 0, 0, 0], [300, 0]).await;
    // The bank's list comes five days late: as late as money may be recorded. A day more is too late.
    story.life.until("2017-05-15").await;
    let facts =
        story.life.misdates(CASHIER, story.settle(1, "B-1", "2017-05-09"), "EFFECTIVE_TOO_FAR_BACK").await;
    figures(&facts, &[("days", "5")]);
    let before = story.life.head;
    let settled = story.does(CASHIER, story.settle(1, "B-1", "2017-05-10")).await;
    story.stands(1_000, [530, 0, 235, 0, 235, 0, 0, 0, 0, 0, 0], [300, 0]).await;
    // What was known when, of which day: (position, day) to (instructed, unspent, settled).
    for (position, day, expected) in [
        (before, "", [235, 0, 0]),
        (before, "2017-05-10", [235, 0, 0]),
        (settled, "2017-05-09", [235, 0, 0]),
        (settled, "2017-05-10", [0, 235, 235]),
        (settled, "2017-05-07", [0, 0, 0]),
        (settled, "", [0, 235, 235]),
    ] {
        let balance = story.life.balance(position, day).await;
        let seen = [balance.instructed_minor, balance.recipient_unspent_minor, balance.settled_minor];
        assert_eq!(seen, expected.map(|wan| wan * WAN), "at {position} of {day:?}");
    }

    story.life.until("2017-06-05").await;
    let stranger = id();
    let (partner, lead) = (story.partner.clone(), story.lead.clone());
    story.life.refuses(APPLICANT, story.pass_on(&stranger, 1, "S-0"), "PARTY_UNKNOWN").await;
    let facts =
        story.life.refuses(APPLICANT, story.pass_on(&partner, 171, "S-0"), "SHARE_ABOVE_ALLOCATION").await;
    figures(&facts, &[("allocated_minor", "170000000"), ("passed_on_minor", "0")]);
    story.does(APPLICANT, story.pass_on(&partner, 85, "S-1")).await;
    story.stands(1_000, [530, 0, 235, 0, 150, 85, 0, 0, 0, 0, 0], [300, 0]).await;

    // Spending, and an invoice of 100 that both share.
    story.life.until("2017-11-20").await;
    let invoice = || {
        Some(Invoice {
            issuer: "2100143130".to_owned(),
            number: "00012345".to_owned(),
            total: fen(100 * WAN),
            code: String::new(),
        })
    };
    let [first, second, third] = [id(), id(), id()];
    story.does(APPLICANT, story.spend(&first, &lead, 90, "2017-11-03", invoice())).await;
    let facts = story
        .life
        .refuses(APPLICANT, story.spend(&id(), &lead, 61, "2017-11-03", None), "SPEND_ABOVE_HELD")
        .await;
    figures(&facts, &[("held_minor", "150000000"), ("reported_minor", "90000000")]);
    story.does(APPLICANT, story.spend(&second, &partner, 60, "2017-10-10", None)).await;
    let too_much = story.spend(&id(), &partner, 11, "2017-11-03", invoice());
    let facts = story.life.refuses(APPLICANT, too_much, "A09_INVOICE_EXCEEDED").await;
    figures(&facts, &[("total_minor", "100000000"), ("allocated_minor", "90000000")]);
    story.does(APPLICANT, story.spend(&third, &partner, 10, "2017-11-03", invoice())).await;
    story.stands(1_000, [530, 0, 235, 0, 150, 85, 0, 0, 0, 0, 0], [300, 0]).await;
    story.life.until("2017-12-01").await;
    story.does(CLERK, story.accept(&first)).await;
    story.does(CLERK, story.accept(&second)).await;
    // Reported only: no money moves, and the invoice has its part again.
    story.does(CLERK, story.disallow(&third)).await;
    story.stands(1_000, [530, 0, 235, 0, 60, 25, 150, 0, 0, 0, 0], [300, 0]).await;

    story.life.until("2017-12-20").await;
    story.does(CLERK, story.arrival(1, 1, 100, "M-1")).await;
    let facts = story.life.refuses(CLERK, story.arrival(1, 1, 21, "M-2"), "MATCHING_ABOVE_MISSING").await;
    figures(&facts, &[("missing_minor", "20000000")]);
    story.stands(1_000, [530, 0, 235, 0, 60, 25, 150, 0, 0, 0, 0], [200, 100]).await;
    (settled, story.life.head)
}

/// The second tranche waits for the midterm check, for money that matches in all, and for the city; the bank sends it back once.
/// To 2018-10-10.
async fn second_year(story: &mut Story) {
    story.life.until("2018-05-15").await;
    story.life.refuses(APPLICANT, story.request(2), "TRANCHE_CONDITION_NOT_MET").await;
    let check = RecordMidtermCheckRequest {
        header: header(),
        grant_id: story.grant.clone(),
        passed: Some(true),
        report: "中期检查〔2018〕5号".to_owned(),
    };
    story.does(CLERK, Command::RecordMidtermCheck(check)).await;
    // 100 of 300 have arrived, 180 are asked for; and of the city's 120 that were due, 20 are missing.
    let facts = story.life.refuses(APPLICANT, story.request(2), "A03_RATIO").await;
    figures(
        &facts,
        &[("arrived_minor", "100000000"), ("pledged_minor", "300000000"), ("ratio_percent", "60")],
    );
    story.life.until("2018-06-20").await;
    story.does(CLERK, story.arrival(2, 1, 100, "M-2")).await;
    story.stands(1_000, [530, 0, 235, 0, 60, 25, 150, 0, 0, 0, 0], [100, 200]).await;
    // Two thirds have arrived, but the company's money does not hide the city's.
    let facts = story.life.refuses(APPLICANT, story.request(2), "A03_CLASS_OVERDUE").await;
    figures(&facts, &[("class", "government_budget"), ("missing_minor", "20000000")]);
    story.life.until("2018-07-02").await;
    story.does(CLERK, story.arrival(1, 1, 20, "M-3")).await;
    story.stands(1_000, [530, 0, 235, 0, 60, 25, 150, 0, 0, 0, 0], [80, 220]).await;

    story.life.until("2018-07-10").await;
    let instruction = id();
    story.does(APPLICANT, story.request(2)).await;
    story.does(CONTROLLER, story.authorise(2)).await;
    story.does(TREASURER, story.instruct(2, &instruction)).await;
    story.stands(1_000, [530, 0, 94, 141, 60, 25, 150, 0, 0, 0, 0], [80, 220]).await;
    story.life.until("2018-07-12").await;
    let returned = ReturnPaymentRequest {
        header: header(),
        grant_id: story.grant.clone(),
        tranche_number: 2,
        bank_reference: "R-2".to_owned(),
        reason: "户名不符".to_owned(),
    };
    story.does(CASHIER, Command::ReturnPayment(returned)).await;
    story.stands(1_000, [530, 0, 235, 0, 60, 25, 150, 0, 0, 0, 0], [80, 220]).await;
    story.life.until("2018-07-20").await;
    story.does(TREASURER, story.instruct(2, &instruction)).await;
    story.does(CASHIER, story.settle(2, "B-2", "2018-07-20")).await;
    story.stands(1_000, [530, 0, 94, 0, 201, 25, 150, 0, 0, 0, 0], [80, 220]).await;
    story.life.until("2018-07-25").await;
    let partner = story.partner.clone();
    story.does(APPLICANT, story.pass_on(&partner, 51, "S-2")).await;
    story.stands(1_000, [530, 0, 94, 0, 150, 76, 150, 0, 0, 0, 0], [80, 220]).await;

    story.life.until("2018-10-10").await;
    let share = |party, wan: i64| Allocation { party, amount_minor: Some(wan * WAN) };
    let amend = |wan: i64, first: i64| {
        Command::AmendContract(AmendContractRequest {
            header: header(),
            grant_id: story.grant.clone(),
            amount: fen(wan * WAN),
            tranches: vec![
                tranche(1, first * WAN, TrancheCondition::Contract, "2017-06-30"),
                tranche(2, 141 * WAN, TrancheCondition::Midterm, "2018-09-30"),
                tranche(3, (wan - first - 141) * WAN, TrancheCondition::FinalAcceptance, "2019-11-30"),
            ],
            allocations: vec![share(university(), wan - 165), share(company(), 165)],
            minutes: "变更批复〔2018〕6号".to_owned(),
        })
    };
    let (more, paid_otherwise, less) = (amend(471, 235), amend(460, 230), amend(460, 235));
    let facts = story.life.refuses(DIRECTOR, more, "A02_AMENDED_UPWARD").await;
    figures(&facts, &[("contracted_minor", "470000000")]);
    story.life.refuses(DIRECTOR, paid_otherwise, "TRANCHE_NOT_KEPT").await;
    story.does(DIRECTOR, less).await;
    story.stands(990, [530, 0, 84, 0, 150, 76, 150, 0, 0, 0, 0], [80, 220]).await;
}

/// A wrong arrival and its correction; more time, once; spending while the grant is on hold. To 2019-12-20.
async fn third_year(story: &mut Story) {
    story.life.until("2019-01-10").await;
    let wrong = story.does(CLERK, story.arrival(1, 2, 80, "M-4")).await;
    story.stands(990, [530, 0, 84, 0, 150, 76, 150, 0, 0, 0, 0], [0, 300]).await;
    story.life.until("2019-01-15").await;
    let grant = story.grant.clone();
    let correct = |position, reason: &str| {
        Command::CorrectFact(CorrectFactRequest {
            header: header(),
            grant_id: grant.clone(),
            position,
            reason: reason.to_owned(),
            authority: "辽科财〔2019〕2号".to_owned(),
        })
    };
    let (reversal, once_more) = (correct(wrong, "误将其他项目款计入"), correct(wrong, "重复登记"));
    let reversed = story.does(CLERK, reversal).await;
    let rightly = story.arrival(1, 2, 60, "M-5");
    story.does(CLERK, rightly).await;
    story.stands(990, [530, 0, 84, 0, 150, 76, 150, 0, 0, 0, 0], [20, 280]).await;
    let facts = story.life.refuses(CLERK, once_more, "CORRECTED_ALREADY").await;
    assert_eq!(facts["correction_position"], reversed.to_string(), "{facts:?}");
    let of_the_reversal = correct(reversed, "误冲");
    story.life.refuses(CLERK, of_the_reversal, "CORRECTION_OF_CORRECTION").await;

    // On 01-12 the 80 were believed; since the reversal nothing had arrived that day.
    let believed = story.life.balance(wrong, "2019-01-12").await;
    let known = story.life.balance(reversed, "2019-01-12").await;
    assert_eq!((believed.match_arrived_minor, known.match_arrived_minor), (300 * WAN, 220 * WAN));

    story.life.until("2019-03-20").await;
    let (far, whole_year) = (story.extend("2020-06-01"), story.extend("2020-05-31"));
    story.life.refuses(DIRECTOR, far, "EXTENSION_TOO_LONG").await;
    story.does(DIRECTOR, whole_year).await;
    assert_eq!(story.shown().await.acceptance_due_on, "2020-11-30");
    story.life.refuses(DIRECTOR, story.extend("2020-06-30"), "EXTENDED_ALREADY").await;

    story.life.until("2019-12-20").await;
    let hold =
        HoldGrantRequest {
            header: header(), grant_id: story.grant.clone(), reason: "审计核查".to_owned()
        };
    story.does(DIRECTOR, Command::HoldGrant(hold)).await;
    let [first, second] = [id(), id()];
    let (lead, partner) = (story.lead.clone(), story.partner.clone());
    story.does(APPLICANT, story.spend(&first, &lead, 140, "2019-12-01", None)).await;
    story.does(PARTNER, story.spend(&second, &partner, 70, "2019-12-02", None)).await;
    story.does(CLERK, story.accept(&first)).await;
    story.does(CLERK, story.accept(&second)).await;
    story.stands(990, [530, 0, 84, 0, 10, 6, 360, 0, 0, 0, 0], [20, 280]).await;
    let resume = ResumeGrantRequest { header: header(), grant_id: story.grant.clone() };
    story.does(DIRECTOR, Command::ResumeGrant(resume)).await;
}

/// Final acceptance at the second attempt and past its day; the last tranche, once the city is released. To 2021-01-15.
async fn fourth_year(story: &mut Story) -> (u64, String) {
    story.life.until("2020-06-30").await;
    story.does(APPLICANT, story.complete("完成报告 2020-1")).await;
    story.life.until("2020-09-15").await;
    story.does(DIRECTOR, story.conclude(AcceptanceOutcome::Rectify, "2020-12-15")).await;
    story.life.until("2020-11-30").await;
    // The last day on which acceptance is in time: another application of the same lead is taken in.
    let in_time = another_application(story, "2020-11-30").await;
    story.does(CLERK, in_time).await;
    story.does(APPLICANT, story.complete("完成报告 2020-2")).await;
    let rectified = story.life.head;
    story.life.until("2020-12-01").await;
    let late = another_application(story, "2020-12-01").await;
    let facts = story.life.refuses(CLERK, late, "A11_ACCEPTANCE_OVERDUE").await;
    assert_eq!((&facts["other_grant_id"], facts["acceptance_due_on"].as_str()), (&story.grant, "2020-11-30"));

    let again = story.conclude(AcceptanceOutcome::Rectify, "2021-01-31");
    story.life.refuses(DIRECTOR, again, "RECTIFIED_ALREADY").await;
    story.life.refuses(APPLICANT, story.request(3), "TRANCHE_CONDITION_NOT_MET").await;
    story.life.until("2020-12-10").await;
    story.does(DIRECTOR, story.conclude(AcceptanceOutcome::Passed, "")).await;
    assert_eq!(story.shown().await.state(), State::FinallyAccepted);

    // All that was pledged must have arrived: 280 of 300 have.
    story.life.refuses(APPLICANT, story.request(3), "A03_RATIO").await;
    story.life.until("2020-12-15").await;
    let release = ReleaseMatchingRequest {
        header: header(),
        grant_id: story.grant.clone(),
        source_number: 1,
        reason: "市级预算调整".to_owned(),
        minutes: "会议纪要〔2020〕11号".to_owned(),
    };
    story.does(DIRECTOR, Command::ReleaseMatching(release)).await;
    story.stands(990, [530, 0, 84, 0, 10, 6, 360, 0, 0, 0, 0], [0, 280]).await;
    story.life.until("2020-12-28").await;
    let instruction = id();
    story.does(APPLICANT, story.request(3)).await;
    let facts = story.life.refuses(DIRECTOR, story.close("2021-01-27"), "CLOSE_OPEN_TRANCHE").await;
    figures(&facts, &[("tranche", "3")]);
    story.does(CONTROLLER, story.authorise(3)).await;
    story.does(TREASURER, story.instruct(3, &instruction)).await;
    story.does(CASHIER, story.settle(3, "B-3", "2020-12-28")).await;
    story.stands(990, [530, 0, 0, 0, 94, 6, 360, 0, 0, 0, 0], [0, 280]).await;
    story.life.until("2020-12-29").await;
    let (lead, partner) = (story.lead.clone(), story.partner.clone());
    let facts =
        story.life.refuses(APPLICANT, story.pass_on(&partner, 30, "S-3"), "SHARE_ABOVE_ALLOCATION").await;
    figures(&facts, &[("allocated_minor", "165000000"), ("passed_on_minor", "136000000")]);
    story.does(APPLICANT, story.pass_on(&partner, 29, "S-3")).await;
    story.stands(990, [530, 0, 0, 0, 65, 35, 360, 0, 0, 0, 0], [0, 280]).await;

    story.life.until("2021-01-15").await;
    let [first, second] = [id(), id()];
    story.does(APPLICANT, story.spend(&first, &lead, 50, "2020-05-20", None)).await;
    story.does(PARTNER, story.spend(&second, &partner, 30, "2020-05-20", None)).await;
    story.does(CLERK, story.accept(&first)).await;
    story.does(CLERK, story.accept(&second)).await;
    story.stands(990, [530, 0, 0, 0, 15, 5, 440, 0, 0, 0, 0], [0, 280]).await;
    (rectified, first)
}

/// Another application of the same lead, recommended: the command that admits it on this day.
async fn another_application(story: &mut Story, day: &str) -> Command {
    let grant = id();
    let application = ApplyForGrantRequest {
        header: header(),
        title: format!("另一项目 {day}"),
        starts_on: "2021-06-01".to_owned(),
        ends_on: "2023-05-31".to_owned(),
        ..application(&story.life.programme, &grant, 100 * WAN)
    };
    story.does(APPLICANT, Command::ApplyForGrant(application)).await;
    let recommendation = RecommendGrantRequest {
        header: header(),
        grant_id: grant.clone(),
        recommender: "沈阳市科技局".to_owned(),
    };
    story.does(CITY, Command::RecommendGrant(recommendation)).await;
    Command::AdmitGrant(AdmitGrantRequest { header: header(), grant_id: grant })
}

/// The balance is disposed of, the grant closed and evaluated. To 2021-06-30.
async fn closed(story: &mut Story) -> u64 {
    story.life.until("2021-02-08").await;
    let (lead, partner) = (story.lead.clone(), story.partner.clone());
    let facts = story.life.refuses(CASHIER, story.refund(&lead, 16, "F-1"), "REFUND_ABOVE_BALANCE").await;
    figures(&facts, &[("held_minor", "15000000"), ("asked_minor", "16000000")]);
    story.does(CASHIER, story.refund(&lead, 10, "F-1")).await;
    let retain = RetainBalanceRequest {
        header: header(),
        grant_id: story.grant.clone(),
        party_id: lead,
        amount: fen(5 * WAN),
        minutes: "结余留用〔2021〕1号".to_owned(),
    };
    story.does(DIRECTOR, Command::RetainBalance(retain)).await;
    story.stands(990, [530, 0, 0, 0, 0, 5, 440, 0, 10, 5, 0], [0, 280]).await;
    story.life.until("2021-02-10").await;
    let facts = story.life.refuses(DIRECTOR, story.close(""), "A10_UNSPENT_WITHOUT_DISPOSITION").await;
    figures(&facts, &[("unspent_minor", "5000000")]);
    // Thirty days at most: 03-12 is the last, 03-13 too late.
    story.life.refuses(DIRECTOR, story.close("2021-03-13"), "A10_REFUND_DAY_OUT_OF_RANGE").await;
    story.does(DIRECTOR, story.close("2021-03-12")).await;
    let closed = story.life.head;
    assert_eq!(story.shown().await.state(), State::Closed);
    story.stands(990, [530, 0, 0, 0, 0, 5, 440, 0, 10, 5, 0], [0, 280]).await;
    story.life.refuses(APPLICANT, story.complete("完成报告 2021-1"), "COMPLETION_ALREADY_REPORTED").await;

    story.life.until("2021-03-20").await;
    story.does(CASHIER, story.refund(&partner, 5, "F-2")).await;
    story.stands(990, [530, 0, 0, 0, 0, 0, 440, 0, 15, 5, 0], [0, 280]).await;
    story.life.until("2021-06-30").await;
    let evaluation = EvaluateGrantRequest {
        header: header(),
        grant_id: story.grant.clone(),
        grade: EvaluationGrade::Good.into(),
        score_hundredths: 8_420,
        minutes: "绩效评价〔2021〕8号".to_owned(),
    };
    story.does(DIRECTOR, Command::EvaluateGrant(evaluation)).await;
    closed
}

/// An audit disallows what had been accepted: a recovery after closeout, repaid, offset and written off. To 2021-12-20.
async fn recovered(story: &mut Story, disallowed: &str) -> u64 {
    story.life.until("2021-09-01").await;
    story.does(CLERK, story.disallow(disallowed)).await;
    story.stands(990, [530, 0, 0, 0, 0, 0, 390, 50, 15, 5, 0], [0, 280]).await;
    let recovery_id = story.shown().await.recovery_ids.remove(0);
    let repay = |wan: i64, reference: &str| {
        Command::RecordRepayment(RecordRepaymentRequest {
            header: header(),
            recovery_id: recovery_id.clone(),
            amount: fen(wan * WAN),
            bank_reference: reference.to_owned(),
        })
    };
    story.life.refuses(CASHIER, repay(20, "P-1"), "WRONG_RECOVERY_STATE").await;
    story.life.until("2021-09-10").await;
    let demand = DemandRecoveryRequest {
        header: header(),
        recovery_id: recovery_id.clone(),
        demand: "追缴通知〔2021〕3号".to_owned(),
    };
    story.does(DIRECTOR, Command::DemandRecovery(demand)).await;
    story.life.until("2021-09-20").await;
    let appeal = AppealRecoveryRequest {
        header: header(),
        recovery_id: recovery_id.clone(),
        grounds: "支出符合任务书".to_owned(),
    };
    story.does(APPLICANT, Command::AppealRecovery(appeal)).await;
    let uphold = UpholdRecoveryRequest {
        header: header(),
        recovery_id: recovery_id.clone(),
        reason: "申诉理由不成立".to_owned(),
    };
    story.does(DIRECTOR, Command::UpholdRecovery(uphold)).await;
    let demanded = story.life.head;
    story.life.until("2021-10-08").await;
    let facts = story.life.refuses(CASHIER, repay(51, "P-1"), "REPAYMENT_ABOVE_OUTSTANDING").await;
    figures(&facts, &[("outstanding_minor", "50000000"), ("given_minor", "51000000")]);
    story.does(CASHIER, repay(20, "P-1")).await;
    story.stands(990, [530, 0, 0, 0, 0, 0, 390, 30, 35, 5, 0], [0, 280]).await;

    // Another grant of the same lead, paid from another fund: 25 of its tranche are kept back, and the bank pays 75.
    let (other, elsewhere, instruction) = (id(), id(), id());
    story.life.until("2021-12-08").await;
    let import = concord_proto::fund::v1::ImportAwardRequest {
        title: "另一历史项目".to_owned(),
        ..award(&elsewhere, &other, 100 * WAN)
    };
    let step = |grant: &String| (header(), grant.clone());
    story.does(CLERK, Command::ImportAward(import)).await;
    let (header_of, grant_id) = step(&other);
    let account = PersonalData { person_id: "acc-2".to_owned(), text: "6222 0000 5678".to_owned() };
    let check = VerifyPayeeRequest { header: header_of, grant_id, account: Some(account) };
    story.does(DIRECTOR, Command::VerifyPayee(check)).await;
    let (header_of, grant_id) = step(&other);
    let request = RequestTrancheRequest { header: header_of, grant_id, tranche_number: 1, amount: None };
    story.does(APPLICANT, Command::RequestTranche(request)).await;
    let (header_of, grant_id) = step(&other);
    let authorise = AuthoriseTrancheRequest { header: header_of, grant_id, tranche_number: 1 };
    story.does(CONTROLLER, Command::AuthoriseTranche(authorise)).await;
    let offset = |wan: i64| {
        Command::OffsetRecovery(OffsetRecoveryRequest {
            header: header(),
            recovery_id: recovery_id.clone(),
            amount: fen(wan * WAN),
            against_grant_id: other.clone(),
            tranche_number: 1,
        })
    };
    // Ninety days after the demand of 09-10: not on 12-08, the eighty-ninth.
    story.life.refuses(DIRECTOR, offset(25), "OFFSET_TOO_EARLY").await;
    story.life.until("2021-12-10").await;
    story.life.refuses(DIRECTOR, offset(31), "OFFSET_ABOVE_OUTSTANDING").await;
    story.does(DIRECTOR, offset(25)).await;
    story.stands(990, [530, 0, 0, 0, 0, 0, 390, 5, 60, 5, 0], [0, 280]).await;
    let pay = InstructTrancheRequest {
        header: header(),
        grant_id: other.clone(),
        tranche_number: 1,
        instruction_id: instruction,
    };
    story.does(TREASURER, Command::InstructTranche(pay)).await;
    let asked = GetGrantRequest { grant_id: other, min_position: 0 };
    let shown = story.life.desk.grants().get_grant(plain(asked)).await.unwrap().into_inner().grant.unwrap();
    let paid = &shown.tranches[0];
    assert_eq!((paid.amount_minor, paid.offset_minor), (100 * WAN, 25 * WAN));

    story.life.until("2021-12-20").await;
    let write_off = WriteOffRecoveryRequest {
        header: header(),
        recovery_id,
        minutes: "核销〔2021〕1号".to_owned(),
        reason: "金额微小".to_owned(),
    };
    story.does(DIRECTOR, Command::WriteOffRecovery(write_off)).await;
    story.stands(990, [530, 0, 0, 0, 0, 0, 390, 0, 60, 5, 5], [0, 280]).await;
    demanded
}

/// Rule and case, amount in units of ten thousand yuan, since when, age in days.
type Found = (&'static str, &'static str, i64, &'static str, i32);

/// What was found as of a position, on a day: the grant's, by rule.
async fn found(story: &Story, position: u64, on: &str, expected: &[Found]) {
    let asked = ListFindingsRequest {
        as_of: at(position),
        filter: Some(PostingFilter { grant_id: story.grant.clone(), ..PostingFilter::default() }),
        on: on.to_owned(),
        order_by: "rule".to_owned(),
        ..ListFindingsRequest::default()
    };
    let answer = story.life.desk.findings().list_findings(plain(asked)).await.unwrap().into_inner();
    assert_eq!((answer.reflects.unwrap().position, answer.on.as_str()), (position, on));
    let seen: Vec<(String, String, i64, String, i32)> = answer
        .findings
        .into_iter()
        .map(|one| {
            assert!(one.subject.contains(&story.grant) || one.rule == "A16", "{one:?}");
            assert!(one.evidence.contains(&one.position), "its cause is part of the evidence: {one:?}");
            assert!(!one.message.is_empty() && !one.message_zh.is_ascii(), "{one:?}");
            (one.rule, one.case, one.amount_minor / WAN, one.since, one.age_days)
        })
        .collect();
    let expected: Vec<(String, String, i64, String, i32)> = expected
        .iter()
        .map(|(rule, case, wan, since, days)| {
            ((*rule).to_owned(), (*case).to_owned(), *wan, (*since).to_owned(), *days)
        })
        .collect();
    assert_eq!(seen, expected, "as of {position}, on {on}");
}

/// Positions from which the story is looked at afterwards.
struct Marks {
    first_paid: u64,
    city_paid_in_part: u64,
    rectified: u64,
    closed: u64,
    demanded: u64,
}

/// What the audit found on the way: each rule on the last day on which nothing is found, and on the day after.
async fn findings(story: &Story, marks: &Marks) {
    let late = ("A17", "dated_back", 235, "2017-05-15", 0);
    let aged = |days| ("A17", "dated_back", 235, "2017-05-15", days);
    found(story, marks.first_paid, "2017-05-15", &[late]).await;
    // Of the first 235 settled on 05-10 the partner's part is 170/470 = 85, to be passed on within thirty days.
    found(story, marks.first_paid, "2017-06-09", &[aged(25)]).await;
    found(story, marks.first_paid, "2017-06-10", &[("A06", "withheld", 85, "2017-06-09", 1), aged(26)]).await;
    // The city has paid 100 of the 120 that were due on the last day of the year.
    found(story, marks.city_paid_in_part, "2017-12-31", &[aged(230)]).await;
    let city = ("A03", "overdue", 20, "2017-12-31", 1);
    found(story, marks.city_paid_in_part, "2018-01-01", &[city, aged(231)]).await;
    // Final acceptance was due on 2020-11-30. The 10 and 6 that are held have not moved since 2019-12-20, and the project
    // ended on 2020-05-31: three months later the money is idle. The city still owes 20 of its second instalment.
    let corrected = |days| ("A17", "corrected", 80, "2019-01-15", days);
    let owed = |days| ("A03", "overdue", 20, "2018-12-31", days);
    found(
        story,
        marks.rectified,
        "2020-11-30",
        &[owed(700), ("A12", "past_end", 16, "2020-05-31", 183), corrected(685), aged(1295)],
    )
    .await;
    found(
        story,
        marks.rectified,
        "2020-12-01",
        &[
            owed(701),
            ("A11", "overdue", 460, "2020-11-30", 1),
            ("A12", "past_end", 16, "2020-05-31", 184),
            corrected(686),
            aged(1296),
        ],
    )
    .await;
    // Closed, with 5 to be given back by 03-12.
    found(story, marks.closed, "2021-03-12", &[corrected(787), aged(1397)]).await;
    found(
        story,
        marks.closed,
        "2021-03-13",
        &[("A10", "not_refunded", 5, "2021-03-12", 1), corrected(788), aged(1398)],
    )
    .await;
    // Demanded on 09-10, due on 10-10.
    found(story, marks.demanded, "2021-10-10", &[corrected(999), aged(1609)]).await;
    found(
        story,
        marks.demanded,
        "2021-10-11",
        &[("A16", "overdue", 50, "2021-10-10", 1), corrected(1000), aged(1610)],
    )
    .await;
    // Spending of 2020-05-20 is within the project's days; at the end nothing is open but what is on record for good.
    found(story, story.life.head, "2021-12-31", &[corrected(1081), aged(1691)]).await;
}

/// Every control test that has anything to test says that the rule held.
async fn control_tests(story: &Story) {
    let asked = ListControlTestsRequest { as_of: at(story.life.head), ..ListControlTestsRequest::default() };
    let answer = story.life.desk.findings().list_control_tests(plain(asked)).await.unwrap().into_inner();
    for test in &answer.tests {
        assert_eq!((test.exceptions, test.positions.len()), (0, 0), "{test:?}");
    }
    let population = |id: &str| answer.tests.iter().find(|test| test.id == id).unwrap().population;
    // Three tranches of the project, the second instructed twice, and the one of the other grant.
    assert_eq!(population("A01.contract"), 5);
    assert_eq!(population("A03.matching"), 2);
    assert_eq!((population("A08.notice"), population("A10.closeout"), population("A16.recovery")), (1, 1, 1));
    let told = answer.tests.iter().find(|test| test.id == "A01.contract").unwrap();
    assert_eq!(told.result, "of 5 instructions, 0 preceded the contract");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_over_four_years_stands_at_every_step_where_it_was_worked_out_to_stand() {
    let (mut story, stack) = begin().await;
    awarded(&mut story).await;
    let (first_paid, city_paid_in_part) = first_year(&mut story).await;
    second_year(&mut story).await;
    third_year(&mut story).await;
    let (rectified, disallowed) = fourth_year(&mut story).await;
    let closed = closed(&mut story).await;
    let demanded = recovered(&mut story, &disallowed).await;
    findings(&story, &Marks { first_paid, city_paid_in_part, rectified, closed, demanded }).await;
    control_tests(&story).await;
    views::are_as_worked_out(&stack, &story.grant);
    // Every row of every table, every balance and every account of every party follows from the log.
    checked(&stack).unwrap();
}
