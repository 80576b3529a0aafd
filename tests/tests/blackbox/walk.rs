//! One grant from application to a settled tranche, with every refusal on the way, and what the audit then says.
//!
//! Two grants of one programme, A for a university of Shenyang and B for a company abroad, in million yuan:
//!
//! | position | day | what happened | available | reserved | committed | instructed | unspent |
//! |---|---|---|---|---|---|---|---|
//! | 1 | 03-01 | appropriated 10.00 | 10.00 | | | | |
//! | 2 | 03-01 | supplemented 2.00 | 12.00 | | | | |
//! | 3 | 03-01 | cut 1.00 | 11.00 | | | | |
//! | 4 | 03-01 | limit of 8.00 for Shenyang | 11.00 | | | | |
//! | 5 … 19 | to 04-13 | A and B applied for, reviewed, on notice; B anew with 2.50 | 11.00 | | | | |
//! | 20, 21 | 04-13 | approved: A 4.00, B 2.50 | 4.50 | 6.50 | | | |
//! | 22 | 04-13 | contract of A: 3.80 | 4.70 | 2.50 | 3.80 | | |
//! | 27 | 04-20 | first tranche of A instructed: 1.90 | 4.70 | 2.50 | 1.90 | 1.90 | |
//! | 28 | 04-20 | the bank sent it back | 4.70 | 2.50 | 3.80 | | |
//! | 30 | 04-24 | instructed again | 4.70 | 2.50 | 1.90 | 1.90 | |
//! | 32 | 04-25 | settled, recorded on 04-28 | 4.70 | 2.50 | 1.90 | | 1.90 |
//! | 33 | 04-28 | B withdrawn | 7.20 | | 1.90 | | 1.90 |
//!
//! The notice counts seven working days from the next day on. Around Qingming 清明 2017 a Saturday, 04-01, was worked,
//! and Monday and Tuesday, 04-03 and 04-04, were off: published on 03-27 it hangs until 04-06, on 03-31 until 04-12.

use concord_proto::audit::v1::{
    Balance, Dimension, ExportControlTestsRequest, ExportCsvRequest, ExportFindingsRequest, ExportTable,
    GetGrantStatementRequest, GetProjectionStatusRequest, ListBalancesRequest, ListColumnsRequest,
    ListOverdueRequest, ListPostingsRequest, ListUndrawnRequest, Posting, PostingFilter,
};
use concord_proto::fund::v1::{
    AdmitGrantRequest, ApproveGrantsRequest, AuthoriseTrancheRequest, Award, CutProgrammeRequest,
    GetGrantRequest, GetProgrammeRequest, InstructTrancheRequest, PersonalData, PublishNoticeRequest,
    RecommendGrantRequest, RequestTrancheRequest, ReturnPaymentRequest, ReviewGrantRequest,
    SetSubLimitRequest, SettleTrancheRequest, SignContractRequest, State, TrancheCondition, TrancheState,
    VerifyPayeeRequest, WithdrawGrantRequest, set_sub_limit_request,
};
use concord_proto::r#type::v1::FundingMode;
use concord_tests::desk::{
    APPLICANT, CASHIER, CITY, CLERK, CONTROLLER, DIRECTOR, Desk, REVIEWER, TREASURER, at, at_and_on, broken,
    by, chinese, facts, plain, reason,
};
use concord_tests::requests::{
    Receipt, application, appropriation, company_abroad, fen, header, header_on, id, supplement, tranche,
};
use concord_tests::stack::Stack;
use std::collections::BTreeSet;
use std::sync::OnceLock;
use tokio::sync::OnceCell;
use tonic::{Code, Status};

/// One yuan in fen, a million times.
const MILLION: i64 = 100_000_000;
/// A hundredth of it.
const CENT: i64 = MILLION / 100;

/// The last position of the walk.
const END: u64 = 33;

/// Who and what the walk is about.
struct Walk {
    programme: String,
    a: String,
    b: String,
}

/// The stack on which the walk was made, once for all tests of this module.
async fn walked() -> (Desk, &'static Walk) {
    static STACK: OnceLock<Stack> = OnceLock::new();
    static WALK: OnceCell<Walk> = OnceCell::const_new();
    let stack = STACK.get_or_init(|| Stack::start_from(Some("2017-03-01")).unwrap());
    let desk = Desk::at(stack).await.unwrap();
    let walk = WALK.get_or_init(|| walk(&desk)).await;
    (desk, walk)
}

/// Asserts that a command was refused for this reason, under the rulebook that was in force.
fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, rule: &str) -> Status {
    let status = answer.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, rule), "{status:?}");
    let facts = facts(&status);
    assert_eq!(facts.get("rulebook").map(String::as_str), Some("2012-09"), "{status:?}");
    assert!(!chinese(&status).is_ascii(), "it is told in Chinese too: {status:?}");
    assert_eq!(broken(&status).first().map(String::as_str), Some(rule), "{status:?}");
    status
}

async fn walk(desk: &Desk) -> Walk {
    let walk = Walk { programme: id(), a: id(), b: id() };
    budget(desk, &walk).await;
    procedure(desk, &walk).await;
    notice_and_approval(desk, &walk).await;
    contract(desk, &walk).await;
    payment(desk, &walk).await;
    let withdrawal =
        WithdrawGrantRequest {
            header: header(), grant_id: walk.b.clone(), reason: "改由企业自筹".into()
        };
    let receipt = desk.grants().withdraw_grant(by("schmidt@beispiel", withdrawal)).await.unwrap().receipt();
    assert_eq!((receipt.first_position, receipt.last_position), (END, END));
    walk
}

/// Positions 1 to 4.
async fn budget(desk: &Desk, walk: &Walk) {
    let mut programmes = desk.programmes();
    let opened =
        programmes.appropriate_programme(by(CLERK, appropriation(&walk.programme, 10 * MILLION))).await;
    let receipt = opened.unwrap().receipt();
    assert_eq!((receipt.log.as_str(), receipt.rulebook.as_str()), ("fund-grant", "2012-09"));
    assert_eq!((receipt.first_position, receipt.last_position, receipt.version), (1, 1, 1));
    assert_eq!(receipt.leaf_hashes.len(), 1);
    let added = programmes.supplement_programme(by(CLERK, supplement(&walk.programme, 2 * MILLION))).await;
    assert_eq!(added.unwrap().receipt().version, 2);

    let cut = |amount| CutProgrammeRequest {
        header: header(),
        programme_id: walk.programme.clone(),
        amount: fen(amount),
    };
    let status =
        refused(programmes.cut_programme(by(CLERK, cut(12 * MILLION + 1))).await, "A02_ABOVE_AVAILABLE");
    let facts = facts(&status);
    assert_eq!(
        (facts["asked_minor"].as_str(), facts["available_minor"].as_str()),
        ("1200000001", "1200000000")
    );
    programmes.cut_programme(by(CLERK, cut(MILLION))).await.unwrap();

    let limit = limit_for_shenyang(walk, 8 * MILLION);
    assert_eq!(programmes.set_sub_limit(by(CLERK, limit)).await.unwrap().receipt().last_position, 4);
    let again =
        programmes.set_sub_limit(by(CLERK, limit_for_shenyang(walk, 8 * MILLION))).await.unwrap().receipt();
    assert_eq!((again.first_position, again.last_position, again.version), (0, 4, 4), "it holds already");
}

fn limit_for_shenyang(walk: &Walk, amount: i64) -> SetSubLimitRequest {
    SetSubLimitRequest {
        header: header(),
        programme_id: walk.programme.clone(),
        dimension: Some(set_sub_limit_request::Dimension::Region("210100".to_owned())),
        limit: fen(amount),
    }
}

/// Positions 5 to 12.
async fn procedure(desk: &Desk, walk: &Walk) {
    let mut grants = desk.grants();
    let today = |mut request: concord_proto::fund::v1::ApplyForGrantRequest| {
        request.header = header();
        request
    };
    let mut loan = today(application(&walk.programme, &walk.a, 5 * MILLION));
    loan.mode = FundingMode::Repayable.into();
    refused(grants.apply_for_grant(by(APPLICANT, loan)).await, "MODE_NOT_OFFERED");
    let a = today(application(&walk.programme, &walk.a, 5 * MILLION));
    assert_eq!(grants.apply_for_grant(by(APPLICANT, a)).await.unwrap().receipt().last_position, 5);
    let mut b = today(application(&walk.programme, &walk.b, 3 * MILLION));
    b.lead = company_abroad();
    b.industry = String::new();
    grants.apply_for_grant(by("schmidt@beispiel", b)).await.unwrap();

    let review = |grant: &String| ReviewGrantRequest {
        header: header(),
        grant_id: grant.clone(),
        score_hundredths: 9_150,
        ceiling: fen(4 * MILLION),
    };
    let status = refused(grants.review_grant(by(REVIEWER, review(&walk.a))).await, "WRONG_STAGE");
    assert_eq!(facts(&status)["stage"], "applied");
    let recommend = |grant: &String| RecommendGrantRequest {
        header: header(),
        grant_id: grant.clone(),
        recommender: "沈阳市科技局".to_owned(),
    };
    let colleague = "feng@shenyang-university";
    refused(grants.recommend_grant(by(colleague, recommend(&walk.a))).await, "A13_APPLICANT_IN_OFFICE");
    for grant in [&walk.a, &walk.b] {
        grants.recommend_grant(by(CITY, recommend(grant))).await.unwrap();
        let admission = AdmitGrantRequest { header: header(), grant_id: grant.clone() };
        grants.admit_grant(by(CLERK, admission)).await.unwrap();
        grants.review_grant(by(REVIEWER, review(grant))).await.unwrap();
    }
    let mut other = review(&walk.a);
    other.score_hundredths = 9_900;
    refused(grants.review_grant(by(REVIEWER, other)).await, "ALREADY_REVIEWED");
    assert_eq!(desk.status().await.unwrap().head, 12);
}

fn meeting(awards: &[(&String, i64)]) -> ApproveGrantsRequest {
    let award = |(grant, amount): &(&String, i64)| Award {
        grant_id: (*grant).clone(),
        amount: fen(*amount),
        expected_version: None,
    };
    ApproveGrantsRequest {
        header: header(),
        minutes: "会议纪要〔2017〕3号".to_owned(),
        awards: awards.iter().map(award).collect(),
    }
}

/// Positions 13 to 18.
async fn notice_and_approval(desk: &Desk, walk: &Walk) {
    let mut grants = desk.grants();
    let (a, b) = (&walk.a, &walk.b);
    refused(grants.approve_grants(by(DIRECTOR, meeting(&[(a, 4 * MILLION)]))).await, "A08_NOT_PUBLISHED");
    assert_eq!(desk.advance_to("2017-03-27").await.unwrap(), 13);
    let notice = |grant: &String, amount| PublishNoticeRequest {
        header: header(),
        grant_id: grant.clone(),
        amount: fen(amount),
    };
    let published = grants.publish_notice(by(CLERK, notice(a, 4 * MILLION))).await.unwrap().into_inner();
    assert_eq!(published.approvable_from, "2017-04-07");
    grants.publish_notice(by(CLERK, notice(b, 3 * MILLION))).await.unwrap();

    // Everything that is wrong with an approval is said at once: the hand, the day, the amount, the ceiling.
    let hasty = meeting(&[(a, 4 * MILLION + 1)]);
    let status = refused(grants.approve_grants(by(REVIEWER, hasty)).await, "A13_CONFLICTING_DUTIES");
    let all =
        ["A13_CONFLICTING_DUTIES", "A08_NOTICE_RUNNING", "A08_PUBLISHED_OTHERWISE", "A07_ABOVE_CEILING"];
    assert_eq!(broken(&status), all);
    let status = refused(
        grants.approve_grants(by(DIRECTOR, meeting(&[(a, 4 * MILLION)]))).await,
        "A08_NOTICE_RUNNING",
    );
    assert_eq!(facts(&status)["notice_last_day"], "2017-04-06");

    assert_eq!(desk.advance_to("2017-03-31").await.unwrap(), 16);
    let anew = grants.publish_notice(by(CLERK, notice(b, 250 * CENT))).await.unwrap().into_inner();
    assert_eq!(anew.approvable_from, "2017-04-13", "what was published changed, so the count starts again");

    // One day early for B: then A is not approved either.
    assert_eq!(desk.advance_to("2017-04-12").await.unwrap(), 18);
    let both = meeting(&[(a, 4 * MILLION), (b, 250 * CENT)]);
    let status = refused(grants.approve_grants(by(DIRECTOR, both)).await, "A08_NOTICE_RUNNING");
    assert_eq!(facts(&status)["grant_id"], *b);
    assert_eq!(desk.status().await.unwrap().head, 18, "a meeting approves all or none");
}

/// Positions 19 to 22.
async fn contract(desk: &Desk, walk: &Walk) {
    let mut grants = desk.grants();
    let (a, b) = (&walk.a, &walk.b);
    assert_eq!(desk.advance_to("2017-04-13").await.unwrap(), 19);
    let both = meeting(&[(a, 4 * MILLION), (b, 250 * CENT)]);
    let receipt = grants.approve_grants(by(DIRECTOR, both)).await.unwrap().receipt();
    assert_eq!((receipt.first_position, receipt.last_position, receipt.leaf_hashes.len()), (20, 21, 2));
    let status = refused(
        desk.programmes().set_sub_limit(by(CLERK, limit_for_shenyang(walk, 4 * MILLION - 1))).await,
        "A02_LIMIT_BELOW_TAKEN",
    );
    assert_eq!(facts(&status)["taken_minor"], "400000000");

    let contract = |amount, tranches| SignContractRequest {
        header: header(),
        grant_id: a.clone(),
        contract_number: "LN-2017-0042".to_owned(),
        amount: fen(amount),
        starts_on: "2017-06-01".to_owned(),
        ends_on: "2019-05-31".to_owned(),
        tranches,
        allocations: Vec::new(),
    };
    let greedy = vec![
        tranche(1, 3 * MILLION, TrancheCondition::Contract, "2017-05-31"),
        tranche(2, MILLION + 1, TrancheCondition::Midterm, "2017-12-31"),
    ];
    let status = refused(
        grants.sign_contract(by(DIRECTOR, contract(4 * MILLION + 1, greedy))).await,
        "A02_ABOVE_APPROVED",
    );
    assert_eq!(
        broken(&status),
        ["A02_ABOVE_APPROVED", "TRANCHE_FIRST_ABOVE_SHARE", "TRANCHE_LAST_BEFORE_ACCEPTANCE"]
    );
    let plan = vec![
        tranche(1, 190 * CENT, TrancheCondition::Contract, "2017-05-31"),
        tranche(2, 114 * CENT, TrancheCondition::Midterm, "2017-12-31"),
        tranche(3, 76 * CENT, TrancheCondition::FinalAcceptance, "2018-12-31"),
    ];
    let signed = grants.sign_contract(by(DIRECTOR, contract(380 * CENT, plan))).await.unwrap().receipt();
    assert_eq!(signed.last_position, 22);
}

/// Positions 23 to 32.
async fn payment(desk: &Desk, walk: &Walk) {
    let mut grants = desk.grants();
    let (grant_id, number) = (walk.a.clone(), 1);
    let instruction_id = id();
    let request = |tranche_number| RequestTrancheRequest {
        header: header(),
        grant_id: grant_id.clone(),
        tranche_number,
        amount: None,
    };
    let authorise =
        || AuthoriseTrancheRequest { header: header(), grant_id: grant_id.clone(), tranche_number: number };
    let instruct = |grant: &String, instruction: &String| InstructTrancheRequest {
        header: header(),
        grant_id: grant.clone(),
        tranche_number: number,
        instruction_id: instruction.clone(),
    };
    let settle = |day: &str, reference: &str| SettleTrancheRequest {
        header: header_on(day),
        grant_id: grant_id.clone(),
        tranche_number: number,
        bank_reference: reference.to_owned(),
    };

    refused(grants.request_tranche(by(APPLICANT, request(2))).await, "TRANCHE_CONDITION_NOT_MET");
    refused(grants.authorise_tranche(by(CONTROLLER, authorise())).await, "WRONG_TRANCHE_STATE");
    assert_eq!(grants.request_tranche(by(APPLICANT, request(1))).await.unwrap().receipt().last_position, 23);
    refused(grants.authorise_tranche(by(DIRECTOR, authorise())).await, "A13_CONFLICTING_DUTIES");
    refused(
        grants.instruct_tranche(by(TREASURER, instruct(&grant_id, &instruction_id))).await,
        "WRONG_TRANCHE_STATE",
    );
    grants.authorise_tranche(by(CONTROLLER, authorise())).await.unwrap();

    let unverified = grants.instruct_tranche(by(TREASURER, instruct(&grant_id, &instruction_id))).await;
    refused(unverified, "A01_PAYEE_NOT_VERIFIED");
    refused(grants.instruct_tranche(by(TREASURER, instruct(&walk.b, &id()))).await, "A01_NO_CONTRACT");
    let account = PersonalData { person_id: "acc-1".to_owned(), text: "6222 0000 1234, 张三".to_owned() };
    let check = VerifyPayeeRequest { header: header(), grant_id: grant_id.clone(), account: Some(account) };
    assert_eq!(grants.verify_payee(by(DIRECTOR, check)).await.unwrap().receipt().last_position, 25);
    refused(
        grants.instruct_tranche(by(CONTROLLER, instruct(&grant_id, &instruction_id))).await,
        "A13_CONFLICTING_DUTIES",
    );

    assert_eq!(desk.advance_to("2017-04-20").await.unwrap(), 26);
    let first = grants.instruct_tranche(by(TREASURER, instruct(&grant_id, &instruction_id))).await.unwrap();
    assert_eq!(first.into_inner().attempt, 1);
    let returned = ReturnPaymentRequest {
        header: header(),
        grant_id: grant_id.clone(),
        tranche_number: number,
        bank_reference: "R-1".to_owned(),
        reason: "户名不符".to_owned(),
    };
    assert_eq!(grants.return_payment(by(CASHIER, returned)).await.unwrap().receipt().last_position, 28);
    assert_eq!(desk.advance_to("2017-04-24").await.unwrap(), 29);
    refused(
        grants.instruct_tranche(by(TREASURER, instruct(&grant_id, &id()))).await,
        "A14_ANOTHER_INSTRUCTION",
    );
    let second = grants.instruct_tranche(by(TREASURER, instruct(&grant_id, &instruction_id))).await.unwrap();
    assert_eq!(second.into_inner().attempt, 2);

    assert_eq!(desk.advance_to("2017-04-28").await.unwrap(), 31);
    refused(
        grants.settle_tranche(by(TREASURER, settle("2017-04-25", "B-1"))).await,
        "A13_CONFLICTING_DUTIES",
    );
    let settled = grants.settle_tranche(by(CASHIER, settle("2017-04-25", "B-1"))).await.unwrap().receipt();
    assert_eq!(settled.last_position, 32);
    refused(grants.settle_tranche(by(CASHIER, settle("2017-04-25", "B-2"))).await, "TRANCHE_ALREADY_SETTLED");
    let again = grants.settle_tranche(by(CASHIER, settle("2017-04-25", "B-1"))).await.unwrap().receipt();
    assert_eq!(
        (again.first_position, again.last_position),
        (0, 32),
        "the bank's report came twice, and says the same"
    );
}

/// A balance over everything, in hundredths of a million: available, reserved, committed, instructed, unspent.
fn accounts(balance: &Balance) -> [i64; 5] {
    [
        balance.available_minor,
        balance.reserved_minor,
        balance.committed_minor,
        balance.instructed_minor,
        balance.recipient_unspent_minor,
    ]
    .map(|minor| minor / CENT)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writer_shows_the_grant_and_its_programme_as_they_stand() {
    let (desk, walk) = walked().await;
    let asked = GetGrantRequest { grant_id: walk.a.clone(), min_position: END };
    let shown = desk.grants().get_grant(plain(asked)).await.unwrap().into_inner();
    assert!(shown.position >= END);
    let grant = shown.grant.unwrap();
    assert_eq!(grant.state(), State::Contracted);
    assert_eq!((grant.approved_minor, grant.contracted_minor), (4 * MILLION, 380 * CENT));
    assert_eq!((grant.requested_minor, grant.review_ceiling_minor), (5 * MILLION, 4 * MILLION));
    assert_eq!((grant.lead_region.as_str(), grant.industry.as_str()), ("210102", "new_materials"));
    assert!(grant.payee_verified && !grant.migrated && !grant.synthetic);
    // Applied, recommended, admitted, reviewed, published, approved, contracted, requested, authorised, payee,
    // instructed, returned, instructed, settled.
    assert_eq!(grant.version, 14);
    let states: Vec<TrancheState> = grant.tranches.iter().map(|tranche| tranche.state()).collect();
    assert_eq!(states, [TrancheState::Settled, TrancheState::Planned, TrancheState::Planned]);
    assert_eq!(grant.tranches[0].attempt, 2);

    let asked = GetGrantRequest { grant_id: walk.b.clone(), min_position: 0 };
    let withdrawn = desk.grants().get_grant(plain(asked)).await.unwrap().into_inner().grant.unwrap();
    assert_eq!(withdrawn.state(), State::Withdrawn);

    let asked = GetProgrammeRequest { programme_id: walk.programme.clone(), min_position: 0 };
    let programme =
        desk.programmes().get_programme(plain(asked)).await.unwrap().into_inner().programme.unwrap();
    assert_eq!(programme.appropriated_minor, 11 * MILLION);
    assert_eq!(
        (programme.available_minor, programme.reserved_minor, programme.contracted_minor),
        (720 * CENT, 0, 380 * CENT)
    );
    let limit = &programme.sub_limits[0];
    assert_eq!((limit.limit_minor, limit.taken_minor), (8 * MILLION, 380 * CENT));
    assert_eq!(programme.version, 4);
}

/// Position, day ("" for all), appropriated, the five accounts, settled, grants; in hundredths of a million.
type Figures = (u64, &'static str, i64, [i64; 5], i64, i64);

#[tokio::test(flavor = "multi_thread")]
async fn balances_are_the_figures_worked_out_by_hand_at_every_position_and_day() {
    let (desk, walk) = walked().await;
    #[rustfmt::skip]
    let cases: [Figures; 16] = [
        (1,  "",           1000, [1000, 0, 0, 0, 0],       0,   0),
        (2,  "",           1200, [1200, 0, 0, 0, 0],       0,   0),
        (3,  "",           1100, [1100, 0, 0, 0, 0],       0,   0),
        (19, "",           1100, [1100, 0, 0, 0, 0],       0,   0),
        (21, "",           1100, [450, 650, 0, 0, 0],      0,   2),
        (22, "",           1100, [470, 250, 380, 0, 0],    0,   2),
        (27, "",           1100, [470, 250, 190, 190, 0],  0,   2),
        (28, "",           1100, [470, 250, 380, 0, 0],    0,   2),
        (30, "",           1100, [470, 250, 190, 190, 0],  0,   2),
        (32, "",           1100, [470, 250, 190, 0, 190],  190, 2),
        (33, "",           1100, [720, 0, 190, 0, 190],    190, 2),
        // Known at the end, but only what had happened by then: the settlement of 04-25 was recorded on 04-28.
        (33, "2017-04-12", 1100, [1100, 0, 0, 0, 0],       0,   0),
        (33, "2017-04-24", 1100, [470, 250, 190, 190, 0],  0,   2),
        (33, "2017-04-25", 1100, [470, 250, 190, 0, 190],  190, 2),
        (33, "2017-04-28", 1100, [720, 0, 190, 0, 190],    190, 2),
        // Known before it was recorded, on a day on which it had happened.
        (31, "2017-04-25", 1100, [470, 250, 190, 190, 0],  0,   2),
    ];
    for (position, day, appropriated, expected, settled, grants) in cases {
        let asked = ListBalancesRequest {
            as_of: at_and_on(position, day),
            filter: Some(PostingFilter { programme_id: walk.programme.clone(), ..PostingFilter::default() }),
            ..ListBalancesRequest::default()
        };
        let answer = desk.audit().list_balances(plain(asked)).await.unwrap().into_inner();
        let reflects = answer.reflects.unwrap();
        assert_eq!((reflects.position, reflects.effective_on.as_str()), (position, day));
        assert_eq!(reflects.as_of, format!("fund-grant@{position}"));
        let balance = &answer.totals[0];
        assert_eq!(balance.currency, "CNY");
        assert_eq!(balance.appropriated_minor, appropriated * CENT, "{position} {day}");
        assert_eq!(accounts(balance), expected, "{position} {day}");
        assert_eq!(balance.settled_minor, settled * CENT, "{position} {day}");
        assert_eq!(balance.grants, grants, "{position} {day}");
        assert_eq!(answer.balances.len(), 1);
        assert_eq!(accounts(&answer.balances[0]), expected);
    }
    // One meeting approved both: as of the first of its two events there is no answer, and the last one is named.
    let inside = ListBalancesRequest { as_of: at_and_on(20, ""), ..ListBalancesRequest::default() };
    let status = desk.audit().list_balances(plain(inside)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::OutOfRange, "POSITION_INSIDE_DECISION"));
    assert_eq!(facts(&status)["decision_last"], "21");
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_split_by_the_leads_region_add_up() {
    let (desk, _) = walked().await;
    let asked = |page_size, page_token: &str, order_by: &str| ListBalancesRequest {
        as_of: at(END),
        group_by: vec![Dimension::LeadRegion.into()],
        order_by: order_by.to_owned(),
        page_size,
        page_token: page_token.to_owned(),
        ..ListBalancesRequest::default()
    };
    let whole = desk.audit().list_balances(plain(asked(0, "", ""))).await.unwrap().into_inner();
    let split: Vec<(String, i64, [i64; 5])> = whole
        .balances
        .iter()
        .map(|balance| (balance.group[0].clone(), balance.appropriated_minor / CENT, accounts(balance)))
        .collect();
    // The programme's own lines have no lead, and what is available is the programme's own.
    assert_eq!(
        split,
        [
            (String::new(), 1100, [720, 0, 0, 0, 0]),
            ("210102".to_owned(), 0, [0, 0, 190, 0, 190]),
            ("DE".to_owned(), 0, [0, 0, 0, 0, 0]),
        ]
    );
    assert_eq!(accounts(&whole.totals[0]), [720, 0, 190, 0, 190]);
    assert!(whole.balances[1].labels[0].contains("和平区"), "{:?}", whole.balances[1].labels);

    let (mut paged, mut token) = (Vec::new(), String::new());
    loop {
        let page = desk
            .audit()
            .list_balances(plain(asked(1, &token, "committed_minor desc")))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(page.totals, whole.totals, "totals are over all groups, not only this page");
        paged.extend(page.balances.into_iter().map(|balance| balance.group[0].clone()));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, ["210102", "", "DE"], "and what is alike by its group");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statement_of_the_grant_runs_line_by_line_to_its_closing_balance() {
    let (desk, walk) = walked().await;
    let asked = GetGrantStatementRequest { grant_id: walk.a.clone(), as_of: at(END) };
    let statement = desk.audit().get_grant_statement(plain(asked)).await.unwrap().into_inner();
    assert_eq!((statement.currency.as_str(), statement.synthetic, statement.migrated), ("CNY", false, false));
    let lines: Vec<(u64, String, i64, i64)> = statement
        .lines
        .into_iter()
        .map(|line| {
            let posting = line.posting.unwrap();
            (posting.position, posting.account, posting.amount_minor / CENT, line.balance_minor / CENT)
        })
        .collect();
    let expected = [
        (20, "reserved", 400, 400),
        (22, "committed", 380, 380),
        (22, "reserved", -380, 20),
        (22, "reserved", -20, 0),
        (27, "instructed", 190, 190),
        (27, "committed", -190, 190),
        (28, "committed", 190, 380),
        (28, "instructed", -190, 0),
        (30, "instructed", 190, 190),
        (30, "committed", -190, 190),
        (32, "recipient_unspent", 190, 190),
        (32, "instructed", -190, 0),
    ];
    assert_eq!(
        lines,
        expected.map(|(position, account, amount, balance)| (position, account.to_owned(), amount, balance))
    );
    let closing = statement.closing.unwrap();
    assert_eq!((accounts(&closing), closing.settled_minor), ([0, 0, 190, 0, 190], 190 * CENT));

    let before = GetGrantStatementRequest { grant_id: walk.a.clone(), as_of: at(21) };
    let before = desk.audit().get_grant_statement(plain(before)).await.unwrap().into_inner();
    assert_eq!(before.lines.len(), 1);
    let unknown = GetGrantStatementRequest { grant_id: id(), as_of: at(END) };
    let unknown = desk.audit().get_grant_statement(plain(unknown)).await.unwrap_err();
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_GRANT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn undrawn_is_what_was_contracted_and_has_not_arrived() {
    let (desk, walk) = walked().await;
    for (position, settled) in [(22, 0), (30, 0), (END, 190 * CENT)] {
        let asked = ListUndrawnRequest { as_of: at(position), ..ListUndrawnRequest::default() };
        let answer = desk.audit().list_undrawn(plain(asked)).await.unwrap().into_inner();
        assert_eq!(answer.grants.len(), 1, "B has no contract");
        let grant = &answer.grants[0];
        assert_eq!(grant.grant_id, walk.a);
        assert_eq!((grant.contracted_minor, grant.settled_minor), (380 * CENT, settled), "{position}");
        assert_eq!(grant.undrawn_minor, 380 * CENT - settled);
        assert_eq!((grant.ends_on.as_str(), grant.synthetic), ("2019-05-31", false));
        assert_eq!(answer.totals[0].amount_minor, grant.undrawn_minor);
    }
    let asked = ListUndrawnRequest { as_of: at(21), ..ListUndrawnRequest::default() };
    assert!(desk.audit().list_undrawn(plain(asked)).await.unwrap().into_inner().grants.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tranche_is_overdue_from_the_day_after_its_due_date_until_it_is_settled() {
    let (desk, walk) = walked().await;
    let ask = async |position, on: &str| {
        let asked =
            ListOverdueRequest { as_of: at(position), on: on.to_owned(), ..ListOverdueRequest::default() };
        desk.audit().list_overdue(plain(asked)).await.unwrap().into_inner()
    };
    assert!(ask(22, "2017-05-31").await.tranches.is_empty(), "what is due on this day is not overdue yet");
    for (position, waits_for) in [
        (22, "request"),
        (23, "authorisation"),
        (24, "instruction"),
        (27, "settlement"),
        (28, "instruction"),
        (30, "settlement"),
    ] {
        let answer = ask(position, "2017-06-10").await;
        assert_eq!((answer.tranches.len(), answer.on.as_str()), (1, "2017-06-10"));
        let tranche = &answer.tranches[0];
        assert_eq!((tranche.grant_id.as_str(), tranche.tranche_number), (walk.a.as_str(), 1));
        assert_eq!((tranche.amount_minor, tranche.days_overdue), (190 * CENT, 10));
        assert_eq!(tranche.waits_for, waits_for, "{position}");
        assert_eq!(answer.totals[0].amount_minor, 190 * CENT);
    }
    assert!(ask(END, "2017-06-10").await.tranches.is_empty(), "it was settled");
    let later = ask(END, "2018-01-01").await;
    assert_eq!((later.tranches[0].tranche_number, later.tranches[0].days_overdue), (2, 1));
    assert_eq!(ask(END, "").await.on, "2017-04-28", "without a day it is the log's today");
    assert_eq!(ask(27, "").await.on, "2017-04-20", "as it was at that position");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_exported_column_is_in_the_dictionary_and_every_entry_is_exported() {
    let (desk, _) = walked().await;
    let dictionary =
        desk.audit().list_columns(plain(ListColumnsRequest {})).await.unwrap().into_inner().columns;
    let names: BTreeSet<String> = dictionary.iter().map(|column| column.name.clone()).collect();
    assert_eq!(names.len(), dictionary.len(), "each once");
    for column in &dictionary {
        assert!(!column.meaning_en.is_empty() && !column.meaning_zh.is_ascii(), "{column:?}");
        assert!(["integer", "text", "date", "instant"].contains(&column.r#type.as_str()), "{column:?}");
    }
    let aged = [
        ExportTable::Overdue,
        ExportTable::Matching,
        ExportTable::Shares,
        ExportTable::Receivables,
        ExportTable::Clocks,
    ];
    let table = |table: ExportTable, group_by: &[Dimension]| ExportCsvRequest {
        table: table.into(),
        as_of: at(27),
        group_by: group_by.iter().map(|one| (*one).into()).collect(),
        on: if aged.contains(&table) { "2017-06-10".to_owned() } else { String::new() },
        ..ExportCsvRequest::default()
    };
    use Dimension::{Grant, Industry, LeadRegion, Mode, Party, PartyRegion, Period, Programme, Year};
    let mut exported = BTreeSet::new();
    for (asked, rows) in [
        // 1, 2, 3: two lines each; 20, 21: two each; 22: four; 27: two.
        (table(ExportTable::Postings, &[]), 16),
        (table(ExportTable::Balances, &[Programme, Mode, LeadRegion]), 3),
        (table(ExportTable::Balances, &[PartyRegion, Industry, Year]), 3),
        (table(ExportTable::Balances, &[Period, Grant, Party]), 4),
        (table(ExportTable::Undrawn, &[]), 1),
        (table(ExportTable::Overdue, &[]), 1),
        // Nobody matches, and nothing is recovered; all of the one contract is its lead's.
        (table(ExportTable::Matching, &[]), 0),
        (table(ExportTable::Shares, &[]), 1),
        (table(ExportTable::Receivables, &[]), 0),
        // The overdue tranche, and nothing else.
        (table(ExportTable::Clocks, &[]), 1),
    ] {
        let file = desk.export(asked.clone()).await.unwrap();
        let mut reader = csv::Reader::from_reader(file.as_bytes());
        exported.extend(reader.headers().unwrap().iter().map(str::to_owned));
        assert_eq!(reader.records().map(Result::unwrap).count(), rows, "{asked:?}: {file}");
    }
    let mut columns = |header: Vec<u8>| {
        let mut reader = csv::Reader::from_reader(header.as_slice());
        exported.extend(reader.headers().unwrap().iter().map(str::to_owned));
    };
    let mut findings = desk.findings();
    let asked = ExportFindingsRequest { as_of: at(27), ..ExportFindingsRequest::default() };
    let mut pieces = findings.export_findings(plain(asked.clone())).await.unwrap().into_inner();
    columns(pieces.message().await.unwrap().unwrap().data);
    for group_by in [[1, 2, 3], [4, 5, 1]] {
        let asked = ExportFindingsRequest { group_by: group_by.to_vec(), ..asked.clone() };
        let mut pieces = findings.export_findings(plain(asked)).await.unwrap().into_inner();
        columns(pieces.message().await.unwrap().unwrap().data);
    }
    let asked = ExportControlTestsRequest { as_of: at(27), ..ExportControlTestsRequest::default() };
    let mut pieces = findings.export_control_tests(plain(asked)).await.unwrap().into_inner();
    columns(pieces.message().await.unwrap().unwrap().data);
    // In files of tables that are not up to date alone.
    exported.insert("standing".to_owned());
    assert_eq!(exported, names);
}

#[tokio::test(flavor = "multi_thread")]
async fn postings_come_page_by_page_without_a_gap_and_are_the_exported_ones() {
    let (desk, walk) = walked().await;
    let asked = |page_size, page_token: &str| ListPostingsRequest {
        as_of: at(END),
        page_size,
        page_token: page_token.to_owned(),
        ..ListPostingsRequest::default()
    };
    let whole = desk.audit().list_postings(plain(asked(1000, ""))).await.unwrap().into_inner();
    assert!(whole.next_page_token.is_empty());
    assert_eq!(whole.postings.len(), 3 * 2 + 2 * 2 + 4 + 4 * 2 + 2);
    let (mut paged, mut token) = (Vec::<Posting>::new(), String::new());
    loop {
        let page = desk.audit().list_postings(plain(asked(5, &token))).await.unwrap().into_inner();
        assert_eq!(page.reflects, whole.reflects);
        paged.extend(page.postings);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, whole.postings);
    for set in whole.postings.chunk_by(|one, next| one.position == next.position) {
        assert_eq!(
            set.iter().map(|line| line.amount_minor).sum::<i64>(),
            0,
            "every set is balanced: {set:?}"
        );
        assert!(set.iter().map(|line| line.line).eq(1..=set.len() as u32));
    }

    let file = ExportCsvRequest {
        table: ExportTable::Postings.into(),
        as_of: at(END),
        ..ExportCsvRequest::default()
    };
    let file = desk.export(file).await.unwrap();
    let exported: Vec<(String, String)> = csv::Reader::from_reader(file.as_bytes())
        .records()
        .map(|row| row.map(|row| (row[0].to_owned(), row[4].to_owned())).unwrap())
        .collect();
    let listed: Vec<(String, String)> =
        paged.iter().map(|line| (line.position.to_string(), line.amount_minor.to_string())).collect();
    assert_eq!(exported, listed);

    // A token belongs to its question.
    let token = desk.audit().list_postings(plain(asked(5, ""))).await.unwrap().into_inner().next_page_token;
    let mut other = asked(5, &token);
    other.filter = Some(PostingFilter { grant_id: walk.a.clone(), ..PostingFilter::default() });
    let status = desk.audit().list_postings(plain(other)).await.unwrap_err();
    assert_eq!(
        (status.code(), concord_tests::desk::fields(&status)),
        (Code::InvalidArgument, vec!["page_token".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_narrow_what_is_listed() {
    let (desk, walk) = walked().await;
    let count = async |filter: PostingFilter| {
        let asked =
            ListPostingsRequest { as_of: at(END), filter: Some(filter), ..ListPostingsRequest::default() };
        desk.audit().list_postings(plain(asked)).await.unwrap().into_inner().postings.len()
    };
    let none = PostingFilter::default;
    assert_eq!(count(PostingFilter { lead_region: "21".to_owned(), ..none() }).await, 12);
    assert_eq!(count(PostingFilter { lead_region: "2101".to_owned(), ..none() }).await, 12);
    assert_eq!(count(PostingFilter { lead_region: "DE".to_owned(), ..none() }).await, 2);
    assert_eq!(count(PostingFilter { grant_id: walk.b.clone(), ..none() }).await, 2);
    assert_eq!(count(PostingFilter { period: "2017-03".to_owned(), ..none() }).await, 6);
    assert_eq!(count(PostingFilter { industry: "new_materials".to_owned(), ..none() }).await, 12);
    assert_eq!(count(PostingFilter { party: "EU-PIC:998616262".to_owned(), ..none() }).await, 2);
    assert_eq!(count(PostingFilter { year: 2016, ..none() }).await, 0);
    assert_eq!(count(PostingFilter { currency: "EUR".to_owned(), ..none() }).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_balances_and_nothing_of_the_account_is_in_the_log() {
    let (desk, _) = walked().await;
    let asked = GetProjectionStatusRequest { min_position: END };
    let status = desk.audit().get_projection_status(plain(asked)).await.unwrap().into_inner();
    assert!(status.balanced && status.stopped.is_empty(), "{status:?}");
    assert_eq!((status.checkpoint, status.grants), (END, 2));
    for event in concord_tests::record::read_log(&desk, 1, 0).await.unwrap() {
        let text = String::from_utf8(event.bytes).unwrap();
        assert!(
            !text.contains("6222 0000") && !text.contains("张三"),
            "personal data stands in an erasable table: {text}"
        );
    }
}
