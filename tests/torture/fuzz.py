"""libFuzzer on every reader, from small sound files of each kind: no crash, no leak, no second, no undue memory.

RUNS is how often each reader is called, 10^7 by default, READERS which of them. FUZZED is the folder of the programs,
build/fuzz/tests/torture by default; the corpora grow there.
"""

import os
import pathlib
import re
import subprocess

from program import Counts, Folder, environment
from seeds import WORDS, seeds

TARGETS = pathlib.Path(os.environ.get("FUZZED", "build/fuzz/tests/torture")).absolute()
LONGEST = 4096  # bytes of a file
ENDLESS = 60  # seconds, of the clock: the target itself measures the second of its own that a file may take
MEMORY = 2048  # megabytes of all, sanitizers and corpora with it: the target itself measures what a file takes
MEASURED = re.compile(r"stat::(number_of_executed_units|average_exec_per_sec): *(\d+)")


def fuzz(_, short):
    counts = Counts("fuzz")
    target = target_of("readers", short)
    if not target:
        return counts
    runs = 2000 if short else int(os.environ.get("RUNS", 10_000_000))
    with Folder() as root:
        for name, files in seeds(root).items():
            if name in os.environ.get("READERS", name).split(","):
                fuzz_reader(counts, target, root, name, files, runs)
    return counts


def fuzz_reader(counts, target, root, name, files, runs):
    for k, content in enumerate(files):
        (corpus_of(name) / f"seed{k}").write_bytes(content)
    words = root / f"{name}.dict"
    words.write_text("".join(f'"{word}"\n' for word in WORDS[name]))
    link = root / f"fuzz_{name}"
    link.symlink_to(target)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else str(root)
    execute(counts, link, name, runs, f"-max_len={max(LONGEST, *map(len, files))}", f"-dict={words}", TMPDIR=memory)


def target_of(name, short):
    """A program of libFuzzer's; None where there is none, or in the short form none that is sure to be of today."""
    target = TARGETS / name
    if target.exists() and (not short or "FUZZED" in os.environ):
        return target
    print("  left out: make asan CXX=clang++ has its short form, make torture the long one")
    return None


def corpus_of(name):
    corpus = TARGETS / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    return corpus


def execute(counts, target, name, runs, *options, **env):
    """Calls a target so often, from its corpus, which grows; what it fails on lies beside that."""
    corpus = corpus_of(name)
    ended = subprocess.run([target, f"-runs={runs}", f"-timeout={ENDLESS}", f"-rss_limit_mb={MEMORY}", "-seed=1",
                            *options, "-print_final_stats=1", "-close_fd_mask=1",
                            f"-artifact_prefix={corpus.parent}/{name}-", corpus],
                           env=environment(ASAN_OPTIONS="quarantine_size_mb=16", **env),
                           stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    measured = dict(MEASURED.findall(ended.stderr))
    print(f"  {name}: {measured.get('number_of_executed_units', 0)} executions, "
          f"{measured.get('average_exec_per_sec', 0)} a second, {len(list(corpus.iterdir()))} files in the corpus",
          flush=True)
    counts.check(ended.returncode == 0, f"{name}: {ended.stderr[-3000:]}")
