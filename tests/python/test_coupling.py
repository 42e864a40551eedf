"""Couplings: partners, pairs, threads and forked processes."""

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import unittest
import warnings
from pathlib import Path

import numpy as np
import semidual
from formulas import problem, scores, softmax, two_points


def setUpModule():
    semidual.set_threads(1)  # these problems are small, and two threads wait long for each other on a busy machine


class Pairs(unittest.TestCase):
    def test_assign_is_the_least_of_the_costs_less_psi(self):
        x, y, psi, _ = problem(n=500)
        coupling = semidual.Coupling(y)
        coupling.psi = psi
        index = coupling.assign(x)
        self.assertEqual(index.dtype, np.int64)
        np.testing.assert_array_equal(index, scores(x, y, psi).argmax(1))

    def test_draws_for_reg_above_0_follow_the_softmax(self):
        """Pearson's statistic of 20000 draws at one x has mean J - 1 and deviation sqrt(2 (J - 1))."""
        x, y, psi, weights = problem(n=1, count=6)
        reg, n = 5.0, 20000
        coupling = semidual.Coupling(y, reg, weights)
        coupling.psi = psi
        expected = n * softmax(x, y, psi, reg, weights)[0][0]
        counts = np.bincount(coupling.assign(np.repeat(x, n, 0), rng=0), minlength=6)
        statistic = ((counts - expected) ** 2 / expected).sum()
        self.assertGreater(expected.min(), 100)
        self.assertLess(statistic, 5 + 6 * np.sqrt(10))

    def test_batches_of_points_have_nothing_in_common(self):
        """Of 10^6 points two batches of 1000 share one, on average; the pairs of a coupling are drawn so."""
        points = np.arange(10**6, dtype=np.float64)[:, None]
        coupling = semidual.Coupling([[0.0], [10.0**6]]).fit(points, tolerance=None, max_iter=1)
        x = coupling.pairs(4000, seed=3)[0][:, 0]
        self.assertGreater(len(np.unique(x)), 3900)

    def test_draws_are_a_function_of_a_seed_and_otherwise_new(self):
        x, y, psi, _ = problem(n=300)
        coupling = semidual.Coupling(y, 5.0)
        coupling.psi = psi
        np.testing.assert_array_equal(coupling.assign(x, 4), coupling.assign(x, np.random.default_rng(4)))
        self.assertTrue((coupling.assign(x) != coupling.assign(x)).any())

    def test_pairs_are_a_function_of_the_seed_and_the_first_of_more(self):
        y = problem()[1]
        for reg in (0, 0.5):
            with semidual.Coupling(y, reg).fit("normal", tolerance=None, max_iter=100) as coupling:
                x, index = coupling.pairs(1000, seed=3)
                self.assertEqual((x.shape, index.shape), ((1000, 3), (1000,)))
                again, same = coupling.pairs(700, seed=3)
                np.testing.assert_array_equal(again, x[:700])
                np.testing.assert_array_equal(same, index[:700])
                self.assertTrue((coupling.pairs(1000, seed=4)[0] != x).all())
                self.assertLess(np.abs(x.mean(0)).max(), 6 / np.sqrt(1000))
                self.assertEqual(len(np.unique(x[:, 0])), 1000)
                self.assertEqual(coupling.pairs(0)[0].shape, (0, 3))
                if reg == 0:
                    np.testing.assert_array_equal(index, coupling.assign(x))

    def test_fit_meets_its_tolerance_and_tells_value_and_chi2(self):
        coupling = semidual.Coupling(two_points).fit("unif", tolerance=0.01)
        self.assertTrue(coupling.result["converged"])
        self.assertLess(coupling.chi2, 0.01)
        self.assertAlmostEqual(coupling.value, 1 / 48, delta=0.01)

    def test_a_function_is_a_source_of_pairs(self):
        rng = np.random.default_rng(0)
        coupling = semidual.Coupling(two_points).fit(lambda n: rng.random((n, 1)), tolerance=None, max_iter=300)
        x, index = coupling.pairs(400)
        np.testing.assert_array_equal(index, coupling.assign(x))

    def test_points_are_a_source(self):
        """Two points of equal mass to two points, of which the first lies between: all plans are known."""
        x = np.array([[0.0], [1.0]])
        coupling = semidual.Coupling([[0.25], [0.75]]).fit(x, tolerance=0.01, seed=1)
        self.assertAlmostEqual(coupling.value, 1 / 16, delta=0.001)
        drawn, index = coupling.pairs(1000, seed=3)
        np.testing.assert_array_equal(index, drawn[:, 0])
        self.assertAlmostEqual(drawn.mean(), 0.5, delta=0.1)
        np.testing.assert_array_equal(coupling.pairs(500, seed=3)[0], drawn[:500])
        with self.assertRaisesRegex(ValueError, r"sampler: shape \(0, 1\), where at least one point"):
            coupling.fit(np.empty((0, 1)))
        with self.assertRaisesRegex(ValueError, r"sampler: shape \(3, 2\), where points of y have 1"):
            coupling.fit(np.zeros((3, 2)))
        with self.assertRaisesRegex(ValueError, "sampler: 'uniform', where a function of n, points"):
            coupling.fit("uniform")

    def test_without_a_seed_pairs_are_others_each_time(self):
        coupling = semidual.Coupling(two_points).fit("unif", tolerance=0.01)
        self.assertTrue((coupling.pairs(100)[0] != coupling.pairs(100)[0]).any())

    def test_a_fit_starts_where_it_is_told_to(self):
        y = problem(count=500, d=20)[1]
        found = semidual.Coupling(y).fit("normal", tolerance=0.02)
        few = {"tolerance": None, "max_iter": 50, "lr0": 0.01}
        cold, warm = (semidual.Coupling(y).fit("normal", init_potential=psi, **few) for psi in (None, found.psi))
        self.assertLess(warm.chi2, cold.chi2 / 4)
        with self.assertRaisesRegex(ValueError, r"init_potential: shape \(3,\), where y has 500 points"):
            found.fit("normal", init_potential=np.zeros(3))

    def test_a_fit_that_ends_above_its_tolerance_warns(self):
        with self.assertWarnsRegex(RuntimeWarning, "after 10 steps, not below the tolerance 1e-06: raise max_iter"):
            semidual.Coupling(problem()[1]).fit("normal", tolerance=1e-6, max_iter=10)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            semidual.Coupling(problem()[1]).fit("normal", tolerance=None, max_iter=10)

    def test_an_option_that_there_is_not_is_named(self):
        with self.assertRaisesRegex(TypeError, r"fit\(\) got an unexpected keyword argument 'max_iters'"):
            semidual.Coupling(two_points).fit("unif", max_iters=5)

    def test_use_after_close_and_before_fit_is_refused(self):
        y = problem()[1]
        coupling = semidual.Coupling(y)
        uses = [lambda: coupling.psi, lambda: coupling.value, lambda: coupling.assign(y), lambda: coupling.pairs(3)]
        for use in uses:
            with self.assertRaisesRegex(ValueError, "not fitted"):
                use()
        coupling.psi = np.zeros(len(y))
        with self.assertRaisesRegex(ValueError, "sampler: none"):
            coupling.pairs(3)
        with self.assertRaisesRegex(ValueError, "not fitted"):
            coupling.chi2
        coupling.close()
        coupling.close()
        np.testing.assert_array_equal(coupling.psi, np.zeros(len(y)))
        uses = [lambda: coupling.assign(y), lambda: coupling.pairs(3), lambda: coupling.fit("unif"), coupling.__enter__]
        for use in uses:
            with self.assertRaisesRegex(ValueError, "closed"):
                use()

    def test_two_threads_on_one_coupling_get_the_right_answers(self):
        _, y, psi, _ = problem(count=200)
        coupling = semidual.Coupling(y)
        coupling.psi = psi
        wrong = []

        def work(seed):
            for k in range(30):
                x = problem(n=100, seed=100 * seed + k)[0]
                if (coupling.assign(x) != scores(x, y, psi).argmax(1)).any():
                    wrong.append((seed, k))

        threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_dropped_couplings_give_their_memory_back(self):
        """Twenty targets of 40 MB would otherwise stay."""
        resource = __import__("resource")
        y = np.zeros((100, 100000), np.float32)
        y[:, 0] = np.arange(100)
        semidual.Coupling(y)
        gc.collect()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(20):
            semidual.Coupling(y)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        self.assertLess(grown / (1024 if sys.platform == "darwin" else 1), 20 * 40000 / 4)


class Processes(unittest.TestCase):
    @unittest.skipUnless(hasattr(os, "fork"), "fork")
    def test_a_forked_child_computes_the_same(self):
        x, y, psi, _ = problem(n=2000, count=2000)
        coupling = semidual.Coupling(y)
        coupling.psi = psi
        index, value = coupling.assign(x), semidual.c_transform(x, y, psi)
        child = os.fork()
        if child == 0:
            code = 1
            with contextlib.suppress(BaseException):
                signal.alarm(60)
                same = semidual.c_transform(x, y, psi) == value
                code = 0 if same.all() and (coupling.assign(x) == index).all() else 2
            os._exit(code)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        np.testing.assert_array_equal(coupling.assign(x), index)

    @unittest.skipUnless(hasattr(os, "fork"), "fork")
    def test_a_child_forked_off_while_another_thread_is_in_a_call_can_call(self):
        x, y, psi, _ = problem()
        coupling = semidual.Coupling(y)
        coupling.psi = psi
        index = coupling.assign(x)
        entered, go_on = threading.Event(), threading.Event()

        def wait(_):
            entered.set()
            go_on.wait()
            return True

        other = threading.Thread(target=lambda: coupling.fit("normal", progress=wait))
        other.start()
        entered.wait()
        child = os.fork()
        if child == 0:
            code = 1
            with contextlib.suppress(BaseException):
                signal.alarm(60)
                code = 0 if (coupling.assign(x) == index).all() else 2
            os._exit(code)
        status = os.waitpid(child, 0)[1]
        go_on.set()
        other.join()
        self.assertEqual(status, 0)

    def test_any_number_of_threads_gives_the_same(self):
        y = problem()[1]
        self.addCleanup(semidual.set_threads, 1)
        found = []
        for threads in (1, 2):
            semidual.set_threads(threads)
            found.append(semidual.solve_semidiscrete(y, "normal", max_iter=5))
        np.testing.assert_array_equal(found[0], found[1])

    def test_a_missing_library_says_what_to_do(self):
        environment = dict(os.environ, SEMIDUAL_LIBRARY="/nowhere/libsemidual.so")
        environment["PYTHONPATH"] = str(Path(semidual.__file__).parents[1])
        code = "try:\n import semidual\nexcept ImportError as error:\n print(error)"
        told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True).stdout
        self.assertIn("make library", told)
        self.assertIn("/nowhere/libsemidual.so", told)

    def test_versions_agree(self):
        self.assertRegex(semidual.__version__, r"^\d+\.\d+\.\d+")
