//! A camera with known parameters looks at rendered boards; calibration must find the parameters again.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;

use calibration::CalibrationError;
use calibration::board::Board;
use calibration::intrinsics::{LEAST_VIEWS, calibrate};
use opencv::core::{BORDER_CONSTANT, Mat, Scalar, Size};
use opencv::prelude::*;
use opencv::{imgcodecs, imgproc};

const FOCAL: f64 = 1400.0;
const SIZE: (i32, i32) = (1280, 720);
const PX_PER_SQUARE: i32 = 60;

/// Views of the board from a pinhole camera with focal length [`FOCAL`], tilted differently each time.
fn views(board: &Board, squares: (f64, f64), margin: f64, folder: &std::path::Path) -> Vec<PathBuf> {
    let flat = board.draw(PX_PER_SQUARE).unwrap();
    let square = 30.0;
    (0..9)
        .map(|i| {
            let (tilt, turn) = (f64::from(i % 3 - 1) * 0.45, f64::from(i / 3 - 1) * 0.45);
            let (cx, cy) = (turn.cos(), tilt.cos());
            let (sx, sy) = (turn.sin(), tilt.sin());
            // Rotation about x after y; first two columns, and a shift that puts the board's middle 700 mm away.
            let r1 = [cx, sx * sy, -sx * cy];
            let r2 = [0.0, cy, sy];
            let (mx, my) = (squares.0 * square / 2.0, squares.1 * square / 2.0);
            let t: Vec<f64> =
                (0..3).map(|k| -(r1[k] * mx + r2[k] * my) + if k == 2 { 700.0 } else { 0.0 }).collect();
            let k = [[FOCAL, 0.0, 640.0], [0.0, FOCAL, 360.0], [0.0, 0.0, 1.0]];
            // Board pixels to millimetres: pixel p is at ((p + 0.5) / px - margin) * square.
            let scale = square / f64::from(PX_PER_SQUARE);
            let offset = 0.5 * scale - margin * square;
            let column =
                |v: [f64; 3]| -> Vec<f64> { (0..3).map(|r| (0..3).map(|c| k[r][c] * v[c]).sum()).collect() };
            let (a, b) = (column(r1), column(r2));
            let c = column([t[0], t[1], t[2]]);
            let rows: Vec<[f64; 3]> =
                (0..3).map(|r| [a[r] * scale, b[r] * scale, c[r] + (a[r] + b[r]) * offset]).collect();
            let map = Mat::from_slice_2d(&rows).unwrap();
            let mut view = Mat::default();
            let grey = Scalar::all(200.0);
            imgproc::warp_perspective(
                &flat,
                &mut view,
                &map,
                Size::new(SIZE.0, SIZE.1),
                imgproc::INTER_AREA,
                BORDER_CONSTANT,
                grey,
            )
            .unwrap();
            let mut soft = Mat::default();
            imgproc::gaussian_blur_def(&view, &mut soft, Size::new(3, 3), 0.7).unwrap();
            let path = folder.join(format!("view-{i}.png"));
            imgcodecs::imwrite_def(path.to_str().unwrap(), &soft).unwrap();
            path
        })
        .collect()
}

fn assert_finds_the_camera(board: &Board, squares: (f64, f64), margin: f64) {
    let folder = tempfile::tempdir().unwrap();
    let pictures = views(board, squares, margin, folder.path());
    let camera = calibrate(board, &pictures).unwrap();
    assert!(camera.rms_px < 0.5, "{camera:?}");
    assert!((camera.focal[0] / FOCAL - 1.0).abs() < 0.02, "{camera:?}");
    assert!((camera.centre[0] - 640.0).abs() < 15.0, "{camera:?}");
    assert!((camera.pixels_across(440.0, 6.16) - 100.0).abs() < 3.0);
}

#[test]
fn a_charuco_board_gives_the_camera_back() {
    let board = Board::Charuco { columns: 8, rows: 6, square_mm: 30.0, marker_mm: 22.0 };
    assert_finds_the_camera(&board, (8.0, 6.0), 0.0);
}

#[test]
fn a_chessboard_gives_the_camera_back() {
    let board = Board::Chessboard { columns: 7, rows: 5, square_mm: 30.0 };
    assert_finds_the_camera(&board, (8.0, 6.0), 1.0);
}

#[test]
fn pictures_without_a_board_and_too_few_are_named() {
    let board = Board::Chessboard { columns: 7, rows: 5, square_mm: 30.0 };
    let folder = tempfile::tempdir().unwrap();
    let mut pictures = views(&board, (8.0, 6.0), 1.0, folder.path());
    let empty = folder.path().join("empty.png");
    let blank =
        Mat::new_rows_cols_with_default(SIZE.1, SIZE.0, u8::opencv_type(), Scalar::all(99.0)).unwrap();
    imgcodecs::imwrite_def(empty.to_str().unwrap(), &blank).unwrap();
    pictures.push(empty.clone());
    assert_eq!(calibrate(&board, &pictures).unwrap().rejected, [empty]);
    let few = &pictures[..LEAST_VIEWS - 1];
    assert!(matches!(calibrate(&board, few), Err(CalibrationError::TooFewViews { .. })));
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "no picture").unwrap();
    assert!(matches!(calibrate(&board, &[text]), Err(CalibrationError::Picture { .. })));
}
