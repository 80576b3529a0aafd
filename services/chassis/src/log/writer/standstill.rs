//! The log must not be written, and is read all the same: states and positions as PostgreSQL has them now, which may be
//! less than what was in memory.

use super::super::cache::Cache;
use super::super::domain::Domain;
use super::super::handle::{CommandError, Mail};
use super::super::index::Index;
use super::super::store::Connection;
use super::loads::Loads;
use super::{RECONNECT_PAUSE, Writer};

impl<D: Domain> Writer<D> {
    /// Shows states until shutdown. Commands are turned away before they get here.
    pub(super) async fn stand_still(mut self) {
        self.give_up_work();
        let shutdown = self.shutdown.clone();
        tokio::select! {
            () = self.read_again() => {}
            () = shutdown.cancelled() => return,
        }
        loop {
            tokio::select! {
                biased;
                Some(loaded) = self.loads.arrivals.recv() => self.install(loaded),
                mail = self.mail.recv() => match mail {
                    // Dropping the reply answers it: its sender knows that the gate is closed.
                    Some(Mail::Commands { .. }) => {}
                    Some(read) => self.take_in(read),
                    None => return,
                },
                () = shutdown.cancelled() => return,
            }
        }
    }

    /// Lets go of what was in hand. Who waits is told by how far the command had come: not begun, it was not done; begun,
    /// its outcome is unknown.
    fn give_up_work(&mut self) {
        self.queue.clear();
        self.parked.clear();
        self.tickets.clear();
        for reader in self.readers.drain().flat_map(|(_, readers)| readers) {
            let again = "the log is read anew, because it went back; ask again".to_owned();
            let _ = reader.1.send(Err(CommandError::Unavailable(again)));
        }
        self.loads = Loads::new();
        self.cache = Cache::new(self.cache_bytes_max, D::weight);
    }

    /// Follows the log from its beginning or its kept index, over a connection that is no writer's: a recovery must find
    /// none.
    async fn read_again(&mut self) {
        let mut pause = RECONNECT_PAUSE.0;
        loop {
            (self.index, self.head, self.index_kept_at, self.newest) = (Index::default(), 0, 0, None);
            let read = match Connection::open(&self.database_url).await {
                Ok(connection) => {
                    self.connection = connection;
                    self.read_index().await.map_err(|error| error.to_string())
                }
                Err(reason) => Err(reason),
            };
            match read {
                Ok(()) => return,
                Err(reason) => tracing::warn!(reason, "the log cannot be read just now"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RECONNECT_PAUSE.1);
        }
    }
}
