"""Prices by name, from the database."""
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import store


class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        catalogue = store.get("catalogue")
        if self.path == "/healthz":
            self.answer(200 if catalogue else 503, {"articles": len(catalogue or {})})
        elif catalogue and self.path[1:] in catalogue:
            self.answer(200, {"name": self.path[1:], "price": catalogue[self.path[1:]]})
        else:
            self.answer(404, {"error": "no such article"})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        if self.path != "/healthz":
            super().log_message(format, *args)


print("api listens on 8080")
ThreadingHTTPServer(("", 8080), Api).serve_forever()
