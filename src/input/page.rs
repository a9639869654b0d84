//! The article of an HTML page, where the build has the feature `html`.

use super::item::Draft;
use encoding_rs::Encoding;

/// Finds the main text of a page.
#[cfg(feature = "html")]
pub(super) fn parse_page(bytes: &[u8], declared: Option<&'static Encoding>) -> Result<Draft, String> {
    use super::item::stated;
    use super::markup::text_of;
    use super::text::decode_as;

    let (html, is_mended) = decode_as(bytes, declared.or_else(|| declared_within(bytes)));
    let page = dom_smoothie::Readability::new(&*html, None, None).and_then(|mut page| page.parse());
    let page = page.map_err(|error| format!("no article is found in the page: {error}"))?;
    Ok(Draft {
        text: text_of(&page.content),
        title: stated(page.title),
        source: page.site_name.and_then(stated),
        published: page.published_time.and_then(stated),
        url: page.url.and_then(stated),
        language: page.lang.and_then(stated),
        is_mended,
        ..Draft::default()
    })
}

/// The encoding that a page names in its head.
#[cfg(feature = "html")]
fn declared_within(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(4096)].to_ascii_lowercase();
    let at = memchr::memmem::find(&head, b"charset=")? + b"charset=".len();
    let label = head[at..].split(|b| b"\"' />;".contains(b)).find(|part| !part.is_empty())?;
    Encoding::for_label(label)
}

/// Says that this build cannot.
#[cfg(not(feature = "html"))]
pub(super) fn parse_page(_: &[u8], _: Option<&'static Encoding>) -> Result<Draft, String> {
    Err("an HTML page, which this build cannot read: it was made without the feature html".to_string())
}
