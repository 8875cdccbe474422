//! Templates: what an account has had approved, and a message made of one. Pure.
//!
//! A variable is called as in the template, with its component before it where that is
//! not the body: `1`, `first_name`, `header 1`, `button 0`.

use domain::message::{FilledTemplate, Template, TemplateVariable};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is asked of each template.
pub(super) const FIELDS: &str = "name,status,language,category,components";

/// A template as the account tells of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    name: String,
    status: String,
    language: String,
    category: String,
    components: Vec<Component>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Component {
    #[serde(rename = "type")]
    kind: String,
    format: String,
    text: String,
    example: Value,
    buttons: Vec<Button>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Button {
    #[serde(rename = "type")]
    kind: String,
    text: String,
    url: String,
    example: Value,
}

impl Told {
    /// As it can be filled here; none when it is not approved or has what cannot be.
    pub(super) fn template(self) -> Option<Template> {
        if self.status != "APPROVED" {
            return None;
        }
        let mut template = Template {
            name: self.name,
            language: self.language,
            category: self.category.to_lowercase(),
            ..Template::default()
        };
        let mut lines = Vec::new();
        for part in &self.components {
            match (part.kind.as_str(), part.format.as_str()) {
                ("HEADER", "IMAGE") => template.file = Some("image/"),
                ("HEADER", "VIDEO") => template.file = Some("video/"),
                ("HEADER", "DOCUMENT") => template.file = Some(""),
                ("HEADER", "TEXT") => {
                    lines.push(gaps(part, "header ", &mut template.variables));
                }
                ("BODY", _) => lines.push(gaps(part, "", &mut template.variables)),
                ("FOOTER", _) => lines.push(part.text.clone()),
                ("BUTTONS", _) => buttons(&part.buttons, &mut template)?,
                _ => return None,
            }
        }
        template.text = lines.join("\n");
        Some(template)
    }
}

/// The words of a component, its variables called as this file says.
fn gaps(component: &Component, before: &str, variables: &mut Vec<TemplateVariable>) -> String {
    let mut text = String::new();
    let mut rest = component.text.as_str();
    while let Some((words, behind)) = rest.split_once("{{") {
        let Some((name, after)) = behind.split_once("}}") else {
            break;
        };
        let name = name.trim();
        let id = format!("{before}{name}");
        text.push_str(words);
        text.extend(["{{", &id, "}}"]);
        if variables.iter().all(|known| known.id != id) {
            let example = example(&component.example, name);
            variables.push(TemplateVariable { id, example });
        }
        rest = after;
    }
    text + rest
}

/// What stands for a variable in the example that was approved.
fn example(of: &Value, name: &str) -> String {
    let lists = ["header_text", "body_text"].map(|key| &of[key]);
    let numbered = name.parse::<usize>().ok().and_then(|number| {
        let index = number.checked_sub(1)?;
        let inner = |list: &Value| list.get(index)?.as_str().map(str::to_owned);
        lists
            .iter()
            .find_map(|list| inner(list).or_else(|| inner(list.get(0)?)))
    });
    let named = || {
        let lists = ["header_text_named_params", "body_text_named_params"].map(|key| &of[key]);
        let mut all = lists.iter().filter_map(|list| list.as_array()).flatten();
        let found = all.find(|one| one["param_name"] == name)?;
        found["example"].as_str().map(str::to_owned)
    };
    numbered.or_else(named).unwrap_or_default()
}

/// None when a button asks for what cannot be said here.
fn buttons(buttons: &[Button], template: &mut Template) -> Option<()> {
    for (index, button) in buttons.iter().enumerate() {
        match button.kind.as_str() {
            "URL" if button.url.contains("{{") => {
                let example = button.example.get(0).and_then(Value::as_str);
                template.variables.push(TemplateVariable {
                    id: format!("button {index}"),
                    example: example.unwrap_or_default().to_owned(),
                });
            }
            "URL" | "PHONE_NUMBER" | "QUICK_REPLY" => {}
            _ => return None,
        }
        template.buttons.push(button.text.clone());
    }
    Some(())
}

/// A message made of a template; a file of a kind is its header.
pub(super) fn content(filled: &FilledTemplate, media: Option<&'static str>) -> Value {
    let mut header: Vec<Value> = media
        .map(|kind| json!({"type": kind, kind: {"id": null}}))
        .into_iter()
        .collect();
    let mut body = Vec::new();
    let mut buttons = Vec::new();
    for (id, value) in filled.values.iter().map(|(id, value)| (id.as_str(), value)) {
        let text = json!({"type": "text", "text": value});
        if let Some(index) = id.strip_prefix("button ") {
            buttons.push(json!({
                "type": "button", "sub_type": "url", "index": index, "parameters": [text],
            }));
        } else if let Some(name) = id.strip_prefix("header ") {
            header.push(parameter(text, name));
        } else {
            body.push((id.parse::<u32>().unwrap_or(0), parameter(text, id)));
        }
    }
    // Numbered ones are taken by their place.
    body.sort_by_key(|(number, _)| *number);
    let body: Vec<Value> = body.into_iter().map(|(_, parameter)| parameter).collect();
    let mut components = Vec::new();
    for (kind, parameters) in [("header", header), ("body", body)] {
        if !parameters.is_empty() {
            components.push(json!({"type": kind, "parameters": parameters}));
        }
    }
    components.extend(buttons);
    json!({
        "name": filled.name,
        "language": {"code": filled.language},
        "components": components,
    })
}

fn parameter(mut text: Value, name: &str) -> Value {
    if name.parse::<u32>().is_err() {
        text["parameter_name"] = json!(name);
    }
    text
}

/// Where the id of a header's file goes.
pub(super) fn file_id(kind: &str) -> String {
    format!("/template/components/0/parameters/0/{kind}/id")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn told(components: &Value) -> Option<Template> {
        let told = json!({
            "name": "order", "status": "APPROVED", "language": "ru", "category": "UTILITY",
            "components": components,
        });
        let told: Told = serde_json::from_value(told).unwrap();
        told.template()
    }

    #[test]
    fn variables_are_called_by_where_they_stand() {
        let template = told(&json!([
            {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}",
             "example": {"header_text": ["7"]}},
            {"type": "BODY", "text": "Dear {{1}}, {{ 2 }} for {{1}}",
             "example": {"body_text": [["Anna", "tea"]]}},
            {"type": "FOOTER", "text": "Shop"},
            {"type": "BUTTONS", "buttons": [
                {"type": "QUICK_REPLY", "text": "Thanks"},
                {"type": "URL", "text": "See", "url": "https://shop.example/{{1}}",
                 "example": ["https://shop.example/7"]},
            ]},
        ]));
        let template = template.unwrap();
        assert_eq!(
            template.text,
            "Order {{header 1}}\nDear {{1}}, {{2}} for {{1}}\nShop"
        );
        let variables = template.variables.iter();
        let variables: Vec<_> = variables
            .map(|one| (one.id.as_str(), one.example.as_str()))
            .collect();
        assert_eq!(
            variables,
            [
                ("header 1", "7"),
                ("1", "Anna"),
                ("2", "tea"),
                ("button 1", "https://shop.example/7"),
            ]
        );
        assert_eq!(template.buttons, ["Thanks", "See"]);
        let named = told(&json!([{
            "type": "BODY", "text": "Dear {{first_name}}",
            "example": {"body_text_named_params": [
                {"param_name": "first_name", "example": "Anna"},
            ]},
        }]));
        assert_eq!(named.unwrap().variables[0].example, "Anna");
    }

    #[test]
    fn what_cannot_be_filled_here_is_not_offered() {
        for components in [
            json!([{"type": "CAROUSEL"}]),
            json!([{"type": "HEADER", "format": "LOCATION"}]),
            json!([{"type": "BODY", "text": "x"},
                   {"type": "BUTTONS", "buttons": [{"type": "OTP"}]}]),
        ] {
            assert_eq!(told(&components), None, "{components}");
        }
        let rejected: Told = serde_json::from_value(json!({"status": "REJECTED"})).unwrap();
        assert_eq!(rejected.template(), None);
    }

    #[test]
    fn values_go_where_their_names_say() {
        let values = [
            ("10", "ten"),
            ("2", "two"),
            ("1", "one"),
            ("header 1", "head"),
            ("button 1", "7"),
        ];
        let values: BTreeMap<String, String> = values
            .iter()
            .map(|(id, value)| ((*id).to_owned(), (*value).to_owned()))
            .collect();
        let filled = |values| FilledTemplate {
            name: "order".to_owned(),
            language: "ru".to_owned(),
            values,
        };
        let text = |words: &str| json!({"type": "text", "text": words});
        assert_eq!(
            content(&filled(values), None),
            json!({
                "name": "order",
                "language": {"code": "ru"},
                "components": [
                    {"type": "header", "parameters": [text("head")]},
                    {"type": "body", "parameters": [text("one"), text("two"), text("ten")]},
                    {"type": "button", "sub_type": "url", "index": "1", "parameters": [text("7")]},
                ],
            })
        );
        let named = BTreeMap::from([("first_name".to_owned(), "Anna".to_owned())]);
        let mut content = json!({"template": content(&filled(named), Some("image"))});
        *content.pointer_mut(&file_id("image")).unwrap() = json!("id-1");
        assert_eq!(
            content["template"]["components"],
            json!([
                {"type": "header", "parameters": [{"type": "image", "image": {"id": "id-1"}}]},
                {"type": "body", "parameters": [
                    {"type": "text", "text": "Anna", "parameter_name": "first_name"},
                ]},
            ])
        );
    }
}
