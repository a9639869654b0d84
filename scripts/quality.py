#!/usr/bin/env python3
"""Measure the verdict on labels it was not fitted on: one table for docs/quality.md.

    scripts/quality.py SETS FEED

SETS and FEED are those of `scripts/fit.py`. Each set is judged under a profile fitted without it, the second half of
cnn_lite under one fitted on the first, each fixture family under one fitted on the others.
A pair counts as joined when `samestory cluster --pairs` over all articles of its set lists it: keys, gates and verdict
take part, clustering does not. The fixtures are clustered and scored by `samestory eval`.

The last column leaves out pairs whose label can be shown to be wrong by the texts alone: `different`, but they share
copied text or the lead (half of the shorter lead's words stand in the other's: the rule by which cnn_lite was labelled);
`same`, but the second is no telling, for it begins within a sentence (a language model went on with a text that was cut)
or says one thing over and over.

Needs Python 3.8 and target/release/samestory.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from fit import (
    BINARY, ROOT, WEIGHTS, calibrate, group_names, half, labelled, runs, set_pairs, shares_copied_text, texts_of,
)

# Words that make a lead, of four letters and more, and the share of them from which two leads are one.
LEAD_LEN, ONE_LEAD = 60, 0.5
# A text repeats itself when this share of its five-word runs stands in it more often than that.
REPEATED, TIMES = 0.2, 3


def read(path):
    """Rows of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def joined_pairs(articles, profile, folder):
    """Pairs of one story among the articles."""
    pairs, out = folder / "pairs.jsonl", folder / "clusters.jsonl"
    run = [BINARY, "cluster", articles, "-o", out, "--pairs", pairs, "--profile", profile, "--quiet"]
    subprocess.run(run, check=True)
    return {frozenset((row["a"], row["b"])) for row in read(pairs)}


def shares_lead(first, second):
    """Whether two texts begin with the same matter."""
    leads = [re.findall(r"\w{4,}", text.lower())[:LEAD_LEN] for text in (first, second)]
    shorter, longer = sorted(leads, key=len)
    words = set(longer)
    return sum(word in words for word in shorter) >= ONE_LEAD * max(1, len(shorter))


def is_mislabelled(label, first, second):
    """Whether the texts of a pair show that its label is wrong."""
    if label == "different":
        return shares_copied_text(first, second) or shares_lead(first, second)
    within_a_sentence = not re.match(r"\W*[A-Z]", second) or second.lstrip()[:1] in ":;,.)"
    counts = runs(second).values()
    repeats_itself = sum(n for n in counts if n > TIMES) > REPEATED * max(1, sum(counts))
    return within_a_sentence or repeats_itself


def fit_without(args, folder, without=(), families=(), options=()):
    """A profile fitted without some sets and fixture families, under further options of `samestory calibrate`."""
    profile = folder / "profile.toml"
    rows, articles = labelled(args.sets, args.feed, without, families)
    if calibrate(rows, articles, folder / "labels.tsv", profile, "quality", "--quiet", *options) != 0:
        sys.exit("samestory calibrate failed")
    return profile


def held_out(name, sets):
    """The pairs of a set that a fit leaves out, and the sets that this fit is without."""
    pairs = list(set_pairs(sets, name))
    if name == "cnn_lite":
        groups = group_names(pairs)
        return [pair for pair in pairs if not half(groups, pair)], ()
    return pairs, (name,)


def judge_set(name, args, folder):
    """Prints recall and false joins of a set by the set's own labels."""
    pairs, without = held_out(name, args.sets)
    found = joined_pairs(args.sets / f"{name}.docs.jsonl.gz", fit_without(args, folder, without), folder)
    texts = texts_of(args.sets, name)
    of_note = defaultdict(list)
    for first, second, label, note in pairs:
        is_wrong = is_mislabelled(label, texts[first], texts[second])
        of_note[label, note].append((frozenset((first, second)) in found, is_wrong))
    for (label, note), judged in sorted(of_note.items(), reverse=True):
        right = [is_joined for is_joined, is_wrong in judged if not is_wrong]
        joined = sum(is_joined for is_joined, _ in judged) / len(judged)
        shares = f"{joined:.4f} | {len(right)} | {sum(right) / max(1, len(right)):.4f}"
        print(f"| {name} | {note} | {label} | {len(judged)} | {shares} |", flush=True)


def evaluate_fixtures(args, folder, options=(), output=(), num_parts=None):
    """What `samestory eval` says of the fixture families, each, or each of so many parts of them, clustered under a profile
    that never saw it."""
    gold, feed = ROOT / "fixtures" / "gold.jsonl", read(ROOT / "fixtures" / "feed.jsonl")
    of_family = {row["id"]: row["family"] for row in read(gold)}
    families = sorted(set(of_family.values()))
    predicted = []
    num_parts = num_parts or len(families)
    for part in range(num_parts):
        held = set(families[part::num_parts])
        profile, some, out = fit_without(args, folder, (), held, options), folder / "some.jsonl", folder / "clusters.jsonl"
        some.write_text("".join(json.dumps(a) + "\n" for a in feed if of_family[a["id"]] in held), encoding="utf-8")
        subprocess.run([BINARY, "cluster", some, "-o", out, "--profile", profile, "--quiet"], check=True)
        predicted += read(out)
    clusters = folder / "all.jsonl"
    clusters.write_text("".join(json.dumps(row) + "\n" for row in predicted), encoding="utf-8")
    run = [BINARY, "eval", gold, clusters, *output]
    return subprocess.run(run, check=True, capture_output=True, text=True).stdout


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path)
    parser.add_argument("feed", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("| set | its label | label | pairs | joined | rightly labelled | joined |\n|---|---|---|---|---|---|---|")
        for name in WEIGHTS:
            if name not in ("fixtures", "feed"):
                judge_set(name, args, folder)
        print(evaluate_fixtures(args, folder))


if __name__ == "__main__":
    main()
