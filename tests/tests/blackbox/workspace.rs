//! Who may import whom (ARCHITECTURE.md, "Where things are"), read from `cargo metadata`; and who reacts to whom, read from the
//! code of each service.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What each crate of ours may depend on. The command line runs every service, so it may see all but the tests.
fn allowed(name: &str) -> Option<&'static [&'static str]> {
    const SERVICE: &[&str] =
        &["concord-chassis", "concord-events", "concord-kernel", "concord-proto", "concord-test-servers"];
    match name {
        "concord-proto" | "concord-kernel" | "concord-test-servers" => Some(&[]),
        "concord-events" => Some(&["concord-kernel"]),
        "concord-chassis" => Some(&["concord-kernel", "concord-proto", "concord-test-servers"]),
        "concord-tests" => Some(&["concord-proto"]),
        "concord-bench" => Some(&["concord-proto", "concord-tests"]),
        "concord-cli" => None,
        _ => Some(SERVICE),
    }
}

/// What cargo says of our crates.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--locked"])
        .current_dir(concord_tests::stack::repository())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn no_crate_imports_what_it_must_not_know() {
    let metadata = metadata();
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

/// All the code of a crate, without its tests.
fn code(dir: &Path) -> String {
    let mut code = String::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            code += &self::code(&path);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            code += &fs::read_to_string(path).unwrap();
        }
    }
    code
}

/// The values of a text constant in this code: a literal, or the name of another constant of the same crate.
fn constants<'c>(code: &'c str, name: &str) -> Vec<&'c str> {
    let declaration = format!("const {name}: &");
    let values = code.split(&declaration).skip(1).filter_map(|rest| {
        // `&'static str = "agreement";`
        let (declared, rest) = rest.split_once('=')?;
        declared.trim_end().ends_with("str").then(|| rest.split(';').next())?.map(str::trim)
    });
    let literal = |value: &'c str| match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
        Some(literal) => literal,
        None => match constants(code, value).as_slice() {
            [one] => one,
            other => panic!("{name} is {value}, which is {other:?} in its crate"),
        },
    };
    values.map(literal).collect()
}

/// The logs that nobody waits for in a circle: taken away one after the other, each once those it follows are gone. What is
/// left follows itself, by whatever detour.
fn in_a_circle(mut follows: BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    loop {
        let left: BTreeSet<String> = follows.keys().cloned().collect();
        follows.retain(|_, followed| !followed.is_disjoint(&left));
        if follows.len() == left.len() {
            return left;
        }
    }
}

/// log-protocol: the graph of who reacts to whom is acyclic. Else one command could go round for ever.
#[test]
fn no_log_reacts_to_itself_by_whatever_detour() {
    let mut follows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in metadata()["packages"].as_array().unwrap() {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let code = code(&manifest.with_file_name("src"));
        let is_the_chassis = package["name"] == "concord-chassis";
        let reacts = code.matches("impl ProcessManager for").count();
        if is_the_chassis {
            assert_eq!(reacts, 0, "the chassis knows no aggregate");
            continue;
        }
        let followed = constants(&code, "FOLLOWS");
        assert_eq!(followed.len(), reacts, "{manifest:?} says of each process manager what it follows");
        if code.contains("impl Domain for") {
            let [log] = constants(&code, "LOG")[..] else { panic!("{manifest:?} owns one log") };
            let started = code.matches(".follow(").count();
            assert_eq!(started, reacts, "{manifest:?} starts each of its process managers in one place");
            let followed = followed.into_iter().map(str::to_owned).collect();
            assert!(follows.insert(log.to_owned(), followed).is_none(), "{log} has two owners");
        } else {
            assert_eq!(reacts, 0, "{manifest:?} reacts, and has no log that its commands could go to");
        }
    }
    assert!(follows["fund-grant"].contains("agreement"), "the code is read amiss: {follows:?}");
    for followed in follows.values().flatten() {
        assert!(follows.contains_key(followed), "nobody owns the log {followed}: {follows:?}");
    }
    assert_eq!(in_a_circle(follows.clone()), BTreeSet::new(), "{follows:?}");

    // Were the agreements to react to grants, it would be seen.
    follows.entry("agreement".to_owned()).or_default().insert("fund-grant".to_owned());
    assert_eq!(in_a_circle(follows).len(), 2);
}
