//! A start on years of use until the first welcome: accounts, some of them present without a session; rooms with
//! founders, topics and bans; read marks, conversations and a million messages. Then all of it is asked for.

mod past;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::process::{Process, free_address};
use crate::servers::Places;
use crate::table;

/// How much there is before the start.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// Accounts
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
    /// Those of them that are present without a session, in five rooms each
    #[arg(long, default_value_t = 2_000)]
    present: usize,
    /// Rooms, each with a founder, an operator for good, a topic and three bans
    #[arg(long, default_value_t = 1_000)]
    rooms: u32,
    /// Messages, spread over the rooms and over conversations
    #[arg(long, default_value_t = 1_000_000)]
    messages: usize,
    /// Starts; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// Rooms of everybody who stays.
const ROOMS_OF_EACH: usize = 5;

/// The room that is looked at.
const LOOKED_AT: u32 = 7;

/// The password of the first account; of no other there is one.
const PASSWORD: &str = "correct-horse";

/// When it all began, and up to where everybody has read.
const BEGAN_MS: u64 = 1_795_000_000_000;

/// Fills a folder and starts the server on it.
///
/// # Errors
/// When the server is missing or fails, or what is found is not what was written.
pub fn run(places: &Places, options: Options) -> Result<bool> {
    ensure!(
        options.rooms > LOOKED_AT && options.present > 1,
        "too little to look at: more rooms, more people"
    );
    ensure!(options.accounts > options.rooms as usize, "every room needs an account that is its founder");
    let folder = places.new_folder()?;
    let began = Instant::now();
    past::fill(&folder.path().join("data"), options)?;
    let Options { accounts, present, rooms, messages, .. } = options;
    println!(
        "{accounts} accounts ({present} present), {rooms} rooms and {messages} messages were written in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    let mut times = Vec::new();
    for _ in 0..options.rounds.max(1) {
        let address = free_address()?;
        let command: Command = places.chinwag_command(folder.path(), &address.to_string())?;
        let begin = Instant::now();
        let process = Process::start(command, address, folder.path())?;
        let mut caller = Caller::connect(&process)?;
        let welcome = caller.ask("NICK visitor\r\nUSER visitor 0 * :bench\r\n", " 001 ")?;
        times.push(begin.elapsed().as_secs_f64() * 1e3);
        ensure!(welcome.contains(" 001 visitor "), "an odd welcome: {welcome}");
        as_a_visitor_finds_it(&mut caller, options)?;
        as_an_owner_finds_it(&mut Caller::connect(&process)?, options)?;
    }
    Ok(table::verdict("chinwag, from start to the first welcome", table::median(&times), "ms", 300.0, false))
}

/// Topic, bans, founder and the people of a room are as they were; everybody who stays is there.
fn as_a_visitor_finds_it(caller: &mut Caller, options: Options) -> Result<()> {
    let room = format!("#room{LOOKED_AT}");
    let found = caller.ask(&format!("TOPIC {room}\r\nMODE {room} b\r\n"), " 368 ")?;
    ensure!(found.contains(&format!("about room {LOOKED_AT}")), "the topic is not as before: {found}");
    ensure!(found.matches(" 367 ").count() == 3, "the bans are not as before: {found}");
    let founder = account(LOOKED_AT as usize - 1);
    let found = caller.ask(&format!("CHANSERV INFO {room}\r\nPING :info\r\n"), "PONG")?;
    ensure!(found.contains(&format!("{room} is {founder}'s.")), "the founder is not as before: {found}");
    let found = caller.ask(&format!("NAMES {room}\r\n"), " 366 ")?;
    let names = found.lines().filter(|line| line.contains(" 353 ")).filter_map(|line| line.rsplit_once(':'));
    let names: BTreeSet<String> =
        names.flat_map(|(_, names)| names.split_whitespace()).map(str::to_owned).collect();
    let here = (0..options.present).filter(|n| rooms_of(*n, options).any(|room| room == LOOKED_AT));
    let wanted: BTreeSet<String> = here.map(|n| format!("{}{}", sign(n, LOOKED_AT), account(n))).collect();
    ensure!(!wanted.is_empty() && names == wanted, "{names:?} are in {room}, and not {wanted:?}");
    let found = caller.ask("LUSERS\r\n", " 255 ")?;
    let all = format!("There are {} users", options.present + 1);
    ensure!(found.contains(&all), "not everybody who stays is present: {found}");
    Ok(())
}

/// The owner of the first account is in the same rooms, is a founder, has read what was read, and has the
/// conversation.
fn as_an_owner_finds_it(caller: &mut Caller, options: Options) -> Result<()> {
    let name = account(0);
    let found = caller.ask(
        &format!(
            "CAP REQ :batch server-time draft/chathistory draft/read-marker\r\nPASS {name}:{PASSWORD}\r\n\
             NICK {name}\r\nUSER u 0 * :u\r\nCAP END\r\nPING :in\r\n"
        ),
        "PONG",
    )?;
    for room in rooms_of(0, options) {
        let joined = format!(" JOIN #room{room}\r\n");
        ensure!(found.contains(&joined), "the owner of {name} is not in #room{room}: {found}");
        let found = caller.ask(&format!("MARKREAD #room{room}\r\n"), "MARKREAD")?;
        ensure!(found.contains("timestamp="), "nothing was read of #room{room}: {found}");
    }
    let mine = format!("~{name}");
    let found = caller.ask("NAMES #room1\r\n", " 366 ")?;
    ensure!(found.contains(&mine), "the founder of #room1 is not one any more: {found}");
    let other = account(1);
    let found = caller.ask(&format!("CHATHISTORY LATEST {other} * 10\r\nPING :history\r\n"), "PONG")?;
    ensure!(found.contains(&format!(":{other}!")), "the conversation with {other} is gone: {found}");
    Ok(())
}

/// Somebody who asks.
struct Caller {
    stream: TcpStream,
    /// What has come and was not looked at.
    came: Vec<u8>,
}

impl Caller {
    fn connect(process: &Process) -> Result<Caller> {
        let stream = TcpStream::connect(process.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Caller { stream, came: Vec::new() })
    }

    /// Everything up to the end of the first line that has `wanted` in it.
    fn ask(&mut self, lines: &str, wanted: &str) -> Result<String> {
        self.stream.write_all(lines.as_bytes())?;
        let mut buffer = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&self.came);
            let end = text.find(wanted).and_then(|at| Some(at + text[at..].find('\n')? + 1));
            if let Some(end) = end {
                let answer = text[..end].to_owned();
                self.came.drain(..end);
                return Ok(answer);
            }
            let count = self.stream.read(&mut buffer)?;
            ensure!(count > 0, "the server closed the connection: {text}");
            self.came.extend_from_slice(&buffer[..count]);
        }
    }
}

/// The name of the `n`th account.
fn account(n: usize) -> String {
    format!("account{n}")
}

/// The rooms of the `n`th account, if its owner stays: the first one's begin with the room that it founded.
fn rooms_of(n: usize, options: Options) -> impl Iterator<Item = u32> {
    (0..ROOMS_OF_EACH).map(move |at| ((n * ROOMS_OF_EACH + at) % options.rooms as usize) as u32 + 1)
}

/// The letters of the roles that the `n`th account had in a room.
fn roles_in(n: usize, room: u32) -> &'static str {
    match (n + 1).checked_sub(room as usize) {
        Some(0) => "q",
        Some(1) => "o",
        _ if n.is_multiple_of(2) => "v",
        _ => "",
    }
}

/// The sign of the highest of them.
fn sign(n: usize, room: u32) -> &'static str {
    match roles_in(n, room) {
        "q" => "~",
        "o" => "@",
        "v" => "+",
        _ => "",
    }
}
