"""What people bring from datasketch."""

import pickle
import random

import pytest
from conftest import FERRY, WHEAT

import samestory
from samestory import MinHash, MinHashLSH


def of(tokens, **options):
    minhash = MinHash(**options)
    for token in tokens:
        minhash.update(token)
    return minhash


def test_the_estimate_is_near_the_jaccard():
    drawn = random.Random(1)
    for share in (0.1, 0.5, 0.9):
        errors = []
        for _ in range(40):
            first = {str(drawn.random()) for _ in range(200)}
            shared = int(200 * 2 * share / (1 + share))
            second = set(list(first)[:shared]) | {str(drawn.random()) for _ in range(200 - shared)}
            exact = len(first & second) / len(first | second)
            errors.append(of(first).jaccard(of(second)) - exact)
        assert abs(sum(errors) / len(errors)) < 0.03, share
        assert max(map(abs, errors)) < 0.2


def test_one_by_one_or_at_once():
    tokens = ["rain", b"snow", "café"]
    one_by_one, at_once = of(tokens), MinHash()
    at_once.update_batch(tokens)
    assert one_by_one == at_once == MinHash.bulk([tokens])[0] == of([*tokens, "rain"])
    assert of(["café"]) == of(["café".encode()])
    assert one_by_one != of(["rain"])
    assert one_by_one != of(tokens, seed=2)
    assert one_by_one.hashvalues == MinHash(128, 1, hashvalues=one_by_one.hashvalues).hashvalues


def test_the_union_of_two():
    union = of(["rain"])
    union.merge(of(["snow"]))
    assert union == of(["rain", "snow"])
    copy = union.copy()
    copy.update("hail")
    assert union == of(["rain", "snow"]) != copy
    assert (MinHash().is_empty(), union.is_empty(), len(union)) == (True, False, 128)
    assert MinHash().jaccard(MinHash()) == 0.0


def test_it_goes_to_other_processes():
    minhash = of(["rain", "snow"], num_perm=64, seed=5)
    assert pickle.loads(pickle.dumps(minhash)) == minhash


def test_an_index_finds_what_is_alike():
    index = MinHashLSH(threshold=0.5, num_perm=128)
    minhashes = {name: MinHash.of_text(text) for name, text in [("ferry", FERRY), ("wheat", WHEAT)]}
    for name, minhash in minhashes.items():
        index.insert(name, minhash)
    asked = MinHash.of_text(FERRY.replace("hurt", "harmed"))
    assert index.query(asked) == ["ferry"]
    assert index.jaccard("ferry", asked) > 0.7
    assert index.query(asked, min_jaccard=0.99) == []
    assert "ferry" in index and len(index) == 2 and not index.is_empty()
    index.remove("ferry")
    assert index.query(asked) == [] and "ferry" not in index
    with pytest.raises(samestory.DataError, match="the key 'wheat' is there already"):
        index.insert("wheat", minhashes["wheat"])
    index.insert("wheat", minhashes["ferry"], check_duplication=False)
    assert index.query(asked) == ["wheat"]
    with pytest.raises(samestory.DataError, match="no key 'ferry'"):
        index.jaccard("ferry", asked)


def test_bands_find_pairs_with_the_recall_asked_for():
    drawn = random.Random(2)
    index = MinHashLSH(threshold=0.6, num_perm=128, recall=0.9)
    found = asked = 0
    for number in range(150):
        first = [str(drawn.random()) for _ in range(160)]
        second = first[:120] + [str(drawn.random()) for _ in range(40)]  # Jaccard 120 / 200
        index.insert(number, of(first))
        found += number in index.query(of(second))
        asked += 1
    assert 0.8 < found / asked <= 1.0
    assert index.query(of(["other", "tokens"])) == []


def test_an_empty_set_is_like_nothing():
    index = MinHashLSH(num_perm=16, params=(4, 4))
    index.insert("nothing", MinHash(16))
    assert index.query(MinHash(16)) == []
    index.remove("nothing")


def test_what_does_not_go_together():
    with pytest.raises(samestory.DataError, match="num_perm 128 and seed 1 beside num_perm 64"):
        MinHash().jaccard(MinHash(64))
    with pytest.raises(samestory.DataError, match="seed 2"):
        MinHash().merge(MinHash(seed=2))
    with pytest.raises(samestory.DataError, match="num_perm 64 for an index of 128"):
        MinHashLSH().insert("a", MinHash(64))
    with pytest.raises(samestory.DataTypeError, match="a token of type int"):
        MinHash().update(7)
    with pytest.raises(samestory.OptionError, match="0 slots"):
        MinHash(0)
    with pytest.raises(samestory.OptionError, match="3 hashvalues for num_perm 128"):
        MinHash(hashvalues=[1, 2, 3])
    with pytest.raises(samestory.OptionError, match="threshold is 0"):
        MinHashLSH(threshold=0)
