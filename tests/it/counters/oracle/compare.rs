//! What the database and its API say, beside what the clients know.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::clients::{Counter, Model};
use crate::support::heatstrip;

/// Member, object, kind and seq.
type Record = (String, String, String, i64);

/// Everything that is not as the models have it.
pub async fn differences(database_url: &str, url: &str, models: &[Model]) -> Vec<String> {
    let mut found: Vec<String> = models.iter().flat_map(|model| model.surprises.clone()).collect();
    let (mut totals, mut records) = (BTreeMap::<Counter, i64>::new(), BTreeSet::<Record>::new());
    for model in models {
        for (name, member) in &model.members {
            let record =
                |counter: &Counter, seq: i64| (name.clone(), counter.0.clone(), counter.1.to_owned(), seq);
            for (counter, seq) in &member.marks {
                *totals.entry(counter.clone()).or_default() += 1;
                records.insert(record(counter, *seq));
            }
            for (counter, seq, delta) in &member.events {
                *totals.entry(counter.clone()).or_default() += delta;
                records.insert(record(counter, *seq));
            }
        }
    }
    let mut given = BTreeMap::<Counter, Vec<i64>>::new();
    for (counter, seq) in models.iter().flat_map(|model| &model.given) {
        given.entry(counter.clone()).or_default().push(*seq);
    }
    let client = reqwest::Client::new();
    let mut listed = BTreeSet::new();
    for ((object, kind), mut seqs) in given {
        // Dense when given: each once, none left out.
        seqs.sort_unstable();
        if seqs != Vec::from_iter(1..=seqs.len() as i64) {
            found.push(format!("{object} {kind}: seqs are not dense"));
        }
        let mut before = String::new();
        loop {
            let path = format!("{url}/v1/counts/video/{object}/{kind}/members?limit=100{before}");
            let page: Value = client.get(path).send().await.expect("an answer").json().await.expect("JSON");
            let total = totals.get(&(object.clone(), kind)).copied().unwrap_or(0);
            if page["total"] != total {
                found.push(format!("{object} {kind}: the total is {}, not {total}", page["total"]));
            }
            for record in page["members"].as_array().expect("a list") {
                let member = record["member_id"].as_str().expect("a name").to_owned();
                let seq = record["seq"].as_i64().expect("a seq");
                if !listed.insert((member, object.clone(), kind.to_owned(), seq)) {
                    found.push(format!("{object} {kind}: {seq} is listed twice"));
                }
            }
            let Some(next) = page["before"].as_i64() else { break };
            before = format!("&before={next}");
        }
    }
    if listed != records {
        let (more, less) = (listed.difference(&records).count(), records.difference(&listed).count());
        found.push(format!("lists have {more} records too many and {less} too few"));
    }
    did(&client, url, models, &mut found).await;
    let mut reconcile = heatstrip(&["reconcile"]);
    let output = reconcile.env("DATABASE_URL", database_url).output().await.expect("the binary");
    if !output.status.success() {
        found.push(format!("drift: {}", String::from_utf8_lossy(&output.stderr)));
    }
    found
}

/// What each member did, asked from both sides.
async fn did(client: &reqwest::Client, url: &str, models: &[Model], found: &mut Vec<String>) {
    let objects: Vec<String> = (0..12).map(|object| format!("object=video:o{object}")).collect();
    for (name, member) in models.iter().flat_map(|model| &model.members) {
        let expected: BTreeSet<Counter> = member
            .marks
            .keys()
            .cloned()
            .chain(member.events.iter().map(|(counter, ..)| counter.clone()))
            .collect();
        let path = format!("{url}/v1/counts?{}&member_id={name}", objects.join("&"));
        let answer: Value = client.get(path).send().await.expect("an answer").json().await.expect("JSON");
        let mut says = BTreeSet::new();
        for object in answer["objects"].as_array().expect("objects") {
            for count in object["counts"].as_array().expect("counts") {
                if count["did"] == true {
                    let text = |value: &Value| value.as_str().expect("text").to_owned();
                    says.insert((text(&object["object_id"]), text(&count["kind"])));
                }
            }
        }
        let expected: BTreeSet<_> =
            expected.into_iter().map(|(object, kind)| (object, kind.to_owned())).collect();
        if says != expected {
            found.push(format!("{name} did {says:?}, not {expected:?}"));
        }
        let (mut seqs, mut before) = (0, String::new());
        loop {
            let path = format!("{url}/v1/members/{name}/counts?limit=100{before}");
            let page: Value = client.get(path).send().await.expect("an answer").json().await.expect("JSON");
            seqs += page["counts"].as_array().expect("a list").len();
            let Some(next) = page["before"].as_str() else { break };
            before = format!("&before={next}");
        }
        let records = member.marks.len() + member.events.len();
        if seqs != records {
            found.push(format!("{name}: {seqs} records are listed, not {records}"));
        }
    }
}
