"""Sessions for the tests of `samestory.spark`."""

import importlib.util

import pytest
from machines import classic

# Where there is no Spark there is nothing to test: `scripts/spark-test` brings it.
collect_ignore = [] if importlib.util.find_spec("pyspark") else ["test_spark.py"]


def pytest_configure(config):
    for mark, what in (("sail", "no JVM"), ("local", "Spark in one process"), ("cluster", "a master and two workers"),
                       ("quick", "of the tests in one process those that are always run")):
        config.addinivalue_line("markers", f"{mark}: {what}")


@pytest.fixture(scope="session")
def local(tmp_path_factory):
    spark = classic("local[2]", tmp_path_factory.mktemp("local"))
    yield spark
    spark.stop()


@pytest.fixture(scope="session")
def sail():
    pysail = pytest.importorskip("pysail.spark")
    from pyspark.sql import SparkSession

    server = pysail.SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    yield spark
    spark.stop()
    server.stop()


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("sail", "local")])
def spark(request):
    """A session of either kind."""
    return request.getfixturevalue(request.param)
