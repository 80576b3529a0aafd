//! A key says what it denotes: an id that follows from something is nobody's to take, and what stands under it is found there, in
//! memory and after a restart.

use concord_proto::fund::v1::{AdmitGrantRequest, ApplyForGrantRequest, RecommendGrantRequest};
use concord_tests::desk::{APPLICANT, CITY, CLERK, Desk, TREASURER, by, facts, reason};
use concord_tests::requests::{PUBLISHED_ON, application, appropriation, header_on, id};
use concord_tests::stack::Stack;
use tonic::Status;

/// Id of the file that the fund keeps of the lead of [`application`]: a UUID v5 of the party's id, as anybody can work it out.
const LEADS_FILE: &str = "8d5bb7f7-b0b0-59a5-956f-ead9ea131241";

/// An application for one project, under whichever id.
async fn apply(desk: &Desk, programme: &str, grant_id: &str) -> Result<(), Status> {
    let title = "同一项目".to_owned();
    let application = ApplyForGrantRequest { title, ..application(programme, grant_id, 10) };
    desk.grants().apply_for_grant(by(APPLICANT, application)).await.map(drop)
}

async fn recommend(desk: &Desk, grant_id: &str) {
    let recommendation = RecommendGrantRequest {
        header: header_on(PUBLISHED_ON),
        grant_id: grant_id.to_owned(),
        recommender: "沈阳市科技局".to_owned(),
    };
    desk.grants().recommend_grant(by(CITY, recommendation)).await.unwrap();
}

async fn admit(desk: &Desk, grant_id: &str) -> Result<(), Status> {
    let admission = AdmitGrantRequest { header: header_on(PUBLISHED_ON), grant_id: grant_id.to_owned() };
    desk.grants().admit_grant(by(CLERK, admission)).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_under_the_id_of_its_leads_file_switches_no_rule_off() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    // Before there is a file the id is free.
    apply(&desk, &programme, LEADS_FILE).await.unwrap();
    let (first, second) = (id(), id());
    for grant in [&first, &second] {
        apply(&desk, &programme, grant).await.unwrap();
        recommend(&desk, grant).await;
    }
    admit(&desk, &first).await.unwrap();
    let refused = admit(&desk, &second).await.unwrap_err();
    assert_eq!(reason(&refused), "A04_FUNDED_ALREADY");
    assert_eq!(facts(&refused)["other_grant_id"], first);

    // Both states under the one id are read back from the log.
    stack.stop().unwrap();
    stack.up().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    assert_eq!(reason(&admit(&desk, &second).await.unwrap_err()), "A04_FUNDED_ALREADY");
    recommend(&desk, LEADS_FILE).await;
    assert_eq!(reason(&admit(&desk, LEADS_FILE).await.unwrap_err()), "A04_FUNDED_ALREADY");

    // An id that another kind has is refused as what it is.
    let opened = desk.programmes().appropriate_programme(by(TREASURER, appropriation(&first, 10))).await;
    let refused = opened.unwrap_err();
    assert_eq!((reason(&refused).as_str(), facts(&refused)["kind"].as_str()), ("ID_TAKEN", "grant"));
}
