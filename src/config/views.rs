//! Settings of views.

use clap::Args;

use crate::viewers::epoch::Rotation;

/// Says what a view is. Both stand in the database: a process that is started with one sets it for all.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ViewRuleSettings {
    /// Seconds that a session must have played to be a view, half of the video where that is less; left out, as last set (10)
    #[arg(long, env = "HEATSTRIP_VIEW_AFTER_SECS", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub view_after_secs: Option<u32>,
    /// Minutes in which a viewer counts once a video; left out, as last set (30)
    #[arg(long, env = "HEATSTRIP_VIEW_WINDOW_MINS", value_parser = clap::value_parser!(u32).range(0..=525_600))]
    pub view_window_mins: Option<u32>,
}

/// Says with which salts views are hashed, which are never those of heartbeats.
#[derive(Debug, Clone, Copy, Args)]
pub struct ViewSaltSettings {
    /// How often the salt of views changes; a viewer counts once per salt
    #[arg(long, env = "HEATSTRIP_VIEWS_SALT_ROTATION", value_enum, default_value = "monthly")]
    pub views_salt_rotation: Rotation,
}
