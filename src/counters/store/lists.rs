//! Who counted, and what a member counted, newest first, a page at a time.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;
use scoped_futures::ScopedFutureExt;

use super::{instant, sql, unpack};
use crate::{
    counters::{
        block::{MIN_RECORDS, NOBODY},
        kinds::{Kind, KindId, Mode},
    },
    postgres::{Store, StoreError, query},
};

/// Blocks of a member looked at in one go.
const MEMBER_BLOCKS: i64 = 32;

/// A record of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub seq: i64,
    pub member_id: String,
    pub at: DateTime<Utc>,
}

/// A counter's newest records and its total, from one snapshot.
#[derive(Debug, Default)]
pub struct Page {
    pub total: i64,
    /// The records, newest first.
    pub records: Vec<Listed>,
}

/// The record behind which a page of a member's records begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub at: DateTime<Utc>,
    pub counter: i64,
    pub seq: i64,
}

/// A record of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The place behind which the next page begins.
    pub cursor: Cursor,
    pub object_type: String,
    pub object_id: String,
    pub kind: KindId,
    /// The change of the total.
    pub delta: i32,
}

impl Store {
    /// The newest `limit` records of a counter before `before`.
    pub async fn counter_records(
        &self,
        object_type: &str,
        object_id: &str,
        kind: &Kind,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let before = before.unwrap_or(i64::MAX);
        self.run_read(sql::PREPARE_READS, |tx| {
            async move {
                let found = query(
                    tx,
                    sql::READ_TOTALS,
                    &[&[object_type].as_slice(), &[object_id].as_slice(), &[kind.id].as_slice()],
                )
                .await?;
                let Some(row) = found.first() else {
                    return Ok(Page::default());
                };
                let records = records(tx, row.try_get("counter")?, kind.mode, before, limit).await?;
                Ok(Page { total: row.try_get("total")?, records })
            }
            .scope_boxed()
        })
        .await
    }

    /// The newest `limit` records of a member behind `before`; none if nobody of this name ever counted.
    pub async fn member_records(
        &self,
        member_id: &str,
        kind: Option<KindId>,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Done>, StoreError> {
        let newest =
            Cursor { at: instant(i64::from(i32::MAX) * 1_000_000), counter: i64::MAX, seq: i64::MAX };
        let before = before.unwrap_or(newest);
        self.run_read(sql::PREPARE_READS, |tx| {
            async move {
                let rows = query(tx, sql::READ_MEMBER, &[&member_id]).await?;
                match rows.first() {
                    None => Ok(Vec::new()),
                    Some(row) => done(tx, row.try_get("member")?, kind, before, limit).await,
                }
            }
            .scope_boxed()
        })
        .await
    }
}

async fn records(
    tx: &Transaction<'_>,
    counter: i64,
    mode: Mode,
    before: i64,
    limit: usize,
) -> Result<Vec<Listed>, StoreError> {
    let mut listed = Vec::with_capacity(limit);
    let statement = if mode == Mode::Set { sql::READ_NEWEST_MARKS } else { sql::READ_NEWEST_EVENTS };
    for row in query(tx, statement, &[&counter, &before, &(limit as i64)]).await? {
        let (seq, member_id) = (row.try_get("seq")?, row.try_get("member_id")?);
        listed.push(Listed { seq, member_id, at: row.try_get("at")? });
    }
    // Packed records are older than all others of their counter.
    let mut before = before;
    while mode == Mode::Count && listed.len() < limit {
        let blocks = (limit - listed.len()).div_ceil(MIN_RECORDS) as i64 + 1;
        let rows = query(tx, sql::READ_NEWEST_BLOCKS, &[&counter, &before, &blocks]).await?;
        let mut found = Vec::new();
        for row in &rows {
            let first_seq: i64 = row.try_get("first_seq")?;
            let records = unpack(row)?;
            let newest_first = (first_seq..).zip(records).collect::<Vec<_>>().into_iter().rev();
            found.extend(newest_first.filter(|(seq, record)| *seq < before && record.member != NOBODY));
            before = first_seq;
        }
        let names = names(tx, found.iter().map(|(_, record)| record.member)).await?;
        for (seq, record) in found {
            if let Some(member_id) = names.get(&record.member)
                && listed.len() < limit
            {
                listed.push(Listed { seq, member_id: member_id.clone(), at: instant(record.at_ms) });
            }
        }
        if (rows.len() as i64) < blocks {
            break;
        }
    }
    Ok(listed)
}

async fn names(
    tx: &Transaction<'_>,
    members: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, String>, StoreError> {
    let members = Vec::from_iter(members.collect::<HashSet<i64>>());
    if members.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = query(tx, sql::READ_MEMBER_NAMES, &[&members]).await?;
    rows.iter().map(|row| Ok((row.try_get("member")?, row.try_get("member_id")?))).collect()
}

async fn done(
    tx: &Transaction<'_>,
    member: i64,
    kind: Option<KindId>,
    before: Cursor,
    limit: usize,
) -> Result<Vec<Done>, StoreError> {
    let mut found = Vec::new();
    for statement in [sql::READ_DONE_MARKS, sql::READ_DONE_EVENTS] {
        let Cursor { at, counter, seq } = before;
        for row in query(tx, statement, &[&member, &kind, &at, &counter, &seq, &(limit as i64)]).await? {
            let cursor =
                Cursor { at: row.try_get("at")?, counter: row.try_get("counter")?, seq: row.try_get("seq")? };
            found.push(Done {
                cursor,
                object_type: row.try_get("object_type")?,
                object_id: row.try_get("object_id")?,
                kind: row.try_get("kind")?,
                delta: row.try_get("delta")?,
            });
        }
    }
    let mut skip = 0;
    loop {
        found.sort_unstable_by_key(|done| Reverse(done.cursor));
        found.truncate(limit);
        let rows =
            query(tx, sql::READ_DONE_BLOCKS, &[&member, &kind, &before.at, &skip, &MEMBER_BLOCKS]).await?;
        // A page that is full already has no place for anything older than its oldest record.
        let oldest = found.get(limit - 1).map(|oldest| oldest.cursor.at);
        for row in &rows {
            let last_at: DateTime<Utc> = row.try_get("last_at")?;
            if oldest.is_some_and(|oldest| oldest > last_at) {
                break;
            }
            let (first_seq, counter): (i64, i64) = (row.try_get("first_seq")?, row.try_get("counter")?);
            for (seq, record) in (first_seq..).zip(unpack(row)?) {
                let cursor = Cursor { at: instant(record.at_ms), counter, seq };
                if record.member == member && cursor < before {
                    found.push(Done {
                        cursor,
                        object_type: row.try_get("object_type")?,
                        object_id: row.try_get("object_id")?,
                        kind: row.try_get("kind")?,
                        delta: record.delta,
                    });
                }
            }
        }
        found.sort_unstable_by_key(|done| Reverse(done.cursor));
        found.truncate(limit);
        let last_at: Option<DateTime<Utc>> = rows.last().map(|row| row.try_get("last_at")).transpose()?;
        let settled = found.len() == limit
            && found.last().zip(last_at).is_none_or(|(oldest, last_at)| oldest.cursor.at > last_at);
        if (rows.len() as i64) < MEMBER_BLOCKS || settled {
            return Ok(found);
        }
        skip += MEMBER_BLOCKS;
    }
}
