import { Command } from "commander";
import { down, stateDirectory } from "../cluster/index.ts";
import { createHost } from "../host/node-host.ts";
import { EXIT } from "../model/result.ts";
import type { Attach } from "./command.ts";
import { durationFlag } from "./duration-flag.ts";

export function downCommand(attach: Attach): Command {
  return new Command("down")
    .description("remove what killed or kept runs left behind")
    .argument("[run]", "id of one run, or NAME of --reuse NAME")
    .option("--all", "every run that is not alive, and the clusters of --reuse")
    .option("--older-than <duration>", "only runs started longer ago", durationFlag)
    .option("--force", "runs that are still alive, too")
    .action(
      attach(async (command, [run], io) => {
        const {
          all = false,
          olderThan,
          force = false,
        } = command.opts<{ all?: boolean; olderThan?: number; force?: boolean }>();
        const host = createHost(io);
        const result = await down(
          {
            stateDir: stateDirectory(host),
            all,
            force,
            ...(run === undefined ? {} : { run }),
            ...(olderThan === undefined ? {} : { olderThanMs: olderThan }),
          },
          host,
        );
        for (const line of result.removed) io.stdout.write(`removed ${line}\n`);
        for (const { run: id, reason } of result.refused)
          io.stdout.write(`left ${id}: ${reason}\n`);
        for (const line of result.failures) io.stderr.write(`Error: ${line}\n`);
        if (result.removed.length + result.refused.length + result.failures.length === 0)
          io.stdout.write(
            run === undefined
              ? "Nothing to remove.\n"
              : `Nothing to remove: no run or cluster "${run}" is known here.\n`,
          );
        if (result.failures.length > 0) return EXIT.environment;
        return run !== undefined && result.refused.length > 0 ? EXIT.badInput : EXIT.passed;
      }),
    );
}
