//! `concord demo` on the excerpt that comes with the repository: it shows a finding of every rule and no exception to any, and
//! it comes to the same end however often it was cut off on its way.

use concord_tests::desk::Desk;
use concord_tests::record::eventually;
use concord_tests::stack::{Stack, repository};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

fn demo(stack: &Stack) -> Command {
    let mut command = stack.command();
    command
        .args(["demo", "--data"])
        .arg(repository().join("tests/data/h2020-excerpt.csv"))
        .stdin(Stdio::null());
    command
}

/// Rules by which something is found in the excerpt's lives and in the fresh applications.
const FINDING: &str = "A03 A04 A06 A07 A09 A10 A11 A12 A16 A17 A18";

/// Runs it to its end and returns its last line.
fn to_the_end(stack: &Stack) -> String {
    let said = told(stack);
    said.lines().last().unwrap().to_owned()
}

/// Runs it to its end and returns all that it printed.
fn told(stack: &Stack) -> String {
    let output = demo(stack).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// What follows a label that stands at the beginning of a line.
fn labelled<'a>(said: &'a str, label: &str) -> &'a str {
    let labelled = said.lines().find_map(|line| line.strip_prefix(label));
    labelled.unwrap_or_else(|| panic!("no line begins with {label:?}: {said}"))
}

/// Every rule that finds has found something, made-up facts are labelled, and every rule that stops a command has held.
fn check_what_was_found(said: &str) {
    assert_eq!(labelled(said, "rules that found something 有发现的规则: "), FINDING);
    let (_, of_rules) = said.split_once("findings by rule 审计发现").unwrap();
    let (of_rules, _) = of_rules.split_once("rules that found something").unwrap();
    for rule in ["A03", "A06", "A09", "A10", "A12", "A16"] {
        let line = of_rules.lines().find(|line| line.trim_start().starts_with(rule) && line.contains("EUR"));
        assert!(line.is_some_and(|line| line.contains("模拟")), "{rule} is about made-up facts: {of_rules}");
    }
    let (_, waited) = said.split_once("how long an answer takes 查询用时").unwrap();
    for rule in FINDING.split_whitespace() {
        assert!(
            waited.contains(&format!(" {rule} of one grant")),
            "{rule} was not asked of one grant: {waited}"
        );
    }
    let held = labelled(said, "no exception in ");
    let tests: u64 = held.split_whitespace().next().unwrap().parse().unwrap();
    assert!(tests >= 20, "{held}");
}

/// Kills the whole process group once the log has so many events. Its servers may go on as orphans.
async fn cut_off_at(stack: &Stack, events: u64) {
    let log = File::create(stack.dir().join("demo.log")).unwrap();
    let services = stack.dir().join("demo/run/services.json");
    let _ = std::fs::remove_file(&services);
    let mut child: Child =
        demo(stack).stdout(log.try_clone().unwrap()).stderr(log).process_group(0).spawn().unwrap();
    let reached = eventually("the demo has come so far", async || {
        if let Some(status) = child.try_wait().unwrap() {
            panic!(
                "it ended too soon, with {status}: {}",
                std::fs::read_to_string(stack.dir().join("demo.log")).unwrap()
            );
        }
        let desk = Desk::of(&services).await.ok()?;
        (desk.status().await.ok()?.head >= events).then_some(())
    })
    .await;
    killpg(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
    child.wait().unwrap();
    reached.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_ends_the_same_however_often_it_was_cut_off() {
    let whole = Stack::stopped().unwrap();
    let said = tokio::task::block_in_place(|| told(&whole));
    check_what_was_found(&said);
    let expected = said.lines().last().unwrap().to_owned();
    assert!(expected.starts_with("demo ok: "), "{expected}");
    assert!(expected.ends_with(", ledger balanced"), "{expected}");
    let events: u64 =
        expected.split("checkpoint = ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    assert!(events > 1_000, "{expected}");

    let cut = Stack::stopped().unwrap();
    cut_off_at(&cut, events / 10).await;
    cut_off_at(&cut, events / 2).await;
    assert_eq!(tokio::task::block_in_place(|| to_the_end(&cut)), expected, "after two interruptions");
    assert_eq!(tokio::task::block_in_place(|| to_the_end(&cut)), expected, "and once more");
}
