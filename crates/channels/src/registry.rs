//! Every kind of channel there is. A new channel is a folder and two lines here.

mod avito;
mod bridge;
mod email;
mod form;
mod instagram;
mod max;
mod messenger;
mod ok;
mod telegram;
mod viber;
mod vk;
mod webchat;
mod whatsapp;

/// What `cargo xtask new-channel` copies: held to the contract with the others.
#[cfg(test)]
mod skeleton;

use std::sync::Arc;

use domain::LineId;
use domain::message::Inbound;

use crate::{Channel, ConfigProblem, Descriptor, Malformed};

/// One kind of channel.
#[derive(Debug)]
pub struct Kind {
    /// What it is and can.
    pub descriptor: &'static Descriptor,
    /// Connects a line, or tells everything that is wrong with its section.
    pub build: fn(&LineSetup) -> Built,
    /// Converts one raw payload as the provider sends it, for
    /// `switchboard normalize`.
    pub normalize: fn(&[u8]) -> Result<Vec<Inbound>, Malformed>,
    /// The commented section of the documented example.
    pub example: &'static str,
}

/// A connected line, or everything that is wrong with its section.
pub type Built = Result<Arc<dyn Channel>, Vec<ConfigProblem>>;

/// A line's section of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct LineSetup {
    /// The line.
    pub id: LineId,
    /// Its name for people.
    pub display_name: String,
    /// ISO 3166 region for phones written without a country code.
    pub default_region: String,
    /// Where the gateway is reached from outside, without a slash at the end.
    pub public_url: String,
    /// The keys that only this kind of channel has, secrets read in.
    pub options: toml::Table,
}

/// Every kind, by name.
pub const KINDS: &[Kind] = &[
    avito::KIND,
    bridge::KIND,
    email::KIND,
    form::KIND,
    instagram::KIND,
    max::KIND,
    messenger::KIND,
    ok::KIND,
    telegram::KIND,
    viber::KIND,
    vk::KIND,
    webchat::KIND,
    whatsapp::KIND,
    #[cfg(test)]
    skeleton::KIND,
];

/// Finds a kind by its name.
pub fn find(kind: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|known| known.descriptor.kind == kind)
}
