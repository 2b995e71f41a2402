"""The loops are compiled once, and only where a kernel is built."""

import subprocess
import sys

IMPORT = """
import sys
import tasks.core.model.trees.kernel
print("numba" in sys.modules, "sklearn" in sys.modules)
"""
BUILD_WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = None
from sklearn.tree import DecisionTreeRegressor
from tasks.core.model.trees.kernel import UnsupportedError, build_kernel
try:
    build_kernel(DecisionTreeRegressor().fit([[0], [1]], [0, 1]))
except UnsupportedError as error:
    print(error)
"""
COUNT_MISSES = """
from tasks.core.model.trees import loops
found = [getattr(loops, name).stats for name in loops.__all__]
print(sum(sum(stats.cache_misses.values()) for stats in found))
"""


def printed(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_the_kernel_imports_no_compiler():
    assert printed(IMPORT) == "False False"


def test_where_nothing_compiles_nothing_is_supported():
    assert printed(BUILD_WITHOUT_NUMBA).startswith("numba cannot compile the kernel here: ")


def test_a_second_process_finds_the_compiled_loops():
    printed(COUNT_MISSES)
    assert printed(COUNT_MISSES) == "0"
