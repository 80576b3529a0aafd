//! Proves from two logs, and from nothing else, that no money left without an agreement in force.

use super::world::World;
use concord_proto::log::v1::ReadLogRequest;
use concord_tests::desk::plain;
use concord_tests::record::{Stored, read_log};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What both logs say.
pub(super) struct Logs {
    pub(super) agreements: Vec<Entry>,
    pub(super) grants: Vec<Entry>,
}

/// An event, taken apart.
pub(super) struct Entry {
    pub(super) position: u64,
    /// Last part of its type, for example `GrantHeld`.
    pub(super) name: String,
    /// When it happened.
    pub(super) on: String,
    pub(super) document: Value,
}

impl Entry {
    pub(super) fn data(&self) -> &Value {
        &self.document["data"]
    }

    fn text(&self, field: &str) -> String {
        self.data()[field].as_str().unwrap_or_default().to_owned()
    }
}

/// How an agreement stands since an event of its log.
#[derive(Debug, Clone)]
struct Force {
    position: u64,
    /// First and last day; absent while not everybody has signed.
    term: Option<(String, String)>,
    /// The first day out of force by an act.
    out_from: Option<String>,
}

impl Force {
    /// Dates are text that sorts as they do.
    fn holds_on(&self, day: &str) -> bool {
        let in_term = self.term.as_ref().is_some_and(|(from, until)| (from.as_str()..=until).contains(&day));
        in_term && self.out_from.as_ref().is_none_or(|out_from| day < out_from.as_str())
    }
}

/// How much there was to prove, so that a test can see that it was not nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proved {
    /// Instructions under an agreement.
    pub(super) instructed: usize,
    /// Holds because an agreement was lost.
    pub(super) held: usize,
}

impl World {
    /// Reads both logs.
    pub(super) async fn logs(&self) -> Logs {
        let mut chunks =
            self.agreements.log().read_log(plain(ReadLogRequest::default())).await.unwrap().into_inner();
        let mut agreements = Vec::new();
        while let Some(chunk) = chunks.message().await.unwrap() {
            agreements.extend(chunk.events.into_iter().map(Stored::from));
        }
        let grants = read_log(&self.desk, 1, 0).await.unwrap();
        let entries = |events: Vec<Stored>| events.iter().map(entry).collect();
        Logs { agreements: entries(agreements), grants: entries(grants) }
    }

    /// Fails unless the two logs prove it, and each of them itself.
    pub(super) async fn proved(&self) -> Proved {
        let proved = self.logs().await.prove();
        self.services.checked().unwrap();
        proved
    }
}

fn entry(event: &Stored) -> Entry {
    let document = event.document();
    let text = |name: &str| document[name].as_str().unwrap().to_owned();
    let name = text("type").rsplit('.').next().unwrap().to_owned();
    Entry { position: event.position, name, on: text("effectiveon"), document }
}

impl Logs {
    /// Entries of the log of grants with this name.
    pub(super) fn grants_named(&self, name: &str) -> impl Iterator<Item = &Entry> {
        self.grants.iter().filter(move |entry| entry.name == name)
    }

    /// Where the agreement log changes how an agreement stands.
    pub(super) fn changes(&self, agreement: &str) -> Vec<u64> {
        self.forces().remove(agreement).unwrap_or_default().iter().map(|force| force.position).collect()
    }

    /// How each agreement stands after each event that changes that.
    fn forces(&self) -> BTreeMap<String, Vec<Force>> {
        let mut forces: BTreeMap<String, Vec<Force>> = BTreeMap::new();
        for entry in &self.agreements {
            let known = forces.entry(entry.text("agreement")).or_default();
            let last = known.last().cloned();
            let position = entry.position;
            let in_force = || {
                let term = &entry.data()["in_force"];
                let day = |name: &str| term[name].as_str().map(str::to_owned);
                let term = Some((day("from")?, day("until")?));
                Some(Force { position, term, out_from: None })
            };
            known.extend(match entry.name.as_str() {
                "AgreementDrafted" => Some(Force { position, term: None, out_from: None }),
                "AgreementSigned" | "AgreementResumed" | "AgreementRenewed" | "AgreementAmended" => {
                    in_force()
                }
                "AgreementSuspended" | "AgreementCompleted" | "AgreementTerminated" => {
                    let out_from = Some(entry.text("out_of_force_from"));
                    Some(Force { position, out_from, ..last.unwrap() })
                }
                _ => None,
            });
        }
        forces
    }

    /// Goes through the log of grants, with what the agreement log says at each position beside it.
    fn prove(&self) -> Proved {
        let forces = self.forces();
        let mut proved = Proved { instructed: 0, held: 0 };
        let mut named: BTreeMap<String, String> = BTreeMap::new();
        let mut on_hold: BTreeSet<String> = BTreeSet::new();
        // Grant, agreement, position of the event that was the cause, how.
        let mut holds: BTreeSet<(String, String, u64, String)> = BTreeSet::new();
        for entry in &self.grants {
            let grant = entry.text("grant");
            match entry.name.as_str() {
                "BackingNamed" => drop(named.insert(grant, entry.text("agreement"))),
                "GrantHeld" => {
                    let cause = &entry.data()["cause"];
                    if cause["kind"] == "backing_lost" {
                        let of = |name: &str| cause[name].as_str().unwrap().to_owned();
                        let position = cause["agreement_position"].as_u64().unwrap();
                        let new = holds.insert((grant.clone(), of("agreement"), position, of("how")));
                        assert!(new, "{grant} was held twice for one loss, at {}", entry.position);
                        proved.held += 1;
                    }
                    on_hold.insert(grant);
                }
                "GrantResumed" => drop(on_hold.remove(&grant)),
                "TrancheRequested" | "TrancheAuthorised" | "TrancheInstructed" => {
                    assert!(!on_hold.contains(&grant), "{} on hold: {}", entry.name, entry.document);
                    let under = &entry.data()["backing"];
                    match named.get(&grant) {
                        Some(agreement) if entry.name == "TrancheInstructed" => {
                            self.is_backed(entry, agreement, &forces[agreement]);
                            proved.instructed += 1;
                        }
                        _ => assert!(under.is_null(), "{}", entry.document),
                    }
                }
                _ => {}
            }
        }
        // Every agreement that was terminated has its grants held for it.
        for entry in self.agreements.iter().filter(|entry| entry.name == "AgreementTerminated") {
            let ended = |grant: &str| {
                let mut ends = self.grants_named("GrantWithdrawn").chain(self.grants_named("GrantRejected"));
                ends.any(|end| end.text("grant") == *grant)
            };
            for (grant, agreement) in &named {
                if *agreement == entry.text("agreement") && !ended(grant) {
                    let hold = (grant.clone(), agreement.clone(), entry.position, "terminated".to_owned());
                    assert!(holds.contains(&hold), "{hold:?} is not in the log");
                }
            }
        }
        proved
    }

    /// An instruction under an agreement names what the agreement log says.
    fn is_backed(&self, entry: &Entry, agreement: &str, forces: &[Force]) {
        let under = &entry.data()["backing"];
        assert_eq!(under["agreement"], agreement, "{}", entry.document);
        let position = under["position"].as_u64().unwrap();
        let verified = under["verified_position"].as_u64().unwrap();
        assert!(verified <= self.agreements.len() as u64, "nobody has stated {verified} yet");
        // What it names is the newest word on the agreement up to where the log was verified.
        let known_up_to = position.max(verified);
        let force = forces.iter().rfind(|force| force.position <= known_up_to).unwrap();
        assert_eq!(force.position, position, "an older word than there was: {}", entry.document);
        assert!(force.holds_on(&entry.on), "{force:?} does not hold on {}: {}", entry.on, entry.document);
        // Both are RFC 3339 in UTC; their seconds have one length.
        let [verified_at, recorded_at] = [&under["verified_at"], &entry.document["time"]];
        let second = |time: &Value| time.as_str().unwrap()[..19].to_owned();
        assert!(second(verified_at) <= second(recorded_at), "{verified_at} is after {recorded_at}");
    }
}
