//! Concord's gRPC interface: messages, clients and servers, one module a proto package.
//!
//! The protos beside this crate are the source. Their comments say what a field means and in which unit.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated code; the protos carry the documentation"
)]

pub mod amount;
pub mod codec;

/// `concord.type.v1`: values shared by every service.
pub mod r#type {
    pub mod v1 {
        tonic::include_proto!("concord.r#type.v1");
    }
}
/// `concord.log.v1`: the log of a service.
pub mod log {
    pub mod v1 {
        tonic::include_proto!("concord.log.v1");
    }
}
/// `concord.fund.v1`: programmes and grants.
pub mod fund {
    pub mod v1 {
        tonic::include_proto!("concord.fund.v1");
    }
}
/// `concord.agreement.v1`: agreements, and the directory of parties.
pub mod agreement {
    pub mod v1 {
        tonic::include_proto!("concord.agreement.v1");
    }
}
/// `concord.audit.v1`: the funding audit.
pub mod audit {
    pub mod v1 {
        tonic::include_proto!("concord.audit.v1");
    }
}

/// All protos as a serialized `FileDescriptorSet`, for server reflection.
pub const DESCRIPTORS: &[u8] = tonic::include_file_descriptor_set!("concord_descriptor");
