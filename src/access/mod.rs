//! Access: who may do what, and how much. Keys, what each lets its holder do, and budgets for each sender.
//!
//! ```text
//! request ─► http::admit ─► keyring (whose key?) ─► grant (may it?) ─► budgets (not too much?) ─► the route
//!            401, 403, 429, 503                                                                   with a Caller
//! ```

pub mod address;
pub mod budget;
pub mod caller;
pub mod grant;
pub mod host;
pub mod http;
pub mod key;
pub mod keyring;
pub mod metrics;
pub mod sql;
pub mod store;

pub use caller::Caller;
