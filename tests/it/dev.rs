//! `heatstrip dev` and the command line, as a newcomer meets them.
