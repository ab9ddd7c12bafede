//! `chinwag say`: what comes in is said, and kept when the command ends.

use std::io::{BufRead, Read};
use std::sync::Arc;

use chinwag_client::{BufferId, LineState, SayAs};
use chinwag_pipes::words::Say;
use tokio::sync::mpsc;

use super::driver::{Driver, now};
use crate::Failure;
use crate::cli::SayArgs;

/// Own messages that are not settled, above which no more input is read.
const UNSETTLED_MAX: usize = 64;

/// Pieces of input that wait.
const PIECES_MAX: usize = 64;

/// Bytes of a message that is made of all input.
const AS_ONE_BYTES_MAX: u64 = 1024 * 1024;

pub(super) async fn run(args: SayArgs) -> Result<(), Failure> {
    let SayArgs { server, words: Say { room, text, as_one, action } } = args;
    let how = if action { SayAs::Action } else { SayAs::Message };
    let mut driver = super::connect(&server, std::slice::from_ref(&room))?;
    let mut input = Some(match text.is_empty() {
        true => read(as_one),
        false => given(text.join(" ")),
    });
    let mut first = None;
    loop {
        let id = driver.entered(&room)?;
        first = first.or(id);
        let settled = first.is_none_or(|id| unsettled(&driver, id) < UNSETTLED_MAX);
        if let Some(id) = first {
            failed(&driver, id)?;
            if input.is_none() && !driver.client.is_busy() {
                break;
            }
        }
        let wanted = first.is_some() && settled;
        let next = async {
            match &mut input {
                Some(input) if wanted => input.recv().await,
                _ => std::future::pending().await,
            }
        };
        match driver.step(next).await {
            Err(failure) => return Err(unkept(&driver, first, failure)),
            Ok(None) => {}
            Ok(Some(None)) => input = None,
            Ok(Some(Some(piece))) => {
                let piece =
                    piece.map_err(|error| Failure::Failed(format!("cannot read the input: {error}")))?;
                if let (Some(id), false) = (first, piece.trim().is_empty()) {
                    let said = driver.client.say(id, &piece, how, None, now());
                    said.map_err(|refusal| Failure::Failed(refusal.to_string()))?;
                }
            }
        }
    }
    driver.goodbye().await;
    Ok(())
}

type Pieces = mpsc::Receiver<std::io::Result<String>>;

/// What was given on the command line.
fn given(text: String) -> Pieces {
    let (sender, receiver) = mpsc::channel(1);
    // There is room for one.
    let _ = sender.try_send(Ok(clean(&text)));
    receiver
}

/// Standard input, a line each or as a whole, read by a thread that waits for nobody at the end.
fn read(as_one: bool) -> Pieces {
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut bytes = Vec::new();
        if as_one {
            let all = (&mut input).take(AS_ONE_BYTES_MAX).read_to_end(&mut bytes);
            let _ = sender.blocking_send(all.map(|_| clean(&String::from_utf8_lossy(&bytes))));
            return;
        }
        loop {
            bytes.clear();
            let line = match input.read_until(b'\n', &mut bytes) {
                Ok(0) => return,
                Ok(_) => Ok(clean(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']))),
                Err(error) => Err(error),
            };
            let end = line.is_err();
            if sender.blocking_send(line).is_err() || end {
                return;
            }
        }
    });
    receiver
}

/// Without the escape sequences and control characters of programs that colour what they print.
fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            if chars.next_if_eq(&'[').is_some() {
                // Up to the letter that ends the sequence.
                while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
            }
        } else if c == '\n' || c == '\t' || !c.is_control() {
            clean.push(c);
        }
    }
    clean
}

fn unsettled(driver: &Driver, id: BufferId) -> usize {
    driver.client.buffer(id).map_or(0, |buffer| buffer.lines.own().len())
}

/// The first message that was refused ends the command.
fn failed(driver: &Driver, id: BufferId) -> Result<(), Failure> {
    let own = driver.client.buffer(id).into_iter().flat_map(|buffer| buffer.lines.own());
    let why = own.clone().find_map(|line| match &line.state {
        LineState::Failed(why) => Some((Arc::clone(why), line.text.clone())),
        _ => None,
    });
    let Some((why, text)) = why else { return Ok(()) };
    let start: String = text.chars().take(40).collect();
    Err(Failure::Failed(format!("{start:?} was not kept: {why}")))
}

/// What is to be said of what was not kept when the link is lost.
fn unkept(driver: &Driver, id: Option<BufferId>, failure: Failure) -> Failure {
    let count = id.map_or(0, |id| unsettled(driver, id));
    match failure {
        Failure::Failed(why) if count > 0 => {
            Failure::Failed(format!("{why}; the last {count} of the messages may not have been kept"))
        }
        failure => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn colours_are_left_out() {
        assert_eq!(clean("\u{1b}[31merror\u{1b}[0m: x\ty\u{7}"), "error: x\ty");
        assert_eq!(clean("a\nb"), "a\nb");
        assert_eq!(clean("\u{1b}"), "");
    }
}
