import { join, relative, resolve } from "node:path";
import { Command } from "commander";
import { UsageError } from "../errors.ts";
import { makeDirectory } from "../host/make-directory.ts";
import { EXIT } from "../model/result.ts";
import {
  diffReports,
  explain,
  formatDiff,
  loadReport,
  mergeReports,
  renderJson,
  renderJunit,
  writeAtomically,
} from "../report/index.ts";
import type { Attach } from "./command.ts";

/** `tilt-ci explain REPORT`: the story of a finished run, from its report and bundle. */
export function explainCommand(attach: Attach): Command {
  return new Command("explain")
    .description("tell what happened in a finished run, from its report")
    .summary("tell what happened in a finished run")
    .argument("[report]", "report directory or report.json", "tilt-ci-report")
    .action(
      attach(async (_command, [report = "tilt-ci-report"], io) => {
        io.stdout.write(explain(await loadReport(resolve(io.cwd, report))));
        return EXIT.passed;
      }),
    );
}

/** `tilt-ci report merge|diff`. */
export function reportCommand(attach: Attach): Command {
  const merge = new Command("merge")
    .description("make one report of those of a sharded run")
    .argument("<reports...>", "report directories")
    .option("-o, --output <dir>", "where the merged report goes", "tilt-ci-report-merged")
    .action(
      attach(async (command, reports, io) => {
        const output = resolve(io.cwd, command.opts<{ output: string }>().output);
        const loaded = await Promise.all(
          reports.map((report) => loadReport(resolve(io.cwd, report))),
        );
        const result = mergeReports(
          loaded.map(({ result: one, directory }) => ({
            result: one,
            path: relative(output, directory).replaceAll("\\", "/"),
          })),
        );
        makeDirectory(output);
        writeAtomically(join(output, "report.json"), renderJson(result));
        writeAtomically(join(output, "junit.xml"), renderJunit(result));
        io.stdout.write(`${result.verdict}: ${join(output, "junit.xml")}\n`);
        return result.exitCode ?? EXIT.passed;
      }),
    );
  const diff = new Command("diff")
    .description("what became slower, what became red")
    .argument("<before>", "report directory")
    .argument("<after>", "report directory")
    .option("--json", "print the difference as JSON")
    .action(
      attach(async (command, [before, after], io) => {
        if (before === undefined || after === undefined)
          throw new UsageError("report diff needs two reports");
        const [a, b] = await Promise.all([
          loadReport(resolve(io.cwd, before)),
          loadReport(resolve(io.cwd, after)),
        ]);
        const difference = diffReports(a.result, b.result);
        io.stdout.write(
          command.opts<{ json?: boolean }>().json
            ? `${JSON.stringify(difference, null, 2)}\n`
            : formatDiff(difference),
        );
        return EXIT.passed;
      }),
    );
  return new Command("report")
    .description("work with reports: merge, diff")
    .addCommand(merge)
    .addCommand(diff);
}
