//! Callers that send one command after the other, and keep account of what they were told.

use crate::desk::Desk;
use crate::record::eventually;
use crate::requests::{id, is_passing};
use crate::stack::PATIENCE;
use anyhow::Result;
use concord_proto::r#type::v1::CommandReceipt;
use futures::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tonic::Status;

/// A request id, and what was answered.
pub type Sent = (String, Result<CommandReceipt, Status>);

/// Eight callers, each adding one fen after the other to a programme, until told to stop or cut off.
pub struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    callers: Vec<tokio::task::JoinHandle<Vec<Sent>>>,
}

impl Load {
    /// `insists`: a caller repeats a command until it is answered; else it gives up at the first fault.
    #[must_use]
    pub fn start(desk: &Desk, programme: &str, insists: bool) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let caller = || {
            let (desk, programme, stop, answered) =
                (desk.clone(), programme.to_owned(), stop.clone(), answered.clone());
            tokio::spawn(async move {
                let mut sent = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let request_id = id();
                    let answer = if insists {
                        desk.insist(&programme, &request_id).await
                    } else {
                        desk.supplement(&programme, &request_id, 1).await
                    };
                    let cut_off = answer.is_err();
                    sent.push((request_id, answer));
                    if cut_off {
                        break;
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                sent
            })
        };
        let callers = (0..8).map(|_| caller()).collect();
        Self { stop, answered, callers }
    }

    /// Waits until so many more commands have their receipts.
    pub async fn has_answers(&self, count: usize) -> Result<()> {
        let goal = self.answered.load(Ordering::Relaxed) + count;
        eventually("commands are answered", async || {
            (self.answered.load(Ordering::Relaxed) >= goal).then_some(())
        })
        .await
    }

    /// Stops, and tells all that was sent.
    pub async fn end(self) -> Result<Vec<Sent>> {
        self.stop.store(true, Ordering::Relaxed);
        let mut sent = Vec::new();
        for caller in join_all(self.callers).await {
            sent.extend(caller?);
        }
        Ok(sent)
    }
}

impl Desk {
    /// Adds one fen to a programme under this request id, again and again until there is an answer that is not about a
    /// passing fault.
    pub async fn insist(&self, programme: &str, request_id: &str) -> Result<CommandReceipt, Status> {
        let started = Instant::now();
        loop {
            match self.supplement(programme, request_id, 1).await {
                Err(status) if is_passing(&status) && started.elapsed() < PATIENCE => {}
                answer => return answer,
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
