"""The index in a folder: articles as they come, against all that came before."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from types import TracebackType
from typing import Any, Literal, NamedTuple

from ._data import readable
from ._native import Store, Table
from ._options import Fields, Level, Near, Options, ProfileLike, StrPath, Versions, profile_of
from .errors import OptionError

__all__ = ["Added", "Hit", "Index"]


class Added(NamedTuple):
    """What became of articles that were added."""

    #: In the index now and not before, new versions among them.
    added: int
    #: There already, with the same text.
    repeated: int
    #: Replaced by a newer version.
    replaced: int
    #: Older versions of what is there.
    older: int
    #: From before the moment up to which all have expired.
    expired: int


class Hit(NamedTuple):
    """An article of the index that has to do with the one that was asked about."""

    id: str
    #: What the article asked about is to it.
    relation: str
    score: float
    #: The number of the story it is in.
    story: int


class Index:
    """Articles in a folder. One process writes at a time, any number read; what was added survives a crash.

    >>> with Index.open("seen") as index:
    ...     index.add([{"id": "a", "text": text}])
    ...     hits = index.query(other)
    """

    def __init__(self, store: Store, options: Options, path: str) -> None:
        self._store = store
        self._options = options
        self.path = path

    @classmethod
    def open(
        cls,
        path: StrPath,
        mode: Literal["w", "r"] = "w",
        *,
        profile: ProfileLike = None,
        weights: StrPath | None = None,
        level: Level = "rewrite",
        near: Near = "minhash",
        threads: int = 0,
        versions: Versions = "refuse",
        fields: Fields | None = None,
        missing_text: Literal["raise", "empty"] = "raise",
    ) -> Index:
        """Opens the index of a folder to write, and makes it where none is; `mode='r'` reads what is in it now."""
        options = Options(
            profile=profile_of(profile, weights),
            level=level,
            near=near,
            threads=threads,
            versions=versions,
            fields=dict(fields or {}),
            missing_text=missing_text,
            texts=False,
        )
        path = os.fspath(path)
        return cls(Store.open(options, path, mode), options, path)

    def add(self, data: Any) -> Added:
        """Adds articles, each with an id of its own; when this returns they are there for good.

        They go in by a thousand or so. Where one is refused, or on Ctrl-C, some of those before are in: to add them again
        does no harm.
        """
        return Added(*self._store.add(self._options, readable(data)))

    def query(self, article: str | Mapping[str, Any]) -> list[Hit]:
        """What is there that has to do with an article, a text or a dict: matches first, by score, then look-alikes."""
        rows = self.query_many([article]).to_pylist()
        return [Hit(row["id"], row["relation"], row["score"], row["story"]) for row in rows]

    def query_many(self, data: Any) -> Table:
        """The same for many: a row a hit, with the `row` and id (`article`) of the one asked about."""
        return self._store.query(self._options, readable(data))

    def remove(self, ids: str | Iterable[str]) -> int:
        """Removes articles by id; how many were there."""
        return self._store.remove([ids] if isinstance(ids, str) else [str(id) for id in ids])

    def expire(self, *, before: datetime | date | str | None = None, older_than: timedelta | None = None) -> int:
        """Lets all go that were published, else came, before a moment, or longer ago than a span; how many."""
        if (before is None) == (older_than is None):
            raise OptionError("expire takes one of before and older_than")
        if older_than is not None:
            before = datetime.now(timezone.utc) - older_than
        return self._store.expire(before if isinstance(before, str) else before.isoformat())  # type: ignore[union-attr]

    def clusters(self) -> Table:
        """The clusters of all that is there, as `samestory.cluster` over it would say."""
        return self._store.clusters()

    def story_of(self, id: str) -> tuple[int, list[str]] | None:
        """The number of an article's story, and the ids of all in it."""
        return self._store.story_of(id)

    def compact(self) -> None:
        """Writes the files anew, without what is gone."""
        self._store.compact()

    def stats(self) -> dict[str, Any]:
        """Counts."""
        return self._store.stats()

    def close(self) -> None:
        """Ends it, so that another may write."""
        self._store.close()

    def __len__(self) -> int:
        return len(self._store)

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<samestory.Index {self.path}>"
