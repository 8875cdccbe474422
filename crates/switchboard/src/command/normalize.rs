//! `switchboard normalize KIND [FILE…]`

use std::fs::File;
use std::io::{self, Read};
use std::process::ExitCode;

use anyhow::Context as _;
use channels::{Kind, registry};
use domain::LineId;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

use super::WRONG_INPUT;
use crate::cli::NormalizeArgs;
use crate::out;

const INBOUND: &str = "switchboard.channels.v1.Inbound";

struct Converter {
    kind: &'static Kind,
    line: LineId,
    inbound: MessageDescriptor,
}

pub(super) fn run(args: &NormalizeArgs) -> anyhow::Result<ExitCode> {
    let converter = Converter::new(args)?;
    let mut code = ExitCode::SUCCESS;
    let mut take = |name: &str, raw: anyhow::Result<Vec<u8>>| {
        let lines = raw.and_then(|raw| converter.convert(&raw));
        match lines {
            Ok(lines) => lines.iter().try_for_each(out::line),
            Err(error) => {
                let told = format!("{name}: {error:#}").replace(['\n', '\r'], " ");
                out::problem(told);
                code = ExitCode::from(WRONG_INPUT);
                Ok(())
            }
        }
    };
    if args.files.is_empty() {
        take("standard input", converter.read(io::stdin()))?;
    }
    for path in &args.files {
        let raw = File::open(path).context("opening it");
        let raw = raw.and_then(|file| converter.read(file));
        take(&path.to_string_lossy(), raw)?;
    }
    Ok(code)
}

impl Converter {
    fn new(args: &NormalizeArgs) -> anyhow::Result<Self> {
        let kind = registry::find(&args.kind).context("looking up the kind of channel")?;
        let pool = DescriptorPool::decode(proto::DESCRIPTORS).context("reading the contract")?;
        Ok(Self {
            kind,
            line: LineId::new(args.line.as_ref().unwrap_or(&args.kind).as_str()),
            inbound: pool
                .get_message_by_name(INBOUND)
                .context("looking up Inbound in the contract")?,
        })
    }

    /// Reads one payload, of the size that the gateway itself would take.
    fn read(&self, source: impl Read) -> anyhow::Result<Vec<u8>> {
        let bytes_max = self.kind.descriptor.delivery_bytes_max;
        let mut raw = Vec::new();
        source
            .take(bytes_max as u64 + 1)
            .read_to_end(&mut raw)
            .context("reading it")?;
        anyhow::ensure!(raw.len() <= bytes_max, "is larger than {bytes_max} bytes");
        Ok(raw)
    }

    /// One line of canonical proto3 JSON per event.
    fn convert(&self, raw: &[u8]) -> anyhow::Result<Vec<String>> {
        let events = (self.kind.normalize)(raw).context("cannot be read")?;
        events
            .iter()
            .map(|event| self.json(&web::convert::inbound(&self.line, event)))
            .collect()
    }

    fn json(&self, event: &proto::channels::v1::Inbound) -> anyhow::Result<String> {
        let encoded = event.encode_to_vec();
        let dynamic = DynamicMessage::decode(self.inbound.clone(), encoded.as_slice())
            .context("reading the event by its descriptor")?;
        // By way of a value, so that maps come in one order every time.
        let value = serde_json::to_value(&dynamic).context("writing the event")?;
        Ok(value.to_string())
    }
}
