"""The lines of Python that the READMEs show, as they stand there."""

import os
import re
import tempfile
import unittest
from pathlib import Path

import numpy as np
import semidual
from formulas import scores

ROOT = Path(__file__).resolve().parents[2]


def setUpModule():
    semidual.set_threads(1)


class Lines(unittest.TestCase):
    def run_lines(self, readme):
        """What the names stand for afterwards: y are 40 points of the plane, also in points.npy where the lines run."""
        y = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
        (lines,) = re.findall(r"^    import [^\n]*semidual\n(?:    [^\n]*\n)+", (ROOT / readme).read_text(), re.M)
        names, before = {"y": y}, os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            np.save(os.path.join(folder, "points.npy"), y)
            os.chdir(folder)
            self.addCleanup(os.chdir, before)
            exec(re.sub("^    ", "", lines, flags=re.M), names)
            os.chdir(before)
        return names

    def test_lines_of_the_readme(self):
        names = self.run_lines("README.md")
        x, j = names["x"], names["j"]
        self.assertEqual(x.shape, (100000, 2))
        np.testing.assert_array_equal(j, scores(x, names["y"], names["plan"].psi).argmax(1))

    def test_lines_of_the_readme_for_python(self):
        names = self.run_lines("apps/python/README.md")
        self.assertEqual(names["index"].shape, (1000,))
        self.assertLess(names["coupling"].chi2, 0.001)
