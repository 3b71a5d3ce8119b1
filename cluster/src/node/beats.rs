//! A node says that it lives, looks who else does, and whether the store still has what it was
//! told.

use std::sync::Arc;

use tokio::time::{Instant, sleep_until};

use super::options::{Load, Options};
use super::random::Random;
use super::shared::Shared;
use crate::store::NodeCard;

pub(super) async fn run(shared: &Shared, load: &(impl Fn() -> Load + Sync)) {
    let mut random = Random::new(shared.options.seed, 1);
    loop {
        let next = Instant::now() + random.about(shared.options.lease / 4);
        beat(shared, load()).await;
        sleep_until(next).await;
    }
}

async fn beat(shared: &Shared, load: Load) {
    let Shared { store, contact, tide, .. } = shared;
    let Options { id, incarnation, address, lease, .. } = &shared.options;
    let card = NodeCard {
        id: id.clone(),
        incarnation: *incarnation,
        address: address.clone(),
        load_permille: load.permille,
        matches: load.matches,
        is_draining: load.is_draining,
    };
    if contact.ask(store.beat(&card, *lease)).await.is_err() {
        return;
    }
    if let Ok(nodes) = contact.ask(store.nodes()).await {
        shared.nodes.send_replace(Arc::from(nodes));
    }
    match tide.is_kept(store.as_ref(), contact).await {
        Ok(true) => {}
        Ok(false) => {
            tide.forget();
            shared.lost("a number of this node's is gone");
        }
        Err(_) => return,
    }
    let _ = tide.rise(store.as_ref(), contact).await;
}
