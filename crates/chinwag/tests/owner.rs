//! Whose the server is: the code of the start-up, through a real server and its restarts.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use chinwag_testkit::caller::Caller;
use chinwag_testkit::process::Process;

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");

fn serve(data: &Path, arguments: &[&str]) -> (Process, Option<String>) {
    let mut server = Process::serve(Path::new(BINARY), data, arguments, &[]);
    let text = server.ways_in();
    let code = text.split_once("/owner ").and_then(|(_, behind)| behind.split_whitespace().next());
    (server, code.map(str::to_owned))
}

fn registered(server: &Process, nick: &str) -> Caller {
    let mut caller = Caller::irc(server.address(), nick, "standard-replies");
    caller.send(&format!("REGISTER * * :sesame of {nick}"));
    caller.until(|line| line.contains("REGISTER SUCCESS "));
    caller
}

fn logged_in(server: &Process, nick: &str) -> Caller {
    let mut caller = Caller::connect(server.address());
    caller.send(&format!(
        "CAP REQ standard-replies\r\nPASS :{nick}:sesame of {nick}\r\nNICK {nick}\r\nUSER {nick} 0 * :{nick}\r\nCAP END"
    ));
    caller.until(|line| line.contains(&format!(" 001 {nick} ")));
    caller
}

/// Whether it may do what operators may.
fn is_operator(caller: &mut Caller) -> bool {
    caller.send("REHASH");
    caller.until(|line| line.contains(" 382 ") || line.contains(" 481 ")).contains(" 382 ")
}

#[test]
fn the_first_account_with_the_code_owns_the_server_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let (server, code) = serve(folder.path(), &[]);
    let code = code.expect("a code is printed while nobody owns the server");
    let mut guest = Caller::irc(server.address(), "guest", "standard-replies");
    guest.send(&format!("OWNER {code}"));
    guest.until(|line| line.contains("FAIL OWNER ACCOUNT_REQUIRED"));

    let (mut ann, mut bob) = (registered(&server, "ann"), registered(&server, "bob"));
    ann.send("OWNER nonsense");
    ann.until(|line| line.contains("FAIL OWNER INVALID_CODE"));
    ann.send("OWNER");
    ann.until(|line| line.contains("Nobody owns this server yet"));
    assert!(!is_operator(&mut ann));
    ann.send(&format!("OWNER {}", code.to_uppercase()));
    ann.until(|line| line.contains(" 381 ann "));
    ann.until(|line| line.contains("ann owns this server now"));
    assert!(is_operator(&mut ann));
    bob.send(&format!("OWNER {code}"));
    bob.until(|line| line.contains("FAIL OWNER ALREADY_OWNED"));
    assert!(!is_operator(&mut bob));
    server.kill();

    let (server, code) = serve(folder.path(), &[]);
    assert_eq!(code, None, "a server that is somebody's prints no code");
    let (mut ann, mut bob) = (logged_in(&server, "ann"), logged_in(&server, "bob"));
    assert!(is_operator(&mut ann));
    bob.send("OWNER ADD bob");
    bob.until(|line| line.contains("FAIL OWNER NOT_OWNER"));
    ann.send("OWNER DEL ann");
    ann.until(|line| line.contains("FAIL OWNER LAST_OWNER"));
    ann.send("OWNER ADD bob");
    ann.until(|line| line.contains("bob owns this server now"));
    bob.until(|line| line.contains(" 381 bob "));
    assert!(is_operator(&mut bob));
    bob.send("OWNER DEL ann");
    bob.until(|line| line.contains("ann does not own this server any more"));
    ann.until(|line| line.contains(" MODE ann ") && line.contains("-o"));
    assert!(!is_operator(&mut ann));
    bob.send("NS LOGOUT");
    bob.until(|line| line.contains(" 901 "));
    assert!(!is_operator(&mut bob), "who is logged out owns nothing");
}

#[test]
fn wrong_codes_end_the_session_and_operators_of_the_file_need_none() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = serve(&folder.path().join("one"), &[]);
    let mut ann = registered(&server, "ann");
    for _ in 0..5 {
        ann.send("OWNER guess");
        ann.until(|line| line.contains("FAIL OWNER INVALID_CODE"));
    }
    ann.until(|line| line.contains("ERROR ") && line.contains("Too many wrong codes"));

    let config = folder.path().join("chat.toml");
    std::fs::write(&config, chinwag_testkit::configuration()).unwrap();
    let (server, code) = serve(&folder.path().join("two"), &["--config", config.to_str().unwrap()]);
    assert_eq!(code, None);
    let mut bob = registered(&server, "bob");
    bob.send("OWNER -");
    bob.until(|line| line.contains("FAIL OWNER INVALID_CODE"));
}
