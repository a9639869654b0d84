"""With data sets of Hugging Face: columns by `map(batched=True)`, and a data set without its repeats.

dataset = datasets.load_dataset("json", data_files="feed.jsonl", split="train")
kept = without_repeats(dataset)
signed = with_signatures(dataset, num_proc=4)
told = with_stories(dataset)
"""

from typing import Any

import pyarrow

import samestory


def without_repeats(dataset: Any, **options: Any) -> Any:
    """The data set with each story once: its own rows, selected, so that nothing is copied."""
    return samestory.cluster(dataset, **options).kept(dataset)


def signature_columns(batch: pyarrow.Table, text: str = "text") -> pyarrow.Table:
    """For `map(batched=True)`: the MinHash signature of each text and the keys of its bands, without a copy."""
    signatures = samestory.signatures(batch[text], threads=1)
    keys = samestory.band_keys(signatures)
    return batch.append_column("signature", pyarrow.array(signatures)).append_column("band_keys", pyarrow.array(keys))


def with_signatures(dataset: Any, **options: Any) -> Any:
    """The data set with columns `signature` and `band_keys`, batch by batch, on `num_proc` processes."""
    return dataset.with_format("arrow").map(signature_columns, batched=True, **options).with_format(None)


def with_stories(dataset: Any, **options: Any) -> Any:
    """The data set with columns `cluster`, `relation`, `score`: which story each article tells, and as what."""
    result = samestory.cluster(dataset, **options)
    rows = {row["id"]: row for row in result.clusters().to_pylist()}
    has_ids = "id" in dataset.column_names

    def story_columns(batch: dict[str, list[Any]], numbers: list[int]) -> dict[str, list[Any]]:
        ids = batch["id"] if has_ids else numbers
        found = [rows[str(id)] for id in ids]
        return {name: [row[name] for row in found] for name in ("cluster", "relation", "score")}

    return dataset.map(story_columns, batched=True, with_indices=True)
