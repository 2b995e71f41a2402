"""Connect to a Dask cluster that somebody else has started."""

import os
import ssl
import warnings
from collections.abc import Iterator
from typing import Any

import dask
from distributed import Client
from distributed.versions import VersionMismatchWarning

from tasks.core.errors import AfterfitError, RequestError
from tasks.runner.cluster_checks import Reach, check_cluster
from tasks.runner.dask_inside import ENCRYPTION_REQUIRED

CONNECT, DASK_SECONDS, CONNECT_SECONDS = "distributed.comm.timeouts.connect", "30s", "15s"
TLS = "distributed.comm.tls"
VARIABLES = {
    f"{TLS}.ca-file": "DASK_DISTRIBUTED__COMM__TLS__CA_FILE",
    f"{TLS}.client.cert": "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT",
    f"{TLS}.client.key": "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY",
}
PAGE = "docs/clusters.md"


# Connecting


def connect(address: Any, reach: Reach) -> Client:
    """Connect to a scheduler, and check its cluster.

    Raises:
        AfterfitError: there is no scheduler, or it has no workers.
        RequestError: the certificates do not fit, or the cluster cannot do the work.
    """
    check_certificates(str(address))
    seconds = dask.config.get(CONNECT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VersionMismatchWarning)  # it is said better below
            client = Client(  # type: ignore[no-untyped-call]
                address,
                timeout=CONNECT_SECONDS if seconds == DASK_SECONDS else seconds,
                set_as_default=False,
            )
    except Exception as error:
        raise explained(str(address), error) from error
    try:
        check_cluster(client, reach)
    except BaseException:
        client.close()  # type: ignore[no-untyped-call]
        raise
    return client


def check_certificates(address: str) -> None:
    """Refuse a `tls://` address without certificates of our own, and files of them that cannot be
    read.

    Raises:
        RequestError: it names the variables.
    """
    if not address.startswith("tls://"):
        return
    named = {variable: dask.config.get(setting, None) for setting, variable in VARIABLES.items()}
    if missing := [
        variable for variable, file in named.items() if not file and not variable.endswith("KEY")
    ]:
        raise RequestError(
            f"{address} needs certificates: set {' and '.join(missing)} ({PAGE} has the steps)."
        )
    for variable, file in named.items():
        if file and "\n" not in file and not os.access(file, os.R_OK):
            raise RequestError(f"{variable} names {file}, which cannot be read.")


def explained(address: str, error: BaseException) -> AfterfitError:
    """Tell in a sentence why there is no connection."""
    chain = list(_causes(error))
    told = " ".join(str(link) for link in chain)
    if ENCRYPTION_REQUIRED in told:
        return RequestError(
            f"{address} is not encrypted, and Dask's settings require it: write tls:// in its place."
        )
    if address.startswith("tcp://") and any(
        isinstance(link, ConnectionResetError) for link in chain
    ):
        return RequestError(
            f"{address} hangs up: if its scheduler was started with TLS, write tls:// in its place."
        )
    if any(isinstance(link, ssl.SSLError) for link in chain) or "SSL" in told:
        reason = (
            next(
                (link.reason for link in chain if isinstance(link, ssl.SSLError) and link.reason),
                "",
            )
            or told
        )
        return RequestError(
            f"The certificates here and those of the Dask scheduler at {address} do not fit ({reason.strip()}): all "
            f"must be of one CA, and the scheduler must have been started with TLS; {PAGE} has the steps."
        )
    return AfterfitError(
        f"The Dask scheduler at {address} cannot be reached: {' '.join(str(error).split())}"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
