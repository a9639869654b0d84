//! The quick way through a line of a feed: a flat JSON object of texts, whole numbers and literals, its marks found 64
//! bytes at a time. Whatever is not of that kind is left to the general reader, and so is all that is wrong.

use crate::bits::{CHUNK_LEN, kernel, widest};
use crate::fields::{FieldNames, Found, Value};

/// Where the marks of a line stand, a bit a byte: double quotes, backslashes and control characters.
#[derive(Debug, Default)]
pub(super) struct Marks {
    words: Vec<u64>,
}

macro_rules! mark {
    ($lanes:path, $chunks:ident, $words:ident) => {{
        use $lanes as lanes;
        for (chunk, word) in $chunks.iter().zip($words) {
            let chunk = lanes::load(chunk);
            *word = lanes::equal(chunk, b'"') | lanes::equal(chunk, b'\\') | lanes::within(chunk, 0, b' ');
        }
    }};
}
kernel! {
    /// Sets the bits of each chunk.
    fn mark_chunks(chunks: &[[u8; CHUNK_LEN]], words: &mut [u64]) = mark;
}

impl Marks {
    fn fill(&mut self, line: &[u8]) {
        let (chunks, rest) = line.as_chunks::<CHUNK_LEN>();
        self.words.clear();
        self.words.resize(chunks.len() + 1, 0);
        mark_chunks(widest(), chunks, &mut self.words);
        let mut last = [b' '; CHUNK_LEN];
        last[..rest.len()].copy_from_slice(rest);
        mark_chunks(widest(), &[last], &mut self.words[chunks.len()..]);
    }

    /// The first mark from `at` on.
    #[inline]
    fn next(&self, at: usize) -> Option<usize> {
        let mut word = at / CHUNK_LEN;
        let mut bits = self.words.get(word)? >> (at % CHUNK_LEN) << (at % CHUNK_LEN);
        while bits == 0 {
            word += 1;
            bits = *self.words.get(word)?;
        }
        Some(word * CHUNK_LEN + bits.trailing_zeros() as usize)
    }
}

/// What a line holds of an article; `None` where the general reader has to look.
pub(super) fn read_flat(line: &[u8], fields: &FieldNames, marks: &mut Marks) -> Option<Found> {
    let text = std::str::from_utf8(line).ok()?;
    marks.fill(line);
    let mut reader = Reader { text, bytes: line, at: 0, marks };
    let mut found = Found::default();
    reader.take(b'{')?;
    if reader.peek()? != b'}' {
        loop {
            let key = reader.key()?;
            reader.take(b':')?;
            match fields.find(key) {
                Some((field, wish)) => found.put(field, wish, reader.value()?),
                None => drop(reader.value()?),
            }
            match reader.peek()? {
                b',' => reader.at += 1,
                _ => break,
            }
        }
    }
    reader.take(b'}')?;
    reader.pass_over_space();
    (reader.at == line.len()).then_some(found)
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    marks: &'a Marks,
}

impl<'a> Reader<'a> {
    fn pass_over_space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        self.pass_over_space();
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// A key without escapes.
    fn key(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let start = self.at;
        let end = self.marks.next(start)?;
        self.at = end + 1;
        (self.bytes[end] == b'"').then(|| &self.text[start..end])
    }

    fn value(&mut self) -> Option<Value> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.string().map(Value::Text)
            }
            b'0'..=b'9' => self.whole().map(Value::Whole),
            b'n' => self.literal("null").map(|()| Value::Null),
            b't' => self.literal("true").map(|()| Value::Other("true or false")),
            b'f' => self.literal("false").map(|()| Value::Other("true or false")),
            _ => None,
        }
    }

    fn literal(&mut self, word: &str) -> Option<()> {
        self.bytes[self.at..].starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    /// A whole number that certainly fits.
    fn whole(&mut self) -> Option<i64> {
        let digits = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let figure = &self.text[self.at..self.at + digits];
        self.at += digits;
        let is_plain = digits <= 18 && (digits == 1 || !figure.starts_with('0'));
        let goes_on = matches!(self.bytes.get(self.at), Some(b'.' | b'e' | b'E'));
        if is_plain && !goes_on { figure.parse().ok() } else { None }
    }

    /// The text up to the closing quote, which is passed over.
    fn string(&mut self) -> Option<String> {
        let (start, end) = (self.at, self.end_of_string()?);
        self.at = end + 1;
        let mut mark = self.marks.next(start)?;
        if mark == end {
            return Some(self.text[start..end].to_string());
        }
        let mut out = String::with_capacity(end - start);
        let mut kept = start;
        while mark < end {
            out.push_str(&self.text[kept..mark]);
            let (c, len) = self.escape(mark + 1)?;
            out.push(c);
            kept = mark + 1 + len;
            mark = self.marks.next(kept)?;
        }
        out.push_str(&self.text[kept..end]);
        Some(out)
    }

    /// Where the string ends that begins here.
    fn end_of_string(&self) -> Option<usize> {
        let mut at = self.at;
        loop {
            let mark = self.marks.next(at)?;
            match self.bytes[mark] {
                b'"' => return Some(mark),
                // Whatever is escaped, a quote too, is passed over; what it means is seen later.
                b'\\' => at = mark + 2,
                // A control character.
                _ => return None,
            }
        }
    }

    /// What stands behind a backslash, and how long it is.
    fn escape(&self, at: usize) -> Option<(char, usize)> {
        Some(match self.bytes.get(at)? {
            b'n' => ('\n', 1),
            byte @ (b'"' | b'\\' | b'/') => (char::from(*byte), 1),
            b't' => ('\t', 1),
            b'r' => ('\r', 1),
            b'b' => ('\u{8}', 1),
            b'f' => ('\u{c}', 1),
            b'u' => {
                let unit = self.unit(at + 1)?;
                if (0xd800..0xdc00).contains(&unit) && self.bytes.get(at + 5..at + 7) == Some(b"\\u") {
                    let pair = [unit, self.unit(at + 7)?];
                    return Some((char::decode_utf16(pair).next()?.ok()?, 11));
                }
                (char::from_u32(u32::from(unit))?, 5)
            }
            _ => return None,
        })
    }

    /// Four hexadecimal digits.
    fn unit(&self, at: usize) -> Option<u16> {
        let digits = self.bytes.get(at..at + 4)?;
        digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)? as u16))
    }
}
