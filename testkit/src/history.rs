//! Reading a room's whole history over IRC, page by page, as a client does.

use std::net::SocketAddr;

use crate::caller::Caller;

/// Messages of one page.
const PAGE: usize = 100;

/// The texts of all messages of a room, oldest first. `nick` must be free.
///
/// # Panics
/// When an answer is not what `CHATHISTORY` promises.
pub fn all(address: SocketAddr, nick: &str, room: &str) -> Vec<String> {
    let caps = "batch message-tags server-time draft/chathistory";
    let mut caller = Caller::member(address, nick, caps, room);
    let mut texts = Vec::new();
    let mut anchor = "timestamp=1970-01-01T00:00:00.000Z".to_owned();
    loop {
        caller.send(&format!("CHATHISTORY AFTER {room} {anchor} {PAGE}"));
        caller.until(|line| line.contains(" BATCH +"));
        let before = texts.len();
        loop {
            let line = caller.line();
            if line.contains(" BATCH -") {
                break;
            }
            let Some((head, text)) = line.split_once(&format!(" PRIVMSG {room} :")) else { continue };
            if head.contains("batch=") {
                // Of a message of several lines, the first has the msgid.
                if let Some(msgid) = msgid(head) {
                    anchor = format!("msgid={msgid}");
                }
                texts.push(text.to_owned());
            }
        }
        if texts.len() == before {
            return texts;
        }
    }
}

/// The value of the tag `msgid`.
pub fn msgid(line: &str) -> Option<&str> {
    let tags = line.strip_prefix('@')?.split(' ').next()?;
    tags.split(';').find_map(|tag| tag.strip_prefix("msgid="))
}
