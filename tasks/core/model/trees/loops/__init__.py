"""The loops over rows and trees, compiled by numba.

To import this package is to import numba and to compile, unless an earlier process kept the result.
So only a kernel that is being built imports it.
"""

from tasks.core.model.trees.loops.codes import code_ranks, write_members
from tasks.core.model.trees.loops.programs import add_programs
from tasks.core.model.trees.loops.walks import add_walks, order_keys

__all__ = ["add_programs", "add_walks", "code_ranks", "order_keys", "write_members"]
