//! Small pictures of pictures, made when somebody asks for the first time and kept beside the content.
//!
//! A picture is decoded only when its dimensions say that it fits into memory: so a small file that claims to be huge
//! costs nothing. What is not picture (where it was taken, by which camera) is not in the small one; how it is to be
//! turned is heeded.

use std::path::Path;
use std::{fs, io};

use crate::store::small;

/// Pixels of a small picture, each way.
pub const SIDE_MAX: u32 = 480;

/// Pixels of a picture that is made small, at most, and each way.
pub const PIXELS_MAX: u64 = 50_000_000;
/// One way.
pub const LINE_MAX: u32 = 20_000;

/// Bytes that decoding may take.
pub const MEMORY_MAX: u64 = 256 * 1024 * 1024;

/// Whether this program makes small pictures.
pub const MADE: bool = cfg!(feature = "images");

/// The small picture of a content, in JPEG or (where the picture is not solid) PNG; none where there can be none. It is
/// made if there is none yet; one at a time, please.
///
/// # Errors
/// When the disk fails. That a picture is none, or too large, is no error.
pub fn of(content: &Path) -> io::Result<Option<Vec<u8>>> {
    let place = small(content);
    match fs::read(&place) {
        Ok(bytes) => return Ok(Some(bytes).filter(|bytes| !bytes.is_empty())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    if !MADE {
        return Ok(None);
    }
    let bytes = make(content).unwrap_or_else(|why| {
        tracing::debug!(%why, "a picture is not made small");
        Vec::new()
    });
    // Nothing in it says that there is none, so that it is not tried again. Half of one must never be found.
    let mut new = place.clone();
    new.set_extension("new");
    fs::write(&new, &bytes)?;
    fs::rename(&new, &place)?;
    // It may have gone meanwhile, and nobody would look for this one.
    if !content.exists() {
        let _ = fs::remove_file(&place);
    }
    Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
}

#[cfg(not(feature = "images"))]
fn make(_: &Path) -> Result<Vec<u8>, String> {
    Err("this program makes none".to_owned())
}

#[cfg(feature = "images")]
fn make(content: &Path) -> Result<Vec<u8>, String> {
    use image::codecs::jpeg::JpegEncoder;
    use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

    let said = |error: image::ImageError| error.to_string();
    let reader = ImageReader::open(content).map_err(|error| error.to_string())?;
    let mut reader = reader.with_guessed_format().map_err(|error| error.to_string())?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(LINE_MAX), Some(LINE_MAX));
    limits.max_alloc = Some(MEMORY_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(said)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > PIXELS_MAX || decoder.total_bytes() > MEMORY_MAX {
        return Err(format!("it has {width} x {height} pixels"));
    }
    let turned = decoder.orientation().map_err(said)?;
    let whole = DynamicImage::from_decoder(decoder).map_err(said)?;
    let fits = width <= SIDE_MAX && height <= SIDE_MAX;
    let mut little = if fits { whole } else { whole.thumbnail(SIDE_MAX, SIDE_MAX) };
    little.apply_orientation(turned);
    let mut bytes = Vec::new();
    let solid = !little.color().has_alpha() || little.to_rgba8().pixels().all(|pixel| pixel.0[3] == u8::MAX);
    if solid {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, 80);
        little.to_rgb8().write_with_encoder(encoder).map_err(said)?;
    } else {
        let written = little.to_rgba8().write_to(&mut io::Cursor::new(&mut bytes), ImageFormat::Png);
        written.map_err(said)?;
    }
    Ok(bytes)
}

#[cfg(feature = "images")]
#[cfg(test)]
mod tests {
    use std::io::Write;

    use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

    use super::*;

    fn of_bytes(bytes: &[u8]) -> Option<DynamicImage> {
        let folder = tempfile::tempdir().unwrap();
        let content = folder.path().join("content");
        fs::write(&content, bytes).unwrap();
        let first = of(&content).unwrap();
        assert_eq!(of(&content).unwrap(), first, "the second time it is there");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        first.map(|bytes| image::load_from_memory(&bytes).unwrap())
    }

    fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn pictures_become_small_and_keep_their_shape() {
        let solid = DynamicImage::ImageRgba8(RgbaImage::from_pixel(1920, 1080, Rgba([10, 200, 30, 255])));
        for format in [ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
            let little = of_bytes(&written(&solid, format)).unwrap();
            assert_eq!((little.width(), little.height()), (480, 270), "{format:?}");
            assert!(!little.color().has_alpha(), "{format:?}");
        }
        let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(100, 50, Rgba([10, 200, 30, 0])));
        let little = of_bytes(&written(&clear, ImageFormat::Png)).unwrap();
        assert_eq!((little.width(), little.height(), little.color().has_alpha()), (100, 50, true));
    }

    #[test]
    fn what_is_no_picture_of_it_is_left_out_and_it_is_turned() {
        let wide = DynamicImage::ImageRgba8(RgbaImage::from_pixel(960, 480, Rgba([1, 2, 3, 255]))).to_rgb8();
        let jpeg = written(&DynamicImage::ImageRgb8(wide), ImageFormat::Jpeg);
        // An APP1 segment with Exif in it: turned by 90 degrees, and a comment.
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        exif.extend(b"taken at 52.5200 N 13.4050 E");
        let mut turned = jpeg[..2].to_vec();
        turned.extend([0xff, 0xe1]);
        turned.extend((exif.len() as u16 + 2).to_be_bytes());
        turned.extend(&exif);
        turned.extend(&jpeg[2..]);
        let folder = tempfile::tempdir().unwrap();
        let content = folder.path().join("content");
        fs::write(&content, &turned).unwrap();
        let bytes = of(&content).unwrap().unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"taken " || part == b"Exif\0\0"));
        let little = image::load_from_memory(&bytes).unwrap();
        assert_eq!((little.width(), little.height()), (240, 480));
    }

    #[test]
    fn bombs_and_what_is_broken_are_no_pictures() {
        // A PNG of some bytes that says it has 60,000 x 60,000 pixels, and one with 19,000 x 19,000.
        for side in [60_000_u32, 19_000] {
            let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
            png.extend(side.to_be_bytes());
            png.extend(side.to_be_bytes());
            png.extend([8, 6, 0, 0, 0]);
            let crc = !png[12..].iter().fold(u32::MAX, |crc, byte| {
                (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                    if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
                })
            });
            png.extend(crc.to_be_bytes());
            png.write_all(b"\0\0\0\0IEND\xae\x42\x60\x82").unwrap();
            assert!(of_bytes(&png).is_none());
        }
        let whole = DynamicImage::ImageRgba8(RgbaImage::new(300, 300));
        let png = written(&whole, ImageFormat::Png);
        assert!(of_bytes(&png[..png.len() / 2]).is_none());
        assert!(of_bytes(b"\xff\xd8\xff\xe0 no picture").is_none());
        assert!(of_bytes(b"").is_none());
    }
}
