"""Which rows to keep, other thresholds, and the report."""

import json

import datasets
import numpy
import pandas
import polars
import pyarrow
import pytest
from conftest import FEED, FERRY, WHEAT

import samestory


@pytest.fixture(scope="module")
def result(feed):
    return samestory.cluster(feed)


@pytest.mark.parametrize("keep", ["earliest", "longest", "latest", ["Torrance", "Kestrel"]])
@pytest.mark.parametrize("updates", ["keep", "drop"])
def test_the_mask_keeps_what_dedup_keeps(feed, result, cli, tmp_path, keep, updates):
    policy = keep if isinstance(keep, str) else f"source:{','.join(keep)}"
    cli("dedup", FEED, "--quiet", "-o", tmp_path / "kept.jsonl", "--keep", policy, "--updates", updates)
    kept = [json.loads(line)["id"] for line in (tmp_path / "kept.jsonl").open(encoding="utf-8")]
    mask = result.keep_mask(keep, updates=updates)
    assert [article["id"] for article, stays in zip(feed, mask) if stays] == kept
    assert 0 < len(kept) < len(feed)


def test_kept_rows_are_of_the_same_kind(feed, result):
    ids = [article["id"] for article in result.kept(feed)]
    frame, table = pandas.DataFrame(feed), pyarrow.Table.from_pylist(feed)
    assert list(result.kept(frame)["id"]) == ids
    assert result.kept(polars.DataFrame(feed))["id"].to_list() == ids
    assert result.kept(table)["id"].to_pylist() == ids
    assert result.kept(datasets.Dataset.from_list(feed))["id"][:] == ids
    assert result.kept({"id": frame["id"].tolist()})["id"] == ids
    assert list(result.kept(numpy.array(frame["id"]))) == ids


def test_representatives_are_those_of_the_table(feed, result):
    named = {row["representative"] for row in result.clusters().to_pylist()}
    assert [feed[row]["id"] for row in result.representatives()] == [a["id"] for a in feed if a["id"] in named]


def test_a_repeated_row_is_not_kept_twice():
    rows = [{"id": 7, "text": FERRY}, {"id": 8, "text": WHEAT}, {"id": 7, "text": FERRY}]
    result = samestory.cluster(rows)
    assert (sum(result.keep_mask()), result.keep_mask()[1], len(result.clusters())) == (2, True, 2)
    assert result.stats["repeated_rows"] == 1


def test_versions(feed):
    rows = [{"id": 7, "text": FERRY, "version": 1}, {"id": 7, "text": WHEAT, "version": 2}]
    result = samestory.cluster(rows, versions="newest")
    assert (result.keep_mask(), result.stats["older_versions"]) == ([False, True], 1)


@pytest.mark.parametrize("score", [0.3, 0.9])
def test_another_threshold_is_a_run_under_that_profile(feed, result, cli, tmp_path, score):
    profile = samestory.Profile().with_threshold(score)
    (tmp_path / "profile.toml").write_text(profile.to_toml(), encoding="utf-8")
    flags = ["--profile", tmp_path / "profile.toml", "--pairs", tmp_path / "pairs.jsonl"]
    cli("cluster", FEED, "--quiet", "-o", tmp_path / "cli.jsonl", *flags)
    other = result.rethreshold(score=score)
    other.write(tmp_path / "own.jsonl")
    other.write(tmp_path / "own-pairs.jsonl", "pairs")
    assert (tmp_path / "own.jsonl").read_bytes() == (tmp_path / "cli.jsonl").read_bytes()
    assert (tmp_path / "own-pairs.jsonl").read_bytes() == (tmp_path / "pairs.jsonl").read_bytes()
    assert other.stats["matches"] != result.stats["matches"]
    assert other.rethreshold(score=0.6).clusters().to_pylist() == result.clusters().to_pylist()


def test_a_precision_by_the_scores(result):
    thresholds = [result.rethreshold(precision=share).profile.threshold for share in (0.9, 0.97, 0.99)]
    assert thresholds == sorted(thresholds)
    assert thresholds[0] < thresholds[-1]
    other = result.rethreshold(precision=0.99)
    scores = [row["score"] for row in other.pairs().to_pylist() if row["relation"] != "exact"]
    assert sum(scores) / len(scores) >= 0.985


def test_a_precision_by_labels(feed, result):
    near_misses = samestory.cluster(feed, profile=samestory.Profile().with_threshold(0.2)).pairs().to_pylist()
    labels = [(row["a"], row["b"], row["score"] > 0.8) for row in near_misses if row["relation"] != "exact"]
    assert {same for _, _, same in labels} == {True, False}
    threshold = result.rethreshold(precision=1.0, labels=labels).profile.threshold
    assert 0.75 <= threshold <= 0.82
    assert result.rethreshold(precision=0.5, labels=labels).profile.threshold < threshold


def test_a_precision_out_of_reach_names_the_best(result, feed):
    labels = [(feed[0]["id"], feed[1]["id"], False), (feed[2]["id"], feed[3]["id"], False)]
    with pytest.raises(samestory.ProfileError, match="no threshold has precision 1"):
        result.rethreshold(precision=1.0, labels=labels)
    with pytest.raises(samestory.DataError, match="label 0: no article with id 'nowhere'"):
        result.rethreshold(precision=0.9, labels=[("nowhere", feed[0]["id"], True)])


def test_the_report_shows_the_run(result, tmp_path):
    result.report(tmp_path / "report.html", name="the fixture feed")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "356" in page
    assert "the fixture feed" in page
    assert "Colombia" in page
    result.report(tmp_path / "bare.html", text="none")
    text = "resuming an easing cycle it had paused in July"
    assert text in page
    assert text not in (tmp_path / "bare.html").read_text(encoding="utf-8")


def test_what_was_not_held_is_said(feed):
    bare = samestory.cluster(feed, texts=False, pairs=False)
    for ask in (bare.pairs, bare.links, lambda: bare.rethreshold(precision=0.9), lambda: bare.report("x.html")):
        with pytest.raises(samestory.OptionError, match="cluster with pairs=True"):
            ask()
    with pytest.raises(samestory.OptionError, match="cluster with texts=True"):
        samestory.cluster(feed, texts=False).report("x.html")
    assert bare.clusters().to_pylist() == samestory.cluster(feed).clusters().to_pylist()
    assert bare.rethreshold(score=0.9).stats["clusters"] > bare.stats["clusters"]
