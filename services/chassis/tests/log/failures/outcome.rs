//! Commits whose outcome the writer cannot know. It writes the identical bytes at the identical positions again, and
//! decides nothing before that is answered.

use crate::fixture::{Command, Replica, World, code, submit, until};
use crate::proxy::Proxy;
use concord_chassis::log::{CommandError, LogService, Receipt};
use concord_proto::log::v1::{GetLogStatusRequest, log_service_server::LogService as _};
use concord_test_servers::Frozen;
use futures::future::join_all;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tonic::Request;
use uuid::Uuid;

async fn commits_whose_outcome_is_lost(replicas: usize) {
    let world = World::new().await;
    let proxy = Proxy::disturbing(&world.socket_directory());
    let accounts = world.replica().await.open(3, 1000).await;
    let replicas = join_all((0..replicas).map(|_| world.replica_behind(&proxy))).await;
    let receipts = join_all((0..8).map(async |task| {
        let mut receipts = Vec::new();
        for turn in 0..6 {
            let replica = &replicas[task % replicas.len()];
            let (from, to) = (accounts[(task + turn) % 3], accounts[task % 3]);
            receipts.push(replica.run(Command::Transfer(from, to, 1)).await.unwrap());
            receipts.push(replica.run(Command::Deposit(from, 0)).await.unwrap());
            assert_eq!(code(&replica.run(Command::Spend(from, 1_000_000)).await), "OVERDRAWN");
        }
        receipts
    }))
    .await;
    assert!(proxy.commits() > 8, "{} commits went through the proxy", proxy.commits());
    let events = world.audited().await;
    assert_eq!(events.len(), 6 + 8 * 6);
    for receipt in receipts.iter().flatten().filter(|receipt| receipt.first_position > 0) {
        let stored = &events[receipt.first_position as usize - 1];
        assert_eq!(receipt.leaf_hashes, [stored.leaf_hash()]);
    }
    for replica in &replicas {
        world.check(replica).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_outcome_is_lost_is_written_once() {
    commits_whose_outcome_is_lost(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_outcome_is_lost_under_contention_is_written_once() {
    commits_whose_outcome_is_lost(3).await;
}

/// A replica behind a proxy, its backend, and an account with 10.
struct Scene {
    world: World,
    proxy: Proxy,
    replica: Replica,
    account: Uuid,
    backend: i32,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let proxy = Proxy::calm(&world.socket_directory());
        let replica = world.replica_behind(&proxy).await;
        let account = replica.open(1, 10).await[0];
        let backend = world.writer_pids().await[0];
        Self { world, proxy, replica, account, backend }
    }

    /// Spends 7 of the 10, and beside it lets happen what happens once its batch lies unread in the backend's socket.
    async fn spend_while<T>(
        &self,
        cut_off: bool,
        happens: impl AsyncFnOnce(Frozen) -> T,
    ) -> (Result<Receipt, CommandError>, T) {
        let frozen = self.proxy.freeze_with_next_batch(self.backend, cut_off);
        tokio::join!(self.replica.run(Command::Spend(self.account, 7)), async {
            happens(frozen.await.unwrap()).await
        })
    }

    /// The backend has read what it had, and has found that nobody waits for the answer.
    async fn thaw(&self, frozen: Frozen) {
        frozen.thaw();
        self.world.backend_ended(self.backend).await;
    }

    /// The log ends there, and the replica agrees with it.
    async fn ends_at(&self, head: u64, balance: i64) {
        assert_eq!(self.world.audited().await.len() as u64, head);
        assert_eq!(self.replica.balance(self.account).await, balance);
        self.world.check(&self.replica).await;
        // It is the replica's head too: its next event is the next of the log.
        assert_eq!(
            self.replica.run(Command::Deposit(self.account, 1)).await.unwrap().last_position,
            head + 1
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_backend_thawed_after_its_batch_was_written_again_adds_nothing() {
    let scene = Scene::new().await;
    let (receipt, frozen) = scene.spend_while(true, async |frozen| frozen).await;
    assert_eq!(receipt.unwrap().last_position, 3);
    scene.thaw(frozen).await;
    scene.ends_at(3, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_a_frozen_backend_commits_before_it_is_written_again_is_there_once() {
    let scene = Scene::new().await;
    scene.proxy.hold_new_connections();
    let (receipt, ()) = scene
        .spend_while(true, async |frozen| {
            assert_eq!(scene.world.head().await, 2, "the batch lies unread");
            frozen.thaw();
            until(async || scene.world.head().await == 3).await;
            scene.proxy.let_through();
        })
        .await;
    let events = scene.world.audited().await;
    assert_eq!(receipt.unwrap().leaf_hashes, [events[2].leaf_hash()]);
    scene.ends_at(3, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_backend_thawed_after_another_replica_wrote_there_adds_nothing() {
    let scene = Scene::new().await;
    let other = scene.world.replica().await;
    scene.proxy.hold_new_connections();
    let (outcome, frozen) = scene
        .spend_while(true, async |frozen| {
            other.run(Command::Spend(scene.account, 8)).await.unwrap();
            scene.proxy.let_through();
            frozen
        })
        .await;
    // Decided again, on what the other had left.
    assert_eq!(code(&outcome), "OVERDRAWN");
    scene.thaw(frozen).await;
    scene.ends_at(3, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_falls_silent_is_given_up_and_its_batch_is_there_once() {
    let scene = Scene::new().await;
    // Nothing closes: without a bound of its own the writer would wait for as long as the backend is frozen.
    let (receipt, frozen) = scene.spend_while(false, async |frozen| frozen).await;
    assert_eq!(receipt.unwrap().last_position, 3);
    scene.thaw(frozen).await;
    scene.ends_at(3, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_frozen_while_nothing_is_committed_holds_nobody_up() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 10).await[0];
    let backend = world.writer_pids().await[0];
    // The idle writer looks at the log's end all the time, so that it is a read which is not answered.
    let frozen = Frozen::stop(backend);
    let soon = replica.log.execute(submit(Command::Spend(account, 1)), Duration::from_secs(1)).await;
    assert!(matches!(soon, Err(CommandError::Unavailable(_) | CommandError::OutcomeUnknown(_))), "{soon:?}");
    replica.run(Command::Spend(account, 7)).await.unwrap();
    frozen.thaw();
    world.backend_ended(backend).await;
    let spent = world.count("SELECT count(*) FROM requests").await - 2;
    assert_eq!(world.audited().await.len() as i64, 2 + spent);
    world.check(&replica).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_table_is_locked_the_writer_tries_again_and_leaves_no_backend_behind() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = replica.open(1, 10).await[0];
    let first = world.writer_pids().await;
    let hold = world.hold("requests").await;
    let spend = replica.run(Command::Spend(account, 7));
    let unlock = async {
        world.somebody_waits_for("requests").await;
        // The second try has begun, and the first has come to its end.
        until(async || {
            let now = world.writer_pids().await;
            now.len() == 1 && now != first
        })
        .await;
        world.somebody_waits_for("requests").await;
        hold.release().await;
    };
    let (receipt, ()) = tokio::join!(spend, unlock);
    assert_eq!(receipt.unwrap().last_position, 3);
    assert_eq!(world.audited().await.len(), 3);
    world.check(&replica).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_outcome_is_unknown_the_head_grows_old() {
    let scene = Scene::new().await;
    scene.proxy.hold_new_connections();
    let api = LogService::new(scene.replica.log.clone(), watch::channel(0).1);
    let status = async || {
        let said = api.get_log_status(Request::new(GetLogStatusRequest {})).await.unwrap().into_inner();
        (said.head, said.head_age_ms.map(Duration::from_millis))
    };
    let (receipt, committed) = scene
        .spend_while(true, async |frozen| {
            frozen.thaw();
            until(async || scene.world.head().await == 3).await;
            // The log ends at 3 from here on, and the replica that wrote it does not know.
            let committed = Instant::now();
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            let unseen = committed.elapsed();
            let (head, age) = status().await;
            assert_eq!(head, 2);
            assert!(age >= Some(unseen), "2 was the head {unseen:?} ago, and is called {age:?} old");
            scene.proxy.let_through();
            committed
        })
        .await;
    assert_eq!(receipt.unwrap().last_position, 3);
    // Once PostgreSQL can be seen again it confirms the head anew.
    until(async || {
        let (head, age) = status().await;
        head == 3 && age.is_some_and(|age| age < committed.elapsed())
    })
    .await;
}
