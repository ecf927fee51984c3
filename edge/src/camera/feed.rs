//! Pixels out of a decoder's buffer: copied row by row, so that the buffer goes back to the decoder at once.

use std::time::Duration;

use clearance::picture::Luma;
use gst_video::prelude::*;
use gstreamer as gst;
use gstreamer_video as gst_video;

/// What a decoder gave that is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FeedError {
    #[error("a sample without a buffer or without a video format")]
    Empty,
    #[error("a buffer that does not hold the picture its format describes")]
    Short,
    #[error("a pixel format that was not asked for: {0:?}")]
    Format(gst_video::VideoFormat),
}

/// A decoded picture: luma, NV12 chroma, and its time in the stream if it has one.
pub(super) struct Picture {
    pub(super) luma: Luma,
    pub(super) chroma: Vec<u8>,
    pub(super) at: Option<Duration>,
}

/// Copy the picture out of `sample`.
pub(super) fn picture(sample: &gst::Sample) -> Result<Picture, FeedError> {
    let (buffer, caps) = sample.buffer().zip(sample.caps()).ok_or(FeedError::Empty)?;
    let info = gst_video::VideoInfo::from_caps(caps).map_err(|_| FeedError::Empty)?;
    let at = buffer.pts().map(Duration::from);
    let frame =
        gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, &info).map_err(|_| FeedError::Short)?;
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let pixels = rows(&frame, 0, width, height)?;
    let luma = Luma::new(pixels, width, height).map_err(|_| FeedError::Short)?;
    Ok(Picture { luma, chroma: chroma(&frame, width.div_ceil(2), height.div_ceil(2))?, at })
}

type Mapped<'a> = gst_video::VideoFrameRef<&'a gst::BufferRef>;

fn chroma(frame: &Mapped<'_>, width: usize, height: usize) -> Result<Vec<u8>, FeedError> {
    match frame.format() {
        gst_video::VideoFormat::Nv12 => rows(frame, 1, 2 * width, height),
        gst_video::VideoFormat::I420 => {
            let (cb, cr) = (rows(frame, 1, width, height)?, rows(frame, 2, width, height)?);
            Ok(cb.into_iter().zip(cr).flat_map(|(cb, cr)| [cb, cr]).collect())
        }
        other => Err(FeedError::Format(other)),
    }
}

/// `height` rows of `width` bytes of one plane, the padding left behind.
fn rows(frame: &Mapped<'_>, plane: u32, width: usize, height: usize) -> Result<Vec<u8>, FeedError> {
    let data = frame.plane_data(plane).map_err(|_| FeedError::Short)?;
    let stride = frame.plane_stride().get(plane as usize).copied().unwrap_or(0);
    let stride = usize::try_from(stride).ok().filter(|s| *s >= width && width > 0).ok_or(FeedError::Short)?;
    let mut out = Vec::with_capacity(width * height);
    for row in data.chunks(stride).take(height) {
        out.extend_from_slice(row.get(..width).ok_or(FeedError::Short)?);
    }
    if out.len() == width * height { Ok(out) } else { Err(FeedError::Short) }
}
