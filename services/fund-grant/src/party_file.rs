//! What the fund keeps of a leading party 牵头单位档案 over all its grants: which projects are live or were of late (A04), and
//! which final acceptances are due (A11).
//!
//! ```text
//!  GrantAdmitted, AwardImported
//!  ──────────────────▶ live ──── GrantClosed, GrantTerminated, GrantCancelled ───▶ ended: cools for the rulebook's years
//!                       │
//!                       └─────── GrantRejected, GrantWithdrawn ──────────────────▶ (forgotten)
//! ```
//!
//! Nobody commands it: it is folded from its grants' events, so that a decision on one of them weighs the others. A lead may
//! have thousands, and each import touches its file: copies of it share what they have in common, and nothing in it is searched
//! from one end to the other.

use concord_chassis::log::Meta;
use concord_events::fund::{AcceptanceOutcome, Filed, FundEvent};
use concord_kernel::{
    Date,
    fingerprint::Fingerprint,
    id::{GrantId, PartyFileId},
    party::PartyId,
};
use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A lead's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub struct PartyFile {
    /// The lead.
    pub lead: PartyId,
    /// Funds that its grants are of, each once: entries name them by their place.
    pub funds: Vec<String>,
    /// Its grants. Those rejected or withdrawn are left out.
    entries: RedBlackTreeMapSync<GrantId, Entry>,
    /// The same by their projects, and of one project in the order in which they were filed.
    projects: RedBlackTreeSetSync<(Fingerprint, u64, GrantId)>,
    /// Final acceptances that are due, by their days. Each approval asks whether one is overdue, and most entries have none.
    due: RedBlackTreeSetSync<(Date, GrantId)>,
}

/// A grant in its lead's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The grant.
    pub grant: GrantId,
    /// Its project.
    pub fingerprint: Fingerprint,
    /// Position of the event that filed it.
    pub filed_at: u64,
    /// Place of its fund in the file.
    pub fund: usize,
    /// When it was closed, terminated or cancelled; `None` while it is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_on: Option<Date>,
    /// Day by which its final acceptance is due, while it is not concluded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<Date>,
    /// Whether it came from another system: A11 exempts it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub migrated: bool,
}

/// A file as a snapshot has it: the entries, from which the rest follows.
#[derive(Serialize, Deserialize)]
struct Kept {
    lead: PartyId,
    funds: Vec<String>,
    entries: Vec<Entry>,
}

impl From<PartyFile> for Kept {
    fn from(file: PartyFile) -> Self {
        Self { lead: file.lead, entries: file.entries.values().copied().collect(), funds: file.funds }
    }
}

impl From<Kept> for PartyFile {
    fn from(kept: Kept) -> Self {
        let mut file = Self::empty(kept.lead);
        file.funds = kept.funds;
        for entry in kept.entries {
            file.put(entry);
        }
        file
    }
}

impl PartyFile {
    fn empty(lead: PartyId) -> Self {
        let (entries, projects, due) =
            (RedBlackTreeMapSync::default(), RedBlackTreeSetSync::default(), RedBlackTreeSetSync::default());
        Self { lead, funds: Vec::new(), entries, projects, due }
    }

    /// Id of the file of this lead.
    #[must_use]
    pub fn id(&self) -> PartyFileId {
        PartyFileId::of(self.lead)
    }

    /// Rough size in memory, in bytes, for the cache's bound.
    pub(crate) fn weight(&self) -> usize {
        256 + 64 * self.funds.len() + 320 * self.entries.size() + 96 * self.due.size()
    }

    /// The fund of an entry.
    #[must_use]
    pub fn fund_of(&self, entry: &Entry) -> &str {
        self.funds.get(entry.fund).map_or("", String::as_str)
    }

    /// Other grants of the same project, told by any of these fingerprints, in the order in which they were filed under each.
    pub fn same_project(&self, grant: GrantId, project: [Fingerprint; 2]) -> impl Iterator<Item = &Entry> {
        let [first, second] = project;
        let both = std::iter::once(first).chain((second != first).then_some(second));
        let all = both.flat_map(|fingerprint| {
            let first = (fingerprint, 0, GrantId(Uuid::nil()));
            let last = (fingerprint, u64::MAX, GrantId(Uuid::max()));
            self.projects.range(first..=last)
        });
        let entries = all.filter_map(|(_, _, grant)| self.entries.get(grant));
        entries.filter(move |entry| entry.grant != grant)
    }

    /// Grants whose final acceptance was due before a day, the longest ago first. Migrated ones took their steps elsewhere.
    pub fn overdue(&self, on: Date) -> impl Iterator<Item = (GrantId, Date)> {
        self.due.iter().take_while(move |(due_on, _)| *due_on < on).map(|(due_on, grant)| (*grant, *due_on))
    }

    /// The file that an event opens, if it opens one.
    pub(crate) fn opened_by(event: &FundEvent, meta: &Meta<'_>) -> Option<Self> {
        let lead = match event {
            FundEvent::GrantAdmitted { filed: Some(filed), .. } => filed.lead,
            FundEvent::AwardImported { lead, .. } => lead.party,
            _ => return None,
        };
        let mut file = Self::empty(lead);
        file.apply(event, meta);
        Some(file)
    }

    /// Folds an event.
    pub(crate) fn apply(&mut self, event: &FundEvent, meta: &Meta<'_>) {
        match event {
            FundEvent::GrantAdmitted { grant, filed: Some(Filed { fingerprint, fund, .. }) } => {
                self.enter(meta.position, *grant, *fingerprint, fund, false);
            }
            FundEvent::AwardImported { grant, fund, title, lead, industry, .. } => {
                let fingerprint = Fingerprint::of(lead.party, title, *industry);
                self.enter(meta.position, *grant, fingerprint, fund, true);
            }
            FundEvent::ContractSigned { grant, acceptance_due_on, .. } => {
                self.set_due(*grant, *acceptance_due_on);
            }
            FundEvent::ProjectExtended { grant, acceptance_due_on, .. } => {
                self.set_due(*grant, Some(*acceptance_due_on));
            }
            // What is sent back to be put right is not concluded.
            FundEvent::FinalAcceptanceConcluded { outcome: AcceptanceOutcome::Rectify { .. }, .. } => {}
            FundEvent::FinalAcceptanceConcluded { grant, .. } => self.set_due(*grant, None),
            FundEvent::GrantClosed { grant, .. }
            | FundEvent::GrantTerminated { grant, .. }
            | FundEvent::GrantCancelled { grant, .. } => {
                if let Some(entry) = self.take(*grant) {
                    self.put(Entry { ended_on: Some(meta.effective_on), due_on: None, ..entry });
                }
            }
            FundEvent::GrantRejected { grant, .. } | FundEvent::GrantWithdrawn { grant, .. } => {
                self.take(*grant);
            }
            _ => {}
        }
    }

    fn enter(&mut self, filed_at: u64, grant: GrantId, fingerprint: Fingerprint, fund: &str, migrated: bool) {
        let place = self.funds.iter().position(|known| known == fund).unwrap_or_else(|| {
            self.funds.push(fund.to_owned());
            self.funds.len() - 1
        });
        // An admission follows an admission only where the first came to nothing.
        self.take(grant);
        self.put(Entry { grant, fingerprint, filed_at, fund: place, ended_on: None, due_on: None, migrated });
    }

    /// Sets the day by which a grant's final acceptance is due; `None` once none is. A grant that was admitted before there were
    /// files is in none.
    fn set_due(&mut self, grant: GrantId, on: Option<Date>) {
        if let Some(entry) = self.take(grant) {
            self.put(Entry { due_on: on.filter(|_| !entry.migrated), ..entry });
        }
    }

    fn take(&mut self, grant: GrantId) -> Option<Entry> {
        let entry = *self.entries.get(&grant)?;
        self.entries.remove_mut(&grant);
        self.projects.remove_mut(&(entry.fingerprint, entry.filed_at, grant));
        if let Some(due_on) = entry.due_on {
            self.due.remove_mut(&(due_on, grant));
        }
        Some(entry)
    }

    fn put(&mut self, entry: Entry) {
        self.projects.insert_mut((entry.fingerprint, entry.filed_at, entry.grant));
        if let Some(due_on) = entry.due_on {
            self.due.insert_mut((due_on, entry.grant));
        }
        self.entries.insert_mut(entry.grant, entry);
    }
}
