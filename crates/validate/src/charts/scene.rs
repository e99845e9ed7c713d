//! What a chart is made of: shapes in pixels, painted in inks. One scene becomes an SVG or a PNG.
//!
//! The PNG is drawn by plotters. The SVG is written here, since plotters' has whole pixels only, fixed colours and no room for
//! descriptions: ours follows the light or dark mode of the page, and tells its figures to pointers and screen readers.

use std::fmt::Write as _;
use std::sync::LazyLock;

use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

/// The face of all text.
static FONT: &[u8] = include_bytes!("../../fonts/Inter-Regular.otf");
const FACE: &str = "Inter";
/// Plotters measures a font by the height from its deepest to its highest point; in this face that is 1.21 times the size.
const SIZE_TO_HEIGHT: f64 = 1.21;

static REGISTERED: LazyLock<bool> = LazyLock::new(|| register_font(FACE, FontStyle::Normal, FONT).is_ok());

/// A colour by its role. All are told apart by the colour-blind (Okabe and Ito's palette), and by their lightness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Words and figures.
    Text,
    /// Words of less weight: labels of axes.
    Muted,
    /// Lines of the grid.
    Grid,
    /// The ground.
    Ground,
    /// The data.
    Data,
    /// What they are compared with.
    Reference,
    /// Rows with anomalies.
    Spoilt,
    /// What was declared.
    Declared,
    /// What is not there.
    Absent,
}

impl Ink {
    /// The colour on white.
    fn rgb(self) -> (u8, u8, u8) {
        match self {
            Ink::Text => (0x1f, 0x25, 0x2e),
            Ink::Muted => (0x5b, 0x65, 0x73),
            Ink::Grid => (0xe3, 0xe7, 0xec),
            Ink::Ground => (0xff, 0xff, 0xff),
            Ink::Data => (0x1f, 0x6f, 0xb4),
            Ink::Reference => (0xe0, 0x8e, 0x00),
            Ink::Spoilt => (0xc7, 0x3e, 0x1d),
            Ink::Declared => (0x1f, 0x25, 0x2e),
            Ink::Absent => (0xa9, 0xb2, 0xbd),
        }
    }

    /// The name of the style sheet's variable.
    fn variable(self) -> &'static str {
        match self {
            Ink::Text => "--ink-text",
            Ink::Muted => "--ink-muted",
            Ink::Grid => "--ink-grid",
            Ink::Ground => "--ink-ground",
            Ink::Data => "--ink-data",
            Ink::Reference => "--ink-reference",
            Ink::Spoilt => "--ink-spoilt",
            Ink::Declared => "--ink-declared",
            Ink::Absent => "--ink-absent",
        }
    }

    fn css(self) -> String {
        let (r, g, b) = self.rgb();
        format!("var({},#{r:02x}{g:02x}{b:02x})", self.variable())
    }
}

/// Where text is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Debug)]
enum Shape {
    Rect { x: f64, y: f64, w: f64, h: f64, ink: Ink, opacity: f64, hint: String },
    Line { points: Vec<(f64, f64)>, ink: Ink, width: f64, dashed: bool },
    Dot { x: f64, y: f64, r: f64, ink: Ink, opacity: f64, hollow: bool, hint: String },
    Text { x: f64, y: f64, text: String, size: f64, ink: Ink, anchor: Anchor, upwards: bool },
}

/// A picture.
#[derive(Clone, Debug)]
pub struct Scene {
    width: f64,
    height: f64,
    shapes: Vec<Shape>,
}

/// The width of a text in pixels.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
    if !*REGISTERED {
        return text.chars().count() as f64 * size * 0.6;
    }
    let font = FontDesc::new(FontFamily::Name(FACE), 100.0 * SIZE_TO_HEIGHT, FontStyle::Normal);
    font.box_size(text).map_or(0.0, |(width, _)| f64::from(width) * size / 100.0)
}

/// The text, shortened by `…` where it is wider than `room` pixels.
pub(crate) fn shorten(text: &str, size: f64, room: f64) -> String {
    // Control characters would only confuse.
    let text: String = text.chars().take(400).map(|c| if c.is_control() { '␣' } else { c }).collect();
    if text_width(&text, size) <= room {
        return text;
    }
    let letters: Vec<char> = text.chars().collect();
    let fits = |n: usize| {
        let mut short: String = letters[..n].iter().collect::<String>().trim_end().to_owned();
        short.push('…');
        (text_width(&short, size) <= room).then_some(short)
    };
    let (mut low, mut high) = (0, letters.len());
    while low + 1 < high {
        let middle = low.midpoint(high);
        if fits(middle).is_some() { low = middle } else { high = middle }
    }
    fits(low.max(1)).unwrap_or_else(|| "…".to_owned())
}

impl Scene {
    pub(crate) fn new(width: f64, height: f64) -> Scene {
        Scene { width, height, shapes: Vec::new() }
    }

    pub(crate) fn rect(
        &mut self,
        (x, y): (f64, f64),
        (w, h): (f64, f64),
        ink: Ink,
        opacity: f64,
        hint: &str,
    ) {
        if w > 0.0 && h > 0.0 && opacity > 0.0 {
            self.shapes.push(Shape::Rect {
                x,
                y,
                w,
                h,
                ink,
                opacity: opacity.min(1.0),
                hint: hint.to_owned(),
            });
        }
    }

    pub(crate) fn line(&mut self, points: Vec<(f64, f64)>, ink: Ink, width: f64) {
        self.shapes.push(Shape::Line { points, ink, width, dashed: false });
    }

    pub(crate) fn dashed(&mut self, points: Vec<(f64, f64)>, ink: Ink, width: f64) {
        self.shapes.push(Shape::Line { points, ink, width, dashed: true });
    }

    pub(crate) fn dot(&mut self, (x, y): (f64, f64), r: f64, ink: Ink, opacity: f64, hint: &str) {
        self.shapes.push(Shape::Dot { x, y, r, ink, opacity, hollow: false, hint: hint.to_owned() });
    }

    pub(crate) fn ring(&mut self, (x, y): (f64, f64), r: f64, ink: Ink, hint: &str) {
        self.shapes.push(Shape::Dot { x, y, r, ink, opacity: 1.0, hollow: true, hint: hint.to_owned() });
    }

    /// Text on a base line at `y`.
    pub(crate) fn text(
        &mut self,
        (x, y): (f64, f64),
        text: impl Into<String>,
        size: f64,
        ink: Ink,
        anchor: Anchor,
    ) {
        self.shapes.push(Shape::Text { x, y, text: text.into(), size, ink, anchor, upwards: false });
    }

    /// Text that runs upwards from `y`, on a base line at `x`.
    pub(crate) fn text_upwards(&mut self, (x, y): (f64, f64), text: impl Into<String>, size: f64, ink: Ink) {
        let text = text.into();
        self.shapes.push(Shape::Text { x, y, text, size, ink, anchor: Anchor::Start, upwards: true });
    }

    /// As SVG. Alone (`standalone`) it has a white ground and a name space; within a page neither, and the page's colours.
    pub fn svg(&self, title: &str, alt: &str, standalone: bool) -> String {
        let mut out = String::with_capacity(self.shapes.len() * 96 + 512);
        let (w, h) = (self.width, self.height);
        let _ = write!(out, "<svg viewBox=\"0 0 {} {}\"", px(w), px(h));
        if standalone {
            let _ =
                write!(out, " xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\"", px(w), px(h));
        }
        let label = escape(&format!("{title}. {alt}"));
        let _ =
            write!(out, " role=\"img\" aria-label=\"{label}\" font-family=\"Inter,system-ui,sans-serif\">");
        if standalone {
            let _ = write!(out, "<title>{}</title>", escape(title));
            let _ = write!(out, "<rect width=\"{}\" height=\"{}\" fill=\"#fff\"/>", px(w), px(h));
        }
        for shape in &self.shapes {
            shape.svg(&mut out);
        }
        out.push_str("</svg>\n");
        out
    }

    /// As PNG with two pixels for one of ours each way: twice as sharp as on an ordinary screen.
    ///
    /// # Errors
    /// Says what plotters or the encoder could not do; a bug.
    pub fn png(&self) -> Result<Vec<u8>, String> {
        const SCALE: u32 = 4;
        if !*REGISTERED {
            return Err("the font cannot be read".to_owned());
        }
        let (w, h) = (self.width.ceil() as u32 * SCALE, self.height.ceil() as u32 * SCALE);
        let mut large = vec![255; 3 * w as usize * h as usize];
        {
            let area = BitMapBackend::with_buffer(&mut large, (w, h)).into_drawing_area();
            for shape in &self.shapes {
                shape.paint(&area, f64::from(SCALE)).map_err(|error| error.to_string())?;
            }
            area.present().map_err(|error| error.to_string())?;
        }
        // Plotters does not smooth the edges of polygons: four pixels become one.
        let (w, h) = (w as usize / 2, h as usize / 2);
        let mut small = Vec::with_capacity(3 * w * h);
        for y in 0..h {
            for x in 0..w {
                for c in 0..3 {
                    let at =
                        |dx: usize, dy: usize| u32::from(large[((2 * y + dy) * 2 * w + 2 * x + dx) * 3 + c]);
                    small.push(((at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1) + 2) / 4) as u8);
                }
            }
        }
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, w as u32, h as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
        writer.write_image_data(&small).map_err(|error| error.to_string())?;
        writer.finish().map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

#[cfg(test)]
impl Scene {
    /// Texts that lie over each other or beyond the edges, and shapes beyond the edges.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut texts: Vec<(f64, f64, f64, f64, &str)> = Vec::new();
        let inside = |x: f64, y: f64| {
            (-1.0..=self.width + 1.0).contains(&x) && (-1.0..=self.height + 1.0).contains(&y)
        };
        for shape in &self.shapes {
            match shape {
                Shape::Rect { x, y, w, h, .. } => {
                    if !inside(*x, *y) || !inside(x + w, y + h) {
                        problems.push(format!("a rectangle at {x}, {y}, {w} × {h}"));
                    }
                }
                Shape::Line { points, .. } => {
                    if let Some(point) = points.iter().find(|p| !inside(p.0, p.1)) {
                        problems.push(format!("a line through {point:?}"));
                    }
                }
                Shape::Dot { x, y, .. } => {
                    if !inside(*x, *y) {
                        problems.push(format!("a dot at {x}, {y}"));
                    }
                }
                Shape::Text { x, y, text, size, anchor, upwards, .. } => {
                    let width = text_width(text, *size);
                    let back = match anchor {
                        Anchor::Start => 0.0,
                        Anchor::Middle => width / 2.0,
                        Anchor::End => width,
                    };
                    let (left, top, right, bottom) = if *upwards {
                        (x - size * 0.7, y + back - width, *x, y + back)
                    } else {
                        (x - back, y - size * 0.7, x - back + width, *y)
                    };
                    if !inside(left, top) || !inside(right, bottom) {
                        problems.push(format!("`{text}` at {left}..{right}, {top}..{bottom}"));
                    }
                    for other in &texts {
                        if left < other.2 && other.0 < right && top < other.3 && other.1 < bottom {
                            problems.push(format!("`{text}` over `{}`", other.4));
                        }
                    }
                    texts.push((left, top, right, bottom, text));
                }
            }
        }
        problems
    }
}

/// A length to a tenth of a pixel.
fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// Text that means itself in HTML and XML, between tags and in quoted attributes. Characters that XML cannot hold become
/// a replacement character.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(c),
            '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
            c if c < ' ' || ('\u{7F}'..='\u{9F}').contains(&c) => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

fn points_text(points: &[(f64, f64)]) -> String {
    let mut out = String::with_capacity(points.len() * 12);
    for (x, y) in points {
        let _ = write!(out, "{},{} ", px(*x), px(*y));
    }
    out.truncate(out.trim_end().len());
    out
}

impl Shape {
    fn svg(&self, out: &mut String) {
        let opacity = |value: f64| {
            if value < 1.0 { format!(" fill-opacity=\"{:.2}\"", value.max(0.01)) } else { String::new() }
        };
        let hinted = |out: &mut String, tag: &str, hint: &str| {
            if hint.is_empty() {
                out.push_str("/>");
            } else {
                let _ = write!(out, "><title>{}</title></{tag}>", escape(hint));
            }
        };
        let _ = match self {
            Shape::Rect { x, y, w, h, ink, opacity: o, hint } => {
                let _ = write!(
                    out,
                    "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"{}",
                    px(*x),
                    px(*y),
                    px(w.max(0.1)),
                    px(h.max(0.1)),
                    ink.css(),
                    opacity(*o)
                );
                hinted(out, "rect", hint);
                Ok(())
            }
            Shape::Line { points, ink, width, dashed } => write!(
                out,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{}/>",
                points_text(points),
                ink.css(),
                px(*width),
                if *dashed { " stroke-dasharray=\"5 3\"" } else { "" }
            ),
            Shape::Dot { x, y, r, ink, opacity: o, hollow, hint } => {
                let paint = if *hollow {
                    format!("fill=\"none\" stroke=\"{}\" stroke-width=\"1.3\"", ink.css())
                } else {
                    format!("fill=\"{}\"{}", ink.css(), opacity(*o))
                };
                let _ = write!(out, "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {paint}", px(*x), px(*y), px(*r));
                hinted(out, "circle", hint);
                Ok(())
            }
            Shape::Text { x, y, text, size, ink, anchor, upwards } => {
                let anchor = match anchor {
                    Anchor::Start => "",
                    Anchor::Middle => " text-anchor=\"middle\"",
                    Anchor::End => " text-anchor=\"end\"",
                };
                let turn = if *upwards {
                    format!(" transform=\"rotate(-90 {} {})\"", px(*x), px(*y))
                } else {
                    String::new()
                };
                write!(
                    out,
                    "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"{anchor}{turn}>{}</text>",
                    px(*x),
                    px(*y),
                    px(*size),
                    ink.css(),
                    escape(text)
                )
            }
        };
    }

    fn paint<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, plotters::coord::Shift>,
        scale: f64,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        let at = |(x, y): (f64, f64)| ((x * scale).round() as i32, (y * scale).round() as i32);
        let colour = |ink: Ink, opacity: f64| {
            let (r, g, b) = ink.rgb();
            RGBAColor(r, g, b, opacity)
        };
        match self {
            Shape::Rect { x, y, w, h, ink, opacity, .. } => {
                let (left, top) = at((*x, *y));
                let (right, bottom) = at((x + w, y + h));
                // Plotters includes the last row and column of pixels.
                let corners = [(left, top), ((right - 1).max(left), (bottom - 1).max(top))];
                area.draw(&Rectangle::new(corners, colour(*ink, *opacity).filled()))
            }
            Shape::Line { points, ink, width, dashed } => {
                let width = ((width * scale).round() as u32).max(2);
                let style = colour(*ink, 1.0).stroke_width(width);
                if !dashed {
                    return stroke(area, points.iter().map(|&p| at(p)).collect(), style);
                }
                for dash in dashes(points, 5.0, 3.0) {
                    stroke(area, dash.into_iter().map(at).collect(), style)?;
                }
                Ok(())
            }
            Shape::Dot { x, y, r, ink, opacity, hollow, .. } => {
                let radius = (r * scale).round() as i32;
                if *hollow {
                    let style = colour(*ink, 1.0).stroke_width((1.3 * scale).round() as u32);
                    let steps = 48;
                    let circle = (0..=steps)
                        .map(|i| {
                            let turn = std::f64::consts::TAU * f64::from(i) / f64::from(steps);
                            at((x + r * libm::cos(turn), y + r * libm::sin(turn)))
                        })
                        .collect();
                    return stroke(area, circle, style);
                }
                area.draw(&Circle::new(at((*x, *y)), radius, colour(*ink, *opacity).filled()))
            }
            Shape::Text { x, y, text, size, ink, anchor, upwards } => {
                let height = size * SIZE_TO_HEIGHT * scale;
                let font = FontDesc::new(FontFamily::Name(FACE), height, FontStyle::Normal);
                let width = text_width(text, *size);
                let back = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => width / 2.0,
                    Anchor::End => width,
                };
                // Plotters puts the base line half a height below the upper edge.
                let half = height / scale / 2.0;
                let (font, position) = if *upwards {
                    (font.transform(FontTransform::Rotate270), at((x - half, y + back)))
                } else {
                    (font, at((x - back, y - half)))
                };
                let (r, g, b) = ink.rgb();
                area.draw(&Text::new(text.as_str(), position, font.color(&RGBColor(r, g, b))))
            }
        }
    }
}

/// A line with round joins: plotters would leave notches between its parts.
fn stroke<B: DrawingBackend>(
    area: &DrawingArea<B, plotters::coord::Shift>,
    points: Vec<(i32, i32)>,
    style: ShapeStyle,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let radius = (style.stroke_width / 2) as i32;
    for pair in points.windows(2) {
        area.draw(&PathElement::new(pair.to_vec(), style))?;
    }
    if radius > 1 && points.len() > 2 {
        for &point in &points[1..points.len() - 1] {
            area.draw(&Circle::new(point, radius, style.filled()))?;
        }
    }
    Ok(())
}

/// The line cut into dashes.
fn dashes(points: &[(f64, f64)], on: f64, off: f64) -> Vec<Vec<(f64, f64)>> {
    let mut dashes = Vec::new();
    let mut dash: Vec<(f64, f64)> = points.first().copied().into_iter().collect();
    let (mut drawing, mut left) = (true, on);
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = libm::hypot(x1 - x0, y1 - y0);
        if length == 0.0 || !length.is_finite() {
            continue;
        }
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let point = (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length);
            if drawing {
                dash.push(point);
                dashes.push(std::mem::take(&mut dash));
            } else {
                dash = vec![point];
            }
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
        left -= length - done;
        if drawing {
            dash.push((x1, y1));
        }
    }
    if dash.len() > 1 {
        dashes.push(dash);
    }
    dashes
}
