//! Who may import whom (ARCHITECTURE.md, "Where things are"), read from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What each crate of ours may depend on. The command line runs every service, so it may see all but the tests.
fn allowed(name: &str) -> Option<&'static [&'static str]> {
    const SERVICE: &[&str] = &["concord-chassis", "concord-events", "concord-kernel", "concord-proto"];
    match name {
        "concord-proto" | "concord-kernel" => Some(&[]),
        "concord-events" => Some(&["concord-kernel"]),
        "concord-chassis" => Some(&["concord-kernel", "concord-proto"]),
        "concord-tests" => Some(&["concord-proto"]),
        "concord-bench" => Some(&["concord-proto", "concord-tests"]),
        "concord-cli" => None,
        _ => Some(SERVICE),
    }
}

#[test]
fn no_crate_imports_what_it_must_not_know() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--locked"])
        .current_dir(concord_tests::stack::repository())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut ours: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let names = dependencies.map(|one| one["name"].as_str().unwrap().to_owned());
        ours.insert(
            package["name"].as_str().unwrap().to_owned(),
            names.filter(|name| name.starts_with("concord-")).collect(),
        );
    }
    assert!(ours.len() >= 8, "the workspace lost crates: {:?}", ours.keys());
    for (name, dependencies) in &ours {
        let Some(allowed) = allowed(name) else {
            continue;
        };
        let forbidden: Vec<&String> =
            dependencies.iter().filter(|dependency| !allowed.contains(&dependency.as_str())).collect();
        assert!(forbidden.is_empty(), "{name} must not depend on {forbidden:?}");
    }
}
