"""Packages of the same names as afterfit's."""

import pytest

STRANGER = "raise RuntimeError('a stranger')"


@pytest.fixture
def strangers(tmp_path):
    """A folder with a `tasks.py` and a `flows/` of somebody else."""
    (tmp_path / "tasks.py").write_text(STRANGER, encoding="utf-8")
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "__init__.py").write_text(STRANGER, encoding="utf-8")
    return tmp_path


def test_packages_of_the_same_names_in_the_current_folder_are_never_imported(
    trained, strangers, answer_of
):
    spec = trained.folder / "sales.yaml"
    document = answer_of("train", spec, cwd=strangers)
    assert document["version"] == 1
    assert document["model_reused"] is True


def test_packages_of_the_same_names_on_pythonpath_are_refused(
    strangers, afterfit, assert_one_sentence
):
    refused = afterfit("models", cwd=strangers, PYTHONPATH=str(strangers))
    words = f"Python finds another `tasks` ({strangers / 'tasks.py'})"
    assert_one_sentence(refused, 2, words)
