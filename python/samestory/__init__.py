"""Finds the same news story told twice."""

from ._native import __version__

__all__ = ["__version__"]
