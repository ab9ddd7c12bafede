//! Who said it, as a number: the writer's side of the table `sender`.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use chinwag_core::event::Who;
use chinwag_core::ids::UserId;
use rusqlite::{Connection, OptionalExtension, Statement};

use crate::writer::signed;

/// How many senders the writer remembers.
const SENDERS_MAX: usize = 8_192;

/// Who is who in the table `sender`, remembered by the address of the shared description. Holding on to the
/// description keeps its address its own.
pub(crate) struct Senders<'c> {
    known: HashMap<usize, (Arc<Who>, UserId, i64), BuildHasherDefault<Address>>,
    find: Statement<'c>,
    add: Statement<'c>,
    connection: &'c Connection,
}

impl<'c> Senders<'c> {
    pub(crate) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Senders {
            known: HashMap::default(),
            find: connection.prepare(
                "SELECT id FROM sender
                 WHERE user = ?1 AND nick = ?2 AND ident = ?3 AND host = ?4 AND account IS ?5",
            )?,
            add: connection.prepare(
                "INSERT INTO sender(user, nick, ident, host, account) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?,
            connection,
        })
    }

    /// The number of a sender, who is entered when new.
    pub(crate) fn id(&mut self, user: UserId, who: &Arc<Who>) -> rusqlite::Result<i64> {
        let address = Arc::as_ptr(who) as usize;
        if let Some((_, known, id)) = self.known.get(&address)
            && *known == user
        {
            return Ok(*id);
        }
        let row = (signed(user.0), &*who.nick, &*who.user, &*who.host, who.account.as_deref());
        let id = match self.find.query_row(row, |row| row.get(0)).optional()? {
            Some(id) => id,
            None => {
                self.add.execute(row)?;
                self.connection.last_insert_rowid()
            }
        };
        if self.known.len() >= SENDERS_MAX {
            self.known.clear();
        }
        self.known.insert(address, (Arc::clone(who), user, id));
        Ok(id)
    }

    /// After a rollback the numbers given may be nobody's.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }
}

/// Hashes an address: allocations differ in the middle bits.
#[derive(Default)]
struct Address(u64);

impl Hasher for Address {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, address: usize) {
        self.0 = (self.0 ^ address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
