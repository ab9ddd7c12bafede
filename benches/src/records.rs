//! Records brought in and written out: what a million messages cost each way, and whether they come back as the same bytes.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::servers::Places;
use crate::table;

/// How often the process is looked at.
const LOOK: Duration = Duration::from_millis(20);

const ROOMS: u64 = 20;
const PEOPLE: u64 = 200;

/// Words of which texts are made.
const WORDS: [&str; 16] = [
    "tea",
    "leaves",
    "water",
    "the",
    "a",
    "of",
    "is",
    "cold",
    "hot",
    "again",
    "nobody",
    "somebody",
    "said",
    "meanwhile",
    "quietly",
    "today",
];

/// What a command took.
struct Took {
    what: &'static str,
    clock: Duration,
    cpu: Duration,
    peak: u64,
}

/// Writes so many messages as an export has them, brings them in, writes them out, and both once more.
///
/// # Errors
/// When a command fails, or what comes out is not what went in.
pub fn run(places: &Places, messages: u64) -> Result<bool> {
    let program = places.chinwag_program()?;
    let folder = places.new_folder()?;
    let at = |name: &str| folder.path().join(name);
    make(&at("made.jsonl"), messages).context("the file of messages")?;
    let (one, other) = (at("one"), at("other"));
    let import = |what, file: &Path, data: &Path| {
        took(what, Command::new(&program).arg("import").arg(file).arg("--data").arg(data))
    };
    let export = |what, data: &Path, file: &Path| {
        took(what, Command::new(&program).arg("export").arg("--data").arg(data).arg("-o").arg(file))
    };
    let steps = [
        import("import", &at("made.jsonl"), &one)?,
        export("export", &one, &at("first.jsonl"))?,
        import("import of that", &at("first.jsonl"), &other)?,
        export("export again", &other, &at("second.jsonl"))?,
        import("import of what is there", &at("first.jsonl"), &other)?,
    ];
    let same = same(&at("first.jsonl"), &at("second.jsonl"))? && same(&at("made.jsonl"), &at("first.jsonl"))?;
    let head = ["", "seconds", "CPU-seconds", "messages per CPU-second", "memory at most"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for Took { what, clock, cpu, peak } in steps {
        let each = messages as f64 / cpu.as_secs_f64().max(1e-3);
        rows.push(vec![
            what.to_owned(),
            format!("{:.1}", clock.as_secs_f64()),
            format!("{:.1}", cpu.as_secs_f64()),
            format!("{each:.0}"),
            format!("{} MB", peak / 1_000_000),
        ]);
    }
    table::print(&rows);
    println!(
        "{messages} messages: {}",
        if same { "the same bytes came back" } else { "OTHER BYTES came back" }
    );
    Ok(same)
}

/// A file of messages that follow one another in time, as `chinwag export` writes them; the same every time.
fn make(file: &Path, messages: u64) -> Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut at_ms = 1_577_836_800_000_u64;
    let mut heads = [0_u64; ROOMS as usize];
    let who = |n: u64| format!("\"nick\":\"nick{n}\",\"user\":\"~nick{n}\",\"host\":\"example.org\"");
    let time = |at_ms: u64| {
        let mut text = Vec::new();
        chinwag_wire::time::format_millis(at_ms, &mut text);
        String::from_utf8_lossy(&text).into_owned()
    };
    for room in 0..ROOMS {
        writeln!(
            out,
            "{{\"room\":\"#room{room}\",\"kind\":\"room\",\"time\":\"{}\",{}}}",
            time(at_ms),
            who(0)
        )?;
    }
    for _ in 0..messages {
        at_ms += 1 + random(300);
        let room = random(ROOMS);
        let head = &mut heads[room as usize];
        *head += 1;
        let (number, person) = (*head, random(PEOPLE));
        let words = (0..4 + random(20)).map(|_| WORDS[random(WORDS.len() as u64) as usize]);
        let text = words.collect::<Vec<_>>().join(" ");
        let (time, who) = (time(at_ms), who(person));
        writeln!(
            out,
            "{{\"room\":\"#room{room}\",\"kind\":\"message\",\"number\":{number},\"time\":\"{time}\",{who},\"text\":\"{text}\"}}"
        )?;
    }
    out.flush()?;
    Ok(())
}

/// Runs a command to its end, and looks at it meanwhile.
fn took(what: &'static str, command: &mut Command) -> Result<Took> {
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().with_context(|| what.to_owned())?;
    let (mut cpu, mut peak) = (Duration::ZERO, 0);
    let status = loop {
        if let Ok((now, memory)) = look(child.id()) {
            (cpu, peak) = (cpu.max(now), peak.max(memory));
        }
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(LOOK);
    };
    ensure!(status.success(), "{what} ended with {status}");
    Ok(Took { what, clock: begun.elapsed(), cpu, peak })
}

/// The processor time of a process so far, and the most memory that it had.
fn look(process: u32) -> Result<(Duration, u64)> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += text.split(' ').next().unwrap_or_default().parse::<u64>().unwrap_or(0);
    }
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    let kib = line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0);
    Ok((Duration::from_nanos(nanoseconds), kib * 1024))
}

/// Whether two files hold the same bytes.
fn same(one: &Path, other: &Path) -> Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let count = one.read(&mut left)?;
        if count == 0 {
            return Ok(true);
        }
        other.read_exact(&mut right[..count])?;
        if left[..count] != right[..count] {
            return Ok(false);
        }
    }
}
