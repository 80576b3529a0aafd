//! What is asked of the visit service. Its proto is no part of `concord-proto`, so its messages are written out here.

use concord_proto::codec::Codec;
use concord_proto::r#type::v1::{CommandHeader, CommandReceipt};
use concord_tests::desk::{CLERK, broken, by, chinese, facts, fields, plain, reason};
use concord_tests::requests::{header, header_on, id};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

#[derive(Clone, PartialEq, prost::Message)]
struct ArrangeVisitRequest {
    #[prost(message, optional, tag = "1")]
    header: Option<CommandHeader>,
    #[prost(string, tag = "2")]
    visit_id: String,
    #[prost(string, tag = "3")]
    host: String,
    #[prost(string, tag = "4")]
    guest: String,
    #[prost(string, tag = "5")]
    planned_on: String,
    #[prost(string, tag = "6")]
    purpose: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct MinuteVisitRequest {
    #[prost(message, optional, tag = "1")]
    header: Option<CommandHeader>,
    #[prost(string, tag = "2")]
    visit_id: String,
    #[prost(string, tag = "3")]
    minutes: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct CloseVisitRequest {
    #[prost(message, optional, tag = "1")]
    header: Option<CommandHeader>,
    #[prost(string, tag = "2")]
    visit_id: String,
}

/// The answer to each command.
#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(message, optional, tag = "1")]
    receipt: Option<CommandReceipt>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct GetVisitRequest {
    #[prost(string, tag = "1")]
    visit_id: String,
    #[prost(uint64, tag = "2")]
    min_position: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct GetVisitResponse {
    #[prost(message, optional, tag = "1")]
    visit: Option<Visit>,
    #[prost(uint64, tag = "2")]
    position: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Visit {
    #[prost(string, tag = "1")]
    visit_id: String,
    #[prost(int32, tag = "2")]
    state: i32,
    #[prost(string, tag = "3")]
    host: String,
    #[prost(string, tag = "4")]
    guest: String,
    #[prost(string, tag = "5")]
    planned_on: String,
    #[prost(string, tag = "6")]
    purpose: String,
    #[prost(string, tag = "7")]
    minutes: String,
    #[prost(uint64, tag = "8")]
    version: u64,
}

const MINUTES: &str = "沈产学研纪〔2017〕3号";

async fn call<Q, A>(channel: &Channel, rpc: &str, request: Request<Q>) -> Result<A, Status>
where
    Q: prost::Message + 'static,
    A: prost::Message + Default + 'static,
{
    let mut client = Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let path = PathAndQuery::try_from(format!("/concord.visit.v1.VisitService/{rpc}")).unwrap();
    Ok(client.unary(request, path, Codec::<Q, A>::default()).await?.into_inner())
}

fn arrangement(visit_id: &str) -> ArrangeVisitRequest {
    ArrangeVisitRequest {
        header: header(),
        visit_id: visit_id.to_owned(),
        host: "CN-USCC:91330100799655058B".to_owned(),
        guest: "EU-PIC:998616262".to_owned(),
        planned_on: "2017-04-20".to_owned(),
        purpose: "看中试线".to_owned(),
    }
}

/// A command on a visit. Each `Other` says something else than the one before it.
#[derive(Debug, Clone, Copy)]
enum Act {
    Arrange,
    ArrangeOther,
    Minute,
    MinuteOther,
    Close,
}

async fn act(channel: &Channel, visit_id: &str, act: Act) -> Result<CommandReceipt, Status> {
    let visit_id = visit_id.to_owned();
    let minute = |minutes: &str| {
        by(
            CLERK,
            MinuteVisitRequest { header: header(), visit_id: visit_id.clone(), minutes: minutes.to_owned() },
        )
    };
    let answer: Answer = match act {
        Act::Arrange => call(channel, "ArrangeVisit", by(CLERK, arrangement(&visit_id))).await?,
        Act::ArrangeOther => {
            let other =
                ArrangeVisitRequest { purpose: "看数据中心".to_owned(), ..arrangement(&visit_id) };
            call(channel, "ArrangeVisit", by(CLERK, other)).await?
        }
        Act::Minute => call(channel, "MinuteVisit", minute(MINUTES)).await?,
        Act::MinuteOther => call(channel, "MinuteVisit", minute("另一份纪要")).await?,
        Act::Close => {
            call(channel, "CloseVisit", by(CLERK, CloseVisitRequest { header: header(), visit_id })).await?
        }
    };
    Ok(answer.receipt.unwrap())
}

/// What comes of a command.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// It happens.
    Happens,
    /// It holds already.
    Unchanged,
    /// It is refused for this reason.
    Refused(Code, &'static str),
}

/// Every stage and every command: the table of the lifecycle, asked over gRPC.
pub(super) async fn every_stage_and_command(channel: &Channel) {
    use Act::{Arrange, ArrangeOther, Close, Minute, MinuteOther};
    use Outcome::{Happens, Refused, Unchanged};
    const NONE: Outcome = Refused(Code::NotFound, "NOT_FOUND");
    const TAKEN: Outcome = Refused(Code::AlreadyExists, "ID_TAKEN");
    const STAGE: Outcome = Refused(Code::FailedPrecondition, "WRONG_STAGE");
    const MINUTED: Outcome = Refused(Code::FailedPrecondition, "MINUTED_OTHERWISE");
    let acts = [Arrange, ArrangeOther, Minute, MinuteOther, Close];
    let table: [(&[Act], [Outcome; 5]); 4] = [
        (&[], [Happens, Happens, NONE, NONE, NONE]),
        (&[Arrange], [Unchanged, TAKEN, Happens, Happens, STAGE]),
        (&[Arrange, Minute], [Unchanged, TAKEN, Unchanged, MINUTED, Happens]),
        (&[Arrange, Minute, Close], [Unchanged, TAKEN, Unchanged, MINUTED, Unchanged]),
    ];
    for (before, outcomes) in table {
        for (asked, expected) in acts.into_iter().zip(outcomes) {
            let visit = id();
            for step in before {
                act(channel, &visit, *step).await.unwrap();
            }
            let found = match act(channel, &visit, asked).await {
                Ok(receipt) if receipt.first_position == 0 => Unchanged,
                Ok(_) => Happens,
                Err(status) => {
                    assert!(!chinese(&status).is_empty(), "{status:?}");
                    let reason = reason(&status);
                    let known = ["NOT_FOUND", "ID_TAKEN", "WRONG_STAGE", "MINUTED_OTHERWISE"];
                    let known = known.into_iter().find(|known| *known == reason);
                    Refused(status.code(), known.unwrap_or_else(|| panic!("{status:?}")))
                }
            };
            assert_eq!(found, expected, "{asked:?} after {before:?}");
        }
    }
}

/// All faults of a request at once, and refusals with the facts weighed.
pub(super) async fn faults_and_refusals(channel: &Channel) {
    let arrange = async |request| call::<_, Answer>(channel, "ArrangeVisit", by(CLERK, request)).await;
    let empty = arrange(ArrangeVisitRequest::default()).await.unwrap_err();
    assert_eq!(empty.code(), Code::InvalidArgument);
    assert_eq!(fields(&empty), ["guest", "header", "host", "planned_on", "purpose", "visit_id"]);

    let request = arrangement(&id());
    let itself = ArrangeVisitRequest { guest: request.host.clone(), ..request.clone() };
    let itself = arrange(itself).await.unwrap_err();
    assert_eq!((itself.code(), fields(&itself)), (Code::InvalidArgument, vec!["guest".to_owned()]));

    // The day of the arrangement is early enough, the day before is not.
    let late = ArrangeVisitRequest { planned_on: "2017-04-19".to_owned(), ..request.clone() };
    let late = arrange(late).await.unwrap_err();
    assert_eq!(late.code(), Code::FailedPrecondition);
    assert_eq!(broken(&late), ["PLANNED_BEFORE_ARRANGED"]);
    assert_eq!(facts(&late)["planned_on"], "2017-04-19");
    assert_eq!(facts(&late)["arranged_on"], "2017-04-20");
    arrange(request.clone()).await.unwrap();

    // A lifecycle's own steps never go back in time, and an aggregate's version is the caller's to check.
    let visit_id = request.visit_id;
    let minute =
        |header| MinuteVisitRequest { header, visit_id: visit_id.clone(), minutes: MINUTES.to_owned() };
    let minute = async |header| call::<_, Answer>(channel, "MinuteVisit", by(CLERK, minute(header))).await;
    let back = minute(header_on("2017-04-19")).await.unwrap_err();
    assert_eq!(broken(&back), ["STEP_BEFORE_THE_LAST"]);
    let stale = header().map(|header| CommandHeader { expected_version: Some(7), ..header });
    assert_eq!(minute(stale).await.unwrap_err().code(), Code::Aborted);
    minute(header_on("2017-04-20")).await.unwrap();
}

/// A visit and the receipts of its commands.
pub(super) struct Story {
    pub(super) id: String,
    pub(super) receipts: Vec<CommandReceipt>,
}

/// A visit from its arrangement to its end. The same request again gives the same receipt, byte for byte.
pub(super) async fn story(channel: &Channel) -> Story {
    let visit = id();
    let request = arrangement(&visit);
    let first: Answer = call(channel, "ArrangeVisit", by(CLERK, request.clone())).await.unwrap();
    let mut receipts = vec![first.receipt.clone().unwrap()];
    for step in [Act::Minute, Act::Close] {
        receipts.push(act(channel, &visit, step).await.unwrap());
    }
    let again: Answer = call(channel, "ArrangeVisit", by(CLERK, request.clone())).await.unwrap();
    assert_eq!(again, first, "the same again, after all that has happened since");
    let versions: Vec<u64> = receipts.iter().map(|receipt| receipt.version).collect();
    assert_eq!(versions, [1, 2, 3]);

    let position = receipts[2].last_position;
    let asked = GetVisitRequest { visit_id: visit.clone(), min_position: position };
    let shown: GetVisitResponse = call(channel, "GetVisit", plain(asked)).await.unwrap();
    let ArrangeVisitRequest { host, guest, planned_on, purpose, .. } = request;
    let minutes = MINUTES.to_owned();
    let closed =
        Visit { visit_id: visit.clone(), state: 3, host, guest, planned_on, purpose, minutes, version: 3 };
    assert_eq!(shown, GetVisitResponse { visit: Some(closed), position });
    Story { id: visit, receipts }
}
