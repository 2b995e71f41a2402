"""The folder that holds everything afterfit keeps on this machine."""

import os
import re
import subprocess
from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.storage.home import home_folder

VARIABLE = "AFTERFIT_HOME"
# SQLite and file locks cannot be trusted on these.
# fmt: off
NETWORK_FILE_SYSTEMS = frozenset({
    "9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs",
    "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs", "gpfs", "lustre", "macfuse", "ncpfs", "nfs", "nfs4",
    "osxfuse", "smb", "smb3", "smbfs", "webdav",
})


# fmt: on


def home() -> Path:
    """Return the home, made if need be for its owner alone.

    Raises:
        RequestError: if it cannot be made, or lies on a network file system.
    """
    try:
        folder = home_folder().resolve()
        kind = file_system(folder, _mounts())
        if kind in NETWORK_FILE_SYSTEMS and not (
            kind == "9p" and "microsoft" in os.uname().release.lower()
        ):
            raise RequestError(
                f"{folder} is on a network file system ({kind}); set {VARIABLE} to a folder on a local disk."
            )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise RequestError(
            f"The home cannot be made ({error}); set {VARIABLE} to a folder that can be written."
        ) from error
    return folder


def file_system(folder: Path, mounts: list[tuple[str, str]]) -> str:
    """Name the type of the file system that a folder, existing or not, lies on.

    >>> file_system(Path("/home/ann/.afterfit"), [("/", "ext4"), ("/home", "nfs4"), ("/home/bob", "ext4")])
    'nfs4'
    """
    types = dict(mounts)  # of two mounts at one point the later one hides the earlier
    return next(
        (types[str(place)] for place in (folder, *folder.parents) if str(place) in types), ""
    )


def parse_mounts(text: str) -> list[tuple[str, str]]:
    r"""Parse /proc/self/mounts or the output of `mount` into mount points with their types.

    >>> parse_mounts("host:/x /mnt/my\\040disk nfs4 rw 0 0")
    [('/mnt/my disk', 'nfs4')]
    >>> parse_mounts("//ann@nas/share on /Volumes/share (smbfs, nodev, nosuid)")
    [('/Volumes/share', 'smbfs')]
    """
    if listed := re.findall(r"^.+? on (/.*) \(([^,)]+)[^()]*\)$", text, re.MULTILINE):
        return listed
    fields = re.findall(r"^\S+ (\S+) (\S+)", text, re.MULTILINE)
    return [
        (re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point), kind)
        for point, kind in fields
    ]


def _mounts() -> list[tuple[str, str]]:
    try:
        return parse_mounts(
            Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")
        )
    except OSError:
        listing = subprocess.run(
            ["/sbin/mount"], capture_output=True, text=True, errors="surrogateescape", check=False
        )
        return parse_mounts(listing.stdout)
