//! A server's socket as a task: connects when told, hands bytes both ways, says when it ends.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::link::{self, ConnectError, Target};

/// Pieces that wait in either direction; more, and the other side waits.
const PIECES_MAX: usize = 64;
const PIECE_BYTES: usize = 64 * 1024;

/// What the task tells.
pub(super) enum News {
    /// A connection stands; the certificate's fingerprint, where there is TLS.
    Opened(Option<String>),
    /// Bytes came.
    Bytes(Vec<u8>),
    /// There is no connection (any more).
    Closed(String),
    /// The server shows another certificate than the remembered one: this.
    OtherCertificate(String),
    /// The server shows another certificate than the announced one: this.
    NotAnnounced(String),
}

/// A connection under way, by which its task is written to. Dropping it ends the connection.
pub(super) struct Pipe {
    bytes: mpsc::Sender<Vec<u8>>,
}

impl Pipe {
    /// Connects. News come with the server's number and the connection's.
    pub(super) fn connect(
        server: usize,
        number: u64,
        target: &Target,
        pinned: Option<String>,
        news: mpsc::Sender<(usize, u64, News)>,
    ) -> Pipe {
        let (bytes, outgoing) = mpsc::channel(PIECES_MAX);
        let target = target.clone();
        tokio::spawn(async move {
            let teller = Teller { server, number, news };
            match link::connect(&target, pinned.as_deref()).await {
                Ok(open) => {
                    if teller.tell(News::Opened(open.fingerprint)).await {
                        let why = carry(open.stream, outgoing, &teller).await;
                        teller.tell(News::Closed(why)).await;
                    }
                }
                Err(ConnectError::OtherCertificate { shown }) => {
                    teller.tell(News::OtherCertificate(shown)).await;
                }
                Err(ConnectError::NotAnnounced { shown }) => {
                    teller.tell(News::NotAnnounced(shown)).await;
                }
                Err(ConnectError::Failed(why)) => {
                    teller.tell(News::Closed(why)).await;
                }
            }
        });
        Pipe { bytes }
    }

    /// Whether more bytes can be taken now.
    pub(super) fn has_room(&self) -> bool {
        self.bytes.capacity() > 0
    }

    /// Bytes for the server; asked for [`Pipe::has_room`] before.
    pub(super) fn send(&self, bytes: Vec<u8>) {
        // When the task has ended, its last news say so.
        let _ = self.bytes.try_send(bytes);
    }
}

/// Tells the news of one connection.
struct Teller {
    server: usize,
    number: u64,
    news: mpsc::Sender<(usize, u64, News)>,
}

impl Teller {
    /// Whether anybody listens still.
    async fn tell(&self, what: News) -> bool {
        self.news.send((self.server, self.number, what)).await.is_ok()
    }
}

/// Carries bytes until one side ends. Says why.
async fn carry(
    stream: Box<dyn link::Stream>,
    mut outgoing: mpsc::Receiver<Vec<u8>>,
    teller: &Teller,
) -> String {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let write = async {
        while let Some(bytes) = outgoing.recv().await {
            if let Err(error) = async {
                writer.write_all(&bytes).await?;
                writer.flush().await
            }
            .await
            {
                return error.to_string();
            }
        }
        // The last words may still be on their way; the other side ends the connection when it has them.
        let _ = writer.shutdown().await;
        "you left".to_owned()
    };
    let read = async {
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            match reader.read(&mut piece).await {
                Ok(0) => return "the server has closed the connection".to_owned(),
                Ok(count) => {
                    if !teller.tell(News::Bytes(piece[..count].to_vec())).await {
                        return "nobody listens any more".to_owned();
                    }
                }
                Err(error) => return error.to_string(),
            }
        }
    };
    tokio::select! {
        why = write => why,
        why = read => why,
    }
}
