import { existsSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { messageOf } from "../errors.ts";
import { makeDirectory } from "../host/make-directory.ts";
import type { Evaluation } from "./evaluation.ts";
import { dirname, isAbsolute, isChild, join } from "./go/path.ts";
import { findProgram } from "./local-command.ts";
import { isDirectory } from "./read-text.ts";
import type { PlainObject } from "./v1alpha1/values.ts";

const PREFIX = "ext://";
const DEFAULT_REPO = "default";
const DEFAULT_URL = "https://github.com/tilt-dev/tilt-extensions";

interface Repository {
  readonly name: string;
  readonly url: string;
  readonly ref: string;
  readonly subpath: string;
}

interface Extension {
  readonly name: string;
  readonly repository: Repository;
  readonly path: string;
}

/** Finds the files behind `ext://` names, fetching their repositories when they are not there. */
export class ExtensionStore {
  readonly #evaluation: Evaluation;
  /** Directories of the repositories that were made ready in this evaluation, by URL and commit or ref. */
  readonly #ready = new Map<string, string>();

  constructor(evaluation: Evaluation) {
    this.#evaluation = evaluation;
  }

  /**
   * The Tiltfile of an extension; undefined when the name is none of an extension.
   * @throws Error naming the repository or extension, in Tilt's words
   */
  resolve(name: string): string | undefined {
    if (!name.startsWith(PREFIX)) return undefined;
    const extension = this.#find(name.slice(PREFIX.length));
    const { repository } = extension;
    this.#evaluation.loadedExtensions.add(extension.name);
    const directory = prefixed(`loading extension repo ${repository.name}`, () =>
      this.#directory(repository),
    );
    const file = prefixed(`loading extension ${extension.name}`, () =>
      tiltfileOf(extension, directory),
    );
    // A file:// repository may be the user's own, with more in it than extensions.
    const root = repository.url.startsWith("file://") ? dirname(file) : directory;
    this.#evaluation.extensionRoots.add(root);
    return file;
  }

  #find(moduleName: string): Extension {
    const objects = this.#evaluation.apiObjects;
    const name = moduleName.replaceAll("/", "_");
    const registered = objects.extension.get(name);
    if (registered !== undefined) {
      return {
        name,
        repository: this.#repository(text(registered.repo_name)),
        path: text(registered.repo_path),
      };
    }
    const slash = moduleName.indexOf("/");
    const host = slash < 0 ? "" : moduleName.slice(0, slash);
    for (const repo of objects.extension_repo.values()) {
      if (host !== "" && text(repo.load_host) === host) {
        return { name, repository: toRepository(repo), path: moduleName.slice(slash + 1) };
      }
    }
    const found = { name, repository: this.#repository(DEFAULT_REPO), path: moduleName };
    // Tilt registers both, so that nothing else can be registered by their names.
    objects.extension.set(name, { name, repo_name: DEFAULT_REPO, repo_path: moduleName });
    if (!objects.extension_repo.has(DEFAULT_REPO))
      objects.extension_repo.set(DEFAULT_REPO, { name: DEFAULT_REPO, url: DEFAULT_URL });
    return found;
  }

  #repository(name: string): Repository {
    const registered = this.#evaluation.apiObjects.extension_repo.get(name);
    return registered === undefined
      ? { name, url: DEFAULT_URL, ref: "", subpath: "" }
      : toRepository(registered);
  }

  #directory(repository: Repository): string {
    const { url, subpath } = repository;
    const root = url.startsWith("file://")
      ? localDirectory(repository)
      : this.#checkedOut(repository);
    return join(root, subpath);
  }

  #checkedOut(repository: Repository): string {
    const { url } = repository;
    const host = /^https?:\/\/(.+)$/.exec(url)?.[1];
    if (host === undefined) throw new Error(`invalid: URL must start with 'https://': ${url}`);
    const commit = this.#lockedCommit(url) ?? repository.ref;
    const key = `${url}#${commit}`;
    const known = this.#ready.get(key);
    if (known !== undefined) return known;
    if (commit.startsWith("-")) throw new Error(`invalid: no commit is called ${commit}`);
    const cache = join(this.#evaluation.options.extensions.cacheDir, "tilt_modules");
    const directory = join(cache, host.replace(/\.git$/, ""));
    if (directory === cache || !isChild(cache, directory)) throw new Error(`invalid: URL: ${url}`);
    fetchRepository(this.#evaluation, { url, commit, directory });
    this.#ready.set(key, directory);
    return directory;
  }

  /** The commit that the lock file gives for a repository. */
  #lockedCommit(url: string): string | undefined {
    const { lockFile } = this.#evaluation.options.extensions;
    if (lockFile === undefined) return undefined;
    const bare = url.replace(/\.git$/, "");
    let lock: Record<string, unknown>;
    try {
      lock = JSON.parse(readFileSync(lockFile, "utf8")) as Record<string, unknown>;
    } catch (error) {
      throw new Error(`cannot read the lock file ${lockFile}: ${messageOf(error)}`);
    }
    const commit = lock[url] ?? lock[bare];
    if (typeof commit === "string" && commit !== "") return commit;
    throw new Error(`${lockFile} has no commit for ${url}`);
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function toRepository(object: PlainObject): Repository {
  return {
    name: text(object.name),
    url: text(object.url),
    ref: text(object.ref),
    subpath: text(object.git_subpath),
  };
}

function prefixed<T>(prefix: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw new Error(`${prefix}: ${messageOf(error)}`, { cause: error });
  }
}

function localDirectory({ url, ref }: Repository): string {
  const path = url.slice("file://".length);
  if (ref !== "") throw new Error("spec.ref not supported on file:// repos");
  if (!isAbsolute(path)) throw new Error(`file paths must be absolute. Url: ${url}`);
  if (!existsSync(path)) throw new Error(`loading: stat ${path}: no such file or directory`);
  if (!isDirectory(path)) throw new Error("loading: not a directory");
  return path;
}

function tiltfileOf({ path }: Extension, directory: string): string {
  const file = join(directory, path, "Tiltfile");
  if (!isChild(directory, file)) throw new Error(`invalid repo path: ${path}`);
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw new Error(`no extension tiltfile found at ${file}`);
  }
  return file;
}

interface Checkout {
  readonly url: string;
  /** A commit, tag or branch; empty for the newest state. */
  readonly commit: string;
  readonly directory: string;
}

/**
 * Brings a repository into the cache, at a commit if one is asked for. What the cache holds is used as it is when it
 * cannot be refreshed, as in Tilt; a copy without `.git` is one that was put there by hand.
 */
function fetchRepository(evaluation: Evaluation, checkout: Checkout): void {
  const { directory, commit } = checkout;
  const seeded = isDirectory(directory);
  if (seeded && !existsSync(join(directory, ".git"))) return;
  if (evaluation.options.extensions.offline) {
    if (!seeded) throw new Error(notCached(checkout, "fetching is off (offline)"));
  } else if (!seeded) {
    clone(evaluation, checkout);
  } else if (commit === "") {
    refresh(evaluation, directory);
  }
  if (commit !== "") checkOut(evaluation, checkout);
}

/** As far as it goes: what is there will do. */
function refresh(evaluation: Evaluation, directory: string): void {
  if (git(evaluation, directory, ["symbolic-ref", "--quiet", "HEAD"]).exitCode !== 0) {
    // An earlier run asked for a commit.
    const head = git(evaluation, directory, ["rev-parse", "--abbrev-ref", "origin/HEAD"]).stdout;
    const branch = head.trim().replace(/^origin\//, "");
    if (branch !== "") git(evaluation, directory, ["checkout", "--quiet", branch]);
  }
  git(evaluation, directory, ["pull", "--quiet", "--ff-only"]);
}

function clone(evaluation: Evaluation, checkout: Checkout): void {
  const { url, commit, directory } = checkout;
  if (findProgram(evaluation, "git") === undefined) {
    throw new Error(notCached(checkout, "git is not installed"));
  }
  const fresh = `${directory}.${process.pid}`;
  makeDirectory(dirname(directory));
  rmSync(fresh, { recursive: true, force: true });
  const depth = commit === "" ? ["--depth", "1"] : [];
  const outcome = git(evaluation, dirname(directory), ["clone", "--quiet", ...depth, url, fresh]);
  if (outcome.exitCode !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    const reason = outcome.timedOut
      ? `no answer in ${GIT_TIMEOUT_MS / 1000}s`
      : outcome.stderr.trim();
    throw new Error(notCached(checkout, reason));
  }
  renameSync(fresh, directory);
}

function notCached({ url, directory }: Checkout, reason: string): string {
  return (
    `download error: cannot fetch ${url}: ${reason}\n` +
    `To work without a network, put a copy of the repository at ${directory}`
  );
}

function checkOut(evaluation: Evaluation, { url, commit, directory }: Checkout): void {
  const quiet = ["checkout", "--quiet", "--detach", commit];
  if (git(evaluation, directory, quiet).exitCode === 0) return;
  if (!evaluation.options.extensions.offline) {
    git(evaluation, directory, ["fetch", "--quiet", "--tags", "origin"]);
    git(evaluation, directory, ["fetch", "--quiet", "origin", commit]);
  }
  const outcome = [quiet, ["checkout", "--quiet", "--detach", `origin/${commit}`]]
    .map((args) => git(evaluation, directory, args))
    .find(({ exitCode }) => exitCode === 0);
  if (outcome === undefined) {
    throw new Error(`sync to ref ${commit}: ${url} has no such commit in ${directory}`);
  }
}

/** A server that answers at all has time enough; what git itself would wait for has no end. */
const GIT_TIMEOUT_MS = 120_000;
const SILENCE_SECONDS = "15";

function git(evaluation: Evaluation, cwd: string, args: readonly string[]) {
  return evaluation.sync.exec(["git", ...args], {
    cwd,
    env: {
      GIT_HTTP_LOW_SPEED_LIMIT: "1",
      GIT_HTTP_LOW_SPEED_TIME: SILENCE_SECONDS,
      ...Object.fromEntries(evaluation.env),
      GIT_TERMINAL_PROMPT: "0",
    },
    retryable: false,
    timeoutMs: GIT_TIMEOUT_MS,
  });
}
