//! What clients have logged of a conversation with this server comes in as it was: logs written by irssi and WeeChat
//! themselves, beside what the server has kept of the same.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::people::{Irssi, Person, Weechat};
use super::waiting::{installed, wait_for};
use super::{BINARY, serve, stop};

/// What the two say by turns: what logs make hard to tell apart as well.
const SAID: [&str; 8] = [
    "greetings",
    "gr\u{fc}\u{df}e \u{1f375} <b>bold</b> & \"quotes\"",
    "/me waves with both hands",
    "* this is no action",
    "-!- nor did anybody [quit] here",
    "12:34 < somebody> was quoted",
    "/me stirs: slowly",
    "the end",
];

fn chinwag(arguments: &[&str]) -> String {
    let output = Command::new(BINARY).args(arguments).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Who said what in a room of a data folder, in order.
fn kept(data: &Path, room: &str) -> Vec<(String, String, String)> {
    let all = chinwag(&["export", "--data", data.to_str().expect("a path")]);
    let records = all.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let field = |record: &Value, name: &str| record[name].as_str().unwrap_or_default().to_owned();
    records
        .filter(|record| field(record, "room") == room && !record["number"].is_null())
        .map(|record| (field(&record, "nick"), field(&record, "kind"), field(&record, "text")))
        .collect()
}

/// What is kept after an import of these files.
fn imported(files: &Path, format: &str, data: &Path) -> Vec<(String, String, String)> {
    let (files, folder) = (files.to_str().expect("a path"), data.to_str().expect("a path"));
    let arguments = ["import", files, "--format", format, "--into", "#then", "--data", folder];
    chinwag(&arguments);
    let found = kept(data, "#then");
    // Once more: nothing is new.
    chinwag(&arguments);
    assert_eq!(kept(data, "#then"), found);
    found
}

#[test]
fn what_irssi_and_weechat_have_logged_comes_in_as_it_was() {
    if !installed(&["irssi", "weechat-headless", "tmux"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the data");
    let logs = folder.path().join("irclogs");
    let server = serve(folder.path());
    let mut irssi = Irssi::enter(&server, folder.path(), "iris");
    irssi.say(&format!("/set autolog_path {}/$tag/$0.log", logs.display()));
    irssi.say("/set autolog on");
    let mut weechat = Weechat::enter(&server, folder.path(), "wanda");
    irssi.sees("wanda", "has joined #lobby");
    for (number, line) in SAID.iter().enumerate() {
        let (speaker, listener): (&mut dyn Person, &mut dyn Person) =
            if number % 2 == 0 { (&mut irssi, &mut weechat) } else { (&mut weechat, &mut irssi) };
        speaker.say(line);
        let text = line.strip_prefix("/me ").unwrap_or(line);
        let nick = speaker.nick().to_owned();
        listener.sees(&nick, text);
    }
    let file = || {
        let folders = fs::read_dir(&logs).ok()?.filter_map(Result::ok);
        let file = folders.map(|folder| folder.path().join("#lobby.log")).find(|file| file.is_file())?;
        fs::read_to_string(&file).ok()?.contains("the end").then_some(file)
    };
    let irssi_log = wait_for("the log of irssi", file, || format!("{:?}", fs::read_dir(&logs)));
    let weechat_log = folder.path().join("weechat/logs/irc.chat.#lobby.weechatlog");
    let all = || fs::read_to_string(&weechat_log).is_ok_and(|log| log.contains("the end")).then_some(());
    wait_for("the log of WeeChat", all, || fs::read_to_string(&weechat_log).unwrap_or_default());
    drop((irssi, weechat));
    stop(server);
    let there = kept(&folder.path().join("data"), "#lobby");
    assert_eq!(there.len(), SAID.len(), "{there:?}");
    assert_eq!(imported(&irssi_log, "irssi", &folder.path().join("of-irssi")), there);
    assert_eq!(imported(&weechat_log, "weechat", &folder.path().join("of-weechat")), there);
}
