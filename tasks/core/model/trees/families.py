"""The families by name. To import this module imports numba, and compiles."""

from tasks.core.model.trees.family import Family
from tasks.core.model.trees.forest import FOREST, TREE
from tasks.core.model.trees.gradient_boosting import GRADIENT_BOOSTING
from tasks.core.model.trees.hist_boosting import HIST_BOOSTING

FAMILIES: dict[str, Family] = {
    "forest": FOREST,
    "tree": TREE,
    "gradient_boosting": GRADIENT_BOOSTING,
    "hist_boosting": HIST_BOOSTING,
}
