"""How the loops are compiled: once, with types, without the GIL, and kept on disk.

numba looks for changes only in the file of a function when it decides whether its kept code is
still good. So constants and the functions that use them stand in one file.
"""

from collections.abc import Callable
from typing import Any

from numba import njit, types

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def compiled(*signatures: tuple[Any, ...]) -> Decorator:
    """Compile a function when it is imported, so that the next process finds it compiled.

    One without signatures is compiled together with a function that calls it.

    There is no `fastmath`: it would reorder sums, and change the last bit. The types are ours,
    since numba's decorators have none.
    """
    decorator: Decorator = njit(list(signatures) or None, nogil=True, cache=True)
    return decorator


def inlined() -> Decorator:
    """Compile a function into each function that calls it.

    This makes the operations of programs 15 % quicker than calls, and walks no quicker.
    """
    decorator: Decorator = njit(nogil=True, forceinline=True)
    return decorator


def readonly(item: Any, axes: int = 1) -> Any:
    """Return the type of an array that a loop does not write to; a writable one is accepted too."""
    return types.Array(item, axes, "C", readonly=True)
