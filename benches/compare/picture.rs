//! Lines over a logarithmic axis and bars as SVG, readable on light and dark pages.

use std::fmt::Write as _;

use crate::report::thousands;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = HEIGHT - 56.0;
const STYLE: &str = "<style>
text { font: 14px system-ui, sans-serif; fill: #444 } .title { font-size: 17px; fill: #111 }
.paper { fill: #fff } .grid { stroke: #ddd } .end { text-anchor: end } .middle { text-anchor: middle }
.line0 { stroke: #b2421b } .line1 { stroke: #1b5fb2 } .mark0 { fill: #b2421b } .mark1 { fill: #1b5fb2 }
.line0, .line1 { fill: none; stroke-width: 2.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #bbb } .title { fill: #eee } .paper { fill: #16181d } .grid { stroke: #333 }
  .line0 { stroke: #ff9466 } .line1 { stroke: #78b4ff } .mark0 { fill: #ff9466 } .mark1 { fill: #78b4ff }
}
</style>";

/// A line for each name; x is logarithmic, y begins at 0.
pub fn lines(title: &str, unit: &str, lines: &[(&str, Vec<(f64, f64)>)]) -> String {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let low = points().map(|point| point.0.log10()).fold(f64::MAX, f64::min);
    let high = points().map(|point| point.0.log10()).fold(f64::MIN, f64::max).max(low + 1.0);
    let step = step(points().map(|point| point.1).fold(0.0, f64::max));
    let top = step * (points().map(|point| point.1).fold(0.0, f64::max) / step).ceil();
    let x = |value: f64| LEFT + (value.log10() - low) / (high - low) * (RIGHT - LEFT);
    let y = |value: f64| BOTTOM - value / top * (BOTTOM - TOP);

    let mut svg = sheet(title, HEIGHT, LEFT);
    let mut value = 0.0;
    while value <= top + step / 2.0 {
        let at = y(value);
        let _ = writeln!(svg, r#"<path class="grid" d="M{LEFT} {at:.1}H{RIGHT}"/>"#);
        let _ = writeln!(
            svg,
            r#"<text class="end" x="{}" y="{:.1}">{}</text>"#,
            LEFT - 8.0,
            at + 5.0,
            (value * 1e4).round() / 1e4
        );
        value += step;
    }
    let _ = writeln!(svg, r#"<text class="end" x="{}" y="{}">{unit}</text>"#, LEFT - 8.0, TOP - 14.0);
    for power in low.ceil() as i32..=high.floor() as i32 {
        let value = 10_f64.powi(power);
        let anchor = if f64::from(power) >= high { "end" } else { "middle" };
        let _ = writeln!(
            svg,
            r#"<text class="{anchor}" x="{:.1}" y="{}">{}</text>"#,
            x(value),
            BOTTOM + 22.0,
            thousands(value)
        );
    }
    let _ = writeln!(svg, r#"<text class="end" x="{RIGHT}" y="{}">heartbeats</text>"#, BOTTOM + 44.0);
    for (index, (name, points)) in lines.iter().enumerate() {
        let mut path = String::new();
        for (position, &(at, value)) in points.iter().enumerate() {
            let _ = write!(path, "{}{:.1} {:.1}", if position == 0 { "M" } else { "L" }, x(at), y(value));
            let _ = writeln!(
                svg,
                r#"<circle class="mark{index}" cx="{:.1}" cy="{:.1}" r="4"/>"#,
                x(at),
                y(value)
            );
        }
        let _ = writeln!(svg, r#"<path class="line{index}" d="{path}"/>"#);
        let left = LEFT + 160.0 * index as f64;
        let _ = writeln!(
            svg,
            r#"<path class="line{index}" d="M{left} 52h24"/><text x="{}" y="57">{name}</text>"#,
            left + 32.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// A bar for each name, as long as its value; those of heatstrip stand out.
pub fn bars(title: &str, bars: &[(String, f64)]) -> String {
    const BAR: f64 = 22.0;
    const STEP: f64 = 46.0;
    let margin = 24.0;
    let longest = bars.iter().map(|bar| bar.1).fold(1.0, f64::max);
    let mut svg = sheet(title, 56.0 + STEP * bars.len() as f64, margin);
    for (index, (name, value)) in bars.iter().enumerate() {
        let top = 52.0 + STEP * index as f64;
        let width = value / longest * (WIDTH - 2.0 * margin - 90.0);
        let mark = if name.starts_with("heatstrip") { "mark0" } else { "mark1" };
        let name = name.replace('`', "");
        let _ = writeln!(svg, r#"<text x="{margin}" y="{:.1}">{name}</text>"#, top + 10.0);
        let _ = writeln!(
            svg,
            r#"<rect class="{mark}" x="{margin}" y="{:.1}" width="{width:.1}" height="{}" rx="2"/>"#,
            top + 16.0,
            BAR - 6.0
        );
        let _ = writeln!(
            svg,
            r#"<text x="{:.1}" y="{:.1}">{}</text>"#,
            margin + width + 8.0,
            top + 29.0,
            thousands(*value)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// The beginning of a picture: what it is called, its colours and its ground.
fn sheet(title: &str, height: f64, left: f64) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-labelledby="title">
<title id="title">{title}</title>
{STYLE}
<rect class="paper" width="{WIDTH}" height="{height}"/>
<text class="title" x="{left}" y="28">{title}</text>
"#
    )
}

/// A round step that makes four to ten of them.
fn step(top: f64) -> f64 {
    let power = 10_f64.powf((top.max(1e-9) / 4.0).log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|factor| factor * power).find(|step| top / step >= 4.0).unwrap_or(power)
}
