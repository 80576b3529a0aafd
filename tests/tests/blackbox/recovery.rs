//! PostgreSQL is put back to an older copy: the stack starts and shows what is there, writes nothing, says why, and an
//! operator brings back from the stream what was lost.

use concord_proto::audit::v1::GetProjectionStatusRequest;
use concord_proto::fund::v1::{ApproveGrantsRequest, ApproveGrantsResponse, Award, GetProgrammeRequest};
use concord_proto::fund::v1::{PublishNoticeRequest, PublishNoticeResponse};
use concord_tests::desk::{CLERK, DIRECTOR, Desk, by, chinese, facts, plain, reason};
use concord_tests::record::{eventually, in_nats, in_postgres};
use concord_tests::requests::{fen, header, id, supplement};
use concord_tests::stack::Stack;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};
use tonic::Code;

/// Commands that are repeated later: one whose answer says more than its receipt, and one with two events.
struct Asked {
    notice: PublishNoticeRequest,
    meeting: ApproveGrantsRequest,
}

impl Asked {
    async fn new(desk: &Desk, programme: &str) -> Self {
        let grant_id = desk.grant_on_notice(programme, 50).await.unwrap();
        let notice = PublishNoticeRequest { header: header(), grant_id, amount: fen(40) };
        let mut awards = Vec::new();
        for _ in 0..2 {
            let grant_id = desk.grant_on_notice(programme, 100).await.unwrap();
            awards.push(Award { grant_id, amount: fen(100), expected_version: None });
        }
        let meeting = ApproveGrantsRequest { header: header(), minutes: "1".into(), awards };
        Self { notice, meeting }
    }

    async fn ask(&self, desk: &Desk) -> (PublishNoticeResponse, ApproveGrantsResponse) {
        let notice = desk.grants().publish_notice(by(CLERK, self.notice.clone())).await.unwrap();
        let meeting = desk.grants().approve_grants(by(DIRECTOR, self.meeting.clone())).await.unwrap();
        (notice.into_inner(), meeting.into_inner())
    }
}

/// Copies PostgreSQL's data, or puts them back. The stack must be stopped.
fn copy(from: &PathBuf, to: &PathBuf) {
    let _ = std::fs::remove_dir_all(to);
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

fn json(said: &Output) -> Value {
    serde_json::from_slice(&said.stdout).unwrap_or_else(|_| panic!("{said:?}"))
}

fn error(said: &Output) -> String {
    String::from_utf8_lossy(&said.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_went_back_writes_nothing_until_an_operator_has_recovered_it() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let asked = Asked::new(&desk, &programme).await;
    let kept = desk.status().await.unwrap().head;
    let home = PathBuf::from(stack.status().unwrap()["home"].as_str().unwrap());
    let (data, copied) = (home.join("pg/data"), home.join("copy"));

    // While the stack writes, nobody may recover it.
    let busy = stack.run(&["log", "recover", "--new-generation", "--reason", "a test"]).unwrap();
    assert_eq!(busy.status.code(), Some(5), "{busy:?}");
    assert!(error(&busy).contains("concord-writer"), "{busy:?}");
    let healthy = stack.run(&["log", "recover", "--json"]).unwrap();
    assert_eq!((healthy.status.code(), &json(&healthy)["needs_recovery"]), (Some(0), &Value::from(false)));

    stack.stop().unwrap();
    copy(&data, &copied);
    stack.up().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let first = asked.ask(&desk).await;
    let head = desk.status().await.unwrap().head;
    assert_eq!(head, kept + 3);
    eventually("it is published", async || (desk.status().await.ok()?.published == head).then_some(()))
        .await
        .unwrap();
    let events = in_postgres(&stack).await.unwrap();
    stack.stop().unwrap();
    copy(&copied, &data);
    stack.up().unwrap();

    // It starts, is read, and says why it does not write.
    let desk = Desk::at(&stack).await.unwrap();
    let shown = plain(GetProgrammeRequest { programme_id: programme.clone(), min_position: 0 });
    desk.programmes().get_programme(shown).await.unwrap();
    let refused =
        desk.programmes().supplement_programme(by(CLERK, supplement(&programme, 1))).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "LOG_BEHIND_STREAM"));
    assert_eq!(facts(&refused)["stream_last"], head.to_string());
    assert!(chinese(&refused).contains("concord log recover"));
    let status = stack.run(&["log", "status", "--json"]).unwrap();
    let status = json(&status);
    assert_eq!((&status["written"], &status["head"]), (&Value::from(false), &Value::from(kept)));
    assert_eq!(status["standstill"]["reason"], "LOG_BEHIND_STREAM");
    let table = stack.run(&["log", "status"]).unwrap();
    assert!(String::from_utf8_lossy(&table.stdout).contains("no 否 [LOG_BEHIND_STREAM]"), "{table:?}");

    // It is looked at, and decided.
    let looked = stack.run(&["log", "recover", "--json"]).unwrap();
    assert_eq!(looked.status.code(), Some(3), "{looked:?}");
    let found = json(&looked);
    for (name, expected) in [("head", kept), ("equal", kept), ("stream_last", head), ("only_in_stream", 3)] {
        assert_eq!(found[name], expected, "{name} in {found}");
    }
    let looked = stack.run(&["log", "recover"]).unwrap();
    assert_eq!(looked.status.code(), Some(3), "{looked:?}");
    let unexplained = stack.run(&["log", "recover", "--refill-from-stream"]).unwrap();
    assert_eq!(unexplained.status.code(), Some(64), "{unexplained:?}");
    let wrong = stack.run(&["log", "recover", "--accept-timeline", "--reason", "a test"]).unwrap();
    assert_eq!(wrong.status.code(), Some(4), "{wrong:?}");
    assert!(error(&wrong).contains("something was lost"), "{wrong:?}");
    assert_eq!(in_postgres(&stack).await.unwrap().len() as u64, kept, "so far nothing was changed");
    let refill =
        ["log", "recover", "--refill-from-stream", "--reason", "the disk of the primary failed", "--json"];
    let recovered = stack.run(&refill).unwrap();
    assert_eq!(recovered.status.code(), Some(0), "{recovered:?}");
    assert_eq!((&json(&recovered)["refilled"], &json(&recovered)["head"]), (&3.into(), &head.into()));
    // The service that refused goes on refusing until it is started again.
    let refused =
        desk.programmes().supplement_programme(by(CLERK, supplement(&programme, 1))).await.unwrap_err();
    assert_eq!(reason(&refused), "LOG_BEHIND_STREAM");

    stack.stop().unwrap();
    stack.up().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    assert_eq!(in_postgres(&stack).await.unwrap(), events);
    assert_eq!(asked.ask(&desk).await, first, "with what was answered beside the receipts");
    let last = desk.supplement(&programme, &id(), 1).await.unwrap().last_position;
    assert_eq!(last, head + 1);
    assert_eq!(in_nats(&stack, &desk, last).await.unwrap(), in_postgres(&stack).await.unwrap());
    let asked = plain(GetProjectionStatusRequest { min_position: last });
    let projection = desk.audit().get_projection_status(asked).await.unwrap().into_inner();
    assert!(projection.balanced && projection.stopped.is_empty(), "{projection:?}");
    let healthy = stack.run(&["log", "recover"]).unwrap();
    assert_eq!(healthy.status.code(), Some(0), "{healthy:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_new_generation_the_audit_is_built_anew_beside_the_old_one() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000).await.unwrap();
    let kept = desk.supplement(&programme, &id(), 1).await.unwrap().last_position;
    let home = PathBuf::from(stack.status().unwrap()["home"].as_str().unwrap());
    let (data, copied) = (home.join("pg/data"), home.join("copy"));
    stack.stop().unwrap();
    copy(&data, &copied);
    stack.up().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let lost = desk.supplement(&programme, &id(), 2).await.unwrap().last_position;
    eventually("it is published", async || (desk.status().await.ok()?.published == lost).then_some(()))
        .await
        .unwrap();
    stack.stop().unwrap();
    copy(&copied, &data);
    stack.up().unwrap();
    let begin = ["log", "recover", "--new-generation", "--reason", "the order was withdrawn"];
    let begun = stack.run(&begin).unwrap();
    assert_eq!(begun.status.code(), Some(0), "{begun:?}");
    stack.stop().unwrap();
    stack.up().unwrap();

    let desk = Desk::at(&stack).await.unwrap();
    assert_eq!(desk.status().await.unwrap().generation, 2);
    let last = desk.supplement(&programme, &id(), 3).await.unwrap().last_position;
    assert_eq!(last, kept + 1);
    assert_eq!(in_nats(&stack, &desk, last).await.unwrap(), in_postgres(&stack).await.unwrap());
    let asked = plain(GetProjectionStatusRequest { min_position: last });
    let projection = desk.audit().get_projection_status(asked).await.unwrap().into_inner();
    assert_eq!(projection.projection, "funding_audit_v4_g2");
    assert!(projection.balanced && projection.stopped.is_empty(), "{projection:?}");
}
