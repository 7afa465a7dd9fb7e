"""A client of the database: `get` and `put` of JSON values over HTTP."""
import json
import os
import urllib.error
import urllib.request

DATABASE = os.environ.get("DATABASE", "http://db:5000")


def get(key):
    """The stored value, None when there is none."""
    try:
        with urllib.request.urlopen(f"{DATABASE}/{key}", timeout=5) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def put(key, value):
    request = urllib.request.Request(f"{DATABASE}/{key}", json.dumps(value).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=5).close()
