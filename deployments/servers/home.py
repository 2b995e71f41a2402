"""The folder that holds everything afterfit keeps on this machine."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.storage.home import home_folder, make_private

VARIABLE = "AFTERFIT_HOME"
# SQLite and file locks cannot be trusted on these.
NETWORK_FILE_SYSTEMS = {
    "9p",
    "afpfs",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "davfs",
    "fuse.ceph",
    "fuse.gcsfuse",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "glusterfs",
    "gpfs",
    "lustre",
    "macfuse",
    "ncpfs",
    "nfs",
    "nfs4",
    "osxfuse",
    "smb",
    "smb3",
    "smbfs",
    "webdav",
}
Mounts = list[tuple[str, str]]  # mount points with their types


def read_mounts() -> Mounts:
    """Return the mount points of this machine with their types."""
    try:
        path = Path("/proc/self/mounts")
        return parse_mounts(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError:
        listing = subprocess.run(
            ["/sbin/mount"], capture_output=True, text=True, errors="surrogateescape", check=False
        )
        return parse_mounts(listing.stdout)


def home(mounts: Callable[[], Mounts] = read_mounts) -> Path:
    """Return the home, made if need be for its owner alone.

    Raises:
        RequestError: it cannot be made, is not its owner's alone, or lies on a network file system.
    """
    try:
        folder = home_folder().resolve()
        kind = file_system(folder, mounts())
        if is_remote(kind, os.uname().release):
            raise RequestError(
                f"{folder} is on a network file system ({kind}); "
                f"set {VARIABLE} to a folder on a local disk."
            )
        make_private(folder)
    except (OSError, RuntimeError, ValueError) as error:
        raise RequestError(
            f"The home cannot be made ({error}); set {VARIABLE} to a folder that can be written."
        ) from error
    return folder


def is_remote(kind: str, release: str) -> bool:
    """Return whether a type of file system is one of the network, for a release of the kernel.

    >>> is_remote("nfs4", "6.8.0-45-generic"), is_remote("ext4", "6.8.0-45-generic")
    (True, False)
    >>> is_remote("9p", "5.15.153.1-microsoft-standard-WSL2")  # how WSL shows a drive of Windows
    False
    """
    if kind == "9p" and "microsoft" in release.lower():
        return False
    return kind in NETWORK_FILE_SYSTEMS


def file_system(folder: Path, mounts: Mounts) -> str:
    """Return the type of the file system that a folder, existing or not, lies on.

    >>> file_system(Path("/home/ann/.afterfit"), [("/", "ext4"), ("/home", "nfs4")])
    'nfs4'
    >>> file_system(Path("/home/ann/.afterfit"), [("/", "ext4"), ("/home/bob", "nfs4")])
    'ext4'
    """
    types = dict(mounts)  # of two mounts at one point the later one hides the earlier
    for place in (folder, *folder.parents):
        if str(place) in types:
            return types[str(place)]
    return ""


def parse_mounts(text: str) -> Mounts:
    r"""Parse /proc/self/mounts or the output of `mount` into mount points with their types.

    >>> parse_mounts("host:/x /mnt/my\\040disk nfs4 rw 0 0")
    [('/mnt/my disk', 'nfs4')]
    >>> parse_mounts("//ann@nas/share on /Volumes/share (smbfs, nodev, nosuid)")
    [('/Volumes/share', 'smbfs')]
    """
    if listed := re.findall(r"^.+? on (/.*) \(([^,)]+)[^()]*\)$", text, re.MULTILINE):
        return listed

    fields = re.findall(r"^\S+ (\S+) (\S+)", text, re.MULTILINE)
    return [(_unescape(point), kind) for point, kind in fields]


def _unescape(point: str) -> str:
    r"""Replace the octal escapes of a mount point: \040 is a space."""

    def character(octal: re.Match[str]) -> str:
        return chr(int(octal[1], 8))

    return re.sub(r"\\([0-7]{3})", character, point)
