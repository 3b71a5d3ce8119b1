//! The laws of a store, each for every implementation.
//!
//! A *house* makes stores that share what they know, lets time pass and breaks in the ways that
//! real ones break. In memory the clock is paused and moved on; with Redis, which these tests
//! start, it is waited for what must happen. No law says how long anything takes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[cfg(unix)]
#[path = "servers/redis.rs"]
mod servers;
mod store {
    #[cfg(unix)]
    mod failures;
    pub(crate) mod house;
    pub(crate) mod laws;
    pub(crate) mod letters;
    #[cfg(unix)]
    mod same;
    #[cfg(unix)]
    mod sentinel;
    pub(crate) mod shelves;
    pub(crate) mod waiting;
}

use store::house::InMemory;

macro_rules! laws {
    ($($module:ident: $($law:ident)*;)*) => {
        mod in_memory {
            $($(
                #[tokio::test(start_paused = true)]
                async fn $law() {
                    crate::store::$module::$law(&crate::InMemory::new()).await;
                }
            )*)*
        }

        #[cfg(unix)]
        mod in_redis {
            $($(
                #[tokio::test]
                async fn $law() {
                    crate::store::$module::$law(&crate::store::house::InRedis::new()).await;
                }
            )*)*
        }

        /// One cluster for all: it takes seconds to make. Laws of a store that comes back without
        /// its last seconds are left out: each of three servers would come back to another moment.
        #[cfg(unix)]
        #[tokio::test]
        async fn the_laws_hold_in_a_cluster_of_three() {
            let mut house = crate::store::house::InCluster::new();
            $($(
                if !stringify!($law).contains("last_seconds") {
                    println!("{}", stringify!($law));
                    crate::store::$module::$law(&house).await;
                    house.move_out();
                }
            )*)*
        }
    };
}

laws! {
    laws:
        what_nobody_wrote_is_unknown
        the_first_write_makes_a_match
        a_match_without_a_checkpoint_is_not_handed_out
        a_match_that_is_held_is_not_handed_out
        whoever_claims_gets_what_the_last_owner_left
        of_many_who_claim_at_once_one_gets_it
        an_older_epoch_changes_nothing
        another_node_in_the_same_epoch_changes_nothing
        a_gap_asks_for_a_checkpoint
        a_write_can_be_repeated
        a_write_that_comes_late_takes_nothing_back
        a_checkpoint_forgets_what_came_before_it
        records_after_a_checkpoint_have_a_bound
        an_end_is_for_good
        only_its_owner_ends_a_match_or_gives_it_up
        each_match_of_a_write_has_its_own_answer
        orphans_come_by_age_and_no_more_than_asked_for
        a_lease_is_over_when_nobody_renews_it
        a_wiped_store_heals_by_writes
        a_store_without_its_last_seconds_heals_by_a_checkpoint
        a_store_without_its_last_seconds_does_not_mix_two_owners_records;
    shelves:
        nodes_are_there_while_they_beat
        a_code_leads_to_one_match_until_its_time_is_up
        values_are_kept_for_their_time
        asking_for_a_value_can_renew_it
        the_first_to_put_wins
        values_are_exchanged_all_or_none
        all_of_a_shelf_has_a_bound;
    letters:
        nobody_listens_until_somebody_does
        letters_arrive_in_order_and_announcements_everywhere
        a_full_mailbox_keeps_nobody_waiting
        a_letter_that_is_too_long_is_not_sent;
    waiting:
        those_who_wait_get_one_match
        of_many_who_group_each_party_plays_once
        a_reservation_of_a_dead_node_comes_to_nothing
        who_leaves_sends_the_others_back
        those_whom_the_store_lost_wait_on
        a_party_whose_node_is_gone_waits_on_at_another
        waiting_widens_as_nodes_say;
}
