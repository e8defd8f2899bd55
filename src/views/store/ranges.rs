//! The read of a range of days: months and days united by epoch, estimated last.

use std::pin::pin;

use chrono::NaiveDate;
use futures_util::TryStreamExt;
use scoped_futures::ScopedFutureExt;

use super::{rule, sql};
use crate::{
    postgres::{Store, StoreError, Transaction, kept_days, query, query_stream, sketches::Sketch},
    sketch::Union,
    viewers::{
        epoch::{Purpose, Rotation},
        store::epochs_of,
    },
    views::{
        pieces::{Pieces, Span, pieces},
        rule::Rule,
    },
};

/// A range as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RangeQuery {
    pub video_id: String,
    pub regions: Vec<String>,
    /// The first day; left out: the first the video was viewed on.
    pub from: Option<NaiveDate>,
    /// The last day; left out: the last the video was viewed on.
    pub to: Option<NaiveDate>,
}

/// What was counted in a range.
#[derive(Debug, Clone)]
pub struct RangeTotals {
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub views: u64,
    /// The estimates of the epochs, added.
    pub viewers: u64,
    /// True if every epoch's union is a list of its viewers.
    pub counted: bool,
    /// True if rows of the video became another viewer's: its sketches still hold both.
    pub merged: bool,
    /// How the epochs were opened that the range touches.
    pub epochs: Vec<Rotation>,
    pub pieces: Pieces,
    pub rule: Rule,
}

impl Store {
    /// Returns views and viewers of a range of days, in one snapshot.
    pub async fn view_range(&self, asked: &RangeQuery) -> Result<RangeTotals, StoreError> {
        self.run_read(sql::PREPARE_VIEW_READS, |tx| async move { read(tx, asked).await }.scope_boxed()).await
    }
}

async fn read(tx: &Transaction<'_>, asked: &RangeQuery) -> Result<RangeTotals, StoreError> {
    let kept_from = kept_days::read(tx).await?.kept_from;
    let mut totals = RangeTotals {
        from: asked.from,
        to: asked.to,
        views: 0,
        viewers: 0,
        counted: true,
        merged: false,
        epochs: Vec::new(),
        pieces: Pieces::default(),
        rule: rule::read(tx).await?,
    };
    let days = query(tx, sql::READ_VIEW_DAYS, &[&asked.video_id, &kept_from]).await?;
    let (first, last): (Option<NaiveDate>, Option<NaiveDate>) =
        (days[0].try_get("first_day")?, days[0].try_get("last_day")?);
    totals.from = totals.from.or(first);
    totals.to = totals.to.or(last);
    let (Some(first), Some(last), Some(from), Some(to)) = (first, last, totals.from, totals.to) else {
        return Ok(totals);
    };
    (_, totals.epochs) = epochs_of(tx, Purpose::Views, from, to).await?;
    totals.pieces = pieces(Span { from, to }, Span { from: first, to: last }, kept_from);
    let row = query(tx, sql::READ_VIEW_TOTALS, &[&vec![&asked.video_id]]).await?;
    for row in &row {
        totals.merged = row.try_get::<_, i64>("merged_viewers")? > 0;
    }
    unite(tx, asked, &mut totals).await?;
    Ok(totals)
}

async fn unite(tx: &Transaction<'_>, asked: &RangeQuery, totals: &mut RangeTotals) -> Result<(), StoreError> {
    let RangeQuery { video_id, regions, .. } = asked;
    let Pieces { months, days } = &totals.pieces;
    let mut rows = pin!(query_stream(tx, sql::READ_PIECES, &[video_id, regions, months, days]).await?);
    let (mut open, mut union) = (None, Union::default());
    let (mut views, mut viewers, mut counted) = (0, 0, true);
    while let Some(row) = rows.try_next().await? {
        let epoch: NaiveDate = row.try_get("epoch")?;
        if open != Some(epoch) {
            // The viewers of two salt epochs are never united: their estimates are added.
            viewers += union.cardinality();
            counted &= union.is_exact();
            union.clear();
            open = Some(epoch);
        }
        views += row.try_get::<_, i64>("views")? as u64;
        union.add(row.try_get::<_, Sketch<'_>>("viewers")?.0)?;
    }
    totals.views = views;
    totals.viewers = viewers + union.cardinality();
    totals.counted = counted && union.is_exact();
    Ok(())
}
