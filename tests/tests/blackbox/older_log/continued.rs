//! What the faults stood in the way of is done now, every aggregate goes on, and the same is not done again.

use super::kept::{Kept, Open, TODAY, written};
use super::{agreements, followed, text};
use concord_proto::agreement::v1::{
    AddPartyCodeRequest, RecordPartyResponse, SignAgreementRequest, SuspendAgreementRequest,
};
use concord_proto::audit::v1::GetProjectionStatusRequest;
use concord_proto::fund::v1::matching_service_client::MatchingServiceClient;
use concord_proto::fund::v1::recovery_service_client::RecoveryServiceClient;
use concord_proto::fund::v1::rectification_service_client::RectificationServiceClient;
use concord_proto::fund::v1::spending_service_client::SpendingServiceClient;
use concord_proto::fund::v1::{
    AdmitGrantRequest, AdmitGrantResponse, ApplyForGrantRequest, AssignRectificationRequest, BackingState,
    DemandRecoveryRequest, FindingKey, GetBackingRequest, GetRecoveryRequest, HoldGrantRequest, MatchingKind,
    PledgeMatchingRequest, PledgedInstalment, RecommendGrantRequest, RecordMatchingArrivalRequest, Recovery,
    ReportSpendRequest, State, TrancheState,
};
use concord_proto::r#type::v1::{CommandReceipt, FundingMode, Party, PartyKind};
use concord_tests::agreements::OFFICER;
use concord_tests::check::check;
use concord_tests::desk::{CASHIER, CITY, CLERK, DIRECTOR, broken, by, plain, reason};
use concord_tests::record::eventually;
use concord_tests::requests::{fen, header, header_as, id, supplement};
use prost::Message;
use tonic::{Code, Response, Status};

/// A lead of the story by the number that it has there.
fn lead(number: u32) -> String {
    format!("EU-PIC:9990000{number}")
}

/// The certificate that the directory was told under both names of its scheme.
const TWIN: &str = "CN-USCC:91210200TE5T00040R";

async fn recovery(open: &Open, recovery_id: &str) -> Recovery {
    let asked = plain(GetRecoveryRequest { recovery_id: recovery_id.to_owned(), min_position: 0 });
    let answer = RecoveryServiceClient::new(open.desk.fund.clone()).get_recovery(asked).await.unwrap();
    answer.into_inner().recovery.unwrap()
}

/// Waits until the audit shows all that was answered for.
async fn audited(open: &Open) {
    let head = open.desk.status().await.unwrap().head;
    let asked = plain(GetProjectionStatusRequest { min_position: head });
    let status = open.desk.audit().get_projection_status(asked).await.unwrap().into_inner();
    assert!(status.stopped.is_empty() && status.balanced, "{status:?}");
}

/// The very commands that were refused because their ids were taken, under the request ids of then.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_taken_id_stood_in_the_way_of_is_done() {
    let kept = Kept::restored().await.unwrap();
    let open = kept.open().await;
    let mut answers = Vec::new();
    for asked in kept.commands.iter().filter(|asked| asked.answer.is_none()) {
        assert_eq!(asked.line["reason"], "ID_TAKEN", "{}", asked.line);
        answers.push((asked.fault.as_str(), open.call(asked).await));
    }
    let refused: Vec<_> =
        answers.iter().filter_map(|(fault, answer)| Some((fault, answer.as_ref().err()?))).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    let faults: Vec<&str> = answers.iter().map(|(fault, _)| *fault).collect();
    assert_eq!(
        faults,
        ["B1.party", "B1.cancelled", "B1.disallowed", "B1.returned", "B1.rectification", "B1.invoice"]
    );

    // The cancelled grant owes all that was paid, under an id of its own; the recoveries that had its id are still of another grant.
    let cancelled = open.grant(kept.grant("c1")).await;
    assert_eq!(cancelled.state(), State::Cancelled);
    let [own] = &cancelled.recovery_ids[..] else { panic!("{cancelled:?}") };
    let other = open.grant(kept.grant("d")).await;
    assert_eq!(other.recovery_ids.len(), 3);
    assert!(!other.recovery_ids.contains(own), "{own}");
    let owed = recovery(&open, own).await;
    assert_eq!((owed.grant_id.as_str(), owed.amount_minor), (kept.grant("c1"), 600_000));
    for recovery_id in &other.recovery_ids {
        let kept_as_it_was = recovery(&open, recovery_id).await;
        assert_eq!(
            (kept_as_it_was.grant_id.as_str(), kept_as_it_was.amount_minor),
            (kept.grant("d"), 10_000)
        );
    }
    let spent = |grant: &concord_proto::fund::v1::Grant| {
        let spent = grant.balances.iter().filter(|balance| balance.account == "eligible_spend");
        spent.map(|balance| balance.amount_minor).sum::<i64>()
    };
    assert_eq!(spent(&open.grant(kept.grant("c2")).await), 0, "it is disallowed");
    let returned = open.grant(kept.grant("c3")).await;
    assert_eq!(returned.tranches[0].state(), TrancheState::PaymentReturned);

    // The party is recorded under the id that the agreement has.
    let recorded = RecordPartyResponse::decode(answers[0].1.as_deref().unwrap()).unwrap();
    assert_eq!(recorded.party_id, under(&kept, "B1.party"));
    assert_eq!(open.agreements.show(&recorded.party_id, "").await.unwrap().parties.len(), 2);
    audited(&open).await;

    goes_on(&kept, &open).await;
}

/// The agreement that a fault put under an id.
fn under(kept: &Kept, fault: &str) -> String {
    let drafted = kept.part_of(fault).find(|asked| asked.name() == "DraftAgreement").unwrap();
    text(&drafted.line["request"]["agreement_id"])
}

/// One more command on each aggregate, and both logs are proved in the end.
async fn goes_on(kept: &Kept, open: &Open) {
    let mut grants = open.desk.grants();
    let asked = kept.questions.iter().filter(|asked| asked.name() == "GetGrant");
    for (name, grant_id) in
        asked.map(|asked| (text(&asked.line["grant"]), text(&asked.line["request"]["grant_id"])))
    {
        // They have ended; their recoveries go on.
        if ["c1", "m"].contains(&name.as_str()) {
            continue;
        }
        let hold = HoldGrantRequest { header: header(), grant_id, reason: "专项核查".to_owned() };
        let answer = grants.hold_grant(by(DIRECTOR, hold)).await;
        assert!(
            answer.as_ref().is_ok_and(|answer| moved(answer.get_ref().receipt.as_ref())),
            "{name}: {answer:?}"
        );
    }
    let mut recoveries = RecoveryServiceClient::new(open.desk.fund.clone());
    for name in ["c1", "d", "m"] {
        for recovery_id in open.grant(kept.grant(name)).await.recovery_ids {
            let demand =
                DemandRecoveryRequest {
                    header: header(), recovery_id, demand: "追缴通知1号".to_owned()
                };
            let answer = recoveries.demand_recovery(by(CLERK, demand)).await;
            assert!(
                answer.as_ref().is_ok_and(|answer| moved(answer.get_ref().receipt.as_ref())),
                "{name}: {answer:?}"
            );
        }
    }
    let opened = kept.commands.iter().find(|asked| asked.name() == "AppropriateProgramme").unwrap();
    let programme = text(&opened.line["request"]["programme_id"]);
    open.desk.programmes().supplement_programme(by(CLERK, supplement(&programme, 1))).await.unwrap();

    // Both agreements that have the id of something else are signed, by whoever drafted them.
    for fault in ["B1.code", "B1.party"] {
        let drafted = kept.part_of(fault).find(|asked| asked.name() == "DraftAgreement").unwrap();
        let agreement_id = text(&drafted.line["request"]["agreement_id"]);
        for party in drafted.line["request"]["parties"].as_array().unwrap() {
            let signature = SignAgreementRequest {
                header: header(),
                agreement_id: agreement_id.clone(),
                party: text(&party["code"]),
                signatory: "signatory-2".to_owned(),
                authority: "授权书2号".to_owned(),
            };
            open.agreements.agreements().sign_agreement(by(OFFICER, signature)).await.unwrap();
        }
    }
    // The fund hears of the agreement whose link's id a grant has.
    let [taken, _] = agreements(kept);
    let suspension = SuspendAgreementRequest {
        header: header(),
        agreement_id: taken.clone(),
        cause: "整改".to_owned(),
        authority: "批复2号".to_owned(),
    };
    let answer = open.agreements.agreements().suspend_agreement(by(OFFICER, suspension)).await.unwrap();
    let position = answer.into_inner().receipt.unwrap().last_position;
    eventually("the fund knows that it is suspended", async || {
        let request = GetBackingRequest {
            agreement_id: taken.clone(),
            min_agreement_position: position,
            ..GetBackingRequest::default()
        };
        let known = open.desk.grants().get_backing(plain(request)).await.ok()?.into_inner().backing?;
        (known.state() == BackingState::Suspended).then_some(())
    })
    .await
    .unwrap();

    audited(open).await;
    for log in ["agreement", "fund-grant"] {
        let check = check(&kept.stack, &["--log", log]).unwrap();
        assert_eq!((check.code, check.said["proved"] == true), (Some(0), true), "{log}: {check:#?}");
    }
}

/// Whether a command caused an event.
fn moved(receipt: Option<&CommandReceipt>) -> bool {
    receipt.is_some_and(|receipt| receipt.first_position > 0)
}

/// Applies for a project, up to its admission.
async fn admitted(
    kept: &Kept,
    open: &Open,
    code: &str,
    title: &str,
) -> Result<Response<AdmitGrantResponse>, Status> {
    let opened = kept.commands.iter().find(|asked| asked.name() == "AppropriateProgramme").unwrap();
    let grant_id = id();
    let application = ApplyForGrantRequest {
        header: header(),
        grant_id: grant_id.clone(),
        programme_id: text(&opened.line["request"]["programme_id"]),
        mode: FundingMode::NonRepayable.into(),
        title: title.to_owned(),
        lead: Some(Party {
            code: code.to_owned(),
            kind: PartyKind::Enterprise.into(),
            region: "210102".to_owned(),
            name: String::new(),
        }),
        industry: "new_materials".to_owned(),
        requested: fen(100_000),
        total_budget: fen(200_000),
        allocations: Vec::new(),
        starts_on: "2018-01-01".to_owned(),
        ends_on: "2019-12-31".to_owned(),
    };
    let mut grants = open.desk.grants();
    grants.apply_for_grant(by(&format!("applicant-1@{code}"), application)).await?;
    let recommender = "某市科技局".to_owned();
    let recommendation = RecommendGrantRequest { header: header(), grant_id: grant_id.clone(), recommender };
    grants.recommend_grant(by(CITY, recommendation)).await?;
    grants.admit_grant(by(CLERK, AdmitGrantRequest { header: header(), grant_id })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_whose_file_was_not_seen_is_weighed_again() {
    let (kept, open) = written().await;
    let status = admitted(kept, &open, &lead(10), "高效轴承中试").await.unwrap_err();
    assert_eq!(broken(&status), ["A04_FUNDED_ALREADY", "A11_ACCEPTANCE_OVERDUE"], "{status:?}");
    let status = admitted(kept, &open, &lead(10), "另一项目").await.unwrap_err();
    assert_eq!(broken(&status), ["A11_ACCEPTANCE_OVERDUE"], "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_title_in_letters_that_look_alike_is_not_funded_again() {
    let (kept, open) = written().await;
    let status = admitted(kept, &open, &lead(18), "НЕРТА MACPOT КВЕАМ OPTHC").await.unwrap_err();
    assert_eq!(broken(&status), ["A04_FUNDED_ALREADY"], "{status:?}");
}

/// Whichever of its codes a party gives, and whichever party it merged into.
#[tokio::test(flavor = "multi_thread")]
async fn one_party_under_another_code_is_not_funded_again() {
    let (kept, open) = written().await;
    followed(kept, &open).await;
    let second = "CN-USCC:91210200TE5T00059N".to_owned();
    let twin = TWIN.replace("CN-USCC", "CN-USCI");
    let named = [
        (lead(23), "耐磨合金涂层"),
        (second, "耐磨合金涂层"),
        (lead(24), "深海浮体材料"),
        (lead(25), "深海浮体材料"),
        (TWIN.to_owned(), "陶瓷轴承"),
        (twin, "陶瓷轴承"),
    ];
    let mut others = Vec::new();
    for (code, title) in named {
        match admitted(kept, &open, &code, title).await {
            Err(status) if broken(&status) == ["A04_FUNDED_ALREADY"] => {}
            other => others.push((code, other.map(|answer| answer.into_inner()))),
        }
    }
    assert!(others.is_empty(), "{others:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dissolved_party_applies_no_more() {
    let (kept, open) = written().await;
    followed(kept, &open).await;
    let status = admitted(kept, &open, &lead(26), "新项目").await.unwrap_err();
    assert_eq!(broken(&status), ["PARTY_DISSOLVED"], "{status:?}");
}

/// The code stays with the first of the two that it was given to.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_not_given_to_a_third() {
    let (kept, open) = written().await;
    let given: Vec<_> = kept.part_of("B1.code").filter(|asked| asked.name() == "AddPartyCode").collect();
    let mut request: AddPartyCodeRequest = given[0].request();
    request.header = header();
    request.party_id = open.agreements.look_up(&lead(23), TODAY).await.unwrap().party_id;
    let status = open.agreements.parties().add_party_code(by(OFFICER, request)).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists, "{status:?}");
}

/// An invoice of which nothing is left, and a reference of the bank that was told, in further spellings.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_used_up_in_many_spellings_is_used_up_in_one_more() {
    let (kept, open) = written().await;
    let shown = open.grant(kept.grant("i2")).await;
    let fund = || open.desk.fund.clone();
    let report = |issuer: &str, number: &str| {
        let mut request: ReportSpendRequest = kept.about("ReportSpend", "i2").next().unwrap().request();
        (request.header, request.spend_id, request.amount) = (header(), id(), fen(100));
        let invoice = request.invoice.as_mut().unwrap();
        (invoice.issuer, invoice.number) = (issuer.to_owned(), number.to_owned());
        request
    };
    let applicant = format!("applicant-1@{}", shown.lead_code);
    for (issuer, number) in
        [("２１００１４３１３０", "№ １２３４５"), ("EU-PIC:999000013", "2199 2000 0000 1234 5678")]
    {
        let request = by(&applicant, report(issuer, number));
        let status = SpendingServiceClient::new(fund()).report_spend(request).await.unwrap_err();
        assert_eq!(broken(&status), ["A09_INVOICE_EXCEEDED"], "{issuer} {number}: {status:?}");
    }

    let grant_id = kept.grant("i1").to_owned();
    let pledge = PledgeMatchingRequest {
        header: header(),
        grant_id: grant_id.clone(),
        source_number: 2,
        kind: MatchingKind::OwnMoney.into(),
        amount: fen(100),
        instalments: vec![PledgedInstalment {
            number: 1,
            amount_minor: 100,
            due_on: "2018-12-31".to_owned(),
        }],
        ..PledgeMatchingRequest::default()
    };
    MatchingServiceClient::new(fund()).pledge_matching(by(CLERK, pledge)).await.unwrap();
    let arrival = RecordMatchingArrivalRequest {
        header: header(),
        grant_id,
        source_number: 2,
        instalment_number: 1,
        amount: fen(100),
        bank_reference: "ｐａｙ １".to_owned(),
    };
    let status =
        MatchingServiceClient::new(fund()).record_matching_arrival(by(CASHIER, arrival)).await.unwrap_err();
    // It is the reference of an arrival; that of the payment before it is the same, spelled otherwise.
    assert_eq!(broken(&status), ["MATCHING_ALREADY_ARRIVED"], "{status:?}");
}

/// It names no grant; that follows from the finding's subject.
#[tokio::test(flavor = "multi_thread")]
async fn an_applicant_charges_itself_no_more() {
    let (kept, open) = written().await;
    let pledged = kept.about("PledgeMatching", "r").nth(1).unwrap().position();
    let request = AssignRectificationRequest {
        header: header(),
        finding: Some(FindingKey {
            rule: "A03".to_owned(),
            subject: format!("{}/source/2/1", kept.grant("r")),
            position: pledged,
        }),
        grant_id: String::new(),
        owner: "owner-1".to_owned(),
        deadline: "2018-12-31".to_owned(),
        task: "自查".to_owned(),
    };
    let applicant = format!("applicant-1@{}", open.grant(kept.grant("r")).await.lead_code);
    let mut rectifications = RectificationServiceClient::new(open.desk.fund.clone());
    let status = rectifications.assign_rectification(by(&applicant, request.clone())).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    assert!(broken(&status).iter().all(|rule| rule.starts_with("A13")), "{status:?}");
    // The office does, though a grant has the id that followed from the finding.
    rectifications.assign_rectification(by(CLERK, request)).await.unwrap();
}

/// Of requests that are stored from now on, the version that the caller saw is a part.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_with_another_expected_version_is_another_request() {
    let (kept, open) = written().await;
    let shown = open.grant(kept.grant("v")).await;
    let pledge = |request_id: &str, expected_version: Option<u64>| {
        let mut header = header_as(request_id);
        header.as_mut().unwrap().expected_version = expected_version;
        PledgeMatchingRequest {
            header,
            grant_id: shown.grant_id.clone(),
            source_number: 5,
            kind: MatchingKind::Loan.into(),
            amount: fen(100),
            instalments: vec![PledgedInstalment {
                number: 1,
                amount_minor: 100,
                due_on: "2018-12-31".to_owned(),
            }],
            ..PledgeMatchingRequest::default()
        }
    };
    let mut matching = MatchingServiceClient::new(open.desk.fund.clone());
    let request_id = id();
    let first = matching.pledge_matching(by(CLERK, pledge(&request_id, Some(shown.version)))).await.unwrap();
    let again = matching.pledge_matching(by(CLERK, pledge(&request_id, Some(shown.version)))).await.unwrap();
    assert_eq!(again.into_inner(), first.into_inner());
    for other in [None, Some(shown.version + 1)] {
        let status = matching.pledge_matching(by(CLERK, pledge(&request_id, other))).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).is_empty()), (Code::AlreadyExists, false), "{status:?}");
    }
}
