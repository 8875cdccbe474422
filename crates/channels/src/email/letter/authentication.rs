//! Who vouches for the sender: `Authentication-Results` (RFC 8601).
//!
//! Anybody can write such a field into a letter, and only a server that takes letters
//! in for us can be believed. It takes out what a letter brings under its own name
//! (RFC 8601, 5) and puts its own field above everything that came with the letter. So:
//!
//! - Only the topmost of all such fields is read. If another server's stands above, the
//!   letter went through that server after ours, or was written there: then what stands
//!   below is what it brought along.
//! - It is believed when the server's name is one of `trusted_servers`: the same name,
//!   whatever its case; `*.example.net` stands for every name below `example.net`, for
//!   providers whose servers sign with their own; an empty name for servers that give
//!   none, as Microsoft 365 does.
//! - `dmarc=pass` for the domain of `From` vouches; `dmarc=fail` says it is forged.
//! - Without either, `dkim=pass` or `spf=pass` vouches when its domain is aligned: the
//!   same as that of `From`, or one is below the other. The upper one must be a domain
//!   that somebody can own: two labels at least, and three under registries such as
//!   `co.uk` and `msk.ru`.

use super::header::Header;

/// Real fields have some ten.
const STATEMENTS_MAX: usize = 100;

/// What our servers say of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The letter is from the domain it says.
    Vouched,
    /// It is not.
    Forged,
    /// Nobody knows.
    Unknown,
}

/// What a server whom we trust says of a letter whose `From` is in a domain.
pub(super) fn verdict(header: &Header<'_>, trusted: &[String], domain: &str) -> Verdict {
    let topmost = header.values("Authentication-Results").next();
    let Some(results) = topmost.map(|value| Results::read(&value)) else {
        return Verdict::Unknown;
    };
    if domain.is_empty() || !trusted.iter().any(|name| is_server(name, &results.server)) {
        return Verdict::Unknown;
    }
    let methods = || results.methods.iter();
    let of_this_domain = |method: &Method| {
        method
            .property("header.from")
            .is_none_or(|told| told.eq_ignore_ascii_case(domain))
    };
    let dmarc = |result: &str| {
        methods().any(|it| it.name == "dmarc" && it.result == result && of_this_domain(it))
    };
    if dmarc("fail") {
        return Verdict::Forged;
    }
    let aligned = |method: &Method| {
        let properties: &[&str] = match method.name.as_str() {
            "dkim" => &["header.d", "header.i"],
            "spf" => &["smtp.mailfrom", "smtp.mail"],
            _ => &[],
        };
        let signer = properties.iter().find_map(|name| method.property(name));
        method.result == "pass"
            && signer.is_some_and(|signer| is_aligned(domain_of(signer), domain))
    };
    if dmarc("pass") || methods().any(aligned) {
        Verdict::Vouched
    } else {
        Verdict::Unknown
    }
}

fn is_server(trusted: &str, server: &str) -> bool {
    match trusted.strip_prefix("*.") {
        Some(parent) => is_below(server, parent),
        None => trusted.eq_ignore_ascii_case(server),
    }
}

fn domain_of(address: &str) -> &str {
    address
        .rsplit_once('@')
        .map_or(address, |(_, domain)| domain)
}

fn is_aligned(signer: &str, from: &str) -> bool {
    signer.eq_ignore_ascii_case(from)
        || (is_below(from, signer) && can_be_owned(signer))
        || (is_below(signer, from) && can_be_owned(from))
}

fn is_below(domain: &str, parent: &str) -> bool {
    let (domain, parent) = (domain.to_ascii_lowercase(), parent.to_ascii_lowercase());
    let rest = domain.strip_suffix(&parent).filter(|_| !parent.is_empty());
    rest.is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

fn can_be_owned(domain: &str) -> bool {
    /// What registries of countries keep for others below their own.
    const SHARED: &[&str] = &[
        "ac", "co", "com", "edu", "gov", "info", "int", "mil", "msk", "ne", "net", "nov", "or",
        "org", "pp", "spb",
    ];
    let labels: Vec<&str> = domain.split('.').collect();
    match labels.as_slice() {
        [] | [_] => false,
        [second, top] => top.len() != 2 || !SHARED.contains(&second.to_ascii_lowercase().as_str()),
        [..] => true,
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Results {
    server: String,
    methods: Vec<Method>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Method {
    name: String,
    result: String,
    properties: Vec<(String, String)>,
}

impl Method {
    fn property(&self, name: &str) -> Option<&str> {
        let found = self.properties.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Results {
    fn read(value: &str) -> Self {
        let mut results = Self::default();
        let tokens = tokens(value);
        for (index, statement) in tokens.split(|token| *token == Token::End).enumerate() {
            let names_server = index == 0 && !statement.contains(&Token::Is);
            match statement {
                [Token::Word(server), ..] if names_server => results.server.clone_from(server),
                _ if index > STATEMENTS_MAX => break,
                statement => results.methods.extend(method(statement)),
            }
        }
        results
    }
}

fn method(statement: &[Token]) -> Option<Method> {
    let [Token::Word(name), Token::Is, Token::Word(result), rest @ ..] = statement else {
        return None;
    };
    let name = name.split('/').next().unwrap_or_default();
    let mut properties = Vec::new();
    let mut rest = rest;
    while let [first, behind @ ..] = rest {
        rest = behind;
        if let (Token::Word(name), [Token::Is, Token::Word(value), after @ ..]) = (first, behind) {
            properties.push((name.to_ascii_lowercase(), value.clone()));
            rest = after;
        }
    }
    Some(Method {
        name: name.to_ascii_lowercase(),
        result: result.to_ascii_lowercase(),
        properties,
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Is,
    End,
}

/// Comments are left out, quotes undone.
fn tokens(value: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word: Option<String> = None;
    let mut depth = 0_usize;
    let mut is_quoted = false;
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        let in_words = is_quoted || depth > 0;
        let escaped = if c == '\\' && in_words {
            chars.next()
        } else {
            None
        };
        match c {
            '(' if !is_quoted && escaped.is_none() => depth += 1,
            ')' if depth > 0 && escaped.is_none() => depth -= 1,
            _ if depth > 0 => {}
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            _ if is_quoted => word.get_or_insert_default().push(escaped.unwrap_or(c)),
            '=' | ';' => {
                tokens.extend(word.take().map(Token::Word));
                tokens.push(if c == '=' { Token::Is } else { Token::End });
            }
            c if c.is_whitespace() => tokens.extend(word.take().map(Token::Word)),
            _ => word.get_or_insert_default().push(c),
        }
    }
    // What is not closed says nothing that can be believed.
    if is_quoted || depth > 0 {
        return Vec::new();
    }
    tokens.extend(word.map(Token::Word));
    tokens
}

#[cfg(test)]
mod tests {
    use super::super::header;
    use super::super::lines::LineEnd;
    use super::*;

    #[track_caller]
    fn check(fields: &[&str], expect: Verdict) {
        let text = fields.iter().fold(String::new(), |text, value| {
            text + "Authentication-Results: "
                + value
                + "
"
        });
        let (header, _) = header::read(text.as_bytes(), 0, LineEnd::Lf, |_| false);
        let trusted = ["mx.shop.example", "*.farm.example"].map(str::to_owned);
        let verdict = verdict(&header, &trusted, "client.example");
        assert_eq!(verdict, expect, "{fields:?}");
    }

    #[test]
    fn our_own_servers_are_believed() {
        for value in [
            "mx.shop.example; dmarc=pass header.from=client.example",
            "MX.Shop.Example 1; spf=none; dmarc=pass (p=REJECT; x) header.from=Client.Example",
            "mx.shop.example; dkim=fail header.d=x.example; dkim/1=pass header.d=client.example",
            "mx.shop.example; dkim=pass (2048 \\) bits) header.i=@client.example header.b=ab==",
            "mx.shop.example;\r\n spf = pass (a (b) c)\r\n smtp.mailfrom=\"a;b\"@bounces.client.example",
            "mx7.farm.example; spf=pass smtp.mail=a@client.example",
            "mx.shop.example; dmarc=none; dkim=pass header.d=client.example",
        ] {
            check(&[value], Verdict::Vouched);
        }
        check(
            &[
                "mx.shop.example; dmarc=fail (p=none) header.from=client.example; dkim=pass header.d=client.example",
            ],
            Verdict::Forged,
        );
    }

    #[test]
    fn nobody_else_is() {
        for value in [
            "",
            "mx.evil.example; dmarc=pass header.from=client.example",
            "shop.example; dmarc=pass header.from=client.example",
            "farm.example; dmarc=pass header.from=client.example",
            "evil-farm.example; dmarc=pass header.from=client.example",
            "dmarc=pass header.from=client.example",
            "mx.shop.example (dmarc=pass); none",
            "mx.shop.example; dmarc=pass header.from=evil.example",
            "mx.shop.example; dmarc=fail header.from=evil.example",
            "mx.shop.example; dkim=pass header.d=evil.example",
            "mx.shop.example; dkim=pass header.d=notclient.example",
            "mx.shop.example; dkim=pass header.d=example",
            "mx.shop.example; spf=pass smtp.helo=client.example",
            "mx.shop.example; spf=softfail smtp.mailfrom=client.example",
            "mx.shop.example; reason=\"; dmarc=pass header.from=client.example",
            "mx.shop.example; (dmarc=pass header.from=client.example",
            "mx.shop.example; x=\"a\\\"; dmarc=pass header.from=client.example; y=\\\"\"",
        ] {
            check(&[value], Verdict::Unknown);
        }
        check(
            &[
                "mx.evil.example; dmarc=none",
                "mx.shop.example; dmarc=pass header.from=client.example",
            ],
            Verdict::Unknown,
        );
        check(
            &[
                "mx.shop.example; dmarc=fail header.from=client.example",
                "mx.shop.example; dmarc=pass header.from=client.example",
            ],
            Verdict::Forged,
        );
        check(&[], Verdict::Unknown);
    }

    #[test]
    fn a_registry_signs_for_nobody() {
        assert!(!is_aligned("co.uk", "shop.co.uk"));
        assert!(!is_aligned("evil.com.ru", "com.ru"));
        assert!(is_aligned("mail.shop.co.uk", "shop.co.uk"));
        assert!(is_aligned("shop.ru", "news.shop.ru"));
    }
}
