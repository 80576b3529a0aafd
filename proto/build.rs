//! Compiles the protos with protox, so that no protoc is needed, and keeps the descriptor set for server reflection.
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "concord/type/v1/type.proto",
        "concord/log/v1/log.proto",
        "concord/fund/v1/programme.proto",
        "concord/fund/v1/closing.proto",
        "concord/fund/v1/grant.proto",
        "concord/fund/v1/matching.proto",
        "concord/fund/v1/spending.proto",
        "concord/fund/v1/recovery.proto",
        "concord/fund/v1/rectification.proto",
        "concord/agreement/v1/party.proto",
        "concord/agreement/v1/agreement.proto",
        "concord/audit/v1/funding_audit.proto",
        "concord/audit/v1/findings.proto",
    ];
    for file in files {
        println!("cargo:rerun-if-changed={file}");
    }
    let descriptors = protox::compile(files, ["."])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("concord_descriptor.bin"), prost::Message::encode_to_vec(&descriptors))?;
    // Events are handed on as they are: no copy on the way out or in.
    tonic_prost_build::configure()
        .codec_path("crate::codec::Codec")
        .bytes(".concord.log.v1.RecordedEvent.cloud_event")
        .compile_fds(descriptors)?;
    Ok(())
}
