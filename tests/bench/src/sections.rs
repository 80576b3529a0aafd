//! What is measured, one file a section.

mod bulk;
mod catchup;
mod cqrs_es;
mod growth;
mod grpc;
mod hot;
mod pgbench;
mod reaction;
mod readlog;
mod relay;

use crate::bench::Bench;
use crate::figures::Round;
use crate::options::Section;
use anyhow::Result;

/// Runs one section of a round.
pub(crate) async fn run(section: Section, bench: &mut Bench, round: &mut Round) -> Result<()> {
    match section {
        Section::Pgbench => pgbench::run(bench, round).await,
        Section::CqrsEs => cqrs_es::run(bench, round).await,
        Section::Grpc => grpc::with_all(bench, round).await,
        Section::GrpcAlone => grpc::alone(bench, round).await,
        Section::Hot => hot::run(bench, round).await,
        Section::Growth => growth::run(bench, round).await,
        Section::ReadLog => readlog::run(bench, round).await,
        Section::CatchUp => {
            catchup::run(bench, round).await?;
            relay::run(bench, round).await
        }
        Section::Bulk => bulk::run(bench, round).await,
        Section::Reaction => reaction::run(bench, round).await,
    }
}
