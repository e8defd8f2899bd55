//! `GET /v1/videos/{video_id}/heatmap` and `heatmap.svg`

use std::sync::Arc;

use axum::{
    Extension,
    extract::{self, Path, Query, rejection::PathRejection, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    State,
    openapi::{AnyStrip, FormatName},
};
use crate::{
    access::Caller,
    answers::{
        cache::{Answer, Made},
        http::cached,
    },
    events::region::GLOBAL,
    heatmap::{
        store::{ReadError, strips::StripQuery},
        strip::{
            formats::{Format, NAMED},
            strip,
            withheld::{self, Known},
        },
    },
    http::{
        error::{ApiError, Problem},
        parameters::{days, regions, video_id},
        problems::ReadProblems,
    },
};

/// Seconds a bucket, unless asked otherwise.
const DEFAULT_RESOLUTION: u32 = 5;
/// The longest bucket: an hour.
const MAX_RESOLUTION: u32 = 3600;

/// A picture runs nothing and asks nobody, also when it is opened by itself.
const PICTURE_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");

/// The parameters of a strip and of its picture.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// `GLOBAL` (the default), one region, or several with commas: their union.
    #[param(required = false, value_type = String, example = "JP,KR")]
    region: Option<String>,
    /// Seconds a bucket.
    #[param(required = false, value_type = u32, minimum = 1, maximum = 3600, default = 5)]
    resolution: Option<String>,
    /// First UTC day; left out: the first the video was watched on.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-15")]
    from: Option<String>,
    /// Last UTC day, inclusive; left out: the last the video was watched on.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-21")]
    to: Option<String>,
}

/// The parameter that a strip has beside those of its picture.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FormatParameter {
    /// `json` (the default): the whole answer, an object a bucket. `columns`: the same with an array a field. `csv`: the
    /// buckets as a table. `ytdlp`: the `heatmap` list of yt-dlp. `peertube`: PeerTube's retention, always by the second.
    #[param(required = false, inline, value_type = FormatName)]
    format: Option<String>,
}

/// The heatmap strip of a video: its buckets, dense from 0 to the last watched one.
#[utoipa::path(
    get,
    path = "/v1/videos/{video_id}/heatmap",
    operation_id = "heatmap",
    tag = "strips",
    params(
        ("video_id" = String, Path, description = "The video.", min_length = 1, max_length = 128, example = "yt_abc123"),
        Parameters,
        FormatParameter,
    ),
    responses(
        (
            status = 200,
            description = "The strip. One that nobody watched has no buckets.",
            content((AnyStrip = "application/json"), (String = "text/csv")),
            headers(
                ("etag" = String, description = "Weak, over everything but `generated_at`."),
                ("cache-control" = String, description = "Public, for what is left of the strip's life in the cache."),
            ),
        ),
        (
            status = 304,
            description = "What `If-None-Match` names is still the answer.",
            headers(("etag" = String), ("cache-control" = String)),
        ),
        (
            status = 422,
            description = "The days asked for are kept more coarsely than the resolution asked for.",
            body = Problem,
            content_type = "application/problem+json",
        ),
        ReadProblems,
    ),
)]
pub async fn get(
    extract::State(app): extract::State<Arc<State>>,
    caller: Option<Extension<Caller>>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<Parameters>, QueryRejection>,
    format_query: Result<Query<FormatParameter>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let video_id = video_id(path)?;
    let Query(parameters) = query.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let Query(named) = format_query.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let format = format(named.format.as_deref())?;
    let file_name = (format == Format::Csv).then(|| attachment(&video_id));
    let mut question = question(video_id, &parameters, format)?;
    question.length_sec = app.length_sec(&question.video_id).await?;
    let answer = app.strip_for(caller.as_deref(), question, format).await?;
    let mut response = cached(&answer, &headers);
    if let Some(file_name) = file_name {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, file_name);
    }
    Ok(response)
}

/// The strip as a picture.
#[utoipa::path(
    get,
    path = "/v1/videos/{video_id}/heatmap.svg",
    operation_id = "heatmap_picture",
    tag = "strips",
    params(
        ("video_id" = String, Path, description = "The video.", min_length = 1, max_length = 128, example = "yt_abc123"),
        Parameters,
    ),
    responses(
        (
            status = 200,
            description = "A picture that says in words what it shows.",
            body = String,
            content_type = "image/svg+xml",
            headers(("etag" = String), ("cache-control" = String)),
        ),
        (
            status = 304,
            description = "What `If-None-Match` names is still the answer.",
            headers(("etag" = String), ("cache-control" = String)),
        ),
        (
            status = 422,
            description = "The days asked for are kept more coarsely than the resolution asked for.",
            body = Problem,
            content_type = "application/problem+json",
        ),
        ReadProblems,
    ),
)]
pub async fn picture(
    extract::State(app): extract::State<Arc<State>>,
    caller: Option<Extension<Caller>>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(parameters) = query.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let mut question = question(video_id(path)?, &parameters, Format::Svg)?;
    question.length_sec = app.length_sec(&question.video_id).await?;
    let mut response = cached(&*app.strip_for(caller.as_deref(), question, Format::Svg).await?, &headers);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, PICTURE_POLICY);
    Ok(response)
}

impl State {
    /// The strip that is asked for, written in this shape.
    pub async fn strip(&self, question: StripQuery, format: Format) -> Result<Arc<Answer>, Arc<ReadError>> {
        self.strip_of(question, format, None).await
    }

    /// The strip that is asked for, as whoever asks may see it.
    async fn strip_for(
        &self,
        caller: Option<&Caller>,
        question: StripQuery,
        format: Format,
    ) -> Result<Arc<Answer>, ApiError> {
        let least = caller.and_then(Caller::min_audience);
        if let Some(least) = least
            && question.regions != [GLOBAL]
        {
            self.check_regions(&question, least).await?;
        }
        Ok(self.strip_of(question, format, least).await?)
    }

    /// Refuses a question that names a region in which fewer watched than it takes: of two regions together, one that is
    /// invented shows the other alone, or one person in it.
    async fn check_regions(&self, question: &StripQuery, least: u64) -> Result<(), ApiError> {
        for region in &question.regions {
            let alone =
                StripQuery { regions: vec![region.clone()], resolution: MAX_RESOLUTION, ..question.clone() };
            let answer = self.strip(alone, Format::Json).await?;
            let strip: Audience = serde_json::from_slice(&answer.body).expect("it was written here");
            if strip.viewers < least {
                return Err(ApiError::Forbidden("too few watched in one of these regions for this key"));
            }
        }
        Ok(())
    }

    /// The strip, without what fewer than `least` viewers did.
    async fn strip_of(
        &self,
        question: StripQuery,
        format: Format,
        least: Option<u64>,
    ) -> Result<Arc<Answer>, Arc<ReadError>> {
        let key = format!("strip {format:?} {least:?} {question:?}");
        let store = self.store.clone();
        self.answers
            .get(key, async move {
                let known = Known { from: question.from, to: question.to, length_sec: question.length_sec };
                let (range, rows) = store.read_strip(&question).await?;
                let mut strip = strip(range, &rows);
                Ok(Made {
                    content_type: format.content_type(),
                    // How long an answer lives must not say whether nobody watched or few did.
                    empty: strip.viewers < least.unwrap_or(1),
                    render: Box::new(move |at| {
                        strip.generated_at = at;
                        match least {
                            None => format.render(&strip),
                            Some(least) => withheld::render(&strip, known, format, least),
                        }
                    }),
                })
            })
            .await
    }
}

/// The part of a strip that says how many watched.
#[derive(Deserialize)]
struct Audience {
    viewers: u64,
}

fn question(video_id: String, parameters: &Parameters, format: Format) -> Result<StripQuery, ApiError> {
    let resolution = resolution(parameters.resolution.as_deref())?;
    let (from, to) = days(parameters.from.as_deref(), parameters.to.as_deref())?;
    Ok(StripQuery {
        video_id,
        regions: regions(parameters.region.as_deref())?,
        resolution: format.resolution().unwrap_or(resolution),
        from,
        to,
        length_sec: None,
    })
}

fn format(name: Option<&str>) -> Result<Format, ApiError> {
    let Some(name) = name else {
        return Ok(Format::default());
    };
    Format::parse(name).ok_or_else(|| {
        let known = NAMED.map(|(name, _)| name).join(", ");
        ApiError::BadRequest(format!("format must be one of {known}"))
    })
}

/// Names the file that a browser saves; of the video id as much as any file system takes.
fn attachment(video_id: &str) -> HeaderValue {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
    let name: String = video_id.chars().map(plain).collect();
    HeaderValue::from_str(&format!("attachment; filename=\"heatmap-{name}.csv\"")).expect("plain ASCII")
}

fn resolution(text: Option<&str>) -> Result<u32, ApiError> {
    let Some(text) = text else {
        return Ok(DEFAULT_RESOLUTION);
    };
    text.parse().ok().filter(|seconds| (1..=MAX_RESOLUTION).contains(seconds)).ok_or_else(|| {
        ApiError::BadRequest(format!(
            "resolution must be a whole number of seconds from 1 to {MAX_RESOLUTION}"
        ))
    })
}
