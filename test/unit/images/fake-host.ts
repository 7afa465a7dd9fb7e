import { setImmediate } from "node:timers/promises";
import { CancelledError } from "../../../src/errors.ts";
import { CommandNotFoundError } from "../../../src/host/command-not-found.ts";
import type { CommandOptions, Host } from "../../../src/host/host.ts";

/** What a fake command answers. */
export interface Answer {
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly signal?: string;
  /** Bytes for `spawn(…, { raw: true })`. */
  readonly bytes?: AsyncIterable<Uint8Array>;
}

export type Responder = (
  argv: readonly string[],
  options: CommandOptions,
) => Answer | undefined | Promise<Answer | undefined>;

/** An engine elsewhere: everything goes through the command line. */
export const FAKE_ENV = { PATH: "/bin", DOCKER_HOST: "tcp://fake:2375" };

/** A command as it was run. */
export interface Call {
  readonly argv: readonly string[];
  readonly options: CommandOptions;
}

/**
 * A host whose commands are answered by functions: the first answer counts, a command that none answers does not
 * exist. Commands end when their signal fires. Time stands still but for `clock.sleep`.
 */
export function fakeHost(...responders: Responder[]): Host & { readonly calls: Call[] } {
  const calls: Call[] = [];
  let time = 1_700_000_000_000;
  const answer = async (argv: readonly string[], options: CommandOptions): Promise<Answer> => {
    calls.push({ argv, options });
    for (const respond of responders) {
      const found = await respond(argv, options);
      if (found) return found;
    }
    throw new CommandNotFoundError(argv[0] ?? "");
  };
  return {
    calls,
    env: FAKE_ENV,
    cwd: "/src",
    platform: "linux",
    clock: {
      now: () => time,
      monotonic: () => time,
      async sleep(ms) {
        time += ms;
        await setImmediate();
      },
    },
    async run(argv, options = {}) {
      let cancel = () => {};
      const cancelled = new Promise<never>((_, reject) => {
        cancel = () => reject(new CancelledError());
      });
      options.signal?.addEventListener("abort", cancel);
      const {
        exitCode = 0,
        stdout = "",
        stderr = "",
        signal,
      } = await Promise.race([answer(argv, options), cancelled]).finally(() =>
        options.signal?.removeEventListener("abort", cancel),
      );
      if (options.signal?.aborted) throw new CancelledError();
      for (const line of lines(stdout)) await options.onLine?.(line, "stdout");
      for (const line of lines(stderr)) await options.onLine?.(line, "stderr");
      return {
        exitCode,
        stdout,
        stderr,
        timedOut: false,
        durationMs: 1,
        ...(signal ? { signal } : {}),
      };
    },
    async spawn(argv, options = {}) {
      const { exitCode = 0, stderr = "", bytes } = await answer(argv, options as CommandOptions);
      for (const line of lines(stderr)) await options.onLine?.(line, "stderr");
      return {
        pid: 1,
        ...(bytes ? { stdout: bytes } : {}),
        exited: Promise.resolve({ exitCode }),
        stop: async () => {},
      };
    },
  };
}

function lines(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/** Answers `docker info` and `docker buildx inspect` as Docker 26 with overlay2 and its own builder does. */
export function plainDocker(over: { info?: object; driver?: string } = {}): Responder {
  return ([program, ...args]) => {
    if (program !== "docker") return undefined;
    if (args[0] === "info") {
      const info = {
        ServerVersion: "26.1.5",
        DockerRootDir: "/nowhere",
        Driver: "overlay2",
        DriverStatus: [["Backing Filesystem", "extfs"]],
        ...over.info,
      };
      return { stdout: JSON.stringify(info) };
    }
    if (args[0] === "buildx" && args[1] === "inspect") {
      return { stdout: `Name:   default\nDriver: ${over.driver ?? "docker"}\n` };
    }
    return undefined;
  };
}

/** Answers the `docker` commands that a responder knows by their arguments. */
export function dockerCommand(
  pattern: RegExp,
  answer: Answer | ((args: readonly string[], options: CommandOptions) => Answer | Promise<Answer>),
): Responder {
  return ([program, ...args], options) => {
    if (program !== "docker" || !pattern.test(args.join(" "))) return undefined;
    return typeof answer === "function" ? answer(args, options) : answer;
  };
}

/** `docker image inspect` over images by name and id. */
export function knownImages(
  images: Readonly<Record<string, { id: string; diffIds?: readonly string[]; size?: number }>>,
): Responder {
  return dockerCommand(/^image inspect /, (args) => {
    const found: object[] = [];
    const missing: string[] = [];
    for (const ref of args.slice(2)) {
      const entry = Object.entries(images).find(([name, { id }]) => name === ref || id === ref);
      if (!entry) missing.push(ref);
      else {
        const [, { id, diffIds = [], size = 1 }] = entry;
        const tags = Object.keys(images).filter((name) => images[name]?.id === id);
        const RepoTags = tags.map((name) => (/:[^/]*$/.test(name) ? name : `${name}:latest`));
        found.push({ Id: id, RepoTags, RepoDigests: [], RootFS: { Layers: diffIds }, Size: size });
      }
    }
    return {
      exitCode: missing.length > 0 ? 1 : 0,
      stdout: JSON.stringify(found),
      stderr: missing.map((ref) => `Error response from daemon: No such image: ${ref}`).join("\n"),
    };
  });
}
