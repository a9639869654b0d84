"""The answer is the command line's, byte for byte, whatever the articles come in."""

import datasets
import pandas
import polars
import pyarrow
import pytest
from conftest import FEED, FERRY, TRIMMED, WHEAT, write_feed

import samestory


@pytest.fixture(scope="session")
def expected(cli, tmp_path_factory):
    """What the command line writes for the feed: clusters, pairs and links."""
    folder = tmp_path_factory.mktemp("cli")
    out = {name: folder / f"{name}.jsonl" for name in ("clusters", "pairs", "links")}
    cli("cluster", FEED, "--quiet", "-o", out["clusters"], "--pairs", out["pairs"], "--links", out["links"])
    return {name: path.read_bytes() for name, path in out.items()}


def containers(feed):
    """The feed in all that it may come in."""
    frame = pandas.DataFrame(feed)
    table = pyarrow.Table.from_pylist(feed)
    large = table.cast(pyarrow.schema([pyarrow.field(name, pyarrow.large_string()) for name in table.column_names]))
    view = table.set_column(table.column_names.index("text"), "text", table["text"].cast(pyarrow.string_view()))
    coded = table.set_column(table.column_names.index("source"), "source", table["source"].dictionary_encode())
    chunks = table.to_batches(max_chunksize=50)
    return {
        "list": feed,
        "tuple": tuple(feed),
        "generator": (article for article in feed),
        "columns": {name: [article[name] for article in feed] for name in feed[0]},
        "pandas": frame,
        "pandas records": frame.to_dict("records"),
        "polars": polars.DataFrame(feed),
        "pyarrow": table,
        "large strings": large,
        "string views": view,
        "dictionaries": coded,
        "in chunks": pyarrow.Table.from_batches(chunks),
        "sliced": pyarrow.concat_tables([table.slice(0, 3), table]).slice(3),
        "reader": pyarrow.RecordBatchReader.from_batches(chunks[0].schema, iter(chunks)),
        "iterator of batches": iter(chunks),
        "dataset": datasets.Dataset.from_list(feed),
        "shuffled dataset": datasets.Dataset.from_list(feed).shuffle(seed=3),
        "iterable dataset": datasets.Dataset.from_list(feed).to_iterable_dataset(),
    }


CONTAINERS = [
    "list", "tuple", "generator", "columns", "pandas", "pandas records", "polars", "pyarrow", "large strings",
    "string views", "dictionaries", "in chunks", "sliced", "reader", "iterator of batches", "dataset",
    "shuffled dataset", "iterable dataset",
]  # fmt: skip


@pytest.mark.parametrize("kind", CONTAINERS)
def test_the_answer_is_the_command_lines(feed, expected, tmp_path, kind):
    result = samestory.cluster(containers(feed)[kind])
    assert len(result) == len(feed)
    for name, written in expected.items():
        result.write(tmp_path / f"{name}.jsonl", name)
        assert (tmp_path / f"{name}.jsonl").read_bytes() == written, name


def test_every_container_is_tried(feed):
    assert set(containers(feed)) == set(CONTAINERS)


@pytest.mark.parametrize(
    "options", [{"level": "near"}, {"level": "exact"}, {"near": "simhash"}, {"threads": 1}, {"memory": 1 << 20}]
)
def test_options_are_the_command_lines(feed, cli, tmp_path, options):
    # The command line takes no bound so tight; none changes the answer.
    named = {"memory": "16MiB"} if "memory" in options else options
    flags = [part for name, value in named.items() for part in (f"--{name}", str(value))]
    cli("cluster", FEED, "--quiet", "-o", tmp_path / "cli.csv", *flags)
    samestory.cluster(feed, **options).write(tmp_path / "own.csv")
    assert (tmp_path / "own.csv").read_bytes() == (tmp_path / "cli.csv").read_bytes()


def test_levels_differ(feed):
    numbers = {level: samestory.cluster(feed, level=level).stats["clusters"] for level in ("exact", "near", "rewrite")}
    assert numbers["exact"] > numbers["near"] > numbers["rewrite"]


def test_texts_go_by_their_position(feed, cli, tmp_path):
    texts = [article["text"] for article in feed]
    articles = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    cli("cluster", write_feed(tmp_path / "feed.jsonl", articles), "--quiet", "-o", tmp_path / "cli.jsonl")
    for data in (texts, pandas.Series(texts), polars.Series(texts), pyarrow.array(texts), iter(texts)):
        samestory.cluster(data).write(tmp_path / "own.jsonl")
        assert (tmp_path / "own.jsonl").read_bytes() == (tmp_path / "cli.jsonl").read_bytes()


def test_the_table_says_what_the_file_does(feed, tmp_path):
    result = samestory.cluster(feed)
    rows = result.clusters().to_pylist()
    lines = [
        '{{"id":"{id}","cluster":"{cluster}","representative":"{representative}","relation":"{relation}",'
        '"score":{score:.4f},"size":{size}}}\n'.format(**row)
        for row in rows
    ]
    result.write(tmp_path / "own.jsonl")
    assert "".join(lines) == (tmp_path / "own.jsonl").read_text(encoding="utf-8")
    table = result.clusters()
    assert pyarrow.table(table).to_pylist() == rows
    assert polars.DataFrame(table).to_dicts() == rows
    assert table.to_pandas().to_dict("records") == rows
    assert table.to_pydict() == pyarrow.table(table).to_pydict()
    assert table["id"] == [row["id"] for row in rows]
    assert pyarrow.schema(table).names == table.column_names


def test_pairs_have_their_evidence(feed):
    result = samestory.cluster(feed)
    pairs = pyarrow.table(result.pairs())
    assert set(pairs["relation"].to_pylist()) == {"near", "update", "excerpt", "rewrite"}
    assert {"shingle_jaccard", "differs"} <= set(pairs.column_names)
    assert min(score for score in pairs["score"].to_pylist()) >= 0.6
    links = result.links().to_pylist()
    assert {row["relation"] for row in links} >= {"followup", "template"}
    assert result.pairs().to_pylist() == pairs.to_pylist()


def test_a_story_twice():
    result = samestory.cluster([FERRY, TRIMMED, WHEAT])
    assert [row["cluster"] for row in result.clusters().to_pylist()] == ["0", "0", "2"]
    assert result.keep_mask() == [True, False, True]
    assert result.representatives() == [0, 2]
    assert "3 articles, 2 stories, 1 repeats" in repr(result)


def test_no_article_is_an_answer_too():
    for data in ([], iter(()), pyarrow.table({"text": pyarrow.array([], pyarrow.string())})):
        result = samestory.cluster(data)
        assert (len(result), len(result.clusters()), result.keep_mask()) == (0, 0, [])


def test_times_of_every_kind_are_read(feed):
    moment = pandas.Timestamp("2026-03-04T08:00:00Z")
    forms = [
        moment, moment.to_pydatetime(), moment.date(), "2026-03-04T08:00:00Z", int(moment.timestamp()), None,
        float("nan"), pandas.NaT, pandas.NA,
    ]  # fmt: skip
    result = samestory.cluster([{"id": number, "text": FERRY, "published": form} for number, form in enumerate(forms)])
    assert result.stats["unread_times"] == 0
    assert samestory.cluster([{"text": FERRY, "published": "soon"}]).stats["unread_times"] == 1
    table = pyarrow.table({"text": [FERRY, TRIMMED], "published": pyarrow.array([moment, None])})
    assert samestory.cluster(table).stats["unread_times"] == 0
    frame = pandas.DataFrame(feed).assign(
        published=lambda frame: pandas.to_datetime(frame["published"], format="ISO8601", utc=True)
    )
    assert samestory.cluster(frame).clusters().to_pylist() == samestory.cluster(feed).clusters().to_pylist()


def test_fields_by_other_names(feed, expected, tmp_path):
    renamed = [
        {"guid": a["id"], "story": a["text"], **{k: a[k] for k in ("title", "source", "published")}} for a in feed
    ]
    fields = {"id": "guid", "text": ["nothing", "story"]}
    for data in (renamed, pyarrow.Table.from_pylist(renamed)):
        samestory.cluster(data, fields=fields).write(tmp_path / "own.jsonl")
        assert (tmp_path / "own.jsonl").read_bytes() == expected["clusters"]


def test_a_detector_is_used_again(feed):
    detector = samestory.Detector(level="near")
    first, second = detector.fit(feed), detector.fit(feed[:100])
    assert (len(first), len(second)) == (len(feed), 100)
    assert first.profile == detector.profile


def test_profiles_by_file(feed, tmp_path):
    strict = samestory.Profile().with_threshold(0.9)
    (tmp_path / "strict.toml").write_text(strict.to_toml(), encoding="utf-8")
    by_file = samestory.cluster(feed, profile=tmp_path / "strict.toml")
    assert by_file.profile.verdict_id == strict.verdict_id
    assert by_file.stats["matches"] < samestory.cluster(feed).stats["matches"]
