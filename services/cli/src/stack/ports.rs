//! Free ports on the loopback address.

use std::net::{Ipv4Addr, TcpListener};

use super::error::StackError;

/// How often a server is started anew because somebody took its port first.
pub(super) const ATTEMPTS: u32 = 5;

/// A free port: the preferred one if it still is. It stays free only until somebody takes it, so a server may need several.
pub(super) fn free(server: &'static str, preferred: Option<u16>) -> Result<u16, StackError> {
    let bind =
        |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| listener.local_addr());
    let address = preferred.map_or_else(|| bind(0), |port| bind(port).or_else(|_| bind(0)));
    address.map(|address| address.port()).map_err(|_| StackError::NoPort { name: server, attempts: 1 })
}
