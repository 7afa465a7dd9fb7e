/** What the runner tells the Action alone: its inputs, and what main has handed on to post. */
const OWN = /^(INPUT|STATE)_/;

/** The environment for what the Action runs: a Tiltfile's commands have no business with its inputs and its state. */
export function environmentForRun(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OWN.test(name)));
}
