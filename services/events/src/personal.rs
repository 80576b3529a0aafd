//! References to personal data 个人信息.

use serde::{Deserialize, Serialize};

/// Personal data by reference: the text itself lies in an erasable table of the service that owns the log.
///
/// The hash is keyed with a random salt that is erased with the text, so it tells nothing afterwards. While both are
/// there, another text under the same id shows as another hash: a swapped account is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalRef {
    /// Opaque id of the record, at most 128 bytes.
    pub person_id: String,
    /// HMAC-SHA256 of the text under the record's salt, in hexadecimal.
    pub hash: String,
}
