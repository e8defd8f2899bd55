//! The strip as a picture: for a README, a mail, a wiki; it says in words what it shows.

use super::{
    Strip,
    terminal::{TICK_SECS, asked, clock, columns, found},
};

/// Units of the drawing; it scales to any size.
const WIDTH: usize = 1000;
const CHART: usize = 200;
const HEIGHT: usize = CHART + 28;
/// Columns of the chart at most: more than a screen shows would only make it heavy.
const MAX_COLUMNS: usize = 500;
/// Classes of heat.
const HEATS: usize = 5;
/// Units that a label of the axis takes.
const LABEL_WIDTH: usize = 64;

/// Without them the shapes have the colours of their attributes, as on a page that forbids styles.
const STYLE: &str = "svg{color-scheme:light dark}\
    .h0{fill:#f8d9a8}.h1{fill:#f5a54a}.h2{fill:#e35c2f}.h3{fill:#b3214f}.h4{fill:#5f1468}.t{fill:#75685c}.l{stroke:#e8dfd3}\
    @media (prefers-color-scheme:dark){\
    .h0{fill:#4c1d5f}.h1{fill:#93266a}.h2{fill:#d6453f}.h3{fill:#f58a1f}.h4{fill:#fbd75a}.t{fill:#a89a8d}.l{stroke:#332c27}}";
const FILLS: [&str; HEATS] = ["#f8d9a8", "#f5a54a", "#e35c2f", "#b3214f", "#5f1468"];

/// Draws a strip.
pub fn svg(strip: &Strip) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"title desc\" font-family=\"system-ui, sans-serif\" font-size=\"14\">\n\
         <title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n<style>{STYLE}</style>\n",
        escaped(&strip.video_id),
        escaped(&words(strip)),
    );
    if strip.viewers == 0 {
        let (x, y) = (WIDTH / 2, CHART / 2);
        svg += &format!(
            "<text class=\"t\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" fill=\"#75685c\">{}</text>\n</svg>\n",
            escaped(&words(strip))
        );
        return svg;
    }
    svg += &bars(strip);
    svg += &axis(strip);
    svg + "</svg>\n"
}

/// Says in a sentence each what the picture shows.
fn words(strip: &Strip) -> String {
    if strip.buckets.is_empty() {
        return "Nobody has watched this in these days yet.".to_owned();
    }
    if strip.viewers == 0 {
        return "Too few have watched this to say how many.".to_owned();
    }
    let mut facts = [asked(strip), found(strip)].concat();
    if let Some(most) = strip.most_replayed() {
        facts.push(format!("most replayed at {}, {:.2} times", clock(most.bucket as usize), most.replay));
    }
    facts.join("; ") + "."
}

/// A path for each heat, so that the picture stays small.
fn bars(strip: &Strip) -> String {
    let columns = columns(strip, strip.buckets.len().min(MAX_COLUMNS));
    let edge = |column: usize| column * WIDTH / columns.len();
    let mut paths: [String; HEATS] = Default::default();
    for (column, bucket) in columns.iter().enumerate() {
        if bucket.viewers == 0 {
            continue;
        }
        // Few viewers are not none.
        let height = (bucket.retention * CHART as f64).round().max(1.0) as usize;
        let heat = ((bucket.retention * HEATS as f64) as usize).min(HEATS - 1);
        let (left, right) = (edge(column), edge(column + 1));
        paths[heat] += &format!("M{left} {CHART}V{}H{right}V{CHART}", CHART - height);
    }
    let path = |(heat, path): (usize, &String)| match path.is_empty() {
        true => String::new(),
        false => format!("<path class=\"h{heat}\" fill=\"{}\" d=\"{path}\"/>\n", FILLS[heat]),
    };
    paths.iter().enumerate().map(path).collect()
}

fn axis(strip: &Strip) -> String {
    let span = strip.buckets.len() * strip.resolution as usize;
    let step = TICK_SECS.into_iter().find(|step| step * WIDTH / span >= LABEL_WIDTH).unwrap_or(span);
    let mut axis = format!("<path class=\"l\" stroke=\"#e8dfd3\" d=\"M0 {CHART}.5H{WIDTH}\"/>\n");
    for sec in (0..span).step_by(step) {
        let (x, y) = (sec * WIDTH / span, HEIGHT - 8);
        if x + LABEL_WIDTH <= WIDTH || sec == 0 {
            axis +=
                &format!("<text class=\"t\" fill=\"#75685c\" x=\"{x}\" y=\"{y}\">{}</text>\n", clock(sec));
        }
    }
    axis
}

/// Escapes a text for XML, and drops the few characters that XML cannot hold.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
