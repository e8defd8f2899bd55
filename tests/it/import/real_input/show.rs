//! `heatstrip show` draws the strip in the terminal.

use std::collections::BTreeSet;

use super::{EXACT, database, run, statements, text, unpacked, watched::Watched, yesterday};

#[tokio::test]
async fn show_draws_the_strip_in_80_columns() {
    let (statements, _) = statements();
    let database = database().await;
    let day = yesterday().to_string();
    run(&database, &["replay", text(&statements), "--format", "xapi", "--captured-on", &day]).await;
    run(&database, &["work", "--once"]).await;
    let watched = Watched::of(&unpacked(&statements));
    for (video, by_second) in &watched.viewers {
        let drawn = run(&database, &["show", video]).await;
        assert!(drawn.lines().count() > 8, "{drawn}");
        assert!(drawn.lines().all(|line| line.chars().count() <= 80), "{drawn}");
        assert!(!drawn.contains('\x1b'), "{drawn}");
        assert!(drawn.starts_with(video.as_str()) && drawn.contains(&day) && drawn.contains('█'), "{drawn}");
        let everybody: BTreeSet<&usize> = by_second.values().flatten().collect();
        if everybody.len() <= EXACT {
            let viewers = format!("{} viewer", everybody.len());
            assert!(drawn.contains(&viewers) && drawn.contains("exact"), "{drawn}");
        }
        let coarse =
            run(&database, &["show", video, "--resolution", "60", "--region", "zz", "--from", &day]).await;
        assert!(coarse.contains("60 s a bucket"), "{coarse}");
    }
    for nothing in
        [vec!["show", "nobody's"], vec!["show", "nobody's", "--region", "JP", "--to", "2026-01-01"]]
    {
        let drawn = run(&database, &nothing).await;
        assert!(drawn.starts_with("Nobody has watched nobody's"), "{drawn}");
        assert_eq!(drawn.lines().count(), 1, "{drawn}");
    }
}
