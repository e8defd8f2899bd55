//! Turns the elements of a body into hashed heartbeats and views by lane.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use chrono::NaiveDate;

use crate::{
    catalogue::durations::{Durations, is_within},
    events::{
        hashed::{HashedHeartbeat, HashedHeartbeats, HashedView},
        heartbeat::{self, Arrival, Heartbeat},
        lane::lane,
        refusal::{CutList, MAX_LISTED, Reason, Refusal, Rejection},
        view::{self, View},
    },
    queue::batch_ids::Accepted,
    viewers::{
        epoch::Purpose,
        hash::viewer_hash_in,
        salt::{DaySalt, SaltError, Salts},
    },
};

/// The elements of a body become these: the accepted ones, hashed and by lane, and the refused ones.
#[derive(Debug, Default)]
pub struct Hashed {
    /// What the accepted elements put into the queue.
    pub lanes: BTreeMap<u16, HashedHeartbeats>,
    /// How many elements are accepted; a heartbeat with a view is one.
    pub accepted: usize,
    /// The refused elements, by index.
    pub rejected: Vec<Rejection>,
}

impl Hashed {
    /// Returns the answer that the sender gets, and gets again if it asks again.
    pub fn answer(&self) -> Accepted {
        let listed = &self.rejected[..self.rejected.len().min(MAX_LISTED)];
        let rejected = if listed.len() == self.rejected.len() {
            serde_json::to_string(listed)
        } else {
            serde_json::to_string(&CutList { listed, total: self.rejected.len() })
        };
        Accepted { accepted: self.accepted, rejected: rejected.expect("rejections are plain values") }
    }

    fn note(&mut self, index: usize, outcome: Result<(), Refusal>) {
        match outcome {
            Ok(()) => self.accepted += 1,
            Err(Refusal { field, reason }) => self.rejected.push(Rejection { index, field, reason }),
        }
    }
}

/// The elements of a body, read one by one and bounded; nothing has been looked up for them yet.
pub type Parsed<T> = Vec<Result<T, Refusal>>;

/// Reads each element as a heartbeat on its own.
pub fn parse<'a>(elements: impl Iterator<Item = &'a str>, arrival: &Arrival) -> Parsed<Heartbeat<'a>> {
    elements.map(|element| heartbeat::parse(element, arrival)).collect()
}

/// Reads each element as a view on its own.
pub fn parse_views<'a>(elements: impl Iterator<Item = &'a str>, arrival: &Arrival) -> Parsed<View<'a>> {
    elements.map(|element| view::parse(element, arrival)).collect()
}

/// Bounds each heartbeat by what the catalogue knows of its video, and hashes its viewer with its day's salt; one that is also
/// a view is hashed a second time, with views' salt. The catalogue is asked once for all of them.
pub async fn hash(
    parsed: Parsed<Heartbeat<'_>>,
    arrival: &Arrival,
    salts: &Salts,
    durations: &Durations,
    lanes: u16,
) -> Result<Hashed, SaltError> {
    let durations = durations.of(parsed.iter().flatten().map(|heartbeat| &*heartbeat.video_id)).await?;
    hash_within(parsed, arrival, salts, &durations, lanes).await
}

/// Hashes as [`hash`] does, where the durations are known.
pub async fn hash_within(
    parsed: Parsed<Heartbeat<'_>>,
    arrival: &Arrival,
    salts: &Salts,
    durations: &HashMap<String, f64>,
    lanes: u16,
) -> Result<Hashed, SaltError> {
    let mut hashed = Hashed::default();
    let mut days = Days { arrival, salts, known: HashMap::new() };
    for (index, heartbeat) in parsed.into_iter().enumerate() {
        let outcome = match heartbeat.and_then(|heartbeat| within(heartbeat, durations)) {
            Ok(heartbeat) => heartbeat_salts(&mut days, &heartbeat).await?.map(|(salt, views_salt)| {
                let lane = hashed.lanes.entry(lane(&heartbeat.video_id, lanes)).or_default();
                push(lane, &heartbeat, arrival.namespace(), &salt);
                if let Some(salt) = views_salt {
                    let Heartbeat { video_id, region, at, viewer_id, .. } = heartbeat;
                    let view = View { video_id, region, at, viewer_id };
                    push_view(lane, &view, arrival.namespace(), &salt);
                }
            }),
            Err(refusal) => Err(refusal),
        };
        hashed.note(index, outcome);
    }
    Ok(hashed)
}

/// Hashes the viewer of each view with views' salt of its day.
pub async fn hash_views(
    parsed: Parsed<View<'_>>,
    arrival: &Arrival,
    salts: &Salts,
    lanes: u16,
) -> Result<Hashed, SaltError> {
    let mut hashed = Hashed::default();
    let mut days = Days { arrival, salts, known: HashMap::new() };
    for (index, view) in parsed.into_iter().enumerate() {
        let outcome = match view {
            Ok(view) => days
                .salt(Purpose::Views, view.at.date_naive())
                .await?
                .map_err(|reason| Refusal { field: Some("at"), reason })
                .map(|salt| {
                    let lane = hashed.lanes.entry(lane(&view.video_id, lanes)).or_default();
                    push_view(lane, &view, arrival.namespace(), &salt);
                }),
            Err(refusal) => Err(refusal),
        };
        hashed.note(index, outcome);
    }
    Ok(hashed)
}

/// The salts of the days of one body.
struct Days<'a> {
    arrival: &'a Arrival,
    salts: &'a Salts,
    known: HashMap<(Purpose, NaiveDate), Result<DaySalt, Reason>>,
}

impl Days<'_> {
    /// Returns the salt of a day, or why nothing can be hashed for it any more.
    async fn salt(&mut self, purpose: Purpose, day: NaiveDate) -> Result<Result<DaySalt, Reason>, SaltError> {
        match self.known.entry((purpose, day)) {
            Entry::Occupied(entry) => Ok(entry.get().clone()),
            Entry::Vacant(entry) => {
                let salt = match self.salts.day_salt(purpose, day).await {
                    Ok(salt) => Ok(salt),
                    Err(SaltError::Destroyed(_) | SaltError::NotKept(_)) => Err(Reason::TooOld),
                    // The setting has changed since: nobody here will ever know that day's salt, and one heartbeat
                    // must not hold up the others of its batch. A replay stops and says so.
                    Err(SaltError::OtherSalt { .. })
                        if self.arrival.max_age.is_some() && day < self.arrival.now.date_naive() =>
                    {
                        Err(Reason::TooOld)
                    }
                    Err(error) => return Err(error),
                };
                Ok(entry.insert(salt).clone())
            }
        }
    }
}

/// Returns the salt of a heartbeat, and views' if it is also a view.
async fn heartbeat_salts(
    days: &mut Days<'_>,
    heartbeat: &Heartbeat<'_>,
) -> Result<Result<(DaySalt, Option<DaySalt>), Refusal>, SaltError> {
    let salt = match days.salt(Purpose::Heartbeats, heartbeat.captured_on).await? {
        Ok(salt) => salt,
        Err(reason) => return Ok(Err(Refusal { field: Some("at"), reason })),
    };
    if !heartbeat.view {
        return Ok(Ok((salt, None)));
    }
    // Only a replay meets a day whose views' salt is destroyed and whose heartbeats' is not: it is told, and may send the
    // heartbeat without the view.
    Ok(match days.salt(Purpose::Views, heartbeat.captured_on).await? {
        Ok(views_salt) => Ok((salt, Some(views_salt))),
        Err(reason) => Err(Refusal { field: Some("view"), reason }),
    })
}

/// Refuses a heartbeat that ends after its video does, whatever duration it claims itself.
fn within<'a>(heartbeat: Heartbeat<'a>, durations: &HashMap<String, f64>) -> Result<Heartbeat<'a>, Refusal> {
    match durations.get(&*heartbeat.video_id) {
        Some(&duration) if !is_within(heartbeat.end_sec, duration) => {
            Err(Refusal { field: Some("end_sec"), reason: Reason::OutOfRange })
        }
        _ => Ok(heartbeat),
    }
}

fn push(lane: &mut HashedHeartbeats, heartbeat: &Heartbeat<'_>, namespace: Option<&str>, salt: &DaySalt) {
    lane.push(&HashedHeartbeat {
        video_id: &heartbeat.video_id,
        region: heartbeat.region.as_str(),
        captured_on: heartbeat.captured_on,
        start_sec: heartbeat.start_sec,
        end_sec: heartbeat.end_sec,
        viewer_hash: viewer_hash_in(namespace, &heartbeat.viewer_id, &salt.salt),
    });
}

fn push_view(lane: &mut HashedHeartbeats, view: &View<'_>, namespace: Option<&str>, salt: &DaySalt) {
    lane.push_view(&HashedView {
        video_id: &view.video_id,
        region: view.region.as_str(),
        epoch: salt.first_day,
        at: view.at,
        viewer: viewer_hash_in(namespace, &view.viewer_id, &salt.salt),
    });
}
