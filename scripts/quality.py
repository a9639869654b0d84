#!/usr/bin/env python3
"""Measure the verdict on labels it was not fitted on: one table for docs/quality.md.

    scripts/quality.py SETS FEED

SETS and FEED are those of `scripts/fit.py`. Each set is judged under a profile fitted without it, the second half of
cnn_lite under one fitted on the first, the fixture families in eight parts, each under a profile fitted on the others.
A pair counts as joined when `samestory cluster --pairs` over all articles of its set lists it: keys, gates and verdict
take part, clustering does not. The fixtures are clustered and scored by `samestory eval`.

Needs Python 3.8 and target/release/samestory.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from fit import BINARY, ROOT, WEIGHTS, calibrate, group_names, half, labelled, set_pairs

NUM_PARTS = 8
# Share of shingles from which a text was copied: such a pair labelled `different` shows that its label is wrong.
COPIED = 0.08


def read(path):
    """Rows of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def joined_pairs(articles, profile, folder):
    """Pairs of one story among the articles, with the share of copied shingles."""
    pairs, out = folder / "pairs.jsonl", folder / "clusters.jsonl"
    run = [BINARY, "cluster", articles, "-o", out, "--pairs", pairs, "--profile", profile, "--quiet"]
    subprocess.run(run, check=True)
    copied = lambda row: row["evidence"]["shingle_containment"] if "evidence" in row else 1.0
    return {frozenset((row["a"], row["b"])): copied(row) for row in read(pairs)}


def fit_without(args, folder, without=(), families=()):
    """A profile fitted without some sets and fixture families."""
    profile = folder / "profile.toml"
    rows, articles = labelled(args.sets, args.feed, without, families)
    if calibrate(rows, articles, folder / "labels.tsv", profile, "quality", "--quiet") != 0:
        sys.exit("samestory calibrate failed")
    return profile


def judge_set(name, pairs, args, folder, without):
    """Prints recall and false joins of a set by the set's own labels."""
    profile = fit_without(args, folder, without)
    found = joined_pairs(args.sets / f"{name}.docs.jsonl.gz", profile, folder)
    of_note = defaultdict(list)
    for first, second, label, note in pairs:
        of_note[label, note].append(found.get(frozenset((first, second))))
    for (label, note), copied in sorted(of_note.items(), reverse=True):
        joined = [share for share in copied if share is not None]
        wrong_labels = sum(share >= COPIED for share in joined) if label == "different" else 0
        extra = f"; {wrong_labels} of them share copied text" if wrong_labels else ""
        print(f"| {name} | {note} | {label} | {len(copied)} | {len(joined) / len(copied):.4f}{extra} |", flush=True)


def judge_fixtures(args, folder):
    """Prints the scores of the fixture families, each part clustered under a profile that never saw it."""
    gold, feed = read(ROOT / "fixtures" / "gold.jsonl"), read(ROOT / "fixtures" / "feed.jsonl")
    families = sorted({row["family"] for row in gold})
    of_family = {row["id"]: row["family"] for row in gold}
    gold_all, clusters_all = folder / "gold.jsonl", folder / "all.jsonl"
    predicted = []
    for part in range(NUM_PARTS):
        held = set(families[part::NUM_PARTS])
        profile, some, out = fit_without(args, folder, (), held), folder / "some.jsonl", folder / "clusters.jsonl"
        some.write_text("".join(json.dumps(a) + "\n" for a in feed if of_family[a["id"]] in held), encoding="utf-8")
        subprocess.run([BINARY, "cluster", some, "-o", out, "--profile", profile, "--quiet"], check=True)
        predicted += read(out)
    gold_all.write_text("".join(json.dumps(row) + "\n" for row in gold), encoding="utf-8")
    clusters_all.write_text("".join(json.dumps(row) + "\n" for row in predicted), encoding="utf-8")
    subprocess.run([BINARY, "eval", gold_all, clusters_all], check=True)


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path)
    parser.add_argument("feed", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("| set | its label | label | pairs | joined |\n|---|---|---|---|---|")
        for name in WEIGHTS:
            if name in ("fixtures", "feed"):
                continue
            pairs = list(set_pairs(args.sets, name))
            if name == "cnn_lite":
                groups = group_names(pairs)
                pairs = [pair for pair in pairs if not half(groups, pair)]
            judge_set(name, pairs, args, folder, () if name == "cnn_lite" else (name,))
        judge_fixtures(args, folder)


if __name__ == "__main__":
    main()
