//! Answers are refused where that is stated, and nowhere else.

use super::*;

fn strata(counted: &[(f64, u64, u64)]) -> Strata {
    let counted: Vec<Stratum> =
        counted.iter().map(|&(share, all, matching)| Stratum { share, all, matching }).collect();
    Strata { exact: counted.iter().all(|stratum| stratum.share == 1.0), counted }
}

#[test]
fn an_exact_answer_is_never_refused() {
    for counted in [[].as_slice(), &[(1.0, 1, 0)], &[(1.0, 29, 29), (1.0, 1, 1)]] {
        let estimate = Estimate::of(&strata(counted));
        assert_eq!(estimate.refused, None, "{counted:?}");
        assert_eq!((estimate.low, estimate.high), (estimate.viewers, estimate.viewers));
    }
    let estimate = Estimate::of(&strata(&[(1.0, 3, 1)]));
    assert_eq!((estimate.viewers, estimate.of, estimate.share), (Some(1), Some(3), Some(0.3333)));
}

#[test]
fn few_sampled_viewers_are_refused() {
    assert_eq!(Estimate::of(&strata(&[(0.1, 29, 20)])), Estimate::REFUSED);
    assert_eq!(Estimate::of(&strata(&[(0.1, 30, 20)])).refused, None);
    assert_eq!(Estimate::of(&strata(&[(0.1, 20, 20), (1.0, 10, 10)])).refused, None);
    assert_eq!(serde_json::to_value(Estimate::REFUSED).expect("JSON")["viewers"], serde_json::Value::Null);
}

#[test]
fn what_may_be_nobody_or_most_is_refused() {
    // A day that is sampled one in a hundred may hide 380 viewers, over half of those 510.
    let hidden = [(1.0, 300, 0), (0.01, 2, 0)];
    assert_eq!(Estimate::of(&strata(&hidden)), Estimate::REFUSED);
    let known = [(1.0, 300, 0), (0.01, 20, 0)];
    let estimate = Estimate::of(&strata(&known));
    assert_eq!((estimate.viewers, estimate.low, estimate.of), (Some(0), Some(0), Some(2_300)));
    assert_eq!(estimate.high, Some(381));
}

#[test]
fn overlaps_count_from_one_video_to_all() {
    let span = Span { regions: vec!["GLOBAL".into()], from: None, to: None, epochs: Vec::new() };
    let told = overlap(vec!["a".into(), "b".into()], span, &[strata(&[(1.0, 5, 3)]), strata(&[(1.0, 5, 2)])]);
    let told = serde_json::to_value(told).expect("JSON");
    assert_eq!(told["sampled"], 5);
    assert_eq!((&told["watched"][0]["videos"], &told["watched"][0]["viewers"]), (&1.into(), &3.into()));
    assert_eq!((&told["watched"][1]["videos"], &told["watched"][1]["share"]), (&2.into(), &0.4.into()));
}
