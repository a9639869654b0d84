#!/usr/bin/env python3
"""Build and check the wire families under fixtures/families.

    scripts/fixtures.py build             write fixtures/feed.jsonl and fixtures/gold.jsonl
    scripts/fixtures.py check [FILE ...]  check that each text is of the kind it claims to be
    scripts/fixtures.py check --built     also check that feed and gold are what `build` writes

A family file holds texts under headers of the form

    === kind | source | YYYY-MM-DD HH:MM | title

Needs Python 3.8 and nothing else.
"""

import hashlib
import json
import re
import sys
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FAMILIES = ROOT / "fixtures" / "families"
FEED = ROOT / "fixtures" / "feed.jsonl"
GOLD = ROOT / "fixtures" / "gold.jsonl"

TELLINGS = ["base", "light", "moderate", "heavy", "brief", "version", "excerpt"]
LOOK_ALIKES = ["same_event", "followup", "reuse", "template", "roundup"]
REQUIRED = ["base", "light", "moderate", "heavy", "brief", "version", "same_event", "followup"]
STOP = set(
    "a an the of to in on at by for with from and or but as that this these those is are was were be been "
    "it its he she they his her their had has have will would could said says say not no than which who after "
    "before into over about up out more one two also".split()
)


class Text:
    """One text of a family."""

    def __init__(self, kind, source, published, title, body):
        self.kind, self.source, self.published, self.title = kind, source, published, title
        self.body = body.strip()
        self.words = words(self.body)
        self.paragraphs = [p for p in re.split(r"\n\s*\n", self.body) if p.strip()]


def words(text):
    """Lower-cased words and figures."""
    return re.findall(r"[a-z0-9]+(?:[.,'][a-z0-9]+)*", text.lower().replace("’", "'"))


def content(text):
    """The set of words that are not stop words."""
    return {w for w in words(text) if w not in STOP}


def sentences(text):
    """Sentences, roughly: good enough to look for copied ones."""
    return [s for s in re.split(r"(?<=[.!?])[\"”’]?\s+|\n+", text) if s.strip()]


def shingles(tokens, size):
    """The set of runs of `size` tokens."""
    return {tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1)}


def jaccard(a, b):
    """Share of the union that both sets hold; 0 for two empty sets."""
    return len(a & b) / len(a | b) if a or b else 0.0


def covered(text, other, size=5):
    """Share of `text`'s words that lie in a run of `size` words also found in `other`."""
    known = shingles(other.words, size)
    marks = [False] * len(text.words)
    for i in range(len(text.words) - size + 1):
        if tuple(text.words[i : i + size]) in known:
            for j in range(i, i + size):
                marks[j] = True
    return sum(marks) / max(1, len(marks))


def plain_runs(text):
    """Word runs outside quotes and names: quotes, names and figures cut a run."""
    text = re.sub(r"[\"“][^\"”]*[\"”]", " | ", text)
    runs, run = [], []
    for sentence in sentences(text):
        for i, word in enumerate(re.findall(r"[A-Za-z0-9][\w.,'’&-]*|\|", sentence)):
            is_name = i > 0 and word[0].isupper()
            if word == "|" or is_name or word[0].isdigit():
                runs.append(run)
                run = []
            else:
                run.append(words(word)[0] if words(word) else "")
        runs.append(run)
        run = []
    return runs


def shared_plain_run(a, b, size):
    """A run of `size` words outside names and quotes that both texts hold, or None."""
    known = set()
    for run in plain_runs(a.body):
        known |= shingles(run, size)
    for run in plain_runs(b.body):
        for shingle in shingles(run, size):
            if shingle in known:
                return " ".join(shingle)
    return None


def reused_sentence(text, base):
    """A sentence of base, of six words or more, of which text repeats most three-word runs."""
    known = shingles(text.words, 3)
    for sentence in sentences(base.body):
        tokens = words(sentence)
        runs = shingles(tokens, 3)
        if len(tokens) >= 6 and len(runs & known) > 0.5 * len(runs):
            return sentence.strip()
    return None


def figures(text):
    """The figures of a text."""
    return {w.replace(",", "") for w in text.words if w[0].isdigit()}


def read_family(path):
    """The texts of one family file, in order; raises ValueError naming the line."""
    texts, header, lines = [], None, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("==="):
            if header:
                texts.append(Text(*header, "\n".join(lines)))
            fields = [f.strip() for f in line[3:].split("|")]
            if len(fields) != 4:
                raise ValueError(f"{path}:{number}: a header has four fields, this has {len(fields)}")
            if fields[0] not in TELLINGS + LOOK_ALIKES:
                raise ValueError(f"{path}:{number}: unknown kind '{fields[0]}'")
            datetime.strptime(fields[2], "%Y-%m-%d %H:%M")
            header, lines = fields, []
        elif header is None and line.strip():
            raise ValueError(f"{path}:{number}: text before the first header")
        else:
            lines.append(line)
    if header:
        texts.append(Text(*header, "\n".join(lines)))
    return texts


def check_family(path):
    """Complaints about one family, as text lines."""
    texts = read_family(path)
    by_kind = {}
    out = []
    for text in texts:
        if text.kind in by_kind:
            out.append(f"{text.kind}: stands twice")
        by_kind[text.kind] = text
    for kind in REQUIRED:
        if kind not in by_kind:
            out.append(f"{kind}: missing")
    if not {"reuse", "template"} & set(by_kind):
        out.append("neither reuse nor template")
    base = by_kind.get("base")
    if base is None:
        return out

    def want(kind, what, value, low, high):
        if not low <= value <= high:
            out.append(f"{kind}: {what} is {value:.2f}, wanted {low} to {high}")

    base5 = shingles(base.words, 5)
    lead = base.paragraphs[0]
    want("base", "words", len(base.words), 240, 700)
    for text in texts:
        if text is base:
            continue
        kind = text.kind
        j5 = jaccard(base5, shingles(text.words, 5))
        lead_shared = len(content(lead) & content(text.paragraphs[0])) / max(1, len(content(lead)))
        if kind == "light":
            want(kind, "five-word Jaccard with base", j5, 0.33, 0.9)
        elif kind == "moderate":
            want(kind, "five-word Jaccard with base", j5, 0.04, 0.33)
            want(kind, "words", len(text.words), 160, 700)
        elif kind == "heavy":
            run = shared_plain_run(base, text, 6)
            if run:
                out.append(f"heavy: shares the run '{run}' with base")
            want(kind, "five-word Jaccard with base", j5, 0.0, 0.02)
            want(kind, "words", len(text.words), 180, 700)
            want(kind, "share of base's figures kept", len(figures(base) & figures(text)) / max(1, len(figures(base))), 0.45, 1)
        elif kind == "brief":
            want(kind, "words", len(text.words), 55, 115)
            want(kind, "five-word Jaccard with base", j5, 0.0, 0.08)
        elif kind == "version":
            want(kind, "five-word Jaccard with base", j5, 0.45, 0.97)
            want(kind, "share of base's lead kept", lead_shared, 0.75, 1)
            if figures(text) == figures(base):
                out.append("version: no figure was changed or added")
        elif kind == "excerpt":
            want(kind, "share of words from base", covered(text, base), 0.9, 1)
            want(kind, "words", len(text.words), 50, 0.5 * len(base.words))
            want(kind, "share of base's lead kept", lead_shared, 0, 0.35)
        elif kind in ("same_event", "followup"):
            sentence = reused_sentence(text, base)
            if sentence:
                out.append(f"{kind}: reuses base's sentence '{sentence}'")
            want(kind, "words", len(text.words), 180, 700)
        elif kind == "reuse":
            want(kind, "share of words from base", covered(text, base), 0.25, 0.45)
            want(kind, "share of base's lead in the new lead", lead_shared, 0, 0.4)
            known = shingles(text.words, 5)
            lead_runs = shingles(words(lead), 5)
            want(kind, "share of base's lead copied", len(lead_runs & known) / max(1, len(lead_runs)), 0, 0.2)
        elif kind == "template":
            want(kind, "five-word Jaccard with base", j5, 0.03, 0.45)
            both = figures(base) & figures(text)
            want(kind, "share of its figures that are base's", len(both) / max(1, len(figures(text))), 0, 0.5)
        elif kind == "roundup":
            want(kind, "words", len(text.words), 200, 900)
            want(kind, "share of words from base", covered(text, base), 0.0, 0.5)
    return out


def load_all():
    """Every family in name order, with its texts."""
    return [(p.stem, read_family(p)) for p in sorted(FAMILIES.glob("*.txt"))]


def built():
    """The bytes of feed.jsonl and gold.jsonl."""
    rows = []
    for family, texts in load_all():
        for text in texts:
            ident = f"{family}/{text.kind}"
            cluster = family if text.kind in TELLINGS else ident
            published = text.published.replace(" ", "T") + ":00Z"
            order = hashlib.sha256(ident.encode()).hexdigest()
            article = {"id": ident, "title": text.title, "text": text.body, "source": text.source, "published": published}
            gold = {"id": ident, "cluster": cluster, "kind": text.kind, "family": family}
            rows.append((order, article, gold))
    rows.sort(key=lambda row: row[0])

    def lines(column):
        return "".join(json.dumps(row[column], ensure_ascii=False) + "\n" for row in rows).encode()

    return lines(1), lines(2)


def main(args):
    """Entry point; returns the exit code."""
    if args[:1] == ["build"]:
        feed, gold = built()
        FEED.write_bytes(feed)
        GOLD.write_bytes(gold)
        print(f"{FEED.relative_to(ROOT)}: {feed.count(10)} articles, {len(feed)} bytes")
        return 0
    if args[:1] != ["check"]:
        print(__doc__, file=sys.stderr)
        return 2
    failed = 0
    paths = [Path(a) for a in args[1:] if not a.startswith("-")] or sorted(FAMILIES.glob("*.txt"))
    for path in paths:
        for complaint in check_family(path):
            failed += 1
            print(f"{path.stem}: {complaint}")
    if "--built" in args and built() != (FEED.read_bytes(), GOLD.read_bytes()):
        failed += 1
        print("fixtures/feed.jsonl or gold.jsonl is not what `build` writes")
    print(f"{len(paths)} families checked, {failed} complaints")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
