/** What commands of a Tiltfile get beside the inherited environment (ci-engine.md §12). */
export interface CommandSurroundings {
  /** The environment after evaluation (`os.putenv`). */
  readonly env: Readonly<Record<string, string>>;
  readonly kubeconfig?: string | undefined;
  readonly color: boolean;
}

/** The whole environment of a local command: inherited, then ours, then what the Tiltfile gives. */
export function commandEnvironment(
  { env, kubeconfig, color }: CommandSurroundings,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    TILT_HOST: "localhost",
    TILT_PORT: "0",
    TILT_DISABLE_ANALYTICS: "1",
    ...env,
    ...(kubeconfig ? { KUBECONFIG: kubeconfig } : {}),
    LINES: "24",
    COLUMNS: "80",
    PYTHONUNBUFFERED: "1",
    ...(color ? { FORCE_COLOR: "1" } : {}),
    ...own,
  };
}
