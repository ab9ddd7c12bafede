//! `chinwag search`: what was said with certain words, oldest first.

use std::collections::VecDeque;

use chinwag_client::{Found, Hit, Point, Wish};
use chinwag_pipes::show;
use jiff::tz::TimeZone;

use super::driver::{Driver, now};
use super::{point, write};
use crate::Failure;
use crate::cli::SearchArgs;

/// Messages that are asked for at once.
const PAGE: usize = 100;

/// The room of those who name none and were in none.
const LOBBY: &str = "#lobby";

pub(super) async fn run(args: SearchArgs) -> Result<(), Failure> {
    let SearchArgs { server, words } = args;
    let named = words.place();
    let mut wish = Wish { words: words.query.join(" "), ..Wish::default() };
    (wish.from, wish.place) = (words.from.clone(), words.room.clone());
    wish.after = words.since.as_deref().map(point).transpose()?;
    let mut driver = super::connect(&server, named.as_slice())?;
    let rooms = match &named {
        Some(room) => vec![room.clone()],
        // Who comes in as a guest may read the rooms that they are in: those of the last time.
        None => driver.rooms_or(LOBBY),
    };
    enter(&mut driver, &rooms, named.is_some()).await?;
    let (hits, note) = hits(&mut driver, wish, words.count).await?;
    let mut out = String::new();
    for hit in &hits {
        out.push_str(&match words.json {
            true => show::json(&hit.room, &hit.line),
            false => show::text(Some(&hit.room), &hit.line, &TimeZone::system()),
        });
        out.push('\n');
    }
    driver.goodbye().await;
    if let Some(note) = note {
        eprintln!("chinwag: {note}");
    }
    if hits.is_empty() {
        return Err(Failure::Failed("nothing was found".into()));
    }
    write(&out).map(|_| ())
}

/// Waits until the rooms are entered. One that was not asked for by name may refuse.
async fn enter(driver: &mut Driver, rooms: &[String], named: bool) -> Result<(), Failure> {
    for room in rooms {
        loop {
            match driver.entered(room) {
                Ok(Some(_)) => break,
                Ok(None) => drop(driver.step(std::future::pending::<()>()).await?),
                Err(_) if !named => break,
                Err(failure) => return Err(failure),
            }
        }
    }
    Ok(())
}

/// The newest messages that fit, at most so many, oldest first; and what the server says besides.
async fn hits(driver: &mut Driver, wish: Wish, count: usize) -> Result<(Vec<Hit>, Option<String>), Failure> {
    let mut all: VecDeque<Hit> = VecDeque::new();
    let mut note = None;
    let mut wish = wish;
    while all.len() < count {
        let limit = PAGE.min(count - all.len());
        wish.limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let asked = driver.client.seek(wish.clone(), now());
        asked.map_err(|_| Failure::Failed("this server cannot search what was said".into()))?;
        let Found { hits, note: told, failed, .. } = loop {
            match driver.client.found() {
                Some(found) => break found,
                None => drop(driver.step(std::future::pending::<()>()).await?),
            }
        };
        if let Some(why) = failed {
            return Err(Failure::Failed(why));
        }
        note = told.or(note);
        let page = hits.len();
        for hit in hits.into_iter().rev() {
            all.push_front(hit);
        }
        let oldest = all.front().and_then(|hit| hit.line.msgid.clone());
        match oldest {
            Some(msgid) if page >= limit => wish.before = Some(Point::Msgid(msgid)),
            _ => break,
        }
    }
    Ok((all.into(), note))
}
