//! Cameras over RTSP, against a real server in this process: lost, found again, and refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(missing_docs)]

use std::time::Duration;

use edge::camera::{Camera, CameraHealth, CameraSpec, Mailbox, Notifier, Source, StreamUrl};
use gst::glib;
use gst_rtsp_server::prelude::*;
use gstreamer as gst;
use gstreamer_rtsp_server as gst_rtsp_server;

const PATIENCE: Duration = Duration::from_secs(90);

const PICTURE: &str =
    "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=15/1";
const H264: &str = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay name=pay0 config-interval=-1";
const H265: &str = "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph265pay name=pay0 config-interval=-1";
const MJPEG: &str = "jpegenc ! rtpjpegpay name=pay0";

/// An RTSP server on a main loop of its own; killed when dropped.
struct Server {
    port: u16,
    main_loop: glib::MainLoop,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Serve `encoder`'s stream at `/lane`; port 0 takes any free one. With a password, user `officer` must give it.
    fn start(port: u16, encoder: &str, password: Option<&str>) -> Self {
        gst::init().unwrap();
        let (launch, password) = (format!("( {PICTURE} ! {encoder} )"), password.map(str::to_owned));
        let context = glib::MainContext::new();
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let (tell, started) = std::sync::mpsc::channel();
        let running = main_loop.clone();
        let thread = std::thread::spawn(move || {
            let server = gst_rtsp_server::RTSPServer::new();
            server.set_address("127.0.0.1");
            server.set_service(&port.to_string());
            let factory = gst_rtsp_server::RTSPMediaFactory::new();
            factory.set_launch(&launch);
            factory.set_shared(true);
            if let Some(password) = password {
                demand(&server, &factory, &password);
            }
            server.mount_points().unwrap().add_factory("/lane", factory);
            let source = server.attach(Some(&context)).unwrap();
            tell.send(server.bound_port()).unwrap();
            running.run();
            server.client_filter(Some(&mut |_, _| gst_rtsp_server::RTSPFilterResult::Remove));
            // `SourceId::remove` only knows sources of the default context.
            if let Some(source) = context.find_source_by_id(&source) {
                source.destroy();
            }
        });
        let port = started.recv().unwrap().try_into().unwrap();
        Self { port, main_loop, thread: Some(thread) }
    }

    fn camera(&self, user: &str) -> CameraSpec {
        let url = StreamUrl::new(format!("rtsp://{user}127.0.0.1:{}/lane", self.port));
        CameraSpec::new("front", Source::Rtsp { url, latency_ms: 150 })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.main_loop.quit();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn demand(server: &gst_rtsp_server::RTSPServer, factory: &gst_rtsp_server::RTSPMediaFactory, password: &str) {
    let auth = gst_rtsp_server::RTSPAuth::new();
    let token = gst_rtsp_server::RTSPToken::builder()
        .field(gst_rtsp_server::RTSP_TOKEN_MEDIA_FACTORY_ROLE.as_str(), "viewer")
        .build();
    let basic = gst_rtsp_server::RTSPAuth::make_basic("officer", password);
    auth.add_basic(basic.as_str(), &token);
    server.set_auth(Some(&auth));
    factory.add_role_from_structure(
        &gst::Structure::builder("viewer")
            .field(gst_rtsp_server::RTSP_PERM_MEDIA_FACTORY_ACCESS.as_str(), true)
            .field(gst_rtsp_server::RTSP_PERM_MEDIA_FACTORY_CONSTRUCT.as_str(), true)
            .build(),
    );
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

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_is_missed_and_found_again() {
    let server = Server::start(0, H264, None);
    let port = server.port;
    let camera = Camera::start(server.camera(""), Mailbox::new());
    until(&camera, |h| *h == CameraHealth::Live).await;
    drop(server);
    missing_with(&camera, &["\"front\""]).await;
    let _back = Server::start(port, H264, None);
    until(&camera, |h| *h == CameraHealth::Live).await;
    assert!(camera.stop(), "ends in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn h265_and_mjpeg_come_over_rtsp_too() {
    for encoder in [H265, MJPEG] {
        let server = Server::start(0, encoder, None);
        let (mailbox, notifier) = (Mailbox::new(), Notifier::new());
        mailbox.subscribe(&notifier);
        let _camera = Camera::start(server.camera(""), mailbox.clone());
        assert!(notifier.wait(PATIENCE), "{encoder}");
        let frame = mailbox.take().unwrap();
        assert_eq!((frame.width, frame.height), (320, 240), "{encoder}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_named_and_never_shown() {
    let server = Server::start(0, H264, Some("right"));
    let wrong = Camera::start(server.camera("officer:wr0ng@"), Mailbox::new());
    missing_with(&wrong, &["access is refused", "***@127.0.0.1"]).await;
    let CameraHealth::Missing { why } = wrong.health().borrow().clone() else { panic!("missing") };
    assert!(!why.contains("wr0ng"), "{why}");
    let right = Camera::start(server.camera("officer:right@"), Mailbox::new());
    until(&right, |h| *h == CameraHealth::Live).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_path_and_a_closed_port_are_told_apart() {
    let server = Server::start(0, H264, None);
    let url = StreamUrl::new(format!("rtsp://127.0.0.1:{}/nothing", server.port));
    let lost = Camera::start(CameraSpec::new("side", Source::Rtsp { url, latency_ms: 150 }), Mailbox::new());
    missing_with(&lost, &["\"side\"", "nothing is found there"]).await;
    let spec = server.camera("");
    drop(server);
    let refused = Camera::start(spec, Mailbox::new());
    missing_with(&refused, &["\"front\"", "cannot connect", "check address"]).await;
}
