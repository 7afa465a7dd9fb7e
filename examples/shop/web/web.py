"""The shop's front: a page for an article, its price asked of the api."""
import json
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Web(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/healthz":
            return self.answer(200, "ok\n")
        try:
            with urllib.request.urlopen(f"http://api{self.path}", timeout=5) as response:
                article = json.load(response)
        except urllib.error.HTTPError as error:
            return self.answer(error.code, "no such article\n")
        self.answer(200, f"{article['name']} costs {article['price']}\n")

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        if self.path != "/healthz":
            super().log_message(format, *args)


print("web listens on 8080")
ThreadingHTTPServer(("", 8080), Web).serve_forever()
