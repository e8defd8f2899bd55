//! A group of elements in one transaction: rows locked first, each group one update a counter.
//!
//! Whoever changes counters takes locks in this order, each sort sorted: counters, then members, then ids. New objects and
//! counters are made and committed before, by a transaction that holds nothing else; so nobody waits in a circle.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use deadpool_postgres::Transaction;
use futures_util::future::{try_join, try_join3, try_join4};
use scoped_futures::ScopedFutureExt;
use uuid::Uuid;

use super::sql;
use crate::{
    counters::{
        apply::{Changes, Counter, Known, Ledger, Mark, Outcome, Overflow, Resolved},
        element::{CounterName, Element},
        kinds::Mode,
    },
    postgres::{Store, StoreError, execute, query},
};

/// How often the counters of a group are made before it is given up: once is enough, unless somebody removes them.
const MAX_MAKINGS: usize = 3;

/// The distinct names of a group.
struct Names<'a> {
    counters: Vec<&'a CounterName>,
    members: Vec<&'a str>,
    ids: Vec<Uuid>,
}

/// The columns of counters' names, for statements.
struct Columns<'a> {
    object_types: Vec<&'a str>,
    object_ids: Vec<&'a str>,
    kinds: Vec<i16>,
}

impl<'a> Columns<'a> {
    fn of(counters: &[&'a CounterName]) -> Self {
        Columns {
            object_types: counters.iter().map(|name| name.object_type.as_str()).collect(),
            object_ids: counters.iter().map(|name| name.object_id.as_str()).collect(),
            kinds: counters.iter().map(|name| name.kind).collect(),
        }
    }
}

impl<'a> Names<'a> {
    fn of(elements: &'a [Element]) -> Self {
        let counters: BTreeSet<&CounterName> = elements.iter().map(|element| &element.counter).collect();
        let members: BTreeSet<&str> = elements.iter().map(|element| element.member_id.as_str()).collect();
        let ids: BTreeSet<Uuid> = elements.iter().filter_map(|element| Some(element.id?.id)).collect();
        Names {
            counters: Vec::from_iter(counters),
            members: Vec::from_iter(members),
            ids: Vec::from_iter(ids),
        }
    }
}

/// The rows that a group has locked; none if some of its counters are still to be made.
type Locked<'a> =
    Option<(HashMap<&'a CounterName, (i64, Counter)>, HashMap<String, i64>, HashMap<Uuid, Known>)>;

impl Store {
    /// Applies elements in their order, in one transaction, and answers each. Once COMMIT is sent nothing is tried again.
    pub async fn apply_counts(
        &self,
        elements: &[Element],
    ) -> Result<Vec<Result<Outcome, Overflow>>, StoreError> {
        let names = Arc::new(Names::of(elements));
        for _ in 0..MAX_MAKINGS {
            let applied = self
                .run_tx("apply_counts", |tx| {
                    let names = Arc::clone(&names);
                    async move { apply(tx, &names, elements).await }.scope_boxed()
                })
                .await?;
            match applied {
                Some(outcomes) => return Ok(outcomes),
                None => self.make_counters(&names.counters).await?,
            }
        }
        Err(StoreError::Conflict("counters vanish as they are made".to_owned()))
    }

    /// Makes those counters that are not there, each with a total of 0.
    pub(super) async fn make_counters(&self, counters: &[&CounterName]) -> Result<(), StoreError> {
        self.run_tx("make_counters", |tx| {
            async move {
                let columns = Columns::of(counters);
                tx.batch_execute(sql::PREPARE_NAMES).await?;
                execute(tx, sql::INSERT_OBJECTS, &[&columns.object_types, &columns.object_ids]).await?;
                let parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
                    &[&columns.object_types, &columns.object_ids, &columns.kinds];
                execute(tx, sql::INSERT_COUNTERS, parameters).await?;
                Ok(())
            }
            .scope_boxed()
        })
        .await
    }
}

/// Returns none, and does nothing, if some counters are still to be made.
async fn apply(
    tx: &Transaction<'_>,
    names: &Names<'_>,
    elements: &[Element],
) -> Result<Option<Vec<Result<Outcome, Overflow>>>, StoreError> {
    let Some((counters, mut members, known)) = lock(tx, names).await? else {
        return Ok(None);
    };
    add_members(tx, names, &mut members).await?;
    let resolved: Vec<Resolved<'_>> = elements
        .iter()
        .map(|element| Resolved {
            counter: counters[&element.counter].0,
            member: members[element.member_id.as_str()],
            element,
        })
        .collect();
    let marks = read_marks(tx, &resolved).await?;
    let mut ledger = Ledger::new(counters.into_values(), marks, known);
    let outcomes = resolved.into_iter().map(|resolved| ledger.apply(resolved)).collect();
    write(tx, &ledger.changes()).await?;
    Ok(Some(outcomes))
}

/// Locks counters, then members, then looks for ids: one flight to the server and back.
async fn lock<'a>(tx: &Transaction<'_>, names: &Names<'a>) -> Result<Locked<'a>, StoreError> {
    let columns = Columns::of(&names.counters);
    // Prepared one after the other, so that what follows is sent in this order: later locks must not be taken first.
    let lock_counters = tx.prepare_cached(sql::LOCK_COUNTERS).await?;
    let lock_members = tx.prepare_cached(sql::LOCK_MEMBERS).await?;
    let read_ids = tx.prepare_cached(sql::READ_IDS).await?;
    let ids = async {
        match names.ids.as_slice() {
            [] => Ok(Vec::new()),
            ids => tx.query(&read_ids, &[&ids]).await,
        }
    };
    let ((), counter_rows, member_rows, id_rows) = try_join4(
        tx.batch_execute(sql::PREPARE_WRITE),
        tx.query(&lock_counters, &[&columns.object_types, &columns.object_ids, &columns.kinds]),
        tx.query(&lock_members, &[&names.members]),
        ids,
    )
    .await?;
    if counter_rows.len() < names.counters.len() {
        return Ok(None);
    }
    let mut counters = HashMap::with_capacity(counter_rows.len());
    for row in counter_rows {
        let place: i64 = row.try_get("place")?;
        counters.insert(names.counters[place as usize - 1], (row.try_get("counter")?, counter(&row)?));
    }
    let member = |row: &tokio_postgres::Row| -> Result<_, StoreError> {
        Ok((row.try_get("member_id")?, row.try_get("member")?))
    };
    let members = member_rows.iter().map(member).collect::<Result<_, _>>()?;
    let known = |row: &tokio_postgres::Row| -> Result<_, StoreError> {
        let seq: i64 = row.try_get("seq")?;
        let known = Known { content: row.try_get("content")?, seq: (seq > 0).then_some(seq) };
        Ok((row.try_get("id")?, known))
    };
    let known = id_rows.iter().map(known).collect::<Result<_, _>>()?;
    Ok(Some((counters, members, known)))
}

/// A counter's row.
pub(super) fn counter(row: &tokio_postgres::Row) -> Result<Counter, StoreError> {
    Ok(Counter {
        total: row.try_get("total")?,
        last_seq: row.try_get("last_seq")?,
        packed_seq: row.try_get("packed_seq")?,
    })
}

/// Makes the members that are not there, or not any more.
async fn add_members(
    tx: &Transaction<'_>,
    names: &Names<'_>,
    members: &mut HashMap<String, i64>,
) -> Result<(), StoreError> {
    loop {
        let missing: Vec<&str> =
            names.members.iter().copied().filter(|member| !members.contains_key(*member)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        // A member whom somebody else made meanwhile is not returned here; the look behind finds and holds them.
        for statement in [sql::INSERT_MEMBERS, sql::LOCK_MEMBERS] {
            for row in query(tx, statement, &[&missing]).await? {
                members.insert(row.try_get("member_id")?, row.try_get("member")?);
            }
            if names.members.iter().all(|member| members.contains_key(*member)) {
                return Ok(());
            }
        }
    }
}

async fn read_marks(
    tx: &Transaction<'_>,
    resolved: &[Resolved<'_>],
) -> Result<Vec<((i64, i64), Mark)>, StoreError> {
    let pairs: BTreeSet<(i64, i64)> = resolved
        .iter()
        .filter(|resolved| resolved.element.mode == Mode::Set)
        .map(|resolved| (resolved.counter, resolved.member))
        .collect();
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let (counters, members): (Vec<i64>, Vec<i64>) = pairs.into_iter().unzip();
    let mark = |row: &tokio_postgres::Row| -> Result<_, StoreError> {
        let mark = Mark { seq: row.try_get("seq")?, at: row.try_get("at")? };
        Ok(((row.try_get("counter")?, row.try_get("member")?), mark))
    };
    query(tx, sql::READ_MARKS, &[&counters, &members]).await?.iter().map(mark).collect()
}

/// Writes what has changed, in two flights: the rows that go before those that come, and ids last.
async fn write(tx: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    if changes.counters.is_empty() && changes.ids.is_empty() {
        return Ok(());
    }
    let counters: Vec<i64> = changes.counters.iter().map(|(counter, _)| *counter).collect();
    let totals: Vec<i64> = changes.counters.iter().map(|(_, row)| row.total).collect();
    let last_seqs: Vec<i64> = changes.counters.iter().map(|(_, row)| row.last_seq).collect();
    let (off_counters, off_seqs): (Vec<i64>, Vec<i64>) = changes.unmarked.iter().copied().unzip();
    let unmark = async {
        match off_counters.is_empty() {
            true => Ok(0),
            false => execute(tx, sql::DELETE_MARKS, &[&off_counters, &off_seqs]).await,
        }
    };
    try_join(execute(tx, sql::UPDATE_COUNTERS, &[&counters, &totals, &last_seqs]), unmark).await?;
    try_join3(insert_marks(tx, changes), insert_events(tx, changes), remember(tx, changes)).await?;
    Ok(())
}

async fn insert_marks(tx: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    let marked = &changes.marked;
    if marked.is_empty() {
        return Ok(());
    }
    let counters: Vec<i64> = marked.iter().map(|((counter, _), _)| *counter).collect();
    let members: Vec<i64> = marked.iter().map(|((_, member), _)| *member).collect();
    let seqs: Vec<i64> = marked.iter().map(|(_, mark)| mark.seq).collect();
    let times: Vec<_> = marked.iter().map(|(_, mark)| mark.at).collect();
    execute(tx, sql::INSERT_MARKS, &[&counters, &seqs, &members, &times]).await?;
    Ok(())
}

async fn insert_events(tx: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    let events = &changes.events;
    if events.is_empty() {
        return Ok(());
    }
    let counters: Vec<i64> = events.iter().map(|event| event.counter).collect();
    let seqs: Vec<i64> = events.iter().map(|event| event.seq).collect();
    let members: Vec<i64> = events.iter().map(|event| event.member).collect();
    let times: Vec<_> = events.iter().map(|event| event.at).collect();
    let deltas: Vec<i32> = events.iter().map(|event| event.delta).collect();
    execute(tx, sql::INSERT_EVENTS, &[&counters, &seqs, &members, &times, &deltas]).await?;
    if !changes.packable.is_empty() {
        execute(tx, sql::QUEUE_PACKABLE, &[&changes.packable]).await?;
    }
    Ok(())
}

async fn remember(tx: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    if changes.ids.is_empty() {
        return Ok(());
    }
    let known: &BTreeMap<Uuid, Known> = &changes.ids;
    let ids: Vec<Uuid> = known.keys().copied().collect();
    let contents: Vec<i64> = known.values().map(|known| known.content).collect();
    let seqs: Vec<i64> = known.values().map(|known| known.seq.unwrap_or(0)).collect();
    query(tx, sql::REMEMBER_IDS, &[&ids, &contents, &seqs]).await?;
    Ok(())
}
