//! The one table of the HTTP API: requests are answered from it, and its documents are made from it, so that neither
//! says what the other does not.

use std::future::Future;
use std::pin::Pin;

use chinwag_core::tokens::Scope;
use hyper::Response;

use super::ask::Ask;
use super::body::Body;
use super::problem::Problem;
use super::{accounts, files, hooks, messages, page, rooms, stream};

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the path.
    Path,
    /// Behind the question mark.
    Query,
    /// In a header of this name.
    Header,
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole number from the first to the second.
    Number(u64, u64),
    /// A text of 1 to so many bytes.
    Text(usize),
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) what: &'static str,
    /// One that there is on nearly every server; empty for none.
    pub(crate) example: &'static str,
}

/// What a request carries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carried {
    /// The media types that are taken; the first is the one to use.
    pub(crate) types: &'static [&'static str],
    /// Bytes at most.
    pub(crate) bytes_max: usize,
    /// Its schema, by name; empty where it is anything at all, of which no more is in memory than a piece.
    pub(crate) schema: &'static str,
}

/// An answer that is no problem.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) what: &'static str,
    pub(crate) media: &'static str,
    /// Its schema, by name; empty where it is text.
    pub(crate) schema: &'static str,
}

/// What a handler gives, sooner or later.
pub(crate) type Answered = Pin<Box<dyn Future<Output = Result<Response<Body>, Problem>>>>;

/// One thing that can be asked.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// Its name in the OpenAPI document.
    pub(crate) id: &'static str,
    /// What it does, in a sentence.
    pub(crate) what: &'static str,
    /// The scope that a token needs. Nobody needs a token to read what guests may read.
    pub(crate) scope: Option<Scope>,
    /// Whether it is refused without a token.
    pub(crate) token: bool,
    pub(crate) parameters: &'static [Parameter],
    pub(crate) carries: Option<Carried>,
    pub(crate) answer: Answer,
    /// The problems that it has beside those that everything has.
    pub(crate) problems: &'static [u16],
    /// How to ask it with curl; `$CHAT` is the server's address, `$TOKEN` a token, `$HOOK` a
    /// hook's.
    pub(crate) example: &'static str,
    pub(crate) run: fn(Ask) -> Answered,
}

/// The problems that everything may have.
pub(crate) const PROBLEMS: &[u16] = &[400, 401, 403, 404, 405, 408, 413, 429, 500, 503];

const ROOM: Parameter = Parameter {
    name: "room",
    place: Place::Path,
    kind: Kind::Text(200),
    required: true,
    what: "The room's name, with or without its # (as %23).",
    example: "lobby",
};

const LIMIT: Parameter = Parameter {
    name: "limit",
    place: Place::Query,
    kind: Kind::Number(1, 100),
    required: false,
    what: "At most so many.",
    example: "10",
};

const fn number(name: &'static str, what: &'static str) -> Parameter {
    let kind = Kind::Number(0, MESSAGE_NUMBER_MAX);
    Parameter { name, place: Place::Query, kind, required: false, what, example: "" }
}

/// Bytes of what a request carries.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// The greatest number of a message that can be asked for: JSON's numbers are exact up to it.
const MESSAGE_NUMBER_MAX: u64 = (1 << 53) - 1;

const JSON: &str = "application/json";

/// Everything that can be asked.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/api/v1/me",
        id: "whoami",
        what: "Who you are to the server, and what your token may do.",
        scope: None,
        token: false,
        parameters: &[],
        carries: None,
        answer: Answer { status: 200, what: "You.", media: JSON, schema: "Me" },
        problems: &[],
        example: "curl -s -H \"Authorization: Bearer $TOKEN\" $CHAT/api/v1/me",
        run: |ask| Box::pin(accounts::me(ask)),
    },
    Route {
        method: "GET",
        path: "/api/v1/rooms",
        id: "listRooms",
        what: "The rooms that you may read, in the order in which they were opened.",
        scope: Some(Scope::Read),
        token: false,
        parameters: &[
            LIMIT,
            Parameter {
                name: "after",
                place: Place::Query,
                kind: Kind::Text(200),
                required: false,
                what: "Only rooms that were opened after this one.",
                example: "",
            },
        ],
        carries: None,
        answer: Answer { status: 200, what: "Rooms.", media: JSON, schema: "Rooms" },
        problems: &[],
        example: "curl -s $CHAT/api/v1/rooms",
        run: |ask| Box::pin(rooms::list(ask)),
    },
    Route {
        method: "GET",
        path: "/api/v1/rooms/{room}",
        id: "getRoom",
        what: "One room.",
        scope: Some(Scope::Read),
        token: false,
        parameters: &[ROOM],
        carries: None,
        answer: Answer { status: 200, what: "The room.", media: JSON, schema: "Room" },
        problems: &[],
        example: "curl -s $CHAT/api/v1/rooms/lobby",
        run: |ask| Box::pin(rooms::one(ask)),
    },
    Route {
        method: "GET",
        path: "/api/v1/rooms/{room}/members",
        id: "listMembers",
        what: "Who is in a room now.",
        scope: Some(Scope::Read),
        token: false,
        parameters: &[ROOM],
        carries: None,
        answer: Answer { status: 200, what: "Its members.", media: JSON, schema: "Members" },
        problems: &[],
        example: "curl -s $CHAT/api/v1/rooms/lobby/members",
        run: |ask| Box::pin(rooms::members(ask)),
    },
    Route {
        method: "GET",
        path: "/api/v1/rooms/{room}/messages",
        id: "listMessages",
        what: "A page of what was said, the oldest first: the newest messages, or those next to a number.",
        scope: Some(Scope::Read),
        token: false,
        parameters: &[
            ROOM,
            LIMIT,
            number("before", "The newest before this number."),
            number("after", "The oldest after this number."),
        ],
        carries: None,
        answer: Answer { status: 200, what: "A page.", media: JSON, schema: "Page" },
        problems: &[],
        example: "curl -s \"$CHAT/api/v1/rooms/lobby/messages?limit=10\"",
        run: |ask| Box::pin(messages::list(ask)),
    },
    Route {
        method: "POST",
        path: "/api/v1/rooms/{room}/messages",
        id: "postMessage",
        what: "Says something. 201 comes when the message is kept, and not before. With an Idempotency-Key the same \
               request can be repeated for a day (or until the server restarts) and is done once.",
        scope: Some(Scope::Write),
        token: true,
        parameters: &[
            ROOM,
            Parameter {
                name: "Idempotency-Key",
                place: Place::Header,
                kind: Kind::Text(64),
                required: false,
                what: "What you call this request; another one for each message.",
                example: "",
            },
        ],
        carries: Some(Carried { types: &[JSON], bytes_max: BODY_BYTES_MAX, schema: "NewMessage" }),
        answer: Answer { status: 201, what: "It is kept.", media: JSON, schema: "Kept" },
        problems: &[409, 415, 422],
        example: "curl -s -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \\\n    \
                  -d '{\"text\": \"hello from curl\"}' $CHAT/api/v1/rooms/lobby/messages",
        run: |ask| Box::pin(messages::post(ask)),
    },
    Route {
        method: "GET",
        path: "/api/v1/rooms/{room}/messages/{number}",
        id: "getMessage",
        what: "One message, by its number.",
        scope: Some(Scope::Read),
        token: false,
        parameters: &[
            ROOM,
            Parameter {
                name: "number",
                place: Place::Path,
                kind: Kind::Number(1, MESSAGE_NUMBER_MAX),
                required: true,
                what: "The message's number in the room.",
                example: "1",
            },
        ],
        carries: None,
        answer: Answer { status: 200, what: "The message.", media: JSON, schema: "Message" },
        problems: &[],
        example: "curl -s $CHAT/api/v1/rooms/lobby/messages/1",
        run: |ask| Box::pin(messages::one(ask)),
    },
    Route {
        method: "GET",
        path: "/api/v1/rooms/{room}/stream",
        id: "streamMessages",
        what: "What is said from now on, or after a number, as server-sent events whose id is the message's number. \
               Nothing is left out: come again with the last id, as browsers do by themselves.",
        scope: Some(Scope::Read),
        token: false,
        parameters: &[
            ROOM,
            number("after", "Begins after this number."),
            Parameter {
                name: "Last-Event-ID",
                place: Place::Header,
                kind: Kind::Number(0, MESSAGE_NUMBER_MAX),
                required: false,
                what: "The same; it counts more.",
                example: "",
            },
        ],
        carries: None,
        answer: Answer {
            status: 200,
            what: "Events without an end.",
            media: "text/event-stream",
            schema: "",
        },
        problems: &[],
        example: "curl -sN --max-time 2 \"$CHAT/api/v1/rooms/lobby/stream?after=0\"",
        run: |ask| Box::pin(stream::stream(ask)),
    },
    Route {
        method: "GET",
        path: "/api/v1/search",
        id: "search",
        what: "Finds what was said in the rooms that you may read: words that must all be there, \"a phrase\", begin*, \
               in:#room from:name before:2026-11-21 after:2026-11-01.",
        scope: Some(Scope::Read),
        token: false,
        parameters: &[
            Parameter {
                name: "q",
                place: Place::Query,
                kind: Kind::Text(400),
                required: true,
                what: "What to look for.",
                example: "hello",
            },
            LIMIT,
        ],
        carries: None,
        answer: Answer {
            status: 200,
            what: "What was found, the oldest first.",
            media: JSON,
            schema: "Found",
        },
        problems: &[],
        example: "curl -s \"$CHAT/api/v1/search?q=hello+in:%23lobby\"",
        run: |ask| Box::pin(messages::search(ask)),
    },
    Route {
        method: "GET",
        path: "/api/v1/accounts",
        id: "listAccounts",
        what: "All accounts by name, for server operators.",
        scope: Some(Scope::Accounts),
        token: true,
        parameters: &[
            LIMIT,
            Parameter {
                name: "after",
                place: Place::Query,
                kind: Kind::Text(200),
                required: false,
                what: "Only those behind this name.",
                example: "",
            },
        ],
        carries: None,
        answer: Answer { status: 200, what: "Accounts.", media: JSON, schema: "Accounts" },
        problems: &[],
        example: "",
        run: |ask| Box::pin(accounts::list(ask)),
    },
    Route {
        method: "GET",
        path: "/api/v1/accounts/{account}",
        id: "getAccount",
        what: "One account, for server operators.",
        scope: Some(Scope::Accounts),
        token: true,
        parameters: &[Parameter {
            name: "account",
            place: Place::Path,
            kind: Kind::Text(200),
            required: true,
            what: "Its name.",
            example: "",
        }],
        carries: None,
        answer: Answer { status: 200, what: "The account.", media: JSON, schema: "Account" },
        problems: &[],
        example: "",
        run: |ask| Box::pin(accounts::one(ask)),
    },
    Route {
        method: "POST",
        path: "/api/v1/files",
        id: "postFile",
        what: "Hands in a file: whatever is sent, as it is. Its link is in Location and nobody can guess it; say it in a \
               message, with which the file goes when that is deleted. What no message points at goes after an hour. The \
               name and password of an account (Basic) are taken as well as a token, as IRC's draft/FILEHOST has it.",
        scope: Some(Scope::Write),
        token: true,
        parameters: &[Parameter {
            name: "Content-Disposition",
            place: Place::Header,
            kind: Kind::Text(1000),
            required: false,
            what: "How it is called: attachment; filename=\"picture.png\".",
            example: "",
        }],
        carries: Some(Carried {
            types: &["application/octet-stream", "*/*"],
            bytes_max: usize::MAX,
            schema: "",
        }),
        answer: Answer { status: 201, what: "It is kept.", media: JSON, schema: "File" },
        problems: &[415, 422, 507],
        example: "curl -s -H \"Authorization: Bearer $TOKEN\" -H 'Content-Disposition: attachment; filename=\"notes.txt\"' \
                  -H 'Content-Type: text/plain' --data-binary 'milk, tea' $CHAT/api/v1/files",
        run: |ask| Box::pin(files::post(ask)),
    },
    Route {
        method: "GET",
        path: "/api/v1/files",
        id: "listFiles",
        what: "Your files, the newest first, and how much of what there is for you they use; of all, for server operators.",
        scope: Some(Scope::Read),
        token: true,
        parameters: &[
            LIMIT,
            number("before", "Only those that came before this time, in milliseconds since 1970."),
            Parameter {
                name: "of",
                place: Place::Query,
                kind: Kind::Text(8),
                required: false,
                what: "me or all; all needs the scope accounts.",
                example: "me",
            },
        ],
        carries: None,
        answer: Answer { status: 200, what: "Files.", media: JSON, schema: "Files" },
        problems: &[],
        example: "curl -s -H \"Authorization: Bearer $TOKEN\" $CHAT/api/v1/files",
        run: |ask| Box::pin(files::list(ask)),
    },
    Route {
        method: "DELETE",
        path: "/api/v1/files/{id}",
        id: "deleteFile",
        what: "Deletes a file of yours at once; messages that point at it stay and point at nothing.",
        scope: Some(Scope::Write),
        token: true,
        parameters: &[Parameter {
            name: "id",
            place: Place::Path,
            kind: Kind::Text(64),
            required: true,
            what: "The name of its link.",
            example: "",
        }],
        carries: None,
        answer: Answer { status: 200, what: "The file that is gone.", media: JSON, schema: "File" },
        problems: &[],
        example: "",
        run: |ask| Box::pin(files::delete(ask)),
    },
    Route {
        method: "POST",
        path: "/hook/{token}",
        id: "hook",
        what: "Says something in the room of the hook, as name/hook. HOOK ADD #room name makes one. What posts to Slack's \
               incoming webhooks can post here as it is: text, attachments; plain text and forms are read, too.",
        scope: None,
        token: false,
        parameters: &[Parameter {
            name: "token",
            place: Place::Path,
            kind: Kind::Text(128),
            required: true,
            what: "The hook's token.",
            example: "",
        }],
        carries: Some(Carried {
            types: &[JSON, "application/x-www-form-urlencoded", "text/plain"],
            bytes_max: 256 * 1024,
            schema: "Hooked",
        }),
        answer: Answer { status: 200, what: "It is kept.", media: "text/plain; charset=utf-8", schema: "" },
        problems: &[415, 422],
        example: "curl -s -d '{\"text\": \"deployed\"}' -H 'Content-Type: application/json' $CHAT/hook/$HOOK",
        run: |ask| Box::pin(hooks::receive(ask)),
    },
    Route {
        method: "GET",
        path: "/api/v1/openapi.json",
        id: "openapi",
        what: "This interface as an OpenAPI 3.1 document.",
        scope: None,
        token: false,
        parameters: &[],
        carries: None,
        answer: Answer { status: 200, what: "The document.", media: JSON, schema: "Document" },
        problems: &[],
        example: "curl -s $CHAT/api/v1/openapi.json",
        run: |_| Box::pin(page::document()),
    },
    Route {
        method: "GET",
        path: "/api",
        id: "page",
        what: "This interface, for people.",
        scope: None,
        token: false,
        parameters: &[],
        carries: None,
        answer: Answer { status: 200, what: "A page.", media: "text/html; charset=utf-8", schema: "" },
        problems: &[],
        example: "",
        run: |_| Box::pin(page::page()),
    },
];

/// Whether a path takes what is sent as it comes, in pieces.
pub(crate) fn streamed(path: &str) -> bool {
    let takes = |route: &Route| route.carries.as_ref().is_some_and(|carries| carries.schema.is_empty());
    ROUTES.iter().any(|route| takes(route) && (path == route.path || path.starts_with("/api/v1/files/")))
}

/// What was found for a path.
pub(crate) struct Matched {
    pub(crate) route: &'static Route,
    /// The parts of the path that are parameters, as they were sent.
    pub(crate) parts: Vec<(&'static str, String)>,
}

/// The parts of a path that are parameters, if it is one of this form.
fn matched(form: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let (mut form, mut path) = (form.split('/'), path.split('/'));
    let mut parts = Vec::new();
    loop {
        match (form.next(), path.next()) {
            (None, None) => return Some(parts),
            (Some(name), Some(part)) => {
                match name.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => parts.push((name, part.to_owned())),
                    None if name == part => {}
                    None => return None,
                }
            }
            _ => return None,
        }
    }
}

/// The route of a request; or the methods that there are for its path, with none when there is no such path.
pub(crate) fn find(method: &str, path: &str) -> Result<Matched, Vec<&'static str>> {
    let asked = if method == "HEAD" { "GET" } else { method };
    let mut methods = Vec::new();
    for route in ROUTES {
        let Some(parts) = matched(route.path, path) else { continue };
        if route.method == asked {
            return Ok(Matched { route, parts });
        }
        methods.push(route.method);
        if route.method == "GET" {
            methods.push("HEAD");
        }
    }
    Err(methods)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_with_their_parts() {
        let found = find("GET", "/api/v1/rooms/%23tea/messages/42").ok().unwrap();
        assert_eq!(found.route.id, "getMessage");
        assert_eq!(found.parts, [("room", "%23tea".to_owned()), ("number", "42".to_owned())]);
        assert_eq!(find("DELETE", "/api/v1/rooms/tea/messages").err().unwrap(), ["GET", "HEAD", "POST"]);
        assert_eq!(find("GET", "/api/v1/nothing").err().unwrap(), [""; 0]);
        assert_eq!(find("HEAD", "/api/v1/rooms").ok().unwrap().route.id, "listRooms");
    }

    #[test]
    fn the_table_is_whole() {
        for route in ROUTES {
            let in_path = route.path.matches('{').count();
            let named = route.parameters.iter().filter(|parameter| parameter.place == Place::Path);
            assert_eq!(named.count(), in_path, "{}", route.path);
            assert!(route.what.ends_with('.'), "{}", route.id);
            assert!(route.scope.is_some() || !route.token, "{}", route.id);
            let same = ROUTES.iter().filter(|other| other.id == route.id);
            assert_eq!(same.count(), 1, "{}", route.id);
        }
    }
}
