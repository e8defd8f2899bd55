//! The answer for tables and terminals.

use super::*;
use crate::{
    answers::envelope::Scope,
    audience::answer::{Span, Strata, answer, overlap},
    audience::interval::Stratum,
};

fn span() -> Span {
    let day = "2026-11-21".parse().ok();
    Span { regions: vec!["JP".into(), "KR".into()], from: day, to: day, epochs: Vec::new() }
}

fn strata(share: f64, all: u64, matching: u64) -> Strata {
    Strata { exact: share == 1.0, counted: vec![Stratum { share, all, matching }] }
}

#[test]
fn a_table_of_one_line() {
    let told = answer("v".into(), span(), &strata(1.0, 8, 2));
    assert_eq!(told.scope, Scope::Viewers);
    let table = "viewers,low,high,of,share,share_low,share_high,confidence,exact,sampled,scope\n\
                 2,2,2,8,0.25,0.25,0.25,0.95,true,8,viewers\n";
    assert_eq!(told.csv(), table);
    let refused = answer("v".into(), span(), &strata(0.01, 8, 2)).csv();
    assert!(refused.ends_with("\n,,,,,,,0.95,false,8,viewers\n"), "{refused}");
    let both = overlap(vec!["a".into(), "b".into()], span(), &[strata(1.0, 8, 6), strata(1.0, 8, 2)]).csv();
    assert_eq!(both.lines().nth(2), Some("2,2,2,2,8,0.25,0.25,0.25"));
}

#[test]
fn a_sentence_and_a_bar() {
    let asked = [
        Condition::Saw(Range { start_sec: 0, end_sec: 30 }),
        Condition::Missed(Range { start_sec: 540, end_sec: 3_600 }),
    ];
    let text = answer("v".into(), span(), &strata(1.0, 8, 2)).text(&asked);
    assert_eq!(
        text,
        format!(
            "v  2026-11-21  JP + KR\nsaw 0:00-0:30, missed 9:00-1:00:00\n{}{}  2 of 8 viewers (25.0 %)\n\
             exact: everybody was counted\n",
            "█".repeat(10),
            "░".repeat(30)
        )
    );
    let text = answer("v".into(), span(), &strata(0.1, 1_000, 200)).text(&asked);
    assert!(text.contains("2000 of 10000 viewers (20.0 %)"), "{text}");
    assert!(text.contains("with 95 % confidence, from 1000 sampled"), "{text}");
    let text = answer("v".into(), span(), &strata(0.1, 20, 10)).text(&[]);
    assert!(text.ends_with("watched anything\nno answer: too few sampled viewers (20)\n"), "{text}");
}
