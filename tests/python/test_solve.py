"""solve_semidiscrete: where it comes to, its sources and how it ends."""

import signal
import unittest

import numpy as np
import semidual
from formulas import problem, two_points


def setUpModule():
    semidual.set_threads(1)  # these problems are small, and two threads wait long for each other on a busy machine


class Solve(unittest.TestCase):
    def test_from_the_unit_interval_to_its_quarters(self):
        """Each half goes to its middle: equal potentials, and a cost of 2 int_0^1/2 (x - 1/4)^2 dx = 1/48."""
        for solver in ("adam", "asgd", "drag"):
            with self.subTest(solver):
                psi, log = semidual.solve_semidiscrete(two_points, "unif", max_iter=2000, solver=solver, log=True)
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
        psi = semidual.solve_semidiscrete(two_points, "unif", [3, 1], max_iter=3000)
        self.assertAlmostEqual(psi[0] - psi[1], 0.25, delta=0.02)

    def test_a_function_is_a_source_as_its_law_is(self):
        rng = np.random.default_rng(0)
        psi, log = semidual.solve_semidiscrete(two_points, lambda n: rng.random((n, 1)), max_iter=2000, log=True)
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

        psi, log = semidual.solve_semidiscrete(two_points, progress=stop_at_ten, log=True)
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
                semidual.solve_semidiscrete(two_points, **options)
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
                semidual.solve_semidiscrete(two_points, sampler)
            self.assertIn(message, str(caught.exception))

    def test_a_source_may_use_the_library_itself(self):
        coupling = semidual.Coupling(two_points).fit("unif", tolerance=None, max_iter=20)
        psi = semidual.solve_semidiscrete(two_points, lambda n: coupling.pairs(n)[0], max_iter=20)
        self.assertTrue(np.isfinite(psi).all())

    @unittest.skipUnless(hasattr(signal, "raise_signal"), "signals")
    def test_ctrl_c_ends_a_solve(self):
        def interrupt(now):
            if now["steps"] == 3:
                signal.raise_signal(signal.SIGINT)

        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with self.assertRaises(KeyboardInterrupt):
                semidual.solve_semidiscrete(two_points, progress=interrupt)
        finally:
            signal.signal(signal.SIGINT, before)
