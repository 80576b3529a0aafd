//! From a framework agreement to a child, a grant that rests on it, a settled tranche, a hold, a resumption and the second
//! tranche; and then the child's end.

use super::world::{TODAY, World, instruction, naming};
use concord_proto::agreement::v1::{AgreementKind, DraftAgreementRequest, State as AgreementState};
use concord_proto::audit::v1::GetGrantStatementRequest;
use concord_proto::fund::v1::{
    ApproveGrantsRequest, Award, BackingState, HoldKind, PersonalData, ResumeGrantRequest,
    SignContractRequest, TrancheCondition, VerifyPayeeRequest,
};
use concord_tests::agreements::{INSTITUTE, PROVINCE, UNIVERSITY, WORKS, draft};
use concord_tests::desk::{APPLICANT, CLERK, DIRECTOR, at, broken, by, facts, plain, reason};
use concord_tests::requests::{Receipt, fen, header, tranche};

#[tokio::test(flavor = "multi_thread")]
async fn from_a_framework_agreement_to_the_second_tranche() {
    let world = World::new().await;
    let term = (TODAY, "2020-04-19");
    let framework = draft(AgreementKind::Framework, &[PROVINCE, UNIVERSITY], term);
    let framework = world.agreements.signed(framework).await.unwrap();
    let child = DraftAgreementRequest {
        parent_id: framework.clone(),
        ..draft(AgreementKind::JointResearch, &[UNIVERSITY, WORKS], term)
    };
    let child = world.agreements.signed(child).await.unwrap();
    let in_force = world.agreements.head().await.unwrap();
    let stranger = draft(AgreementKind::LongTerm, &[INSTITUTE, WORKS], term);
    let stranger = world.agreements.signed(stranger).await.unwrap();
    let signed = world.agreements.head().await.unwrap();

    // The applicant names it before there is a contract, and only one of the lead's own.
    let programme = world.desk.programme(1_000).await.unwrap();
    let grant = world.desk.grant_on_notice(&programme, 400).await.unwrap();
    let mut grants = world.desk.grants();
    world.known(&child, signed).await;
    let name = |agreement: &str| by(APPLICANT, naming(&grant, agreement, Some(signed)));
    let status = grants.name_backing_agreement(name(&stranger)).await.unwrap_err();
    assert_eq!(reason(&status), "BACKING_WITHOUT_LEAD", "{status:?}");
    grants.name_backing_agreement(name(&child)).await.unwrap();
    let known = world.known(&child, signed).await.backing.unwrap();
    assert_eq!((known.state(), known.agreement_position), (BackingState::InForce, in_force));
    assert_eq!(known.grant_ids, [grant.as_str()]);

    contract(&world, &grant).await;
    world.authorised(&grant, 1).await.unwrap();
    world.instruct(&instruction(&grant, 1)).await.unwrap();
    world.settle(&grant, 1).await.unwrap();

    // The framework's end is not the child's, and holds nothing.
    let end = world.terminate(&framework).await;
    world.known(&child, end).await;
    assert_eq!(world.agreements.show(&child, "").await.unwrap().state(), AgreementState::InForce);
    assert_eq!(world.grant(&grant).await.hold, None);

    // The child is suspended: the second tranche cannot even be asked for.
    let suspended = world.suspend(&child).await;
    world.known(&child, suspended).await;
    let hold = world.grant(&grant).await.hold.unwrap();
    let [cause] = hold.causes.as_slice() else { panic!("{hold:?}") };
    assert_eq!((hold.since.as_str(), cause.kind()), (TODAY, HoldKind::BackingLost));
    assert_eq!(
        (cause.agreement_id.as_str(), cause.agreement_state()),
        (child.as_str(), BackingState::Suspended)
    );
    assert_eq!(cause.agreement_position, suspended);
    let status = world.authorised(&grant, 2).await.unwrap_err();
    assert_eq!(reason(&status), "GRANT_ON_HOLD", "{status:?}");
    let resume = || by(CLERK, ResumeGrantRequest { header: header(), grant_id: grant.clone() });
    let status = grants.resume_grant(resume()).await.unwrap_err();
    assert_eq!(reason(&status), "HOLD_CAUSE_REMAINS", "{status:?}");
    assert!(facts(&status)["cause"].contains(&child), "{status:?}");

    // In force again, the cause is gone; the hold is an officer's to lift.
    let resumed = world.resume(&child).await;
    world.known(&child, resumed).await;
    assert!(world.grant(&grant).await.hold.unwrap().causes.is_empty());
    let status = world.authorised(&grant, 2).await.unwrap_err();
    assert_eq!(reason(&status), "GRANT_ON_HOLD", "{status:?}");
    grants.resume_grant(resume()).await.unwrap();
    assert_eq!(world.grant(&grant).await.hold, None);
    world.authorised(&grant, 2).await.unwrap();
    world.instruct(&instruction(&grant, 2)).await.unwrap();
    let paid = world.settle(&grant, 2).await.unwrap();

    // The child ends, and with it the money.
    let end = world.terminate(&child).await;
    world.known(&child, end).await;
    let status = grants.resume_grant(resume()).await.unwrap_err();
    assert_eq!(broken(&status), ["HOLD_CAUSE_REMAINS"]);
    let asked = GetGrantStatementRequest { grant_id: grant.clone(), as_of: at(paid.last_position) };
    let statement = world.desk.audit().get_grant_statement(plain(asked)).await.unwrap().into_inner();
    let closing = statement.closing.unwrap();
    assert_eq!((closing.recipient_unspent_minor, closing.committed_minor), (320, 80));
    let proved = world.proved().await;
    assert_eq!((proved.instructed, proved.held), (2, 2));
}

/// Approves a grant that is on notice, and signs its contract over three tranches.
async fn contract(world: &World, grant: &str) {
    let mut grants = world.desk.grants();
    let award = Award { grant_id: grant.to_owned(), amount: fen(400), expected_version: None };
    let meeting = ApproveGrantsRequest { header: header(), minutes: "1".to_owned(), awards: vec![award] };
    grants.approve_grants(by(DIRECTOR, meeting)).await.unwrap().receipt();
    let contract = SignContractRequest {
        header: header(),
        grant_id: grant.to_owned(),
        contract_number: "LN-2017-0043".to_owned(),
        amount: fen(400),
        starts_on: "2017-06-01".to_owned(),
        ends_on: "2019-05-31".to_owned(),
        tranches: vec![
            tranche(1, 200, TrancheCondition::Contract, "2017-05-31"),
            tranche(2, 120, TrancheCondition::Contract, "2017-12-31"),
            tranche(3, 80, TrancheCondition::FinalAcceptance, "2018-12-31"),
        ],
        allocations: Vec::new(),
    };
    grants.sign_contract(by(DIRECTOR, contract)).await.unwrap();
    let account = PersonalData { person_id: "acc-1".to_owned(), text: "6222 0000 1234".to_owned() };
    let check = VerifyPayeeRequest { header: header(), grant_id: grant.to_owned(), account: Some(account) };
    grants.verify_payee(by(DIRECTOR, check)).await.unwrap();
}
