"""Threads, Python's lock, Ctrl-C, memory."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import pyarrow
import pytest
from conftest import FERRY

import samestory

WORDS = [f"word{number}" for number in range(5000)]


def made(num_articles, seed=7):
    """Texts of some 300 words, many of them nearly alike: work for all stages."""
    drawn = random.Random(seed)
    bases = [[drawn.choice(WORDS) for _ in range(300)] for _ in range(max(1, num_articles // 8))]
    texts = []
    for _ in range(num_articles):
        words = list(drawn.choice(bases))
        for _ in range(12):
            words[drawn.randrange(300)] = drawn.choice(WORDS)
        texts.append(" ".join(words) + ".")
    return texts


def test_other_threads_go_on():
    texts = made(6000)
    beats, is_done = [], threading.Event()

    def beat():
        while not is_done.is_set():
            beats.append(time.perf_counter())
            time.sleep(0.005)

    thread = threading.Thread(target=beat)
    thread.start()
    started = time.perf_counter()
    samestory.cluster(texts, threads=1)
    ended = time.perf_counter()
    is_done.set()
    thread.join()
    assert ended - started > 0.2, "too short a run to tell"
    within = [moment for moment in beats if started < moment < ended]
    longest = max(after - before for before, after in zip([started, *within], [*within, ended]))
    assert len(within) > 10
    assert longest < (ended - started) / 2, "Python stood still"


def test_one_run_on_each_of_several_threads(feed):
    expected = samestory.cluster(feed).clusters().to_pylist()
    answers = [None] * 4

    def run(number):
        answers[number] = samestory.cluster(feed, threads=number + 1).clusters().to_pylist()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(answers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(answer == expected for answer in answers)


INTERRUPTED = """
import os, signal, sys, threading, time
sys.path.insert(0, {folder!r})
from test_run import made
import samestory

{setup}
sent = []
def interrupt():
    time.sleep({after})
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    {work}
except KeyboardInterrupt:
    print("interrupted", time.perf_counter() - sent[0])
else:
    print("finished")
print(len(samestory.cluster(["a", "b"]).clusters()))
"""


@pytest.mark.parametrize(
    ("setup", "work", "after"),
    [
        # While texts are read and sketched; while a generator waits; on candidates and verdicts of texts all alike.
        ("texts = made(200) * 1000", "samestory.cluster(texts, threads=1)", 0.5),
        ("def articles():\n    yield 'a'\n    time.sleep(30)", "samestory.cluster(articles())", 0.5),
        (
            "texts = [t + f' x{n} y{n} z{n}.' for t in made(40) for n in range(500)]",
            "samestory.cluster(texts, level='near', threads=1, progress=lambda *n: None)",
            3.0,
        ),
        ("texts = made(200) * 1000", "samestory.signatures(texts, threads=1)", 0.5),
    ],
)
def test_ctrl_c_ends_a_run(setup, work, after):
    code = INTERRUPTED.format(folder=os.path.dirname(__file__), setup=setup, work=work, after=after)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    lines = done.stdout.split("\n")
    if lines[0] == "finished":
        pytest.fail(f"the run was over before it was interrupted: {done.stderr}")
    assert float(lines[0].split()[1]) < 1.0, lines
    assert lines[1] == "2", "another run after it"


def test_an_index_is_whole_after_ctrl_c(tmp_path):
    setup = f"index = samestory.Index.open({str(tmp_path / 'index')!r})\ntexts = made(20000)\n"
    work = "index.add({'id': str(n), 'text': t} for n, t in enumerate(texts))"
    code = INTERRUPTED.format(folder=os.path.dirname(__file__), setup=setup, work=work, after=1.5)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.startswith("interrupted"), done.stdout
    with samestory.Index.open(tmp_path / "index") as index:
        assert len(index) % 1000 == 0
        assert index.add([{"id": "more", "text": FERRY}]).added == 1


def test_what_progress_raises_ends_the_run():
    class Enough(Exception):
        pass

    def progress(num_articles, num_candidates, num_verified):
        raise Enough

    with pytest.raises(Enough):
        samestory.cluster(made(5000), threads=1, progress=progress)


def test_progress_tells_of_the_run():
    calls = []
    samestory.cluster(made(8000), threads=1, progress=lambda *numbers: calls.append(numbers))
    assert calls
    assert calls == sorted(calls, key=lambda numbers: numbers[0])
    assert 0 < calls[-1][0] <= 8000


class Liar:
    """An array under a schema that is not its own."""

    def __init__(self, kind, array):
        self.kind, self.array = kind, array

    def __arrow_c_array__(self, requested_schema=None):
        return pyarrow.field("", self.kind).__arrow_c_schema__(), self.array.__arrow_c_array__()[1]


@pytest.mark.parametrize(
    ("kind", "array"),
    [
        (pyarrow.string(), pyarrow.array([{"text": FERRY}])),
        (pyarrow.struct({"id": pyarrow.string(), "text": pyarrow.string()}), pyarrow.array([{"text": FERRY}])),
        (pyarrow.list_(pyarrow.string()), pyarrow.array([FERRY])),
    ],
)
@pytest.mark.parametrize(
    "take", [samestory.cluster, samestory.signatures, samestory.band_keys, lambda bad: samestory.cluster([FERRY, bad])]
)
def test_no_panic_comes_through(kind, array, take):
    """Arrow panics on the first two; the process goes on."""
    with pytest.raises(samestory.Error):
        take(Liar(kind, array))


def test_what_is_no_text_is_refused():
    offsets = pyarrow.py_buffer(b"\0\0\0\0\2\0\0\0")
    bad = pyarrow.Array.from_buffers(pyarrow.string(), 1, [None, offsets, pyarrow.py_buffer(b"\xff\xfe")])
    for data in (bad, pyarrow.table({"text": bad})):
        with pytest.raises(samestory.DataError, match="UTF-8|utf-8"):
            samestory.cluster(data)


def resident():
    """Bytes of this process in memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_stays_flat_over_a_thousand_batches():
    texts = made(48) + ["Café “prices” rose — ünïcödé."] * 16
    table = pyarrow.table({"text": texts})

    def batch(number):
        data = table if number % 2 else [text for text in texts]
        result = samestory.cluster(data, threads=2)
        pyarrow.table(result.clusters())
        result.pairs().to_pylist()
        result.keep_mask()
        samestory.band_keys(samestory.signatures(data, threads=2)).to_pylist()

    for number in range(200):
        batch(number)
    before = resident()
    for number in range(1000):
        batch(number)
    grown = resident() - before
    # One batch leaked whole would be 1,000 × some 0.3 MB.
    assert grown < 24 << 20, f"{grown / 2**20:.1f} MiB more after 1,000 batches"


def test_signal_handlers_of_others_are_heard():
    heard = []
    old = signal.signal(signal.SIGUSR1, lambda *_: heard.append(time.perf_counter()))
    try:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        samestory.cluster(made(6000), threads=1)
        ended = time.perf_counter()
    finally:
        signal.signal(signal.SIGUSR1, old)
    assert heard and heard[0] < ended
