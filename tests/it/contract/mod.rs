//! What every messenger has to hold, each scenario written once. A platform joins by its
//! line below.

mod books;
mod intake;

use e2e::providers::avito::Avito;
use e2e::providers::telegram::Telegram;
use e2e::providers::viber::Viber;

macro_rules! contract {
    ($($name:ident: $platform:ty;)*) => {$(
        mod $name {
            use super::*;

            contract!(@ $platform,
                intake::what_is_told_again_is_one_message_each,
            );
        }
    )*};
    (@ $platform:ty, $($module:ident::$scenario:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $scenario() {
            super::$module::$scenario::<$platform>().await;
        }
    )*};
}

contract! {
    avito: Avito;
    telegram: Telegram;
    viber: Viber;
}
