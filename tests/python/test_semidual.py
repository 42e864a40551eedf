"""The Python face against formulas in NumPy's doubles, its messages, and what it must survive.

    PYTHONPATH=apps/python python3 -m unittest discover tests/python
"""

import contextlib
import gc
import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import numpy as np
import semidual


def setUpModule():
    semidual.set_threads(1)  # these problems are small, and two threads wait long for each other on a busy machine


def problem(n=40, count=30, d=3, seed=0):
    """Sources, targets, a potential and weights that have nothing special."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)).astype(np.float32)
    y = rng.normal(size=(count, d)).astype(np.float32)
    weights = rng.uniform(0.5, 1.5, count)
    return x, y, rng.normal(size=count) / 4, weights / weights.sum()


def scores(x, y, psi, metric="sqeuclidean"):
    """psi_j - c(x_i, y_j) in double."""
    difference = x[:, None].astype(np.float64) - y[None].astype(np.float64)
    cost = {
        "sqeuclidean": (difference**2).sum(2),
        "euclidean": np.sqrt((difference**2).sum(2)),
        "cityblock": np.abs(difference).sum(2),
        "power": np.sqrt((difference**2).sum(2)) ** 1.5,
    }[metric]
    return psi - cost


def softmax(x, y, psi, reg, weights, metric="sqeuclidean"):
    """The responsibilities [n, J] and the c-transform [n] for reg > 0."""
    s = scores(x, y, psi, metric) / reg + np.log(weights)
    top = s.max(1, keepdims=True)
    e = np.exp(s - top)
    return e / e.sum(1, keepdims=True), -reg * (np.log(e.sum(1)) + top[:, 0])


class CTransform(unittest.TestCase):
    def test_at_reg_0_it_is_the_minimum_and_its_gradient_that_of_the_winner(self):
        x, y, psi, weights = problem()
        value, gradient = semidual.c_transform(x, y, psi, weights=weights, gradient=True)
        s = scores(x, y, psi)
        winner = s.argmax(1)
        np.testing.assert_allclose(value, -s.max(1), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(gradient, 2 * (x - y[winner]), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(semidual.semidiscrete_c_transform(y, x, psi, weights), value)
        np.testing.assert_allclose(semidual.semidiscrete_ot_map(y, x, psi, weights), y[winner])
        mass = np.bincount(winner, minlength=len(y)) / len(x)
        np.testing.assert_allclose(semidual.marginal(x, y, psi, weights=weights), mass, atol=1e-6)
        shares = semidual.semidiscrete_atom_weights(y, x, psi, weights)
        np.testing.assert_array_equal(shares, np.eye(len(y))[winner])

    def test_for_reg_above_0_it_is_the_weighted_soft_minimum(self):
        x, y, psi, weights = problem()
        reg = 0.05
        shares, expected = softmax(x, y, psi, reg, weights)
        value, gradient = semidual.c_transform(x, y, psi, reg, weights, gradient=True)
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(gradient, 2 * (x - shares @ y), rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(semidual.semidiscrete_c_transform(y, x, psi, weights, reg=reg), value)
        np.testing.assert_allclose(semidual.marginal(x, y, psi, reg, weights), shares.mean(0), atol=1e-4)
        found = semidual.semidiscrete_atom_weights(y, x, psi, weights, reg=reg)
        np.testing.assert_allclose(found, shares, atol=1e-3)
        found = semidual.semidiscrete_ot_map(y, x, psi, weights, reg=reg)
        np.testing.assert_allclose(found, shares @ y, atol=1e-3)

    def test_other_metrics_follow_their_formulas(self):
        x, y, psi, weights = problem()
        for name in ("euclidean", "cityblock", "power"):
            metric = (name, 1.5) if name == "power" else name
            with self.subTest(metric=metric):
                value = semidual.c_transform(x, y, psi, metric=metric)
                np.testing.assert_allclose(value, -scores(x, y, psi, name).max(1), rtol=1e-4, atol=1e-5)
                shares, expected = softmax(x, y, psi, 0.05, weights, name)
                value = semidual.c_transform(x, y, psi, 0.05, weights, metric)
                np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
                found = semidual.semidiscrete_ot_map(y, x, psi, weights, metric, 0.05)
                np.testing.assert_allclose(found, shares @ y, atol=1e-3)

    def test_weights_are_divided_by_their_sum(self):
        x, y, psi, weights = problem()
        a = semidual.c_transform(x, y, psi, 0.05, weights)
        np.testing.assert_allclose(semidual.c_transform(x, y, psi, 0.05, 7 * weights), a, rtol=1e-6)


class Arrays(unittest.TestCase):
    def test_other_types_and_strides_give_what_float32_gives(self):
        x, y, psi, _ = problem()
        x, y = np.round(8 * x).astype(np.float32), np.round(8 * y).astype(np.float32)
        expected = semidual.c_transform(x, y, psi)
        wide = np.zeros((2 * len(y), 2 * y.shape[1]), np.float32)
        wide[::2, ::2] = y
        others = {
            "float64": y.astype(np.float64),
            "float16": y.astype(np.float16),
            "int64": y.astype(np.int64),
            "int8": y.astype(np.int8),
            "list": y.tolist(),
            "strided": wide[::2, ::2],
            "columns first": np.asfortranarray(y),
            "other byte order": y.astype(">f4"),
        }
        for name, other in others.items():
            with self.subTest(name):
                np.testing.assert_array_equal(semidual.c_transform(x, other, psi), expected)
        np.testing.assert_array_equal(semidual.c_transform(x.astype(np.int32), y, psi.astype(np.float32)), expected)

    def test_bytes_stand_for_their_255th(self):
        rng = np.random.default_rng(0)
        y = rng.integers(0, 256, (20, 5)).astype(np.uint8)
        x = rng.integers(0, 256, (10, 5)).astype(np.uint8)
        psi = np.zeros(20)
        expected = semidual.c_transform(x / 255, y / 255, psi)
        np.testing.assert_allclose(semidual.c_transform(x, y, psi), expected, atol=1e-5)
        winner = scores(x / 255, y / 255, psi).argmax(1)
        np.testing.assert_allclose(semidual.semidiscrete_ot_map(y, x, psi), y[winner] / 255, rtol=1e-6)

    def test_no_rows_give_no_values(self):
        _, y, psi, _ = problem()
        x = np.empty((0, 3))
        self.assertEqual(semidual.c_transform(x, y, psi).shape, (0,))
        for reg in (0, 0.05):
            self.assertEqual(semidual.semidiscrete_ot_map(y, x, psi, reg=reg).shape, (0, 3))

    def test_tensors_of_torch_are_taken(self):
        try:
            import torch
        except ImportError:
            self.skipTest("torch is not installed")
        x, y, psi, _ = problem()
        found = semidual.c_transform(torch.tensor(x, requires_grad=True), torch.tensor(y), torch.tensor(psi))
        np.testing.assert_array_equal(found, semidual.c_transform(x, y, psi))

    def test_what_will_not_do_is_said_in_one_line_with_its_name(self):
        x, y, psi, weights = problem()
        nan = y.copy()
        nan[2, 1] = np.nan
        infinite, flat = x.copy(), x[:, :2]
        infinite[3, 2] = np.inf
        cases = [
            ("x: shape (40,), where 2 axes", lambda: semidual.c_transform(x[:, 0], y, psi)),
            ("x: shape (40, 2), where points of y have 3", lambda: semidual.c_transform(flat, y, psi)),
            ("y: shape (1, 30, 3)", lambda: semidual.c_transform(x, y[None], psi)),
            ("y: shape (0, 3), where at least one", lambda: semidual.c_transform(x, y[:0], psi[:0])),
            ("psi: shape (29,), where y has 30", lambda: semidual.c_transform(x, y, psi[1:])),
            ("psi: number 0 is not finite", lambda: semidual.c_transform(x, y, psi * np.inf)),
            ("weights: shape (29,)", lambda: semidual.c_transform(x, y, psi, weights=weights[1:])),
            ("weights: least -", lambda: semidual.c_transform(x, y, psi, weights=-weights)),
            ("weights: least 0, sum 0", lambda: semidual.c_transform(x, y, psi, weights=0 * weights)),
            ("weights: least nan", lambda: semidual.c_transform(x, y, psi, weights=np.nan * weights)),
            ("x: dtype complex64", lambda: semidual.c_transform(x + 0j, y, psi)),
            ("y: dtype object", lambda: semidual.c_transform(x, y.astype(object), psi)),
            ("x: dtype bool", lambda: semidual.c_transform(x > 0, y, psi)),
            ("x: dtype <U", lambda: semidual.c_transform(x.astype(str), y, psi)),
            ("x: ", lambda: semidual.c_transform([[1, 2, 3], [1]], y, psi)),
            ("x: row 3 is not finite", lambda: semidual.c_transform(infinite, y, psi)),
            ("x: shape (0, 3), where at least one", lambda: semidual.marginal(x[:0], y, psi)),
            ("x: row 0 is not finite", lambda: semidual.c_transform(x.astype(np.float64) * 1e300, y, psi)),
            ("y: row 2 is not finite", lambda: semidual.c_transform(x, nan, psi)),
            ("reg: -1", lambda: semidual.c_transform(x, y, psi, -1)),
            ("reg: nan", lambda: semidual.c_transform(x, y, psi, float("nan"))),
            ("reg: 'much'", lambda: semidual.c_transform(x, y, psi, "much")),
            ("metric: 'cosine'", lambda: semidual.c_transform(x, y, psi, metric="cosine")),
            ("metric: ", lambda: semidual.c_transform(x, y, psi, metric=lambda x, y: 0)),
            ("metric: 0.5, where 1", lambda: semidual.c_transform(x, y, psi, metric=("power", 0.5))),
            ("X_source: shape (40, 2), where points of X_target", lambda: semidual.semidiscrete_ot_map(y, flat, psi)),
            ("semi_dual_potential: shape", lambda: semidual.semidiscrete_ot_map(y, x, psi[1:])),
            ("a_target: shape", lambda: semidual.solve_semidiscrete(y, a_target=weights[1:])),
            ("solver: 'newton'", lambda: semidual.solve_semidiscrete(y, solver="newton")),
            ("sampler_source: 'cauchy'", lambda: semidual.solve_semidiscrete(y, "cauchy")),
            ("max_iter: 0", lambda: semidual.solve_semidiscrete(y, max_iter=0)),
            ("batch_size: 1.5", lambda: semidual.solve_semidiscrete(y, batch_size=1.5)),
            ("seed: -1", lambda: semidual.solve_semidiscrete(y, seed=-1)),
            ("tolerance: -1", lambda: semidual.solve_semidiscrete(y, tolerance=-1)),
            ("lr0: inf", lambda: semidual.solve_semidiscrete(y, lr0=float("inf"))),
            ("init_potential: POT's", lambda: semidual.solve_semidiscrete(y, init_potential=psi)),
            ("decreasing_reg: POT's", lambda: semidual.solve_semidiscrete(y, decreasing_reg=False)),
            ("n: -1", lambda: semidual.set_threads(-1)),
        ]
        for message, attempt in cases:
            with self.subTest(message):
                with self.assertRaises(ValueError) as caught:
                    attempt()
                self.assertIn(message, str(caught.exception))
                self.assertNotIn("\n", str(caught.exception))
        with self.assertRaises(TypeError):
            semidual.solve_semidiscrete(y, max_iterations=3)


class Solve(unittest.TestCase):
    two = np.array([[0.25], [0.75]])

    def test_from_the_unit_interval_to_its_quarters(self):
        """Each half goes to its middle: equal potentials, and a cost of 2 int_0^1/2 (x - 1/4)^2 dx = 1/48."""
        for solver in ("adam", "asgd", "drag"):
            with self.subTest(solver):
                psi, log = semidual.solve_semidiscrete(self.two, "unif", max_iter=2000, solver=solver, log=True)
                self.assertEqual((psi.shape, psi.dtype), ((2,), np.float64))
                self.assertAlmostEqual(psi[0], psi[1], delta=0.02)
                self.assertAlmostEqual(log["value"], 1 / 48, delta=max(6 * log["value_error"], 1e-5))
                self.assertLess(log["value_error"], 1e-3)
                self.assertLess(log["chi2"] - 6 * log["chi2_error"], 1e-3)
                self.assertFalse(log["converged"])
                self.assertEqual(log["steps"], 2000)
                self.assertGreaterEqual(log["samples"], 2000 * 200)

    def test_weights_move_the_boundary(self):
        """Shares 3 : 1 end at 3/4, where (x - 1/4)^2 - psi_0 = (x - 3/4)^2 - psi_1, hence psi_0 - psi_1 = 1/4."""
        psi = semidual.solve_semidiscrete(self.two, "unif", [3, 1], max_iter=3000)
        self.assertAlmostEqual(psi[0] - psi[1], 0.25, delta=0.02)

    def test_a_function_is_a_source_as_its_law_is(self):
        rng = np.random.default_rng(0)
        psi, log = semidual.solve_semidiscrete(self.two, lambda n: rng.random((n, 1)), max_iter=2000, log=True)
        self.assertAlmostEqual(psi[0], psi[1], delta=0.02)
        self.assertAlmostEqual(log["value"], 1 / 48, delta=max(6 * log["value_error"], 1e-5))

    def test_the_same_seed_gives_the_same_potential(self):
        y = problem()[1]
        a, b, c = (semidual.solve_semidiscrete(y, "ball", max_iter=50, seed=seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(a, b)
        self.assertTrue((a != c).any())

    def test_every_law_is_taken_and_a_tolerance_ends_early(self):
        y = problem()[1]
        for law in ("unif", "unif_cube", "normal", "ball", "unif_ball", "sphere"):
            with self.subTest(law):
                psi, log = semidual.solve_semidiscrete(y, law, reg=0.1, tolerance=0.5, log=True)
                self.assertTrue(log["converged"])
                self.assertLess(log["steps"], 10000)
                self.assertLess(log["chi2"], 0.5)
                self.assertTrue(np.isfinite(psi).all())

    def test_progress_sees_every_step_and_may_end_the_ascent(self):
        seen = []

        def stop_at_ten(now):
            seen.append(now["steps"])
            return now["steps"] == 10

        psi, log = semidual.solve_semidiscrete(self.two, progress=stop_at_ten, log=True)
        self.assertEqual(seen, list(range(1, 11)))
        self.assertEqual(log["steps"], 10)
        self.assertTrue(np.isfinite(psi).all())

    def test_exceptions_of_callables_come_through(self):
        class Mine(Exception):
            pass

        mine = Mine("as it was")

        def fail(_):
            raise mine

        for options in ({"sampler_source": fail}, {"progress": fail}):
            with self.subTest(list(options)), self.assertRaises(Mine) as caught:
                semidual.solve_semidiscrete(self.two, **options)
            self.assertIs(caught.exception, mine)

    def test_batches_of_another_kind_are_refused(self):
        cases = {
            "shape (7, 1), where (": lambda n: np.zeros((7, 1)),
            "have 1 coordinates": lambda n: np.zeros((n, 2)),
            "2 axes": lambda n: np.zeros(n),
            "dtype object": lambda n: None,
            "row 0 is not finite": lambda n: np.full((n, 1), np.nan),
        }
        for message, sampler in cases.items():
            with self.subTest(message), self.assertRaisesRegex(ValueError, "sampler_source") as caught:
                semidual.solve_semidiscrete(self.two, sampler)
            self.assertIn(message, str(caught.exception))

    def test_a_source_may_use_the_library_itself(self):
        coupling = semidual.Coupling(self.two).fit("unif", max_iter=20)
        psi = semidual.solve_semidiscrete(self.two, lambda n: coupling.pairs(n)[0], max_iter=20)
        self.assertTrue(np.isfinite(psi).all())

    @unittest.skipUnless(hasattr(signal, "raise_signal"), "signals")
    def test_ctrl_c_ends_a_solve(self):
        def interrupt(now):
            if now["steps"] == 3:
                signal.raise_signal(signal.SIGINT)

        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with self.assertRaises(KeyboardInterrupt):
                semidual.solve_semidiscrete(self.two, progress=interrupt)
        finally:
            signal.signal(signal.SIGINT, before)


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

    def test_draws_are_a_function_of_a_seed_and_otherwise_new(self):
        x, y, psi, _ = problem(n=300)
        coupling = semidual.Coupling(y, 5.0)
        coupling.psi = psi
        np.testing.assert_array_equal(coupling.assign(x, 4), coupling.assign(x, np.random.default_rng(4)))
        self.assertTrue((coupling.assign(x) != coupling.assign(x)).any())

    def test_pairs_are_a_function_of_the_seed_and_the_first_of_more(self):
        y = problem()[1]
        for reg in (0, 0.5):
            with semidual.Coupling(y, reg).fit("normal", max_iter=100) as coupling:
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
        coupling = semidual.Coupling(Solve.two).fit("unif", tolerance=0.01)
        self.assertTrue(coupling.result["converged"])
        self.assertLess(coupling.chi2, 0.01)
        self.assertAlmostEqual(coupling.value, 1 / 48, delta=0.01)

    def test_a_function_is_a_source_of_pairs(self):
        rng = np.random.default_rng(0)
        coupling = semidual.Coupling(Solve.two).fit(lambda n: rng.random((n, 1)), max_iter=300)
        x, index = coupling.pairs(400)
        np.testing.assert_array_equal(index, coupling.assign(x))

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
        uses = [lambda: coupling.psi, lambda: coupling.assign(y), lambda: coupling.fit("unif"), coupling.__enter__]
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
        self.assertEqual(os.WEXITSTATUS(os.waitpid(child, 0)[1]), 0)
        np.testing.assert_array_equal(coupling.assign(x), index)

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
