"""A long run: memory and speed stay what they were after the start, and no file stays open. SOAK is its minutes, 180 by
default, PROGRAM names the program.

Speed is the processor's time for an iteration, which other programs on the machine change little. The first fifth of
the run does not count; the rest is compared in eight parts.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import time

from program import PROGRAM, Counts, Folder, environment

OPTIONS = ("--data digits --points 3000 --hold-out 0.1 --mlp-sizes 64,128 --checkpoint-every 500 --samples-every 500 "
           "--evaluate-every 500").split()
WINDOWS, LOOKS = 8, 400
TICKS = os.sysconf("SC_CLK_TCK")


def iterations_of(run):
    """How many rows metrics.csv has, by the number in its last one."""
    with open(run / "metrics.csv", "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 200))
        rows = file.read().split(b"\n")
    return int(rows[-2].split(b",")[0]) + 1 if len(rows) > 2 else 0


def look(process, run):
    """(iterations, seconds of the processor, bytes of memory, open files)."""
    proc = pathlib.Path("/proc") / str(process.pid)
    times = (proc / "stat").read_text().rsplit(")", 1)[1].split()
    memory = [line for line in (proc / "smaps_rollup").read_text().splitlines() if line.startswith("Rss:")]
    return (iterations_of(run), (int(times[11]) + int(times[12])) / TICKS, 1024 * int(memory[0].split()[1]),
            len(list((proc / "fd").iterdir())))


def watched(minutes, run):
    """What was seen at even times from when it iterates, and how the run ended."""
    seen = []
    with subprocess.Popen([PROGRAM, "train", *OPTIONS, "--minutes", str(minutes), "--out", str(run)],
                          env=environment(OMP_WAIT_POLICY="passive"), stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            time.sleep(60 * minutes / LOOKS)
            try:
                seen.append(look(process, run))
            except (OSError, IndexError):  # it has yet to begin, or has just ended
                pass
        return seen, process.returncode, process.stderr.read()


def spread(values):
    return max(values) / min(values) - 1


def soak(minutes):
    counts = Counts("soak")
    with Folder() as root:
        seen, code, said = watched(minutes, root / "run")
    later = seen[len(seen) // 5:]
    size = len(later) // WINDOWS
    if not counts.check(code == 0 and size >= 3, f"exit code {code}, {len(seen)} looks: {said}"):
        return counts
    windows = [later[k * size:(k + 1) * size + 1] for k in range(WINDOWS)]
    memory = [statistics.median(rss for _, _, rss, _ in window) for window in windows]
    speed = [(window[-1][1] - window[0][1]) / max(window[-1][0] - window[0][0], 1) for window in windows]
    files = [min(look[3] for look in window) for window in windows]
    print("iterations    " + "".join(f"{window[-1][0]:10}" for window in windows))
    print("MiB           " + "".join(f"{bytes / 2**20:10.2f}" for bytes in memory))
    print("ms each       " + "".join(f"{1000 * seconds:10.3f}" for seconds in speed))
    print("open files    " + "".join(f"{number:10}" for number in files))
    counts.check(spread(memory) <= 0.01, f"memory changes by {spread(memory):.2%}")
    counts.check(spread(speed) <= 0.05, f"the processor's time for an iteration changes by {spread(speed):.2%}")
    counts.check(max(files) == files[0], f"open files: from {files[0]} to {max(files)}")
    return counts


def main():
    counts = soak(float(os.environ.get("SOAK") or 180))
    print(f"{counts.passed} passed, {len(counts.faults)} failed")
    return 0 if not counts.faults else 1


if __name__ == "__main__":
    sys.exit(main())
