//! A real RTSP server whose cameras are fed by the test: what a camera in a lane would send, H.264 over RTP in TCP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::Context as _;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app::AppSrc;
use gstreamer_rtsp_server::prelude::*;
use gstreamer_rtsp_server::{RTSPMediaFactory, RTSPServer};

/// Size and rate of the pictures that a camera sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureFormat {
    /// Pixels, even.
    pub width: usize,
    /// Pixels, even.
    pub height: usize,
    /// Frames a second.
    pub fps: i32,
}

/// RTSP cameras on one port of the loopback address.
pub struct RtspCameras {
    port: i32,
    sources: HashMap<String, FrameSink>,
    main_loop: glib::MainLoop,
    thread: Option<JoinHandle<()>>,
}

/// Where the frames of one camera go in. While nobody watches, frames are dropped.
#[derive(Clone, Default)]
pub struct FrameSink(Arc<Mutex<Option<AppSrc>>>);

impl FrameSink {
    /// Send one I420 picture (all of Y, then U, then V, without padding).
    pub fn push(&self, i420: Vec<u8>) {
        let source = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(source) = source {
            // A watcher that left makes this fail; the next one brings a new source.
            let _ = source.push_buffer(gstreamer::Buffer::from_mut_slice(i420));
        }
    }
}

impl RtspCameras {
    /// Serve one camera for each name, at `rtsp://127.0.0.1:PORT/NAME`.
    pub fn start(names: &[&str], format: PictureFormat) -> anyhow::Result<Self> {
        gstreamer::init()?;
        let context = glib::MainContext::new();
        let server = RTSPServer::new();
        server.set_address("127.0.0.1");
        server.set_service("0");
        let mounts = server.mount_points().context("an RTSP server without mount points")?;
        let mut sources = HashMap::new();
        for name in names {
            let sink = FrameSink::default();
            mounts.add_factory(&format!("/{name}"), factory(format, sink.clone()));
            sources.insert((*name).to_owned(), sink);
        }
        let attached = server.attach(Some(&context)).context("the RTSP server cannot listen")?;
        let port = server.bound_port();
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let running = main_loop.clone();
        let thread = std::thread::Builder::new().name("rtsp-server".to_owned()).spawn(move || {
            let _server = server;
            let _ = context.with_thread_default(|| running.run());
            // `SourceId::remove` only knows sources of the default context.
            if let Some(source) = context.find_source_by_id(&attached) {
                source.destroy();
            }
        })?;
        Ok(Self { port, sources, main_loop, thread: Some(thread) })
    }

    /// Address of a camera.
    pub fn url(&self, name: &str) -> String {
        format!("rtsp://127.0.0.1:{}/{name}", self.port)
    }

    /// Where its frames go in.
    pub fn sink(&self, name: &str) -> FrameSink {
        self.sources.get(name).cloned().unwrap_or_default()
    }
}

impl Drop for RtspCameras {
    fn drop(&mut self) {
        self.main_loop.quit();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn factory(format: PictureFormat, sink: FrameSink) -> RTSPMediaFactory {
    let PictureFormat { width, height, fps } = format;
    let factory = RTSPMediaFactory::new();
    factory.set_launch(&format!(
        "( appsrc name=frames is-live=true do-timestamp=true format=time max-buffers=2 leaky-type=downstream \
         caps=video/x-raw,format=I420,width={width},height={height},framerate={fps}/1 \
         ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=8000 key-int-max={fps} threads=1 \
         ! rtph264pay name=pay0 pt=96 config-interval=1 )"
    ));
    factory.set_shared(true);
    factory.connect_media_configure(move |_, media| {
        let source = media
            .element()
            .downcast::<gstreamer::Bin>()
            .ok()
            .and_then(|bin| bin.by_name_recurse_up("frames"))
            .and_then(|element| element.downcast::<AppSrc>().ok());
        *sink.0.lock().unwrap_or_else(PoisonError::into_inner) = source;
    });
    factory
}
