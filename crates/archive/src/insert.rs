//! Rows of `ev`: one by one for what is rare, several with one statement for messages. To begin a statement, and to
//! open the table and its indexes, costs as much as the row.

use rusqlite::{Connection, Statement, ToSql};

/// Messages that one statement stores.
pub(crate) const TOGETHER: usize = 8;

/// The columns of a row.
const COLUMNS: usize = 9;

/// The row of a message.
pub(crate) struct SaidRow<'a> {
    pub(crate) seq: i64,
    pub(crate) room: u32,
    pub(crate) number: Option<i64>,
    pub(crate) at_ms: i64,
    pub(crate) kind: i64,
    pub(crate) sender: i64,
    pub(crate) basis: u32,
    pub(crate) body: &'a str,
    pub(crate) extra: Option<String>,
}

/// The statements. A row that cannot be ends the whole transaction, which it would anyway: so nobody need remember
/// what each statement has changed.
pub(crate) struct Insert<'c> {
    /// For one row of any kind.
    pub(crate) one: Statement<'c>,
    together: Statement<'c>,
}

impl<'c> Insert<'c> {
    pub(crate) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let statement = |rows: usize| {
            let row = format!("({})", ["?"; COLUMNS].join(", "));
            let rows = vec![row; rows].join(", ");
            let columns = "seq, room, number, at_ms, kind, sender, basis, body, extra";
            connection.prepare(&format!("INSERT OR ROLLBACK INTO ev({columns}) VALUES {rows}"))
        };
        Ok(Insert { one: statement(1)?, together: statement(TOGETHER)? })
    }

    /// Stores messages and forgets them.
    pub(crate) fn messages(&mut self, rows: &mut Vec<SaidRow<'_>>) -> rusqlite::Result<()> {
        let (together, rest) = rows.as_chunks::<TOGETHER>();
        for chunk in together {
            for (index, row) in chunk.iter().enumerate() {
                bind(&mut self.together, index * COLUMNS, row)?;
            }
            self.together.raw_execute()?;
        }
        for row in rest {
            bind(&mut self.one, 0, row)?;
            self.one.raw_execute()?;
        }
        rows.clear();
        Ok(())
    }
}

/// Binds a row behind so many parameters.
fn bind(statement: &mut Statement<'_>, behind: usize, row: &SaidRow<'_>) -> rusqlite::Result<()> {
    let SaidRow { seq, room, number, at_ms, kind, sender, basis, body, extra } = row;
    let columns: [&dyn ToSql; COLUMNS] = [seq, room, number, at_ms, kind, sender, basis, body, extra];
    for (index, column) in columns.into_iter().enumerate() {
        statement.raw_bind_parameter(behind + index + 1, column)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn every_row_is_there_whatever_their_count() {
        let connection = Connection::open_in_memory().expect("opens");
        schema::migrate(&connection, 0).expect("tables");
        let mut insert = Insert::new(&connection).expect("statements");
        let row = |seq: i64| SaidRow {
            seq,
            room: 2,
            number: (seq % 3 > 0).then_some(seq),
            at_ms: 1_000 + seq,
            kind: seq % 5,
            sender: 10 + seq,
            basis: 7,
            body: if seq % 2 == 0 { "even" } else { "odd" },
            extra: (seq % 4 == 0).then(|| format!("extra {seq}")),
        };
        let mut seq = 0;
        for count in [0, 1, TOGETHER - 1, TOGETHER, TOGETHER + 1, 3 * TOGETHER + 5] {
            let mut rows: Vec<_> = (0..count as i64).map(|n| row(seq + n + 1)).collect();
            insert.messages(&mut rows).expect("stored");
            assert!(rows.is_empty());
            seq += count as i64;
        }
        let mut select = connection.prepare("SELECT * FROM ev ORDER BY seq").expect("prepares");
        let mut found = select.query(()).expect("reads");
        for seq in 1..=seq {
            let got = found.next().expect("reads").expect("a row");
            let SaidRow { number, at_ms, kind, sender, body, extra, .. } = row(seq);
            let expected = (seq, 2, number, at_ms, kind, sender, 7, body.to_owned(), extra);
            let got: (i64, u32, Option<i64>, i64, i64, i64, u32, String, Option<String>) =
                got.try_into().expect("columns");
            assert_eq!(got, expected);
        }
        assert!(found.next().expect("reads").is_none(), "nothing twice");
    }
}
