//! The gateway from outside: one binary, one module a scenario.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a scenario that cannot go on has failed, and waits for some kinds of event only"
)]

mod access;
mod audit;
mod avito;
mod bad_input;
mod bench;
mod contacts;
mod contract;
mod dead_provider;
mod disk_full;
mod durability;
mod elsewhere;
mod feed;
mod folders;
mod gone_line;
mod io_errors;
mod isolation;
mod kill_loop;
mod large_entries;
mod leaving;
mod letters;
mod mail_faults;
mod mail_in;
mod mail_kills;
mod mail_large;
mod mail_loops;
mod mail_out;
mod mail_poison;
mod mail_round;
mod mail_servers;
mod mail_trust;
mod max;
mod mentions;
mod messenger;
mod metrics;
mod obligations;
mod offers;
mod ok;
mod peers;
mod power_cut;
mod proof;
mod queues;
mod racing;
mod rating;
mod reload;
mod remote_directory;
mod replays;
mod replies;
mod shared_browser;
mod slow_channel;
mod talk;
mod telegram;
mod templates;
mod tidy;
mod vanished;
mod viber;
mod vk;
mod webhooks;
mod whatif;
mod whatsapp;
mod why;
