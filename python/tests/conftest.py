"""The feed of the fixtures, and the command line to hold answers against."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FEED = ROOT / "fixtures/feed.jsonl"
CLI = os.environ.get("SAMESTORY_CLI", str(ROOT / "target/debug/samestory"))

FERRY = (
    "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard. Fishermen from Ivana brought "
    "most of them ashore, and the coast guard said nobody was hurt."
)
TRIMMED = (
    "A ferry, the Santa Odilia, ran aground off Batanes on Monday with 214 passengers aboard. Fishermen from Ivana "
    "brought most of them ashore."
)
WHEAT = "Wheat futures in Chicago closed lower on Monday as rain reached the plains, and funds sold 4,000 lots."


@pytest.fixture(scope="session")
def feed():
    """The articles of the feed, as dicts."""
    return [json.loads(line) for line in FEED.open(encoding="utf-8")]


@pytest.fixture(scope="session")
def cli():
    """Runs the command line; it has to be there, or nothing is compared."""
    assert Path(CLI).exists(), f"{CLI} is missing: cargo build, or name it by SAMESTORY_CLI"

    def run(*args, code=0):
        done = subprocess.run([CLI, *map(str, args)], capture_output=True, check=False)
        assert done.returncode == code, done.stderr.decode()
        return done.stdout

    return run


def write_feed(path, articles):
    """Articles as JSON lines."""
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(article) + "\n" for article in articles)
    return path
