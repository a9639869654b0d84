"""What cannot be taken is an exception that names the row, the field and the fix."""

import gzip

import pandas
import pyarrow
import pytest
from conftest import FERRY, TRIMMED, WHEAT

import samestory
from samestory import DataError, DataTypeError, Error, OptionError, ProfileError, RepeatedIdError

LONE = "half a \ud800 character"


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        ([FERRY, None], DataError, ["row 1", "text is missing", "missing_text='empty'"]),
        ([{"id": 1, "text": None}], DataError, ["row 0", "text is missing"]),
        ([{"id": 1, "text": FERRY}, {"id": 2}], DataError, ["row 1", "no field text, body, content", "fields={'text'"]),
        (
            pyarrow.table({"id": [1], "story": [FERRY]}),
            DataError,
            ["row 0", "no field text, body, content", "fields={'text'"],
        ),
        (pyarrow.array([FERRY, TRIMMED, None]), DataError, ["row 2", "text is missing"]),
        (pandas.DataFrame({"text": [FERRY, None]}), DataError, ["row 1", "text is missing"]),
        (pyarrow.table({"id": [1, 2], "text": [FERRY, None]}), DataError, ["row 1", "text is missing"]),
        ([FERRY, 7], DataTypeError, ["row 1", "type int", "a text or a dict"]),
        ([FERRY, [TRIMMED]], DataTypeError, ["row 1", "type list"]),
        ([{"text": 7}], DataError, ["row 0", "text is a number"]),
        ([{"text": b"bytes"}], DataTypeError, ["row 0", "text is of type bytes"]),
        ([{"id": 1.5, "text": FERRY}], DataError, ["row 0", "id is a fraction"]),
        ([{"id": ["a"], "text": FERRY}], DataTypeError, ["row 0", "id is of type list"]),
        ([{"headline": FERRY}], DataError, ["row 0", "neither id nor text", "'headline'", "fields={'text'"]),
        (pyarrow.table({"headline": [FERRY]}), DataError, ["neither id nor text", "'headline'", "fields={'text'"]),
        (pyarrow.array([1, 2]), DataTypeError, ["Int64", "expected texts"]),
        (pyarrow.table({"text": [[FERRY]]}), DataError, ["row 0", "text is of a type that is no text"]),
        ([FERRY, LONE], DataError, ["row 1", "surrogate", "encode('utf-8', 'replace')"]),
        (FERRY, DataTypeError, ["one text", "a list of texts"]),
        ({"id": 1, "text": FERRY}, DataTypeError, ["one dict"]),
        ({"id": [1, 2], "text": [FERRY]}, DataError, ["different lengths", "'id' has 2", "'text' has 1"]),
        (7, DataTypeError, ["type int", "expected a list"]),
        (None, DataTypeError, ["type NoneType"]),
        (
            [{"id": 7, "text": FERRY}, {"id": 7, "text": WHEAT}],
            RepeatedIdError,
            ["'7'", "row 0", "row 1", "versions='newest'"],
        ),
    ],
)
def test_bad_data(data, kind, words):
    with pytest.raises(kind) as raised:
        samestory.cluster(data)
    assert isinstance(raised.value, Error)
    missing = [word for word in words if word not in str(raised.value)]
    assert not missing, str(raised.value)


def test_the_first_bad_row_is_named():
    texts = [FERRY] * 5000
    for row in (4321, 1234, 4999):
        texts[row] = None
    for data in (texts, pyarrow.array(texts)):
        with pytest.raises(DataError, match="row 1234: "):
            samestory.cluster(data)


def test_a_bad_last_row_is_no_answer():
    with pytest.raises(DataError, match="row 2999: "):
        samestory.cluster([FERRY] * 2999 + [None])


def test_a_missing_text_may_be_kept():
    for data in ([FERRY, None, TRIMMED], pyarrow.array([FERRY, None, TRIMMED])):
        result = samestory.cluster(data, missing_text="empty")
        assert [row["relation"] for row in result.clusters().to_pylist()].count("undecidable") == 1
        assert result.keep_mask() == [True, True, False]


@pytest.mark.parametrize("data", [[{"id": 1, "text": FERRY}], pyarrow.table({"id": [1], "text": [FERRY]})])
def test_a_field_that_no_row_has_is_a_slip(data):
    with pytest.raises(DataError, match="no row has 'txet', named for 'text' in fields; the first has 'id', 'text'"):
        samestory.cluster(data, fields={"text": "txet"}, missing_text="empty")
    with pytest.raises(OptionError, match="fields has 'txet'; expected .* text"):
        samestory.cluster(data, fields={"txet": "text"})


def test_what_the_data_raises_is_passed_on():
    def articles():
        yield FERRY
        raise LookupError("the database is gone")

    with pytest.raises(LookupError, match="the database is gone"):
        samestory.cluster(articles())

    def batches():
        yield pyarrow.record_batch({"text": [FERRY]})
        raise LookupError("the database is gone")

    reader = pyarrow.RecordBatchReader.from_batches(pyarrow.schema([("text", pyarrow.string())]), batches())
    with pytest.raises(Exception, match="the database is gone"):
        samestory.cluster(reader)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"level": "fuzzy"}, "level is 'fuzzy'; expected 'exact' or 'near' or 'rewrite'"),
        ({"near": "hash"}, "near is 'hash'"),
        ({"threads": -1}, "threads is -1"),
        ({"threads": 1.5}, "threads is 1.5"),
        ({"versions": "all"}, "versions is 'all'"),
        ({"missing_text": "drop"}, "missing_text is 'drop'"),
        ({"fields": {"text": 7}}, "fields\\[text\\] is 7"),
        ({"profile": 7}, "profile is of type int"),
    ],
)
def test_bad_options(options, words):
    with pytest.raises(OptionError, match=words):
        samestory.cluster([FERRY], **options)


def test_bad_profiles(tmp_path):
    text = samestory.Profile().to_toml()
    with pytest.raises(ProfileError, match="match_percent is 0, expected 1 to 99"):
        samestory.Profile.from_toml(text.replace("match_percent = 60", "match_percent = 0"))
    with pytest.raises(ProfileError, match="profile"):
        samestory.Profile.from_toml("no profile")
    with pytest.raises(samestory.FileError, match="nowhere.toml: cannot read"):
        samestory.cluster([FERRY], profile=tmp_path / "nowhere.toml")
    with pytest.raises(samestory.FileError, match="nowhere.weights: cannot read"):
        samestory.cluster([FERRY], weights=tmp_path / "nowhere.weights")
    (tmp_path / "bad.weights").write_bytes(b"no table")
    with pytest.raises(ProfileError, match="weights table .*bad.weights"):
        samestory.cluster([FERRY], weights=tmp_path / "bad.weights")
    (tmp_path / "cut.toml.gz").write_bytes(gzip.compress(text.encode())[:-9])
    with pytest.raises(samestory.FileError, match="cut.toml.gz: cannot read"):
        samestory.cluster([FERRY], profile=tmp_path / "cut.toml.gz")


def test_packed_profiles_are_unpacked(tmp_path):
    text = samestory.Profile().with_threshold(0.7).to_toml().encode()
    (tmp_path / "own.toml.gz").write_bytes(gzip.compress(text[:99]) + gzip.compress(text[99:]))
    (tmp_path / "own.toml.zst").write_bytes(pyarrow.compress(text, codec="zstd", asbytes=True))
    for name in ("own.toml.gz", "own.toml.zst"):
        assert samestory.Profile.read(tmp_path / name).threshold == 0.7


def test_a_mask_of_another_length():
    result = samestory.cluster([FERRY, TRIMMED, WHEAT])
    with pytest.raises(DataError, match="the mask has 3 rows, the data 2; use it on the data that was clustered"):
        result.kept([FERRY, TRIMMED])
    with pytest.raises(DataError, match="the mask has 2 rows, the data 3"):
        samestory.select(pandas.DataFrame({"text": [FERRY, TRIMMED, WHEAT]}), [True, False])
    with pytest.raises(DataTypeError, match="keep its rows in a list"):
        result.kept(text for text in [FERRY, TRIMMED, WHEAT])


def test_bad_answers_are_named(tmp_path):
    result = samestory.cluster([FERRY, TRIMMED])
    with pytest.raises(OptionError, match="score is 60"):
        result.rethreshold(score=60)
    with pytest.raises(OptionError, match="precision is 99"):
        result.rethreshold(precision=99)
    with pytest.raises(OptionError, match="one of score and precision"):
        result.rethreshold()
    with pytest.raises(OptionError, match="keep is 'first'"):
        result.keep_mask("first")
    with pytest.raises(OptionError, match="updates is 'no'"):
        result.keep_mask(updates="no")
    with pytest.raises(OptionError, match="a.parquet: expected a name that ends in .jsonl or .csv"):
        result.write(tmp_path / "a.parquet")
    with pytest.raises(samestory.FileError, match="cannot create"):
        result.write(tmp_path / "nowhere/a.jsonl")
    with pytest.raises(DataError, match="no column 'ids'; there are id, cluster"):
        result.clusters()["ids"]


def test_the_tree_of_exceptions():
    import samestory.errors

    kinds = [getattr(samestory.errors, name) for name in samestory.errors.__all__]
    assert all(issubclass(kind, Error) for kind in kinds)
    assert issubclass(DataError, ValueError)
    assert issubclass(DataTypeError, TypeError)
    assert issubclass(samestory.FileError, OSError)
    assert issubclass(samestory.OtherIndexError, ProfileError)
