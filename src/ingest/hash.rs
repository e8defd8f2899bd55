//! Turns the elements of a body into hashed heartbeats by lane.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use chrono::NaiveDate;

use crate::{
    events::{
        hashed::{HashedHeartbeat, HashedHeartbeats},
        heartbeat::{self, Arrival, Heartbeat},
        lane::lane,
        refusal::{Reason, Refusal, Rejection},
    },
    queue::batch_ids::Accepted,
    viewers::{
        hash::{Salt, viewer_hash},
        salt::{SaltError, Salts},
    },
};

/// The heartbeats of a body become these: the accepted ones, hashed and by lane, and the refused ones.
#[derive(Debug, Default)]
pub struct Hashed {
    /// The accepted heartbeats.
    pub lanes: BTreeMap<u16, HashedHeartbeats>,
    /// How many are accepted.
    pub accepted: usize,
    /// The refused heartbeats, by index.
    pub rejected: Vec<Rejection>,
}

impl Hashed {
    /// Returns the answer that the sender gets, and gets again if it asks again.
    pub fn answer(&self) -> Accepted {
        let rejected = serde_json::to_string(&self.rejected).expect("rejections are plain values");
        Accepted { accepted: self.accepted, rejected }
    }
}

/// Parses each element on its own and hashes its viewer with its day's salt.
pub async fn hash<'a>(
    elements: impl Iterator<Item = &'a str>,
    arrival: &Arrival,
    salts: &Salts,
    lanes: u16,
) -> Result<Hashed, SaltError> {
    let mut hashed = Hashed::default();
    let mut salts_by_day: HashMap<NaiveDate, Result<Salt, Reason>> = HashMap::new();
    for (index, element) in elements.enumerate() {
        let outcome = match heartbeat::parse(element, arrival) {
            Ok(heartbeat) => {
                let day = heartbeat.captured_on;
                if let Entry::Vacant(entry) = salts_by_day.entry(day) {
                    entry.insert(match salts.salt(day).await {
                        Ok(salt) => Ok(salt),
                        Err(SaltError::Destroyed(_) | SaltError::NotKept(_)) => Err(Reason::TooOld),
                        // The setting has changed since: nobody here will ever know that day's salt, and one heartbeat
                        // must not hold up the others of its batch. A replay stops and says so.
                        Err(SaltError::OtherSalt { .. })
                            if arrival.max_age.is_some() && day < arrival.now.date_naive() =>
                        {
                            Err(Reason::TooOld)
                        }
                        Err(error) => return Err(error),
                    });
                }
                match &salts_by_day[&day] {
                    Ok(salt) => Ok((heartbeat, salt)),
                    Err(reason) => Err(Refusal { field: Some("at"), reason: *reason }),
                }
            }
            Err(refusal) => Err(refusal),
        };
        match outcome {
            Ok((heartbeat, salt)) => {
                hashed.accepted += 1;
                push(hashed.lanes.entry(lane(&heartbeat.video_id, lanes)).or_default(), &heartbeat, salt);
            }
            Err(Refusal { field, reason }) => hashed.rejected.push(Rejection { index, field, reason }),
        }
    }
    Ok(hashed)
}

fn push(lane: &mut HashedHeartbeats, heartbeat: &Heartbeat<'_>, salt: &Salt) {
    lane.push(&HashedHeartbeat {
        video_id: &heartbeat.video_id,
        region: heartbeat.region.as_str(),
        captured_on: heartbeat.captured_on,
        start_sec: heartbeat.start_sec,
        end_sec: heartbeat.end_sec,
        viewer_hash: viewer_hash(&heartbeat.viewer_id, salt),
    });
}
