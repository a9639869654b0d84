"""Clustering a set of articles."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Union

from ._data import readable, select
from ._native import Answer, Profile, Table, fit
from ._options import Fields, Level, MissingText, Near, Options, ProfileLike, StrPath, Versions, profile_of
from .errors import OptionError

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Detector", "Keep", "Progress", "Result", "cluster"]

Keep = Union[Literal["earliest", "longest", "latest"], Sequence[str]]
#: Called now and then with the articles read, the candidate pairs (`None` before they are known) and those verified.
Progress = Callable[[int, Union[int, None], int], object]


class Detector:
    """How articles are clustered: `Detector(profile).fit(data)`.

    `profile` is a `Profile`, the path of one's file, or `None` for the one that ships; `weights` the path of another
    table of word weights. `level` says how far is looked: `exact`, `near` (same wording) or `rewrite` (other words,
    too). `threads` is 0 for one a core. `memory` bounds in bytes what articles, keys and pairs take: the rest lies in
    files in `temp_dir`. Without `texts` the answer holds no texts (less memory; no report with texts, no `differs`),
    without `pairs` no pairs, links or report. `versions='newest'` takes articles of one id as its versions. `fields`
    names where articles have what: `{'text': 'story', 'id': ['guid', 'url']}`. `missing_text='empty'` keeps rows
    without a text as articles that cannot be judged.
    """

    def __init__(
        self,
        profile: ProfileLike = None,
        *,
        weights: StrPath | None = None,
        level: Level = "rewrite",
        near: Near = "minhash",
        threads: int = 0,
        memory: int | None = None,
        temp_dir: StrPath | None = None,
        texts: bool = True,
        pairs: bool = True,
        versions: Versions = "refuse",
        fields: Fields | None = None,
        missing_text: MissingText = "raise",
    ) -> None:
        self._options = Options(
            profile=profile_of(profile, weights),
            level=level,
            near=near,
            versions=versions,
            threads=threads,
            memory=memory,
            temp_dir=None if temp_dir is None else os.fspath(temp_dir),
            texts=texts,
            pairs=pairs,
            fields=dict(fields or {}),
            missing_text=missing_text,
        )

    @property
    def profile(self) -> Profile:
        """The profile."""
        return self._options.profile

    def fit(self, data: Any, *, progress: Progress | None = None) -> Result:
        """Clusters `data`: texts or dicts in any iterable, a data frame, a table of Arrow's, a data set, or columns.

        An article goes by the id in its field `id`, else by its position from 0. Ctrl-C ends the run within a fraction
        of a second.
        """
        return Result(fit(self._options, readable(data), progress))


class DetectorOptions(TypedDict, total=False):
    """What a `Detector` takes beside a profile."""

    weights: StrPath | None
    level: Level
    near: Near
    threads: int
    memory: int | None
    temp_dir: StrPath | None
    texts: bool
    pairs: bool
    versions: Versions
    fields: Fields | None
    missing_text: MissingText


def cluster(
    data: Any, *, profile: ProfileLike = None, progress: Progress | None = None, **options: Unpack[DetectorOptions]
) -> Result:
    """Clusters `data`: `Detector(profile, **options).fit(data)`."""
    return Detector(profile, **options).fit(data, progress=progress)


class Result:
    """Articles with their clusters.

    Tables speak Arrow's PyCapsule interface, so that `pyarrow.table(t)`, `polars.DataFrame(t)` take them as they are;
    they have `to_pylist`, `to_pydict` and `to_pandas`.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def clusters(self) -> Table:
        """One row an article, by cluster, then id: `id`, `cluster`, `representative`, `relation`, `score`, `size`."""
        return self._answer.clusters()

    def pairs(self) -> Table:
        """One row a verified match, "a is … of b", with its evidence and what differs."""
        return self._answer.pairs()

    def links(self) -> Table:
        """One row a look-alike that was kept apart: `followup`, `same_event`, `template`, `includes`."""
        return self._answer.links()

    def keep_mask(self, keep: Keep = "earliest", *, updates: Literal["keep", "drop"] = "keep") -> list[bool]:
        """Of each row of the data whether it stays when repeats go.

        A cluster keeps one full telling: the `earliest`, `longest` or `latest`, or one of the first of these sources
        that has one. Updates that add something stay, too, unless they are dropped.
        """
        if isinstance(keep, str):
            return self._answer.keep_mask(keep, [], updates)
        sources = list(keep)
        if not all(isinstance(source, str) for source in sources):
            raise OptionError(f"keep is {keep!r}; expected 'earliest', 'longest', 'latest' or a list of sources")
        return self._answer.keep_mask("source", sources, updates)

    def kept(self, data: Any, keep: Keep = "earliest", *, updates: Literal["keep", "drop"] = "keep") -> Any:
        """The rows of the data that was clustered that stay, as the same kind of object."""
        return select(data, self.keep_mask(keep, updates=updates))

    def representatives(self) -> list[int]:
        """The rows that stand for their clusters, in order: for `dataset.select`, `frame.iloc[…]`, `table.take`."""
        return self._answer.representatives()

    def rethreshold(
        self,
        *,
        score: float | None = None,
        precision: float | None = None,
        labels: Iterable[tuple[str, str, bool]] | None = None,
        prevalence: float | None = None,
    ) -> Result:
        """The same articles under another threshold, without sketching them again.

        `score` is the probability of one telling from which a pair is a match. `precision` asks for the smallest score
        with that precision: as the scores of this answer's own pairs say, or as `labels` show, rows of two ids and
        whether they are one story, at the share of true pairs among candidates given by `prevalence` (that of the
        labels by default). A precision that is out of reach is a `ProfileError` that names the best.
        """
        if (score is None) == (precision is None):
            raise OptionError("rethreshold takes one of score and precision")
        if score is not None:
            if labels is not None:
                raise OptionError("labels go with precision, not with score")
            return Result(self._answer.at_score(score))
        assert precision is not None
        if labels is None:
            return Result(self._answer.at_expected_precision(precision))
        rows = [(a, b, bool(same)) for a, b, same in labels]
        return Result(self._answer.at_labelled_precision(precision, rows, prevalence))

    def report(self, path: StrPath, *, text: Literal["full", "none"] = "full", name: str = "Python") -> None:
        """Writes one HTML page to look at the run; `name` says on it where the articles are from."""
        self._answer.report(os.fspath(path), name, text)

    def write(self, path: StrPath, table: Literal["clusters", "pairs", "links"] = "clusters") -> None:
        """Writes a table as the command line does, by the name's ending: `.jsonl` or `.csv`, also `.gz` or `.zst`."""
        self._answer.write(table, os.fspath(path))

    @property
    def profile(self) -> Profile:
        """The profile that answered."""
        return self._answer.profile

    @property
    def stats(self) -> dict[str, Any]:
        """Counts and seconds."""
        return self._answer.stats

    def __len__(self) -> int:
        """Rows of the data."""
        return self._answer.num_rows

    def __repr__(self) -> str:
        stats = self.stats
        return (
            f"<samestory.Result: {stats['articles']} articles, {stats['clusters']} stories, {stats['repeats']} repeats>"
        )
