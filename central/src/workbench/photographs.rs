//! Photographs of an inspection: decoded to be sure that they are pictures, turned as they were held, made smaller, and encoded
//! anew, so that nothing is kept of what a phone writes into its files (place, device, a thumbnail of before).

use std::io::Cursor;

use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::ids::{Digest, MovementId};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};
use serde::Deserialize;

use super::inspect::{Typed, inspection_page, refusal};
use super::operate;
use super::told::{News, Told};
use crate::console::session::{Refusal, SignedIn};
use crate::state::AppState;
use crate::storage::workbench::KeepPhotograph;
use crate::trade::policy::Act;
use crate::words::Language;

/// The longest request with photographs, bytes.
pub(super) const MOST_BYTES: usize = 64 << 20;

/// The largest file, bytes.
const MOST_OF_ONE: usize = 16 << 20;

/// As many as are sent together.
const MOST_TOGETHER: usize = 10;

/// The longest side of a file that is decoded, and of the picture that is kept, pixels.
const LONGEST_SIDE: u32 = 12_000;
const KEPT_SIDE: u32 = 2_048;

/// As much memory as decoding may take, bytes.
const MOST_MEMORY: u64 = 512 << 20;

const QUALITY: u8 = 85;

/// Why a file is not kept.
#[derive(Debug, thiserror::Error)]
enum NotKept {
    #[error("it is neither JPEG nor PNG")]
    Format,
    #[error("it is too large")]
    TooLarge,
    #[error("it cannot be decoded: {0}")]
    Broken(image::ImageError),
}

impl NotKept {
    fn key(&self) -> &'static str {
        match self {
            Self::Format => "bay-problem-format",
            Self::TooLarge => "bay-problem-too-large",
            Self::Broken(_) => "bay-problem-broken",
        }
    }
}

/// A picture as it is kept.
struct Kept {
    taken: Digest,
    width: u32,
    height: u32,
    jpeg: Vec<u8>,
}

/// Decode a file and encode it anew.
fn renew(file: &[u8]) -> Result<Kept, NotKept> {
    if file.len() > MOST_OF_ONE {
        return Err(NotKept::TooLarge);
    }
    let broken = |error: image::ImageError| match error {
        image::ImageError::Limits(_) => NotKept::TooLarge,
        other => NotKept::Broken(other),
    };
    let mut reader =
        ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|e| broken(e.into()))?;
    if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png)) {
        return Err(NotKept::Format);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let orientation = decoder.orientation().map_err(broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    if picture.width().max(picture.height()) > KEPT_SIDE {
        picture = picture.thumbnail(KEPT_SIDE, KEPT_SIDE);
    }
    let picture = picture.into_rgb8();
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&picture).map_err(broken)?;
    Ok(Kept { taken: Digest::of(file), width: picture.width(), height: picture.height(), jpeg })
}

#[derive(Deserialize)]
pub(super) struct At {
    site: Option<String>,
}

/// Files of a form, and the token that it carries.
struct Sent {
    csrf: String,
    files: Vec<(String, Vec<u8>)>,
}

async fn read(mut form: Multipart) -> Result<Sent, MultipartError> {
    let mut sent = Sent { csrf: String::new(), files: Vec::new() };
    while let Some(field) = form.next_field().await? {
        let name = field.file_name().unwrap_or_default().chars().take(60).collect();
        match field.name() {
            Some("csrf") => sent.csrf = field.text().await?,
            Some("photograph") => {
                let bytes = field.bytes().await?;
                if !bytes.is_empty() {
                    sent.files.push((name, bytes.to_vec()));
                }
            }
            _ => {}
        }
    }
    Ok(sent)
}

pub(super) async fn keep(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Path(id): Path<String>,
    Query(at): Query<At>,
    form: Multipart,
) -> Result<Response, Refusal> {
    let mut typed = Typed::at(at.site);
    let sent = match read(form).await {
        Ok(sent) => sent,
        Err(error) => {
            tracing::debug!(%error, "photographs were not read");
            typed.problems = vec![language.say("bay-problem-too-large")];
            return inspection_page(&state, &officer, language, &id, typed).await;
        }
    };
    officer.allow_act(Act::Inspect, Some(&sent.csrf))?;
    let movement: MovementId = id.parse().map_err(|_| Refusal::NotFound)?;
    if sent.files.is_empty() {
        typed.problems.push(language.say("bay-problem-no-file"));
    }
    if sent.files.len() > MOST_TOGETHER {
        typed
            .problems
            .push(language.say_with("bay-problem-too-many-files", &[("most", &MOST_TOGETHER.to_string())]));
    } else {
        for (name, file) in sent.files {
            let kept = tokio::task::spawn_blocking(move || renew(&file)).await;
            let problem = match kept.map_err(|e| Refusal::Failed(e.to_string()))? {
                Ok(kept) => {
                    let change = KeepPhotograph {
                        movement: movement.clone(),
                        taken: kept.taken,
                        width: kept.width,
                        height: kept.height,
                        jpeg: kept.jpeg,
                        by: officer.actor.name.clone(),
                        at: state.clock.now(),
                    };
                    match state.store.change(change).await {
                        Ok(()) => None,
                        Err(why) => Some(refusal(language, why)?),
                    }
                }
                Err(why) => Some(language.say(why.key())),
            };
            typed.problems.extend(problem.map(|problem| format!("{name}: {problem}")));
        }
    }
    if typed.problems.is_empty() {
        operate::tell(&state);
        let address = format!("/console/bay/{id}?site={}", crate::console::escaped(&typed.site));
        return Ok(Redirect::to(&Told::address(&address, News::PhotographsKept, None)).into_response());
    }
    inspection_page(&state, &officer, language, &id, typed).await
}

pub(super) async fn show(
    State(state): State<AppState>,
    officer: SignedIn,
    Path(digest): Path<Digest>,
) -> Result<Response, Refusal> {
    officer.allow_act(Act::SeeCargo, None)?;
    let jpeg = state.store.photograph(digest).await?.ok_or(Refusal::NotFound)?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response())
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;

    /// A JPEG whose Exif says that it lies on its side (orientation 6) and where it was taken.
    fn from_a_phone(width: u32, height: u32) -> Vec<u8> {
        let mut plain = Vec::new();
        let picture =
            RgbImage::from_fn(width, height, |x, _| image::Rgb([if x < width / 2 { 255 } else { 0 }; 3]));
        JpegEncoder::new(&mut plain).encode_image(&picture).unwrap();
        let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        exif.extend(b"Lok Ma Chau 22.5N 114.0E");
        let mut file = plain[..2].to_vec();
        file.extend([0xff, 0xe1]);
        file.extend((exif.len() as u16 + 2).to_be_bytes());
        file.extend(exif);
        file.extend(&plain[2..]);
        file
    }

    #[test]
    fn a_photograph_is_turned_and_nothing_of_its_metadata_is_kept() {
        let file = from_a_phone(64, 32);
        let kept = renew(&file).unwrap();
        assert_eq!((kept.width, kept.height), (32, 64), "it stands upright");
        assert_eq!(kept.taken, Digest::of(&file));
        for word in [&b"Exif"[..], b"Lok Ma Chau"] {
            assert!(file.windows(word.len()).any(|w| w == word));
            assert!(!kept.jpeg.windows(word.len()).any(|w| w == word));
        }
        let picture = image::load_from_memory(&kept.jpeg).unwrap().into_rgb8();
        assert!(picture.get_pixel(16, 8).0[0] > 200 && picture.get_pixel(16, 56).0[0] < 50);
    }

    #[test]
    fn large_pictures_become_smaller_and_what_is_none_is_refused() {
        let mut png = Cursor::new(Vec::new());
        RgbImage::new(3_000, 600).write_to(&mut png, ImageFormat::Png).unwrap();
        let kept = renew(png.get_ref()).unwrap();
        assert_eq!(kept.width, KEPT_SIDE);
        assert!(matches!(renew(b"<svg onload=alert(1)>"), Err(NotKept::Format)));
        assert!(matches!(renew(&png.get_ref()[..400]), Err(NotKept::Broken(_))));
        assert!(matches!(renew(&vec![0; MOST_OF_ONE + 1]), Err(NotKept::TooLarge)));
        // Small as a file, and beyond every bound as a picture: a width of 60,000 in the header.
        let mut bomb = png.into_inner();
        bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        assert!(renew(&bomb).is_err());
    }
}
