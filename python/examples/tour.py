"""A tour of the package, cell by cell: `python python/examples/tour.py fixtures/feed.jsonl`, or as a notebook."""

# %% A feed: any list of texts or dicts, data frame, table or data set will do.
import json
import sys
import tempfile
from pathlib import Path

import samestory

FEED = Path(sys.argv[1] if len(sys.argv) > 1 else "fixtures/feed.jsonl")
feed = [json.loads(line) for line in FEED.open(encoding="utf-8")]

# %% Which articles tell one story?
result = samestory.cluster(feed)
print(result)
for row in result.clusters().to_pylist()[:5]:
    print(row)

# %% Each story once: an update that adds something stays.
kept = result.kept(feed)
print(f"{len(kept)} of {len(feed)} articles stay")
assert 0 < len(kept) < len(feed)

# %% Why do two articles match?
pair = next(row for row in result.pairs().to_pylist() if row["relation"] == "rewrite")
by_id = {article["id"]: article for article in feed}
comparison = samestory.compare(by_id[pair["a"]], by_id[pair["b"]])
print(f"{pair['a']} is a {comparison.a_is} of {pair['b']}, with probability {comparison.score}")
for first, second in comparison.passages[:2]:
    print(f"  {first!r}\n  {second!r}")
assert comparison.one_story

# %% What was kept apart, and what told it apart?
template = next(row for row in result.links().to_pylist() if row["relation"] == "template")
print(template["a"], "is no copy of", template["b"], "but:", template["differs"])

# %% A stricter threshold, without sketching again: by score, or by a precision.
strict = result.rethreshold(score=0.95)
precise = result.rethreshold(precision=0.99)
print(f"from {result.profile.threshold}: {result}\nfrom {strict.profile.threshold}: {strict}")
print(f"precision .99 needs a score of {precise.profile.threshold}")
assert strict.stats["clusters"] > result.stats["clusters"]

# %% A page to look at it all, tables for others, and an index for what comes next.
with tempfile.TemporaryDirectory() as folder:
    result.report(Path(folder) / "report.html")
    result.write(Path(folder) / "clusters.csv")
    with samestory.Index.open(Path(folder) / "seen") as index:
        print(index.add(feed[1:]))
        hits = index.query(feed[0])
        print(f"{feed[0]['id']}:", *hits[:2], sep="\n  ")
        assert hits

# %% Single stages, for a pipeline of one's own.
signatures = samestory.signatures([article["text"] for article in feed])
keys = samestory.band_keys(signatures)
print(signatures, keys)
