//! One legal person under several codes and ids, over both logs: who applies, who is refused, and how the audit shows it.

use super::proof::Entry;
use super::world::{TODAY, World};
use concord_proto::agreement::v1::{
    AddPartyCodeRequest, DissolvePartyRequest, MergePartyRequest, RecordRepresentationRequest,
};
use concord_proto::audit::v1::{Dimension, ListBalancesRequest};
use concord_proto::fund::v1::{
    AdmitGrantRequest, ApplyForGrantRequest, ApproveGrantsRequest, Award, GetBackingRequest, GetGrantRequest,
    RecommendGrantRequest,
};
use concord_proto::r#type::v1::{Party, PartyKind};
use concord_tests::agreements::{INSTITUTE, OFFICER, UNIVERSITY, WORKS};
use concord_tests::desk::{APPLICANT, CITY, CLERK, DIRECTOR, at, by, facts, plain, reason};
use concord_tests::requests::{Receipt, application, fen, header, header_on, id};
use tonic::Status;

/// A code that nobody knows as the university's before a test says so.
const LATER_CODE: &str = "GB-COH:01234567";
/// The day before [`TODAY`].
const YESTERDAY: &str = "2017-04-19";

impl World {
    /// The id of a party by its code.
    async fn party(&self, code: &str) -> String {
        self.agreements.look_up(code, "").await.unwrap().party_id
    }

    /// Waits until fund-grant has taken in all that the directory says.
    async fn directory_is_known(&self) {
        let head = self.agreements.head().await.unwrap();
        let asked = GetBackingRequest { agreement_id: id(), min_position: 0, min_agreement_position: head };
        // Nobody has drafted that agreement; the answer waits for the position first.
        let status = self.desk.grants().get_backing(plain(asked)).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::NotFound, "{status:?}");
    }

    async fn add_code(&self, party: &str, code: &str, on: &str) {
        let request = AddPartyCodeRequest {
            header: header_on(on),
            party_id: self.party(party).await,
            code: code.to_owned(),
            certificate: None,
        };
        self.agreements.parties().add_party_code(by(OFFICER, request)).await.unwrap().receipt();
    }

    async fn merge(&self, party: &str, into: &str, on: &str) {
        let (party_id, into) = (self.party(party).await, self.party(into).await);
        let request = MergePartyRequest { header: header_on(on), party_id, into };
        self.agreements.parties().merge_party(by(OFFICER, request)).await.unwrap().receipt();
    }

    async fn dissolve(&self, party: &str, on: &str) {
        let request = DissolvePartyRequest { header: header_on(on), party_id: self.party(party).await };
        self.agreements.parties().dissolve_party(by(OFFICER, request)).await.unwrap().receipt();
    }

    async fn represent(&self, party: &str, organisation_id: &str) {
        let request = RecordRepresentationRequest {
            header: header_on("2017-01-01"),
            party_id: self.party(party).await,
            organisation_id: organisation_id.to_owned(),
            authority: "辽科发〔2017〕9号".to_owned(),
        };
        self.agreements.parties().record_representation(by(OFFICER, request)).await.unwrap().receipt();
    }

    /// Applies, as this actor.
    async fn apply(&self, actor: &str, request: &ApplyForGrantRequest) -> Result<(), Status> {
        self.desk.grants().apply_for_grant(by(actor, request.clone())).await.map(drop)
    }

    async fn recommend(&self, actor: &str, grant: &str) -> Result<(), Status> {
        let recommendation = RecommendGrantRequest {
            header: header_on(YESTERDAY),
            grant_id: grant.to_owned(),
            recommender: "沈阳市科技局".to_owned(),
        };
        self.desk.grants().recommend_grant(by(actor, recommendation)).await.map(drop)
    }

    /// Admits it, as an act of a day.
    async fn admit(&self, grant: &str, on: &str) -> Result<(), Status> {
        let admission = AdmitGrantRequest { header: header_on(on), grant_id: grant.to_owned() };
        self.desk.grants().admit_grant(by(CLERK, admission)).await.map(drop)
    }

    /// An application that is recommended.
    async fn recommended(&self, request: ApplyForGrantRequest) -> String {
        self.apply(APPLICANT, &request).await.unwrap();
        self.recommend(CITY, &request.grant_id).await.unwrap();
        request.grant_id
    }

    /// Id of the lead as fund-grant has it.
    async fn lead(&self, grant: &str) -> String {
        let asked = GetGrantRequest { grant_id: grant.to_owned(), min_position: 0 };
        self.desk.grants().get_grant(plain(asked)).await.unwrap().into_inner().grant.unwrap().lead_party_id
    }
}

/// An application of this party for the project with this title.
fn applied_by(programme: &str, code: &str, title: &str) -> ApplyForGrantRequest {
    let lead = Party {
        code: code.to_owned(),
        kind: PartyKind::Enterprise.into(),
        region: "210102".to_owned(),
        name: "某单位".to_owned(),
    };
    ApplyForGrantRequest { title: title.to_owned(), lead: Some(lead), ..application(programme, &id(), 100) }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_legal_person_is_funded_once_under_whichever_code_it_applies() {
    let world = World::new().await;
    let programme = world.desk.programme(10_000).await.unwrap();
    let apply = |code: &str, title: &str| applied_by(&programme, code, title);

    // A further code, learned after the application and before it.
    world.directory_is_known().await;
    let first = world.recommended(apply(UNIVERSITY, "叶片")).await;
    world.admit(&first, YESTERDAY).await.unwrap();
    let stranger = world.recommended(apply(LATER_CODE, "叶片")).await;
    world.add_code(UNIVERSITY, LATER_CODE, TODAY).await;
    world.directory_is_known().await;
    let known = ApplyForGrantRequest { header: header_on(TODAY), ..apply(LATER_CODE, "叶片") };
    world.apply(APPLICANT, &known).await.unwrap();
    let lead = world.lead(&known.grant_id).await;
    assert_eq!(lead, world.party(UNIVERSITY).await, "named as who has the code");
    let status = world.admit(&stranger, TODAY).await.unwrap_err();
    assert_eq!(reason(&status), "A04_FUNDED_ALREADY", "{status:?}");
    assert_eq!(facts(&status)["other_grant_id"], first);
    // The code is the party's from today on: of yesterday it was nobody's.
    world.admit(&stranger, YESTERDAY).await.unwrap();

    // A merger of today: the day before it they were two.
    let early = world.recommended(apply(WORKS, "叶片")).await;
    let late = world.recommended(apply(WORKS, "叶片")).await;
    world.merge(WORKS, UNIVERSITY, TODAY).await;
    world.directory_is_known().await;
    let status = world.admit(&late, TODAY).await.unwrap_err();
    assert_eq!(reason(&status), "A04_FUNDED_ALREADY", "{status:?}");
    world.admit(&early, YESTERDAY).await.unwrap();
    // An application of today is the successor's.
    let request = ApplyForGrantRequest { header: header_on(TODAY), ..apply(WORKS, "齿轮") };
    world.apply(APPLICANT, &request).await.unwrap();
    assert_eq!(world.lead(&request.grant_id).await, world.party(UNIVERSITY).await);
    // It is told again, and is a repeat.
    let again = ApplyForGrantRequest { header: header_on(TODAY), ..request };
    world.apply(APPLICANT, &again).await.unwrap();

    // A dissolution of today.
    let alive = apply(INSTITUTE, "轴承");
    world.dissolve(INSTITUTE, TODAY).await;
    world.directory_is_known().await;
    world.apply(APPLICANT, &alive).await.unwrap();
    let gone = ApplyForGrantRequest { header: header_on(TODAY), ..apply(INSTITUTE, "轴承") };
    let status = world.apply(APPLICANT, &gone).await.unwrap_err();
    assert_eq!(reason(&status), "PARTY_DISSOLVED", "{status:?}");
    assert_eq!(facts(&status)["dissolved_from"], TODAY);

    // Each of it is in the log of grants, by the position of the other log, and once.
    let logs = world.logs().await;
    let at = |entry: &Entry| entry.data()["at"]["position"].as_u64().unwrap();
    let mut taken: Vec<u64> = logs.grants_named("PartyChanged").map(at).collect();
    taken.sort_unstable();
    let told = logs.agreements.iter().filter(|entry| entry.name.starts_with("Party"));
    assert_eq!(taken, told.map(|entry| entry.position).collect::<Vec<_>>());
    for admission in logs.grants_named("GrantAdmitted") {
        let directory = &admission.data()["filed"]["directory"];
        assert_eq!(directory["generation"], 1, "{}", admission.document);
    }
    world.proved().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_has_one_holder_for_one_legal_person_and_the_command_line_names_it() {
    let world = World::new().await;
    let programme = world.desk.programme(10_000).await.unwrap();
    let mut grants = Vec::new();
    for _ in 0..2 {
        grants.push(world.desk.grant_on_notice(&programme, 100).await.unwrap());
    }
    let meeting = ApproveGrantsRequest {
        header: header(),
        minutes: "1".to_owned(),
        awards: grants
            .iter()
            .map(|grant| Award { grant_id: grant.clone(), amount: fen(100), expected_version: None })
            .collect(),
    };
    let approved = world.desk.grants().approve_grants(by(DIRECTOR, meeting)).await.unwrap().receipt();
    let reserved = async |position: u64| {
        let request = ListBalancesRequest {
            as_of: at(position),
            group_by: vec![Dimension::Party.into()],
            ..ListBalancesRequest::default()
        };
        let answer = world.desk.audit().list_balances(plain(request)).await.unwrap().into_inner();
        let held = answer.balances.into_iter().filter(|balance| balance.reserved_minor > 0);
        held.map(|balance| (balance.group[0].clone(), balance.labels[0].clone(), balance.reserved_minor))
            .collect::<Vec<_>>()
    };
    let own = world.party(UNIVERSITY).await;
    assert_eq!(reserved(approved.last_position).await, [(own, "沈阳某大学".to_owned(), 200)]);

    // The university goes on as the works.
    world.merge(UNIVERSITY, WORKS, TODAY).await;
    world.directory_is_known().await;
    let head = world.desk.status().await.unwrap().head;
    let successor = world.party(WORKS).await;
    assert_eq!(reserved(head).await, [(successor, "沈阳某机床厂".to_owned(), 200)]);
    let table = world.services.concord(&["audit", "balances", "--group-by", "party"]).unwrap();
    assert!(table.contains("沈阳某机床厂") && !table.contains("沈阳某大学"), "{table}");
    let asked = world.services.concord(&["audit", "balances", "--party", UNIVERSITY]).unwrap();
    assert!(asked.contains("2.00"), "{asked}");
    let shown = world.services.concord(&["party", "show", UNIVERSITY]).unwrap();
    assert!(shown.contains("merged into"), "{shown}");
    world.proved().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_applicant_is_the_lead_or_stands_for_it_by_record() {
    let world = World::new().await;
    let programme = world.desk.programme(10_000).await.unwrap();
    let apply = || application(&programme, &id(), 100);
    world.add_code(UNIVERSITY, LATER_CODE, "2017-01-01").await;
    world.directory_is_known().await;
    let of = |organisation: &str| format!("wang@{organisation}");

    // By its code, by its id, by a name of its own that nobody has recorded.
    let lead = world.party(UNIVERSITY).await;
    for organisation in [UNIVERSITY, LATER_CODE, &lead, "its-research-office"] {
        world.apply(&of(organisation), &apply()).await.unwrap();
    }
    // Another party may not.
    let works = world.party(WORKS).await;
    for organisation in [WORKS, &works] {
        let status = world.apply(&of(organisation), &apply()).await.unwrap_err();
        assert_eq!(reason(&status), "A13_NOT_THE_APPLICANT", "{status:?}");
    }
    let grant = apply();
    world.apply(&of(LATER_CODE), &grant).await.unwrap();

    // The command line records who stands for whom.
    let recorded = world.services.concord(&[
        "party",
        "represent",
        UNIVERSITY,
        "--by",
        "Its-Agency",
        "--authority",
        "辽科发〔2017〕9号",
        "--effective-on",
        "2017-01-01",
    ]);
    recorded.unwrap();
    world.represent(WORKS, "works-office").await;
    let shown = world.services.concord(&["party", "show", UNIVERSITY]).unwrap();
    assert!(shown.contains("Its-Agency") && shown.contains("辽科发〔2017〕9号"), "{shown}");
    world.directory_is_known().await;
    world.apply(&of("its-agency"), &apply()).await.unwrap();
    let status = world.apply(&of("works-office"), &apply()).await.unwrap_err();
    assert_eq!(reason(&status), "A13_NOT_THE_APPLICANT", "{status:?}");

    // And under none of these names does the applicant do a job of the office.
    for organisation in
        [UNIVERSITY, &UNIVERSITY.to_lowercase(), LATER_CODE, &lead, "its-agency", "ITS-AGENCY"]
    {
        let status = world.recommend(&of(organisation), &grant.grant_id).await.unwrap_err();
        assert_eq!(reason(&status), "A13_APPLICANT_IN_OFFICE", "{organisation}: {status:?}");
    }
    world.recommend(&of("city-bureau"), &grant.grant_id).await.unwrap();
    world.proved().await;
}
