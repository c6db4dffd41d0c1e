//! Pictures of pages.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Browser;

impl Browser {
    /// Writes a picture of the whole page, also of what is below the window's edge.
    #[track_caller]
    pub(crate) fn picture(&self, path: &Path) {
        self.try_picture(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    fn try_picture(&self, path: &Path) -> Result<(), String> {
        // While it is taken nothing blinks.
        let still = "const it = document.activeElement; if (it && it !== document.body) it.blur(); \
            return [document.documentElement.scrollHeight, innerHeight]";
        let heights = self.try_script(still, &[])?;
        let height = heights.as_array().into_iter().flatten().filter_map(Value::as_u64).max().unwrap_or(1);
        let clip = json!({"x": 0, "y": 0, "width": self.look.width(), "height": height, "scale": 1});
        let params = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let body = json!({"cmd": "Page.captureScreenshot", "params": params});
        let taken = self.ask("chromium/send_command_and_get_result", body)?;
        let bytes =
            STANDARD.decode(taken["data"].as_str().unwrap_or_default()).map_err(|it| it.to_string())?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        std::fs::write(path, bytes).map_err(|error| error.to_string())
    }

    /// For whoever reads why a test failed.
    #[expect(clippy::print_stderr, reason = "shown beside the panic, and only then")]
    pub(super) fn leave_a_picture(&self) {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("test").replace("::", "-");
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        if self.try_picture(&path).is_ok() {
            eprintln!("What the browser saw: {}", path.display());
        }
    }
}
