//! All faults of a request at once.

use super::{shortened, status};
use jiff::civil::Date;
use std::collections::HashMap;
use std::fmt;
use tonic::Status;
use tonic_types::FieldViolation;
use uuid::Uuid;

/// Faults kept of one request. The rest is only counted: a request may repeat a field without end.
const KEPT_MAX: usize = 100;

/// Faults that the message tells in words.
const TOLD_MAX: usize = 3;

/// Collects what is wrong with a request, field by field, and ends in one `INVALID_ARGUMENT` that says all of it.
///
/// Each reader returns the value, or adds a fault and returns `None`; [`Violations::finish`] then decides:
///
/// ```
/// # use concord_chassis::grpc::Violations;
/// # struct Command { id: uuid::Uuid, title: String }
/// # fn read(grant_id: &str, title: &str) -> Result<Command, tonic::Status> {
/// let mut v = Violations::new("concord.fund");
/// let id = v.require_uuid("grant_id", grant_id);
/// let title = v.text("title", title, 600, true);
/// v.finish(id.zip(title).map(|(id, title)| Command { id, title }))
/// # }
/// # let status = read("", "\0").err().unwrap();
/// # assert!(status.message().starts_with("2 faults"));
/// ```
#[derive(Debug)]
pub struct Violations {
    domain: &'static str,
    kept: Vec<FieldViolation>,
    count: usize,
}

impl Violations {
    /// No faults yet. `domain` is the service's, for `ErrorInfo`, for example "concord.fund".
    #[must_use]
    pub fn new(domain: &'static str) -> Self {
        Self { domain, kept: Vec::new(), count: 0 }
    }

    /// Adds a fault. `field` is its path in the request, such as `amount.currency` or `tranches[2].due_on`; the
    /// description says what is wrong and what to write.
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.count += 1;
        if self.kept.len() < KEPT_MAX {
            self.kept.push(FieldViolation::new(field, description));
        }
    }

    /// True while nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// A field that must be there, such as a message.
    pub fn require<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.add(field, "is missing");
        }
        value
    }

    /// A UUID in its hyphenated form, which must be there. The nil UUID is none.
    pub fn require_uuid(&mut self, field: &str, text: &str) -> Option<Uuid> {
        if text.is_empty() {
            self.add(field, "is missing; give a UUID");
            return None;
        }
        self.optional_uuid(field, text)
    }

    /// A UUID in its hyphenated form. `None` without a fault where the text is empty.
    pub fn optional_uuid(&mut self, field: &str, text: &str) -> Option<Uuid> {
        if text.is_empty() {
            return None;
        }
        // 36 characters: the other forms that the parser knows would give one id several spellings.
        let id = Uuid::parse_str(text).ok().filter(|id| text.len() == 36 && !id.is_nil());
        if id.is_none() {
            self.add(
                field,
                format!(
                    "{} is not a UUID; write one such as 0190b1f0-7c3e-7a51-9d2b-5e8f3c6a1b40",
                    quoted(text)
                ),
            );
        }
        id
    }

    /// A text of at most `bytes_max` bytes of UTF-8, kept as it is. `None` without a fault where it is empty and not
    /// required. Control characters are refused, line breaks among them, and so are those without a width and those
    /// that change the direction of writing: what people read must be what is stored, and two texts that look the same
    /// must be the same.
    pub fn text(&mut self, field: &str, text: &str, bytes_max: usize, required: bool) -> Option<String> {
        if text.is_empty() && !required {
            return None;
        }
        let fault = if text.is_empty() {
            "is missing".to_owned()
        } else if text.len() > bytes_max {
            let over = text.len() - bytes_max;
            format!("has {} bytes; leave out {over} of them, {bytes_max} is the most", text.len())
        } else if let Some(control) = text.chars().find(|c| is_unreadable(*c)) {
            format!("has the control character U+{:04X}; leave it out", u32::from(control))
        } else if text.trim().is_empty() {
            "is blank; write something, or leave it empty where it is not required".to_owned()
        } else {
            return Some(text.to_owned());
        };
        self.add(field, fault);
        None
    }

    /// A calendar date, "YYYY-MM-DD", which must be there.
    pub fn date(&mut self, field: &str, text: &str) -> Option<Date> {
        if text.is_empty() {
            self.add(field, "is missing; give a date as YYYY-MM-DD");
            return None;
        }
        self.optional_date(field, text)
    }

    /// A calendar date, "YYYY-MM-DD". `None` without a fault where the text is empty.
    pub fn optional_date(&mut self, field: &str, text: &str) -> Option<Date> {
        if text.is_empty() {
            return None;
        }
        calendar_date(text).map_err(|fault| self.add(field, fault)).ok()
    }

    /// A SHA-256 in hexadecimal, which must be there; returned in lower case.
    pub fn sha256_hex(&mut self, field: &str, text: &str) -> Option<String> {
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some(text.to_ascii_lowercase());
        }
        self.add(field, "is not a SHA-256; write 64 hexadecimal digits");
        None
    }

    /// The value, where nothing was wrong; else `INVALID_ARGUMENT`, reason `MALFORMED_REQUEST`, with every fault.
    ///
    /// # Errors
    /// That status. A value that is absent without a fault is a mistake of the service, and `INTERNAL`.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Status> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            None if self.is_empty() => Err(status::internal(
                self.domain,
                &*Box::<dyn std::error::Error>::from("a request without faults was not read as a whole"),
            )),
            _ => Err(self.into_status(HashMap::new(), None)),
        }
    }

    /// The status with what only a decision knows: metadata for programs, and the faults in Chinese.
    pub(crate) fn into_status(self, metadata: HashMap<String, String>, message_zh: Option<String>) -> Status {
        let told: Vec<String> = self
            .kept
            .iter()
            .take(TOLD_MAX)
            .map(|fault| format!("{} {}", shortened(&fault.field, 60), shortened(&fault.description, 120)))
            .collect();
        let more = match self.count - told.len() {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let faults = if self.count == 1 { "fault" } else { "faults" };
        let message = format!("{} {faults} in the request: {}{more}", self.count, told.join("; "));
        status::malformed(self.domain, (message, message_zh), metadata, self.kept)
    }
}

/// A value of the caller's as a message may show it: short, and control characters escaped.
fn quoted(text: &str) -> impl fmt::Display {
    format!("{:?}", shortened(text, 40))
}

/// Control characters, line and paragraph separators, and the characters that are not seen or that reorder what is
/// written. The joiners U+200C and U+200D are among them, which some scripts need: no text of this record is in one.
fn is_unreadable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

/// Reads a date in the one form "YYYY-MM-DD"; the error is a sentence.
pub(crate) fn calendar_date(text: &str) -> Result<Date, String> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let date = if shaped { text.parse().ok() } else { None };
    date.ok_or_else(|| format!("{} is not a calendar date; write it as YYYY-MM-DD", quoted(text)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use tonic::Code;
    use tonic_types::StatusExt;

    /// The only fault of what `read` does.
    fn fault<T>(read: impl FnOnce(&mut Violations) -> Option<T>) -> String {
        let mut v = Violations::new("concord.test");
        assert!(read(&mut v).is_none());
        let status = v.finish::<()>(None).unwrap_err();
        let mut all = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(all.len(), 1);
        all.remove(0).description
    }

    fn accepted<T>(read: impl FnOnce(&mut Violations) -> Option<T>) -> Option<T> {
        let mut v = Violations::new("concord.test");
        let value = read(&mut v);
        assert!(v.is_empty(), "{v:?}");
        value
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let mut v = Violations::new("concord.test");
        v.require_uuid("grant_id", "");
        v.date("starts_on", "2023-02-30");
        v.text("title", "a\0b", 600, true);
        v.add("amount.currency", "is not an ISO 4217 code; write one such as CNY");
        let status = v.finish(Some(())).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(
            status.message(),
            "4 faults in the request: grant_id is missing; give a UUID; starts_on \"2023-02-30\" is not a calendar \
             date; write it as YYYY-MM-DD; title has the control character U+0000; leave it out; and 1 more"
        );
        let fields: Vec<String> = status
            .get_details_bad_request()
            .unwrap()
            .field_violations
            .into_iter()
            .map(|fault| fault.field)
            .collect();
        assert_eq!(fields, ["grant_id", "starts_on", "title", "amount.currency"]);
        let info = status.get_details_error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("MALFORMED_REQUEST", "concord.test"));
    }

    #[test]
    fn a_request_full_of_faults_gets_a_short_answer() {
        let mut v = Violations::new("concord.test");
        for at in 0..100_000 {
            v.sha256_hex(&format!("attachment_sha256[{at}]"), "x");
        }
        let status = v.finish::<()>(None).unwrap_err();
        assert!(status.message().starts_with("100000 faults"));
        assert!(status.message().ends_with("and 99997 more"));
        assert!(status.details().len() < 4096, "{}", status.details().len());
    }

    #[test]
    fn a_uuid_has_one_spelling() {
        let id = "0190b1f0-7c3e-7a51-9d2b-5e8f3c6a1b40";
        assert_eq!(accepted(|v| v.require_uuid("f", id)).unwrap().to_string(), id);
        assert!(accepted(|v| v.require_uuid("f", &id.to_uppercase())).is_some());
        assert_eq!(accepted(|v| v.optional_uuid("f", "")), None);
        assert!(fault(|v| v.require_uuid("f", "")).contains("missing"));
        for wrong in [
            "0190b1f07c3e7a519d2b5e8f3c6a1b40",
            "{0190b1f0-7c3e-7a51-9d2b-5e8f3c6a1b40}",
            "urn:uuid:0190b1f0-7c3e-7a51-9d2b-5e8f3c6a1b40",
            "00000000-0000-0000-0000-000000000000",
            "0190b1f0-7c3e-7a51-9d2b-5e8f3c6a1b4\n",
        ] {
            assert!(fault(|v| v.require_uuid("f", wrong)).contains("is not a UUID"), "{wrong}");
        }
    }

    #[test]
    fn a_text_is_short_visible_and_kept_as_it_is() {
        let title = "中试基地 pilot “line” ";
        assert_eq!(accepted(|v| v.text("f", title, 40, true)).as_deref(), Some(title));
        assert_eq!(accepted(|v| v.text("f", "", 40, false)), None);
        assert!(fault(|v| v.text("f", "", 40, true)).contains("missing"));
        assert!(fault(|v| v.text("f", " \u{3000}", 40, false)).contains("blank"));
        assert_eq!(
            fault(|v| v.text("f", "中试基地", 10, true)),
            "has 12 bytes; leave out 2 of them, 10 is the most"
        );
        for wrong in ["a\0", "a\nb", "a\tb", "a\u{7f}", "a\u{85}", "a\u{202e}b", "a\u{2028}b"] {
            assert!(fault(|v| v.text("f", wrong, 40, true)).contains("control character U+"));
        }
        // Without a width, or a mark of direction: the ends of every range, and no further.
        let unseen =
            ['\u{61c}', '\u{200b}', '\u{200d}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2060}', '\u{2069}'];
        for wrong in unseen.into_iter().chain(['\u{feff}']) {
            let told = fault(|v| v.text("f", &format!("项目{wrong}甲"), 40, true));
            assert_eq!(told, format!("has the control character U+{:04X}; leave it out", u32::from(wrong)));
        }
        for right in ['\u{200a}', '\u{2010}', '\u{202f}', '\u{205f}', '\u{206a}'] {
            assert!(accepted(|v| v.text("f", &format!("项目{right}甲"), 40, true)).is_some(), "{right:?}");
        }
    }

    #[test]
    fn a_date_is_a_calendar_date() {
        let day = accepted(|v| v.date("f", "2024-02-29")).unwrap();
        assert_eq!(day, jiff::civil::date(2024, 2, 29));
        assert_eq!(accepted(|v| v.optional_date("f", "")), None);
        assert!(fault(|v| v.date("f", "")).contains("missing"));
        for wrong in ["2023-02-29", "20240229", "2024-2-29", "2024-02-29T00:00", "29.02.2024", "２０24-02"]
        {
            assert!(fault(|v| v.date("f", wrong)).contains("YYYY-MM-DD"), "{wrong}");
            assert!(fault(|v| v.optional_date("f", wrong)).contains("YYYY-MM-DD"), "{wrong}");
        }
    }

    #[test]
    fn a_hash_is_64_hexadecimal_digits_in_lower_case() {
        let hash = "AB".repeat(32);
        assert_eq!(accepted(|v| v.sha256_hex("f", &hash)).unwrap(), "ab".repeat(32));
        for wrong in ["", "ab", &"xy".repeat(32)] {
            assert!(fault(|v| v.sha256_hex("f", wrong)).contains("64 hexadecimal"));
        }
    }

    #[test]
    fn what_was_not_read_without_a_fault_is_our_mistake() {
        let status = Violations::new("concord.test").finish::<()>(None).unwrap_err();
        assert_eq!(status.code(), Code::Internal);
        assert_eq!(fault(|v| v.require::<()>("header", None)), "is missing");
    }
}
