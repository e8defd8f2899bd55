//! Stands between the API and Postgres and does what networks do.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};
use tokio_postgres::config::Host;

/// Cuts the connection on which these bytes were seen once it commits.
pub struct Cut {
    pub seen: Vec<u8>,
    /// True if the server still gets the COMMIT, and does it, before the connection breaks.
    pub committed: bool,
}

/// A proxy that ends with the test's runtime.
pub struct Proxy {
    /// The address of the database, through the proxy.
    pub url: String,
    cut: Arc<Mutex<Option<Cut>>>,
    frozen: watch::Sender<bool>,
}

impl Proxy {
    /// Starts a proxy to a database on a Unix socket.
    pub async fn start(database_url: &str) -> Proxy {
        let config: tokio_postgres::Config = database_url.parse().expect("a URL");
        let Some(Host::Unix(directory)) = config.get_hosts().first() else {
            panic!("the tests' server listens on a socket");
        };
        let socket = directory.join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!(
            "postgresql://{}@{}/{}",
            config.get_user().expect("a user"),
            listener.local_addr().expect("an address"),
            config.get_dbname().expect("a database"),
        );
        let cut = Arc::new(Mutex::new(None));
        let (frozen, freezes) = watch::channel(false);
        tokio::spawn(accept(listener, socket, Arc::clone(&cut), freezes));
        Proxy { url, cut, frozen }
    }

    /// Cuts one connection.
    pub fn cut(&self, cut: Cut) {
        *self.cut.lock().unwrap_or_else(PoisonError::into_inner) = Some(cut);
    }

    /// Lets nothing through any more, or everything again; nobody is told.
    pub fn freeze(&self, frozen: bool) {
        self.frozen.send_replace(frozen);
    }
}

async fn accept(
    listener: TcpListener,
    socket: PathBuf,
    cut: Arc<Mutex<Option<Cut>>>,
    freezes: watch::Receiver<bool>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let server = UnixStream::connect(&socket).await.expect("the server is there");
        tokio::spawn(carry(client, server, Arc::clone(&cut), freezes.clone()));
    }
}

/// Carries bytes both ways until one side ends or the connection is cut.
async fn carry(
    mut client: TcpStream,
    mut server: UnixStream,
    cut: Arc<Mutex<Option<Cut>>>,
    mut freezes: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut armed: Option<Cut> = None;
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let sent = &up[..read?];
                if sent.is_empty() {
                    return Ok(());
                }
                let _ = freezes.wait_for(|frozen| !frozen).await;
                if armed.is_none() {
                    let mut cut = cut.lock().unwrap_or_else(PoisonError::into_inner);
                    if cut.as_ref().is_some_and(|cut| contains(sent, &cut.seen)) {
                        armed = cut.take();
                    }
                }
                match &armed {
                    Some(cut) if contains(sent, b"COMMIT") => {
                        if cut.committed {
                            server.write_all(sent).await?;
                            // The server's answer means that the commit is done, but nobody hears it.
                            let _heard = server.read(&mut down).await?;
                        }
                        return Ok(());
                    }
                    _ => server.write_all(sent).await?,
                }
            }
            read = server.read(&mut down) => {
                let sent = &down[..read?];
                if sent.is_empty() {
                    return Ok(());
                }
                let _ = freezes.wait_for(|frozen| !frozen).await;
                client.write_all(sent).await?;
            }
        }
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
