//! Markup as feeds have it: XML that may be broken, HTML in fragments. Nothing in it is an error; what is damaged is
//! read as far as it goes, and said to be mended.
//!
//! A strict reader loses a whole item to one bare `&`. No entity but characters is known: what a document declares is not
//! looked at, so that nothing is fetched and nothing grows.

use std::borrow::Cow;

/// A piece of markup. Comments, declarations and instructions are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Start {
        name: &'a str,
        attributes: &'a str,
        is_empty: bool,
    },
    End {
        name: &'a str,
    },
    /// Text in which `&` begins a reference.
    Text(&'a str),
    /// Text in which nothing has a meaning.
    Raw(&'a str),
}

/// Cuts text into tokens.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    text: &'a str,
    /// Whether something was no markup that is allowed.
    pub(super) is_mended: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, is_mended: false }
    }

    fn take(&mut self, len: usize) -> &'a str {
        let (taken, rest) = self.text.split_at(len);
        self.text = rest;
        taken
    }

    /// Takes what goes up to `end` and it, all where it has no end; without `end`.
    fn take_to(&mut self, end: &str) -> &'a str {
        match memchr::memmem::find(self.text.as_bytes(), end.as_bytes()) {
            Some(at) => {
                let taken = self.take(at);
                self.take(end.len());
                taken
            }
            None => {
                self.is_mended = true;
                self.take(self.text.len())
            }
        }
    }

    /// Text up to the next `<` that may begin a tag; one that stands at the beginning may not.
    fn take_text(&mut self, from: usize) -> Token<'a> {
        let bytes = self.text.as_bytes();
        let end = memchr::memchr(b'<', &bytes[from..]).map_or(bytes.len(), |at| from + at);
        Token::Text(self.take(end))
    }

    fn tag(&mut self) -> Token<'a> {
        let bytes = self.text.as_bytes();
        let is_end = bytes.get(1) == Some(&b'/');
        let from = 1 + usize::from(is_end);
        let is_name = bytes.get(from).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_' || *b >= 0x80);
        let Some(end) = is_name.then(|| tag_end(bytes)).flatten() else {
            self.is_mended = true;
            return self.take_text(1);
        };
        let tag = self.take(end + 1);
        let inner = &tag[from..end];
        let is_empty = inner.ends_with('/');
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let name_len = inner.find(|c: char| c.is_ascii_whitespace()).unwrap_or(inner.len());
        let (name, attributes) = inner.split_at(name_len);
        if is_end { Token::End { name } } else { Token::Start { name, attributes, is_empty } }
    }
}

/// Where a tag ends: at the first `>` outside of quotes; of quotes that do not close, at the first of all.
fn tag_end(bytes: &[u8]) -> Option<usize> {
    let first = memchr::memchr(b'>', bytes)?;
    let mut at = 1;
    while let Some(found) = memchr::memchr3(b'"', b'\'', b'>', &bytes[at..]) {
        let mark = at + found;
        if bytes[mark] == b'>' {
            return Some(mark);
        }
        match memchr::memchr2(bytes[mark], b'<', &bytes[mark + 1..]) {
            Some(close) if bytes[mark + 1 + close] == bytes[mark] => at = mark + 1 + close + 1,
            _ => break,
        }
    }
    Some(first)
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if self.text.is_empty() {
                return None;
            }
            if !self.text.starts_with('<') {
                return Some(self.take_text(0));
            }
            if self.text.starts_with("<![CDATA[") {
                self.take(9);
                return Some(Token::Raw(self.take_to("]]>")));
            } else if self.text.starts_with("<!--") {
                self.take(4);
                self.take_to("-->");
            } else if self.text.starts_with("<!") || self.text.starts_with("<?") {
                self.take_to(">");
            } else {
                return Some(self.tag());
            }
        }
    }
}

/// A name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// The value of an attribute, by its name without prefix.
pub(super) fn attribute<'a>(attributes: &'a str, wanted: &str) -> Option<Cow<'a, str>> {
    let mut rest = attributes;
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim().rsplit(|c: char| c.is_ascii_whitespace()).next().unwrap_or("");
        let after = after.trim_start();
        let (value, then) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
            _ => after.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((after, "")),
        };
        if name == wanted || local(name) == wanted {
            return Some(unescape(value).0);
        }
        rest = then;
    }
}

/// Text with its references as the characters they are; whether one was none, and stays as it is.
pub(super) fn unescape(text: &str) -> (Cow<'_, str>, bool) {
    let Some(first) = memchr::memchr(b'&', text.as_bytes()) else {
        return (Cow::Borrowed(text), false);
    };
    let mut out = String::with_capacity(text.len());
    let (mut is_mended, mut rest) = (false, &text[first..]);
    out.push_str(&text[..first]);
    while let Some(name) = rest.strip_prefix('&') {
        let (meant, after) = match reference(name) {
            Some((meant, len)) => (meant, &name[len..]),
            None => {
                is_mended = true;
                (Cow::Borrowed("&"), name)
            }
        };
        out.push_str(&meant);
        let next = memchr::memchr(b'&', after.as_bytes()).unwrap_or(after.len());
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    (Cow::Owned(out), is_mended)
}

/// Longest name of a character that is looked for.
const MAX_NAME_LEN: usize = 32;

/// What the reference means that begins behind a `&`, and how long it is.
fn reference(text: &str) -> Option<(Cow<'static, str>, usize)> {
    let end = text.bytes().take(MAX_NAME_LEN).position(|b| b == b';')?;
    let name = &text[..end];
    let meant = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            // Numbers of control characters are, as in HTML, those of Windows.
            let c = match code.ok()? {
                code @ 0x80..=0x9f => encoding_rs::WINDOWS_1252.decode(&[code as u8]).0.chars().next()?,
                0..0x20 => ' ',
                code => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
            };
            Cow::Owned(c.to_string())
        }
        None => Cow::Borrowed(quick_xml::escape::resolve_html5_entity(name)?),
    };
    Some((meant, end + 1))
}

/// What parts two words, from least to most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    Line,
    Paragraph,
}

/// Gathers the text of markup: paragraphs parted by a blank line, white space otherwise of no meaning.
#[derive(Debug, Default)]
pub(super) struct TextSink {
    out: String,
    gap: Gap,
    /// Elements open within one whose text is none.
    num_hidden: usize,
    pub(super) is_mended: bool,
}

/// Elements that are no part of the story's text.
fn is_hidden(name: &str) -> bool {
    const HIDDEN: [&str; 11] = [
        "script",
        "style",
        "head",
        "title",
        "template",
        "figcaption",
        "media",
        "media-caption",
        "noscript",
        "svg",
        "iframe",
    ];
    HIDDEN.iter().any(|hidden| name.eq_ignore_ascii_case(hidden))
}

/// Elements that stand by themselves.
fn gap_of(name: &str) -> Gap {
    const PARAGRAPHS: [&str; 28] = [
        "p",
        "div",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hl1",
        "hl2",
        "ul",
        "ol",
        "dl",
        "table",
        "blockquote",
        "section",
        "article",
        "header",
        "footer",
        "aside",
        "figure",
        "pre",
        "hr",
        "block",
        "main",
        "nav",
        "form",
        "body",
    ];
    const LINES: [&str; 6] = ["br", "li", "tr", "dt", "dd", "caption"];
    let among = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
    if name.len() > 10 {
        Gap::None
    } else if among(&PARAGRAPHS) {
        Gap::Paragraph
    } else if among(&LINES) {
        Gap::Line
    } else if name.eq_ignore_ascii_case("td") || name.eq_ignore_ascii_case("th") {
        Gap::Space
    } else {
        Gap::None
    }
}

impl TextSink {
    pub(super) fn start(&mut self, name: &str, is_empty: bool) {
        let name = local(name);
        if is_hidden(name) && !is_empty {
            self.num_hidden += 1;
        }
        self.gap = self.gap.max(gap_of(name));
    }

    pub(super) fn end(&mut self, name: &str) {
        let name = local(name);
        if is_hidden(name) {
            self.num_hidden = self.num_hidden.saturating_sub(1);
        }
        self.gap = self.gap.max(gap_of(name));
    }

    /// Text in which `&` begins a reference.
    pub(super) fn text(&mut self, text: &str) {
        let (text, is_mended) = unescape(text);
        self.is_mended |= is_mended;
        self.raw(&text);
    }

    pub(super) fn raw(&mut self, text: &str) {
        if self.num_hidden > 0 {
            return;
        }
        let is_space = |b: &u8| *b <= b' ' || *b == 0x7f;
        let mut rest = text;
        while !rest.is_empty() {
            let bytes = rest.as_bytes();
            let word = bytes.iter().position(is_space).unwrap_or(bytes.len());
            if word > 0 {
                let gap = match std::mem::take(&mut self.gap) {
                    _ if self.out.is_empty() => "",
                    Gap::None => "",
                    Gap::Space => " ",
                    Gap::Line => "\n",
                    Gap::Paragraph => "\n\n",
                };
                self.out.push_str(gap);
                self.out.push_str(&rest[..word]);
            }
            let space = bytes[word..].iter().take_while(|b| is_space(b)).count();
            if space > 0 {
                self.gap = self.gap.max(Gap::Space);
            }
            rest = &rest[word + space..];
        }
    }

    /// A fragment of HTML.
    pub(super) fn markup(&mut self, html: &str) {
        let mut tokens = Tokens::new(html);
        for token in tokens.by_ref() {
            match token {
                Token::Start { name, is_empty, .. } => self.start(name, is_empty),
                Token::End { name } => self.end(name),
                Token::Text(text) => self.text(text),
                Token::Raw(text) => self.raw(text),
            }
        }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}

/// The text of a fragment of HTML, or of a plain text: its blank lines stay, where it has no tags.
pub(super) fn text_of(html: &str) -> String {
    if !html.contains('<') {
        return unescape(html).0.trim().to_string();
    }
    let mut sink = TextSink::default();
    sink.markup(html);
    sink.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_paragraphs() {
        for (html, text) in [
            ("<p>Rain &amp; sun.</p>\n  <p>More<br/>rain.</p>", "Rain & sun.\n\nMore\nrain."),
            ("One <b>bold</b>word", "One boldword"),
            ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
            ("<p>a</p><script>if (x<y) { '<p>' }</script><p>b</p>", "a\n\nb"),
            ("a &lt; b &#8220;c&#x201d; &eacute; &#150;", "a < b \u{201c}c\u{201d} é –"),
            ("AT&T, R&D; &unknown;", "AT&T, R&D; &unknown;"),
            ("5 < 6 and 7 <8", "5 < 6 and 7 <8"),
            ("<p title=\"a > b\">x</p>", "x"),
            ("<p title=\"a >x</p>", "x"),
            ("<![CDATA[<b> & ]]>", "<b> &"),
            ("<!-- <p>no</p> --><p>yes", "yes"),
            ("plain\n\ntext", "plain\n\ntext"),
            ("a\0b <i>c</i>", "a b c"),
            ("", ""),
            ("<", "<"),
            ("</", "</"),
            ("<p", "<p"),
            ("&", "&"),
            ("&#xffffffff;&#0;<b>", "\u{fffd}"),
        ] {
            assert_eq!(text_of(html).trim_end(), text, "{html}");
        }
    }

    #[test]
    fn attributes_are_found() {
        let attributes = r#" xml:lang="en-GB" qcode='stat:canceled' plain=x empty="" title="a&quot;b" "#;
        for (name, value) in
            [("lang", "en-GB"), ("qcode", "stat:canceled"), ("plain", "x"), ("empty", ""), ("title", "a\"b")]
        {
            assert_eq!(attribute(attributes, name).as_deref(), Some(value));
        }
        assert_eq!(attribute(attributes, "absent"), None);
        assert_eq!(attribute("a=\"b", "a").as_deref(), Some("b"));
    }

    proptest::proptest! {
        #[test]
        fn anything_is_read(text in "[<>&;/!\\[\\]a-p\"'=#x0-9 é\\-?]{0,80}") {
            let _ = text_of(&text);
            let _ = attribute(&text, "a");
        }
    }
}
