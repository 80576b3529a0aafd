//! Finds the services and speaks to them: addresses, the acting person, clients.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use concord_proto::agreement::v1::agreement_service_client::AgreementServiceClient;
use concord_proto::agreement::v1::party_service_client::PartyServiceClient;
use concord_proto::audit::v1::finding_service_client::FindingServiceClient;
use concord_proto::audit::v1::funding_audit_service_client::FundingAuditServiceClient;
use concord_proto::fund::v1::grant_service_client::GrantServiceClient;
use concord_proto::fund::v1::programme_service_client::ProgrammeServiceClient;
use concord_proto::log::v1::log_service_client::LogServiceClient;
use concord_proto::r#type::v1 as types;
use tonic::metadata::{AsciiMetadataValue, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::errors::CliError;

/// Names the address of the fund-grant service.
pub const FUND_GRANT_VARIABLE: &str = "CONCORD_ADDRESS_FUND_GRANT";
/// Names the address of the funding-audit service.
pub const FUNDING_AUDIT_VARIABLE: &str = "CONCORD_ADDRESS_FUNDING_AUDIT";
/// Names the address of the agreement service.
pub const AGREEMENT_VARIABLE: &str = "CONCORD_ADDRESS_AGREEMENT";
/// Call metadata that says who acts: `person@organisation`.
const ACTOR_KEY: &str = "concord-actor";
/// An import's chunk of receipts and an audit page stay far below it; a page of long statements may not.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// Addresses of the services, for example `http://127.0.0.1:7001`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Grants, programmes and their log.
    pub fund_grant: String,
    /// The read models.
    pub funding_audit: String,
    /// Agreements, parties and their log; where it is not named, commands about these say so.
    pub agreement: Option<String>,
    /// Whether they are the local stack's own, as its directory says.
    pub local: bool,
}

impl Endpoints {
    /// Finds the addresses: in the environment, else in `run/services.json` of the stack directory.
    ///
    /// # Errors
    /// [`CliError::Failed`] where neither names a service, or the file cannot be understood.
    pub fn find(dir: &Path) -> Result<Self, CliError> {
        let (fund_grant, funding_audit) = (set(FUND_GRANT_VARIABLE), set(FUNDING_AUDIT_VARIABLE));
        let agreement = set(AGREEMENT_VARIABLE);
        if let (Some(fund_grant), Some(funding_audit)) = (&fund_grant, &funding_audit) {
            return Ok(Self {
                fund_grant: fund_grant.clone(),
                funding_audit: funding_audit.clone(),
                agreement,
                local: false,
            });
        }
        let file = dir.join("run/services.json");
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(CliError::failed(format!(
                    "no services run in {dir}. Start them with `concord up`, name another stack with --dir, \
                     or set {FUND_GRANT_VARIABLE} and {FUNDING_AUDIT_VARIABLE}.\n\
                     {dir} 中没有运行的服务。请先运行 `concord up`。",
                    dir = dir.display()
                )));
            }
            Err(source) => return Err(CliError::file("read", &file)(source)),
        };
        let mut addresses: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|error| {
            CliError::failed(format!(
                "{} is not what `concord up` writes ({error}). Start the stack again.",
                file.display()
            ))
        })?;
        let mut take = |overridden: Option<String>, name: &str| {
            overridden.or_else(|| addresses.remove(name)).ok_or_else(|| {
                CliError::failed(format!(
                    "{} does not name {name}. Start the stack again with `concord up`.",
                    file.display()
                ))
            })
        };
        // One address from elsewhere is enough for it not to be the local stack.
        let local = fund_grant.is_none() && funding_audit.is_none() && agreement.is_none();
        let (fund_grant, funding_audit) =
            (take(fund_grant, "fund-grant")?, take(funding_audit, "funding-audit")?);
        let agreement = agreement.or_else(|| addresses.remove("agreement"));
        Ok(Self { fund_grant, funding_audit, agreement, local })
    }
}

fn set(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|address| !address.is_empty())
}

/// Who acts 操作人, as typed: `person@organisation`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Opaque id of the person.
    pub person: String,
    /// Id of the organisation they act for.
    pub organisation: String,
}

impl Actor {
    /// Somebody of an organisation.
    #[must_use]
    pub fn new(person: impl Into<String>, organisation: impl Into<String>) -> Self {
        Self { person: person.into(), organisation: organisation.into() }
    }

    /// The actor as a bulk command names it.
    #[must_use]
    pub fn to_wire(&self) -> types::Actor {
        types::Actor { person_id: self.person.clone(), organisation_id: self.organisation.clone() }
    }
}

impl FromStr for Actor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let hint = "write person@organisation, for example clerk-7@fund-office 请写作 人员@单位";
        let (person, organisation) = text.split_once('@').ok_or(hint)?;
        for id in [person, organisation] {
            if id.is_empty() {
                return Err(hint.to_owned());
            }
            // Call metadata carries ASCII only, and ids are opaque anyway.
            if id.len() > 128 || !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@') {
                return Err(format!(
                    "{id:?}: an id has at most 128 letters, digits and signs of ASCII; {hint}"
                ));
            }
        }
        Ok(Self::new(person, organisation))
    }
}

/// Somebody must act: on the local stack an operator stands in where nobody is named, elsewhere not.
///
/// # Errors
/// [`CliError::Usage`] where nobody acts.
pub fn acting(actor: Option<Actor>, local: bool) -> Result<Actor, CliError> {
    match actor {
        Some(actor) => Ok(actor),
        None if local => Ok(Actor::new("operator", "local")),
        None => Err(CliError::usage(
            "say who acts: --actor person@organisation or CONCORD_ACTOR 请指定操作人（--actor 人员@单位）",
        )),
    }
}

/// Finds the fund-grant service and connects, with somebody who acts.
///
/// # Errors
/// As [`Endpoints::find`], [`acting`] and [`Fund::connect`].
pub async fn fund(dir: &Path, actor: Option<Actor>) -> Result<(Fund, Actor), CliError> {
    let endpoints = Endpoints::find(dir)?;
    let actor = acting(actor, endpoints.local)?;
    Ok((Fund::connect(&endpoints).await?, actor))
}

/// Finds the agreement service and connects, with somebody who acts.
///
/// # Errors
/// As [`Endpoints::find`], [`acting`] and [`Agreements::connect`].
pub async fn agreements(dir: &Path, actor: Option<Actor>) -> Result<(Agreements, Actor), CliError> {
    let endpoints = Endpoints::find(dir)?;
    let actor = acting(actor, endpoints.local)?;
    Ok((Agreements::connect(&endpoints).await?, actor))
}

/// Puts the acting person into the metadata of every call.
#[derive(Debug, Clone)]
pub struct Stamp(AsciiMetadataValue);

impl Stamp {
    fn of(actor: &Actor) -> Result<Self, CliError> {
        let text = format!("{}@{}", actor.person, actor.organisation);
        let value = MetadataValue::try_from(text.as_str());
        value
            .map(Self)
            .map_err(|_| CliError::usage(format!("{text:?} cannot be sent as an actor; use ASCII")))
    }
}

impl Interceptor for Stamp {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert(ACTOR_KEY, self.0.clone());
        Ok(request)
    }
}

/// A channel on which every call names its actor.
pub type Stamped = InterceptedService<Channel, Stamp>;

/// The clients of the fund-grant service.
#[derive(Debug, Clone)]
pub struct Fund {
    channel: Channel,
}

impl Fund {
    /// Connects.
    ///
    /// # Errors
    /// [`CliError::Unreachable`] where nothing answers.
    pub async fn connect(endpoints: &Endpoints) -> Result<Self, CliError> {
        Ok(Self { channel: connect("fund-grant", &endpoints.fund_grant, FUND_GRANT_VARIABLE).await? })
    }

    /// The channel for any client of the service, acting as `actor`.
    ///
    /// # Errors
    /// [`CliError::Usage`] where the actor's ids cannot be sent.
    pub fn stamped(&self, actor: &Actor) -> Result<Stamped, CliError> {
        Ok(InterceptedService::new(self.channel.clone(), Stamp::of(actor)?))
    }

    /// Grants, acting as `actor`.
    ///
    /// # Errors
    /// [`CliError::Usage`] where the actor's ids cannot be sent.
    pub fn grants(&self, actor: &Actor) -> Result<GrantServiceClient<Stamped>, CliError> {
        Ok(GrantServiceClient::with_interceptor(self.channel.clone(), Stamp::of(actor)?)
            .max_decoding_message_size(MESSAGE_BYTES_MAX))
    }

    /// Programmes, acting as `actor`.
    ///
    /// # Errors
    /// [`CliError::Usage`] where the actor's ids cannot be sent.
    pub fn programmes(&self, actor: &Actor) -> Result<ProgrammeServiceClient<Stamped>, CliError> {
        Ok(ProgrammeServiceClient::with_interceptor(self.channel.clone(), Stamp::of(actor)?))
    }

    /// The log, acting as `actor`.
    ///
    /// # Errors
    /// [`CliError::Usage`] where the actor's ids cannot be sent.
    pub fn log(&self, actor: &Actor) -> Result<LogServiceClient<Stamped>, CliError> {
        Ok(LogServiceClient::with_interceptor(self.channel.clone(), Stamp::of(actor)?)
            .max_decoding_message_size(MESSAGE_BYTES_MAX))
    }
}

/// The clients of the agreement service.
#[derive(Debug, Clone)]
pub struct Agreements {
    channel: Channel,
}

impl Agreements {
    /// Connects.
    ///
    /// # Errors
    /// [`CliError::Unreachable`] where nothing answers, [`CliError::Failed`] where it is not known where.
    pub async fn connect(endpoints: &Endpoints) -> Result<Self, CliError> {
        let address = endpoints.agreement.as_deref().ok_or_else(|| {
            CliError::failed(format!(
                "it is not known where the agreement service is: set {AGREEMENT_VARIABLE} to its address \
                 未指定协议服务的地址，请设置 {AGREEMENT_VARIABLE}"
            ))
        })?;
        Ok(Self { channel: connect("agreement", address, AGREEMENT_VARIABLE).await? })
    }

    /// Agreements, acting as `actor`.
    ///
    /// # Errors
    /// [`CliError::Usage`] where the actor's ids cannot be sent.
    pub fn agreements(&self, actor: &Actor) -> Result<AgreementServiceClient<Stamped>, CliError> {
        Ok(AgreementServiceClient::with_interceptor(self.channel.clone(), Stamp::of(actor)?)
            .max_decoding_message_size(MESSAGE_BYTES_MAX))
    }

    /// The directory of parties, acting as `actor`.
    ///
    /// # Errors
    /// [`CliError::Usage`] where the actor's ids cannot be sent.
    pub fn parties(&self, actor: &Actor) -> Result<PartyServiceClient<Stamped>, CliError> {
        Ok(PartyServiceClient::with_interceptor(self.channel.clone(), Stamp::of(actor)?))
    }

    /// The log, acting as `actor`.
    ///
    /// # Errors
    /// [`CliError::Usage`] where the actor's ids cannot be sent.
    pub fn log(&self, actor: &Actor) -> Result<LogServiceClient<Stamped>, CliError> {
        Ok(LogServiceClient::with_interceptor(self.channel.clone(), Stamp::of(actor)?)
            .max_decoding_message_size(MESSAGE_BYTES_MAX))
    }
}

/// The clients of the funding audit.
#[derive(Debug, Clone)]
pub struct Audit {
    channel: Channel,
}

impl Audit {
    /// Connects.
    ///
    /// # Errors
    /// [`CliError::Unreachable`] where nothing answers.
    pub async fn connect(endpoints: &Endpoints) -> Result<Self, CliError> {
        let address = &endpoints.funding_audit;
        Ok(Self { channel: connect("funding-audit", address, FUNDING_AUDIT_VARIABLE).await? })
    }

    /// The read models.
    #[must_use]
    pub fn tables(&self) -> FundingAuditServiceClient<Channel> {
        FundingAuditServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Findings and control tests.
    #[must_use]
    pub fn findings(&self) -> FindingServiceClient<Channel> {
        FindingServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }
}

/// Connects to the read models.
///
/// # Errors
/// [`CliError::Unreachable`] where nothing answers.
pub async fn audit(endpoints: &Endpoints) -> Result<FundingAuditServiceClient<Channel>, CliError> {
    Ok(Audit::connect(endpoints).await?.tables())
}

async fn connect(service: &'static str, address: &str, variable: &'static str) -> Result<Channel, CliError> {
    let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|_| {
        CliError::usage(format!(
            "{address:?} is not an address; set {variable} to one such as http://127.0.0.1:7001"
        ))
    })?;
    let endpoint = endpoint.connect_timeout(CONNECT_PATIENCE).tcp_nodelay(true);
    endpoint.connect().await.map_err(|source| CliError::Unreachable {
        service,
        address: address.to_owned(),
        variable,
        source,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_a_person_at_an_organisation() {
        assert_eq!("a@b".parse(), Ok(Actor::new("a", "b")));
        for wrong in ["a", "@b", "a@", "张三@局", "a b@c"] {
            assert!(wrong.parse::<Actor>().unwrap_err().contains("person@organisation"), "{wrong}");
        }
    }

    #[test]
    fn without_a_stack_the_error_says_how_to_start_one() {
        let empty = tempfile::tempdir().unwrap();
        let error = Endpoints::find(empty.path()).unwrap_err().to_string();
        assert!(error.contains("concord up"), "{error}");
    }

    #[test]
    fn addresses_are_read_from_the_stack_directory() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("run")).unwrap();
        let file = dir.path().join("run/services.json");
        std::fs::write(
            &file,
            r#"{"fund-grant": "http://127.0.0.1:1", "funding-audit": "http://127.0.0.1:2"}"#,
        )
        .unwrap();
        let found = Endpoints::find(dir.path()).unwrap();
        assert_eq!(found.funding_audit, "http://127.0.0.1:2");
        std::fs::write(&file, r#"{"fund-grant": "http://127.0.0.1:1"}"#).unwrap();
        assert!(Endpoints::find(dir.path()).unwrap_err().to_string().contains("funding-audit"));
    }
}
