//! The `fund-grant` service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    concord_fund_grant::run()
}
