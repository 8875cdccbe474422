//! The gateway from outside: one binary, one module a scenario.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a scenario that cannot go on has failed, and waits for some kinds of event only"
)]

mod access;
mod audit;
mod bad_input;
mod contacts;
mod disk_full;
mod durability;
mod feed;
mod folders;
mod gone_line;
mod io_errors;
mod kill_loop;
mod leaving;
mod letters;
