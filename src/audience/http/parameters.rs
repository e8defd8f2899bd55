//! Parameters of set questions. Some may be given several times, so they are read pair by pair.

use axum::extract::{Query, rejection::QueryRejection};

use crate::{
    audience::{
        formats::Format,
        question::{Condition, Kind, MAX_CONDITIONS, Range},
        store::read::Scene,
    },
    events::heartbeat::MAX_SEC,
    http::{
        error::ApiError,
        parameters::{days, regions},
    },
};

/// The parameters of a request, in the order in which they came.
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Takes the parameters behind the question mark.
    pub fn of(query: Result<Query<Vec<(String, String)>>, QueryRejection>) -> Result<Self, ApiError> {
        let Query(pairs) = query.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
        Ok(Pairs(pairs))
    }

    /// Returns every value of a parameter.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a parameter that may be given once.
    fn one(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.all(name);
        let value = values.next();
        if values.next().is_some() {
            return Err(ApiError::BadRequest(format!("{name} is given more than once")));
        }
        Ok(value)
    }

    /// Returns the days and regions.
    pub fn scene(&self) -> Result<Scene, ApiError> {
        let (from, to) = days(self.one("from")?, self.one("to")?)?;
        Ok(Scene { regions: regions(self.one("region")?)?, from, to })
    }

    /// Returns the format.
    pub fn format(&self) -> Result<Format, ApiError> {
        match self.one("format")? {
            None | Some("json") => Ok(Format::Json),
            Some("csv") => Ok(Format::Csv),
            Some(_) => Err(ApiError::BadRequest("format must be one of json, csv".into())),
        }
    }

    /// Returns what is asked of the viewers.
    pub fn conditions(&self) -> Result<Vec<Condition>, ApiError> {
        let mut conditions = Vec::new();
        let kinds: [(&str, Kind); 3] =
            [("saw", Condition::Saw), ("missed", Condition::Missed), ("saw_most", Condition::SawMost)];
        for (name, condition) in kinds {
            for text in self.all(name) {
                let range = Range::parse(text).ok_or_else(|| {
                    ApiError::BadRequest(format!(
                        "{name} must be a range of seconds like 0-30, from 0 to {MAX_SEC}, both ends included"
                    ))
                })?;
                conditions.push(condition(range));
            }
        }
        if conditions.len() > MAX_CONDITIONS {
            return Err(ApiError::Unprocessable(format!(
                "a question has at most {MAX_CONDITIONS} conditions, this one has {}",
                conditions.len()
            )));
        }
        Ok(conditions)
    }
}
