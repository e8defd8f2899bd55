//! The Dockerfile, as far as ours goes: stages, and instructions on one or more lines.

use std::fs;

use super::root;

/// What is done between one `FROM` and the next.
pub struct Stage {
    pub name: String,
    pub image: String,
    /// Keywords with what stands behind them.
    instructions: Vec<(String, String)>,
}

/// `COPY` from another stage, or from the build context.
pub struct Copied {
    pub from_stage: Option<String>,
    pub sources: Vec<String>,
    pub destination: String,
}

pub fn stages() -> Vec<Stage> {
    let text = fs::read_to_string(root().join("Dockerfile")).expect("the Dockerfile");
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let mut stages: Vec<Stage> = Vec::new();
    for line in lines.join("\n").replace("\\\n", " ").lines() {
        let Some((keyword, rest)) = line.trim().split_once(' ') else { continue };
        if keyword == "FROM" {
            let (image, name) = rest.split_once(" AS ").expect("every stage has a name");
            stages.push(Stage { name: name.to_owned(), image: image.to_owned(), instructions: Vec::new() });
        } else {
            let stage = stages.last_mut().expect("a FROM comes first");
            stage.instructions.push((keyword.to_owned(), rest.trim().to_owned()));
        }
    }
    stages
}

pub fn stage(name: &str) -> Stage {
    let found = stages().into_iter().find(|stage| stage.name == name);
    found.unwrap_or_else(|| panic!("the Dockerfile has no stage {name}"))
}

impl Stage {
    /// What stands behind each instruction of this keyword.
    pub fn all(&self, keyword: &str) -> Vec<&str> {
        let these = self.instructions.iter().filter(|(name, _)| name == keyword);
        these.map(|(_, rest)| rest.as_str()).collect()
    }

    /// The words of the last instruction of this keyword, which writes them as a JSON list.
    pub fn words(&self, keyword: &str) -> Vec<String> {
        let rest = self.all(keyword).pop().unwrap_or_else(|| panic!("{} has no {keyword}", self.name));
        serde_json::from_str(rest).unwrap_or_else(|error| panic!("{keyword} {rest}: {error}"))
    }

    pub fn copies(&self) -> Vec<Copied> {
        self.all("COPY").into_iter().map(copied).collect()
    }

    /// True if a `RUN` installs this package.
    pub fn installs(&self, package: &str) -> bool {
        self.all("RUN")
            .iter()
            .any(|run| run.contains("apt-get install") && run.split(' ').any(|w| w == package))
    }
}

fn copied(rest: &str) -> Copied {
    let mut words: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
    let from_stage = words[0].strip_prefix("--from=").map(str::to_owned);
    if from_stage.is_some() {
        words.remove(0);
    }
    let destination = words.pop().expect("a destination");
    Copied { from_stage, sources: words, destination }
}
