//! The elements of one item, to be asked for by name.

use super::markup::{TextSink, Token, Tokens, attribute, local, unescape};
use std::borrow::Cow;
use std::cell::Cell;

/// Elements within one another, at most: a document that goes deeper was made to do harm.
const MAX_DEPTH: usize = 200;

/// An element or a text.
#[derive(Debug)]
struct Node<'a> {
    /// The element's name with its prefix; empty for a text.
    name: &'a str,
    /// The element's attributes, or the text.
    content: &'a str,
    is_raw: bool,
    /// The first node behind this one that is not within it.
    end: usize,
}

/// What an item holds, in its order.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    /// Whether something had to be mended, as far as it was looked at.
    is_mended: Cell<bool>,
}

/// An element of a tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'t, 'a> {
    tree: &'t Tree<'a>,
    at: usize,
}

impl<'a> Tree<'a> {
    /// Reads an item. An element that is not closed ends with what it is in; an end without a beginning is none.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        let mut nodes: Vec<Node<'a>> = Vec::with_capacity(text.len() / 64 + 4);
        let mut open: Vec<usize> = Vec::new();
        let mut is_mended = false;
        let mut tokens = Tokens::new(text);
        for token in tokens.by_ref() {
            match token {
                Token::Start { name, attributes, is_empty } => {
                    if !is_empty {
                        if open.len() == MAX_DEPTH {
                            return Err(format!("elements nested more than {MAX_DEPTH} deep"));
                        }
                        open.push(nodes.len());
                    }
                    let end = nodes.len() + 1;
                    nodes.push(Node { name, content: attributes, is_raw: false, end });
                }
                Token::End { name } => match open.iter().rposition(|at| nodes[*at].name == name) {
                    Some(depth) => {
                        is_mended |= depth + 1 < open.len();
                        for at in open.drain(depth..) {
                            nodes[at].end = nodes.len();
                        }
                    }
                    None => is_mended = true,
                },
                Token::Text(content) => nodes.push(Node { name: "", content, is_raw: false, end: nodes.len() + 1 }),
                Token::Raw(content) => nodes.push(Node { name: "", content, is_raw: true, end: nodes.len() + 1 }),
            }
        }
        is_mended |= !open.is_empty() || tokens.is_mended;
        for at in open {
            nodes[at].end = nodes.len();
        }
        Ok(Self { nodes, is_mended: Cell::new(is_mended) })
    }

    /// Whether something had to be mended so far.
    pub(super) fn is_mended(&self) -> bool {
        self.is_mended.get()
    }

    /// The first element that is not within another.
    pub(super) fn root(&self) -> Option<Element<'_, 'a>> {
        let at = self.nodes.iter().position(|node| !node.name.is_empty())?;
        Some(Element { tree: self, at })
    }
}

impl<'t, 'a> Element<'t, 'a> {
    /// The name without its prefix.
    pub(super) fn name(self) -> &'a str {
        local(self.tree.nodes[self.at].name)
    }

    /// The name with its prefix.
    pub(super) fn full_name(self) -> &'a str {
        self.tree.nodes[self.at].name
    }

    /// An attribute, by its name without prefix.
    pub(super) fn attribute(self, name: &str) -> Option<Cow<'a, str>> {
        attribute(self.tree.nodes[self.at].content, name)
    }

    /// The elements directly within this one.
    pub(super) fn children(self) -> impl Iterator<Item = Element<'t, 'a>> {
        let tree = self.tree;
        let end = tree.nodes[self.at].end;
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            while at < end {
                let found = at;
                at = tree.nodes[at].end;
                if !tree.nodes[found].name.is_empty() {
                    return Some(Element { tree, at: found });
                }
            }
            None
        })
    }

    /// All elements within this one, in their order.
    pub(super) fn descendants(self) -> impl Iterator<Item = Element<'t, 'a>> {
        let tree = self.tree;
        let range = self.at + 1..tree.nodes[self.at].end;
        range.filter(move |at| !tree.nodes[*at].name.is_empty()).map(move |at| Element { tree, at })
    }

    /// The first element within this one with that name, its prefix aside.
    pub(super) fn find(self, name: &str) -> Option<Element<'t, 'a>> {
        self.descendants().find(|element| element.name() == name)
    }

    /// The text directly within this element, white space at its ends left out.
    pub(super) fn own_text(self) -> String {
        let mut out = String::new();
        let end = self.tree.nodes[self.at].end;
        let mut at = self.at + 1;
        while at < end {
            let node = &self.tree.nodes[at];
            if node.name.is_empty() {
                let (text, is_mended) = if node.is_raw { (node.content.into(), false) } else { unescape(node.content) };
                out.push_str(&text);
                self.tree.is_mended.set(self.tree.is_mended.get() | is_mended);
            }
            at = node.end;
        }
        if out.trim().len() == out.len() { out } else { out.trim().to_string() }
    }

    /// The text of all within this element, its elements taken for those of a text.
    pub(super) fn all_text(self) -> String {
        let mut sink = TextSink::default();
        let end = self.tree.nodes[self.at].end;
        // Elements that are open, with where they end.
        let mut open: Vec<(usize, &str)> = Vec::new();
        for at in self.at + 1..end {
            while let Some((_, name)) = open.pop_if(|(end, _)| *end <= at) {
                sink.end(name);
            }
            let node = &self.tree.nodes[at];
            if node.name.is_empty() {
                if node.is_raw { sink.raw(node.content) } else { sink.text(node.content) }
            } else {
                let is_empty = node.end == at + 1;
                sink.start(node.name, is_empty);
                if !is_empty {
                    open.push((node.end, node.name));
                }
            }
        }
        self.tree.is_mended.set(self.tree.is_mended.get() | sink.is_mended);
        sink.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found() {
        let tree = Tree::parse("<x:item a='1'><b>one</b><c><b>two</b><d/></c> three</x:item>").unwrap();
        let root = tree.root().unwrap();
        assert_eq!((root.name(), root.full_name(), root.attribute("a").as_deref()), ("item", "x:item", Some("1")));
        assert_eq!(root.children().map(Element::name).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(root.descendants().map(Element::name).collect::<Vec<_>>(), ["b", "c", "b", "d"]);
        assert_eq!(root.find("c").unwrap().find("b").unwrap().own_text(), "two");
        assert_eq!((root.own_text().as_str(), tree.is_mended()), ("three", false));
    }

    #[test]
    fn what_is_not_closed_ends_with_what_it_is_in() {
        let tree = Tree::parse("<item><b>one<c>two</item>").unwrap();
        let root = tree.root().unwrap();
        assert_eq!(root.find("b").unwrap().own_text(), "one");
        assert!(tree.is_mended() && Tree::parse("<item></b></item>").unwrap().is_mended());
        assert!(Tree::parse(&"<b>".repeat(1000)).is_err());
        assert!(Tree::parse("no element").unwrap().root().is_none());
    }
}
