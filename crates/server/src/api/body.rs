//! The body of an answer: whole, or in pieces that are made as fast as they are read.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body_util::Full;
use hyper::body::{Bytes, Frame, SizeHint};

/// Makes the pieces of a body, one after the other. No piece is made before the one before it was taken.
pub(crate) trait Pieces: Sized + 'static {
    /// The next piece; none at the end.
    fn next(self) -> impl Future<Output = Option<(Bytes, Self)>> + 'static;
}

type Next = Pin<Box<dyn Future<Output = Option<(Bytes, Maker)>>>>;

/// What makes the piece after this one.
pub(crate) struct Maker(Box<dyn FnOnce() -> Next>);

fn maker<P: Pieces>(pieces: P) -> Maker {
    Maker(Box::new(move || {
        Box::pin(async move {
            let (bytes, pieces) = pieces.next().await?;
            Some((bytes, maker(pieces)))
        })
    }))
}

/// The body of an answer.
pub(crate) enum Body {
    /// All of it.
    Whole(Full<Bytes>),
    /// Piece by piece.
    Pieces(Next),
    /// There are no more pieces.
    Ended,
}

impl Body {
    /// All of it.
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
        Body::Whole(Full::new(bytes.into()))
    }

    /// Piece by piece.
    pub(crate) fn pieces(pieces: impl Pieces) -> Body {
        Body::Pieces((maker(pieces).0)())
    }
}

impl Default for Body {
    fn default() -> Body {
        Body::Whole(Full::default())
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        match this {
            Body::Whole(whole) => Pin::new(whole).poll_frame(cx),
            Body::Ended => Poll::Ready(None),
            Body::Pieces(next) => match ready!(next.as_mut().poll(cx)) {
                Some((bytes, Maker(then))) => {
                    *next = then();
                    Poll::Ready(Some(Ok(Frame::data(bytes))))
                }
                None => {
                    *this = Body::Ended;
                    Poll::Ready(None)
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Whole(whole) => whole.is_end_stream(),
            Body::Pieces(_) => false,
            Body::Ended => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(whole) => whole.size_hint(),
            Body::Pieces(_) | Body::Ended => SizeHint::default(),
        }
    }
}
