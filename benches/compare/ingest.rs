//! Durable queue to shard runs: heartbeats wait in the queue, or in the peer's own input, and become sketches on disk.

use crate::{
    Plan,
    audience::{self, FEW, MANY},
    contest::Contest,
    picture,
    report::{Goal, Section, thousands},
};

pub const TITLE: &str = "Durable queue to shard runs";
pub const CROWD_TITLE: &str = "The same with 100,000 sessions at once";
pub const RECORDED_TITLE: &str = "The same with recorded sessions";

/// A row a second, united by an upsert: what there was before shard runs. It was measured by an earlier version of this
/// program on the audience of [`section`], and is no more in the code.
const EARLIER: [&str; 6] = [
    "heatstrip's earlier form, an upsert of every second (2026-11; that day 19.1 × the article's ingester)",
    "480,000",
    "37,451",
    "",
    "456-473 MiB",
    "",
];

/// The seeded audience.
pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let contest = Contest::hold(&FEW.beats(plan.beats), plan.sample).await?;
    let mut table = contest.table();
    table.rows.push(EARLIER.map(str::to_owned).to_vec());
    Ok(Section {
        title: TITLE,
        text: format!(
            "{} over 5,000 videos (Zipf) and 8 regions, one day, 100 sessions at once. heatstrip's lie in its queue, committed,\n\
             before the clock starts, each window when the one before is folded; the peers' lie in memory or in a file of their own format. The\n\
             article's ingester gets the first {} heartbeats at most, and commits every 1,000, which is its better mode. heatstrip keeps plays and\n\
             whole videos beside the sketches, and its time includes the hot compaction that its steps set off; its bytes are the database's, empty\n\
             catalogue (8 MiB) and emptied queue included. A strip is the most watched video's, at 5 s, all regions, the median of five reads after\n\
             a first; heatstrip's over HTTP, before the night's compaction.",
            contest.heartbeats,
            thousands(plan.sample as f64)
        ),
        tables: vec![table],
        goals: vec![
            Goal::at_least(
                "heatstrip / ClickHouse's best mode with fsync (3 is the aim)",
                2.0,
                contest.to_clickhouse(),
            ),
            Goal::at_least("heatstrip / the article's ingester (90 is the aim)", 60.0, contest.to_article()),
        ],
        pictures: vec![(
            "peers.svg".into(),
            "Heartbeats a second of heatstrip and its peers, 100 sessions at once".into(),
            contest.picture("Heartbeats a second, durable queue to sketches on disk, 100 sessions at once"),
        )],
        ..Section::default()
    })
}

/// The same number of heartbeats of many more sessions.
pub async fn crowd_section(plan: &Plan) -> anyhow::Result<Section> {
    let contest = Contest::hold(&MANY.beats(plan.beats), plan.sample).await?;
    Ok(Section {
        title: CROWD_TITLE,
        text: format!(
            "{}: consecutive heartbeats of a session lie 100,000 others apart, so that few of them join in a window.",
            contest.heartbeats
        ),
        tables: vec![contest.table()],
        goals: vec![Goal::at_least(
            "heatstrip / ClickHouse's best mode with fsync (2 is the aim)",
            1.0,
            contest.to_clickhouse(),
        )],
        pictures: vec![(
            "peers-crowd.svg".into(),
            "Heartbeats a second of heatstrip and its peers, 100,000 sessions at once".into(),
            contest
                .picture("Heartbeats a second, durable queue to sketches on disk, 100,000 sessions at once"),
        )],
        ..Section::default()
    })
}

/// The sessions of a MOOC platform, where they are at hand.
pub async fn recorded_section(plan: &Plan) -> anyhow::Result<Section> {
    let Some(beats) = audience::recorded()? else {
        let text = "Left out: `HEATSTRIP_MOOC_FILE` names no file of xAPI video statements.".into();
        return Ok(Section { title: RECORDED_TITLE, text, ..Section::default() });
    };
    let contest = Contest::hold(&beats, plan.sample).await?;
    Ok(Section {
        title: RECORDED_TITLE,
        text: format!("{} as learners of a MOOC platform watched them, as of one day.", contest.heartbeats),
        tables: vec![contest.table()],
        // What the earlier form reached.
        goals: vec![Goal::at_least(
            "heatstrip / ClickHouse's best mode with fsync, as much as the earlier form",
            1.56,
            contest.to_clickhouse(),
        )],
        ..Section::default()
    })
}

impl Contest {
    fn picture(&self, title: &str) -> String {
        picture::bars(title, &self.rates())
    }
}
