//! Links between the project's pages lead somewhere.

use std::sync::LazyLock;

use regex::Regex;

use super::{Finding, House};

static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\]\(([^)\s]+)(?:\s+[^)]*)?\)").expect("the pattern is constant"));

pub(super) fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in house.ending(".md") {
        for (line, n) in prose(text) {
            for link in LINK.captures_iter(line) {
                findings.extend(explain(house, path, &link[1]).map(|text| Finding {
                    file: path.to_owned(),
                    line: n,
                    rule: "links",
                    text,
                }));
            }
        }
    }
    findings
}

/// Lines outside of code blocks, counted from 1.
fn prose(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut is_code = false;
    text.lines().zip(1..).filter(move |(line, _)| {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        !is_code && !line.starts_with("    ")
    })
}

fn explain(house: &House, from: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None; // Other people's pages come and go; a test must not depend on them.
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let resolved = if file.is_empty() { Some(from.to_owned()) } else { resolve(from, file) };
    let Some(target) = resolved else {
        return Some(format!("the link {link} leads out of the project"));
    };
    if !house.has(&target) {
        return Some(format!("the link {link} leads nowhere: there is no {target}"));
    }
    let anchor = anchor.filter(|_| target.ends_with(".md"))?;
    let text = house.find(&target).unwrap_or_default();
    let has_heading = prose(text).any(|(line, _)| line.starts_with('#') && slug(line) == anchor);
    (!has_heading)
        .then(|| format!("the link {link} leads nowhere: {target} has no heading that makes #{anchor}"))
}

/// The path that `link` means when it stands in the file `from`.
fn resolve(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = if link.starts_with('/') { Vec::new() } else { from.split('/').collect() };
    parts.pop();
    for part in link.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    Some(parts.join("/"))
}

/// How GitHub and mdBook turn a heading into an anchor.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_link(link: &str, is_fine: bool) {
        let page = format!("See [it]({link}).\n\n    [code](gone.md)\n");
        let house =
            House::of(&[("docs/a/page.md", &page), ("docs/b.md", "# B: it\n"), ("crates/x/src/lib.rs", "")]);
        assert_eq!(check(&house).is_empty(), is_fine, "{link}");
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        for link in ["../b.md", "../b.md#b-it", "../../crates/x", "page.md", "https://example.org/gone"] {
            check_link(link, true);
        }
        for link in ["b.md", "../b.md#c", "../../crates/y", "#nothing", "../../../b.md#x"] {
            check_link(link, false);
        }
    }
}
