//! The schemas of what is sent and answered (JSON Schema 2020-12, as OpenAPI 3.1 has them). A test over a socket holds
//! every answer against its schema.

use serde_json::{Map, Value, json};

/// An object all of whose members are there, and no others.
fn object(members: Value) -> Value {
    let required: Vec<Value> =
        members.as_object().into_iter().flat_map(Map::keys).map(|name| Value::from(name.as_str())).collect();
    json!({
        "type": "object",
        "properties": members,
        "required": required,
        "additionalProperties": false,
    })
}

fn text(what: &str) -> Value {
    json!({ "type": "string", "description": what })
}

fn maybe(what: &str) -> Value {
    json!({ "type": ["string", "null"], "description": what })
}

fn count(what: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": what })
}

fn flag(what: &str) -> Value {
    json!({ "type": "boolean", "description": what })
}

fn time(what: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "description": what })
}

fn list(of: &str) -> Value {
    json!({ "type": "array", "items": { "$ref": format!("#/components/schemas/{of}") } })
}

/// All of them, by name.
pub(super) fn schemas() -> Value {
    let mut all = about_people();
    for more in [about_messages(), about_files()] {
        if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
            all.extend(more);
        }
    }
    all
}

fn about_files() -> Value {
    json!({
        "File": object(json!({
            "id": text("The name of its link."),
            "url": text("The link."),
            "name": text("Its name."),
            "type": text("What it is, by its bytes."),
            "size": count("Its bytes."),
            "sha256": text("The SHA-256 of its content, in hexadecimal."),
            "by": text("Who handed it in."),
            "room": maybe("The room that it was handed in for."),
            "time": time("When."),
            "messages": count("How many messages point at it."),
        })),
        "Files": object(json!({
            "files": list("File"),
            "more": flag("There are older ones."),
            "used": object(json!({
                "files": count("How many are yours."),
                "bytes": count("Their bytes."),
                "of": count("As many bytes are the most."),
            })),
        })),
    })
}

fn about_people() -> Value {
    json!({
        "Me": object(json!({
            "account": maybe("Your account; null without a token."),
            "token": maybe("What its owner calls the token."),
            "bot": maybe("The bot as which you speak, if it is not the owner who does."),
            "scopes": { "type": "array", "items": { "type": "string", "enum": ["read", "write", "accounts"] } },
        })),
        "Room": object(json!({
            "name": text("Its name, with its #."),
            "topic": {
                "description": "What it is about; null when nobody said.",
                "oneOf": [
                    object(json!({
                        "text": text("The topic."),
                        "by": text("The nickname of who set it."),
                        "time": time("When."),
                    })),
                    { "type": "null" },
                ],
            },
            "members": count("How many are in it."),
            "opened": time("When it was opened."),
            "first": count("The number of the first message that may be shown."),
            "keep_seconds": {
                "type": ["integer", "null"],
                "minimum": 0,
                "description": "Seconds after which what is said there disappears; null for never.",
            },
            "last": count("The number of the last message; below the first while there is none."),
        })),
        "Rooms": object(json!({ "rooms": list("Room"), "more": flag("There are more behind them.") })),
        "Member": object(json!({
            "nick": text("Nickname."),
            "account": maybe("The account; null for a guest."),
            "role": {
                "description": "The highest role in the room; null for none.",
                "enum": ["founder", "admin", "operator", "halfop", "voice", null],
            },
            "bot": flag("Says of itself that it is a program."),
            "away": flag("Is away."),
        })),
        "Members": object(json!({ "room": text("The room."), "members": list("Member") })),
        "Account": object(json!({
            "name": text("Its name."),
            "created": time("When it was registered."),
            "seen": { "type": ["string", "null"], "format": "date-time", "description": "When its owner left last." },
            "verified": flag("Its owner may log in."),
            "password": flag("A password proves it."),
            "keys": count("How many ssh keys prove it."),
            "certificates": count("How many certificates prove it."),
            "tokens": count("How many tokens it has."),
        })),
        "Accounts": object(json!({ "accounts": list("Account"), "more": flag("There are more behind them.") })),
    })
}

fn about_messages() -> Value {
    let kind =
        json!({ "type": "string", "enum": ["message", "notice", "action"], "description": "In which way." });
    json!({
        "Message": object(json!({
            "room": text("Where."),
            "number": count("Its number in the room: 1, 2, 3 …"),
            "id": text("Its msgid, by which every door knows it."),
            "time": time("When."),
            "from": object(json!({
                "nick": text("Nickname."),
                "account": maybe("The account; null for a guest."),
                "program": flag("A bot or a hook said it."),
            })),
            "kind": kind,
            "text": text("What."),
        })),
        "Page": object(json!({
            "room": text("The room."),
            "messages": list("Message"),
            "more": flag("There is more in this direction."),
        })),
        "Found": object(json!({ "messages": list("Message"), "more": flag("Older ones may fit as well.") })),
        "NewMessage": {
            "type": "object",
            "properties": {
                "text": { "type": "string", "minLength": 1, "description": "What; several lines make one message." },
                "kind": kind,
            },
            "required": ["text"],
            "additionalProperties": false,
        },
        "Hooked": {
            "description": "As Slack's incoming webhooks take it. Other members are passed over.",
            "type": ["object", "string"],
            "properties": {
                "text": { "type": "string", "description": "What; several lines make one message." },
                "attachments": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "pretext": { "type": "string" },
                            "title": { "type": "string" },
                            "title_link": { "type": "string" },
                            "text": { "type": "string" },
                            "fallback": { "type": "string" },
                        },
                    },
                },
            },
        },
        "Kept": object(json!({
            "room": text("Where."),
            "number": count("Its number in the room."),
            "id": text("Its msgid."),
            "time": time("When."),
        })),
        "Problem": object(json!({
            "type": text("Always about:blank: the status says which kind it is."),
            "title": text("The status in words."),
            "status": count("The status."),
            "detail": text("What is wrong and what to do."),
        })),
        "Document": { "type": "object" },
    })
}
