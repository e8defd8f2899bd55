//! `GET /v1/videos/{video_id}/views` with `from`, `to` or `region`.

use std::sync::Arc;

use super::State;
use crate::{
    answers::cache::{Answer, Made},
    postgres::StoreError,
    views::{answer::range_views, store::ranges::RangeQuery},
};

/// Returns views and viewers of a range, from the cache or made now.
pub async fn answer(app: &State, asked: RangeQuery) -> Result<Arc<Answer>, Arc<StoreError>> {
    let store = app.store.clone();
    app.answers
        .get(format!("views in {asked:?}"), async move {
            let totals = store.view_range(&asked).await?;
            let mut views = range_views(asked, totals);
            Ok(Made {
                content_type: "application/json",
                empty: views.views == 0,
                render: Box::new(move |at| {
                    views.generated_at = at;
                    serde_json::to_vec(&views).expect("answers are plain values with string keys")
                }),
            })
        })
        .await
}
