//! Compiles the contract without `protoc`.

use std::error::Error;
use std::path::PathBuf;

use prost::Message as _;

const FILES: [&str; 5] = [
    "switchboard/admin/v1/admin.proto",
    "switchboard/channels/v1/channels.proto",
    "switchboard/contacts/v1/contacts.proto",
    "switchboard/inbox/v1/inbox.proto",
    "switchboard/routing/v1/routing.proto",
];

#[expect(
    clippy::disallowed_methods,
    reason = "a build script is configured by its environment"
)]
fn main() -> Result<(), Box<dyn Error>> {
    let root = "../../proto";
    println!("cargo::rerun-if-changed={root}");
    let descriptors = protox::compile(FILES, [root])?;
    let out_dir = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out_dir.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        // A generated `connect` constructor would collide with ChannelBridge.Connect.
        .build_transport(false)
        // The same message is the same bytes, by which a repeated call is known.
        .btree_map(".")
        .compile_fds(descriptors)?;
    Ok(())
}
