import { expect, test } from "vitest";
import { CommandFailedError } from "../../../src/cluster/container-engine.ts";
import { errorLine, symptomOf } from "../../../src/cluster/symptoms.ts";

const passing = [
  "docker: Error response from daemon: driver failed programming external connectivity: Bind for 127.0.0.1:34851 failed: port is already allocated.",
  'ERROR: failed to create cluster: failed to init node with kubeadm: command "docker exec" failed\nerror execution phase wait-control-plane: couldn\'t initialize a Kubernetes cluster',
  "Error response from daemon: network kind not found",
  "Error response from daemon: removal of container abc is already in progress",
  "failed to lock config file: open /x/kc.lock: file exists",
  'ERROR: failed to create cluster: failed to apply overlay network: command "kubectl create" failed: The connection to the server x:6443 was refused',
];
const lasting = [
  "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
  "permission denied while trying to connect to the Docker daemon socket",
  "write /var/lib/docker/x: no space left on device",
  'could not find a log line that matches "Reached target .*Multi-User System.*|detected cgroup v1"',
  "failed to load plugin: `mirrors` cannot be set when `config_path` is provided",
  "toomanyrequests: You have reached your pull rate limit",
  "failed to pull image kindest/node:v9",
  'unrecognized feature-gate key: "PublicKeysECDSA"',
];

test.each(passing)("symptomOf() would try again after: %s", (text) => {
  expect(symptomOf(text)?.retry).toBe(true);
});

test.each(lasting)("symptomOf() does not try again, and says what to do, after: %s", (text) => {
  const symptom = symptomOf(text);
  expect(symptom?.retry).toBe(false);
  expect(symptom?.hint).toBeTruthy();
});

test("symptomOf() blames the disk before the control plane that suffered from it", () => {
  const text = "wait-control-plane\nfailed to init node with kubeadm\nno space left on device";
  expect(symptomOf(text)?.message).toBe("The disk of the container engine is full");
});

test("symptomOf() knows nothing of what it does not know", () => {
  expect(symptomOf("flag provided but not defined: -x")).toBeUndefined();
});

test("errorLine() prefers the tool's own error to its last line", () => {
  expect(
    errorLine({
      stdout: "",
      stderr: "ERROR: failed to create cluster: boom\n\nStack Trace:\nmain",
    }),
  ).toBe("failed to create cluster: boom");
  expect(errorLine({ stdout: "last words\n", stderr: "" })).toBe("last words");
  expect(errorLine({ stdout: "", stderr: "" })).toBe("no output");
});

test("CommandFailedError is one sentence with cause and hint", () => {
  const outcome = { exitCode: 1, stdout: "", timedOut: false, durationMs: 5 };
  const full = new CommandFailedError("Cannot create the cluster tci-a", {
    ...outcome,
    stderr: "ERROR: failed: write /x: no space left on device",
  });
  expect(full.message).toBe(
    "Cannot create the cluster tci-a: the disk of the container engine is full: failed: write /x: no space left on device",
  );
  expect(full).toMatchObject({
    exitCode: 3,
    hint: "Free space there: docker system df",
    retry: false,
  });
  const late = new CommandFailedError("Cannot list", {
    ...outcome,
    stderr: "",
    timedOut: true,
    durationMs: 20_000,
  });
  expect(late.message).toBe("Cannot list: no answer after 20 s");
});
