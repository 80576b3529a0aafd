//! References to documents 文件: never the file itself, but what proves it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Hexadecimal digits of a SHA-256 digest.
const SHA_256_DIGITS: usize = 64;

/// A document by its hash and, where it is archived, its number there (domain.md section 3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Document {
    /// SHA-256 of the file.
    pub sha256: Sha256,
    /// Archive number 档号.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_number: Option<String>,
}

/// A SHA-256 digest, 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256(String);

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSha256;

impl Sha256 {
    /// Takes 64 hexadecimal digits, of either case.
    ///
    /// # Errors
    /// [`NoSha256`] where the text is anything else.
    pub fn parse(text: &str) -> Result<Self, NoSha256> {
        let well_formed = text.len() == SHA_256_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if well_formed { Ok(Self(text.to_ascii_lowercase())) } else { Err(NoSha256) }
    }

    /// The digest as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sha256 {
    type Error = NoSha256;

    fn try_from(text: String) -> Result<Self, NoSha256> {
        Self::parse(&text)
    }
}

impl From<Sha256> for String {
    fn from(digest: Sha256) -> Self {
        digest.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NoSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a SHA-256 digest has {SHA_256_DIGITS} hexadecimal digits; give the digest of the file, as sha256sum prints it"
        )
    }
}

impl std::error::Error for NoSha256 {}
