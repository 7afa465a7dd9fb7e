import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { Command, Option } from "commander";
import { EnvironmentError, messageOf, UsageError } from "../../errors.ts";
import { CommandNotFoundError } from "../../host/command-not-found.ts";
import type { Host } from "../../host/host.ts";
import { makeDirectory } from "../../host/make-directory.ts";
import { createHost } from "../../host/node-host.ts";
import type { Plan } from "../../model/plan.ts";
import { EXIT } from "../../model/result.ts";
import { TiltfileError } from "../../tiltfile/index.ts";
import type { Attach } from "../command.ts";
import { evaluateAlone, futureContext } from "../evaluate-alone.ts";
import type { ProcessIo } from "../io.ts";
import { type Needs, needsOf } from "./needs.ts";
import { pipelineFor, SYSTEMS, type System } from "./pipelines.ts";

interface InitFlags {
  readonly file: string;
  readonly ci: System;
  readonly force?: boolean;
  readonly print?: boolean;
}

/** `tilt-ci init`: a pipeline for the Tiltfile at hand. */
export function initCommand(attach: Attach): Command {
  return new Command("init")
    .description("write a pipeline for the Tiltfile at hand")
    .option("-f, --file <path>", "the Tiltfile", "Tiltfile")
    .addOption(new Option("--ci <system>", SYSTEMS.join(", ")).choices(SYSTEMS).default("github"))
    .option("--print", "print it instead of writing it")
    .option("--force", "replace a file that is there")
    .action(attach((command, _args, io) => init(command.opts<InitFlags>(), io)));
}

async function init({ file, ci, force, print }: InitFlags, io: ProcessIo): Promise<number> {
  const host = createHost(io);
  const tiltfile = resolve(io.cwd, file);
  if (!existsSync(tiltfile))
    throw new UsageError(`There is no ${file} here`, "Name the Tiltfile with --file");
  const top = await topOf(dirname(tiltfile), host);
  const plan = await planOf(tiltfile, io, host);
  const needs = needsOf(plan, existsSync(join(top, ".gitmodules")));
  const inRepository = relative(top, tiltfile).replaceAll("\\", "/");
  const branch = await defaultBranch(top, host);
  const { path, text } = pipelineFor(ci, { tiltfile: inRepository, needs, branch });
  if (print) {
    io.stdout.write(text);
    return EXIT.passed;
  }
  const target = join(top, path);
  if (existsSync(target) && !force)
    throw new UsageError(
      `${relative(io.cwd, target)} exists already`,
      "See what would be written with --print, or replace it with --force",
    );
  try {
    makeDirectory(dirname(target));
    await writeFile(target, text);
  } catch (error) {
    throw new EnvironmentError(`Cannot write ${target}: ${messageOf(error)}`);
  }
  io.stdout.write(`Wrote ${relative(io.cwd, target)}: ${describe(needs)}\n`);
  // a folder that does not exist yet is matched as one only by its slash
  if ((await git(["check-ignore", "tilt-ci-report/"], top, host)) === undefined)
    io.stdout.write("Runs write their reports to tilt-ci-report/: a line for .gitignore\n");
  return EXIT.passed;
}

/** Top of the work tree, else the Tiltfile's own directory. */
async function topOf(directory: string, host: Host): Promise<string> {
  return (await git(["rev-parse", "--show-toplevel"], directory, host)) ?? directory;
}

/** The branch that the remote calls its default one, else a usual name of one that is here, else `main`. */
async function defaultBranch(top: string, host: Host): Promise<string> {
  const head = await git(["symbolic-ref", "--short", "refs/remotes/origin/HEAD"], top, host);
  if (head) return head.replace(/^origin\//, "");
  const names = ["main", "master", "trunk"];
  const refs = names.map((name) => `refs/heads/${name}`);
  const here = await git(["for-each-ref", "--format=%(refname:short)", ...refs], top, host);
  // a repository without a commit has no branch yet, but knows the name of its first
  const first = here ? undefined : await git(["symbolic-ref", "--short", "HEAD"], top, host);
  return names.find((name) => here?.split("\n").includes(name)) ?? first ?? "main";
}

/** What git prints; undefined where there is no git, no repository or no answer. */
async function git(words: readonly string[], cwd: string, host: Host): Promise<string | undefined> {
  try {
    const { exitCode, stdout } = await host.run(["git", ...words], { cwd });
    return exitCode === 0 && stdout.trim() !== "" ? stdout.trim() : undefined;
  } catch (error) {
    if (error instanceof CommandNotFoundError) return undefined;
    throw error;
  }
}

/** The plan; undefined, with a line that says so, when the Tiltfile cannot be evaluated without a run. */
async function planOf(tiltfile: string, io: ProcessIo, host: Host): Promise<Plan | undefined> {
  const abort = new AbortController();
  const unlisten = io.onSignal(() => abort.abort());
  try {
    const request = { tiltfile, args: [], kubeContext: futureContext(), allowLocalExec: true };
    return await evaluateAlone(request, host, { signal: abort.signal, log: () => {} });
  } catch (error) {
    if (!(error instanceof TiltfileError)) throw error;
    const reason = error.message.split("\n").at(-1);
    io.stderr.write(
      `The Tiltfile cannot be evaluated by itself (${reason}): taken for one that needs a cluster\n`,
    );
    return undefined;
  } finally {
    unlisten();
  }
}

function describe({ cluster, compose, tools }: Needs): string {
  const parts = [
    cluster ? "with a kind cluster" : "without a cluster",
    ...(compose ? ["Docker Compose"] : []),
    ...tools,
  ];
  return parts.join(", ");
}
