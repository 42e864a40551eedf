"""The examples, each at its smallest: what they print, and their pictures."""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import semidual

PYTHON = Path(semidual.__file__).resolve().parents[1]
EXAMPLES = Path(__file__).resolve().parents[2] / "apps" / "python" / "examples"


def needs(*modules):
    """Skips where one is missing; not in CI, which is to have them all."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return unittest.skipIf(missing and "CI" not in os.environ, f"without {', '.join(missing)}")


class Examples(unittest.TestCase):
    def run_example(self, name):
        """What an example prints; its picture is read and has more than one colour."""
        environment = dict(os.environ, PYTHONPATH=str(PYTHON))
        with tempfile.TemporaryDirectory() as folder:
            picture = os.path.join(folder, "picture.png")
            command = [sys.executable, EXAMPLES / f"{name}.py", "--small", "--out", picture]
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            from PIL import Image

            with Image.open(picture) as image:
                self.assertGreater(len(image.getcolors()), 1)
        return done.stdout

    @needs("torch", "scipy", "PIL")
    def test_semi_discrete_pairs_cost_least_and_take_one_step_nearest(self):
        """Also of the best in batches of 256: the cost of 300 points' plan is below theirs by a tenth."""
        printed = self.run_example("flow_matching")
        rows = dict(re.findall(r"^(independent|best in batch|semi-discrete) +(.+)$", printed, re.M))
        costs, distances = ({name: float(row.split()[k]) for name, row in rows.items()} for k in (0, 3))
        self.assertLess(costs["semi-discrete"], costs["best in batch"])
        self.assertLess(costs["best in batch"], costs["independent"] / 2)
        self.assertLess(distances["semi-discrete"], distances["independent"])

    @needs("PIL")
    def test_colours_come_to_those_of_the_other_picture(self):
        printed = self.run_example("colour_transfer")
        means = re.findall(r"means (\S+) apart before, (\S+) after", printed)
        self.assertEqual(len(means), 2)
        for before, after in means:
            self.assertLess(float(after), float(before) / 20)

    @needs("PIL")
    def test_stippling_brings_the_cost_near_that_of_hexagons(self):
        """From about four times of it: points that are drawn at random leave gaps."""
        costs = [float(cost) for cost in re.findall(r"(\S+) of hexagons", self.run_example("stippling"))]
        self.assertEqual(len(costs), 8)
        self.assertGreater(costs[0], 2)
        self.assertLess(costs[-1], 1.25)
