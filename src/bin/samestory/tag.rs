//! Fields put at the end of a feed's line, the rest of its bytes untouched.

/// The line of a JSON object with more fields at its end; a line without an end gets one.
pub(crate) fn with_fields(line: &[u8], fields: &str) -> Vec<u8> {
    let end = line.iter().rposition(|b| *b == b'}').unwrap_or(line.len());
    let (object, rest) = line.split_at(end);
    let comma = if object.trim_ascii_end().ends_with(b"{") { "" } else { "," };
    let line_end: &[u8] = if line.ends_with(b"\n") { b"" } else { b"\n" };
    [object, comma.as_bytes(), fields.as_bytes(), rest, line_end].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_added_at_the_end() {
        let fields = r#""of":"x\"y","is":1"#;
        assert_eq!(with_fields(br#"{"a":1}"#, fields), b"{\"a\":1,\"of\":\"x\\\"y\",\"is\":1}\n");
        assert_eq!(with_fields(b"{ } ", "\"x\":0"), b"{ \"x\":0} \n");
        assert_eq!(with_fields(b"{}\r\n", "\"x\":0"), b"{\"x\":0}\r\n");
    }
}
