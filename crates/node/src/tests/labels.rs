//! Labelled requests and their answers.

use super::{ANN, two};

const CAPS: &str = "batch labeled-response echo-message draft/chathistory message-tags";
const QUIET: &str = "batch labeled-response";

#[test]
fn nothing_to_answer_is_acknowledged() {
    let (mut world, ann, bob) = two(QUIET, "");
    world.say(ann, "@label=a1 PRIVMSG #tea :hello");
    assert_eq!(world.lines(ann), ["@label=a1 :chinwag.local ACK"]);
    assert_eq!(world.lines(bob), [format!("{ANN} PRIVMSG #tea :hello")]);
}

#[test]
fn one_line_carries_the_label() {
    let (mut world, ann, bob) = two(CAPS, "");
    world.say(ann, "@label=p PING x");
    assert_eq!(world.lines(ann), ["@label=p :chinwag.local PONG chinwag.local :x"]);
    world.say(ann, "@label=e PRIVMSG #tea :hello");
    let lines = world.lines(ann);
    assert!(lines[0].starts_with("@label=e;msgid=") && lines.len() == 1, "{lines:?}");
    assert_eq!(world.lines(bob), [format!("{ANN} PRIVMSG #tea :hello")]);
}

#[test]
fn several_lines_are_a_batch() {
    let (mut world, ann, _) = two(CAPS, "");
    world.say(ann, "@label=n NAMES #tea");
    let lines = world.lines(ann);
    let reference = lines[0].strip_prefix("@label=n :chinwag.local BATCH +").unwrap();
    let reference = reference.strip_suffix(" labeled-response").unwrap();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[1].starts_with(&format!("@batch={reference} :chinwag.local 353 ann = #tea ")), "{lines:?}");
    assert!(lines[2].starts_with(&format!("@batch={reference} :chinwag.local 366 ")), "{lines:?}");
    assert_eq!(lines[3], format!(":chinwag.local BATCH -{reference}"));
}

#[test]
fn a_join_and_all_that_belongs_to_it_is_one_batch() {
    let (mut world, ann, _) = two(CAPS, "");
    world.say(ann, "@label=j JOIN #milk");
    let lines = world.lines(ann);
    assert!(lines[0].starts_with("@label=j "), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("JOIN #milk") && line.starts_with("@batch=")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains(" 366 ")), "{lines:?}");
    assert!(lines.last().unwrap().contains(" BATCH -"), "{lines:?}");
}

#[test]
fn several_targets_are_one_batch_and_nothing_is_seen_late() {
    let (mut world, ann, bob) = two(CAPS, "");
    world.say(ann, "JOIN #milk");
    world.read(ann);
    world.log.hold();
    world.say(ann, "@label=t PRIVMSG #tea,#milk :both");
    world.say(bob, "PRIVMSG #tea :mine");
    world.log.release();
    world.turn();
    let lines = world.lines(ann);
    let at = |what: &str| {
        lines.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {lines:?}"))
    };
    assert!(lines[0].starts_with("@label=t ") && lines[0].contains("BATCH +"), "{lines:?}");
    assert!(at("PRIVMSG #tea :both") < at("PRIVMSG #milk :both"), "{lines:?}");
    assert!(at("PRIVMSG #milk :both") < at("BATCH -"), "{lines:?}");
    assert!(at("PRIVMSG #tea :both") < at("PRIVMSG #tea :mine"), "{lines:?}");
}

#[test]
fn history_carries_the_label_on_its_own_batch() {
    let (mut world, ann, _) = two(CAPS, "");
    world.say(ann, "PRIVMSG #tea :one\nPRIVMSG #tea :two");
    world.read(ann);
    world.say(ann, "@label=h CHATHISTORY LATEST #tea * 10");
    let lines = world.lines(ann);
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[0].starts_with("@label=h ") && lines[0].contains(" chathistory #tea"), "{lines:?}");
    assert!(lines[1].contains(":one") && lines[2].contains(":two"), "{lines:?}");
    assert!(!lines[3].contains("label"), "{lines:?}");
}

#[test]
fn a_label_counts_only_with_the_capability() {
    let (mut world, ann, _) = two("message-tags", "");
    world.say(ann, "@label=p PING x");
    assert_eq!(world.lines(ann), [":chinwag.local PONG chinwag.local :x"]);
}

#[test]
fn a_label_holds_while_the_request_waits() {
    let (mut world, ann, _) = two(QUIET, "");
    world.log.hold();
    world.say(ann, "@label=1 PRIVMSG #tea :x\n@label=2 PING y");
    assert_eq!(world.read(ann), "");
    world.log.release();
    world.turn();
    assert_eq!(
        world.lines(ann),
        ["@label=1 :chinwag.local ACK", "@label=2 :chinwag.local PONG chinwag.local :y"]
    );
}
