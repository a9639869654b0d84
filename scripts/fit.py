#!/usr/bin/env python3
"""Fit the verdict that ships: labelled pairs to src/profile/builtin/news.toml.

    scripts/fit.py SETS FEED [--without NAME ...] [-o PROFILE]

SETS is a folder of labelled sets, each NAME.docs.jsonl.gz (articles) and NAME.pairs.tsv (id, id, `same` or
`different`, the set's own label). The pairs of the fixture families are added. Pairs are weighted so that
each set and label counts as stated in WEIGHTS, whatever its size, and handed to `samestory calibrate`.

FEED is an unlabelled feed (JSON lines, may be compressed) with `source` and `published`. Two of its candidates from one
wire service that lie more than three days apart are taken as `different`: a wire repeats its frames every day (rates,
dividends, market reports), but not its news after three days. Two within a day whose figures all agree and whose
wording does, are `same`. Time apart is therefore no term of the fit.

Needs Python 3.8 and target/release/samestory.
"""

import argparse
import functools
import gzip
import hashlib
import itertools
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / "target" / "release" / "samestory"

# What the pairs of a set weigh together, by label: `same` over all its notes but those named apart.
WEIGHTS = {
    "l2r_news": {"same": 400},
    "onestop": {"same": 250},
    "wmt_news": {"same": 250},
    "f3": {"same": 50},
    "llmfake": {"same": 400, "different": 500},
    "sheepdog": {"same": 250},
    "giveme5w1h": {"same": 10, "different": 400},
    "fnc1_test": {"same": 100, "different": 500},
    "cnn_lite": {"same": 500, "different": 700},
    "fixtures": {"same": 1600, "different": 2400},
    "feed": {"same": 300, "different": 2000},
}
# The source in the feed that is a wire service, and how many of its pairs are drawn at most.
WIRE = "reuters"
NUM_FEED_PAIRS = 6000
# Two texts that share this much of the shorter's five-word runs were not written apart. In these sets many a pair that is
# labelled `different` is such: they are left out.
COPIED = 0.05
WITH_COPIES = {"fnc1_test"}

# Kinds whose pairs say nothing of either label: neither is a telling of the other's part.
SKIPPED = [{"brief", "excerpt"}, {"excerpt", "heavy"}, {"excerpt", "moderate"}, {"brief", "roundup"}, {"excerpt", "roundup"}]


@functools.lru_cache(maxsize=None)
def pairs_of(name, sets, feed):
    """Pairs of one set as (id, id, label, note); found once a run, and not to be changed."""
    if name == "fixtures":
        return list(fixture_pairs())
    if name == "feed":
        with tempfile.TemporaryDirectory() as folder:
            return feed_pairs(feed, folder)
    pairs = list(set_pairs(sets, name))
    if name in WITH_COPIES:
        texts = texts_of(sets, name)
        pairs = [p for p in pairs if p[2] == "same" or not shares_copied_text(texts[p[0]], texts[p[1]])]
    return pairs


def set_pairs(folder, name):
    """Pairs of a labelled set."""
    for line in (folder / f"{name}.pairs.tsv").read_text(encoding="utf-8").splitlines():
        first, second, label, note = line.split("\t")
        yield first, second, label, note


def runs(text):
    """The five-word runs of a text, with how often each stands in it."""
    words = re.findall(r"\w+", text.lower())
    return Counter(tuple(words[i : i + 5]) for i in range(len(words) - 4))


def shares_copied_text(first, second):
    """Whether two texts share so many five-word runs that one was copied in part."""
    first, second = set(runs(first)), set(runs(second))
    return len(first & second) >= COPIED * max(1, min(len(first), len(second)))


def texts_of(folder, name):
    """The texts of a labelled set by id."""
    with gzip.open(folder / f"{name}.docs.jsonl.gz", "rt", encoding="utf-8") as lines:
        return {article["id"]: article["text"] for article in map(json.loads, lines)}


def fixture_pairs():
    """Pairs within each fixture family."""
    families = {}
    for line in (ROOT / "fixtures" / "gold.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        families.setdefault(row["family"], []).append(row)
    for members in families.values():
        for a, b in itertools.combinations(members, 2):
            kinds = {a["kind"], b["kind"]}
            if kinds in SKIPPED:
                continue
            label = "same" if a["cluster"] == b["cluster"] else "different"
            yield a["id"], b["id"], label, "-".join(sorted(kinds))


def feed_pairs(feed, folder):
    """Pairs of a wire service labelled by time apart and figures, drawn from the candidates of a run over the feed."""
    pairs, links, out = (Path(folder) / name for name in ("pairs.jsonl", "links.jsonl", "clusters.jsonl"))
    run = [BINARY, "cluster", feed, "-o", out, "--pairs", pairs, "--links", links, "--quiet"]
    subprocess.run(run, check=True)
    unpack = [BINARY, "dedup", feed, "-o", "-", "--level", "exact", "--quiet"]
    opened = subprocess.run(unpack, check=True, capture_output=True)
    times = {}
    for line in opened.stdout.splitlines():
        article = json.loads(line)
        if article.get("source") == WIRE and article.get("published"):
            try:
                stamp = article["published"].split(".")[0].strip()
                times[article["id"]] = datetime.strptime(stamp, "%d-%b-%Y %H:%M:%S")
            except ValueError:
                continue  # a damaged time: the article is not used
    rows = []
    for path in (pairs, links):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            evidence = row.get("evidence")
            if not evidence or row["a"] not in times or row["b"] not in times:
                continue
            hours = abs((times[row["a"]] - times[row["b"]]).total_seconds()) / 3600
            if hours > 72 and evidence["shingle_jaccard"] < 0.8:
                rows.append((row["a"], row["b"], "different", "apart"))
            elif hours < 24 and evidence["number_jaccard"] == 1 and evidence["shingle_jaccard"] >= 0.5:
                rows.append((row["a"], row["b"], "same", "agreeing"))
    rows.sort(key=lambda row: hashlib.sha256(f"{row[0]} {row[1]}".encode()).hexdigest())
    return rows[:NUM_FEED_PAIRS]


def half(groups, pair):
    """Whether a pair's group falls in the first half, by hash of its smallest member."""
    return int(hashlib.sha256(groups[pair[0]].encode()).hexdigest(), 16) % 2 == 0


def group_names(pairs):
    """For each id the smallest id among those linked to it by pairs."""
    name = {}

    def find(x):
        while name.setdefault(x, x) != x:
            x = name[x]
        return x

    for a, b, *_ in pairs:
        low, high = sorted((find(a), find(b)))
        name[high] = low
    return {x: find(x) for x in list(name)}


def labelled(sets, feed, without=(), families_without=()):
    """Weighted pairs of all sets but those in `without` and the fixture families in `families_without`, and the files
    that hold their articles. Of cnn_lite the first half."""
    rows, articles = [], [ROOT / "fixtures" / "feed.jsonl"]
    for name, weights in WEIGHTS.items():
        if name in without:
            continue
        pairs = pairs_of(name, sets, feed)
        if name == "cnn_lite":
            groups = group_names(pairs)
            pairs = [p for p in pairs if half(groups, p)]
        elif name == "fixtures":
            pairs = [p for p in pairs if p[0].split("/")[0] not in families_without]
        if name == "feed":
            articles.append(feed)
        elif name != "fixtures":
            articles.append(sets / f"{name}.docs.jsonl.gz")
        for label, total in weights.items():
            of_label = [p for p in pairs if p[2] == label]
            rows += [(*p, f"{total / len(of_label):.6f}") for p in of_label]
    return rows, articles


def calibrate(rows, articles, path, output, note, *options):
    """Writes the rows to `path` and fits a profile on them."""
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    command = [BINARY, "calibrate", path, *articles, "-o", output, "--note", note, *options]
    return subprocess.run(command, check=False).returncode


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path)
    parser.add_argument("feed", type=Path)
    parser.add_argument("--without", nargs="*", default=[], metavar="NAME")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "src" / "profile" / "builtin" / "news.toml")
    parser.add_argument("--pairs", type=Path, help="also keep the pairs as a file")
    args = parser.parse_args()

    rows, articles = labelled(args.sets, args.feed, args.without)
    used = [name for name in WEIGHTS if name not in args.without]
    note = f"scripts/fit.py over {', '.join(used)} (of cnn_lite one half by running story); {len(rows)} pairs"
    with tempfile.TemporaryDirectory() as folder:
        return calibrate(rows, articles, args.pairs or Path(folder) / "pairs.tsv", args.output, note)


if __name__ == "__main__":
    sys.exit(main())
