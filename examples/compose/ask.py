"""Asks the service from inside its container."""
import urllib.request

answer = urllib.request.urlopen("http://localhost:8080", timeout=5).read().decode()
assert answer == "Hello from tilt-ci\n", answer
print("the service says:", answer.strip())
