//! Tells what `heatstrip doctor` finds on a Citus cluster.

use std::collections::BTreeSet;

use super::{Finding, fail, ok, warn};
use crate::postgres::citus::Cluster;

/// Judges a cluster by its worst fault.
pub(super) fn judge(cluster: &Cluster) -> Finding {
    let Cluster { nodes, undistributed, maintained, bytes } = cluster;
    let silent: Vec<&str> =
        nodes.iter().filter(|node| node.state.is_none()).map(|node| node.name.as_str()).collect();
    let answering = nodes.len() - silent.len();
    let seen = format!("{answering} of {} nodes answer, {} MiB on them", nodes.len(), bytes >> 20);
    if !silent.is_empty() {
        return fail(
            "cluster",
            format!("{seen}; not {}", silent.join(", ")),
            "start it: until then its videos are answered 503 and heartbeats wait in the queue; nothing is lost",
        );
    }
    let versions: BTreeSet<(&str, &str)> = nodes
        .iter()
        .flat_map(|node| &node.state)
        .map(|state| (state.citus.as_str(), state.hll.as_str()))
        .collect();
    if versions.len() > 1 {
        let versions: Vec<String> =
            versions.iter().map(|(citus, hll)| format!("Citus {citus} with hll {hll}")).collect();
        return fail(
            "cluster",
            format!("the nodes have {}", versions.join(" and ")),
            "install one version of each, and run ALTER EXTENSION citus UPDATE and ALTER EXTENSION hll UPDATE on each",
        );
    }
    if !maintained {
        return fail(
            "cluster",
            "the maintenance daemon of Citus does not run: what a crash leaves prepared is not ended",
            "raise max_worker_processes and restart the coordinator",
        );
    }
    if !undistributed.is_empty() {
        return warn(
            "cluster",
            format!("{} are not distributed yet", undistributed.join(", ")),
            "run `heatstrip migrate --citus` while no other process of heatstrip runs",
        );
    }
    let versions: Vec<String> =
        versions.iter().map(|(citus, hll)| format!("Citus {citus}, hll {hll}")).collect();
    ok("cluster", format!("{seen} ({})", versions.join("")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::Level,
        postgres::citus::{Node, NodeState},
    };

    fn cluster() -> Cluster {
        let node = |name: &str| Node {
            name: name.to_owned(),
            is_coordinator: name == "c:5432",
            active: true,
            has_shards: name != "c:5432",
            state: Some(NodeState {
                max_prepared_transactions: 64,
                hll: "2.17".into(),
                citus: "13.2-1".into(),
            }),
        };
        Cluster {
            nodes: vec![node("c:5432"), node("w:5432")],
            undistributed: Vec::new(),
            maintained: true,
            bytes: 3 << 20,
        }
    }

    #[test]
    fn each_fault_is_told_with_what_to_do() {
        assert_eq!(
            judge(&cluster()),
            ok("cluster", "2 of 2 nodes answer, 3 MiB on them (Citus 13.2-1, hll 2.17)")
        );
        let mut lost = cluster();
        lost.nodes[1].state = None;
        let mut mixed = cluster();
        mixed.nodes[1].state =
            Some(NodeState { max_prepared_transactions: 64, hll: "2.16".into(), citus: "13.2-1".into() });
        let unmaintained = Cluster { maintained: false, ..cluster() };
        let half = Cluster { undistributed: vec!["trending".into()], ..cluster() };
        for (cluster, level, says) in [
            (lost, Level::Fail, "1 of 2 nodes answer"),
            (mixed, Level::Fail, "hll 2.16 and Citus"),
            (unmaintained, Level::Fail, "maintenance daemon"),
            (half, Level::Warn, "trending"),
        ] {
            let finding = judge(&cluster);
            assert!(
                finding.level == level && finding.seen.contains(says) && finding.advice.is_some(),
                "{finding}"
            );
        }
    }
}
