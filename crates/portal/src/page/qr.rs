//! QR codes, drawn by us: what they hold is shown to nobody else.

use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};

/// White modules around a code, without which telephones do not find it.
const QUIET: usize = 4;

/// One code as a path of an `<svg>`.
pub(crate) struct Qr {
    /// Modules of one side, the quiet ones included.
    pub(crate) side: usize,
    /// What is dark.
    pub(crate) path: String,
}

impl Qr {
    /// None where the text is longer than a code can be.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let (width, colours) = (code.width(), code.to_colors());
        let mut path = String::new();
        for (y, row) in colours.chunks(width).enumerate() {
            // Dark modules side by side are one rectangle: a third of the octets, and no seams between them.
            let mut x = 0;
            for run in row.chunk_by(|one, next| one == next) {
                if run.first() == Some(&Color::Dark) {
                    let n = run.len();
                    path.push_str(&format!("M{} {}h{n}v1h-{n}z", x + QUIET, y + QUIET));
                }
                x += run.len();
            }
        }
        Some(Self { side: width + 2 * QUIET, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_dark_modules_within_a_quiet_border() {
        let it = Qr::of("otpauth://totp/Gatepost:anna%40practice.example").unwrap();
        assert!(it.path.starts_with("M4 4h7v1h-7z"), "the finder pattern stands in the corner");
        assert_eq!(it.side % 4, (17 + 2 * QUIET) % 4);
        assert!(Qr::of(&"x".repeat(5_000)).is_none());
    }
}
