//! The `funding-audit` service as a process of its own.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    concord_chassis::service::main("funding-audit", |settings, shutdown| async move {
        concord_funding_audit::start(&settings, shutdown).await
    })
}
