//! Mail: letters are read from mailboxes by IMAP and written by SMTP.

mod config;
mod journal;
mod letter;
mod normalize;
mod oauth;
mod receive;
mod send;
mod tls;
