import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { breakRun, type Ground } from "./broken-run.ts";
import { describeStep, planStep, type Step } from "./step.ts";

export interface ChaosOptions {
  readonly runs: number;
  readonly seed: number;
  /** The first step; later ones follow. */
  readonly from?: number;
  /** Each step's line, as it ends. */
  readonly onStep?: (line: string) => void;
  /** About how long an unbroken run takes: random moments lie within. */
  readonly durationMs: number;
}

export interface ChaosResult {
  readonly runs: number;
  /** Endings with how often each was met. */
  readonly endings: Readonly<Record<string, number>>;
  /** A text for each step that went wrong, with what reproduces it. */
  readonly failures: readonly string[];
}

/** Ends many runs of the built program in many ways, one after the other. */
export async function chaos(
  machine: Omit<Ground, "program">,
  options: ChaosOptions,
): Promise<ChaosResult> {
  // A copy: the program may be built anew while this goes on.
  const copy = mkdtempSync(join(tmpdir(), "tci-dist-"));
  cpSync(new URL("../../dist", import.meta.url), copy, { recursive: true });
  try {
    return await endMany({ ...machine, program: join(copy, "cli.cjs") }, options);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

async function endMany(ground: Ground, options: ChaosOptions): Promise<ChaosResult> {
  const { runs, seed, from = 0, onStep, durationMs } = options;
  const mayMount = canMount();
  const endings: Record<string, number> = {};
  const failures: string[] = [];
  for (let number = from; number < from + runs; number++) {
    const planned = planStep(seed, number, durationMs);
    // Without the right to mount there is no disk that only this run fills.
    const step: Step =
      planned.ending === "disk" && !mayMount ? { ...planned, ending: "none" } : planned;
    endings[step.ending] = (endings[step.ending] ?? 0) + 1;
    const { problems, durationMs: took, code, output } = await breakRun(step, ground);
    const line = `${describeStep(step)}: exit ${code ?? "by signal"}, ${(took / 1000).toFixed(1)} s`;
    onStep?.(problems.length === 0 ? `ok   ${line}` : `FAIL ${line}`);
    if (problems.length === 0) continue;
    const again = `npm run chaos -- --seed ${seed} --from ${number} --runs 1`;
    failures.push(`${line}\n  ${problems.join("\n  ")}\n  again: ${again}\n${indent(output)}`);
    onStep?.(failures.at(-1)!);
  }
  return { runs, endings, failures };
}

const indent = (text: string) => text.replace(/^/gm, "    | ");

function canMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), "tci-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "chaos", directory], {
      stdio: "ignore",
    });
    execFileSync("umount", [directory], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(directory);
  }
}
