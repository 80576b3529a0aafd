//! Stands between a writer and PostgreSQL, and breaks connections in the middle of commits.

use concord_test_servers::Frozen;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{oneshot, watch};

/// A socket like PostgreSQL's, in a directory of its own.
pub struct Proxy {
    directory: tempfile::TempDir,
    way: Arc<Way>,
}

/// What happens on the way.
struct Way {
    upstream: PathBuf,
    /// Of every four commits, one never reaches PostgreSQL, and the answer to another is lost.
    disturbed: bool,
    commits: AtomicUsize,
    freeze: Mutex<Option<Freeze>>,
    /// Whether new connections get through.
    open: watch::Sender<bool>,
}

/// A backend that is to stand still when the next batch reaches its socket.
struct Freeze {
    pid: i32,
    cut_off: bool,
    done: oneshot::Sender<Frozen>,
}

impl Proxy {
    /// In front of the cluster whose socket lies in `upstream`. Of every four commits through it, one never reaches
    /// PostgreSQL, and the answer to another is lost.
    pub fn disturbing(upstream: &Path) -> Self {
        Self::new(upstream, true)
    }

    /// Does nothing that it is not told to.
    pub fn calm(upstream: &Path) -> Self {
        Self::new(upstream, false)
    }

    fn new(upstream: &Path, disturbed: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
        let way = Arc::new(Way {
            upstream: upstream.join(".s.PGSQL.5432"),
            disturbed,
            commits: AtomicUsize::new(0),
            freeze: Mutex::new(None),
            open: watch::channel(true).0,
        });
        let shared = way.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // Both ends close when this ends.
                tokio::spawn(connect(client, shared.clone()));
            }
        });
        Self { directory, way }
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Commits that were begun through it.
    pub fn commits(&self) -> usize {
        self.way.commits.load(Ordering::Acquire)
    }

    /// Stops the backend `pid` when the next batch comes by, and leaves the batch unread in its socket. `cut_off`: the
    /// writer loses its connection at the same moment. Answers when that has happened.
    pub fn freeze_with_next_batch(&self, pid: i32, cut_off: bool) -> oneshot::Receiver<Frozen> {
        let (done, frozen) = oneshot::channel();
        *self.way.freeze.lock().unwrap() = Some(Freeze { pid, cut_off, done });
        frozen
    }

    /// Keeps new connections waiting.
    pub fn hold_new_connections(&self) {
        self.way.open.send_replace(false);
    }

    /// Lets them through.
    pub fn let_through(&self) {
        self.way.open.send_replace(true);
    }
}

async fn connect(client: UnixStream, way: Arc<Way>) {
    way.open.subscribe().wait_for(|open| *open).await.unwrap();
    // PostgreSQL may be away.
    if let Ok(server) = UnixStream::connect(&way.upstream).await {
        let _ = forward(client, server, &way).await;
    }
}

async fn forward(mut client: UnixStream, mut server: UnixStream, way: &Way) -> std::io::Result<()> {
    let (mut asked, mut answered) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let asked = &asked[..read?];
                if asked.is_empty() {
                    return Ok(());
                }
                let batch = asked.windows(11).any(|window| window == b"specversion");
                if batch && let Some(freeze) = way.freeze.lock().unwrap().take() {
                    let frozen = Frozen::stop(freeze.pid);
                    server.try_write(asked)?;
                    let _ = freeze.done.send(frozen);
                    if freeze.cut_off {
                        return Ok(());
                    }
                    continue;
                }
                // A batch's statement, or the end of a transaction under the contention lock.
                if batch || asked.starts_with(b"Q\0\0\0\x0bCOMMIT\0") {
                    match way.commits.fetch_add(1, Ordering::AcqRel) % 4 {
                        1 if way.disturbed => return Ok(()),
                        2 if way.disturbed => {
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
