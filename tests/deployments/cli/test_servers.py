"""The commands of the servers, against real servers."""

import os
import shlex
import subprocess
import sys
from pathlib import Path


def test_status_tells_where_the_servers_are(servers, answer_of):
    """Both servers answer, with their addresses and their processes."""
    document = answer_of("status")
    prefect, mlflow = document["prefect"], document["mlflow"]
    assert prefect.pop("pid") != mlflow.pop("pid")
    assert document == {
        "prefect": {
            "url": servers.prefect_ui_url,
            "api_url": servers.prefect_api_url,
            "running": True,
        },
        "mlflow": {
            "url": servers.mlflow_url,
            "running": True,
        },
    }


def test_the_exports_are_for_a_shell(servers):
    """A shell can evaluate what `afterfit env` prints, whatever the home is called."""
    command = Path(sys.executable).with_name("afterfit")
    script = f"""
        unset PREFECT_API_URL MLFLOW_TRACKING_URI
        eval "$({shlex.quote(str(command))} env)"
        printf "%s\\n" "$PREFECT_API_URL" "$MLFLOW_TRACKING_URI" "$AFTERFIT_HOME"
    """
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines() == [
        servers.prefect_api_url,
        servers.mlflow_url,
        os.environ["AFTERFIT_HOME"],
    ]
