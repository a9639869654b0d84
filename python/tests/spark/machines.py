"""The machines that `samestory.spark` is tested on, and the command line to hold its answers against."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FIXTURE = ROOT / "fixtures/feed.jsonl"
BINARY = Path(os.environ.get("SAMESTORY_BIN", ROOT / "target/release/samestory"))
MAKE_FEED = Path(os.environ.get("SAMESTORY_FEED", ROOT / "target/release/examples/feed"))


def expected(feeds, folder, *options):
    """What the command line writes."""
    feeds = feeds if isinstance(feeds, list) else [feeds]
    output = folder / "expected.jsonl"
    subprocess.run([BINARY, "cluster", *feeds, "-o", output, "--quiet", *options], check=True)
    return output.read_bytes()


def made_feed(folder, *options):
    path = folder / "feed.jsonl"
    subprocess.run([MAKE_FEED, *options, "-o", path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def parts(folder):
    """The lines of a folder that Spark wrote, in order."""
    return b"".join(part.read_bytes() for part in sorted(folder.glob("[!._]*")))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def dies_with_us():
    """A process of its own group that gets SIGTERM when the one that started it ends, however that ends."""
    os.setsid()
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Cluster:
    """A standalone master with two workers on loopback."""

    def __init__(self, folder):
        import pyspark

        self.folder = folder
        self.spark_class = Path(pyspark.__file__).parent / "bin/spark-class"
        self.processes = []
        port = free_port()
        self.url = f"spark://127.0.0.1:{port}"
        self.start("master.Master", "--port", str(port))
        wait_for(lambda: answers(port), "the master")
        self.workers = []
        for number in range(2):
            work = folder / f"worker-{number}"
            self.workers.append(self.start("worker.Worker", "--cores", "1", "--memory", "2g", "-d", work, self.url))

    def start(self, kind, *arguments):
        command = [self.spark_class, f"org.apache.spark.deploy.{kind}", "--host", "127.0.0.1", "--webui-port", "0"]
        environ = {**os.environ, "SPARK_DAEMON_MEMORY": "384m", "SPARK_LOCAL_DIRS": str(self.folder / "shuffles")}
        with open(self.folder / f"{kind}-{len(self.processes)}.log", "wb") as log:
            process = subprocess.Popen(
                list(map(str, [*command, *arguments])), stdout=log, stderr=log, env=environ, preexec_fn=dies_with_us
            )
        self.processes.append(process)
        return process

    def kill(self, worker):
        """A worker and its executors, at once and without a word."""
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(is_so, what, seconds=60):
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError(f"{what} did not come within {seconds} s")
        time.sleep(0.1)


def classic(master, folder, **settings):
    """A session of Spark itself."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(master).appName("samestory tests")
    own = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.executor.memory": "1g",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": "4",
        "spark.log.level": "ERROR",
        # The data is small: compiling code for it takes longer than going without.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        **settings,
    }
    for name, value in own.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
