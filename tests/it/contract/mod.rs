//! What every messenger has to hold, each scenario written once. A platform joins by its
//! line below.

pub(crate) mod books;
mod buttons;
mod intake;
mod outage;
mod replies;
mod sending;
mod speed;

pub(crate) use buttons::offers;

use e2e::providers::avito::Avito;
use e2e::providers::max::Max;
use e2e::providers::messenger::{Instagram, Messenger};
use e2e::providers::ok::Odnoklassniki;
use e2e::providers::telegram::Telegram;
use e2e::providers::viber::Viber;
use e2e::providers::vk::Vk;
use e2e::providers::whatsapp::WhatsApp;

macro_rules! contract {
    ($($name:ident: $platform:ty;)*) => {$(
        mod $name {
            use super::*;

            contract!(@ $platform,
                intake::what_is_told_again_is_one_message_each,
                intake::what_is_forged_is_of_nobody,
                intake::what_nobody_knows_yet_is_shown_and_what_nobody_can_read_is_kept,
                intake::what_is_too_large_is_refused_and_the_next_is_taken,
                sending::ids_are_exact_to_the_last_digit,
                sending::a_wait_that_is_asked_for_is_kept_by_whom_it_was_asked_of,
                sending::a_token_that_is_refused_holds_everything_and_loses_nothing,
                sending::a_long_answer_goes_in_parts_and_is_one_message,
                outage::an_hour_s_outage_loses_and_doubles_nothing,
                replies::of_replies_only_the_doubtful_are_uncertain,
            );

            #[tokio::test(flavor = "multi_thread")]
            #[ignore = "takes minutes"]
            async fn ten_thousand_replies() {
                let figures = replies::replies::<$platform>(100, 10_000).await;
                println!("{}", serde_json::to_string(&figures).unwrap());
            }

            #[tokio::test(flavor = "multi_thread")]
            #[ignore = "a measurement, of a release build: cargo xtask bench platforms"]
            async fn how_fast_messages_are_taken() {
                println!("{}", speed::how_fast_messages_are_taken::<$platform>().await);
            }
        }
    )*};
    (@ $platform:ty, $($module:ident::$scenario:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $scenario() {
            $module::$scenario::<$platform>().await;
        }
    )*};
}

contract! {
    avito: Avito;
    instagram: Instagram;
    max: Max;
    messenger: Messenger;
    ok: Odnoklassniki;
    telegram: Telegram;
    viber: Viber;
    vk: Vk;
    whatsapp: WhatsApp;
}

/// Platforms that show answers to be given by a press.
macro_rules! answers {
    ($($name:ident: $platform:ty;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            buttons::an_answer_that_is_offered_is_given_by_a_press::<$platform>().await;
        }
    )*};
}

answers! {
    instagram_offers_answers: Instagram;
    max_offers_answers: Max;
    messenger_offers_answers: Messenger;
    ok_offers_answers: Odnoklassniki;
    telegram_offers_answers: Telegram;
    viber_offers_answers: Viber;
    vk_offers_answers: Vk;
    whatsapp_offers_answers: WhatsApp;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_answers_are_shown_none_are_offered() {
    buttons::answers_are_refused::<Avito>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_s_albums_are_one_message_each() {
    intake::pieces_of_an_album_are_one_message::<Telegram>().await;
}
