//! Stands between a writer and PostgreSQL, and breaks connections in the middle of commits.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// Of every four commits through it, one never reaches PostgreSQL, and the answer to another is lost.
pub struct Proxy {
    directory: tempfile::TempDir,
    commits: Arc<AtomicUsize>,
}

impl Proxy {
    /// In front of the cluster whose socket lies in `upstream`.
    pub fn new(upstream: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
        let commits = Arc::new(AtomicUsize::new(0));
        let (upstream, counter) = (upstream.join(".s.PGSQL.5432"), commits.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (upstream, counter) = (upstream.clone(), counter.clone());
                // Both ends close when this ends.
                tokio::spawn(async move {
                    let server = UnixStream::connect(&upstream).await.unwrap();
                    let _ = forward(client, server, &counter).await;
                });
            }
        });
        Self { directory, commits }
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Commits that were begun through it.
    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::Acquire)
    }
}

async fn forward(
    mut client: UnixStream,
    mut server: UnixStream,
    commits: &AtomicUsize,
) -> std::io::Result<()> {
    let (mut asked, mut answered) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let asked = &asked[..read?];
                if asked.is_empty() {
                    return Ok(());
                }
                // A batch's statement, or the end of a transaction under the contention lock.
                let batch = asked.windows(11).any(|window| window == b"specversion");
                if batch || asked.starts_with(b"Q\0\0\0\x0bCOMMIT\0") {
                    match commits.fetch_add(1, Ordering::AcqRel) % 4 {
                        1 => return Ok(()),
                        2 => {
                            server.write_all(asked).await?;
                            server.readable().await?;
                            return Ok(());
                        }
                        _ => {}
                    }
                }
                server.write_all(asked).await?;
            }
            read = server.read(&mut answered) => {
                let answered = &answered[..read?];
                if answered.is_empty() {
                    return Ok(());
                }
                client.write_all(answered).await?;
            }
        }
    }
}
