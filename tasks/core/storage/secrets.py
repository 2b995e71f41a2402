"""Secrets in URLs: found, taken out before anything is shown, and refused where a URL is given.

A URL is written into parameters of runs, manifests, logs and databases. Credentials belong in the
environment, or in the configuration of fsspec.
"""

import re
from urllib.parse import unquote

from tasks.core.errors import RequestError

# Where a URL starts; a path makes `//` to `/`. A chain, as zip://a.csv::https://b, holds two.
START = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{1,30}:/+")
ENCODED_START = re.compile("%(25)*3A(%(25)*2F)+", re.IGNORECASE)
MOST_ENCODINGS = 5  # one in another
WORD = re.compile(r"[^\s\"<>]+")  # a quotation mark may be part of a password
PORT = re.compile("[0-9]{1,5}")
CONTAINERS = ("az:", "abfs", "wasb")  # schemes of Azure: container@account is no user
# Names of parameters that sign a URL or let somebody in: anywhere in a name, or as whole words.
SECRET_NAMES = re.compile(
    r"token|secret|passw|passphrase|signature|credential|apikey|accesskey|accessid|authkey|private|"
    r"jwt|hmac|bearer|session|cookie|policy|(?<![a-z])(sig|sign|key|pass|pwd|pw|auth|authorization|"
    r"code|sid|sas|user|username|login|pin|otp|ticket|hash|nonce|psk|cred|creds|sv|se|st)(?![a-z])",
    re.IGNORECASE,
)
# Whatever the name, but for some: long, of letters and digits without a dot; or a web token.
SECRET_VALUES = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9+_=~\-]{20,}|eyJ.*")
PARAMETERS = re.compile("[?#;&]")
PLAIN_NAMES = {"id", "v", "version", "versionid", "generation", "etag", "dataset", "file"}


def without_secrets(text: str) -> str:
    """Take what lets somebody in out of every URL in a text: user, password, signature, token.

    >>> without_secrets("s3://key:secret@bucket/in")
    's3://bucket/in'
    >>> without_secrets("zip://a.csv::https://ann:p@host/x.zip?sv=1&sig=5f")
    'zip://a.csv::https://host/x.zip'
    """
    return WORD.sub(lambda found: _clean(found[0]), text)


def check_no_secrets(text: str) -> None:
    """Refuse a URL that gives a secret away.

    Raises:
        RequestError: it does; the message does not hold it.
    """
    shown = _clean(text)
    if shown != text:
        raise RequestError(
            f"{shown}: leave user, password, token and signature out of the URL, which runs and "
            "manifests show; credentials belong in the environment, or in fsspec's configuration."
        )


def _clean(word: str) -> str:
    """Take the secrets out of a word, if there is a URL in it, perhaps as a value of another."""
    decoded = word
    for _ in range(MOST_ENCODINGS):
        if not ENCODED_START.search(decoded):
            break
        decoded = unquote(decoded)

    cleaned = _clean_urls(decoded)
    return word if cleaned == decoded else cleaned


def _clean_urls(word: str) -> str:
    starts = [found.start() for found in START.finditer(word)]
    if not starts:
        return word

    ends = [*starts[1:], len(word)]
    cleaned = [_clean_url(word[low:high]) for low, high in zip(starts, ends, strict=True)]
    return word[: starts[0]] + "".join(cleaned)


def _clean_url(url: str) -> str:
    """Take the secrets out of one URL, and leave the marks of a sentence or a chain at its end."""
    body = url.rstrip("')],.:;")
    end = url[len(body) :]

    body = _without_odd_password(body)
    address = PARAMETERS.split(body, maxsplit=1)[0]
    parameters = body[len(address) :]
    shown = "" if _are_secret(parameters) else parameters
    return _without_user(address) + shown + end


def _without_odd_password(url: str) -> str:
    """Take out a user whose password holds what elsewhere begins the parameters of a URL.

    Databases take such addresses; one that merely has a port has no password.
    """
    scheme = START.match(url)
    if scheme is None:
        return url

    rest = url[scheme.end() :]
    user = re.split("[/?#;@]", rest, maxsplit=1)[0]
    before, _, after = rest.rpartition("@")
    is_odd = ":" in user and not _ends_in_port(user) and PARAMETERS.search(before)
    return scheme[0] + after if is_odd else url


def _are_secret(parameters: str) -> bool:
    """Return whether any of the parameters of a URL may be a secret, or hold one."""
    for item in PARAMETERS.split(unquote(parameters)):
        name, _, value = unquote(item).partition("=")
        if value and SECRET_NAMES.search(name):
            return True
        if name.lower() not in PLAIN_NAMES and SECRET_VALUES.fullmatch(value or name):
            return True
    return False


def _without_user(address: str) -> str:
    """Take the user out of an address: all up to the last `@` that can end a password.

    A password may hold a slash; in a path without one before it, `@` is a letter like any other.
    """
    scheme = START.match(address)
    if scheme is None:
        return address

    rest = address[scheme.end() :].replace("%40", "@")
    host, slash, path = rest.partition("/")
    before, at, after = host.rpartition("@")
    has_password = ":" in unquote(before or host) and not _ends_in_port(host)

    if has_password and "@" in path:
        return scheme[0] + rest.rpartition("@")[2]
    if at and (has_password or not scheme[0].lower().startswith(CONTAINERS)):
        return scheme[0] + after + slash + path
    return address


def _ends_in_port(host: str) -> bool:
    """Return whether this is the name of a host with a port, not a user with a password.

    >>> _ends_in_port("data.example.org:8443"), _ends_in_port("[::1]:80"), _ends_in_port("ann:123")
    (True, True, False)
    """
    name, _, port = host.rpartition(":")
    is_host = name == "localhost" or name.startswith("[") or "." in name
    return is_host and "@" not in name and PORT.fullmatch(port) is not None
