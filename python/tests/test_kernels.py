"""Single stages over columns."""

import pandas
import polars
import pyarrow
import pytest
from conftest import FERRY, TRIMMED, WHEAT

import samestory


def test_signatures_estimate_the_jaccard(feed):
    texts = [article["text"] for article in feed]
    column = samestory.signatures(texts)
    array = pyarrow.array(column)
    assert array.type == pyarrow.list_(pyarrow.field("item", pyarrow.uint32(), nullable=False), 128)
    assert array.to_pylist() == column.to_pylist()
    for data in (pyarrow.array(texts), polars.Series(texts), pandas.Series(texts)):
        assert pyarrow.array(samestory.signatures(data, threads=3)).equals(array)
    pairs = [row for row in samestory.cluster(feed).pairs().to_pylist() if row["relation"] == "near"]
    place = {article["id"]: number for number, article in enumerate(feed)}
    rows = column.to_pylist()
    for pair in pairs:
        a, b = rows[place[pair["a"]]], rows[place[pair["b"]]]
        agreeing = sum(x == y for x, y in zip(a, b)) / 128
        assert abs(agreeing - pair["shingle_jaccard"]) < 0.2
    assert len(pairs) > 5


def test_signatures_are_those_of_minhash():
    column = samestory.signatures([FERRY, WHEAT], num_slots=64, seed=9, shingle_len=3)
    own = [samestory.MinHash.of_text(text, 64, 9, shingle_len=3).hashvalues for text in (FERRY, WHEAT)]
    assert column.to_pylist() == own


def test_near_copies_share_a_band(feed):
    texts = [article["text"] for article in feed]
    keys = samestory.band_keys(samestory.signatures(texts)).to_pylist()
    buckets = {}
    for number, row in enumerate(keys):
        for band, key in enumerate(row):
            buckets.setdefault((band, key), set()).add(number)
    candidates = {frozenset((a, b)) for bucket in buckets.values() for a in bucket for b in bucket if a < b}
    place = {article["id"]: number for number, article in enumerate(feed)}
    near = [
        row
        for row in samestory.cluster(feed).pairs().to_pylist()
        if row["shingle_jaccard"] and row["shingle_jaccard"] > 0.7
    ]
    assert len(near) > 5
    assert all(frozenset((place[row["a"]], place[row["b"]])) in candidates for row in near)
    assert len(candidates) < len(texts) ** 2 / 20


def test_band_keys_of_any_column():
    signatures = samestory.signatures([FERRY, "", TRIMMED], num_slots=16, seed=1)
    keys = samestory.band_keys(signatures, num_bands=4, num_rows=4)
    assert keys.to_pylist()[1] is None
    assert len(keys.to_pylist()[0]) == 4
    chunked = pyarrow.chunked_array([pyarrow.array(signatures).slice(0, 1), pyarrow.array(signatures).slice(1)])
    assert samestory.band_keys(chunked, num_bands=4, num_rows=4).to_pylist() == keys.to_pylist()
    frame = polars.DataFrame({"keys": polars.Series(keys)})
    assert frame["keys"].to_list()[0] == keys.to_pylist()[0]


def test_sketches_are_verified_as_the_cluster_is(feed):
    sketches = samestory.sketch(feed, threads=2)
    assert sketches.column_names == ["id", "sketch"]
    by_id = dict(zip(sketches["id"], sketches["sketch"]))
    rows = samestory.cluster(feed).clusters().to_pylist()
    members = [row for row in rows if row["id"] != row["representative"]]
    binary = pyarrow.large_binary()
    own = pyarrow.array([by_id[row["id"]] for row in members], binary)
    representatives = pyarrow.array([by_id[row["representative"]] for row in members], binary)
    verdicts = samestory.verify(own, representatives).to_pylist()
    assert verdicts == [{"relation": row["relation"], "score": row["score"]} for row in members]
    assert len(members) > 50


def test_bad_columns():
    sketches = pyarrow.table(samestory.sketch([FERRY, TRIMMED]))["sketch"]
    with pytest.raises(samestory.DataError, match="1 sketches beside 2; expected two columns of one length"):
        samestory.verify(sketches.slice(0, 1), sketches)
    cut = pyarrow.array([value.as_py()[:-8] for value in sketches])
    with pytest.raises(samestory.DataError, match="damaged|cut short"):
        samestory.verify(cut, cut)
    with pytest.raises(samestory.DataError, match="row 1: no sketch"):
        samestory.verify(pyarrow.array([sketches[0].as_py(), None]), sketches)
    other = samestory.Profile.from_toml(samestory.Profile().to_toml().replace("num_slots = 128", "num_slots = 64"))
    with pytest.raises(samestory.ProfileError, match="sketched under"):
        samestory.verify(sketches, sketches, profile=other)
    with pytest.raises(samestory.DataTypeError, match="expected signatures"):
        samestory.band_keys(pyarrow.array([[1, 2]]))
    with pytest.raises(samestory.DataTypeError, match="no object of Arrow's"):
        samestory.band_keys([[1, 2]])
    with pytest.raises(samestory.OptionError, match="40 bands of 4 rows do not fit a signature of 128 slots"):
        samestory.band_keys(samestory.signatures([FERRY]), num_bands=40, num_rows=4)
    with pytest.raises(samestory.OptionError, match="0 slots"):
        samestory.signatures([FERRY], num_slots=0)
    with pytest.raises(samestory.OptionError, match="shingle_len is 0"):
        samestory.signatures([FERRY], shingle_len=0)
