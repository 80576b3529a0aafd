//! The gRPC server as a client sees it: a real one, on a free port.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test may panic")]

use concord_chassis::config::LogFormat;
use concord_chassis::grpc::{self, Actor, GrpcError, Server, Violations};
use concord_chassis::telemetry;
use concord_proto::log::v1::log_service_client::LogServiceClient;
use concord_proto::log::v1::log_service_server::{LogService, LogServiceServer};
use concord_proto::log::v1::{
    AdvanceTodayRequest, AdvanceTodayResponse, GetLogStatusRequest, GetLogStatusResponse,
    ListRefusalsRequest, ListRefusalsResponse, ReadLogRequest, ReadLogResponse, ReadStreamRequest,
    ReadStreamResponse,
};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_stream::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus as Serving;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;
use uuid::Uuid;

const DOMAIN: &str = "concord.test";
const NAME: &str = "concord.log.v1.LogService";

/// A log service whose answers are the faults that a client has to deal with.
struct Faults;

#[tonic::async_trait]
impl LogService for Faults {
    type ReadLogStream = Pin<Box<dyn Stream<Item = Result<ReadLogResponse, Status>> + Send>>;

    /// One message, then silence; from position 2, messages without end.
    async fn read_log(
        &self,
        request: Request<ReadLogRequest>,
    ) -> Result<Response<Self::ReadLogStream>, Status> {
        let first = ReadLogResponse { head: 7, ..Default::default() };
        if request.get_ref().from_position == 2 {
            return Ok(Response::new(Box::pin(tokio_stream::iter(std::iter::repeat_with(move || {
                Ok(first.clone())
            })))));
        }
        let silence = tokio_stream::pending();
        Ok(Response::new(Box::pin(tokio_stream::once(Ok(first)).chain(silence))))
    }

    async fn read_stream(
        &self,
        request: Request<ReadStreamRequest>,
    ) -> Result<Response<ReadStreamResponse>, Status> {
        assert!(!request.get_ref().subject.is_empty(), "the subject is empty");
        Ok(Response::new(ReadStreamResponse { head: 7, ..Default::default() }))
    }

    /// Answers after 300 ms.
    async fn get_log_status(
        &self,
        _: Request<GetLogStatusRequest>,
    ) -> Result<Response<GetLogStatusResponse>, Status> {
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok(Response::new(GetLogStatusResponse { head: 7, ..Default::default() }))
    }

    /// Reads its request as a service does, and is then refused by a rule.
    async fn advance_today(
        &self,
        request: Request<AdvanceTodayRequest>,
    ) -> Result<Response<AdvanceTodayResponse>, Status> {
        let mut v = Violations::new(DOMAIN);
        let actor = Actor::from_metadata(request.metadata(), &mut v);
        let request_id = v.require_uuid("request_id", &request.get_ref().request_id);
        let today = v.date("today", &request.get_ref().today);
        let (actor, _, today) = v.finish((|| Some((actor?, request_id?, today?)))())?;
        Err(grpc::refused(
            DOMAIN,
            "CLOCK_IS_SYSTEM",
            format!("{} cannot move the clock to {today}; it is the system's", actor.person_id),
            HashMap::from([("clock".to_owned(), "system".to_owned())]),
            vec![grpc::PreconditionViolation::new("CLOCK_IS_SYSTEM", "log", "the clock is 系统时钟")],
        ))
    }

    /// Never done in time.
    async fn list_refusals(
        &self,
        request: Request<ListRefusalsRequest>,
    ) -> Result<Response<ListRefusalsResponse>, Status> {
        let hour = Duration::from_secs(3600);
        tokio::time::sleep(grpc::deadline(request.metadata(), hour, hour)).await;
        Err(grpc::outcome_unknown(DOMAIN, Uuid::from_u128(7)))
    }
}

struct Running {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), GrpcError>>,
    health: tonic_health::server::HealthReporter,
}

impl Running {
    async fn start(drain: Duration) -> Self {
        Self::start_with(drain, grpc::CALLS_AT_ONCE_MAX).await
    }

    async fn start_with(drain: Duration, at_once_max: usize) -> Self {
        let listener = grpc::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = Server::new();
        let service = LogServiceServer::new(Faults).accept_compressed(CompressionEncoding::Gzip);
        server.add_service(service).await.calls_at_once_max(at_once_max);
        let (shutdown, health) = (CancellationToken::new(), server.health());
        let task = server.serve(listener, shutdown.clone(), drain);
        Self { address, shutdown, task, health }
    }

    async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    async fn client(&self) -> LogServiceClient<Channel> {
        LogServiceClient::new(self.channel().await)
    }

    /// Shuts down, and says how long it took.
    async fn stop(self) -> Duration {
        let begun = Instant::now();
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
        begun.elapsed()
    }
}

async fn serving(channel: Channel, name: &str) -> Result<Serving, Status> {
    let request = HealthCheckRequest { service: name.to_owned() };
    Ok(HealthClient::new(channel).check(request).await?.into_inner().status())
}

#[tokio::test]
async fn health_tells_of_the_process_and_of_each_service() {
    let running = Running::start(Duration::from_secs(5)).await;
    let channel = running.channel().await;
    assert_eq!(serving(channel.clone(), "").await.unwrap(), Serving::Serving);
    assert_eq!(serving(channel.clone(), NAME).await.unwrap(), Serving::Serving);
    let unknown = serving(channel.clone(), "concord.fund.v1.GrantService").await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    running.health.set_service_status(NAME, ServingStatus::NotServing).await;
    assert_eq!(serving(channel, NAME).await.unwrap(), Serving::NotServing);
    running.stop().await;
}

#[tokio::test]
async fn who_watches_health_learns_of_the_end_and_does_not_delay_it() {
    let running = Running::start(Duration::from_secs(30)).await;
    let request = HealthCheckRequest { service: NAME.to_owned() };
    let mut watch = HealthClient::new(running.channel().await).watch(request).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), Serving::Serving);
    let stopping = tokio::spawn(running.stop());
    assert_eq!(watch.message().await.unwrap().unwrap().status(), Serving::NotServing);
    assert_eq!(watch.message().await.unwrap_err().code(), Code::Unavailable);
    drop(watch);
    assert!(stopping.await.unwrap() < Duration::from_secs(5));
}

#[tokio::test]
async fn reflection_v1_shows_what_is_served() {
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

    let running = Running::start(Duration::from_secs(5)).await;
    let ask = |question| ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let requests = tokio_stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(NAME.to_owned())),
    ]);
    let mut client = ServerReflectionClient::new(running.channel().await);
    let answers: Vec<ServerReflectionResponse> = client
        .server_reflection_info(requests)
        .await
        .unwrap()
        .into_inner()
        .collect::<Result<_, _>>()
        .await
        .unwrap();
    match answers[0].message_response.as_ref().unwrap() {
        MessageResponse::ListServicesResponse(list) => {
            let names: Vec<&str> = list.service.iter().map(|one| one.name.as_str()).collect();
            assert!(names.contains(&NAME) && names.contains(&"grpc.health.v1.Health"));
            assert!(!names.contains(&"concord.fund.v1.GrantService"), "{names:?}");
        }
        other => panic!("{other:?}"),
    }
    match answers[1].message_response.as_ref().unwrap() {
        MessageResponse::FileDescriptorResponse(files) => {
            assert!(!files.file_descriptor_proto.is_empty());
        }
        other => panic!("{other:?}"),
    }
    running.stop().await;
}

#[tokio::test]
async fn reflection_v1alpha_shows_the_same() {
    use tonic_reflection::pb::v1alpha::ServerReflectionRequest;
    use tonic_reflection::pb::v1alpha::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1alpha::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1alpha::server_reflection_response::MessageResponse;

    let running = Running::start(Duration::from_secs(5)).await;
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileContainingSymbol(NAME.to_owned())),
    };
    let mut client = ServerReflectionClient::new(running.channel().await);
    let mut answers =
        client.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap();
    assert!(matches!(answer.message_response, Some(MessageResponse::FileDescriptorResponse(_))));
    running.stop().await;
}

#[tokio::test]
async fn a_malformed_request_is_told_all_its_faults() {
    let running = Running::start(Duration::from_secs(5)).await;
    let request = AdvanceTodayRequest { request_id: "7".to_owned(), today: "soon".to_owned() };
    let status = running.client().await.advance_today(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let fields: Vec<String> = status
        .get_details_bad_request()
        .unwrap()
        .field_violations
        .into_iter()
        .map(|fault| fault.field)
        .collect();
    assert_eq!(fields, ["metadata.concord-actor", "request_id", "today"]);
    assert_eq!(grpc::reason(&status), "MALFORMED_REQUEST");
    running.stop().await;
}

#[tokio::test]
async fn a_refusal_arrives_with_its_details() {
    let running = Running::start(Duration::from_secs(5)).await;
    let mut request = Request::new(AdvanceTodayRequest {
        request_id: Uuid::from_u128(7).to_string(),
        today: "2026-01-31".to_owned(),
    });
    request.metadata_mut().insert(grpc::ACTOR_KEY, "u-1@o-1".parse().unwrap());
    let mut client = running.client().await.send_compressed(CompressionEncoding::Gzip);
    let status = client.advance_today(request).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().starts_with("u-1 cannot move the clock to 2026-01-31"));
    let info = status.get_details_error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("CLOCK_IS_SYSTEM", DOMAIN));
    assert_eq!(info.metadata["clock"], "system");
    let broken = status.get_details_precondition_failure().unwrap().violations;
    assert_eq!(broken[0].description, "the clock is 系统时钟");
    running.stop().await;
}

#[tokio::test]
async fn a_panic_fails_its_own_call_only() {
    let running = Running::start(Duration::from_secs(5)).await;
    let mut client = running.client().await;
    let status = client.read_stream(ReadStreamRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(status.message().contains("report incident"), "{status}");
    let request = ReadStreamRequest { subject: "grant/1".to_owned(), ..Default::default() };
    assert_eq!(client.read_stream(request).await.unwrap().into_inner().head, 7);
    running.stop().await;
}

#[tokio::test]
async fn the_answer_is_out_before_the_deadline() {
    let running = Running::start(Duration::from_secs(5)).await;
    let mut request = Request::new(ListRefusalsRequest::default());
    request.set_timeout(Duration::from_millis(800));
    let status = running.client().await.list_refusals(request).await.unwrap_err();
    assert_eq!(grpc::reason(&status), "OUTCOME_UNKNOWN", "{status}");
    running.stop().await;
}

#[tokio::test]
async fn calls_in_flight_are_finished_and_new_connections_refused() {
    let running = Running::start(Duration::from_secs(30)).await;
    let (mut client, address) = (running.client().await, running.address);
    let call = tokio::spawn(async move { client.get_log_status(GetLogStatusRequest {}).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopping = tokio::spawn(running.stop());
    assert_eq!(call.await.unwrap().unwrap().into_inner().head, 7);
    assert!(stopping.await.unwrap() < Duration::from_secs(5));
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn calls_that_outlast_the_drain_are_told_that_the_outcome_is_unknown() {
    let running = Running::start(Duration::from_millis(200)).await;
    let mut client = running.client().await;
    let mut stream = client.read_log(ReadLogRequest::default()).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().head, 7);
    let endless = ReadLogRequest { from_position: 2, ..Default::default() };
    let mut endless = client.read_log(endless).await.unwrap().into_inner();
    let endless = tokio::spawn(async move {
        loop {
            if let Err(status) = endless.message().await {
                return status;
            }
        }
    });
    let call = tokio::spawn(async move { client.list_refusals(ListRefusalsRequest::default()).await });
    tokio::time::sleep(Duration::from_millis(50)).await;

    let took = running.stop().await;
    assert!(took >= Duration::from_millis(200) && took < Duration::from_secs(2), "{took:?}");
    for status in
        [call.await.unwrap().unwrap_err(), stream.message().await.unwrap_err(), endless.await.unwrap()]
    {
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(grpc::reason(&status), "OUTCOME_UNKNOWN", "{status}");
    }
}

#[tokio::test]
async fn one_call_too_many_is_refused_and_health_is_answered() {
    let running = Running::start_with(Duration::from_secs(5), 1).await;
    let mut client = running.client().await;
    let held = client.read_log(ReadLogRequest::default()).await.unwrap();
    let status = client.get_log_status(GetLogStatusRequest {}).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(grpc::reason(&status), "TOO_MANY_CALLS");
    assert!(status.get_details_retry_info().is_some());
    assert_eq!(serving(running.channel().await, "").await.unwrap(), Serving::Serving);
    // The stream counts until it ends.
    drop(held);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(client.get_log_status(GetLogStatusRequest {}).await.is_ok());
    running.stop().await;
}

#[tokio::test]
async fn calls_are_counted_by_method_and_code() {
    let metrics = telemetry::init("test", "local", LogFormat::Text, None).unwrap().metrics();
    let running = Running::start(Duration::from_secs(5)).await;
    let mut client = running.client().await;
    client.get_log_status(GetLogStatusRequest {}).await.unwrap();
    client.advance_today(AdvanceTodayRequest::default()).await.unwrap_err();
    // A service that is known but not served here, and names that a caller invents, which share one entry.
    let mut absent =
        concord_proto::fund::v1::grant_service_client::GrantServiceClient::new(running.channel().await);
    let status = absent.get_grant(concord_proto::fund::v1::GetGrantRequest::default()).await;
    assert_eq!(status.unwrap_err().code(), Code::Unimplemented);
    let mut raw = tonic::client::Grpc::new(running.channel().await);
    raw.ready().await.unwrap();
    let invented: Result<Response<()>, Status> = raw
        .unary(
            Request::new(()),
            "/invented.Service/Method".parse().unwrap(),
            tonic_prost::ProstCodec::default(),
        )
        .await;
    assert_eq!(invented.unwrap_err().code(), Code::Unimplemented);
    let page = metrics.render();
    assert!(!page.contains("invented"), "{page}");
    for expected in [
        "concord_grpc_requests_total{method=\"concord.log.v1.LogService/GetLogStatus\",code=\"OK\"}",
        "concord_grpc_requests_total{method=\"concord.log.v1.LogService/AdvanceToday\",code=\"INVALID_ARGUMENT\"}",
        "concord_grpc_requests_total{method=\"concord.fund.v1.GrantService/GetGrant\",code=\"UNIMPLEMENTED\"}",
        "concord_grpc_requests_total{method=\"other\",code=\"UNIMPLEMENTED\"}",
        "concord_grpc_seconds_bucket{method=\"concord.log.v1.LogService/GetLogStatus\",le=\"0.25\"} 0",
    ] {
        assert!(page.contains(expected), "no {expected} in {page}");
    }
    running.stop().await;
}

#[tokio::test]
async fn nothing_is_served_to_other_machines() {
    let refused = grpc::bind("0.0.0.0:0".parse().unwrap()).await.unwrap_err();
    assert!(refused.to_string().contains("not authenticated yet"), "{refused}");
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let task = Server::new().serve(listener, CancellationToken::new(), Duration::ZERO);
    assert!(matches!(task.await.unwrap(), Err(GrpcError::NotLoopback(_))));
}
