"""A block for a datatrove pipeline: documents come in, those that repeat another stay behind.

    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove_block import DropRepeats

    LocalPipelineExecutor(
        pipeline=[JsonlReader("feed/"), DropRepeats(), JsonlWriter("kept/")], tasks=1
    ).run()

Each task sees the repeats among its own documents: with several, one more task over what they keep finds the rest, or
`samestory.spark` takes all at once. datatrove need not be there to run this: a list of documents will do.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import samestory

try:
    from datatrove.pipeline.base import PipelineStep
except ImportError:  # Whatever has `text`, `id` and `metadata` is a document.
    PipelineStep = object


class DropRepeats(PipelineStep):
    """Passes on each story once; those that stay are told how many tell it.

    `keep` and `updates` are those of `samestory.Result.keep_mask`, the other options those of `samestory.Detector`.
    `source` and `published` are taken from the metadata, where they have them under these names.
    """

    name = "samestory: drop repeats"
    type = "dedup"

    def __init__(self, *, keep: str = "earliest", updates: str = "keep", **options: Any) -> None:
        super().__init__()
        self.keep = keep
        self.updates = updates
        self.options = options

    def run(self, data: Iterable[Any], rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """What datatrove calls: all documents of a task in, those that stay out, in their order."""
        documents = list(data)
        detector = samestory.Detector(**self.options)
        result = detector.fit({**document.metadata, "id": document.id, "text": document.text} for document in documents)
        sizes = {row["id"]: row["size"] for row in result.clusters().to_pylist()}
        for document, stays in zip(documents, result.keep_mask(self.keep, updates=self.updates)):
            if stays:
                document.metadata["story_size"] = sizes[str(document.id)]
                yield document
