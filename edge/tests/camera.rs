//! Cameras on real GStreamer pipelines: test pictures, recordings made here, and whatever is wrong with them.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use edge::camera::{Camera, CameraHealth, CameraSpec, Cause, Frames, Mailbox, Notifier, Source, TestPattern};
use gst::prelude::*;
use gstreamer as gst;

const PATIENCE: Duration = Duration::from_mins(1);

fn test_source(pattern: TestPattern) -> CameraSpec {
    CameraSpec::new("test", Source::Test { pattern, width: 320, height: 180, frames_per_second: 15 })
}

fn file(path: &Path, r#loop: bool) -> CameraSpec {
    CameraSpec::new("clip", Source::File { path: path.to_owned(), r#loop, paced: true })
}

/// A second of a moving ball, encoded by `encoder` into `name`.
fn record(folder: &Path, encoder: &str, name: &str) -> PathBuf {
    gst::init().unwrap();
    let path = folder.join(name);
    let launch = format!(
        "videotestsrc num-buffers=15 pattern=ball ! video/x-raw,format=I420,width=322,height=182,framerate=15/1 ! \
         {encoder} ! filesink location={}",
        path.display()
    );
    let pipeline = gst::parse::launch(&launch).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let message = pipeline
        .bus()
        .unwrap()
        .timed_pop_filtered(
            gst::ClockTime::from_seconds(60),
            &[gst::MessageType::Eos, gst::MessageType::Error],
        )
        .expect("recorded in time");
    assert!(matches!(message.view(), gst::MessageView::Eos(_)), "{message:?}");
    pipeline.set_state(gst::State::Null).unwrap();
    path
}

fn h264(folder: &Path) -> PathBuf {
    record(folder, "x264enc tune=zerolatency ! mp4mux", "h264.mp4")
}

async fn until(camera: &Camera, wanted: impl Fn(&CameraHealth) -> bool) -> CameraHealth {
    let mut health = camera.health();
    let found = tokio::time::timeout(PATIENCE, health.wait_for(wanted)).await;
    let found = found.unwrap_or_else(|_| panic!("still {:?}", camera.health().borrow()));
    found.expect("camera is alive").clone()
}

async fn missing_with(camera: &Camera, words: &[&str]) {
    let said = |h: &CameraHealth| matches!(h, CameraHealth::Missing { why } if words.iter().all(|w| why.contains(w)));
    until(camera, said).await;
}

#[tokio::test]
async fn a_moving_picture_is_live_and_arrives_in_the_mailbox() {
    let mailbox = Mailbox::new();
    let notifier = Notifier::new();
    mailbox.subscribe(&notifier);
    let camera = Camera::start(test_source(TestPattern::Ball), mailbox.clone());
    until(&camera, |h| *h == CameraHealth::Live).await;
    assert!(notifier.wait(PATIENCE));
    let frame = mailbox.take().expect("announced");
    assert_eq!((frame.width, frame.height, frame.chroma.len()), (320, 180, 320 * 90));
    assert!(frame.luma.pixels().iter().any(|p| *p > 200), "the ball is white");
    assert!(camera.stop(), "ends in time");
}

#[tokio::test]
async fn a_picture_that_does_not_move_is_frozen() {
    let camera = Camera::start(test_source(TestPattern::Black), Mailbox::new());
    until(&camera, |h| *h == CameraHealth::Frozen).await;
}

#[tokio::test]
async fn recordings_play_in_every_codec_and_their_odd_sizes_survive() {
    let folder = tempfile::tempdir().unwrap();
    for (encoder, name) in [
        ("x264enc tune=zerolatency ! mp4mux", "h264.mp4"),
        ("x265enc tune=zerolatency ! h265parse ! matroskamux", "h265.mkv"),
        ("jpegenc ! avimux", "mjpeg.avi"),
    ] {
        let path = record(folder.path(), encoder, name);
        let frames: Vec<_> = Frames::open(file(&path, false)).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(frames.len(), 15, "{name}: every frame");
        assert!(frames.windows(2).all(|w| w[0].0 < w[1].0), "{name}: time goes on");
        let last = &frames[14].1;
        assert_eq!((last.width, last.height, last.chroma.len()), (322, 182, 322 * 91), "{name}");
        assert!(last.luma.pixels().iter().any(|p| *p > 200), "{name}: the ball is white");
    }
}

#[tokio::test]
async fn a_recording_ends_or_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = h264(folder.path());
    let once = Camera::start(file(&path, false), Mailbox::new());
    until(&once, |h| *h == CameraHealth::Live).await;
    until(&once, |h| *h == CameraHealth::Ended).await;

    let mailbox = Mailbox::new();
    let notifier = Notifier::new();
    mailbox.subscribe(&notifier);
    let _again = Camera::start(file(&path, true), mailbox.clone());
    let mut newest = 0;
    while newest < 20 {
        assert!(notifier.wait(PATIENCE), "more frames than the recording has");
        newest = mailbox.take().map_or(newest, |f| f.number);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_said_with_its_mend() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = Camera::start(file(&folder.path().join("none.mp4"), false), Mailbox::new());
    missing_with(&nowhere, &["\"clip\"", "none.mp4", "nothing is found there", "check the path"]).await;

    let sound = record(
        folder.path(),
        "fakesink videotestsrc num-buffers=1 ! fakesink audiotestsrc num-buffers=40 ! wavenc",
        "a.wav",
    );
    let deaf = Camera::start(file(&sound, true), Mailbox::new());
    missing_with(&deaf, &["no video"]).await;

    let text = folder.path().join("notes.mp4");
    std::fs::write(&text, "not a video at all\n".repeat(400)).unwrap();
    let wrong = Frames::open(file(&text, false)).unwrap().last().expect("an item");
    assert!(matches!(wrong.unwrap_err().cause, Cause::NoVideo | Cause::Damaged { .. }));
}

#[test]
fn a_truncated_recording_gives_an_error_and_not_a_hang() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(h264(folder.path())).unwrap();
    // mp4mux writes its index last, so half a file has none.
    let cut = folder.path().join("cut.mp4");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let error = Frames::open(file(&cut, false)).unwrap().find_map(Result::err).expect("an error");
    assert!(matches!(error.cause, Cause::Damaged { .. } | Cause::NoVideo), "{error}");
    assert!(error.to_string().contains("cut.mp4"), "{error}");

    let empty = folder.path().join("empty.mp4");
    std::fs::write(&empty, "").unwrap();
    let error = Frames::open(file(&empty, false)).unwrap().find_map(Result::err).expect("an error");
    assert!(error.to_string().contains("empty.mp4"), "{error}");
}

#[test]
fn a_missing_file_is_refused_at_once() {
    let error = Frames::open(file(Path::new("/nowhere/clip.mp4"), false)).err().expect("refused");
    assert!(matches!(error.cause, Cause::NotFound { .. }), "{error}");
}
