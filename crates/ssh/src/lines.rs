//! Lines: the plain door, by ssh. For programs, and for callers without a terminal (`ssh -T`).

use chinwag_core::session::Door;
use russh::ChannelMsg;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::channel::{Ends, Visit};

/// Bytes that are taken from the session at once.
const BUFFER_BYTES: usize = 16 * 1024;

/// Hands lines back and forth until one side ends.
pub(crate) async fn run(ends: Ends, visit: Visit) -> u32 {
    let Ends { mut read, write } = ends;
    let first = format!("{}\n", visit.nick).into_bytes();
    let Ok(pipe) = visit.open(Door::Plain, first).await else { return 1 };
    let (mut from, mut to) = pipe.into_split();
    let output = async {
        let mut buffer = vec![0; BUFFER_BYTES];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            if write.data_bytes(buffer[..count].to_vec()).await.is_err() {
                return;
            }
        }
    };
    let input = async {
        while let Some(message) = read.wait().await {
            let done = match message {
                ChannelMsg::Data { data } => to.write_all(&data).await,
                // The rest of what the session says is still to come.
                ChannelMsg::Eof => to.shutdown().await,
                ChannelMsg::Close => return,
                _ => Ok(()),
            };
            if done.is_err() {
                // The session has ended; its last words are on their way.
                while read.wait().await.is_some() {}
            }
        }
    };
    tokio::select! {
        () = output => 0,
        () = input => 0,
    }
}
