import { Command } from "commander";
import { createHost } from "../host/node-host.ts";
import { EXIT } from "../model/result.ts";
import type { Attach } from "./command.ts";

export function doctorCommand(attach: Attach): Command {
  return new Command("doctor")
    .description("what is installed, what is missing and how to get it")
    .summary("what is installed and what is missing")
    .option("--json", "print the checks as JSON")
    .action(
      attach(async (command, _args, io) => {
        const { examine, formatChecks } = await import("../doctor/index.ts");
        const checks = await examine(createHost(io));
        io.stdout.write(
          command.opts().json ? `${JSON.stringify({ checks }, null, 2)}\n` : formatChecks(checks),
        );
        return checks.some(({ status }) => status === "missing") ? EXIT.environment : EXIT.passed;
      }),
    );
}
