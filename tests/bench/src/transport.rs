//! One HTTP/2 connection under tonic's client, and nothing between the two.
//!
//! tonic's own channel puts a queue and a task of its own before each connection, so that it can be shared, balanced and
//! opened anew. The load needs none of that, and would pay for it with the processor time of what it measures.

use anyhow::{Context as _, Result};
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic::codegen::Service;

/// Bytes that may be under way in each direction; the default of 64 KiB would hold up the bulk stream.
const WINDOW_BYTES: u32 = 4 << 20;

/// A connection. Clones share it.
#[derive(Clone)]
pub(crate) struct Transport {
    requests: SendRequest<Body>,
}

impl Transport {
    /// Connects to `address`, an `http://` URL.
    ///
    /// # Errors
    /// Where nobody listens there, or it does not speak HTTP/2.
    pub(crate) async fn connect(address: &Uri) -> Result<Self> {
        let authority = address.authority().context("an address with host and port")?;
        let socket = TcpStream::connect(authority.as_str()).await?;
        socket.set_nodelay(true)?;
        let (requests, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_connection_window_size(WINDOW_BYTES)
            .initial_stream_window_size(WINDOW_BYTES)
            .handshake(TokioIo::new(socket))
            .await?;
        // It ends with the last clone, or with the server; then requests fail and say so.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(Self { requests })
    }
}

impl Service<Request<Body>> for Transport {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Incoming>, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.requests.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.requests.send_request(request))
    }
}
