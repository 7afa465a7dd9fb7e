import { expect, test } from "vitest";
import { CommandFailedError, containerEngine } from "../../../src/cluster/container-engine.ts";
import { blameNodes } from "../../../src/cluster/fallen-nodes.ts";
import { isPassing } from "../../../src/cluster/retry.ts";
import type { CommandOutcome } from "../../../src/host/host.ts";
import { fakeHost, on } from "../../fake-host.ts";

const KUBEADM =
  "[wait-control-plane] Waiting for the kubelet\n" +
  'ERROR: failed to create cluster: failed to init node with kubeadm: command "docker exec --privileged tci-a-control-plane kubeadm init" failed with error: exit status 255';

const UP = "tci-a-control-plane\tUp 9 seconds\t127.0.0.1:3000->6443/tcp\n";

function kindFailed(stderr: string): CommandFailedError {
  const outcome = { exitCode: 1, stdout: "", stderr, timedOut: false, durationMs: 9000 };
  return new CommandFailedError("Cannot create the cluster tci-a", outcome as CommandOutcome);
}

/** What is told of it when Docker answers these, in turn, to the question for the cluster's containers. */
async function told(
  stderr: string,
  answers: readonly Partial<CommandOutcome>[],
  signal?: AbortSignal,
) {
  const turns = [...answers];
  const host = fakeHost([
    on(/^docker ps/, () => (turns.length > 1 ? turns.shift() : turns[0]) as CommandOutcome),
  ]);
  const error = await blameNodes(
    kindFailed(stderr),
    "tci-a",
    containerEngine(host),
    host.clock,
    signal ?? new AbortController().signal,
  );
  return {
    message: (error as Error).message,
    again: isPassing(error),
    asked: host.commands.length,
  };
}

test("a node that has stopped is why kind failed, and may run the next time", async () => {
  const stdout = "tci-a-control-plane\tExited (137) 1 second ago\t\n";
  expect(await told(KUBEADM, [{ stdout: UP }, { stdout }])).toMatchObject({
    message:
      "Cannot create the cluster tci-a: its node tci-a-control-plane stopped: Exited (137) 1 second ago",
    again: true,
  });
});

test("an engine that is gone is why kind failed", async () => {
  const stderr = "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?";
  const { message, again } = await told(KUBEADM, [{ exitCode: 1, stderr }]);
  expect(message).toContain("Cannot create the cluster tci-a: the container engine is not running");
  expect(again).toBe(false);
});

test("what kind says counts while its nodes run", async () => {
  const { message, again } = await told(KUBEADM, [{ stdout: UP }]);
  expect(message).toContain("the control plane did not come up in time");
  expect(again).toBe(true);
});

test("nodes are not asked where no command in them was cut off, nor of a run that is over", async () => {
  const inotify = "ERROR: could not find a log line that matches";
  expect(await told(inotify, [])).toMatchObject({ asked: 0 });
  expect(await told(KUBEADM.replace("255", "1"), [])).toMatchObject({ asked: 0 });
  expect(await told(KUBEADM, [], AbortSignal.abort())).toMatchObject({ asked: 0 });
});
