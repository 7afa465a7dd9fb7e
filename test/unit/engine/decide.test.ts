import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../../src/model/event.ts";
import { compose, failure, image, k8s, local, planOf, Scenario, server } from "./scenario.ts";

const minutes = (n: number) => n * 60_000;

describe("what starts", () => {
  test("builds start at once, whatever their resources wait for", () => {
    const plan = planOf(
      [k8s("db"), k8s("api", { images: ["api"], resourceDeps: ["db"] })],
      [image("api", ["api"])],
    );
    const run = new Scenario(plan, {}, { cluster: false, registry: false });
    expect(run.running).toEqual(["api|build|api"]);
  });

  test("a push waits for its build and the registry, a deploy for pushes and the API server", () => {
    const plan = planOf([k8s("api", { images: ["api"] })], [image("api", ["api"])]);
    const run = new Scenario(plan, {}, { cluster: false, registry: true });
    run.pass("api|build|api");
    expect(run.running).toEqual(["api|push|api"]);
    run.pass("api|push|api");
    expect(run.running).toEqual([]);
    expect(run.hold("api", "deploy")).toBe("waiting for the cluster");
    run.reach("(cluster)", "api");
    expect(run.running).toEqual(["api|deploy"]);
  });

  test("an image that is built on another waits for that one only", () => {
    const images = [
      image("base", ["api"], { deployed: false }),
      image("api", ["api"], { dependsOn: ["base"] }),
      image("web", ["web"]),
    ];
    const run = new Scenario(
      planOf([k8s("api", { images: ["api"] }), k8s("web", { images: ["web"] })], images),
    );
    expect(run.running).toEqual(["api|build|base", "web|build|web"]);
    run.pass("api|build|base");
    expect(run.running).toContain("api|build|api");
    expect(run.graph.tasks.has("api|push|base")).toBe(false);
  });

  test("builds of one resource that wait for different bases are told of once", () => {
    const images = ["a", "b"].flatMap((name) => [
      image(`${name}-base`, ["api"], { deployed: false }),
      image(name, ["api"], { dependsOn: [`${name}-base`] }),
    ]);
    const run = new Scenario(planOf([k8s("api", { images: ["a", "b"] })], images));
    const held = () =>
      run.events.flatMap((event) =>
        event.type === "holding" && event.phase === "build" ? [event.reason] : [],
      );
    expect(held()).toEqual(["waiting for build of a-base"]);
    run.pass("api|build|a-base");
    expect(held()).toEqual(["waiting for build of a-base", "waiting for build of b-base"]);
    run.pass("api|build|b-base");
    expect(run.running).toEqual(["api|build|a", "api|build|b"]);
  });

  test("a shared image is built once and delivers both resources", () => {
    const run = new Scenario(
      planOf([k8s("a", { images: ["x"] }), k8s("b", { images: ["x"] })], [image("x", ["b", "a"])]),
    );
    expect(run.running).toEqual(["a|build|x"]);
    run.pass("a|build|x").pass("a|push|x");
    expect(run.running).toEqual(["a|deploy", "b|deploy"]);
  });

  test("an image that Compose builds is built at once, whatever its service waits for", () => {
    const run = new Scenario(
      planOf([
        compose("db"),
        compose("web", { composeBuild: true, imageRef: "p_web", resourceDeps: ["db"] }),
      ]),
      {},
      { cluster: false, registry: false },
    );
    expect(run.running).toEqual(["web|build|p_web", "db|deploy"]);
    run.fail("web|build|p_web", failure("no such file", "BuildFailed"));
    run.pass("db|deploy").observe("db", "ready", { active: true });
    run.at(20_000).close("failed");
    expect(run.failureOf("web", "deploy")).toBeUndefined();
    expect(run.statusOf("web", "deploy")).toBe("skipped");
  });

  test("services that share an image of Compose's wait for its one build", () => {
    const shared = { composeBuild: true, imageRef: "app" };
    const run = new Scenario(
      planOf([
        compose("web", shared),
        compose("worker", shared),
        compose("cron", { imageRef: "app" }),
        compose("other", { composeBuild: true, imageRef: "other" }),
      ]),
      {},
      { cluster: false, registry: false },
    );
    expect(run.running).toEqual(["web|build|app", "other|build|other"]);
    expect(run.pass("web|build|app").running).toEqual([
      "other|build|other",
      "web|deploy",
      "worker|deploy",
      "cron|deploy",
    ]);
  });

  test("an image that only Compose runs is built and not pushed", () => {
    const run = new Scenario(
      planOf([compose("web", { images: ["web"] })], [image("web", ["web"])]),
      {},
      { cluster: false, registry: false },
    );
    expect(run.pass("web|build|web").running).toEqual(["web|deploy"]);
    expect([...run.graph.tasks.keys()]).toEqual(["web|build|web", "web|deploy"]);
  });

  test("a local resource without allow_parallel runs alone among commands and deploys, not among builds", () => {
    const plan = planOf(
      [k8s("api", { images: ["api"] }), k8s("db"), local("gen"), local("lint")],
      [image("api", ["api"])],
    );
    const run = new Scenario(plan);
    expect(run.running).toEqual(["api|build|api", "gen|command"]);
    expect(run.hold("db", "deploy")).toBe("waiting for gen, which runs alone");
    run.pass("gen|command");
    expect(run.running).toEqual(["api|build|api", "lint|command"]);
    run.pass("lint|command");
    expect(run.running).toEqual(["api|build|api", "db|deploy"]);
  });

  test("local resources with allow_parallel run beside each other and beside deploys", () => {
    const run = new Scenario(
      planOf([k8s("db"), local("a", { allowParallel: true }), local("b", { allowParallel: true })]),
    );
    expect(run.running.sort()).toEqual(["a|command", "b|command", "db|deploy"]);
  });

  test("uncategorized objects are applied before the others", () => {
    const run = new Scenario(planOf([k8s("api"), k8s("uncategorized", { readiness: "ignore" })]));
    expect(run.running).toEqual(["uncategorized|deploy"]);
    run.pass("uncategorized|deploy");
    expect(run.running).toEqual(["api|deploy"]);
  });

  test("a command that names kubectl waits for the API server", () => {
    const run = new Scenario(planOf([local("kubectl get pods")]), {}, { cluster: false });
    expect(run.running).toEqual([]);
    expect(run.reach("(cluster)", "api").running).toEqual(["kubectl get pods|command"]);
  });

  test("disabled resources and auto_init=False ones never start and do not count", () => {
    const run = new Scenario(
      planOf([k8s("off", { enabled: false }), local("manual", { autoInit: false }), local("a")]),
    );
    expect([...run.graph.skipped]).toEqual([
      ["off", "disabled"],
      ["manual", "auto_init=False"],
    ]);
    expect(run.pass("a|command").end).toBe("passed");
  });

  test("the builds of a resource that depends on a command are confirmed after it", () => {
    const plan = planOf(
      [
        local("compile", { allowParallel: true }),
        local("other", { allowParallel: true }),
        k8s("api", { images: ["api"], resourceDeps: ["compile"] }),
      ],
      [image("api", ["api"])],
    );
    expect(new Scenario(plan).graph.tasks.get("api|build|api")?.confirmAfter).toEqual(["compile"]);
  });

  test("a command that runs alone and first may change what builds read", () => {
    const plan = planOf(
      [
        local("gen"),
        k8s("db"),
        local("e2e", { resourceDeps: ["db"] }),
        k8s("api", { images: ["api"] }),
      ],
      [image("api", ["api"])],
    );
    expect(new Scenario(plan).graph.tasks.get("api|build|api")?.confirmAfter).toEqual(["gen"]);
  });
});

describe("dependencies", () => {
  test("a dependant starts once its dependency was ready, even if it is not any more", () => {
    const run = new Scenario(planOf([k8s("db"), k8s("api", { resourceDeps: ["db"] })]));
    run.pass("db|deploy");
    expect(run.running).toEqual([]);
    run.observe("db", "ready").observe("db", "pending");
    expect(run.running).toEqual(["api|deploy"]);
  });

  test("a dependant waits for its dependency's port-forwards", () => {
    const run = new Scenario(
      planOf([
        k8s("web", { portForwards: [{ localPort: 1, containerPort: 0 }] }),
        local("smoke", { resourceDeps: ["web"] }),
      ]),
    );
    run.pass("web|deploy").observe("web", "ready");
    expect(run.running).toEqual([]);
    expect(run.reach("web", "reachable").running).toEqual(["smoke|command"]);
  });

  test("a dependant whose dependency is ready but cannot be reached is blocked by it", () => {
    const portForwards = [{ localPort: 8080, containerPort: 80, host: "" }];
    const web = k8s("web", { portForwards } as unknown as Parameters<typeof k8s>[1]);
    const run = new Scenario(planOf([web, k8s("e2e", { resourceDeps: ["web"] })]), {
      failFast: false,
    });
    run.pass("web|deploy").observe("web", "ready");
    expect(run.statusOf("web", "ready")).toBe("passed");
    run.add({
      type: "phase-finished",
      at: 0,
      resource: "web",
      phase: "ready",
      attempt: 1,
      status: "failed",
      failure: failure("port 8080 is taken", "PortTaken"),
    });
    expect(run.statusOf("e2e", "deploy")).toBe("skipped");
  });

  test("a server with a probe lets its dependants go when the probe passes", () => {
    const run = new Scenario(planOf([server("dev"), local("smoke", { resourceDeps: ["dev"] })]));
    expect(run.running).toEqual(["dev|serve"]);
    run.observe("dev", "pending", { active: true });
    expect(run.running).toEqual(["dev|serve"]);
    expect(run.observe("dev", "ready").running).toContain("smoke|command");
  });

  test("a Job lets its dependants go when it has completed", () => {
    const run = new Scenario(
      planOf([
        k8s("migrate", { readiness: "succeeded" }),
        k8s("api", { resourceDeps: ["migrate"] }),
      ]),
    );
    run.pass("migrate|deploy").observe("migrate", "pending", { active: true });
    expect(run.statusOf("migrate", "job")).toBe("running");
    expect(run.observe("migrate", "ready").running).toEqual(["api|deploy"]);
  });
});

describe("success", () => {
  test("needs everything ready at one instant", () => {
    const run = new Scenario(planOf([k8s("a"), k8s("b")]));
    run.pass("a|deploy", "b|deploy").observe("a", "ready");
    run.observe("a", "pending").observe("b", "ready");
    expect(run.end).toBeUndefined();
    expect(run.observe("a", "ready").end).toBe("passed");
  });

  test("a server that dies before the others are ready fails the run", () => {
    const run = new Scenario(planOf([server("dev"), k8s("api")]), { failureWindowMs: 0 });
    run.observe("dev", "ready");
    run.observe("dev", "failed", { failure: failure("exited with status 0", "ServeExited") });
    expect(run.end).toBe("failed");
    expect(run.failureOf("dev", "serve")?.code).toBe("ServeExited");
  });

  test("a server without probe has passed when it has lived for two seconds, in Tilt at once", () => {
    const run = new Scenario(planOf([server("dev")])).observe("dev", "ready");
    expect(run.end).toBeUndefined();
    expect(run.wakeAt).toBe(2000);
    expect(run.at(2000).end).toBe("passed");
    const probed = new Scenario(planOf([server("dev", { labels: ["probed"] })]));
    expect(probed.observe("dev", "ready").end).toBe("passed");
    const tilt = new Scenario(planOf([server("dev")]), { semantics: "tilt" });
    expect(tilt.observe("dev", "ready").end).toBe("passed");
  });

  test("a Compose service without healthcheck has passed when it has lived for two seconds, or is done", () => {
    const up = (active: boolean, labels: readonly string[] = []) =>
      new Scenario(planOf([compose("db", { labels })]))
        .pass("db|deploy")
        .observe("db", "ready", { active });
    expect(up(true).end).toBeUndefined();
    expect(up(true).wakeAt).toBe(2000);
    const died = up(true)
      .at(1000)
      .observe("db", "failed", { failure: failure("exited") });
    expect(died.at(2000).end).toBe("failed");
    expect(up(true).at(2000).end).toBe("passed");
    expect(up(false).end).toBe("passed");
    expect(up(true, ["probed"]).end).toBe("passed");
  });

  test("a pod without probe has passed when its container has outlived the kubelet's lag", () => {
    const ready = (startedAt: number, extra: Parameters<typeof k8s>[1] = {}) => {
      const run = new Scenario(planOf([k8s("api", extra)])).pass("api|deploy").at(5000);
      const pod = { name: "p", namespace: "d", phase: "Running", ready: true, restarts: 0 };
      return run.observe("api", "ready", { pods: [{ ...pod, startedAt }] });
    };
    expect(ready(4800).end).toBeUndefined();
    expect(ready(4800).wakeAt).toBe(7800);
    expect(ready(4800).at(7000).observe("api", "crashing").at(7800).end).toBeUndefined();
    expect(ready(4800).at(7800).end).toBe("passed");
    expect(ready(2000).end).toBe("passed");
    expect(ready(4800, { labels: ["probed"] }).end).toBe("passed");
    // its start was told late, and so would be its end
    expect(ready(3000).wakeAt).toBe(7500);
    // by a clock that goes ahead
    expect(ready(9000).wakeAt).toBe(8000);
  });

  test("--stable-for counts from the last that became ready", () => {
    const run = new Scenario(planOf([k8s("a"), k8s("b")]), { stableForMs: 20_000 });
    run.pass("a|deploy", "b|deploy").at(1000).observe("a", "ready").at(5000).observe("b", "ready");
    expect(run.end).toBeUndefined();
    expect(run.wakeAt).toBe(25_000);
    expect(run.at(24_999).end).toBeUndefined();
    expect(run.at(25_000).end).toBe("passed");
  });

  test("a plan of which nothing starts has passed", () => {
    expect(new Scenario(planOf([k8s("off", { enabled: false })])).end).toBe("passed");
  });
});

describe("failure", () => {
  test("stops new work and waits for running work at most for the window", () => {
    const names = ["a", "b", "c"].map((name) => local(name, { allowParallel: true }));
    const run = new Scenario(planOf([...names, k8s("api", { resourceDeps: ["b"] })]));
    run.at(1000).fail("a|command");
    run.pass("b|command");
    expect(run.running).toEqual(["c|command"]);
    expect(run.end).toBeUndefined();
    expect(run.wakeAt).toBe(11_000);
    expect(run.at(11_000).end).toBe("failed");
  });

  describe("beside a server whose probe says no", () => {
    const refused = { active: true, failure: failure("connection refused", "ProbeFailed") };
    const failing = (at: number, extra: Parameters<Scenario["observe"]>[2]) =>
      new Scenario(
        planOf([server("dev", { labels: ["probed"] }), local("lint", { allowParallel: true })]),
      )
        .observe("dev", "pending", extra)
        .at(at)
        .fail("lint|command");

    test("waits five seconds after the server's start for it to end, too", () => {
      const run = failing(1000, refused);
      expect(run.end).toBeUndefined();
      expect(run.wakeAt).toBe(5000);
      run.at(3000).observe("dev", "failed", { failure: failure("no database", "ServeExited") });
      expect(run.statusOf("dev", "serve")).toBe("failed");
      expect(failing(1000, refused).at(5000).end).toBe("failed");
    });

    test("does not wait when it has said so for longer", () => {
      expect(failing(60_000, refused).end).toBe("failed");
    });

    test("waits for a server of which nothing is known yet as long as the window lasts", () => {
      const run = failing(60_000, { active: true });
      expect(run.end).toBeUndefined();
      expect(run.wakeAt).toBe(70_000);
    });
  });

  test("ends at once when nothing else is under way", () => {
    const run = new Scenario(planOf([local("a"), k8s("api", { resourceDeps: ["a"] })]));
    expect(run.fail("a|command").end).toBe("failed");
  });

  test("does not wait for what has not started and will not", () => {
    const run = new Scenario(planOf([local("a"), local("b"), k8s("c")]));
    run.fail("a|command");
    expect(run.end).toBe("failed");
  });

  test("names what blocked the rest", () => {
    const plan = planOf(
      [
        k8s("db"),
        k8s("api", { resourceDeps: ["db"], images: ["api"] }),
        k8s("web", { resourceDeps: ["api"] }),
      ],
      [image("api", ["api"])],
    );
    const run = new Scenario(plan);
    run.pass("api|build|api", "api|push|api".replace("push", "build")).pass("db|deploy");
    run.observe("db", "failed", {
      failure: failure("Deployment/default/db: pull failed", "ImagePull"),
    });
    run.at(20_000);
    run.close("failed");
    const skips = run.events.flatMap((event) =>
      event.type === "phase-finished" && event.status === "skipped"
        ? [`${event.resource} ${event.phase}: ${event.skipReason}`]
        : [],
    );
    expect(skips).toContain("web deploy: blocked by db: ready");
    expect(skips).toContain("api ready: blocked by db: ready");
  });

  test("--keep-going runs what does not need what failed and skips the rest", () => {
    const run = new Scenario(
      planOf([local("a", { allowParallel: true }), local("c"), k8s("b", { resourceDeps: ["a"] })]),
      { failFast: false },
    );
    run.fail("a|command");
    expect(run.statusOf("b", "deploy")).toBe("skipped");
    expect(run.running).toEqual(["c|command"]);
    expect(run.pass("c|command").end).toBe("failed");
  });

  test("a failed image build blocks every resource that uses the image", () => {
    const run = new Scenario(
      planOf([k8s("a", { images: ["x"] }), k8s("b", { images: ["x"] })], [image("x", ["a", "b"])]),
    );
    run.fail("a|build|x", failure("COPY failed", "BuildFailed"));
    expect(run.end).toBe("failed");
    run.close("failed");
    expect(run.statusOf("b", "deploy")).toBe("skipped");
  });

  test("--semantics tilt ends at the first failure", () => {
    const run = new Scenario(planOf([k8s("a"), k8s("b")]), { semantics: "tilt" });
    run.pass("a|deploy", "b|deploy").observe("a", "failed", { failure: failure("x") });
    expect(run.end).toBe("failed");
  });
});

describe("echoes of a failure", () => {
  const crash = (crashes: number) => ({ crashes, failure: failure(`exit 1, ${crashes} crashes`) });
  const pod = { name: "p", namespace: "default", phase: "Running", ready: true, restarts: 0 };
  const failing = (extra: Parameters<typeof k8s>[1] = {}, pods = [pod]) =>
    new Scenario(planOf([k8s("db"), k8s("api", extra)]))
      .pass("db|deploy", "api|deploy")
      .at(1000)
      .observe("api", "ready", { pods })
      .at(2000)
      .observe("db", "failed", { failure: failure("no disk") });

  test("what is ready without a probe gets a moment to fail, too", () => {
    const run = failing();
    expect(run.end).toBeUndefined();
    expect(run.wakeAt).toBe(6000);
    run.at(3000).observe("api", "crashing", crash(1));
    expect(run.end).toBeUndefined();
    run.at(4000).observe("api", "crashing", crash(2));
    expect(run.statusOf("api", "ready")).toBe("failed");
    expect(run.end).toBe("failed");
  });

  test("what has crashed is waited for while its container is started again", () => {
    const run = failing();
    run.at(3000).observe("api", "crashing", crash(1));
    run.at(3500).observe("api", "pending", { crashes: 1, summary: "0 of 1 ready" });
    expect(run.end).toBeUndefined();
    run.at(5000).observe("api", "crashing", crash(2));
    expect(run.statusOf("api", "ready")).toBe("failed");
    expect(run.end).toBe("failed");
  });

  test("the moment ends, and what has a probe gets none", () => {
    expect(failing().at(6000).end).toBe("failed");
    expect(failing({ labels: ["probed"] }).end).toBe("failed");
  });

  test("what runs nothing has no echo: a ConfigMap is not waited for", () => {
    expect(failing({}, []).end).toBe("failed");
  });

  test("nobody connects to a command: its failure has no echo", () => {
    const run = new Scenario(planOf([k8s("api"), local("lint", { allowParallel: true })]));
    run.pass("api|deploy").observe("api", "ready", { pods: [pod] });
    expect(run.fail("lint|command").end).toBe("failed");
  });

  test("what is down at the end has failed, what crashed once and runs again is cancelled", () => {
    const run = new Scenario(planOf([k8s("db"), k8s("api"), k8s("web")]));
    run.pass("db|deploy", "api|deploy", "web|deploy");
    run.observe("api", "crashing", { ...crash(1), active: false });
    run.observe("web", "crashing", { ...crash(1), active: true });
    run.observe("db", "failed", { failure: failure("no disk") }).at(10_000);
    expect(run.end).toBe("failed");
    run.close("failed");
    expect(run.statusOf("api", "ready")).toBe("failed");
    expect(run.failureOf("api", "ready")?.message).toBe("exit 1, 1 crashes");
    expect(run.statusOf("web", "ready")).toBe("cancelled");
  });
});

describe("crash loops", () => {
  const crash = (crashes: number) => ({ crashes, failure: failure(`exit 1, ${crashes} crashes`) });

  test("a container that crashes while others start may recover", () => {
    const run = new Scenario(planOf([k8s("api"), k8s("db")]));
    run
      .pass("api|deploy", "db|deploy")
      .observe("api", "crashing", crash(1))
      .observe("api", "crashing", crash(5));
    expect(run.end).toBeUndefined();
    run.observe("db", "ready").observe("api", "ready", { crashes: 5 });
    expect(run.end).toBe("passed");
  });

  test("has failed once it crashed twice more after all else came to rest", () => {
    const run = new Scenario(planOf([k8s("api"), k8s("db")]), { failureWindowMs: 0 });
    run
      .pass("api|deploy", "db|deploy")
      .at(1)
      .observe("api", "crashing", crash(3))
      .at(2)
      .observe("db", "ready");
    run.at(3).observe("api", "crashing", crash(4));
    expect(run.statusOf("api", "ready")).toBe("running");
    run.at(4).observe("api", "crashing", crash(5));
    expect(run.statusOf("api", "ready")).toBe("failed");
    expect(run.end).toBe("failed");
  });

  test("two crash loops come to rest against each other", () => {
    const run = new Scenario(planOf([k8s("a"), k8s("b")]), { failureWindowMs: 0 });
    run.pass("a|deploy", "b|deploy");
    for (let n = 1; n <= 4; n++)
      run
        .at(n * 10)
        .observe("a", "crashing", crash(n))
        .at(n * 10 + 1)
        .observe("b", "crashing", crash(n));
    expect(run.end).toBe("failed");
  });

  test("a crash loop that has failed gives the others no second chance", () => {
    const run = new Scenario(planOf([k8s("a"), k8s("b"), k8s("c")]), { failFast: false });
    run.pass("a|deploy", "b|deploy", "c|deploy");
    for (const name of ["a", "b", "c"]) run.at(1).observe(name, "crashing", crash(2));
    run.at(10).observe("a", "crashing", crash(4));
    expect(run.statusOf("a", "ready")).toBe("failed");
    run.at(20).observe("b", "crashing", crash(3)).at(30).observe("b", "crashing", crash(4));
    expect(run.statusOf("b", "ready")).toBe("failed");
    run.at(40).observe("c", "crashing", crash(4));
    expect(run.statusOf("c", "ready")).toBe("failed");
  });

  test("what waits for the crashing one does not keep it from failing", () => {
    const run = new Scenario(planOf([k8s("db"), k8s("api", { resourceDeps: ["db"] })]), {
      failureWindowMs: 0,
    });
    run
      .pass("db|deploy")
      .at(1)
      .observe("db", "crashing", crash(1))
      .at(2)
      .observe("db", "crashing", crash(2));
    expect(run.end).toBe("failed");
  });

  test("what has to pass the crashing one's webhook does not keep it from failing", () => {
    const retried = (waitsFor?: string): RunEvent => ({
      type: "phase-retried",
      at: 0,
      resource: "settings",
      phase: "deploy",
      attempt: 1,
      failure: failure("failed calling webhook", "Infra"),
      ...(waitsFor === undefined ? {} : { waitsFor }),
    });
    const plan = planOf([
      k8s("guard"),
      k8s("settings"),
      k8s("other", { resourceDeps: ["settings"] }),
    ]);
    const crashTwice = (run: Scenario) =>
      run
        .pass("guard|deploy")
        .at(1)
        .observe("guard", "crashing", crash(1))
        .at(2)
        .observe("guard", "crashing", crash(2));
    const waiting = crashTwice(new Scenario(plan).add(retried("guard")));
    expect(waiting.statusOf("guard", "ready")).toBe("failed");
    const elsewhere = crashTwice(new Scenario(plan).add(retried("guard")).add(retried()));
    expect(elsewhere.statusOf("guard", "ready")).toBe("running");
  });

  test("a webhook whose server waits for what has to pass it makes no circle", () => {
    const run = new Scenario(
      planOf([k8s("settings"), k8s("guard", { resourceDeps: ["settings"] }), k8s("other")]),
    );
    run.add({
      type: "phase-retried",
      at: 0,
      resource: "settings",
      phase: "deploy",
      attempt: 1,
      failure: failure("failed calling webhook", "Infra"),
      waitsFor: "guard",
    });
    run.pass("other|deploy").at(1).observe("other", "crashing", crash(4));
    expect(run.statusOf("other", "ready")).toBe("running");
  });

  test("--crash-policy first fails on the first crash, deadline never by count", () => {
    const one = new Scenario(planOf([k8s("a"), k8s("b")]), {
      crashPolicy: "first",
      failureWindowMs: 0,
    });
    expect(one.pass("a|deploy").observe("a", "crashing", crash(1)).end).toBe("failed");
    const never = new Scenario(planOf([k8s("a")]), { crashPolicy: "deadline" });
    never.pass("a|deploy");
    for (let n = 1; n < 9; n++) never.at(n).observe("a", "crashing", crash(n));
    expect(never.end).toBeUndefined();
  });
});

describe("time", () => {
  test("the global timeout tells what each resource waits for", () => {
    const run = new Scenario(planOf([k8s("fe"), k8s("be", { resourceDeps: ["fe"] })]), {
      timeoutMs: minutes(1),
      readinessTimeoutMs: 0,
    });
    run.pass("fe|deploy").observe("fe", "pending", { summary: "ContainerCreating", active: false });
    expect(run.at(50_000).end).toBeUndefined();
    expect(run.wakeAt).toBe(60_000);
    expect(run.at(60_000).end).toBe("timeout");
    run.close("timeout");
    expect(run.failureOf("fe", "ready")).toMatchObject({
      code: "Timeout",
      message: "Timeout after 1m0s: ContainerCreating",
    });
    expect(run.statusOf("be", "deploy")).toBe("skipped");
  });

  test("the global timeout names what kept a run from starting anything", () => {
    const run = new Scenario(
      planOf([k8s("api"), k8s("web", { resourceDeps: ["api"] })]),
      {
        timeoutMs: 1000,
      },
      { cluster: false },
    );
    expect(run.at(1000).end).toBe("timeout");
    run.close("timeout");
    expect(run.failureOf("api", "deploy")).toMatchObject({
      code: "Timeout",
      message: "Timeout after 1s: had not started: waiting for the cluster",
    });
    expect(run.statusOf("api", "ready")).toBe("skipped");
    expect(run.statusOf("web", "deploy")).toBe("skipped");
  });

  test("with --keep-going the global timeout is a failure of what still runs, whatever failed before", () => {
    const run = new Scenario(
      planOf([
        local("a", { allowParallel: true }),
        local("hangs", { allowParallel: true }),
        local("after", { resourceDeps: ["hangs"] }),
      ]),
      { timeoutMs: 4000, failFast: false },
    );
    run.fail("a|command");
    expect(run.at(3999).end).toBeUndefined();
    expect(run.at(4000).end).toBe("timeout");
    run.close("timeout");
    expect(run.failureOf("hangs", "command")).toEqual({
      code: "Timeout",
      message: "Timeout after 4s: still running",
    });
    expect(run.statusOf("after", "command")).toBe("skipped");
  });

  test("with --keep-going a run whose last work ended badly at the timeout has failed, not timed out", () => {
    const run = new Scenario(planOf([local("a")]), { timeoutMs: 4000, failFast: false });
    run.now = 4000;
    expect(run.fail("a|command").end).toBe("failed");
  });

  test("what waited for a resource that is late is blocked by it, and what waited for that as well", () => {
    const run = new Scenario(
      planOf([
        local("hangs"),
        local("after", { resourceDeps: ["hangs"] }),
        local("later", { resourceDeps: ["after"] }),
      ]),
      { timeoutMs: 1000 },
    );
    expect(run.at(1000).end).toBe("timeout");
    expect(
      run
        .close("timeout")
        .map((event) => event.type === "phase-finished" && [event.resource, event.skipReason]),
    ).toEqual([
      ["hangs", undefined],
      ["after", "blocked by hangs: command"],
      ["later", "blocked by hangs: command"],
    ]);
  });

  test("success at the last moment beats the timeout", () => {
    const run = new Scenario(planOf([k8s("a")]), { timeoutMs: 1000 });
    run.pass("a|deploy");
    run.now = 1000;
    expect(run.observe("a", "ready").end).toBe("passed");
  });

  test("the readiness timeout counts for a server that runs and is not ready", () => {
    const run = new Scenario(planOf([k8s("fe")]), {
      readinessTimeoutMs: 30_000,
      failureWindowMs: 0,
    });
    run
      .at(1000)
      .pass("fe|deploy")
      .observe("fe", "pending", { active: true, summary: "0 of 1 ready" });
    expect(run.at(30_999).end).toBeUndefined();
    expect(run.at(31_000).end).toBe("failed");
    expect(run.failureOf("fe", "ready")?.message).toBe(
      "Readiness timeout after 30s: not ready: 0 of 1 ready",
    );
  });

  test("the readiness timeout is no limit for Jobs", () => {
    const run = new Scenario(planOf([k8s("job", { readiness: "succeeded" })]), {
      readinessTimeoutMs: 30_000,
    });
    run.pass("job|deploy").observe("job", "pending", { active: true });
    expect(run.at(35_000).end).toBeUndefined();
  });

  test("the readiness timeout counts from the last time it was ready", () => {
    const run = new Scenario(planOf([k8s("fe"), local("slow")]), {
      readinessTimeoutMs: 30_000,
      failureWindowMs: 0,
    });
    run.pass("slow|command");
    run.pass("fe|deploy");
    run.at(10).observe("fe", "pending", { active: true });
    expect(run.wakeAt).toBe(30_000);
  });

  test("the grace period tolerates a failure and counts from the deploy", () => {
    const run = new Scenario(planOf([k8s("fe"), local("e2e", { resourceDeps: ["fe"] })]), {
      gracePeriodMs: 60_000,
      failureWindowMs: 0,
    });
    run.pass("fe|deploy").observe("fe", "failed", { failure: failure("pull failed", "ImagePull") });
    expect(run.at(50_000).end).toBeUndefined();
    expect(run.wakeAt).toBe(60_000);
    expect(run.at(70_000).end).toBe("failed");
    expect(run.failureOf("fe", "ready")?.message).toBe("exceeded grace period: pull failed");
  });
});

describe("closing", () => {
  test("a cancelled run cancels what ran and skips what had not begun", () => {
    const run = new Scenario(planOf([local("a"), k8s("b", { resourceDeps: ["a"] })]));
    run.close("cancelled");
    expect(run.statusOf("a", "command")).toBe("cancelled");
    expect(run.statusOf("b", "deploy")).toBe("skipped");
  });

  test("a passed run ends its servers as passed", () => {
    const run = new Scenario(planOf([server("dev")]));
    run.observe("dev", "ready").at(2000);
    expect(run.end).toBe("passed");
    run.close("passed");
    expect(run.statusOf("dev", "serve")).toBe("passed");
  });
});
