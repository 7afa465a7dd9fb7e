// Measures whole runs side by side: tilt-ci against the careful shell script (scripts/bench/baseline.sh) on
// examples/hello and examples/shop, interleaved on one machine. Modes: `cycle`, from nothing to nothing; `there`, on a
// cluster with a registry that has been made before and that no job has used yet; `again`, on one that has had the job,
// which has changed since.
// `npm run bench:ci [-- --rounds 3] [--only hello,shop] [--modes cycle,there,again] [--warm] [--pause 70]`
// `--pause S` lets the disk come to rest for that many seconds before each run.
// Prints each step, the medians and their ratio; a warm column (a baked node image) with --warm. Exits 1 when a run fails.
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { prepareBuild, prepareDependencies, prepareRig } from "./prepare.mjs";

const SHOP_IMAGES = [
  ...["shop-base=base", "shop-api=api", "shop-web=web", "shop-migrate=migrate"],
  "--",
];
const SMOKE = ["forward svc/web 18081:80", "run python3 smoke.py http://localhost:18081"];
/**
 * The scripts apply everything at once and let what is too early fail and try again; `in order` waits for one part
 * before the next, as the Tiltfile's `resource_deps` ask.
 */
const EXAMPLES = {
  hello: {
    jobs: { script: ["hello=.", "--", "apply hello.yaml", "rollout deployment/hello"] },
    changed: ["app.py"],
  },
  shop: {
    jobs: {
      script: [
        ...SHOP_IMAGES,
        ...["apply db.yaml migrate.yaml api.yaml web.yaml", "rollout statefulset/db"],
        ...["job migrate", "rollout deployment/api", "rollout deployment/web"],
        ...SMOKE,
      ],
      "in order": [
        ...SHOP_IMAGES,
        ...["apply db.yaml", "rollout statefulset/db", "apply migrate.yaml", "job migrate"],
        ...["apply api.yaml", "rollout deployment/api", "apply web.yaml", "rollout deployment/web"],
        ...SMOKE,
      ],
    },
    changed: ["base/store.py", "api/api.py", "web/web.py", "migrate/migrate.py"],
  },
};
/** What the issue asks for, as a share of the script's time. */
const TARGETS = { cycle: 0.65, there: 0.7, again: 0.7, warm: 0.5 };
const TITLES = {
  cycle: "from nothing to nothing",
  there: "on a cluster that is there, for the first time",
  again: "on a cluster that is there, once more",
};

const MODES = {
  cycle: (example) => ({
    ...scripts(example, (job) => script(["cycle"], example, job)),
    "tilt-ci": () => tiltCi(example, ["--warm", "never"]),
    ...(flags.warm ? { warm: () => tiltCi(example, ["--warm", "always"]) } : {}),
  }),
  there: (example) => ({
    ...scripts(example, (job) =>
      onNewCluster((cluster) => script(["there", cluster], example, job)),
    ),
    "tilt-ci": () =>
      onNewCluster((cluster) =>
        tiltCi(example, ["--cluster", "current"], {
          KUBECONFIG: join(tmpdir(), `${cluster}.kubeconfig`),
        }),
      ),
  }),
  again: (example, cluster) => ({
    ...scripts(example, (job) => script(["again", cluster], example, job)),
    "tilt-ci": () => tiltCi(example, ["--reuse", cluster]),
  }),
};

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "hello,shop" },
    modes: { type: "string", default: "cycle,there,again" },
    warm: { type: "boolean", default: false },
    pause: { type: "string", default: "0" },
  },
});
const work = mkdtempSync(join(tmpdir(), "bench-ci-"));
await prepareDependencies();
await prepareBuild();
const { env, missing } = await prepareRig();
if (missing) throw new Error(`Cannot measure: ${missing}`);
const program = resolve("dist/cli.cjs");
const usageFile = join(work, "usage.json");
const reporter = join(work, "report-usage.cjs");
let nonce = 0;
/** Clusters that a job has used. */
const used = [];

try {
  writeFileSync(
    reporter,
    `if (require("node:worker_threads").isMainThread)
  process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(usageFile)}, JSON.stringify(process.resourceUsage())));
`,
  );
  for (const example of flags.only.split(","))
    for (const mode of flags.modes.split(",")) compare(example, mode);
} finally {
  for (const cluster of used) script(["down", cluster]);
  rmSync(work, { recursive: true, force: true });
}

/** One table: the contenders take turns, each on a change of its own, so that nobody profits from another's build. */
function compare(example, mode) {
  const cluster = `bench-${process.pid}`;
  const contenders = MODES[mode](example, cluster);
  if (mode === "again") script(["up", cluster]);
  try {
    // the first time fills Docker's build cache, and makes what stays
    for (const contend of Object.values(contenders)) rested(contend);
    const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
    for (let round = 0; round < Number(flags.rounds); round += 1)
      for (const [name, contend] of Object.entries(contenders)) results[name].push(rested(contend));
    print(example, mode, results);
  } finally {
    if (mode === "again") {
      script(["down", cluster]);
      must(spawnSync(process.execPath, [program, "down", cluster], { env, encoding: "utf8" }));
    }
  }
}

/** A turn, once the disk has had its pause. */
function rested(contend) {
  must(spawnSync("sync", [], { encoding: "utf8" }));
  must(spawnSync("sleep", [flags.pause], { encoding: "utf8" }));
  return contend();
}

/** The contenders that are scripts, by name. */
function scripts(example, contend) {
  const jobs = Object.entries(EXAMPLES[example].jobs);
  return Object.fromEntries(jobs.map(([name, job]) => [name, () => contend(job)]));
}

/**
 * A cluster as the script makes it, for one job; only the job is timed. It is removed at the end of the program: where
 * many files have been deleted in the last minute (or five, until the disk has it), ext4 makes new ones slowly
 * (recently_deleted() in fs/ext4/ialloc.c), and unpacking an image takes 7 s in place of 2.
 */
function onNewCluster(job) {
  const cluster = `bench-${process.pid}-${used.length}`;
  used.push(cluster);
  script(["up", cluster]);
  const result = job(cluster);
  script(["stop", cluster]);
  return result;
}

/** A copy of the example with a change of its own in what its images copy. */
function freshCopy(example) {
  const folder = mkdtempSync(join(work, `${example}-`));
  cpSync(join("examples", example), folder, { recursive: true });
  nonce += 1;
  for (const file of EXAMPLES[example].changed)
    appendFileSync(join(folder, file), `\n# change ${process.pid}-${nonce}\n`);
  return folder;
}

function script(verb, example, job = []) {
  const args = job.length === 0 ? verb : [...verb, freshCopy(example), ...job];
  const startedAt = performance.now();
  const { stdout } = must(
    spawnSync("bash", ["scripts/bench/baseline.sh", ...args], { env, encoding: "utf8" }),
  );
  const total = performance.now() - startedAt;
  const steps = {};
  for (const line of stdout.split("\n").filter((text) => text.startsWith("step\t"))) {
    const [, name, ms] = line.split("\t");
    steps[name] = (steps[name] ?? 0) + Number(ms);
  }
  return { total, steps };
}

function tiltCi(example, args, settings = {}) {
  const folder = freshCopy(example);
  const startedAt = performance.now();
  must(
    spawnSync(
      process.execPath,
      [
        "--require",
        reporter,
        program,
        "ci",
        "-f",
        join(folder, "Tiltfile"),
        "--quiet",
        ...args,
      ].concat(["--report-dir", join(folder, "report")]),
      { env: { ...env, ...settings }, encoding: "utf8" },
    ),
  );
  const total = performance.now() - startedAt;
  const { timings } = JSON.parse(readFileSync(join(folder, "report", "report.json"), "utf8"));
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(readFileSync(usageFile, "utf8"));
  rmSync(folder, { recursive: true, force: true });
  return {
    total,
    steps: Object.fromEntries(timings.map(({ phase, durationMs }) => [phase, durationMs])),
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    megabytes: maxRSS / 1024,
  };
}

function must(result) {
  if (result.error) throw result.error;
  if (result.status !== 0)
    throw new Error(
      `exit ${result.status}: ${result.stdout.slice(-2000)}${result.stderr.slice(-2000)}`,
    );
  return result;
}

function print(example, mode, results) {
  console.log(`\n${example}, ${TITLES[mode]}`);
  for (const [name, runs] of Object.entries(results)) {
    const total = median(runs.map((run) => run.total));
    const all = runs.map((run) => seconds(run.total)).join(", ");
    console.log(
      `${name.padEnd(8)} ${seconds(total)} s (${all})${ratio(name, mode, total, results)}`,
    );
    for (const step of Object.keys(runs.at(-1).steps))
      console.log(
        `  ${step.padEnd(12)} ${seconds(median(runs.map(({ steps }) => steps[step] ?? 0)))} s`,
      );
    if (runs[0].cpuSeconds !== undefined)
      console.log(
        `  program: ${median(runs.map((run) => run.cpuSeconds)).toFixed(2)} CPU s, ` +
          `${Math.max(...runs.map((run) => run.megabytes)).toFixed(0)} MB at most`,
      );
  }
}

function ratio(name, mode, total, results) {
  const others = Object.keys(results).filter((other) => results[other][0].cpuSeconds === undefined);
  if (others.includes(name)) return "";
  const target = name === "warm" ? TARGETS.warm : TARGETS[mode];
  const shares = others.map(
    (other) => `${(total / median(results[other].map((run) => run.total))).toFixed(2)} of ${other}`,
  );
  return `: ${shares.join(", ")} (at most ${target} wanted)`;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function seconds(ms) {
  return (ms / 1000).toFixed(1);
}
