"""The answer of `samestory.spark` is that of `samestory cluster`, byte for byte, whatever happens on the way."""

import json
import os
import stat
import sys
import threading
import types

import pytest
from machines import FIXTURE, Cluster, classic, expected, made_feed, parts, wait_for

import samestory.spark
from samestory.errors import DataError, OptionError, RepeatedIdError

pytestmark = pytest.mark.filterwarnings("ignore")


def read(spark, *feeds):
    frame, num_bad = samestory.spark._feed(spark, list(map(str, feeds)), {})
    assert num_bad == 0
    return frame


def lines_of(clusters, folder):
    """The answer as the command writes it."""
    as_lines = samestory.spark._step(samestory.spark._by_rows, (), name="lines")
    samestory.spark._write(clusters, ("cluster", "id"), str(folder), as_lines)
    return parts(folder)


def frame_of(spark, rows, schema="id string, text string, published string"):
    return spark.createDataFrame(rows, schema)


STORY = (
    "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard, and fishermen from Ivana "
    "brought most of them ashore before the coast guard came."
)


# --- Sail, and Spark in one process ---------------------------------------------------------------------------------


@pytest.mark.parametrize("partitions", [1, pytest.param(7, marks=pytest.mark.quick)])
def test_the_fixture_feed(spark, tmp_path, partitions):
    folder = tmp_path / "checkpoint"
    clusters = samestory.spark.cluster(read(spark, FIXTURE), partitions=partitions, checkpoint=folder)
    if not samestory.spark._is_remote(spark):
        assert [path.name for path in folder.glob("*/*")] == ["clusters"], "what is not the answer stays"
    answer = lines_of(clusters, tmp_path / "out")
    assert answer == expected(FIXTURE, tmp_path)
    assert b'"near"' in answer and b'"rewrite"' in answer


@pytest.mark.parametrize("level", ["exact", "near"])
def test_other_levels(spark, tmp_path, level):
    clusters = samestory.spark.cluster(read(spark, FIXTURE), level=level, checkpoint=tmp_path)
    assert lines_of(clusters, tmp_path / "out") == expected(FIXTURE, tmp_path, "--level", level)


def test_a_made_feed_whose_large_buckets_are_split_and_components_found_by_stars(spark, tmp_path, monkeypatch):
    monkeypatch.setattr(samestory.spark, "PART_LIMIT", 40)
    monkeypatch.setattr(samestory.spark, "MEMBERS_A_TASK", 3)
    monkeypatch.setattr(samestory.spark, "DRIVER_EDGES", 0)
    monkeypatch.setattr(samestory.spark, "HEADS_A_GROUP", 300)
    monkeypatch.setattr(samestory.spark, "ARTICLES_A_GROUP", 100)
    feeds = []
    for name, number in (("articles", 1000), ("templates", 150), ("repeats", 20)):
        folder = tmp_path / name
        folder.mkdir()
        made = [json.loads(line) for line in made_feed(folder, f"--{name}", str(number)).read_text().splitlines()]
        feeds.append(folder / "named.jsonl")
        feeds[-1].write_text("".join(json.dumps({**row, "id": f"{name}-{row['id']}"}) + "\n" for row in made))
    parted = []
    deepen = samestory.spark._Run.mapped

    def counted(run, frame, step, schema, **arguments):
        parted.append(arguments.get("name"))
        return deepen(run, frame, step, schema, **arguments)

    monkeypatch.setattr(samestory.spark._Run, "mapped", counted)
    clusters = samestory.spark.cluster(read(spark, *feeds), partitions=5, checkpoint=tmp_path)
    assert lines_of(clusters, tmp_path / "out") == expected(feeds, tmp_path)
    assert "deepen" in parted and "stitch" in parted, "no bucket was parted"


def test_pairs_and_links(spark, tmp_path):
    found = samestory.spark.answer(read(spark, FIXTURE), checkpoint=tmp_path)
    files = {name: tmp_path / f"{name}.jsonl" for name in ("pairs", "links")}
    expected(FIXTURE, tmp_path, "--pairs", files["pairs"], "--links", files["links"])
    for name, path in files.items():
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        told = {(row["a"], row["b"], row["relation"], row["score"], row.get("correction", False)) for row in rows}
        own = [tuple(row) for row in getattr(found, name).select("a", "b", "relation", "score", "correction").collect()]
        assert len(told) == len(rows) == len(own) > 0
        assert set(own) == told


def test_a_line_that_repeats_counts_once_and_versions_are_settled(spark, tmp_path):
    rows = [("a", STORY, "2026-03-02"), ("b", "Rain.", None), ("a", STORY, "2026-03-02"), ("c", None, None)]
    feed = tmp_path / "feed.jsonl"
    feed.write_text("".join(json.dumps(dict(zip(("id", "text", "published"), row))) + "\n" for row in rows))
    clusters = samestory.spark.cluster(frame_of(spark, rows), checkpoint=tmp_path)
    assert lines_of(clusters, tmp_path / "out") == expected(feed, tmp_path)

    rows.append(("a", STORY.replace("214", "241"), "2026-03-03"))
    with pytest.raises(RepeatedIdError, match="id 'a' stands for two texts: 'The ferry.*' and 'The ferry.*versions"):
        samestory.spark.cluster(frame_of(spark, rows), checkpoint=tmp_path)
    with open(feed, "a") as more:
        more.write(json.dumps(dict(zip(("id", "text", "published"), rows[-1]))) + "\n")
    newest = samestory.spark.cluster(frame_of(spark, rows), versions="newest", checkpoint=tmp_path)
    assert lines_of(newest, tmp_path / "newest") == expected(feed, tmp_path, "--versions", "newest")


def test_ids_that_share_a_handle_take_another_seed(spark, tmp_path, monkeypatch):
    of = samestory.spark._Run.mapped
    seeds = []

    def colliding(run, frame, step, schema, **arguments):
        mapped = of(run, frame, step, schema, **arguments)
        if step is samestory.spark._sketch:
            seeds.append(run.seed)
            if run.seed == 0:
                mapped = mapped.withColumn("handle", mapped.handle % 50)
        return mapped

    monkeypatch.setattr(samestory.spark._Run, "mapped", colliding)
    clusters = samestory.spark.cluster(read(spark, FIXTURE), checkpoint=tmp_path)
    assert lines_of(clusters, tmp_path / "out") == expected(FIXTURE, tmp_path)
    assert seeds == [0, 1]


def test_columns_of_other_names_and_types(spark, tmp_path):
    rows = [(7, "2026-03-02 08:00:00", STORY), (8, None, STORY.upper())]
    frame = frame_of(spark, rows, "guid long, moment string, story string")
    frame = frame.selectExpr("guid", "CAST(moment AS timestamp_ntz) AS moment", "story")
    clusters = samestory.spark.cluster(frame, id="guid", text="story", published="moment", checkpoint=tmp_path)
    rows = {row.id: row.asDict() for row in clusters.collect()}
    assert rows["8"] == {
        "id": "8", "cluster": "7", "representative": "7", "relation": "exact", "score": 1.0, "size": 2,
    }


@pytest.mark.quick
def test_bad_input_is_told_with_its_fix(spark, tmp_path, monkeypatch):
    frame = frame_of(spark, [("a", STORY, None)])
    for options, error, said in (
        ({"id": "guid"}, OptionError, "no column 'guid' for the id of articles: the frame has id, text, published"),
        ({"partitions": 0}, OptionError, "partitions is 0, expected 1 or more"),
        ({"level": "fuzzy"}, OptionError, "level is 'fuzzy'; expected 'exact' or 'near' or 'rewrite'"),
        ({"profile": tmp_path / "none.toml"}, OSError, "none.toml: cannot read"),
    ):
        with pytest.raises(error, match=said):
            samestory.spark.cluster(frame, **{"checkpoint": tmp_path, **options})
    for rows in ([("a", STORY, None), (None, STORY, None)], [("", STORY, None)], [(None, None, None)]):
        with pytest.raises(DataError, match="a row is no article: (its id is missing|neither id nor text)"):
            samestory.spark.cluster(frame_of(spark, rows), checkpoint=tmp_path)
    monkeypatch.setattr(samestory.spark, "_is_remote", lambda spark: True)
    with pytest.raises(OptionError, match="no folder for what the stages make: give one that all machines reach"):
        samestory.spark.cluster(frame)
    monkeypatch.undo()
    old = types.SimpleNamespace(sparkSession=types.SimpleNamespace(version="3.4.1"), columns=["id", "text"])
    with pytest.raises(samestory.spark.SparkVersionError, match="Spark 3.4.1 is too old: samestory needs 3.5"):
        samestory.spark.cluster(old)
    assert frame_of(spark, []).count() == 0
    assert samestory.spark.cluster(frame_of(spark, []), checkpoint=tmp_path).count() == 0


@pytest.mark.local
@pytest.mark.quick
@pytest.mark.parametrize("has, said", [("no", "cannot import samestory"), ("another", "has samestory 0.0.1")])
def test_executors_without_the_wheel(local, tmp_path, has, said):
    # Workers of a Python that has everything but this.
    what = "raise ModuleNotFoundError(name)" if has == "no" else "return None"
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == 'samestory': {what}\n"
        "sys.meta_path.insert(0, Finder())\n"
        + ("import samestory\nsamestory.__version__ = '0.0.1'\n" if has == "another" else "")
    )
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path}:$PYTHONPATH exec {sys.executable} "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    context = local.sparkContext
    usual, context.pythonExec = context.pythonExec, str(python)
    try:
        with pytest.raises(samestory.spark.ExecutorError, match=f"{said}.*ship samestory .*archives env.tar.gz"):
            samestory.spark.cluster(frame_of(local, [("a", STORY, None)]))
    finally:
        context.pythonExec = usual


# --- A master and two workers ---------------------------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path):
    cluster = Cluster(tmp_path)
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def twenty_thousand(tmp_path_factory):
    folder = tmp_path_factory.mktemp("feed")
    feed = made_feed(folder, "--articles", "20000")
    return feed, expected(feed, folder)


@pytest.mark.cluster
def test_any_partitioning_on_two_workers(cluster, twenty_thousand, tmp_path):
    feed, answer = twenty_thousand
    spark = classic(cluster.url, tmp_path)
    try:
        for partitions in (1, 7, 64):
            frame = read(spark, feed).repartition(partitions)
            clusters = samestory.spark.cluster(frame, partitions=partitions, checkpoint=tmp_path / "checkpoint")
            assert lines_of(clusters, tmp_path / f"out-{partitions}") == answer
    finally:
        spark.stop()


@pytest.mark.cluster
@pytest.mark.parametrize("after", ["sketched-0", "met", "judged"])
def test_a_worker_and_its_executor_are_killed_under_way(cluster, twenty_thousand, tmp_path, after):
    feed, answer = twenty_thousand
    spark = classic(cluster.url, tmp_path)
    killed = []

    def kill():
        # Nothing of the stage after is there yet.
        wait_for(lambda: list((tmp_path / "checkpoint").glob(f"*/{after}/_SUCCESS")), after, 600)
        cluster.kill(cluster.workers[0])
        killed.append(after)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        clusters = samestory.spark.cluster(read(spark, feed), partitions=7, checkpoint=tmp_path / "checkpoint")
        killer.join()
        assert lines_of(clusters, tmp_path / "out") == answer
    finally:
        killer.join()
        spark.stop()
    assert killed == [after] and cluster.workers[0].poll() is not None


@pytest.mark.cluster
def test_a_bucket_of_fifty_thousand(cluster, tmp_path):
    feed = made_feed(tmp_path, "--templates", "50000")
    spark = classic(cluster.url, tmp_path)
    try:
        clusters = samestory.spark.cluster(read(spark, feed), partitions=16, checkpoint=tmp_path / "checkpoint")
        assert lines_of(clusters, tmp_path / "out") == expected(feed, tmp_path)
    finally:
        spark.stop()
