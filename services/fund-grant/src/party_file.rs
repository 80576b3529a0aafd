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
//! have thousands, and each import touches its file: an entry is small, and folding one looks at no other state.

use concord_chassis::log::Meta;
use concord_events::fund::{AcceptanceOutcome, Filed, FundEvent};
use concord_kernel::{
    Date,
    fingerprint::Fingerprint,
    id::{GrantId, PartyFileId},
    party::PartyId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A lead's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyFile {
    /// The lead.
    pub lead: PartyId,
    /// Funds that its grants are of, each once: entries name them by their place.
    pub funds: Vec<String>,
    /// Its grants, in the order in which they were filed. Those rejected or withdrawn are left out.
    pub entries: Vec<Entry>,
    /// Final acceptances that are due, by their days. Each approval asks whether one is overdue, and most entries have none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    due: BTreeSet<(Date, GrantId)>,
}

/// A grant in its lead's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The grant.
    pub grant: GrantId,
    /// Its project.
    pub fingerprint: Fingerprint,
    /// Place of its fund in the file.
    pub fund: usize,
    /// When it was closed, terminated or cancelled; `None` while it is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_on: Option<Date>,
    /// Whether it came from another system: A11 exempts it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub migrated: bool,
}

impl PartyFile {
    /// Id of the file of this lead.
    #[must_use]
    pub fn id(&self) -> PartyFileId {
        PartyFileId::of(self.lead)
    }

    /// Rough size in memory, in bytes, for the cache's bound.
    pub(crate) fn weight(&self) -> usize {
        256 + 64 * (self.funds.len() + self.entries.len()) + 32 * self.due.len()
    }

    /// The fund of an entry.
    #[must_use]
    pub fn fund_of(&self, entry: &Entry) -> &str {
        self.funds.get(entry.fund).map_or("", String::as_str)
    }

    /// Other grants of the same project, told by any of these fingerprints.
    pub fn same_project(&self, grant: GrantId, project: [Fingerprint; 2]) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| project.contains(&entry.fingerprint) && entry.grant != grant)
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
        let mut file = Self { lead, funds: Vec::new(), entries: Vec::new(), due: BTreeSet::new() };
        file.apply(event, meta);
        Some(file)
    }

    /// Folds an event.
    pub(crate) fn apply(&mut self, event: &FundEvent, meta: &Meta<'_>) {
        match event {
            FundEvent::GrantAdmitted { grant, filed: Some(Filed { fingerprint, fund, .. }) } => {
                self.enter(*grant, *fingerprint, fund, false);
            }
            FundEvent::AwardImported { grant, fund, title, lead, industry, .. } => {
                self.enter(*grant, Fingerprint::of(lead.party, title, *industry), fund, true);
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
                if let Some(entry) = self.entries.iter_mut().find(|entry| entry.grant == *grant) {
                    entry.ended_on = Some(meta.effective_on);
                }
                self.set_due(*grant, None);
            }
            FundEvent::GrantRejected { grant, .. } | FundEvent::GrantWithdrawn { grant, .. } => {
                self.entries.retain(|entry| entry.grant != *grant);
                self.set_due(*grant, None);
            }
            _ => {}
        }
    }

    fn enter(&mut self, grant: GrantId, fingerprint: Fingerprint, fund: &str, migrated: bool) {
        let place = self.funds.iter().position(|known| known == fund).unwrap_or_else(|| {
            self.funds.push(fund.to_owned());
            self.funds.len() - 1
        });
        self.entries.push(Entry { grant, fingerprint, fund: place, ended_on: None, migrated });
    }

    /// Sets the day by which a grant's final acceptance is due; `None` once none is. A grant that was admitted before there were
    /// files is in none.
    fn set_due(&mut self, grant: GrantId, on: Option<Date>) {
        self.due.retain(|(_, known)| *known != grant);
        let counts = |entry: &Entry| entry.grant == grant && !entry.migrated;
        self.due.extend(on.filter(|_| self.entries.iter().any(counts)).map(|on| (on, grant)));
    }
}
