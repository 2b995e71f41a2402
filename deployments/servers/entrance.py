"""How a browser is signed in to a server of a private home.

A login must not stand on the command line of the browser, which all users of the machine can read.
It stands in links of a file that its owner alone can open (`links.py`), after a `#`, which browsers
send to no server; the page that a link leads to hands it on.
"""

from urllib.parse import quote

ENTRANCE = "/afterfit-entrance"
# Prefect's pages look for their login in this item. MLflow's leave it to the browser, which keeps
# it for a server once a request with it has been answered.
PAGE = b"""<!doctype html>
<meta charset="utf-8">
<title>afterfit</title>
<p>Signing in ...
<script>
  const login = decodeURIComponent(location.hash.slice(1));
  const [user, password] = login.split(":");
  localStorage.setItem("prefect-password", btoa(login));
  const request = new XMLHttpRequest();
  request.onloadend = () => location.replace("/");
  request.open("GET", "/", true, user, password);
  request.send();
</script>
"""


def entrance(url: str, login: str) -> str:
    """Return the link that signs a browser in to a server.

    >>> entrance("http://127.0.0.1:4200", "afterfit:secret")
    'http://127.0.0.1:4200/afterfit-entrance#afterfit%3Asecret'
    >>> entrance("http://127.0.0.1:4200", "")  # it asks for none
    'http://127.0.0.1:4200'
    """
    return f"{url}{ENTRANCE}#{quote(login)}" if login else url
