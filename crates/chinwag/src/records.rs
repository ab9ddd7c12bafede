//! `chinwag export --data`: everything that was said, out of a data folder.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};

use crate::cli::{ExportArgs, ExportFormat};
use crate::progress::Line;
use crate::{Failure, folder};

/// Writes a JSON object a line.
pub(crate) fn export(args: ExportArgs) -> Result<(), Failure> {
    if args.format != ExportFormat::Jsonl {
        let sentence =
            "with --data only --format jsonl is written; ask a server for the others, without --data";
        return Err(Failure::Usage(sentence.to_owned()));
    }
    let data = folder::data(args.data)?;
    let out: Box<dyn Write> = match &args.output {
        None => Box::new(std::io::stdout().lock()),
        Some(file) => Box::new(
            File::create(file)
                .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", file.display())))?,
        ),
    };
    let mut out = BufWriter::new(out);
    let mut line = Line::new();
    let mut written = Ok(());
    let mut count = 0_u64;
    chinwag_archive::transfer::export(&data, &args.rooms, &mut |record, done| {
        let meant = args.said_by.as_ref().is_none_or(|name| {
            record.account.as_ref().is_some_and(|account| account.eq_ignore_ascii_case(name))
        });
        if !meant {
            return true;
        }
        count += 1;
        line.say(|| format!("{} records, {} %", done.records, done.position * 100 / done.of.max(1)));
        written =
            serde_json::to_writer(&mut out, &record).map_err(Into::into).and_then(|()| out.write_all(b"\n"));
        written.is_ok()
    })
    .map_err(|error| Failure::Failed(error.to_string()))?;
    if let Err(error) = written.and_then(|()| out.flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        return Err(Failure::Failed(format!("cannot write: {error}")));
    }
    line.say_now(&format!("{count} records"));
    Ok(())
}
