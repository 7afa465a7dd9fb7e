import { describe, expect, test } from "vitest";
import { createComposeStack, type StandingProject } from "../../../src/compose/index.ts";
import type { CommandOptions, Host, RunningProcess } from "../../../src/host/host.ts";
import type { Observation } from "../../../src/model/event.ts";
import type { ComposeProject, ComposeResource } from "../../../src/model/plan.ts";
import { type FakeHost, fakeHost, on, type Rule } from "../../fake-host.ts";

const project: ComposeProject = {
  name: "shop",
  directory: "/shop",
  files: [{ path: "/shop/compose.yaml" }],
  profiles: [],
  wait: false,
};

const resource = (service: string, extra: Partial<ComposeResource> = {}): ComposeResource => ({
  type: "compose",
  name: service,
  service,
  project: "shop",
  position: { file: "/shop/Tiltfile", line: 1, column: 1 },
  enabled: true,
  autoInit: true,
  triggerMode: "auto",
  resourceDeps: [],
  labels: [],
  links: [],
  images: [],
  imageRef: service,
  composeBuild: false,
  hasHealthcheck: false,
  dependsOn: {},
  ports: [],
  ...extra,
});

interface Child extends RunningProcess {
  readonly argv: readonly string[];
  line(text: string): void;
  end(): void;
}

/** A Docker of one container, whose state the test sets, and whose events it sends. */
function machine(...extra: Rule[]) {
  const state = {
    status: "running",
    startedAt: "2030-01-01T00:00:01.5Z",
    finishedAt: "0001-01-01T00:00:00Z",
  };
  const children: Child[] = [];
  const inspect = () => ({
    stdout: JSON.stringify([
      {
        Id: "c1",
        Name: "/shop-db-1",
        RestartCount: 0,
        State: {
          Status: state.status,
          ExitCode: state.status === "exited" ? 1 : 0,
          OOMKilled: false,
          Error: "",
          StartedAt: state.startedAt,
          FinishedAt: state.finishedAt,
        },
      },
    ]),
  });
  const base = fakeHost([
    ...extra,
    on(/^docker compose version/, {}),
    on(/ps --all --quiet --no-trunc/, { stdout: "c1\n" }),
    on(/^docker (ps|volume ls|network ls)/, {}),
    on(/^docker inspect c1/, inspect),
    on(/^docker logs --since/, {}),
    on(/ (up|build) /, {}),
  ]);
  const host: Host & { commands: readonly string[] } = {
    ...base,
    spawn: async (argv, options = {}) => {
      const child = childOf(argv, options);
      children.push(child);
      return child;
    },
  };
  return { host, state, children };
}

function childOf(argv: readonly string[], { onLine }: Pick<CommandOptions, "onLine">): Child {
  let end = () => {};
  const exited = new Promise<{ exitCode: number }>((resolve) => {
    end = () => resolve({ exitCode: 0 });
  });
  return {
    argv,
    pid: 1,
    exited,
    line: (text) => void onLine?.(text, "stdout"),
    end,
    stop: async () => end(),
  };
}

function follow(
  host: Host,
  resources: ComposeResource[] = [resource("db")],
  env: Readonly<Record<string, string>> = {},
) {
  const observations: [string, Observation["state"]][] = [];
  const claims: StandingProject[] = [];
  const making: string[] = [];
  const lines: string[] = [];
  let lost: Error | undefined;
  const stack = createComposeStack(
    { projects: [project], resources, env, semantics: "strict" },
    host,
    {
      onLine: (name, phase, line) => void lines.push(`${name} ${phase}: ${line}`),
      onObservation: (name, { state }) => void observations.push([name, state]),
      onClaim: (claim) => void claims.push(claim),
      onMaking: async (name, attempt) => void making.push(`making ${name} ${attempt}`),
      onMade: async (name, attempt) => void making.push(`made ${name} ${attempt}`),
      onLost: (error) => {
        lost = error;
      },
    },
  );
  return { stack, lines, observations, claims, making, lost: () => lost };
}

/** So many turns of the event loop, however long a busy machine takes for one. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
}
const signal = new AbortController().signal;
const event = JSON.stringify({
  Actor: { Attributes: { "com.docker.compose.service": "db" } },
});

describe("up()", () => {
  test("starts one service without its dependencies, after it has told whose the project is", async () => {
    const { host } = machine(on(/volume ls/, { stdout: "shop_data\n" }));
    const { stack, claims, making, observations } = follow(host);
    await stack.up(resource("db"), signal);
    expect(claims).toEqual([{ name: "shop", inUse: false, parts: ["shop_data"] }]);
    expect(host.commands).toContain(
      "docker compose --project-name shop --project-directory /shop --file /shop/compose.yaml up --no-deps --no-build --detach db",
    );
    expect(making).toEqual(["making shop 1", "made shop 1"]);
    expect(observations).toEqual([["db", "ready"]]);
    await stack.close();
  });

  test("uses docker-compose where Docker has no plugin", async () => {
    const { host } = machine(on(/^docker compose version/, { exitCode: 1 }));
    const { stack } = follow(host);
    await stack.up(resource("db"), signal);
    expect(host.commands.some((command) => command.startsWith("docker-compose --project"))).toBe(
      true,
    );
    await stack.close();
  });

  test("uses what TILT_DOCKER_COMPOSE_CMD names, without asking for the plugin", async () => {
    const { host } = machine();
    const env = { TILT_DOCKER_COMPOSE_CMD: "/opt/my-compose" };
    const { stack } = follow(host, [resource("db")], env);
    await stack.up(resource("db"), signal);
    expect(host.commands.some((command) => command.startsWith("/opt/my-compose --project"))).toBe(
      true,
    );
    expect(host.commands).not.toContain("docker compose version");
    await stack.close();
  });

  test("fails with what Compose said, and shows what the containers said", async () => {
    const { host } = machine(
      on(/ up /, { exitCode: 1, stderr: "container shop-db-1 is unhealthy\n" }),
      on(/ logs --no-color/, { stdout: "no disk\n" }),
    );
    const { stack, making } = follow(host);
    await expect(stack.up(resource("db"), signal)).rejects.toMatchObject({
      failure: {
        code: "ProbeFailed",
        message: "compose service db: container shop-db-1 is unhealthy",
      },
    });
    expect(making).toEqual(["making shop 1", "made shop 1"]);
    expect(host.commands.at(-1)).toContain("logs --no-color --no-log-prefix --tail 100 db");
  });

  test("leaves an up that was cut off on record as unfinished", async () => {
    const { host } = machine(on(/ up /, { hangs: true }));
    const { stack, making } = follow(host);
    const cut = new AbortController();
    const up = stack.up(resource("db"), cut.signal);
    await idle();
    cut.abort();
    await expect(up).rejects.toThrow("cancelled");
    expect(making).toEqual(["making shop 1"]);
  });

  test("is an environment's failure when Docker is not there", async () => {
    const { host } = machine(
      on(/ up /, { exitCode: 1, stderr: "Cannot connect to the Docker daemon at unix:///x\n" }),
      on(/ logs /, {}),
    );
    await expect(follow(host).stack.up(resource("db"), signal)).rejects.toMatchObject({
      exitCode: 3,
    });
  });
});

describe("build()", () => {
  const text = { ...project, files: [{ content: "services: {}" }] };

  test("has Compose build one service, without claiming or starting anything", async () => {
    const { host } = machine(on(/ build db$/, { exitCode: 17, stderr: "#1 [db 1/2] FROM x\n" }));
    const { stack, claims, making } = follow(host);
    const lines: string[] = [];
    const outcome = await stack.build(resource("db"), (line) => void lines.push(line), signal);
    expect(outcome.exitCode).toBe(17);
    expect(lines).toEqual(["#1 [db 1/2] FROM x"]);
    expect({ claims, making }).toEqual({ claims: [], making: [] });
    expect(host.commands.at(-1)).toBe(
      "docker compose --project-name shop --project-directory /shop --file /shop/compose.yaml build db",
    );
  });

  test("feeds a file that the Tiltfile gave as text", async () => {
    const { host } = machine();
    const options = { projects: [text], resources: [], env: {}, semantics: "strict" } as const;
    const stack = createComposeStack(options, host, {
      onLine: () => {},
      onObservation: () => {},
      onClaim: () => {},
      onMaking: async () => {},
      onMade: async () => {},
      onLost: () => {},
    });
    await stack.build(resource("db"), () => {}, signal);
    expect((host as FakeHost).inputs.at(-1)).toBe("services: {}");
    await stack.build(resource("db"), () => {}, signal, "/tmp/override.yaml");
    expect(host.commands.at(-1)).toMatch(/ --file - --file \/tmp\/override\.yaml build db$/);
  });
});

describe("the watch of services", () => {
  test("looks again at each event", async () => {
    const { host, state, children } = machine();
    const { stack, observations } = follow(host);
    await stack.up(resource("db"), signal);
    expect(children[0]!.argv).toContain("event=health_status");
    state.status = "exited";
    children[0]!.line(event);
    await idle();
    state.status = "running";
    children[0]!.line(event);
    await idle();
    expect(observations.map(([, verdict]) => verdict)).toEqual(["ready", "failed", "ready"]);
    await stack.close();
  });

  test("follows the output of each start once, from the end before it", async () => {
    const { host, state, children } = machine();
    const startedAt = host.clock.now();
    const { stack } = follow(host);
    await stack.up(resource("db"), signal);
    const look = async (change: Partial<typeof state>) => {
      Object.assign(state, change);
      children[0]!.line(event);
      await idle();
    };
    await look({ status: "exited", finishedAt: "2030-01-01T00:00:05Z" });
    await look({ status: "running", startedAt: "2030-01-01T00:00:06Z" });
    await look({ status: "exited", finishedAt: "2030-01-01T00:00:07Z" });
    await look({
      status: "exited",
      startedAt: "2030-01-01T00:00:08Z",
      finishedAt: "2030-01-01T00:00:09Z",
    });
    const logs = children.filter(({ argv }) => argv[1] === "logs");
    expect(logs.map(({ argv }) => argv[argv.indexOf("--since") + 1])).toEqual([
      new Date(startedAt).toISOString(),
      "2030-01-01T00:00:05.000Z",
      "2030-01-01T00:00:07.000Z",
    ]);
    await stack.close();
  });

  test("tells what a young follower had no time to tell, and nothing twice", async () => {
    const logs = on(/^docker logs --since/, { stdout: "one\ntwo\nthree\n", stderr: "oh\n" });
    const { host, children } = machine(logs);
    const { stack, lines } = follow(host);
    await stack.up(resource("db"), signal);
    children[1]!.line("one");
    await stack.close();
    expect(lines).toEqual(["db ready: one", "db ready: two", "db ready: three", "db ready: oh"]);
  });

  test("never lets an older look replace a newer one", async () => {
    const answers: (() => void)[] = [];
    const slow: Rule = async (argv) => {
      if (argv[1] !== "inspect" || answers.length === 0) return undefined;
      await new Promise<void>((resolve) => answers.push(resolve));
      return undefined;
    };
    const { host, state, children } = machine(slow);
    const { stack, observations } = follow(host);
    await stack.up(resource("db"), signal);
    answers.push(() => {}); // from here on answers are held back
    children[0]!.line(event);
    await idle();
    state.status = "exited";
    children[0]!.line(event);
    await idle();
    expect(answers).toHaveLength(2); // one look under way, not two
    answers[1]!();
    await idle();
    answers[2]!();
    await idle();
    expect(observations.at(-1)).toEqual(["db", "failed"]);
    await stack.close();
  });

  test("goes on with the events when they break off", async () => {
    const { host, state, children } = machine();
    const { stack, observations, lost } = follow(host);
    await stack.up(resource("db"), signal);
    state.status = "exited";
    children[0]!.end();
    await idle();
    expect(children.filter(({ argv }) => argv[1] === "events")).toHaveLength(2);
    expect(observations.at(-1)).toEqual(["db", "failed"]);
    expect(lost()).toBeUndefined();
    await stack.close();
  });

  test("is lost when they break off again and again", async () => {
    const { host } = machine();
    const dead: Host = {
      ...host,
      spawn: async (argv, options = {}) => {
        const child = childOf(argv, options);
        if (argv[1] === "events") child.end();
        return child;
      },
    };
    const { stack, lost } = follow(dead);
    await stack.up(resource("db"), signal);
    await idle();
    await idle();
    expect(lost()).toMatchObject({ exitCode: 3 });
    await stack.close();
  });
});
