//! Giving room back to the disk: when much was removed, pages in which nothing is any more go, a few at a time, and the
//! file gets shorter with the next checkpoint. Some stay for what comes: to grow costs more than to use them again.
//!
//! A file can do that which was told so before its first table ([`prepare`]); others keep their size, and what is free in
//! them is used again.

use std::time::Instant;

use rusqlite::Connection;

/// Free pages that stay: so many (8 MiB), or one of so many of the file where that is more.
const SPARE_PAGES: i64 = 2_048;
const SPARE_SHARE: i64 = 8;

/// Once it is begun, this part of what may stay does.
const THOROUGH: i64 = 2;

/// Pages that go in one step.
const STEP: &str = "PRAGMA incremental_vacuum(16)";

/// Lets a new database give room back later. To be called before there is any table.
pub(crate) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")
}

/// Whether there is too much free.
pub(crate) fn is_due(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(free(connection)? > spare(connection)? && gives_back(connection)?)
}

/// Gives some pages back, until then. Whether there are more of them. The caller has seen that it is due.
pub(crate) fn portion(connection: &Connection, until: Instant) -> rusqlite::Result<bool> {
    let mut step = connection.prepare_cached(STEP)?;
    loop {
        let before = free(connection)?;
        if before <= spare(connection)? / THOROUGH {
            return Ok(false);
        }
        let mut pages = step.query(())?;
        while pages.next()?.is_some() {}
        drop(pages);
        // Where a step changes nothing, more of them would not either.
        if free(connection)? >= before {
            return Ok(false);
        }
        if Instant::now() >= until {
            return Ok(true);
        }
    }
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

fn free(connection: &Connection) -> rusqlite::Result<i64> {
    number(connection, "freelist_count")
}

fn spare(connection: &Connection) -> rusqlite::Result<i64> {
    Ok(SPARE_PAGES.max(number(connection, "page_count")? / SPARE_SHARE))
}

fn gives_back(connection: &Connection) -> rusqlite::Result<bool> {
    // 2 is INCREMENTAL.
    Ok(number(connection, "auto_vacuum")? == 2)
}
