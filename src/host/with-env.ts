import type { Host } from "./host.ts";

/** The same outside with more in the environment of what it runs. An environment given with a command is completed, too. */
export function createHostWith(host: Host, more: Readonly<Record<string, string>>): Host {
  const env = { ...host.env, ...more };
  const marked = <T extends { readonly env?: Readonly<Record<string, string>> }>(
    options: T | undefined,
  ) => ({ ...options, env: { ...(options?.env ?? env), ...more } });
  return {
    ...host,
    env,
    run: (argv, options) => host.run(argv, marked(options)),
    spawn: (argv, options) => host.spawn(argv, marked(options)),
  };
}
