//! How an admission is filed with its lead 档案, and what the lead's other grants say to it (A04, A11): those of all ids that
//! the lead has had. It is filed under the id that the grant names; nothing is moved when two leads turn out to be one.

use super::{Grant, Project, Stage, procedure::ProcedureCommand};
use crate::{
    party,
    party_file::PartyFile,
    refusal::{Ruling, happens_under},
    rules,
    view::{self, Case},
};
use concord_chassis::log::Stop;
use concord_events::fund::{Filed, FundEvent};
use concord_kernel::{
    fingerprint::Fingerprint,
    id::{PartyFileId, PartyRecordId},
    party::PartyId,
};

/// How an admission is filed, and what the lead's files say of others (A04, A11). `None` for other commands, and where it was
/// admitted.
pub(super) struct Filing<'v> {
    filed: Filed,
    files: Vec<&'v PartyFile>,
}

impl<'v> Filing<'v> {
    pub(super) fn of(
        case: &Case<'_, 'v>,
        grant: &Grant,
        command: &ProcedureCommand,
    ) -> Result<Option<Self>, Stop> {
        let (ProcedureCommand::Admit, Stage::Recommended(_)) = (command, &grant.stage) else {
            return Ok(None);
        };
        let Project { title, lead, industry, .. } = &*grant.project;
        let (file, record) = (PartyFileId::of(lead.party), PartyRecordId::of(lead.party));
        case.states.prefetch([grant.programme.stream(), file.stream(), record.stream()])?;
        let filed = Filed {
            lead: lead.party,
            fingerprint: Fingerprint::of(lead.party, title, *industry),
            fund: view::programme(case, grant.programme)?.fund.clone(),
            directory: party::directory(case.context),
        };
        let files = party::files(case, lead.party, case.context.effective_on)?;
        Ok(Some(Self { filed, files }))
    }

    /// The admission, unless the project is funded already or the lead has an acceptance overdue.
    pub(super) fn admit(&self, case: &Case<'_, '_>, grant: &Grant) -> Ruling {
        let on = case.context.effective_on;
        happens_under(
            [
                rules::a04_funded_already(case.rulebook, &self.files, grant, &self.filed.fund, on),
                rules::a11_acceptance_overdue(&self.files, on),
            ],
            FundEvent::GrantAdmitted { grant: grant.id, filed: Some(self.filed.clone()) },
        )
    }
}

/// The lead, in whose file the grant is once it was admitted.
pub(super) fn filed_lead(grant: &Grant) -> Option<PartyId> {
    let admitted = matches!(grant.stage, Stage::Admitted(_)) || grant.stage.review().is_some();
    admitted.then_some(grant.project.lead.party)
}
