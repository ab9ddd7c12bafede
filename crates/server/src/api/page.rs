//! The API for people: a page made from the same table as everything else. No script, nothing from elsewhere.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use chinwag_wire::base64;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderValue};

use super::ask::json;
use super::body::Body;
use super::openapi;
use super::problem::Problem;
use super::table::{Kind, Parameter, Place, ROUTES, Route};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}\
h2{margin-top:2.5rem;font-size:1.1rem;overflow-wrap:anywhere}\
code,pre{font-family:ui-monospace,monospace;font-size:.9em}\
pre{padding:.7rem;overflow:auto;background:color-mix(in srgb,currentColor 8%,transparent);border-radius:.3rem}\
table{border-collapse:collapse}td{padding:.1rem .8rem .1rem 0;vertical-align:top}\
.method{display:inline-block;min-width:3.5rem}";

/// The same text where markup is read.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn row(parameter: &Parameter) -> String {
    let place = match parameter.place {
        Place::Path => "in the path",
        Place::Query => "behind ?",
        Place::Header => "header",
    };
    let kind = match parameter.kind {
        Kind::Number(least, most) if most < 1_000_000 => format!("{least} to {most}"),
        Kind::Number(..) => "number".to_owned(),
        Kind::Text(_) => "text".to_owned(),
    };
    let (name, what) = (parameter.name, escaped(parameter.what));
    format!("<tr><td><code>{name}</code></td><td>{place}</td><td>{kind}</td><td>{what}</td></tr>\n")
}

fn section(route: &Route) -> String {
    let token = match (route.scope, route.token) {
        (Some(scope), true) => format!("Needs a token with the scope <code>{}</code>.", scope.name()),
        (Some(scope), false) => {
            format!(
                "As far as guests may, without a token; with one, it needs the scope <code>{}</code>.",
                scope.name()
            )
        }
        (None, _) => "Needs no token.".to_owned(),
    };
    let mut html = format!(
        "<h2 id=\"{}\"><span class=\"method\">{}</span> <code>{}</code></h2>\n<p>{} {token}</p>\n",
        route.id,
        route.method,
        escaped(route.path),
        escaped(route.what)
    );
    if !route.parameters.is_empty() {
        let rows: String = route.parameters.iter().map(row).collect();
        let _ = writeln!(html, "<table>{rows}</table>");
    }
    if let Some(carries) = &route.carries {
        let types = carries.types.join("</code>, <code>");
        let _ =
            writeln!(html, "<p>Takes <code>{types}</code>, at most {} KiB.</p>", carries.bytes_max / 1024);
    }
    if !route.example.is_empty() {
        let _ = writeln!(html, "<pre>{}</pre>", escaped(route.example));
    }
    html
}

fn html() -> String {
    let sections: String = ROUTES.iter().map(section).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>HTTP API</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\n\
         <h1>HTTP API</h1>\n\
         <p>Everything that can be asked here, made from the table by which the server answers. For programs: \
         <a href=\"/api/v1/openapi.json\">openapi.json</a>.</p>\n\
         <p>A token is made where you are logged in, in any door: <code>TOKEN ADD name read,write</code>, or \
         <code>/token add name</code>. It is shown once; <code>TOKEN LIST</code> and <code>TOKEN DEL name</code> look \
         after it. What goes wrong is answered as <code>application/problem+json</code> (RFC 9457), with a sentence \
         that says what to do; 429 and 503 say when in <code>Retry-After</code>.</p>\n\
         <p>In the examples <code>$CHAT</code> is this server (<code>http://localhost:55555</code>) and \
         <code>$TOKEN</code> a token.</p>\n{sections}</body></html>\n"
    )
}

/// `GET /api`
pub(super) async fn page() -> Result<Response<Body>, Problem> {
    let mut response = Response::new(Body::whole(html()));
    let style = base64::encode(digest(&SHA256, STYLE.as_bytes()).as_ref());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert("content-security-policy", policy);
    }
    Ok(response)
}

/// `GET /api/v1/openapi.json`
pub(super) async fn document() -> Result<Response<Body>, Problem> {
    Ok(json(200, &openapi::document()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_row_and_no_script() {
        let html = html();
        for route in ROUTES {
            assert!(html.contains(&format!("id=\"{}\"", route.id)));
        }
        assert!(!html.contains("<script") && !html.contains("style=") && !html.contains("onclick"));
        assert_eq!(escaped("<a href=\"&\">"), "&lt;a href=&quot;&amp;&quot;&gt;");
    }
}
