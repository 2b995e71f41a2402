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
from tasks.runner.cluster_checks import WORKER_SECONDS, Reach, check_cluster
from tasks.runner.dask_inside import ENCRYPTION_REQUIRED

CONNECT_TIMEOUT = "distributed.comm.timeouts.connect"
DASK_TIMEOUT = "30s"  # what Dask sets by default
TIMEOUT = "15s"  # what we wait, unless the user has set another
TLS = "distributed.comm.tls"
VARIABLES = {
    f"{TLS}.ca-file": "DASK_DISTRIBUTED__COMM__TLS__CA_FILE",
    f"{TLS}.client.cert": "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT",
    f"{TLS}.client.key": "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY",
}
PAGE = "docs/clusters.md"


def connect(
    address: Any,
    reach: Reach,
    timeout: str | None = None,
    worker_seconds: float = WORKER_SECONDS,
) -> Client:
    """Connect to a scheduler, and check its cluster.

    Raises:
        AfterfitError: there is no scheduler, or it has no workers.
        RequestError: the certificates do not fit, or the cluster cannot do the work.
    """
    check_certificates(str(address))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VersionMismatchWarning)  # it is said better below
            client = Client(  # type: ignore[no-untyped-call]
                address, timeout=timeout or _timeout_of_user(), set_as_default=False
            )
    except Exception as error:
        raise reason_of_no_connection(str(address), error) from error

    try:
        check_cluster(client, reach, worker_seconds)
    except BaseException:
        client.close()  # type: ignore[no-untyped-call]
        raise
    return client


def _timeout_of_user() -> str:
    timeout = dask.config.get(CONNECT_TIMEOUT)
    return TIMEOUT if timeout == DASK_TIMEOUT else timeout


def check_certificates(address: str) -> None:
    """Refuse a `tls://` address without certificates of ours, or with such that cannot be read.

    Raises:
        RequestError: it names the variables.
    """
    if not address.startswith("tls://"):
        return

    named = {variable: dask.config.get(setting, None) for setting, variable in VARIABLES.items()}
    # A key may stand in the same file as its certificate.
    needed = [variable for variable in named if not variable.endswith("KEY")]
    missing = [variable for variable in needed if not named[variable]]
    if missing:
        raise RequestError(
            f"{address} needs certificates: set {' and '.join(missing)} ({PAGE} has the steps)."
        )

    for variable, file in named.items():
        is_path = bool(file) and "\n" not in file  # else it is the certificate itself
        if is_path and not os.access(file, os.R_OK):
            raise RequestError(f"{variable} names {file}, which cannot be read.")


def reason_of_no_connection(address: str, error: BaseException) -> AfterfitError:
    """Return in a sentence why there is no connection."""
    chain = list(_causes(error))
    told = " ".join(str(link) for link in chain)
    if ENCRYPTION_REQUIRED in told:
        return RequestError(
            f"{address} is not encrypted, and Dask's settings require it: "
            "write tls:// in its place."
        )

    hangs_up = any(isinstance(link, ConnectionResetError) for link in chain)
    if hangs_up and address.startswith("tcp://"):
        return RequestError(
            f"{address} hangs up: if its scheduler was started with TLS, write tls:// in its place."
        )

    of_tls = [link for link in chain if isinstance(link, ssl.SSLError)]
    if of_tls or "SSL" in told:
        reasons = [link.reason for link in of_tls if link.reason]
        reason = reasons[0] if reasons else told
        return RequestError(
            f"The certificates here and those of the Dask scheduler at {address} do not fit "
            f"({reason.strip()}): all must be of one CA, and the scheduler must have been started "
            f"with TLS; {PAGE} has the steps."
        )

    in_one_line = " ".join(str(error).split())
    return AfterfitError(f"The Dask scheduler at {address} cannot be reached: {in_one_line}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
