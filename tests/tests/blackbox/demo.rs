//! `concord demo` on the excerpt that comes with the repository: the same end, however often it was cut off on its way.

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

/// Runs it to its end and returns its last line.
fn to_the_end(stack: &Stack) -> String {
    let output = demo(stack).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    said.lines().last().unwrap().to_owned()
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
    let expected = tokio::task::block_in_place(|| to_the_end(&whole));
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
