//! Everything on a real Citus cluster, against one server with the same input.

use std::{io::Write, sync::Once};

use crate::support::{CITUS_BIN, Cluster};

mod equal;
mod lost;
mod migrate;
mod pair;
mod ratios;

/// Returns the cluster that tests share; none where there is no Citus, which is said once.
async fn cluster() -> Option<&'static Cluster> {
    match has_citus() {
        true => Some(Cluster::shared().await),
        false => None,
    }
}

/// Returns whether the tests of this folder can run, and says how if they cannot.
fn has_citus() -> bool {
    static SAID: Once = Once::new();
    let has = std::env::var_os(CITUS_BIN).is_some();
    if !has {
        // Past the capture of the tests' output: nobody should take for tested what was not.
        SAID.call_once(|| {
            let _ = writeln!(
                std::io::stderr(),
                "citus: these tests did not run; let {CITUS_BIN} name the bin directory of a Postgres that has Citus and hll"
            );
        });
    }
    has
}
