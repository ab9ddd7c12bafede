//! Colours: a quiet dark one, a light one, sixteen colours, none at all, and high contrast.
//!
//! The text's own colour and the ground behind it are always the terminal's: a theme adds little to them.

use ratatui::style::{Color, Modifier, Style};

/// Which colours a screen uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// For a dark ground, 256 colours.
    #[default]
    Dark,
    /// For a light ground, 256 colours.
    Light,
    /// The sixteen colours that every terminal has, as its owner has set them.
    Sixteen,
    /// No colour: bold, dim, underlined, reversed.
    Plain,
    /// Strong differences, nothing dim.
    Contrast,
}

impl Palette {
    /// A palette by its name: `dark`, `light`, `16`, `none`, `contrast`.
    pub fn named(name: &str) -> Option<Palette> {
        Some(match name {
            "dark" => Palette::Dark,
            "light" => Palette::Light,
            "16" | "sixteen" => Palette::Sixteen,
            "none" | "plain" | "mono" => Palette::Plain,
            "contrast" | "high-contrast" => Palette::Contrast,
            _ => return None,
        })
    }

    /// What fits a terminal, from its environment: `NO_COLOR` (no-color.org) when set and not empty, `TERM`,
    /// `COLORTERM`, and `COLORFGBG` where it tells that the ground is light.
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Palette {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        if set("NO_COLOR").is_some() {
            return Palette::Plain;
        }
        let term = set("TERM").unwrap_or_default();
        if term == "dumb" || term.starts_with("vt1") || term.starts_with("vt2") || term.ends_with("-mono") {
            return Palette::Plain;
        }
        let many = term.contains("256color")
            || term.contains("direct")
            || ["kitty", "alacritty", "ghostty", "foot", "wezterm", "putty"]
                .iter()
                .any(|name| term.contains(name))
            || set("COLORTERM").is_some();
        if !many {
            return Palette::Sixteen;
        }
        let ground = set("COLORFGBG").and_then(|value| value.rsplit(';').next()?.parse::<u8>().ok());
        if matches!(ground, Some(7 | 9..=15)) { Palette::Light } else { Palette::Dark }
    }
}

/// The styles of a screen, by what they are for.
#[derive(Debug, Clone)]
pub struct Theme {
    /// Which palette it was made from.
    pub palette: Palette,
    /// Ordinary text.
    pub text: Style,
    /// What stands back: times, topics, hints.
    pub dim: Style,
    /// What stands back further: lines between things.
    pub rule: Style,
    /// What is chosen, and my own marks.
    pub accent: Style,
    /// The bar over a conversation and the one under it.
    pub bar: Style,
    /// What stands back on a bar.
    pub bar_dim: Style,
    /// The room that is open, in the list.
    pub here: Style,
    /// A room with something unread.
    pub unread: Style,
    /// What is for me.
    pub mention: Style,
    /// The badge with the number of things for me.
    pub badge: Style,
    /// The line where the unread begins.
    pub fresh: Style,
    /// What went wrong.
    pub error: Style,
    /// What went well.
    pub good: Style,
    /// On its way.
    pub pending: Style,
    /// Code.
    pub code: Style,
    /// A link.
    pub link: Style,
    /// A found place.
    pub hit: Style,
    /// The found place that is looked at.
    pub hit_now: Style,
    /// Words of a programming language, in code.
    pub keyword: Style,
    /// Strings and numbers in code.
    pub literal: Style,
    /// Comments in code.
    pub comment: Style,
    nicks: &'static [Color],
    nick_modifier: Modifier,
}

/// Colours of names on a dark ground: as bright as each other, none that means something else.
const DARK_NICKS: &[Color] = &indexed([
    74, 108, 139, 143, 173, 110, 150, 175, 180, 80, 146, 114, 216, 104, 151, 181, 117, 186, 183, 109,
]);
const LIGHT_NICKS: &[Color] =
    &indexed([25, 28, 90, 94, 130, 31, 64, 126, 136, 30, 61, 22, 166, 55, 24, 95, 32, 100, 133, 66]);
const SIXTEEN_NICKS: &[Color] = &[
    Color::Cyan,
    Color::Green,
    Color::Magenta,
    Color::Blue,
    Color::LightCyan,
    Color::LightGreen,
    Color::LightMagenta,
    Color::LightBlue,
];
const CONTRAST_NICKS: &[Color] = &indexed([51, 46, 213, 226, 215, 123, 159, 229]);

const fn indexed<const N: usize>(numbers: [u8; N]) -> [Color; N] {
    let mut colours = [Color::Reset; N];
    let mut at = 0;
    while at < N {
        colours[at] = Color::Indexed(numbers[at]);
        at += 1;
    }
    colours
}

impl Theme {
    /// The styles of a palette.
    pub fn new(palette: Palette) -> Theme {
        match palette {
            Palette::Dark => Theme::coloured(palette, &DARK),
            Palette::Light => Theme::coloured(palette, &LIGHT),
            Palette::Sixteen => Theme::sixteen(),
            Palette::Plain => Theme::plain(),
            Palette::Contrast => Theme::contrast(),
        }
    }

    /// The style of somebody's name: the same for the same name, in every room, on every day.
    pub fn nick(&self, nick: &str) -> Style {
        let style = Style::new().add_modifier(self.nick_modifier);
        if self.nicks.is_empty() {
            return style;
        }
        style.fg(self.nicks[spread(nick) as usize % self.nicks.len()])
    }

    /// A style on a bar: where a bar is reversed, colours would swap with its ground, so only the weight is taken.
    pub fn on_bar(&self, style: Style) -> Style {
        Theme::upon(self.bar, style)
    }

    /// A style on what is chosen, likewise.
    pub fn on_here(&self, style: Style) -> Style {
        Theme::upon(self.here, style)
    }

    fn upon(ground: Style, style: Style) -> Style {
        if ground.add_modifier.contains(Modifier::REVERSED) {
            ground.add_modifier(style.add_modifier - Modifier::REVERSED)
        } else {
            ground.patch(style)
        }
    }

    fn coloured(palette: Palette, colours: &Colours) -> Theme {
        let fg = |number| Style::new().fg(Color::Indexed(number));
        let c = colours;
        Theme {
            palette,
            text: Style::new(),
            dim: fg(c.dim),
            rule: fg(c.rule),
            accent: fg(c.accent).add_modifier(Modifier::BOLD),
            bar: fg(c.bar_text).bg(Color::Indexed(c.bar)),
            bar_dim: fg(c.bar_dim).bg(Color::Indexed(c.bar)),
            here: fg(c.bar_text).bg(Color::Indexed(c.here)).add_modifier(Modifier::BOLD),
            unread: Style::new().add_modifier(Modifier::BOLD),
            mention: fg(c.mention).add_modifier(Modifier::BOLD),
            badge: fg(c.badge_text).bg(Color::Indexed(c.mention)).add_modifier(Modifier::BOLD),
            fresh: fg(c.mention),
            error: fg(c.error),
            good: fg(c.good),
            pending: fg(c.dim).add_modifier(Modifier::ITALIC),
            code: fg(c.code).bg(Color::Indexed(c.bar)),
            link: fg(c.link).add_modifier(Modifier::UNDERLINED),
            hit: fg(c.badge_text).bg(Color::Indexed(c.hit)),
            hit_now: fg(c.badge_text).bg(Color::Indexed(c.mention)).add_modifier(Modifier::BOLD),
            keyword: fg(c.link),
            literal: fg(c.good),
            comment: fg(c.dim),
            nicks: if palette == Palette::Light { LIGHT_NICKS } else { DARK_NICKS },
            nick_modifier: Modifier::empty(),
        }
    }

    fn sixteen() -> Theme {
        let fg = |colour| Style::new().fg(colour);
        let bold = |style: Style| style.add_modifier(Modifier::BOLD);
        let reversed = Style::new().add_modifier(Modifier::REVERSED);
        Theme {
            palette: Palette::Sixteen,
            text: Style::new(),
            dim: fg(Color::DarkGray),
            rule: fg(Color::DarkGray),
            accent: bold(fg(Color::Cyan)),
            bar: reversed,
            bar_dim: reversed,
            here: bold(reversed),
            unread: bold(Style::new()),
            mention: bold(fg(Color::Yellow)),
            badge: fg(Color::Black).bg(Color::Yellow),
            fresh: fg(Color::Yellow),
            error: fg(Color::Red),
            good: fg(Color::Green),
            pending: fg(Color::DarkGray).add_modifier(Modifier::ITALIC),
            code: fg(Color::Cyan),
            link: fg(Color::Blue).add_modifier(Modifier::UNDERLINED),
            hit: fg(Color::Black).bg(Color::Cyan),
            hit_now: fg(Color::Black).bg(Color::Yellow),
            keyword: fg(Color::Magenta),
            literal: fg(Color::Green),
            comment: fg(Color::DarkGray),
            nicks: SIXTEEN_NICKS,
            nick_modifier: Modifier::empty(),
        }
    }

    fn plain() -> Theme {
        let none = Style::new();
        let with = |modifier| none.add_modifier(modifier);
        let bold = with(Modifier::BOLD);
        let reversed = with(Modifier::REVERSED);
        Theme {
            palette: Palette::Plain,
            text: none,
            dim: with(Modifier::DIM),
            rule: with(Modifier::DIM),
            accent: bold,
            bar: reversed,
            bar_dim: reversed,
            here: reversed.add_modifier(Modifier::BOLD),
            unread: bold,
            mention: bold.add_modifier(Modifier::UNDERLINED),
            badge: reversed.add_modifier(Modifier::BOLD),
            fresh: bold,
            error: bold,
            good: none,
            pending: with(Modifier::DIM),
            code: none,
            link: with(Modifier::UNDERLINED),
            hit: reversed,
            hit_now: reversed.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            keyword: bold,
            literal: none,
            comment: with(Modifier::DIM),
            nicks: &[],
            nick_modifier: Modifier::BOLD,
        }
    }

    fn contrast() -> Theme {
        let fg = |number| Style::new().fg(Color::Indexed(number)).add_modifier(Modifier::BOLD);
        let on = |number, ground| fg(number).bg(Color::Indexed(ground));
        Theme {
            palette: Palette::Contrast,
            text: Style::new().fg(Color::Indexed(231)).bg(Color::Indexed(16)),
            dim: Style::new().fg(Color::Indexed(252)).bg(Color::Indexed(16)),
            rule: Style::new().fg(Color::Indexed(231)).bg(Color::Indexed(16)),
            accent: fg(51),
            bar: on(16, 231),
            bar_dim: Style::new().fg(Color::Indexed(16)).bg(Color::Indexed(231)),
            here: on(16, 226),
            unread: fg(231),
            mention: fg(226),
            badge: on(16, 226),
            fresh: fg(226),
            error: fg(203),
            good: fg(46),
            pending: Style::new().fg(Color::Indexed(252)).add_modifier(Modifier::ITALIC),
            code: fg(123),
            link: fg(117).add_modifier(Modifier::UNDERLINED),
            hit: on(16, 51),
            hit_now: on(16, 226),
            keyword: fg(213),
            literal: fg(46),
            comment: Style::new().fg(Color::Indexed(252)),
            nicks: CONTRAST_NICKS,
            nick_modifier: Modifier::BOLD,
        }
    }
}

/// Numbers of the 256 colours.
struct Colours {
    dim: u8,
    rule: u8,
    accent: u8,
    bar: u8,
    bar_text: u8,
    bar_dim: u8,
    here: u8,
    mention: u8,
    badge_text: u8,
    error: u8,
    good: u8,
    code: u8,
    link: u8,
    hit: u8,
}

const DARK: Colours = Colours {
    dim: 245,
    rule: 238,
    accent: 110,
    bar: 236,
    bar_text: 253,
    bar_dim: 246,
    here: 239,
    mention: 215,
    badge_text: 234,
    error: 167,
    good: 108,
    code: 152,
    link: 110,
    hit: 109,
};

const LIGHT: Colours = Colours {
    dim: 243,
    rule: 251,
    accent: 25,
    bar: 254,
    bar_text: 236,
    bar_dim: 242,
    here: 252,
    mention: 130,
    badge_text: 231,
    error: 160,
    good: 28,
    code: 24,
    link: 25,
    hit: 67,
};

/// A number for a name (FNV-1a over its lower case, stirred).
fn spread(nick: &str) -> u32 {
    let mut hash = 0x811c_9dc5u32;
    // "ann_" and "ann" are mostly the same person, come back.
    for byte in nick.trim_end_matches(['_', '`']).bytes() {
        hash = (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193);
    }
    hash ^= hash >> 15;
    hash = hash.wrapping_mul(0x2c1b_3c6d);
    hash ^ (hash >> 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Palette {
        Palette::of_environment(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_chooses() {
        assert_eq!(of(&[("TERM", "xterm-256color")]), Palette::Dark);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("COLORFGBG", "0;15")]), Palette::Light);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Palette::Plain);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Palette::Dark);
        assert_eq!(of(&[("TERM", "linux")]), Palette::Sixteen);
        assert_eq!(of(&[("TERM", "vt220")]), Palette::Plain);
        assert_eq!(of(&[]), Palette::Sixteen);
    }

    #[test]
    fn colours_of_names_stay_and_differ() {
        let theme = Theme::new(Palette::Dark);
        assert_eq!(theme.nick("Ann"), theme.nick("ann_"));
        let names: Vec<String> = (0..200).map(|number| format!("user{number}")).collect();
        let used: std::collections::HashSet<_> = names.iter().map(|name| theme.nick(name).fg).collect();
        assert_eq!(used.len(), DARK_NICKS.len(), "every colour is used");
    }

    #[test]
    fn without_colours_there_are_none() {
        let theme = Theme::new(Palette::Plain);
        for style in
            [theme.text, theme.dim, theme.bar, theme.badge, theme.error, theme.link, theme.nick("ann")]
        {
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }
}
