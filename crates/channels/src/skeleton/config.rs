use crate::options::Options;
use crate::{ConfigProblem, LineSetup};

/// What a line's section says.
pub(super) struct Config {
    pub(super) token: String,
}

impl Config {
    pub(super) fn read(setup: &LineSetup) -> Result<Self, Vec<ConfigProblem>> {
        let mut options = Options::of(setup);
        let token = options.text("token").unwrap_or_default();
        if token.is_empty() {
            options.problem("token", "is missing: write token_file = \"…\"");
        }
        options.finish(Self { token })
    }
}
