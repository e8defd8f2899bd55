//! Files of real input, and replays to an API.

mod over_http;
mod real_input;
