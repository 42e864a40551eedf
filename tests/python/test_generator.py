"""Generators of trained runs, and the program within Python."""

import contextlib
import io
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

    def test_training_tells_how_far_it_is_and_may_be_ended(self):
        seen = []

        def watch(now):
            seen.append(now)
            return now["iteration"] == 3

        run = os.path.join(self.folder.name, "watched")
        with silenced() as printed:
            generator = semidual.train(self.data, run, iterations=50, batch=20, progress=watch)
        self.assertEqual(printed[0], "")
        self.assertEqual([now["iteration"] for now in seen], [1, 2, 3])
        self.assertEqual(seen[0]["iterations"], 50)
        self.assertTrue(all(np.isfinite(now["H"]) and now["seconds"] > 0 for now in seen))
        self.assertGreater(seen[0]["seconds_left"], 0)
        self.assertEqual(generator.sample(3).shape, (3, 2))
        with open(os.path.join(run, "metrics.csv")) as metrics:
            self.assertEqual(len(metrics.readlines()), 1 + 3)

    def test_an_exception_of_progress_comes_through_and_the_run_goes_on_from_there(self):
        def fail(now):
            if now["iteration"] == 2:
                raise KeyError("mine")

        run = os.path.join(self.folder.name, "failed")
        with silenced(), self.assertRaisesRegex(KeyError, "mine"):
            semidual.train(self.data, run, iterations=4, batch=20, progress=fail)
        ends = []
        with silenced():
            watch = lambda now: ends.append(now["iteration"])  # noqa: E731
            semidual.train(self.data, run, resume=True, iterations=4, progress=watch)
        self.assertEqual(ends, [3, 4])

    def test_progress_true_shows_a_line_on_standard_error(self):
        run = os.path.join(self.folder.name, "with_bar")
        shown = io.StringIO()
        with silenced() as printed, contextlib.redirect_stderr(shown):
            semidual.train(self.data, run, iterations=4, batch=20, progress=True)
        self.assertEqual(printed[0], "")
        self.assertRegex(shown.getvalue(), r"^\r\[#* *\] iteration 1/4  H \S+  \d+ s left +\r")
        self.assertRegex(shown.getvalue(), r"\r\[#{30}\] iteration 4/4 [^\n]*\n$")

    def test_a_clock_has_no_number_of_iterations(self):
        run = os.path.join(self.folder.name, "by_clock")
        told = []

        def watch(now):
            told.append(now)
            return True

        with silenced():
            semidual.train(self.data, run, minutes=10, batch=20, progress=watch)
        self.assertIsNone(told[0]["iterations"])
        self.assertLessEqual(told[0]["seconds_left"], 600)

    def test_evaluate_measures_a_generator_a_run_and_samples(self):
        generator = semidual.Generator.load(self.run_folder)
        held_out = np.random.default_rng(1).random((60, 2)).astype(np.float32)
        with silenced() as printed:
            of_generator = semidual.evaluate(generator, reference=held_out, count=50)
            of_run = semidual.evaluate(self.run_folder, reference=held_out, count=50)
        self.assertEqual(printed[0], "")
        self.assertEqual(of_generator["measures"], of_run["measures"])
        self.assertEqual(of_run["generated"]["count"], 50)
        self.assertFalse(os.path.exists(os.path.join(self.run_folder, "evaluation.json")))
        uniform = np.random.default_rng(2).random((50, 2)).astype(np.float32)
        with silenced():
            of_samples = semidual.evaluate(uniform, self.data, reference=held_out)
        for measures in (of_run["measures"], of_samples["measures"]):
            coverage = measures["pixels.coverage"]
            self.assertEqual(set(coverage), {"value", "error", "floor", "floor_spread", "ideal", "name"})
            self.assertTrue(0 <= coverage["value"] <= 1)
        self.assertGreater(of_samples["measures"]["pixels.coverage"]["value"], 0.5)
        with self.assertRaisesRegex(ValueError, r"^what: shape \(2,\)"):
            semidual.evaluate([1.0, 2.0])
        with self.assertRaisesRegex(ValueError, "nowhere"):
            semidual.evaluate("nowhere")

    def test_what_will_not_do_is_refused(self):
        with self.assertRaisesRegex((ValueError, RuntimeError), "nowhere"):
            semidual.Generator.load("nowhere")
        generator = semidual.Generator.load(self.run_folder)
        with self.assertRaisesRegex(ValueError, "n: -1"):
            generator.sample(-1)
        generator.close()
        with self.assertRaisesRegex(ValueError, "closed"):
            generator.sample(1)
        with self.assertRaisesRegex(ValueError, "--such"):
            semidual.command("train", "--such")
        with self.assertRaisesRegex(ValueError, "nowhere.npy"):
            semidual.train("nowhere.npy", os.path.join(self.folder.name, "none"))
        with self.assertRaisesRegex(ValueError, "zero byte"):
            semidual.command("train\0")


@contextlib.contextmanager
def silenced():
    """Keeps what the program prints: after it, a list of what went to standard output and to standard error."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept, texts = (os.dup(1), os.dup(2)), []
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        try:
            yield texts
        finally:
            for stream, copy, file in zip((1, 2), kept, (out, err)):
                os.dup2(copy, stream)
                os.close(copy)
                file.seek(0)
                texts.append(file.read())


if __name__ == "__main__":
    unittest.main()
