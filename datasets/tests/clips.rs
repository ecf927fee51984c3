//! Clips: the label track belongs to the film frame by frame, plates are readable at the line, and what cannot
//! be rendered is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use clearance::mark::Jurisdiction;
use datasets::clip::{
    ClipError, ClipSpec, Condition, FrameLabel, Mounting, SCENARIOS, mark, read_track, render_clip, scenario,
};
use datasets::queue::render_queue;
use gstreamer::prelude::*;

/// Small and slow, so that a test is quick.
fn small(name: &str) -> ClipSpec {
    ClipSpec { width: 640, height: 360, fps: 5, seconds: 5.0, ..scenario(name).unwrap() }
}

/// Number of frames a decoder finds in the film.
fn frames_in(path: &std::path::Path) -> usize {
    gstreamer::init().unwrap();
    let line = format!(
        "filesrc location=\"{}\" ! qtdemux ! h264parse ! avdec_h264 ! appsink name=sink sync=false",
        path.display()
    );
    let pipeline = gstreamer::parse::launch(&line).unwrap().downcast::<gstreamer::Pipeline>().unwrap();
    let sink = pipeline.by_name("sink").unwrap().downcast::<gstreamer_app::AppSink>().unwrap();
    pipeline.set_state(gstreamer::State::Playing).unwrap();
    let count = std::iter::from_fn(|| sink.pull_sample().ok()).count();
    pipeline.set_state(gstreamer::State::Null).unwrap();
    count
}

fn drives(track: &[FrameLabel]) -> Vec<Option<usize>> {
    let mut drives: Vec<_> = track.iter().map(|l| l.drive).collect();
    drives.dedup();
    drives
}

#[test]
fn the_track_has_one_line_for_each_frame_of_the_film() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.mp4");
    let clip = render_clip(&small("stacked"), &path).unwrap();
    let track = read_track(&clip.labels).unwrap();
    assert_eq!((clip.frames, track.len(), frames_in(&path)), (25, 25, 25));
    assert!(track.iter().enumerate().all(|(i, l)| l.frame == i && l.time_ms == i as u64 * 200));
    assert!(!track[24].vehicle, "the truck has left by the end");
}

#[test]
fn both_plates_are_readable_at_the_line_in_every_scenario() {
    let folder = tempfile::tempdir().unwrap();
    for name in SCENARIOS {
        let spec = ClipSpec { fps: 2, width: 1280, height: 720, ..small(name) };
        let clip = render_clip(&spec, &folder.path().join(format!("{name}.mp4"))).unwrap();
        let track = read_track(&clip.labels).unwrap();
        let expected = usize::from(spec.mark.is_some()) + usize::from(spec.mainland_mark.is_some());
        // Half a second into the halt.
        let at_line = &track[4].plates;
        assert_eq!(at_line.len(), expected, "{name}");
        for plate in at_line {
            assert!(
                plate.corners.width() >= 110.0,
                "{name}: {} is {} px wide",
                plate.mark,
                plate.corners.width()
            );
            assert_ne!(plate.jurisdiction, Jurisdiction::Other, "{name}: {}", plate.mark);
        }
    }
}

#[test]
fn every_condition_renders() {
    let folder = tempfile::tempdir().unwrap();
    for (name, condition) in Condition::ALL {
        let spec =
            ClipSpec { condition, seconds: 3.0, mounting: Mounting::SeparateTwoRows, ..small("separate") };
        let clip = render_clip(&spec, &folder.path().join(format!("{name}.mp4"))).unwrap();
        assert_eq!(clip.frames, 15, "{name}");
    }
}

#[test]
fn a_queue_has_empty_lane_between_its_trucks() {
    let folder = tempfile::tempdir().unwrap();
    let clip =
        render_queue(&[small("stacked"), small("separate")], &folder.path().join("queue.mp4")).unwrap();
    let track = read_track(&clip.labels).unwrap();
    assert_eq!(track.len(), clip.frames);
    assert_eq!(drives(&track), [None, Some(0), None, Some(1), None]);
}

#[test]
fn what_cannot_be_rendered_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mp4");
    let refused = |spec: ClipSpec| render_clip(&spec, &path).unwrap_err();
    assert!(matches!(
        refused(ClipSpec { width: 641, ..small("stacked") }),
        ClipError::Range { what: "the width", .. }
    ));
    assert!(matches!(refused(ClipSpec { seconds: 0.0, ..small("stacked") }), ClipError::Range { .. }));
    assert!(matches!(refused(ClipSpec { seconds: f32::NAN, ..small("stacked") }), ClipError::Range { .. }));
    assert!(matches!(refused(ClipSpec { fps: 0, ..small("stacked") }), ClipError::Range { .. }));
    assert!(matches!(render_queue(&[], &path).unwrap_err(), ClipError::Range { .. }));
    let other = ClipSpec { fps: 6, ..small("stacked") };
    assert!(matches!(
        render_queue(&[small("stacked"), other], &path).unwrap_err(),
        ClipError::Mixed { index: 1 }
    ));
    let nowhere = folder.path().join("absent/x.mp4");
    let error = render_clip(&small("stacked"), &nowhere).unwrap_err();
    assert!(error.to_string().contains("absent"), "{error}");
}

#[test]
fn unknown_names_and_marks_are_named() {
    assert!(scenario("tsunami").unwrap_err().to_string().contains("tsunami"));
    assert!("fog".parse::<Condition>().unwrap_err().to_string().contains("night"));
    assert!(mark("AB<1").unwrap_err().to_string().contains("AB<1"));
}
