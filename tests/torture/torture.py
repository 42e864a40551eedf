"""What a run is put through that its users should never see: `make torture` runs all of it, `make test` a short form.

usage: torture.py [--short] [PART...]      PROGRAM names the program, SHIMS the folder of faults.so and allocations.so
"""

import os
import pathlib
import sys
import time

from allocations import allocations
from bits import bits
from fuzz import fuzz
from handles import handles
from kills import kills
from limits import limits
from mutants import mutants
from outside import outside
from ranks import ranks
from saving import saving
from signals import signals
from valgrind import valgrind

PARTS = {f.__name__: f for f in (saving, kills, bits, allocations, limits, signals, outside, valgrind, fuzz, handles,
                                 ranks, mutants)}
LONG = {"mutants"}  # without a short form


def main(arguments):
    short = "--short" in arguments
    unknown = [a for a in arguments if a != "--short" and a not in PARTS]
    if unknown:
        sys.exit(f"torture: there is no part {unknown[0]}, but {', '.join(PARTS)}")
    chosen = [a for a in arguments if a in PARTS] or [name for name in PARTS if not (short and name in LONG)]
    shims = pathlib.Path(os.environ.get("SHIMS", "build/float/tests/torture")).absolute()
    passed = failed = 0
    for name in chosen:
        start = time.monotonic()
        counts = PARTS[name](shims, short)
        passed, failed = passed + counts.passed, failed + len(counts.faults)
        print(f"{name:<12} {counts.passed:6} passed {len(counts.faults):4} failed {time.monotonic() - start:6.0f} s",
              flush=True)
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
