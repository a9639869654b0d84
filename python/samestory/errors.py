"""The exceptions of samestory: all are of `Error`, and each says what to do."""

__all__ = [
    "DataError",
    "DataTypeError",
    "Error",
    "FileError",
    "IndexDamagedError",
    "IndexInUseError",
    "InternalError",
    "OptionError",
    "OtherIndexError",
    "ProfileError",
    "RepeatedIdError",
    "StoredIndexError",
]


class Error(Exception):
    """Whatever samestory raises, but for `KeyboardInterrupt` and what the data itself raises while it is read."""


class DataError(Error, ValueError):
    """A row that is no article, or data that cannot go together. The message names row and field."""


class DataTypeError(DataError, TypeError):
    """Data, a row or a field of a type that no article can be made of."""


class RepeatedIdError(DataError):
    """Two articles share an id and differ in text."""


class OptionError(Error, ValueError):
    """An option outside what it may be."""


class ProfileError(Error, ValueError):
    """A profile or a table of weights that cannot be used, or one that does not go with what was sketched before."""


class StoredIndexError(Error):
    """An index that cannot be opened or written."""


class IndexInUseError(StoredIndexError):
    """Another process, or another `Index` of this one, writes the index."""


class IndexDamagedError(StoredIndexError):
    """A file of an index is not as it was written."""


class OtherIndexError(StoredIndexError, ProfileError):
    """An index was made under another profile or level than is asked for."""


class FileError(Error, OSError):
    """A file cannot be opened, read or written."""


class InternalError(Error):
    """A fault of samestory itself: please report it with what was being done."""
