//! `switchboard dead-letters …`

use std::process::ExitCode;

use proto::admin::v1 as pb;
use proto::admin::v1::admin_client::AdminClient;

use super::admin::{told, with_local};
use crate::cli::DeadLettersCommand;
use crate::config::Config;
use crate::out;

pub(super) fn run(config: Config, command: DeadLettersCommand) -> anyhow::Result<ExitCode> {
    with_local(config, async |local| {
        let mut admin = AdminClient::new(local.signed());
        match command {
            DeadLettersCommand::List => {
                let mut page_token = String::new();
                loop {
                    let request = pb::ListDeadLettersRequest {
                        page_size: 200,
                        page_token,
                    };
                    let page = admin.list_dead_letters(request).await.map_err(told)?;
                    let page = page.into_inner();
                    for letter in page.dead_letters {
                        out::line(format_args!(
                            "{}\t{}\t{}\t{}",
                            letter.id, letter.line_id, letter.event_key, letter.error
                        ))?;
                    }
                    page_token = page.next_page_token;
                    if page_token.is_empty() {
                        break;
                    }
                }
            }
            DeadLettersCommand::Show { id } => {
                let request = pb::GetDeadLetterRequest { id };
                let letter = admin.get_dead_letter(request).await.map_err(told)?;
                out::raw(&letter.into_inner().raw)?;
            }
            DeadLettersCommand::Replay { id } => {
                let request = pb::ReplayDeadLetterRequest { id: id.clone() };
                admin.replay_dead_letter(request).await.map_err(told)?;
                out::line(format_args!(
                    "{id} is tried again; it is back in the list if it fails again."
                ))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}
