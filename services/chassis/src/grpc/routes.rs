//! Hands each call to the service that its path names.
//!
//! A gRPC path is `/<service>/<method>`, so one look into a map finds the service. tonic's own router is axum's, which is
//! made for patterns and fallbacks, and wraps the body and the future of every call once more on the way.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::BoxFuture;
use tonic::codegen::http::{Request, Response};
use tonic::server::NamedService;
use tower::Service;

/// What a generated server's call comes to.
type Answer = BoxFuture<Response<Body>, Infallible>;

/// A generated server. It is always ready, so nothing is asked of it but calls.
trait Served: Send + Sync {
    fn answer(&self, request: Request<Body>) -> Answer;
}

impl<S> Served for S
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future = Answer>
        + Clone
        + Send
        + Sync,
{
    fn answer(&self, request: Request<Body>) -> Answer {
        // The clone is of a handle; a service's own `call` wants it alone.
        self.clone().call(request)
    }
}

/// Services by name.
#[derive(Clone, Default)]
pub(super) struct Routes(Arc<HashMap<&'static str, Box<dyn Served>>>);

/// Services that are still being added.
#[derive(Default)]
pub(super) struct RoutesBuilder(HashMap<&'static str, Box<dyn Served>>);

impl RoutesBuilder {
    /// Adds a generated server under its name.
    pub(super) fn add<S>(&mut self, service: S)
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future = Answer>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.0.insert(S::NAME, Box::new(service));
    }

    /// All that were added.
    pub(super) fn build(self) -> Routes {
        Routes(Arc::new(self.0))
    }
}

impl Service<Request<Body>> for Routes {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let name = request.uri().path().trim_start_matches('/').split('/').next().unwrap_or_default();
        match self.0.get(name) {
            Some(service) => service.answer(request),
            None => {
                let status = Status::unimplemented(format!(
                    "no service {name:?} is served here; reflection lists those that are"
                ));
                Box::pin(async move { Ok(status.into_http()) })
            }
        }
    }
}
