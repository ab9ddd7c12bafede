//! A terminal's screen as an SVG picture, for the documentation.

use std::fmt::Write;

use vt100::{Color, Screen};

const WIDTH: f32 = 8.4;
const HEIGHT: f32 = 18.0;
const MARGIN: f32 = 12.0;
const GROUND: &str = "#1b1d21";
const LETTERS: &str = "#d4d4d4";

/// The whole screen.
pub fn svg(screen: &Screen) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let (width, height) =
        (f32::from(columns) * WIDTH + 2.0 * MARGIN, f32::from(rows) * HEIGHT + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         font-family=\"ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>\n"
    );
    for row in 0..rows {
        for column in 0..columns {
            let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else {
                continue;
            };
            let (x, y) = (MARGIN + f32::from(column) * WIDTH, MARGIN + f32::from(row) * HEIGHT);
            let wide = if cell.is_wide() { 2.0 } else { 1.0 };
            let mut ground = colour(cell.bgcolor()).unwrap_or_else(|| GROUND.to_owned());
            let mut letters = colour(cell.fgcolor()).unwrap_or_else(|| LETTERS.to_owned());
            if cell.inverse() {
                std::mem::swap(&mut ground, &mut letters);
            }
            if ground != GROUND {
                // A little wider: no gaps between neighbours.
                let wide = wide * WIDTH + 0.3;
                let _ = writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{HEIGHT}\" fill=\"{ground}\"/>"
                );
            }
            if cell.contents().trim().is_empty() {
                continue;
            }
            let mut style = String::new();
            for (is, attribute) in [
                (cell.bold(), " font-weight=\"bold\""),
                (cell.italic(), " font-style=\"italic\""),
                (cell.underline(), " text-decoration=\"underline\""),
            ] {
                style.push_str(if is { attribute } else { "" });
            }
            let text = cell.contents().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let y = y + 13.5;
            let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{letters}\"{style}>{text}</text>");
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn colour(colour: Color) -> Option<String> {
    const SIXTEEN: [u32; 16] = [
        0x1b1d21, 0xc96b6b, 0x87af87, 0xd7af5f, 0x6f9fcf, 0xaf87af, 0x6fb3b3, 0xbcbcbc, 0x6c6c6c, 0xe08080,
        0xa7cfa7, 0xefcf7f, 0x8fbfef, 0xcfa7cf, 0x8fd3d3, 0xeeeeee,
    ];
    let number = match colour {
        Color::Default => return None,
        Color::Rgb(red, green, blue) => u32::from(red) << 16 | u32::from(green) << 8 | u32::from(blue),
        Color::Idx(index @ 0..=15) => SIXTEEN[usize::from(index)],
        Color::Idx(index @ 16..=231) => {
            let level = |part: u8| if part == 0 { 0 } else { 55 + 40 * u32::from(part) };
            let cube = index - 16;
            level(cube / 36) << 16 | level(cube / 6 % 6) << 8 | level(cube % 6)
        }
        Color::Idx(index) => {
            let grey = 8 + 10 * (u32::from(index) - 232);
            grey << 16 | grey << 8 | grey
        }
    };
    Some(format!("#{number:06x}"))
}
