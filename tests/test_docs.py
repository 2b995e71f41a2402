"""The pages in docs/: the paths, modules, options and settings they name are there."""

import re
import shlex
from pathlib import Path

import pytest
from distributed.cli import dask_scheduler, dask_worker

import afterfit
from deployments.servers.kinds import RECORDING

ROOT = Path(__file__).resolve().parents[1]
PAGES = {page.name: page.read_text(encoding="utf-8") for page in sorted(ROOT.glob("docs/*.md"))}
each_page = pytest.mark.parametrize("page", PAGES)
FOLDERS = "deployments|docs|examples|flows|tasks|tests"
CLUSTERS = PAGES["clusters.md"].replace("\\\n", " ")


@each_page
def test_a_page_links_to_what_is_there(page):
    links = re.findall(r"\]\(([^)#]+)", PAGES[page])
    local = [link for link in links if "://" not in link]
    assert links
    assert [link for link in local if not (ROOT / "docs" / link).exists()] == []


@each_page
def test_a_page_names_files_and_public_names_that_are_there(page):
    files = re.findall(rf"(?<![\w/.])(?:{FOLDERS})/[\w/.-]*\w", PAGES[page])
    names = re.findall(r"`afterfit\.(\w+)", PAGES[page])
    modules = re.findall(rf"`(?:{FOLDERS})\.\w+", PAGES[page])
    assert files
    assert [file for file in files if not (ROOT / file).exists()] == []
    assert names
    assert set(names) <= set(afterfit.__all__)
    assert modules == []  # they are private


@pytest.mark.parametrize("command", [dask_scheduler, dask_worker])
def test_dask_is_started_with_options_that_it_knows(command):
    name = command.__name__.rpartition("_")[2]
    lines = re.findall(rf"^(?:srun )?dask {name} (.*)$", CLUSTERS, re.MULTILINE)
    given = {word for line in lines for word in shlex.split(line) if word.startswith("--")}
    known = {
        option
        for parameter in command.main.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert given
    assert given <= known


def test_a_prefect_server_of_ones_own_gets_the_settings_of_the_embedded_one():
    given = re.findall(r"(PREFECT_SERVER_SERVICES_\w+)=(\w+)", CLUSTERS)
    assert dict(given) == RECORDING
