"""Clusters articles on Spark, 3.5 or 4: the answer of `samestory cluster`, byte for byte, however they lie about.

    clusters = samestory.spark.cluster(df, id="guid", text="body")

or from a shell `samestory-spark feed.jsonl clusters`. How it works, how to bring the package to the executors, what it
costs: `docs/spark.md`.
"""

from __future__ import annotations

import argparse
import atexit
import functools
import re
import shutil
import sys
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterator, NamedTuple, Optional

from . import errors
from ._native import Stages, __version__, read_parameters

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession  # type: ignore[import-not-found, unused-ignore]

__all__ = ["Answer", "ExecutorError", "SparkVersionError", "answer", "cluster", "main"]

FIELDS = ("id", "text", "title", "source", "published", "language", "slug", "version")
# The names of a field other than its own, as everywhere.
OTHER_NAMES = {"text": ("body", "content")}

# Articles, about, whose heads lie together when pairs are sifted, and whose open pairs are judged together.
HEADS_A_GROUP = 200_000
ARTICLES_A_GROUP = 5_000
# Members of a crowded bucket, or of a part of one, that a task takes whole; of a larger one it takes stretches.
PART_LIMIT = 10_000
# Members of a cluster that are held against their representative in one task.
MEMBERS_A_TASK = 10_000
# Rows that go to every task where they pick articles; for more, the articles are shuffled.
ROWS_TO_ALL = 1_000_000
# Edges of the partitions' forests, together, that the driver joins; of more Spark does, in rounds.
DRIVER_EDGES = 5_000_000
# Handles that two articles shared, after which the seed is not to blame.
SEEDS = 4

SHIPPING = (
    "ship samestory {version} to the executors: `--archives env.tar.gz#env` with PYSPARK_PYTHON=./env/bin/python, "
    "env.tar.gz made by venv-pack from a venv with samestory, pyarrow and pandas in it; or install it on each machine"
)


class ExecutorError(errors.Error, RuntimeError):
    """An executor has no samestory, or another version of it. The message says how to ship it."""


class SparkVersionError(errors.Error, RuntimeError):
    """A Spark that is too old."""


class Answer(NamedTuple):
    """What `answer` gives."""

    clusters: DataFrame
    pairs: DataFrame
    links: DataFrame


def cluster(df: DataFrame, **options: Any) -> DataFrame:
    """The clusters of a frame of articles: `id`, `cluster`, `representative`, `relation`, `score` and `size`, as
    `samestory cluster` writes them, a row an article, in no order.

    `id`, `text`, `title`, `source`, `published`, `language`, `slug`, `version` name the columns; each is looked for
    under its own name where it is not given (the text also as `body` and `content`). Ids are the articles' own.
    `profile` is a profile's text or path, `weights` a table's bytes or path; `level`, `near` and `versions` are the
    command line's. `checkpoint` is a folder that all machines reach: what a stage makes is written there, and the
    answer, which is read from it. It may be left out where Spark runs in one process or has a checkpoint folder of its
    own (`setCheckpointDir`). `partitions` is the number of tasks a stage, by default Spark's own for shuffles.

    Raises `RepeatedIdError` when two articles share an id and differ in text, `ExecutorError` when an executor has no
    samestory, `SparkVersionError` when Spark is older than 3.5.
    """
    return _guarded(df, options, with_pairs=False).clusters


def answer(df: DataFrame, **options: Any) -> Answer:
    """As `cluster`, and the verified pairs: matches (`pairs`) and look-alikes (`links`), with `a`, `b`, `relation`,
    `score` and `correction`; `a` is … of `b`.
    """
    return _guarded(df, options, with_pairs=True)


# --- On an executor -------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4)
def _stages(settings: tuple[tuple[str, Any], ...]) -> Stages:
    return Stages(**dict(settings))


def _batches(rows: Any) -> Iterator[Any]:
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]

    return iter(pa.table(rows).to_batches())


def _plain(batch: Any) -> Any:
    """The batch with texts and bytes as the stages take them, whichever form the engine has sent them in."""
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]

    def plain(kind: Any) -> Any:
        if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            return pa.string()
        if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
            return pa.binary()
        if pa.types.is_large_list(kind):
            return pa.list_(kind.value_type)
        return kind

    fields = [pa.field(field.name, plain(field.type)) for field in batch.schema]
    schema = pa.schema(fields)
    if schema.types == batch.schema.types:
        return batch
    return pa.Table.from_batches([batch]).cast(schema).combine_chunks().to_batches()[0]


def _sorted(batches: Iterator[Any], order: tuple[str, ...]) -> Iterator[Any]:
    """The rows of a partition in order, nulls first; without an order as they come, the engine having sorted them."""
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
    import pyarrow.compute as pc  # type: ignore[import-untyped, unused-ignore]

    some = (batch for batch in map(_plain, batches) if batch.num_rows > 0)
    if not order:
        return some
    whole = list(some)
    if not whole:
        return iter(())
    table = pa.Table.from_batches(whole)
    places = pc.sort_indices(table, [(name, "ascending") for name in order], null_placement="at_start")
    return iter(table.take(places).to_batches())


def _whole(batches: Iterator[Any], key: str, order: tuple[str, ...]) -> Iterator[Any]:
    """Tables of rows, sorted by a key, that end where a group of one key ends."""
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
    import pyarrow.compute as pc  # type: ignore[import-untyped, unused-ignore]

    held: list[Any] = []
    for batch in _sorted(batches, order):
        keys = batch.column(key)
        last = keys[-1]
        start = pc.index(keys, last).as_py()
        if held and (start > 0 or held[-1].column(key)[-1] != last):
            yield pa.Table.from_batches([*held, batch.slice(0, start)])
            held = []
        elif start > 0:
            yield pa.Table.from_batches([batch.slice(0, start)])
        held.append(batch.slice(start))
    if held:
        yield pa.Table.from_batches(held)


def _sketch(stages: Stages, batches: Iterator[Any]) -> Iterator[Any]:
    for batch in batches:
        yield from _batches(stages.sketch(batch))


def _settle(stages: Stages, batches: Iterator[Any], order: tuple[str, ...]) -> Iterator[Any]:
    for table in _whole(batches, "handle", order):
        yield from table.take(stages.settle(table)).combine_chunks().to_batches()


def _entries(stages: Stages, batches: Iterator[Any], num_shards: int) -> Iterator[Any]:
    for batch in map(_plain, batches):
        yield from _batches(stages.entries(batch, num_shards))


def _by_rows(stages: Stages, batches: Iterator[Any], name: str) -> Iterator[Any]:
    for batch in map(_plain, batches):
        yield from _batches(getattr(stages, name)(batch))


def _by_group(
    stages: Stages, batches: Iterator[Any], name: str, key: str, order: tuple[str, ...], arguments: tuple[Any, ...] = ()
) -> Iterator[Any]:
    for table in _whole(batches, key, order):
        yield from _batches(getattr(stages, name)(table, *arguments))


def _at_once(
    stages: Stages, batches: Iterator[Any], name: str, order: tuple[str, ...] = (), arguments: tuple[Any, ...] = ()
) -> Iterator[Any]:
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]

    whole = list(_sorted(batches, order))
    if whole:
        yield from _batches(getattr(stages, name)(pa.Table.from_batches(whole), *arguments))


def _probe(stages: Stages, batches: Iterator[Any]) -> Iterator[Any]:
    """Whether the rows have come in order."""
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]

    numbers = [number for batch in batches for number in batch.column(0).to_pylist()]
    yield pa.RecordBatch.from_pydict({"is_sorted": pa.array([numbers == sorted(numbers)])})


_STEPS: dict[str, Callable[..., Iterator[Any]]] = {
    step.__name__: step for step in (_sketch, _settle, _entries, _by_rows, _by_group, _at_once, _probe)
}


def _step(step: Callable[..., Iterator[Any]], settings: tuple[tuple[str, Any], ...], **arguments: Any) -> Any:
    """A function for `mapInArrow` that goes to the executors by value, so that it can say what these lack."""
    name, version, shipping = step.__name__, __version__, SHIPPING.format(version=__version__)
    # As the driver reads it; not in the line that raises, which a traceback quotes.
    mark = f"{ExecutorError.__module__}.{ExecutorError.__name__}"

    def run(batches: Any) -> Any:
        try:
            from samestory import __version__ as found
            from samestory import spark
        except ImportError as error:
            lack = f"an executor cannot import samestory ({error})"
            raise RuntimeError(f"{mark}: {lack}: {shipping}") from error
        if found != version:
            lack = f"an executor has samestory {found}, the driver {version}"
            raise RuntimeError(f"{mark}: {lack}: {shipping}")
        yield from spark._STEPS[name](spark._stages(settings), batches, **arguments)

    return run


# --- On the driver --------------------------------------------------------------------------------------------------

SKETCHED = (
    "handle bigint, id string, text_hash binary, exact_key binary, precedence bigint, alone boolean, head binary, "
    "packed binary"
)
ENTRIES = "shard int, crowded boolean, entries binary"
MET = "`group` int, pairs binary, bucket bigint, key bigint, handle bigint"
MEMBERS = "part binary, id string, handle bigint, refinements binary"
BLOCKS = "`group` int, pairs binary"
NEIGHBOURS = "`group` int, pairs binary, part binary, id string, handle bigint, stretch bigint"
GATHERED = "`group` int, pairs binary, handle bigint"
JUDGED = (
    "a bigint, b bigint, a_id string, b_id string, margin int, excerpt tinyint, is_match boolean, is_forward boolean, "
    "relation string, score_e4 int, correction boolean"
)
FOREST = "a bigint, b bigint"
CUT = "part bigint, a bigint, b bigint, margin int, excerpt tinyint"
HOMES = "handle bigint, representative bigint"
RELATED = (
    "handle bigint, representative bigint, id string, representative_id string, relation string, score_e4 int"
)


def _guarded(df: DataFrame, options: dict[str, Any], with_pairs: bool) -> Answer:
    run = _Run.of(df, **options)
    try:
        return run.answer(df, with_pairs)
    except errors.Error:
        raise
    except Exception as error:
        # What an executor raises comes as text.
        found = re.search(r"samestory\.(?:errors|spark)\.(\w+): ([^\n]*)", str(error))
        known = (getattr(errors, found[1], None) or globals().get(found[1])) if found else None
        if found is None or known is None:
            raise
        raise known(found[2]) from error
    finally:
        run.release()


def _read(what: Optional[bytes | str | Path], is_text: bool) -> Any:
    """A profile's text or a table's bytes, given as such or by path."""
    if what is None or isinstance(what, bytes):
        return what
    if is_text and "\n" in str(what):
        return str(what)
    parameters = read_parameters(what)
    return parameters.decode() if is_text else parameters


@dataclass
class _Run:
    """A clustering that is under way."""

    spark: SparkSession
    columns: dict[str, list[str]]
    options: dict[str, Any]
    folder: str
    partitions: int
    seed: int = 0

    @staticmethod
    def of(
        df: DataFrame,
        *,
        id: Optional[str] = None,
        text: Optional[str] = None,
        title: Optional[str] = None,
        source: Optional[str] = None,
        published: Optional[str] = None,
        language: Optional[str] = None,
        slug: Optional[str] = None,
        version: Optional[str] = None,
        profile: Optional[str | Path] = None,
        weights: Optional[bytes | str | Path] = None,
        level: str = "rewrite",
        near: str = "minhash",
        versions: str = "refuse",
        checkpoint: Optional[str | Path] = None,
        partitions: Optional[int] = None,
    ) -> _Run:
        spark = df.sparkSession
        if tuple(map(int, re.findall(r"\d+", spark.version)[:2])) < (3, 5):
            raise SparkVersionError(
                f"Spark {spark.version} is too old: samestory needs 3.5 or later; pip install 'pyspark>=3.5' and a "
                "cluster of that version"
            )
        given = dict(zip(FIELDS, (id, text, title, source, published, language, slug, version)))
        columns = {}
        for field, name in given.items():
            names = [name] if name is not None else [field, *OTHER_NAMES.get(field, ())]
            columns[field] = [name for name in names if name in df.columns]
            if not columns[field] and (name is not None or field in ("id", "text")):
                raise errors.OptionError(
                    f"no column '{names[0]}' for the {field} of articles: the frame has "
                    f"{', '.join(df.columns)}; name the right one: {field}=…"
                )
        if partitions is not None and partitions < 1:
            raise errors.OptionError(f"partitions is {partitions}, expected 1 or more")
        options = {
            "profile": _read(profile, is_text=True),
            "weights": _read(weights, is_text=False),
            "level": level,
            "near": near,
            "versions": versions,
        }
        # What is wrong with the options is said here, not by an executor.
        Stages(**options)
        folder = f"{_checkpoint_folder(spark, checkpoint).rstrip('/')}/samestory-{uuid.uuid4().hex}"
        return _Run(spark, columns, options, folder, partitions or _shuffle_partitions(spark))

    # Frames

    def kept(self, name: str, frame: DataFrame) -> DataFrame:
        """The frame, written and read back: whatever is lost later, this stands, and is not made twice."""
        self.describe(name)
        frame.write.parquet(f"{self.folder}/{name}")
        return self.spark.read.schema(frame.schema).parquet(f"{self.folder}/{name}")

    def describe(self, name: str) -> None:
        """Names what is under way, for Spark's pages and log of events; a client of Spark Connect cannot."""
        if not _is_remote(self.spark):
            self.spark.sparkContext.setJobDescription(f"samestory: {name}")

    def release(self) -> None:
        """Removes what the stages made; a client of Spark Connect cannot."""
        if not _is_remote(self.spark):
            self.spark.sparkContext.setJobDescription(None)
            jvm, java = self.spark._jvm, self.spark._jsparkSession
            folder = jvm.org.apache.hadoop.fs.Path(self.folder)
            files = folder.getFileSystem(java.sessionState().newHadoopConf())
            for found in files.listStatus(folder) if files.exists(folder) else []:
                if found.getPath().getName() not in Answer._fields:
                    files.delete(found.getPath(), True)

    def mapped(self, frame: DataFrame, step: Callable[..., Any], schema: str, **arguments: Any) -> DataFrame:
        settings = tuple({**self.options, "seed": self.seed}.items())
        return frame.mapInArrow(_step(step, settings, **arguments), schema)

    def grouped(
        self, frame: DataFrame, name: str, schema: str, order: tuple[str, ...], *arguments: Any, num_keys: int = 1
    ) -> DataFrame:
        """A stage over whole groups of rows of one key, the first of `order` (or more: `num_keys`), in that order."""
        gathered, own = self.in_order(frame.repartition(self.partitions, *order[:num_keys]), order)
        return self.mapped(gathered, _by_group, schema, name=name, key=order[0], order=own, arguments=arguments)

    def in_order(self, frame: DataFrame, order: tuple[str, ...]) -> tuple[DataFrame, tuple[str, ...]]:
        """The frame with each partition in order; and what is left of that for the stage to do."""
        return (frame.sortWithinPartitions(*order), ()) if self.sorts else (frame, order)

    @staticmethod
    def picked(rows: DataFrame, num_rows: int, articles: DataFrame, *columns: str) -> DataFrame:
        """Some rows with what is asked of the articles that they name."""
        from pyspark.sql import functions as F

        rows = F.broadcast(rows) if num_rows <= ROWS_TO_ALL else rows
        return articles.select("handle", *columns).join(rows, "handle")

    @functools.cached_property
    def sorts(self) -> bool:
        """Whether rows that were sorted come to `mapInArrow` so: an engine may think that nobody looks (Sail 0.7)."""
        numbers = self.spark.range(0, 64, 1, 4).selectExpr("id * 37 % 64 AS number").repartition(2, "number")
        rows = self.mapped(numbers.sortWithinPartitions("number"), _probe, "is_sorted boolean").collect()
        return all(row.is_sorted for row in rows)

    # Stages

    def answer(self, df: DataFrame, with_pairs: bool) -> Answer:
        from pyspark.sql import functions as F  # type: ignore[import-not-found, unused-ignore]

        articles = self.sketched(df)
        copies = self.copies(articles)
        judged = homes = None
        if self.options["level"] != "exact":
            standing = articles.join(copies, "handle", "left_anti")
            judged = self.kept("judged", self.judged(standing, with_pairs))
            homes = self.homes(articles, judged.where("is_match"))
        clusters = self.kept("clusters", self.rows(articles, copies, homes))
        exact = copies.join(articles.select("handle", F.col("id").alias("a")), "handle").join(
            articles.select(F.col("handle").alias("stand_in"), F.col("id").alias("b")), "stand_in"
        )
        exact = exact.selectExpr("a", "b", "'exact' AS relation", "CAST(1 AS double) AS score", "false AS correction")
        links = exact.where("false")
        if with_pairs:
            if judged is not None:
                told = judged.selectExpr(
                    "is_match",
                    "CASE WHEN is_forward THEN a_id ELSE b_id END AS a",
                    "CASE WHEN is_forward THEN b_id ELSE a_id END AS b",
                    "relation",
                    "score_e4 / 10000D AS score",
                    "correction",
                )
                exact = exact.union(told.where("is_match").drop("is_match"))
                links = told.where("NOT is_match").drop("is_match")
            exact, links = self.kept("pairs", exact), self.kept("links", links)
        return Answer(clusters, exact, links)

    def sketched(self, df: DataFrame) -> DataFrame:
        """One row an id: its handle, facts and packed form."""
        from pyspark.sql import functions as F  # type: ignore[import-not-found, unused-ignore]

        # A field that has several names goes under all of them: which one counts is decided row by row.
        def named(field: str, name: str) -> Any:
            own = name if len(self.columns[field]) > 1 else field
            return F.col(f"`{name}`").alias(own)

        articles = df.select(*(named(field, name) for field, names in self.columns.items() for name in names))
        for self.seed in range(SEEDS):
            sketched = self.kept(f"sketched-{self.seed}", self.mapped(articles, _sketch, SKETCHED))
            handles = sketched.groupBy("handle").agg(
                F.count(F.lit(1)).alias("num"), F.min("id").alias("first"), F.max("id").alias("last")
            )
            repeated = handles.where("num > 1")
            shared, num_repeated = repeated.agg(
                F.sum(F.expr("CASE WHEN first <> last THEN 1 ELSE 0 END")), F.count(F.lit(1))
            ).first()
            if not shared:
                break
        else:
            raise errors.InternalError("ids share handles under every seed; please report it")
        if num_repeated:
            several = sketched.join(repeated.select("handle"), "handle", "left_semi").select(*sketched.columns)
            several, own = self.in_order(several.repartition(self.partitions, "handle"), ("handle",))
            settled = self.mapped(several, _settle, SKETCHED, order=own)
            others = sketched.join(repeated.select("handle"), "handle", "left_anti").select(*sketched.columns)
            sketched = self.kept("settled", others.union(settled))
        self.num_articles = sketched.count()
        return sketched

    def copies(self, articles: DataFrame) -> DataFrame:
        """Exact copies, each with the article that stands in for it."""
        from pyspark.sql import functions as F  # type: ignore[import-not-found, unused-ignore]

        keyed = articles.where("exact_key IS NOT NULL").select("handle", "id", "exact_key", "precedence")
        firsts = keyed.groupBy("exact_key").agg(
            F.min(F.struct("precedence", "id", "handle")).alias("first"), F.count(F.lit(1)).alias("num")
        )
        firsts = firsts.where("num > 1").select("exact_key", F.col("first.handle").alias("stand_in"))
        copies = keyed.join(firsts, "exact_key").where("handle <> stand_in")
        return self.kept("copies", copies.select("handle", "stand_in"))

    def judged(self, standing: DataFrame, with_links: bool) -> DataFrame:
        """Verdicts on the distinct pairs that share a key."""
        # Pairs lie in a grid, by the stretches of their two handles: an article's head goes to as many groups as it has
        # stretches, not to as many as it has pairs.
        side = max(1, -(-2 * self.num_articles // HEADS_A_GROUP))
        while side * (side + 1) // 2 < self.partitions:
            side += 1
        # Which of a crowded bucket's entries go where is by batch: in one order, a task run again does the same.
        ordered = standing.select("handle", "packed").sortWithinPartitions("handle")
        entries = self.mapped(ordered, _entries, ENTRIES, num_shards=4 * self.partitions)
        met = self.kept("met", self.grouped(entries, "meet", MET, ("shard",), side))
        blocks = met.where("pairs IS NOT NULL").select("group", "pairs")
        crowded = met.where("key IS NOT NULL").select("bucket", "key", "handle").distinct()
        for pairs in self.crowded(standing, crowded, side):
            blocks = blocks.union(pairs)
        rows = self.with_articles("pairs-met", blocks, standing, "head")
        num_groups = max(self.partitions, -(-self.num_articles // ARTICLES_A_GROUP))
        open_pairs = self.grouped(rows, "sift", BLOCKS, ("group",), num_groups, with_links)
        rows = self.with_articles("pairs-open", open_pairs, standing, "packed")
        return self.grouped(rows, "judge", JUDGED, ("group",), with_links)

    def with_articles(self, name: str, blocks: DataFrame, standing: DataFrame, what: str) -> DataFrame:
        """The distinct pairs of each group, and beside them the articles in them, each once."""
        gathered = self.kept(name, self.grouped(blocks, "gather", GATHERED, ("group",)))
        wanted = gathered.where("handle IS NOT NULL").select("group", "handle")
        articles = self.picked(wanted, wanted.count(), standing, what)
        articles = articles.selectExpr("`group`", "handle", what, "CAST(NULL AS binary) AS pairs")
        pairs = gathered.where("pairs IS NOT NULL")
        return articles.union(
            pairs.selectExpr("`group`", "CAST(NULL AS bigint) AS handle", f"CAST(NULL AS binary) AS {what}", "pairs")
        )

    def crowded(self, standing: DataFrame, crowded: DataFrame, side: int) -> Iterator[DataFrame]:
        """Blocks of the pairs of crowded buckets."""
        from pyspark.sql import functions as F  # type: ignore[import-not-found, unused-ignore]

        crowded = self.kept("crowded", crowded)
        num_crowded = crowded.count()
        if not num_crowded:
            return
        named = self.picked(crowded, num_crowded, standing, "id")
        # A bucket is refined by the key of its first article.
        firsts = named.groupBy("bucket").agg(F.min(F.struct("id", "key")).alias("first"))
        keys = crowded.join(firsts.select("bucket", F.col("first.key").alias("first")), "bucket")
        keys = keys.groupBy("handle").agg(F.collect_list("first").alias("keys"))
        packed = self.picked(keys, num_crowded, standing, "packed").select("handle", "packed", "keys")
        members = self.mapped(packed, _by_rows, MEMBERS, name="refine")
        for depth in range(Stages.MAX_DEPTH + 1):
            members = self.kept(f"members-{depth}", members)
            sizes = members.groupBy("part").agg(
                F.count(F.lit(1)).alias("num"), F.min(F.struct("id", "handle")).alias("first")
            )
            sizes = sizes.select("part", "num", F.col("first.handle").alias("first"))
            large = self.kept(f"large-{depth}", sizes.where(F.col("num") > PART_LIMIT))
            small = members.join(large, "part", "left_anti").select(*members.columns)
            yield self.grouped(small, "part_pairs", BLOCKS, ("part", "id"), side)
            num_large, num_members = large.agg(F.count(F.lit(1)), F.sum("num")).first()
            if not num_large:
                return
            # No task has all of a large part: each takes a stretch of it in order of id.
            stretches = max(self.partitions, -(-num_members // PART_LIMIT))
            rows = members.join(F.broadcast(large.select("part", "first")), "part")
            rows = rows.select("part", "id", "handle", "first", "refinements")
            row = rows.drop("refinements")
            # An engine that does not sort does not part by range either: there a task takes whole parts.
            by_range = row.repartitionByRange(stretches, "part", "id")
            row = by_range if self.sorts else row.repartition(stretches, "part")
            row, own = self.in_order(row, ("part", "id"))
            near = self.mapped(row, _at_once, NEIGHBOURS, name="neighbours", order=own, arguments=(side,))
            near = self.kept(f"neighbours-{depth}", near)
            yield near.where("pairs IS NOT NULL").select("group", "pairs")
            ends = near.where("part IS NOT NULL").select("part", "id", "handle", "stretch")
            yield self.grouped(ends, "stitch", BLOCKS, ("part", "id"), side)
            members = self.mapped(rows.select(*members.columns), _by_rows, MEMBERS, name="deepen")

    def homes(self, articles: DataFrame, matches: DataFrame) -> DataFrame:
        """The representative of each article that has a match."""
        matches = matches.select("a", "b", "a_id", "b_id", "margin", "excerpt")
        components = self.components(matches.select("a", "b"))
        matches = matches.join(components.withColumnRenamed("handle", "a"), "a")
        cut = self.kept("cut", self.grouped(matches, "cut", CUT, ("component",)))
        ends = cut.selectExpr("part", "a AS handle").union(cut.selectExpr("part", "b AS handle")).distinct()
        members = self.picked(ends, 2 * cut.count(), articles, "id", "packed")
        nothing = "CAST(NULL AS {}) AS {}".format
        of_article = [nothing(*column) for column in (("string", "id"), ("bigint", "handle"), ("binary", "packed"))]
        of_match = [("bigint", "a"), ("bigint", "b"), ("int", "margin"), ("tinyint", "excerpt")]
        rows = members.selectExpr("part", "id", "handle", "packed", *(nothing(*column) for column in of_match))
        rows = rows.union(cut.selectExpr("part", *of_article, "a", "b", "margin", "excerpt"))
        return self.kept("homes", self.grouped(rows, "cluster", HOMES, ("part", "id")))

    def components(self, edges: DataFrame) -> DataFrame:
        """The component of each article with a match: its least handle."""
        forest = self.kept("forest", self.mapped(edges, _at_once, FOREST, name="forest"))
        if forest.count() > DRIVER_EDGES:
            return self.stars(forest.where("a <> b")).selectExpr("a AS handle", "b AS component")
        table = Stages.forest(_collected(forest))
        return _created(self.spark, table, FOREST).selectExpr("a AS handle", "b AS component")

    def stars(self, edges: DataFrame) -> DataFrame:
        """Components by large and small stars in turn (Kiveris et al., Connected Components in MapReduce and Beyond,
        SoCC 2014, alternating algorithm)."""
        from pyspark.sql import functions as F  # type: ignore[import-not-found, unused-ignore]

        before, number = None, 0
        edges = edges.selectExpr("greatest(a, b) AS a", "least(a, b) AS b")
        while True:
            both = edges.union(edges.selectExpr("b", "a"))
            least = both.groupBy("a").agg(F.least(F.min("b"), F.col("a")).alias("least"))
            large = both.join(least, "a").where("b > a").selectExpr("b AS a", "least AS b").distinct()
            least = large.groupBy("a").agg(F.min("b").alias("least"))
            small = large.join(least, "a").where("b <> least").selectExpr("b AS a", "least AS b")
            small = small.union(least.selectExpr("a", "least AS b")).distinct()
            edges = self.kept(f"stars-{number}", small)
            now = edges.agg(F.count(F.lit(1)), F.expr("bit_xor(xxhash64(a, b))")).first()
            if now == before:
                roots = edges.selectExpr("b AS a", "b").distinct()
                return edges.union(roots)
            before, number = now, number + 1

    def rows(self, articles: DataFrame, copies: DataFrame, homes: Optional[DataFrame]) -> DataFrame:
        """The answer, a row an article."""
        from pyspark.sql import functions as F  # type: ignore[import-not-found, unused-ignore]

        placed = copies.selectExpr("handle", "stand_in AS representative")
        if homes is not None:
            of_stand_in = homes.selectExpr("handle AS stand_in", "representative")
            placed = copies.join(of_stand_in, "stand_in", "left").selectExpr(
                "handle", "coalesce(representative, stand_in) AS representative"
            )
            placed = placed.union(homes.where("handle <> representative").select("handle", "representative"))
        sizes = placed.groupBy("representative").agg((F.count(F.lit(1)) + 1).cast("int").alias("size"))
        sizes = self.kept("sizes", sizes)
        # A large cluster's members are held against its representative in several tasks.
        salted = sizes.selectExpr("representative", f"CAST(ceil(size / {MEMBERS_A_TASK}) AS int) AS salts")
        members = placed.join(salted, "representative").selectExpr(
            "representative", "CAST(pmod(handle, salts) AS int) AS salt", "handle"
        )
        own = salted.selectExpr(
            "representative", "explode(sequence(0, salts - 1)) AS salt", "representative AS handle"
        )
        num_members = sizes.agg(F.sum("size")).first()[0] or 0
        packed = self.picked(members.union(own), num_members, articles, "packed")
        packed = packed.select("representative", "salt", "handle", "packed")
        related = self.kept("related", self.grouped(packed, "relate", RELATED, ("representative", "salt"), num_keys=2))
        named = related.groupBy("representative").agg(F.min("id").alias("cluster")).join(sizes, "representative")
        grouped = related.join(named, "representative").selectExpr(
            "id", "cluster", "representative_id AS representative", "relation", "score_e4 / 10000D AS score", "size"
        )
        alone = articles.join(related.select("handle"), "handle", "left_anti").selectExpr(
            "id",
            "id AS cluster",
            "id AS representative",
            "CASE WHEN alone THEN 'undecidable' ELSE 'self' END AS relation",
            "CASE WHEN alone THEN 0D ELSE 1D END AS score",
            "1 AS size",
        )
        return grouped.union(alone)


def _is_remote(spark: SparkSession) -> bool:
    return type(spark).__module__.startswith("pyspark.sql.connect")


def _checkpoint_folder(spark: SparkSession, given: Optional[str | Path]) -> str:
    if given is not None:
        return str(given)
    if not _is_remote(spark):
        context = spark.sparkContext
        if context.getCheckpointDir() is not None:
            return str(context.getCheckpointDir())
        if context.master.startswith("local"):
            folder = tempfile.mkdtemp(prefix="samestory-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            return folder
    raise errors.OptionError(
        "no folder for what the stages make: give one that all machines reach, as checkpoint='hdfs:///scratch'"
    )


def _shuffle_partitions(spark: SparkSession) -> int:
    try:
        return max(1, int(spark.conf.get("spark.sql.shuffle.partitions") or 0))
    except Exception:  # An engine that speaks Spark's protocol and has no such setting.
        return 8


def _collected(frame: DataFrame) -> Any:
    """A frame's rows on the driver, as Arrow."""
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]

    if hasattr(frame, "toArrow"):
        return frame.toArrow()
    return pa.Table.from_pandas(frame.toPandas(), preserve_index=False)


def _created(spark: SparkSession, rows: Any, schema: str) -> DataFrame:
    """A frame of the driver's rows."""
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]

    table = pa.table(rows)
    if int(spark.version.split(".")[0]) >= 4:
        return spark.createDataFrame(table, schema)
    return spark.createDataFrame(table.to_pandas(), schema)


# --- The command ----------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="samestory-spark",
        description="Cluster a feed on Spark: a row an article, as samestory cluster writes them, in order.",
    )
    parser.add_argument("input", metavar="IN", nargs="+", help="JSON lines (.jsonl, .json, also packed) or Parquet")
    parser.add_argument("output", metavar="OUT", help="a folder: JSON lines, or Parquet when it ends in .parquet")
    for field in FIELDS:
        parser.add_argument(f"--{field}-field", metavar="NAME", help=f"the field of the {field}")
    parser.add_argument("--profile", metavar="FILE", help="a profile, as calibrate makes one")
    parser.add_argument("--weights", metavar="FILE", help="a table of word weights")
    parser.add_argument("--level", default="rewrite", choices=["exact", "near", "rewrite"])
    parser.add_argument("--near", default="minhash", choices=["minhash", "simhash"])
    parser.add_argument("--versions", default="refuse", choices=["refuse", "newest"])
    parser.add_argument("--checkpoint", metavar="DIR", help="a folder that all machines reach, for the stages")
    parser.add_argument("--partitions", type=int, metavar="N", help="tasks a stage")
    parser.add_argument("--pairs", metavar="DIR", help="where the verified matches go")
    parser.add_argument("--links", metavar="DIR", help="where the look-alikes go")
    parser.add_argument("--master", metavar="URL", help="Spark's master; spark-submit sets its own")
    parser.add_argument("--remote", metavar="URL", help="a Spark Connect server, as sc://host:15002")
    return parser


def _feed(spark: SparkSession, inputs: list[str], fields: dict[str, str]) -> tuple[DataFrame, int]:
    """The articles of some files, and how many lines are none."""
    if all(name.rstrip("/").endswith(".parquet") for name in inputs):
        return spark.read.parquet(*inputs), 0
    names = [fields.get(field) or field for field in FIELDS]
    names += [name for field, others in OTHER_NAMES.items() if field not in fields for name in others]
    schema = ", ".join(f"`{name}` string" for name in [*names, "_corrupt_record"])
    read = spark.read.schema(schema).json(inputs)
    # Spark wants the whole row to be read before it says which are bad.
    texts = [name for name in names if name == (fields.get("id") or "id") or name == fields.get("text")
             or ("text" not in fields and name in ("text", *OTHER_NAMES["text"]))]
    is_article = "coalesce({}) IS NOT NULL".format(", ".join(f"`{name}`" for name in texts))
    num_bad = read.select(*names, "_corrupt_record").where(f"NOT ({is_article})").count()
    return read.where(is_article).drop("_corrupt_record"), num_bad


def main(arguments: Optional[list[str]] = None) -> int:
    """`samestory-spark IN OUT`."""
    given = _parser().parse_args(arguments)
    try:
        from pyspark.sql import SparkSession  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        print("samestory-spark: no Spark here: pip install 'samestory[spark]'", file=sys.stderr)
        return 1
    builder = SparkSession.builder.appName("samestory")
    if given.remote:
        builder = builder.remote(given.remote)
    elif given.master:
        builder = builder.master(given.master)
    spark = builder.getOrCreate()
    fields = {field: name for field in FIELDS if (name := getattr(given, f"{field}_field"))}
    try:
        feed, num_bad = _feed(spark, given.input, fields)
        options = {name: getattr(given, name) for name in
                   ("profile", "weights", "level", "near", "versions", "checkpoint", "partitions")}
        found = _guarded(feed, {**fields, **options}, with_pairs=bool(given.pairs or given.links))
        for frame, folder in ((found.pairs, given.pairs), (found.links, given.links)):
            if folder:
                _write(frame, ("a", "b"), folder)
        _write(found.clusters, ("cluster", "id"), given.output, _step(_by_rows, (), name="lines"))
    except errors.Error as error:
        print(f"samestory-spark: {error}", file=sys.stderr)
        return 1
    finally:
        spark.stop()
    if num_bad:
        print(f"samestory-spark: {num_bad} lines that are no article, skipped", file=sys.stderr)
    return 0


def _write(frame: DataFrame, order: tuple[str, str], folder: str, as_lines: Any = None) -> None:
    """A frame in order, as Parquet or lines of JSON; where `as_lines` makes these, as the command line has them."""
    if folder.rstrip("/").endswith(".parquet"):
        frame.orderBy(*order).write.parquet(folder)
    elif as_lines is None:
        frame.orderBy(*order).write.json(folder)
    else:
        lines = frame.mapInArrow(as_lines, "cluster string, id string, value string")
        lines.orderBy(*order).select("value").write.text(folder)


if __name__ == "__main__":
    sys.exit(main())
