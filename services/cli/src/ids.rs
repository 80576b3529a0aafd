//! Identifiers that the command line makes: fresh ones for people, derived ones for what may be sent twice.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Under it every derived request id stands. Never change it: sending the same rows again would import them again.
const REQUESTS: Uuid = Uuid::from_u128(0xb1f7_30c4_6a0e_4f57_8f3d_9d2a_5b61_7c08);

/// A new id that sorts by time.
#[must_use]
pub fn fresh() -> String {
    Uuid::now_v7().to_string()
}

/// The request id that follows from what is asked, the same on every run.
#[must_use]
pub fn request(source: &str) -> String {
    Uuid::new_v5(&REQUESTS, source.as_bytes()).to_string()
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    crate::output::hex(&Sha256::digest(bytes))
}

/// A number that follows from a text, spread evenly: for choices that must be the same on every run.
#[must_use]
pub fn spread(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_are_the_same_on_every_run() {
        assert_eq!(request("a"), request("a"));
        assert_ne!(request("a"), request("b"));
        assert_ne!(fresh(), fresh());
        assert_eq!(sha256_hex(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
