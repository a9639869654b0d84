#!/usr/bin/env python3
"""Check every relative link, and every anchor, of Markdown and HTML.

    scripts/links.py [--within FOLDER] FILE|FOLDER...
    scripts/links.py --test

Names each link to a file that is not there, to an anchor that its file does not have, and, with --within, out of that
folder; any of them is a failure, and so is a run that found no link. Addresses on the network are not asked. --test
makes pages with good links and with one broken in each way, and fails unless each broken one, and no good one, is named.
"""

import argparse
import re
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.S | re.M)
CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.S)
INLINE = re.compile(r"\]\(\s*<?([^\s)>]+)>?(?:\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)")
DEFINED = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)", re.M)
HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.M)


class Page(HTMLParser):
    """What a page links to, and which anchors it has."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src") and value is not None:
                self.links.append(value)
            elif name == "id" or (name == "name" and tag == "a"):
                self.anchors.add(value)


def anchor_of(heading):
    """The anchor that a heading gets: lower case, without marks and punctuation, with dashes for blanks."""
    heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def read(path):
    """The links and the anchors of a file."""
    text = path.read_text(encoding="utf-8")
    page = Page("")
    if path.suffix == ".md":
        text = FENCE.sub("", text)
        for match in HEADING.finditer(text):
            base = anchor = anchor_of(match[1])
            number = 0
            while anchor in page.anchors:
                number += 1
                anchor = f"{base}-{number}"
            page.anchors.add(anchor)
        text = CODE.sub("", text)
        page.links += INLINE.findall(text) + DEFINED.findall(text)
    page.feed(text)
    return page.links, page.anchors


def broken(files, within=None):
    """What is wrong with the links of these files, a line each, and how many links there are."""
    known, wrong, number = {}, [], 0

    def anchors(path):
        if path not in known:
            known[path] = read(path)[1]
        return known[path]

    for path in files:
        links, known[path.resolve()] = read(path)
        for link in links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            number += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            anchor = unquote(parts.fragment)
            if parts.path.startswith("/"):
                wrong.append(f"{path}: {link}: not relative")
            elif within and not target.is_relative_to(within.resolve()):
                wrong.append(f"{path}: {link}: leads out of {within}")
            elif not target.exists():
                wrong.append(f"{path}: {link}: no such file")
            elif anchor and target.suffix in (".md", ".html") and anchor not in anchors(target):
                wrong.append(f"{path}: {link}: no such anchor")
    return wrong, number


def test():
    good = """# One & `two`\n\n## Again\n\n## Again\n
[a](other.md) [b](other.md#there) ![c](p.png "title") [d](#one--two) [e](#again-1) <a href="page.html#x">f</a>
[g](https://example.org/none) [h][i] `[code](none.md)`\n\n[i]: other.md\n\n```md\n[fenced](none.md)\n## No heading\n```\n"""
    bad = {
        "[x](none.md)": "none.md: no such file",
        "![x](none.png)": "none.png: no such file",
        "[x](other.md#nowhere)": "other.md#nowhere: no such anchor",
        "[x](#no-heading)": "#no-heading: no such anchor",
        "[x](page.html#y)": "page.html#y: no such anchor",
        "[x]: none.md": "none.md: no such file",
        '<img src="none.png">': "none.png: no such file",
        "[x](../outside.md)": "../outside.md: leads out of",
        "[x](/other.md)": "/other.md: not relative",
    }
    with tempfile.TemporaryDirectory() as folder:
        outer, inner = Path(folder), Path(folder) / "in"
        inner.mkdir()
        (outer / "outside.md").write_text("")
        (inner / "other.md").write_text("Title\n\n# There\n")
        (inner / "p.png").write_bytes(b"")
        (inner / "page.html").write_text('<h1 id="x">x</h1>')
        (inner / "good.md").write_text(good)
        assert broken([inner / "good.md"], inner) == ([], 7), broken([inner / "good.md"], inner)
        for line, complaint in bad.items():
            (inner / "bad.md").write_text(f"{good}\n{line}\n")
            wrong, number = broken([inner / "bad.md"], inner)
            assert number == 8 and len(wrong) == 1 and complaint in wrong[0], (line, wrong, number)
        (inner / "bad.html").write_text('<a href="page.html#x">x</a><a href="page.html#y">y</a><img src="none.png">')
        wrong, number = broken([inner / "bad.html"], inner)
        assert number == 3 and len(wrong) == 2, wrong
    print(f"links.py finds what is broken: {len(bad) + 1} tests passed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", action="store_true", help="check that what is broken is found")
    parser.add_argument("--within", type=Path, metavar="FOLDER", help="where links may lead")
    parser.add_argument("paths", nargs="*", type=Path)
    args = parser.parse_args()
    if args.test:
        return test()
    files = []
    for path in args.paths:
        files += sorted(p for s in ("md", "html") for p in path.rglob(f"*.{s}")) if path.is_dir() else [path]
    wrong, number = broken(files, args.within)
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    if wrong or not number:
        sys.exit(f"{len(wrong)} of {number} links in {len(files)} files are broken")
    print(f"{number} links in {len(files)} files lead somewhere")


if __name__ == "__main__":
    main()
