"""The recipes and the tour, as they stand."""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import datasets
import pytest
from conftest import FEED, ROOT

import samestory

sys.path.insert(0, str(ROOT / "python/recipes"))
import datasets_map  # noqa: E402
import datatrove_block  # noqa: E402


@dataclass
class Document:
    """A document as datatrove has it."""

    text: str
    id: str
    media: list = field(default_factory=list)
    metadata: dict = field(default_factory=dict)


def documents(feed):
    return [Document(a["text"], a["id"], metadata={k: a[k] for k in ("title", "source", "published")}) for a in feed]


def test_a_block_of_a_pipeline(feed):
    step = datatrove_block.DropRepeats(threads=1)
    kept = list(step.run((document for document in documents(feed)), rank=0, world_size=1))
    result = samestory.cluster(feed)
    assert [document.id for document in kept] == [article["id"] for article in result.kept(feed)]
    sizes = {row["id"]: row["size"] for row in result.clusters().to_pylist()}
    assert all(document.metadata["story_size"] == sizes[document.id] for document in kept)
    dropped = datatrove_block.DropRepeats(updates="drop", level="near").run(documents(feed))
    assert [d.id for d in dropped] == [
        a["id"] for a in samestory.cluster(feed, level="near").kept(feed, updates="drop")
    ]


def test_signatures_by_map(feed):
    dataset = datasets.Dataset.from_list(feed)
    for options in ({"batch_size": 100}, {"num_proc": 2}):
        signed = datasets_map.with_signatures(dataset, **options)
        texts = [article["text"] for article in feed]
        signatures = samestory.signatures(texts)
        assert signed["signature"][:] == signatures.to_pylist()
        assert signed["band_keys"][:] == samestory.band_keys(signatures).to_pylist()


@pytest.mark.parametrize("has_ids", [True, False])
def test_stories_by_map(feed, has_ids):
    dataset = datasets.Dataset.from_list(feed).shuffle(seed=5)
    if not has_ids:
        dataset = dataset.remove_columns("id")
    told = datasets_map.with_stories(dataset)
    rows = {row["id"]: row for row in samestory.cluster(list(dataset)).clusters().to_pylist()}
    ids = dataset["id"][:] if has_ids else [str(number) for number in range(len(feed))]
    assert told["cluster"][:] == [rows[id]["cluster"] for id in ids]
    assert told["relation"][:] == [rows[id]["relation"] for id in ids]
    kept = datasets_map.without_repeats(dataset)
    assert len(kept) == sum(samestory.cluster(list(dataset)).keep_mask()) < len(dataset)


def test_the_tour_runs_top_to_bottom():
    tour = Path(__file__).parent.parent / "examples/tour.py"
    done = subprocess.run([sys.executable, tour, FEED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "356 articles" in done.stdout
    assert "of 356 articles stay" in done.stdout
