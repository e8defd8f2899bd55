//! What was measured, as Markdown.

use std::{fmt::Write as _, fs, path::PathBuf, process::Command};

use crate::postgres::SETTINGS;

/// A ratio that should hold.
pub struct Goal {
    pub what: String,
    /// `≥` or `≤`.
    pub relation: &'static str,
    pub goal: f64,
    pub measured: f64,
}

/// Rows below a head.
pub struct Table {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// A part of the report.
#[derive(Default)]
pub struct Section {
    pub title: &'static str,
    pub text: String,
    pub tables: Vec<Table>,
    pub goals: Vec<Goal>,
    /// File names and texts of SVG pictures, each with what it shows.
    pub pictures: Vec<(String, String, String)>,
    /// When it was, and how long it took.
    pub measured: String,
}

impl Table {
    pub fn new<T: Into<String>>(head: impl IntoIterator<Item = T>, rows: Vec<Vec<String>>) -> Self {
        Table { head: head.into_iter().map(Into::into).collect(), rows }
    }
}

impl Goal {
    pub fn at_least(what: impl Into<String>, goal: f64, measured: f64) -> Self {
        Goal { what: what.into(), relation: "≥", goal, measured }
    }

    pub fn at_most(what: impl Into<String>, goal: f64, measured: f64) -> Self {
        Goal { what: what.into(), relation: "≤", goal, measured }
    }

    fn holds(&self) -> bool {
        if self.relation == "≥" { self.measured >= self.goal } else { self.measured <= self.goal }
    }
}

impl Section {
    pub fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n{}\n", self.title, self.text.trim());
        for table in &self.tables {
            let _ = writeln!(text, "\n| {} |", table.head.join(" | "));
            let _ = writeln!(text, "|---|{}", "---:|".repeat(table.head.len() - 1));
            for row in &table.rows {
                let _ = writeln!(text, "| {} |", row.join(" | "));
            }
        }
        if !self.goals.is_empty() {
            text.push_str("\n| what must hold | goal | measured | |\n|---|---:|---:|---|\n");
        }
        for goal in &self.goals {
            let verdict = if goal.holds() { "holds" } else { "**missed**" };
            let _ = writeln!(
                text,
                "| {} | {} {} | {:.2} | {verdict} |",
                goal.what, goal.relation, goal.goal, goal.measured
            );
        }
        for (file, shows, _) in &self.pictures {
            let _ = writeln!(text, "\n![{shows}](img/{file})");
        }
        if !self.measured.is_empty() {
            let _ = writeln!(text, "\n{}", self.measured);
        }
        text
    }
}

/// Puts a section into `docs/benchmarks.md`, in place of what stands there under its title, and its pictures beside it.
/// Sections stand in the order of `titles`; what was measured by hand is kept in a file of its own.
pub fn write(section: &Section, titles: &[&str]) -> anyhow::Result<()> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("docs/benchmarks.md");
    let before = fs::read_to_string(&path).unwrap_or_default();
    let mut text = String::from(
        "# Benchmarks\n\nWritten by `script/bench`; each section says when it was measured. What counts are the ratios: both sides of each were\n\
         measured one after the other, or in turns, on the same machine and the same data. Absolute numbers are this machine's, and it\n\
         is a small and noisy one.\n\n",
    );
    text.push_str(&machine());
    let parts: Vec<&str> = before.split("\n## ").skip(1).collect();
    for title in titles {
        if *title == section.title {
            let _ = write!(text, "\n{}", section.markdown());
        } else if let Some(part) = parts.iter().find(|part| part.lines().next() == Some(title)) {
            let _ = writeln!(text, "\n## {}", part.trim_end());
        }
    }
    for (file, _, picture) in &section.pictures {
        fs::create_dir_all(root.join("docs/img"))?;
        fs::write(root.join("docs/img").join(file), picture)?;
    }
    let _ = write!(text, "\n{}", include_str!("by_hand.md"));
    fs::write(path, text)?;
    Ok(())
}

fn machine() -> String {
    let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu_info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kib: u64 = fs::read_to_string("/proc/meminfo")
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok())
        .unwrap_or(0);
    let version = |program: &str, flag: &str| {
        let output = Command::new(program).arg(flag).output();
        output.map_or("not there".to_owned(), |output| {
            String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or("").trim().to_owned()
        })
    };
    let settings: Vec<String> = SETTINGS.iter().map(|(name, value)| format!("`{name} = {value}`")).collect();
    format!(
        "Machine: {cores} × {model}, {} GiB. {}; {}. Postgres with `fsync`, `synchronous_commit` and `full_page_writes` on,\n{}.\n",
        kib >> 20,
        version("rustc", "--version"),
        version("psql", "--version").replace("psql ", ""),
        settings.join(", ")
    )
}

/// 1234567 as 1,234,567.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub fn mebibytes(bytes: f64) -> String {
    format!("{} MiB", thousands(bytes / (1 << 20) as f64))
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
