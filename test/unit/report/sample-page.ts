import type { RunResult } from "../../../src/model/run-result.ts";
import type { PageSources } from "../../../src/report/html.ts";
import { reduceResult } from "../../../src/report/reduce.ts";
import { at, failure, planned, RED_LOGS, redStory, Story } from "./sample-run.ts";

const stamp = (lines: readonly string[]) =>
  `${lines.map((line, i) => `${new Date(at(13 + i / 4)).toISOString()} ${line}`).join("\n")}\n`;

/** A red run with two echoes, with logs, events, conditions and YAML. */
export function redPage(): { result: RunResult; sources: PageSources } {
  const story = redStory()
    .add({
      type: "cluster-event",
      at: at(14),
      resource: "db",
      object: "Pod/default/db-0",
      reason: "BackOff",
      message: "Back-off restarting failed container",
      warning: true,
      count: 4,
    })
    .observed("db", 23, {
      state: "crashing",
      summary: "CrashLoopBackOff, 0 of 1 ready",
      crashes: 4,
      pods: [
        {
          name: "db-0",
          namespace: "default",
          phase: "Running",
          ready: false,
          restarts: 4,
          node: "node-1",
          scheduledAt: at(13),
        },
      ],
    });
  const result = reduceResult(story.events, { logs: RED_LOGS });
  const logs = new Map(
    result.resources.flatMap((resource) =>
      resource.phases.flatMap((phase) =>
        phase.log === undefined
          ? []
          : [
              [
                phase.log.path,
                stamp(
                  RED_LOGS.tail(
                    { resource: resource.name, phase: phase.name, subject: phase.subject },
                    100,
                  ),
                ),
              ] as const,
            ],
      ),
    ),
  );
  return {
    result,
    sources: {
      log: (path) => logs.get(path),
      applied: (resource) =>
        resource === "db" ? "kind: StatefulSet\nmetadata:\n  name: db\n" : undefined,
    },
  };
}

/** 400 resources, one of them killed, a dozen blocked. */
export function bigPage(): { result: RunResult; sources: PageSources } {
  const names = Array.from({ length: 400 }, (_, i) => `team-${i % 8}-service-${i}`);
  const story = new Story(
    names.map((name, i) =>
      planned(name, { line: i + 1, resourceDeps: i > 30 && i % 3 !== 0 ? [names[i % 30]!] : [] }),
    ),
  );
  story.passed("(cluster)", "create", 0, 12);
  for (const [i, name] of names.entries()) {
    if (i > 30 && i % 3 !== 0 && i % 30 === 7) continue;
    const start = i > 30 ? 45 + (i % 60) : 15 + (i % 25);
    story.passed(name, "deploy", start, start + 1);
    if (i === 7)
      story.failed(
        name,
        "ready",
        start + 1,
        start + 20,
        failure("OOMKilled", `Deployment/default/${name}: container app was killed`),
      );
    else story.passed(name, "ready", start + 1, start + 4 + (i % 20));
  }
  story.verdict(140, "failed", 1).passed("(cluster)", "teardown", 140, 144).finished(144, 1);
  const logs = { describe: () => ({ lines: 200, bytes: 9000 }), tail: () => ["killed"] };
  const text = stamp(
    Array.from({ length: 200 }, (_, i) => `INFO request ${i} handled in ${i % 17}ms`),
  );
  return {
    result: reduceResult(story.events, { logs }),
    sources: { log: () => text, applied: () => undefined },
  };
}
