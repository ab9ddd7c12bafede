//! `chinwag export --data` and `chinwag import`: history comes and goes, and nothing of it is lost or doubled.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use chinwag_testkit::caller::Caller;
use chinwag_testkit::history;
use chinwag_testkit::process::Process;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");

/// Runs a command; the code and what it said.
fn chinwag(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(BINARY).args(arguments).env("TZ", "UTC").output().unwrap();
    (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Everything that is kept in a folder, as it is exported.
fn exported(data: &Path) -> String {
    let output = Command::new(BINARY).args(["export", "--data", text(data)]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Imports and says what was said of it.
fn import(data: &Path, arguments: &[&str]) -> String {
    let (code, said) = chinwag(&[&["import", "--data", text(data)], arguments].concat());
    assert_eq!(code, 0, "{arguments:?}: {said}");
    said
}

/// The msgid of the next message with this text.
fn msgid(caller: &mut Caller, what: &str) -> String {
    let line = caller.until(|line| line.contains(" PRIVMSG #tea ") && line.ends_with(what));
    line.split(['@', ';', ' ']).find_map(|tag| tag.strip_prefix("msgid=")).unwrap().to_owned()
}

/// Says and does everything that an export holds.
fn talk(server: &Process) {
    let caps = "echo-message message-tags batch labeled-response draft/multiline draft/message-redaction \
                draft/message-edit";
    let mut ann = Caller::member(server.address(), "ann", caps, "#tea");
    let mut say = |line: &str, what: &str| {
        ann.send(line);
        msgid(&mut ann, what)
    };
    let first = say("PRIVMSG #tea :first \u{1f375}", "first \u{1f375}");
    let wrong = say("PRIVMSG #tea :wrogn", "wrogn");
    let gone = say("PRIVMSG #tea :to be deleted", "to be deleted");
    say("PRIVMSG #tea :\u{1}ACTION waves\u{1}", "waves\u{1}");
    say(&format!("@+draft/reply={first};+x=y PRIVMSG #tea :an answer"), "an answer");
    ann.send("NOTICE #tea :listen");
    ann.send("TOPIC #tea :leaves, hot water");
    ann.send("BATCH +1 draft/multiline #tea\r\n@batch=1 PRIVMSG #tea :two\r\n@batch=1;draft/multiline-concat PRIVMSG #tea :and a half\r\n@batch=1 PRIVMSG #tea :lines\r\nBATCH -1");
    ann.send(&format!("EDIT #tea {wrong} :wrong"));
    ann.send(&format!("EDIT #tea {wrong} :right"));
    ann.send(&format!("REDACT #tea {gone} :oops"));
    ann.send(&format!("@+draft/react=\u{1f44d};+draft/reply={first} TAGMSG #tea"));
    ann.send("PRIVMSG #tea :last");
    ann.until(|line| line.ends_with(":last"));
    let mut bob = Caller::member(server.address(), "bob", "echo-message", "#coffee");
    bob.send("PRIVMSG #coffee :black");
    bob.until(|line| line.ends_with(":black"));
}

#[test]
fn export_import_export_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    let mut server = Process::serve(Path::new(BINARY), &data, &[], &[]);
    talk(&server);
    let first = exported(&data);
    for what in [
        "first \u{1f375}",
        "\"wrogn\"",
        "\"right\"",
        "leaves",
        "twoand a half\\nlines",
        "#coffee",
        "black",
        "reaction",
        "\"action\"",
        "\"joins\"",
    ] {
        assert!(first.contains(what), "{what} in {first}");
    }
    assert!(!first.contains("to be deleted") && first.contains("\"gone\""), "{first}");
    let file = folder.path().join("all.jsonl");
    fs::write(&file, &first).unwrap();
    let (code, said) = chinwag(&["import", text(&file), "--data", text(&data)]);
    assert!(code == 1 && said.contains("in use by another chinwag"), "{said}");
    let said = import(&other, &[text(&file)]);
    assert!(said.contains("0 were there already"), "{said}");
    assert_eq!(exported(&other), first);
    let said = import(&other, &[text(&file)]);
    assert!(said.contains(" 0 records stored"), "{said}");
    assert_eq!(exported(&other), first);
    // Into the folder that it came from: nothing is new.
    assert!(Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap().success());
    server.wait(Duration::from_secs(10));
    let said = import(&data, &[text(&file)]);
    assert!(said.contains(" 0 records stored"), "{said}");
    assert_eq!(exported(&data), first);
    let server = Process::serve(Path::new(BINARY), &other, &[], &[]);
    let kept = history::all(server.address(), "reader", "#tea");
    assert_eq!(kept.first().unwrap(), "first \u{1f375}");
    assert_eq!(kept.last().unwrap(), "last");
    assert!(kept.iter().any(|line| line == "right") && !kept.iter().any(|line| line.contains("deleted")));
    // One room of them.
    let (code, said) = chinwag(&["export", "--data", text(&other), "#COFFEE"]);
    assert!(code == 0 && said.lines().count() == 2 && !said.contains("#tea"), "{said}");
    let (code, said) = chinwag(&["export", "--data", text(&other), "#none"]);
    assert!(code == 1 && said.contains("there is no room #none"), "{said}");
}

#[test]
fn an_import_that_is_killed_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("much.jsonl"), folder.path().join("data"));
    let who = "\"nick\":\"ann\",\"user\":\"~ann\",\"host\":\"h\"";
    let mut lines =
        format!("{{\"room\":\"#tea\",\"kind\":\"room\",\"time\":\"2020-01-01T00:00:00.000Z\",{who}}}\n");
    for n in 1..=30_000 {
        let (minute, second) = (n / 600, n / 10 % 60);
        let time = format!("2020-01-01T01:{minute:02}:{second:02}.000Z");
        writeln!(lines, "{{\"room\":\"#tea\",\"kind\":\"message\",\"number\":{n},\"time\":\"{time}\",{who},\"text\":\"message {}\"}}", n % 7).unwrap();
        if n % 1_000 == 0 {
            let to = n - 500;
            writeln!(lines, "{{\"room\":\"#tea\",\"kind\":\"edit\",\"time\":\"{time}\",{who},\"text\":\"edited {n}\",\"to\":{to}}}").unwrap();
        }
    }
    fs::write(&file, &lines).unwrap();
    for wait in [50, 150, 300, 500] {
        let mut child = Command::new(BINARY)
            .args(["import", text(&file), "--data", text(&data)])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // How far it comes does not matter: wherever that is, it goes on from there.
        thread::sleep(Duration::from_millis(wait));
        let _ = child.kill();
        child.wait().unwrap();
    }
    import(&data, &[text(&file)]);
    assert!(exported(&data) == lines, "nothing missing, nothing twice");
    // A longer log adds what is new.
    let line = format!(
        "{{\"room\":\"#tea\",\"kind\":\"message\",\"number\":30001,\"time\":\"2020-01-02T00:00:00.000Z\",{who},\"text\":\"new\"}}\n"
    );
    fs::write(&file, format!("{lines}{line}")).unwrap();
    assert!(import(&data, &[text(&file)]).contains(" 1 records stored"));
}

/// What was imported: number, time, nick, kind, text and what it answers.
fn records(data: &Path, room: &str) -> Vec<String> {
    let all = exported(data);
    let records = all.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let shown = |record: Value| {
        let field = |name: &str| record[name].as_str().unwrap_or("").to_owned();
        let to = record["to"].as_u64().map(|to| format!(" ->{to}")).unwrap_or_default();
        format!("{} {} {} {:?}{to}", field("time"), field("nick"), field("kind"), field("text"))
    };
    records.filter(|record| record["room"] == room && record["kind"] != "room").map(shown).collect()
}

/// What is found in #zed behind a time of the imported past, after somebody has talked there.
fn said_later(data: &Path) -> Vec<String> {
    let server = Process::serve(Path::new(BINARY), data, &[], &[]);
    let mut ann = Caller::member(server.address(), "ann", "echo-message batch draft/chathistory", "#zed");
    ann.send("PRIVMSG #zed :today");
    ann.until(|line| line.ends_with(":today"));
    ann.send("CHATHISTORY AFTER #zed timestamp=2023-11-14T23:00:00.000Z 10\r\nPING x");
    let mut found = Vec::new();
    loop {
        let line = ann.line();
        found.extend(line.rsplit_once(" :").map(|(_, said)| said.to_owned()));
        if line.contains(" PONG ") {
            break;
        }
    }
    found
}

#[test]
fn logs_of_irc_clients_come_in() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, text: &str| {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        fs::write(at(name), text).unwrap();
    };
    write(
        "w/irc.libera.#tea.weechatlog",
        "2023-11-14 22:13:20\t-->\tann (~ann@host) has joined #tea\n2023-11-14 22:13:21\t@ann\thello\n\
         2023-11-14 22:13:22\t *\tbob waves\n2023-11-14 22:13:22\t *\tbob waves\n",
    );
    write("w/irc.server.libera.weechatlog", "2023-11-14 22:13:20\tlibera\tWelcome\n");
    let expected = [
        "2023-11-14T22:13:21.000Z ann message \"hello\"",
        "2023-11-14T22:13:22.000Z bob action \"waves\"",
        "2023-11-14T22:13:22.000Z bob action \"waves\"",
    ];
    let said = import(&at("d"), &[text(&at("w")), "--format", "weechat"]);
    assert!(
        said.contains("1 files of no room") && said.contains("1 lines about who came and went"),
        "{said}"
    );
    assert_eq!(records(&at("d"), "#tea"), expected);
    assert!(import(&at("d"), &[text(&at("w")), "--format", "weechat"]).contains(" 0 records stored"));
    write(
        "#irssi.log",
        "--- Log opened Tue Nov 14 23:58:00 2023\n23:59 < ann> late\n23:59 -!- bob [~b@h] has quit [x]\n\
         --- Day changed Wed Nov 15 2023\n00:01 <@bob> early\n00:02  * ann yawns\n",
    );
    import(&at("d"), &[text(&at("#irssi.log")), "--format", "irssi"]);
    let expected = [
        "2023-11-14T23:59:00.000Z ann message \"late\"",
        "2023-11-15T00:01:00.000Z bob message \"early\"",
        "2023-11-15T00:02:00.000Z ann action \"yawns\"",
    ];
    assert_eq!(records(&at("d"), "#irssi"), expected);
    write("znc/net/#zed/2023-11-15.log", "[00:00:01] -bob- psst\n");
    write("znc/net/#zed/2023-11-14.log", "[22:13:20] *** Joins: ann (~a@h)\n[22:13:20] <ann> hi\n");
    import(&at("d"), &[text(&at("znc")), "--format", "znc"]);
    let expected =
        ["2023-11-14T22:13:20.000Z ann message \"hi\"", "2023-11-15T00:00:01.000Z bob notice \"psst\""];
    assert_eq!(records(&at("d"), "#zed"), expected);
    // Into the past of a room where people talk: not silently.
    let (code, said) = chinwag(&[
        "import",
        "--data",
        text(&at("d")),
        text(&at("#irssi.log")),
        "--format",
        "irssi",
        "--into",
        "#zed",
    ]);
    assert!(code == 1 && said.contains("--into"), "{said}");
    import(&at("d"), &[text(&at("#irssi.log")), "--format", "irssi", "--into", "#zed-of-old"]);
    assert_eq!(records(&at("d"), "#zed-of-old").len(), 3);
    // What people say now comes behind, and is found by its time.
    let found = said_later(&at("d"));
    assert!(found.iter().any(|said| said == "psst") && found.iter().any(|said| said == "today"), "{found:?}");
    assert!(!found.iter().any(|said| said == "hi"), "{found:?}");
}

#[test]
fn exports_of_slack_and_discord_come_in() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let slack = at("slack");
    fs::create_dir_all(slack.join("general")).unwrap();
    fs::write(
        slack.join("users.json"),
        r#"[{"id":"U1","name":"ann","profile":{"display_name":"Ann B"}},{"id":"U2","name":"bob"}]"#,
    )
    .unwrap();
    fs::write(
        slack.join("general/2023-11-14.json"),
        r#"[{"type":"message","user":"U1","text":"hi <@U2> &amp; all\nsecond line","ts":"1700000000.000100","thread_ts":"1700000000.000100",
             "reactions":[{"name":"tea","users":["U2"],"count":1}]},
            {"type":"message","subtype":"channel_join","user":"U2","text":"joined","ts":"1700000001.000000"},
            {"type":"message","user":"U2","text":"answer","ts":"1700000002.000000","thread_ts":"1700000000.000100"}]"#,
    )
    .unwrap();
    let expected = [
        "2023-11-14T22:13:20.000Z Ann_B message \"hi @bob & all\\nsecond line\"",
        "2023-11-14T22:13:20.000Z bob reaction \":tea:\" ->1",
        "2023-11-14T22:13:22.000Z bob message \"answer\" ->1",
    ];
    let said = import(&at("d"), &[text(&slack), "--format", "slack"]);
    assert!(said.contains("1 lines about who came and went"), "{said}");
    assert_eq!(records(&at("d"), "#general"), expected);
    assert!(import(&at("d"), &[text(&slack), "--format", "slack"]).contains(" 0 records stored"));
    let (code, said) = chinwag(&["import", "x.zip", "--format", "slack", "--data", text(&at("d"))]);
    assert!(code == 2 && said.contains("unpack"), "{said}");
    fs::write(
        at("c.json"),
        r#"{"guild":{"id":"1","name":"G"},"channel":{"id":"2","type":"GuildTextChat","name":"tea talk"},"messages":[
            {"id":"10","type":"Default","timestamp":"2023-11-14T22:13:20.123+00:00","timestampEdited":null,"content":"hello",
             "author":{"id":"7","name":"ann","nickname":"Ann","isBot":false},"attachments":[{"id":"3","url":"https://x.y/z.png"}],
             "reactions":[{"emoji":{"id":"","name":"🍵"},"count":1,"users":[{"id":"8","name":"bob"}]}]},
            {"id":"11","type":"GuildMemberJoin","timestamp":"2023-11-14T22:13:21+00:00","content":"","author":{"id":"8","name":"bob"}},
            {"id":"12","type":"Reply","timestamp":"2023-11-15T00:13:22+02:00","content":"hi","author":{"id":"8","name":"bob"},
             "reference":{"messageId":"10","channelId":"2"}}],"messageCount":3}"#,
    )
    .unwrap();
    import(&at("d"), &[text(&at("c.json")), "--format", "discord"]);
    let expected = [
        "2023-11-14T22:13:20.123Z Ann message \"hello\\nhttps://x.y/z.png\"",
        "2023-11-14T22:13:20.123Z bob reaction \"\u{1f375}\" ->1",
        "2023-11-14T22:13:22.000Z bob message \"hi\" ->1",
    ];
    assert_eq!(records(&at("d"), "#tea-talk"), expected);
}

#[test]
fn what_programs_and_strangers_said_comes_in_and_what_a_few_said_to_each_other_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let slack = at("slack");
    for channel in ["ops", "D024BE91L", "mpdm-ann--bob-1", "board"] {
        fs::create_dir_all(slack.join(channel)).unwrap();
        let secret = r#"[{"type":"message","user":"U1","text":"between us","ts":"1700000000.000000"}]"#;
        fs::write(slack.join(channel).join("2023-11-14.json"), secret).unwrap();
    }
    fs::write(slack.join("users.json"), r#"[{"id":"U1","name":"ann","profile":{"display_name":null}}]"#)
        .unwrap();
    fs::write(slack.join("dms.json"), r#"[{"id":"D024BE91L","created":1,"members":["U1","U2"]}]"#).unwrap();
    fs::write(slack.join("mpims.json"), r#"[{"id":"G1","name":"mpdm-ann--bob-1"}]"#).unwrap();
    fs::write(slack.join("groups.json"), r#"[{"id":"G2","name":"board","is_archived":false}]"#).unwrap();
    fs::write(
        slack.join("ops/2023-11-14.json"),
        r#"[{"type":"message","subtype":"bot_message","bot_id":"B1","bot_profile":{"name":"CI"},"text":null,
             "attachments":[{"fallback":"short","text":"build <https://ci.x/1|#1> failed"}],"ts":"1700000000.000000"},
            {"type":"message","user":"U9","user_profile":{"display_name":"Zoe","real_name":"Zoe Z"},"text":"hello",
             "edited":{"user":"U9","ts":"1700000003.000000"},"ts":"1700000001.000000"},
            {"type":"message","user":"U1","text":"","files":[{"name":"a.pdf","url_private":"https://files.x/a.pdf?t=xoxe-1-secret"},
             {"mode":"tombstone"}],"ts":"1700000002.000000"}]"#,
    )
    .unwrap();
    let said = import(&at("d"), &[text(&slack), "--format", "slack"]);
    assert!(said.contains("3 folders of no open room"), "{said}");
    let expected = [
        "2023-11-14T22:13:20.000Z CI message \"build #1 (https://ci.x/1) failed\"",
        "2023-11-14T22:13:21.000Z Zoe message \"hello\"",
        "2023-11-14T22:13:22.000Z ann message \"https://files.x/a.pdf\"",
    ];
    assert_eq!(records(&at("d"), "#ops"), expected);
    let message = |kind: &str, rest: &str| {
        format!(
            r#"{{"channel":{{"id":"2","type":"{kind}","name":"{kind}"}},"messages":[{{"id":"10","type":"20",
               "timestamp":"2023-11-14T22:13:20.1234567+00:00","author":{{"id":"7","name":"bot"}},{rest}}}]}}"#
        )
    };
    let embed =
        r#""content":"","embeds":[{"title":"Deploy","url":"https://x.y/","description":"done","fields":[]}]"#;
    fs::write(at("room.json"), message("GuildTextChat", embed)).unwrap();
    fs::write(at("two.json"), message("DirectTextChat", r#""content":"between us""#)).unwrap();
    import(&at("d"), &[text(&at("room.json")), "--format", "discord"]);
    let two = at("two.json");
    let (code, said) = chinwag(&["import", text(&two), "--format", "discord", "--data", text(&at("d"))]);
    assert!(code == 1 && said.contains("1 files of no room"), "{said}");
    let expected = ["2023-11-14T22:13:20.123Z bot message \"Deploy\\ndone\\nhttps://x.y/\""];
    assert_eq!(records(&at("d"), "#GuildTextChat"), expected);
}

#[test]
fn mistakes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("f"));
    let check = |content: &str, arguments: &[&str], code: i32, word: &str| {
        fs::write(&file, content).unwrap();
        let (found, said) = chinwag(&[&["import", text(&file), "--data", text(&data)], arguments].concat());
        assert!(found == code && said.contains(word), "{content:?} {arguments:?}: {found} {said}");
        assert!(!data.exists(), "nothing is made for nothing");
    };
    check("", &[], 1, "nothing was found");
    check("{\"room\":1}\n", &[], 1, "f:1: ");
    check("hello\n", &["--format", "znc"], 2, "--into");
    check("hello\n", &["--format", "znc", "--into", "#x"], 1, "nothing was found");
    check("hello\n", &["--format", "discord"], 1, "f:1: ");
    check("x", &["--format", "word"], 2, "possible values");
}
