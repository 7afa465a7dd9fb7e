"""Asks the running shop for an article that exists and one that does not."""
import sys
import urllib.error
import urllib.request

base = sys.argv[1]
with urllib.request.urlopen(f"{base}/pear", timeout=10) as response:
    page = response.read().decode()
assert page == "pear costs 40\n", f"unexpected page: {page!r}"
try:
    urllib.request.urlopen(f"{base}/stone", timeout=10)
    sys.exit("an article that does not exist was found")
except urllib.error.HTTPError as error:
    assert error.code == 404, f"status {error.code} in place of 404"
print("the shop sells pears and no stones")
