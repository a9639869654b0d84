"""Two articles, and why they tell one story or do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from . import _native
from ._options import Fields, Level, Options, ProfileLike, profile_of

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """A verdict on two articles, with what it rests on."""

    #: What one is to the other, and whether it reads "a is … of b", else "b is … of a".
    relation: str
    is_forward: bool
    #: What each is to the other: an article is no update of its own update.
    a_is: str
    b_is: str
    one_story: bool
    #: Whether an update corrects.
    correction: bool
    #: Probability of one telling, and that from which a pair is a match.
    score: float
    threshold: float
    #: Measurements by name, 0 to 1; `is_complete` where there was enough in common to take all.
    evidence: dict[str, float]
    is_complete: bool
    #: What each term of the verdict adds to the log-odds.
    weighed: dict[str, float]
    #: Passages that both have, as each has them.
    passages: list[tuple[str, str]]
    #: Figures, names and dates that one alone has.
    only_in_a: dict[str, list[str]]
    only_in_b: dict[str, list[str]]

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain Python."""
        return asdict(self)


def compare(
    a: str | Mapping[str, Any],
    b: str | Mapping[str, Any],
    *,
    profile: ProfileLike = None,
    level: Level = "rewrite",
    fields: Fields | None = None,
) -> Comparison:
    """Says whether two articles, texts or dicts, tell one story, and why."""
    options = Options(profile=profile_of(profile), level=level, fields=dict(fields or {}))
    return Comparison(**_native.compare(options, a, b))
