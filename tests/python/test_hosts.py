"""Arrays as hosts have them, and hosts that compute, fork, end and change their minds while the library is at work."""

import gc
import os
import pathlib
import subprocess
import sys
import textwrap
import threading
import unittest

import numpy as np
import semidual
from formulas import problem


def setUpModule():
    semidual.set_threads(1)


def misaligned(array):
    """The same numbers one byte off from where their type wants them."""
    room = np.empty(array.nbytes + 1, np.uint8)
    result = np.frombuffer(room.data, array.dtype, array.size, offset=1).reshape(array.shape)
    room[1:] = np.ascontiguousarray(array).view(np.uint8).ravel()
    assert not result.flags.aligned
    return result


def windows(array):
    """Rows that share all but one of their numbers with the next, in one memory."""
    line = np.arange(len(array) + array.shape[1] - 1, dtype=array.dtype)
    return np.lib.stride_tricks.as_strided(line, array.shape, 2 * line.strides)


def resident():
    """The bytes of memory that this process holds, where the system tells; otherwise 0."""
    try:
        return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def ended(code, *, seconds=120):
    """Runs Python on the lines -> its exit code and what it says on standard error."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=seconds, check=False)
    return done.returncode, done.stderr


class HostileArrays(unittest.TestCase):
    def test_an_array_gives_what_its_plain_copy_gives_however_it_lies(self):
        x, y, psi, weights = problem()
        y = np.asarray(y, np.float32)
        read_only = y.copy()
        read_only.flags.writeable = False
        others = {
            "one row again and again": np.broadcast_to(y[:1], y.shape),
            "one number again and again": np.broadcast_to(y[:1, :1], y.shape),
            "rows that overlap": windows(y),
            "misaligned": misaligned(y),
            "misaligned doubles": misaligned(y.astype(np.float64)),
            "backwards": y[::-1, ::-1],
            "read-only": read_only,
            "masked, with nothing masked": np.ma.masked_array(y),
        }
        for name, other in others.items():
            with self.subTest(name):
                plain = np.array(other, dtype=np.float32, order="C")
                np.testing.assert_array_equal(semidual.c_transform(x, other, psi, weights=weights),
                                              semidual.c_transform(x, plain, psi, weights=weights))
                np.testing.assert_array_equal(semidual.c_transform(other, y, psi),
                                              semidual.c_transform(plain, y, psi))
                self.assertEqual(semidual.solve_sample(other, y).value, semidual.solve_sample(plain, y).value)
        for name, other in {"misaligned": misaligned(psi), "the same": np.broadcast_to(psi[:1], psi.shape)}.items():
            with self.subTest(psi=name):
                np.testing.assert_array_equal(semidual.c_transform(x, y, other),
                                              semidual.c_transform(x, y, np.array(other)))

    def test_what_is_no_array_of_numbers_is_refused_with_its_name(self):
        x, y, psi, _ = problem()
        ragged = [[1.0, 2.0], [3.0]]
        for other in (ragged, "text", b"bytes", {1: 2}, y.astype(complex), y.astype("datetime64[s]"), y > 0,
                      y.astype(object), np.array(3.0), memoryview(b"ab"), None):
            with self.subTest(type(other).__name__), self.assertRaisesRegex(ValueError, "^y: "):
                semidual.c_transform(x, other, psi)

    def test_an_array_of_more_numbers_than_memory_holds_is_refused(self):
        x = np.broadcast_to(np.float32(0), (2, 1))
        for y in (np.broadcast_to(np.uint8(1), (2**31, 2**20)), np.broadcast_to(np.float32(1), (2**31, 2**20))):
            with self.subTest(y.dtype), self.assertRaises(MemoryError):
                semidual.c_transform(x, y, np.zeros(1))

    def test_a_target_keeps_its_points_when_the_array_is_changed_or_gone(self):
        x, y, psi, _ = problem()
        mine = np.array(y, np.float32)
        coupling = semidual.Coupling(mine)
        coupling.psi = psi
        index = coupling.assign(x)
        mine[:] = np.nan
        del mine
        np.testing.assert_array_equal(coupling.assign(x), index)

    def test_a_source_may_change_its_batch_afterwards(self):
        """It is copied before the source goes on."""
        y = problem()[1]
        room = np.empty((0, y.shape[1]), np.float32)

        def source(n, seed=iter(range(10**6))):
            nonlocal room
            room[:] = np.nan
            room = np.random.default_rng(next(seed)).normal(size=(n, y.shape[1])).astype(np.float32)
            return room

        def fresh(n, seed=iter(range(10**6))):
            return np.random.default_rng(next(seed)).normal(size=(n, y.shape[1])).astype(np.float32)

        np.testing.assert_array_equal(semidual.solve_semidiscrete(y, source, max_iter=30),
                                      semidual.solve_semidiscrete(y, fresh, max_iter=30))


class Hosts(unittest.TestCase):
    def test_a_host_that_multiplies_at_the_same_time_gets_its_products_and_the_library_its_values(self):
        x, y, psi, _ = problem(n=2000, count=2000)
        expected = semidual.c_transform(x, y, psi)
        matrix = np.random.default_rng(0).normal(size=(300, 300))
        product, wrong, done = matrix @ matrix, [], threading.Event()

        def multiply():
            while not done.is_set():
                if not np.array_equal(matrix @ matrix, product):
                    wrong.append("a product")

        host = threading.Thread(target=multiply)
        host.start()
        try:
            for threads in (1, 2, 3) * 5:
                semidual.set_threads(threads)
                if not np.array_equal(semidual.c_transform(x, y, psi), expected):
                    wrong.append("a c-transform")
        finally:
            done.set()
            host.join()
            semidual.set_threads(1)
        self.assertEqual(wrong, [])

    def test_threads_on_the_same_and_on_other_targets_get_the_right_values(self):
        problems = [problem(n=50, count=60 + k)[:3] for k in range(4)]
        expected = [semidual.c_transform(*p) for p in problems]
        wrong = []

        def work(first):
            for k in range(40):
                p = (first + k) % len(problems)
                if not np.array_equal(semidual.c_transform(*problems[p]), expected[p]):
                    wrong.append(p)

        hosts = [threading.Thread(target=work, args=(k // 2,)) for k in range(6)]
        for host in hosts:
            host.start()
        for host in hosts:
            host.join()
        self.assertEqual(wrong, [])

    def test_an_interpreter_ends_while_a_daemon_thread_solves(self):
        code, error = ended("""
            import threading, numpy as np, semidual
            begun = threading.Event()
            y = np.random.default_rng(0).normal(size=(500, 3))
            def solve():
                semidual.Coupling(y).fit("normal", tolerance=None, max_iter=10**9, progress=lambda now: begun.set())
            threading.Thread(target=solve, daemon=True).start()
            begun.wait()
            """)
        self.assertEqual((code, error), (0, ""))

    def test_an_interpreter_ends_while_a_daemon_thread_transforms(self):
        code, error = ended("""
            import threading, numpy as np, semidual
            begun = threading.Event()
            y = np.random.default_rng(0).normal(size=(3000, 20)).astype(np.float32)
            def transform():
                while True:
                    semidual.c_transform(y, y, np.zeros(len(y)), reg=0.1)
                    begun.set()
            threading.Thread(target=transform, daemon=True).start()
            begun.wait()
            """)
        self.assertEqual((code, error), (0, ""))

    def test_an_interpreter_ends_with_couplings_that_are_not_closed(self):
        code, error = ended("""
            import numpy as np, semidual
            kept = [semidual.Coupling(np.zeros((1, 2))) for _ in range(3)]
            kept.append(kept)
            """)
        self.assertEqual((code, error), (0, ""))

    def test_an_exit_within_a_callback_ends_the_interpreter(self):
        code, error = ended("""
            import sys, numpy as np, semidual
            def leave(now):
                sys.exit(7)
            semidual.solve_semidiscrete(np.zeros((2, 1)), progress=leave)
            """)
        self.assertEqual((code, error), (7, ""))

    def test_callbacks_that_fail_a_thousand_times_leave_nothing_behind(self):
        y = problem()[1]

        def fail(_):
            raise KeyError("no")

        def fail_often(times):
            for _ in range(times):
                with self.assertRaises(KeyError):
                    semidual.solve_semidiscrete(y, fail)
            gc.collect()
            return resident()

        expected = semidual.solve_semidiscrete(y, max_iter=10)
        before = fail_often(200)
        self.assertLess(fail_often(1000) - before, 4e6)
        np.testing.assert_array_equal(semidual.solve_semidiscrete(y, max_iter=10), expected)


if __name__ == "__main__":
    unittest.main()
