import { spawnSync } from "node:child_process";
import type { ExecOptions, ExecOutcome, LogLevel, SyncHost } from "../../src/tiltfile/options.ts";

/** A SyncHost on this machine that keeps its log. Output of commands is logged when they have ended. */
export class RecordingSyncHost implements SyncHost {
  readonly lines: { readonly text: string; readonly level: LogLevel }[] = [];
  readonly commands: string[][] = [];
  readonly executed: { readonly argv: readonly string[]; readonly options: ExecOptions }[] = [];

  log(text: string, level: LogLevel): void {
    this.lines.push({ text, level });
  }

  exec(argv: readonly string[], options: ExecOptions): ExecOutcome {
    const { cwd, env, stdin, logPrefix } = options;
    this.commands.push([...argv]);
    this.executed.push({ argv, options });
    const [program, ...args] = argv;
    const result = spawnSync(program!, args, {
      cwd,
      env: { ...env },
      input: stdin ?? "",
      encoding: "utf8",
      maxBuffer: 64 << 20,
    });
    if (result.error) throw result.error;
    if (logPrefix !== undefined) {
      for (const output of [result.stdout, result.stderr]) {
        for (const line of output.replace(/\n$/, "").split("\n")) {
          if (output !== "") this.log(`${logPrefix}${line}`, "info");
        }
      }
    }
    return { exitCode: result.status ?? -1, stdout: result.stdout, stderr: result.stderr };
  }

  /** The log as Tilt writes it: a line end after each line. */
  get text(): string {
    return this.lines.map(({ text }) => `${text}\n`).join("");
  }
}
