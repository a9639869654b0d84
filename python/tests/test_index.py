"""Articles in a folder, as they come."""

import datetime
import subprocess
import sys

import pyarrow
import pytest
from conftest import FERRY, TRIMMED, WHEAT

import samestory
from samestory import Index


def test_the_clusters_are_those_of_one_run(feed, tmp_path, cli):
    with Index.open(tmp_path / "seen") as index:
        assert index.add(feed[:200]) == (200, 0, 0, 0, 0)
        assert index.add(pyarrow.Table.from_pylist(feed[150:])).repeated == 50
        assert len(index) == len(feed)
        assert index.clusters().to_pylist() == samestory.cluster(feed).clusters().to_pylist()
        index.compact()
        assert index.clusters().to_pylist() == samestory.cluster(feed).clusters().to_pylist()
    cli("index", "clusters", tmp_path / "seen", "-o", tmp_path / "cli.jsonl", "--quiet")
    samestory.cluster(feed).write(tmp_path / "own.jsonl")
    assert (tmp_path / "own.jsonl").read_bytes() == (tmp_path / "cli.jsonl").read_bytes()


def test_what_is_there_is_found(tmp_path):
    with Index.open(tmp_path / "seen") as index:
        index.add([{"id": "a", "text": FERRY}, {"id": "w", "text": WHEAT}])
        hits = index.query(TRIMMED)
        assert [(hit.id, hit.score > 0.6) for hit in hits] == [("a", True)]
        assert index.query("Rain fell on the city for a fourth day, the office said.") == []
        table = index.query_many([WHEAT, TRIMMED, "Rain."]).to_pylist()
        assert [(row["row"], row["article"], row["id"]) for row in table] == [(0, "0", "w"), (1, "1", "a")]
        index.add([{"id": "b", "text": FERRY.upper()}])
        assert index.story_of("a") == (hits[0].story, ["a", "b"])
        assert index.story_of("z") is None
        assert index.remove(["a", "nowhere"]) == 1
        assert [hit.id for hit in index.query(FERRY)] == ["b"]
        assert index.remove("b") == 1
        assert index.stats()["articles"] == 1


def test_articles_expire(tmp_path):
    def dated(id, day):
        return {"id": id, "text": WHEAT, "published": f"2026-03-0{day}T00:00:00Z"}

    with Index.open(tmp_path / "seen") as index:
        index.add([dated("a", 1), dated("b", 3), dated("c", 5), dated("d", 7)])
        assert index.expire(before="2026-03-02") == 1
        assert index.expire(before=datetime.date(2026, 3, 4)) == 1
        assert index.expire(before=datetime.datetime(2026, 3, 6, tzinfo=datetime.timezone.utc)) == 1
        assert index.expire(older_than=datetime.timedelta(days=365 * 1000)) == 0
        assert (index.stats()["oldest"], len(index)) == ("2026-03-07T00:00:00Z", 1)
        assert index.add([dated("e", 1)]).expired == 1
        with pytest.raises(samestory.OptionError, match="one of before and older_than"):
            index.expire()
        with pytest.raises(samestory.OptionError, match="before is 'soon'"):
            index.expire(before="soon")


def test_one_writes_and_others_read(tmp_path):
    with Index.open(tmp_path / "seen") as index:
        index.add([{"id": "a", "text": FERRY}])
        code = f"import samestory; samestory.Index.open({str(tmp_path / 'seen')!r})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "IndexInUseError" in done.stderr
        assert "mode='r'" in done.stderr
        with Index.open(tmp_path / "seen", "r") as reader:
            index.add([{"id": "b", "text": WHEAT}])
            assert (len(reader), len(index)) == (1, 2)
            with pytest.raises(samestory.StoredIndexError, match="was opened to read"):
                reader.add([{"id": "c", "text": WHEAT}])
    with pytest.raises(samestory.StoredIndexError, match="this index was closed; open it anew"):
        index.query(FERRY)
    with Index.open(tmp_path / "seen") as index:
        assert len(index) == 2


def test_an_index_of_another_profile(tmp_path):
    Index.open(tmp_path / "seen").close()
    strict = samestory.Profile().with_threshold(0.9)
    with pytest.raises(
        samestory.OtherIndexError, match="made with verdict .* asked for is .*; open it under the profile"
    ):
        Index.open(tmp_path / "seen", profile=strict)
    with pytest.raises(samestory.OtherIndexError, match="level"):
        Index.open(tmp_path / "seen", level="near")
    other = samestory.Profile.from_toml(strict.to_toml().replace("num_slots = 128", "num_slots = 64"))
    with pytest.raises(samestory.ProfileError, match="sketch"):
        Index.open(tmp_path / "seen", profile=other)


def test_what_is_no_index(tmp_path):
    with pytest.raises(samestory.StoredIndexError, match="no index here"):
        Index.open(tmp_path / "nowhere", "r")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/letter.txt").write_text("Dear reader", encoding="utf-8")
    with pytest.raises(samestory.StoredIndexError, match="letter.txt"):
        Index.open(tmp_path / "other")
    with Index.open(tmp_path / "seen") as index:
        index.add([{"id": "a", "text": FERRY}])
    manifest = tmp_path / "seen/manifest.toml"
    manifest.write_bytes(manifest.read_bytes().replace(b"rewrite", b"rewrote"))
    with pytest.raises(samestory.IndexDamagedError, match="manifest.toml: damaged"):
        Index.open(tmp_path / "seen")


def test_an_index_needs_ids(tmp_path):
    with Index.open(tmp_path / "seen") as index:
        for data in ([FERRY], [{"text": FERRY}], pyarrow.table({"text": [FERRY]})):
            with pytest.raises(samestory.DataError, match="row 0: no id: an index knows articles by their ids"):
                index.add(data)
        with pytest.raises(samestory.DataError, match="row 1: the text is missing"):
            index.add([{"id": "a", "text": FERRY}, {"id": "b", "text": None}])
        assert len(index) == 0  # nothing is added of what came with it
        index.add([{"id": "a", "text": FERRY}])
        with pytest.raises(samestory.RepeatedIdError, match="'a' stands for two texts"):
            index.add([{"id": "a", "text": WHEAT}])
    with Index.open(tmp_path / "seen", versions="newest") as index:
        assert index.add([{"id": "a", "text": WHEAT, "version": 2}]) == (1, 0, 1, 0, 0)
