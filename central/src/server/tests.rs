//! What must go on living while slow connections are closed.

use std::convert::Infallible;

use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use super::*;

async fn ask(at: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: central\r\n\r\n").as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_stream_of_events_outlives_every_limit_and_what_is_being_answered_outlives_the_stop() {
    let limits = Limits { header_ms: 100, request_ms: 900, stalled_ms: 100, ..Limits::default() };
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (arrived, go_on) = (Arc::clone(&arrived), Arc::clone(&go_on));
        move || async move {
            arrived.notify_one();
            go_on.notified().await;
            "answered"
        }
    };
    let events = || async {
        let ticks = tokio_stream::StreamExt::throttle(futures::stream::repeat(()), Duration::from_millis(50));
        Sse::new(Box::pin(ticks).map(|()| Ok::<_, Infallible>(Event::default().data("tick"))))
    };
    let router = Router::new().route("/events", get(events)).route("/slow", get(handler));
    let (stop, stopped) = watch::channel(false);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let server = Server::new(router, Gate::new(&limits), limits, stopped);
    let serving = tokio::spawn(server.serve(listener, Door::Open));

    let mut events = ask(at, "/events").await;
    let (began, mut seen) = (std::time::Instant::now(), 0);
    while seen < 30 {
        let mut some = [0; 1024];
        let read = events.read(&mut some).await.unwrap();
        assert!(read > 0, "the stream ended after {seen} events");
        seen += String::from_utf8_lossy(&some[..read]).matches("tick").count();
    }
    assert!(began.elapsed() > Duration::from_millis(limits.request_ms), "longer than any request");

    let mut slow = ask(at, "/slow").await;
    arrived.notified().await;
    stop.send(true).unwrap();
    go_on.notify_one();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("answered"), "{answer}");
    serving.await.unwrap();
    assert!(TcpStream::connect(at).await.is_err(), "nobody listens any more");
}
