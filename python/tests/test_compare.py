"""Two articles, and what is said of them."""

import json

import pytest
from conftest import FEED, FERRY, TRIMMED, WHEAT

import samestory

PAIRS = [
    ("korea-exports/heavy", "korea-exports/base"),
    ("bogota-rate-decision/version", "bogota-rate-decision/base"),
    ("beijing-arrival/base", "toronto-fraud-verdict/base"),
]


@pytest.mark.parametrize("ids", PAIRS)
def test_it_says_what_the_command_line_says(feed, cli, ids):
    by_id = {article["id"]: article for article in feed}
    first, second = ids
    told = json.loads(cli("compare", first, second, "--feed", FEED, "--json", "--quiet", code=int(ids == PAIRS[2])))
    own = samestory.compare(by_id[first], by_id[second])
    a, b = (first, second) if own.is_forward else (second, first)
    assert (told["a"], told["b"]) == (a, b)
    for name in ("relation", "one_story", "correction", "score", "threshold", "evidence"):
        assert getattr(own, name) == told[name], name
    assert [list(passage) for passage in own.passages] == told["passages"]
    for kind in ("figures", "names", "dates"):
        assert own.only_in_a[kind] == told[f"{kind}_only_in"][first]
        assert own.only_in_b[kind] == told[f"{kind}_only_in"][second]


def test_texts_are_compared():
    own = samestory.compare(FERRY, TRIMMED)
    assert own.one_story
    assert own.is_complete
    assert own.weighed
    assert own.to_dict()["relation"] == own.relation
    assert not samestory.compare(FERRY, WHEAT).one_story
    assert samestory.compare(FERRY, FERRY.upper()).relation == "exact"
    assert samestory.compare("Rain.", "Snow.").relation == "undecidable"


def test_what_differs():
    own = samestory.compare(FERRY, FERRY.replace("214", "241"))
    assert (own.only_in_a["figures"], own.only_in_b["figures"]) == (["214"], ["241"])


def test_an_update_is_directed(feed):
    by_id = {article["id"]: article for article in feed}
    first, second = (by_id[id] for id in PAIRS[1])
    forward, backward = samestory.compare(first, second), samestory.compare(second, first)
    assert forward.relation == backward.relation
    assert (forward.a_is, forward.b_is) == (backward.b_is, backward.a_is)


def test_bad_articles():
    with pytest.raises(samestory.DataError, match="row 1: the text is missing"):
        samestory.compare(FERRY, None)
    with pytest.raises(samestory.DataTypeError, match="row 0: of type int"):
        samestory.compare(1, FERRY)
