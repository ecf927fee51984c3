//! The boards that are held in front of a camera: a plain chessboard, or ChArUco, which may be partly hidden.

use opencv::core::{Mat, Point2f, Point3f, Ptr, Size, TermCriteria, TermCriteria_Type, Vector};
use opencv::prelude::*;
use opencv::{aruco, calib3d, imgproc};

use crate::CalibrationError;

/// Fewest corners of a ChArUco board that make a view useful.
const LEAST_CORNERS: usize = 6;

/// A calibration board.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Board {
    /// Alternating squares; `columns` x `rows` *inner* corners.
    Chessboard {
        /// Inner corners along a row.
        columns: i32,
        /// Inner corners along a column.
        rows: i32,
        /// Edge of a square, millimetres.
        square_mm: f32,
    },
    /// A chessboard with ArUco markers (dictionary 4x4, 100 markers) in the white squares; `columns` x `rows` *squares*.
    Charuco {
        /// Squares along a row.
        columns: i32,
        /// Squares along a column.
        rows: i32,
        /// Edge of a square, millimetres.
        square_mm: f32,
        /// Edge of a marker, millimetres; less than the square.
        marker_mm: f32,
    },
}

/// Corners of a board found in a picture, with their places on the board.
pub struct View {
    /// On the board, millimetres, z = 0.
    pub object: Vector<Point3f>,
    /// In the picture, pixels.
    pub image: Vector<Point2f>,
}

impl Board {
    /// Refuses boards that cannot exist.
    pub fn check(&self) -> Result<(), CalibrationError> {
        let (columns, rows, square, marker_fits) = match *self {
            Self::Chessboard { columns, rows, square_mm } => (columns, rows, square_mm, true),
            Self::Charuco { columns, rows, square_mm, marker_mm } => {
                (columns, rows, square_mm, marker_mm > 0.0 && marker_mm < square_mm)
            }
        };
        let sizes = (3..=50).contains(&columns) && (3..=50).contains(&rows);
        if sizes && square > 0.0 && marker_fits {
            Ok(())
        } else {
            Err(CalibrationError::Parameter(format!(
                "{self:?} is no board: 3 to 50 columns and rows, squares larger than 0 mm, markers smaller than squares"
            )))
        }
    }

    /// The board as a printable picture, `pixels_per_square` for each square.
    pub fn draw(&self, pixels_per_square: i32) -> Result<Mat, CalibrationError> {
        self.check()?;
        match *self {
            Self::Charuco { columns, rows, .. } => {
                let size = Size::new(columns * pixels_per_square, rows * pixels_per_square);
                let mut picture = Mat::default();
                self.charuco()?.draw(size, &mut picture, 0, 1)?;
                Ok(picture)
            }
            Self::Chessboard { columns, rows, .. } => {
                // One square more than inner corners each way, and a white margin of one square, without which
                // the outer corners are not found.
                let (w, h) = ((columns + 3) * pixels_per_square, (rows + 3) * pixels_per_square);
                let mut picture = Mat::new_rows_cols_with_default(h, w, u8::opencv_type(), 255.into())?;
                for y in 0..=rows {
                    for x in (0..=columns).filter(|x| (x + y) % 2 == 0) {
                        let corner = opencv::core::Rect::new(
                            (x + 1) * pixels_per_square,
                            (y + 1) * pixels_per_square,
                            pixels_per_square,
                            pixels_per_square,
                        );
                        imgproc::rectangle(
                            &mut picture,
                            corner,
                            0.into(),
                            imgproc::FILLED,
                            imgproc::LINE_8,
                            0,
                        )?;
                    }
                }
                Ok(picture)
            }
        }
    }

    /// The board's corners in a grey picture; `None` when it is not there, or too little of it.
    pub fn find(&self, grey: &Mat) -> Result<Option<View>, CalibrationError> {
        match *self {
            Self::Chessboard { columns, rows, square_mm } => find_chessboard(grey, columns, rows, square_mm),
            Self::Charuco { columns, square_mm, .. } => self.find_charuco(grey, columns, square_mm),
        }
    }

    fn charuco(&self) -> Result<Ptr<aruco::CharucoBoard>, CalibrationError> {
        let Self::Charuco { columns, rows, square_mm, marker_mm } = *self else {
            return Err(CalibrationError::Parameter("a chessboard has no markers".to_owned()));
        };
        let dictionary = aruco::get_predefined_dictionary(aruco::PREDEFINED_DICTIONARY_NAME::DICT_4X4_100)?;
        Ok(aruco::CharucoBoard::create(columns, rows, square_mm, marker_mm, &dictionary)?)
    }

    fn find_charuco(
        &self,
        grey: &Mat,
        columns: i32,
        square_mm: f32,
    ) -> Result<Option<View>, CalibrationError> {
        let board = self.charuco()?;
        let dictionary = aruco::get_predefined_dictionary(aruco::PREDEFINED_DICTIONARY_NAME::DICT_4X4_100)?;
        let mut corners = Vector::<Vector<Point2f>>::new();
        let mut ids = Vector::<i32>::new();
        aruco::detect_markers_def(grey, &dictionary, &mut corners, &mut ids)?;
        if ids.is_empty() {
            return Ok(None);
        }
        let mut image = Vector::<Point2f>::new();
        let mut corner_ids = Vector::<i32>::new();
        aruco::interpolate_corners_charuco_def(&corners, &ids, grey, &board, &mut image, &mut corner_ids)?;
        if image.len() < LEAST_CORNERS {
            return Ok(None);
        }
        let inner = columns - 1;
        let object = corner_ids
            .iter()
            .map(|id| board_point(id % inner + 1, id / inner + 1, square_mm))
            .collect::<Vector<Point3f>>();
        Ok(Some(View { object, image }))
    }
}

fn board_point(column: i32, row: i32, square_mm: f32) -> Point3f {
    Point3f::new(column as f32 * square_mm, row as f32 * square_mm, 0.0)
}

fn find_chessboard(
    grey: &Mat,
    columns: i32,
    rows: i32,
    square_mm: f32,
) -> Result<Option<View>, CalibrationError> {
    let mut image = Vector::<Point2f>::new();
    let flags =
        calib3d::CALIB_CB_ADAPTIVE_THRESH | calib3d::CALIB_CB_NORMALIZE_IMAGE | calib3d::CALIB_CB_FAST_CHECK;
    if !calib3d::find_chessboard_corners(grey, Size::new(columns, rows), &mut image, flags)? {
        return Ok(None);
    }
    let stop = TermCriteria::new(TermCriteria_Type::COUNT as i32 | TermCriteria_Type::EPS as i32, 30, 0.01)?;
    imgproc::corner_sub_pix(grey, &mut image, Size::new(5, 5), Size::new(-1, -1), stop)?;
    let object = (0..rows)
        .flat_map(|row| (0..columns).map(move |column| board_point(column, row, square_mm)))
        .collect::<Vector<Point3f>>();
    Ok(Some(View { object, image }))
}
