//! Compiles the service's own proto. In `proto/` this is a line of its `build.rs` and a module of its `lib.rs`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const OWN: &str = "concord/visit/v1/visit.proto";
    println!("cargo:rerun-if-changed=proto/{OWN}");
    let descriptors = protox::compile([OWN], ["proto", "../../proto"])?;
    // What every service shares is compiled already, in concord-proto.
    tonic_prost_build::configure()
        .codec_path("concord_proto::codec::Codec")
        .extern_path(".concord.type.v1", "::concord_proto::type::v1")
        .compile_fds(descriptors)?;
    Ok(())
}
