//! What keeps a hostile feed text: JSON that can stand in a page, and the hash of the one script that may run.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// A value as JSON for a script element: nothing in it ends the element or the line.
pub(super) fn json(value: &impl Serialize) -> String {
    let plain = serde_json::to_string(value).expect("the page's values are text and numbers");
    let mut out = String::with_capacity(plain.len());
    for c in plain.chars() {
        // In JSON these stand within strings only.
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            _ => out.push(c),
        }
    }
    out
}

/// The hash that a content security policy names a script by: SHA-256 in base64.
pub(super) fn script_hash(script: &str) -> String {
    base64(&Sha256::digest(script.as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i)) as usize & 63] as char;
            out.push(if i <= chunk.len() { digit } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_cannot_end_a_script() {
        let hostile = "</script><!--&\u{2028}\u{2029}\"\\\u{0}";
        let text = json(&hostile);
        assert_eq!(text, r#""\u003c/script\u003e\u003c!--\u0026\u2028\u2029\"\\\u0000""#);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), hostile);
    }

    #[test]
    fn base64_is_the_published_one() {
        // From RFC 4648, section 10.
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        // Of the empty text, from the examples of the policy's specification.
        assert_eq!(script_hash(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
