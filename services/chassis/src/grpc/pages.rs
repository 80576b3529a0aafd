//! Page sizes and page tokens (AIP-158).

use super::Violations;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// Bytes of the query's hash that lead every token. They guard against mistakes, not against forgers.
const QUERY_BYTES: usize = 8;
/// Longest token that is looked at, in characters.
const TOKEN_BYTES_MAX: usize = 4096;

/// Makes and reads the page tokens of one query.
///
/// A token holds the place where the next page begins, and a hash of the query; with another query it is refused. It
/// is opaque but not signed, so a cursor may hold only what the caller could ask for anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageToken {
    query: [u8; QUERY_BYTES],
}

impl PageToken {
    /// For the query of one method: `request` as it came, less its `page_token` and `page_size`, which differ from
    /// page to page.
    #[must_use]
    pub fn of(method: &str, request: &impl prost::Message) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(method.as_bytes());
        hasher.update([0]);
        hasher.update(request.encode_to_vec());
        let hash: [u8; 32] = hasher.finalize().into();
        let mut query = [0; QUERY_BYTES];
        query.copy_from_slice(&hash[..QUERY_BYTES]);
        Self { query }
    }

    /// The token for the page that begins at `cursor`.
    ///
    /// # Errors
    /// Where the cursor cannot be written as JSON: a mistake of the service.
    pub fn encode(&self, cursor: &impl Serialize) -> Result<String, serde_json::Error> {
        let mut bytes = self.query.to_vec();
        serde_json::to_writer(&mut bytes, cursor)?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The cursor in a token. `None` without a fault where the token is empty: the first page. A token that is none,
    /// or belongs to another query, is a fault of `page_token`.
    pub fn decode<C: DeserializeOwned>(&self, token: &str, violations: &mut Violations) -> Option<C> {
        if token.is_empty() {
            return None;
        }
        let bytes = if token.len() <= TOKEN_BYTES_MAX {
            URL_SAFE_NO_PAD.decode(token).unwrap_or_default()
        } else {
            Vec::new()
        };
        let fault = match bytes.split_at_checked(QUERY_BYTES) {
            Some((query, _)) if query != self.query => {
                "belongs to another query; repeat the query that gave it unchanged, or leave it empty"
            }
            Some((_, cursor)) => match serde_json::from_slice(cursor) {
                Ok(cursor) => return Some(cursor),
                Err(_) => "cannot be read; leave it empty to begin with the first page",
            },
            None => "is not a page token; leave it empty to begin with the first page",
        };
        violations.add("page_token", fault);
        None
    }
}

/// How many items a page has: `default` where 0 is asked for, at most `max`. A negative number is a fault of `field`.
pub fn page_size(
    field: &str,
    requested: i32,
    default: usize,
    max: usize,
    violations: &mut Violations,
) -> usize {
    match usize::try_from(requested) {
        Ok(0) => default.min(max),
        Ok(requested) => requested.min(max),
        Err(_) => {
            violations.add(field, format!("is negative; ask for 1 to {max}, or 0 for {default}"));
            default.min(max)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use concord_proto::log::v1::ReadStreamRequest;

    fn query(subject: &str) -> PageToken {
        let request = ReadStreamRequest { subject: subject.to_owned(), ..Default::default() };
        PageToken::of("ReadStream", &request)
    }

    #[test]
    fn a_token_leads_to_its_place() {
        let mut v = Violations::new("concord.test");
        let token = query("grant/1").encode(&(48_210_u64, "a")).unwrap();
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        let cursor: Option<(u64, String)> = query("grant/1").decode(&token, &mut v);
        assert_eq!(cursor, Some((48_210, "a".to_owned())));
        assert_eq!(query("grant/1").decode::<u64>("", &mut v), None);
        assert!(v.is_empty());
    }

    #[test]
    fn a_token_of_another_query_is_refused() {
        let token = query("grant/1").encode(&7_u64).unwrap();
        let other_method = PageToken::of("ListRefusals", &ReadStreamRequest::default());
        for pages in [query("grant/2"), other_method] {
            let mut v = Violations::new("concord.test");
            assert_eq!(pages.decode::<u64>(&token, &mut v), None);
            let status = v.finish::<()>(None).unwrap_err();
            assert!(status.message().contains("page_token belongs to another query"), "{status}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let text = query("grant/1").encode(&"text").unwrap();
        for token in ["x", "%%%", "AAAA", &text, &"A".repeat(5000)] {
            let mut v = Violations::new("concord.test");
            assert_eq!(query("grant/1").decode::<u64>(token, &mut v), None);
            assert!(!v.is_empty(), "{token}");
        }
    }

    #[test]
    fn a_page_has_a_size_within_bounds() {
        let mut v = Violations::new("concord.test");
        assert_eq!(page_size("page_size", 0, 50, 1000, &mut v), 50);
        assert_eq!(page_size("page_size", 7, 50, 1000, &mut v), 7);
        assert_eq!(page_size("page_size", 5000, 50, 1000, &mut v), 1000);
        assert!(v.is_empty());
        page_size("page_size", -1, 50, 1000, &mut v);
        assert!(!v.is_empty());
    }
}
