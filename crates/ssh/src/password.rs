//! A password, or a code of LINK, is checked as any client has it checked: in a session of its own that never comes
//! in. Nothing here knows what is right.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chinwag_core::keys::{Shown, SshKey};
use chinwag_core::session::Door;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::channel::open;
use crate::serve::House;

/// How long a check may take; many may want theirs at the same time.
const PATIENCE: Duration = Duration::from_secs(40);

/// Lines that are read for an answer.
const LINES_MAX: usize = 64;

/// What came of it.
pub(crate) enum Tried {
    /// It proves the account.
    Right(Shown),
    /// It does not.
    Wrong,
    /// It could not be checked; the sentence says what to do.
    Failed(String),
}

/// Checks what somebody typed for an account. A key that was offered before is added to the account by a code, and
/// may be added (`NS KEY ADD`) by who has come in with the password.
pub(crate) async fn check(
    house: &House,
    from: IpAddr,
    (account, key): (&Arc<str>, Option<Arc<SshKey>>),
    typed: &str,
    has_password: bool,
) -> Tried {
    let nothing = Shown { account: None, key: key.clone(), claims: false };
    let pipe = match open(house, from, (Door::Irc, Vec::new()), nothing).await {
        Ok(pipe) => pipe,
        Err(error) => return Tried::Failed(format!("{error}: try again in a moment")),
    };
    let right =
        || Tried::Right(Shown { account: Some(Arc::clone(account)), key: key.clone(), claims: false });
    match timeout(PATIENCE, ask(pipe, account, typed, has_password)).await {
        Ok(Ok(true)) => right(),
        Ok(Ok(false)) => Tried::Wrong,
        Ok(Err(_)) | Err(_) => {
            Tried::Failed("the server has too much to do: try again in a moment".to_owned())
        }
    }
}

async fn ask(pipe: UnixStream, account: &str, typed: &str, has_password: bool) -> std::io::Result<bool> {
    let mut pipe = BufReader::new(pipe);
    if is_code(typed) {
        pipe.get_mut().write_all(format!("LINK {typed}\r\n").as_bytes()).await?;
        // 900: RPL_LOGGEDIN, mask, account.
        if let Some(line) = answer(&mut pipe, &["900", "FAIL"]).await? {
            let mut words = line.split(' ').skip(1);
            let logged_in = words.next() == Some("900");
            if logged_in {
                let joined = words.nth(2).unwrap_or_default();
                return Ok(joined.eq_ignore_ascii_case(account));
            }
        }
    }
    if !has_password || typed.is_empty() || typed.contains('\0') {
        return Ok(false);
    }
    let response = base64(format!("\0{account}\0{typed}").as_bytes());
    let mut request = "AUTHENTICATE PLAIN\r\n".to_owned();
    let mut rest = response.as_str();
    loop {
        let (chunk, more) = rest.split_at(rest.len().min(400));
        request.push_str(&format!("AUTHENTICATE {}\r\n", if chunk.is_empty() { "+" } else { chunk }));
        rest = more;
        if chunk.len() < 400 {
            break;
        }
    }
    pipe.get_mut().write_all(request.as_bytes()).await?;
    let line = answer(&mut pipe, &["903", "904", "905", "908"]).await?;
    Ok(line.is_some_and(|line| line.split(' ').nth(1) == Some("903")))
}

/// Letters and digits in groups, as LINK gives them.
fn is_code(typed: &str) -> bool {
    typed.len() >= 8
        && typed.len() <= 40
        && typed.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The first line with one of these commands; none at the end.
async fn answer(pipe: &mut BufReader<UnixStream>, commands: &[&str]) -> std::io::Result<Option<String>> {
    for _ in 0..LINES_MAX {
        let mut line = String::new();
        if pipe.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        if line.split(' ').nth(1).is_some_and(|command| commands.contains(&command)) {
            return Ok(Some(line));
        }
    }
    Ok(None)
}

fn base64(bytes: &[u8]) -> String {
    chinwag_wire::base64::encode(bytes)
}
