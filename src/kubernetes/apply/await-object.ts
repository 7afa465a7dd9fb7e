import { CancelledError } from "../../errors.ts";
import type { ApiError } from "../api/api-error.ts";
import type { ApiObject } from "../api/api-object.ts";
import type { ApiResource } from "../api/discovery.ts";
import type { KubernetesConnection } from "../connection.ts";
import { Reflector } from "../watch/reflector.ts";

export interface AwaitOptions {
  readonly resource: ApiResource;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Watches one object until a test accepts it (undefined: there is no such object). Returns whether it did in time.
 * Throws CancelledError, and ApiError when the object may not be watched.
 */
export function awaitObject(
  connection: KubernetesConnection,
  { resource, namespace, name, timeoutMs, signal }: AwaitOptions,
  accept: (object: ApiObject | undefined) => boolean,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new CancelledError());
    const end = (finish: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
      reflector.close();
      finish();
    };
    const cancel = () => end(() => reject(new CancelledError()));
    const look = (object: ApiObject | undefined) => {
      // The reflector calls before it is assigned: not before the next turn, though.
      if (accept(object)) setImmediate(() => end(() => resolve(true)));
    };
    const timer = setTimeout(() => end(() => resolve(false)), timeoutMs);
    signal?.addEventListener("abort", cancel, { once: true });
    const reflector = new Reflector(connection, {
      resource,
      namespace,
      fieldSelector: `metadata.name=${name}`,
      onList: (objects) => look(objects[0]),
      onChange: (object, gone) => look(gone ? undefined : object),
      onForbidden: (error: ApiError) => end(() => reject(error)),
    });
  });
}
