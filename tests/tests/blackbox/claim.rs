//! A copied folder is a new service: nothing else of the repository is changed or copied for it.
//!
//! Once a service as it is, under another name; once `tests/claim/visit`, which CONTRIBUTING.md walks through and which
//! has events, a proto and a lifecycle of its own.

mod visit;

use concord_proto::agreement::v1::RecordPartyRequest;
use concord_proto::agreement::v1::party_service_client::PartyServiceClient;
use concord_proto::r#type::v1::{CommandReceipt, PartyKind};
use concord_tests::desk::{CLERK, Desk, by, chinese, reason};
use concord_tests::process::Process;
use concord_tests::record::{Stored, in_nats, read_log};
use concord_tests::requests::header;
use concord_tests::scratch::{Scratch, repository_as_it_is};
use concord_tests::stack::Stack;
use nix::sys::signal::Signal;
use std::path::Path;
use std::sync::OnceLock;
use tonic::Code;

fn stack() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| Stack::start().unwrap())
}

/// Copies the folder under this name into a workspace that is otherwise this repository, builds it there, and starts it
/// on a database of its own.
async fn copied(folder: &str, name: &str, renames: &[(&str, &str)]) -> Process {
    let before = repository_as_it_is().unwrap();
    let mut scratch = Scratch::new().unwrap();
    scratch.copy(folder, name, renames).unwrap();
    scratch.build().unwrap();

    let (own, lock) = (Path::new("services").join(name), Path::new("Cargo.lock"));
    for file in scratch.own_files().unwrap() {
        assert!(file.starts_with(&own) || file == lock, "{} was copied, too", file.display());
    }
    assert_eq!(scratch.new_packages().unwrap(), [format!("concord-{name}")], "in the lock file");
    assert_eq!(repository_as_it_is().unwrap(), before, "the repository was changed");
    Process::of_new_log(stack(), &scratch.program(name).unwrap(), name).await.unwrap()
}

/// The log's events, once they are found to be the same bytes in the log and on NATS, under the service's own names.
async fn own_log(desk: &Desk, name: &str) -> Vec<Stored> {
    let status = desk.status().await.unwrap();
    assert_eq!((status.log.as_str(), status.generation), (name, 1));
    assert_eq!(status.stream, format!("concord_local_{name}_1"));
    let events = read_log(desk, 0, 0).await.unwrap();
    assert_eq!(events.len() as u64, status.head);
    for (event, position) in events.iter().zip(1..) {
        assert_eq!(event.position, position);
        assert_eq!(event.attribute("source"), format!("/concord/local/{name}/1"));
    }
    assert_eq!(in_nats(stack(), desk, status.head).await.unwrap(), events);
    events
}

/// Ends the service as an operator does.
fn ends_well(mut process: Process) {
    process.signal(Signal::SIGTERM).unwrap();
    let ended = process.ended().unwrap();
    assert_eq!(ended.code(), Some(0), "{}", process.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agreement_service_under_another_name_is_a_service_beside_it() {
    const NAME: &str = "agreement-copy";
    let renames = [
        ("concord-agreement", "concord-agreement-copy"),
        ("concord_agreement", "concord_agreement_copy"),
        (r#"LOG: &'static str = "agreement""#, r#"LOG: &'static str = "agreement-copy""#),
    ];
    let replica = copied("services/agreement", NAME, &renames).await;
    let desk = replica.desk(stack()).await.unwrap();
    let mut parties = PartyServiceClient::new(desk.fund.clone());

    let record = RecordPartyRequest {
        header: header(),
        code: "CN-USCC:91330100799655058B".to_owned(),
        kind: PartyKind::University.into(),
        name: "沈阳某大学".to_owned(),
        region: "210102".to_owned(),
        industry: String::new(),
        certificate: None,
    };
    let accepted = parties.record_party(by(CLERK, record.clone())).await.unwrap().into_inner();
    let receipt = accepted.receipt.clone().unwrap();
    assert_eq!((receipt.log.as_str(), receipt.first_position, receipt.version), (NAME, 1, 1));
    let again = parties.record_party(by(CLERK, record.clone())).await.unwrap().into_inner();
    assert_eq!(again, accepted, "the same again");

    let other = RecordPartyRequest { header: header(), kind: PartyKind::Enterprise.into(), ..record };
    let refused = parties.record_party(by(CLERK, other)).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists, "{refused:?}");
    assert_eq!(reason(&refused), "CODE_TAKEN");
    assert!(!chinese(&refused).is_empty());

    let events = own_log(&desk, NAME).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].attribute("type"), "concord.agreement.v1.PartyRecorded");
    assert_eq!(events[0].leaf_hash(), receipt.leaf_hashes[0]);
    let original = Desk { fund: channel_to("agreement").await, ..desk };
    assert_eq!(original.status().await.unwrap().head, 0, "the service that was copied has a log of its own");
    ends_well(replica);
}

async fn channel_to(service: &str) -> tonic::transport::Channel {
    let address = stack().address(service).unwrap();
    tonic::transport::Endpoint::from_shared(address).unwrap().connect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_of_its_own_types_is_its_folder() {
    let replica = copied("tests/claim/visit", "visit", &[]).await;
    let desk = replica.desk(stack()).await.unwrap();

    visit::every_stage_and_command(&desk.fund).await;
    visit::faults_and_refusals(&desk.fund).await;
    let story = visit::story(&desk.fund).await;

    let events = own_log(&desk, "visit").await;
    let told: Vec<&Stored> =
        events.iter().filter(|event| event.attribute("subject") == format!("visit/{}", story.id)).collect();
    let types: Vec<String> = told.iter().map(|event| event.attribute("type")).collect();
    let expected =
        ["VisitArranged", "VisitMinuted", "VisitClosed"].map(|name| format!("concord.visit.v1.{name}"));
    assert_eq!(types, expected);
    let hashes: Vec<Vec<u8>> = told.iter().map(|event| event.leaf_hash()).collect();
    let promised: Vec<Vec<u8>> =
        story.receipts.iter().flat_map(|receipt: &CommandReceipt| receipt.leaf_hashes.clone()).collect();
    assert_eq!(hashes, promised, "the receipts prove what was answered");
    assert_eq!(
        told[1].document()["data"],
        serde_json::json!({ "visit": story.id, "minutes": "沈产学研纪〔2017〕3号" })
    );
    ends_well(replica);
}
