"""
An API server without a cluster: keeps objects, lists and watches them, and plays the controllers that a run waits for.
A Deployment has a ready pod after READY_AFTER seconds, a Job has succeeded. Everybody may do everything.
"""
import http.server, json, re, socket, ssl, threading, time, urllib.parse, uuid

READY_AFTER = 0.4
PATH = re.compile(
    r"^/(?:api/(v1)|apis/([^/]+/[^/]+))(?:/namespaces/([^/]+)(?=/))?/([^/]+)(?:/([^/]+))?(?:/([^/]+))?$")

changed = threading.Condition()
objects = {}
history = []


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def put(collection, namespace, name, value):
    """Stores an object as etcd would; answers with what is stored."""
    with changed:
        before = objects.get((collection, namespace, name))
        old = before["metadata"] if before else {"uid": str(uuid.uuid4()), "creationTimestamp": now(), "generation": 0}
        metadata = {**old, **value.get("metadata", {}), "name": name, "resourceVersion": str(len(history) + 1)}
        if namespace:
            metadata["namespace"] = namespace
        if before is None or before.get("spec") != value.get("spec"):
            metadata["generation"] = old["generation"] + 1
        stored = {**value, "metadata": metadata}
        objects[collection, namespace, name] = stored
        tell("MODIFIED" if before else "ADDED", collection, stored)
        return stored


def remove(collection, namespace, name):
    with changed:
        gone = objects.pop((collection, namespace, name))
        tell("DELETED", collection, gone)
        for (kind, space, child), value in list(objects.items()):
            owners = value["metadata"].get("ownerReferences", [])
            if any(owner["uid"] == gone["metadata"]["uid"] for owner in owners):
                remove(kind, space, child)


def tell(change, collection, value):
    history.append((collection, {"type": change, "object": value}))
    changed.notify_all()


def merge(base, over):
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return {**base, **{key: merge(base.get(key), value) for key, value in over.items()}}


def owned(owner, name, **more):
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
                 "uid": owner["metadata"]["uid"], "controller": True}
    return {"metadata": {"name": name, "ownerReferences": [reference], **more.pop("metadata", {})}, **more}


def pod_of(template, owner, phase):
    running = phase == "Running"
    spec = template.get("spec", {})
    state = {"running": {"startedAt": now()}} if running else {
        "terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now(), "finishedAt": now()}}
    containers = [{"name": one["name"], "image": one.get("image", ""), "ready": running, "started": running,
                   "restartCount": 0, "state": state, "imageID": "", "containerID": "stub://1"}
                  for one in spec.get("containers", [])]
    conditions = [{"type": type_, "status": "True" if running or type_ == "PodScheduled" else "False",
                   "lastTransitionTime": now()}
                  for type_ in ("PodScheduled", "Initialized", "ContainersReady", "Ready")]
    return owned(owner, f"{owner['metadata']['name']}-{uuid.uuid4().hex[:5]}",
                 metadata={"labels": template.get("metadata", {}).get("labels", {})},
                 apiVersion="v1", kind="Pod", spec={**spec, "nodeName": socket.gethostname()},
                 status={"phase": phase, "conditions": conditions, "containerStatuses": containers})


def control(collection, namespace, name):
    """What controllers, scheduler and kubelet make of an object."""
    time.sleep(READY_AFTER)
    with changed:
        value = objects.get((collection, namespace, name))
        if value is None:
            return
        template = value["spec"]["template"]
        if value["kind"] == "Job":
            pod = pod_of(template, value, "Succeeded")
            put("v1 pods", namespace, pod["metadata"]["name"], pod)
            done = [{"type": type_, "status": "True", "lastTransitionTime": now()} for type_ in ("SuccessCriteriaMet", "Complete")]
            put(collection, namespace, name, {**value, "status": {
                "startTime": now(), "completionTime": now(), "succeeded": 1, "conditions": done}})
            return
        sets = owned(value, f"{name}-1", apiVersion="apps/v1", kind="ReplicaSet",
                     metadata={"labels": template["metadata"].get("labels", {}), "annotations": {"deployment.kubernetes.io/revision": "1"}},
                     spec={"replicas": 1, "selector": value["spec"].get("selector", {}), "template": template},
                     status={"replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "observedGeneration": 1})
        stored = put("apps/v1 replicasets", namespace, f"{name}-1", sets)
        pod = pod_of(template, stored, "Running")
        put("v1 pods", namespace, pod["metadata"]["name"], pod)
        put(collection, namespace, name, {**value, "status": {
            "observedGeneration": value["metadata"]["generation"], "replicas": 1, "updatedReplicas": 1,
            "readyReplicas": 1, "availableReplicas": 1, "conditions": [
                {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "lastTransitionTime": now()},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "lastTransitionTime": now()}]}})


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url, query, match = self.parsed()
        if match is None:
            # of the API server itself, and of CoreDNS through it
            known = url.path == "/readyz" or url.path.endswith("/proxy/ready")
            return self.answer(200 if known else 404, {"kind": "Status"})
        api, namespace, plural, name, sub = match
        collection = f"{api} {plural}"
        if sub == "log":
            return self.log(query)
        if "watch" in query:
            return self.watch(collection, namespace, query)
        with changed:
            if name:
                found = objects.get((collection, namespace, name))
                return self.answer(200, found) if found else self.missing(plural, name)
            items = [value for (kind, space, _), value in objects.items()
                     if kind == collection and namespace in (None, space) and self.selects(query, value)]
            self.answer(200, {"kind": "List", "apiVersion": api, "items": items,
                              "metadata": {"resourceVersion": str(len(history))}})

    def do_POST(self):
        value = self.body()
        _, _, (api, namespace, plural, name, _) = self.parsed()
        self.write(f"{api} {plural}", namespace, name or value["metadata"]["name"], value, 201)

    def do_PUT(self):
        self.do_POST()

    def do_PATCH(self):
        value = self.body()
        _, _, (api, namespace, plural, name, _) = self.parsed()
        before = objects.get((f"{api} {plural}", namespace, name))
        self.write(f"{api} {plural}", namespace, name, merge(before, value) if before else value, 200)

    def do_DELETE(self):
        self.body()
        _, _, (api, namespace, plural, name, _) = self.parsed()
        with changed:
            if (f"{api} {plural}", namespace, name) not in objects:
                return self.missing(plural, name)
            remove(f"{api} {plural}", namespace, name)
        self.answer(200, {"kind": "Status", "status": "Success"})

    def write(self, collection, namespace, name, value, code):
        stored = put(collection, namespace, name, value)
        if collection in ("apps/v1 deployments", "batch/v1 jobs"):
            threading.Thread(target=control, args=(collection, namespace, name), daemon=True).start()
        self.answer(code, stored)

    def watch(self, collection, namespace, query):
        deadline = time.monotonic() + int(query.get("timeoutSeconds", "60"))
        self.stream()
        with changed:
            at = int(query["resourceVersion"]) if query.get("resourceVersion") else len(history)
            first = [] if query.get("resourceVersion") else [
                {"type": "ADDED", "object": value} for (kind, space, _), value in objects.items()
                if kind == collection and namespace in (None, space)]
        while True:
            text = "".join(json.dumps(event) + "\n" for event in first if self.selects(query, event["object"]))
            if not self.chunk(text.encode()):
                return
            with changed:
                while len(history) <= at and time.monotonic() < deadline:
                    changed.wait(1)
                if time.monotonic() >= deadline:
                    break
                first = [event for kind, event in history[at:] if kind == collection
                         and namespace in (None, event["object"]["metadata"].get("namespace"))]
                at = len(history)
        self.chunk(b"", last=True)

    def log(self, query):
        self.stream()
        stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())}.000000000Z " if "timestamps" in query else ""
        self.chunk(f"{stamp}a line of the stub\n".encode())
        if query.get("follow") == "true":
            time.sleep(30)
        self.chunk(b"", last=True)

    def parsed(self):
        url = urllib.parse.urlparse(self.path)
        match = PATH.match(url.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if match is None:
            return url, query, None
        core, group, *rest = match.groups()
        return url, query, (core or group, *rest)

    def selects(self, query, value):
        metadata = value["metadata"]
        field = query.get("fieldSelector", "")
        labels = [pair for pair in query.get("labelSelector", "").split(",") if pair]
        return (not field or field == f"metadata.name={metadata['name']}") and all(
            metadata.get("labels", {}).get(key) == wanted for key, _, wanted in (pair.partition("=") for pair in labels))

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")

    def missing(self, plural, name):
        self.answer(404, {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404,
                          "message": f'{plural} "{name}" not found'})

    def answer(self, code, value):
        body = (json.dumps(value) + "\n").encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self):
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def chunk(self, data, last=False):
        try:
            if data or last:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            return True
        except OSError:
            return False

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # clients go as they like


for namespace in ("default", "kube-public", "kube-system"):
    put("v1 namespaces", None, namespace, {"apiVersion": "v1", "kind": "Namespace", "status": {"phase": "Active"}})
put("v1 services", "kube-system", "kube-dns", {"apiVersion": "v1", "kind": "Service", "spec": {}})
put("v1 pods", "kube-system", "coredns", {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"k8s-app": "kube-dns"}},
                                          "spec": {}, "status": {"phase": "Running", "podIP": "10.244.0.2"}})
put("v1 serviceaccounts", "default", "default", {"apiVersion": "v1", "kind": "ServiceAccount"})
put("v1 nodes", None, socket.gethostname(), {"apiVersion": "v1", "kind": "Node", "spec": {}, "status": {
    "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": now()}]}})

server = Server(("0.0.0.0", 6443), Api)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/stub/cert.pem", "/stub/key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
