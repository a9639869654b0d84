"""Sets by MinHash, looked up by bands, as `datasketch` has it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from ._native import MinHash, choose_bands
from .errors import DataError

__all__ = ["MinHashLSH"]

Key = TypeVar("Key", bound=Hashable)


class MinHashLSH(Generic[Key]):
    """Keys of sets that are like a set: each that shares a band with it.

    Bands are the most selective that find pairs of Jaccard similarity `threshold` with probability `recall`; `params`
    sets their number and rows. A query answers with candidates; `min_jaccard` leaves those out whose estimate is below.
    """

    def __init__(
        self,
        threshold: float = 0.9,
        num_perm: int = 128,
        *,
        recall: float = 0.9,
        params: tuple[int, int] | None = None,
    ) -> None:
        self.threshold = threshold
        self.num_perm = num_perm
        self.num_bands, self.num_rows = params or choose_bands(num_perm, threshold, recall)
        self._sets: dict[Key, MinHash] = {}
        self._buckets: dict[tuple[int, int], dict[Key, None]] = {}

    def _keys(self, minhash: MinHash) -> Iterator[tuple[int, int]]:
        if len(minhash) != self.num_perm:
            raise DataError(
                f"a MinHash of num_perm {len(minhash)} for an index of {self.num_perm}; make both with the same"
            )
        return enumerate(minhash.band_keys(self.num_bands, self.num_rows))

    def insert(self, key: Key, minhash: MinHash, check_duplication: bool = True) -> None:
        """Adds a set under a key; one that is there is a `DataError`, or with `check_duplication=False` is replaced."""
        bands = list(self._keys(minhash))
        if key in self._sets:
            if check_duplication:
                raise DataError(f"the key {key!r} is there already; remove it first")
            self.remove(key)
        self._sets[key] = minhash.copy()
        for band in bands:
            self._buckets.setdefault(band, {})[key] = None

    @contextmanager
    def insertion_session(self) -> Iterator[MinHashLSH[Key]]:
        """For code that was written for datasketch: the index itself."""
        yield self

    def query(self, minhash: MinHash, *, min_jaccard: float = 0.0) -> list[Key]:
        """Keys that share a band with a set, in order of insertion into their buckets."""
        found: dict[Key, None] = {}
        for band in self._keys(minhash):
            found.update(self._buckets.get(band, {}))
        if min_jaccard > 0.0:
            return [key for key in found if self._sets[key].jaccard(minhash) >= min_jaccard]
        return list(found)

    def jaccard(self, key: Key, minhash: MinHash) -> float:
        """The Jaccard similarity of a set that is there and another, estimated."""
        return self._of(key).jaccard(minhash)

    def remove(self, key: Key) -> None:
        """Takes a set out."""
        for band in self._keys(self._of(key)):
            bucket = self._buckets[band]
            del bucket[key]
            if not bucket:
                del self._buckets[band]
        del self._sets[key]

    def _of(self, key: Key) -> MinHash:
        try:
            return self._sets[key]
        except KeyError:
            raise DataError(f"there is no key {key!r}") from None

    def keys(self) -> Iterable[Key]:
        """The keys, in order of insertion."""
        return self._sets.keys()

    def is_empty(self) -> bool:
        """Whether there are none."""
        return not self._sets

    def __contains__(self, key: object) -> bool:
        return key in self._sets

    def __len__(self) -> int:
        return len(self._sets)
