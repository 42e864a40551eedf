"""libFuzzer on every reader, from files that the program wrote and short ones of each kind: no crash, no leak, no hang.

RUNS is how often each reader is called, 10^7 by default; the corpora grow in build/fuzz/tests/torture/corpus.
"""

import gzip
import os
import pathlib
import re
import struct
import subprocess

from program import Counts, Folder, semidual, train

MEMORY = 512  # megabytes that a reader of a file of at most LONGEST bytes may take
LONGEST = 4096


def seeds(root):
    """Small files of each kind, by reader."""
    run = root / "run"
    train(run, 2, "--points", "20", "--mlp-sizes", "2")
    train(root / "points", 2, "--data", table(root / "points.csv"))
    idx = struct.pack(">HBBIII", 0, 8, 3, 2, 2, 3) + bytes(range(12))
    samples = root / "samples"
    semidual("sample", root / "points", "--count", 3, "--out", f"{samples}.npy")
    semidual("sample", root / "points", "--count", 3, "--out", f"{samples}.csv")
    picture = semidual("sample", run, "--grid", "1x1", "--out", root / "one.png")
    assert picture.returncode == 0, picture.stderr
    read = lambda path: pathlib.Path(path).read_bytes()
    return {
        "idx": [idx, gzip.compress(idx), struct.pack(">HBBI", 0, 13, 1, 2) + struct.pack(">ff", 1, 2)],
        "npy": [read(f"{samples}.npy"), gzip.compress(read(f"{samples}.npy"))],
        "image": [read(root / "one.png"), b"P5 2 2 255 abcd", b"P6 1 2 255 abcdef", b"BM" + bytes(60)],
        "table": [read(f"{samples}.csv"), b"a;b\n1;x\n2;y\n", b"1 2\n3 4\n", b'"a ""b""",c\n1,2\n'],
        "safetensors": [read(root / "points" / "checkpoint.safetensors")],
        "config": [read(run / "config.json"), read(root / "points" / "config.json")],
        "metrics": [read(run / "metrics.csv")],
    }


def table(path):
    path.write_text("a,b\n" + "".join(f"{i},{i * i % 7}\n" for i in range(30)))
    return path


def fuzz(_, short):
    counts = Counts("fuzz")
    target = pathlib.Path("build/fuzz/tests/torture/readers").absolute()
    if not target.exists():
        print("  left out: there is no clang++ with libFuzzer")
        return counts
    runs = int(os.environ.get("RUNS", 10_000_000)) if not short else 2000
    with Folder() as root:
        for name, files in seeds(root).items():
            corpus = target.parent / "corpus" / name
            corpus.mkdir(parents=True, exist_ok=True)
            for k, content in enumerate(files):
                (corpus / f"seed{k}").write_bytes(content)
            link = root / f"fuzz_{name}"
            link.symlink_to(target)
            longest = max(LONGEST, *map(len, files))
            ended = subprocess.run([link, f"-runs={runs}", "-timeout=1", f"-rss_limit_mb={MEMORY}", "-seed=1",
                                    f"-max_len={longest}", "-close_fd_mask=1", f"-artifact_prefix={corpus.parent}/{name}-", corpus],
                                   stderr=subprocess.PIPE, text=True, errors="replace", check=False)
            done = re.findall(r"^#(\d+)", ended.stderr, re.M)
            print(f"  {name}: {done[-1] if done else 0} executions, {len(list(corpus.iterdir()))} files in the corpus")
            counts.check(ended.returncode == 0, f"{name}: {ended.stderr[-1500:]}")
    return counts
