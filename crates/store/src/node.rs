//! One running process of the installation, as the others see it.

use std::time::Duration;

use gatepost_core::NodeId;
use tokio_util::sync::CancellationToken;

use crate::{Store, StoreError, params, sql};

/// How often a node says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// This process's row in the table of nodes.
#[derive(Clone)]
pub struct Node {
    id: NodeId,
    store: Store,
}

impl Node {
    /// Enters this process. Each start is a new node.
    pub async fn enter(store: &Store, name: &str, program_version: &'static str) -> Result<Self, StoreError> {
        let (id, now, name) = (NodeId::new(store.world()), store.world().now(), name.to_owned());
        store
            .write(move |tx| {
                tx.execute(&sql::INSERT_NODE, params![id, &name, program_version, now]).map(drop)
            })
            .await
            .map(|()| Self { id, store: store.clone() })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.id
    }

    /// Says every two seconds that this process lives, until stopped; then that it ended in good order.
    pub async fn keep_alive(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(HEARTBEAT)).await.is_some() {
            if let Err(err) = self.note(&sql::UPDATE_HEARTBEAT).await {
                tracing::warn!(node.id = %self.id, error = %err, "this node could not say that it lives");
            }
        }
        if let Err(err) = self.note(&sql::UPDATE_STOPPED).await {
            tracing::warn!(node.id = %self.id, error = %err, "this node could not say that it stops");
        }
    }

    async fn note(&self, statement: &'static crate::Statement) -> Result<(), StoreError> {
        let (id, now) = (self.id, self.store.world().now());
        self.store.write(move |tx| tx.execute(statement, params![id, now]).map(drop)).await
    }
}
