use std::collections::BTreeMap;

use domain::LineId;
use serde::Serialize;
use toml::{Table, Value};

use super::DESCRIPTOR;
use super::protocol::{FRAME_BYTES_MAX, UPLOADS_MAX};
use crate::options::Options;
use crate::origin::Origins;
use crate::{ConfigProblem, LineSetup, clean};

/// What a visitor can be asked for before the first message. More than three
/// questions and people leave.
const PRECHAT_FIELDS: [&str; 3] = ["name", "email", "phone"];

/// An HMAC key shorter than its hash can be guessed more easily than the hash.
const IDENTITY_SECRET_BYTES_MIN: usize = 32;

/// What a site chat's section says.
#[derive(Clone)]
pub(super) struct Config {
    pub(super) line: LineId,
    pub(super) region: String,
    pub(super) origins: Origins,
    pub(super) identity_secret: Option<String>,
    pub(super) page: PageConfig,
}

/// What the widget is told.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PageConfig {
    line: LineId,
    /// The window has its own words, in the visitor's language, for what is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtitle: Option<String>,
    greeting: String,
    /// The window chooses what is not given, so that it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    /// Texts by locale, then by name.
    texts: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) prechat: Vec<PrechatField>,
    pub(super) consent: Consent,
    pub(super) limits: Limits,
    /// Whether signed identities are taken.
    identify: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct PrechatField {
    pub(super) name: String,
    pub(super) required: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Consent {
    pub(super) required: bool,
    text: String,
    privacy_url: Option<String>,
}

/// What can be sent.
#[derive(Clone, Debug, Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "limits are named with their unit and max"
)]
pub(super) struct Limits {
    pub(super) text_length_max: usize,
    pub(super) frame_bytes_max: usize,
    /// Zero when files are not taken.
    pub(super) files_per_message_max: usize,
    pub(super) file_bytes_max: u64,
}

impl Config {
    pub(super) fn read(setup: &LineSetup) -> Result<Self, Vec<ConfigProblem>> {
        let mut options = Options::of(setup);
        let origins = Origins::read(&mut options, setup, false);
        let identity_secret = options.text("identity_secret");
        if let Some(secret) = &identity_secret
            && secret.len() < IDENTITY_SECRET_BYTES_MIN
        {
            options.problem(
                "identity_secret",
                "has to be at least 32 bytes; make one with: openssl rand -hex 32",
            );
        }
        let page = PageConfig {
            line: setup.id.clone(),
            title: options.text("title"),
            subtitle: options.text("subtitle"),
            greeting: options.text("greeting").unwrap_or_default(),
            color: color(&mut options, "color"),
            text_color: color(&mut options, "text_color"),
            position: position(&mut options),
            texts: texts(&mut options),
            prechat: prechat(&mut options),
            consent: consent(&mut options),
            limits: limits(&mut options),
            identify: identity_secret.is_some(),
        };
        options.finish(Self {
            line: setup.id.clone(),
            region: setup.default_region.clone(),
            origins,
            identity_secret,
            page,
        })
    }
}

fn color(options: &mut Options, key: &str) -> Option<String> {
    let color = options.text(key)?;
    let digits = color.strip_prefix('#').unwrap_or_default();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        options.problem(key, "has to be a colour like \"#1f5fbf\"");
    }
    Some(color)
}

fn position(options: &mut Options) -> Option<String> {
    let position = options.text("position")?;
    if !matches!(position.as_str(), "left" | "right") {
        options.problem("position", "has to be \"left\" or \"right\"");
    }
    Some(position)
}

fn consent(options: &mut Options) -> Consent {
    let privacy_url = options.text("privacy_url");
    if privacy_url
        .as_deref()
        .is_some_and(|url| !clean::is_web_url(url))
    {
        options.problem("privacy_url", "has to begin with https:// or http://");
    }
    Consent {
        required: options.flag("consent"),
        text: options.text("consent_text").unwrap_or_default(),
        privacy_url,
    }
}

fn limits(options: &mut Options) -> Limits {
    let files = options.flag_or("files", true);
    Limits {
        text_length_max: DESCRIPTOR.text_length_max,
        frame_bytes_max: FRAME_BYTES_MAX,
        files_per_message_max: if files { UPLOADS_MAX } else { 0 },
        file_bytes_max: options.at_most("file_bytes_max", DESCRIPTOR.attachment_bytes_max),
    }
}

fn prechat(options: &mut Options) -> Vec<PrechatField> {
    let names = options.list("prechat").unwrap_or_default();
    let required = options.list("prechat_required").unwrap_or_default();
    if names
        .iter()
        .any(|name| !PRECHAT_FIELDS.contains(&name.as_str()))
    {
        options.problem("prechat", "may hold \"name\", \"email\" and \"phone\"");
    }
    if required.iter().any(|name| !names.contains(name)) {
        options.problem("prechat_required", "may hold only what stands in `prechat`");
    }
    names
        .into_iter()
        .map(|name| PrechatField {
            required: required.contains(&name),
            name,
        })
        .collect()
}

fn texts(options: &mut Options) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    for (locale, table) in options.table("texts") {
        match table.as_table().and_then(strings) {
            Some(of_locale) if clean::is_locale(&locale) => {
                texts.insert(locale, of_locale);
            }
            Some(_) | None => options.problem(
                "texts",
                format!("{locale:?} has to be a locale with texts, like ru = {{ title = \"…\" }}"),
            ),
        }
    }
    texts
}

fn strings(table: &Table) -> Option<BTreeMap<String, String>> {
    table
        .iter()
        .map(|(name, value)| Some((name.clone(), Value::as_str(value)?.to_owned())))
        .collect()
}
