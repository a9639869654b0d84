"""Single stages over columns: for pipelines that bring their own joins."""

from __future__ import annotations

from typing import Any

from . import _native
from ._data import readable
from ._native import Column, Table
from ._options import Fields, Level, Options, ProfileLike, profile_of

__all__ = ["band_keys", "signatures", "sketch", "verify"]


def signatures(
    texts: Any,
    *,
    num_slots: int | None = None,
    seed: int | None = None,
    shingle_len: int | None = None,
    profile: ProfileLike = None,
    threads: int = 0,
) -> Column:
    """The MinHash signature of each text: a fixed-size list of 32-bit slots. What is not given is the profile's.

    The share of slots in which two agree estimates the Jaccard similarity of their shingles.
    """
    options = Options(profile=profile_of(profile), threads=threads, missing_text="empty")
    own_slots, own_seed, own_len, _, _ = options.profile.minhash
    return _native.signatures(
        options,
        readable(texts),
        own_slots if num_slots is None else num_slots,
        own_seed if seed is None else seed,
        own_len if shingle_len is None else shingle_len,
    )


def band_keys(
    signatures: Any, *, num_bands: int | None = None, num_rows: int | None = None, profile: ProfileLike = None
) -> Column:
    """The keys of each signature, one a band: two texts that share one are a candidate pair. Null for no shingles."""
    _, _, _, own_bands, own_rows = profile_of(profile).minhash
    return _native.band_keys(
        signatures, own_bands if num_bands is None else num_bands, own_rows if num_rows is None else num_rows
    )


def sketch(
    data: Any,
    *,
    profile: ProfileLike = None,
    fields: Fields | None = None,
    threads: int = 0,
) -> Table:
    """`id` and `sketch` of each article: all that `verify` reads of it, some 3 kB, checked and bound to its profile."""
    options = Options(profile=profile_of(profile), threads=threads, fields=dict(fields or {}), texts=False)
    return _native.sketch(options, readable(data))


def verify(first: Any, second: Any, *, profile: ProfileLike = None, level: Level = "rewrite") -> Table:
    """`relation` and `score` of each pair of sketches: what the article of `first` is to that of `second`."""
    return _native.verify(Options(profile=profile_of(profile), level=level), first, second)
