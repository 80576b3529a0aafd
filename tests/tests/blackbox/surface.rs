//! What a stack shows to the outside: health, reflection, sockets, exit codes, signals.

use concord_tests::agreements::Agreements;
use concord_tests::desk::{CLERK, Desk, by};
use concord_tests::record::read_log;
use concord_tests::requests::{Receipt, is_passing, supplement};
use concord_tests::stack::{Stack, descendants};
use futures::future::join_all;
use nix::sys::signal::Signal;
use std::collections::BTreeSet;
use std::fs;
use std::sync::OnceLock;
use tonic::transport::Channel;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::{v1, v1alpha};

const OF_THE_FUND: [&str; 3] =
    ["concord.fund.v1.GrantService", "concord.fund.v1.ProgrammeService", "concord.log.v1.LogService"];
const OF_AGREEMENTS: [&str; 3] = [
    "concord.agreement.v1.AgreementService",
    "concord.agreement.v1.PartyService",
    "concord.log.v1.LogService",
];
const OF_THE_AUDIT: [&str; 1] = ["concord.audit.v1.FundingAuditService"];
/// And one reflection service or both.
const OF_EACH: [&str; 1] = ["grpc.health.v1.Health"];

fn stack() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| Stack::start().unwrap())
}

async fn servers() -> [(Channel, BTreeSet<String>); 3] {
    let desk = Desk::at(stack()).await.unwrap();
    let names = |own: &[&str]| own.iter().chain(&OF_EACH).map(|name| (*name).to_owned()).collect();
    let agreements = Agreements::at(stack()).await.unwrap().channel();
    [
        (desk.fund, names(&OF_THE_FUND)),
        (agreements, names(&OF_AGREEMENTS)),
        (desk.audit, names(&OF_THE_AUDIT)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_says_that_it_is_healthy() {
    for (channel, services) in servers().await {
        let own = services.iter().filter(|name| name.starts_with("concord."));
        for service in own.map(String::as_str).chain([""]) {
            let asked = HealthCheckRequest { service: service.to_owned() };
            let answer = HealthClient::new(channel.clone()).check(asked).await.unwrap().into_inner();
            assert_eq!(answer.status(), ServingStatus::Serving, "{service:?}");
        }
        let unknown = HealthCheckRequest { service: "concord.none.v1.None".to_owned() };
        let status = HealthClient::new(channel).check(unknown).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_lists_every_service_in_both_versions() {
    for (channel, services) in servers().await {
        let asked = v1::ServerReflectionRequest {
            message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(String::new())),
            ..Default::default()
        };
        let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
        let mut answers =
            client.server_reflection_info(futures::stream::iter([asked])).await.unwrap().into_inner();
        let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
        let v1::server_reflection_response::MessageResponse::ListServicesResponse(list) = answer else {
            panic!("{answer:?}")
        };
        let listed: BTreeSet<String> = list.service.into_iter().map(|one| one.name).collect();
        assert!(listed.is_superset(&services), "{listed:?}");

        let asked = v1alpha::ServerReflectionRequest {
            message_request: Some(v1alpha::server_reflection_request::MessageRequest::ListServices(
                String::new(),
            )),
            ..Default::default()
        };
        let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
        let mut answers =
            client.server_reflection_info(futures::stream::iter([asked])).await.unwrap().into_inner();
        let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
        let v1alpha::server_reflection_response::MessageResponse::ListServicesResponse(list) = answer else {
            panic!("{answer:?}")
        };
        let listed_too: BTreeSet<String> = list.service.into_iter().map(|one| one.name).collect();
        assert!(listed_too.is_superset(&services), "{listed_too:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_describes_the_protos_down_to_a_type() {
    for (channel, services) in servers().await {
        for service in services.iter().filter(|name| name.starts_with("concord.")) {
            let symbol = v1::server_reflection_request::MessageRequest::FileContainingSymbol(service.clone());
            let asked = v1::ServerReflectionRequest { message_request: Some(symbol), ..Default::default() };
            let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
            let mut answers =
                client.server_reflection_info(futures::stream::iter([asked])).await.unwrap().into_inner();
            let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
            assert!(
                matches!(&answer, v1::server_reflection_response::MessageResponse::FileDescriptorResponse(files)
                    if !files.file_descriptor_proto.is_empty()),
                "{service}: {answer:?}"
            );
        }
    }
}

#[test]
fn wrong_usage_ends_with_64_and_a_sentence() {
    for args in [
        &["up", "--nonsense"][..],
        &["nonsense"],
        &["up", "--played-from", "soon"],
        &["up", "--stop", "--status"],
    ] {
        let said = stack().run(args).unwrap();
        assert_eq!(said.status.code(), Some(64), "{args:?}");
        assert!(!said.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn help_and_version_end_with_0() {
    for args in [&["--help"][..], &["--version"], &["up", "--help"]] {
        let said = stack().run(args).unwrap();
        assert_eq!(said.status.code(), Some(0), "{args:?}");
        assert!(!said.stdout.is_empty());
    }
}

#[test]
fn a_second_stack_in_the_directory_is_refused_with_the_first_ones_pid() {
    let stack = stack();
    let said = stack.run(&["up"]).unwrap();
    assert_eq!(said.status.code(), Some(1));
    let words = String::from_utf8(said.stderr).unwrap();
    assert!(words.contains(&stack.pid().unwrap().to_string()), "{words}");
    assert!(words.contains(" up --stop") || words.contains("stop"), "it says what to do: {words}");
    assert!(stack.address("fund-grant").is_ok(), "and the first goes on as before");
}

#[test]
fn status_says_what_runs() {
    let stack = stack();
    let said = stack.run(&["up", "--status"]).unwrap();
    let words = String::from_utf8(said.stdout).unwrap();
    assert!(said.status.success() && words.contains(&stack.pid().unwrap().to_string()), "{words}");
    let status = stack.status().unwrap();
    assert_eq!(status["state"], "running");
    assert_eq!(status["supervisor_pid"], stack.pid().unwrap());

    let none = Stack::stopped().unwrap();
    assert_eq!(none.status().unwrap()["state"], "absent");
    let said = none.run(&["up", "--stop"]).unwrap();
    assert!(said.status.success(), "stopping what does not run is no error");
}

#[test]
fn commands_without_a_stack_say_how_to_start_one() {
    let none = Stack::stopped().unwrap();
    let said = none.run(&["log", "status"]).unwrap();
    assert_eq!(said.status.code(), Some(1));
    let words = String::from_utf8(said.stderr).unwrap();
    assert!(words.contains("concord up"), "{words}");
}

/// Local addresses that a process listens on, as `/proc/net/tcp` and `tcp6` have them: address and port.
fn listening(pid: i32) -> BTreeSet<String> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten();
    let sockets: BTreeSet<String> = entries
        .filter_map(|entry| {
            let target = fs::read_link(entry.ok()?.path()).ok()?;
            Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
        })
        .collect();
    let mut addresses = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let columns: Vec<&str> = line.split_ascii_whitespace().collect();
            // State 0A is LISTEN; the tenth column is the socket.
            if let [_, local, _, "0A", _, _, _, _, _, inode, ..] = columns[..]
                && sockets.contains(inode)
            {
                addresses.insert(local.to_owned());
            }
        }
    }
    addresses
}

#[test]
fn everything_listens_on_loopback_only() {
    let stack = stack();
    let mut pids = descendants(stack.pid().unwrap());
    pids.extend(descendants(stack.postgres_pid().unwrap()));
    pids.extend(descendants(stack.nats_pid().unwrap()));
    let addresses: BTreeSet<String> = pids.into_iter().flat_map(listening).collect();
    // Two services and the metrics, PostgreSQL, NATS.
    assert!(addresses.len() >= 5, "{addresses:?}");
    for address in addresses {
        let loopback =
            ["0100007F:", "00000000000000000000000001000000:", "0000000000000000FFFF00000100007F:"];
        assert!(loopback.iter().any(|prefix| address.starts_with(prefix)), "{address}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_drains_what_is_in_flight_and_ends_with_0() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1).await.unwrap();
    let before = desk.status().await.unwrap().head;
    let sent: Vec<_> = (0..300)
        .map(|_| {
            let (desk, request) = (desk.clone(), supplement(&programme, 1));
            tokio::spawn(async move { desk.programmes().supplement_programme(by(CLERK, request)).await })
        })
        .collect();
    // Once some of it has been recorded, the rest is in flight.
    concord_tests::record::eventually("something is recorded", async || {
        desk.status().await.map_or(Some(()), |status| (status.head > before).then_some(()))
    })
    .await
    .unwrap();
    stack.signal(Signal::SIGTERM).unwrap();
    let mut receipts = Vec::new();
    for answer in join_all(sent).await {
        match answer.unwrap() {
            Ok(answer) => receipts.push(answer.receipt()),
            Err(status) => assert!(is_passing(&status), "{status:?}"),
        }
    }
    assert!(!receipts.is_empty());
    assert_eq!(stack.ended().unwrap().code(), Some(0), "{}", stack.log());
    assert_eq!(stack.status().unwrap()["state"], "stopped");

    stack.up().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let log = read_log(&desk, 1, 0).await.unwrap();
    for receipt in receipts {
        let event = &log[usize::try_from(receipt.first_position).unwrap() - 1];
        assert_eq!(receipt.leaf_hashes, [event.leaf_hash()]);
    }
}
