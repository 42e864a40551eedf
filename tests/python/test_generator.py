"""Generators of trained runs, and the program within Python."""

import contextlib
import os
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import semidual


def setUpModule():
    semidual.set_threads(1)  # these problems are small, and two threads wait long for each other on a busy machine


class Generators(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        data = os.path.join(cls.folder.name, "points.npy")
        np.save(data, np.random.default_rng(0).random((50, 2)).astype(np.float32))
        cls.data, cls.run_folder = data, os.path.join(cls.folder.name, "run")
        with silenced():
            semidual.command("train", "--data", data, "--out", cls.run_folder, "--iterations", 5, "--batch", 20)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_samples_of_a_run_are_a_function_of_the_seed_and_those_of_the_program(self):
        with semidual.Generator.load(self.run_folder) as generator:
            self.assertEqual((generator.dimension, generator.image_shape), (2, None))
            samples = generator.sample(300, seed=1)
            self.assertEqual((samples.shape, samples.dtype), ((300, 2), np.float32))
            np.testing.assert_array_equal(generator.sample(300, seed=1), samples)
            self.assertTrue((generator.sample(300, seed=2) != samples).any())
        out = os.path.join(self.folder.name, "samples.npy")
        with silenced():
            semidual.command("sample", self.run_folder, "--count", 300, "--seed", 1, "--out", out)
        np.testing.assert_array_equal(np.load(out), samples)

    def test_a_generator_is_a_source(self):
        generator = semidual.Generator.load(Path(self.run_folder))
        following = generator.sampler(seed=5)
        first, second = following(100), following(256)
        np.testing.assert_array_equal(first, generator.sample(100, seed=5))
        np.testing.assert_array_equal(second, generator.sample(512, seed=5)[256:])
        psi = semidual.solve_semidiscrete([[0.4, 0.4], [0.6, 0.6]], generator.sampler(), max_iter=20)
        self.assertTrue(np.isfinite(psi).all())

    def test_images_come_in_their_shape(self):
        run = os.path.join(self.folder.name, "digits")
        with silenced():
            generator = semidual.train("digits", run, points=50, iterations=2, batch=10, hold_out=None, grey=False)
        self.assertEqual(generator.image_shape, generator.sample(3).shape[1:])
        self.assertEqual(len(generator.image_shape), 2)
        self.assertEqual(np.prod(generator.image_shape), generator.dimension)

    def test_what_will_not_do_is_refused(self):
        with self.assertRaisesRegex((ValueError, RuntimeError), "nowhere"):
            semidual.Generator.load("nowhere")
        generator = semidual.Generator.load(self.run_folder)
        with self.assertRaisesRegex(ValueError, "n: -1"):
            generator.sample(-1)
        generator.close()
        with self.assertRaisesRegex(ValueError, "closed"):
            generator.sample(1)
        with silenced(), self.assertRaisesRegex(ValueError, "semidual train --such: exit code 2"):
            semidual.command("train", "--such")
        with self.assertRaisesRegex(ValueError, "zero byte"):
            semidual.command("train\0")


@contextlib.contextmanager
def silenced():
    """Sends what the program prints nowhere."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            for stream, copy in zip((1, 2), kept):
                os.dup2(copy, stream)
                os.close(copy)


if __name__ == "__main__":
    unittest.main()
