//! IPTC NewsML-G2 and NITF.

use super::item::{Aside, Draft, stated};
use super::markup::text_of;
use super::text::decode_as;
use super::tree::{Element, Tree};
use super::xml::XmlHead;

/// Elements of a NewsML-G2 message that are items.
pub(super) const ITEMS: &[&str] =
    &["newsItem", "packageItem", "conceptItem", "knowledgeItem", "planningItem", "catalogItem"];

/// An item of NewsML-G2.
pub(super) fn parse_newsml(raw: &[u8], head: &XmlHead) -> Result<Draft, String> {
    let (text, is_mended) = decode_as(raw, head.encoding);
    let tree = Tree::parse(&text)?;
    let Some(item) = tree.root() else { return Err("no element in it".to_string()) };
    let mut draft = Draft::default();
    let own = |name: &str| item.attribute(name).and_then(|value| stated(value.into_owned()));
    draft.id = own("guid");
    draft.version = own("version");
    draft.language = own("lang");
    if item.name() != "newsItem" {
        draft.set_aside(Aside::Package);
    }
    if let Some(meta) = item.find("itemMeta") {
        for part in meta.children() {
            match part.name() {
                "itemClass" => draft.set_type(&code(part).unwrap_or_default()),
                "provider" => draft.source = draft.source.take().or_else(|| named(part)),
                "versionCreated" => draft.published = stated(part.own_text()),
                "firstCreated" => draft.published = draft.published.take().or_else(|| stated(part.own_text())),
                "embargoed" => draft.embargoed = stated(part.own_text()),
                "pubStatus" => draft.set_status(&code(part).unwrap_or_default()),
                "profile" => draft.set_genre(&part.own_text()),
                "title" => draft.title = draft.title.take().or_else(|| stated(part.own_text())),
                _ => {}
            }
        }
    }
    if let Some(meta) = item.find("contentMeta") {
        let mut headline = None;
        for part in meta.children() {
            match part.name() {
                "headline"
                    if headline.is_none() || part.attribute("role").is_some_and(|role| role.ends_with("main")) =>
                {
                    headline = stated(part.all_text()).or(headline);
                }
                "slugline" => draft.slug = draft.slug.take().or_else(|| stated(part.own_text())),
                "language" => {
                    let tag = part.attribute("tag").and_then(|tag| stated(tag.into_owned()));
                    draft.language = tag.or(draft.language.take());
                }
                "infoSource" | "creditline" => draft.source = draft.source.take().or_else(|| named(part)),
                "genre" => {
                    for genre in [code(part), named(part)].into_iter().flatten() {
                        draft.set_genre(&genre);
                    }
                }
                _ => {}
            }
        }
        draft.title = headline.or(draft.title);
    }
    if let Some(content) = item.find("contentSet") {
        for part in content.children() {
            draft.text = match part.name() {
                "inlineXML" => inline(part, &mut draft),
                "inlineData" => text_of(&part.own_text()),
                _ => continue,
            };
            if !draft.text.is_empty() {
                break;
            }
        }
    }
    draft.is_mended = is_mended || tree.is_mended();
    Ok(draft)
}

/// The text of what is embedded: NITF or XHTML.
fn inline(element: Element<'_, '_>, draft: &mut Draft) -> String {
    if element.children().any(|child| child.name() == "nitf") {
        if draft.title.is_none() {
            draft.title = element.find("hl1").and_then(|line| stated(line.all_text()));
        }
        return nitf_body(element);
    }
    element.find("body").unwrap_or(element).all_text()
}

/// The paragraphs of a document in NITF.
fn nitf_body(element: Element<'_, '_>) -> String {
    let mut text = String::new();
    for body in element.descendants().filter(|part| part.name() == "body.content") {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&body.all_text());
    }
    text
}

/// A code, by whichever attribute it is said.
fn code(element: Element<'_, '_>) -> Option<String> {
    ["qcode", "code", "literal", "uri"].iter().find_map(|name| stated(element.attribute(name)?.into_owned()))
}

/// A name: as a name, as text, or as a code.
fn named(element: Element<'_, '_>) -> Option<String> {
    let name = element.find("name").and_then(|name| stated(name.own_text()));
    name.or_else(|| stated(element.own_text())).or_else(|| {
        let literal = element.attribute("literal").map(|text| text.into_owned());
        let code = literal.or_else(|| code(element).map(|code| code.rsplit(':').next().unwrap_or(&code).to_string()));
        code.and_then(stated)
    })
}

/// A document in NITF.
pub(super) fn parse_nitf(raw: &[u8], head: &XmlHead) -> Result<Draft, String> {
    let (text, is_mended) = decode_as(raw, head.encoding);
    let tree = Tree::parse(&text)?;
    let Some(nitf) = tree.root() else { return Err("no element in it".to_string()) };
    let language = nitf.attribute("lang").and_then(|tag| stated(tag.into_owned()));
    let mut draft = Draft { language, ..Draft::default() };
    let of = |element: Element<'_, '_>, name: &str| element.attribute(name).and_then(|v| stated(v.into_owned()));
    let (mut headline, mut distributor, mut released) = (None, None, None);
    for part in nitf.descendants() {
        match part.name() {
            "doc-id" => {
                draft.id = draft.id.or_else(|| of(part, "id-string"));
                draft.source = draft.source.or_else(|| of(part, "regsrc"));
            }
            "docdata" => draft.set_status(&of(part, "management-status").unwrap_or_default()),
            "date.issue" => draft.published = draft.published.or_else(|| of(part, "norm")),
            "date.release" => released = released.or_else(|| of(part, "norm")),
            "du-key" => {
                draft.slug = draft.slug.or_else(|| of(part, "key"));
                draft.version = draft.version.or_else(|| of(part, "version")).or_else(|| of(part, "generation"));
            }
            "tobject" => {
                let kind = of(part, "tobject.type").unwrap_or_default();
                draft.set_type(&kind);
                draft.set_genre(&kind);
            }
            "meta" if of(part, "name").as_deref() == Some("slug") => {
                draft.slug = draft.slug.or_else(|| of(part, "content"))
            }
            "hl1" => headline = headline.or_else(|| stated(part.all_text())),
            "title" => draft.title = draft.title.or_else(|| stated(part.own_text())),
            "distributor" => distributor = distributor.or_else(|| stated(part.all_text())),
            "body" => draft.language = draft.language.or_else(|| of(part, "lang")),
            _ => {}
        }
    }
    draft.title = headline.or(draft.title);
    draft.source = distributor.or(draft.source);
    draft.published = draft.published.or_else(|| released.clone());
    // A release is an embargo where it is later than the issue.
    draft.embargoed = released;
    draft.text = nitf_body(nitf);
    draft.is_mended = is_mended || tree.is_mended();
    Ok(draft)
}
