//! The errors as an SVG, readable on light and dark pages.

use std::fmt::Write as _;

use heatstrip::sketch::{MAX_EXPLICIT, RELATIVE_STANDARD_ERROR};

use crate::{Measured, mean, quantile, root_mean_square, signed, thousands};

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 540.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 76.0;
const BOTTOM: f64 = HEIGHT - 64.0;
/// Percent, up and down.
const MAX_ERROR: f64 = 8.0;

/// 1 to 1,000,000 viewers, logarithmic.
fn x(viewers: f64) -> f64 {
    LEFT + viewers.log10() / 6.0 * (RIGHT - LEFT)
}

fn y(percent: f64) -> f64 {
    TOP + (MAX_ERROR - percent) / (2.0 * MAX_ERROR) * (BOTTOM - TOP)
}

/// Bands of the signed errors by size, their mean, and the error that answers name.
pub fn draw(measured: &[Measured]) -> String {
    let line = |value: &dyn Fn(&[f64]) -> f64| -> Vec<(f64, f64)> {
        measured.iter().map(|measured| (x(measured.size as f64), y(value(&measured.errors)))).collect()
    };
    let band = |low: f64, high: f64| {
        let mut points = line(&|errors| quantile(errors, low));
        points.reverse();
        points.extend(line(&|errors| quantile(errors, high)));
        path(&points)
    };
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-labelledby="title">
<title id="title">Error of the estimate against the number of viewers</title>
{STYLE}
<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>
<text class="title" x="{LEFT}" y="28">How far an estimate is off, by the number of viewers</text>
"#
    );
    for percent in (-8..=8).step_by(2) {
        let at = y(f64::from(percent));
        let class = if percent == 0 { "zero" } else { "grid" };
        let sign = if percent > 0 { "+" } else { "" };
        let label = format!("{sign}{percent} %").replace('-', "−");
        let _ = writeln!(svg, r#"<path class="{class}" d="M{LEFT} {at:.1}H{RIGHT}"/>"#);
        let _ = writeln!(svg, r#"<text class="end" x="{}" y="{:.1}">{label}</text>"#, LEFT - 8.0, at + 4.5);
    }
    for viewers in [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000] {
        let (at, label) = (x(viewers as f64), thousands(viewers));
        let _ = writeln!(svg, r#"<path class="grid" d="M{at:.1} {TOP}V{:.1}"/>"#, BOTTOM + 5.0);
        let anchor = if viewers == 1_000_000 { "end" } else { "middle" };
        let _ = writeln!(svg, r#"<text class="{anchor}" x="{at:.1}" y="{}">{label}</text>"#, BOTTOM + 22.0);
    }
    let _ = writeln!(svg, r#"<path class="all" d="{}Z"/>"#, band(0.0, 1.0));
    let _ = writeln!(svg, r#"<path class="most" d="{}Z"/>"#, band(0.05, 0.95));
    let first_estimate = x((MAX_EXPLICIT + 1) as f64);
    for percent in [RELATIVE_STANDARD_ERROR * 100.0, -RELATIVE_STANDARD_ERROR * 100.0] {
        let _ = writeln!(svg, r#"<path class="said" d="M{first_estimate:.1} {:.1}H{RIGHT}"/>"#, y(percent));
    }
    let _ = writeln!(svg, r#"<path class="bias" d="{}"/>"#, path(&line(&mean)));
    let Some(at_bump) = measured.iter().find(|measured| measured.size == 10_000) else {
        return svg + "</svg>\n";
    };
    let _ = write!(
        svg,
        r#"<text class="middle strong" x="{:.1}" y="{:.1}">exact up to {MAX_EXPLICIT}</text>
<text class="end strong" x="{:.1}" y="{:.1}">bump at 10,000: bias {} %, RMSE {:.2} %</text>
<text class="middle axis" x="{:.1}" y="{:.1}">viewers in the set (logarithmic)</text>
<text class="middle axis" transform="translate(18 {:.1}) rotate(-90)">error of the estimate, % of the truth</text>
"#,
        (LEFT + first_estimate) / 2.0,
        y(0.0) - 12.0,
        x(10_000.0) - 14.0,
        y(6.0) - 8.0,
        signed(mean(&at_bump.errors)),
        root_mean_square(&at_bump.errors),
        (LEFT + RIGHT) / 2.0,
        HEIGHT - 14.0,
        (TOP + BOTTOM) / 2.0,
    );
    let mut at = LEFT;
    for (class, label, width) in [
        ("bias", "mean of all sets (bias)", 205.0),
        ("most", "90 % of the sets", 160.0),
        ("all", "all sets", 105.0),
        ("said", "± 1.625 %: relative_error", 0.0),
    ] {
        let shape = if class == "most" || class == "all" { "m0-6h24v12h-24z" } else { "h24" };
        let _ = writeln!(svg, r#"<path class="{class}" d="M{at} 50{shape}"/>"#);
        let _ = writeln!(svg, r#"<text x="{}" y="54.5">{label}</text>"#, at + 32.0);
        at += width;
    }
    svg + "</svg>\n"
}

fn path(points: &[(f64, f64)]) -> String {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    format!("M{}", points.join("L"))
}

/// The paper is drawn, as a page may be dark where the reader's system is not.
const STYLE: &str = "<style>
svg { --paper: #fff; --ink: #1c2430; --dim: #566070; --grid: #e3e7ec; --blue: #2f6fdd; --red: #c2410c }
@media (prefers-color-scheme: dark) {
  svg { --paper: #14181f; --ink: #e8ecf2; --dim: #a3adba; --grid: #2a313c; --blue: #6ea0ff; --red: #ff9a5c }
}
text { font: 13px system-ui, sans-serif; fill: var(--dim) }
.title { font-size: 17px; font-weight: 600; fill: var(--ink) }
.strong { font-weight: 600; fill: var(--ink) }
.middle { text-anchor: middle }
.end { text-anchor: end }
path { fill: none }
.paper { fill: var(--paper) }
.grid { stroke: var(--grid) }
.zero { stroke: var(--dim) }
.all { fill: var(--blue); fill-opacity: .16 }
.most { fill: var(--blue); fill-opacity: .38 }
.bias { stroke: var(--red); stroke-width: 2.5; stroke-linejoin: round }
.said { stroke: var(--ink); stroke-dasharray: 6 5; stroke-width: 1.25 }
</style>";
