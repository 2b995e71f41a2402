"""A page of the home that links to both servers, for a browser of its owner."""

from html import escape
from pathlib import Path

from deployments.servers.choice import Servers
from deployments.servers.entrance import entrance
from deployments.servers.home import home
from deployments.servers.login import read_login
from deployments.servers.record import write_for_owner
from tasks.core.storage.secrets import without_secrets

FILE = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<title>afterfit</title>
<h1>afterfit</h1>
<p><a href="{prefect}">Prefect</a>
<p><a href="{mlflow}">MLflow</a>
"""


def write_links(servers: Servers) -> Path:
    """Write the page, whose links sign in to the embedded servers, and return its path."""
    folder = home()
    login = read_login(folder)
    prefect = servers.prefect_ui_url
    if servers.prefect_embedded:
        prefect = entrance(prefect, login)

    mlflow = without_secrets(servers.mlflow_url)
    if servers.mlflow_embedded:
        mlflow = entrance(mlflow, login)

    path = folder / "servers" / "open.html"
    write_for_owner(path, FILE.format(prefect=escape(prefect), mlflow=escape(mlflow)))
    return path
