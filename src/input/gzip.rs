//! Gzip of many members, as crawls have one a record: behind one that is damaged the next is looked for.

use flate2::bufread::GzDecoder;
use std::fmt;
use std::io::{BufRead, Read};

/// How a member begins: its mark and the only method there is.
const HEAD: [u8; 3] = [0x1f, 0x8b, 8];

/// Something was passed over; reading may go on.
#[derive(Debug)]
pub(super) struct Skipped(String);

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Skipped {}

/// Whether reading may go on behind an error.
pub(super) fn goes_on(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|source| source.is::<Skipped>())
}

/// The members of a stream, one after another.
pub(super) struct Members {
    /// `None` while the next member is looked for, and at the end.
    member: Option<GzDecoder<Box<dyn BufRead>>>,
    rest: Option<Box<dyn BufRead>>,
}

impl Members {
    pub(super) fn new(stream: Box<dyn BufRead>) -> Self {
        Self { member: Some(GzDecoder::new(stream)), rest: None }
    }
}

impl Read for Members {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let Some(member) = &mut self.member else {
                let Some(mut rest) = self.rest.take() else { return Ok(0) };
                // Some writers fill up with zeros.
                loop {
                    let chunk = rest.fill_buf()?;
                    let num_zeros = chunk.iter().take_while(|byte| **byte == 0).count();
                    if chunk.is_empty() {
                        return Ok(0);
                    }
                    if num_zeros == 0 {
                        break;
                    }
                    rest.consume(num_zeros);
                }
                // What is no member must not take the head of the next with it.
                let chunk = rest.fill_buf()?;
                if chunk.len() >= HEAD.len() && !chunk.starts_with(&HEAD) {
                    let error = std::io::Error::new(std::io::ErrorKind::InvalidData, "no gzip member begins here");
                    if !find_head(&mut rest)? {
                        return Err(error);
                    }
                    self.rest = Some(rest);
                    return Err(std::io::Error::new(error.kind(), Skipped(error.to_string())));
                }
                self.member = Some(GzDecoder::new(rest));
                continue;
            };
            match member.read(buffer) {
                Ok(0) if !buffer.is_empty() => self.rest = self.member.take().map(GzDecoder::into_inner),
                Ok(len) => return Ok(len),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Err(error),
                Err(error) => {
                    let Some(mut rest) = self.member.take().map(GzDecoder::into_inner) else { return Err(error) };
                    if !find_head(&mut rest)? {
                        return Err(error);
                    }
                    self.rest = Some(rest);
                    return Err(std::io::Error::new(error.kind(), Skipped(error.to_string())));
                }
            }
        }
    }
}

/// Passes over bytes up to what may begin a member; whether there is one.
fn find_head(stream: &mut Box<dyn BufRead>) -> std::io::Result<bool> {
    // The stream may stand at the mark of the member that was just given up.
    let mut num_passed = 0;
    loop {
        let chunk = stream.fill_buf()?;
        if chunk.is_empty() {
            return Ok(false);
        }
        // A mark across two chunks is given up: chunks are much longer than most members.
        let from = usize::from(num_passed == 0).min(chunk.len());
        match memchr::memmem::find(&chunk[from..], &HEAD) {
            Some(found) => {
                let at = from + found;
                let flags = chunk.get(at + 3).copied().unwrap_or(0);
                let is_head = flags & 0xe0 == 0;
                let len = if is_head { at } else { at + 1 };
                num_passed += len;
                stream.consume(len);
                if is_head {
                    return Ok(true);
                }
            }
            None => {
                let len = chunk.len();
                num_passed += len;
                stream.consume(len);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn member(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    /// What is read, with `?` where reading goes on behind damage and `!` where it does not.
    fn read(bytes: Vec<u8>) -> String {
        let mut members = Members::new(Box::new(std::io::Cursor::new(bytes)));
        let (mut out, mut buffer) = (Vec::new(), [0; 64]);
        loop {
            match members.read(&mut buffer) {
                Ok(0) => break,
                Ok(len) => out.extend_from_slice(&buffer[..len]),
                Err(error) if goes_on(&error) => out.push(b'?'),
                Err(_) => {
                    out.push(b'!');
                    break;
                }
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn behind_damage_the_next_member_is_read() {
        let (one, two, three) = (member("one"), member("two"), member("three"));
        assert_eq!(read([&one[..], &two, &three].concat()), "onetwothree");
        let mut torn = two.clone();
        torn[14] ^= 0x55;
        let read_torn = read([&one[..], &torn, &three].concat());
        assert!(read_torn.starts_with("one") && read_torn.ends_with("?three"), "{read_torn}");
        // What is cut off within its head takes the head of the next with it.
        assert!(read([&one[..], &two[..8], &three, &member("four")].concat()).ends_with("four"));
        assert!(read([&one[..], &two[..two.len() - 2]].concat()).ends_with('!'));
        assert_eq!(read([&one[..], b"padding", &three].concat()), "one?three");
        assert_eq!(read([&one[..], b"padding"].concat()), "one!");
        assert_eq!(read([&one[..], &[0; 9], &three, &[0; 9]].concat()), "onethree");
        assert_eq!(read(Vec::new()), "!");
    }
}
