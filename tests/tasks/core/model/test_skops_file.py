"""A model file is loaded only if it is whole, and of types that are on our list."""

import io
import json
import zipfile

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tasks.core.errors import RequestError
from tasks.core.model.skops_file import load_pipeline, save_pipeline
from tasks.core.model.version import ModelVersion, read_files
from tasks.core.storage.digests import folder_digest


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.skops"


def test_a_version_is_used_only_with_the_files_it_was_registered_with(path):
    save_pipeline(StandardScaler(), path)
    digest = folder_digest(path.parent)
    version = ModelVersion("m", 3, digest, passed=True, promoted=True, folder=str(path.parent))
    content = path.read_bytes()
    assert read_files(version, path.name, "none.json") == {path.name: content}

    path.write_bytes(content + b"\0")
    refused = r"m version 3 are not those that were registered.*`afterfit rollback m`"
    with pytest.raises(RequestError, match=refused):
        read_files(version)


@pytest.mark.parametrize(
    "content", [b"", b"no zip", b"PK\x03\x04 broken", b"\x80\x04cposix\nsystem\n(S'true'\ntR."]
)
def test_what_is_no_skops_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(RequestError, match=r"model\.skops is not a skops file"):
        load_pipeline(path)


def test_a_model_that_is_not_there_is_told(path):
    with pytest.raises(RequestError, match=r"no model file .*model\.skops"):
        load_pipeline(path)


def test_a_type_that_is_not_on_the_list_is_refused_by_name(path):
    save_pipeline(make_pipeline(FunctionTransformer(io.StringIO)), path)
    with pytest.raises(RequestError, match=r"not on afterfit's list: .*StringIO"):
        load_pipeline(path)


@pytest.mark.parametrize(
    ("module", "name"), [("builtins", "eval"), ("os", "system"), ("posix", "system")]
)
def test_a_file_that_names_a_function_to_run_is_refused(path, module, name):
    """Whatever its own metadata says: the list of trusted types is ours."""
    save_pipeline(StandardScaler(), path)
    with zipfile.ZipFile(path) as archive:
        schema = json.loads(archive.read("schema.json"))

    schema |= {"__class__": name, "__module__": module, "__loader__": "FunctionNode"}
    schema["content"] = f"{module}.{name}"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))

    with pytest.raises(RequestError, match=name):
        load_pipeline(path)


def test_the_digest_of_a_folder_depends_on_names_and_contents_alone(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        (folder / "sub").mkdir(parents=True)
        (folder / "sub" / "b").write_bytes(b"2")
        (folder / "a").write_bytes(b"1")
    digest = folder_digest(one)
    assert folder_digest(other) == digest

    (other / "a").rename(other / "c")
    assert folder_digest(other) != digest
    (other / "c").rename(other / "a")
    (other / "sub" / "b").write_bytes(b"3")
    assert folder_digest(other) != digest
