use domain::LineId;

use crate::options::Options;
use crate::origin::Origins;
use crate::{ConfigProblem, LineSetup};

/// A field that people do not see and programs fill in.
const HONEYPOT: &str = "_honeypot";

/// What a form's section says.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) line: LineId,
    pub(super) region: String,
    pub(super) origins: Origins,
    pub(super) consent: bool,
    pub(super) required: Vec<String>,
    pub(super) honeypot: String,
    pub(super) redirect: Option<String>,
    pub(super) file_bytes_max: u64,
}

impl Config {
    pub(super) fn read(setup: &LineSetup) -> Result<Self, Vec<ConfigProblem>> {
        let mut options = Options::of(setup);
        let config = Self {
            line: setup.id.clone(),
            region: setup.default_region.clone(),
            // A site's own server posts without an origin; a browser always tells it.
            origins: Origins::read(&mut options, setup, true),
            consent: options.flag("consent"),
            required: options.list("required").unwrap_or_default(),
            honeypot: options
                .text("honeypot")
                .unwrap_or_else(|| HONEYPOT.to_owned()),
            redirect: options.text("redirect"),
            file_bytes_max: options
                .at_most("file_bytes_max", super::DESCRIPTOR.attachment_bytes_max),
        };
        if let Some(redirect) = &config.redirect
            && (!config.origins.covers(redirect) || redirect.chars().any(char::is_control))
        {
            options.problem(
                "redirect",
                "has to be a page of one of the sites in `origins`",
            );
        }
        options.finish(config)
    }
}
