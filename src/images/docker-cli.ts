import { CancelledError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import {
  type Docker,
  DockerError,
  type ImageStore,
  type LocalImage,
  missingDocker,
  NO_VERSION,
} from "./docker.ts";
import {
  dockerInfo,
  type InfoOutput,
  type InspectedImage,
  isNamed,
  localImage,
} from "./docker-answers.ts";

/** Docker's images through its command line: wherever its contexts lead, remote engines too. */
export function cliStore(
  run: Docker["run"],
  host: Host,
  env: Readonly<Record<string, string>>,
): ImageStore {
  const expect = async (args: readonly string[], signal: AbortSignal): Promise<string> => {
    const { exitCode, stdout, stderr } = await run(args, { signal });
    if (exitCode !== 0) throw new DockerError(commandText(args), stderr);
    return stdout;
  };
  return {
    async info(signal) {
      const args = ["info", "--format", "{{json .}}"];
      const { stdout, stderr } = await run(args, { signal });
      const output = parseInfo(stdout);
      const info = dockerInfo(output);
      if (info) return info;
      const said = stderr.trim() || (output?.ServerErrors ?? []).join("\n");
      throw new DockerError(commandText(args), said || NO_VERSION);
    },
    async inspect(refs, signal) {
      const args = ["image", "inspect", ...refs];
      const { exitCode, stdout, stderr } = await run(args, { signal });
      // It prints what it has found even where it complains about the others.
      if (exitCode !== 0 && !/no such image/i.test(stderr)) {
        throw new DockerError(commandText(args), stderr);
      }
      return byRef(refs, JSON.parse(stdout.trim() || "[]") as InspectedImage[]);
    },
    async tag(id, ref, signal) {
      await expect(["tag", id, ref], signal);
    },
    async untag(refs, signal) {
      await expect(["rmi", "--no-prune", ...refs], signal);
    },
    async names(signal) {
      const format = "{{.Repository}}:{{.Tag}}";
      const listed = await expect(["image", "ls", "--no-trunc", "--format", format], signal);
      return listed.split("\n").filter((name) => name !== "" && !name.includes("<none>"));
    },
    save: (refs, signal) => saveImages(host, env, refs, signal),
  };
}

function commandText(args: readonly string[]): string {
  return `docker ${args.join(" ")}`;
}

function byRef(
  refs: readonly string[],
  images: readonly InspectedImage[],
): Map<string, LocalImage> {
  const found = new Map<string, LocalImage>();
  for (const ref of refs) {
    const image = images.find((candidate) => isNamed(candidate, ref));
    if (image) found.set(ref, localImage(image));
  }
  return found;
}

function parseInfo(stdout: string): InfoOutput | undefined {
  try {
    return JSON.parse(stdout) as InfoOutput;
  } catch {
    return undefined; // podman's and old clients' texts: the caller says what stderr says
  }
}

async function* saveImages(
  host: Host,
  env: Readonly<Record<string, string>>,
  refs: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (signal.aborted) throw new CancelledError();
  const args = ["save", ...refs];
  const errors: string[] = [];
  const child = await host
    .spawn(["docker", ...args], { env, raw: true, onLine: (line) => void errors.push(line) })
    .catch((error: unknown) => {
      throw missingDocker(error);
    });
  const stop = () => void child.stop();
  signal.addEventListener("abort", stop);
  try {
    yield* child.stdout ?? [];
    const { exitCode } = await child.exited;
    if (signal.aborted) throw new CancelledError();
    if (exitCode !== 0) throw new DockerError(commandText(args), errors.join("\n"));
  } finally {
    signal.removeEventListener("abort", stop);
    await child.stop();
  }
}
