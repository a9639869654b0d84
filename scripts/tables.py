"""Opens what `samestory cluster` writes with pyarrow and sqlite3, and writes what it reads with pyarrow.

Called by scripts/tables with the binary as its only argument; says nothing where all is as it should be.
"""

import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

BINARY = pathlib.Path(sys.argv[1]).resolve()
FEED = pathlib.Path("fixtures/feed.jsonl").resolve()


def run(*words):
    """Runs the binary, which must succeed and be silent."""
    done = subprocess.run([BINARY, *map(str, words), "--quiet"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), f"{words}: {done.stderr}"
    return done.stdout


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def same(found, expected, what):
    assert found == expected, f"{what}: {found[:2]} where {expected[:2]} was expected"


def check_outputs(folder):
    """What is written in each format says what the JSON lines say."""
    names = ["clusters", "pairs", "links"]
    for end in ["jsonl", "parquet"]:
        out = [folder / f"{name}.{end}" for name in names]
        run("cluster", FEED, "-o", out[0], "--pairs", out[1], "--links", out[2])
    run("cluster", FEED, "-o", folder / "run.sqlite")
    expected = {name: lines(folder / f"{name}.jsonl") for name in names}
    database = sqlite3.connect(folder / "run.sqlite")
    database.row_factory = sqlite3.Row
    for name in names:
        table = pq.read_table(folder / f"{name}.parquet")
        stated = pq.read_metadata(folder / f"{name}.parquet").metadata
        metadata = {key.decode(): value.decode() for key, value in stated.items()}
        assert len(metadata["samestory.sketch_id"]) == len(metadata["samestory.verdict_id"]) == 16, metadata
        assert pa.types.is_dictionary(table.schema.field("relation").type), table.schema
        assert table.schema.field("score").type == pa.float64()
        rows = table.to_pylist()
        if name == "clusters":
            same(rows, expected[name], name)
            query = "SELECT id, cluster, representative, relation, score, size FROM members JOIN clusters USING (cluster)"
            query += " ORDER BY cluster, id"
            same([dict(row) for row in database.execute(query)], expected[name], query)
            continue
        stored = [dict(row) for row in database.execute(f"SELECT * FROM {name}")]
        for row in stored:
            row["correction"] = bool(row["correction"])
        same(stored, rows, name)
        for row, line in zip(rows, expected[name], strict=True):
            for key in ["a", "b", "relation", "score"]:
                assert row[key] == line[key], (row, line)
            assert row["correction"] == line.get("correction", False)
            assert (json.loads(row["differs"]) if row["differs"] else None) == line.get("differs")
            for key, value in line.get("evidence", {}).items():
                assert row[key] == value, (row, line)
    for end in ["jsonl", "parquet"]:
        run("sketch", FEED, "-o", folder / f"sketches.{end}")
    sketches = pq.read_table(folder / "sketches.parquet").to_pylist()
    for row in sketches:
        row["fingerprint"] = f"{row['fingerprint']:016x}"
    same(sketches, lines(folder / "sketches.jsonl"), "sketches")
    sizes = "SELECT count(*) FROM clusters c WHERE size <> (SELECT count(*) FROM members m WHERE m.cluster = c.cluster)"
    assert database.execute(sizes).fetchone()[0] == 0
    plan = " ".join(str(tuple(row)) for row in database.execute("EXPLAIN QUERY PLAN SELECT * FROM pairs WHERE a = 'x'"))
    assert "pairs_by_a" in plan, plan


def check_inputs(folder):
    """What pyarrow writes is read, whatever a column of texts is of."""
    rows = lines(FEED)
    plain = pa.table({key: [row[key] for row in rows] for key in ["id", "text", "title", "source", "published"]})
    expected = run("cluster", FEED, "-o", "-")
    kinds = {
        "utf8": pa.string(),
        "large": pa.large_string(),
        "view": pa.string_view(),
        "dictionary": pa.dictionary(pa.int32(), pa.string()),
        "binary": pa.binary(),
    }
    for name, kind in kinds.items():
        # Dictionaries of texts are built by their own function.
        text = plain["text"].dictionary_encode() if name == "dictionary" else plain["text"].cast(kind)
        table = plain.set_column(1, "text", text)
        paths = [folder / f"{name}.{end}" for end in ["arrow", "arrows"]]
        with ipc.new_file(paths[0], table.schema) as writer:
            writer.write_table(table, max_chunksize=100)
        with ipc.new_stream(paths[1], table.schema) as writer:
            writer.write_table(table, max_chunksize=100)
        if name in ["utf8", "large"]:
            for packing in ["lz4", "zstd"]:
                paths.append(folder / f"{name}-{packing}.feather")
                feather.write_feather(table, paths[-1], compression=packing)
        for packing in ["none", "snappy", "gzip", "zstd", "lz4", "brotli"] if name == "utf8" else ["snappy"]:
            paths.append(folder / f"{name}-{packing}.parquet")
            pq.write_table(table, paths[-1], compression=packing, row_group_size=90, data_page_version="2.0")
        for path in paths:
            same(run("cluster", path, "-o", "-"), expected, path.name)
    # Times as times, ids as numbers.
    times = plain["published"].cast(pa.timestamp("us", tz="UTC"))
    table = plain.set_column(4, "published", times).append_column("n", pa.array(range(len(rows)), pa.int64()))
    path = folder / "typed.parquet"
    pq.write_table(table, path)
    same(run("cluster", path, "-o", "-"), expected, path.name)
    by_number = run("cluster", path, "-o", "-", "--id-field", "n")
    assert len(by_number.splitlines()) == len(rows)
    # What stays of a table is a table, its other columns untouched.
    run("dedup", path, "-o", folder / "kept.parquet", "--removed", folder / "removed.parquet")
    run("dedup", FEED, "-o", folder / "kept.jsonl", "--removed", folder / "removed.jsonl")
    kept, removed = pq.read_table(folder / "kept.parquet"), pq.read_table(folder / "removed.parquet")
    assert kept.schema.equals(table.schema), kept.schema
    same(kept["id"].to_pylist(), [row["id"] for row in lines(folder / "kept.jsonl")], "kept")
    of = ["id", "duplicate_of", "relation"]
    expected = [[row[key] for key in of] for row in lines(folder / "removed.jsonl")]
    same([[row[key] for key in of] for row in removed.to_pylist()], expected, "removed")
    numbers = {row["id"]: number for number, row in enumerate(rows)}
    same(kept["n"].to_pylist(), [numbers[id] for id in kept["id"].to_pylist()], "other columns")


with tempfile.TemporaryDirectory() as name:
    check_outputs(pathlib.Path(name))
    check_inputs(pathlib.Path(name))
