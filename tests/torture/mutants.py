"""Mutants: one operator, bound or constant is changed where results are computed or files read, and a test must fail.

MUTANTS is how many are tried, 300 by default; SEED chooses them, WITHIN a file or folder whose name it begins. They are
built in a copy of the tree in the folder MUTANTS_FOLDER, which the next call finds built, or a temporary one. A mutant
that does not compile, or to the same object, does not count. survivors.txt lists those that no test can tell from the
original, by their lines, with the reason; AGAIN names a text of that form, of which all are tried once more.
"""

import os
import pathlib
import platform
import random
import resource
import shutil
import signal
import subprocess
import time

from mutations import TREE, all_mutants, listed
from program import Counts, Folder, environment

# Builds, SIMD levels ("" the CPU's own) and the floors whose tests run there, one after another until a test fails.
# Gradients are checked in double alone.
LOWEST = ["baseline"] if platform.machine() == "x86_64" else []
STEPS = {
    "engine": [("double", "", ["engine", "models", "ot"]), ("float", "", ["engine", "models", "ot"]),
               *(("float", level, ["engine", "ot"]) for level in LOWEST)],
    "ot": [("float", "", ["ot"]), ("double", "", ["ot"]), *(("float", level, ["ot"]) for level in LOWEST)],
    "data": [("float", "", ["data"])],
}
LEAST_KILLED = 0.9
FLAGS = os.environ.get("CXXFLAGS", "-O1 -g0")
EQUIVALENT = pathlib.Path(__file__).with_name("survivors.txt")


def tests_of(floors):
    return [f"tests/{floor}_tests" for floor in floors]


class Workplace:
    """A copy of the tree, built there, in which one file is mutated at a time."""

    def __init__(self, folder):
        self.folder, self.usual = folder, {}
        own = environment(OMP_WAIT_POLICY="passive", TMPDIR=folder / "temporary")
        self.environment = {k: v for k, v in own.items() if k not in ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS")}
        listing = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=TREE, check=True,
                                 stdout=subprocess.PIPE, text=True).stdout.split("\0")
        kept = {folder / name for name in listing if (TREE / name).is_file()}
        for gone in {*folder.rglob("*.cpp")} - kept:
            gone.unlink()
        for place in kept:
            content = (TREE / place.relative_to(folder)).read_bytes()
            if not place.exists() or place.read_bytes() != content:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)

    def make(self, build, *targets):
        """What the compiler says against it, if anything."""
        to = f"build/{build}"
        command = ["make", "-s", f"-j{os.cpu_count()}", f"PRECISION={build}", f"BUILD={to}", f"CXXFLAGS={FLAGS}"]
        made = subprocess.run([*command, *(f"{to}/{target}" for target in targets)], cwd=self.folder, check=False,
                              env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        return made.stderr if made.returncode != 0 else None

    def passes(self, build, level, floor, file="*"):
        """Whether a floor's tests pass, in ten times their usual time and 8 GiB of memory."""
        step, temporary = (build, level, floor), self.folder / "temporary"
        seconds = int(max(30, 10 * self.usual.get(step, 60)))

        def limit():
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        temporary.mkdir(exist_ok=True)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with subprocess.Popen([f"build/{build}/tests/{floor}_tests", "--abort-after=1", f"--source-file={file}"],
                              cwd=self.folder, env=self.environment | ({"SEMIDUAL_SIMD": level} if level else {}),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=limit,
                              start_new_session=True) as tests:
            try:
                passed = tests.wait(4 * seconds) == 0  # what crashed may wait for ever, and take no time of the CPU
            except subprocess.TimeoutExpired:
                os.killpg(tests.pid, signal.SIGKILL)
                passed = False
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.usual.setdefault(step, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        shutil.rmtree(temporary, ignore_errors=True)
        return passed

    def prepare(self, floors):
        """Builds and runs as they are what the floors' mutants need. What is wrong."""
        for build, level, tested in [step for floor in floors for step in STEPS[floor]]:
            if (said := self.make(build, *tests_of(tested))) is not None:
                return said
            for floor in tested:
                if (build, level, floor) not in self.usual and not self.passes(build, level, floor):
                    return f"build/{build}/tests/{floor}_tests does not pass as it is {level}"
        return None

    def tried(self, mutant):
        """Whose tests kill it, "" of a survivor; None of what is no mutant."""
        source, floor = self.folder / mutant.file, mutant.file.split("/")[0]
        objects = {build: self.folder / "build" / build / f"{mutant.file.removesuffix('.cpp')}.o"
                   for build, _, _ in STEPS[floor]}
        originals = {path: path.read_bytes() for path in objects.values()}
        written, killer = source.stat().st_mtime_ns, None
        try:
            source.write_text(mutant.text())
            for build, level, tested in STEPS[floor]:
                path = objects[build]
                if self.make(build, path.relative_to(self.folder / "build" / build)) is not None:
                    return None
                if path.read_bytes() == originals[path]:
                    continue
                killer = ""
                if self.make(build, *tests_of(tested)) is not None:
                    return None
                # Most are killed by the tests of the same name.
                for of, file in [(floor, f"*/{source.stem}_test.cpp"), *((t, "*") for t in tested)]:
                    if not self.passes(build, level, of, file):
                        return f"{build} {level} {of}".replace("  ", " ")
            return killer
        finally:
            for path, content in originals.items():
                path.write_bytes(content)
            source.write_text(mutant.original)
            os.utime(source, ns=(written, written))

def mutants(_, __):
    counts = Counts("mutants")
    most, equivalent = int(os.environ.get("MUTANTS", 300)), listed(EQUIVALENT)
    chosen = all_mutants(os.environ.get("WITHIN", ""))
    random.Random(int(os.environ.get("SEED", 1))).shuffle(chosen)
    if "AGAIN" in os.environ:
        chosen, equivalent = [m for m in chosen if m.key() in listed(pathlib.Path(os.environ["AGAIN"]))], set()
    killed, argued, survivors = 0, 0, []
    with Folder() as temporary:
        place = Workplace(pathlib.Path(os.environ.get("MUTANTS_FOLDER", temporary)).absolute())
        if (said := place.prepare({m.file.split("/")[0] for m in chosen})) is not None:
            counts.check(False, said)
            return counts
        for mutant in chosen:
            if killed + len(survivors) == most:
                break
            if mutant.key() in equivalent:
                argued += 1
                continue
            start = time.monotonic()
            killer = place.tried(mutant)
            if killer is None:
                continue
            killed += killer != ""
            survivors += [] if killer else [mutant]
            print(f"  {mutant.file}:{mutant.number} {f'killed by {killer}' if killer else 'SURVIVED'}, "
                  f"{time.monotonic() - start:.0f} s", flush=True)
    for mutant in survivors:
        print(mutant)
    tried = killed + len(survivors)
    print(f"  {tried} tried, {killed} killed, {len(survivors)} survived; {argued} left out that no test can tell")
    counts.passed = killed
    counts.check(killed > 0 and killed >= LEAST_KILLED * tried, f"less than {LEAST_KILLED:.0%} were killed")
    return counts
