//! `chinwag export`: the whole history of rooms, page by page, oldest first.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};

use chinwag_client::{Line, LineId, Point};
use chinwag_pipes::show;
use jiff::tz::TimeZone;

use super::driver::{Driver, now};

use crate::Failure;
use crate::cli::{ExportArgs, ExportFormat};

/// How many messages between two signs of progress.
const PROGRESS_EACH: u64 = 1_000;

/// Where it is written, and how.
struct Sink {
    out: Box<dyn Write>,
    format: ExportFormat,
    several: bool,
    count: u64,
}

pub(super) async fn run(args: ExportArgs) -> Result<(), Failure> {
    let mut driver = super::connect(&args.server, &args.rooms)?;
    let out: Box<dyn Write> = match &args.output {
        None => Box::new(std::io::stdout()),
        Some(file) => Box::new(
            File::create(file)
                .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", file.display())))?,
        ),
    };
    let out = Box::new(BufWriter::new(out));
    let mut sink = Sink { out, format: args.format, several: args.rooms.len() > 1, count: 0 };
    let written = write(&mut driver, &mut sink, &args.rooms).await?;
    if let Err(error) = written.and_then(|()| sink.out.flush())
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        return Err(Failure::Failed(format!("cannot write: {error}")));
    }
    progress(&sink, "\n");
    driver.goodbye().await;
    Ok(())
}

/// Writes all rooms, one after the other.
async fn write(
    driver: &mut Driver,
    sink: &mut Sink,
    rooms: &[String],
) -> Result<std::io::Result<()>, Failure> {
    if sink.format == ExportFormat::Html
        && let Err(error) = writeln!(sink.out, "{}", show::html_head(&rooms.join(", ")))
    {
        return Ok(Err(error));
    }
    for room in rooms {
        let id = loop {
            match driver.entered(room)? {
                Some(id) => break id,
                None => driver.step(std::future::pending::<()>()).await?,
            };
        };
        if sink.format == ExportFormat::Html
            && let Err(error) = writeln!(sink.out, "{}", show::html_room(room))
        {
            return Ok(Err(error));
        }
        if !driver.client.server().has_history() {
            return Err(Failure::Failed("this server has no history that could be read".into()));
        }
        driver.client.from(id, Point::Start, now());
        let mut last: Option<LineId> = None;
        while let Some(buffer) = driver.client.buffer(id) {
            let lines = &buffer.lines;
            let from = last.and_then(|last| lines.index_of(last)).map_or(0, |index| index + 1);
            for line in lines.range(from..lines.len()) {
                last = Some(line.id);
                if let Err(error) = sink.line(room, line) {
                    return Ok(Err(error));
                }
            }
            if buffer.at_end && driver.client.is_synced(id) {
                break;
            }
            driver.client.newer(id, now());
            driver.step(std::future::pending::<()>()).await?;
        }
    }
    if sink.format == ExportFormat::Html {
        return Ok(writeln!(sink.out, "{}", show::HTML_END));
    }
    Ok(Ok(()))
}

impl Sink {
    fn line(&mut self, room: &str, line: &Line) -> std::io::Result<()> {
        // Only what the server keeps.
        if !line.kind.is_said() || line.redacted.is_some() || line.msgid.is_none() {
            return Ok(());
        }
        self.count += 1;
        if self.count.is_multiple_of(PROGRESS_EACH) {
            progress(self, "\r");
        }
        let text = match self.format {
            ExportFormat::Jsonl => show::json(room, line),
            ExportFormat::Text => show::text(self.several.then_some(room), line, &TimeZone::system()),
            ExportFormat::Html => show::html(line, &TimeZone::system()),
        };
        writeln!(self.out, "{text}")
    }
}

/// How far it is, for whoever watches.
fn progress(sink: &Sink, end: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{} messages{end}", sink.count);
    }
}
