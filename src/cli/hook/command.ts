import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { Command } from "commander";
import { UsageError } from "../../errors.ts";
import { createHost } from "../../host/node-host.ts";
import { EXIT } from "../../model/result.ts";
import type { Attach } from "../command.ts";
import type { ProcessIo } from "../io.ts";
import { findHooks, installHook, uninstallHook } from "./install.ts";
import { runHook } from "./run.ts";

/** `tilt-ci hook install|uninstall|run`. `program` runs a command of tilt-ci itself. */
export function hookCommand(
  attach: Attach,
  program: (argv: readonly string[], io: ProcessIo) => Promise<number>,
): Command {
  const file = ["-f, --file <path>", "the Tiltfile", "Tiltfile"] as const;
  const install = new Command("install")
    .description("test every push from this repository; a hook that is there runs first")
    .option(...file)
    .action(
      attach(async (command, _args, io) => {
        const place = await findHooks(createHost(io));
        const tiltfile = tiltfileIn(place.top, command.opts<{ file: string }>().file, io.cwd);
        const text = await installHook(place, io.program, tiltfile);
        io.stdout.write(`${text}\n`);
        return EXIT.passed;
      }),
    );
  const uninstall = new Command("uninstall")
    .description("remove the hook; the one before it comes back")
    .action(
      attach(async (_command, _args, io) => {
        io.stdout.write(`${await uninstallHook(await findHooks(createHost(io)))}\n`);
        return EXIT.passed;
      }),
    );
  const run = new Command("run")
    .description("what git calls: tests the pushed commits that standard input names")
    .argument("[remote]", "name of the remote", "origin")
    .argument("[url]", "its URL")
    .option(...file)
    .action(
      attach(async (command, [remote = "origin"], io) =>
        runHook({ file: command.opts<{ file: string }>().file, remote, program }, io),
      ),
    );
  return new Command("hook")
    .description("test what is pushed, before it is: a pre-push hook for git")
    .summary("test pushes: a pre-push hook for git")
    .addCommand(install)
    .addCommand(uninstall)
    .addCommand(run);
}

/** Where a Tiltfile is in the work tree. Throws `UsageError` for one that no push could test. */
function tiltfileIn(top: string, file: string, cwd: string): string {
  const path = resolve(cwd, file);
  if (!existsSync(path))
    throw new UsageError(`There is no ${file} here`, "Name the Tiltfile with --file");
  const inTree = relative(top, path);
  if (inTree.startsWith("../"))
    throw new UsageError(`${file} is not in this repository (${top}): a push never changes it`);
  return inTree;
}
