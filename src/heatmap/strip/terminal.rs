//! The strip as coloured block characters, for `heatstrip show`.
//!
//! One column of text is a stretch of the video: its height and its heat are the viewers, in eighths of a row.

use indicatif::HumanCount;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Bucket, Strip};

/// Text rows of the chart; with eighth blocks that is a resolution of 48 steps.
const ROWS: usize = 6;

/// Free columns between two labels of the time axis.
const LABEL_GAP: usize = 4;

/// Distances between ticks that read well as a clock, in seconds.
pub(super) const TICK_SECS: [usize; 17] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200];

/// Cold to hot: the part of matplotlib's "inferno" that stands out from black and from white alike.
const HEAT: [Rgb; 6] = [
    [0x7f, 0x1e, 0x6c],
    [0xa8, 0x2e, 0x5f],
    [0xcf, 0x44, 0x46],
    [0xed, 0x69, 0x25],
    [0xfb, 0x9b, 0x06],
    [0xf7, 0xd1, 0x3d],
];

/// The marker's colour: the complement of heat, so that it is not taken for a value.
const MARKER: Rgb = [0x2a, 0xa1, 0x98];

type Rgb = [u8; 3];

/// Which colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// No escape sequence at all: a file, a pipe, `NO_COLOR`.
    None,
    /// The 256 colours that every terminal has.
    Palette,
    /// 24 bits, where `COLORTERM` is `truecolor` or `24bit`.
    True,
}

impl Color {
    /// `text` in bold.
    fn bold(self, text: &str) -> String {
        match self {
            Color::None => text.to_owned(),
            _ => format!("\x1b[1m{text}\x1b[0m"),
        }
    }

    /// The sequence that switches to a colour.
    fn foreground(self, [r, g, b]: Rgb) -> String {
        // The palette's cube has the levels 0, 95, 135, 175, 215 and 255.
        let level = |value: u8| {
            if value < 75 { u8::from(value >= 48) } else { (value - 35) / 40 }
        };
        match self {
            Color::None => String::new(),
            Color::Palette => format!("\x1b[38;5;{}m", 16 + 36 * level(r) + 6 * level(g) + level(b)),
            Color::True => format!("\x1b[38;2;{r};{g};{b}m"),
        }
    }
}

/// One place of the chart.
#[derive(Clone, Copy)]
struct Cell {
    glyph: char,
    color: Option<Rgb>,
}

const BLANK: Cell = Cell { glyph: ' ', color: None };

/// Draws a strip for a terminal of `width` columns; every line ends with a line feed. A title, where there is one, stands in
/// the place of the id, which follows below.
pub fn render(strip: &Strip, title: Option<&str>, width: usize, color: Color) -> String {
    let width = width.max(1);
    let mut lines = Vec::new();
    if strip.buckets.is_empty() {
        return nobody(strip, width) + "\n";
    }
    lines.push(color.bold(&fit(title.unwrap_or(&strip.video_id), width)));
    let id = title.map(|_| strip.video_id.clone());
    lines.extend(flow(&id.into_iter().chain(asked(strip)).collect::<Vec<_>>(), width));
    lines.extend(flow(&found(strip), width));
    lines.push(String::new());

    lines.extend(strip.most_replayed().map(|most| paint(&marker(strip, most, width), color)));
    let columns = columns(strip, width);
    for row in (0..ROWS).rev() {
        lines.push(paint(&chart_row(strip, &columns, row), color));
    }
    let (ruler, labels) = axis(strip, width);
    lines.push(ruler);
    lines.push(labels);
    lines.join("\n") + "\n"
}

/// `m:ss`, or `h:mm:ss` from an hour on.
pub fn clock(secs: usize) -> String {
    let (hours, minutes, seconds) = (secs / 3600, secs / 60 % 60, secs % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

// -- header --

fn nobody(strip: &Strip, width: usize) -> String {
    let regions = strip.regions.join(", ");
    // The sentence stays whole: a long id gives way, not the words, unless the terminal is very narrow.
    let words = format!("Nobody has watched  ({regions}) in these days yet.");
    let id = fit(&strip.video_id, width.saturating_sub(words.width()).max(12));
    format!("Nobody has watched {id} ({regions}) in these days yet.")
}

/// The line that repeats the question.
pub(super) fn asked(strip: &Strip) -> Vec<String> {
    let mut facts = vec![strip.regions.join(", ")];
    match (strip.from, strip.to) {
        (Some(from), Some(to)) if from == to => facts.push(from.to_string()),
        (Some(from), Some(to)) => facts.push(format!("{from} to {to}")),
        _ => {}
    }
    facts.push(format!("{} s a bucket", strip.resolution));
    facts
}

/// The lines with the answer's numbers.
pub(super) fn found(strip: &Strip) -> Vec<String> {
    let scope = strip.scope.name();
    let scope = if strip.viewers == 1 { scope.trim_end_matches('s') } else { scope };
    let certainty = match strip.exact {
        true => "exact".to_owned(),
        false => format!("± {:.1} %", strip.relative_error * 100.0),
    };
    let mut facts = vec![format!("{} {scope}", HumanCount(strip.viewers)), certainty];
    if let Some(peak) = strip.buckets.iter().find(|bucket| bucket.viewers == strip.peak) {
        facts.push(format!("peak {} at {}", HumanCount(strip.peak), clock(peak.bucket as usize)));
    }
    facts.push(format!("watched {}", hours(strip.seconds_played)));
    facts
}

/// Sets facts in lines of at most `width` columns; a fact is cut only where it is wider than a line.
fn flow(facts: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for fact in facts {
        let fact = fit(fact, width);
        match lines.last_mut() {
            Some(line) if line.width() + 3 + fact.width() <= width => {
                line.push_str(" · ");
                line.push_str(&fact);
            }
            _ => lines.push(fact),
        }
    }
    lines
}

/// A watch time in the two units that say most.
fn hours(secs: u64) -> String {
    match (secs / 3600, secs / 60 % 60, secs % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} m {seconds:02} s"),
        (hours, minutes, _) => format!("{} h {minutes:02} m", HumanCount(hours)),
    }
}

// -- chart --

/// The bucket that each column shows: of several the one with most viewers, so that no peak gets lost.
pub(super) fn columns(strip: &Strip, width: usize) -> Vec<&Bucket> {
    let count = strip.buckets.len();
    (0..width)
        .map(|column| {
            let first = column * count / width;
            let end = ((column + 1) * count / width).max(first + 1);
            let buckets = &strip.buckets[first..end];
            buckets.iter().fold(
                &buckets[0],
                |most, bucket| {
                    if bucket.viewers > most.viewers { bucket } else { most }
                },
            )
        })
        .collect()
}

/// One row of text of the chart, counted from the bottom.
fn chart_row(strip: &Strip, columns: &[&Bucket], row: usize) -> Vec<Cell> {
    const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let cell = |bucket: &&Bucket| {
        let eighths = (bucket.retention * (ROWS * 8) as f64).round() as usize;
        // Few viewers are not none.
        let eighths = eighths.max(usize::from(bucket.viewers > 0));
        Cell {
            glyph: BLOCKS[eighths.saturating_sub(row * 8).min(8)],
            color: Some(heat(bucket.viewers as f64 / strip.peak.max(1) as f64)),
        }
    };
    columns.iter().map(cell).collect()
}

/// The colour of a heat between 0 and 1.
fn heat(heat: f64) -> Rgb {
    let place = heat.clamp(0.0, 1.0) * (HEAT.len() - 1) as f64;
    let cold = (place as usize).min(HEAT.len() - 2);
    let share = place - cold as f64;
    std::array::from_fn(|i| {
        let (cold, hot) = (f64::from(HEAT[cold][i]), f64::from(HEAT[cold + 1][i]));
        (cold + (hot - cold) * share).round() as u8
    })
}

/// The row above the chart that points at the most replayed moment, with as many words as there is room for.
fn marker(strip: &Strip, most: &Bucket, width: usize) -> Vec<Cell> {
    let mut row = vec![BLANK; width];
    let at = column_of(strip, most.bucket as usize + strip.resolution as usize / 2, width);
    let time = clock(most.bucket as usize);
    let numbers = format!("{time}, {:.2}×", most.replay);
    let mut text = "▼".to_owned();
    let mut first = at;
    for label in [format!("most replayed {numbers}"), numbers, time] {
        let room = label.chars().count() + 1;
        if at + room < width {
            text = format!("▼ {label}");
            break;
        }
        if at >= room {
            text = format!("{label} ▼");
            first = at - room;
            break;
        }
    }
    for (cell, glyph) in row[first..].iter_mut().zip(text.chars()) {
        *cell = Cell { glyph, color: Some(MARKER) };
    }
    row
}

/// The ruler under the chart and the times below it.
fn axis(strip: &Strip, width: usize) -> (String, String) {
    let span = span(strip);
    let widest = clock(span).len();
    let step = TICK_SECS.into_iter().find(|step| step * width / span >= widest + LABEL_GAP).unwrap_or(span);
    let mut ruler = vec!['─'; width];
    let mut labels = vec![' '; width];
    let mut free = 0;
    for sec in (0..span).step_by(step) {
        let (at, label) = (column_of(strip, sec, width), clock(sec));
        if at < free || at + label.len() > width {
            continue;
        }
        ruler[at] = '┴';
        for (place, glyph) in labels[at..].iter_mut().zip(label.chars()) {
            *place = glyph;
        }
        free = at + label.len() + 1;
    }
    let labels: String = labels.into_iter().collect();
    (ruler.into_iter().collect(), labels.trim_end().to_owned())
}

/// Seconds from the start of the video to the end of the last bucket.
fn span(strip: &Strip) -> usize {
    strip.buckets.len() * strip.resolution as usize
}

fn column_of(strip: &Strip, sec: usize, width: usize) -> usize {
    (sec * width / span(strip)).min(width - 1)
}

/// Cells as text, without the blanks at its end; a colour is switched where it changes.
fn paint(cells: &[Cell], color: Color) -> String {
    let end = cells.iter().rposition(|cell| cell.glyph != ' ').map_or(0, |last| last + 1);
    let mut text = String::new();
    let mut current = None;
    for cell in &cells[..end] {
        if cell.glyph != ' ' && cell.color != current {
            text.extend(cell.color.map(|rgb| color.foreground(rgb)));
            current = cell.color;
        }
        text.push(cell.glyph);
    }
    if current.is_some() && color != Color::None {
        text.push_str("\x1b[0m");
    }
    text
}

// -- text --

/// `text` in at most `width` columns, with an ellipsis where it was cut.
fn fit(text: &str, width: usize) -> String {
    let printable = |c: char| if steers_terminal(c) { '\u{fffd}' } else { c };
    let text: String = text.chars().map(printable).collect();
    if text.width() <= width {
        return text;
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= width
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// Marks that would turn the direction of what follows, or hide: ids may contain them, a header must not obey them.
fn steers_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
