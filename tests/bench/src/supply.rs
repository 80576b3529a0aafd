//! Grants that are ready for the load: imported and their payees verified, over the bulk stream.

use crate::awards::Award;
use crate::client::{CHUNK_COMMANDS, Chunk, Client};
use crate::load::{Lane, Lanes};
use crate::payments::{Grant, STEPS, by, verify_payee};
use anyhow::Result;
use concord_proto::fund::v1::BulkCommand;
use concord_proto::fund::v1::bulk_command::Command;
use concord_tests::desk::CLERK;
use std::rc::Rc;

/// The grants of one service.
pub(crate) struct Supply {
    awards: Rc<[Award]>,
    /// Awards imported so far; each can be imported again as another grant.
    imported: usize,
    ready: Vec<Grant>,
}

impl Supply {
    /// Imports from these awards.
    pub(crate) fn new(awards: Vec<Award>) -> Self {
        Self { awards: awards.into(), imported: 0, ready: Vec::new() }
    }

    /// The same awards for a service that has none of them.
    pub(crate) fn for_another_service(&self) -> Self {
        Self { awards: self.awards.clone(), imported: 0, ready: Vec::new() }
    }

    /// Grants for so many commands, importing what is missing, as lanes of a load. At least `lanes` of them.
    pub(crate) async fn lanes(
        &mut self,
        client: &mut Client,
        commands: usize,
        lanes: usize,
    ) -> Result<Lanes> {
        let grants = self.take(client, commands, lanes).await?;
        Ok(Lanes::new(grants.into_iter().map(Lane::of)))
    }

    /// The same as chunks of the bulk stream.
    pub(crate) async fn chunks(&mut self, client: &mut Client, commands: usize) -> Result<Vec<Chunk>> {
        let grants = self.take(client, commands, 1).await?;
        let commands: Vec<_> = grants.into_iter().flat_map(Grant::steps).map(|step| step.bulk()).collect();
        Ok(commands.chunks(CHUNK_COMMANDS).map(|chunk| Chunk::of(chunk.to_vec())).collect())
    }

    /// Takes back what a load has left over.
    pub(crate) fn give_back(&mut self, lanes: &Lanes) {
        self.ready.extend(lanes.grants());
    }

    /// The commands that import one more award as this grant, for another service.
    pub(crate) fn import_of(&self, grant: Grant) -> [BulkCommand; 2] {
        import(&self.awards[self.imported % self.awards.len()], grant)
    }

    async fn take(&mut self, client: &mut Client, commands: usize, lanes: usize) -> Result<Vec<Grant>> {
        let (mut grants, mut found) = (Vec::new(), 0);
        // The newest first: they are in the service's cache, as the grants that an office works on are.
        while found < commands || grants.len() < lanes {
            let Some(grant) = self.ready.pop() else {
                let missing = commands.saturating_sub(found).div_ceil(STEPS as usize);
                self.import(client, missing.max(lanes.saturating_sub(grants.len()))).await?;
                continue;
            };
            found += (STEPS - grant.step) as usize;
            grants.push(grant);
        }
        Ok(grants)
    }

    async fn import(&mut self, client: &mut Client, count: usize) -> Result<()> {
        let grants: Vec<Grant> = (0..count).map(|_| Grant::new()).collect();
        let awards = self.awards.iter().cycle().skip(self.imported % self.awards.len());
        let mut commands = awards.zip(&grants).flat_map(|(award, grant)| import(award, *grant));
        let chunks = std::iter::from_fn(|| {
            let chunk: Vec<_> = commands.by_ref().take(CHUNK_COMMANDS).collect();
            (!chunk.is_empty()).then(|| Chunk::of(chunk))
        });
        client.bulk(chunks).await?;
        self.imported += count;
        self.ready.extend(grants);
        Ok(())
    }
}

/// The account is verified at once: nothing can be paid without.
fn import(award: &Award, grant: Grant) -> [BulkCommand; 2] {
    [by(CLERK, Command::ImportAward(award.import(grant.id))), verify_payee(grant.id)]
}
