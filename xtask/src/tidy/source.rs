//! A Rust file cut into code, comments and string literals, which is as much of the language as the rules need.

/// One piece of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) kind: Kind,
    /// Where it begins, counted from 1.
    pub(super) line: usize,
    /// Without the quotes, for a string.
    pub(super) text: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Code,
    Comment,
    Text,
}

pub(super) struct Source<'a> {
    pub(super) path: &'a str,
    pub(super) pieces: Vec<Piece<'a>>,
    /// Line of the `#[cfg(test)]` that begins the tests, which stand last in a file.
    tests_from: usize,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a str, text: &'a str) -> Self {
        let is_test_file =
            path.ends_with("tests.rs") || path.starts_with("tests/") || path.contains("/tests/");
        let tests_from = if is_test_file { 0 } else { first_line_of_tests(text) };
        Self { path, pieces: cut(text), tests_from }
    }

    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Piece<'a>> {
        self.pieces.iter().filter(move |it| it.kind == kind)
    }

    /// Whether that line is part of what users run.
    pub(super) fn is_production(&self, line: usize) -> bool {
        line < self.tests_from
    }

    /// How many lines users run.
    pub(super) fn n_production_lines(&self, text: &str) -> usize {
        text.lines().count().min(self.tests_from.saturating_sub(1))
    }
}

fn first_line_of_tests(text: &str) -> usize {
    let mut lines = text.lines().zip(1..).peekable();
    while let Some((line, n)) = lines.next() {
        // An item for tests alone may stand anywhere; the module with the tests is the rest of the file.
        if line == "#[cfg(test)]"
            && lines.peek().is_some_and(|(next, _)| next.starts_with("mod ") && next.ends_with('{'))
        {
            return n;
        }
    }
    usize::MAX
}

/// Line on which `offset` of a piece lies.
pub(super) fn line_at(piece: &Piece<'_>, offset: usize) -> usize {
    piece.line + piece.text.bytes().take(offset).filter(|b| *b == b'\n').count()
}

fn cut(text: &str) -> Vec<Piece<'_>> {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let mut line = 1;
    let mut code_from = 0;
    let mut at = 0;
    while at < bytes.len() {
        let Some((kind, open, close)) = literal_at(bytes, at) else {
            at += char_literal_len(bytes, at).unwrap_or(1);
            continue;
        };
        let inner_end = close.find_in(bytes, at + open).unwrap_or(bytes.len());
        let end = (inner_end + close.len()).min(bytes.len());
        push(&mut pieces, Kind::Code, &text[code_from..at], &mut line);
        line += count_lines(&text[at..at + open]);
        push(&mut pieces, kind, &text[at + open..inner_end], &mut line);
        line += count_lines(&text[inner_end..end]);
        at = end;
        code_from = end;
    }
    push(&mut pieces, Kind::Code, &text[code_from..], &mut line);
    pieces
}

fn push<'a>(pieces: &mut Vec<Piece<'a>>, kind: Kind, text: &'a str, line: &mut usize) {
    if !text.is_empty() {
        pieces.push(Piece { kind, line: *line, text });
    }
    *line += count_lines(text);
}

fn count_lines(text: &str) -> usize {
    text.bytes().filter(|b| *b == b'\n').count()
}

/// How a comment or string ends.
enum Close {
    Line,
    Block,
    Quote,
    RawQuote { hashes: usize },
}

impl Close {
    fn len(&self) -> usize {
        match self {
            Self::Line => 0,
            Self::Block => 2,
            Self::Quote => 1,
            Self::RawQuote { hashes } => 1 + hashes,
        }
    }

    fn find_in(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut at = from;
        while at < bytes.len() {
            let found = match self {
                Self::Line => bytes[at] == b'\n',
                Self::Block => bytes[at..].starts_with(b"*/"),
                Self::Quote if bytes[at] == b'\\' => {
                    at += 2;
                    continue;
                }
                Self::Quote => bytes[at] == b'"',
                Self::RawQuote { hashes } => {
                    bytes[at] == b'"' && bytes[at + 1..].iter().take_while(|b| **b == b'#').count() >= *hashes
                }
            };
            if found {
                return Some(at);
            }
            at += 1;
        }
        None
    }
}

/// What begins at `at`: its kind, the length of its opening, and how it ends.
fn literal_at(bytes: &[u8], at: usize) -> Option<(Kind, usize, Close)> {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return Some((Kind::Comment, 2, Close::Line));
    }
    if rest.starts_with(b"/*") {
        return Some((Kind::Comment, 2, Close::Block));
    }
    let follows_a_name = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    let prefix = rest.iter().take_while(|b| matches!(b, b'r' | b'b' | b'c')).count();
    if rest.get(prefix).is_some_and(|b| matches!(b, b'"' | b'#'))
        && rest[..prefix].contains(&b'r')
        && !follows_a_name
    {
        let hashes = rest[prefix..].iter().take_while(|b| **b == b'#').count();
        if rest.get(prefix + hashes) == Some(&b'"') {
            return Some((Kind::Text, prefix + hashes + 1, Close::RawQuote { hashes }));
        }
    }
    (rest[0] == b'"').then_some((Kind::Text, 1, Close::Quote))
}

/// Length of a character literal such as `'"'` or `'\''`, which must not be taken for the start of a string.
fn char_literal_len(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes[at..].strip_prefix(b"'")?;
    let inner = if rest.first()? == &b'\\' { 2 } else { 1 };
    let close = rest.iter().skip(inner).take(10).position(|b| *b == b'\'')?;
    // A lifetime has no closing quote right behind its first letter; a long character does within its few bytes.
    (rest[0] == b'\\' || close == 0 || !rest[0].is_ascii()).then_some(1 + inner + close + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str, kind: Kind) -> Vec<(usize, &str)> {
        cut(source).into_iter().filter(|it| it.kind == kind).map(|it| (it.line, it.text)).collect()
    }

    #[test]
    fn strings_comments_and_code_are_told_apart() {
        let source = "let a = \"one // \\\" two\"; // three \"four\"\nlet b = r#\"five \"\nsix\"#;\n/* seven\n */ \"eight\"";
        assert_eq!(texts(source, Kind::Text), [(1, "one // \\\" two"), (2, "five \"\nsix"), (5, "eight")]);
        assert_eq!(texts(source, Kind::Comment), [(1, " three \"four\""), (4, " seven\n ")]);
        assert_eq!(texts(source, Kind::Code)[0], (1, "let a = "));
    }

    #[test]
    fn quotes_as_characters_and_lifetimes_open_nothing() {
        for source in ["'\"' x", "'\\'' x", "b'\"' x", "fn f<'a>(x: &'a str)", "'ü' x", "'\\u{22}' x"] {
            assert_eq!(texts(source, Kind::Text), [], "{source}");
        }
        assert_eq!(texts("f::<'a>(\"b\")", Kind::Text), [(1, "b")]);
    }

    #[test]
    fn cutting_loses_nothing_but_the_quotes() {
        for (path, text) in crate::tidy::House::read(crate::root()).unwrap().ending(".rs") {
            let pieces = cut(text);
            assert!(pieces.windows(2).all(|pair| pair[0].line <= pair[1].line), "{path}");
            let last = pieces.last().unwrap();
            assert_eq!(last.line + count_lines(last.text), 1 + count_lines(text), "{path}");
        }
    }
}
