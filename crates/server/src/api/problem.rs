//! What went wrong, for programs and for people: `application/problem+json` (RFC 9457).

use chinwag_core::programs::NotSaid;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde_json::json;

use super::body::Body;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The status of the answer.
    pub(crate) status: StatusCode,
    /// What is wrong and what to do, in a sentence.
    detail: String,
    /// A header more.
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Problem {
        Problem { status, detail: detail.into(), header: None }
    }

    /// 400.
    pub(crate) fn bad(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404.
    pub(crate) fn missing(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, detail)
    }

    /// 422.
    pub(crate) fn unfit(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 401 (RFC 6750, section 3).
    pub(crate) fn no_token(detail: &str) -> Problem {
        let header = (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"chinwag\""));
        Problem { header: Some(header), ..Problem::new(StatusCode::UNAUTHORIZED, detail) }
    }

    /// 429: too fast.
    pub(crate) fn too_fast(seconds: u64, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).after(seconds)
    }

    /// 503: not now.
    pub(crate) fn not_now(seconds: u64, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).after(seconds)
    }

    /// Says when to come again.
    pub(crate) fn after(self, seconds: u64) -> Problem {
        Problem { header: Some((RETRY_AFTER, HeaderValue::from(seconds))), ..self }
    }

    /// With a header more.
    pub(crate) fn with(self, name: HeaderName, value: &str) -> Problem {
        Problem { header: HeaderValue::from_str(value).ok().map(|value| (name, value)), ..self }
    }

    /// As it is sent to people: its sentence.
    pub(crate) fn words(self) -> Response<Body> {
        let text = format!("{}\n", self.detail);
        let mut response = self.response();
        *response.body_mut() = Body::whole(text);
        let media = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, media);
        response
    }

    /// As it is sent.
    pub(crate) fn response(self) -> Response<Body> {
        let title = self.status.canonical_reason().unwrap_or("Refused");
        let body = json!({
            "type": "about:blank",
            "title": title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let mut response = Response::new(Body::whole(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some((name, value)) = self.header {
            headers.insert(name, value);
        }
        response
    }
}

impl From<NotSaid> for Problem {
    fn from(why: NotSaid) -> Problem {
        match why {
            NotSaid::Wait => Problem::not_now(1, "Something else happens in that room: try again."),
            NotSaid::NoRoom => Problem::missing("There is no such room that you could speak in."),
            NotSaid::MayNot(mode) => {
                let mode = mode.map_or(String::new(), |mode| format!(" (mode {mode})"));
                let detail = format!("The room does not let you speak{mode}; ask one of its operators.");
                Problem::new(StatusCode::FORBIDDEN, detail)
            }
            NotSaid::HeldBack(span, why) => {
                Problem::too_fast(span.0.div_ceil(1000), format!("Try again in {span}: {why}."))
            }
            NotSaid::Unfit(why) => Problem::unfit(format!("{why}.")),
            NotSaid::TooLong { lines, bytes } => Problem::unfit(format!(
                "A message has at most {lines} lines and {bytes} bytes: send several."
            )),
        }
    }
}
