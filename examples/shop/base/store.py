"""A client of the database: `get` and `put` of JSON values over HTTP."""
import json
import os
import time
import urllib.error
import urllib.request

DATABASE = os.environ.get("DATABASE", "http://db:5000")
PATIENCE_SECS = 10


def get(key):
    """The stored value, None when there is none."""
    try:
        return json.loads(ask(urllib.request.Request(f"{DATABASE}/{key}")))
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def put(key, value):
    ask(urllib.request.Request(f"{DATABASE}/{key}", json.dumps(value).encode(), method="PUT"))


def ask(request):
    """The body of the answer. A database that is just starting is asked again for a while."""
    give_up_at = time.monotonic() + PATIENCE_SECS
    while True:
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return response.read()
        except urllib.error.HTTPError:
            raise
        except OSError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.2)
