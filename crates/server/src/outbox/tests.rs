//! The outbox against real sockets: order, the bound, and the last words of a slow reader.

use std::future::poll_fn;

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::*;

async fn pair() -> (Socket, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let caller = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    (Socket::new(stream, &Rc::default()), caller)
}

#[tokio::test]
async fn parts_arrive_in_order_without_a_backlog() {
    let (socket, mut caller) = pair().await;
    socket.write(&[b"one\n"], 100);
    let many: Vec<&[u8]> = (0..40).map(|_| b"part\n".as_slice()).collect();
    socket.write(&many, 1000);
    assert_eq!(socket.backlog.borrow().waiting(), 0);
    let mut bytes = vec![0; 4 + 40 * 5];
    caller.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, [b"one\n".to_vec(), b"part\n".repeat(40)].concat());
}

#[tokio::test]
async fn what_a_full_socket_does_not_take_follows_later_in_order() {
    let (socket, mut caller) = pair().await;
    let line = |n: usize| format!("{n:0>99}\n").into_bytes();
    let mut written = 0;
    while socket.backlog.borrow().waiting() < 500_000 {
        socket.write(&[&line(written), &line(written + 1)], 1 << 20);
        written += 2;
    }
    assert_eq!(socket.end(), End::Open);
    let reader = async {
        let mut all = vec![0; written * 100];
        caller.read_exact(&mut all).await.unwrap();
        all
    };
    let (sent, all) = tokio::join!(poll_fn(|cx| socket.poll_backlog(cx)), reader);
    sent.unwrap();
    for (n, bytes) in all.chunks(100).enumerate() {
        assert_eq!(bytes, line(n));
    }
    assert_eq!(socket.backlog.borrow().bytes.capacity(), 0);
}

#[tokio::test]
async fn a_reader_that_is_too_slow_gets_whole_lines_and_the_reason() {
    let (socket, mut caller) = pair().await;
    let line = [b'x'; 998];
    while socket.end() == End::Open {
        socket.write(&[&line, b"\r\n"], 100_000);
    }
    assert_eq!(socket.end(), End::Overflow);
    assert!(socket.backlog.borrow().waiting() <= 100_000);
    socket.last_words(b"ERROR :too slow\r\n");
    socket.write(&[b"after the end\r\n"], 100_000);
    let mut all = Vec::new();
    let sending = async {
        poll_fn(|cx| socket.poll_backlog(cx)).await.unwrap();
        socket.shut().unwrap();
    };
    let (_, read) = tokio::join!(sending, caller.read_to_end(&mut all));
    read.unwrap();
    let text = String::from_utf8(all).unwrap();
    let (last, lines) = {
        let mut lines: Vec<&str> = text.split_terminator("\r\n").collect();
        (lines.pop().unwrap(), lines)
    };
    assert_eq!(last, "ERROR :too slow");
    assert!(lines.iter().all(|line| line.len() == 998), "a line was cut");
}

#[tokio::test]
async fn a_single_write_beyond_the_bound_ends_its_first_line() {
    let (socket, mut caller) = pair().await;
    let huge = b"0123456789\n".repeat(2_000_000);
    socket.write(&[&huge], 1 << 20);
    assert_eq!(socket.end(), End::Overflow);
    socket.last_words(b"bye\n");
    let mut all = Vec::new();
    let sending = async {
        poll_fn(|cx| socket.poll_backlog(cx)).await.unwrap();
        socket.shut().unwrap();
    };
    let (_, read) = tokio::join!(sending, caller.read_to_end(&mut all));
    read.unwrap();
    assert!(all.ends_with(b"0123456789\nbye\n"));
}

#[tokio::test]
async fn what_a_websocket_does_not_take_follows_later_in_whole_frames() {
    let (socket, mut caller) = pair().await;
    socket.layer(|layers| layers.begin_websocket(crate::websocket::Frames::Text, b"", b"")).unwrap();
    let framed = RefCell::default();
    let mut expected = Vec::new();
    let mut written = 0;
    while socket.backlog.borrow().waiting() < 500_000 {
        let lines: String = (0..7).map(|n| format!("{written:0>60} {n:0>90}\r\n")).collect();
        socket.write_as_others(&[lines.as_bytes(), b"short\r\n"], 1 << 20, &framed);
        crate::framed::frame_all(lines.as_bytes(), false, &mut expected);
        expected.extend_from_slice(b"\x81\x05short");
        written += 1;
    }
    assert_eq!(socket.end(), End::Open);
    let reader = async {
        let mut all = vec![0; expected.len()];
        caller.read_exact(&mut all).await.unwrap();
        all
    };
    let (sent, all) = tokio::join!(poll_fn(|cx| socket.poll_backlog(cx)), reader);
    sent.unwrap();
    assert!(all == expected, "some of it is missing, twice or in another order");
}
