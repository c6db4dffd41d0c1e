//! The keys of a provider, its OAuth service and its limits, of a rule and of guides: those of the data files are those of
//! `[providers.NAME]`, `[rules.NAME]` and `[guides.KIND.NAME]` in the configuration, checked by these lists.

use regex::bytes::{Regex, RegexBuilder};
use toml::{Table, Value};
use url::Url;

/// One key, and what it takes.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// Ends the sentence "… expected".
    pub(crate) expects: &'static str,
    fits: fn(&Value) -> bool,
}

/// What is wrong with a key.
pub(crate) enum Fault {
    Unknown,
    Value(&'static str),
}

/// The first thing wrong with each key of `table`.
pub(crate) fn faults<'a>(table: &'a Table, keys: &[Key]) -> Vec<(&'a str, Fault)> {
    let fault = |(name, value): (&'a String, &Value)| match keys.iter().find(|key| key.name == name) {
        None => Some((name.as_str(), Fault::Unknown)),
        Some(key) if !(key.fits)(value) => Some((name.as_str(), Fault::Value(key.expects))),
        Some(_) => None,
    };
    table.iter().filter_map(fault).collect()
}

macro_rules! keys {
    ($($list:ident { $($name:literal: $fits:ident, $expects:expr;)+ })+) => {
        $(pub(crate) const $list: &[Key] = &[$(Key { name: $name, expects: $expects, fits: $fits }),+];)+
    };
}

keys! {
    PROVIDER {
        "name": is_line, r#"a name for people, such as "Praxis mail""#;
        "kind": is_word, r#"a word such as "google", whose rules then explain refusals"#;
        "inherits": is_word, r#"the word of a provider, such as "custom""#;
        "domains": are_lines, r#"a list of domains, such as ["praxis.example"]"#;
        "mx_suffixes": are_lines, r#"a list of endings of mail exchangers' names, such as ["mail.example.net"]"#;
        "zones": are_lines, r#"a list of domains, such as ["zoho.com", "zoho.eu"]"#;
        "username": is_user_name_rule, r#""email", "upn", "localpart" or "any""#;
        "username_imap": is_user_name_rule, r#""email", "upn", "localpart" or "any""#;
        "username_pop3": is_user_name_rule, r#""email", "upn", "localpart" or "any""#;
        "smtp": are_servers, r#"a list of servers, such as [{ host = "smtp.example.org", port = 465, tls = "implicit" }]; tls is "implicit" or "starttls""#;
        "imap": are_servers, r#"a list of servers, such as [{ host = "imap.example.org", port = 993, tls = "implicit" }]; tls is "implicit" or "starttls""#;
        "pop3": are_servers, r#"a list of servers, such as [{ host = "pop.example.org", port = 995, tls = "implicit" }]; tls is "implicit" or "starttls""#;
        "sasl_prefer": are_mechanisms, r#"a list of mechanisms, such as ["XOAUTH2", "PLAIN"]; known: PLAIN, LOGIN, XOAUTH2, OAUTHBEARER"#;
        "pop3_auth_two_lines": is_truth, "true or false";
        "saves_sent_copy": is_truth, "true or false";
        "methods": are_methods, r#"a list of methods, such as [{ method = "sign_in", place = "first", when = "client" }, { method = "password", place = "first" }]"#;
        "oauth": is_word, r#"the word of an OAuth service, such as "google", or a section [providers.NAME.oauth]"#;
        "tenant": is_tenant, r#"a tenant, such as "organizations" or "praxis.onmicrosoft.com""#;
        "app_password": is_word, r#"the word of a guide, such as "google""#;
        "limits": is_word, r#"a section [providers.NAME.limits]"#;
    }
    SERVICE {
        "name": is_line, r#"a name for people, such as "Praxis sign-in""#;
        "kind": is_word, r#"a word such as "microsoft", whose rules then explain refusals"#;
        "authorize": is_address, r#"an address such as "https://sso.example.org/authorize""#;
        "token": is_address, r#"an address such as "https://sso.example.org/token""#;
        "revoke": is_address, r#"an address such as "https://sso.example.org/revoke""#;
        "userinfo": is_address, r#"an address such as "https://sso.example.org/userinfo""#;
        "revoke_ends_all": is_truth, "true or false";
        "tenants": is_truth, "true or false";
        "issuers": are_lines, r#"a list of issuers, such as ["https://sso.example.org"]"#;
        "sends_issuer": is_truth, "true or false";
        "client_auth": is_client_auth, r#""post", "basic" or "none""#;
        "scopes": are_scopes, r#"lists of scopes, such as { smtp = ["send"], imap = ["read"], lasting = ["offline_access"], identity = ["openid", "email"] }"#;
        "scope_aliases": are_texts_by_name, r#"pairs of scopes, such as { "mail.send" = "send" }"#;
        "scope_words": are_texts_by_name, r#"scopes in words, such as { "send" = "Send mail" }"#;
        "parameters": are_parameters, r#"parameters, such as { access_type = "offline" }; none that the protocol itself uses"#;
        "again": are_parameters, r#"parameters, such as { prompt = "consent" }; none that the protocol itself uses"#;
        "login_hint": is_truth, "true or false";
        "subject": are_lines, r#"a list of claims, such as ["sub"]"#;
        "address": are_lines, r#"a list of claims, such as ["email"]"#;
        "access_lifetime_s": is_count, "a number of seconds";
        "refresh_rotates": is_truth, "true or false";
        "refresh_old_stays_valid": is_truth, "true or false";
        "refresh_idle_days": is_count, "a number of days";
        "loopback": is_loopback, r#""http://127.0.0.1", "http://localhost" or "https://localhost""#;
        "register": is_word, r#"the word of a guide, such as "google""#;
        "error_help": is_address, r#"an address such as "https://sso.example.org/help?code={code}""#;
    }
    LIMITS {
        "smtp_concurrent_connections": is_count, "a number of connections";
        "smtp_messages_per_minute": is_count, "a number of messages";
        "recipients_per_message": is_count, "a number of recipients";
        "message_mb": is_count, "a number of megabytes";
        "imap_connections": is_count, "a number of connections";
        "pop3_connections": is_count, "a number of connections";
    }
    RULE {
        "where": is_protocol, r#""smtp", "imap", "pop3", "oauth" or "http""#;
        "provider": is_word, r#"the kind of a provider, such as "google", or "any""#;
        "elsewhere": is_truth, "true or false";
        "phases": are_phases, r#"a list of "greeting", "hello", "starttls", "auth", "mail", "recipient", "data", "message""#;
        "pattern": is_pattern, "a regular expression for part of the answer, not one that fits every answer";
        "retry": is_retry, r#""now", "backoff", "hold" or "permanent""#;
        "at_least_minutes": is_count, "a number of minutes";
        "who": is_who, r#""owner", "provider_administrator", "app_owner", "sender", "recipient", "provider", "operator" or "gatepost""#;
        "cause": is_sentence, A_SENTENCE;
        "cure": is_sentence, A_SENTENCE;
        "samples": are_samples, r#"a list of answers as the server sends them, such as ["535 5.7.8 Locked"]; for oauth such as [{ error = "invalid_grant", text = "Locked" }]"#;
        "off": is_truth, "true or false";
    }
    WORDS {
        "who": is_who, r#""owner", "provider_administrator", "app_owner", "sender", "recipient", "provider", "operator" or "gatepost""#;
        "cause": is_sentence, A_SENTENCE;
        "cure": is_sentence, A_SENTENCE;
    }
    GUIDE {
        "name": is_line, r#"what the provider calls it, such as "app password""#;
        "steps": are_steps, A_STEP;
        "needs": is_sentence, A_SENTENCE;
        "missing_because": are_sentences, A_LIST_OF_SENTENCES;
        "ends_when": is_sentence, A_SENTENCE;
        "shape": is_line, "a regular expression for the whole app password";
        "shape_words": is_line, r#"the shape in words, such as "16 small letters""#;
        "strip": is_strip, r#""spaces" or "spaces_and_hyphens""#;
        "on_mismatch": is_on_mismatch, r#""warn" or "ignore""#;
    }
    NOTE {
        "since": is_line, r#"a date or a year, such as "2024-09-16""#;
        "text": is_sentence, A_SENTENCE;
        "instead": is_sentence, A_SENTENCE;
        "sending_only": is_truth, "true or false";
    }
    REGISTRATION {
        "name": is_line, r#"what it is, such as "OAuth client at Google""#;
        "steps": are_steps, A_STEP;
        "asks": are_asked, r#"a list of "client_id", "client_secret", "tenant""#;
    }
}

const A_SENTENCE: &str = "one or more full sentences of at most 330 characters: a capital letter in front, a full stop at the end, on one line, without ! ; or arrows";
const A_LIST_OF_SENTENCES: &str = "a list of full sentences of at most 330 characters each: a capital letter in front, a full stop at the end, on one line, without ! ; or arrows";
const A_STEP: &str = r#"a list of steps, such as [{ text = "Open the page of your account.", link = "https://sso.example.org/account" }]; link begins with https://, and the text is a full sentence of at most 330 characters"#;

/// A text that people read beside a cross or in a guide. None of the signs would be read aloud.
pub(crate) fn is_sentence_text(text: &str) -> bool {
    let begins =
        text.chars().next().is_some_and(|it| it.is_alphanumeric() && (!it.is_lowercase() || it == 'i'));
    let is_plain = |it: char| !it.is_control() && !['›', '→', '!', '≤', '≥', ';'].contains(&it);
    begins && text.ends_with('.') && text.chars().all(is_plain) && text.chars().count() <= 330
}

/// As rules match: in any case, on bytes.
pub(crate) fn pattern(text: &str) -> Result<Regex, regex::Error> {
    // Replies are bytes; ASCII classes also keep the automata small.
    RegexBuilder::new(text).case_insensitive(true).unicode(false).build()
}

fn is_sentence(value: &Value) -> bool {
    value.as_str().is_some_and(is_sentence_text)
}

fn are_sentences(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(is_sentence))
}

fn is_pattern(value: &Value) -> bool {
    value.as_str().is_some_and(|it| it.len() <= 1_000 && pattern(it).is_ok_and(|it| !it.is_match(b"")))
}

fn is_protocol(value: &Value) -> bool {
    matches!(value.as_str(), Some("smtp" | "imap" | "pop3" | "oauth" | "http"))
}

fn is_retry(value: &Value) -> bool {
    matches!(value.as_str(), Some("now" | "backoff" | "hold" | "permanent"))
}

fn is_who(value: &Value) -> bool {
    let known = [
        "owner",
        "provider_administrator",
        "app_owner",
        "sender",
        "recipient",
        "provider",
        "operator",
        "gatepost",
    ];
    value.as_str().is_some_and(|it| known.contains(&it))
}

fn are_phases(value: &Value) -> bool {
    let known = ["greeting", "hello", "starttls", "auth", "mail", "recipient", "data", "message"];
    let is_known = |it: &Value| it.as_str().is_some_and(|it| known.contains(&it));
    value.as_array().is_some_and(|items| items.iter().all(is_known))
}

fn are_samples(value: &Value) -> bool {
    let is_sample = |it: &Value| match it {
        Value::String(line) => !line.trim().is_empty(),
        Value::Table(members) => {
            let is_text = |key: &str| members.get(key).is_none_or(Value::is_str);
            members.keys().all(|key| ["error", "suberror", "codes", "text"].contains(&key.as_str()))
                && members.contains_key("error")
                && members.contains_key("text")
                && ["error", "suberror", "text"].into_iter().all(is_text)
        }
        _ => false,
    };
    value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(is_sample))
}

fn is_strip(value: &Value) -> bool {
    matches!(value.as_str(), Some("spaces" | "spaces_and_hyphens"))
}

fn is_on_mismatch(value: &Value) -> bool {
    matches!(value.as_str(), Some("warn" | "ignore"))
}

fn are_asked(value: &Value) -> bool {
    let is_known = |it: &Value| matches!(it.as_str(), Some("client_id" | "client_secret" | "tenant"));
    value.as_array().is_some_and(|items| items.iter().all(is_known))
}

fn are_steps(value: &Value) -> bool {
    let is_copied = |it: &Value| {
        it.as_table().is_some_and(|table| {
            table.keys().all(|key| ["label", "value"].contains(&key.as_str()))
                && ["label", "value"].into_iter().all(|key| table.get(key).is_some_and(is_line))
        })
    };
    let is_step = |it: &Value| {
        let Some(table) = it.as_table() else { return false };
        let link = table.get("link").map(|it| it.as_str().unwrap_or_default().parse::<Url>());
        table.keys().all(|key| ["text", "link", "copy"].contains(&key.as_str()))
            && table.get("text").is_some_and(is_sentence)
            && link.is_none_or(|it| it.is_ok_and(|it| it.scheme() == "https"))
            && table.get("copy").is_none_or(|it| it.as_array().is_some_and(|it| it.iter().all(is_copied)))
    };
    value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(is_step))
}

fn is_line(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|it| !it.trim().is_empty() && it.len() <= 200 && !it.contains(char::is_control))
}

/// Stands in addresses of pages, in rows and on command lines.
fn is_word(value: &Value) -> bool {
    value.as_str().is_some_and(is_plain_word)
}

pub(crate) fn is_plain_word(text: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    (1..=40).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Part of a path, so nothing that could lead out of it.
pub(crate) fn is_tenant_text(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    (1..=253).contains(&text.len())
        && text.bytes().all(is_plain)
        && !text.starts_with('.')
        && !text.contains("..")
}

fn is_tenant(value: &Value) -> bool {
    value.as_str().is_some_and(is_tenant_text)
}

fn is_truth(value: &Value) -> bool {
    value.is_bool()
}

fn is_count(value: &Value) -> bool {
    value.as_integer().is_some_and(|it| (1..=1_000_000_000).contains(&it))
}

fn are_lines(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(is_line))
}

fn is_user_name_rule(value: &Value) -> bool {
    matches!(value.as_str(), Some("email" | "upn" | "localpart" | "any"))
}

fn is_client_auth(value: &Value) -> bool {
    matches!(value.as_str(), Some("post" | "basic" | "none"))
}

fn is_loopback(value: &Value) -> bool {
    matches!(value.as_str(), Some("http://127.0.0.1" | "http://localhost" | "https://localhost"))
}

fn are_mechanisms(value: &Value) -> bool {
    let is_known = |it: &Value| matches!(it.as_str(), Some("PLAIN" | "LOGIN" | "XOAUTH2" | "OAUTHBEARER"));
    value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(is_known))
}

fn are_servers(value: &Value) -> bool {
    let is_server = |it: &Value| {
        let Some(table) = it.as_table() else { return false };
        table.keys().all(|key| ["host", "port", "tls", "evidence", "use"].contains(&key.as_str()))
            && table.get("host").is_some_and(is_line)
            && table.get("port").and_then(Value::as_integer).is_some_and(|it| (1..=65_535).contains(&it))
            && matches!(table.get("tls").and_then(Value::as_str), Some("implicit" | "starttls"))
    };
    value.as_array().is_some_and(|items| items.iter().all(is_server))
}

fn are_methods(value: &Value) -> bool {
    let is_method = |it: &Value| {
        let Some(table) = it.as_table() else { return false };
        let text = |key: &str| table.get(key).map(|it| it.as_str().unwrap_or("?"));
        table.keys().all(|key| ["method", "place", "when", "note"].contains(&key.as_str()))
            && matches!(text("method"), Some("sign_in" | "app_password" | "password"))
            && matches!(text("place"), Some("first" | "also" | "explained"))
            && matches!(text("when"), None | Some("client" | "verified_client"))
            && table.get("note").is_none_or(is_word)
    };
    value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(is_method))
}

/// RFC 6749 §3.3: no spaces, quotes or backslashes.
fn is_scope(value: &Value) -> bool {
    let is_plain = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    value.as_str().is_some_and(|it| !it.is_empty() && it.bytes().all(is_plain))
}

fn are_scopes(value: &Value) -> bool {
    value.as_table().is_some_and(|table| {
        table.iter().all(|(key, scopes)| {
            ["smtp", "imap", "pop3", "lasting", "identity"].contains(&key.as_str())
                && scopes.as_array().is_some_and(|items| items.iter().all(is_scope))
        })
    })
}

fn are_texts_by_name(value: &Value) -> bool {
    value.as_table().is_some_and(|table| table.values().all(is_line))
}

/// Those that would change what the flow proves are not for data to set.
fn are_parameters(value: &Value) -> bool {
    const OURS: &[&str] = &[
        "client_id",
        "client_secret",
        "code_challenge",
        "code_challenge_method",
        "login_hint",
        "nonce",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
    ];
    let is_query = |key: &str, it: &Value| key != "response_mode" || it.as_str() == Some("query");
    value.as_table().is_some_and(|table| {
        table.iter().all(|(key, it)| is_line(it) && !OURS.contains(&key.as_str()) && is_query(key, it))
    })
}

fn is_address(value: &Value) -> bool {
    value.as_str().is_some_and(|text| address(text, "tenant").is_some())
}

/// The address with `{tenant}` and `{code}` filled in: https or http, a host, nobody's name or password, no fragment. The
/// tenant may only stand in the path.
pub(crate) fn address(template: &str, tenant: &str) -> Option<Url> {
    let url: Url = template.replace("{tenant}", tenant).replace("{code}", "1").parse().ok()?;
    let bare = template.replace("/{tenant}/", "/").replace("{code}", "1");
    let bare: Url = bare.parse().ok().filter(|_| !bare.contains("{tenant}"))?;
    let is_plain = matches!(url.scheme(), "https" | "http")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    (is_plain && url.origin() == bare.origin()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_whole_and_hold_the_tenant_in_their_path_alone() {
        for (text, is_one) in [
            ("https://sso.example.org/token", true),
            ("https://sso.example.org/{tenant}/token", true),
            ("http://127.0.0.1:9000/token", true),
            ("https://{tenant}.example.org/token", false),
            ("https://sso.example.org/token?t={tenant}", false),
            ("https://user@sso.example.org/token", false),
            ("https://sso.example.org/token#x", false),
            ("ftp://sso.example.org/token", false),
            ("sso.example.org/token", false),
            ("https://", false),
            ("javascript:alert(1)", false),
        ] {
            assert_eq!(address(text, "tenant").is_some(), is_one, "{text}");
        }
    }

    #[test]
    fn tenants_stay_inside_the_path() {
        for good in
            ["common", "organizations", "11111111-2222-3333-4444-555555555555", "praxis.onmicrosoft.com"]
        {
            assert!(is_tenant_text(good), "{good}");
        }
        for bad in ["", "..", "a/b", "a?b", "a#b", "a b", "a%2Fb", "a..b", ".a", "ä"] {
            assert!(!is_tenant_text(bad), "{bad}");
        }
    }

    #[test]
    fn what_the_flow_proves_is_not_for_data_to_change() {
        for (text, fits) in [
            ("access_type = \"offline\"", true),
            ("response_mode = \"query\"", true),
            ("response_mode = \"fragment\"", false),
            ("state = \"1\"", false),
            ("redirect_uri = \"https://evil.example\"", false),
            ("prompt = 1", false),
        ] {
            let table = Value::Table(text.parse().unwrap());
            assert_eq!(are_parameters(&table), fits, "{text}");
        }
    }
}
