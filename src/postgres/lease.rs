//! A connection on loan from the pool. It goes back once its work is over, and only then: whoever gives up in the middle, as
//! at a deadline, leaves a statement that runs on, which would keep the next borrower waiting.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use deadpool_postgres::{ClientWrapper, Object};

use super::tls::Tls;

/// The server is told within this time that a statement is cancelled; later its own limit ends the statement.
const CANCEL_WAIT: Duration = Duration::from_secs(5);

/// A connection on loan.
pub(super) struct Lease {
    /// None once it is given back.
    client: Option<Object>,
    tls: Tls,
}

impl Lease {
    /// Lends a connection. Unless it is given [`back`](Lease::back) its statement is cancelled, and it is closed.
    pub(super) fn new(client: Object, tls: Tls) -> Lease {
        Lease { client: Some(client), tls }
    }

    /// Gives the connection back, on which nothing is under way.
    pub(super) fn back(mut self) {
        self.client = None;
    }
}

impl Deref for Lease {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.client.as_ref().expect("it is on loan until this is dropped")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut ClientWrapper {
        self.client.as_mut().expect("it is on loan until this is dropped")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        // The pool may open another at once.
        let client = Object::take(client);
        let (cancel, tls) = (client.cancel_token(), self.tls.clone());
        // Without a runtime the process is ending, and its connections end with it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if !client.is_closed() {
                let cancelling = tokio::time::timeout(CANCEL_WAIT, cancel.cancel_query(tls)).await;
                if !matches!(cancelling, Ok(Ok(()))) {
                    tracing::debug!("a statement could not be cancelled; the server's limits end it");
                }
            }
            drop(client);
        });
    }
}
