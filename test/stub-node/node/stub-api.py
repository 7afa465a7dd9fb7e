"""What bringing up a cluster asks of an API server: always ready, always obeying, one node that is Ready."""
import http.server, json, socket, ssl

class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if "watch=1" not in self.path:
            return self.answer({"kind": "Status", "status": "Success"})
        name = socket.gethostname()
        event = {"type": "ADDED", "object": {"metadata": {"name": name}, "status": {
            "conditions": [{"type": "Ready", "status": "True"}]}}}
        self.answer(event)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer({"kind": "Status", "status": "Success"})

    do_PATCH = do_POST

    def answer(self, value):
        body = (json.dumps(value) + "\n").encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("0.0.0.0", 6443), Api)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/stub/cert.pem", "/stub/key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
