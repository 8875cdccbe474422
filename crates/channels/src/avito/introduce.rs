//! Who a client is, and about which advertisement they write: the chat tells.

use domain::message::{Sender, Thread};
use serde_json::Value;

use super::api::{Api, NO_CLOCK};
use super::render::chat;

pub(super) async fn introduce(api: &Api, sender: &mut Sender, thread: &mut Thread) {
    let id = thread.external_chat_id.as_deref().and_then(chat);
    let Some(id) = id else { return };
    match api.get(&format!("v2/~/chats/{id}"), &[], NO_CLOCK).await {
        Ok(told) => apply(&told, api.user(), sender, thread),
        Err(failure) => tracing::debug!(%failure, "a chat was not told"),
    }
}

fn apply(told: &Value, account: u64, sender: &mut Sender, thread: &mut Thread) {
    thread.subject = subject(&told["context"]["value"]);
    let users = || told["users"].as_array().into_iter().flatten();
    let who = sender.identities.first();
    let who = who.and_then(|identity| identity.value.parse::<u64>().ok());
    let is_it = |user: &&Value| user["id"].as_u64().is_some() && user["id"].as_u64() == who;
    // There are two in a chat.
    let is_other = |user: &&Value| user["id"].as_u64() != Some(account);
    let Some(user) = users().find(is_it).or_else(|| users().find(is_other)) else {
        return;
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    sender.display_name = text(&user["name"]).unwrap_or_default();
    let profile = &user["public_user_profile"];
    let pictures = &profile["avatar"];
    let picture = text(&pictures["images"]["256x256"]);
    sender.avatar_url = picture.or_else(|| text(&pictures["default"]));
    if let Some(url) = text(&profile["url"]) {
        sender.attributes.insert("profile".to_owned(), url);
    }
}

/// An advertisement in a line: its title, its price and where it is.
fn subject(item: &Value) -> Option<String> {
    let fields = ["title", "price_string", "url"];
    let fields = fields.iter().filter_map(|name| item[*name].as_str());
    let fields: Vec<&str> = fields.filter(|field| !field.is_empty()).collect();
    (!fields.is_empty()).then(|| fields.join(" · "))
}

#[cfg(test)]
mod tests {
    use domain::identity::{Identity, Trust};
    use serde_json::json;

    use super::*;

    fn introduced(told: &Value, author: &str) -> (String, Option<String>) {
        let mut sender = Sender {
            identities: vec![Identity {
                kind: "avito".to_owned(),
                issuer: String::new(),
                value: author.to_owned(),
                trust: Trust::Proven,
            }],
            ..Sender::default()
        };
        let mut thread = Thread::default();
        apply(told, 1, &mut sender, &mut thread);
        (sender.display_name, thread.subject)
    }

    #[test]
    fn the_other_one_in_a_chat_is_the_client() {
        let shop = json!({"id": 1, "name": "Магазин"});
        let anna = json!({"id": 7, "name": "Анна"});
        let told = json!({"users": [shop, anna]});
        let name = |author: &str| introduced(&told, author).0;
        assert_eq!(name("7"), "Анна");
        // Where the chat has another number for her.
        assert_eq!(name("8"), "Анна");
        assert_eq!(introduced(&json!({"users": [shop]}), "7").0, "");
        assert_eq!(introduced(&json!({}), "7"), (String::new(), None));
    }

    #[test]
    fn a_chat_is_about_an_advertisement() {
        let subject = |item: Value| introduced(&json!({"context": {"value": item}}), "7").1;
        let whole = json!({"title": "Mazda 3", "price_string": "300 000 ₽", "url": "https://a"});
        assert_eq!(
            subject(whole).as_deref(),
            Some("Mazda 3 · 300 000 ₽ · https://a")
        );
        let bare = json!({"title": "Mazda 3", "price_string": "", "url": null});
        assert_eq!(subject(bare).as_deref(), Some("Mazda 3"));
        assert_eq!(subject(json!(null)), None);
    }
}
