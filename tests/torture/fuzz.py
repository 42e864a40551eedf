"""libFuzzer on every reader, from small sound files of each kind: no crash, no leak, no second, no undue memory.

RUNS is how often each reader is called, 10^7 by default, READERS which of them; the corpora grow in
build/fuzz/tests/torture/corpus.
"""

import os
import pathlib
import re
import subprocess

from program import Counts, Folder
from seeds import WORDS, seeds

LONGEST = 4096  # bytes of a file
ENDLESS = 60  # seconds, of the clock: the target itself measures the second of its own that a file may take
MEMORY = 2048  # megabytes of all, sanitizers and corpora with it: the target itself measures what a file takes
MEASURED = re.compile(r"stat::(number_of_executed_units|average_exec_per_sec): *(\d+)")


def fuzz(_, short):
    counts = Counts("fuzz")
    target = pathlib.Path("build/fuzz/tests/torture/readers").absolute()
    if not target.exists():
        print("  left out: there is no clang++ with libFuzzer")
        return counts
    runs = 2000 if short else int(os.environ.get("RUNS", 10_000_000))
    with Folder() as root:
        for name, files in seeds(root).items():
            if name in os.environ.get("READERS", name).split(","):
                fuzz_reader(counts, target, root, name, files, runs)
    return counts


def fuzz_reader(counts, target, root, name, files, runs):
    corpus = target.parent / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for k, content in enumerate(files):
        (corpus / f"seed{k}").write_bytes(content)
    words = root / f"{name}.dict"
    words.write_text("".join(f'"{word}"\n' for word in WORDS[name]))
    link = root / f"fuzz_{name}"
    link.symlink_to(target)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else str(root)
    ended = subprocess.run([link, f"-runs={runs}", f"-timeout={ENDLESS}", f"-rss_limit_mb={MEMORY}", "-seed=1",
                            f"-max_len={max(LONGEST, *map(len, files))}", f"-dict={words}", "-print_final_stats=1",
                            "-close_fd_mask=1", f"-artifact_prefix={corpus.parent}/{name}-", corpus],
                           env={**os.environ, "TMPDIR": memory, "ASAN_OPTIONS": "quarantine_size_mb=16"},
                           stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    measured = dict(MEASURED.findall(ended.stderr))
    print(f"  {name}: {measured.get('number_of_executed_units', 0)} executions, "
          f"{measured.get('average_exec_per_sec', 0)} a second, {len(list(corpus.iterdir()))} files in the corpus",
          flush=True)
    counts.check(ended.returncode == 0, f"{name}: {ended.stderr[-3000:]}")
