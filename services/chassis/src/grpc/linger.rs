//! A connection that is not closed while the client still says something.
//!
//! When a server closes a socket in which bytes lie that it has not read, TCP tells the client of a reset, and the client may lose
//! what it had not read yet: the last words of its calls. At the end of a connection HTTP/2 has such bytes as a rule, since a
//! client that reads a stream says so with every window (RFC 9293, 3.10.4 and 3.6.1). So the server says that it is done, and reads
//! on until the client is.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// How long the client may take to end its side.
const CLIENT_MAX: Duration = Duration::from_secs(1);

/// A TCP connection whose shutdown waits for the client's end, for a second at most.
#[derive(Debug)]
pub(super) struct Lingering {
    stream: TcpStream,
    /// Once this side is done: until when the client's end is waited for.
    until: Option<Pin<Box<Sleep>>>,
}

impl Lingering {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, until: None }
    }
}

impl Connected for Lingering {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.until.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            self.until = Some(Box::pin(tokio::time::sleep(CLIENT_MAX)));
        }
        let mut unread = [0; 4096];
        loop {
            let mut into = ReadBuf::new(&mut unread);
            match Pin::new(&mut self.stream).poll_read(context, &mut into) {
                Poll::Ready(Ok(())) if !into.filled().is_empty() => {}
                // The client is done, or gone.
                Poll::Ready(Ok(()) | Err(_)) => return Poll::Ready(Ok(())),
                Poll::Pending => break,
            }
        }
        match &mut self.until {
            Some(until) => until.as_mut().poll(context).map(Ok),
            None => Poll::Ready(Ok(())),
        }
    }
}
