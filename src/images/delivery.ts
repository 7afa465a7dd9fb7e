import { PhaseFailure } from "../errors.ts";
import { type Docker, DockerError, type LocalImage } from "./docker.ts";
import { type RegistryAddress, repositoryOf } from "./image-names.ts";
import {
  asInfrastructure,
  InfrastructureError,
  isInfrastructureText,
  isUnknownHost,
} from "./infrastructure.ts";
import { type LayerSource, LayerSourceError } from "./layer-source.ts";
import { openLayerStore } from "./layer-store.ts";
import { type Destination, RawDelivery, type Sent } from "./raw-delivery.ts";
import { RegistryClient, RegistryError } from "./registry-client.ts";
import { createSaveQueue } from "./save-queue.ts";

/** `docker save` writes OCI layouts since this version. */
const OCI_SAVE_VERSION = 25;

/** Gets images from the local Docker into one registry. */
export interface Delivery {
  /** The layers can go up as they are; else `docker push` does all. */
  readonly isRaw: boolean;
  /**
   * Sends an image under a reference of the registry. Throws `PhaseFailure` (PushFailed) when the registry refuses,
   * `InfrastructureError` when it does not answer.
   */
  send(
    image: LocalImage,
    ref: string,
    signal: AbortSignal,
    onLine: (text: string) => void,
  ): Promise<Sent>;
  /** Sends an image only if that needs no compressing. Undefined: it was not sent. */
  sendRaw(image: LocalImage, to: Destination, signal: AbortSignal): Promise<Sent | undefined>;
  /** Digest of the manifest under a reference, if it is there. Only asked of registries without credentials. */
  find(ref: string, signal: AbortSignal): Promise<string | undefined>;
  close(): void;
}

/** Finds out how images get into a registry. Throws `InfrastructureError` when Docker does not answer. */
export async function openDelivery(
  address: RegistryAddress,
  docker: Docker,
  signal: AbortSignal,
): Promise<Delivery> {
  const info = await docker.info(signal);
  const client = new RegistryClient(address.host);
  const sources: LayerSource[] = [];
  // A containerd store keeps layers compressed: its pushes send them as they are.
  if (!info.containerdStore && isLoopback(address.host) && (await answers(client, signal))) {
    const store = await openLayerStore(info);
    if (store) sources.push(store);
    if (info.major >= OCI_SAVE_VERSION) sources.push(createSaveQueue(docker));
  }
  return makeDelivery(address, docker, client, sources);
}

/** A registry elsewhere wants credentials, TLS and compressed layers. */
function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(host);
}

async function answers(client: RegistryClient, signal: AbortSignal): Promise<boolean> {
  try {
    return await client.ping(signal);
  } catch {
    return false; // whatever it is, `docker push` will say it better
  }
}

function makeDelivery(
  address: RegistryAddress,
  docker: Docker,
  client: RegistryClient,
  sources: readonly LayerSource[],
): Delivery {
  const raw = sources.length > 0 ? new RawDelivery(client, sources) : undefined;
  const sendRaw: Delivery["sendRaw"] = async (image, to, signal) => {
    if (!raw) return undefined;
    try {
      return await raw.send(image, to, signal);
    } catch (error) {
      // Credentials, proxies and stores of other kinds: nothing that Docker itself could not do.
      if (error instanceof LayerSourceError || isRefused(error)) return undefined;
      throw registryFault(error);
    }
  };
  return {
    isRaw: raw !== undefined,
    sendRaw,
    async send(image, ref, signal, onLine) {
      // A custom_build may choose a reference of another registry.
      if (ref.startsWith(`${address.host}/`)) {
        const sent = await sendRaw(image, repositoryOf(ref, address.host), signal);
        if (sent) return sent;
      }
      return pushWithDocker(docker, image, ref, signal, onLine);
    },
    async find(ref, signal) {
      if (!raw || !ref.startsWith(`${address.host}/`)) return undefined;
      const { repository, tag } = repositoryOf(ref, address.host);
      return client.manifestDigest(repository, tag, signal).catch((error: unknown) => {
        if (isRefused(error)) return undefined;
        throw registryFault(error);
      });
    },
    close: () => client.close(),
  };
}

function isRefused(error: unknown): boolean {
  return error instanceof RegistryError && [401, 403, 405].includes(error.status);
}

/** A registry that answers with 5xx is broken, one that answers with 4xx refuses what we send. */
function registryFault(error: unknown): unknown {
  if (!(error instanceof RegistryError)) return asInfrastructure(error);
  if (error.status >= 500 || error.status === 429) {
    return new InfrastructureError(error.message, { cause: error });
  }
  return pushFailure(error.message);
}

function pushFailure(message: string, detail?: string, hint?: string): PhaseFailure {
  return new PhaseFailure({
    code: "PushFailed",
    message: `Cannot push: ${message}`,
    ...(detail ? { detail } : {}),
    ...(hint ? { hint } : {}),
  });
}

/** `docker push`. Throws `PhaseFailure` (PushFailed) when it is refused, `InfrastructureError` when nobody answers. */
export async function pushWithDocker(
  docker: Docker,
  image: LocalImage,
  ref: string,
  signal: AbortSignal,
  onLine: (text: string) => void,
): Promise<Sent> {
  let sentLayers = false;
  try {
    await docker.tag(image.id, ref, signal);
    const { exitCode, stdout, stderr } = await docker.run(["push", ref], {
      signal,
      onLine: (line) => {
        if (/: Pushed$/.test(line)) sentLayers = true;
        onLine(line);
      },
    });
    if (exitCode !== 0) throw new DockerError(`docker push ${ref}`, stderr || stdout);
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(stdout)?.[1] ?? "";
    return { digest, bytesUploaded: sentLayers ? image.size : 0, cached: !sentLayers };
  } catch (error) {
    if (!(error instanceof DockerError)) throw asInfrastructure(error);
    const failure = pushFailure(`${ref}: ${error.message}`, error.stderr, hintFor(error.message));
    if (!isInfrastructureText(error.stderr)) throw failure;
    const lasting = isUnknownHost(error.stderr) ? failure : undefined;
    throw new InfrastructureError(error.message, { cause: error, lasting });
  }
}

function hintFor(message: string): string | undefined {
  if (/denied|unauthorized|authentication|no basic auth|insufficient_scope/i.test(message))
    return "Log in to the registry with docker login";
  if (/HTTP response to HTTPS client/i.test(message))
    return "The registry speaks plain HTTP: add it to Docker's insecure-registries";
  if (isUnknownHost(message))
    return "Is the registry's name right? It comes from default_registry() or --registry";
  return undefined;
}
