"""libFuzzer on the C interface: random calls, one after another, on handles that are there or not, with arguments that
may not do.

RUNS is how many such sequences there are, 10^6 by default.
"""

import os

from fuzz import execute, target_of
from program import Counts, Folder, train

LONGEST = 256  # bytes of a sequence: two dozen calls, or ten that get far


def handles(_, short):
    counts = Counts("handles")
    target = target_of("handles", short)
    if not target:
        return counts
    runs = 2000 if short else int(os.environ.get("RUNS", 1_000_000))
    with Folder() as root:
        (root / "points.csv").write_text("".join(f"{i % 7},{i % 5}\n" for i in range(60)))
        made = train(root / "run", 1, "--data", root / "points.csv")
        if counts.check(made.returncode == 0, f"no run to load: {made.stderr}"):
            execute(counts, target, "handles", runs, f"-max_len={LONGEST}", RUN=root / "run", KMP_BLOCKTIME=0)
    return counts
