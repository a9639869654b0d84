"""Finds the same news story told twice: exact copies, near copies, excerpts and rewrites, and keeps look-alikes apart.

>>> import samestory
>>> result = samestory.cluster([text, ...])            # texts, dicts, pandas, polars, Arrow, datasets
>>> kept = [text for text, keep in zip(texts, result.keep_mask()) if keep]
"""

from ._compare import Comparison, compare
from ._data import select
from ._detector import Detector, Result, cluster
from ._index import Added, Hit, Index
from ._kernels import band_keys, signatures, sketch, verify
from ._lsh import MinHashLSH
from ._native import Column, MinHash, Profile, Table, __version__
from .errors import (
    DataError,
    DataTypeError,
    Error,
    FileError,
    IndexDamagedError,
    IndexInUseError,
    InternalError,
    OptionError,
    OtherIndexError,
    ProfileError,
    RepeatedIdError,
    StoredIndexError,
)

__all__ = [
    "Added",
    "Column",
    "Comparison",
    "DataError",
    "DataTypeError",
    "Detector",
    "Error",
    "FileError",
    "Hit",
    "Index",
    "IndexDamagedError",
    "IndexInUseError",
    "InternalError",
    "MinHash",
    "MinHashLSH",
    "OptionError",
    "OtherIndexError",
    "Profile",
    "ProfileError",
    "RepeatedIdError",
    "Result",
    "StoredIndexError",
    "Table",
    "__version__",
    "band_keys",
    "cluster",
    "compare",
    "select",
    "signatures",
    "sketch",
    "verify",
]
