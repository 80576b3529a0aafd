//! What a call's metadata says: who acts, and how long the caller waits.

use super::Violations;
use std::time::Duration;
use tonic::metadata::MetadataMap;

/// Metadata key of the acting person: `<person>@<organisation>`, for example `u-4711@CN-USCC:91330100799655058B`.
pub const ACTOR_KEY: &str = "concord-actor";

/// Where an actor's fault is reported.
const ACTOR_FIELD: &str = "metadata.concord-actor";

/// Longest id of a person or an organisation, in bytes.
const ID_BYTES_MAX: usize = 128;

/// Most that an answer is brought forward, so that it is out before the caller stops listening.
const MARGIN_MAX: Duration = Duration::from_millis(50);

/// Who acts 操作人: opaque ids, never a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    /// Opaque id of the person.
    pub person_id: String,
    /// Id of the organisation that the person acts for.
    pub organisation_id: String,
    /// How sure we are of both: [`Actor::ASSERTED`] until callers are authenticated.
    pub assurance: &'static str,
}

impl Actor {
    /// The caller says so, and nobody has checked it.
    pub const ASSERTED: &'static str = "asserted";

    /// Reads the acting person from [`ACTOR_KEY`]: one value `<person>@<organisation>`, each of 1 to 128 bytes of
    /// visible ASCII without "@", none of them a process of a service. A fault is reported on `metadata.concord-actor`.
    pub fn from_metadata(md: &MetadataMap, violations: &mut Violations) -> Option<Self> {
        let mut values = md.get_all(ACTOR_KEY).iter();
        let (first, second) = (values.next(), values.next());
        let fault = match (first.map(|value| value.to_str()), second) {
            (None, _) => "is missing; say who acts as <person>@<organisation>",
            // Which of two was meant cannot be known, and a proxy may have added one.
            (_, Some(_)) => "is given more than once; send one value",
            (Some(Ok(text)), None) => match text.split_once('@') {
                Some((person, organisation)) if is_process(person) || is_process(organisation) => PROCESS,
                Some((person, organisation)) if is_id(person) && is_id(organisation) => {
                    return Some(Self::asserted(person, organisation));
                }
                _ => {
                    "is not <person>@<organisation>, each of 1 to 128 visible ASCII characters other than \"@\""
                }
            },
            (Some(Err(_)), None) => "is not ASCII; write <person>@<organisation>",
        };
        violations.add(ACTOR_FIELD, fault);
        None
    }

    /// Reads an actor that stands in a request, under the same rules. Faults are reported on `field`.
    pub fn from_proto(
        actor: &concord_proto::r#type::v1::Actor,
        field: &str,
        violations: &mut Violations,
    ) -> Option<Self> {
        let mut whole = true;
        for (name, id) in [("person_id", &actor.person_id), ("organisation_id", &actor.organisation_id)] {
            if is_process(id) {
                violations.add(format!("{field}.{name}"), PROCESS);
                whole = false;
            } else if !is_id(id) {
                violations.add(
                    format!("{field}.{name}"),
                    "is not an id; write 1 to 128 visible ASCII characters other than \"@\"",
                );
                whole = false;
            }
        }
        whole.then(|| Self::asserted(&actor.person_id, &actor.organisation_id))
    }

    fn asserted(person_id: &str, organisation_id: &str) -> Self {
        Self {
            person_id: person_id.to_owned(),
            organisation_id: organisation_id.to_owned(),
            assurance: Self::ASSERTED,
        }
    }
}

/// What a caller is told who acts as a part of a service.
const PROCESS: &str = "names a process of a service (process:…), as which no caller acts; give a person";

/// A process manager acts under such a name, and is known by it.
fn is_process(id: &str) -> bool {
    const PREFIX: &str = "process:";
    // Persons are told without regard to case, so a process is, too.
    id.get(..PREFIX.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(PREFIX))
}

fn is_id(text: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@')
}

/// How long the service may take over this call: what `grpc-timeout` says, at most `max`, and `default` where it says
/// nothing or cannot be read.
///
/// What the caller gives is shortened by a twentieth, at most 50 ms: an answer such as `OUTCOME_UNKNOWN` must be on
/// its way before the server drops the call, which it does at the very deadline.
#[must_use]
pub fn deadline(md: &MetadataMap, default: Duration, max: Duration) -> Duration {
    let given = md
        .get("grpc-timeout")
        .and_then(|value| value.to_str().ok())
        .and_then(parse_timeout)
        .map(|given| given.saturating_sub((given / 20).min(MARGIN_MAX)));
    given.unwrap_or(default).min(max)
}

/// At most eight digits and a unit, as the gRPC protocol has it.
fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn md(key: &'static str, values: &[&str]) -> MetadataMap {
        let mut md = MetadataMap::new();
        for value in values {
            md.append(key, value.parse().unwrap());
        }
        md
    }

    #[test]
    fn an_actor_is_a_person_and_an_organisation() {
        let mut violations = Violations::new("concord.test");
        let md = md(ACTOR_KEY, &["u/4711@CN-USCC:91330100799655058B"]);
        let actor = Actor::from_metadata(&md, &mut violations).unwrap();
        assert_eq!(actor.person_id, "u/4711");
        assert_eq!(actor.organisation_id, "CN-USCC:91330100799655058B");
        assert_eq!(actor.assurance, "asserted");
        assert!(violations.is_empty());
    }

    #[test]
    fn an_actor_that_is_missing_or_unclear_is_reported_on_the_metadata() {
        let long = format!("{}@b", "a".repeat(129));
        let wrong: [&[&str]; 13] = [
            &[],
            &[""],
            &["a"],
            &["@b"],
            &["a@"],
            &["a@b@c"],
            &["Wang Li@b"],
            &[long.as_str()],
            &["a@b", "c@d"],
            // Nobody acts as a process manager does.
            &["process:backing@b"],
            &["a@process:backing"],
            &["Process:backing@b"],
            &["a@PROCESS:backing"],
        ];
        for values in wrong {
            let mut violations = Violations::new("concord.test");
            assert_eq!(Actor::from_metadata(&md(ACTOR_KEY, values), &mut violations), None);
            let status = violations.finish::<()>(None).unwrap_err();
            assert!(status.message().contains("metadata.concord-actor"), "{status}");
        }
    }

    #[test]
    fn an_actor_in_a_request_follows_the_same_rules() {
        let mut violations = Violations::new("concord.test");
        let mut proto = concord_proto::r#type::v1::Actor {
            person_id: "u-1".to_owned(),
            organisation_id: "o-1".to_owned(),
        };
        assert!(Actor::from_proto(&proto, "commands[3].actor", &mut violations).is_some());
        proto.person_id.clear();
        proto.organisation_id = "a b".to_owned();
        assert!(Actor::from_proto(&proto, "commands[3].actor", &mut violations).is_none());
        let status = violations.finish::<()>(None).unwrap_err();
        assert!(status.message().contains("commands[3].actor.person_id"), "{status}");
        assert!(status.message().contains("commands[3].actor.organisation_id"), "{status}");
    }

    #[test]
    fn the_deadline_is_the_callers_within_bounds_and_a_little_earlier() {
        let of = |text: &str| {
            let (default, max) = (Duration::from_secs(10), Duration::from_secs(60));
            deadline(&md("grpc-timeout", &[text]), default, max).as_micros()
        };
        assert_eq!(of("1S"), 950_000);
        assert_eq!(of("100m"), 95_000);
        assert_eq!(of("20000u"), 19_000);
        assert_eq!(of("2000000n"), 1_900);
        assert_eq!(of("30S"), 29_950_000);
        assert_eq!(of("1M"), 59_950_000);
        assert_eq!(of("99999999H"), 60_000_000);
        for unreadable in ["", "S", "1", "1s", "-1S", "+1S", "123456789S", "1 S"] {
            assert_eq!(of(unreadable), 10_000_000, "{unreadable:?}");
        }
        let (default, max) = (Duration::from_secs(90), Duration::from_secs(60));
        assert_eq!(deadline(&MetadataMap::new(), default, max), max);
    }
}
