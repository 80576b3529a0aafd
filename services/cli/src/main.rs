//! The `concord` binary: hands its arguments to the library and ends with its exit code.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    concord_cli::run(std::env::args_os()).await
}
