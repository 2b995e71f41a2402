"""A model file whose arrays point outside themselves is refused before anything follows them."""

import io
import warnings
import zipfile

import numpy as np
import pytest
import scipy.sparse
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC, SVR

from tasks.core.errors import RequestError
from tasks.core.model.index_checks import check_indices
from tasks.core.model.skops_file import load_pipeline, save_pipeline

CHANCE = np.random.default_rng(3)
X = CHANCE.normal(size=(60, 3))
LABELS = np.arange(60) % 3
WORDS = ["red cat", "blue dog", "red dog"] * 20
CITIES = np.array([["Oslo"], ["Rome"], ["Bonn"]] * 20, dtype=object)


def neighbors(**options):
    return KNeighborsRegressor(2, **options).fit(X, X[:, 0])


def classes(**options):
    return KNeighborsClassifier(2, **options).fit(X, LABELS)


def one_hot(**options):
    return OneHotEncoder(**options).fit(CITIES)


def with_probabilities():
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        return SVC(probability=True).fit(X, LABELS % 2)


def sparse():
    return LogisticRegression().fit(X, LABELS).sparsify()


def set_tree(position, change):
    """Change one part of the state of a search tree: its data, order, nodes, bounds, ..."""

    def damage(model):
        state = list(model._tree.__getstate__())
        state[position] = change(state[position])
        model._tree.__setstate__(tuple(state))

    return damage


def with_node(name, value):
    def change(nodes):
        nodes = nodes.copy()
        nodes[name][0] = value
        return nodes

    return change


def set_value(name, value):
    def damage(model):
        model.__dict__[name] = value

    return damage


def set_item(name, key, value):
    def damage(model):
        model.__dict__[name][key] = value

    return damage


def widen(model):
    """Let a sparse matrix of coefficients name a feature that is not there."""
    model.coef_.indices[0] = 10**6


CASES = [
    (lambda: neighbors(algorithm="kd_tree"), set_tree(1, lambda order: order + 10**7), "KDTree"),
    (lambda: neighbors(algorithm="kd_tree"), set_tree(1, lambda order: order[:5]), "KDTree"),
    (lambda: neighbors(algorithm="kd_tree"), set_tree(2, with_node("idx_end", 10**9)), "KDTree"),
    (lambda: neighbors(algorithm="kd_tree", leaf_size=5),
     set_tree(2, lambda nodes: nodes[:1]), "KDTree"),
    (lambda: neighbors(algorithm="kd_tree"), set_tree(0, lambda data: data[:10]), "not as many"),
    (lambda: neighbors(algorithm="kd_tree", leaf_size=5),
     set_tree(3, lambda bounds: bounds[:, :, :1].copy()), "KDTree"),
    (lambda: classes(algorithm="brute"), set_value("_y", LABELS[:10]), "not as many rows"),
    (lambda: classes(algorithm="brute"), set_value("_y", LABELS + 7), "none of its classes"),
    (lambda: classes(algorithm="brute"), set_value("n_samples_fit_", 10**6), "not as many rows"),
    (lambda: classes(algorithm="brute"), set_value("n_features_in_", 9), "another width"),
    (lambda: SVC().fit(X, LABELS), set_item("_n_support", 0, 10**6), "counts that do not fit"),
    (lambda: SVC().fit(X, LABELS), set_value("_dual_coef_", np.ones((2, 3))), "counts"),
    (lambda: SVC().fit(X, LABELS), set_value("_intercept_", np.ones(1)), "counts"),
    (lambda: SVC().fit(X, LABELS), set_value("support_vectors_", X[:2]), "counts"),
    (lambda: SVC().fit(X, LABELS), set_value("n_features_in_", 9), "counts"),
    (lambda: SVR().fit(X, X[:, 0]), set_value("support_", np.arange(10**5, dtype=np.int32)), "cou"),
    (lambda: SVR().fit(X, X[:, 0]), set_value("_n_support", np.array([7, 7, 7], np.int32)), "cou"),
    (lambda: CountVectorizer().fit(WORDS), set_item("vocabulary_", "cat", 10**8), "vocabulary"),
    (lambda: CountVectorizer().fit(WORDS), set_item("vocabulary_", "cat", -1), "vocabulary"),
    (one_hot, set_value("_n_features_outs", [1]), "other columns than categories"),
    (one_hot, set_item("_n_features_outs", 0, 2), "other columns than categories"),
    (lambda: one_hot(drop="first"), set_item("_drop_idx_after_grouping", 0, 9), "dropped category"),
    (lambda: one_hot(max_categories=2),
     set_item("_default_to_infrequent_mappings", 0, np.array([0, 1, 10**6])), "other columns"),
    (lambda: one_hot(max_categories=2),
     set_item("_default_to_infrequent_mappings", 0, np.array([0])), "groups of other"),
    (lambda: KMeans(2, n_init=1).fit(X), set_value("cluster_centers_", np.ones((2, 1))), "centres"),
    (sparse, widen, "ind"),
]  # fmt: skip


@pytest.mark.parametrize(("fit", "damage", "words"), CASES)
def test_arrays_that_point_outside_themselves_are_refused(tmp_path, fit, damage, words):
    model = fit()
    check_indices(make_pipeline(model))

    damage(model)
    with pytest.raises(ValueError, match=words):
        check_indices(make_pipeline(model))


@pytest.mark.parametrize("number", [0, 10, 17, 19])
def test_such_a_file_is_not_loaded(tmp_path, number):
    fit, damage, _ = CASES[number]
    model = fit()
    path = tmp_path / "model.skops"
    save_pipeline(model, path)
    assert type(load_pipeline(path)) is type(model)

    damage(model)
    save_pipeline(model, path)
    with pytest.raises(RequestError, match=r"model.skops is damaged, do not use it: the model"):
        load_pipeline(path)


@pytest.mark.parametrize(
    "model",
    [
        with_probabilities(),
        SVC().fit(scipy.sparse.csr_array(X), LABELS),
        SVR(kernel="linear").fit(X, X[:, 0]),
        neighbors(algorithm="ball_tree"),
        KNeighborsClassifier(3).fit(X, np.stack([LABELS, LABELS], axis=1)),
        one_hot(drop="if_binary", min_frequency=30, handle_unknown="infrequent_if_exist"),
        OneHotEncoder(drop="if_binary").fit(CITIES == "Oslo"),
        CountVectorizer(),
    ],
)
def test_what_scikit_learn_makes_is_whole(model):
    assert check_indices(model) is None


def test_an_array_whose_header_lies_is_refused(tmp_path):
    """It says that it has 8 TB, and holds a number."""
    path = tmp_path / "model.skops"
    save_pipeline(Lasso(alpha=0.1).fit(X, X[:, 0]), path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}

    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, _lying(content) if name.endswith(".npy") else content)
    with pytest.raises(RequestError, match="is not a skops file that can be read"):
        load_pipeline(path)


def _lying(content):
    values = np.load(io.BytesIO(content))
    file = io.BytesIO()
    header = {"descr": values.dtype.str, "fortran_order": False, "shape": (10**15,)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + values.tobytes()
