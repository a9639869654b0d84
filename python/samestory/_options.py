"""What a run is asked for, with what is built in."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, Union

from ._native import Profile
from .errors import OptionError

__all__ = ["Fields", "Level", "Options", "ProfileLike", "profile_of"]

Level = Literal["exact", "near", "rewrite"]
Near = Literal["minhash", "simhash"]
Versions = Literal["refuse", "newest"]
MissingText = Literal["raise", "empty"]
Fields = Mapping[str, Union[str, Sequence[str]]]
StrPath = Union[str, "os.PathLike[str]"]
ProfileLike = Union[Profile, StrPath, None]


@cache
def _shipped() -> Profile:
    return Profile()


def profile_of(profile: ProfileLike, weights: StrPath | None = None) -> Profile:
    """A profile as it is, from its file, or the one that ships; with another table of word weights, if one is named."""
    if isinstance(profile, Profile):
        if weights is not None:
            raise OptionError(
                "weights go with a profile's file, not with a Profile: Profile.read(path, weights=…) makes one"
            )
        return profile
    if profile is None and weights is None:
        return _shipped()
    if profile is not None and not isinstance(profile, (str, os.PathLike)):
        raise OptionError(f"profile is of type {type(profile).__name__}; expected a Profile or the path of its file")
    return Profile.read(profile, weights=weights)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The attributes that the native half reads."""

    profile: Profile
    level: Level = "rewrite"
    near: Near = "minhash"
    versions: Versions = "refuse"
    threads: int = 0
    memory: int | None = None
    temp_dir: str | None = None
    texts: bool = True
    pairs: bool = True
    fields: dict[str, str | Sequence[str]] = field(default_factory=dict)
    missing_text: MissingText = "raise"

    def __post_init__(self) -> None:
        for name in ("threads", "memory"):
            number = getattr(self, name)
            if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 0):
                raise OptionError(f"{name} is {number!r}; expected a whole number from 0 on")
