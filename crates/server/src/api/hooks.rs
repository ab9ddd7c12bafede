//! `POST /hook/{token}`: what other programs tell a room, in the shapes in which they send it.
//!
//! Whatever knows how to post to Slack's incoming webhooks can post here as it is: `{"text": …}` and attachments, as
//! Alertmanager, Grafana and CI tools send them. Besides: plain text, a form with `payload` (GitHub) or `text`, and the
//! own shapes of Grafana, Alertmanager and GitHub, as far as they say what happened.

use std::fmt::Write;

use chinwag_core::event::SayKind;
use chinwag_core::programs::{Program, Saying};
use chinwag_core::settings::Rate;
use chinwag_core::tokens::hashed;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde_json::Value;

use super::ask::{Ask, decoded};
use super::body::Body;
use super::messages::parsed;
use super::problem::Problem;
use crate::clock::now_ms;

/// How much may come by one hook.
const RATE: Rate = Rate { per_second: 1, burst: 30 };

/// Messages that one request may become, when it is longer than a message can be.
const MESSAGES_MAX: usize = 4;

/// Attachments, alerts and the like of one request that are looked at.
const PARTS_MAX: usize = 20;

/// `POST /hook/{token}`
pub(super) async fn receive(ask: Ask) -> Result<Response<Body>, Problem> {
    let hash = hashed(ask.text("token").unwrap_or_default());
    let (room, name, lines_max, bytes_max) = {
        let node = ask.shared.node.borrow();
        let gone = || Problem::missing("There is no such hook (any more). HOOK LIST shows those of a room.");
        let (room, hook) = node.chat().hook(&hash).ok_or_else(gone)?;
        let settings = node.settings();
        (room.id, hook.name.clone(), settings.multiline_max_lines, settings.multiline_max_bytes)
    };
    let taken = ask.shared.programs.buckets.borrow_mut().take(&format!("hook {hash}"), RATE, now_ms());
    taken.map_err(|seconds| Problem::too_fast(seconds, "Too much comes by this hook at once."))?;
    let text = text_of(&ask.media, &ask.carried)?;
    let messages = cut(&text, lines_max, bytes_max);
    if messages.len() > MESSAGES_MAX {
        let detail =
            format!("That is more than {MESSAGES_MAX} messages of {lines_max} lines and {bytes_max} bytes.");
        return Err(Problem::unfit(detail));
    }
    for text in messages {
        let by = Program::Hook(name.clone());
        let saying = Saying { by, room, kind: SayKind::Privmsg, text: text.into() };
        ask.shared.say(saying, None).await?;
    }
    let mut response = Response::new(Body::whole("ok\n"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok(response)
}

/// What is to be said.
fn text_of(media: &str, carried: &[u8]) -> Result<String, Problem> {
    const NOTHING: &str = "There is nothing in it to be said: send {\"text\": \"…\"}, or plain text.";
    let written = std::str::from_utf8(carried).map_err(|_| Problem::bad("What you sent is not UTF-8."))?;
    let text = match media {
        "application/json" => read(&parsed(carried)?),
        "application/x-www-form-urlencoded" => match field(written, "payload") {
            Some(payload) => read(&parsed(payload.as_bytes())?),
            // What curl -d sends is called a form and often is none.
            None => field(written, "text").or_else(|| Some(written.to_owned())),
        },
        _ => Some(written.to_owned()),
    };
    let text = text.map(|text| text.replace("\r\n", "\n").trim().to_owned());
    text.filter(|text| !text.is_empty()).ok_or_else(|| Problem::unfit(NOTHING))
}

/// A field of a form.
fn field(form: &str, name: &str) -> Option<String> {
    let mut pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    decoded(pairs.find(|(known, _)| *known == name)?.1, true)
}

fn text<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    value.pointer(path).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

fn parts<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten().take(PARTS_MAX)
}

/// What JSON of a known shape says.
fn read(value: &Value) -> Option<String> {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(text(value, "/text").map(plain));
    for attachment in parts(value, "attachments") {
        lines.extend(attached(attachment));
    }
    if lines.is_empty() {
        // Grafana's own shape says it in words, Alertmanager's has only the alerts.
        lines.extend(text(value, "/title").map(str::to_owned));
        lines.extend(text(value, "/message").map(str::to_owned));
    }
    if lines.is_empty() {
        lines.extend(parts(value, "alerts").map(alert));
    }
    if lines.is_empty() {
        lines.extend(repository(value));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// An attachment as Slack has it.
fn attached(value: &Value) -> Option<String> {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(text(value, "/pretext").map(plain));
    let title = text(value, "/title").map(plain);
    match (title, text(value, "/title_link")) {
        (Some(title), Some(link)) => lines.push(format!("{title} {link}")),
        (Some(title), None) => lines.push(title),
        (None, link) => lines.extend(link.map(str::to_owned)),
    }
    lines.extend(text(value, "/text").map(plain));
    for field in parts(value, "fields") {
        if let (Some(title), Some(value)) = (text(field, "/title"), text(field, "/value")) {
            lines.push(format!("{title}: {}", plain(value)));
        }
    }
    if lines.is_empty() {
        lines.extend(text(value, "/fallback").map(plain));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// An alert as Alertmanager has it.
fn alert(value: &Value) -> String {
    let status = text(value, "/status").unwrap_or("alert");
    let name = text(value, "/labels/alertname").unwrap_or("");
    let mut line = format!("[{status}] {name}");
    for path in ["/labels/instance", "/annotations/summary", "/annotations/description", "/generatorURL"] {
        if let Some(text) = text(value, path) {
            // Writing to a string cannot fail.
            let _ = write!(line, " {text}");
        }
    }
    line
}

/// What happened in a repository, as GitHub and those like it tell it.
fn repository(value: &Value) -> Option<String> {
    let name = text(value, "/repository/full_name")?;
    let who = text(value, "/sender/login").or(text(value, "/pusher/name")).unwrap_or("somebody");
    let action = text(value, "/action").unwrap_or("");
    let about = ["issue", "pull_request", "release", "discussion", "workflow_run", "check_run"];
    let about = about.into_iter().find_map(|kind| Some((kind, value.get(kind)?)));
    let mut line = format!("[{name}] {who}");
    if let Some((kind, about)) = about {
        let title = text(about, "/title").or(text(about, "/name")).unwrap_or("");
        let link = text(value, "/comment/html_url").or(text(about, "/html_url")).unwrap_or("");
        let outcome = text(about, "/conclusion").unwrap_or("");
        let words = [action, &kind.replace('_', " "), outcome, title, link];
        words.iter().filter(|word| !word.is_empty()).for_each(|word| {
            let _ = write!(line, " {word}");
        });
        return Some(line);
    }
    if let Some(branch) = text(value, "/ref") {
        let branch = branch.trim_start_matches("refs/heads/").trim_start_matches("refs/tags/");
        let _ = write!(line, " pushed to {branch}");
        for commit in parts(value, "commits") {
            let first = text(commit, "/message").and_then(|message| message.lines().next()).unwrap_or("");
            let _ = write!(line, "\n- {first}");
        }
        if let Some(link) = text(value, "/compare") {
            let _ = write!(line, "\n{link}");
        }
        return Some(line);
    }
    if let Some(zen) = text(value, "/zen") {
        return Some(format!("{line} asks whether anybody is there: {zen}"));
    }
    (!action.is_empty()).then(|| format!("{line} {action}"))
}

/// Slack's markup of links and the three characters that it escapes, as people read it.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('<') {
        out.push_str(before);
        // What is no markup stays as it is: not everybody escapes.
        let marked =
            ["http://", "https://", "mailto:", "!", "@", "#"].iter().any(|mark| behind.starts_with(mark));
        let Some((inside, after)) = behind.split_once('>').filter(|_| marked) else {
            out.push('<');
            rest = behind;
            continue;
        };
        match inside.split_once('|') {
            Some((link, label)) if !link.starts_with(['!', '@', '#']) => {
                let _ = write!(out, "{label} ({link})");
            }
            Some((_, label)) => out.push_str(label),
            None => out.push_str(inside.trim_start_matches('!')),
        }
        rest = after;
    }
    out.push_str(rest);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// A text as messages of so many lines and bytes at most. A line is never cut.
fn cut(text: &str, lines_max: usize, bytes_max: usize) -> Vec<String> {
    let mut messages: Vec<(usize, String)> = Vec::new();
    for line in text.lines() {
        match messages.last_mut() {
            Some((lines, message)) if *lines < lines_max && message.len() + 1 + line.len() <= bytes_max => {
                *lines += 1;
                message.push('\n');
                message.push_str(line);
            }
            _ if line.trim().is_empty() => {}
            _ => messages.push((1, line.to_owned())),
        }
    }
    messages.into_iter().map(|(_, message)| message).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(json: &str) -> Option<String> {
        text_of("application/json", json.as_bytes()).ok()
    }

    #[test]
    fn the_shapes_of_slack_senders_are_read() {
        assert_eq!(
            said(r#"{"text": "deployed <https://a.example/|v2> &amp; well"}"#).unwrap(),
            "deployed v2 (https://a.example/) & well"
        );
        // Alertmanager's slack receiver.
        let alert = r##"{"channel": "#ops", "username": "Alertmanager", "attachments": [{"title": "[FIRING:1] DiskFull",
            "title_link": "http://am/#/alerts", "text": "db1 is full", "fallback": "x", "color": "danger"}]}"##;
        assert_eq!(said(alert).unwrap(), "[FIRING:1] DiskFull http://am/#/alerts\ndb1 is full");
        let fields = r#"{"attachments": [{"fields": [{"title": "Env", "value": "prod", "short": true}]}]}"#;
        assert_eq!(said(fields).unwrap(), "Env: prod");
        for nothing in ["{}", "null", "7", r#"{"text": " "}"#, r#"{"text": 7}"#, r#"{"attachments": "x"}"#] {
            assert_eq!(said(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn own_shapes_say_what_happened() {
        let grafana =
            r#"{"title": "[Alerting] Load", "message": "load is 7", "state": "alerting", "alerts": []}"#;
        assert_eq!(said(grafana).unwrap(), "[Alerting] Load\nload is 7");
        let alertmanager = r#"{"status": "firing", "alerts": [{"status": "firing", "labels": {"alertname": "Down",
            "instance": "db1"}, "annotations": {"summary": "db1 is down"}}]}"#;
        assert_eq!(said(alertmanager).unwrap(), "[firing] Down db1 db1 is down");
        let push = r#"{"ref": "refs/heads/main", "compare": "https://g/c", "repository": {"full_name": "a/b"},
            "pusher": {"name": "ann"}, "commits": [{"message": "fix it\n\nlong story"}]}"#;
        assert_eq!(said(push).unwrap(), "[a/b] ann pushed to main\n- fix it\nhttps://g/c");
        let issue = r#"{"action": "opened", "issue": {"title": "It breaks", "html_url": "https://g/1"},
            "repository": {"full_name": "a/b"}, "sender": {"login": "bob"}}"#;
        assert_eq!(said(issue).unwrap(), "[a/b] bob opened issue It breaks https://g/1");
    }

    #[test]
    fn forms_and_plain_text_are_read() {
        let form = |text: &str| text_of("application/x-www-form-urlencoded", text.as_bytes()).ok();
        assert_eq!(form("payload=%7B%22text%22%3A%22a+b%22%7D").unwrap(), "a b");
        assert_eq!(form("text=hello%21&x=1").unwrap(), "hello!");
        assert_eq!(form("backup is done").unwrap(), "backup is done");
        assert_eq!(text_of("text/plain", b"one\r\ntwo\n").unwrap(), "one\ntwo");
        assert!(text_of("text/plain", b"\xff").is_err() && form("payload=%7B").is_none());
    }

    #[test]
    fn markup_that_is_none_stays() {
        assert_eq!(plain("<!here> <#C1|ops> <@U1|ann>"), "here ops ann");
        assert_eq!(plain("1 < 2 and 3 > 2"), "1 < 2 and 3 > 2");
    }

    #[test]
    fn what_is_long_becomes_several_messages() {
        assert_eq!(cut("a\nb\nc", 2, 100), ["a\nb", "c"]);
        assert_eq!(cut("aaaa\nbbbb", 10, 5), ["aaaa", "bbbb"]);
        assert_eq!(cut("a\n\nb", 10, 100), ["a\n\nb"]);
    }
}
