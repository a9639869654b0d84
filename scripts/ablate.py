#!/usr/bin/env python3
"""Measure what each group of measurements buys: the verdict fitted anew without it, on labels it was not fitted on.

    scripts/ablate.py SETS FEED

SETS and FEED are those of `scripts/fit.py`; labels are held out as in `scripts/quality.py`, whose shares the first row
repeats. Only the fit goes without the measurements: keys, gates, the names of relations and the threshold
(`match_percent`) stay. Prints a table for docs/quality.md: the fixtures by `samestory eval`; of the sets the share
of true pairs that are joined, and the number of others that are.

Needs Python 3.8 and target/release/samestory.
"""

import argparse
import json
import tempfile
from pathlib import Path

from quality import evaluate_fixtures, fit_without, held_out, joined_pairs

# Parts of the fixture families, each judged under a fit on the others: 32 single ones would take four times as long.
NUM_PARTS = 8

GROUPS = {
    "none": [],
    "wording": ["shingle_jaccard", "shingle_containment"],
    "words": ["word_jaccard", "word_cosine", "cover_shorter", "cover_longer", "common_cover"],
    "rare words and names": ["rare_cover", "rare_jaccard", "name_cover", "name_jaccard"],
    "figures": ["number_cover", "number_jaccard", "facts_against"],
    "order": ["lcs_shorter", "lcs_both"],
    "sentences": ["sentence_cover", "sentence_order", "lead_sentence"],
    "nearby words": ["bigram_cover", "nearby_shorter", "nearby_longer"],
    "leads and tails": ["lead_shorter", "lead_longer", "lead_both", "tail_shorter", "tail_longer"],
    "quotes": ["quote_cover", "unquoted_cover"],
    "headline": ["title_cover"],
    "length": ["len_ratio", "len_shorter"],
    "told anew": ["told_anew"],
}
# What is measured: a set, a label, and the set's own label where not all count.
COLUMNS = [
    ("l2r_news", "same", None),
    ("llmfake", "same", "rewrite"),
    ("sheepdog", "same", None),
    ("wmt_news", "same", None),
    ("giveme5w1h", "different", None),
    ("llmfake", "different", "same_claim_regenerated"),
    ("cnn_lite", "different", None),
]


def of_column(pairs, label, note):
    """The pairs that a column counts."""
    return [frozenset(p[:2]) for p in pairs if p[2] == label and note in (None, p[3])]


def row(group, args, folder, sets):
    """A row of the table."""
    options = ["--folds", "2"]
    if GROUPS[group]:
        options += ["--without", ",".join(GROUPS[group])]
    scores = json.loads(evaluate_fixtures(args, folder, options, ["--json"], NUM_PARTS))["pairs"]
    cells = [group, *(f"{scores[name]:.4f}" for name in ("precision", "recall", "f1"))]
    found = {}
    for name, (_, without) in sets.items():
        profile = fit_without(args, folder, without, (), options)
        found[name] = joined_pairs(args.sets / f"{name}.docs.jsonl.gz", profile, folder)
    for name, label, note in COLUMNS:
        pairs = of_column(sets[name][0], label, note)
        num_joined = sum(pair in found[name] for pair in pairs)
        cells.append(f"{num_joined / len(pairs):.4f}" if label == "same" else str(num_joined))
    return f"| {' | '.join(cells)} |"


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path)
    parser.add_argument("feed", type=Path)
    args = parser.parse_args()
    sets = {name: held_out(name, args.sets) for name, _, _ in COLUMNS}
    head = ["without", "fixtures: precision", "recall", "F1"]
    for name, label, note in COLUMNS:
        number = len(of_column(sets[name][0], label, note))
        head.append(f"{name} ({number:,})" if label == "same" else f"joined falsely: {name} (of {number:,})")
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    with tempfile.TemporaryDirectory() as folder:
        for group in GROUPS:
            print(row(group, args, Path(folder), sets), flush=True)


if __name__ == "__main__":
    main()
