//! How large the window is, and which colours the person likes.

use serde_json::{Value, json};

/// A window and a theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) size: Size,
    pub(crate) theme: Theme,
}

/// A window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Size {
    /// A laptop, 1280 by 900.
    #[default]
    Wide,
    /// A phone, 390 by 844.
    Narrow,
}

/// What the system prefers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    #[default]
    Light,
    Dark,
}

/// Every page must be good in each of these.
pub(crate) const LOOKS: [Look; 4] = [
    Look { size: Size::Wide, theme: Theme::Light },
    Look { size: Size::Wide, theme: Theme::Dark },
    Look { size: Size::Narrow, theme: Theme::Light },
    Look { size: Size::Narrow, theme: Theme::Dark },
];

impl Look {
    /// Such as `narrow-dark`.
    pub(crate) fn name(self) -> &'static str {
        match (self.size, self.theme) {
            (Size::Wide, Theme::Light) => "wide-light",
            (Size::Wide, Theme::Dark) => "wide-dark",
            (Size::Narrow, Theme::Light) => "narrow-light",
            (Size::Narrow, Theme::Dark) => "narrow-dark",
        }
    }

    /// Width in CSS pixels.
    pub(crate) fn width(self) -> u64 {
        match self.size {
            Size::Wide => 1280,
            Size::Narrow => 390,
        }
    }

    fn height(self) -> u64 {
        match self.size {
            Size::Wide => 900,
            Size::Narrow => 844,
        }
    }

    /// The DevTools commands that make the browser look so. A desktop window cannot be as narrow as a phone by itself.
    pub(super) fn emulation(self) -> [(&'static str, Value); 3] {
        let theme = match self.theme {
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        let is_phone = self.size == Size::Narrow;
        [
            (
                "Emulation.setDeviceMetricsOverride",
                json!({"width": self.width(), "height": self.height(), "deviceScaleFactor": 1, "mobile": is_phone}),
            ),
            ("Emulation.setTouchEmulationEnabled", json!({"enabled": is_phone})),
            (
                "Emulation.setEmulatedMedia",
                json!({"features": [{"name": "prefers-color-scheme", "value": theme}]}),
            ),
        ]
    }
}
