//! A command before its personal data is kept, and a request that cannot be right.

use crate::{
    grpc::{self, Violations},
    log::Submission,
    personal::{PersonalData, PersonalError},
    service,
};
use concord_kernel::event::StreamId;
use std::{collections::HashMap, time::Duration};
use tonic::{Code, Status};
use uuid::Uuid;

/// What a request asks for.
#[derive(Debug)]
pub struct Asked<C> {
    pub(super) command: C,
    pub(super) target: Target,
    pub(super) expected: Vec<(StreamId, u64)>,
    pub(super) personal: Option<Personal<C>>,
}

/// What the header's version is of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// This aggregate.
    One(StreamId),
    /// None: the command is about many. What to do instead.
    Many(&'static str),
}

/// Personal data of a command, which is to have its keyed hash.
#[derive(Debug)]
pub(super) struct Personal<C> {
    field: &'static str,
    person_id: String,
    text: String,
    refer: fn(&mut C, String),
}

impl<C> Asked<C> {
    /// A command about one aggregate, whose version the header may name.
    #[must_use]
    pub fn of(target: StreamId, command: C) -> Self {
        Self { command, target: Target::One(target), expected: Vec::new(), personal: None }
    }

    /// A command about many aggregates, of which the request names some versions itself. `advice` says what to do
    /// instead of naming one in the header.
    #[must_use]
    pub fn of_many(expected: Vec<(StreamId, u64)>, advice: &'static str, command: C) -> Self {
        Self { command, target: Target::Many(advice), expected, personal: None }
    }

    /// With a text that is personal data: it is kept under `person_id` before the command is decided, and `refer` gives
    /// the command the keyed hash that stands for it. Faults of it are told at `field`.
    #[must_use]
    pub fn keeping(
        self,
        field: &'static str,
        person_id: String,
        text: String,
        refer: fn(&mut C, String),
    ) -> Self {
        Self { personal: Some(Personal { field, person_id, text, refer }), ..self }
    }
}

/// A submission whose personal data, if it has any, is not kept yet.
#[derive(Debug)]
pub struct Draft<C> {
    pub(super) submission: Submission<C>,
    pub(super) personal: Option<Personal<C>>,
}

/// A request that cannot be right as it stands.
#[derive(Debug)]
pub struct Malformed<C> {
    /// `INVALID_ARGUMENT` with every fault.
    pub status: Status,
    /// Where nothing but its dates is wrong: the command as it may have been accepted on an earlier day, without
    /// faults then.
    pub earlier: Option<Box<Draft<C>>>,
}

/// A request as it could be read.
pub type Drafted<C> = Result<Draft<C>, Malformed<C>>;

impl<C> From<Status> for Malformed<C> {
    fn from(status: Status) -> Self {
        Self { status, earlier: None }
    }
}

impl<C> Draft<C> {
    /// Keeps the personal data, and gives the command the keyed hash instead. `domain` as in `ErrorInfo`.
    ///
    /// # Errors
    /// `FAILED_PRECONDITION` where that record was erased, `UNAVAILABLE` where it cannot be kept now.
    pub async fn seal(mut self, kept: &PersonalData, domain: &'static str) -> Result<Submission<C>, Status> {
        if let Some(personal) = self.personal.take() {
            let keyed = kept.put(&personal.person_id, &personal.text).await;
            let keyed = keyed.map_err(|error| status(error, personal.field, domain))?;
            (personal.refer)(&mut self.submission.command, keyed.hash);
        }
        Ok(self.submission)
    }

    /// As [`Draft::seal`] where the command can only be a repeat: nothing is kept for a request that is refused. `None`
    /// where its personal data never was, or is no more, and so no accepted command can be compared with it.
    ///
    /// # Errors
    /// `UNAVAILABLE` where it cannot be looked up now.
    pub async fn seal_repeat(
        mut self,
        kept: &PersonalData,
        domain: &'static str,
    ) -> Result<Option<Submission<C>>, Status> {
        if let Some(personal) = self.personal.take() {
            let keyed = kept.hash_existing(&personal.person_id, &personal.text).await;
            let keyed = keyed.map_err(|error| status(error, personal.field, domain))?;
            let Some(keyed) = keyed else { return Ok(None) };
            (personal.refer)(&mut self.submission.command, keyed.hash);
        }
        Ok(Some(self.submission))
    }

    /// Request id of the command.
    #[must_use]
    pub fn request_id(&self) -> Uuid {
        self.submission.request_id
    }

    /// The command, whose personal data has no hash yet.
    #[must_use]
    pub fn command(&self) -> &C {
        &self.submission.command
    }
}

fn status(error: PersonalError, field: &str, domain: &'static str) -> Status {
    match error {
        PersonalError::Erased { ref person_id } => {
            let facts = HashMap::from([("person_id".to_owned(), person_id.clone())]);
            grpc::refused(domain, "PERSONAL_DATA_ERASED", error.to_string(), facts, Vec::new())
        }
        PersonalError::PersonId | PersonalError::Text { .. } => {
            let mut faults = Violations::new(domain);
            faults.add(field, error.to_string());
            faults
                .finish::<()>(None)
                .err()
                .unwrap_or_else(|| Status::new(Code::InvalidArgument, error.to_string()))
        }
        PersonalError::Salt { .. } => grpc::internal(domain, &error),
        PersonalError::Pool(_) | PersonalError::Statement(_) => {
            tracing::warn!(error = %service::in_full(&error), "personal data could not be kept");
            let message = format!("the {field} cannot be kept just now; nothing was done, try again");
            grpc::unavailable(domain, "UNAVAILABLE", message, Duration::from_secs(1))
        }
    }
}
