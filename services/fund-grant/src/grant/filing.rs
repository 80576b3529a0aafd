//! How an admission is filed with its lead 档案, and what the lead's other grants say to it (A04, A11).

use super::{Grant, Project, Stage, procedure::ProcedureCommand};
use crate::{
    party_file::PartyFile,
    refusal::{Ruling, happens_under},
    rules,
    view::{self, Case},
};
use concord_chassis::log::Stop;
use concord_events::fund::{Filed, FundEvent};
use concord_kernel::{fingerprint::Fingerprint, id::PartyFileId, party::PartyId};

/// How an admission is filed, and what the lead's file says of others (A04, A11). `None` for other commands, and where it was
/// admitted.
pub(super) struct Filing<'v> {
    filed: Filed,
    /// What was filed before look-alikes were folded has the fingerprint of its first form.
    first_form: Fingerprint,
    file: Option<&'v PartyFile>,
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
        case.states.prefetch([grant.programme.stream(), PartyFileId::of(lead.party).stream()])?;
        let filed = Filed {
            lead: lead.party,
            fingerprint: Fingerprint::of(lead.party, title, *industry),
            fund: view::programme(case, grant.programme)?.fund.clone(),
        };
        let first_form = Fingerprint::first_form(lead.party, title, *industry);
        Ok(Some(Self { filed, first_form, file: view::party_file(case, lead.party)? }))
    }

    /// The admission, unless the project is funded already or the lead has an acceptance overdue.
    pub(super) fn admit(&self, case: &Case<'_, '_>, grant: &Grant) -> Ruling {
        let on = case.context.effective_on;
        let project = [self.filed.fingerprint, self.first_form];
        happens_under(
            [
                rules::a04_funded_already(
                    case.rulebook,
                    self.file,
                    grant.id,
                    (&self.filed.fund, project),
                    on,
                ),
                rules::a11_acceptance_overdue(self.file, on),
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
