"""Whatever holds articles, as the native half reads it: objects of Arrow's, or iterables of texts and dicts."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .errors import DataError, DataTypeError

__all__ = ["readable", "select"]

#: Rows of a data set that are taken at once.
_BATCH_LEN = 1024


def _module(data: Any) -> str:
    return type(data).__module__.partition(".")[0]


def readable(data: Any) -> Any:
    """An object of Arrow's, or an iterable of texts, dicts and such objects."""
    if isinstance(data, (str, bytes)):
        raise DataTypeError("data is one text; expected several: a list of texts")
    if isinstance(data, Mapping):
        return _rows_of_columns(data)
    module = _module(data)
    if module == "datasets" and hasattr(data, "with_format"):
        return _batches_of_dataset(data)
    if module == "pandas" and importlib.util.find_spec("pyarrow") is None:
        # Without pyarrow pandas has no Arrow to give.
        return data.to_dict("records") if hasattr(data, "columns") else data.tolist()
    if module == "polars" and hasattr(data, "collect"):
        raise DataTypeError("data is a lazy frame; expected its rows: pass data.collect()")
    return data


def _batches_of_dataset(data: Any) -> Iterator[Any]:
    """A data set of Hugging Face in its own order, as tables; its file knows neither selection nor shuffling."""
    return iter(data.with_format("arrow").iter(batch_size=_BATCH_LEN))


def _rows_of_columns(columns: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Columns by name, as a batch of `datasets` has them."""
    lists = {name: values for name, values in columns.items() if not isinstance(values, (str, bytes))}
    if len(lists) < len(columns) or not all(isinstance(values, (Sequence, Iterable)) for values in lists.values()):
        raise DataTypeError("data is one dict; expected several, in a list, or a dict of columns, a list each")
    lists = {name: list(values) for name, values in lists.items()}
    lens = {name: len(values) for name, values in lists.items()}
    if len(set(lens.values())) > 1:
        listed = ", ".join(f"'{name}' has {length}" for name, length in lens.items())
        raise DataError(f"columns of different lengths: {listed}")
    names = list(lists)
    return (dict(zip(names, row)) for row in zip(*lists.values()))


def select(data: Any, mask: Sequence[bool]) -> Any:
    """The rows of `data` that `mask` keeps, as the same kind of object: a list, a data frame, a table, a data set.

    Raises `DataError` when the two are of different lengths: a mask goes with the data that was clustered.
    """
    if isinstance(data, Mapping):
        return {name: select(values, mask) for name, values in data.items()}
    try:
        length = len(data)
    except TypeError as error:
        raise DataTypeError(
            f"data of type {type(data).__name__} has no length: clustering uses an iterator up; keep its rows in a list"
        ) from error
    if length != len(mask):
        raise DataError(f"the mask has {len(mask)} rows, the data {length}; use it on the data that was clustered")
    module = _module(data)
    if module == "datasets":
        return data.select([row for row, keep in enumerate(mask) if keep])
    if module == "pandas":
        return data[list(mask)]
    if module == "polars":
        return data.filter(list(mask))
    if module == "pyarrow":
        return data.filter(importlib.import_module("pyarrow").array(list(mask)))
    if module == "numpy":
        return data[[row for row, keep in enumerate(mask) if keep]]
    return [row for row, keep in zip(data, mask) if keep]
